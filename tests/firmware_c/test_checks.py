"""The core as it is passes every check that verification drives it with."""

from __future__ import annotations

import pytest

from hil.boards import native
from tests.firmware_c.checks import Core, all_checks

pytestmark = pytest.mark.skipif(bool(native.missing()), reason=native.missing())


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    return Core(tmp_path_factory.mktemp("core"), ("-O2",))


@pytest.mark.parametrize("name", all_checks())
def test_the_core_passes(name: str, core: Core) -> None:
    all_checks()[name](core)
