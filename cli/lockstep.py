"""``interlock board lockstep``: every file on every board beside the model, and where they first differ."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cli.beside import DIFFERS, IDENTICAL, NOT_RUN, Finding
from cli.lockstep_jobs import BUILD, Job, Kept, fingerprint, run_jobs
from cli.lockstep_page import Row, page, reason
from firmware_model.diagnostics import did_you_mean
from firmware_model.table_loading import load_table
from hil.boards import KINDS
from hil.transport import looks_like_port
from sim.explain.usage import runnable_files

A_DIFFERENCE, NOT_ALL_RAN, CUT_SHORT = 1, 4, 130


@click.command("lockstep")
@click.argument("boards", nargs=-1)
@click.option(
    "--scenarios",
    "folder",
    type=click.Path(exists=True, path_type=Path),
    default=Path("scenarios"),
    show_default=True,
    help="A folder of scenarios and stimuli, or one file.",
)
@click.option("--sample", type=click.IntRange(min=1), help="Only so many of the files, spread evenly.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    help="Processes at a time [default: all cores].",
)
@click.option(
    "--limit",
    type=click.FloatRange(min=1),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="Longest time for one file on one board.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Markdown page to write.")
@click.option(
    "--differences",
    type=click.Path(path_type=Path),
    default=BUILD / "differences",
    help="Folder for the stimulus of each difference [default: build/lockstep/differences].",
)
@click.option("--fresh", is_flag=True, help="Measure anew what was measured before.")
@click.option("--quiet", is_flag=True, help="Only what is not identical, and the sums.")
def command(
    boards: tuple[str, ...],
    folder: Path,
    sample: int | None,
    jobs: int,
    limit: float,
    out: Path | None,
    differences: Path,
    fresh: bool,
    quiet: bool,
) -> None:
    """Run every scenario on BOARDS with the model beside each, and find where they first differ.

    BOARDS are kinds of `interlock board list` or ports; without any, all kinds that can be started here.
    Outputs are compared at every tick, retained memory after every restart, events at the end.

    What was measured is kept, so after ctrl-c the same command goes on where it was, and tries again what
    could not be run. A change of any source or scenario starts it anew. A difference is made smaller and
    written as a stimulus, a file that `interlock run` repeats.

    \b
    Examples:
      interlock board lockstep native
      interlock board lockstep qemu:mps2-an385 --sample 10
      interlock board lockstep --out docs/lockstep.md

    Exit codes: 0 all identical, 1 a difference, 4 something could not be run, 130 ended by ctrl-c.
    """
    for board in boards:
        if board not in KINDS and not looks_like_port(board):
            raise click.UsageError(f"no board {board!r}; {did_you_mean(board, KINDS)}, or a port")
    files = runnable_files(folder) if folder.is_dir() else [folder]
    if not files:
        raise click.UsageError(f"no scenario files below {folder}")
    chosen = _spread(files, sample)
    wanted = list(dict.fromkeys(boards)) or [name for name in KINDS if name != "model"]
    missing = {name: KINDS[name].missing() for name in wanted if name in KINDS}
    kept = Kept(BUILD / f"{fingerprint([folder])}.jsonl")
    todo = [
        Job(board, file.as_posix(), limit, str(differences))
        for board in wanted
        for file in chosen
        if not missing.get(board) and (fresh or kept.lacks(board, file.as_posix()))
    ]
    for name in wanted:
        if missing.get(name):
            click.echo(f"{name} cannot be started here: {missing[name]}", err=True)
    cut_short = not _measure(todo, jobs, kept, quiet)
    names = {file.as_posix() for file in (files if out else chosen)}
    rows = [
        Row(
            board,
            [f for (b, n), f in kept.findings.items() if b == board and n in names],
            missing.get(board, ""),
        )
        for board in wanted
    ]
    for row in rows:
        _sum(row, chosen)
    if out is not None:
        text = page(rows, len(files), load_table(), folder.as_posix(), _again(boards, folder, out))
        out.write_text(text, encoding="utf-8", newline="\n")
        click.echo(f"wrote {out}")
    if cut_short:
        sys.exit(CUT_SHORT)
    outcomes = {finding.outcome for row in rows for finding in row.findings}
    lacking = any(missing.get(board) for board in boards)
    sys.exit(A_DIFFERENCE if DIFFERS in outcomes else NOT_ALL_RAN if NOT_RUN in outcomes or lacking else 0)


def _measure(todo: Sequence[Job], jobs: int, kept: Kept, quiet: bool) -> bool:
    """False: ended by ctrl-c. Whatever came in before is kept."""
    findings = run_jobs(todo, jobs)
    try:
        for number, finding in enumerate(findings, 1):
            kept.add(finding)
            if not quiet or finding.outcome != IDENTICAL:
                _tell(number, len(todo), finding)
    except KeyboardInterrupt:
        click.echo("ended; the same command goes on from here", err=True)
        return False
    finally:
        findings.close()
    return True


def _spread(files: Sequence[Path], sample: int | None) -> list[Path]:
    """So many of the files, evenly spread; the first and the last among them."""
    if sample is None or sample >= len(files):
        return list(files)
    step = (len(files) - 1) / max(1, sample - 1)
    return [files[round(index * step)] for index in range(sample)]


def _tell(number: int, of: int, finding: Finding) -> None:
    why = reason(finding)
    click.echo(
        f"[{number}/{of}] {finding.board}  {finding.outcome}  {finding.file}  {finding.wall_s:.1f} s"
        + (f"\n    {why}" if why else "")
    )
    sys.stdout.flush()


def _sum(row: Row, chosen: Sequence[Path]) -> None:
    names = {file.as_posix() for file in chosen}
    found = [finding.outcome for finding in row.findings if finding.file in names]
    if not row.missing:
        figures = ", ".join(f"{found.count(name)} {name}" for name in (IDENTICAL, DIFFERS, NOT_RUN))
        click.echo(f"{row.board}: {len(found)} files measured of {len(names)}: {figures}")


def _again(boards: Sequence[str], folder: Path, out: Path) -> str:
    scenarios = [] if folder == Path("scenarios") else ["--scenarios", folder.as_posix()]
    return shlex.join(["interlock", "board", "lockstep", *boards, *scenarios, "--out", out.as_posix()])
