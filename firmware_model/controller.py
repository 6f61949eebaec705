"""The reference model: many scans at once over a linear segment.

:meth:`~firmware_model.scanning.ScanningController.scan` is the definition.
:meth:`ModelController.run` gives the same outputs at the same scans, but evaluates only the scans
in which something can change.
"""

from __future__ import annotations

from collections.abc import Iterable

from firmware_model.conditions import FOREVER
from firmware_model.contract import FRACTION_BITS, Advance, Change, Segment
from firmware_model.rows import Row
from firmware_model.scanning import ScanningController
from firmware_model.states import BEAM_IN_PROGRESS, Command, State


class ModelController(ScanningController):
    """The reference model of the interlock firmware."""

    def run(self, segment: Segment) -> Advance:
        """Up to ``segment.ticks`` scans; stops after the first one that changed an output.

        Raises ValueError for a segment of less than one scan or an unknown signal.
        """
        if segment.ticks < 1:
            raise ValueError("a segment has at least one scan")
        changed = self._take(segment.changes)
        before = self.outputs
        outputs = self._scan(segment.command, changed)
        done = 1
        while outputs == before and done < segment.ticks:
            quiet = min(self._quiet(), segment.ticks - done)
            if quiet:
                self._skip(quiet)
                done += quiet
                if done == segment.ticks:
                    break
            self._advance(1)
            outputs = self._scan(Command.none, self._moving)
            done += 1
        self._advance(1)  # inputs stand ready for the first scan of the next segment
        return Advance(done, outputs)

    def _take(self, changes: Iterable[Change]) -> frozenset[int]:
        """Put the segment's lines in force; returns the signals that may differ from the scan before."""
        changed = set(self._moving)
        moving = None
        for signal, value, slope in changes:
            if not 0 <= signal < len(self._x):
                raise ValueError(f"signal {signal} of {len(self._x)}")
            self._v[signal] = value
            self._x[signal] = value >> FRACTION_BITS
            if bool(self._s[signal]) != bool(slope):
                moving = set(self._moving) if moving is None else moving
                (moving.add if slope else moving.discard)(signal)
            self._s[signal] = slope
            changed.add(signal)
        if moving is not None:
            self._moving = frozenset(moving)
        return frozenset(changed)

    def _advance(self, ticks: int) -> None:
        """Move the inputs ``ticks`` scans along their lines."""
        x, v, s = self._x, self._v, self._s
        for signal in self._moving:
            v[signal] += s[signal] * ticks
            x[signal] = v[signal] >> FRACTION_BITS

    def _quiet(self) -> int:
        """Scans after this one that are certain to change no output.

        The phase comes first: when the last line is proven in this very scan, rows that were masked
        until now have not been evaluated and cannot predict anything.
        """
        least = self._quiet_phase()
        if least <= 0:
            return 0
        x, v, s = self._x, self._v, self._s
        masked = self._masked()
        for row in self._watched():
            if row.gate >= 0 and s[row.gate]:
                return 0
            if row.bit & masked or (row.gate >= 0 and bool(x[row.gate]) is not row.gate_on):
                continue
            quiet = row.condition.quiet(x, v, s)
            if 0 < row.count < row.debounce:
                quiet = min(quiet, row.debounce - row.count - 1)
            if quiet < least:
                if quiet <= 0:
                    return 0
                least = quiet
        return least

    def _watched(self) -> list[Row]:
        """Rows whose answer, memory or debounce can move on while no input is changed."""
        return self._due(self._moving)[0]

    def _quiet_phase(self) -> int:
        """Scans before a phase of the self test or the proof test can end by itself."""
        if self._state is State.self_test:
            remaining = self.table.self_test_ticks - self._phase_ticks - 1
            blocked = not (self.self_test_is_clear() or self.beam_was_cut_by_reset())
            return remaining if remaining > 0 else FOREVER if blocked else 0
        if self._state is not State.check:
            return 0 if self._state is State.hold and self.nothing_stands_in_the_way() else FOREVER
        if self._line >= len(self._prove):
            return 0
        row = self.rows[self._prove[self._line]]
        answer = row.condition.evaluate(self._x)
        if answer is self._forcing:
            return 0
        waiting = self.table.proof_timeout - self._phase_ticks - 1
        return max(0, min(waiting, row.condition.quiet(self._x, self._v, self._s)))

    def _skip(self, ticks: int) -> None:
        """Pass over scans that change nothing: memories, debounce counters and inputs move on."""
        x, v, s = self._x, self._v, self._s
        masked = self._masked()
        for row in self._watched():
            if row.bit & masked or (row.gate >= 0 and bool(x[row.gate]) is not row.gate_on):
                continue
            if row.condition.remembers:
                row.condition.skip(v, s, ticks)
            if 0 < row.count < row.debounce:
                row.count += ticks
        if self._state in (State.self_test, State.check):
            self._phase_ticks += ticks
        self._advance(ticks)
        if self._meterset_signal >= 0 and self._state in BEAM_IN_PROGRESS:
            self._meterset = x[self._meterset_signal]
