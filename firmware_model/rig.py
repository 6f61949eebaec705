"""The wire to a controller, as far as a scenario may disturb it. Only what stands behind a wire has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class LineFaults:
    """How often each thing happens to a frame, as a probability from 0 to 1."""

    drop: float = 0
    corrupt: float = 0  # one bit of one byte
    cut: float = 0  # the rest of the frame is lost, its end with it
    duplicate: float = 0
    delay: float = 0  # it comes after the next one or two
    noise: float = 0  # a few bytes before it
    baud: int | None = None  # bytes take the time of this rate, 10 bits each
    unplug_after: int | None = None  # frames


@runtime_checkable
class Rig(Protocol):
    """A controller behind a wire."""

    def disturb(self, faults: LineFaults, seed: str) -> None:
        """From now on the wire does this, by random draws of this seed."""

    def restore(self) -> None:
        """The wire is good again."""

    def unplug(self) -> None:
        """The connection ends; the next use of it raises ControllerFailed."""

    def wire_report(self) -> dict[str, int]:
        """What went over the wire and what was done to it, as counts."""
