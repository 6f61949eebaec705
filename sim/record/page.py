"""What every HTML page of this project is made of: one file that needs nothing else, not even a network.

All text from scenarios, plans and boards is escaped, and a content security policy admits no script
but those written into the page.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parent / "templates"

VERDICTS = {  # kind for the colours, glyph
    "PASS": ("pass", "✓"),
    "FAIL": ("fail", "✗"),
    "RIG_ERROR": ("fail", "⚠"),
    "INVALID": ("unknown", "⚠"),
    "SKIPPED": ("unknown", "»"),
}
GLYPHS = {"pass": "✓", "fail": "✗", "unknown": "?", "idle": "·"}


def verdict_look(verdict: str) -> dict[str, str]:
    """Word, kind and glyph of a verdict, also of one that is not known here."""
    kind, glyph = VERDICTS.get(verdict, ("unknown", "?"))
    return {"word": verdict.replace("_", " "), "kind": kind, "glyph": glyph}


def render_page(
    template: str, context: dict[str, Any], *, styles: Sequence[str], scripts: Sequence[str], data: Any = None
) -> str:
    """The whole HTML document.

    ``styles`` are files of ``TEMPLATES``, ``scripts`` the text of each script element, and ``data``
    what the scripts find as JSON in the element ``page-data``.
    """
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    frame = {
        "policy": security_policy(*scripts),
        "style": Markup("\n".join(template_text(name) for name in styles)),
        "scripts": [Markup(script) for script in scripts],
        "data": None if data is None else Markup(safe_json(data)),
        "glyphs": GLYPHS,
    }
    return environment.get_template(template).render(context | frame)


def template_text(*names: str) -> str:
    """The text of files of ``TEMPLATES``, in the order they need each other."""
    return "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)


def security_policy(*scripts: str) -> str:
    """Nothing is loaded from anywhere, and only exactly these scripts run."""
    allowed = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def safe_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in, whatever the text inside."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
