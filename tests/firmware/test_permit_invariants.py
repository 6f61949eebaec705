"""What holds in every state, whatever is ordered and whatever fails."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from transitions import MachineError

from firmware_model.contract import Inputs, ResetCause, Segment, whole
from firmware_model.controller import ModelController
from firmware_model.states import TRANSITIONS, TRIGGER_COMMANDS, Command, State, Stop

from .dice import REPRODUCIBLE, Dice, dice_of_a_seed
from .episodes import GOALS, episode
from .lockstep import Coverage
from .treatment_machine import ENABLED_BY, TreatmentMachine, reference_table

TABLE = reference_table(9)
ROWS = TABLE.interlocks
TRIGGERS = sorted({row.trigger for row in TRANSITIONS})
ALL_ROWS = (1 << len(ROWS)) - 1


def acting_in(state: State) -> int:
    """Mask of the rows that act in a state."""
    return sum(1 << i for i, row in enumerate(ROWS.values()) if state in row.states)


class Patients(RuleBasedStateMachine):
    """An operator, an adversary and a machine; the invariants are judged on every change of outputs."""

    seen = Coverage()

    def __init__(self) -> None:
        super().__init__()
        self.machine = TreatmentMachine(TABLE)

    @initialize(
        enabled=st.sampled_from(sorted(ENABLED_BY)), goal=st.sampled_from([*GOALS, State.irradiation])
    )
    def set_up(self, enabled: str, goal: State) -> None:
        self.machine = TreatmentMachine(TABLE, Patients.seen, **ENABLED_BY[enabled])
        self.machine.reach(goal)

    @rule(command=st.sampled_from(Command))
    def order(self, command: Command) -> None:
        before = self.machine.state
        reply = self.machine.order(command).reply
        if command is Command.beam_on and reply.accepted:
            assert before is State.ready

    @rule(name=st.sampled_from(list(ROWS)), ticks=st.integers(1, 30))
    def fail(self, name: str, ticks: int) -> None:
        if name not in ("SELF_TEST", "RESET_IN_BEAM"):
            self.machine.provoke(name)
        self.machine.run(ticks)

    @rule(ticks=st.integers(1, 30))
    def pause(self, ticks: int) -> None:
        self.machine.reach(State.irradiation, patience=20)
        self.machine.set(sequence_hold=1)
        self.machine.run(ticks)

    @rule(command=st.sampled_from([Command.interrupt, Command.terminate, Command.stand_down]))
    def stop(self, command: Command) -> None:
        self.machine.reach(State.irradiation, patience=20)
        self.machine.order(command)

    @rule(ticks=st.integers(1, 30))
    def heal(self, ticks: int) -> None:
        self.machine.heal()
        self.machine.run(ticks)

    @rule(goal=st.sampled_from([State.ready, State.irradiation]))
    def onwards(self, goal: State) -> None:
        self.machine.heal()
        self.machine.reach(goal, patience=20)

    @rule(cause=st.sampled_from(ResetCause))
    def restart(self, cause: ResetCause) -> None:
        self.machine.reset(cause)

    @invariant()
    def permit_only_in_irradiation_with_nothing_against_it(self) -> None:
        outputs = self.machine.outputs
        assert_permit_is_deserved(self.machine)
        assert outputs.power == (outputs.state not in (State.off, State.emergency))
        assert outputs.latched & outputs.local_reset_due == outputs.local_reset_due
        assert not outputs.tripped & ~acting_in(outputs.state)


def assert_permit_is_deserved(machine: TreatmentMachine) -> None:
    outputs = machine.outputs
    if outputs.permit:
        assert outputs.state is State.irradiation
        assert not outputs.latched
        assert not outputs.tripped & acting_in(State.irradiation)


def test_a_permit_means_irradiation_with_nothing_tripped_and_nothing_latched() -> None:
    Patients.seen = Coverage()
    run_state_machine_as_test(
        Patients, settings=settings(REPRODUCIBLE, max_examples=50, stateful_step_count=10)
    )
    assert set(Patients.seen.states) == {state.name for state in State}
    assert Patients.seen.permitted >= 15


def test_a_permit_is_deserved_at_every_tick_of_random_days() -> None:
    seen = Coverage()

    @settings(REPRODUCIBLE, max_examples=40)
    @given(dice_of_a_seed)
    def walk(dice: Dice) -> None:
        machine = TreatmentMachine(TABLE, seen, preset_meterset=dice.pick([0.5, 900]))
        react = machine._react

        def judge_and_react(outputs: object) -> object:
            assert_permit_is_deserved(machine)
            return react(machine.outputs)

        machine._react = judge_and_react  # type: ignore[assignment, method-assign]
        machine.reach(dice.pick([State.ready, State.irradiation]))
        for _ in range(dice.number(2, 8)):
            episode(dice, machine)
        assert_permit_is_deserved(machine)

    walk()
    assert seen.permitted >= 25


def forced_into(state: State, tripped: int = 0, latched: int = 0) -> ModelController:
    """A controller put into a state by hand, as no sequence of inputs could."""
    controller = ModelController(TABLE)
    controller._state = state
    controller._chart.state = state.name
    controller._tripped, controller._latched = tripped, latched
    controller._all_due = False
    controller.outputs = controller._compute_outputs()
    return controller


def test_irradiation_is_the_only_state_that_can_permit() -> None:
    assert [state for state in State if forced_into(state).outputs.permit] == [State.irradiation]


def test_each_row_that_acts_in_irradiation_denies_the_permit_and_every_latch_does() -> None:
    controller = forced_into(State.irradiation)
    for index, (name, row) in enumerate(ROWS.items()):
        controller._tripped = 1 << index
        assert controller._compute_outputs().permit is (State.irradiation not in row.states), name
        controller._tripped, controller._latched = 0, 1 << index
        assert not controller._compute_outputs().permit, name
        controller._latched = 0


@pytest.mark.parametrize("state", State)
def test_with_everything_tripped_no_state_permits_and_no_command_helps(state: State) -> None:
    safe = tuple(signal.counts(signal.safe) for signal in TABLE.signals.values())
    controller = forced_into(state, tripped=ALL_ROWS, latched=ALL_ROWS)
    assert not controller.outputs.permit
    for command in Command:
        assert not controller.scan(Inputs(safe, command)).permit
        assert not controller.run(Segment(50, whole(safe), command)).outputs.permit


@pytest.mark.parametrize("state", State)
def test_a_trigger_that_the_graph_does_not_list_is_refused_in_that_state(state: State) -> None:
    listed = {(row.source, row.trigger) for row in TRANSITIONS}
    controller = forced_into(state)
    for trigger in TRIGGERS:
        event = controller._machine.events[trigger]
        assert ((state, trigger) in listed) is (state.name in event.transitions)
        if (state, trigger) not in listed:
            assert not controller._fire(trigger)
            with pytest.raises(MachineError):
                event.trigger(controller._chart)
            assert (controller._state, controller._chart.state) == (state, state.name)


def test_the_graph_is_the_one_that_a_reviewer_expects() -> None:
    graph: dict[str, set[str]] = {}
    for row in TRANSITIONS:
        graph.setdefault(row.source.name, set()).add(f"{row.trigger}>{row.dest.name}")
    stops = {"terminate>terminated", "emergency>emergency"}
    assert graph == {
        "off": {"power_on>self_test"},
        "self_test": {"self_test_passed>terminated", "self_test_passed>standby", "emergency>emergency"},
        "standby": {"prepare>preparatory", "emergency>emergency"},
        "preparatory": {"stand_by>standby", "begin_check>check", "emergency>emergency"},
        "check": {"check_passed>ready", "check_failed>preparatory", *stops},
        "ready": {
            *("stand_down>preparatory", "beam_on>hold", "beam_on>irradiation"),
            *("interrupt>interrupted", *stops),
        },
        "irradiation": {"hold>hold", "complete>preparatory", "interrupt>interrupted", *stops},
        "hold": {"release>irradiation", "complete>preparatory", "interrupt>interrupted", *stops},
        "interrupted": {"resume>ready", *stops},
        "terminated": {"acknowledge>preparatory", "emergency>emergency"},
        "emergency": {"restart>self_test"},
    }


def test_irradiation_is_entered_through_a_guard_only() -> None:
    entries = [row for row in TRANSITIONS if row.dest is State.irradiation]
    assert {row.guard for row in entries} == {"nothing_stands_in_the_way"}
    assert {row.trigger for row in entries if row.source is not State.hold} == {"beam_on"}


@pytest.mark.parametrize("state", [state for state in State if state is not State.ready])
def test_a_beam_is_started_from_ready_only(state: State) -> None:
    machine = TreatmentMachine(TABLE)
    machine.run(1)
    values = machine.pair.ramps.values()
    controller = forced_into(state)
    outputs = controller.scan(Inputs(values, Command.beam_on))
    assert outputs.reply[:2] == (Command.beam_on, False)
    assert outputs.state is state or state is State.irradiation


def test_nothing_can_jump_into_a_state_past_the_graph() -> None:
    controller = ModelController(TABLE)
    for owner in (controller, controller._chart, controller._machine):
        assert not [name for name in dir(owner) if name.startswith("to_")]
    assert set(controller._machine.events) == set(TRIGGERS)
    assert set(TRIGGER_COMMANDS.values()) <= set(TRIGGERS)


def test_every_stop_class_leads_out_of_irradiation() -> None:
    for stop in Stop:
        row = next(i for i, r in enumerate(ROWS.values()) if r.stop_class is stop)
        controller = forced_into(State.irradiation, tripped=1 << row)
        controller._step(Command.none)
        assert controller._state is not State.irradiation
