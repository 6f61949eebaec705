"""Faults of the wire to the controller's board. In the model's world it does not exist: no event differs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from firmware_model.rig import LineFaults
from sim.faults.base import BaseFault, Number, SettingFault
from sim.world import World

RATES = ("drop", "corrupt", "cut", "duplicate", "delay", "noise")
Percent = Annotated[Number, Field(ge=0, le=50, description="of the frames, in each direction")]


class WireDisturbed(SettingFault):
    """Frames between computer and board get lost or damaged at random; both repeat until all is right."""

    kind: Literal["wire_disturbed"]
    drop: Percent = 0
    corrupt: Annotated[Percent, Field(description="per cent of frames in which one bit flips")] = 0
    cut: Annotated[Percent, Field(description="per cent of frames that lose their end")] = 0
    duplicate: Annotated[Percent, Field(description="per cent of frames that come twice")] = 0
    delay: Annotated[Percent, Field(description="per cent of frames that come after later ones")] = 0
    noise: Annotated[Percent, Field(description="per cent of frames with stray bytes before them")] = 0
    baud: Annotated[int | None, Field(ge=1200, description="the wire is as slow as this, bit/s")] = None

    def apply(self, world: World) -> None:
        rates = {name: getattr(self, name) / 100 for name in RATES}
        faults = LineFaults(**rates, baud=self.baud)
        rig = world.conductor.rig(self._name)
        if rig is not None:
            rig.disturb(faults, f"{world.seed}/{self._name}")

    def clear(self, world: World) -> None:
        rig = world.conductor.rig(self._name)
        if rig is not None:
            rig.restore()


class WireUnplugged(BaseFault):
    """The connection to the board ends, and with it the run: a rig error."""

    kind: Literal["wire_unplugged"]

    def apply(self, world: World) -> None:
        rig = world.conductor.rig(self._name)
        if rig is not None:
            rig.unplug()

    def clear(self, world: World) -> None:
        """Nothing to mend: the run has ended."""
