"""What a ledger says, read from its file: sessions, deliveries, visits, overrides.

Nothing here writes. A ledger can be read while another program keeps it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sim.clinic.record_verify import NotRecorded
from sim.plan.visits import Visit

SCHEMA_VERSION = 1
#: Another program may be reading or writing; SQLite tries again for so long (engineering default).
BUSY_S = 5.0


class LedgerError(NotRecorded):
    """A ledger that cannot be used, or a line it does not take. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One stretch of a beam as the ledger has it; metersets in mMU. Without ``finish`` its end is unknown."""

    number: int
    session: int
    target: str
    fraction: int
    beam: int
    start: int
    finish: int | None
    secondary: int | None
    cause: str | None  # normal, interlock, operator, power, settled
    first_up: str | None
    note: str | None
    passed: tuple[tuple[int, int], ...]  # control point and its meterset, in order

    @property
    def reached(self) -> int:
        """Meterset that was certainly delivered, mMU."""
        return self.finish if self.finish is not None else max([self.start, *(m for _, m in self.passed)])


@dataclass(frozen=True, slots=True)
class Session:
    """One opening of the ledger by whoever delivers."""

    number: int
    began: datetime  # local time of the clinic
    source: str
    ended: bool


@dataclass(frozen=True, slots=True)
class Override:
    """A refusal set aside for one fraction of one target."""

    session: int
    target: str
    fraction: int
    refusal: str
    reason: str


class LedgerView:
    """A ledger that is read. Use it in a ``with`` statement, from one thread."""

    def __init__(self, path: Path, file: sqlite3.Connection) -> None:
        self.path, self._file = path, file

    @classmethod
    def read(cls, path: Path) -> LedgerView:
        """Open a file for reading. Raises LedgerError when it is no ledger."""
        if not path.is_file():
            raise LedgerError(f"{path}: there is no such ledger")
        file = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)
        try:
            version = file.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.Error as problem:
            file.close()
            raise LedgerError(f"{path}: cannot be read as a ledger ({problem})") from None
        if version != SCHEMA_VERSION:
            file.close()
            raise LedgerError(f"{path}: not a ledger of version {SCHEMA_VERSION} (its version is {version})")
        return LedgerView(path, file)

    @property
    def course(self) -> tuple[str, str, str]:
        """Id, patient and plan digest of the course."""
        id_, patient, plan = self._file.execute("SELECT id, patient, plan FROM course").fetchone()
        return id_, patient, plan

    def planned(self) -> dict[str, tuple[int, dict[int, int]]]:
        """Of every target, in the order of the plan, its number of fractions and the mMU of each beam."""
        found: dict[str, tuple[int, dict[int, int]]] = {
            id_: (fractions, {})
            for id_, fractions in self._file.execute("SELECT id, fractions FROM target ORDER BY place")
        }
        for target, number, meterset in self._file.execute("SELECT target, number, meterset FROM beam"):
            found[target][1][number] = meterset
        return found

    def deliveries(self) -> tuple[Kept, ...]:
        """Every stretch, in the order of delivery."""
        passed: dict[int, list[tuple[int, int]]] = {}
        for delivery, point, meterset in self._file.execute(
            "SELECT delivery, control_point, meterset FROM passed ORDER BY delivery, control_point"
        ):
            passed.setdefault(delivery, []).append((point, meterset))
        rows = self._file.execute(
            "SELECT number, session, target, fraction, beam, start, finish, secondary, cause, first_up, note "
            "FROM delivery ORDER BY number"
        )
        return tuple(Kept(*(*row, tuple(passed.get(row[0], ())))) for row in rows)

    def unfinished(self) -> tuple[Kept, ...]:
        """Stretches whose end nobody has written."""
        return tuple(kept for kept in self.deliveries() if kept.finish is None)

    def sessions(self) -> tuple[Session, ...]:
        """All of them, in order."""
        rows = self._file.execute("SELECT number, began, source, ended FROM session ORDER BY number")
        return tuple(Session(n, datetime.fromisoformat(b), s, bool(e)) for n, b, s, e in rows)

    def abandoned(self) -> dict[str, str]:
        """Abandoned targets and why."""
        return dict(self._file.execute("SELECT target, reason FROM abandoned ORDER BY session, target"))

    def overrides(self) -> tuple[Override, ...]:
        """All of them, in order."""
        rows = self._file.execute(
            "SELECT session, target, fraction, refusal, reason FROM override ORDER BY number"
        )
        return tuple(Override(*row) for row in rows)

    def reached(self, target: str, fraction: int) -> dict[int, int]:
        """Meterset certainly delivered to each beam of a fraction so far, mMU."""
        found: dict[int, int] = {}
        for kept in self.deliveries():
            if (kept.target, kept.fraction) == (target, fraction):
                found[kept.beam] = max(found.get(kept.beam, 0), kept.reached)
        return found

    def visits(self) -> tuple[Visit, ...]:
        """One for every fraction worked at in a session; complete with the session that completed it."""
        began = {session.number: session.began for session in self.sessions()}
        planned = self.planned()
        found: dict[tuple[int, str, int], Visit] = {}
        reached: dict[tuple[str, int], dict[int, int]] = {}
        for kept in self.deliveries():
            beams = reached.setdefault((kept.target, kept.fraction), {})
            beams[kept.beam] = max(beams.get(kept.beam, 0), kept.reached)
            complete = all(beams.get(n, 0) >= meterset for n, meterset in planned[kept.target][1].items())
            if kept.reached > kept.start:
                key = (kept.session, kept.target, kept.fraction)
                found[key] = Visit(kept.target, kept.fraction, began[kept.session], complete)
        return tuple(found.values())

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
