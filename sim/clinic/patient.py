"""The patient on the couch: how the target and the marker on the skin really move.

Breathing moves the target along one axis; the marker follows it with a lag, a gain and an error of
its own. On top of that come slow and sudden displacements: of the whole patient, of the end-exhale
baseline (target and marker alike) and of the target alone, which no marker shows.

Nothing here happens tick by tick. The path of a whole breath is known when it begins, and whoever
needs it is told when it changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from firmware_model.contract import FRACTION_BITS
from sim.clinic.breathing import Breath, Breathing, bounded
from sim.clinic.motion_schema import IntrafractionDrift, Surrogate
from sim.clinic.paths import Path, Point, part, value_at
from sim.clock import US_PER_MIN, US_PER_MS, US_PER_S, Clock

Vector = tuple[int, int, int]  # couch lateral, longitudinal, vertical; 32.16 of 0.01 mm
LONGITUDINAL = 1  # the axis of breathing

#: From wherever the breath was stopped back to end exhale (engineering default).
RETURN_US = 1_500 * US_PER_MS
#: Into and out of a coached breath-hold (engineering defaults).
HOLD_IN_US, HOLD_OUT_US = 2 * US_PER_S, 1_500 * US_PER_MS


class Slide(NamedTuple):
    """A displacement that changes at a steady speed: 32.16 of 0.01 mm, now and per minute."""

    value: int = 0
    per_minute: int = 0
    t_us: int = 0

    def at(self, t_us: int) -> int:
        return self.value + self.per_minute * (t_us - self.t_us) // US_PER_MIN


class Patient:
    """Truth of the patient. Displacements are what the couch would have to move to make up for them."""

    def __init__(self, env: Clock, breathing: Breathing | None, surrogate: Surrogate, seed: str) -> None:
        self._env, self._breathing, self._surrogate = env, breathing, surrogate
        self._seed, self._random = seed, Random(f"{seed}/surrogate")
        self.before_change: list[Callable[[], None]] = []  # the past is as it was until now
        self.changed: list[Callable[[], None]] = []  # what is to come is not what was foreseen
        self._body: tuple[Slide, Slide, Slide] = (Slide(), Slide(), Slide())
        self._baseline, self._target_alone = Slide(), Slide()
        self._moved: dict[object, tuple[int, int, int]] = {}  # 0.01 mm
        self._shifted: dict[object, int] = {}
        self._drifting: dict[object, int] = {}
        self._stopped: set[object] = set()
        self._target: list[Point] = [(0, 0)]
        self._marker: list[Point] = [(0, 0), *([(surrogate.lag, 0)] if surrogate.lag else [])]
        self.inhalations: list[int] = []  # instants at which the marker is at end inhale
        self._error = 0
        self._ends_us = 0  # what is known of the breathing ends here
        self._version = 0
        if breathing is not None:
            self._breathe(0)

    @property
    def breathes(self) -> bool:
        """Whether breathing is part of this session."""
        return self._breathing is not None

    # ---- where things are ------------------------------------------------------------------------------

    def target_path(self, start_us: int, end_us: int) -> Path:
        """Breathing of the target alone, between two instants up to now."""
        return part(self._target, start_us, end_us)

    def forget(self, t_us: int) -> None:
        """Nobody asks for the breathing before this instant any more."""
        for path in (self._target, self._marker):
            keep = max((i for i, point in enumerate(path) if point[0] <= t_us), default=0)
            del path[:keep]
        self.inhalations = [t for t in self.inhalations if t > t_us]

    def marker_seen(self, start_us: int, end_us: int) -> Path:
        """The marker between two instants up to now, displacements included."""
        path = part(self._marker, start_us, end_us)
        here = self.marker_displacement(start_us)
        if self.marker_displacement(end_us) == here:  # displacements between two changes are straight
            return [(t, y + here) for t, y in path]
        return [(t, y + self.marker_displacement(t)) for t, y in path]

    def marker_path(self) -> Path:
        """The marker from now to the end of what is known, displacements included."""
        now = self._env.now
        return self.marker_seen(now, max(self._marker[-1][0], now + 1))

    def marker_displacement(self, t_us: int) -> int:
        """How far the marker's end-exhale position is from where it was at the first set-up."""
        return self._baseline.at(t_us) + self._body[LONGITUDINAL].at(t_us)

    def displacement(self, t_us: int) -> Vector:
        """Of the target, breathing aside."""
        x, y, z = (slide.at(t_us) for slide in self._body)
        return x, y + self._baseline.at(t_us) + self._target_alone.at(t_us), z

    # ---- slow and sudden displacements -----------------------------------------------------------------

    def slide(self, drift: IntrafractionDrift) -> None:
        """From now on the whole patient slides on the couch."""
        random = Random(f"{self._seed}/drift")
        speed = (drift.per_minute << FRACTION_BITS) * (1 + bounded(random) * drift.spread / 100)
        if drift.direction == "drawn":
            rough = [random.gauss(0, 1) for _ in range(3)]
            length = math.hypot(*rough) or 1.0
            direction = [part_ / length for part_ in rough]
        else:
            direction = [float(drift.direction == name) for name in ("lateral", "longitudinal", "vertical")]
        now = self._env.now
        self._settle()
        x, y, z = (
            Slide(slide.at(now), round(speed * share), now)
            for slide, share in zip(self._body, direction, strict=True)
        )
        self._body = x, y, z
        self._tell()

    def move(self, source: object, by: tuple[int, int, int]) -> None:
        """The whole patient lies differently, hundredths of a mm; zeros: as before."""
        before, self._moved[source] = self._moved.get(source, (0, 0, 0)), by
        self._settle()
        x, y, z = (
            slide._replace(value=slide.value + ((b - a) << FRACTION_BITS))
            for slide, a, b in zip(self._body, before, by, strict=True)
        )
        self._body = x, y, z
        self._tell()

    def drift_baseline(self, source: object, per_minute: int) -> None:
        """End exhale drifts, marker and target alike, hundredths of a mm a minute; 0: it stays."""
        self._drifting[source] = per_minute
        now = self._env.now
        self._settle()
        self._baseline = Slide(self._baseline.at(now), sum(self._drifting.values()) << FRACTION_BITS, now)
        self._tell()

    def shift_target(self, source: object, by: int) -> None:
        """The target alone lies elsewhere along the axis, hundredths of a mm; 0: as before."""
        self._shifted[source] = by
        self._settle()
        self._target_alone = Slide(sum(self._shifted.values()) << FRACTION_BITS)
        self._tell()

    # ---- breathing ---------------------------------------------------------------------------------------

    def stop_breathing(self, source: object) -> None:
        """The breath stays where it is."""
        self._settle()
        self._stopped.add(source)
        self._cut()
        self._version += 1
        self._tell()

    def breathe_again(self, source: object) -> None:
        """Back to end exhale, then on as before."""
        self._stopped.discard(source)
        if not self._stopped:
            self._interject(((RETURN_US, 0),))

    def cough(self, height: int, duration_us: int) -> None:
        """Up by ``height`` (hundredths of a mm) in a fifth of the time, then down to end exhale."""
        if not self._stopped:
            top = value_at(self._target, self._env.now) + (height << FRACTION_BITS)
            self._interject(((duration_us // 5, top), (duration_us, 0)))

    def settle_down(self) -> None:
        """Whatever interrupted the breathing is over: back to end exhale, then on as before."""
        if not self._stopped:
            self._interject(((RETURN_US, 0),))

    def hold_breath(self, level: int, hold_us: int) -> bool:
        """Breathe in to ``level`` (32.16 of 0.01 mm), hold, breathe out. False: the patient does not."""
        if self._stopped:
            return False
        held = HOLD_IN_US + hold_us
        self._interject(((HOLD_IN_US, level), (held, level), (held + HOLD_OUT_US, 0)))
        return True

    def _interject(self, points: tuple[Point, ...]) -> None:
        """Instead of the rest of this breath, go along these points (times from now)."""
        self._settle()
        self._cut()
        start = self._target[-1][1]
        self._append(Breath(((0, start), *points), None))
        self._tell()

    def _cut(self) -> None:
        """What was foreseen from now on does not happen; the marker notices after its lag."""
        now = self._env.now
        for path, t_us in ((self._target, now), (self._marker, now + self._surrogate.lag)):
            here = value_at(path, t_us)
            while path and path[-1][0] >= t_us:
                path.pop()
            path.append((t_us, here))
        self._error = self._marker[-1][1] - self._follow(self._target[-1][1])
        self.inhalations = [t for t in self.inhalations if t <= now + self._surrogate.lag]
        self._ends_us = now

    def _breathe(self, version: int) -> None:
        """Start the next breath, unless something else has happened meanwhile."""
        if version != self._version or self._breathing is None:
            return
        self._settle()
        self._append(self._breathing.breath(self._target[-1][1]))
        self._tell()

    def _append(self, breath: Breath) -> None:
        """The next piece of the path, right after what is known."""
        start, lag = self._ends_us, self._surrogate.lag
        error = round(bounded(self._random) * (self._surrogate.noise << FRACTION_BITS))
        duration = breath.duration_us
        for t, y in breath.points[1:]:
            self._target.append((start + t, y))
            drawn = self._error + (error - self._error) * t // duration
            self._marker.append((start + t + lag, self._follow(y) + drawn))
        if breath.inhale_us is not None:
            self.inhalations.append(start + breath.inhale_us + lag)
        self._error = error
        self._ends_us = start + duration
        self._version += 1
        version = self._version
        self._env.call_in(self._ends_us - self._env.now, lambda: self._breathe(version))

    def _follow(self, target: int) -> int:
        return target * self._surrogate.gain // 100

    def _settle(self) -> None:
        for listener in tuple(self.before_change):
            listener()

    def _tell(self) -> None:
        for listener in tuple(self.changed):
            listener()
