"""C source of an interlock table, for the firmware of a board.

Two files: a header with the capacities the core is built with and the digest, and a source with
the constant tables, which a compiler puts into flash. Generated text carries the digest of its
table, and a test fails when it is stale.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from firmware_model.image import GATE_ON, KINDS, NONE, STOPS_MOTION, Image, image_of
from firmware_model.states import Latch, Stop
from firmware_model.table import Table

WARNING = "/* Generated from an interlock table by `interlock table codegen`; do not edit. */"


def c_name(table: Table) -> str:
    """The table's name as a C identifier."""
    return re.sub(r"[^a-z0-9]+", "_", table.name.lower()).strip("_")


def generate(table: Table) -> dict[str, str]:
    """File name to content. Raises NotRepresentable when the firmware cannot hold the table."""
    image, name = image_of(table), c_name(table)
    return {"il_config.h": _config(image, name), "il_table_data.c": _source(image, table, name)}


def _config(image: Image, name: str) -> str:
    return f"""{WARNING}
#ifndef IL_CONFIG_H
#define IL_CONFIG_H

/* {image.name} */
#define IL_TABLE_NAME "{name}"
#define IL_TABLE_DIGEST "{image.digest}"
#define IL_MAX_SIGNALS {len(image.safe)}
#define IL_MAX_ROWS {len(image.rows)}
#define IL_MAX_COUNTERS {max(1, image.counters)}
#define IL_MAX_MEMORY {max(1, image.memory)}

#endif
"""


def _source(image: Image, table: Table, name: str) -> str:
    signals = list(table.signals)
    parts = [
        WARNING,
        '#include "il_table_data.h"\n',
        _array(
            "int32_t", "safe", (f"{value}, /* {s} */" for value, s in zip(image.safe, signals, strict=True))
        ),
        _array("il_term", "terms", (f"{{{c}, {s}}}, /* {signals[s]} */" for c, s in image.terms)),
        _array("il_sum", "sums", (f"{{{_int64(k)}, {first}, {size}}}," for k, first, size in image.sums)),
        _array("il_alternative", "alternatives", (f"{{{a}, {n}}}," for a, n in image.alternatives)),
        _array("int32_t", "params", (f"{_int32(value)}," for value in image.params)),
        _array("il_row", "rows", _rows(image)),
        _array("il_proof", "proofs", _proofs(image)),
        f"""const IL_FLASH il_table il_table_data = {{
    .signals = {len(image.safe)},
    .rows = {len(image.rows)},
    .proofs = {len(image.proofs)},
    .meterset = {image.meterset},
    .self_test_ticks = {image.self_test_ticks},
    .proof_timeout = {image.proof_timeout},
    .memory = {image.memory},
    .alternatives = {len(image.alternatives)},
    .sums = {len(image.sums)},
    .terms = {len(image.terms)},
    .params = {len(image.params)},
    .check = 0x{image.check:04X},
    .safe = safe,
    .row = rows,
    .alternative = alternatives,
    .sum = sums,
    .term = terms,
    .param = params,
    .proof = proofs,
}};
""",
    ]
    return "\n".join(parts)


def _array(type_: str, name: str, entries: Iterable[str]) -> str:
    # C has no empty arrays; a table without such entries gets one that is never read.
    nothing = "    0," if type_ == "int32_t" else "    {0},"
    lines = [f"    {entry}" for entry in entries] or [nothing]
    return f"static const IL_FLASH {type_} {name}[] = {{\n" + "\n".join(lines) + "\n};\n"


def _rows(image: Image) -> Iterable[str]:
    for row in image.rows:
        gate = "IL_NONE" if row.gate == NONE else str(row.gate)
        counter = "IL_NONE" if row.counter == NONE else str(row.counter)
        flags = [
            text
            for bit, text in ((STOPS_MOTION, "IL_STOPS_MOTION"), (GATE_ON, "IL_GATE_ON"))
            if row.flags & bit
        ]
        yield (
            f"/* {row.name} */ {{IL_{KINDS[row.kind]}, {gate}, {' | '.join(flags) or '0'}, "
            f"IL_STOP_{Stop(row.stop).name.upper()}, IL_LATCH_{Latch(row.latch).name.upper()}, {row.size}, "
            f"{counter}, {row.first}, {row.memory}, {row.debounce}, "
            f"0x{row.acts_in:03X}, 0x{row.latches_in:03X}, 0x{row.check:04X}}},"
        )


def _proofs(image: Image) -> Iterable[str]:
    size = (len(image.rows) + 7) // 8
    for row, mask in image.proofs:
        masked = ", ".join(f"0x{byte:02X}" for byte in mask.to_bytes(size, "little"))
        yield f"/* {image.rows[row].name} */ {{{row}, {{{masked}}}}},"


def _int32(value: int) -> str:
    return str(value) if value > -(2**31) else "(-2147483647 - 1)"


def _int64(value: int) -> str:
    return str(value) if -(2**31) < value < 2**31 else f"{value}LL"
