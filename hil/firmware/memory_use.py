"""What a board's firmware needs of its memory: flash, RAM at rest, and the deepest stack.

The deepest stack is that of the longest chain of calls: frames as the compiler states them
(``-fstack-usage``), calls as they stand in the disassembly. Assembler routines of the compiler's library
have no statement; there the pushes are counted. An interrupt may come at the deepest point; they do not
nest. A recursion has no bound and is an error, and so is a call through a pointer unless ``--pointer`` says
what it calls. Needs only Python's own library, so that the firmware can be built without the project's
environment.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

TOOL_TIMEOUT_S = 60


@dataclass(frozen=True)
class Processor:
    """How calls, pushes and interrupts look, and what they cost in bytes."""

    call: re.Pattern[str]  # group 1: the function called; a jump to another function is a call as well
    indirect: re.Pattern[str]
    end: re.Pattern[str]  # nothing runs past it
    push: re.Pattern[str]
    push_bytes: int
    return_bytes: int  # pushed by a call, when the compiler does not state the frame
    exception_bytes: int  # pushed by the hardware on an interrupt
    interrupt: re.Pattern[str]  # names of interrupt routines
    data_address: int  # where RAM begins in the ELF file


ARM = Processor(
    call=re.compile(r"\s(?:bl|b|b\.n|b\.w|b\w\w\.[nw]|cbn?z)\s+.*<([^>+]+)>"),
    indirect=re.compile(r"\sblx\s+r\d|\sbx\s+r\d"),
    end=re.compile(r"\s(?:bx|b|b\.n|b\.w|pop|ldmia\.w|ldr\.w)\s|\.word|\.short|\.byte|\snop"),
    push=re.compile(r"\spush\s|\sstmdb\s+sp!"),
    push_bytes=4,
    return_bytes=0,
    exception_bytes=8 * 4 + 4,  # eight registers, and what aligns the stack to 8
    interrupt=re.compile(r"cortex_systick|\w*_interrupt"),
    data_address=0x20000000,
)
AVR = Processor(
    call=re.compile(r"\s(?:r?call|r?jmp|br\w\w)\s.*<([^>+]+)>"),
    indirect=re.compile(r"\se?icall"),
    end=re.compile(r"\s(?:ret|reti|r?jmp|e?ijmp)\b|\.word"),
    push=re.compile(r"\spush\s"),
    push_bytes=1,
    return_bytes=2,
    exception_bytes=0,  # the return address is part of the stated frame
    interrupt=re.compile(r"__vector_\d+"),
    data_address=0x800000,
)

# Reached by jumps that carry a frame of their own or none: tables of switches, common prologues.
FRAMELESS = re.compile(r"__tablejump2?__|__prologue_saves__|__epilogue_restores__|__gnu_thumb1_case_\w+")

COMMON_PROLOGUE = re.compile(r"<__prologue_saves__(?:\+0x([0-9a-f]+))?>")


@dataclass
class Function:
    """A function of the linked program."""

    name: str
    calls: set[str] = field(default_factory=set)
    pushes: int = 0
    indirect: bool = False


class Unbounded(Exception):
    """The stack of this program has no bound that can be stated."""


def disassembled(text: str, processor: Processor, constants: Collection[str] = ()) -> dict[str, Function]:
    """Every function of a disassembly with what it calls; ``constants`` of the linker are no functions."""
    functions: dict[str, Function] = {}
    current = Function("")
    ends = True  # whether the last instruction leaves the function
    for line in _by_place(text, constants).splitlines():
        head = re.match(r"[0-9a-f]+ <([^>]+)>:$", line)
        if head:
            if current.name and not ends:
                current.calls.add(head[1])  # a label of the compiler's library, run into
            current = functions.setdefault(head[1], Function(head[1]))
            continue
        if re.match(r"\s+[0-9a-f]+:", line):
            ends = bool(processor.end.search(line))
        called = processor.call.search(line)
        if called and called[1] != current.name and not FRAMELESS.fullmatch(called[1]):
            current.calls.add(called[1])
        saved = COMMON_PROLOGUE.search(line)
        if saved:  # it saves 18 registers; whoever needs fewer enters it further on
            current.pushes += 18 - int(saved[1] or "0", 16) // 2
        if processor.push.search(line):
            listed = re.search(r"\{([^}]*)\}", line)
            current.pushes += _registers(listed[1]) if listed else 1
        current.indirect |= bool(processor.indirect.search(line))
    return functions


def _by_place(text: str, constants: Collection[str]) -> str:
    """The disassembly with targets named after functions only: the tool may show the name of a constant
    that equals an address."""
    heads = re.findall(r"^([0-9a-f]+) <([^>]+)>:$", text, re.MULTILINE)
    places, names = [int(place, 16) for place, _ in heads], [name for _, name in heads]

    def named(target: re.Match[str]) -> str:
        index = bisect_right(places, int(target[1], 16)) - 1
        if target[2] not in constants or index < 0:
            return target[0]
        offset = int(target[1], 16) - places[index]
        return f"{target[1]} <{names[index]}{f'+0x{offset:x}' if offset else ''}>"

    return re.sub(r"([0-9a-f]+) <([^>+]+)>(?!:)", named, text)


def _registers(listed: str) -> int:
    """How many registers a list like ``r4-r7, lr`` names."""
    count = 0
    for part in listed.split(","):
        ends = re.findall(r"r(\d+)", part)
        count += int(ends[1]) - int(ends[0]) + 1 if len(ends) == 2 else 1
    return count


def stated_frames(folder: Path) -> dict[str, int]:
    """Function to bytes, from the compiler's .su files. Raises Unbounded for a frame without a bound."""
    frames: dict[str, int] = {}
    for file in sorted(folder.glob("*.su")):
        for line in file.read_text().splitlines():
            place, size, kind = line.split("\t")
            name = place.rsplit(":", 1)[1]
            if kind not in ("static", "dynamic,bounded"):
                raise Unbounded(f"{place}: the frame is {kind}; use arrays of a fixed size")
            frames[name] = max(frames.get(name, 0), int(size))
    return frames


def deepest(
    functions: dict[str, Function], frames: dict[str, int], processor: Processor, start: str
) -> tuple[int, list[str]]:
    """Bytes of stack from this function on, and the chain of calls that needs them."""
    known: dict[str, tuple[int, list[str]]] = {}
    entered: list[str] = []

    def visit(name: str) -> tuple[int, list[str]]:
        if name in known:
            return known[name]
        if name in entered:
            round_trip = entered[entered.index(name) :]
            if not any(entry in frames for entry in round_trip):
                return 0, []  # a loop between labels of the compiler's library, which does not recurse
            raise Unbounded(f"{' -> '.join([*round_trip, name])}: recursion")
        function = functions.get(name)
        if function is None:
            raise Unbounded(f"{entered[-1]} calls {name}, which is not in the program")
        if function.indirect and name in frames:
            raise Unbounded(f"{name} calls through a pointer; call by name, or say what with --pointer")
        entered.append(name)
        own = frames.get(name, function.pushes * processor.push_bytes + processor.return_bytes)
        below: tuple[int, list[str]] = (0, [])
        for called in sorted(function.calls):
            below = max(below, visit(called), key=lambda found: found[0])
        entered.pop()
        known[name] = own + below[0], [name, *below[1]]
        return known[name]

    return visit(start)


def sections(text: str, processor: Processor) -> tuple[int, int]:
    """Bytes of flash and of RAM, from ``size -A``."""
    flash = ram = 0
    for line in text.splitlines():
        entry = re.match(r"\.(\S+)\s+(\d+)\s+(\d+)$", line)
        if not entry or entry[1].startswith(("debug", "comment", "stab", "note", "eeprom")):
            continue
        name, size, address = entry[1], int(entry[2]), int(entry[3])
        if address >= processor.data_address:
            ram += size
            flash += size if name == "data" else 0
        else:
            flash += size
    return flash, ram


def main() -> int:
    """Print the figures; 1 when a budget is exceeded or the stack has no bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("elf", type=Path)
    parser.add_argument("--tools", required=True, help="prefix of the binutils, such as avr-")
    parser.add_argument("--flash", type=int, required=True, help="bytes the board has")
    parser.add_argument("--ram", type=int, required=True, help="bytes the board has")
    parser.add_argument(
        "--pointer", action="append", default=[], metavar="CALLER=CALLED", help="a call through a pointer"
    )
    parser.add_argument("--ram-free-percent", type=int, default=0, help="RAM that has to be left")
    options = parser.parse_args()
    processor = AVR if options.tools.startswith("avr") else ARM

    def tool(*arguments: str) -> str:
        command = [options.tools + arguments[0], *arguments[1:], str(options.elf)]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=TOOL_TIMEOUT_S
        ).stdout

    flash, ram = sections(tool("size", "-A"), processor)
    constants = re.findall(r"^[0-9a-f]+ A (\S+)$", tool("nm"), re.MULTILINE)
    functions = disassembled(tool("objdump", "-d"), processor, constants)
    for pointer in options.pointer:
        caller, _, called = pointer.partition("=")
        if caller in functions:
            functions[caller].calls.add(called)
            functions[caller].indirect = False
    try:
        frames = stated_frames(options.elf.parent)
        main_stack, chain = deepest(functions, frames, processor, "main")
        interrupt_stack = max(
            (
                processor.exception_bytes + deepest(functions, frames, processor, name)[0]
                for name in functions
                if processor.interrupt.fullmatch(name)
            ),
            default=0,
        )
    except Unbounded as problem:
        print(f"{options.elf}: {problem}", file=sys.stderr)
        return 1
    linked = {name: size for name, size in frames.items() if name in functions}
    widest = max(linked, key=lambda name: linked[name])
    stack = main_stack + interrupt_stack
    free = options.ram - ram - stack
    print(f"{options.elf.parent.name}")
    print(f"  flash        {flash:7} of {options.flash} bytes ({100 * flash / options.flash:.1f} %)")
    print(f"  RAM at rest  {ram:7} of {options.ram} bytes ({100 * ram / options.ram:.1f} %)")
    print(f"  stack        {stack:7} bytes: {main_stack} by calls, {interrupt_stack} by an interrupt")
    print(f"  RAM free     {free:7} bytes ({100 * free / options.ram:.1f} %)")
    print(f"  widest frame {linked[widest]:7} bytes: {widest}")
    print(f"  deepest calls: {' > '.join(chain)}")
    failed = False
    if flash > options.flash:
        print(f"{options.elf}: needs {flash} bytes of flash, the board has {options.flash}", file=sys.stderr)
        failed = True
    if free * 100 < options.ram * options.ram_free_percent:
        print(
            f"{options.elf}: {free} bytes of RAM are left, {100 * free / options.ram:.1f} %; "
            f"this board needs {options.ram_free_percent} %. Shrink RING_SIZE, IL_LINK_BUFFER or "
            "IL_MAX_MOVING in board.mk, or the table",
            file=sys.stderr,
        )
        failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
