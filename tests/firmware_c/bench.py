"""A board on the bench: the firmware with its wire, clock, pins and retained memory in a test's hands."""

from __future__ import annotations

import ctypes as c
import zlib
from pathlib import Path
from typing import Any

from tests.hil.carriers import DirectTransport

IN_SIZE, OUT_SIZE, LOG_SIZE = 65536, 1048576, 4096


class State(c.Structure):
    """``bench_state`` of bench_port.c."""

    _fields_ = [
        *((name, c.c_uint32) for name in ("micros", "micros_a_look", "kicks", "restarts")),
        *((name, c.c_uint32) for name in ("in_size", "in_taken", "out_size", "flip_at_look", "log_size")),
        ("permit", c.c_uint8),
        ("cause", c.c_uint8),
        ("unique_id", c.c_uint8 * 8),
        ("in_", c.c_uint8 * IN_SIZE),
        ("out", c.c_uint8 * OUT_SIZE),
        ("log", c.c_char * LOG_SIZE),
    ]


class Order(c.Structure):
    """``il_injection_order`` of il_inject.h."""

    _fields_ = [("scans", c.c_uint32), ("offset", c.c_uint16), ("mask", c.c_uint8)]


def retained_structure(rows: int, packed: bool) -> type[c.Structure]:
    """``il_retained`` of il_core.h, as it is laid out for a table with so many interlocks."""
    mask = c.c_uint8 * ((rows + 7) // 8)

    class Retained(c.Structure):
        if packed:
            _pack_ = 1
            _layout_ = "ms"
        _fields_ = [
            *(("magic", c.c_uint32), ("boots", c.c_uint32), ("meterset", c.c_int32)),
            *(("latched", mask), ("local_due", mask), ("first_up", c.c_int16)),
            *((name, c.c_uint8) for name in ("cause", "findings", "latch_sum", "in_beam")),
            ("crc", c.c_uint32),
        ]

    return Retained


class Bench:
    """The board. One library is one board: two must not be used at once."""

    def __init__(self, library: Path, rows: int, packed: bool = False) -> None:
        self.dll = c.CDLL(str(library))
        self.state = State.in_dll(self.dll, "bench")
        self.injection = Order.in_dll(self.dll, "il_injection")
        self.core_size: int = self.dll.bench_core_size()
        structure = retained_structure(rows, packed)
        assert c.sizeof(structure) == self.dll.bench_retained_size(), "il_retained is laid out in another way"
        self.retained: Any = structure.in_dll(self.dll, "bench_retained")
        self.power_on()

    def power_on(self, cause: int = 0) -> None:
        """The hardware starts the program; retained memory is as it was left."""
        c.memset(c.byref(self.state), 0, c.sizeof(self.state))
        self.state.cause = cause
        self.state.unique_id[:] = range(8)
        self.injection.scans = 0
        self.dll.bench_start()

    def forget(self) -> None:
        """Retained memory loses its supply, and the board starts."""
        c.memset(c.byref(self.retained), 0, c.sizeof(self.retained))
        self.power_on()

    def flip(self, offset: int, mask: int) -> None:
        """Bits of retained memory change by themselves."""
        byte = c.c_uint8.from_buffer(self.retained, offset)
        byte.value ^= mask

    def seal_retained(self) -> None:
        """Close retained memory as the firmware would, after a test has written to it."""
        size = type(self.retained).crc.offset
        self.retained.crc = zlib.crc32(bytes(self.retained)[:size])

    def give(self, data: bytes) -> None:
        """Bytes arrive."""
        state = self.state
        rest = bytes(state.in_[state.in_taken : state.in_size])
        waiting = rest + data
        assert len(waiting) <= IN_SIZE, f"{len(waiting)} bytes at once; the bench holds {IN_SIZE}"
        c.memmove(state.in_, waiting, len(waiting))
        state.in_taken, state.in_size = 0, len(waiting)

    def poll(self) -> None:
        """Once through the board's main loop."""
        self.dll.bench_poll()

    @property
    def idle(self) -> bool:
        """Whether all that arrived was taken."""
        return bool(self.state.in_taken == self.state.in_size)

    def said(self) -> bytes:
        """What the board has written since the last call."""
        said = c.string_at(c.addressof(self.state.out), self.state.out_size)
        self.state.out_size = 0
        return said

    def events(self) -> str:
        """What it did with its pins, wire and watchdog since the last call; see bench_port.c."""
        events = c.string_at(c.addressof(self.state) + State.log.offset, self.state.log_size).decode()
        self.state.log_size = 0
        return events

    def take(self, data: bytes) -> bytes:
        """Bytes in, and what comes back; a restart that the firmware asks for happens."""
        self.give(data)
        answers = b""
        while not self.idle:
            restarts = self.state.restarts
            self.poll()
            answers += self.said()
            if self.state.restarts != restarts:
                rest = bytes(self.state.in_[self.state.in_taken : self.state.in_size])
                self.power_on(cause=1)  # the hardware says that the program did it
                self.give(rest)
        return answers

    def transport(self) -> DirectTransport:
        return DirectTransport(self.take, "bench")
