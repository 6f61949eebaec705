"""The firmware core compiled for this computer and called in this process.

The library is built by the local C compiler when it is needed first, and again when a source or an
option changes; it is kept below ``build/native``. It takes any table at run time, as the arrays of
:class:`firmware_model.image.Image`.
"""

from __future__ import annotations

import ctypes as c
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from firmware_model.contract import (
    MEMORY_REGIONS,
    Advance,
    Flip,
    Inputs,
    Outputs,
    Reply,
    ResetCause,
    Retained,
    Segment,
    whole,
)
from firmware_model.image import Image, NotRepresentable, image_of
from firmware_model.states import Command, State
from firmware_model.table import Table
from hil.boards import Board
from hil.errors import NotAvailable, RigError, Undetected

FIRMWARE = Path(__file__).parents[1] / "firmware"
BUILD = Path(__file__).parents[2] / "build" / "native"
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-pedantic", "-fPIC", "-shared")
COMPILE_TIMEOUT_S = 120
#: Parts of the core that need a port: a wire, a clock, a restart. A library has none of them.
BOARDS_ONLY = ("il_board", "il_link", "il_port")


class NoCompiler(NotAvailable):
    """The firmware cannot be built here; the message says what to install."""


class BrokenBoard(RigError):
    """The firmware found its memory damaged, or refused what the contract allows."""


def compiler_here() -> str | None:
    """The local C compiler, or the one named by CC."""
    return os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")


def missing() -> str:
    return "" if compiler_here() else "install a C compiler (Debian: apt-get install gcc libc6-dev)"


def start(table: Table) -> Board:
    library = build_library()
    return Board(
        "native",
        "firmware core, in this process",
        f"library {library.stem}, table {table.digest[:12]}",
        NativeController(table, Library(library)),
    )


def build_library(extra_flags: Sequence[str] = (), sources_from: Path = FIRMWARE) -> Path:
    """The shared library, built if need be. Raises NoCompiler."""
    compiler = compiler_here()
    if compiler is None:
        raise NoCompiler(f"no C compiler here; {missing()}")
    folders = (sources_from / "core", sources_from / "ports" / "native")
    files = sorted(
        file for folder in folders for file in folder.glob("*.[ch]") if file.stem not in BOARDS_ONLY
    )
    command = [compiler, *FLAGS, *extra_flags, *(f"-I{folder}" for folder in folders)]
    key = hashlib.sha256("\0".join(command).encode())
    for file in files:
        key.update(file.read_bytes())
    library = BUILD / f"interlock_{key.hexdigest()[:16]}.so"
    if not library.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        unfinished = library.with_suffix(f".{os.getpid()}")
        wanted = [str(file) for file in files if file.suffix == ".c"]
        done = subprocess.run(
            [*command, *wanted, "-o", str(unfinished)],
            capture_output=True,
            text=True,
            timeout=COMPILE_TIMEOUT_S,
        )
        if done.returncode:
            raise NoCompiler(f"{compiler} could not build the firmware:\n{done.stderr}")
        unfinished.replace(library)  # at once: two processes may build it
    return library


class _Term(c.Structure):
    _fields_ = [("coefficient", c.c_int32), ("signal", c.c_uint8)]


class _Sum(c.Structure):
    _fields_ = [("constant", c.c_int64), ("first", c.c_uint16), ("size", c.c_uint8)]


class _Alternative(c.Structure):
    _fields_ = [("first", c.c_uint16), ("size", c.c_uint8)]


class _Row(c.Structure):
    _fields_ = [
        *((name, c.c_uint8) for name in ("kind", "gate", "flags", "stop", "latch", "size", "counter")),
        *((name, c.c_uint16) for name in ("first", "memory", "debounce", "acts_in", "latches_in", "check")),
    ]


class _Change(c.Structure):
    _fields_ = [("value", c.c_int64), ("slope", c.c_int64), ("signal", c.c_uint8)]


class _Table(c.Structure):
    _fields_ = [
        *((name, c.c_uint8) for name in ("signals", "rows", "proofs", "meterset")),
        *((name, c.c_uint16) for name in ("self_test_ticks", "proof_timeout", "memory")),
        *((name, c.c_uint16) for name in ("alternatives", "sums", "terms", "params", "check")),
        ("safe", c.POINTER(c.c_int32)),
        ("row", c.POINTER(_Row)),
        ("alternative", c.POINTER(_Alternative)),
        ("sum", c.POINTER(_Sum)),
        ("term", c.POINTER(_Term)),
        ("param", c.POINTER(c.c_int32)),
        ("proof", c.c_void_p),
    ]


class Library:
    """A loaded library, with the structures whose size depends on its build."""

    def __init__(self, path: Path) -> None:
        self.dll = c.CDLL(str(path))
        self.mask_bytes: int = self.dll.native_mask_bytes()
        mask = c.c_uint8 * self.mask_bytes

        class Report(c.Structure):
            _fields_ = [
                ("ticks", c.c_int32),
                ("first_up", c.c_int16),
                ("reply_blocked_by", c.c_int16),
                *(
                    (name, c.c_uint8)
                    for name in (
                        "state",
                        "permit",
                        "motion",
                        "power",
                        "test_line",
                        "reply_command",
                        "reply_accepted",
                    )
                ),
                ("tripped", mask),
                ("latched", mask),
                ("local_due", mask),
            ]

        class Kept(c.Structure):
            _fields_ = [
                ("boots", c.c_uint32),
                ("meterset", c.c_int32),
                ("first_up", c.c_int16),
                ("cause", c.c_uint8),
                ("latched", mask),
                ("local_due", mask),
            ]

        class Proof(c.Structure):
            _fields_ = [("row", c.c_uint8), ("masked", mask)]

        self.Report, self.Kept, self.Proof = Report, Kept, Proof
        self.dll.native_open.restype = c.c_void_p
        self.dll.native_open.argtypes = [c.POINTER(_Table)]
        self.dll.native_close.argtypes = [c.c_void_p]
        self.dll.native_reset.argtypes = [c.c_void_p, c.c_int, c.POINTER(Report)]
        self.dll.native_run.restype = c.c_int32
        self.dll.native_run.argtypes = [
            *(c.c_void_p, c.POINTER(_Change), c.c_int, c.c_int32, c.c_int, c.POINTER(Report)),
        ]
        self.dll.native_flip.restype = c.c_bool
        self.dll.native_flip.argtypes = [c.c_void_p, c.c_int, c.c_uint32]
        self.dll.native_seal.argtypes = [c.c_void_p]
        self.dll.native_read_retained.argtypes = [c.c_void_p, c.POINTER(Kept)]

    def arrays(self, image: Image) -> _Table:
        """The image as the library's structure; it keeps the arrays alive."""
        proofs = (self.Proof * max(1, len(image.proofs)))()
        for place, (row, mask) in zip(proofs, image.proofs, strict=False):
            place.row = row
            place.masked[:] = list(mask.to_bytes(self.mask_bytes, "little"))
        rows = (_Row * len(image.rows))(
            *(_Row(*(getattr(row, name) for name, *_ in _Row._fields_)) for row in image.rows)
        )
        table = _Table(
            len(image.safe),
            len(image.rows),
            len(image.proofs),
            image.meterset,
            image.self_test_ticks,
            image.proof_timeout,
            image.memory,
            len(image.alternatives),
            len(image.sums),
            len(image.terms),
            len(image.params),
            image.check,
            (c.c_int32 * len(image.safe))(*image.safe),
            rows,
            (_Alternative * max(1, len(image.alternatives)))(*(_Alternative(*a) for a in image.alternatives)),
            (_Sum * max(1, len(image.sums)))(*(_Sum(*s) for s in image.sums)),
            (_Term * max(1, len(image.terms)))(*(_Term(*t) for t in image.terms)),
            (c.c_int32 * max(1, len(image.params)))(*image.params),
            c.cast(proofs, c.c_void_p),
        )
        table.kept_alive = proofs
        return table


class NativeController:
    """The firmware core behind the controller contract."""

    def __init__(self, table: Table, library: Library | None = None) -> None:
        self.table = table
        self._library = library or Library(build_library())
        try:
            image = image_of(table)
        except NotRepresentable as problem:
            raise NotAvailable(f"table {table.name!r} does not fit the firmware: {problem}") from None
        self._arrays = self._library.arrays(image)
        self._dll = self._library.dll
        self._board = self._dll.native_open(c.byref(self._arrays))
        if not self._board:
            raise BrokenBoard(f"table {table.name!r} does not fit the firmware's build")
        self._report = self._library.Report()
        self.outputs = self.reset(ResetCause.power)

    def __del__(self) -> None:
        if getattr(self, "_board", None):
            self._dll.native_close(self._board)
            self._board = None

    def reset(self, cause: ResetCause) -> Outputs:
        """Restart the firmware; retained memory survives."""
        self._dll.native_reset(self._board, int(cause), c.byref(self._report))
        self.outputs = self._outputs()
        return self.outputs

    def scan(self, inputs: Inputs) -> Outputs:
        """Exactly one tick."""
        return self.run(Segment(1, whole(inputs.values), inputs.command)).outputs

    def run(self, segment: Segment) -> Advance:
        """Up to ``segment.ticks`` scans. Raises BrokenBoard when the firmware does not take it."""
        changes = (_Change * len(segment.changes))(
            *(_Change(change.value, change.slope, change.signal) for change in segment.changes)
        )
        ticks = self._dll.native_run(
            self._board, changes, len(changes), segment.ticks, int(segment.command), c.byref(self._report)
        )
        if ticks < 1:
            raise BrokenBoard("the segment was refused" if ticks == 0 else "the firmware's memory is damaged")
        self.outputs = self._outputs()
        return Advance(ticks, self.outputs)

    def upset(self, flip: Flip) -> Outputs:
        """Flip the bit, see that the firmware finds it, and restart. Raises RigError when it does not."""
        if not self._dll.native_flip(self._board, MEMORY_REGIONS.index(flip.region), flip.bit):
            raise RigError(f"the library has no memory region {flip.region!r}; build it anew")
        if self._dll.native_run(self._board, None, 0, 1, 0, c.byref(self._report)) >= 0:
            raise Undetected(f"bit {flip.bit} of {flip.region} was flipped, the firmware scanned on")
        return self.reset(ResetCause.watchdog)

    @property
    def retained(self) -> Retained:
        """What a power loss would leave."""
        kept = self._library.Kept()
        self._dll.native_read_retained(self._board, c.byref(kept))
        return Retained(
            kept.boots,
            ResetCause(kept.cause),
            kept.meterset,
            int.from_bytes(kept.latched, "little"),
            int.from_bytes(kept.local_due, "little"),
            kept.first_up,
        )

    def _outputs(self) -> Outputs:
        r = self._report
        return Outputs(
            State(r.state),
            bool(r.permit),
            bool(r.motion),
            bool(r.power),
            r.test_line,
            int.from_bytes(r.tripped, "little"),
            int.from_bytes(r.latched, "little"),
            int.from_bytes(r.local_due, "little"),
            r.first_up,
            Reply(Command(r.reply_command), bool(r.reply_accepted), r.reply_blocked_by),
        )
