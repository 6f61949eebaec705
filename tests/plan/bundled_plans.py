"""The RT Plans that ship inside installed packages, found without knowing where they are installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

_TEMPLATES = "_experimental/serviceplans/templates"


def pydicom_file(name: str) -> Path:
    found = get_testdata_file(name)
    assert isinstance(found, str), f"pydicom does not ship {name}"
    return Path(found)


def pymedphys_file(name: str) -> Path:
    spec = importlib.util.find_spec("pymedphys")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("pymedphys is not installed")
    root = Path(spec.submodule_search_locations[0])
    return root / ("tests/dicom/data/rtplan" if name == "06MV_plan.dcm" else _TEMPLATES) / name
