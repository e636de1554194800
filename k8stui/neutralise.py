"""Text from a file made safe to draw: it can neither steer a terminal nor reorder a line."""

from __future__ import annotations

import re

# C0 and C1 controls, DEL; the bidirectional controls (CVE-2021-42574); zero-width and line
# separators; lone surrogates; the tag characters.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def neutralise(text: str) -> str:
    r"""Replace what a terminal would obey or hide by something visible.

    C0 controls become control pictures (``\x1b`` → ``␛``), all others ``<U+202E>``.
    """
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"
