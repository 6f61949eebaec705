"""May this fraction of this target be delivered now? What speaks against it, from the ledger.

Some refusals can be set aside by somebody who answers for it, and the ledger keeps who said what;
the others cannot: they are no question of judgement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sim.ledger.view import LedgerView
from sim.plan.course import Course
from sim.plan.schedule_rules import check
from sim.plan.visits import Visit

#: Refusals that a person may override with a reason. All are questions of time or of dose.
OVERRIDABLE = ("shortest-interval", "rhythm", "longest-interval", "overall-time", "cross-dose")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason against a delivery. ``rule`` is a rule of the schedule, or one of this module:
    ``unsettled``, ``abandoned``, ``cross-dose``."""

    rule: str
    message: str

    @property
    def overridable(self) -> bool:
        """Whether a person may set it aside."""
        return self.rule in OVERRIDABLE


def refusals(
    ledger: LedgerView, course: Course, target: str, fraction: int, at: datetime
) -> tuple[Refusal, ...]:
    """Everything against giving this fraction at this local time; empty: it may begin.

    The dose that other targets give is judged apart, as it needs a dose model.
    """
    found = [
        Refusal(
            "unsettled",
            f"nobody wrote how delivery {kept.number} ended (beam {kept.beam} of {kept.target}, fraction "
            f"{kept.fraction}, at least {kept.reached / 1000:.3f} MU); settle it first",
        )
        for kept in ledger.unfinished()
    ]
    abandoned = ledger.abandoned()
    if target in abandoned:
        found.append(Refusal("abandoned", f"{target} was abandoned: {abandoned[target]}"))
    found += _rules(course, ledger.visits(), Visit(target, fraction, at))
    return tuple(found)


def not_overridden(found: Iterable[Refusal], overridden: Iterable[str]) -> tuple[Refusal, ...]:
    """What is left of the refusals when these rules are overridden."""
    allowed = set(overridden)
    return tuple(refusal for refusal in found if not (refusal.overridable and refusal.rule in allowed))


def _rules(course: Course, given: tuple[Visit, ...], wanted: Visit) -> list[Refusal]:
    """Rules of the schedule that would be broken by this visit and are not broken already."""
    before = set(check(course, given))
    return [
        Refusal(violation.rule, violation.message)
        for violation in check(course, (*given, wanted))
        if violation not in before
    ]
