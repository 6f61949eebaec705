"""Turn the errors of a pydantic model into problems at the right place of the source text.

An error of pydantic names a location such as ``("steps", 0, "BeamOn", "beam_on", "dose")`` in
which some parts are keys of the document and others are members of a union. To tell them apart
the location is walked together with the core schema of the model; the schema also supplies the
names that are valid at a place, for suggestions. Where a schema is not understood, a part that is
found in the document is taken as a key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NamedTuple

from pydantic import BaseModel, TypeAdapter, ValidationError

from firmware_model.core_schemas import Schema, SchemaReader, members, plain
from firmware_model.diagnostics import (
    MAX_PROBLEMS,
    Problem,
    RefusedValue,
    Source,
    Span,
    closest,
    did_you_mean,
    listed,
)

_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "none_required": "null",
}
_LIMITS = {
    "greater_than": ("gt", "must be greater than"),
    "greater_than_equal": ("ge", "is below the smallest accepted value"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "is above the largest accepted value"),
    "multiple_of": ("multiple_of", "must be a multiple of"),
}
_LENGTHS = {
    "too_short": ("min_length", "at least", "entries"),
    "too_long": ("max_length", "at most", "entries"),
    "string_too_short": ("min_length", "at least", "characters"),
    "string_too_long": ("max_length", "at most", "characters"),
}


@dataclass(slots=True)
class Node:
    """One value of a document with its place; ``children`` by key or by list index."""

    value: Any  # plain data, shared with the value of the parent
    span: Span
    key: Span | None = None
    plain: bool = False  # an unquoted scalar
    empty: bool = False  # nothing is written
    children: dict[str | int, Node] = field(default_factory=dict)

    @property
    def caret(self) -> Span:
        """Where to point: at a scalar itself, at the key of a mapping or list."""
        return self.key if self.key is not None and isinstance(self.value, dict | list) else self.span

    def find(self, path: tuple[str | int, ...]) -> Node:
        """The node at ``path``, or the closest parent that exists."""
        node = self
        for part in path:
            child = node.children.get(part)
            if child is None:
                break
            node = child
        return node


class _Error(NamedTuple):
    loc: tuple[str | int, ...]  # what is left of the location
    detail: Any  # pydantic's ErrorDetails

    def below(self) -> _Error:
        return _Error(self.loc[1:], self.detail)


def explain(error: ValidationError, model: type[BaseModel], root: Node, source: Source) -> list[Problem]:
    """The problems behind ``error``, in the order of the model; more than are shown are not worked out."""
    errors = [_Error(detail["loc"], detail) for detail in error.errors(include_url=False)]
    schema: Any = TypeAdapter(model).core_schema
    found = dict.fromkeys(islice(_Explainer(source).explain(errors, schema, root), 2 * MAX_PROBLEMS))
    return list(found)


class _Explainer:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._schemas = SchemaReader()

    def explain(self, errors: Sequence[_Error], schema: Schema | None, node: Node) -> Iterator[Problem]:
        """Problems for errors whose remaining location starts at this schema and node."""
        core = self._schemas.core(schema)
        deeper: dict[str | int, list[_Error]] = {}
        for error in errors:
            if not error.loc:
                yield self._at_node(error.detail, schema, node)
            else:
                deeper.setdefault(error.loc[0], []).append(error.below())
        if not deeper:
            return
        if core["type"] == "union":
            yield from self._union(deeper, core, node)
        elif core["type"] == "tagged-union":
            for tag, group in deeper.items():
                choices = {str(plain(t)): c for t, c in core["choices"].items()}
                yield from self.explain(group, choices.get(str(plain(tag))), node)
        else:
            mistyped = set[str | None]()
            for part, group in sorted(deeper.items(), key=lambda item: not _is_extra(item[1])):
                yield from self._part(part, group, core, node, mistyped)

    def _part(
        self, part: str | int, group: list[_Error], core: Schema, node: Node, mistyped: set[str | None]
    ) -> Iterator[Problem]:
        child = node.children.get(part)
        kind = group[0].detail["type"] if not group[0].loc else ""
        if child is None and kind == "missing":
            if isinstance(part, int):
                message = (
                    f"the number of entries is {len(node.children)}, must be {len(core['items_schema'])}"
                )
                yield self._source.problem(node.caret, message)
            elif part not in mistyped:
                yield self._source.problem(node.caret, f"missing key {part!r}")
        elif child is None:
            # Written by a validator that ran before (then a field), or a label the schema did not explain.
            is_field = kind == "extra_forbidden" or part in self._schemas.fields(core)
            value = group[0].detail["input"] if kind else {}
            stand_in = Node(value, node.caret) if is_field else node
            for problem in self.explain(group, self._schemas.child(core, part), stand_in):
                yield replace(problem, message=f"{part}: {problem.message}") if is_field else problem
        elif kind == "extra_forbidden":
            problem, meant = self._unknown_key(str(part), list(self._schemas.fields(core)), node)
            mistyped.add(meant)
            yield problem
        else:
            of_key = [e.below() for e in group if e.loc[:1] == ("[key]",) and "[key]" not in child.children]
            if of_key:
                key = Node(str(part), child.key or child.span)
                yield from self.explain(of_key, core.get("keys_schema"), key)
            rest = [e for e in group if e.loc[:1] != ("[key]",) or "[key]" in child.children]
            yield from self.explain(rest, self._schemas.child(core, part), child)

    def _unknown_key(self, key: str, known: list[str], node: Node) -> tuple[Problem, str | None]:
        """The problem, and the key that was probably meant."""
        free = [name for name in known if name not in node.children]
        meant = closest(key, free)
        others = f"known here: {listed(known)}" if known else None
        help_text = others if meant is None else f"did you mean {meant!r}?"
        child = node.children[key]
        return self._source.problem(child.key or child.span, f"unknown key {_cut(key)!r}", help_text), meant

    def _union(self, deeper: dict[str | int, list[_Error]], core: Schema, node: Node) -> Iterator[Problem]:
        """One comprehensible account of why no member of a union fits."""
        groups = list(deeper.values())
        schemas: list[Schema | None] = [*members(core)]
        if len(schemas) != len(groups):  # members of the same name, whose errors cannot be told apart
            every = [problem for group in groups for problem in self.explain(group, None, node)]
            message = "; or ".join(dict.fromkeys(problem.message for problem in every))
            yield self._source.problem(node.caret, message, every[0].suggestion)
            return
        if isinstance(node.value, dict):
            mappings = [(s, g, set(self._schemas.fields(s))) for s, g in zip(schemas, groups, strict=True)]
            mappings = [entry for entry in mappings if entry[2]]
            if mappings:
                yield from self._union_of_mappings(mappings, node)
                return
        fitting = [(s, g) for s, g in zip(schemas, groups, strict=True) if not _is_other_kind(g, node)]
        if len(fitting) == 1:
            yield from self.explain(fitting[0][1], fitting[0][0], node)
        elif not fitting:
            wanted = [_wanted(g) for g in groups]
            yield self._source.problem(node.caret, f"must be {_either(wanted)}, not {_shown(node.value)}")
        else:
            values = [value for s, _ in fitting for value in self._schemas.accepted(s)]
            others = [(s, g) for s, g in fitting if not self._schemas.accepted(s)]
            reasons = [next(self.explain(g, s, node)) for s, g in others]
            if values:
                texts = [_written(value) for value in values]
                if not reasons:
                    yield self._not_accepted(node, values)
                    return
                near = closest(str(node.value), [value for value in values if isinstance(value, str)])
                help_text = reasons[0].suggestion if near is None else f"did you mean {near!r}?"
                message = f"{reasons[0].message}, and not {_either(texts)}"
                yield self._source.problem(node.caret, message, help_text)
                return
            else:
                message = "; or ".join(dict.fromkeys(reason.message for reason in reasons))
            yield self._source.problem(node.caret, message, reasons[0].suggestion)

    def _union_of_mappings(
        self, members: list[tuple[Schema | None, list[_Error], set[str]]], node: Node
    ) -> Iterator[Problem]:
        present = {str(key) for key in node.children}
        best = max(_rank(entry, present) for entry in members)
        nearest = [entry for entry in members if _rank(entry, present) == best]
        known = list(dict.fromkeys(name for s, _, _ in members for name in self._schemas.fields(s)))
        if len(nearest) == 1 and (best[0] > 0 or not present):
            yield from self.explain(nearest[0][1], nearest[0][0], node)
            return
        unknown = [key for key in node.value if key not in known]
        if unknown:
            yield self._unknown_key(unknown[0], known, node)[0]
            return
        missing = [[e.loc[0] for e in g if _is(e, "missing")] for _, g, _ in nearest]
        extra = [[e.loc[0] for e in g if _is(e, "extra_forbidden")] for _, g, _ in nearest]
        if all(missing) and not any(extra):
            names = dict.fromkeys(_written(name) for group in missing for name in group)
            yield self._source.problem(node.caret, f"one of these keys is missing: {listed(list(names))}")
        elif all(extra):
            names = dict.fromkeys(key for key in node.value if any(key in group for group in extra))
            both = " and ".join(repr(name) for name in names)
            yield self._source.problem(node.caret, f"{both} cannot be used together")
        else:
            schema, group, _ = min(nearest, key=lambda entry: len(entry[1]))
            yield from self.explain(group, schema, node)

    def _at_node(self, detail: Any, schema: Schema | None, node: Node) -> Problem:
        kind: str = detail["type"]
        context: dict[str, Any] = detail.get("ctx") or {}
        problem = self._source.problem
        if kind in _EXPECTED:
            message = f"must be {_EXPECTED[kind]}, not {_shown(node.value)}"
            return problem(node.caret, message, _type_help(kind, node))
        if kind in ("literal_error", "enum"):
            return self._not_accepted(node, self._schemas.accepted(schema), str(context.get("expected", "")))
        if kind in _LIMITS:
            name, text = _LIMITS[kind]
            limit, written = context[name], self._schemas.formatter(schema)
            limit = written(limit) if written is not None and isinstance(limit, int) else limit
            return problem(node.caret, f"{_value(node.value)} {text} {limit}")
        if kind in _LENGTHS:
            name, text, what = _LENGTHS[kind]
            actual = context.get("actual_length", len(node.value))
            return problem(node.caret, f"the number of {what} is {actual}, must be {text} {context[name]}")
        if kind == "string_pattern_mismatch":
            return problem(node.caret, f"{_value(node.value)} does not match {context['pattern']}")
        if kind in ("union_tag_invalid", "union_tag_not_found"):
            return self._tag(kind, context, self._schemas.core(schema), node)
        if kind in ("value_error", "assertion_error") and isinstance(context.get("error"), Exception):
            error = context["error"]
            if isinstance(error, RefusedValue):
                return problem(node.find(error.at).caret, error.message, error.suggestion)
            return problem(node.caret, str(error) or "refused")
        return problem(node.caret, str(detail["msg"]).replace("Input should", "must"))

    def _not_accepted(self, node: Node, values: list[Any], expected: str = "") -> Problem:
        if isinstance(node.value, dict | list):
            return self._source.problem(
                node.caret, f"must be {_either(list(map(_written, values)))}, not {_shown(node.value)}"
            )
        known = [value if isinstance(value, str) else _written(value) for value in values]
        written = node.value if isinstance(node.value, str) else _written(node.value)
        help_text = did_you_mean(written, known) or (f"known here: {expected}" if expected else None)
        return self._source.problem(node.caret, f"{_value(node.value)} is not accepted", help_text)

    def _tag(self, kind: str, context: dict[str, Any], core: Schema, node: Node) -> Problem:
        discriminator = core.get("discriminator")
        if not isinstance(discriminator, str):  # a function picks the member, by key as a rule
            known = list(self._schemas.fields(core))
            unknown = [key for key in node.value if key not in known] if isinstance(node.value, dict) else []
            if unknown:
                return self._unknown_key(unknown[0], known, node)[0]
            names = listed([repr(name) for name in known])
            return self._source.problem(node.caret, f"must be a mapping with one of the keys {names}")
        tags = [str(plain(tag)) for tag in core.get("choices", {})]
        if kind == "union_tag_not_found":
            if not isinstance(node.value, dict):
                return self._source.problem(node.caret, f"must be a mapping, not {_shown(node.value)}")
            message = f"missing key {discriminator!r}"
            return self._source.problem(node.caret, message, f"its value is one of: {listed(tags)}")
        child = node.find((discriminator,))
        tag = str(context.get("tag", child.value))
        return self._source.problem(
            child.caret, f"unknown {discriminator} {_cut(tag)!r}", did_you_mean(tag, tags)
        )


def _rank(entry: tuple[Any, list[_Error], set[str]], present: set[str]) -> tuple[int, int]:
    """How near a mapping is to a member: shared keys, then whether its literals agree."""
    _, group, names = entry
    disagreeing = sum(len(e.loc) == 1 and e.detail["type"] in ("literal_error", "enum") for e in group)
    return len(present & names), -disagreeing


def _is(error: _Error, kind: str) -> bool:
    return len(error.loc) == 1 and bool(error.detail["type"] == kind)


def _is_extra(group: list[_Error]) -> bool:
    return not group[0].loc and bool(group[0].detail["type"] == "extra_forbidden")


def _is_other_kind(group: list[_Error], node: Node) -> bool:
    """Whether a member of a union was refused because it wants another kind of value altogether."""
    if group[0].loc:
        return False
    kind = group[0].detail["type"]
    if isinstance(node.value, dict | list) and kind in ("literal_error", "enum", "union_tag_not_found"):
        return True
    return kind in _EXPECTED


def _wanted(group: list[_Error]) -> str:
    detail = group[0].detail
    context = detail.get("ctx") or {}
    return str(_EXPECTED.get(detail["type"]) or context.get("expected") or "a mapping")


def _type_help(kind: str, node: Node) -> str | None:
    value = node.value
    if kind == "string_type" and node.plain and not isinstance(value, str):
        return "put it in quotes"
    if not isinstance(value, str):
        return None
    if kind == "bool_type" and value.lower() in ("yes", "on", "y", "true", "no", "off", "n", "false"):
        return f"write {'true' if value.lower() in ('yes', 'on', 'y', 'true') else 'false'}, without quotes"
    if kind in ("int_type", "float_type") and value[:1].isdigit():
        return "write a plain decimal number, without quotes" if kind == "float_type" else _PLAIN_INTEGER
    return None


_PLAIN_INTEGER = "write a plain decimal integer, without quotes or leading zeros"


def _written(value: Any) -> str:
    """A scalar as it is written in a document."""
    return repr(value) if isinstance(value, str) else json.dumps(value)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"text {_cut(value)!r}" if isinstance(value, str) else _value(value)


def _value(value: Any) -> str:
    return repr(_cut(value)) if isinstance(value, str) else _cut(json.dumps(value))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _either(options: list[str]) -> str:
    options = list(dict.fromkeys(options))
    return options[0] if len(options) == 1 else f"{', '.join(options[:-1])} or {options[-1]}"
