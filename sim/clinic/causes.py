"""Why there is no beam, and how a diligent person clears it: each cause at its place, resets in order."""

from __future__ import annotations

from firmware_model.contract import Outputs
from firmware_model.states import Command, State
from firmware_model.table import Table
from sim.clinic.console import NOTICE_S, WALK_S, Console, Steps
from sim.clock import US_PER_S
from sim.linac.linac import Linac


class Causes:
    """Finds and clears what stands in the way."""

    def __init__(self, console: Console, linac: Linac, table: Table, resets_physics: bool) -> None:
        self._console, self._linac, self._table = console, linac, table
        self._resets_physics = resets_physics

    def clear(self, deadline: int) -> Steps:
        """Go through causes and latches in the right order. False when something stays."""
        console, room = self._console, self._linac.room
        while console.env.now < deadline:
            outputs = console.outputs
            if console.state is State.off:
                yield from console.send(Command.power_on)
                yield from console.until(lambda o: o.state not in (State.off, State.self_test), 30 * US_PER_S)
            elif console.state is State.standby:
                yield from console.send(Command.prepare)
            elif room.emergency_pressed:
                yield console.after(WALK_S)
                console.act("release the emergency stop")
                room.release_emergency_stop()
            elif self._room_is_open:
                yield from self.secure_room()
            elif outputs.local_reset_due:
                yield console.after(WALK_S)
                yield from console.send(Command.reset_local)
                yield console.after(WALK_S)
            elif self._live(outputs):
                yield from console.until(
                    lambda o: not self._live(o), min(30 * US_PER_S, deadline - console.env.now)
                )
            elif outputs.latched:
                reply = yield from console.send(Command.reset_operator)
                if not reply.accepted:
                    if not self._resets_physics:
                        return False
                    yield console.after((300, 600))
                    reply = yield from console.send(Command.reset_physics)
                    if not reply.accepted:
                        return False
            else:
                return True
        return False

    def secure_room(self) -> Steps:
        """If the room is open, or not searched since it was: go there, search and close it."""
        if self._room_is_open:
            yield self._console.after(WALK_S)
            self._linac.room.open_door()
            yield from self.close_room()

    @property
    def _room_is_open(self) -> bool:
        return self._linac.room.door_open or not self._linac.lines.seen("last_person_out")

    def close_room(self) -> Steps:
        """Search the room and close its door, in time for the search to count."""
        console, room = self._console, self._linac.room
        console.act("search the room")
        room.press_last_person_out()
        yield console.after((5, 12))
        room.close_door()
        console.act("close the door")
        yield console.after(NOTICE_S)

    def standing(self) -> str:
        """What stands in the way now, by name."""
        outputs = self._console.outputs
        mask = outputs.latched | self._live(outputs)
        names = [name for i, name in enumerate(self._table.interlock_ids) if mask >> i & 1]
        if names:
            return ", ".join(names)
        name = self._console.name
        return name(outputs.reply.blocked_by) or name(outputs.first_up) or "operator stop"

    def _live(self, outputs: Outputs) -> int:
        """Tripped rows whose cause has to go away; the controller's own findings end with their reset."""
        mask = outputs.tripped
        for index, row in enumerate(self._table.interlocks.values()):
            if row.stop in ("hold", "complete") or row.trips_when.kind == "flag":
                mask &= ~(1 << index)
        return mask
