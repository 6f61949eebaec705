"""The real plant with one beam and no controller that would stop it: what faults do is seen in full.

The machine is set up from ``SET_UP_US`` on and the permit is given at ``BEAM_ON_US``; the steps of the
timeline happen at times of this clock. Nothing is drawn but the noise of the dose channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import simpy
from hypothesis import Phase, settings

from firmware_model.contract import ONE
from firmware_model.controller import ModelController
from sim.clinic.operator import Policy
from sim.clinic.record_verify import Orders
from sim.plan.course import Beam, ControlPoint
from sim.scenario.timeline import Timeline
from sim.world import World, build_world
from tests.faults.line_bench import step
from tests.sim.short_session import JAWS, MACHINE, TABLE, course

SET_UP_US, BEAM_ON_US = 1_000_000, 30_000_000
#: One segment of 48 degrees; 1400 MU at the highest rate, so a minute of it, at 0.8 degrees a second.
CLOSED, OPENED = (-1000,) * 60 + (1000,) * 60, (-1600,) * 60 + (1600,) * 60
ARC = Beam(
    1,
    "one segment",
    "lesion",
    6,
    "fff",
    "arc",
    (0, 0, 0),
    (
        ControlPoint(0, 1000, 0, 0, JAWS, CLOSED, 1400),
        ControlPoint(1_400_000, 5800, 0, 0, (-3000, 2000, -2000, 2000), OPENED, 1400),
    ),
)
QUALITY = MACHINE.beams[2]  # 6 MV without flattening filter

KINDS: set[str] = set()
#: A plant takes 30 ms, so a property of it is tried on a few magnitudes.
few = settings(
    max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate, Phase.shrink], print_blob=True
)
Test = TypeVar("Test", bound=Callable[..., Any])


def exercises(*kinds: str) -> Callable[[Test], Test]:
    """Says which kinds of fault a test is about; see test_catalogue.py."""
    KINDS.update(kinds)
    return lambda test: test


class Plant:
    """One beam on the real plant under a timeline of faults."""

    def __init__(self, *steps: dict[str, Any], seed: str = "plant/1", beam_on: bool = True) -> None:
        self.world: World = build_world(
            course(ARC), MACHINE, TABLE, ModelController(TABLE), Orders(), Policy(), seed
        )
        self.clock, self.linac, self.trace = self.world.clock, self.world.linac, self.world.trace
        self.timeline = Timeline(self.world, [step(**fields) for fields in steps])
        self.clock.process(self._set_up())
        if beam_on:
            self.clock.call_in(BEAM_ON_US, self._start)

    def _set_up(self) -> Any:
        linac = self.linac
        yield self.clock.timeout(SET_UP_US)
        linac.generator.set_power(True)
        linac.generator.select(QUALITY)
        linac.dose.begin(0)
        linac.sequencer.begin(ARC, 0)
        select = self.clock.process(linac.beam_line.select(QUALITY))
        yield select & self.clock.process(linac.sequencer.position(ARC.control_points[0]))

    def _start(self) -> None:
        self.linac.generator.set_permit(True)
        self.delivery: simpy.Process = self.clock.process(self.linac.sequencer.deliver())

    def at(self, t_us: int) -> Plant:
        """Run to this instant; everything due then has happened."""
        self.clock.call_in(t_us - self.clock.now, lambda: None)
        while self.clock.peek() <= t_us:
            self.clock.step()
        return self

    def line(self, name: str) -> float:
        """What arrives at the controller now, in counts."""
        return self.linac.lines._carried[TABLE.signal_index[name]].at(self.clock.now) / ONE

    def slope(self, name: str) -> float:
        """Of the same, counts a second."""
        return self.linac.lines._carried[TABLE.signal_index[name]].slope * 1000 / ONE

    def channel(self, name: str) -> float:
        """A channel of the plant's truth, in its unit."""
        value = self.trace.channels[name].at(self.clock.now)
        assert value is not None
        return float(value)

    def lines(self) -> dict[str, float]:
        return {name: self.line(name) for name in TABLE.signals}


def fault(kind: str, at_us: int, lasts: int | None = None, /, **keys: Any) -> dict[str, Any]:
    """A timeline step: this fault at a time of the clock, us."""
    more = {name: keys.pop(name) for name in ("ramp", "repeat") if name in keys}
    if "ramp" in more:
        more["ramp"] = f"{more['ramp']} us"
    fields = {
        "id": keys.pop("id", kind),
        "at": {"time": f"{at_us} us"},
        "fault": {"kind": kind, **keys},
        **more,
    }
    return fields if lasts is None else {**fields, "lasts": f"{lasts} us"}
