"""``interlock schema``: the JSON Schema of scenario files."""

from __future__ import annotations

import json

import click

from firmware_model.strict_yaml import json_schema
from sim.scenario.schema import Scenario


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of scenario files, for completion and inline errors in an editor."""
    schema = json_schema(Scenario, "Linac interlock scenario", "urn:linac-interlock-simulator:scenario")
    click.echo(json.dumps(schema, indent=1))
