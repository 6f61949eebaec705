"""Jaws and leaves of a DICOM beam, for every combination of devices vendors write.

Jaws are X/Y or ASYMX/ASYMY or missing on one axis, where the leaves alone shape the field. Leaves
are MLCX or MLCY with any number of pairs. A device that does not move is written once and stays.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from sim.machine import Machine
from sim.plan.dicom_values import Values, half_up
from sim.plan.findings import Findings, Refused

_JAWS = {"X": "x", "ASYMX": "x", "Y": "y", "ASYMY": "y"}
_LEAVES: dict[str, Literal["x", "y"]] = {"MLCX": "x", "MLCY": "y"}
_OPEN = 20_000  # 0.01 mm; where an axis without jaws and without machine limit counts as open


@dataclass(frozen=True, slots=True)
class LeafBank:
    """What the Beam Limiting Device Sequence says about leaves: pairs and edges (0.01 mm) per type."""

    pairs: dict[str, int]
    boundaries: dict[str, tuple[int, ...]]

    @classmethod
    def of_beam(cls, item: Values, findings: Findings) -> LeafBank:
        """Read it from a beam; an absent or contradictory description is left out with a finding."""
        pairs: dict[str, int] = {}
        boundaries: dict[str, tuple[int, ...]] = {}
        for device in item.items("BeamLimitingDeviceSequence", "beam limiting device"):
            kind = device.text("RTBeamLimitingDeviceType")
            if kind not in _LEAVES:
                continue
            count = device.whole("NumberOfLeafJawPairs")
            if count is not None:
                pairs[kind] = count
            edges = tuple(half_up(edge, 100) for edge in device.numbers("LeafPositionBoundaries") or ())
            if not edges:
                continue
            if any(a >= b for a, b in pairwise(edges)):
                findings.warning(
                    "leaf-boundaries", device.where, "LeafPositionBoundaries do not increase; left out"
                )
            else:
                boundaries[kind] = edges
        return cls(pairs, boundaries)


class Collimator:
    """Positions of all devices, control point after control point."""

    def __init__(self, where: str, machine: Machine, bank: LeafBank) -> None:
        self._where = where
        self._machine = machine
        self._bank = bank
        self._positions: dict[str, tuple[Decimal, ...]] = {}
        self._started = False

    def update(self, point: Values) -> None:
        """Take over what this control point writes. Raises Refused for what cannot be delivered."""
        seen: Counter[str] = Counter()
        for device in point.items("BeamLimitingDevicePositionSequence", "beam limiting device"):
            kind = device.text("RTBeamLimitingDeviceType")
            positions = device.numbers("LeafJawPositions")
            if kind is None or positions is None:
                raise Refused(
                    "collimator-incomplete",
                    device.where,
                    "a device without type or without LeafJawPositions; export the plan again",
                )
            seen[kind] += 1
            if kind not in _JAWS and kind not in _LEAVES:
                raise Refused(
                    "collimator-type",
                    device.where,
                    f"RTBeamLimitingDeviceType {kind[:16]!r} is not simulated; known are "
                    f"{', '.join((*_JAWS, *_LEAVES))}",
                )
            if self._started and kind not in self._positions:
                raise Refused(
                    "collimator-incomplete",
                    device.where,
                    f"{kind} appears only after the first control point",
                )
            self._check_length(device, kind, positions)
            self._positions[kind] = positions
        if any(count > 1 for count in seen.values()):
            raise Refused("collimator-twice", point.where, f"{seen.most_common(1)[0][0]} is given twice")
        if not self._positions:
            raise Refused(
                "collimator-missing",
                point.where,
                "no jaw and no leaf position; the field is undefined, export again",
            )
        if "MLCX" in self._positions and "MLCY" in self._positions:
            raise Refused(
                "collimator-type", point.where, "MLCX and MLCY in one beam; one of them is simulated"
            )
        self._started = True

    def jaws(self, findings: Findings) -> tuple[int, int, int, int]:
        """x1, x2, y1, y2 (0.01 mm). An axis without jaws is fully open, which is a finding."""
        x1, x2 = self._axis("x", findings)
        y1, y2 = self._axis("y", findings)
        return x1, x2, y1, y2

    def leaves(self) -> tuple[int, ...]:
        """Tips of the first bank, then of the second (0.01 mm); empty without leaves."""
        return tuple(half_up(tip, 100) for kind in _LEAVES for tip in self._positions.get(kind, ()))

    def leaf_boundaries(self) -> tuple[int, ...]:
        """Edges across the leaves, one more than pairs; empty when not known."""
        for kind in _LEAVES:
            pairs = len(self._positions.get(kind, ())) // 2
            edges = self._bank.boundaries.get(kind, ())
            if pairs and len(edges) == pairs + 1:
                return edges
        return ()

    @property
    def leaf_travel(self) -> Literal["x", "y"]:
        """The jaw axis along which the leaves move."""
        return next((axis for kind, axis in _LEAVES.items() if kind in self._positions), "x")

    def _axis(self, axis: Literal["x", "y"], findings: Findings) -> tuple[int, int]:
        given = [
            self._positions[kind]
            for kind, which in _JAWS.items()
            if which == axis and kind in self._positions
        ]
        if given:
            # Two devices on one axis both block: the field is what both leave open.
            return (
                max(half_up(first, 100) for first, _ in given),
                min(half_up(second, 100) for _, second in given),
            )
        findings.note(
            "jaw-missing",
            self._where,
            f"no {axis.upper()} jaws in the plan; taken as fully open, the leaves limit it",
        )
        first, second = self._machine.axes.get(f"jaw_{axis}1"), self._machine.axes.get(f"jaw_{axis}2")  # type: ignore[call-overload]
        return (first.minimum if first else -_OPEN, second.maximum if second else _OPEN)

    def _check_length(self, device: Values, kind: str, positions: tuple[Decimal, ...]) -> None:
        if kind in _JAWS:
            if len(positions) != 2:
                raise Refused(
                    "jaw-count",
                    device.where,
                    f"{kind} has {len(positions)} positions, 2 are expected; export again",
                )
            return
        pairs, odd = divmod(len(positions), 2)
        stated = self._bank.pairs.get(kind, pairs)
        if odd or stated != pairs:
            raise Refused(
                "leaf-count",
                device.where,
                f"{kind} has {len(positions)} positions for {stated} leaf pairs; two per pair are expected, "
                "the file is truncated or damaged",
            )
