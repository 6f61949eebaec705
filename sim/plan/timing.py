"""How long a beam takes: every segment lasts as long as its slowest part.

A segment is the way from one control point to the next. Its parts are the meterset at the
highest permitted dose rate and the travel of every axis at its highest speed. The plant moves by
the same numbers. Results are integer microseconds, rounded up.
"""

from __future__ import annotations

from typing import NamedTuple

from sim.machine import AxisLimits, Machine
from sim.plan.course import Beam, ControlPoint

US_PER_MINUTE_PER_MMU = 60_000  # 60e6 us per minute, 1000 mMU per MU


class Travel(NamedTuple):
    """How far one axis moves within a segment (0.01 degree or 0.01 mm) and how fast it can (per s)."""

    axis: str
    distance: int
    max_speed: int

    @property
    def duration_us(self) -> int:
        return _ceil_div(self.distance * 1_000_000, self.max_speed)


def dose_rate(machine: Machine, beam: Beam, index: int) -> int:
    """Highest dose rate of segment ``index``, MU/min: control point's rate, capped by the machine.

    Raises ValueError when the machine does not have the beam's energy and fluence mode.
    """
    quality = machine.beam_quality(beam.energy_mv, beam.fluence_mode)
    if quality is None:
        raise ValueError(
            f"{machine.name} has no {beam.energy_mv} MV {beam.fluence_mode} beam (beam {beam.number})"
        )
    return min(beam.control_points[index].dose_rate, quality.max_dose_rate)


def travels(machine: Machine, start: ControlPoint, end: ControlPoint) -> list[Travel]:
    """Every axis that moves between two control points; the leaves count as one, the farthest."""
    found: list[Travel] = []

    def add(name: str, distance: int, limits: AxisLimits | None) -> None:
        if distance and limits is not None:
            found.append(Travel(name, abs(distance), limits.max_speed))

    add("gantry", end.gantry - start.gantry, machine.axes.get("gantry"))
    add("collimator", end.collimator - start.collimator, machine.axes.get("collimator"))
    add("couch_rotation", end.couch_rotation - start.couch_rotation, machine.axes.get("couch_rotation"))
    add("jaw_x1", end.jaws[0] - start.jaws[0], machine.axes.get("jaw_x1"))
    add("jaw_x2", end.jaws[1] - start.jaws[1], machine.axes.get("jaw_x2"))
    add("jaw_y1", end.jaws[2] - start.jaws[2], machine.axes.get("jaw_y1"))
    add("jaw_y2", end.jaws[3] - start.jaws[3], machine.axes.get("jaw_y2"))
    if start.leaves != end.leaves:
        farthest = max((abs(b - a) for a, b in zip(start.leaves, end.leaves, strict=False)), default=0)
        if farthest:
            found.append(Travel("leaves", farthest, machine.mlc.max_speed))
    return found


def segment_duration_us(machine: Machine, beam: Beam, index: int) -> int:
    """Shortest time of the segment from control point ``index`` to the next, microseconds.

    Raises IndexError when there is no such segment, ValueError when the machine lacks the quality.
    """
    if not 0 <= index < len(beam.control_points) - 1:
        raise IndexError(f"beam {beam.number} has {len(beam.control_points) - 1} segments, no number {index}")
    start, end = beam.control_points[index], beam.control_points[index + 1]
    meterset = end.meterset - start.meterset
    radiation = 0
    if meterset > 0:
        radiation = _ceil_div(meterset * US_PER_MINUTE_PER_MMU, dose_rate(machine, beam, index))
    return max([radiation, *(travel.duration_us for travel in travels(machine, start, end))])


def beam_duration_us(machine: Machine, beam: Beam) -> int:
    """Shortest delivery time of the whole beam, microseconds: the sum of its segments."""
    return sum(segment_duration_us(machine, beam, i) for i in range(len(beam.control_points) - 1))


def _ceil_div(a: int, b: int) -> int:
    return -(-a // b)
