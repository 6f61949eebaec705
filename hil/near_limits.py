"""Where the signals of an interlock are when it is about to trip."""

from __future__ import annotations

from collections.abc import Callable

from firmware_model import table as t
from firmware_model.contract import ONE


def boundaries(table: t.Table, interlock: str, now: Callable[[int], int]) -> list[tuple[int, int]]:
    """(signal, fixed-point value) pairs next to which the interlock changes its mind.

    ``now`` gives the present fixed-point value of a signal. It matters little if a pair is off: the
    values only steer random inputs to where something happens.
    """
    row, index = table.interlocks[interlock], table.signal_index
    found = [(index[name], now(index[name])) for name in row.signals]
    if row.gate is not None:
        found.append((index[row.gate], ONE))
    match row.trips_when:
        case t.IsFalse(signals=names) | t.IsTrue(signals=names):
            found += [(index[name], ONE) for name in names]
        case t.Disagree(signal=a, other=b) | t.Reaches(signal=a, preset=b) | t.Mismatch(signal=a, other=b):
            found += [(index[a], now(index[b])), (index[b], now(index[a])), (index[a], 0)]
        case t.Above(signal=a, limit=limit) | t.Below(signal=a, limit=limit):
            found += [(index[a], table.counts(a, limit) * ONE)] * 3
        case t.Outside(signal=a, low=low, high=high):
            found += [(index[a], table.counts(a, low) * ONE), (index[a], table.counts(a, high) * ONE)]
        case t.Differs(signal=a, from_=b, by=by, percent=p) | t.Exceeds(signal=a, preset=b, by=by, percent=p):
            margin = [table.counts(a, by) * ONE] if by is not None else []
            margin += [int(now(index[b]) * p / 100)] if p is not None else []
            found += [(index[a], now(index[b]) + sign * m) for sign in (1, -1) for m in margin]
            found += [(index[b], now(index[a]) + sign * m) for sign in (1, -1) for m in margin]
        case t.Moves(signal=a, by=by) | t.Grows(signal=a, by=by):
            found += [(index[a], now(index[a]) + sign * table.counts(a, by) * ONE) for sign in (1, -1)]
        case t.PerTravel(signal=a, planned=b, position=p, over=over, by=by):
            found += [(index[a], now(index[b]) + sign * table.counts(a, by) * ONE) for sign in (1, -1)]
            found += [(index[p], now(index[p]) + sign * table.counts(p, over) * ONE) for sign in (1, -1)]
        case t.WrongDigest(signal=a):
            found.append((index[a], table.token * ONE))
    return found or [(0, now(0))]
