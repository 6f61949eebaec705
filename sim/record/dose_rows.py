"""The rows of the dose tables on the terminal and in the report, from the content of run.json."""

from __future__ import annotations

from typing import Any

from sim.record.figures import MISSING, is_number, plain

#: From this part of the planned dose on a difference is pointed out (engineering default).
POINTED_OUT = 0.01


def dose_rows(run: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for the centre of every target and for every organ point; empty without doses.

    Values are words in Gy. ``off`` says that the difference from the plan is worth pointing out.
    """
    rows = []
    for entry in (run.get("dose") or {}).get("points") or []:
        if entry.get("kind") == "rim":
            continue
        planned, difference = entry.get("planned_gy"), entry.get("difference_gy")
        known = is_number(planned) and is_number(difference)
        organ = entry.get("kind") == "organ"
        rows.append(
            {
                "name": plain(entry.get("of")),
                "prescribed": gray(entry.get("prescribed_gy")),
                "planned": gray(planned),
                "delivered": gray(entry.get("delivered_gy")),
                "difference": gray(difference, signed=True),
                "own": MISSING if organ else gray(entry.get("own_gy")),
                "cross": gray(entry.get("cross_gy")),
                "note": "organ point" if organ else _rim(run, entry),
                "off": known and abs(difference) > max(POINTED_OUT * abs(planned), 0.01),
            }
        )
    return rows


def planned_lines(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Gy planned at the centre of every target: in all, and by its own beams."""
    found = {}
    for entry in (run.get("dose") or {}).get("points") or []:
        if entry.get("kind") == "centre":
            own = [part["planned_gy"] for part in entry.get("from") or [] if part["target"] == entry["of"]]
            found[str(entry["of"])] = {"all": entry.get("planned_gy"), "own": own[0] if own else None}
    return found


def grown_words(run: dict[str, Any]) -> str:
    """What the figure of dose over the session shows, in words."""
    rows = [row for row in dose_rows(run) if row["note"] != "organ point"]
    return " ".join(
        f"{row['name']}: {row['delivered']} Gy delivered at its centre, {row['own']} by its own beams and "
        f"{row['cross']} by others, of {row['planned']} planned."
        for row in rows
    )


def gray(value: Any, *, signed: bool = False) -> str:
    """Gy with three decimals, without the unit."""
    if not is_number(value):
        return MISSING
    text = f"{float(value):+.3f}" if signed else f"{float(value):.3f}"
    return "0.000" if text in ("+0.000", "-0.000") else text


def _rim(run: dict[str, Any], centre: dict[str, Any]) -> str:
    """Least and largest dose delivered on the rim of a target."""
    found = [
        entry["delivered_gy"]
        for entry in run["dose"]["points"]
        if entry.get("of") == centre.get("of")
        and entry.get("kind") == "rim"
        and is_number(entry.get("delivered_gy"))
    ]
    return f"rim {gray(min(found))} to {gray(max(found))}" if found else ""
