"""What every fault is: a part of a scenario that can be applied to the world and taken off again.

Faults on a signal change what its line carries, never the plant's truth. Faults of a subsystem
change what really happens. ``apply`` and ``clear`` are called at the instants the scenario asks for.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sim.world import World


class BaseFault(BaseModel):
    model_config = ConfigDict(extra="forbid")

    def apply(self, world: World) -> None:
        raise NotImplementedError(type(self).__name__)

    def clear(self, world: World) -> None:
        raise NotImplementedError(type(self).__name__)
