"""Partial delivery of a beam, as treatment records state it.

DICOM PS3.3 C.8.8.21.2.2, Delivered Meterset: of a stretch that began at ``start`` and ended at
``end`` the record of a control point specified at ``m`` says ``max(start, min(m, end))``.
"""

from __future__ import annotations

from collections.abc import Sequence


def delivered_metersets(specified: Sequence[int], start: int, end: int) -> list[int]:
    """What the record of one stretch says at each control point; cumulative metersets in mMU."""
    return [max(start, min(meterset, end)) for meterset in specified]


def delivered(specified: Sequence[int], start: int, end: int) -> list[int]:
    """The stretch's own share up to each control point, mMU: Delivered Meterset without what came before.

    The shares of all stretches of a beam add up to what it received, so a part that no stretch
    delivered stays missing.
    """
    return [meterset - start for meterset in delivered_metersets(specified, start, end)]
