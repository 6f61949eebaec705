"""The message table as a C header and as the tables of a page."""

from __future__ import annotations

from hil.messages import (
    CHANGE_SIZE,
    CRC_SIZE,
    ERRORS,
    HEADER_SIZE,
    KEPT_WHILE_BUSY,
    MESSAGES,
    PROTOCOL,
    REPLIES,
    REQUESTS,
    SIZES,
    ErrorCode,
    Message,
    fixed_size,
    masks,
    offsets,
)

HEADER_WARNING = "/* Generated from the message table by `interlock board codegen`; do not edit. */"


def c_header() -> str:
    """Content of ``il_wire.h``."""
    lines = [
        HEADER_WARNING,
        "#ifndef IL_WIRE_H",
        "#define IL_WIRE_H",
        "",
        f"#define IL_WIRE_PROTOCOL {PROTOCOL}u",
        f"#define IL_WIRE_HEADER {HEADER_SIZE}u",
        f"#define IL_WIRE_CRC {CRC_SIZE}u",
        f"#define IL_WIRE_CHANGE {CHANGE_SIZE}u",
        f"#define IL_WIRE_KEPT_WHILE_BUSY {KEPT_WHILE_BUSY}u",
        "",
        "/* Error codes. */",
        *(f"#define IL_WIRE_{code.name.upper()} {code.value}u" for code in ErrorCode),
    ]
    for message in MESSAGES.values():
        lines += ["", f"/* {message.name}: offsets in the decoded frame. */", *_c_message(message)]
    return "\n".join([*lines, "", "#endif", ""])


def _c_message(message: Message) -> list[str]:
    prefix = f"IL_WIRE_{message.name}"
    found = [f"#define {prefix} 0x{message.number:02X}u", f"#define {prefix}_FIXED {fixed_size(message)}u"]
    if masks(message):
        found.append(f"#define {prefix}_MASK_COUNT {masks(message)}u")
    return found + [f"#define {prefix}_{name.upper()} {place}u" for name, place in offsets(message).items()]


def page_tables() -> str:
    """The generated part of ``docs/wire.md``."""
    parts = []
    for title, messages in (("Requests", REQUESTS), ("Replies", REPLIES)):
        parts.append(f"### {title}\n")
        parts += [_page_message(message) for message in messages]
    parts.append("### Error codes\n\n| code | name | meaning | `detail` |\n|---|---|---|---|")
    parts += [f"| {c.value} | `{c.name}` | {text} | {detail} |" for c, (text, detail) in ERRORS.items()]
    return "\n".join(parts) + "\n"


def _page_message(message: Message) -> str:
    answer = f" Answered by {message.reply}." if message.reply else ""
    lines = [f"#### {message.name} (0x{message.number:02X})\n", f"{message.text}{answer}\n"]
    if not message.fields:
        return "\n".join([*lines, "No fields.\n"])
    lines.append("| offset | field | type | meaning |\n|---|---|---|---|")
    place, after_masks = HEADER_SIZE, ""
    for field in message.fields:
        lines.append(f"| {place}{after_masks} | `{field.name}` | {field.type} | {field.text} |")
        if field.type == "mask":
            count = int(after_masks[3:-2] or 0) + 1 if after_masks else 1
            after_masks = f" + {count} m"
        else:
            place += SIZES.get(field.type, 0)
    return "\n".join([*lines, ""])
