"""An interlock table as the firmware core reads it: arrays of integers.

The same image becomes C source (:mod:`firmware_model.codegen`) and the arrays handed to the core
built for this computer. It is made from the conditions of the reference model, so that both judge
by the same sums.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import gcd

from firmware_model.conditions import (
    Comparison,
    Condition,
    Flag,
    Moves,
    PerTravel,
    SlidingRate,
    Stale,
    Sum,
    Timer,
    compile_condition,
)
from firmware_model.states import State, Stop
from firmware_model.table import Flag as FlagRow
from firmware_model.table import Interlock, Reaches, Table

NONE = 0xFF
MAX_PARTS = 4  # signals in one sum
FINDINGS = {"proof_test_failed": 0x01, "reset_in_beam": 0x02}
NOT_NOTHING = 0x5A00  # where a check sum begins
#: Largest percentage of a ``per_travel``, in 0.01 %. Counter and plan may each gain 2**32 counts of 2**16
#: parts in a stretch; their difference in 1/10000 and the percentage of the plan have to stay in 64 bits:
#: (20000 + percent) * 2**48 < 2**63.
MOST_TRAVEL_PERCENT = 2**15 - 1 - 20_000
STOPS_MOTION, GATE_ON = 0x01, 0x02

#: Kinds of conditions by the number the core knows them by; a name is that of the C constant.
KINDS = ("COMPARISON", "RATE", "PER_TRAVEL", "STALE", "TIMER", "MOVES", "FLAG")
#: Words of memory of each kind; a rate needs one more for every sample.
MEMORY = {"RATE": 4, "PER_TRAVEL": 5, "STALE": 3, "TIMER": 1, "MOVES": 3}


class NotRepresentable(ValueError):
    """The table is sound, but the firmware's integers cannot hold it; the message says what."""


@dataclass(frozen=True, slots=True)
class RowImage:
    """One interlock; the fields of the C structure ``il_row``."""

    name: str
    kind: int
    gate: int
    flags: int
    stop: int
    latch: int
    size: int
    counter: int  # place among the debounce counters, NONE: trips in the first scan
    first: int
    memory: int
    debounce: int
    acts_in: int
    latches_in: int
    check: int = 0  # over the row and everything its condition names


@dataclass(slots=True)
class Image:
    """Everything the core needs to know of a table; masks have one bit per interlock."""

    name: str
    digest: str
    self_test_ticks: int
    proof_timeout: int
    meterset: int
    safe: list[int]
    rows: list[RowImage] = field(default_factory=list)
    alternatives: list[tuple[int, int]] = field(default_factory=list)  # first sum, how many
    sums: list[tuple[int, int, int]] = field(default_factory=list)  # constant, first term, how many
    terms: list[tuple[int, int]] = field(default_factory=list)  # coefficient, signal
    params: list[int] = field(default_factory=list)
    proofs: list[tuple[int, int]] = field(default_factory=list)  # row, mask of the rows that read it
    memory: int = 0
    counters: int = 0  # rows that need a count for their debounce
    check: int = 0  # over what belongs to no row


def image_of(table: Table) -> Image:
    """The image of a table. Raises NotRepresentable."""
    image = Image(
        table.name,
        table.digest,
        table.self_test_ticks,
        table.proof_timeout,
        _meterset_signal(table),
        [signal.counts(signal.safe) for signal in table.signals.values()],
    )
    for name, row in table.interlocks.items():
        condition = compile_condition(table, row, lambda _: False)
        _add_row(image, table, name, row, condition)
    touched = [{table.signal_index[s] for s in row.signals} for row in table.interlocks.values()]
    for index, row in enumerate(table.interlocks.values()):
        if row.proof is not None:
            forced = {table.signal_index[s] for s in row.proof}
            image.proofs.append((index, sum(1 << i for i, signals in enumerate(touched) if signals & forced)))
    image.rows = [replace(row, check=_sum_of_row(image, i)) for i, row in enumerate(image.rows)]
    image.check = _sum_of_rest(image)
    return image


def _check_sum(start: int, values: Iterable[tuple[int, int]]) -> int:
    """The check sum of the core (``il_table.c``) over numbers, each with its size in bytes."""
    total = start
    for value, size in values:
        for byte in (value % (1 << 8 * size)).to_bytes(size, "little"):
            total = ((total << 8 | total >> 8) + byte) & 0xFFFF
    return total


def _sum_of_row(image: Image, index: int) -> int:
    row = image.rows[index]
    values = [
        (value, 1) for value in (row.kind, row.gate, row.flags, row.stop, row.latch, row.size, row.counter)
    ]
    values += [(value, 2) for value in (row.first, row.memory, row.debounce, row.acts_in, row.latches_in)]
    if KINDS[row.kind] != "COMPARISON":
        values += [(value, 4) for value in image.params[row.first : row.first + row.size]]
        return _check_sum(NOT_NOTHING + index, values)
    for first_sum, sums in image.alternatives[row.first : row.first + row.size]:
        values += [(first_sum, 2), (sums, 1)]
        for constant, first_term, terms in image.sums[first_sum : first_sum + sums]:
            values += [(constant, 8), (first_term, 2), (terms, 1)]
            for coefficient, signal in image.terms[first_term : first_term + terms]:
                values += [(coefficient, 4), (signal, 1)]
    return _check_sum(NOT_NOTHING + index, values)


def _sum_of_rest(image: Image) -> int:
    values = [(value, 1) for value in (len(image.safe), len(image.rows), len(image.proofs), image.meterset)]
    values += [(value, 2) for value in (image.self_test_ticks, image.proof_timeout, image.memory)]
    values += [(len(e), 2) for e in (image.alternatives, image.sums, image.terms, image.params)]
    values += [(value, 4) for value in image.safe]
    for row, mask in image.proofs:
        values += [(row, 1), (mask, (len(image.rows) + 7) // 8)]
    return _check_sum(NOT_NOTHING, values)


def _meterset_signal(table: Table) -> int:
    """The counter whose last value in a beam is retained."""
    for row in table.interlocks.values():
        if isinstance(row.trips_when, Reaches) and row.stop_class is Stop.complete:
            return table.signal_index[row.trips_when.signal]
    return NONE


def _add_row(image: Image, table: Table, name: str, row: Interlock, condition: Condition) -> None:
    kind, size, first, memory = _add_condition(image, name, row, condition)
    image.rows.append(
        RowImage(
            name,
            KINDS.index(kind),
            table.signal_index[row.gate] if row.gate else NONE,
            (STOPS_MOTION if row.stops_motion else 0) | (GATE_ON if row.unless is None else 0),
            row.stop_class,
            row.latch_level,
            size,
            image.counters if row.debounce > 1 else NONE,
            first,
            image.memory,
            row.debounce,
            _states(row.states),
            _states(row.latching_states),
        )
    )
    image.memory += memory
    image.counters += row.debounce > 1


def _states(states: frozenset[State]) -> int:
    return sum(1 << state for state in states)


def _add_condition(
    image: Image, name: str, row: Interlock, condition: Condition
) -> tuple[str, int, int, int]:
    """Kind, size, first entry and words of memory."""
    if isinstance(condition, Comparison):
        return "COMPARISON", len(condition.alternatives), _add_alternatives(image, name, condition), 0
    kind, values, samples = _parameters(row, condition)
    if isinstance(condition, PerTravel) and condition.percent > MOST_TRAVEL_PERCENT:
        raise NotRepresentable(
            f"{name}: {condition.percent / 100} % of 'per_travel'; the firmware's 64-bit arithmetic holds at "
            f"most {MOST_TRAVEL_PERCENT / 100} %, choose a lower 'percent'"
        )
    first = len(image.params)
    for value in values:
        if not -(2**31) <= value < 2**31:
            raise NotRepresentable(f"{name}: parameter {value} of {row.trips_when.kind!r} exceeds 32 bits")
    image.params += values
    return kind, len(values), first, MEMORY.get(kind, 0) + samples


def _parameters(row: Interlock, condition: Condition) -> tuple[str, list[int], int]:
    """Kind, parameters in the order the core reads them, and samples it has to remember."""
    match condition:
        case SlidingRate() as c:
            values = [c.signal, c.set_rate, c.window, c.step, int(c.above), c.gain_factor, c.set_factor]
            return "RATE", values, c.window // c.step + 1
        case PerTravel() as c:
            return "PER_TRAVEL", [c.signal, c.planned, c.position, c.over, c.percent, c.by], 0
        case Stale() as c:
            return "STALE", [c.signal, c.ticks], 0
        case Timer() as c:
            return "TIMER", [c.limit, c.tick_factor, c.limit_factor], 0
        case Moves() as c:
            return "MOVES", [c.signal, c.by, c.after, int(c.grows_only)], 0
        case Flag():
            assert isinstance(row.trips_when, FlagRow)
            return "FLAG", [FINDINGS[row.trips_when.flag]], 0
    raise AssertionError(f"condition {row.trips_when.kind} has no form in firmware")


def _add_alternatives(image: Image, name: str, condition: Comparison) -> int:
    first = len(image.alternatives)
    for sums in condition.alternatives:
        image.alternatives.append((len(image.sums), len(sums)))
        for total in sums:
            reduced = _reduced(total)
            _check_width(name, reduced)
            image.sums.append((reduced.constant, len(image.terms), len(reduced.terms)))
            image.terms += list(reduced.terms)
    return first


def _reduced(total: Sum) -> Sum:
    """The same comparison with zero in smaller numbers."""
    divisor = gcd(*(coefficient for coefficient, _ in total.terms))
    terms = tuple((coefficient // divisor, signal) for coefficient, signal in total.terms)
    return Sum(terms, -(-total.constant // divisor))


def _check_width(name: str, total: Sum) -> None:
    """A sum of 32.16 lines has to stay within 64 bits."""
    weight = sum(abs(coefficient) for coefficient, _ in total.terms)
    if len(total.terms) > MAX_PARTS:
        raise NotRepresentable(f"{name}: a sum of {len(total.terms)} signals; the firmware adds {MAX_PARTS}")
    if weight * 2**47 + abs(total.constant) * 2**16 >= 2**63 - 2**17 * weight:
        raise NotRepresentable(f"{name}: its percentage is too fine for 64-bit arithmetic; round it")
