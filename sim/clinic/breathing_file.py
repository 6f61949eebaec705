"""Reading a measured breathing trace: a CSV file of times in seconds and positions in millimetres.

Positions are counted towards inhalation. The mean end-exhale position of the file becomes 0. The
trace is cut into breaths at its end-exhale points and thinned to straight lines that stay within
0.05 mm of every sample. From its last sample it goes straight to its first, in the time of the last
interval, and repeats.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path as FilePath

from firmware_model.contract import FRACTION_BITS, ONE
from firmware_model.diagnostics import DocumentError, Source, Span
from sim.clinic.paths import Path, Point
from sim.clock import US_PER_S

HEADER = "time_s,position_mm"
#: What a trace of a person may look like (engineering defaults).
LONGEST_FILE = 4_000_000  # characters
LATEST_S = 100_000
INTERVAL_S = (Decimal("0.01"), Decimal(1))
LARGEST_MM = 100
LARGEST_SPEED_MM_S = 200
LEAST_EXCURSION_MM = 1
THINNING = 5 << FRACTION_BITS  # 0.05 mm


@dataclass(frozen=True, slots=True)
class Recording:
    """Breaths of a file: points from each one's start, and its end inhale (None: cut off by the file)."""

    breaths: tuple[tuple[tuple[Point, ...], int | None], ...]


def read_recording(path: FilePath) -> Recording:
    """Read and check a breathing trace. Raises DocumentError at the line that is wrong."""
    name = str(path)
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as problem:
        raise _refused(Source(name, ""), None, problem.strerror or "cannot be read") from None
    except UnicodeDecodeError:
        raise _refused(Source(name, ""), None, "is no UTF-8 text") from None
    if len(text) > LONGEST_FILE:
        raise _refused(Source(name, ""), None, f"has {len(text)} characters, more than {LONGEST_FILE}")
    source = Source(name, text.replace("\r\n", "\n"))
    points = _points(source, text.replace("\r\n", "\n").removesuffix("\n").split("\n"))
    turns = _turns(points)
    lows = [index for index, is_low in turns if is_low]
    if len(lows) < 3:
        raise _refused(source, None, "has fewer than two whole breaths, from end exhale to end exhale")
    exhale = sum(points[i][1] for i in lows) // len(lows)
    points = [(t, y - exhale) for t, y in points]
    last, before = points[-1], points[-2]
    steps = [abs(b[1] - a[1]) for a, b in pairwise(points)]
    jump = abs(points[0][1] - last[1])
    if jump > max(steps):
        raise _refused(
            source,
            Span(len(points) + 1, 1),
            f"the trace repeats, but ends {jump / ONE / 100:.2f} mm from where it starts, more than any step "
            f"within it ({max(steps) / ONE / 100:.2f} mm)",
            "cut it where it comes back to its first position",
        )
    points.append((2 * last[0] - before[0], points[0][1]))
    cuts = [0, *(i for i in lows if 0 < i < len(points) - 1), len(points) - 1]
    highs = [index for index, is_low in turns if not is_low]
    breaths = []
    for start, end in pairwise(cuts):
        t0 = points[start][0]
        peak = next((points[i][0] - t0 for i in highs if start < i < end), None)
        whole = start in lows and end in lows
        thinned = thin(points[start : end + 1], THINNING)
        breaths.append((tuple((t - t0, y) for t, y in thinned), peak if whole else None))
    return Recording(tuple(breaths))


def _points(source: Source, lines: list[str]) -> list[Point]:
    """Every sample as (us, 32.16 of 0.01 mm), checked."""
    if lines[0] != HEADER:
        raise _refused(source, Span(1, 1), f"the first line must be {HEADER!r}")
    points: list[Point] = []
    previous: tuple[Decimal, Decimal] | None = None
    for number, line in enumerate(lines[1:], 2):
        cells = line.split(",")
        if len(cells) != 2:
            raise _refused(source, Span(number, 1), f"{len(cells)} cells; a line is a time and a position")
        time_s = _number(source, number, 1, cells[0], "time_s")
        position = _number(source, number, len(cells[0]) + 2, cells[1], "position_mm")
        if abs(time_s) > LATEST_S:
            raise _refused(source, Span(number, 1, len(cells[0])), f"{time_s} s; at most {LATEST_S} s")
        if abs(position) > LARGEST_MM:
            raise _refused(
                source,
                Span(number, len(cells[0]) + 2, len(cells[1])),
                f"{position} mm is more than {LARGEST_MM} mm from 0; positions are in mm",
            )
        if previous is not None:
            interval = time_s - previous[0]
            if not INTERVAL_S[0] <= interval <= INTERVAL_S[1]:
                raise _refused(
                    source,
                    Span(number, 1, len(cells[0])),
                    f"{interval} s after the sample before; allowed are {INTERVAL_S[0]} to {INTERVAL_S[1]} s",
                )
            speed = abs(position - previous[1]) / interval
            if speed > LARGEST_SPEED_MM_S:
                raise _refused(
                    source,
                    Span(number, len(cells[0]) + 2, len(cells[1])),
                    f"{speed:.0f} mm/s since the sample before, more than {LARGEST_SPEED_MM_S} mm/s",
                )
        previous = (time_s, position)
        points.append((round(time_s * US_PER_S), round(position * 100 * ONE)))
    if not points or max(y for _, y in points) - min(y for _, y in points) < LEAST_EXCURSION_MM * 100 * ONE:
        raise _refused(source, None, f"moves by less than {LEAST_EXCURSION_MM} mm: no breathing")
    start = points[0][0]
    return [(t - start, y) for t, y in points]


def _number(source: Source, line: int, column: int, text: str, name: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or text != text.strip() or "_" in text:
        raise _refused(source, Span(line, column, max(1, len(text))), f"{text!r} is no number for {name}")
    return value


def _turns(points: Path) -> list[tuple[int, bool]]:
    """Turning points (index, is it an end exhale), each followed by a quarter of the usual travel."""
    ordered = sorted(y for _, y in points)
    travel = ordered[len(ordered) * 9 // 10] - ordered[len(ordered) // 10]
    enough = max(1, travel // 4)
    turns: list[tuple[int, bool]] = []
    low = high = 0
    falling: bool | None = None  # not known before the first full turn
    for index, (_, y) in enumerate(points):
        if y > points[high][1]:
            high = index
        if y <= points[low][1]:
            low = index
        if falling is not False and y - points[low][1] >= enough:
            if falling:
                turns.append((low, True))
            falling, high = False, index
        elif falling is not True and points[high][1] - y >= enough:
            if falling is False:
                turns.append((high, False))
            falling, low = True, index
    return turns


def thin(points: Path, tolerance: int) -> list[Point]:
    """A path through some of the points, within ``tolerance`` of all (Douglas and Peucker 1973)."""
    keep = {0, len(points) - 1}
    pending = [(0, len(points) - 1)]
    while pending:
        first, last = pending.pop()
        (t0, y0), (t1, y1) = points[first], points[last]
        worst, at = tolerance, -1
        for index in range(first + 1, last):
            t, y = points[index]
            gap = abs(y - (y0 + (y1 - y0) * (t - t0) // (t1 - t0)))
            if gap > worst:
                worst, at = gap, index
        if at >= 0:
            keep.add(at)
            pending += [(first, at), (at, last)]
    return [points[index] for index in sorted(keep)]


def _refused(source: Source, span: Span | None, message: str, suggestion: str | None = None) -> DocumentError:
    return DocumentError([source.problem(span, message, suggestion)])
