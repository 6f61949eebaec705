"""What ``interlock plan schedule`` prints: a line a day, or data."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sim.plan.schedule import Schedule
from sim.plan.schedule_rules import Violation
from sim.plan.visits import Visit, in_order

if TYPE_CHECKING:
    from rich.console import RenderableType


def render(schedule: Schedule) -> RenderableType:
    """A calendar of the days with visits, a column a target, for a rich console."""
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    course = schedule.course
    targets = schedule.request.targets_in_order(course)
    table = Table(title="Schedule", title_justify="left")
    table.add_column("week", justify="right")
    table.add_column("day", no_wrap=True)
    for target in targets:
        table.add_column(escape(target.id))
    by_day: dict[date, list[Visit]] = {}
    for visit in in_order((*schedule.delivered, *schedule.visits)):
        by_day.setdefault(visit.at.date(), []).append(visit)
    week = 0
    first = next(iter(by_day), schedule.request.start)
    for day, visits in by_day.items():
        now = (day.toordinal() - 1) // 7 - (first.toordinal() - 1) // 7 + 1  # Monday begins a week
        cells = ["\n".join(_cell(schedule, v) for v in visits if v.target == target.id) for target in targets]
        table.add_row(str(now) if now != week else "", f"{day:%a %Y-%m-%d}", *cells)
        week = now
    head = Text()
    head.append(course.title, style="bold")
    head.append(f"\n{course.source}")
    lines = [Text(f"{target.id}: {target.spacing}") for target in targets]
    lines += [
        Text(f"{', '.join(limit.targets)}: within {limit.days} days of the first dose ({limit.source})")
        for limit in course.overall
    ]
    lines.append(Text(_summary(schedule)))
    lines += [Text(f"deviation [{found.rule}] {found}", style="yellow") for found in schedule.deviations]
    return Group(head, table, *lines)


def as_dict(schedule: Schedule) -> dict[str, Any]:
    """The same as JSON-able data; moments are local time in ISO 8601."""
    return {
        "course": schedule.course.id,
        "digest": schedule.course.digest,
        "start": schedule.request.start.isoformat(),
        "delivered": [_visit(visit) for visit in schedule.delivered],
        "visits": [{**_visit(visit), "remainder": schedule.is_remainder(visit)} for visit in schedule.visits],
        "deviations": [_violation(found) for found in schedule.deviations],
    }


def _cell(schedule: Schedule, visit: Visit) -> str:
    given = visit in schedule.delivered
    rest = "" if given or not schedule.is_remainder(visit) else " rest"
    done = "" if not given else " given" if visit.complete else " part given"
    return f"{visit.at:%H:%M} fraction {visit.fraction}{rest}{done}"


def _summary(schedule: Schedule) -> str:
    if not schedule.visits:
        return "Nothing is left to be given."
    first, last = schedule.visits[0].at.date(), schedule.visits[-1].at.date()
    days = len({visit.at.date() for visit in schedule.visits})
    return (
        f"{len(schedule.visits)} visits on {days} days, {first:%Y-%m-%d} to {last:%Y-%m-%d}, "
        f"{(last - first).days} days from the first to the last."
    )


def _visit(visit: Visit) -> dict[str, Any]:
    return {
        "target": visit.target,
        "fraction": visit.fraction,
        "at": visit.at.isoformat(timespec="minutes"),
        "complete": visit.complete,
    }


def _violation(found: Violation) -> dict[str, Any]:
    return {
        "rule": found.rule,
        "target": found.target,
        "fraction": found.fraction,
        "at": found.at.isoformat(timespec="minutes"),
        "message": found.message,
    }
