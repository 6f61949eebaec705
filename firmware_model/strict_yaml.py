"""Read a YAML file into a pydantic model, strictly, with a position for everything.

Less than YAML on purpose, so that a file means what it looks like: one document; no anchors,
aliases, tags, merge keys, directives or tabs; keys are text and occur once. A plain scalar is
``null``, ``true``, ``false``, a decimal integer (at most 18 digits), a decimal number with
digits on both sides of the point, or text. Nothing else is converted: ``yes``, ``12:30``,
``010``, ``0x1f``, ``2024-01-01`` and ``~`` are text, and a model that wants a number refuses them.

Validation is strict as well (text "3" is no integer, 3.0 neither), except that an integer is
accepted for a float, a list for a tuple and text for an enumeration.

The text is read event by event rather than through ``yaml.compose``, because the C composer
recurses without a limit: deep nesting would end the process instead of raising.
"""

from __future__ import annotations

import json
import math
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from firmware_model.diagnostics import (
    MAX_PROBLEMS,
    UNPRINTABLE,
    DocumentError,
    Problem,
    RefusedValue,
    Source,
    Span,
    did_you_mean,
)
from firmware_model.model_errors import Node, explain

__all__ = [
    "Document",
    "DocumentError",
    "Limits",
    "Problem",
    "RefusedValue",
    "did_you_mean",
    "load",
    "load_document",
    "loads",
    "loads_document",
]

M = TypeVar("M", bound=BaseModel)

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|nan)", re.IGNORECASE)
_WORDS = {"null": None, "true": True, "false": False}
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a document may hold before it is refused unread."""

    size: int = 1024 * 1024  # bytes of UTF-8
    depth: int = 20  # mappings and lists inside each other, at most 100
    nodes: int = 100_000  # keys, scalars, lists and mappings

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= 100:
            raise ValueError(f"depth is {self.depth}, must be 1 to 100")


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Document(Generic[M]):
    """A model together with the places its values were read from."""

    model: M
    source: Source
    root: Node

    def position(self, path: tuple[str | int, ...]) -> tuple[int, int]:
        """(line, column) of a scalar, or of the key of a mapping or list.

        ``path`` holds keys and list indices as written in the file. What is not written there
        (a default) has the position of the closest parent.
        """
        span = self.root.find(path).caret
        return span.line, span.column

    def problem(
        self,
        path: tuple[str | int, ...],
        message: str,
        suggestion: str | None = None,
        *,
        at_key: bool = False,
    ) -> Problem:
        """A problem at ``path``, or at its key rather than its value; collect and raise together."""
        node = self.root.find(path)
        span = node.key if at_key and node.key is not None else node.caret
        return self.source.problem(span, message, suggestion)

    def error(
        self,
        path: tuple[str | int, ...],
        message: str,
        suggestion: str | None = None,
        *,
        at_key: bool = False,
    ) -> DocumentError:
        """The same as an exception to raise; ``did_you_mean`` writes a suggestion."""
        return DocumentError([self.problem(path, message, suggestion, at_key=at_key)])


def load(path: Path, model: type[M], limits: Limits = DEFAULT_LIMITS) -> M:
    """The content of a file. Raises DocumentError, also when the file cannot be read."""
    return load_document(path, model, limits).model


def loads(text: str, source: str, model: type[M], limits: Limits = DEFAULT_LIMITS) -> M:
    """The content of a text; ``source`` names it in messages. Raises DocumentError."""
    return loads_document(text, source, model, limits).model


def load_document(path: Path, model: type[M], limits: Limits = DEFAULT_LIMITS) -> Document[M]:
    """Like :func:`load`, with positions for further checks."""
    return loads_document(_read(path, limits), str(path), model, limits)


def loads_document(text: str, source: str, model: type[M], limits: Limits = DEFAULT_LIMITS) -> Document[M]:
    """Like :func:`loads`, with positions for further checks."""
    text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").replace("\r\n", "\n")
    origin = Source(source, text)
    root = _Reader(origin, text, limits).read()
    try:
        # Strict JSON rules are the ones wanted here: lists for tuples, text for enumerations.
        content = model.model_validate_json(json.dumps(root.value), strict=True)
    except ValidationError as error:
        raise DocumentError(explain(error, model, root, origin)) from None
    return Document(content, origin, root)


def _read(path: Path, limits: Limits) -> str:
    source = Source(str(path), "")
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # a pipe would block
            kind = "a directory" if stat.S_ISDIR(mode) else "no regular file"
            raise OSError(0, f"it is {kind}")
        with path.open("rb") as stream:
            content = stream.read(limits.size + 1)
    except FileNotFoundError:
        raise DocumentError([source.problem(None, "there is no such file")]) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DocumentError([source.problem(None, f"cannot be read: {reason}")]) from None
    _check_size(len(content), source, limits)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8").replace("\r\n", "\n")
        after = content[error.start :].decode("utf-8", "replace").replace("\r\n", "\n")
        shown = Source(str(path), before + after)
        message = f"byte 0x{content[error.start]:02x} is not UTF-8 text"
        raise DocumentError(
            [shown.problem(shown.span_at(len(before)), message, "save the file as UTF-8")]
        ) from None


def _check_size(size: int, source: Source, limits: Limits) -> None:
    if size > limits.size:
        raise DocumentError([source.problem(None, f"larger than the limit of {limits.size} bytes")])


class _Stop(Exception):
    """Leaves the event loop; the reason is among the problems."""


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read."""

    node: Node
    key: Node | None = None  # the key whose value comes next
    key_text: str | None = None  # None: the key was refused, its value is dropped


@dataclass(slots=True)
class _Reader:
    """Builds nodes from the events of one text, collecting problems."""

    source: Source
    text: str
    limits: Limits
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    root: Node | None = None
    count: int = 0

    def read(self) -> Node:
        _check_size(len(self.text.encode("utf-8", "surrogatepass")), self.source, self.limits)
        bad = UNPRINTABLE.search(self.text)
        if bad is not None:
            message, suggestion = _unprintable(bad.group())
            raise DocumentError([self.source.problem(self.source.span_at(bad.start()), message, suggestion)])
        try:
            for event in self._events():
                self._take(event)
        except _Stop:
            pass
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            self.problems.append(self.source.problem(None, f"not YAML: {error}"))
        if self.problems:
            raise DocumentError(self.problems)
        if self.root is None:
            raise DocumentError([self.source.problem(None, "the document is empty")])
        return self.root

    def _events(self) -> Iterator[Any]:
        documents = 0
        for event in yaml.parse(self.text, Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(_span(event), "a second document; one file holds one document")
                    raise _Stop
                if event.version or event.tags:
                    self._refuse(_span(event), "directives (%) are not accepted")
            elif isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
                yield event

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.CollectionEndEvent):
            self._close(self.stack.pop().node)
            return
        span = _span(event)
        self.count += 1
        if self.count > self.limits.nodes:
            self._refuse(span, f"more than {self.limits.nodes} values")
            raise _Stop
        if isinstance(event, yaml.AliasEvent):
            self._refuse(span, "aliases (*) are not accepted", "write the value out")
            self._close(Node(None, span))
            return
        if event.anchor is not None:
            self._refuse(span, "anchors (&) are not accepted", "remove it and write the value out")
        if event.tag is not None:
            self._refuse(span, f"tags (!) are not accepted: {event.tag[:40]}")
        if isinstance(event, yaml.ScalarEvent):
            self._close(self._scalar(event, span))
            return
        if len(self.stack) >= self.limits.depth:
            self._refuse(span, f"nested deeper than {self.limits.depth} levels")
            raise _Stop
        start = Span(span.line, span.column)
        self.stack.append(_Open(Node({} if isinstance(event, yaml.MappingStartEvent) else [], start)))

    def _scalar(self, event: Any, span: Span) -> Node:
        text: str = event.value
        bad = UNPRINTABLE.search(text)
        if bad is not None:
            self._refuse(span, f"{_unprintable(bad.group())[0]}, also not as an escape")
        if event.style:
            return Node(text, span)
        if not text:
            return Node(None, span, empty=True)
        if text in _WORDS:
            return Node(_WORDS[text], span, plain=True)
        if _INTEGER.fullmatch(text):
            if len(text.lstrip("+-")) > _MAX_DIGITS:
                self._refuse(span, f"an integer of more than {_MAX_DIGITS} digits")
                return Node(0, span)
            return Node(int(text), span, plain=True)
        if _FLOAT.fullmatch(text):
            value = float(text)
            if math.isinf(value) or (value == 0 and re.search("[1-9]", re.split("[eE]", text)[0])):
                self._refuse(span, f"{text[:40]} is outside the range of numbers")
            return Node(value, span, plain=True)
        if _NOT_FINITE.fullmatch(text):
            self._refuse(span, f"{text} is not accepted; numbers are finite")
        return Node(text, span, plain=True)

    def _close(self, node: Node) -> None:
        """Put a complete node where it belongs."""
        if not self.stack:
            if node.empty:
                self._refuse(None, "the document is empty")
            self.root = node
            return
        parent = self.stack[-1]
        if isinstance(parent.node.value, list):
            self._has_value(node, "an empty list item")
            parent.node.children[len(parent.node.value)] = node
            parent.node.value.append(node.value)
        elif parent.key is None:
            parent.key, parent.key_text = node, self._key(node, parent.node)
        else:
            node.key = parent.key.span
            if parent.key_text is not None:
                self._has_value(node, f"key {parent.key_text!r} has no value")
                parent.node.children[parent.key_text] = node
                parent.node.value[parent.key_text] = node.value
            parent.key = parent.key_text = None

    def _has_value(self, node: Node, message: str) -> None:
        if node.empty:
            self._refuse(node.caret, message, "write null, [] or '' if that is meant")

    def _key(self, node: Node, mapping: Node) -> str | None:
        if not isinstance(node.value, str):
            kind = "must be text" if not node.empty else "is missing"
            quote = f"put it in quotes: '{json.dumps(node.value)}'" if node.plain else None
            self._refuse(node.span, f"the key {kind}", quote)
            return None
        key = node.value
        if key == "<<" and node.plain:
            self._refuse(node.span, "merge keys (<<) are not accepted", "write the values out")
            return None
        if key in mapping.children:
            first = mapping.children[key].key
            line = first.line if first is not None else 0
            self._refuse(node.span, f"duplicate key {key[:60]!r}; it stands on line {line} already")
            return None
        return key

    def _refuse(self, span: Span | None, message: str, suggestion: str | None = None) -> None:
        self.problems.append(self.source.problem(span, message, suggestion))
        if len(self.problems) > MAX_PROBLEMS:
            raise _Stop

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        end = self.source.span_at(len(self.text.rstrip()))  # the parser may stop behind the last line
        span = None if mark is None else min(Span(mark.line + 1, mark.column + 1), end)
        context = ""
        if error.context and error.context_mark is not None:
            context = f" {error.context} that begins on line {error.context_mark.line + 1}"
        self.problems.append(self.source.problem(span, f"not YAML{context}: {error.problem}"))


def _span(event: Any) -> Span:
    start, end = event.start_mark, event.end_mark
    # A value that goes on in the next line is underlined to the end of this one.
    length = end.column - start.column if end.line == start.line else 1_000_000
    return Span(start.line + 1, start.column + 1, max(1, length))


def _unprintable(character: str) -> tuple[str, str | None]:
    if character == "\t":
        return "tab characters are not accepted", "use spaces"
    return f"invisible character U+{ord(character):04X} is not accepted", "remove it"
