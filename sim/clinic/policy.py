"""What the person at the console does when a beam stops, as a scenario chooses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sim.clinic.motion_schema import Reimaging
from sim.clock import US_PER_MIN

#: How long the operator waits for a cause to go away before giving the beam up.
PATIENCE_US = 10 * US_PER_MIN
#: A beam that keeps ending early is not tried for ever (engineering default).
MAX_CONTINUATIONS = 3
#: Nor is one that a moving patient interrupts again and again (engineering default).
MAX_MOTION_STOPS = 3


@dataclass(frozen=True, slots=True)
class Policy:
    """What this operator does when a beam stops."""

    after_interrupt: Literal["resume", "terminate", "wait"] = "resume"
    after_terminate: Literal["leave", "continue", "wait"] = "leave"
    resets_physics: bool = False
    reimaging: Reimaging | None = None
