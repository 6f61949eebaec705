"""Everything that can be broken, and how: each fault is a model a scenario can name, apply and clear.

Faults on a signal change what its line carries, never the plant's truth. Faults of a subsystem
change what really happens. ``apply`` and ``clear`` are called at the instants the scenario asks for.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from firmware_model.contract import FRACTION_BITS
from firmware_model.quantity import Duration
from sim.clock import Ramp
from sim.world import World

Number = int | float


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid")

    def apply(self, world: World) -> None:
        raise NotImplementedError(type(self).__name__)

    def clear(self, world: World) -> None:
        raise NotImplementedError(type(self).__name__)


class _SignalFault(_Fault):
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


class BeamStaysOn(_Fault):
    """The modulator ignores the loss of the permit; only removing its power helps."""

    kind: Literal["beam_stays_on"]

    def apply(self, world: World) -> None:
        world.linac.generator.stays_on = True

    def clear(self, world: World) -> None:
        world.linac.generator.stays_on = False
        world.linac.generator.refresh()


class DoseRate(_Fault):
    """The dose rate runs away or sags to a percentage of what the servo asks for."""

    kind: Literal["dose_rate"]
    percent: Annotated[int, Field(ge=0, le=1000)]

    def apply(self, world: World) -> None:
        world.linac.generator.output_percent = self.percent
        world.linac.generator.refresh()

    def clear(self, world: World) -> None:
        world.linac.generator.output_percent = 100
        world.linac.generator.refresh()


class PulseDose(_Fault):
    """Single pulses carry a percentage of their nominal dose (excess dose per pulse)."""

    kind: Literal["pulse_dose"]
    percent: Annotated[int, Field(ge=0, le=10_000)]

    def apply(self, world: World) -> None:
        world.linac.generator.pulse_percent = self.percent
        world.linac.generator.refresh()

    def clear(self, world: World) -> None:
        world.linac.generator.pulse_percent = 100
        world.linac.generator.refresh()


class AxisStall(_Fault):
    """An axis stops although it is driven; its readback tells the truth."""

    kind: Literal["axis_stall"]
    axis: Literal[
        "gantry", "collimator", "couch_rotation", "couch_lateral", "couch_longitudinal", "couch_vertical"
    ]

    def apply(self, world: World) -> None:
        world.linac.axes[self.axis].stall(True)

    def clear(self, world: World) -> None:
        world.linac.axes[self.axis].stall(False)


class AxisCreep(_Fault):
    """An axis moves on its own, counts of 0.01 degree or 0.01 mm a second."""

    kind: Literal["axis_creep"]
    axis: Literal[
        "gantry", "collimator", "couch_rotation", "couch_lateral", "couch_longitudinal", "couch_vertical"
    ]
    per_second: Annotated[int, Field(ge=-2000, le=2000)]

    def apply(self, world: World) -> None:
        world.linac.axes[self.axis].creep(self.per_second)

    def clear(self, world: World) -> None:
        world.linac.axes[self.axis].creep(0)


class LeafStuck(_Fault):
    """One leaf stays where it is."""

    kind: Literal["leaf_stuck"]
    leaf: Annotated[int, Field(ge=0, le=159)]

    def apply(self, world: World) -> None:
        world.linac.collimation.stick(self.leaf)

    def clear(self, world: World) -> None:
        world.linac.collimation.free(self.leaf)


class LeafLag(_Fault):
    """Every leaf is late by so many 0.01 mm."""

    kind: Literal["leaf_lag"]
    by: Annotated[int, Field(ge=0, le=10_000)]

    def apply(self, world: World) -> None:
        world.linac.collimation.lag = self.by
        world.linac.collimation.report()

    def clear(self, world: World) -> None:
        world.linac.collimation.lag = 0
        world.linac.collimation.report()


class EnergyOff(_Fault):
    """Bending magnet and energy run at a percentage of the selected value."""

    kind: Literal["energy"]
    percent: Annotated[int, Field(ge=50, le=150)]

    def apply(self, world: World) -> None:
        world.linac.beam_line.energy_percent = self.percent
        world.linac.beam_line.refresh()

    def clear(self, world: World) -> None:
        world.linac.beam_line.energy_percent = 100
        world.linac.beam_line.refresh()


class Utility(_Fault):
    """Water, gas, vacuum or air reads a value in its unit, with a trend per second."""

    kind: Literal["utility"]
    signal: Literal["water_flow", "water_temperature", "gas_pressure", "vacuum_current", "air_pressure"]
    value: Number

    def apply(self, world: World) -> None:
        world.linac.utilities.set(self.signal, world.table.counts(self.signal, self.value))

    def clear(self, world: World) -> None:
        world.linac.utilities.restore(self.signal)


class NodeSilent(_Fault):
    """A node sends no more messages."""

    kind: Literal["node_silent"]
    node: Literal["heartbeat_linac", "heartbeat_console", "gate_heartbeat"]

    def apply(self, world: World) -> None:
        world.linac.nodes.silence(self.node)

    def clear(self, world: World) -> None:
        world.linac.nodes.speak(self.node)


class GateLost(_Fault):
    """The gating signal is gone: the gate reads closed."""

    kind: Literal["gate_lost"]

    def apply(self, world: World) -> None:
        world.gate.lose(True)

    def clear(self, world: World) -> None:
        world.gate.lose(False)


class ShiftNotApplied(_Fault):
    """The couch shift after the match is forgotten."""

    kind: Literal["shift_not_applied"]

    def apply(self, world: World) -> None:
        world.imaging.shift_not_applied = True

    def clear(self, world: World) -> None:
        world.imaging.shift_not_applied = False


class ShiftTwice(_Fault):
    """The couch shift after the match is applied twice."""

    kind: Literal["shift_applied_twice"]

    def apply(self, world: World) -> None:
        world.imaging.shift_applied_twice = True

    def clear(self, world: World) -> None:
        world.imaging.shift_applied_twice = False


class PowerDip(_Fault):
    """The supply of machine and controller fails for a time; ends by itself."""

    kind: Literal["power_dip"]
    lasts: Duration

    def apply(self, world: World) -> None:
        world.conductor.lose_power(self.lasts)

    def clear(self, world: World) -> None:
        """Power comes back by itself."""


class ControllerHang(_Fault):
    """The controller stops scanning; the hardware watchdog restarts it."""

    kind: Literal["controller_hang"]

    def apply(self, world: World) -> None:
        world.conductor.hang()

    def clear(self, world: World) -> None:
        """The watchdog has restarted the controller long before."""


Fault = Annotated[
    SignalStuck
    | SignalOffset
    | SignalGain
    | SignalDrift
    | BeamStaysOn
    | DoseRate
    | PulseDose
    | AxisStall
    | AxisCreep
    | LeafStuck
    | LeafLag
    | EnergyOff
    | Utility
    | NodeSilent
    | GateLost
    | ShiftNotApplied
    | ShiftTwice
    | PowerDip
    | ControllerHang,
    Field(discriminator="kind"),
]
