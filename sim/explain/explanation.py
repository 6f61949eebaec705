"""What is known about one name, as data: printed for people, given to programs as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: Text; a list of texts; or texts by the names they belong to.
Value = str | list[str] | dict[str, str]


@dataclass(slots=True)
class Explanation:
    """One subject. ``facts`` are in the order of reading, by label; those that are empty are left out."""

    kind: str  # interlock, signal, state, ...
    name: str
    title: str
    facts: dict[str, Value] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)  # for programs only: the entry as the file has it

    def add(self, label: str, value: Value | None) -> None:
        """Note a fact unless there is nothing to say. Raises ValueError for a label used already."""
        if label in self.facts or label in ("kind", "name", "title", "data"):
            raise ValueError(f"{self.kind} {self.name}: {label!r} is told already")
        if value:
            self.facts[label] = value

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; labels become keys (``trips when`` -> ``trips_when``)."""
        facts = {label.replace(" ", "_"): value for label, value in self.facts.items()}
        head = {"kind": self.kind, "name": self.name, "title": self.title}
        return {**head, **facts, **({"data": self.data} if self.data else {})}
