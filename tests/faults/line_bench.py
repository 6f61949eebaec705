"""A few lines on a clock of their own: what is put on them, and what the controller is told each scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from firmware_model.table import Table
from sim.clock import Clock, Ramp
from sim.linac.lines import Lines
from sim.record.trace import Trace
from sim.scenario.schema import Step
from sim.scenario.timeline import Timeline
from sim.world import World

SCAN_US = 1_000


def _signal(kind: str, unit: str, lsb: float, low: float, high: float) -> dict[str, Any]:
    return {"title": kind, "kind": kind, "unit": unit, "lsb": lsb, "range": [low, high], "safe": low} | {
        "source": "plant"
    }


def _row(proof: dict[str, Any]) -> dict[str, Any]:
    """The proof test's forced values are all that matters here."""
    return {
        "title": "forces",
        "trips_when": {"kind": "is_false", "signals": ["contact"]},
        "stop": "interrupt",
        "latch": "none",
        "acts_in": ["irradiation"],
        "respond_within": "10 ms",
        "requirements": ["REQ"],
        "hazards": ["HAZ"],
        "basis": "none",
        "proof": proof,
    }


#: Two signals of each kind, so that each can be swapped; ``high`` does not contain zero.
TABLE = Table.model_validate(
    {
        "name": "bench",
        "version": 1,
        "scan_period": "1 ms",
        "self_test_ticks": 1,
        "proof_timeout": 20,
        "requirements": {"REQ": "none"},
        "hazards": {"HAZ": "none"},
        "signals": {
            "level": _signal("integer", "mm", 0.5, -100, 100),
            "other_level": _signal("integer", "mm", 0.5, -40, 60),
            "high": _signal("integer", "kPa", 0.1, 20, 90),
            "count": _signal("counter", "MU", 0.01, 0, 20),
            "other_count": _signal("counter", "MU", 0.01, 0, 20),
            "contact": _signal("bool", "", 1, 0, 1),
            "other_contact": _signal("bool", "", 1, 0, 1),
        },
        "interlocks": {
            "LEVEL": _row({"level": 100}),
            "COUNT": _row({"count": 15}),
            "BOTH": _row({"contact": False, "high": 30}),
        },
    }
)


class Change(NamedTuple):
    """From ``t_us`` on the sensor of a signal gives this line; 32.16 fixed point."""

    t_us: int
    signal: str
    value: int
    slope: int = 0


class Force(NamedTuple):
    """The proof test exercises an interlock (1 + its index) from ``start_us`` to ``end_us``."""

    start_us: int
    end_us: int
    line: int


class Bench:
    """Lines with sensors, a timeline of faults and a listener in the controller's place."""

    def __init__(
        self, changes: Iterable[Change], steps: list[Step], forces: Iterable[Force] = (), seed: str = "s"
    ) -> None:
        self.clock, self.trace = Clock(), Trace()
        self.lines = Lines(TABLE, self.trace, self.clock)
        self.world = cast(
            World,
            SimpleNamespace(
                clock=self.clock,
                trace=self.trace,
                table=TABLE,
                seed=seed,
                linac=SimpleNamespace(lines=self.lines),
            ),
        )
        for change in changes:
            self._at(change.t_us, lambda c=change: self.lines.ramp(c.signal, Ramp(c.value, c.slope, c.t_us)))
        for force in forces:
            self._at(force.start_us, lambda f=force: self.lines.exercise(f.line))
            self._at(force.end_us, lambda: self.lines.exercise(0))
        self.timeline = Timeline(self.world, steps)
        self._told: list[tuple[int, int]] = [(0, 0)] * len(TABLE.signals)
        self._scan = 0

    def _at(self, t_us: int, action: Any) -> None:
        self.clock.call_in(t_us, action)

    def settle(self, t_us: int) -> None:
        """Everything due at or before ``t_us`` happens; time is then ``t_us``."""
        self.clock.call_in(t_us - self.clock.now, lambda: None)
        while self.clock.peek() <= t_us:
            self.clock.step()

    def told(self, t_us: int) -> dict[str, int]:
        """Scan at ``t_us``: what the controller holds of each signal then, fixed point.

        It hears changes only, and continues every line by its slope from scan to scan.
        """
        self.settle(t_us)
        scans = (t_us - self._scan) // SCAN_US
        self._scan = t_us
        self._told = [(value + slope * scans, slope) for value, slope in self._told]
        for change in self.lines.changes(t_us):
            self._told[change.signal] = (change.value, change.slope)
        return {name: self._told[i][0] for i, name in enumerate(TABLE.signals)}

    def scans(self, until_us: int) -> Iterator[tuple[int, dict[str, int]]]:
        """Every scan from now to ``until_us`` with what the controller is told."""
        for t_us in range(0, until_us, SCAN_US):
            yield t_us, self.told(t_us)


def step(**fields: object) -> Step:
    """A timeline step from plain fields, validated like one in a file."""
    return Step.model_validate(fields)
