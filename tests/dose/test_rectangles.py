"""The tabulated integral over rectangles against direct integration."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.dose.rectangles import corner, over_rectangles

LENGTHS = st.floats(1e-3, 60.0)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(60)


def direct(u: float, v: float) -> float:
    """H(u, v) in polar coordinates, in pieces that shrink towards the end of each angle."""

    def wedge(length: float, width: float) -> float:
        total, limit = 0.0, math.atan2(width, length)
        edges = [limit * (1 - 0.5**k) for k in range(24)] + [limit]
        for low, high in pairwise(edges):
            phi = low + (high - low) * (NODES + 1) / 2
            total += float(np.sum(WEIGHTS * -np.expm1(-length / np.cos(phi)))) * (high - low) / 2
        return total

    return wedge(u, v) + wedge(v, u)


@given(LENGTHS, LENGTHS)
def test_corner_is_the_integral(u: float, v: float) -> None:
    assert float(corner(np.array(u), np.array(v))) == pytest.approx(direct(u, v), abs=3e-4)


@given(LENGTHS, LENGTHS)
def test_corner_is_odd(u: float, v: float) -> None:
    plus = float(corner(np.array(u), np.array(v)))
    assert float(corner(np.array(-u), np.array(v))) == -plus
    assert float(corner(np.array(-u), np.array(-v))) == plus


def test_everything_is_a_full_turn() -> None:
    far = np.array(1e3)
    assert float(over_rectangles(np.array(1.0), -far, far, -far, far)) == pytest.approx(2 * math.pi, abs=1e-3)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.1, 5), st.floats(0.1, 5), st.floats(0.1, 6))
def test_rectangles_add_up(x: float, y: float, width: float, height: float, a: float) -> None:
    def over(x1: float, x2: float, y1: float, y2: float) -> float:
        return float(over_rectangles(np.array(a), *(np.array(e) for e in (x1, x2, y1, y2))))

    middle = x + 0.3 * width
    whole = over(x, x + width, y, y + height)
    parts = over(x, middle, y, y + height) + over(middle, x + width, y, y + height)
    assert parts == pytest.approx(whole, abs=1e-9)
    assert whole >= -1e-6


def test_a_disc_of_strips_is_the_closed_form() -> None:
    radius, a = 2.0, 4.0
    edges = np.linspace(-radius, radius, 401)
    half = np.sqrt(radius**2 - ((edges[1:] + edges[:-1]) / 2) ** 2)
    found = over_rectangles(np.array(a), -half, half, edges[:-1], edges[1:]).sum()
    assert float(found) == pytest.approx(2 * math.pi * -math.expm1(-a * radius), rel=1e-3)
