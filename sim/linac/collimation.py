"""Jaws and multileaf collimator following the control points."""

from __future__ import annotations

from firmware_model.contract import FRACTION_BITS
from sim.clock import Clock, Ramp, level, ramp_between
from sim.linac.deviation import DeviationChannel
from sim.linac.lines import Lines
from sim.linac.motion import Axis, tracking_error, worst
from sim.machine import AxisName, Machine
from sim.record.trace import Trace

JAWS: tuple[AxisName, ...] = ("jaw_x1", "jaw_x2", "jaw_y1", "jaw_y2")

#: Deviation of a healthy leaf, 0.01 mm: median of the largest error in published machine logs, 0.07 mm.
HEALTHY_LEAF_ERROR = 7


class Collimation:
    """Four jaws and the leaves; reports the worst deviation of each kind to the controller."""

    def __init__(self, env: Clock, machine: Machine, lines: Lines, trace: Trace) -> None:
        self._env, self._lines, self._mlc = env, lines, machine.mlc
        self.jaws = [Axis(name, machine.axes[name], lines, env) for name in JAWS]
        self.leaves: tuple[int, ...] = ()  # where the leaves are told to be, 0.01 mm
        self._from: tuple[int, ...] = ()
        self._start = self._duration = 0
        self._report_at = 0  # when both are reported anew, at the latest
        self._required = False  # the leaves have to be there already, though they are on their way
        self._truth = DeviationChannel(env, trace, "aperture_error", "mm")
        # Faults (see sim.faults.motion)
        self.stuck: dict[int, int | None] = {}  # leaf -> position it is stuck at; None: first it comes to
        self.lag = 0  # all leaves late by so much, 0.01 mm
        self.carriage_off = 0  # a carriage with its whole bank displaced, 0.01 mm
        for jaw in self.jaws:
            jaw.listeners.append(self._report_jaws)
        self.report()

    def jaw(self, name: str) -> Axis:
        """One of the four jaws. Raises KeyError for an unknown name."""
        return {jaw.name: jaw for jaw in self.jaws}[name]

    def travel_time_us(self, jaws: tuple[int, ...], leaves: tuple[int, ...]) -> int:
        """Time the slowest of all jaws and leaves needs at full speed."""
        longest = max(jaw.travel_time_us(target) for jaw, target in zip(self.jaws, jaws, strict=True))
        if leaves and len(leaves) == len(self.leaves):
            farthest = max(abs(a - b) for a, b in zip(leaves, self._planned(), strict=True))
            longest = max(longest, -(-farthest * 1_000_000 // self._mlc.max_speed))
        return longest

    def move(self, jaws: tuple[int, ...], leaves: tuple[int, ...], duration_us: int) -> None:
        """All of them to their targets within the same time."""
        for jaw, target in zip(self.jaws, jaws, strict=True):
            jaw.move(target, duration_us)
        planned = self._planned()
        if leaves and leaves != planned:
            self._from = planned if len(planned) == len(leaves) else leaves
            self.leaves = leaves
            self._start, self._duration = self._env.now, duration_us
            self._stick_where_they_are()
            self._required = False
            self._report_leaves()

    def require(self, jaws: tuple[int, ...]) -> None:
        """Jaws and leaves have to be where they were told to move to now; until they are, they are off."""
        for jaw, target in zip(self.jaws, jaws, strict=True):
            jaw.require(target)
        self._required = self._duration > 0
        self._report_leaves()

    def arrive(self, jaws: tuple[int, ...], leaves: tuple[int, ...]) -> None:
        """The move is over."""
        for jaw, target in zip(self.jaws, jaws, strict=True):
            jaw.arrive(target)
        moved = self._duration > 0 or leaves != self.leaves
        self.leaves = self._from = leaves
        self._duration = 0
        if moved:
            self._stick_where_they_are()
            self._report_leaves()

    def halt(self) -> None:
        """Stop where they are."""
        for jaw in self.jaws:
            jaw.halt()
        if self._duration:
            self.leaves = self._from = self._planned()
            self._duration = 0
            self._report_leaves()

    def stick(self, leaf: int) -> None:
        """Fault: one leaf stays where it is now, or where it first comes to."""
        if leaf not in self.stuck:
            self.stuck[leaf] = None
            self._stick_where_they_are()
            self.report()

    def _stick_where_they_are(self) -> None:
        planned = self._planned()
        for leaf, position in self.stuck.items():
            if position is None and leaf < len(planned):
                self.stuck[leaf] = planned[leaf]

    def free(self, leaf: int) -> None:
        """The leaf follows again."""
        self.stuck.pop(leaf, None)
        self.report()

    def _planned(self) -> tuple[int, ...]:
        """Where the leaves should be now."""
        if not self._duration:
            return self.leaves
        done = min(self._env.now - self._start, self._duration)
        return tuple(
            a + (b - a) * done // self._duration for a, b in zip(self._from, self.leaves, strict=True)
        )

    def report(self) -> None:
        """Send both worst deviations again, after a fault changed."""
        self._report_jaws()
        self._report_leaves()

    def _report_jaws(self) -> None:
        now = self._env.now
        largest, again = worst((tracking_error(jaw.set, jaw.readback, now) for jaw in self.jaws), now)
        if largest != self._lines_value("jaw_error"):
            self._lines.ramp("jaw_error", largest)
        self._note_truth(again)

    def _report_leaves(self) -> None:
        largest, again = worst(self._leaf_errors(), self._env.now)
        self._lines.ramp("mlc_error", largest)
        self._note_truth(again)

    def _leaf_errors(self) -> list[tuple[Ramp, int | None]]:
        """Deviation of the leaves that follow and of those that do not, and when each turns."""
        now = self._env.now
        errors: list[tuple[Ramp, int | None]] = [
            (level(HEALTHY_LEAF_ERROR + self.lag + abs(self.carriage_off), now), None)
        ]
        if self._required and self._duration:
            gaps = [abs(a - b) for a, b in zip(self.leaves, self._planned(), strict=True)]
            last = gaps.index(max(gaps))
            errors.append(tracking_error(level(self.leaves[last], now), self._leaf_line(last), now))
        for leaf, position in self.stuck.items():
            if position is not None and leaf < len(self.leaves):
                errors.append(tracking_error(self._leaf_line(leaf), level(position, now), now))
        return errors

    def _note_truth(self, again: int | None) -> None:
        """The aperture the patient really gets, whatever the sensors say; ``again``: when to report anew."""
        now = self._env.now
        jaws = [tracking_error(jaw.set, jaw.truth, now) for jaw in self.jaws]
        largest, changes = worst([*jaws, *self._leaf_errors()], now)
        self._truth.note(largest)
        dues = [due for due in (again, changes) if due]
        if dues:
            self._later(min(dues))

    def _leaf_line(self, leaf: int) -> Ramp:
        now = self._env.now
        if not self._duration:
            return level(self.leaves[leaf], now)
        here = self._planned()[leaf] << FRACTION_BITS
        return ramp_between(here, self.leaves[leaf] << FRACTION_BITS, self._start + self._duration - now, now)

    def _lines_value(self, name: str) -> Ramp | None:
        return self._lines.true(name) if self._lines.has(name) else None

    def _later(self, delay_us: int) -> None:
        """Another deviation becomes the largest then, or one crosses zero: draw the lines anew."""
        due = self._env.now + delay_us
        if not self._env.now < self._report_at <= due:
            self._report_at = due
            self._env.call_in(delay_us, lambda: self._report_if_due(due))

    def _report_if_due(self, due_us: int) -> None:
        if self._report_at == due_us:
            self._report_at = 0
            self.report()
