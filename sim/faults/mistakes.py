"""Mistakes of people: at the console, in the records, around the image."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from firmware_model.quantity import Duration
from sim.clinic.identity import token
from sim.faults.base import BaseFault, SettingFault
from sim.machine import FluenceMode
from sim.world import World


class WrongIdentity(SettingFault):
    """The console confirms another patient, plan, target or fraction than the one selected."""

    kind: Literal["wrong_identity"]
    what: Literal["patient", "plan", "target", "fraction"]

    def apply(self, world: World) -> None:
        self._set(world, mistaken=True)

    def clear(self, world: World) -> None:
        self._set(world, mistaken=False)

    def _set(self, world: World, mistaken: bool) -> None:
        if self.what == "target":
            world.imaging.mistake_target(mistaken)
            return
        (world.records.mistaken.add if mistaken else world.records.mistaken.discard)(self.what)
        world.records.refresh()


class StaleImage(SettingFault):
    """No new image is taken: the match is made on the last one, even if it shows another target."""

    kind: Literal["stale_image"]

    def apply(self, world: World) -> None:
        world.imaging.image_stale = True

    def clear(self, world: World) -> None:
        world.imaging.image_stale = False


class ShiftNotApplied(SettingFault):
    """The couch shift after the match is forgotten."""

    kind: Literal["shift_not_applied"]

    def apply(self, world: World) -> None:
        world.imaging.shift_not_applied = True

    def clear(self, world: World) -> None:
        world.imaging.shift_not_applied = False


class ShiftTwice(SettingFault):
    """The couch shift after the match is applied twice."""

    kind: Literal["shift_applied_twice"]

    def apply(self, world: World) -> None:
        world.imaging.shift_applied_twice = True

    def clear(self, world: World) -> None:
        world.imaging.shift_applied_twice = False


class EditInSettling(BaseFault):
    """Another beam quality is selected first and edited to the right one while the machine settles."""

    kind: Literal["edit_in_settling"]
    energy_mv: Annotated[int, Field(ge=4, le=25, description="of the quality selected first, MV")]
    fluence_mode: FluenceMode
    noticed_after: Annotated[Duration, Field(le=60_000_000, description="time until the edit")]

    def apply(self, world: World) -> None:
        wrong = world.linac.machine.beam_quality(self.energy_mv, self.fluence_mode)
        if wrong is not None:
            world.operator.delivery.first_selects = (wrong, self.noticed_after)

    def clear(self, world: World) -> None:
        world.operator.delivery.first_selects = None


class Hurry(SettingFault):
    """The check is asked for at once, before magnet, filter and axes have settled."""

    kind: Literal["hurry"]

    def apply(self, world: World) -> None:
        world.operator.delivery.hurries = True

    def clear(self, world: World) -> None:
        world.operator.delivery.hurries = False


class ProceedRepeatedly(BaseFault):
    """After a stop "proceed" is pressed so often before anyone looks into the cause."""

    kind: Literal["proceed_repeatedly"]
    times: Annotated[int, Field(ge=1, le=100)]

    def apply(self, world: World) -> None:
        world.operator.delivery.proceeds = self.times

    def clear(self, world: World) -> None:
        world.operator.delivery.proceeds = 0


class OverrideLeft(BaseFault):
    """An override of the image's age, given for another plan, is still on."""

    kind: Literal["override_left"]

    def apply(self, world: World) -> None:
        world.records.override_image_age(token("plan", "another"))

    def clear(self, world: World) -> None:
        world.records.end_override()


class OutputCheckSkipped(SettingFault):
    """The daily output check is not done."""

    kind: Literal["output_check_skipped"]

    def apply(self, world: World) -> None:
        world.operator.skips_output_check = True

    def clear(self, world: World) -> None:
        world.operator.skips_output_check = False
