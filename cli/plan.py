"""``interlock plan``: look at treatment plans, regimens and schedules."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import get_args

import click

from firmware_model.diagnostics import DocumentError
from firmware_model.strict_yaml import load
from sim.machine import REFERENCE_MACHINE, Machine
from sim.plan.course import Course, PlanError
from sim.plan.loading import load_plan

_DATE = click.DateTime(formats=["%Y-%m-%d"])
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@click.group("plan")
def command() -> None:
    """Look at treatment plans (our YAML or DICOM RT Plan), regimens and schedules."""


def _load(file: Path, machine: Path, fraction_group: int | None) -> tuple[Course, Machine]:
    """The course and the machine; ends with exit code 3 when one of them cannot be used."""
    try:
        limits = load(machine, Machine)
        return load_plan(file, limits, fraction_group), limits
    except DocumentError as problem:
        click.echo(str(problem), err=True)
    except PlanError as problem:
        from rich.console import Console

        from sim.plan.show import findings_text

        click.echo(f"{problem.source}: this plan cannot be delivered", err=True)
        Console(stderr=True).print(findings_text(problem.findings))
    sys.exit(3)


@command.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--machine", type=click.Path(path_type=Path), default=REFERENCE_MACHINE, help="Machine file.")
@click.option("--fraction-group", type=int, help="Fraction group of a DICOM plan that has several.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def show(file: Path, machine: Path, fraction_group: int | None, as_json: bool) -> None:
    """Targets, beams, metersets, times and findings of a plan. Exit code 3: it cannot be delivered."""
    from sim.plan.show import as_dict, render

    course, limits = _load(file, machine, fraction_group)
    if as_json:
        click.echo(json.dumps(as_dict(course, limits), indent=1))
        return
    from rich.console import Console

    Console().print(render(course, limits))


@command.command("dose")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--machine", type=click.Path(path_type=Path), default=REFERENCE_MACHINE, help="Machine file.")
@click.option("--fraction-group", type=int, help="Fraction group of a DICOM plan that has several.")
@click.option(
    "--metersets",
    type=click.Choice(["as_written", "independent", "joint"]),
    default="as_written",
    show_default=True,
    help="Scale them to the prescriptions, each target by itself or all together.",
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def dose(file: Path, machine: Path, fraction_group: int | None, metersets: str, as_json: bool) -> None:
    """Planned dose of each target from its own beams and from those of the others, in Gy.

    Exit code 3: the plan cannot be delivered, or the dose model does not have its beams.
    """
    from sim.dose.cross import Metersets, Unscalable, scaled
    from sim.dose.fields import UnknownLeaves
    from sim.dose.kernel import NoBeamData
    from sim.dose.show import as_dict, render

    course, _ = _load(file, machine, fraction_group)
    how = next(known for known in get_args(Metersets) if known == metersets)
    try:
        course = scaled(course, how)
        result = as_dict(course)
    except (NoBeamData, UnknownLeaves, Unscalable) as problem:
        click.echo(f"{file}: {problem}", err=True)
        sys.exit(3)
    if as_json:
        click.echo(json.dumps(result, indent=1))
        return
    from rich.console import Console

    Console().print(render(course))


@command.command("regimens")
@click.option("--site", help="Only those for this site (and for any).")
@click.option(
    "--alpha-beta", type=click.FloatRange(min=0, min_open=True), default=10.0, help="Gy; default 10."
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def list_regimens(site: str | None, alpha_beta: float, as_json: bool) -> None:
    """Published regimens that a plan may name, with their sources."""
    from firmware_model.diagnostics import did_you_mean
    from sim.plan.regimen import SITES, regimens, regimens_for
    from sim.plan.regimen_show import as_dict, render

    if site is not None and site not in SITES:
        raise click.UsageError(f"no site {site!r}; {did_you_mean(site, SITES)}")
    chosen = list(regimens().values()) if site is None else regimens_for(site)
    if as_json:
        click.echo(json.dumps([as_dict(regimen) for regimen in chosen], indent=1))
        return
    from rich.console import Console

    Console().print(render(chosen, alpha_beta))


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


@command.command("schedule")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--start", type=_DATE, required=True, help="First possible day, 2026-03-02.")
@click.option("--order", help="Targets that go first: a,b.")
@click.option("--targets-per-day", type=click.IntRange(min=1), help="Default: all; one when alternating.")
@click.option("--same-day", "arrangement", flag_value="same_day", help="All targets in each session.")
@click.option(
    "--alternate", "arrangement", flag_value="alternate", help="Targets take turns on different days."
)
@click.option("--not-all-on-one-day", is_flag=True, help="No session reaches every target.")
@click.option("--working-days", default="mon,tue,wed,thu,fri", show_default=True)
@click.option("--holiday", "holidays", type=_DATE, multiple=True, help="No treatment; may be repeated.")
@click.option("--finish-by", type=_DATE, help="Last possible day.")
@click.option(
    "--waive",
    type=click.Choice(["overall-time", "longest-interval"]),
    multiple=True,
    help="Report this rule's violations instead of keeping it.",
)
@click.option(
    "--first-hour", type=click.DateTime(formats=["%H:%M"]), default="09:00", help="Of a day; default 09:00."
)
@click.option("--slot", type=click.IntRange(1, 240), default=30, show_default=True, help="Minutes a target.")
@click.option(
    "--delivered", type=click.Path(path_type=Path), help="File (YAML) of what was delivered so far."
)
@click.option("--machine", type=click.Path(path_type=Path), default=REFERENCE_MACHINE, help="Machine file.")
@click.option("--fraction-group", type=int, help="Fraction group of a DICOM plan that has several.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def schedule(
    file: Path,
    start: datetime,
    order: str | None,
    targets_per_day: int | None,
    arrangement: str | None,
    not_all_on_one_day: bool,
    working_days: str,
    holidays: tuple[datetime, ...],
    finish_by: datetime | None,
    waive: tuple[str, ...],
    first_hour: datetime,
    slot: int,
    delivered: Path | None,
    machine: Path,
    fraction_group: int | None,
    as_json: bool,
) -> None:
    """Which fraction of which target is given on which day. Exit code 1: no schedule keeps the rules."""
    from sim.plan.schedule import ScheduleError, make_schedule
    from sim.plan.schedule_rules import WAIVABLE, Arrangement, Request, RequestError
    from sim.plan.schedule_show import as_dict, render
    from sim.plan.visits import load_visits

    unknown = [name for name in _names(working_days) if name not in _WEEKDAYS]
    if unknown:
        raise click.UsageError(f"no weekday {unknown[0]!r}; write some of {','.join(_WEEKDAYS)}")
    course, _ = _load(file, machine, fraction_group)
    request = Request(
        start=start.date(),
        order=_names(order),
        targets_per_day=targets_per_day,
        arrangement=next((known for known in get_args(Arrangement) if known == arrangement), "free"),
        working_days=frozenset(_WEEKDAYS.index(name) for name in _names(working_days)),
        holidays=frozenset(day.date() for day in holidays),
        last_date=None if finish_by is None else finish_by.date(),
        not_all_on_one_day=not_all_on_one_day,
        waived=frozenset(rule for rule in WAIVABLE if rule in waive),
        first_hour=first_hour.time(),
        slot_minutes=slot,
    )
    try:
        given = () if delivered is None else load_visits(delivered, course)
        result = make_schedule(course, request, given)
    except DocumentError as problem:
        click.echo(str(problem), err=True)
        sys.exit(3)
    except RequestError as problem:
        raise click.UsageError(str(problem)) from None
    except ScheduleError as problem:
        click.echo(str(problem), err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(as_dict(result), indent=1))
        return
    from rich.console import Console

    Console().print(render(result))
