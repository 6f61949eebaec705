"""The integral of exp(-a r)/r over rectangles: what a field contributes at a point.

With lengths in units of 1/a the integral over the rectangle from the point itself to a corner
(u, v) is one function H(u, v) for every beam, depth and field; a rectangle anywhere is four of them
with signs, and a field is a sum of rectangles. H is tabulated once over the square roots of u and v,
where it is smooth, and interpolated between; :mod:`tests.dose` compares with direct integration.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: The table ends where exp(-u) is 1e-11, and H no longer changes.
_END = 25.0
_CELLS = 448
_CORNER = 12  # cells either way that are integrated more finely
_SCALE = _CELLS / _END**0.5


@lru_cache(maxsize=1)
def _table() -> NDArray[np.float32]:
    """H at the corners of the cells, row by row: the sum of what lies in the cells.

    In w = sqrt(u) the integrand 4 w1 w2 exp(-r)/r is bounded everywhere, so one point a cell will
    do, except in the corner, where it has no limit.
    """
    cells = _integral_of_cells(_CELLS, 1)
    cells[:_CORNER, :_CORNER] = _integral_of_cells(_CORNER, 8)
    table = np.zeros((_CELLS + 1, _CELLS + 1))
    table[1:, 1:] = cells.cumsum(axis=0).cumsum(axis=1)
    return table.ravel().astype(np.float32)  # half the memory: it stays in the processor's cache


def _integral_of_cells(count: int, parts: int) -> Array:
    """The integrand over each of the first cells either way, by the midpoints of parts of each cell."""
    step = 1 / _SCALE / parts
    w = (np.arange(count * parts) + 0.5) * step
    fourth = w**4
    r = np.sqrt(fourth[:, None] + fourth[None, :])
    integrand = np.exp(-r) / r * (4 * step**2 * w[:, None] * w[None, :])
    result: Array = integrand.reshape(count, parts, count, parts).sum(axis=(1, 3))
    return result


def corner(u: Array, v: Array) -> Array:
    """H(u, v): the integral from the point to the corner; odd in u and in v. Error below 5e-4."""
    return _corner(*_places(u), *_places(v))


def _places(u: Array) -> tuple[NDArray[np.intp], Array, Array]:
    """Cell, place within it and sign of every u along one axis of the table."""
    w = np.sqrt(np.minimum(np.abs(u), _END)) * _SCALE
    cell = np.minimum(w.astype(np.intp), _CELLS - 1)
    return cell, w - cell, np.sign(u)


def _corner(i: NDArray[np.intp], f: Array, s: Array, j: NDArray[np.intp], g: Array, t: Array) -> Array:
    flat = _table()
    at = i * (_CELLS + 1) + j
    here = flat.take(at)
    low: Array = g * (flat.take(at + 1) - here)
    low += here
    at += _CELLS + 1
    here = flat.take(at)
    high: Array = g * (flat.take(at + 1) - here)
    high += here
    high -= low
    high *= f
    low += high
    low *= s * t
    return low


def over_rectangles(a: Array, x1: Array, x2: Array, y1: Array, y2: Array) -> Array:
    """a times the integral of exp(-a r)/r over rectangles given relative to the point, in cm.

    The arguments broadcast against each other; ``a`` is in 1/cm.
    """
    left, right, low, high = _places(a * x1), _places(a * x2), _places(a * y1), _places(a * y2)
    result = _corner(*right, *high)
    result -= _corner(*left, *high)
    result -= _corner(*right, *low)
    result += _corner(*left, *low)
    return result
