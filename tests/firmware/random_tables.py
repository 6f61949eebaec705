"""Small random interlock tables that use every kind of condition, and a plant for their signals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from firmware_model.states import State
from firmware_model.table import Table

from .dice import ONE, Dice
from .treatment_machine import Plant

_WIDE = [-1_000_000, 1_000_000]
_COUNTS = [0, 2_000_000_000]


def _signal(kind: str, span: list[int] | None = None, unit: str = "", **more: Any) -> dict[str, Any]:
    return {"title": kind, "kind": kind, "unit": unit, "range": span or [0, 1], "safe": 0, **more} | {
        "source": "plant"
    }


SIGNALS = {
    "line_a": _signal("bool"),
    "line_b": _signal("bool"),
    "alarm": _signal("bool"),
    "enable": _signal("bool"),
    "dose": _signal("counter", _COUNTS, "n"),
    "other_dose": _signal("counter", _COUNTS, "n"),
    "planned": _signal("counter", _COUNTS, "n"),
    "preset": _signal("counter", _COUNTS, "n"),
    "level": _signal("integer", _WIDE, "n"),
    "position": _signal("integer", _WIDE, "deg", lsb=0.5),
    "rate_set": _signal("integer", _COUNTS, "n/min"),
    "beat": _signal("counter", _COUNTS),
    "time_set": _signal("integer", [0, 1_000_000_000], "ms", lsb=0.5),
    "token_a": _signal("token", _COUNTS),
    "token_b": _signal("token", _COUNTS),
    "console_table_digest": _signal("token", [0, 2_147_483_647]),
}

#: The beam gives 2 1/3 counts a scan; its set rate is 140 000 a minute.
SMALL_PLANT = Plant(
    values={
        "line_a": 1,
        "line_b": 1,
        "alarm": 0,
        "enable": 1,
        "dose": 0,
        "other_dose": 0,
        "planned": 0,
        "preset": 150,
        "level": 20,
        "position": 0,
        "rate_set": 140_000,
        "beat": 0,
        "time_set": 90,
        "token_a": 7,
        "token_b": 7,
    },
    always={"beat": ONE // 3},
    beam=dict.fromkeys(("dose", "other_dose", "planned"), 2 * ONE + ONE // 3),
)

_PERCENTS = [0, 2, 7.5, 33.33, 100]


def _amounts(d: Dice) -> dict[str, Any]:
    both = {"by": d.number(0, 12), "percent": d.pick(_PERCENTS), "combine": d.pick(["min", "max"])}
    return d.pick([both, {"by": both["by"]}, {"percent": both["percent"]}])


def _rate(d: Dice) -> dict[str, Any]:
    step = d.number(1, 7)
    return {
        "signal": "dose",
        "set_rate": "rate_set",
        "sense": d.pick(["above", "below"]),
        "percent": d.pick([80, 99, 100, 101, 120]),
        "window": step * d.number(1, 8),
        "step": step,
    }


def _per_travel(d: Dice) -> dict[str, Any]:
    names = {"signal": "dose", "planned": "planned", "position": "position"}
    return {**names, "over": d.pick([0.5, 3, 10]), "percent": d.pick(_PERCENTS), "by": d.number(0, 12)}


def _since(d: Dice, *signals: str) -> dict[str, Any]:
    return {"signal": d.pick(signals), "by": d.number(0, 5), "after": d.number(0, 5)}


#: Fields of every kind of condition.
KINDS: dict[str, Callable[[Dice], dict[str, Any]]] = {
    "is_false": lambda d: {"signals": d.pick([["line_a"], ["line_a", "line_b"]])},
    "is_true": lambda d: {"signals": ["alarm"]},
    "disagree": lambda d: {"signal": "line_a", "other": "line_b"},
    "above": lambda d: {"signal": "level", "limit": d.number(20, 40)},
    "below": lambda d: {"signal": "level", "limit": d.number(0, 20)},
    "outside": lambda d: {"signal": "level", "low": d.number(-9, 20), "high": d.number(20, 30)},
    "differs": lambda d: {"signal": "dose", "from": "other_dose", **_amounts(d)},
    "exceeds": lambda d: {"signal": "dose", "preset": "preset", **_amounts(d)},
    "reaches": lambda d: {"signal": "dose", "preset": "preset"},
    "mismatch": lambda d: {"signal": "token_a", "other": "token_b"},
    "wrong_digest": lambda d: {"signal": "console_table_digest"},
    "rate": _rate,
    "per_travel": _per_travel,
    "stale": lambda d: {"signal": "beat", "ticks": d.number(1, 9)},
    "timer": lambda d: {"limit": "time_set"},
    "moves": lambda d: _since(d, "level", "position", "token_a"),
    "grows": lambda d: _since(d, "dose", "level"),
    "flag": lambda d: {"flag": d.pick(["proof_test_failed", "reset_in_beam"])},
}
_PROOFS: dict[str, dict[str, int | bool]] = {
    "is_false": {"line_a": False},
    "is_true": {"alarm": True},
    "disagree": {"line_b": False},
    "above": {"level": 1000},
    "below": {"level": -1000},
    "outside": {"level": 1000},
    "differs": {"dose": 1_000_000},
    "exceeds": {"dose": 1_000_000},
    "reaches": {"dose": 1_000_000},
    "mismatch": {"token_a": 0},
    "wrong_digest": {"console_table_digest": 0},
}
_IN_BEAM = ["irradiation", "hold"]
_PLACES = [
    _IN_BEAM,
    _IN_BEAM,
    ["irradiation"],
    ["check", "ready", "irradiation", "hold", "interrupted"],
    ["preparatory", "check", "ready", "irradiation", "hold", "interrupted"],
    ["self_test", "standby", "preparatory", "terminated", "emergency"],
    [s.name for s in State if s is not State.off],
]


def random_row(d: Dice, kind: str) -> dict[str, Any]:
    finding = kind == "flag"  # which ends with a reset, and has no place for a local one
    latch = d.pick(["operator", "physics", *([] if finding else ["none", "local"])])
    acts_in = d.pick(_PLACES[-2:] if kind == "flag" else _PLACES)
    row = {
        "title": kind,
        "trips_when": {"kind": kind, **KINDS[kind](d)},
        "debounce": d.pick([1, 1, 2, 3, 7, 20]),
        "stop": d.pick(["complete", "hold", "interrupt", "terminate", "emergency"]),
        "latch": latch,
        "acts_in": acts_in,
        "stops_motion": d.chance(),
        "respond_within": "1 s",
        "requirements": ["REQ-1"],
        "basis": "random",
    }
    if d.chance(4):
        row[d.pick(["only_if"] if kind == "flag" else ["only_if", "unless"])] = "enable"
    if latch != "none" and (finding or d.chance()):
        row["latches_in"] = acts_in
    if kind in _PROOFS and d.chance():
        row["proof"] = _PROOFS[kind]
    else:
        row["no_proof"] = "random"
    return row


def random_table(d: Dice, kind: str, others: Sequence[str] = tuple(KINDS)) -> Table:
    """A table with a row of one kind and up to three of the others."""
    kinds = [kind, *(d.pick(others) for _ in range(d.number(0, 3)))]
    return Table.model_validate(
        {
            "name": "random",
            "version": 1,
            "scan_period": "1 ms",
            "self_test_ticks": d.number(1, 12),
            "proof_timeout": d.number(2, 9),
            "requirements": {"REQ-1": "any"},
            "hazards": {},
            "signals": SIGNALS,
            "interlocks": {f"ROW_{i}": random_row(d, kind) for i, kind in enumerate(kinds)},
        }
    )
