"""The ``interlock`` command. Every subcommand is imported only when it is used."""

from __future__ import annotations

import importlib
from typing import Any

import click

COMMANDS = {
    "run": ("cli.run", "Run a scenario and say whether it passed."),
    "overview": ("cli.overview", "Write one page over a folder of runs."),
    "check": ("cli.check", "Check scenario files without running them."),
    "plan": ("cli.plan", "Look at treatment plans."),
    "course": ("cli.course", "Give a course over days and keep its ledger."),
    "ledger": ("cli.ledger", "Look at what was delivered of a course."),
    "table": ("cli.table", "Look at interlock tables."),
    "board": ("cli.board", "List, serve and test boards."),
    "new": ("cli.new", "Write a first scenario that passes."),
    "explain": ("cli.explain", "Tell what an interlock, signal, state or key is."),
    "schema": ("cli.schema", "Print JSON Schemas of the files, for editors."),
}


class _Lazy(click.Group):
    """Lists all commands at once but imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: Any = importlib.import_module(COMMANDS[name][0]).command
        return command  # type: ignore[no-any-return]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="linac-interlock-simulator")
def main() -> None:
    """Simulate a linac session under its interlock controller.

    \b
    First steps:
      interlock run scenarios/two_abdominal_metastases.yaml
      interlock check scenarios
      interlock new my_scenario.yaml
      interlock explain DOOR_OPEN
      interlock plan show scenarios/plans/two_abdominal_metastases.yaml

    \b
    Exit codes: 0 passed, 1 failed, 2 wrong usage, 3 invalid scenario or plan, 4 rig error.

    Not for clinical use.
    """


if __name__ == "__main__":
    main()
