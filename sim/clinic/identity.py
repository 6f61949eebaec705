"""Identity tokens: what the console and the prescription compare instead of names."""

from __future__ import annotations

import hashlib


def token(*parts: object) -> int:
    """A 31-bit identity token, never 0 (0 means unknown)."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return (int.from_bytes(digest[:4], "big") & 0x7FFFFFFF) or 1
