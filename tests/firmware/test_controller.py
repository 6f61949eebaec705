"""What the controller does, state by state, as an operator and a physicist would tell it.

Every tick of these examples is also compared between ``run`` and ``scan``.
"""

from __future__ import annotations

import pytest

from firmware_model.contract import Inputs, ResetCause
from firmware_model.controller import ModelController
from firmware_model.states import Command, State

from .treatment_machine import TreatmentMachine, reference_table

FULL_TABLE = reference_table()


@pytest.fixture
def machine() -> TreatmentMachine:
    return TreatmentMachine(reference_table(9))


@pytest.fixture
def beam(machine: TreatmentMachine) -> TreatmentMachine:
    """A machine whose beam has been on for 100 scans."""
    machine.reach(State.irradiation).run(100)
    assert machine.outputs.permit
    return machine


# ---- the way to a beam and its normal end ---------------------------------------------------------


def test_a_treatment_goes_from_power_on_to_the_preset_and_back_to_preparatory() -> None:
    machine = TreatmentMachine(FULL_TABLE, preset_meterset=3)
    seen = [machine.state]
    for command in (Command.power_on, Command.prepare, Command.begin_check, Command.beam_on):
        assert machine.order(command).reply.accepted
        seen.append(machine.state)
        for _ in range(600):
            if machine.state is not seen[-1]:
                seen.append(machine.state)
            if machine.state not in (State.self_test, State.check, State.irradiation):
                break
            machine.run(1)
    assert [state.name for state in seen] == [
        *("off", "self_test", "standby", "preparatory", "check", "ready", "irradiation", "preparatory")
    ]
    assert not machine.latched
    assert machine.first_up is None
    assert machine.pair.fast.retained.meterset == 3000


def test_the_self_test_lasts_as_many_scans_as_the_table_says() -> None:
    machine = TreatmentMachine(FULL_TABLE)
    machine.order(Command.power_on)
    machine.run(499)
    assert machine.state is State.self_test
    machine.run(1)
    assert machine.state is State.standby


def test_the_scan_that_ends_a_beam_counts_for_the_retained_meterset() -> None:
    machine = TreatmentMachine(reference_table(9), preset_meterset=1).reach(State.ready)
    machine.order(Command.beam_on)
    machine.run(500)
    assert machine.state is State.preparatory
    assert machine.pair.fast.retained.meterset == 1000


def test_the_permit_comes_one_scan_after_irradiation_when_its_own_rows_have_been_judged(
    machine: TreatmentMachine,
) -> None:
    machine.reach(State.ready)
    assert not machine.order(Command.beam_on).permit
    assert machine.state is State.irradiation
    assert machine.run(1).permit


@pytest.mark.parametrize(
    ("signals", "then"),
    [({"dose_primary": 900}, State.preparatory), ({"sequence_hold": 1}, State.hold)],
)
def test_a_beam_that_has_to_end_or_pause_at_once_gets_no_permit_for_a_single_scan(
    machine: TreatmentMachine, signals: dict[str, float], then: State
) -> None:
    machine.reach(State.ready).set(**signals, dose_secondary=signals.get("dose_primary", 0))
    assert not machine.order(Command.beam_on).permit
    assert not machine.run(1).permit
    assert machine.state is then


def test_commands_of_other_states_are_refused_and_change_nothing(machine: TreatmentMachine) -> None:
    outputs = machine.order(Command.beam_on)
    assert outputs.reply == (Command.beam_on, False, -1)
    assert machine.state is State.off
    machine.reach(State.standby)
    assert not machine.order(Command.resume).reply.accepted
    assert machine.state is State.standby


def test_the_operator_may_stand_down_and_stand_by(machine: TreatmentMachine) -> None:
    machine.reach(State.ready).order(Command.stand_down)
    assert machine.state is State.preparatory
    machine.order(Command.stand_by)
    assert machine.state is State.standby


# ---- stop classes ---------------------------------------------------------------------------------


def test_a_hold_withdraws_the_permit_and_resumes_by_itself(beam: TreatmentMachine) -> None:
    beam.set(sequence_hold=1)
    assert not beam.run(1).permit
    assert beam.state is State.hold
    beam.run(500)
    assert beam.state is State.hold
    beam.heal("sequence_hold")
    beam.run(2)
    assert beam.state is State.irradiation
    assert beam.outputs.permit
    assert beam.first_up is None


@pytest.mark.parametrize(
    ("command", "state"), [(Command.interrupt, State.interrupted), (Command.terminate, State.terminated)]
)
def test_an_ordered_stop_is_obeyed_in_the_very_scan_in_which_a_hold_begins(
    beam: TreatmentMachine, command: Command, state: State
) -> None:
    beam.set(sequence_hold=1)
    outputs = beam.order(command)
    assert outputs.reply.accepted
    assert (outputs.state, outputs.permit) == (state, False)


def test_a_beam_started_with_a_closed_gate_waits_in_hold() -> None:
    machine = TreatmentMachine(reference_table(9), gating_enabled=1).reach(State.ready)
    machine.set(gate_open=0)
    machine.run(5)
    machine.order(Command.beam_on)
    assert machine.state is State.hold
    machine.heal("gate_open")
    machine.run(2)
    assert machine.outputs.permit


def test_an_interrupt_waits_for_the_operator_to_resume(beam: TreatmentMachine) -> None:
    beam.set(water_flow=0)
    beam.run(100)
    assert beam.state is State.interrupted
    assert beam.first_up == "WATER_FLOW"
    beam.heal("water_flow")
    beam.run(1000)
    assert beam.state is State.interrupted
    assert beam.order(Command.resume).reply.accepted
    assert beam.state is State.ready
    assert beam.first_up is None
    beam.order(Command.beam_on)
    assert beam.run(1).permit


def test_resume_is_refused_while_the_cause_lasts(beam: TreatmentMachine) -> None:
    beam.set(key_switch=0)
    beam.run(3)
    assert not beam.order(Command.resume).reply.accepted
    assert beam.refused_by == "KEY_SWITCH"


def test_a_terminated_beam_needs_a_reset_and_an_acknowledgement(beam: TreatmentMachine) -> None:
    beam.set(touch_guard=0)
    beam.run(1)
    assert beam.state is State.terminated
    assert beam.first_up == "COLLISION"
    assert not beam.outputs.motion
    assert not beam.order(Command.resume).reply.accepted
    beam.heal("touch_guard")
    assert not beam.order(Command.acknowledge).reply.accepted
    assert beam.refused_by == "COLLISION"
    assert beam.order(Command.reset_operator).reply.accepted
    assert beam.order(Command.acknowledge).reply.accepted
    assert beam.state is State.preparatory


def test_an_emergency_removes_power_until_it_was_reset_at_its_place_at_the_console_and_restarted(
    beam: TreatmentMachine,
) -> None:
    beam.set(emergency_loop=0)
    outputs = beam.run(1)
    assert beam.state is State.emergency
    assert (outputs.permit, outputs.power, outputs.motion) == (False, False, False)
    beam.heal("emergency_loop")
    beam.run(1)
    assert not beam.order(Command.restart).reply.accepted
    assert not beam.order(Command.reset_operator).reply.accepted
    assert beam.order(Command.reset_local).reply.accepted
    assert not beam.order(Command.restart).reply.accepted
    assert beam.order(Command.reset_operator).reply.accepted
    assert beam.order(Command.restart).reply.accepted
    assert beam.state is State.self_test
    assert beam.outputs.power


@pytest.mark.parametrize("command", [Command.interrupt, Command.terminate])
@pytest.mark.parametrize("state", [State.ready, State.irradiation, State.hold])
def test_the_operator_stops_a_beam_wherever_it_is(
    machine: TreatmentMachine, state: State, command: Command
) -> None:
    if state is State.hold:
        machine.set(sequence_hold=1)
    machine.reach(state).order(command)
    assert machine.state is {"interrupt": State.interrupted, "terminate": State.terminated}[command.name]
    assert machine.first_up is None


def test_a_parameter_changed_while_interrupted_terminates_the_beam(beam: TreatmentMachine) -> None:
    beam.order(Command.interrupt)
    beam.run(50)
    beam.set(parameters_token=778)
    beam.run(1)
    assert beam.state is State.terminated
    assert beam.first_up == "PARAMETERS_CHANGED"


# ---- simultaneous trips and commands ----------------------------------------------------------------


def test_of_simultaneous_trips_the_most_severe_is_the_first_cause(beam: TreatmentMachine) -> None:
    beam.set(key_switch=0, dose_supply=0, sequence_hold=1)
    beam.run(1)
    assert beam.state is State.terminated
    assert beam.first_up == "DOSE_SUPPLY"


def test_of_equally_severe_trips_the_first_in_the_table_is_the_first_cause(beam: TreatmentMachine) -> None:
    beam.set(fraction_confirmed=0, mode_sensed=0, patient_confirmed=0)
    beam.run(1)
    assert beam.first_up == "MODE_MISMATCH"


def test_the_first_cause_is_kept_when_more_follows(beam: TreatmentMachine) -> None:
    beam.set(key_switch=0)
    beam.run(5)
    beam.set(dose_supply=0)
    beam.run(5)
    assert beam.state is State.terminated
    assert beam.first_up == "KEY_SWITCH"
    assert "DOSE_SUPPLY" in beam.latched


def test_a_trip_beats_a_command_of_the_same_scan(machine: TreatmentMachine) -> None:
    machine.reach(State.ready).set(key_switch=0)
    outputs = machine.order(Command.beam_on)
    assert machine.state is State.interrupted
    assert not outputs.reply.accepted
    assert machine.refused_by == "KEY_SWITCH"


def test_a_command_that_loses_is_told_what_stops_it_and_not_what_merely_holds() -> None:
    machine = TreatmentMachine(reference_table(9), gating_enabled=1).reach(State.ready)
    machine.set(gate_open=0, heartbeat_console=0, plan_confirmed=0)
    machine.order(Command.beam_on)
    assert machine.refused_by == "PLAN_IDENTITY"


@pytest.mark.parametrize("door_opens", [False, True])
def test_a_trip_beats_the_normal_end_of_the_same_scan(door_opens: bool) -> None:
    machine = TreatmentMachine(reference_table(9), preset_meterset=1).reach(State.irradiation)
    machine.run(101)
    assert machine.pair.ramps.values()[machine.signal("dose_primary")] == 1000  # in the coming scan
    assert machine.outputs.permit
    if door_opens:
        machine.set(door_contact_a=0)
    machine.run(1)
    assert machine.state is (State.interrupted if door_opens else State.preparatory)


# ---- the proof test -----------------------------------------------------------------------------------


def test_the_check_forces_every_provable_line_in_table_order(machine: TreatmentMachine) -> None:
    machine.reach(State.preparatory).order(Command.begin_check)
    lines = [machine.outputs.test_line]
    while machine.state is State.check:
        machine.run(1)
        lines.append(machine.outputs.test_line)
    assert machine.state is State.ready
    provable = [i + 1 for i, row in enumerate(machine.table.interlocks.values()) if row.proof is not None]
    assert [line for line in dict.fromkeys(lines) if line] == provable
    assert not machine.latched


def test_a_line_that_does_not_respond_fails_the_check_and_latches_at_physics_level(
    machine: TreatmentMachine,
) -> None:
    machine.answers = False
    machine.reach(State.preparatory).order(Command.begin_check)
    machine.run(19)
    assert machine.state is State.check
    machine.run(1)
    assert machine.state is State.preparatory
    machine.run(1)
    assert machine.latched == {"SELF_TEST"}
    assert not machine.order(Command.begin_check).reply.accepted
    assert not machine.order(Command.reset_operator).reply.accepted
    assert machine.refused_by == "SELF_TEST"
    assert machine.order(Command.reset_physics).reply.accepted
    machine.answers = True
    assert machine.reach(State.ready).state is State.ready


def test_a_line_that_does_not_clear_fails_the_check(machine: TreatmentMachine) -> None:
    machine.reach(State.preparatory).order(Command.begin_check)
    machine.run(1)
    assert machine.outputs.test_line == 0  # the first line has tripped and must clear now
    machine.clears = False
    machine.run(19)
    assert machine.state is State.check
    machine.run(1)
    assert machine.state is State.preparatory
    machine.run(1)
    assert "SELF_TEST" in machine.latched


def test_a_failed_check_is_remembered_through_a_loss_of_power(machine: TreatmentMachine) -> None:
    machine.answers = False
    machine.reach(State.preparatory).order(Command.begin_check)
    machine.run(30)
    machine.reset(ResetCause.power)
    assert machine.latched == {"SELF_TEST"}
    machine.order(Command.power_on)
    machine.run(500)
    assert machine.state is State.self_test
    assert machine.order(Command.reset_physics).reply.accepted
    machine.run(20)
    assert machine.state is State.standby


def test_a_trip_during_the_check_ends_it(machine: TreatmentMachine) -> None:
    machine.reach(State.preparatory).order(Command.begin_check)
    machine.run(30)
    machine.set(key_switch=0)
    machine.run(1)
    assert machine.state is State.preparatory
    assert machine.first_up == "KEY_SWITCH"
    machine.reach(State.preparatory).heal("key_switch")
    machine.order(Command.begin_check)
    machine.run(30)
    machine.set(plan_confirmed=0)
    machine.run(1)
    assert machine.state is State.terminated


# ---- safe values ------------------------------------------------------------------------------------------


def test_inputs_that_nobody_ever_set_permit_nothing_whatever_is_ordered() -> None:
    controller = ModelController(FULL_TABLE)
    safe = tuple(signal.counts(signal.safe) for signal in FULL_TABLE.signals.values())
    for _ in range(60):
        for command in Command:
            outputs = controller.scan(Inputs(safe, command))
            assert not outputs.permit
            assert outputs.state not in (State.check, State.ready, State.irradiation, State.hold)


def test_a_scan_with_the_wrong_number_of_values_is_refused() -> None:
    with pytest.raises(ValueError, match=f"1 input values, the table has {len(FULL_TABLE.signals)} signals"):
        ModelController(FULL_TABLE).scan(Inputs((0,)))


def test_a_beam_goes_on_only_without_signals_that_nothing_needs_during_it() -> None:
    """Which signals may fall back to their safe values, one at a time, with the beam staying on."""
    unwatched = set()
    for name, signal in FULL_TABLE.signals.items():
        machine = TreatmentMachine(reference_table(9)).reach(State.irradiation)
        machine.run(100)
        machine.set(**{name: float(signal.safe)})
        machine.run(1050)
        if machine.state is State.irradiation:
            unwatched.add(name)
    assert unwatched == {
        "last_person_out",  # asked for before the beam; the door itself is watched
        "pulse_dose",  # no dose is no overdose; the rate is watched
        "dose_planned_at_gantry",  # read by arcs only
        "gate_open",  # read by gated beams only
        "gate_heartbeat",
        "surrogate_in_range",
        "image_shift_residual",  # asked for before the beam
        "image_age",
        "image_age_override",  # without it nothing is overridden
        "override_plan",  # read under an override only
        "daily_output",  # asked for before the beam
        "cross_dose_change",  # asked for before the beam
        "cross_dose_accepted",
        "dose_rate_set",  # lowers the limit of a rate that is too low
        "static_beam",
        "arc_beam",
        "gating_enabled",
        "free_breathing",
    }
