"""Collecting what is noticed while a plan is read, so that one run reports every reason at once."""

from __future__ import annotations

from collections.abc import Iterable

from sim.plan.course import Finding, PlanError

_ORDER = {"error": 0, "warning": 1, "note": 2}


class Refused(Exception):
    """Part of a plan (a beam, an element) cannot be used; carries the finding that says why.

    Raised and caught inside :mod:`sim.plan` only. Callers of the package see PlanError.
    """

    def __init__(self, code: str, where: str, message: str) -> None:
        super().__init__(message)
        self.finding = Finding("error", code, where, message)


class Findings:
    """An ordered list of findings, each (code, where, message) kept once."""

    def __init__(self) -> None:
        self._items: dict[Finding, None] = {}

    def note(self, code: str, where: str, message: str) -> None:
        """Worth knowing; nothing is wrong."""
        self.add(Finding("note", code, where, message))

    def warning(self, code: str, where: str, message: str) -> None:
        """Something was assumed that the plan should have said."""
        self.add(Finding("warning", code, where, message))

    def error(self, code: str, where: str, message: str) -> None:
        """The plan cannot be delivered as written."""
        self.add(Finding("error", code, where, message))

    def add(self, finding: Finding) -> None:
        self._items.setdefault(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.add(finding)

    @property
    def has_errors(self) -> bool:
        return any(finding.severity == "error" for finding in self._items)

    def ordered(self) -> tuple[Finding, ...]:
        """Errors first, then warnings, then notes; each group in the order it was found."""
        return tuple(sorted(self._items, key=lambda finding: _ORDER[finding.severity]))

    def raise_errors(self, source: str) -> None:
        """Raise PlanError with all findings when at least one is an error."""
        if self.has_errors:
            raise PlanError(source, list(self.ordered()))
