"""A patient and a gating system on a clock, without a linac; the gate line is noted whenever it changes."""

from __future__ import annotations

from typing import Any, cast

from pydantic import TypeAdapter

from sim.clinic.breathing import make_breathing
from sim.clinic.gating import Gate
from sim.clinic.motion_schema import Breathing, Gating, Surrogate
from sim.clinic.patient import Patient
from sim.clock import Clock
from sim.linac.lines import Lines
from sim.linac.utilities import Nodes

BREATHING: TypeAdapter[Any] = TypeAdapter(Breathing)
GATING: TypeAdapter[Any] = TypeAdapter(Gating)
REGULAR = {"kind": "regular", "period": "4 s", "amplitude": "12 mm"}


class NotedLines:
    """Stands for the wires to the controller."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.noted: dict[str, list[tuple[int, bool]]] = {"gate_open": [], "surrogate_in_range": []}

    def drive(self, name: str, counts: int | bool) -> None:
        noted = self.noted[name]
        if not noted or noted[-1][1] != bool(counts):
            noted.append((self._clock.now, bool(counts)))


class NotedNodes:
    """Stands for the message counters."""

    def __init__(self) -> None:
        self.speaking = True

    def silence(self, name: str) -> None:
        assert name == "gate_heartbeat"
        self.speaking = False

    def speak(self, name: str) -> None:
        self.speaking = True


class MotionBench:
    """Everything between breathing and the gate line."""

    def __init__(
        self, breathing: dict[str, Any], gating: dict[str, Any], seed: str = "test", **surrogate: Any
    ) -> None:
        given = BREATHING.validate_python(breathing)
        self.clock = Clock()
        self.form = make_breathing(given, None, seed)
        self.patient = Patient(self.clock, self.form, Surrogate.model_validate(surrogate), seed)
        self.lines, self.nodes = NotedLines(self.clock), NotedNodes()
        self.gate = Gate(
            self.clock,
            cast(Lines, self.lines),
            cast(Nodes, self.nodes),
            self.patient,
            GATING.validate_python(gating),
            self.form,
        )
        self.patient.before_change.append(lambda: self.patient.forget(self.clock.now))

    def run(self, until_us: int) -> None:
        self.clock.run(until=until_us)

    def now_shown(self, name: str = "gate_open") -> bool:
        return self.lines.noted[name][-1][1]

    def marker(self) -> int:
        """Where the marker is now, 32.16 of 0.01 mm."""
        return self.patient.marker_path()[0][1]
