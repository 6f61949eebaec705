"""Comparing schedules of different fraction size: BED and EQD2 of the linear-quadratic model.

A dose d given at once counts as d (1 + d / (alpha/beta)); doses given on different days add. Repair
within a fraction and repopulation are left out. The model is widely held to overrate the effect of
single doses above about 10 Gy; use the figures to compare, not to prescribe.

alpha/beta differs between tissues and authors. The values here are engineering defaults.
"""

from __future__ import annotations

from collections.abc import Sequence

TUMOUR_ALPHA_BETA = 10.0
"""Gy, engineering default."""
LATE_ALPHA_BETA = 3.0
"""Gy, late-responding tissue; engineering default."""
CORD_ALPHA_BETA = 2.0
"""Gy, spinal cord; engineering default."""


def bed(doses: Sequence[float], alpha_beta: float = TUMOUR_ALPHA_BETA) -> float:
    """Biologically effective dose (Gy) of doses (Gy) given on different days.

    Raises ValueError for a negative dose and for an alpha/beta that is not above 0.
    """
    if not alpha_beta > 0:
        raise ValueError(f"alpha/beta is {alpha_beta:g} Gy, must be above 0")
    negative = next((dose for dose in doses if not dose >= 0), None)
    if negative is not None:
        raise ValueError(f"a dose is {negative:g} Gy, must not be negative")
    return sum(dose * (1 + dose / alpha_beta) for dose in doses)


def eqd2(doses: Sequence[float], alpha_beta: float = TUMOUR_ALPHA_BETA) -> float:
    """Dose (Gy) in fractions of 2 Gy with the same effect. Raises ValueError like :func:`bed`."""
    return bed(doses, alpha_beta) / (1 + 2 / alpha_beta)
