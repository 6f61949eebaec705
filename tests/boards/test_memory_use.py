"""How the stack of a firmware is counted, on small programs written as the tools print them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.firmware.memory_use import ARM, AVR, Unbounded, deepest, disassembled, sections, stated_frames

ARM_PROGRAM = """
00000100 <main>:
 100:	b508      	push	{r3, lr}
 102:	f000 f801 	bl	110 <shallow>
 106:	f000 f801 	bl	120 <deep>
 10a:	bd08      	pop	{r3, pc}
00000110 <shallow>:
 110:	4770      	bx	lr
00000120 <deep>:
 120:	f000 b801 	b.w	130 <library>
00000130 <library>:
 130:	e92d 4ff0 	stmdb	sp!, {r4-r9, lr}
 134:	4770      	bx	lr
"""
FRAMES = {"main": 8, "shallow": 100, "deep": 80}


def test_the_deepest_chain_counts() -> None:
    found = deepest(disassembled(ARM_PROGRAM, ARM), FRAMES, ARM, "main")
    assert found == (8 + 80 + 7 * 4, ["main", "deep", "library"])


def test_a_wider_frame_beside_it_takes_over() -> None:
    assert deepest(disassembled(ARM_PROGRAM, ARM), FRAMES | {"shallow": 200}, ARM, "main") == (
        208,
        ["main", "shallow"],
    )


def test_recursion_is_refused() -> None:
    program = ARM_PROGRAM.replace("110 <shallow>\n 106", "100 <main>\n 106")
    functions = disassembled(program, ARM)
    functions["shallow"].calls.add("main")
    functions["main"].calls.add("shallow")
    with pytest.raises(Unbounded, match="main -> shallow -> main: recursion"):
        deepest(functions, FRAMES, ARM, "main")


def test_a_call_through_a_pointer_is_refused() -> None:
    program = ARM_PROGRAM.replace("bl	110 <shallow>", "blx	r3")
    with pytest.raises(Unbounded, match="main calls through a pointer"):
        deepest(disassembled(program, ARM), FRAMES, ARM, "main")


def test_a_call_out_of_the_program_is_refused() -> None:
    with pytest.raises(Unbounded, match="deep calls library, which is not in the program"):
        deepest(disassembled(ARM_PROGRAM.partition("00000130")[0], ARM), FRAMES, ARM, "main")


def test_a_constant_of_the_linker_is_no_function() -> None:
    """It equals an address within a function, or where one begins, and is shown in its place."""
    within = ARM_PROGRAM.replace("bl	110 <shallow>", "beq	10a <REGION_LENGTH>")
    assert disassembled(within, ARM, ["REGION_LENGTH"])["main"].calls == {"deep"}
    begins = ARM_PROGRAM.replace("110 <shallow>\n 106", "110 <REGION_LENGTH>\n 106")
    assert disassembled(begins, ARM, ["REGION_LENGTH"])["main"].calls == {"shallow", "deep"}


def test_labels_of_the_library_are_run_into_and_loop() -> None:
    program = """
00000010 <main>:
  10:	0e 94 10 00 	call	0x20	; 0x20 <__divide>
  14:	08 95       	ret
00000020 <__divide>:
  20:	1f 93       	push	r17
00000022 <__divide_loop>:
  22:	0f 93       	push	r16
  24:	e1 f7       	brne	.-8      	; 0x22 <__divide_loop>
  26:	d1 f7       	brne	.-12     	; 0x20 <__divide>
  28:	08 95       	ret
"""
    found, chain = deepest(disassembled(program, AVR), {"main": 2}, AVR, "main")
    assert chain == ["main", "__divide", "__divide_loop"]
    assert found == 2 + (1 + 2) + (1 + 2)


def test_a_frame_of_unknown_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.su").write_text("a.c:3:5:fixed\t16\tstatic\na.c:9:5:open\t24\tdynamic\n")
    with pytest.raises(Unbounded, match="open: the frame is dynamic"):
        stated_frames(tmp_path)


def test_sections_are_flash_or_ram() -> None:
    text = """
section         size      addr
.text          18000         0
.data            100   8388864
.bss            1000   8388964
.noinit           30   8389964
.eeprom            8   8454144
.debug_info    90000         0
"""
    assert sections(text, AVR) == (18100, 1130)
