"""The treatment room: door with two contacts, search circuit, emergency stop, camera, touch guards."""

from __future__ import annotations

from sim.clock import US_PER_MS, US_PER_S, Clock
from sim.linac.lines import Lines
from sim.record.trace import Sample, Trace

#: Second contact follows the first when the door moves (engineering default).
CONTACT_STAGGER_US = 30 * US_PER_MS
#: The door must be closed within this time of the last-person-out button (published site practice: 30 s).
SEARCH_WINDOW_US = 30 * US_PER_S


class Room:
    """Truth of the room and what its sensors say."""

    def __init__(self, env: Clock, lines: Lines, trace: Trace) -> None:
        self._env, self._lines = env, lines
        self.door_open = True
        self.emergency_pressed = False
        self._searched_at: int | None = None
        self._searched = False
        self._door_channel = trace.channel("door_open", "bool")
        self._stop_channel = trace.channel("emergency_pressed", "bool")
        self._door_channel.samples.append(Sample(env.now, True))
        self._stop_channel.samples.append(Sample(env.now, False))
        for name in ("emergency_loop", "viewing_link", "touch_guard"):
            lines.drive(name, True)
        lines.drive("clearance", 300)  # mm; engineering default for a patient on the couch
        for name in ("door_contact_a", "door_contact_b", "last_person_out"):
            lines.drive(name, False)

    def open_door(self) -> None:
        """Someone opens the door; a search done before no longer counts."""
        if self.door_open:
            return
        self.door_open = True
        self._searched = False
        self._searched_at = None
        self._door_channel.samples.append(Sample(self._env.now, True))
        self._lines.drive("door_contact_a", False)
        self._lines.drive("last_person_out", False)
        self._after_stagger("door_contact_b", wanted_open=True)

    def close_door(self) -> None:
        """The door is closed; the search counts if its button was pressed less than 30 s ago."""
        if not self.door_open:
            return
        now = self._env.now
        self.door_open = False
        self._searched = self._searched_at is not None and now - self._searched_at <= SEARCH_WINDOW_US
        self._searched_at = None
        self._door_channel.samples.append(Sample(now, False))
        self._lines.drive("door_contact_a", True)
        self._lines.drive("last_person_out", self._searched)
        self._after_stagger("door_contact_b", wanted_open=False)

    def press_last_person_out(self) -> None:
        """The last person leaving presses the button inside the room."""
        self._searched_at = self._env.now

    def press_emergency_stop(self) -> None:
        """The loop opens and stays open until the button is released."""
        self._set_emergency(True)

    def release_emergency_stop(self) -> None:
        """The pressed button is pulled out again."""
        self._set_emergency(False)

    def _set_emergency(self, pressed: bool) -> None:
        if pressed != self.emergency_pressed:
            self.emergency_pressed = pressed
            self._stop_channel.samples.append(Sample(self._env.now, pressed))
            self._lines.drive("emergency_loop", not pressed)

    def _after_stagger(self, contact: str, *, wanted_open: bool) -> None:

        def follow() -> None:
            if self.door_open == wanted_open:
                self._lines.drive(contact, not wanted_open)

        self._env.call_in(CONTACT_STAGGER_US, follow)
