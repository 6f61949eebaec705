"""Measuring what a course file expects of the whole course."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sim.course.loading import LoadedCourse
from sim.course.schema import CourseExpectation
from sim.ledger.view import LedgerView

if TYPE_CHECKING:
    from sim.course.run import GivenSession

Sessions = list["GivenSession"]


def judge(
    loaded: LoadedCourse, ledger: LedgerView, sessions: Sessions, dose: dict[str, Any]
) -> list[dict[str, Any]]:
    """The entries of course.json: text, status, what was measured and the limit."""
    return [
        _short(expectation, dose) if expectation.short is not None else _judge(expectation, ledger, sessions)
        for expectation in loaded.scenario.expect
    ]


def _short(e: CourseExpectation, dose: dict[str, Any]) -> dict[str, Any]:
    """Dose that will be missing at the end of the course, at a target's centre or an organ point."""
    above, below = e.short_above or 0.0, e.short_below
    text = f"{e.short} is short by more than {above:g} Gy"
    text += f" and less than {below:g} Gy" if below is not None else ""
    short = next((point["short_gy"] for point in dose.get("points", ()) if point["of"] == e.short), None)
    passed = short is not None and short > above and (below is None or short < below)
    return {
        "text": text,
        "status": "pass" if passed else "not_evaluated" if short is None else "fail",
        "measured": short,
        "limit": above if below is None else [above, below],
    }


def _judge(expectation: CourseExpectation, ledger: LedgerView, sessions: Sessions) -> dict[str, Any]:
    kind = next(name for name in _JUDGES if getattr(expectation, name) is not None)
    text, passed, measured, limit = _JUDGES[kind](expectation, ledger, sessions)
    return {
        "text": text,
        "status": "pass" if passed else "fail",
        "measured": measured,
        "limit": limit,
    }


Judged = tuple[str, bool, Any, Any]


def _completed(e: CourseExpectation, ledger: LedgerView, sessions: Sessions) -> Judged:
    done, planned = _fractions(ledger, str(e.completed))
    return f"{e.completed} receives all its fractions", done == planned, done, planned


def _incomplete(e: CourseExpectation, ledger: LedgerView, sessions: Sessions) -> Judged:
    done, planned = _fractions(ledger, str(e.incomplete))
    return f"{e.incomplete} does not receive all its fractions", done < planned, done, planned


def _fractions(ledger: LedgerView, target: str) -> tuple[int, int]:
    complete = {visit.fraction for visit in ledger.visits() if visit.target == target and visit.complete}
    return len(complete), ledger.planned()[target][0]


def _refused(e: CourseExpectation, ledger: LedgerView, sessions: Sessions) -> Judged:
    assert e.refused is not None
    wanted = e.refused
    rules = [
        refusal.rule
        for session in sessions
        for visit in session.visits
        if (visit.target, visit.fraction) == (wanted.target, wanted.fraction)
        for refusal in session.refused.get(visit.target, ())
    ]
    text = f"fraction {wanted.fraction} of {wanted.target} is refused: {wanted.rule}"
    return text, wanted.rule in rules, ", ".join(rules) or "not refused", wanted.rule


def _sessions(e: CourseExpectation, ledger: LedgerView, sessions: Sessions) -> Judged:
    return f"{e.sessions} sessions", len(sessions) == e.sessions, len(sessions), e.sessions


def _last_day(e: CourseExpectation, ledger: LedgerView, sessions: Sessions) -> Judged:
    last = sessions[-1].at.date() if sessions else None
    return f"the last session is on {e.last_day}", last == e.last_day, str(last), str(e.last_day)


_JUDGES: dict[str, Callable[[CourseExpectation, LedgerView, Sessions], Judged]] = {
    "completed": _completed,
    "incomplete": _incomplete,
    "refused": _refused,
    "sessions": _sessions,
    "last_day": _last_day,
}
