"""The interlock controller, one scan at a time: the definition everything else is measured against.

The beam permit is computed in every scan as an AND over the table and the state; no callback
commands it and nothing remembers it. ``transitions`` holds the allowed graph; the controller
chooses at most one trigger a scan, in this order, so that a trip beats everything else:

    emergency > terminate > interrupt > complete > ordered stop > hold > command > release > end of a phase
"""

from __future__ import annotations

from transitions import Machine

from firmware_model.conditions import compile_condition
from firmware_model.contract import (
    FRACTION_BITS,
    MEMORY_REGIONS,
    RETAINED_REGIONS,
    Flip,
    Inputs,
    Outputs,
    Reply,
    ResetCause,
    Retained,
)
from firmware_model.rows import Row
from firmware_model.states import (
    BEAM_IN_PROGRESS,
    MOTION_PERMITTED,
    TRANSITIONS,
    TRIGGER_COMMANDS,
    Command,
    Latch,
    State,
    Stop,
)
from firmware_model.table import Reaches, Table

#: Sets of changed signals to remember the affected rows of; delivery uses a few dozen.
DUE_CACHE_SIZE = 1000


#: A person's stop of a beam is obeyed even in the scan in which it would only be held.
STOPPING = frozenset({Command.interrupt, Command.terminate})


class _Chart:
    """The object ``transitions`` drives; it has a state and nothing else."""

    state: str


class ScanningController:
    """The interlock firmware, one scan after the other."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.rows = [
            Row(table, i, name, compile_condition(table, row, self._flag))
            for i, (name, row) in enumerate(table.interlocks.items())
        ]
        self._prove = [i for i, row in enumerate(table.interlocks.values()) if row.proof is not None]
        for i in self._prove:
            forced = {table.signal_index[s] for s in table.interlocks[table.interlock_ids[i]].proof or {}}
            for row in self.rows:
                if row.touched & forced:
                    self.rows[i].proof_mask |= row.bit
        self._acting = {state: [r for r in self.rows if state in r.states] for state in State}
        self._no_hold_mask = sum(r.bit for r in self.rows if r.stop is not Stop.hold)
        self._motion_mask = sum(
            r.bit for r, row in zip(self.rows, table.interlocks.values(), strict=True) if row.stops_motion
        )
        self._beam_mask = sum(r.bit for r in self._acting[State.irradiation])
        self._meterset_signal = next(
            (
                table.signal_index[row.trips_when.signal]
                for row in table.interlocks.values()
                if isinstance(row.trips_when, Reaches) and row.stop == "complete"
            ),
            -1,
        )
        self._due_cache: dict[tuple[State, frozenset[int], int], tuple[list[Row], int]] = {}
        self._chart = _Chart()
        self._machine = Machine(
            model=self._chart,
            states=[s.name for s in State],
            initial=State.off.name,
            auto_transitions=False,
            send_event=False,
            queued=False,
            transitions=[
                {
                    "trigger": r.trigger,
                    "source": r.source.name,
                    "dest": r.dest.name,
                    "conditions": [getattr(self, r.guard)] if r.guard else None,
                }
                for r in TRANSITIONS
            ],
        )
        self._possible = {(r.source, r.trigger) for r in TRANSITIONS}
        self._flags: set[str] = set()
        self._latched = self._local_due = 0
        self._first_up = -1
        self._boots = 0
        self._cause = ResetCause.power
        self._meterset = 0
        self._start()

    # ---- reset and retained memory -------------------------------------------------------------

    def _start(self) -> None:
        """Volatile memory as after power-on: off, everything at its safe value."""
        table = self.table
        self._x = [signal.counts(signal.safe) for signal in table.signals.values()]
        self._v = [value << FRACTION_BITS for value in self._x]
        self._s = [0] * len(self._x)
        self._moving: frozenset[int] = frozenset()  # signals with a slope
        self._all_due = True  # every row has to be evaluated in the next scan
        self._pending = 0  # rows whose debounce is counting
        self._state = State.off
        self._chart.state = State.off.name
        self._tripped = 0
        self._reply = Reply(Command.none, True)
        self._phase_ticks = 0
        self._line = 0  # position in the list of lines to prove
        self._forcing = False
        for row in self.rows:
            row.count = 0
            row.condition.leave()
            row.condition.select()
        self.outputs = self._compute_outputs()

    def reset(self, cause: ResetCause) -> Outputs:
        """Restart. Latches, first-up, meterset and findings survive; a beam under way is ended."""
        if self._state in BEAM_IN_PROGRESS:
            self._flags.add("reset_in_beam")
        self._boots += 1
        self._cause = cause
        self._start()
        return self.outputs

    def upset(self, flip: Flip) -> Outputs:
        """Restart as firmware does that finds this bit flipped. Raises ValueError: no such region."""
        if flip.region not in MEMORY_REGIONS:
            raise ValueError(f"memory region {flip.region!r}; there are {', '.join(MEMORY_REGIONS)}")
        if flip.region in RETAINED_REGIONS:
            self._latched = self._local_due = self._meterset = self._boots = 0
            self._first_up = -1
            self._flags = {"reset_in_beam"}
            self._state = State.off
        return self.reset(ResetCause.watchdog)

    @property
    def retained(self) -> Retained:
        """What a power loss would leave."""
        return Retained(
            self._boots, self._cause, self._meterset, self._latched, self._local_due, self._first_up
        )

    def _flag(self, name: str) -> bool:
        return name in self._flags

    # ---- one scan ------------------------------------------------------------------------------

    def scan(self, inputs: Inputs) -> Outputs:
        """Exactly one tick with the given whole-LSB inputs. Raises ValueError on a wrong length."""
        if len(inputs.values) != len(self._x):
            raise ValueError(f"{len(inputs.values)} input values, the table has {len(self._x)} signals")
        self._x[:] = inputs.values
        self._v[:] = [value << FRACTION_BITS for value in inputs.values]
        for signal in self._moving:
            self._s[signal] = 0
        self._moving = frozenset()
        self._all_due = True
        return self._scan(inputs.command, self._moving)

    def _scan(self, command: Command, changed: frozenset[int]) -> Outputs:
        """One scan; ``changed`` are the signals that may differ from the scan before."""
        before, line = self._state, self._line
        self._evaluate(changed)
        self._step(command)
        if self._state is not before:
            self._enter(before)
            self._all_due = True
        elif self._line != line:
            self._all_due = True
        if self._meterset_signal >= 0 and (before in BEAM_IN_PROGRESS or self._state in BEAM_IN_PROGRESS):
            self._meterset = self._x[self._meterset_signal]  # the scan that ends a beam counts as well
        self.outputs = self._compute_outputs()
        return self.outputs

    def _evaluate(self, changed: frozenset[int]) -> None:
        """Conditions, debounce, latches. Rows under proof are read but cannot trip.

        A row without a memory whose signals did not change keeps its answer; if that is true and its
        debounce is counting, it counts on.
        """
        x = self._x
        if self._all_due:
            rows, tripped, pending = self._acting[self._state], 0, 0
        else:
            rows, visited = self._due(changed)
            tripped, pending = self._tripped & ~visited, self._pending & ~visited
        self._all_due = False
        masked = self._masked()
        for row in rows:
            if row.gate >= 0 and bool(x[row.gate]) is not row.gate_on:
                row.count = 0
                row.condition.leave()
            elif row.bit & masked or not row.condition.evaluate(x):
                row.count = 0
            else:
                if row.count < row.debounce:
                    row.count += 1
                if row.count < row.debounce:
                    pending |= row.bit
                else:
                    tripped |= row.bit
                    if self._latched & row.bit or self._state in row.latches_in:
                        self._latched |= row.bit
                        if row.latch is Latch.local:
                            self._local_due |= row.bit
        self._tripped, self._pending = tripped, pending

    def _due(self, changed: frozenset[int]) -> tuple[list[Row], int]:
        """Rows acting now whose answer may be another than before, and their mask.

        They remember something, read a changed signal, are counting, or tell of a finding, which a reset
        for another row may have ended.
        """
        key = (self._state, changed, self._pending)
        found = self._due_cache.get(key)
        if found is None:
            rows = [
                row
                for row in self._acting[self._state]
                if row.condition.remembers
                or row.finding
                or row.bit & self._pending
                or not changed.isdisjoint(row.touched)
            ]
            if len(self._due_cache) >= DUE_CACHE_SIZE:
                self._due_cache.clear()
            found = self._due_cache[key] = (rows, sum(row.bit for row in rows))
        return found

    def _masked(self) -> int:
        if self._state is State.check and self._line < len(self._prove):
            return self.rows[self._prove[self._line]].proof_mask
        return 0

    def _step(self, command: Command) -> None:
        """Choose and fire at most one trigger; everything a trip asks for comes first."""
        worst = self._worst_trip()
        if worst is Stop.emergency and self._stop("emergency", Stop.emergency):
            return self._refuse(command)
        if worst is not None and worst >= Stop.terminate and self._stop("terminate", Stop.terminate):
            return self._refuse(command)
        if worst is not None and worst >= Stop.interrupt and self._stop("interrupt", Stop.interrupt):
            return self._refuse(command)
        if worst is not None and self._stop("check_failed", Stop.hold):
            return self._refuse(command)
        if self._complete_tripped() and self._fire("complete"):
            return self._refuse(command)
        if worst is Stop.hold and command not in STOPPING and self._fire("hold"):
            return self._refuse(command)
        if command is not Command.none:
            return self._obey(command)
        if self._state is State.hold:
            self._fire("release")
        elif self._state is State.self_test:
            self._phase_ticks += 1
            if self._phase_ticks >= self.table.self_test_ticks:
                self._fire("self_test_passed")
        elif self._state is State.check:
            self._prove_line()
        return None

    def _worst_trip(self) -> Stop | None:
        """Most severe stop asked for by a tripped row, normal end aside."""
        worst: Stop | None = None
        remaining = self._tripped
        while remaining:
            bit = remaining & -remaining
            stop = self.rows[bit.bit_length() - 1].stop
            if stop is not Stop.complete and (worst is None or stop > worst):
                worst = stop
            remaining ^= bit
        return worst

    def _complete_tripped(self) -> bool:
        return (
            any(self._tripped & r.bit for r in self.rows if r.stop is Stop.complete)
            if self._tripped
            else False
        )

    def _stop(self, trigger: str, at_least: Stop) -> bool:
        """Fire a stop and keep its first cause: the most severe tripped row, in table order."""
        if not self._fire(trigger):
            return False
        if self._first_up < 0:
            causes = [r for r in self.rows if self._tripped & r.bit and r.stop >= at_least]
            worst = max(r.stop for r in causes)
            self._first_up = next(r.index for r in causes if r.stop is worst)
        return True

    def _fire(self, trigger: str) -> bool:
        """Fire a trigger if the graph and its guard allow it."""
        if (self._state, trigger) not in self._possible:
            return False
        fired = bool(self._machine.events[trigger].trigger(self._chart))
        if fired:
            self._state = State[self._chart.state]
        return fired

    def _enter(self, before: State) -> None:
        """A new state was entered in this scan: rows that no longer act forget what they saw."""
        after = self._state
        self._phase_ticks = 0
        for row in self._acting[before]:
            if after not in row.states:
                row.count = 0
                row.condition.leave()
                self._tripped &= ~row.bit
        if after is State.preparatory:
            for row in self.rows:
                row.condition.select()
        if after is State.check:
            self._line = 0
            self._forcing = bool(self._prove)
            self._first_up = -1
        if after is State.ready and before is State.interrupted:
            self._first_up = -1

    # ---- commands ------------------------------------------------------------------------------

    def _refuse(self, command: Command) -> None:
        if command is not Command.none:
            self._reply = Reply(command, False, self._first_bit(self._blocking()))

    def _obey(self, command: Command) -> None:
        trigger = TRIGGER_COMMANDS.get(command)
        accepted = self._reset_latches(command) if trigger is None else self._fire(trigger)
        blocked = -1 if accepted else self._first_bit(self._blocking())
        self._reply = Reply(command, accepted, blocked)

    def _blocking(self) -> int:
        """What stands in the way of going on: latches first, then live trips."""
        return self._latched or self._tripped & self._no_hold_mask or self._tripped

    @staticmethod
    def _first_bit(mask: int) -> int:
        return (mask & -mask).bit_length() - 1

    def _reset_latches(self, command: Command) -> bool:
        """Clear what this reset may clear and whose cause is gone. False when it cleared nothing."""
        cleared = False
        for row in self.rows:
            if not self._latched & row.bit or self._cause_persists(row):
                continue
            if command is Command.reset_local:
                if self._local_due & row.bit:
                    self._local_due &= ~row.bit
                    cleared = True
            elif self._local_due & row.bit:
                continue
            elif row.latch is not Latch.physics or command is Command.reset_physics:
                self._latched &= ~row.bit
                cleared = True
                if self._ends_with_reset(row.finding):
                    self._flags.discard(row.finding)
                    self._tripped &= ~row.bit
                    row.count = 0
        return cleared

    def _cause_persists(self, row: Row) -> bool:
        """True while the condition holds, were it for a single scan; own findings end with the reset."""
        return row.count > 0 and not self._ends_with_reset(row.finding)

    def _ends_with_reset(self, finding: str) -> bool:
        """A beam cut by a restart has to be ended first, wherever the machine is by now."""
        return finding == "proof_test_failed" or (
            finding == "reset_in_beam" and self._state is State.terminated
        )

    # ---- guards (used by the transition table) ---------------------------------------------------

    def nothing_stands_in_the_way(self) -> bool:
        return not self._latched and not self._tripped & self._beam_mask

    def only_a_hold_stands_in_the_way(self) -> bool:
        blocking = self._tripped & self._beam_mask
        return not self._latched and blocking != 0 and not blocking & self._no_hold_mask

    def may_check(self) -> bool:
        return not self._latched and not self._tripped

    def may_resume(self) -> bool:
        return not self._latched and not self._tripped & self._no_hold_mask

    def may_acknowledge(self) -> bool:
        return not self._latched and not self._tripped & self._no_hold_mask

    def may_restart(self) -> bool:
        return not self._latched and not self._tripped

    def self_test_is_clear(self) -> bool:
        return not self._tripped

    def beam_was_cut_by_reset(self) -> bool:
        return "reset_in_beam" in self._flags

    # ---- proof test --------------------------------------------------------------------------------

    def _prove_line(self) -> None:
        """Force one line after the other; each must trip and clear again within the time-out."""
        if self._line >= len(self._prove):
            self._fire("check_passed")
            return
        row = self.rows[self._prove[self._line]]
        self._phase_ticks += 1
        if row.condition.evaluate(self._x) is self._forcing:
            self._phase_ticks = 0
            if self._forcing:
                self._forcing = False
            else:
                self._line += 1
                self._forcing = self._line < len(self._prove)
        elif self._phase_ticks >= self.table.proof_timeout:
            self._flags.add("proof_test_failed")
            self._fire("check_failed")

    # ---- outputs -------------------------------------------------------------------------------------

    def _compute_outputs(self) -> Outputs:
        state = self._state
        judged = not self._all_due  # every row that acts in this state was evaluated in it
        trips = self._tripped & self._beam_mask | self._latched
        permit = state is State.irradiation and judged and not trips
        testing = state is State.check and self._forcing
        motion = state in MOTION_PERMITTED and not (self._tripped | self._latched) & self._motion_mask
        return Outputs(
            state,
            permit,
            motion,
            state not in (State.off, State.emergency),
            self._prove[self._line] + 1 if testing else 0,
            self._tripped,
            self._latched,
            self._local_due,
            self._first_up,
            self._reply,
        )
