"""Set-up, cone-beam imaging, matching and the couch shift that follows.

The patient never lies exactly where planned, and moves on while lying there. Imaging measures the
difference at the end of its scan, the couch is moved by it, and the console reports the part not yet
applied and the age of the image. The gantry's turn for a scan is part of its time only.
"""

from __future__ import annotations

from collections.abc import Generator
from random import Random
from typing import Any

import simpy

from firmware_model.contract import FRACTION_BITS
from sim.clinic.identity import token
from sim.clinic.target_truth import TargetTruth
from sim.clock import US_PER_S, Clock, Ramp
from sim.linac.linac import Linac
from sim.plan.course import Point, Target
from sim.record.trace import Trace

Steps = Generator[simpy.Event, Any, None]

#: One turn of the gantry with the imager, and reading the images (engineering default, order of 1 min).
SCAN_US = 60 * US_PER_S
#: A person matching image to plan, seconds (published sessions: 2 to 4 min).
MATCH_S = (120, 240)
#: One sigma of the set-up difference before imaging and of the match, 0.01 mm (engineering defaults).
SETUP_SIGMA = 300
MATCH_SIGMA = 20


class Imaging:
    """What the last match found and whether the shift was applied."""

    def __init__(self, env: Clock, linac: Linac, truth: TargetTruth, trace: Trace, seed: str) -> None:
        self._env, self._linac, self._truth, self._trace = env, linac, truth, trace
        self._seed = seed
        self._found: Point = (0, 0, 0)
        self._matched: Target | None = None  # whose image was matched last
        self._random = Random(f"{seed}/imaging")
        self._imaged_us = 0
        # Faults (see sim.faults)
        self.shift_not_applied = False
        self.shift_applied_twice = False
        self.image_stale = False
        self.target_mistaken = False

    @property
    def age_us(self) -> int:
        """Age of the image the last match was made on."""
        return self._env.now - self._imaged_us

    @property
    def shift(self) -> int:
        """Largest axis of the shift the last match asks for, 0.01 mm."""
        return max(abs(axis) for axis in self._found)

    def set_up(self, target: Target, isocentre: Point) -> Steps:
        """The couch goes to where the plan wants it; the patient lies a little off."""
        random = Random(f"{self._seed}/setup/{target.id}")
        planned = couch_for(isocentre)
        self._truth.lie(planned, _vector(random, SETUP_SIGMA))
        self._linac.lines.drive("image_shift_residual", 100_000)
        yield from self._linac.move_couch(planned)
        self._truth.catch_up()
        self._trace.event(self._env.now, "setup", target=target.id)

    def image(self, target: Target) -> Steps:
        """Scan and match. The residual is the whole shift until it is applied."""
        if self.image_stale:  # the match is made again on the image there is, whoever it shows
            yield self._env.timeout(self._random.randint(*MATCH_S) * US_PER_S)
            self._linac.lines.drive("image_shift_residual", self.shift)
            return
        yield self._env.timeout(SCAN_US)
        self._imaged_us = self._env.now
        self._linac.lines.ramp("image_age", Ramp(0, (10 << FRACTION_BITS) // 1000, self._env.now))
        seen = self._truth.error()
        yield self._env.timeout(self._random.randint(*MATCH_S) * US_PER_S)
        self._matched = target
        self._confirm_target()
        noise = _vector(self._random, MATCH_SIGMA)
        self._found = _point((s >> FRACTION_BITS) + n for s, n in zip(seen, noise, strict=True))
        self._linac.lines.drive("image_shift_residual", self.shift)
        self._trace.event(self._env.now, "image", target=target.id, shift_mm=_mm(self._found))

    def _confirm_target(self) -> None:
        """The console knows the target by the image that was matched."""
        if self._matched is not None:
            right = token("target", self._matched.id)
            self._linac.lines.drive("target_confirmed", token("another") if self.target_mistaken else right)

    def mistake_target(self, mistaken: bool) -> None:
        """Fault: the match is filed under another target."""
        self.target_mistaken = mistaken
        self._confirm_target()

    def apply_shift(self, target: Target) -> Steps:
        """Move the couch by the match, unless someone forgets it (or does it twice)."""
        if self.shift_not_applied:
            return
        times = 2 if self.shift_applied_twice else 1
        shift = _point(times * axis for axis in self._found)
        here = self._linac.couch()
        yield from self._linac.move_couch(_point(h + s for h, s in zip(here, shift, strict=True)))
        left = max(abs(f - s) for f, s in zip(self._found, shift, strict=True))
        self._linac.lines.drive("image_shift_residual", left)
        self._trace.event(self._env.now, "shift", target=target.id, applied_mm=_mm(shift))


def couch_for(isocentre: Point) -> Point:
    """Couch lateral, longitudinal, vertical (0.01 mm) that bring a point of the patient to the isocentre.

    Head first, supine.

    Engineering convention: the couch stands at 0/0/0 when the patient's origin is at the isocentre.
    """
    x, y, z = isocentre
    return -x, -z, y


def _vector(random: Random, sigma: int) -> Point:
    """Three independent displacements, bounded at two sigma."""
    return _point(round(min(2.0, max(-2.0, random.gauss(0, 1))) * sigma) for _ in range(3))


def _point(values: Any) -> Point:
    x, y, z = values
    return x, y, z


def _mm(point: Point) -> list[float]:
    return [value / 100 for value in point]
