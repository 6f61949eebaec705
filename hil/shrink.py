"""Playing a stimulus on a board and the model, and making one that shows a difference as small as it gets.

Whatever is left out, halved or straightened, the result still shows a difference; which one may change on the
way. Nothing is random: the same stimulus is always made smaller in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from firmware_model.contract import ONE, Change, ResetCause, Segment
from firmware_model.states import Command
from firmware_model.stimulus import Act
from firmware_model.table import Table
from firmware_model.table_loading import load_table
from hil.lockstep import Differs, Lockstep

#: How often a stimulus is tried before it has to be small enough.
ATTEMPTS = 3000


def play(acts: Sequence[Act], pair: Lockstep) -> None:
    """Start board and model and give them all acts. Raises Differs."""
    pair.reset(ResetCause.power)
    for act in acts:
        if isinstance(act, ResetCause):
            pair.reset(act)
            continue
        left, segment = act.ticks, act
        while left > 0:
            left -= pair.run(segment).ticks
            segment = Segment(max(1, left))
    pair.compare_retained()


def first_difference(acts: Sequence[Act], pair: Lockstep) -> Differs | None:
    """What :func:`play` finds, None: nothing."""
    try:
        play(acts, pair)
    except Differs as difference:
        return difference
    return None


@dataclass(frozen=True, slots=True)
class Case:
    """A table and what goes in under it."""

    table: Table
    acts: tuple[Act, ...]


def recorded(pair: Lockstep) -> Case:
    """What this pair was given since its start."""
    started, *acts = pair.acts
    return Case(pair.table, tuple(acts if started is ResetCause.power else pair.acts))


def shrink(case: Case, differs: Callable[[Case], bool], attempts: int = ATTEMPTS) -> Case:
    """A smaller case for which ``differs`` still holds. Raises ValueError when it does not hold now.

    ``differs`` is asked at most ``attempts`` times; it may raise StopIteration to end the search.
    """
    if not differs(case):
        raise ValueError("this stimulus shows no difference, so it cannot be made smaller")
    left = attempts
    better = True
    while better:
        better = False
        for change in (_fewer_acts, _fewer_rows, _fewer_signals, _plainer_acts, _joined):
            found = True
            while found:
                found = False
                for smaller in change(case):
                    if left <= 0:
                        return case
                    left -= 1
                    try:
                        if differs(smaller):
                            case, found, better = smaller, True, True
                            break
                    except StopIteration:
                        return case
    return case


def _fewer_acts(case: Case) -> Iterator[Case]:
    """Without a stretch of acts, the longest stretches first."""
    acts, size = case.acts, len(case.acts)
    while size:
        for first in range(0, len(acts), size):
            yield Case(case.table, acts[:first] + acts[first + size :])
        size //= 2


def _fewer_rows(case: Case) -> Iterator[Case]:
    """Without an interlock. The reference table stays as it is: it need not be written into the file."""
    rows = case.table.interlock_ids
    if case.table.digest == load_table().digest or len(rows) < 2:
        return
    for name in rows:
        yield Case(case.table.without(name), case.acts)


def _fewer_signals(case: Case) -> Iterator[Case]:
    """Without the signals that nothing reads."""
    table = case.table
    if table.digest == load_table().digest:
        return
    read = {name for row in table.interlocks.values() for name in row.signals}
    kept = {name: signal for name, signal in table.signals.items() if name in read}
    if not kept or len(kept) == len(table.signals):
        return
    fields = {name: getattr(table, name) for name in type(table).model_fields} | {"signals": kept}
    smaller = Table.model_construct(_fields_set=table.model_fields_set, **fields)
    place = {table.signal_index[name]: index for index, name in enumerate(kept)}
    acts = tuple(
        act._replace(
            changes=tuple(c._replace(signal=place[c.signal]) for c in act.changes if c.signal in place)
        )
        if isinstance(act, Segment)
        else act
        for act in case.acts
    )
    yield Case(smaller, acts)


def _plainer_acts(case: Case) -> Iterator[Case]:
    """One segment with fewer changes, no command, fewer scans, lines that stand, whole counts."""
    for index, act in enumerate(case.acts):
        for plainer in _plainer(act):
            yield Case(case.table, (*case.acts[:index], plainer, *case.acts[index + 1 :]))


def _plainer(act: Act) -> Iterator[Act]:
    if isinstance(act, ResetCause):
        if act is not ResetCause.power:
            yield ResetCause.power
        return
    changes, size = act.changes, len(act.changes)
    while size:
        for first in range(0, len(changes), size):
            yield act._replace(changes=changes[:first] + changes[first + size :])
        size //= 2
    if act.command:
        yield act._replace(command=Command.none)
    ticks = 1
    while ticks < act.ticks:
        yield act._replace(ticks=ticks)
        ticks = min(2 * ticks, act.ticks - 1) if ticks < act.ticks - 1 else act.ticks
    for place, change in enumerate(changes):
        for line in _plainer_lines(change):
            yield act._replace(changes=(*changes[:place], line, *changes[place + 1 :]))


def _plainer_lines(line: Change) -> Iterator[Change]:
    if line.slope:
        yield line._replace(slope=0)
        whole = line.slope // ONE * ONE
        if line.slope != whole:
            yield line._replace(slope=whole if whole > 0 else ONE if line.slope > 0 else whole)
    for value in (0, ONE, line.value // ONE * ONE):
        if abs(value) < abs(line.value) or (value != line.value and line.value % ONE):
            yield line._replace(value=value)


def _joined(case: Case) -> Iterator[Case]:
    """Two segments as one, the second of which brought nothing new."""
    for index, (one, two) in enumerate(zip(case.acts, case.acts[1:], strict=False)):
        if isinstance(one, Segment) and isinstance(two, Segment) and not two.changes and not two.command:
            both = one._replace(ticks=one.ticks + two.ticks)
            yield Case(case.table, (*case.acts[:index], both, *case.acts[index + 2 :]))
