"""What a pydantic core schema says about one place of a document.

Core schemas are plain dictionaries (``pydantic_core.core_schema``). Kinds that are not known here
are answered with nothing, never with an error: the answers only improve messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from firmware_model.diagnostics import FORMAT_METADATA

Schema = dict[str, Any]

_INNER = {  # wrappers that add nothing to the location
    "definitions": "schema",
    "nullable": "schema",
    "default": "schema",
    "function-before": "schema",
    "function-after": "schema",
    "function-wrap": "schema",
    "model": "schema",
    "dataclass": "schema",
    "json-or-python": "json_schema",
    "lax-or-strict": "strict_schema",
}


class SchemaReader:
    """Answers questions on schemas; remembers the definitions it has come across."""

    def __init__(self) -> None:
        self._definitions: dict[str, Schema] = {}

    def _layers(self, schema: Schema | None) -> Iterator[Schema]:
        """The schema and what it wraps, down to the one that takes part in locations."""
        while schema is not None:
            yield schema
            kind = schema["type"]
            if kind == "definitions":
                self._definitions.update({d["ref"]: d for d in schema["definitions"]})
            if kind == "definition-ref":
                schema = self._definitions.get(schema["schema_ref"])
            else:
                schema = schema.get(_INNER[kind]) if kind in _INNER else None

    def core(self, schema: Schema | None) -> Schema:
        """The innermost layer; of type "unknown" when there is no schema."""
        core: Schema = {"type": "unknown"}
        for layer in self._layers(schema):
            core = layer
        return core

    def formatter(self, schema: Schema | None) -> Callable[[int], str] | None:
        """How an integer accepted here is written in a document, when it has a unit."""
        for layer in self._layers(schema):
            written = (layer.get("metadata") or {}).get(FORMAT_METADATA)
            if written is not None:
                return written  # type: ignore[no-any-return]
        return None

    def model(self, schema: Schema | None) -> type | None:
        """The model class that a mapping is read into here, if it is one."""
        for layer in self._layers(schema):
            if layer["type"] == "model":
                return layer["cls"]  # type: ignore[no-any-return]
        return None

    def fields(self, schema: Schema | None) -> dict[str, Schema]:
        """Keys that a mapping may have here, with the schema of each; of all members of a union."""
        core = self.core(schema)
        if core["type"] in ("model-fields", "typed-dict"):
            return {_key_of(name, f): f["schema"] for name, f in core["fields"].items()}
        if core["type"] == "dataclass-args":
            return {_key_of(f["name"], f): f["schema"] for f in core["fields"]}
        return {name: s for member in members(core) for name, s in self.fields(member).items()}

    def accepted(self, schema: Schema | None) -> list[Any]:
        """The values of an enumeration or literal."""
        core = self.core(schema)
        values = core.get("expected") if core["type"] == "literal" else core.get("members")
        return [plain(value) for value in values or []]

    def child(self, schema: Schema, part: str | int) -> Schema | None:
        """The schema one step down from a core schema."""
        kind = schema["type"]
        inner: Any = None
        if kind in ("list", "set", "frozenset"):
            inner = schema.get("items_schema")
        elif kind == "tuple":
            items = schema["items_schema"]
            variadic = schema.get("variadic_item_index", len(items))
            if isinstance(part, int):
                inner = dict(enumerate(items)).get(min(part, variadic))
        elif kind == "dict":
            inner = schema.get("values_schema")
        else:
            inner = self.fields(schema).get(str(part))
        return inner if isinstance(inner, dict) else None


def members(core: Schema) -> list[Schema]:
    """The members of a union, in its order; none for other kinds."""
    if core["type"] == "union":
        return [choice[0] if isinstance(choice, tuple) else choice for choice in core["choices"]]
    return list(core["choices"].values()) if core["type"] == "tagged-union" else []


def _key_of(name: str, schema: Schema) -> str:
    alias = schema.get("validation_alias")
    return alias if isinstance(alias, str) else name


def plain(value: Any) -> Any:
    """The value as it stands in a document."""
    return value.value if isinstance(value, Enum) else value
