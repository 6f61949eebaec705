"""Partial delivery against the examples of DICOM PS3.3 C.8.8.21.2.2 and as a property of any split."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.plan.partial import delivered, delivered_metersets

#: Metersets at start and end, control points and stops are those of the standard's three examples; it shows
#: totals and stops, the metersets of the control points in between are ours.
EXAMPLES = [
    ([0, 50], [(0, 18), (18, 50)], [[0, 18], [18, 50]], [18, 32]),
    (
        [0, 20, 40, 50],
        [(0, 25), (25, 30), (30, 50)],
        [[0, 20, 25, 25], [25, 25, 30, 30], [30, 30, 40, 50]],
        [25, 5, 20],
    ),
    (
        [0, 10, 20, 27, 30, 40, 50],
        [(0, 25), (30, 50)],
        [[0, 10, 20, 25, 25, 25, 25], [30, 30, 30, 30, 30, 40, 50]],
        [25, 20],
    ),
]


@pytest.mark.parametrize(("specified", "stretches", "records", "primary"), EXAMPLES)
def test_the_examples_of_the_standard(
    specified: list[int],
    stretches: list[tuple[int, int]],
    records: list[list[int]],
    primary: list[int],
) -> None:
    assert [delivered_metersets(specified, *stretch) for stretch in stretches] == records
    assert [delivered(specified, *stretch)[-1] for stretch in stretches] == primary


def test_a_part_that_was_never_delivered_stays_missing() -> None:
    specified, stretches, _, _ = EXAMPLES[2]
    totals = [sum(parts) for parts in zip(*(delivered(specified, *s) for s in stretches), strict=True)]
    assert totals == [0, 10, 20, 25, 25, 35, 45]


@st.composite
def splits(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Control points of a beam and the metersets at which it was interrupted."""
    steps = draw(st.lists(st.integers(0, 40_000), min_size=1, max_size=20).filter(any))
    specified = [0]
    for step in steps:
        specified.append(specified[-1] + step)
    stops = draw(st.lists(st.integers(0, specified[-1]), max_size=6))
    return specified, sorted({0, *stops, specified[-1]})


@given(splits())
def test_interruptions_at_any_meterset_change_no_total(beam: tuple[list[int], list[int]]) -> None:
    specified, stops = beam
    parts = [delivered(specified, start, end) for start, end in pairwise(stops)]
    assert [sum(points) for points in zip(*parts, strict=True)] == specified


@given(splits())
def test_records_never_fall_and_stay_within_their_stretch(beam: tuple[list[int], list[int]]) -> None:
    specified, stops = beam
    for start, end in pairwise(stops):
        record = delivered_metersets(specified, start, end)
        assert record == sorted(record)
        assert all(start <= meterset <= end for meterset in record)
