"""Making the steps of a scenario happen at their exact moments."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from firmware_model.contract import FRACTION_BITS, Outputs
from firmware_model.states import Command, State
from sim.clinic.identity import token
from sim.clock import US_PER_MS
from sim.faults.base import FULL, GradualFault
from sim.faults.signals import GradualSignalFault
from sim.record.trace import Event
from sim.scenario.schema import At, Step
from sim.world import World

#: A ramp is made of at most so many equal parts.
RAMP_PARTS = 100


class Timeline:
    """Waits for the trigger of every step, once, and notes when it fired."""

    def __init__(self, world: World, steps: list[Step]) -> None:
        self._world = world
        self._steps = {step.id: step for step in steps}
        # Copies, so that nothing a fault remembers of this run is left in the scenario for another.
        self._faults = {s.id: s.fault.for_step(s.id) for s in steps if s.fault is not None}
        self.fired: dict[str, int] = {}
        self._active: list[str] = []  # steps whose fault is in force, in the order they set in
        self._onsets: dict[str, int] = {}  # how often each fault has set in
        self._followers: dict[str, list[Step]] = {}
        for step in steps:
            self._arm(step)

    def _arm(self, step: Step) -> None:
        at, world = step.at, self._world
        if at.after is not None:
            self._followers.setdefault(at.after, []).append(step)
        elif at.time is not None:
            world.clock.call_in(at.time + at.delay, lambda: self._fire(step))
        elif at.event is not None:
            world.trace.listeners.append(lambda event: self._on_event(step, event))
        elif at.state is not None:
            self._on_state(step, State[at.state])
        elif at.control_point is not None:
            world.linac.sequencer.passed.append(lambda index: self._on_control_point(step, index))
        else:
            _Crossing(world, at, lambda: self._later(step))

    def _on_state(self, step: Step, state: State) -> None:
        def look(before: Outputs, after: Outputs) -> None:
            if after.state is state is not before.state and self._aimed(step.at):
                self._later(step)

        self._world.conductor.listeners.append(look)

    def _on_event(self, step: Step, event: Event) -> None:
        """Behind whatever else the event brings at the same instant."""
        if event.kind == step.at.event and self._aimed(step.at) and step.id not in self.fired:
            self.fired[step.id] = -1
            self._world.clock.call_in(step.at.delay, lambda: self._fire(step))

    def _on_control_point(self, step: Step, index: int) -> None:
        if index == step.at.control_point and self._aimed(step.at):
            self._later(step)

    def _aimed(self, at: At) -> bool:
        return aimed(self._world, at)

    def _later(self, step: Step) -> None:
        if step.id in self.fired:
            return
        self.fired[step.id] = -1  # armed: it fires once
        if step.at.delay:
            self._world.clock.call_in(step.at.delay, lambda: self._fire(step))
        else:
            self._fire(step)

    def _fire(self, step: Step) -> None:
        world = self._world
        now = world.clock.now
        self.fired[step.id] = now
        world.trace.event(now, "step", step=step.id)
        if step.fault is not None:
            self._break(step)
        elif step.clear is not None:
            self._mend(self._steps[step.clear])
        elif step.room is not None:
            world.trace.event(now, "fault", fault=step.room, step=step.id, active=True, detail="")
            getattr(world.linac.room, step.room)()
        elif step.console == "change_parameter":
            world.linac.lines.drive("parameters_token", token("edited", step.id, now))
        elif step.console == "override_image_age":
            world.records.override_image_age()
            world.trace.event(now, "operator", act="override the age of the image", detail=step.id)
        elif step.console is not None:
            world.trace.event(now, "operator", act=f"press {step.console}", detail=step.id)
            world.clock.process(world.operator.press(Command[step.console]))
        for follower in self._followers.get(step.id, ()):
            world.clock.call_in(follower.at.delay, lambda step=follower: self._fire(step))  # type: ignore[misc]

    def _break(self, step: Step) -> None:
        """The fault sets in; its end, its growth and its next onset are put on the clock."""
        world, clock, fault = self._world, self._world.clock, self._faults[step.id]
        onset = self._onsets[step.id] = self._onsets.get(step.id, 0) + 1
        if step.ramp is None or isinstance(fault, GradualSignalFault):
            fault.apply(world)
        self._active.append(step.id)
        if step.ramp is not None:
            self._grow(step, onset, step.ramp)
        self._note(step, active=True)
        if step.lasts is not None:
            clock.call_in(step.lasts, lambda: self._mend(step))
        if step.repeat is not None and onset < step.repeat.times:
            clock.call_in(step.repeat.every, lambda: self._break(step))

    def _grow(self, step: Step, onset: int, ramp_us: int) -> None:
        """Bring a gradual fault on in equal parts, from none now to its full size after ``ramp_us``."""
        fault, world = self._faults[step.id], self._world
        assert isinstance(fault, GradualFault | GradualSignalFault)
        parts = min(RAMP_PARTS, ramp_us // US_PER_MS)

        def grow(part: int) -> None:
            if step.id in self._active and self._onsets[step.id] == onset:
                fault.grow(world, FULL * part // parts)

        grow(0)
        for part in range(1, parts + 1):
            world.clock.call_in(ramp_us * part // parts, partial(grow, part))

    def _mend(self, step: Step) -> None:
        if step.id in self._active:  # neither cleared before nor still to come
            self._active.remove(step.id)
            self._faults[step.id].clear(self._world)
            for other in self._active:
                self._faults[other].again(self._world)
            self._note(step, active=False)

    def _note(self, step: Step, *, active: bool) -> None:
        assert step.fault is not None
        detail = ", ".join(
            f"{k} {v}" for k, v in step.fault.model_dump(exclude={"kind"}).items() if v is not None
        )
        self._world.trace.event(
            self._world.clock.now, "fault", fault=step.fault.kind, step=step.id, active=active, detail=detail
        )


def aimed(world: World, at: At) -> bool:
    """Whether the target and beam a step asks for are the ones being treated."""
    target, beam = world.operator.target, world.operator.beam
    if at.target is not None and (target is None or target.id != at.target):
        return False
    return at.beam is None or (beam is not None and beam.number == at.beam)


class _Crossing:
    """Calls back once when the meterset or the gantry reaches a value with the beam selected."""

    def __init__(self, world: World, at: At, action: Callable[[], None]) -> None:
        self._world, self._at, self._action = world, at, action
        self._version = 0
        if at.meterset is not None:
            world.linac.dose.listeners.append(self._look)
        else:
            world.linac.axes["gantry"].listeners.append(self._look)

    def _look(self) -> None:
        world, at = self._world, self._at
        self._version += 1
        if world.operator.beam is None or not aimed(world, at) or not world.linac.generator.on:
            return
        now = world.clock.now
        if at.meterset is not None:
            line, goal = world.linac.dose.primary.count, at.meterset << FRACTION_BITS
            if line.at(now) > goal:
                return
        else:
            assert at.gantry is not None
            line, goal = world.linac.axes["gantry"].truth, at.gantry << FRACTION_BITS
        left = line.time_to(goal, now)
        if left is None:
            return
        version = self._version

        def reached() -> None:
            if version == self._version:
                self._action()

        world.clock.call_in(left, reached)
