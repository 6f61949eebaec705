"""Who moves first: the loop that joins the event-driven plant and the scanned controller.

Within one instant ``t`` the order is always the same:

1. every plant event due at or before ``t`` is processed, in SimPy's order;
2. if ``t`` is a scan, the controller scans the lines as they now are;
3. what the scan decided reaches the plant at the same ``t``; what the plant makes of it is seen by
   the next scan at the earliest.

Between two plant events every line is constant or linear, so the controller is asked to run the
whole stretch at once and to stop at its first change of an output.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import simpy

from firmware_model.contract import (
    RETAINED_REGIONS,
    Controller,
    Flip,
    Outputs,
    Reply,
    ResetCause,
    Segment,
)
from firmware_model.rig import Rig
from firmware_model.states import Command
from sim.clock import US_PER_MS, Clock
from sim.linac.lines import Lines

#: Hardware window watchdog: no scan for this long opens the permit relay and restarts the controller.
WATCHDOG_US = 50 * US_PER_MS  # engineering default
RESTART_US = 200 * US_PER_MS  # time a restart takes, engineering default

Obey = Callable[[Outputs, Outputs], None]


class Conductor:
    """Owns the loop. ``scan_us`` is the controller's scan period."""

    def __init__(self, env: Clock, lines: Lines, controller: Controller, scan_us: int) -> None:
        self.env, self.lines, self.controller, self.scan_us = env, lines, controller, scan_us
        self.listeners: list[Obey] = []
        self.tick = 0  # the next scan to run
        self.scans = 0  # scans run so far
        self.segments = 0  # calls into the controller
        self.outputs = controller.reset(ResetCause.power)
        self._commands: deque[tuple[Command, simpy.Event]] = deque()
        self._outages = 0  # losses of power that last
        self._restarts = 0  # a newer reason to be down makes a restart under way void
        self._down = False
        self._hung_since: int | None = None
        self._hung_by = 0  # causes of the present hang that have not ended
        self.idle_steps: list[str] = []  # would disturb a wire, and there is none
        self._flips: list[Flip] = []  # since the last scan

    def command(self, command: Command) -> simpy.Event:
        """Give the controller a command in its next scan; the event yields its :class:`Reply`."""
        answered = self.env.event()
        self._commands.append((command, answered))
        # An event now makes the loop stop here even if nothing else is due.
        self.env.timeout(0)
        return answered

    def lose_power(self) -> None:
        """The controller's supply fails; its outputs drop now. Several losses may overlap."""
        self._outages += 1
        if self._outages == 1:
            self._go_down(self.controller.reset(ResetCause.power))

    def restore_power(self) -> None:
        """One loss of power is over; with the last one the controller starts anew."""
        self._outages -= 1
        if not self._outages:
            self._up()

    def hang(self) -> int | None:
        """Fault: the controller stops scanning with its outputs as they are. Returns which hang it is.

        One that restarts or has no power does not scan anyway: nothing changes, and None is returned.
        One that hangs already goes on hanging until every cause of it has ended.
        """
        if self._down:
            return None
        if self._hung_since is None:
            self._hung_since = hung = self.env.now
            self._hung_by = 0
            self.env.call_in(WATCHDOG_US, lambda: self._bark(hung))
        self._hung_by += 1
        return self._hung_since

    def recover(self, hang: int | None) -> None:
        """A cause of this hang ends; with the last one before the watchdog barks, scans go on.

        They had a gap, so everything is read anew.
        """
        if hang is not None and hang == self._hung_since:
            self._hung_by -= 1
            if not self._hung_by:
                self._hung_since = None
                self.lines.repeat_all()

    def rig(self, step: str) -> Rig | None:
        """The wire to the controller. None if it stands behind none; then the step is noted as idle."""
        if isinstance(self.controller, Rig):
            return self.controller
        if step not in self.idle_steps:
            self.idle_steps.append(step)
        return None

    def flip(self, flip: Flip) -> None:
        """A bit of the controller's memory flips. Its next scan finds that and restarts it instead.

        One that hangs or has no power does not look: its restart clears its memory, and nothing changes.
        """
        if not self._down and self._hung_since is None:
            self._flips.append(flip)

    def _find(self, now: int) -> None:
        """The scan at ``now`` finds what has flipped. Outputs drop at its instant."""
        flips, self._flips = self._flips, []
        # One restart repairs all; what loses the retained memory decides what is left.
        worst = next((f for f in flips if f.region in RETAINED_REGIONS), flips[0])
        self.env.call_in(now - self.env.now, lambda: self._upset(worst))

    def _upset(self, flip: Flip) -> None:
        self._go_down(self.controller.upset(flip))
        self._restart_later()

    def _bark(self, hung_since_us: int) -> None:
        """The watchdog opens the permit and restarts a controller that still hangs."""
        if self._hung_since == hung_since_us:
            self._go_down(self.controller.reset(ResetCause.watchdog))
            self._restart_later()

    def _restart_later(self) -> None:
        restart = self._restarts
        self.env.call_in(RESTART_US, lambda: self._restarted(restart))

    def _restarted(self, restart: int) -> None:
        if restart == self._restarts:
            self._up()

    def _go_down(self, outputs: Outputs) -> None:
        """Outputs are those of a restart now; the controller scans nothing until it is up again."""
        self._restarts += 1
        self._hung_since = None
        self._flips = []
        self._down = True
        self._deliver(outputs)

    def _up(self) -> None:
        self._down = False
        self.lines.repeat_all()

    def run(self, until_us: int, finished: simpy.Event) -> bool:
        """Run until ``finished`` has happened or ``until_us`` is reached. True: finished."""
        env = self.env
        while True:
            now = self.tick * self.scan_us
            while env.peek() <= now:
                env.step()
            if finished.processed:
                return True
            if now >= until_us:
                return False
            self._scan_from(now, until_us)

    def _scan_from(self, now: int, until_us: int) -> None:
        """Run scans from the present tick to the next plant event or output change."""
        upcoming = int(min(self.env.peek(), until_us))
        ticks = max(1, -(-upcoming // self.scan_us) - self.tick)
        if self._down or self._hung_since is not None:
            self.tick += ticks
            return
        if self._flips:
            self._find(now)
            self.tick += 1
            return
        command, answered = self._commands.popleft() if self._commands else (Command.none, None)
        segment = Segment(1 if answered else ticks, self.lines.changes(now), command)
        advance = self.controller.run(segment)
        self.scans += advance.ticks
        self.segments += 1
        at = now + (advance.ticks - 1) * self.scan_us
        self.tick += advance.ticks
        if advance.outputs != self.outputs:
            outputs = advance.outputs
            self.env.call_in(at - self.env.now, lambda: self._deliver(outputs))
        if answered is not None:
            self._answer(answered, advance.outputs.reply, at)

    def _answer(self, answered: simpy.Event, reply: Reply, at_us: int) -> None:
        """Show the console the reply at the instant of its scan."""

        def show() -> None:
            answered.succeed(reply)

        self.env.call_in(at_us - self.env.now, show)

    def _deliver(self, outputs: Outputs) -> None:
        before, self.outputs = self.outputs, outputs
        for listener in tuple(self.listeners):
            listener(before, outputs)


__all__ = ["RESTART_US", "WATCHDOG_US", "Conductor", "Reply"]
