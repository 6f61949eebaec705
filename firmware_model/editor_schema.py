"""JSON Schema of the project's files, written for editors.

Pydantic's own schema says the same, but not in a way an editor can use: a language server ignores
``discriminator`` and then offers the keys of every alternative at once, and of "text or null" it
reports the type of the wrong half. So here

* the members of a tagged union are chosen with ``if``/``then`` on the tag, which is an enumeration
  with a description of every value: completion offers the tags, then the keys of the one chosen;
* an optional key is described as if it had to have a value. The loader also takes an explicit
  ``null`` for a key left out; an editor marks it, as there is no reason to write one;
* rules between keys (:mod:`firmware_model.key_rules`) are included;
* the description of every key ends with unit, limits and default.

What the schema cannot know stays with the loader: limits of quantities, resolutions, and names of
steps, targets, signals and interlocks.
"""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from firmware_model.core_schemas import SchemaReader
from firmware_model.key_rules import KeyRules, as_json_schema

_DEFINITIONS = "#/$defs/"


def json_schema(model: type[BaseModel], title: str, id: str) -> dict[str, Any]:  # noqa: A002
    """JSON Schema (draft 2020-12) of the files that ``model`` accepts.

    Descriptions are those of the fields and the docstrings of the models.
    """
    body = model.model_json_schema(mode="validation", schema_generator=_ForEditors)
    definitions = body.get("$defs", {})
    for part in (body, *definitions.values()):
        _finish(part, definitions)
    return {"$schema": GenerateJsonSchema.schema_dialect, "$id": id, **body, "title": title}


def summary(model: type) -> str:
    """First paragraph of a docstring, in one line."""
    text = inspect.cleandoc(model.__doc__ or "")
    return " ".join(text.split("\n\n")[0].split())


class _ForEditors(GenerateJsonSchema):
    """Pydantic's generator with the differences named above."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # "Time Limit" for time_limit tells nothing

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        """Defaults of quantities appear as they are written in a file ("10 ms"), not as integers.

        Empty and composite defaults are left out: an editor would insert them.
        """
        result = super().default_schema(schema)
        written = SchemaReader().formatter(schema)
        default = result.get("default")
        if written is not None and isinstance(default, int):
            result["default"] = written(default)
        elif default in (None, "") or isinstance(default, dict | list):
            result.pop("default", None)
        return result

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def union_schema(self, schema: Any) -> JsonSchemaValue:
        """Alternatives that are nothing but types become a list of types."""
        result = super().union_schema(schema)
        members = result.get("anyOf", [])
        if members and all(set(member) == {"type"} for member in members):
            types = dict.fromkeys(member["type"] for member in members)
            if "number" in types:
                types.pop("integer", None)
            return {"type": next(iter(types)) if len(types) == 1 else list(types)}
        return result

    def tagged_union_schema(self, schema: Any) -> JsonSchemaValue:
        tag = schema["discriminator"]
        if not isinstance(tag, str):
            return super().tagged_union_schema(schema)
        members = {str(name): self.generate_inner(choice) for name, choice in schema["choices"].items()}
        models = [SchemaReader().model(choice) for choice in schema["choices"].values()]
        texts = [summary(model) if model else "" for model in models]
        return {
            "type": "object",
            "required": [tag],
            "properties": {
                tag: {
                    "type": "string",
                    "description": f"one of {', '.join(members)}",
                    "enum": list(members),
                    "enumDescriptions": texts,
                    "markdownEnumDescriptions": texts,
                }
            },
            "allOf": [
                {
                    "if": {"type": "object", "properties": {tag: {"const": name}}, "required": [tag]},
                    "then": member,
                }
                for name, member in members.items()
            ],
        }

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        result = super().model_schema(schema)
        model = schema["cls"]
        for value in result.get("properties", {}).values():
            if "$ref" not in value and not value.get("description"):
                value["description"] = summary(model)  # what the tag of a union stands for, above all
        if issubclass(model, KeyRules):
            result |= as_json_schema(model)
        return result

    def dict_schema(self, schema: Any) -> JsonSchemaValue:
        """Keys that do not match the pattern are refused."""
        result = super().dict_schema(schema)
        if "patternProperties" in result:
            result.setdefault("additionalProperties", False)
        return result


def _finish(schema: dict[str, Any], definitions: dict[str, Any]) -> None:
    """Complete the descriptions of all keys below a schema."""
    for key, value in schema.get("properties", {}).items():
        if isinstance(value, dict):
            _describe(value, definitions)
            if value.get("type") == "object":
                value.setdefault("title", key)  # what an editor says it expected
            if key in schema.get("required", ()) and "const" not in value:
                value["description"] = f"{value.get('description', '')} (required)".strip()
    for value in _inner(schema):
        value.pop("quantity", None)
        _finish(value, definitions)


def _inner(schema: dict[str, Any]) -> list[dict[str, Any]]:
    found = [v for key in ("properties", "patternProperties") for v in schema.get(key, {}).values()]
    found += [schema.get(key) for key in ("items", "additionalProperties")]
    found += [v for key in ("allOf", "anyOf", "oneOf", "prefixItems") for v in schema.get(key, ())]
    return [value for value in found if isinstance(value, dict)]


def _describe(schema: dict[str, Any], definitions: dict[str, Any]) -> None:
    text = schema.get("description", "")
    if not text and "$ref" in schema:
        text = definitions[schema["$ref"].removeprefix(_DEFINITIONS)].get("description", "")
        text = " ".join(text.split("\n\n")[0].split())
    quantity = schema.pop("quantity", None)
    facts = []
    if quantity is not None:
        facts.append(quantity)
        if "; resolution " in text:  # the quantity's own words
            text = ""
        for key in ("ge", "gt", "le", "lt"):
            schema.pop(key, None)
    facts += _limits(schema)
    if "default" in schema:
        facts.append(f"default {_written(schema['default'])}")
    text = "; ".join(filter(None, [text.rstrip(".") if facts else text, *facts]))
    if text:
        schema["description"] = text


def _limits(schema: dict[str, Any]) -> list[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return [f"{low} to {high}"]
    words = {
        "minimum": "at least {}",
        "exclusiveMinimum": "more than {}",
        "gt": "more than {}",
        "maximum": "at most {}",
        "exclusiveMaximum": "less than {}",
        "minItems": "at least {} entries",
    }
    if "prefixItems" in schema:
        return [f"{len(schema['prefixItems'])} values"]
    if "gt" in schema:  # of "integer or number", for which pydantic knows no keyword
        schema["exclusiveMinimum"] = schema.pop("gt")
    found = [text.format(schema[key]) for key, text in words.items() if key in schema]
    return [text.replace("1 entries", "one entry") for text in found]


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
