"""What a DICOM beam writes at its control points, one quantity at a time, made explicit.

Attributes that do not change are written at the first control point only and inherited by the
later ones. Whatever cannot be delivered raises Refused with the place.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from sim.plan.course import Point
from sim.plan.dicom_values import Values, half_up
from sim.plan.findings import Findings, Refused
from sim.plan.rotation import AngleAt, Sense, unwrap

# Angle, direction of the following segment, and the direction in which the IEC 61217 angle grows.
_ROTATIONS: dict[str, tuple[str, str, Sense]] = {
    "gantry": ("GantryAngle", "GantryRotationDirection", "CW"),
    "collimator": ("BeamLimitingDeviceAngle", "BeamLimitingDeviceRotationDirection", "CC"),
    "couch": ("PatientSupportAngle", "PatientSupportRotationDirection", "CC"),
}
# Moved by no plan the simulator can deliver; noise of the export is smaller than the tolerance.
_MUST_STAND_STILL = {
    "TableTopVerticalPosition": ("mm", Decimal("0.01")),
    "TableTopLongitudinalPosition": ("mm", Decimal("0.01")),
    "TableTopLateralPosition": ("mm", Decimal("0.01")),
    "TableTopEccentricAngle": ("degree", Decimal("0.01")),
    "TableTopPitchAngle": ("degree", Decimal("0.01")),
    "TableTopRollAngle": ("degree", Decimal("0.01")),
}
_WEIGHT_TOLERANCE = Fraction(1, 10_000)  # of the final weight: exports round it to 4 to 6 digits


def check_count(item: Values, points: list[Values]) -> None:
    """Raise Refused unless there are at least two control points, complete and in order."""
    stated = item.whole("NumberOfControlPoints")
    if stated is not None and stated != len(points):
        raise Refused(
            "control-point-count",
            item.where,
            f"NumberOfControlPoints is {stated} but {len(points)} are there; the file is truncated or "
            "damaged, export the plan again",
        )
    if len(points) < 2:
        raise Refused(
            "control-point-count",
            item.where,
            f"{len(points)} control points; a beam has at least 2, export it again",
        )
    for index, point in enumerate(points):
        written = point.whole("ControlPointIndex")
        if written is not None and written != index:
            raise Refused(
                "control-point-order",
                point.where,
                f"ControlPointIndex is {written}, {index} is expected; control points must be "
                "complete and in order",
            )


def metersets(item: Values, points: list[Values], meterset: Fraction, findings: Findings) -> list[int]:
    """Cumulative meterset (mMU) at every control point, rounded half up (DICOM PS3.3 C.8.8.14.1)."""
    weights: list[Fraction] = []
    for index, point in enumerate(points):
        weight = point.number("CumulativeMetersetWeight")
        if weight is None and index == 0:
            findings.warning(
                "meterset-weight-missing",
                point.where,
                "CumulativeMetersetWeight is missing; the first one is 0",
            )
            weight = Decimal(0)
        if weight is None:
            raise Refused(
                "meterset-weight-missing",
                point.where,
                "CumulativeMetersetWeight is missing; what is delivered up to here is unknown, export again",
            )
        weights.append(Fraction(weight))
    if weights[0] != 0:
        raise Refused(
            "meterset-weight-first",
            points[0].where,
            f"the first weight is {float(weights[0]):g}; it must be 0",
        )
    for index in range(1, len(weights)):
        if weights[index] < weights[index - 1]:
            raise Refused(
                "meterset-weight-decreases",
                points[index].where,
                f"CumulativeMetersetWeight falls from {float(weights[index - 1]):g} to "
                f"{float(weights[index]):g}; it is cumulative and must not fall",
            )
    last = weights[-1]
    if last <= 0:
        raise Refused(
            "meterset-weight-final", points[-1].where, "the last weight is 0, so the beam delivers nothing"
        )
    stated = item.number("FinalCumulativeMetersetWeight")
    if stated is None:
        findings.warning(
            "meterset-weight-final",
            item.where,
            f"FinalCumulativeMetersetWeight is missing; taken as {float(last):g}, that of the last "
            "control point",
        )
    elif abs(Fraction(stated) - last) > _WEIGHT_TOLERANCE * last:
        raise Refused(
            "meterset-weight-final",
            item.where,
            f"FinalCumulativeMetersetWeight is {stated} but the last control point has {float(last):g}; "
            "they must agree",
        )
    # The last control point gets exactly the beam's meterset, whatever digits its weight was cut to.
    return [half_up(meterset * weight / last, 1000) for weight in weights]


def rotation(item: Values, points: list[Values], axis: str, findings: Findings) -> list[int]:
    """Continuous angles (0.01 degree) of "gantry", "collimator" or "couch" at every control point."""
    return unwrap(_angles(points, axis, findings), _ROTATIONS[axis][2], axis, item.where, findings)


def _angles(points: list[Values], axis: str, findings: Findings) -> list[AngleAt]:
    keyword, direction_keyword, _ = _ROTATIONS[axis]
    angle: int | None = None
    direction = ""
    result = []
    for point in points:
        written = point.number(keyword)
        if written is not None:
            angle = half_up(written, 100)
        elif angle is None:
            if axis == "gantry":
                raise Refused("gantry-missing", point.where, f"{keyword} is missing; export the plan again")
            findings.warning(f"{axis}-missing", point.where, f"{keyword} is missing; taken as 0 degree")
            angle = 0
        direction = point.text(direction_keyword) or direction
        result.append(AngleAt(angle, direction, written is not None))
    return result


def isocentre(item: Values, points: list[Values]) -> Point:
    """The one isocentre (0.01 mm, patient coordinates) of the beam."""
    first: Point | None = None
    for point in points:
        numbers = point.numbers("IsocenterPosition")
        if numbers is None:
            continue
        if len(numbers) != 3:
            raise Refused(
                "isocentre-truncated",
                point.where,
                f"IsocenterPosition has {len(numbers)} of 3 values; export the plan again",
            )
        x, y, z = (half_up(value, 100) for value in numbers)
        if first is None:
            first = (x, y, z)
        elif max(abs(a - b) for a, b in zip(first, (x, y, z), strict=True)) > 1:
            raise Refused(
                "isocentre-moves",
                point.where,
                f"the isocentre moves from {_mm(first)} to {_mm((x, y, z))} within the beam; the couch "
                "does not move while a beam is on, split the beam",
            )
    if first is None:
        raise Refused(
            "isocentre-missing",
            item.where,
            "IsocenterPosition is missing, nothing can be set up; export again",
        )
    return first


def check_still(item: Values, points: list[Values], findings: Findings) -> None:
    """Raise Refused when the table top moves within the beam by more than export noise."""
    for keyword, (unit, tolerance) in _MUST_STAND_STILL.items():
        first: Decimal | None = None
        for point in points:
            value = point.number(keyword)
            if value is None:
                continue
            if first is None:
                first = value
            elif abs(value - first) > tolerance:
                raise Refused(
                    "couch-moves",
                    point.where,
                    f"{keyword} moves from {first} to {value} {unit} within the beam (tolerance "
                    f"{tolerance}); a moving table top is not simulated",
                )
        if unit == "degree" and first is not None and abs(first) > tolerance:
            findings.warning(
                "couch-tilt-ignored",
                item.where,
                f"{keyword} is {first} degree; it is not simulated, taken as 0",
            )


def dose_rates(item: Values, points: list[Values], maximum: int, findings: Findings) -> list[int]:
    """Highest dose rate (MU/min) from every control point on; 0 or absent means ``maximum``."""
    rate = 0
    defaulted = False
    result = []
    for point in points:
        stated = point.number("DoseRateSet")
        if stated is not None:
            rate = half_up(stated, 1)
        if rate < 0:
            raise Refused(
                "dose-rate-negative", point.where, f"DoseRateSet is {rate} MU/min; it must be above 0"
            )
        defaulted = defaulted or rate == 0
        result.append(rate or maximum)
    if defaulted:
        findings.note(
            "dose-rate-defaulted",
            item.where,
            f"DoseRateSet is 0 or missing; the machine's maximum of {maximum} MU/min is used",
        )
    return result


def _mm(point: Point) -> str:
    return "(" + ", ".join(f"{value / 100:.2f}" for value in point) + ") mm"
