"""One hand-made session: two liver targets, breathing holds in the first, the door opens in the second."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sim.record.trace import Channel, Sample, Trace

DOOR_US = 698_545_000  # the door contact opens, second target, first beam
TRIP_US = DOOR_US + 3_000  # three scans later: debounced
OFF_US = TRIP_US + 1_450  # the beam takes 1.45 ms to die
DOSE_RATE = 600.0  # MU/min


class Session:
    """Writes a trace step by step; ``t`` is the present in us."""

    def __init__(self) -> None:
        self.trace = Trace()
        self.t = 0
        self.dose = 0.0  # MU of the beam in progress
        self.gantry = 0.0  # degree
        self._state = "off"
        for name, kind, unit in (
            ("state", "state", ""),
            ("permit", "bool", ""),
            ("beam_on", "bool", ""),
            ("door_open", "bool", ""),
            ("dose_primary", "number", "MU"),
            ("dose_secondary", "number", "MU"),
            ("dose_rate", "number", "MU/min"),
            ("gantry", "number", "deg"),
            ("couch_vertical", "number", "mm"),
            ("water_flow", "number", "l/min"),
            ("interlock/DOOR", "bool", ""),
            ("interlock/ROOM_SEARCH", "bool", ""),
            ("interlock/BREATHING_GATE", "bool", ""),
            ("interlock/WATER_FLOW", "bool", ""),
        ):
            channel = self.trace.channel(name, kind, unit)  # type: ignore[arg-type]
            first: float | str | bool = {"bool": False, "state": "off", "number": 0.0}[kind]
            channel.samples.append(Sample(0, first))
        self.put("water_flow", 14.2)

    def channel(self, name: str) -> Channel:
        return self.trace.channels[name]

    def put(self, name: str, value: float | str | bool, slope: float = 0.0) -> None:
        self.channel(name).samples.append(Sample(self.t, value, slope))

    def event(self, kind: str, **fields: Any) -> None:
        self.trace.event(self.t, kind, **fields)

    def wait(self, seconds: float) -> None:
        self.t += round(seconds * 1e6)

    def state(self, new: str, trigger: str) -> None:
        self.trace.event(self.t, "state", **{"from": self._state, "to": new, "trigger": trigger})
        self._state = new
        self.put("state", new)

    def permit(self, granted: bool) -> None:
        self.event("permit", granted=granted)
        self.put("permit", granted)

    def beam(self, on: bool, gantry_speed: float = 0.0) -> None:
        self.event("beam", on=on)
        self.put("beam_on", on)
        rate = DOSE_RATE / 60 if on else 0.0
        self.put("dose_primary", self.dose, rate)
        self.put("dose_secondary", self.dose * 1.001, rate * 1.001)
        self.put("dose_rate", DOSE_RATE if on else 0.0)
        self.put("gantry", self.gantry, gantry_speed if on else 0.0)

    def deliver(self, mu: float, gantry_speed: float = 0.0) -> None:
        """Let the beam, which is on, run for ``mu`` MU; the dose rate wavers every second."""
        left = mu
        wobble = 0
        while left > 1e-9:
            piece = min(left, DOSE_RATE / 60)
            wobble += 1
            self.put("dose_rate", DOSE_RATE + ((wobble * 37) % 11 - 5) * 0.8)
            self.wait(piece * 60 / DOSE_RATE)
            left -= piece
        self.dose += mu
        self.gantry += gantry_speed * mu * 60 / DOSE_RATE

    def trip(self, interlock: str, stop: str, latch: str, first_up: bool) -> None:
        self.event("trip", interlock=interlock, stop=stop, latch=latch, first_up=first_up)
        self.put(f"interlock/{interlock}", True)

    def clear(self, interlock: str) -> None:
        self.event("trip_cleared", interlock=interlock)
        self.put(f"interlock/{interlock}", False)

    def ready(self) -> None:
        self.event("command", command="prepare", accepted=True, reason="")
        self.state("preparatory", "prepare")
        self.wait(1.5)
        self.state("check", "parameters_set")
        self.wait(0.12)
        self.event("proof_test", passed=True, lines=14, duration_ms=120.0, failed=None)
        self.state("ready", "check_passed")
        self.wait(4)
        self.event("command", command="beam_on", accepted=True, reason="")
        self.permit(True)
        self.state("irradiation", "start")

    def finish(self, target: str, beam: int, planned: float) -> None:
        self.beam(False)
        self.permit(False)
        self.state("preparatory", "preset_reached")
        self.event(
            "beam_end", target=target, beam=beam, delivered_mu=self.dose, planned_mu=planned, cause="normal"
        )


def _set_up(s: Session, target: str, fraction: int, shift: list[float]) -> None:
    s.event("target", target=target, phase="start", fraction=fraction)
    s.wait(95)
    s.event("setup", target=target)
    s.wait(60)
    s.event("image", target=target, shift_mm=shift)
    s.wait(25)
    s.put("couch_vertical", 0.0, shift[2])
    s.event("shift", target=target, applied_mm=shift)
    s.wait(1)
    s.put("couch_vertical", shift[2])
    s.wait(9)


def _first_target(s: Session) -> None:
    _set_up(s, "liver-1", 2, [1.2, -0.3, 2.0])
    s.ready()
    s.event("beam_start", target="liver-1", beam=1, name="arc 1", meterset_mu=900.0, start_mu=0.0)
    s.wait(0.00337)
    s.beam(True, 2.0)
    for index in range(9):
        s.deliver(100, 2.0)
        s.event("control_point", target="liver-1", beam=1, index=index + 1, meterset_mu=s.dose)
    s.finish("liver-1", 1, 900.0)
    s.wait(20)
    s.dose = 0.0
    s.ready()
    s.event("beam_start", target="liver-1", beam=2, name="arc 2, gated", meterset_mu=700.0, start_mu=0.0)
    s.beam(True, -2.0)
    for hold in range(6):
        s.deliver(100, -2.0)
        s.trip("BREATHING_GATE", "hold", "none", first_up=True)
        s.permit(False)
        s.state("hold", "trip")
        s.wait(0.00145 + hold * 1e-5)
        s.beam(False)
        s.wait(2.2)
        s.clear("BREATHING_GATE")
        s.permit(True)
        s.state("irradiation", "cleared")
        s.wait(0.00337)
        s.beam(True, -2.0)
    s.deliver(100, -2.0)
    s.finish("liver-1", 2, 700.0)
    s.event("target", target="liver-1", phase="end", fraction=2)


def _second_target(s: Session) -> None:
    s.wait(30)
    s.dose = 0.0
    _set_up(s, "liver-2", 1, [-0.4, 0.8, 0.0])
    s.ready()
    s.event("beam_start", target="liver-2", beam=1, name="AP field", meterset_mu=1200.0, start_mu=0.0)
    s.beam(True)
    seconds = (DOOR_US - s.t) / 1e6
    s.deliver(seconds * DOSE_RATE / 60)
    s.t = DOOR_US
    s.event("step", step="door opens")
    s.event("fault", fault="door_open", step="door opens", active=True, detail="door contact of the maze")
    s.put("door_open", True)
    s.t = TRIP_US
    s.trip("DOOR", "interrupt", "operator", first_up=True)
    s.trip("ROOM_SEARCH", "interrupt", "local", first_up=False)
    s.permit(False)
    s.state("interrupted", "trip")
    s.t = OFF_US
    s.dose += (OFF_US - DOOR_US) / 60e6 * DOSE_RATE
    s.beam(False)
    s.event("beam_end", target="liver-2", beam=1, delivered_mu=s.dose, planned_mu=1200.0, cause="interlock")
    s.wait(22)
    s.event("fault", fault="door_open", step="door closes", active=False, detail="")
    s.put("door_open", False)
    s.clear("DOOR")
    s.wait(3)
    s.event("command", command="resume", accepted=False, reason="ROOM_SEARCH is latched")
    s.wait(31)
    s.event("operator", act="search_room", detail="last person out")
    s.clear("ROOM_SEARCH")
    s.event("latch_reset", interlock="ROOM_SEARCH")
    s.wait(6)
    s.event("latch_reset", interlock="DOOR")
    s.state("ready", "resume")
    s.wait(4)
    s.permit(True)
    s.state("irradiation", "start")
    s.event("beam_start", target="liver-2", beam=1, name="AP field", meterset_mu=1200.0, start_mu=s.dose)
    s.beam(True)
    s.deliver(1200.0 - s.dose)
    s.dose = 1200.0
    s.finish("liver-2", 1, 1200.0)
    s.event("target", target="liver-2", phase="end", fraction=1)


def session_trace() -> Trace:
    """The whole session as a trace."""
    s = Session()
    s.event("session", phase="start")
    s.event("power", on=True)
    s.state("self_test", "power_on")
    s.wait(2)
    s.state("standby", "self_test_passed")
    s.wait(3)
    _first_target(s)
    _second_target(s)
    s.wait(40)
    s.state("standby", "idle")
    s.event("session", phase="end")
    s.trace.end_us = s.t
    return s.trace


def session_run(trace: Trace) -> dict[str, Any]:
    """The run record that goes with the trace."""
    first_hold_us = next(e.t_us for e in trace.events if e.kind == "trip")
    invariants = [
        ("no_beam_with_door_open", "No beam with the door open beyond the deadline"),
        ("no_beam_without_permit", "No beam without a permit"),
        ("no_overdose", "No dose beyond preset and limit"),
        ("right_target", "No beam on the wrong target"),
    ]
    return {
        "schema_version": 1,
        "verdict": "PASS",
        "scenario": {
            "path": "scenarios/faults/door_second_target.yaml",
            "title": "Two liver metastases: the door opens during the second",
            "digest": "sha256:6f1c0a9be4d0",
        },
        "board": {
            "kind": "model",
            "identity": "reference model",
            "firmware": "0.1.0",
            "table_digest": "sha256:09ab77cd12ef",
        },
        "seed": 42,
        "sim_time_s": trace.end_us / 1e6,
        "wall_time_s": 0.84,
        "expectations": [
            {
                "text": "beam off after the door opens",
                "status": "pass",
                "measured": 4.45,
                "limit": 10.0,
                "unit": "ms",
                "margin": 5.55,
                "trigger_t_us": DOOR_US,
                "measured_t_us": OFF_US,
            },
            {
                "text": "permit withdrawn after the door opens",
                "status": "pass",
                "measured": 3.0,
                "limit": 5.0,
                "unit": "ms",
                "margin": 2.0,
                "trigger_t_us": DOOR_US,
                "measured_t_us": TRIP_US,
            },
            {
                "text": "DOOR is first up",
                "status": "pass",
                "measured": "DOOR",
                "limit": "DOOR",
                "unit": None,
                "margin": None,
            },
            {
                "text": "liver-2 is delivered in full",
                "status": "pass",
                "measured": 1200.0,
                "limit": 1199.5,
                "unit": "MU",
                "margin": 0.5,
            },
        ],
        "invariants": [
            {"id": i, "title": title, "status": "held", "evaluated": 1180} for i, title in invariants
        ],
        "measurements": [
            {"name": "largest dose channel difference", "value": 1.2, "unit": "MU"},
            {"name": "longest scan", "value": 0.41, "unit": "ms"},
        ],
        "interlocks": [
            {
                "id": "BREATHING_GATE",
                "title": "Breathing outside the gate",
                "first_up": True,
                "time_s": first_hold_us / 1e6,
                "latched": False,
                "stop": "hold",
            },
            {
                "id": "DOOR",
                "title": "Treatment room door open",
                "first_up": True,
                "time_s": TRIP_US / 1e6,
                "latched": True,
                "stop": "interrupt",
            },
            {
                "id": "ROOM_SEARCH",
                "title": "Room not searched",
                "first_up": False,
                "time_s": TRIP_US / 1e6,
                "latched": True,
                "stop": "interrupt",
            },
        ],
        "targets": [
            {
                "id": "liver-1",
                "fraction": 2,
                "planned_mu": 1600.0,
                "delivered_mu": 1600.0,
                "beams": [
                    {
                        "number": 1,
                        "name": "arc 1",
                        "planned_mu": 900.0,
                        "delivered_mu": 900.0,
                        "control_points": [],
                    },
                    {
                        "number": 2,
                        "name": "arc 2, gated",
                        "planned_mu": 700.0,
                        "delivered_mu": 700.0,
                        "control_points": [],
                    },
                ],
            },
            {
                "id": "liver-2",
                "fraction": 1,
                "planned_mu": 1200.0,
                "delivered_mu": 1200.0,
                "beams": [
                    {
                        "number": 1,
                        "name": "AP field",
                        "planned_mu": 1200.0,
                        "delivered_mu": 1200.0,
                        "control_points": [
                            {"index": 0, "planned_mu": 0.0, "delivered_mu": 0.0},
                            {"index": 1, "planned_mu": 1200.0, "delivered_mu": 1200.0},
                        ],
                    }
                ],
            },
        ],
        "dose": {"points": _doses(), "outline": {"centre_mm": [0, 0], "width_mm": 360, "depth_mm": 240}},
        "final_state": "standby",
        "reproduce": "interlock run scenarios/faults/door_second_target.yaml --seed 42",
        "exit_code": 0,
    }


def _doses() -> list[dict[str, Any]]:
    """Both targets with one rim point each, and an organ."""
    entries: list[dict[str, Any]] = []
    for name, kind, own, cross in (
        ("liver-1", "centre", 12.0, 3.0),
        ("liver-1", "rim", 11.0, 3.5),
        ("liver-2", "centre", 12.25, 2.75),
        ("liver-2", "rim", 10.5, 2.5),
        ("cord", "organ", 0.0, 4.5),
    ):
        gy = own + cross
        entry = {"of": name, "kind": kind, "planned_gy": gy, "delivered_gy": gy, "difference_gy": 0.0}
        entries.append({**entry, "own_gy": own, "cross_gy": cross, "prescribed_gy": 15.0})
    return entries


def fail(run: dict[str, Any]) -> dict[str, Any]:
    """The same session judged against a 4 ms limit, and cut short: a fail."""
    run["verdict"], run["exit_code"] = "FAIL", 1
    run["expectations"][0].update(status="fail", limit=4.0, margin=-0.45)
    run["expectations"][2].update(status="not_evaluated", measured=None)
    run["invariants"][0].update(status="violated", detail="beam on for 0.45 ms beyond the deadline")
    run["invariants"][3].update(status="not_evaluated", evaluated=0)
    run["targets"][1]["delivered_mu"] = run["targets"][1]["beams"][0]["delivered_mu"] = 734.5
    run["targets"][1]["beams"][0]["control_points"][1]["delivered_mu"] = 734.5
    return run


@pytest.fixture(scope="session")
def _built() -> tuple[Trace, dict[str, Any]]:
    trace = session_trace()
    return trace, session_run(trace)


@pytest.fixture
def trace(_built: tuple[Trace, dict[str, Any]]) -> Trace:
    """The door session; do not change it."""
    return _built[0]


@pytest.fixture
def run(_built: tuple[Trace, dict[str, Any]]) -> dict[str, Any]:
    """A copy of the run record of the door session: a pass."""
    return copy.deepcopy(_built[1])


@pytest.fixture
def failed_run(run: dict[str, Any]) -> dict[str, Any]:
    """The run record of the same session as a fail."""
    return fail(run)
