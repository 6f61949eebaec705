"""What moves in a session and how it is managed, as one choice of a scenario."""

from __future__ import annotations

from dataclasses import dataclass

from sim.clinic.breathing import RecordedForm, RegularForm, make_breathing
from sim.clinic.breathing_file import Recording
from sim.clinic.motion_schema import Breathing, Gating, IntrafractionDrift, Surrogate


@dataclass(frozen=True, slots=True)
class Motion:
    """Nothing moves and nothing is gated unless the scenario says so."""

    breathing: Breathing | None = None
    recording: Recording | None = None  # what the file of ``breathing`` holds
    gating: Gating | None = None
    drift: IntrafractionDrift | None = None

    @property
    def surrogate(self) -> Surrogate:
        return self.breathing.surrogate if self.breathing is not None else Surrogate()

    def breathing_form(self, seed: str) -> RegularForm | RecordedForm | None:
        """The supply of breaths, drawn from the seed where it varies."""
        if self.breathing is None:
            return None
        return make_breathing(self.breathing, self.recording, seed)


#: Nothing moves.
STILL = Motion()
