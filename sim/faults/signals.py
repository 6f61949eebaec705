"""Faults on one line: what it carries is not what the sensor measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from firmware_model.contract import FRACTION_BITS
from sim.clock import Ramp
from sim.faults.base import BaseFault
from sim.world import World

Number = int | float


class _SignalFault(BaseFault):
    """Shared by the faults on one line; they alter the line from the instant they are applied."""

    signal: Annotated[str, Field(description="a signal of the interlock table")]
    _world: World | None = None

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        raise NotImplementedError(type(self).__name__)

    def apply(self, world: World) -> None:
        self._world = world
        self.prepare(world)
        world.linac.lines.add_fault(self.signal, self)

    def prepare(self, world: World) -> None:
        """Note what the fault needs to know at the instant it starts."""

    def clear(self, world: World) -> None:
        world.linac.lines.remove_fault(self.signal, self)

    def counts(self, world: World, value: Number | bool) -> int:
        return world.table.counts(self.signal, value) << FRACTION_BITS


class SignalStuck(_SignalFault):
    """The line stays at a value, by default the one it has at that instant."""

    kind: Literal["signal_stuck"]
    value: Number | bool | None = None
    _held: int = 0

    def prepare(self, world: World) -> None:
        lines = world.linac.lines
        if self.value is None:
            self._held = lines.seen(self.signal) << FRACTION_BITS
        else:
            self._held = self.counts(world, self.value)

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        return Ramp(self._held, 0, t_us)


class SignalOffset(_SignalFault):
    """The line reads too high (or, negative, too low) by a fixed amount in its unit."""

    kind: Literal["signal_offset"]
    by: Number
    _offset: int = 0

    def prepare(self, world: World) -> None:
        self._offset = self.counts(world, self.by)

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        return Ramp(line.at(t_us) + self._offset, line.slope, t_us)


class SignalGain(_SignalFault):
    """What the line gains from that instant on is multiplied, in percent of the truth."""

    kind: Literal["signal_gain"]
    percent: Annotated[int, Field(ge=0, le=1000)]
    _from: int = 0
    _base: int = 0

    def prepare(self, world: World) -> None:
        now = world.clock.now
        self._from = self._base = world.linac.lines.true(self.signal).at(now)

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        gained = (line.at(t_us) - self._from) * self.percent // 100
        return Ramp(self._base + gained, line.slope * self.percent // 100, t_us)


class SignalDrift(_SignalFault):
    """The line drifts away from the truth by so much a second, in its unit."""

    kind: Literal["signal_drift"]
    per_second: Number
    _rate: int = 0
    _since: int = 0

    def prepare(self, world: World) -> None:
        signal = world.table.signals[self.signal]
        per_ms = round(float(self.per_second) / float(signal.lsb) * (1 << FRACTION_BITS) / 1000)
        self._rate, self._since = per_ms, world.clock.now

    def alter(self, line: Ramp, t_us: int) -> Ramp:
        drifted = Ramp(0, self._rate, self._since).at(t_us)
        return Ramp(line.at(t_us) + drifted, line.slope + self._rate, t_us)
