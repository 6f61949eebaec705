"""People's mistakes do to a session what the scenario reference says."""

from __future__ import annotations

from typing import Any

import pytest

from sim.clinic.imaging import couch_for
from sim.linac.beam_line import mode_code
from sim.scenario.runner import Outcome
from tests.faults.plant_bench import MACHINE, QUALITY, TABLE, exercises, fault
from tests.sim.short_session import arc, run, step

#: Nothing but the preset stops the beam.
CALM = TABLE.without(*(set(TABLE.interlocks) - {"DOSE_PRIMARY_END"}))
MINUTE = 60_000_000


def session(*steps: dict[str, Any], table: Any = CALM) -> Outcome:
    return run([step(**fields) for fields in steps], (arc(),), table=table)


def events(outcome: Outcome, kind: str) -> list[Any]:
    return [event for event in outcome.world.trace.events if event.kind == kind]


def last(outcome: Outcome, signal: str) -> float:
    """What the line of a signal shows when the beam is selected and settled, in its unit."""
    return at(outcome, signal, events(outcome, "beam_start")[0].t_us)


def at(outcome: Outcome, signal: str, t_us: int) -> float:
    """A line that nobody has driven yet shows the safe value."""
    value = outcome.world.trace.channels[signal].at(t_us)
    return float(TABLE.signals[signal].safe if value is None else value)


@pytest.fixture(scope="module")
def undisturbed() -> Outcome:
    return session()


@exercises("shift_not_applied")
def test_a_forgotten_shift_leaves_the_couch_where_the_plan_put_it(undisturbed: Outcome) -> None:
    outcome = session(fault("shift_not_applied", 0))
    assert not events(outcome, "shift")
    assert events(undisturbed, "shift")
    assert outcome.world.linac.couch() == couch_for((100, 200, 300)) != undisturbed.world.linac.couch()
    found = max(abs(mm) for mm in events(outcome, "image")[0].fields["shift_mm"])
    assert last(outcome, "image_shift_residual") == pytest.approx(found)


@exercises("shift_applied_twice")
def test_a_shift_applied_twice_is_twice_the_match() -> None:
    outcome = session(fault("shift_applied_twice", 0))
    found = events(outcome, "image")[0].fields["shift_mm"]
    assert events(outcome, "shift")[0].fields["applied_mm"] == pytest.approx([2 * mm for mm in found])
    assert last(outcome, "image_shift_residual") == pytest.approx(max(abs(mm) for mm in found))


@exercises("stale_image")
def test_with_a_stale_image_none_is_taken(undisturbed: Outcome) -> None:
    outcome = session(fault("stale_image", 0))
    assert (len(events(outcome, "image")), len(events(undisturbed, "image"))) == (0, 1)
    assert last(outcome, "image_age") > 900 > last(undisturbed, "image_age")


@exercises("wrong_identity")
@pytest.mark.parametrize("what", ["patient", "plan", "target", "fraction"])
def test_the_console_confirms_another_identity_until_the_mistake_is_mended(what: str) -> None:
    outcome = session(
        fault("wrong_identity", 0, what=what),
        {"id": "mend", "at": {"event": "beam_start", "delay": "5 s"}, "clear": "wrong_identity"},
    )
    start = events(outcome, "beam_start")[0].t_us
    assert at(outcome, f"{what}_confirmed", start) != at(outcome, f"{what}_selected", start)
    assert at(outcome, f"{what}_confirmed", start + 5_000_000) == at(outcome, f"{what}_selected", start)
    for other in {"patient", "plan", "target", "fraction"} - {what}:
        assert at(outcome, f"{other}_confirmed", start) == at(outcome, f"{other}_selected", start)


@exercises("edit_in_settling")
def test_another_quality_is_selected_first_and_edited_after_a_while() -> None:
    keys = {"energy_mv": 10, "fluence_mode": "flattened", "noticed_after": "4 s"}
    outcome = session(fault("edit_in_settling", 0, **keys))
    selected = events(outcome, "select")[0].t_us
    wrong = MACHINE.beam_quality(10, "flattened")
    assert wrong is not None
    shown = [at(outcome, "mode_selected", selected + t) for t in (1, 3_999_999, 4_000_000)]
    assert shown == [mode_code(wrong), mode_code(wrong), mode_code(QUALITY)]


@exercises("hurry")
def test_in_a_hurry_the_check_comes_before_the_machine_has_settled(undisturbed: Outcome) -> None:
    def settling(outcome: Outcome) -> int:
        return events(outcome, "beam_start")[0].t_us - events(outcome, "select")[0].t_us

    assert settling(session(fault("hurry", 0))) == 0
    assert settling(undisturbed) >= 8_000_000


@exercises("proceed_repeatedly")
def test_proceed_is_pressed_so_often_before_anyone_looks() -> None:
    door = {"id": "door", "at": {"meterset": "40 MU"}, "room": "open_door"}
    outcome = session(fault("proceed_repeatedly", 0, times=3), door, table=TABLE)
    pressed = []
    for event in outcome.world.trace.events:
        if event.kind == "operator" and event.fields["act"].startswith("look into"):
            break
        if event.kind == "command" and event.fields["command"] == "resume":
            pressed.append(event.fields["accepted"])
    assert pressed == [False] * 3


@exercises("override_left")
def test_an_override_given_for_another_plan_is_on_until_it_is_mended() -> None:
    outcome = session(
        fault("override_left", 0),
        {"id": "mend", "at": {"event": "beam_start", "delay": "5 s"}, "clear": "override_left"},
    )
    start = events(outcome, "beam_start")[0].t_us
    assert at(outcome, "image_age_override", start) == 1
    assert at(outcome, "override_plan", start) != at(outcome, "plan_selected", start)
    assert at(outcome, "image_age_override", start + 5_000_000) == 0


@exercises("output_check_skipped")
def test_a_skipped_output_check_says_nothing(undisturbed: Outcome) -> None:
    def checks(outcome: Outcome) -> int:
        return sum("output check" in e.fields["act"] for e in events(outcome, "operator"))

    outcome = session(fault("output_check_skipped", 0))
    assert (checks(outcome), checks(undisturbed)) == (0, 1)
    safe = TABLE.signals["daily_output"].safe
    assert last(outcome, "daily_output") == safe != last(undisturbed, "daily_output")


@pytest.mark.parametrize(
    "kind", ["shift_not_applied", "shift_applied_twice", "stale_image", "hurry", "output_check_skipped"]
)
def test_a_mistake_that_is_over_in_time_changes_nothing(kind: str, undisturbed: Outcome) -> None:
    def without_the_mistake(outcome: Outcome) -> list[Any]:
        return [e for e in outcome.world.trace.events if e.kind not in ("step", "fault")]

    outcome = session(fault(kind, 0, 1_000))
    assert without_the_mistake(outcome) == without_the_mistake(undisturbed)
