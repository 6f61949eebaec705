"""The dose model against what others measured or computed; :mod:`tests.dose.accuracy` has the rows."""

from __future__ import annotations

import pytest

from tests.dose.accuracy import Row, all_rows, cross_dose


@pytest.mark.parametrize("row", all_rows(), ids=lambda row: row.what)
def test_agrees_with_the_golden_number(row: Row) -> None:
    assert abs(row.off) <= row.limit, row.line()


def test_energy_hardly_matters_in_the_plane_of_the_beams() -> None:
    six, ten = cross_dose(6, "flattened")[0], cross_dose(10, "fff")[0]
    for r in (3, 5, 8, 10):
        assert ten[r] == pytest.approx(six[r], rel=0.06)
