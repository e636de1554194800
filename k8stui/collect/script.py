"""The script that writes what a node's kernel holds (``collect.sh`` beside this module)."""

from __future__ import annotations

from pathlib import Path


def script(*, conntrack: bool = False) -> str:
    """The script as one text for ``sh -s``; `conntrack`: with the tracked connections."""
    text = (Path(__file__).parent / "collect.sh").read_text(encoding="utf-8")
    if not conntrack:
        return text
    first, _, rest = text.partition("\n")
    return f"{first}\nCOLLECT_CONNTRACK=1\n{rest}"
