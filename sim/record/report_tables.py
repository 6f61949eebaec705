"""The rows of the report's tables, worded and measured for bars, from the content of run.json."""

from __future__ import annotations

from typing import Any

from sim.record.figures import (
    MISSING,
    amount,
    as_us,
    clock,
    is_number,
    monitor_units,
    number,
    plain,
    quantity,
    words,
)
from sim.record.margins import margin_of
from sim.record.timeline import AROUND_US
from sim.record.trace import Trace

KINDS = {"pass": "pass", "held": "pass", "fail": "fail", "violated": "fail"}

Row = dict[str, Any]


def tiles(run: Row) -> list[Row]:
    """The key figures under the title."""
    found: list[Row] = []
    expectations, invariants = run.get("expectations") or [], run.get("invariants") or []
    if expectations:
        met = sum(entry.get("status") == "pass" for entry in expectations)
        missed = sum(entry.get("status") == "fail" for entry in expectations)
        open_ones = len(expectations) - met - missed
        note = f"{missed} failed" if missed else "none failed"
        note += f", {open_ones} not evaluated" if open_ones else ""
        kind = "fail" if missed else "pass" if met == len(expectations) else "unknown"
        found.append(
            {"label": "Expectations", "value": f"{met} of {len(expectations)}", "note": note, "kind": kind}
        )
        tile = _tightest_tile(expectations)
        if tile is not None:
            found.append(tile)
    if invariants:
        held = sum(entry.get("status") == "held" for entry in invariants)
        violated = sum(entry.get("status") == "violated" for entry in invariants)
        idle = len(invariants) - held - violated
        note = f"{violated} violated" if violated else "none violated"
        note += f", {idle} had no occasion" if idle else ""
        kind = "fail" if violated else "pass" if held else "unknown"
        found.append({"label": "Invariants", "value": f"{held} held", "note": note, "kind": kind})
    targets = [t for t in run.get("targets") or [] if is_number(t.get("planned_mu"))]
    if targets:
        planned = sum(t["planned_mu"] for t in targets)
        delivered = sum(t.get("delivered_mu") or 0 for t in targets)
        short = abs(planned - delivered) >= 0.005
        found.append({
            "label": "Delivered", "value": f"{monitor_units(delivered)} MU",
            "note": f"of {monitor_units(planned)} MU planned, {amount(len(targets), 'target')}",
            "kind": "unknown" if short else "pass",
        })  # fmt: skip
    return found


def tightest(expectations: list[Row]) -> Row | None:
    """The expectation with the least margin in proportion to its limit."""
    found = [(entry, margin) for entry in expectations if (margin := margin_of(entry)) is not None]
    return min(found, key=lambda pair: pair[1].share)[0] if found else None


def _tightest_tile(expectations: list[Row]) -> Row | None:
    entry = tightest([entry for entry in expectations if as_us(entry.get("limit"), entry.get("unit"))])
    if entry is None:
        return None
    return {
        "label": "Tightest response",
        "value": quantity(entry["measured"], entry["unit"]),
        "note": f"limit {quantity(entry['limit'], entry['unit'])}: {entry.get('text', '')}",
        "kind": KINDS.get(str(entry.get("status")), "unknown"),
    }


def expectation_rows(run: Row) -> list[Row]:
    """One row per expectation, failed ones first, then those not evaluated."""
    rows = []
    for entry in run.get("expectations") or []:
        status, unit = str(entry.get("status")), entry.get("unit")
        start, end = entry.get("trigger_t_us"), entry.get("measured_t_us")
        zoom = None
        if isinstance(start, int):
            limit_us = as_us(entry.get("limit"), unit) or 0
            last = max(start + round(limit_us), end if isinstance(end, int) else start)
            around = max(AROUND_US // 10, (last - start) // 2)
            zoom = (start - around, last + around, end if isinstance(end, int) else start)
        rows.append({
            "kind": KINDS.get(status, "unknown"),
            "word": words(status),
            "text": plain(entry.get("text")),
            "measured": quantity(entry.get("measured"), unit),
            "limit": quantity(entry.get("limit"), unit),
            "margin": quantity(entry.get("margin"), unit, signed=True),
            "bar": gauge(entry),
            "zoom": zoom,
        })  # fmt: skip
    return sorted(rows, key=lambda row: _urgency(row["kind"]))


def gauge(entry: Row) -> Row | None:
    """Measured against limit, in percent of the bar's width; None for a tolerance around a value."""
    found = margin_of(entry)
    if found is None or found.kind == "around" or found.measured < 0:
        return None
    measured, limit, least = found.measured, found.limit, found.kind == "least"
    scale = max(measured, limit) * 1.08
    inside = measured if least else min(measured, limit)
    share, name = measured / limit, "minimum" if least else "limit"
    return {
        "fill": round(100 * inside / scale, 2),
        "over": 0 if least else round(100 * max(0.0, measured - limit) / scale, 2),
        "limit": round(100 * limit / scale, 2),
        "note": f"{number(round(100 * share, 1))} % of the {name}" if share < 10
        else f"{number(round(share))} times the {name}",
        "label": f"{quantity(measured, entry.get('unit'))} against {quantity(limit, entry.get('unit'))}",
    }  # fmt: skip


def invariant_rows(trace: Trace, run: Row) -> list[Row]:
    """One row per invariant: violated first, those without an occasion last."""
    seen: dict[str, int] = {}
    for event in trace.events:
        if event.kind == "invariant":
            seen.setdefault(str(event.fields.get("id")), event.t_us)
    rows = []
    for entry in run.get("invariants") or []:
        status, key = str(entry.get("status")), str(entry.get("id"))
        at = seen.get(key)
        rows.append({
            "kind": KINDS.get(status, "idle"),
            "word": words(status),
            "id": key,
            "title": str(entry.get("title") or key),
            "detail": plain(entry["detail"]) if entry.get("detail") else "",
            "evaluated": quantity(entry.get("evaluated")),
            "zoom": None if at is None else (at - AROUND_US, at + AROUND_US, at),
        })  # fmt: skip
    return sorted(rows, key=lambda row: _urgency(row["kind"]))


def _urgency(kind: str) -> int:
    return ["fail", "unknown", "pass", "idle"].index(kind)


def beam_rows(run: Row) -> list[Row]:
    """One row per target and fraction, followed by one per beam of it."""
    targets = run.get("targets") or []
    metersets = [t.get(key) for t in targets for key in ("planned_mu", "delivered_mu")]
    most = max((float(value) for value in metersets if value is not None and is_number(value)), default=0.0)
    rows = []
    for target in targets:
        fraction = target.get("fraction")
        rows.append({
            "rank": "target",
            "name": plain(target.get("id")),
            "note": "" if fraction is None else f"fraction {plain(fraction)}",
            **_dose(target, most),
        })  # fmt: skip
        for beam in target.get("beams") or []:
            name = f"Beam {plain(beam.get('number'))}" + (f" “{beam['name']}”" if beam.get("name") else "")
            rows.append({"rank": "beam", "name": name, "note": _stopped_at(beam),
                         **_dose(beam, most)})  # fmt: skip
    return rows


def _dose(entry: Row, most: float) -> Row:
    planned, delivered = entry.get("planned_mu"), entry.get("delivered_mu")
    row: Row = {"planned": monitor_units(planned), "delivered": monitor_units(delivered)}
    row.update(difference=MISSING, bar=None)
    if planned is None or delivered is None or not (is_number(planned) and is_number(delivered)):
        return row
    difference = delivered - planned
    exact = abs(difference) < 0.005
    row["difference"] = "0.00" if exact else f"{difference:+.2f}"
    if most > 0:
        widest = max(planned, delivered)
        row["bar"] = {
            "plan": round(100 * widest / most, 2),
            "fill": round(100 * delivered / widest, 2) if widest else 0,
            "short": not exact,
            "percent": f"{100 * delivered / planned:.1f} %" if planned else "",
            "label": f"{monitor_units(delivered)} of {monitor_units(planned)} MU",
        }
    return row


def _stopped_at(beam: Row) -> str:
    """In which control point a beam that was not finished stopped."""
    points = beam.get("control_points") or []
    for point in points:
        planned, delivered = point.get("planned_mu"), point.get("delivered_mu")
        if is_number(planned) and is_number(delivered) and planned - delivered >= 0.005:
            last = max((p.get("index") or 0 for p in points), default=0)
            return f"stopped before control point {plain(point.get('index'))} of {plain(last)}"
    return ""


def interlock_rows(run: Row) -> list[Row]:
    """The interlocks that tripped, in the order they did."""
    rows = []
    entries = run.get("interlocks") or []
    for entry in sorted(entries, key=lambda e: e["time_s"] if is_number(e.get("time_s")) else float("inf")):
        key = str(entry.get("id"))
        at = round(entry["time_s"] * 1e6) if is_number(entry.get("time_s")) else None
        rows.append({
            "id": key,
            "title": str(entry.get("title") or key),
            "stop": plain(entry.get("stop")),
            "time": MISSING if at is None else clock(at),
            "order": "first up" if entry.get("first_up")
            else "hold only" if entry.get("stop") == "hold" else "follow-on",
            "first_up": bool(entry.get("first_up")),
            "latched": quantity(entry.get("latched")),
            "zoom": None if at is None else (at - AROUND_US, at + AROUND_US, at),
        })  # fmt: skip
    return rows
