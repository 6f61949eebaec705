"""Pages whose parts are written by a program: between two marks stands what it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

BEGIN, END = "<!-- generated: {} -->", "<!-- end of generated: {} -->"


def with_generated_parts(page: str, name: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """The page with its generated parts as they should be. Raises ValueError when a mark is missing."""
    for part, make in parts.items():
        begin, end = BEGIN.format(part), END.format(part)
        before, mark, rest = page.partition(begin)
        _, closing, after = rest.partition(end)
        if not mark or not closing:
            raise ValueError(f"{name} has no part {begin} … {end}")
        page = f"{before}{begin}\n\n{make()}\n{end}{after}"
    return page
