"""The session told on the terminal: what happened, what was measured, what the verdict is.

On a terminal lines wrap and are coloured (NO_COLOR is honoured). Redirected output is plain text
with one line per fact, however long. Where the output cannot show a sign, plain ASCII stands in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sim.record.dose_rows import dose_rows
from sim.record.figures import MISSING, amount, clock, duration, monitor_units, plain, quantity
from sim.record.narrative import Line, collapse, first_cause, tell
from sim.record.trace import Trace

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLES = {"plain": "", "good": "green", "warn": "yellow", "bad": "bold red", "dim": "dim"}
VERDICT_STYLES = {"PASS": "bold green", "FAIL": "bold red", "RIG_ERROR": "bold red", "INVALID": "bold yellow"}
STATUS_MARKS = {"pass": "✓", "held": "✓", "fail": "✗", "violated": "✗"}
STATUS_STYLES = {"pass": "green", "held": "green", "fail": "bold red", "violated": "bold red"}
ASCII = {
    "✓": "+",
    "✗": "x",
    "…": "...",
    "→": "->",
    "—": "-",
    "“": '"',
    "”": '"',
    "µ": "u",
    "·": "|",
    "°": " deg",
}

Cell = tuple[str, str]  # text and style


def print_story(trace: Trace, run: dict[str, Any], console: Console) -> None:
    """Tell the whole run on ``console``: events, expectations, invariants, targets, verdict."""
    out = _Printer(console)
    _heading(out, run)
    _events(out, collapse([line for line in tell(trace, run) if not line.detail]))
    _expectations(out, run.get("expectations") or [])
    _invariants(out, run.get("invariants") or [])
    _targets(out, run.get("targets") or [])
    _dose(out, run)
    _verdict(out, trace, run)


def _heading(out: _Printer, run: dict[str, Any]) -> None:
    scenario, board = run.get("scenario") or {}, run.get("board") or {}
    out.line((str(scenario.get("title") or scenario.get("path") or "Session"), "bold"))
    facts = [
        scenario.get("path"),
        f"board {board['kind']}" if board.get("kind") else None,
        f"seed {run['seed']}" if run.get("seed") is not None else None,
    ]
    out.line((" · ".join(str(fact) for fact in facts if fact), "dim"))


def _events(out: _Printer, lines: Iterable[Line]) -> None:
    for line in lines:
        style = STYLES[line.tone]
        if line.rank == "target":
            out.line()
            out.line((clock(line.t_us), "dim"), (f"  {line.text}", "bold underline"))
        elif line.rank == "beam":
            out.line((clock(line.t_us), "dim"), (f"    {line.text}", "bold"))
        else:
            mark = "!" if line.tone in ("bad", "warn") else " "
            out.line((clock(line.t_us), "dim"), (f"  {mark}   {line.text}", style))


def _expectations(out: _Printer, entries: Sequence[dict[str, Any]]) -> None:
    if not entries:
        return
    out.section("Expectations")
    rows: list[list[Cell]] = [[("", ""), ("", ""), ("measured", "dim"), ("limit", "dim"), ("margin", "dim")]]
    for entry in entries:
        status, unit = str(entry.get("status")), entry.get("unit")
        style = STATUS_STYLES.get(status, "yellow")
        measured = "not evaluated" if status == "not_evaluated" else quantity(entry.get("measured"), unit)
        rows.append(
            [
                (f"  {STATUS_MARKS.get(status, '?')}", style),
                (str(entry.get("text", "")), "" if status == "pass" else style),
                (measured, style),
                (quantity(entry.get("limit"), unit), ""),
                (quantity(entry.get("margin"), unit, signed=True), ""),
            ]
        )
    out.table(rows, right=(2, 3, 4))


def _invariants(out: _Printer, entries: Sequence[dict[str, Any]]) -> None:
    if not entries:
        return
    out.section("Invariants")
    for entry in entries:
        if entry.get("status") == "violated":
            title = f" ({entry['title']})" if entry.get("title") else ""
            out.line((f"  ✗ {entry.get('id')}{title} violated", STYLES["bad"]))
            if entry.get("detail"):
                out.line((f"      {plain(entry['detail'])}", ""))
    held = sum(entry.get("status") == "held" for entry in entries)
    if held:
        out.line((f"  ✓ {amount(held, 'invariant')} held", STYLES["good"]))
    open_ones = [str(entry.get("id")) for entry in entries if entry.get("status") == "not_evaluated"]
    if open_ones:
        out.line((f"  · no occasion to evaluate: {', '.join(open_ones)}", STYLES["dim"]))


def _targets(out: _Printer, entries: Sequence[dict[str, Any]]) -> None:
    if not entries:
        return
    out.section("Targets")
    rows: list[list[Cell]] = [[(text, "dim") for text in ("", "planned MU", "delivered MU")]]
    for entry in entries:
        fraction = entry.get("fraction")
        name = f"  {entry.get('id')}" + (f", fraction {plain(fraction)}" if fraction is not None else "")
        planned, delivered = monitor_units(entry.get("planned_mu")), monitor_units(entry.get("delivered_mu"))
        rows.append([(name, ""), (planned, ""), (delivered, "" if planned == delivered else STYLES["warn"])])
    out.table(rows, right=(1, 2))


def _dose(out: _Printer, run: dict[str, Any]) -> None:
    rows = dose_rows(run)
    if rows:
        out.section("Dose, Gy")
        head = ("", "prescribed", "planned", "delivered", "difference", "own beams", "other beams")
        table: list[list[Cell]] = [[(text, "dim") for text in head]]
        for row in rows:
            style = STYLES["warn"] if row["off"] else ""
            names = ("prescribed", "planned", "delivered", "difference", "own", "cross")
            cells = [(row[name], style if name in ("delivered", "difference") else "") for name in names]
            table.append([(f"  {row['name']}", ""), *cells])
        out.table(table, right=tuple(range(1, len(head))))
    elif reason := (run.get("dose") or {}).get("not_computed"):
        out.section("Dose, Gy")
        out.line((f"  not computed: {plain(reason)}", STYLES["dim"]))


def _verdict(out: _Printer, trace: Trace, run: dict[str, Any]) -> None:
    verdict = str(run.get("verdict", MISSING))
    passed = verdict == "PASS"
    mark = "✓" if passed else "✗" if verdict in ("FAIL", "RIG_ERROR") else "?"
    out.line()
    took = ""
    if run.get("sim_time_s") is not None:
        took = f"  {duration(run['sim_time_s'] * 1e6)} simulated"
        took += f" in {duration(run['wall_time_s'] * 1e6)}" if run.get("wall_time_s") is not None else ""
    out.line((f"{mark} {verdict}", VERDICT_STYLES.get(verdict, "bold")), (took, "dim"))
    out.line((first_cause(trace, run), ""))
    if not passed and run.get("reproduce"):
        out.line(("Reproduce: ", "bold"), (str(run["reproduce"]), ""), wrap=False)


class _Printer:
    """Puts lines and columns on a console, with what that console can show."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ascii = not console.encoding.lower().startswith("utf")

    def line(self, *cells: Cell, wrap: bool = True) -> None:
        """One line. It wraps only on a terminal, and never if ``wrap`` is false."""
        self._console.print(
            self._text(cells), soft_wrap=not (wrap and self._console.is_terminal), highlight=False
        )

    def section(self, title: str) -> None:
        """A heading with a blank line before it."""
        self.line()
        self.line((title, "bold underline"))

    def table(self, rows: Sequence[Sequence[Cell]], right: Sequence[int] = ()) -> None:
        """Rows in columns; the columns in ``right`` are flush right."""
        from rich.text import Text

        if self._console.is_terminal:
            self._grid(rows, right)
            return
        columns = max(len(row) for row in rows)
        texts = [[self._text([cell]) for cell in row] for row in rows]
        widths = [max(row[c].cell_len for row in texts if c < len(row)) for c in range(columns)]
        for row in texts:
            for c, text in enumerate(row):
                text.align("right" if c in right else "left", widths[c])
            self._console.print(Text("  ").join(row), soft_wrap=True, highlight=False)

    def _grid(self, rows: Sequence[Sequence[Cell]], right: Sequence[int]) -> None:
        from rich.table import Table

        grid = Table.grid(padding=(0, 2, 0, 0))
        for c in range(max(len(row) for row in rows)):
            grid.add_column(justify="right" if c in right else "left", no_wrap=c in right)
        for row in rows:
            grid.add_row(*(self._text([cell]) for cell in row))
        self._console.print(grid, highlight=False)

    def _text(self, cells: Iterable[Cell]) -> Text:
        from rich.text import Text

        text = Text()
        for content, style in cells:
            text.append(self._showable(content), style or None)
        return text

    def _showable(self, content: str) -> str:
        """Without control characters, so that no name in a scenario can steer the terminal."""
        cleaned = "".join(c if c.isprintable() else " " for c in content)
        if not self._ascii:
            return cleaned
        for sign, stand_in in ASCII.items():
            cleaned = cleaned.replace(sign, stand_in)
        return cleaned.encode(self._console.encoding, "replace").decode(self._console.encoding)
