"""The lines that carry a course's dose to the controller while a beam is on.

Record and verify accounts for the dose of every control point as it is given: what the primary channel
counts, at the place where the sequencer is. The target's dose is told of what the plan gives by the end of
this fraction, the dose of the organ nearest to its limit of that limit. Between two control points a line
is straight; the effect on an organ grows faster than dose, and its line is the chord, which is never below.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from firmware_model.contract import FRACTION_BITS
from sim.clock import Ramp
from sim.dose.fields import UnknownLeaves
from sim.dose.kernel import NoBeamData
from sim.dose.standing import Standing, as_planned
from sim.plan.course import Beam
from sim.record.trace import Event
from sim.world import World

_PERCENT = 10_000 << FRACTION_BITS  # a share of 1 on a line in 0.01 %


def watch_dose(world: World, before: Standing | None, fraction: int) -> None:
    """Have the dose watched from now on. Where the model cannot compute it, both lines stay at 0.

    Without ``before`` all fractions before this one count as given as planned.
    """
    try:
        DoseWatch(world, before or as_planned(world.course, fraction))
    except (NoBeamData, UnknownLeaves):
        return


@dataclass(frozen=True, slots=True)
class _Curve:
    """Dose (Gy) of one beam at one point against its meterset (mMU), straight on beyond the last."""

    metersets: list[int]
    doses: list[float]
    rates: list[float]  # Gy per mMU from each control point on

    def at(self, meterset: int) -> float:
        index = min(max(bisect_right(self.metersets, meterset) - 1, 0), len(self.rates) - 1)
        return self.doses[index] + self.rates[index] * (meterset - self.metersets[index])


class DoseWatch:
    """Drives ``target_dose`` and ``organ_dose`` of a session's world from now on."""

    def __init__(self, world: World, before: Standing) -> None:
        self._world, self._before = world, before
        self._dose, self._lines, self._env = world.linac.dose, world.linac.lines, world.clock
        self._organs = before.organs()
        self._centres = {target.id: before.centre(target.id) for target in world.course.targets}
        self._points = [*self._centres.values(), *(organ.point for organ in self._organs)]
        due, total = before.due(world.records.orders.fractions), before.total
        self._due = {name: (float(total[p]), float(due[p])) for name, p in self._centres.items()}
        self._session = dict.fromkeys(self._points, 0.0)  # Gy of this session before the present beam
        self._beam: Beam | None = None
        self._began = 0  # meterset at which the beam went on, mMU
        self._curves: dict[int, _Curve] = {}  # by point
        world.trace.listeners.append(self._note)
        world.linac.sequencer.passed.append(lambda index: self._drive())
        world.linac.generator.listeners.append(self._drive)

    def _note(self, event: Event) -> None:
        if event.kind == "select":
            target = self._world.course.target(event.fields["target"])
            self._beam = next(b for b in target.beams if b.number == event.fields["beam"])
            self._curves = {point: self._curve(self._beam, point) for point in self._points}
            self._began = self._counted()
            self._drive()
        elif event.kind == "beam_start":  # the counters of a remainder are loaded in the check
            self._began = round(event.fields["start_mu"] * 1000)
        elif event.kind == "beam_end":
            end = max(self._began, self._counted())
            for point in self._points:
                self._session[point] += self._gained(point, end)
            self._drive_level()
            self._beam = None

    def _curve(self, beam: Beam, point: int) -> _Curve:
        rates = [float(rate) / 1000 for rate in self._before.known.beams[beam.number].segments()[:, point]]
        metersets, doses = [p.meterset for p in beam.control_points], [0.0]
        for index, rate in enumerate(rates):
            doses.append(doses[-1] + rate * (metersets[index + 1] - metersets[index]))
        return _Curve(metersets, doses, rates)

    def _counted(self) -> int:
        return self._dose.primary.count.counts(self._env.now)

    def _gained(self, point: int, meterset: int) -> float:
        """Gy of this beam at a point so far."""
        curve = self._curves[point]
        return curve.at(meterset) - curve.at(self._began)

    def _drive(self) -> None:
        """Both lines from now to the end of the present segment."""
        beam = self._beam
        if beam is None:
            return
        here = max(self._began, self._counted())
        metersets = self._curves[self._points[0]].metersets
        index = bisect_right(metersets, here)
        there = metersets[index] if index < len(metersets) else here + 1000
        slope = self._dose.primary.count.slope  # 32.16 mMU per ms
        for name, share in (("target_dose", self._target_share), ("organ_dose", self._organ_share)):
            value = share(here)
            gain = (share(there) - value) / (there - here)  # per mMU
            line = Ramp(round(value * _PERCENT), round(gain * 10_000 * slope), self._env.now)
            self._lines.ramp(name, line)

    def _drive_level(self) -> None:
        """Both lines stand until the next beam."""
        self._began = self._counted()
        for name, share in (("target_dose", self._target_share), ("organ_dose", self._organ_share)):
            self._lines.ramp(name, Ramp(round(share(self._began) * _PERCENT), 0, self._env.now))

    def _target_share(self, meterset: int) -> float:
        assert self._beam is not None
        given, due = self._due[self._beam.target]
        point = self._centres[self._beam.target]
        return (given + self._session[point] + self._gained(point, meterset)) / due if due else 0.0

    def _organ_share(self, meterset: int) -> float:
        shares = (
            organ.share(self._session[organ.point] + self._gained(organ.point, meterset))
            for organ in self._organs
        )
        return max(shares, default=0.0)
