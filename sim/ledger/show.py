"""What ``interlock ledger show`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.ledger.view import Kept, LedgerView

if TYPE_CHECKING:
    from rich.console import RenderableType


def as_dict(ledger: LedgerView) -> dict[str, Any]:
    """All of it as JSON-able data; metersets in MU."""
    id_, patient, plan = ledger.course
    return {
        "course": id_,
        "patient": patient,
        "plan": plan,
        "targets": [_target(ledger, name) for name in ledger.planned()],
        "sessions": [
            {"number": s.number, "began": f"{s.began:%Y-%m-%d %H:%M}", "source": s.source, "ended": s.ended}
            for s in ledger.sessions()
        ],
        "deliveries": [_delivery(kept) for kept in ledger.deliveries()],
        "overrides": [
            {name: getattr(override, name) for name in override.__slots__} for override in ledger.overrides()
        ],
    }


def _target(ledger: LedgerView, name: str) -> dict[str, Any]:
    fractions, beams = ledger.planned()[name]
    reached = [sum(ledger.reached(name, number).values()) for number in range(1, fractions + 1)]
    return {
        "id": name,
        "abandoned": ledger.abandoned().get(name),
        "fractions": [
            {"number": n, "planned_mu": sum(beams.values()) / 1000, "delivered_mu": mmu / 1000}
            for n, mmu in enumerate(reached, 1)
        ],
    }


def _delivery(kept: Kept) -> dict[str, Any]:
    return {
        "number": kept.number,
        "session": kept.session,
        "target": kept.target,
        "fraction": kept.fraction,
        "beam": kept.beam,
        "start_mu": kept.start / 1000,
        "end_mu": None if kept.finish is None else kept.finish / 1000,
        "secondary_mu": None if kept.secondary is None else kept.secondary / 1000,
        "cause": kept.cause,
        "first_up": kept.first_up,
        "note": kept.note,
        "control_points": [[point, meterset / 1000] for point, meterset in kept.passed],
    }


def render(ledger: LedgerView) -> RenderableType:
    """Fractions, what was delivered stretch by stretch, and what somebody decided, for a rich console."""
    from rich.console import Group
    from rich.text import Text

    id_, patient, plan = ledger.course
    parts: list[RenderableType] = [
        Text(f"Course {id_}, patient {patient}, plan {plan[:12]}"),
        _fractions(ledger),
        _deliveries(ledger),
    ]
    parts += [Text(f"{name} was abandoned: {reason}") for name, reason in ledger.abandoned().items()]
    parts += [
        Text(f"session {o.session}: {o.refusal} overridden for {o.target}, fraction {o.fraction}: {o.reason}")
        for o in ledger.overrides()
    ]
    parts += [
        Text(
            f"delivery {kept.number} has no end: at least {kept.reached / 1000:.3f} MU of beam "
            f"{kept.beam} of {kept.target}. Read the meterset the controller keeps, then: "
            f"interlock ledger settle {ledger.path} {kept.number} --meterset '... MU' --note '...'"
        )
        for kept in ledger.unfinished()
    ]
    return Group(*parts)


def _fractions(ledger: LedgerView) -> RenderableType:
    from rich.table import Table

    table = Table(title="Fractions", title_justify="left")
    table.add_column("target", no_wrap=True)
    table.add_column("fraction", justify="right")
    table.add_column("MU", justify="right")
    table.add_column("of", justify="right")
    table.add_column("on")
    visits = ledger.visits()
    for name, (fractions, beams) in ledger.planned().items():
        for number in range(1, fractions + 1):
            days = [f"{v.at:%Y-%m-%d}" for v in visits if (v.target, v.fraction) == (name, number)]
            if days:
                reached = sum(ledger.reached(name, number).values())
                planned = sum(beams.values())
                table.add_row(
                    name, str(number), f"{reached / 1000:.1f}", f"{planned / 1000:.1f}", ", ".join(days)
                )
    return table


def _deliveries(ledger: LedgerView) -> RenderableType:
    from rich.table import Table

    table = Table(title="Deliveries", title_justify="left")
    for name in ("", "target", "fraction", "beam", "from MU", "to MU"):
        table.add_column(name, justify="left" if name == "target" else "right")
    table.add_column("ended by")
    for kept in ledger.deliveries():
        table.add_row(
            str(kept.number),
            kept.target,
            str(kept.fraction),
            str(kept.beam),
            f"{kept.start / 1000:.3f}",
            "?" if kept.finish is None else f"{kept.finish / 1000:.3f}",
            kept.first_up or kept.cause or "nobody wrote it",
        )
    return table
