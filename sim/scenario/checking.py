"""Steps and expectations against the table and the plan they speak of, with errors at file:line:column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from firmware_model.diagnostics import did_you_mean
from firmware_model.strict_yaml import Document
from firmware_model.table import Table
from sim.faults.signals import SignalSwapped
from sim.plan.course import Course
from sim.scenario.schema import Expectation, Step

Place = tuple[str | int, ...]  # keys and indices from the root of the document


def check_steps(
    document: Document[Any], place: Place, steps: Sequence[Step], table: Table, course: Course
) -> None:
    """The steps written at ``place`` name only what there is. Raises DocumentError."""
    ids = [step.id for step in steps]
    for index, step in enumerate(steps):
        at = (*place, index)
        if step.id in ids[:index]:
            raise document.error((*at, "id"), f"step {step.id!r} is defined twice")
        for field, name in ((("at", "after"), step.at.after), (("clear",), step.clear)):
            if name is not None and (name not in ids or name == step.id):
                raise document.error((*at, *field), f"no other step {name!r}", did_you_mean(name, ids))
        if step.clear is not None and steps[ids.index(step.clear)].fault is None:
            raise document.error((*at, "clear"), f"step {step.clear!r} is not a fault")
        if step.at.target is not None and step.at.target not in [t.id for t in course.targets]:
            raise document.error(
                (*at, "at", "target"),
                f"the plan has no target {step.at.target!r}",
                did_you_mean(step.at.target, [t.id for t in course.targets]),
            )
        signal = getattr(step.fault, "signal", None)
        for field_name in ("signal", "other"):
            name = getattr(step.fault, field_name, None)
            if name is not None and name not in table.signals:
                raise document.error(
                    (*at, "fault", field_name),
                    f"no signal {name!r} in table {table.name!r}",
                    did_you_mean(name, table.signals),
                )
        if isinstance(step.fault, SignalSwapped):
            _check_swap(document, (*at, "fault", "other"), table, step.fault)
        for field_name in ("value", "by"):
            value = getattr(step.fault, field_name, None)
            if signal is not None and value is not None:
                try:
                    table.counts(signal, value)
                except ValueError as problem:
                    raise document.error((*at, "fault", field_name), str(problem)) from None
    _check_no_circle(document, place, steps)


def _check_swap(document: Document[Any], place: Place, table: Table, fault: SignalSwapped) -> None:
    a, b = table.signals[fault.signal], table.signals[fault.other]
    if fault.signal == fault.other:
        raise document.error(place, f"{fault.other!r} cannot be swapped with itself")
    if (a.kind, a.unit, a.lsb) != (b.kind, b.unit, b.lsb):
        raise document.error(
            place,
            f"{fault.other} and {fault.signal} differ in kind, unit or lsb and cannot be swapped",
        )


def _check_no_circle(document: Document[Any], place: Place, steps: Sequence[Step]) -> None:
    """A chain of 'after' must start at something that happens by itself."""
    follows = {step.id: step.at.after for step in steps}
    for index, step in enumerate(steps):
        seen = {step.id}
        name = step.at.after
        while name is not None:
            if name in seen:
                raise document.error((*place, index, "at", "after"), f"step {step.id!r} waits for itself")
            seen.add(name)
            name = follows[name]


def check_expectations(
    document: Document[Any],
    place: Place,
    expectations: Sequence[Expectation],
    steps: Sequence[Step],
    table: Table,
    course: Course,
) -> None:
    """The expectations written at ``place`` name only what there is. Raises DocumentError."""
    ids = [step.id for step in steps]
    targets = [target.id for target in course.targets]
    for index, expectation in enumerate(expectations):
        at = (*place, index)
        if expectation.after is not None and expectation.after not in ids:
            raise document.error(
                (*at, "after"), f"no step {expectation.after!r}", did_you_mean(expectation.after, ids)
            )
        for field in ("first_up", "trips", "never_trips", "by", "latched"):
            name = getattr(expectation, field)
            if name is not None and name not in table.interlocks:
                raise document.error(
                    (*at, field),
                    f"no interlock {name!r} in table {table.name!r}",
                    did_you_mean(name, table.interlocks),
                )
        if expectation.delivered is not None and expectation.delivered not in targets:
            raise document.error(
                (*at, "delivered"),
                f"the plan has no target {expectation.delivered!r}",
                did_you_mean(expectation.delivered, targets),
            )
        places = [*targets, *(organ.id for organ in course.organs)]
        if expectation.dose is not None and expectation.dose not in places:
            raise document.error(
                (*at, "dose"),
                f"the plan has no target or organ {expectation.dose!r}",
                did_you_mean(expectation.dose, places),
            )
