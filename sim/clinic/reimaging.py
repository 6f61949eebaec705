"""Images during a session: the first after set-up, and more when the policy asks for them.

In the state ``interrupted`` the motors are not permitted, so a shift found then cannot be applied:
the beam is ended, the shift applied, and the remainder delivered as a continuation.
"""

from __future__ import annotations

from firmware_model.quantity import format_duration
from firmware_model.table import Table
from sim.clinic.console import Console, Steps
from sim.clinic.gating import Gate
from sim.clinic.imaging import Imaging
from sim.clinic.motion_schema import Reimaging
from sim.clock import US_PER_S
from sim.plan.course import Target

#: DICOM code of interlocks that say the patient moves other than planned.
PATIENT_MOTION = "130479"


class Imager:
    """The person taking images; ``rules`` None: only after set-up."""

    def __init__(
        self, console: Console, imaging: Imaging, gate: Gate, table: Table, rules: Reimaging | None
    ) -> None:
        self._console, self._imaging, self._gate = console, imaging, gate
        self._table, self._rules = table, rules
        self.shift_is_due = False  # found in a beam, to be applied before the next

    def first(self, target: Target) -> Steps:
        """After set-up: image, shift, and the marker's position as reference."""
        yield from self._imaging.image(target)
        yield from self._shift(target)

    def before_beam(self, target: Target) -> Steps:
        """Apply what was found in the last beam; take a new image when the last one is too old."""
        if self.shift_is_due:
            yield from self._shift(target)
        elif self._rules is not None and self._imaging.age_us > self._rules.older_than:
            yield from self._again(target, f"the last image is {_seconds(self._imaging.age_us)} old")
            if self.shift_is_due:
                yield from self._shift(target)

    def wants_image(self, interrupted_us: int) -> bool:
        """Whether an interruption of this length, or its cause, asks for an image."""
        if self._rules is None:
            return False
        return self.caused_by_motion() or interrupted_us > self._rules.interrupted_for

    def caused_by_motion(self) -> bool:
        """Whether the first cause of the last stop is an interlock of patient motion."""
        first_up = self._console.name(self._console.outputs.first_up)
        return first_up is not None and self._table.interlocks[first_up].dicom_code == PATIENT_MOTION

    def in_interruption(self, target: Target) -> Steps:
        """Take an image now; ``shift_is_due`` says whether the beam has to be ended for a shift."""
        yield from self._again(target, "the beam was interrupted")

    def _again(self, target: Target, reason: str) -> Steps:
        assert self._rules is not None, "images are taken again by rule"
        self._console.act(f"take another image: {reason}")
        yield from self._imaging.image(target)
        self.shift_is_due = self._imaging.shift > self._rules.shift_above

    def _shift(self, target: Target) -> Steps:
        yield from self._imaging.apply_shift(target)
        self._gate.capture_reference()
        self.shift_is_due = False


def _seconds(duration_us: int) -> str:
    return format_duration(duration_us // US_PER_S * US_PER_S)
