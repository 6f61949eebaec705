"""The measurement of links, on a few segments: it exchanges what it says, and an echo comes back whole."""

from __future__ import annotations

import pytest

from firmware_model.table_loading import load_table
from hil.boards import KINDS
from tests.bench import links

ON_PTY = links.on_pty


@pytest.mark.parametrize("kind", ["process", "virtual", "qemu:lm3s6965evb", "simavr:atmega328p"])
def test_a_board_is_measured_beside_its_echo(kind: str) -> None:
    if KINDS[kind].missing():
        pytest.skip(f"{kind}: {KINDS[kind].missing()}")
    found: dict[str, float] = {}
    texts: dict[str, str] = {}

    def emit(name: str, value: float, unit: str, reference: str) -> None:
        found[name], texts[name] = value, reference

    links.one_board(kind, load_table(), links.headline_segments()[:5], emit)
    rows = ("lockstep", "bare_echo", "lockstep_over_echo", "asking")
    assert set(found) == {f"{row}_{kind}" for row in rows}
    assert all(value > 0 for value in found.values())
    sent, received = (int(words) for words in texts[f"lockstep_{kind}"].split(" bytes")[0].split(" + "))
    assert sent > 30
    assert received > 12  # SET_DONE, the shortest reply


def test_an_echo_that_never_comes_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    if KINDS["virtual"].missing():
        pytest.skip(KINDS["virtual"].missing())
    monkeypatch.setattr(links, "ECHO_TIMEOUT_S", 0.2)
    monkeypatch.setattr(links, "on_pty", lambda _, resources: ON_PTY(lambda data: b"", resources))
    with pytest.raises(TimeoutError, match="no echo within"):
        links.echo("virtual", load_table(), 50, 1)
