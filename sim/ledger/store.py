"""The ledger of a course: every delivered stretch of every beam, once, with the cause of its end.

One SQLite file. Each line is committed when it happens: a beam going on, a control point passed, a
beam ended. A writer that is killed at any moment loses nothing it has been told was written, and
leaves at most one stretch without an end, which blocks its target until somebody settles it
(:meth:`Ledger.settle`). Rules that no program may break, a second delivery of the same meterset
above all, are triggers of the file (``schema.sql``).

The file is in write-ahead mode with ``synchronous=NORMAL``: safe against the death of the program.
A computer that loses its power may lose the last lines before it, never the file's consistency.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sim.clinic.record_verify import Delivery
from sim.ledger.view import BUSY_S, SCHEMA_VERSION, LedgerError, LedgerView
from sim.plan.course import Course

SCHEMA = Path(__file__).with_name("schema.sql")


class Ledger(LedgerView):
    """An open ledger. Use it in a ``with`` statement, from one thread.

    Raises LedgerError for a file that is no ledger, belongs to another course or patient, or was
    begun under a plan that has changed since.
    """

    def __init__(self, path: Path, course: Course | None, *, create: bool = True) -> None:
        self._delivery: int | None = None
        self._session: int | None = None
        if not path.is_file() and not (create and course is not None):
            raise LedgerError(f"{path}: there is no such ledger")
        try:
            super().__init__(path, sqlite3.connect(path, timeout=BUSY_S, isolation_level=None))
            try:
                self._prepare(course if create else None)
                if course is not None:
                    self._check_course(course)
            except BaseException:
                self._file.close()
                raise
        except sqlite3.Error as problem:
            raise LedgerError(f"{path}: cannot be used as a ledger ({problem})") from None

    @classmethod
    def reopen(cls, path: Path) -> Ledger:
        """A ledger that exists, without its plan: to settle what was left open."""
        return cls(path, None)

    def _prepare(self, course: Course | None) -> None:
        run = self._file.execute
        run("PRAGMA foreign_keys = ON")
        with self._writing():
            version = run("PRAGMA user_version").fetchone()[0]
            tables = run("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if version == 0 and tables == 0 and course is not None:
                for statement in _statements():
                    run(statement)
                run("INSERT INTO course VALUES (1, ?, ?, ?)", (course.id, course.patient, course.digest))
                for place, target in enumerate(course.targets):
                    run("INSERT INTO target VALUES (?, ?, ?)", (target.id, place, target.fractions))
                    beams = [(target.id, beam.number, beam.meterset) for beam in target.beams]
                    self._file.executemany("INSERT INTO beam VALUES (?, ?, ?)", beams)
                run(f"PRAGMA user_version = {SCHEMA_VERSION}")
            elif version != SCHEMA_VERSION:
                raise LedgerError(
                    f"{self.path}: not a ledger of version {SCHEMA_VERSION} (its version is {version})"
                )
        # After the schema: a file that is something else is left as it is.
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")

    def _check_course(self, wanted: Course) -> None:
        id_, patient, plan = self.course
        if (id_, patient) != (wanted.id, wanted.patient):
            raise LedgerError(
                f"{self.path}: this is the ledger of course {id_}, patient {patient}; the plan is "
                f"{wanted.id}, patient {wanted.patient}"
            )
        if plan != wanted.digest:
            raise LedgerError(
                f"{self.path}: the plan of course {id_} has changed since the ledger was begun (it was "
                f"{plan[:12]}, {wanted.source} is {wanted.digest[:12]}); what was delivered cannot be "
                "continued with it: restore the plan, or begin a new course for what is left"
            )

    # ---- writing ---------------------------------------------------------------------------------

    def begin_session(self, at: datetime, source: str) -> int:
        """Somebody is going to deliver; ``at`` is the clinic's local time. Returns the session's number."""
        began = at.isoformat(sep=" ", timespec="minutes")
        with self._writing():
            last = self._file.execute("SELECT max(began) FROM session").fetchone()[0]
            if last is not None and last > began:
                raise LedgerError(
                    f"{self.path}: the last session began at {last}, so none can begin at {began}"
                )
            cursor = self._file.execute("INSERT INTO session (began, source) VALUES (?, ?)", (began, source))
        assert cursor.lastrowid is not None
        self._session = cursor.lastrowid
        return self._session

    def end_session(self) -> None:
        """The session came to its end, however it went."""
        with self._writing():
            self._file.execute("UPDATE session SET ended = 1 WHERE number = ?", (self._current(),))
        self._session = None

    def begin(self, target: str, fraction: int, beam: int, start: int) -> None:
        """The beam is about to go on from ``start`` (mMU)."""
        with self._writing():
            cursor = self._file.execute(
                "INSERT INTO delivery (session, target, fraction, beam, start) VALUES (?, ?, ?, ?, ?)",
                (self._current(), target, fraction, beam, start),
            )
        self._delivery = cursor.lastrowid

    def passed(self, control_point: int, meterset: int) -> None:
        """A control point was reached, at its meterset in mMU."""
        with self._writing():
            self._file.execute(
                "INSERT INTO passed VALUES (?, ?, ?)", (self._delivery, control_point, meterset)
            )

    def end(self, delivery: Delivery) -> None:
        """The stretch under way is over."""
        with self._writing():
            self._finish(
                self._delivery, delivery.end, delivery.cause, delivery.secondary, delivery.first_up, None
            )
        self._delivery = None

    def settle(self, number: int, meterset: int, note: str) -> None:
        """Write the end of a stretch whose writer died: the meterset (mMU) that another record shows.

        The controller keeps the meterset of its last beam over a loss of power; ``note`` says where
        the figure is from. Raises LedgerError for a stretch that is not open or a meterset it cannot have.
        """
        kept = next((k for k in self.deliveries() if k.number == number), None)
        if kept is None or kept.finish is not None:
            open_ones = ", ".join(str(k.number) for k in self.unfinished()) or "none"
            raise LedgerError(f"{self.path}: delivery {number} has no open end; open: {open_ones}")
        if len(note.strip()) < 10:
            raise LedgerError("say in at least 10 characters where the meterset was read")
        planned = self.planned()[kept.target][1][kept.beam]
        if not kept.reached <= meterset <= planned:
            raise LedgerError(
                f"delivery {number} had reached {kept.reached / 1000:.3f} MU of {planned / 1000:.3f} MU; its "
                f"end cannot be {meterset / 1000:.3f} MU"
            )
        with self._writing():
            self._finish(number, meterset, "settled", None, None, note.strip())

    def _finish(
        self,
        number: int | None,
        meterset: int,
        cause: str,
        secondary: int | None,
        first_up: str | None,
        note: str | None,
    ) -> None:
        cursor = self._file.execute(
            "UPDATE delivery SET finish = ?, cause = ?, secondary = ?, first_up = ?, note = ? "
            "WHERE number = ?",
            (meterset, cause, secondary, first_up, note, number),
        )
        if cursor.rowcount != 1:
            raise LedgerError(f"{self.path}: no stretch of a beam is under way")

    def abandon(self, target: str, reason: str) -> None:
        """The rest of this target will not be delivered."""
        with self._writing():
            self._file.execute("INSERT INTO abandoned VALUES (?, ?, ?)", (target, self._current(), reason))

    def override(self, target: str, fraction: int, refusal: str, reason: str) -> None:
        """Somebody answers for going on in spite of a refusal."""
        with self._writing():
            self._file.execute(
                "INSERT INTO override (session, target, fraction, refusal, reason) VALUES (?, ?, ?, ?, ?)",
                (self._current(), target, fraction, refusal, reason),
            )

    def _current(self) -> int:
        if self._session is None:
            raise LedgerError(f"{self.path}: no session is open")
        return self._session

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All of it or nothing. Raises LedgerError with what the file refused."""
        try:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")
        except sqlite3.IntegrityError as problem:
            what = "another beam is under way" if "one_beam_at_a_time" in str(problem) else str(problem)
            raise LedgerError(f"{self.path}: refused: {what}") from None
        except sqlite3.Error as problem:
            raise LedgerError(f"{self.path}: cannot be written ({problem})") from None


def _statements() -> Iterator[str]:
    """The statements of the schema, one by one, so that they run in one transaction."""
    statement = ""
    for line in SCHEMA.read_text(encoding="utf-8").splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
