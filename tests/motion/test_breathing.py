"""Breaths have the form, the spread and the source they say they have."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_model.contract import FRACTION_BITS
from firmware_model.diagnostics import DocumentError
from sim.clinic.breathing import LINES, IrregularForm, RecordedForm, RegularForm
from sim.clinic.breathing_file import HEADER, THINNING, read_recording, thin
from sim.clinic.motion_schema import IrregularBreathing, RegularBreathing
from sim.clinic.paths import MM, value_at

EXAMPLE = Path(__file__).parents[2] / "scenarios" / "motion" / "traces" / "synthetic_breathing.csv"


def regular(**keys: object) -> RegularBreathing:
    return RegularBreathing.model_validate({"kind": "regular", "period": "4 s", "amplitude": "12 mm", **keys})


@pytest.mark.parametrize(("exponent", "share"), [(1, 0.004), (3, 0.008), (6, 0.015)])
def test_a_regular_breath_is_the_published_curve_within_the_stated_share(exponent: int, share: float) -> None:
    form = RegularForm(regular(exponent=exponent))
    breath = form.breath(0)
    assert breath.duration_us == 4_000_000
    assert breath.inhale_us == 2_000_000
    assert len(breath.points) == LINES + 1
    worst = max(
        abs(value_at(breath.points, t) / MM - 12 * math.cos(math.pi * (t / 4e6 - 0.5)) ** (2 * exponent))
        for t in range(0, 4_000_001, 1_000)
    )
    assert share / 2 < worst / 12 < share


def test_the_mean_position_is_that_of_the_curve() -> None:
    # The mean of cos^6 is 5/16.
    assert RegularForm(regular()).mean / MM == pytest.approx(12 * 5 / 16, abs=0.01)


def test_phases_count_from_end_inhale() -> None:
    low, high = RegularForm(regular()).phase_span(30, 70)
    assert low == 0
    assert high / MM == pytest.approx(12 * math.cos(math.pi * 0.3) ** 6, abs=0.1)


def irregular(seed: int = 1, **keys: object) -> IrregularForm:
    given_ = IrregularBreathing.model_validate(
        {"kind": "irregular", "period": "4 s", "amplitude": "12 mm", **keys}
    )
    return IrregularForm(given_, Random(seed))


def test_irregular_breaths_join_and_stay_within_two_sigma() -> None:
    form = irregular(period_spread=10, amplitude_spread=20, baseline_spread="1 mm")
    durations, tops, ends = [], [], []
    position = 0
    for _ in range(400):
        breath = form.breath(position)
        assert breath.points[0] == (0, position)
        position = breath.points[-1][1]
        durations.append(breath.duration_us)
        tops.append(max(y for _, y in breath.points) / MM)
        ends.append(position / MM)
    assert 3_200_000 <= min(durations) < 3_300_000 < 4_700_000 < max(durations) <= 4_800_000
    assert 7.2 <= min(tops) < 8 < 16 < max(tops) <= 16.8
    assert -2 <= min(ends) < -1.5 < 1.5 < max(ends) <= 2


def test_the_seed_decides_the_breaths() -> None:
    first, again, other = ([form.breath(0) for _ in range(5)] for form in map(irregular, (1, 1, 2)))
    assert first == again != other


def test_a_recording_is_cut_at_end_exhale_and_repeats() -> None:
    recording = read_recording(EXAMPLE)
    form = RecordedForm(recording)
    assert 3_400_000 < form.period_us < 4_800_000
    assert 8 < form.inhale / MM < 13
    whole = [b for b in recording.breaths if b[1] is not None]
    assert 11 <= len(whole) <= 14
    position, first = 0, []
    for _ in range(2 * len(recording.breaths)):
        breath = form.breath(position)
        assert breath.points[0][1] == position
        position = breath.points[-1][1]
        first.append(breath.points[1:])
    half = len(recording.breaths)
    assert first[:half] == first[half:]
    exhales = [points[0][1] / MM for points, inhale in whole if inhale is not None]
    assert abs(sum(exhales) / len(exhales)) < 0.15


@settings(deadline=None)
@given(st.lists(st.integers(-(10**7), 10**7), min_size=2, max_size=60))
def test_a_thinned_path_stays_within_the_tolerance(heights: list[int]) -> None:
    path = [(40_000 * i, y) for i, y in enumerate(heights)]
    thinned = thin(path, THINNING)
    assert set(thinned) <= set(path)
    assert (thinned[0], thinned[-1]) == (path[0], path[-1])
    assert all(abs(value_at(thinned, t) - y) <= THINNING + 1 for t, y in path)


def test_thinning_keeps_few_points() -> None:
    lines = EXAMPLE.read_text().splitlines()
    kept = sum(len(points) for points, _ in read_recording(EXAMPLE).breaths)
    assert kept < len(lines) / 4


def wave(count: int = 120, period: int = 20) -> list[str]:
    return [f"{i / 10:.1f},{6 - 6 * math.cos(2 * math.pi * i / period):.2f}" for i in range(count)]


def refusal(tmp_path: Path, text: str) -> str:
    file = tmp_path / "trace.csv"
    file.write_text(text)
    with pytest.raises(DocumentError) as refused:
        read_recording(file)
    return str(refused.value)


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text("\n".join([HEADER, *wave()]) + "\n")
    form = RecordedForm(read_recording(file))
    assert form.period_us == 2_000_000
    assert form.inhale / MM == pytest.approx(12, abs=0.1)
    assert form.inhale >> FRACTION_BITS < 1_210


@pytest.mark.parametrize(
    ("line", "text", "words"),
    [
        (1, "t,x", "first line"),
        (7, "0.5", "1 cells"),
        (7, "0.5,1,2", "3 cells"),
        (7, "0.5,", "no number for position_mm"),
        (7, "0.5, 1", "no number for position_mm"),
        (7, "nan,1", "no number for time_s"),
        (7, "0.5,inf", "no number for position_mm"),
        (7, "0.4,3", "0.0 s after the sample before"),
        (7, "3.5,3", "3.1 s after the sample before"),
        (7, "0.5,120", "more than 100 mm"),
        (7, "0.5,60", "more than 200 mm/s"),
        (7, "1e9,3", "at most 100000 s"),
    ],
)
def test_a_wrong_line_is_refused_at_its_place(tmp_path: Path, line: int, text: str, words: str) -> None:
    lines = [HEADER, *wave()]
    lines[line - 1] = text
    message = refusal(tmp_path, "\n".join(lines) + "\n")
    assert f"trace.csv:{line}:" in message
    assert words in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "first line"),
        (HEADER + "\n", "no breathing"),
        ("\n".join([HEADER, *wave(25)]), "fewer than two whole breaths"),
        ("\n".join([HEADER, *(f"{i / 10},3" for i in range(100))]), "no breathing"),
        ("\n".join([HEADER, *wave(110)]), "the trace repeats, but ends"),
    ],
)
def test_a_file_that_is_no_breathing_is_refused(tmp_path: Path, text: str, words: str) -> None:
    assert words in refusal(tmp_path, text)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"trace\.csv: No such file"):
        read_recording(tmp_path / "trace.csv")
