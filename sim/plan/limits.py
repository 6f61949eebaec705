"""Can this machine deliver this course? Every violation is one finding of severity error.

Checked before anything moves: beam quality, dose rates, meterset, axis ranges, jaws and leaves.
A violation repeated along a beam is reported once, at its first control point, with the count.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.machine import FluenceMode, Machine
from sim.plan.course import Beam, ControlPoint, Course, Finding
from sim.plan.timing import beam_duration_us, dose_rate, segment_duration_us, travels

__all__ = ["beam_duration_us", "check", "quality_finding", "segment_duration_us"]

_DURATION_SLACK = 1_000_000  # us; the plan's time limit is compared with our shortest time


def check(course: Course, machine: Machine) -> list[Finding]:
    """All reasons why ``machine`` cannot deliver ``course``; empty when it can."""
    found: list[Finding] = []
    for target in course.targets:
        if not target.beams:
            found.append(
                _error(
                    "no-beams",
                    f"target {target.id}",
                    "the target has no beams; give it at least one or leave it out",
                )
            )
        for beam in target.beams:
            found += _Violations(beam).collect(_check_beam(beam, machine))
    return found


def quality_finding(machine: Machine, energy_mv: int, mode: FluenceMode, where: str) -> Finding | None:
    """The error for a beam quality this machine does not have, or None when it has it."""
    if machine.beam_quality(energy_mv, mode) is not None:
        return None
    known = ", ".join(f"{q.energy_mv} MV {q.fluence_mode}" for q in machine.beams)
    return _error(
        "energy-not-available",
        where,
        f"{energy_mv} MV {mode} is not among the beams of {machine.name} ({known}); choose a machine "
        "file that has it or plan the beam with one of these",
    )


class _Violation:
    """One violated limit at one control point, before repeated ones are folded together."""

    def __init__(self, code: str, index: int | None, message: str, key: str = "") -> None:
        self.code, self.index, self.message, self.key = code, index, message, key


class _Violations:
    def __init__(self, beam: Beam) -> None:
        self._where = f"beam {beam.number}"

    def collect(self, violations: Iterator[_Violation]) -> list[Finding]:
        first: dict[tuple[str, str], _Violation] = {}
        more: dict[tuple[str, str], int] = {}
        for violation in violations:
            key = (violation.code, violation.key)
            if key in first:
                more[key] = more.get(key, 0) + 1
            else:
                first[key] = violation
        return [self._finding(violation, more.get(key, 0)) for key, violation in first.items()]

    def _finding(self, violation: _Violation, more: int) -> Finding:
        where = self._where if violation.index is None else f"{self._where}, control point {violation.index}"
        again = f" (and {more} more in this beam)" if more else ""
        return _error(violation.code, where, violation.message + again)


def _check_beam(beam: Beam, machine: Machine) -> Iterator[_Violation]:
    where = f"beam {beam.number}"
    missing = quality_finding(machine, beam.energy_mv, beam.fluence_mode, where)
    if missing is not None:
        yield _Violation(missing.code, None, missing.message)
    if beam.meterset > machine.max_beam_meterset:
        yield _Violation(
            "meterset-too-large",
            None,
            f"{beam.meterset / 1000:.3f} MU is above the {machine.max_beam_meterset / 1000:.0f} MU "
            f"a single beam of {machine.name} can be preset to; split the beam",
        )
    pairs = len(beam.control_points[0].leaves) // 2
    if pairs and pairs not in machine.mlc.leaf_pairs:
        accepted = ", ".join(str(n) for n in machine.mlc.leaf_pairs)
        yield _Violation(
            "leaf-count",
            None,
            f"{pairs} leaf pairs; {machine.mlc.name} of {machine.name} accepts {accepted}. Choose a "
            "machine file whose leaf_pairs has this number",
        )
    for index, point in enumerate(beam.control_points):
        yield from _check_axes(index, point, machine)
        yield from _check_jaws_and_leaves(index, point, machine)
    if missing is None:
        yield from _check_rates(beam, machine)


def _check_axes(index: int, point: ControlPoint, machine: Machine) -> Iterator[_Violation]:
    values = {
        "gantry": (point.gantry, "degree"),
        "collimator": (point.collimator, "degree"),
        "couch_rotation": (point.couch_rotation, "degree"),
        "jaw_x1": (point.jaws[0], "mm"),
        "jaw_x2": (point.jaws[1], "mm"),
        "jaw_y1": (point.jaws[2], "mm"),
        "jaw_y2": (point.jaws[3], "mm"),
    }
    for name, limits in machine.axes.items():
        if name not in values:
            continue
        value, unit = values[name]
        if not limits.minimum <= value <= limits.maximum:
            yield _Violation(
                "axis-out-of-range",
                index,
                f"{name} at {value / 100:.2f} {unit} is outside {limits.minimum / 100:.2f} to "
                f"{limits.maximum / 100:.2f} {unit} of {machine.name}; change the plan or the "
                "machine file",
                key=name,
            )


def _check_jaws_and_leaves(index: int, point: ControlPoint, machine: Machine) -> Iterator[_Violation]:
    x1, x2, y1, y2 = point.jaws
    for name, low, high in (("x", x1, x2), ("y", y1, y2)):
        if low > high:
            yield _Violation(
                "jaws-cross",
                index,
                f"jaw {name}1 at {low / 100:.2f} mm is beyond {name}2 at {high / 100:.2f} mm; "
                "the first must not be larger than the second",
                key=name,
            )
    pairs = len(point.leaves) // 2
    reach = machine.mlc.reach
    for pair in range(pairs):
        first, second = point.leaves[pair], point.leaves[pairs + pair]
        if first > second:
            yield _Violation(
                "leaves-overlap",
                index,
                f"leaf pair {pair + 1}: tip {first / 100:.2f} mm is beyond the opposing tip "
                f"{second / 100:.2f} mm; the first must not be larger than the second",
            )
        for tip in (first, second):
            if abs(tip) > reach:
                yield _Violation(
                    "leaf-out-of-reach",
                    index,
                    f"leaf pair {pair + 1} at {tip / 100:.2f} mm is more than {reach / 100:.2f} mm "
                    f"from the axis of {machine.name}",
                )


def _check_rates(beam: Beam, machine: Machine) -> Iterator[_Violation]:
    quality = machine.beam_quality(beam.energy_mv, beam.fluence_mode)
    assert quality is not None
    last = len(beam.control_points) - 1
    for index, point in enumerate(beam.control_points):
        if point.dose_rate > quality.max_dose_rate:
            yield _Violation(
                "dose-rate-too-high",
                index,
                f"{point.dose_rate} MU/min is above the {quality.max_dose_rate} MU/min of "
                f"{beam.energy_mv} MV {beam.fluence_mode} on {machine.name}; lower the planned rate "
                "or use a machine file with this rate",
            )
        if index == last:
            break
        meterset = beam.control_points[index + 1].meterset - point.meterset
        if meterset <= 0:
            continue
        duration = segment_duration_us(machine, beam, index)
        rate = meterset * 60_000 / duration
        if min(rate, dose_rate(machine, beam, index)) < machine.min_dose_rate:
            slowest = max(
                travels(machine, point, beam.control_points[index + 1]),
                key=lambda travel: travel.duration_us,
                default=None,
            )
            cause = (
                f"{meterset / 1000:.3f} MU while {slowest.axis} needs {slowest.duration_us / 1e6:.2f} s"
                if slowest is not None
                else "the planned rate itself"
            )
            yield _Violation(
                "dose-rate-too-low",
                index,
                f"{rate:.2f} MU/min is below the {machine.min_dose_rate} MU/min {machine.name} can "
                f"hold ({cause}); give this segment more meterset or less travel",
            )
    if beam.duration_limit_s is not None:
        duration = beam_duration_us(machine, beam)
        if duration > beam.duration_limit_s * 1_000_000 + _DURATION_SLACK:
            yield _Violation(
                "duration-limit-too-short",
                None,
                f"the shortest delivery takes {duration / 1e6:.1f} s, the plan's Beam Delivery "
                f"Duration Limit is {beam.duration_limit_s:.1f} s; raise the limit in the plan",
            )


def _error(code: str, where: str, message: str) -> Finding:
    return Finding("error", code, where, message)
