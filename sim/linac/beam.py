"""Beam generation: gun and RF, gated by the beam permit and by the sequencer's demand.

The permit acts through the modulator and takes the on and off latencies of the beam quality
(3.37 ms and 1.45 ms measured for 6 MV by Shepard et al. 2018, see the machine file). The dose
servo gates single gun pulses, so withdrawing the *demand* stops dose with the next pulse.
"""

from __future__ import annotations

from collections.abc import Callable

from firmware_model.contract import FRACTION_BITS
from sim.clock import Clock
from sim.linac.lines import Lines
from sim.machine import BeamQuality, Machine
from sim.record.trace import Sample, Trace

PPM = 1_000_000


class BeamGenerator:
    """Whether dose is really coming out, and how fast."""

    def __init__(self, env: Clock, machine: Machine, lines: Lines, trace: Trace) -> None:
        self._env, self._machine, self._lines, self._trace = env, machine, lines, trace
        self.quality: BeamQuality = machine.beams[0]
        self.on = False
        self.slope = 0  # dose truth, 32.16 mMU per ms; 0 while off
        self.listeners: list[Callable[[], None]] = []
        self._permit = False
        self._power = True
        self._demand = 0
        self._asked = 0  # the last demand that was not 0
        self._nominal_pulse = 0  # dose of a pulse, counts of pulse_dose
        self._version = 0  # a newer decision makes pending ones void
        self._on_channel = trace.channel("beam_on", "bool")
        self._rate_channel = trace.channel("dose_rate", "number", "MU/min")
        self._record()
        # Faults (see sim.faults.beam): what the generator does instead of what it is told.
        self.stays_on = False
        self.output_ppm = PPM  # dose rate of what the servo asks for
        self.pulses_ppm = PPM  # share of the pulses that come
        self.pulse_ppm = PPM  # dose of a pulse of its nominal one
        self.arcs = 0  # the high voltage is down for a moment while there is an arc

    def select(self, quality: BeamQuality) -> None:
        """Prepare another energy or fluence mode; only with the beam off."""
        self.quality = quality
        self._demand = 0
        pulses_per_min = self._machine.pulse_rate_hz * 60
        self._nominal_pulse = -(-quality.max_dose_rate * 10_000 // pulses_per_min)
        self._lines.drive("pulse_dose_set", self._nominal_pulse)

    def set_permit(self, granted: bool) -> None:
        """The controller's beam permit as it reaches the modulator."""
        if granted != self._permit:
            self._permit = granted
            self._decide(self.quality.on_latency_us if granted else self.quality.off_latency_us)

    def set_power(self, on: bool) -> None:
        """High voltage; without it there is no beam, whatever is wrong with the permit chain."""
        if on != self._power:
            self._power = on
            self._decide(0)

    def demand(self, slope: int) -> None:
        """Dose asked for by the sequencer, 32.16 mMU per ms; 0 gates the gun off."""
        was = self._demand
        self._demand = slope
        self._asked = slope or self._asked
        if self.on and slope:
            self._emit()
        elif bool(was) != bool(slope):
            self._decide(0 if not slope else self.quality.on_latency_us)

    def refresh(self) -> None:
        """A fault changed what comes out: let it show at once. When the beam goes off is not touched."""
        if self.on:
            self._emit()

    def obey(self) -> None:
        """The modulator heeds its permit again, and if that is gone turns off."""
        if self.on and not self._wanted():
            self._decide(self.quality.off_latency_us if self._demand else 0)

    def _wanted(self) -> bool:
        if self.stays_on and self.on:
            return self._power
        return self._permit and self._power and self._demand > 0

    def _decide(self, latency_us: int) -> None:
        self._version += 1
        version = self._version
        if latency_us == 0:
            self._settle(version)
        else:
            self._env.call_in(latency_us, lambda: self._settle(version))

    def _settle(self, version: int) -> None:
        if version != self._version:
            return
        wanted = self._wanted()
        if wanted != self.on:
            self.on = wanted
            self._trace.event(self._env.now, "beam", on=wanted)
            self._emit()

    def _emit(self) -> None:
        asked = (self._asked if self.stays_on else self._demand) if self.on and not self.arcs else 0
        self.slope = asked * self.output_ppm // PPM * self.pulses_ppm // PPM * self.pulse_ppm // PPM
        pulse = self._nominal_pulse * self.pulse_ppm // PPM if self.on and not self.arcs else 0
        self._lines.drive("pulse_dose", pulse)
        self._record()
        for listener in tuple(self.listeners):
            listener()

    def _record(self) -> None:
        now = self._env.now
        if not self._on_channel.samples or self._on_channel.samples[-1].value != self.on:
            self._on_channel.samples.append(Sample(now, self.on))
        self._rate_channel.samples.append(Sample(now, self.slope * 60 / (1 << FRACTION_BITS)))


def slope_of_rate(mu_per_min: int) -> int:
    """A dose rate as 32.16 mMU per millisecond."""
    return (mu_per_min * 1000 << FRACTION_BITS) // 60_000
