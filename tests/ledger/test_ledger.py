"""What a ledger takes, what it refuses, and what it says about a course."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.ledger.clearance import not_overridden, refusals
from sim.ledger.store import Ledger
from sim.ledger.view import LedgerError, LedgerView
from sim.plan.course import Course
from tests.ledger.small_ledger import COURSE, METERSETS, delivery, moment

WHOLE = METERSETS[-1]
TABLES = ("course", "target", "beam", "session", "delivery", "passed", "abandoned", "override")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "course.sqlite"


def give(ledger: Ledger, name: str, fraction: int, number: int, start: int = 0, end: int = WHOLE) -> None:
    ledger.begin(name, fraction, number, start)
    for point, meterset in enumerate(METERSETS):
        if start < meterset <= end:
            ledger.passed(point, meterset)
    ledger.end(delivery(name, fraction, number, start, end, "normal" if end == WHOLE else "interlock"))


def give_fraction(ledger: Ledger, name: str, fraction: int, day: int) -> None:
    ledger.begin_session(moment(day), "a test")
    for beam in COURSE.target(name).beams:
        give(ledger, name, fraction, beam.number)
    ledger.end_session()


def rules(path: Path, name: str, fraction: int, day: int, hour: float = 9) -> list[str]:
    with LedgerView.read(path) as ledger:
        return [refusal.rule for refusal in refusals(ledger, COURSE, name, fraction, moment(day, hour))]


def test_what_was_written_is_read_back(path: Path) -> None:
    with Ledger(path, COURSE) as ledger:
        ledger.begin_session(moment(0), "a test")
        give(ledger, "a", 1, 1, 0, 25_000)
        give(ledger, "a", 1, 1, 25_000)
        ledger.end_session()
    with LedgerView.read(path) as ledger:
        first, second = ledger.deliveries()
        assert (first.start, first.finish, first.cause) == (0, 25_000, "interlock")
        assert first.passed == ((1, 10_000), (2, 20_000))
        assert (second.start, second.finish, second.cause) == (25_000, WHOLE, "normal")
        assert second.passed == ((3, 27_000), (4, 30_000), (5, 40_000), (6, 50_000))
        assert ledger.reached("a", 1) == {1: WHOLE}
        assert [visit.complete for visit in ledger.visits()] == [False]  # beam 2 was not given
        assert [(s.began, s.ended) for s in ledger.sessions()] == [(moment(0), True)]


@pytest.mark.parametrize(
    ("again", "words"),
    [
        (("a", 1, 1, 0), "delivered before"),
        (("a", 1, 1, 24_999), "delivered before"),
        (("a", 4, 1, 0), "no such fraction"),
        (("b", 1, 3, WHOLE), "no such fraction or part"),
        (("b", 1, 1, 0), "FOREIGN KEY"),  # a beam of the other target
        (("c", 1, 1, 0), "FOREIGN KEY"),
    ],
)
def test_what_must_not_be_delivered_is_refused(
    path: Path, again: tuple[str, int, int, int], words: str
) -> None:
    with Ledger(path, COURSE) as ledger:
        ledger.begin_session(moment(0), "a test")
        give(ledger, "a", 1, 1, 0, 25_000)
        with pytest.raises(LedgerError, match=words):
            ledger.begin(*again)
        assert len(ledger.deliveries()) == 1


def test_one_beam_at_a_time(path: Path) -> None:
    with Ledger(path, COURSE) as ledger, Ledger(path, COURSE) as other:
        ledger.begin_session(moment(0), "a test")
        other.begin_session(moment(0), "another")
        ledger.begin("a", 1, 1, 0)
        with pytest.raises(LedgerError, match="another beam is under way"):
            other.begin("b", 1, 3, 0)


def test_a_beam_passes_its_control_points_in_order_and_ends_after_them(path: Path) -> None:
    with Ledger(path, COURSE) as ledger:
        ledger.begin_session(moment(0), "a test")
        ledger.begin("a", 1, 1, 0)
        ledger.passed(2, 20_000)
        for point, meterset in ((1, 10_000), (2, 20_000), (3, 19_000)):
            with pytest.raises(LedgerError, match=r"in order|UNIQUE"):
                ledger.passed(point, meterset)
        with pytest.raises(LedgerError, match="before a control point"):
            ledger.end(delivery("a", 1, 1, 0, 19_999))
        ledger.end(delivery("a", 1, 1, 0, 20_000))
        with pytest.raises(LedgerError, match="no stretch"):
            ledger.end(delivery("a", 1, 1, 0, 20_000))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE delivery SET finish = 49000",
        "UPDATE delivery SET start = 1",
        "UPDATE passed SET meterset = 0",
        "UPDATE session SET began = '2026-01-01 09:00'",
        "UPDATE session SET ended = 0",
        "UPDATE course SET plan = ''",
        "UPDATE target SET fractions = 9",
        "UPDATE beam SET meterset = 1",
        "UPDATE abandoned SET reason = 'no reason at all'",
        "UPDATE override SET reason = 'no reason at all'",
        *(
            f"DELETE FROM {table}"
            for table in (
                "delivery",
                "passed",
                "session",
                "course",
                "target",
                "beam",
                "abandoned",
                "override",
            )
        ),
    ],
)
def test_no_program_can_change_what_is_written(path: Path, statement: str) -> None:
    with Ledger(path, COURSE) as ledger:
        ledger.begin_session(moment(0), "a test")
        give(ledger, "a", 1, 1)
        ledger.override("a", 2, "rhythm", "somebody answers for it")
        ledger.abandon("b", "progression elsewhere")
        ledger.end_session()
    with Ledger(path, COURSE) as ledger:
        before = list(ledger._file.iterdump())
    other = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError):
        other.execute(statement)
    assert list(other.iterdump()) == before
    other.close()


def test_another_course_or_a_changed_plan_is_refused(path: Path) -> None:
    with Ledger(path, COURSE):
        pass
    with pytest.raises(LedgerError, match="ledger of course small, patient P-1"):
        Ledger(path, replace(COURSE, patient="P-2"))
    with pytest.raises(LedgerError, match="has changed since the ledger was begun"):
        Ledger(path, moved(COURSE))


def moved(course: Course) -> Course:
    """The same course with one control point of one beam 0.01 degree elsewhere."""
    target = course.targets[0]
    beam = target.beams[0]
    point = replace(beam.control_points[1], gantry=1)
    beam = replace(beam, control_points=(beam.control_points[0], point, *beam.control_points[2:]))
    return replace(course, targets=(replace(target, beams=(beam, *target.beams[1:])), *course.targets[1:]))


@pytest.mark.parametrize("content", [b"", b"something else entirely, not a database", None])
def test_a_file_that_is_no_ledger_is_left_alone(path: Path, content: bytes | None) -> None:
    if content is None:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE mine (x)")
        other.close()
        content = path.read_bytes()
    else:
        path.write_bytes(content)
    with pytest.raises(LedgerError):
        LedgerView.read(path)
    if content:
        with pytest.raises(LedgerError):
            Ledger(path, COURSE)
    assert path.read_bytes() == content


def test_a_missing_ledger_is_not_made_by_reading(path: Path) -> None:
    with pytest.raises(LedgerError, match="no such ledger"):
        LedgerView.read(path)
    with pytest.raises(LedgerError, match="no such ledger"):
        Ledger(path, COURSE, create=False)
    assert not path.exists()


def test_an_end_that_nobody_wrote_blocks_until_it_is_settled(path: Path) -> None:
    with Ledger(path, COURSE) as ledger:
        ledger.begin_session(moment(0), "a test")
        ledger.begin("a", 1, 1, 0)
        ledger.passed(1, 10_000)
    assert rules(path, "b", 1, 0, 10) == ["unsettled"]
    with Ledger(path, COURSE) as ledger:
        (open_,) = ledger.unfinished()
        for meterset in (9_999, 50_001):
            with pytest.raises(LedgerError, match="its end cannot be"):
                ledger.settle(open_.number, meterset, "read from the controller")
        with pytest.raises(LedgerError, match="10 characters"):
            ledger.settle(open_.number, 12_000, "seen")
        ledger.settle(open_.number, 12_000, "read from the controller")
        with pytest.raises(LedgerError, match="no open end; open: none"):
            ledger.settle(open_.number, 12_000, "read from the controller")
        assert ledger.reached("a", 1) == {1: 12_000}
    assert rules(path, "b", 1, 0, 10) == []


def test_sessions_do_not_go_back_in_time(path: Path) -> None:
    with Ledger(path, COURSE) as ledger:
        ledger.begin_session(moment(1), "a test")
        with pytest.raises(LedgerError, match="last session began at 2026-03-03 09:00"):
            ledger.begin_session(moment(0), "a test")


def test_rules_between_fractions_are_kept(path: Path) -> None:
    with Ledger(path, COURSE) as ledger:
        give_fraction(ledger, "a", 1, 0)
    assert "once" in rules(path, "a", 1, 2)
    assert rules(path, "a", 2, 1) == ["rhythm", "shortest-interval"]
    assert rules(path, "a", 2, 2) == []
    assert "order" in rules(path, "a", 3, 2)
    assert rules(path, "a", 2, 9) == ["longest-interval"]
    assert rules(path, "a", 4, 2)[0] == "known"
    assert rules(path, "c", 1, 2) == ["known"]
    assert rules(path, "b", 1, 0, 10) == []


def test_a_fraction_given_in_part_is_completed_first_and_without_an_interval(path: Path) -> None:
    with Ledger(path, COURSE) as ledger:
        ledger.begin_session(moment(0), "a test")
        give(ledger, "a", 1, 1, 0, 25_000)
        ledger.end_session()
    assert rules(path, "a", 1, 0, 9.5) == []
    assert rules(path, "a", 1, 1) == []
    assert "order" in rules(path, "a", 2, 2)


def test_an_abandoned_target_gets_nothing_more(path: Path) -> None:
    with Ledger(path, COURSE) as ledger:
        ledger.begin_session(moment(0), "a test")
        ledger.abandon("b", "progression elsewhere")
        with pytest.raises(LedgerError, match="was abandoned"):
            ledger.begin("b", 1, 3, 0)
        ledger.end_session()
    assert rules(path, "b", 1, 2) == ["abandoned"]


def test_only_questions_of_judgement_can_be_overridden(path: Path) -> None:
    with Ledger(path, COURSE) as ledger:
        give_fraction(ledger, "a", 1, 0)
    with LedgerView.read(path) as ledger:
        early = refusals(ledger, COURSE, "a", 2, moment(1))
        assert not_overridden(early, ["rhythm"]) == tuple(r for r in early if r.rule == "shortest-interval")
        assert not_overridden(early, ["rhythm", "shortest-interval"]) == ()
        again = refusals(ledger, COURSE, "a", 1, moment(2))
        left = not_overridden(again, [refusal.rule for refusal in again])
        assert [refusal.rule for refusal in left] == ["once"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, WHOLE), st.integers(0, WHOLE)), max_size=12))
def test_whatever_is_tried_no_meterset_is_delivered_twice(
    tmp_path_factory: pytest.TempPathFactory, stretches: list[tuple[int, int]]
) -> None:
    covered: list[tuple[int, int]] = []
    with Ledger(tmp_path_factory.mktemp("ledger") / "file.sqlite", COURSE) as ledger:
        ledger.begin_session(moment(0), "a test")
        for start, end in stretches:
            end = max(start, end)
            allowed = start < WHOLE and all(start >= kept for _, kept in covered)
            if not allowed:
                with pytest.raises(LedgerError):
                    ledger.begin("a", 1, 1, start)
                continue
            ledger.begin("a", 1, 1, start)
            ledger.end(delivery("a", 1, 1, start, end))
            covered.append((start, end))
        assert [(k.start, k.finish) for k in ledger.deliveries()] == covered
