"""A board and the reference model side by side, with inputs that behave like a treatment machine's.

Both get the same segments. The first tick and output in which they differ ends the comparison.
"""

from __future__ import annotations

from firmware_model.contract import ONE, Change, Controller, Outputs, ResetCause, Segment
from firmware_model.states import Command, State
from firmware_model.table import Table
from hil.healthy import healthy_inputs
from hil.lockstep import Lockstep

#: Commands that lead from a state towards irradiation when nothing is wrong.
ONWARDS = {
    State.off: (Command.power_on,),
    State.standby: (Command.prepare,),
    State.preparatory: (Command.reset_local, Command.reset_physics, Command.begin_check),
    State.ready: (Command.beam_on,),
    State.interrupted: (Command.reset_local, Command.reset_physics, Command.resume),
    State.terminated: (Command.reset_local, Command.reset_physics, Command.acknowledge),
    State.emergency: (Command.reset_local, Command.reset_physics, Command.restart),
}


class Twin:
    """The pair with its inputs."""

    def __init__(self, board: Controller, table: Table) -> None:
        self.pair, self.table = Lockstep(board, table), table
        self.healthy = healthy_inputs(table)
        self.seen: set[int] = set()  # interlocks that have shown in the outputs
        self.answers = True  # False: nothing reacts to the proof test
        self._bits = {1 << i: i for i in range(len(table.interlocks))}
        self._forced: tuple[Change, ...] = ()  # what the proof test's lines go back to
        self.reset(ResetCause.power)

    # ---- inputs ----------------------------------------------------------------------------------

    def now(self, signal: int) -> int:
        """Fixed-point value of a signal at the coming tick."""
        value, slope, since = self._lines[signal]
        return value + slope * (self.tick - since)

    def change(self, *changes: Change) -> None:
        """From the next scan on."""
        self._pending += changes

    def heal(self) -> None:
        """From the next scan on everything is healthy; dose counts from the start."""
        for signal in range(len(self._lines)):
            line = self._healthy(signal)
            start = self.healthy.values[signal] * ONE
            self._pending += (line._replace(value=start) if signal in self.healthy.beam else line,)

    def _healthy(self, signal: int) -> Change:
        always, beam = self.healthy.always, self.healthy.beam
        if signal in beam:
            return Change(signal, self.now(signal), beam[signal] if self.outputs.permit else 0)
        if signal in always:
            return Change(signal, self.now(signal), always[signal])
        return Change(signal, self.healthy.values[signal] * ONE)

    def _react(self, before: Outputs) -> None:
        """What a plant does about changed outputs: answer the proof test, start and stop the beam."""
        outputs = self.outputs
        if outputs.test_line != before.test_line:
            self.change(*self._forced)
            self._forced = ()
            if outputs.test_line and self.answers:
                name = self.table.interlock_ids[outputs.test_line - 1]
                proof = self.table.interlocks[name].proof or {}
                forced = {self.table.signal_index[s]: self.table.counts(s, v) for s, v in proof.items()}
                # Afterwards each goes on from where it was.
                self._forced = tuple(self._healthy(signal) for signal in forced)
                self.change(*(Change(signal, value * ONE) for signal, value in forced.items()))
        if outputs.permit != before.permit:
            self.change(*(self._healthy(signal) for signal in self.healthy.beam))

    # ---- time ------------------------------------------------------------------------------------

    @property
    def tick(self) -> int:
        """Scans since the last reset."""
        return self.pair.tick

    @property
    def state(self) -> State:
        return self.outputs.state

    def reset(self, cause: ResetCause) -> None:
        """Both restart; then their outputs and their retained memory are compared."""
        self.outputs = self.pair.reset(cause)
        safe = [signal.counts(signal.safe) for signal in self.table.signals.values()]
        self._lines = [(value * ONE, 0, 0) for value in safe]
        self._pending: tuple[Change, ...] = ()
        self._forced = ()
        self.heal()

    def run(self, ticks: int, command: Command = Command.none) -> None:
        """``ticks`` scans; the plant reacts after every change of an output."""
        while ticks > 0:
            ticks -= self._advance(ticks, command)
            command = Command.none

    def _advance(self, ticks: int, command: Command) -> int:
        changes, self._pending = self._pending, ()
        for signal, value, slope in changes:
            self._lines[signal] = (value, slope, self.tick)
        before = self.outputs
        advance = self.pair.run(Segment(ticks, changes, command))
        self.outputs = advance.outputs
        self._note(before)
        self._react(before)
        return advance.ticks

    def reach(self, goal: State, patience: int = 60) -> bool:
        """Do what an operator would do to come to ``goal``; whether that succeeded."""
        while self.state is not goal and patience > 0:
            for command in ONWARDS.get(self.state, (Command.none,)):
                self.run(1 if command else 20 if self.state is State.check else 200, command)
                patience -= 1
                if self.state is goal:
                    break
        return self.state is goal

    def compare_retained(self) -> None:
        """Raises Differs when what a loss of power would leave is not the same."""
        self.pair.compare_retained()

    def _note(self, before: Outputs) -> None:
        shown = self.outputs.tripped | self.outputs.latched
        self.seen |= {i for bit, i in self._bits.items() if shown & bit}
        if self.outputs.first_up >= 0:
            self.seen.add(self.outputs.first_up)
        if before.state in (State.irradiation, State.hold) and self.state is State.preparatory:
            # The normal end leaves the state it acts in at once, and shows nowhere else.
            rows = self.table.interlocks.values()
            self.seen |= {i for i, row in enumerate(rows) if row.stop == "complete"}
