"""Two independent dose channels reading the same beam, and the dose really delivered.

Each channel has its own gain noise, drawn once a period from the run's seed (0.1 % one sigma by
default: two channels of published machine logs agree within 0.22 %). A channel counts whether or
not the controller is alive; it is set only when a beam is selected.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from firmware_model.contract import FRACTION_BITS
from sim.clock import US_PER_S, Clock, Ramp, level
from sim.linac.beam import PPM, BeamGenerator
from sim.linac.lines import Lines
from sim.machine import Noise
from sim.record.trace import Sample, Trace


class DoseChannel:
    """One ionisation chamber with its counter."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = level(0)
        self.noise_ppm = 0
        # Faults (see sim.faults.beam)
        self.gain_ppm = PPM  # calibration off
        self.limit_slope: int | None = None  # saturation: largest readable slope
        self.dead = False  # no high voltage: nothing is collected

    def follow(self, slope: int, now: int) -> None:
        """Count on with what this chamber makes of the true dose rate."""
        seen = slope * self.gain_ppm // PPM * (PPM + self.noise_ppm) // PPM
        if self.limit_slope is not None:
            seen = min(seen, self.limit_slope)
        self.count = Ramp(self.count.at(now), 0 if self.dead else seen, now)


class DoseMonitor:
    """Both channels, the truth, and the supply they share."""

    def __init__(
        self,
        env: Clock,
        beam: BeamGenerator,
        lines: Lines,
        trace: Trace,
        noise: Noise,
        random: Random,
    ) -> None:
        self._env, self._beam, self._lines = env, beam, lines
        self._noise, self._random = noise, random
        self.delivered = level(0)  # truth, 32.16 mMU of this beam
        self.primary = DoseChannel("dose_primary")
        self.secondary = DoseChannel("dose_secondary")
        self.listeners: list[Callable[[], None]] = []
        self.yield_ppm = PPM  # fault: a worn target gives the patient less than the chambers see
        self._truth_channel = trace.channel("dose_delivered", "number", "MU")
        self.begun_at: set[int] = set()  # instants at which a beam was selected
        self._redraw_at = 0
        beam.listeners.append(self.update)
        self._asymmetry_channel = trace.channel("asymmetry", "number", "%")
        self._asymmetry = {"radial": 0, "transverse": 0}  # truth, 0.1 %
        for plane in self._asymmetry:
            self.set_asymmetry(plane, 0)
        self._lines.drive("dose_supply", True)
        self.begin(0)

    def begin(self, meterset: int) -> None:
        """Set both counters for a newly selected beam, mMU; not zero for a continuation."""
        now = self._env.now
        self.begun_at.add(now)
        self.delivered = level(meterset, now)
        for channel in (self.primary, self.secondary):
            channel.count = level(meterset, now)
        self.update()

    def update(self) -> None:
        """The dose rate or a chamber changed: describe all three lines anew from now on."""
        now = self._env.now
        self.delivered = Ramp(self.delivered.at(now), self._beam.slope * self.yield_ppm // PPM, now)
        for channel in (self.primary, self.secondary):
            channel.follow(self._beam.slope, now)
            self._lines.ramp(channel.name, channel.count)
        scale = 1 / 1000 / (1 << FRACTION_BITS)
        self._truth_channel.samples.append(
            Sample(now, self.delivered.value * scale, self.delivered.slope * scale * US_PER_S / 1000)
        )
        if self._beam.slope and self._redraw_at <= now:
            self._draw_later()
        for listener in tuple(self.listeners):
            listener()

    def output_deviation(self) -> int:
        """Dose per monitor unit against the calibration, 0.1 %, as an independent detector finds it."""
        read = self.primary.gain_ppm
        return round(1000 * self.yield_ppm / read) - 1000 if read and not self.primary.dead else 1000

    def set_asymmetry(self, plane: str, tenths: int) -> None:
        """The beam is asymmetric by so many 0.1 %; the chamber's sectors see it."""
        self._asymmetry[plane] = tenths
        self._lines.drive(f"symmetry_{plane}", tenths)
        worst = max(abs(value) for value in self._asymmetry.values())
        self._asymmetry_channel.samples.append(Sample(self._env.now, worst / 10))

    def channels(self, which: str) -> tuple[DoseChannel, ...]:
        """The channels a fault speaks of: ``primary``, ``secondary`` or ``both``."""
        pair = {"primary": self.primary, "secondary": self.secondary}
        return tuple(pair.values()) if which == "both" else (pair[which],)

    def _draw_later(self) -> None:
        self._redraw_at = self._env.now + self._noise.period_us
        self._env.call_in(self._noise.period_us, lambda: self._draw())

    def _draw(self) -> None:
        sigma = self._noise.dose_channel_ppm
        for channel in (self.primary, self.secondary):
            # Bounded at three sigma: a healthy chamber has no outliers.
            channel.noise_ppm = round(min(3.0, max(-3.0, self._random.gauss(0, 1))) * sigma)
        if self._beam.slope:
            self.update()
