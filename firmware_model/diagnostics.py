"""What is wrong with a document, where, and what to write instead.

Every file of the project is refused in the same form: a :class:`DocumentError` that holds
:class:`Problem` items and prints them the way a compiler does. Lines and columns count from 1,
columns in characters.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

MAX_PROBLEMS = 20

# Key in the metadata of a pydantic core schema: a function int -> str that writes the integer
# the way it stands in a document ("10 ms"), used to print limits and defaults.
FORMAT_METADATA = "firmware_model.format"

# Everything that is invisible or moves the cursor: control characters, tabs, lone surrogates,
# odd spaces, zero-width and direction marks. A key that contains one looks like another key.
UNPRINTABLE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\xa0\xad\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
_GUTTER = 5
_WIDTH = 100
_LISTED = 12


class Span(NamedTuple):
    """A piece of one source line; ``length`` characters are underlined."""

    line: int
    column: int
    length: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a document is refused."""

    source: str  # file name as given
    line: int  # 0: the file as a whole
    column: int  # 0: the file as a whole
    message: str
    suggestion: str | None = None  # help as printed, e.g. "did you mean 'expect'?"
    snippet: str | None = None  # the source line and carets below, ready to print

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}:{self.column}" if self.line else self.source
        parts = [f"{where}: {self.message}"]
        if self.snippet is not None:
            parts.append(self.snippet)
        if self.suggestion is not None:
            parts.append(f"{'':>{_GUTTER}} = help: {self.suggestion}")
        return "\n".join(parts)


class DocumentError(ValueError):
    """A document that is refused. ``problems`` holds the reasons, at most 20, in reading order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(tuple(problems))
        ordered = sorted(problems, key=lambda p: (p.source, p.line, p.column))
        self.problems = ordered[:MAX_PROBLEMS]
        self.truncated = len(ordered) > MAX_PROBLEMS

    def __str__(self) -> str:
        text = "\n".join(str(problem) for problem in self.problems)
        return f"{text}\n(only the first {MAX_PROBLEMS} problems are shown)" if self.truncated else text


class RefusedValue(ValueError):
    """For validators of models: a refusal with a help text and, if wanted, a place further down.

    ``at`` is a path relative to the value being validated, so that a validator of a whole
    document can point at one row: ``RefusedValue("used twice", at=("rows", 3, "id"))``.
    """

    def __init__(self, message: str, suggestion: str | None = None, at: tuple[str | int, ...] = ()) -> None:
        super().__init__(message, suggestion, at)
        self.message = message
        self.suggestion = suggestion
        self.at = at

    def __str__(self) -> str:
        return self.message if self.suggestion is None else f"{self.message} ({self.suggestion})"


class Source:
    """A text with its name; makes problems that show the offending line."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name.encode("utf-8", "backslashreplace").decode("utf-8")
        self._text = text
        self._lines: list[str] | None = None

    def problem(self, span: Span | None, message: str, suggestion: str | None = None) -> Problem:
        """A problem at ``span``, or with the file as a whole (None)."""
        if span is None:
            return Problem(self.name, 0, 0, message, suggestion)
        return Problem(self.name, span.line, span.column, message, suggestion, self._snippet(span))

    def span_at(self, index: int) -> Span:
        """The place of the character number ``index`` of the text."""
        line_start = self._text.rfind("\n", 0, index) + 1
        return Span(self._text.count("\n", 0, index) + 1, index - line_start + 1)

    def _snippet(self, span: Span) -> str:
        if self._lines is None:
            self._lines = self._text.split("\n")
        line = self._lines[span.line - 1] if span.line <= len(self._lines) else ""
        start = 0
        column = span.column - 1
        if len(line) > _WIDTH:
            start = max(0, min(column - _WIDTH // 2, len(line) - _WIDTH))
        shown = UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", line[start : start + _WIDTH])
        column -= start
        carets = "^" * max(1, min(span.length, len(shown) - column))
        text = f"{span.line:>{_GUTTER}} | {shown}".rstrip()
        return f"{text}\n{'':>{_GUTTER}} | {'':{column}}{carets}"


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known name that ``word`` most probably stands for, in whatever case, or None."""
    by_lower = {name.lower(): name for name in known}
    match = difflib.get_close_matches(word[:80].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[match[0]] if match else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Help text for an unknown name: the closest known one, else the list; None if none is known."""
    names = list(dict.fromkeys(known))
    near = closest(word, names)
    if near is not None:
        return f"did you mean {near!r}?"
    return f"known here: {listed(names)}" if names else None


def listed(names: Sequence[str]) -> str:
    """``names`` separated by commas, cut after a dozen."""
    text = ", ".join(names[:_LISTED])
    return text if len(names) <= _LISTED else f"{text}, ... ({len(names)} in all)"
