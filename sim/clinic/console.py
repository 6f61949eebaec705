"""The treatment console as a person uses it: buttons, what the screen shows, and human time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from random import Random
from typing import Any

import simpy

from firmware_model.contract import Outputs, Reply
from firmware_model.states import Command, State
from firmware_model.table import Table
from sim.clock import Clock
from sim.conductor import Conductor
from sim.record.trace import Trace

Steps = Generator[simpy.Event, Any, Any]

#: Reacting to an alarm at the console, pressing the next button, walking to or from the room (s).
NOTICE_S = (2, 6)
PRESS_S = (1, 3)
WALK_S = (15, 30)


class SessionAbandoned(Exception):
    """The operator gives the session up; what was delivered is recorded."""


class TargetRefused(SessionAbandoned):
    """The ledger does not clear this target; the others may still be treated."""


class Console:
    """Every act takes human time, drawn from the run's seed."""

    def __init__(self, env: Clock, conductor: Conductor, table: Table, trace: Trace, random: Random) -> None:
        self.env, self.trace = env, trace
        self._conductor, self._table, self._random = conductor, table, random
        self._outputs_changed = env.event()
        conductor.listeners.append(self._notice)

    @property
    def outputs(self) -> Outputs:
        """What the controller shows."""
        return self._conductor.outputs

    @property
    def state(self) -> State:
        return self._conductor.outputs.state

    def name(self, index: int) -> str | None:
        """The interlock at a place of the table; None for -1."""
        return self._table.interlock_ids[index] if index >= 0 else None

    def send(self, command: Command) -> Steps:
        """Press a button after the time that takes; the console shows the controller's answer."""
        yield self.after(PRESS_S)
        reply: Reply = yield from self.press(command)
        yield self.env.timeout(2 * self._conductor.scan_us)  # the screen follows the controller
        return reply

    def press(self, command: Command) -> Steps:
        """Press a button now."""
        reply: Reply = yield self._conductor.command(command)
        self.trace.event(
            self.env.now,
            "command",
            command=command.name,
            accepted=reply.accepted,
            reason=self.name(reply.blocked_by) if not reply.accepted else None,
        )
        return reply

    def after(self, seconds: tuple[int, int]) -> simpy.Event:
        """Human time, uniform between two bounds in seconds."""
        return self.env.timeout(self._random.randint(seconds[0] * 1000, seconds[1] * 1000) * 1000)

    def until(self, condition: Callable[[Outputs], bool], limit_us: int | None) -> Steps:
        """Wait for the controller's outputs to satisfy a condition, at most ``limit_us``."""
        deadline = None if limit_us is None else self.env.timeout(limit_us)
        while not condition(self._conductor.outputs):
            if deadline is not None and deadline.processed:
                return
            changed = self._outputs_changed
            yield changed if deadline is None else changed | deadline

    def act(self, act: str) -> None:
        """Note what the person does."""
        self.trace.event(self.env.now, "operator", act=act, detail="")

    def _notice(self, before: Outputs, after: Outputs) -> None:
        event, self._outputs_changed = self._outputs_changed, self.env.event()
        event.succeed()
