"""A program that delivers and is killed: writes to a ledger and says on its output what it was told is kept.

    python -m tests.ledger.writer FILE SEED

Every line it prints is about something that was committed before.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

from sim.clinic.record_verify import Delivery
from sim.ledger.store import Ledger
from tests.ledger.small_ledger import COURSE, METERSETS, moment


def deliver(path: Path, dice: Random) -> None:
    with Ledger(path, COURSE) as ledger:
        for kept in ledger.unfinished():
            ledger.settle(kept.number, kept.reached, "read from the controller")
            say("end", kept.number, kept.reached)
        session = ledger.begin_session(moment(len(ledger.sessions())), "the writer of a test")
        say("session", session)
        for target in COURSE.targets:
            for fraction in range(1, target.fractions + 1):
                for beam in target.beams:
                    start = ledger.reached(target.id, fraction).get(beam.number, 0)
                    while start < beam.meterset:
                        start = stretch(ledger, (target.id, fraction, beam.number), start, dice)
        ledger.end_session()
    say("done")


def stretch(ledger: Ledger, what: tuple[str, int, int], start: int, dice: Random) -> int:
    """One stretch, to the end of the beam or to a random stop."""
    end = dice.choice([METERSETS[-1], dice.randint(start, METERSETS[-1])])
    ledger.begin(*what, start)
    number = ledger.unfinished()[-1].number
    say("begin", number, start)
    for point, meterset in enumerate(METERSETS):
        if start < meterset <= end:
            ledger.passed(point, meterset)
            say("passed", number, point, meterset)
    ledger.end(Delivery(*what, start, end, "operator", end))
    say("end", number, end)
    return end


def say(*words: object) -> None:
    print(*words, flush=True)


if __name__ == "__main__":
    deliver(Path(sys.argv[1]), Random(sys.argv[2]))
