"""Who may clear what, and what a restart of the controller keeps.

Every tick of these examples is also compared between ``run`` and ``scan``.
"""

from __future__ import annotations

import pytest

from firmware_model.contract import ResetCause
from firmware_model.states import Command, State

from .treatment_machine import TreatmentMachine, reference_table

TABLE = reference_table(9)


@pytest.fixture
def beam() -> TreatmentMachine:
    """A machine whose beam has been on for 100 scans."""
    machine = TreatmentMachine(TABLE).reach(State.irradiation)
    machine.run(100)
    return machine


def opened_and_closed(machine: TreatmentMachine) -> TreatmentMachine:
    """The same machine after the door was opened in mid-beam and closed again."""
    machine.set(door_contact_a=0, door_contact_b=0)
    machine.run(5)
    machine.heal("door_contact_a", "door_contact_b")
    machine.run(5)
    return machine


# ---- latches --------------------------------------------------------------------------------------


def test_an_operator_latch_is_reset_at_the_console(beam: TreatmentMachine) -> None:
    beam.set(clearance=10)
    beam.run(10)
    assert beam.latched == {"CLEARANCE"}
    beam.heal("clearance")
    beam.run(1)
    assert not beam.order(Command.reset_local).reply.accepted
    assert beam.order(Command.reset_operator).reply.accepted
    assert not beam.latched


def test_a_physics_latch_is_reset_by_physics_only(beam: TreatmentMachine) -> None:
    beam.set(mode_sensed=5)
    beam.run(1)
    assert beam.latched == {"MODE_MISMATCH"}
    beam.heal("mode_sensed")
    for command in (Command.reset_local, Command.reset_operator):
        assert not beam.order(command).reply.accepted
        assert beam.refused_by == "MODE_MISMATCH"
    assert beam.order(Command.reset_physics).reply.accepted
    assert not beam.latched


def test_a_local_latch_is_reset_at_the_place_and_then_at_the_console(beam: TreatmentMachine) -> None:
    opened_and_closed(beam)
    assert beam.latched == {"DOOR_OPEN"}
    assert beam.names(beam.outputs.local_reset_due) == {"DOOR_OPEN"}
    assert not beam.order(Command.reset_operator).reply.accepted
    assert not beam.order(Command.reset_physics).reply.accepted
    assert beam.order(Command.reset_local).reply.accepted
    assert beam.latched == {"DOOR_OPEN"}
    assert not beam.outputs.local_reset_due
    assert beam.order(Command.reset_operator).reply.accepted
    assert not beam.latched
    assert beam.order(Command.resume).reply.accepted


def test_a_door_opened_again_after_the_local_reset_needs_another_one(beam: TreatmentMachine) -> None:
    opened_and_closed(beam).order(Command.reset_local)
    opened_and_closed(beam)
    assert not beam.order(Command.reset_operator).reply.accepted
    assert beam.order(Command.reset_local).reply.accepted
    assert beam.order(Command.reset_operator).reply.accepted


def test_a_door_opened_again_where_it_latches_nothing_still_needs_another_local_reset() -> None:
    machine = TreatmentMachine(TABLE).reach(State.preparatory)
    machine.order(Command.begin_check)
    machine.run(30)
    opened_and_closed(machine)
    assert machine.state is State.preparatory
    assert machine.latched == {"DOOR_OPEN"}
    machine.order(Command.reset_local)
    opened_and_closed(machine)
    assert not machine.order(Command.reset_operator).reply.accepted


@pytest.mark.parametrize(
    ("signal", "bad", "name", "state"),
    [
        ("clearance", 10, "CLEARANCE", State.interrupted),
        ("door_contact_a", 0, "DOOR_OPEN", State.interrupted),
        ("touch_guard", 0, "COLLISION", State.terminated),
        ("emergency_loop", 0, "EMERGENCY_STOP", State.emergency),
    ],
)
def test_no_reset_is_accepted_while_the_cause_persists(
    beam: TreatmentMachine, signal: str, bad: float, name: str, state: State
) -> None:
    beam.set(**{signal: bad})
    beam.run(20)
    assert beam.state is state
    for command in (Command.reset_local, Command.reset_operator, Command.reset_physics):
        assert not beam.order(command).reply.accepted
        assert beam.refused_by == name
    assert beam.latched == {name}


def test_a_trip_that_ends_the_states_its_row_acts_in_can_be_reset_but_starts_no_check(
    beam: TreatmentMachine,
) -> None:
    beam.set(mode_sensed=5)
    beam.run(1)
    assert beam.order(Command.reset_physics).reply.accepted  # the row is not judged in terminated
    assert beam.order(Command.acknowledge).reply.accepted
    beam.run(1)
    assert not beam.order(Command.begin_check).reply.accepted
    assert beam.refused_by == "MODE_MISMATCH"


def test_a_cause_that_is_back_but_not_yet_debounced_refuses_the_reset(beam: TreatmentMachine) -> None:
    beam.set(clearance=10)
    beam.run(10)
    beam.heal("clearance")
    beam.run(1)
    beam.set(clearance=10)
    beam.run(2)
    assert beam.tripped == set()
    assert not beam.order(Command.reset_operator).reply.accepted
    assert beam.latched == {"CLEARANCE"}


def test_setting_up_a_patient_latches_nothing() -> None:
    machine = TreatmentMachine(TABLE).reach(State.preparatory)
    opened_and_closed(machine)
    machine.set(clearance=1, mode_sensed=0)
    machine.run(20)
    assert machine.tripped == {"CLEARANCE", "MODE_MISMATCH"}
    assert not machine.order(Command.begin_check).reply.accepted
    assert not machine.latched
    machine.heal()
    machine.run(1)
    assert machine.order(Command.begin_check).reply.accepted


def test_no_check_begins_with_anything_latched() -> None:
    machine = TreatmentMachine(TABLE).reach(State.preparatory)
    machine.order(Command.begin_check)
    machine.run(30)
    opened_and_closed(machine)
    assert not machine.order(Command.begin_check).reply.accepted
    assert machine.refused_by == "DOOR_OPEN"


def test_dose_without_a_permit_is_an_emergency_that_physics_resets() -> None:
    machine = TreatmentMachine(TABLE).reach(State.preparatory)
    machine.run(60)
    machine.provoke("DOSE_WITHOUT_PERMIT")
    machine.run(300)
    assert machine.state is State.emergency
    assert machine.first_up == "DOSE_WITHOUT_PERMIT"
    machine.heal()
    assert not machine.order(Command.restart).reply.accepted
    assert machine.order(Command.reset_physics).reply.accepted
    assert machine.order(Command.restart).reply.accepted


# ---- the timer ---------------------------------------------------------------------------------------


def beam_time(machine: TreatmentMachine, scans: int = 1000) -> int:
    """Scans with a permit, of the next ones or until the beam is terminated."""
    permitted = 0
    for _ in range(scans):
        permitted += machine.run(1).permit
        if machine.state is State.terminated:
            break
    return permitted


def test_the_timer_ends_the_beam_after_the_set_time() -> None:
    machine = TreatmentMachine(TABLE, time_set=140).reach(State.irradiation)
    assert beam_time(machine) == 140
    assert machine.first_up == "TIMER"


def test_the_timer_counts_no_holds_and_no_interruptions() -> None:
    machine = TreatmentMachine(TABLE, time_set=140).reach(State.irradiation)
    permitted = beam_time(machine, 40)
    machine.set(sequence_hold=1)
    assert beam_time(machine, 500) == 0
    machine.heal("sequence_hold")
    permitted += beam_time(machine, 30)
    machine.order(Command.interrupt)
    assert beam_time(machine, 500) == 0
    assert machine.order(Command.resume).reply.accepted
    machine.order(Command.beam_on)
    permitted += beam_time(machine)
    assert machine.first_up == "TIMER"
    assert permitted == 140 - 2  # the scan of a stop counts, the hold and the interruption do not


def test_the_timer_starts_at_zero_with_a_new_selection() -> None:
    machine = TreatmentMachine(TABLE, time_set=140).reach(State.irradiation)
    machine.run(100)
    machine.order(Command.terminate)
    machine.reach(State.irradiation)
    assert beam_time(machine) == 140


# ---- restarts of the controller ------------------------------------------------------------------------


@pytest.mark.parametrize("cause", ResetCause)
def test_a_restart_keeps_latches_first_cause_and_meterset(beam: TreatmentMachine, cause: ResetCause) -> None:
    opened_and_closed(beam)
    before = beam.pair.fast.retained
    assert before.meterset > 900
    outputs = beam.reset(cause)
    assert outputs.state is State.off
    assert not outputs.permit
    after = beam.pair.fast.retained
    assert after == before._replace(boot_count=before.boot_count + 1, reset_cause=cause)
    assert beam.latched == {"DOOR_OPEN"}
    assert beam.first_up == "DOOR_OPEN"


@pytest.mark.parametrize("state", [State.ready, State.irradiation, State.hold, State.interrupted])
def test_a_restart_with_a_beam_selected_comes_up_terminated(state: State) -> None:
    machine = TreatmentMachine(TABLE)
    if state is State.hold:
        machine.set(sequence_hold=1)
    if state is State.interrupted:
        machine.reach(State.ready).order(Command.interrupt)
    assert machine.reach(state).state is state
    machine.reset(ResetCause.watchdog)
    machine.order(Command.power_on)
    machine.run(20)
    assert machine.state is State.terminated
    assert machine.latched == {"RESET_IN_BEAM"}
    assert not machine.order(Command.acknowledge).reply.accepted
    assert machine.order(Command.reset_operator).reply.accepted
    assert machine.order(Command.acknowledge).reply.accepted


@pytest.mark.parametrize("state", [State.standby, State.preparatory, State.check, State.terminated])
def test_a_restart_without_a_beam_comes_up_in_stand_by(state: State) -> None:
    machine = TreatmentMachine(TABLE)
    if state is State.terminated:
        machine.reach(State.ready).order(Command.terminate)
    elif state is State.check:
        machine.reach(State.preparatory).order(Command.begin_check)
    assert machine.reach(state).state is state
    machine.reset(ResetCause.power)
    machine.order(Command.power_on)
    machine.run(20)
    assert machine.state is State.standby
    assert not machine.latched


@pytest.mark.parametrize(
    "command", [Command.reset_local, Command.reset_operator, Command.reset_physics, Command.acknowledge]
)
@pytest.mark.parametrize("while_off", [True, False])
def test_nothing_that_is_ordered_during_the_self_test_hides_that_a_beam_was_cut(
    beam: TreatmentMachine, command: Command, while_off: bool
) -> None:
    beam.reset(ResetCause.watchdog)
    beam.order(Command.power_on)
    beam.run(3)
    beam.order(command)
    if while_off:
        beam.reset(ResetCause.power)
        beam.order(command)
        beam.order(Command.power_on)
    beam.run(20)
    assert beam.state is State.terminated
    assert beam.latched == {"RESET_IN_BEAM"}


def test_an_emergency_during_the_self_test_does_not_hide_that_a_beam_was_cut(beam: TreatmentMachine) -> None:
    beam.reset(ResetCause.watchdog)
    beam.order(Command.power_on)
    beam.set(emergency_loop=0)
    beam.run(2)
    assert beam.state is State.emergency
    beam.heal("emergency_loop")
    beam.run(1)
    for command in (Command.reset_local, Command.reset_operator, Command.restart):
        assert beam.order(command).reply.accepted
    beam.run(20)
    assert beam.state is State.terminated
    assert beam.latched == {"RESET_IN_BEAM"}
