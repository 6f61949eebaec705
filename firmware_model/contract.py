"""The controller contract: what goes in, what comes out, and what every implementation offers.

The reference model, firmware compiled for this computer and a board on a serial port all keep
it, so that one set of scenarios and one conformance suite run against each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol

from firmware_model.states import Command, State

#: Fractional bits of a signal value: inputs are 32.16 fixed-point numbers, the controller sees whole counts.
FRACTION_BITS = 16
ONE = 1 << FRACTION_BITS


class ResetCause(IntEnum):
    """Why the controller starts anew."""

    power = 0
    watchdog = 1
    external = 2


class Reply(NamedTuple):
    """Answer to the last command: accepted, or refused by ``blocked_by`` (interlock index, -1: state)."""

    command: Command
    accepted: bool
    blocked_by: int = -1


class Outputs(NamedTuple):
    """Everything the controller drives. Masks have one bit per interlock, in table order."""

    state: State
    permit: bool  # beam permit: the only thing that lets the beam on
    motion: bool  # motors may be driven
    power: bool  # high voltage and motor supplies; off in an emergency
    test_line: int  # 1 + index of the interlock exercised by the proof test, 0: none
    tripped: int
    latched: int
    local_reset_due: int  # latched and still waiting for the reset at the place
    first_up: int  # index of the first cause of the last stop, -1: none
    reply: Reply


class Inputs(NamedTuple):
    """One scan's inputs: whole-LSB values in table order, and at most one command."""

    values: tuple[int, ...]
    command: Command = Command.none


class Change(NamedTuple):
    """From the first scan of a segment on, a signal is ``value + slope * scans`` (32.16 fixed point)."""

    signal: int
    value: int
    slope: int = 0


class Segment(NamedTuple):
    """``ticks`` scans with linear inputs. Signals not named go on as they were."""

    ticks: int
    changes: tuple[Change, ...] = ()
    command: Command = Command.none  # in the first scan


class Advance(NamedTuple):
    """``ticks`` scans were run; ``outputs`` are those of the last one."""

    ticks: int
    outputs: Outputs


class Retained(NamedTuple):
    """What survives a loss of power, as a board would keep it in retained memory."""

    boot_count: int
    reset_cause: ResetCause
    meterset: int  # last primary meterset seen in a beam, LSBs of its signal
    latched: int
    local_reset_due: int
    first_up: int


#: Parts of a controller's memory. Firmware keeps all but the retained ones under a seal that it looks at
#: before every scan, the retained ones under a check sum.
MEMORY_REGIONS = ("pointers", "inputs", "counters", "state", "outputs", "seal", "latches", "retained")
#: What is lost as a whole when one bit of it is.
RETAINED_REGIONS = frozenset({"latches", "retained"})


class Flip(NamedTuple):
    """A bit of a controller's memory; ``bit`` counts from the start of the region, modulo its size."""

    region: str  # one of MEMORY_REGIONS
    bit: int


class ControllerFailed(RuntimeError):
    """The implementation, not the interlock logic, failed: a board is silent, damaged or unplugged."""


class Controller(Protocol):
    """The contract every implementation keeps: this model, compiled firmware, a board."""

    def reset(self, cause: ResetCause) -> Outputs: ...
    def scan(self, inputs: Inputs) -> Outputs: ...
    def run(self, segment: Segment) -> Advance: ...
    def upset(self, flip: Flip) -> Outputs:
        """A bit flips between two scans; the next finds it and restarts the controller as a watchdog would.

        No scan is run, outputs are those after the restart. With a bit of retained memory all of it is
        lost, and that counts as a beam that was cut.
        """

    @property
    def retained(self) -> Retained: ...


def whole(values: Sequence[int]) -> tuple[Change, ...]:
    """Changes that set every signal, in table order, to constant whole-LSB values."""
    return tuple(Change(i, value << FRACTION_BITS) for i, value in enumerate(values))
