"""Which keys of a mapping go together, as data: checked when a file is read and told to editors.

A model that derives from :class:`KeyRules` names its rules in class variables. One validator
enforces them, and :func:`as_json_schema` says the same in JSON Schema, so an editor marks what the
loader would refuse. A key counts as given when its value is not null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, model_validator

from firmware_model.diagnostics import RefusedValue


class KeyRules(BaseModel):
    """A mapping whose keys depend on each other. Names are those of the fields."""

    one_of: ClassVar[tuple[str, ...]] = ()
    """Exactly one of these is given."""
    any_of: ClassVar[tuple[str, ...]] = ()
    """At least one of these is given."""
    needs: ClassVar[Mapping[str, str]] = {}
    """A key and the one that has to be given with it."""
    excludes: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """A key and those that cannot be given with it."""

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if self.one_of:
            chosen = [name for name in self.one_of if name in given]
            if len(chosen) != 1:
                here = ", ".join(chosen) or "none of them"
                raise RefusedValue(f"give exactly one of {', '.join(self.one_of)}; here: {here}")
        if self.any_of and not any(name in given for name in self.any_of):
            raise RefusedValue(f"give one or more of {', '.join(self.any_of)}")
        for name, other in self.needs.items():
            if name in given and other not in given:
                raise RefusedValue(f"{name!r} goes with {other!r}: add {other!r}")
        for name, others in self.excludes.items():
            for other in others:
                if name in given and other in given:
                    raise RefusedValue(f"{name!r} does not go with {other!r}: leave one out")
        return self


def as_json_schema(model: type[KeyRules]) -> dict[str, Any]:
    """Keywords of JSON Schema that say what the rules of ``model`` say.

    Written so that an editor points at the key that is too much rather than at the whole mapping:
    ``oneOf`` would only tell that several alternatives match.
    """
    keywords: dict[str, Any] = {}
    wanted = model.one_of or model.any_of
    if wanted:
        text = f"give {'exactly one' if model.one_of else 'one or more'} of {', '.join(wanted)}"
        keywords["anyOf"] = [{"required": [name], "errorMessage": text} for name in wanted]
    barred = {name: [other for other in model.one_of if other != name] for name in model.one_of}
    for name, others in model.excludes.items():
        for other in others:  # told from both sides, at the key that stands second or first
            barred.setdefault(name, []).append(other)
            barred.setdefault(other, []).append(name)
    if barred:
        keywords["allOf"] = [
            {
                "if": {"required": [name]},
                "then": {
                    "properties": dict.fromkeys(others, False),
                    "errorMessage": f"does not go with '{name}' in one mapping: leave one of them out",
                },
            }
            for name, others in barred.items()
        ]
    if model.needs:
        keywords["dependentRequired"] = {name: [other] for name, other in model.needs.items()}
    return keywords
