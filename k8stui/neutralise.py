"""Text from a file made safe to draw and to log.

It can neither steer a terminal nor reorder a line, nor give orders to what runs us in CI.
"""

from __future__ import annotations

import re

# C0 and C1 controls, DEL; the bidirectional controls (CVE-2021-42574); zero-width and line
# separators; lone surrogates; the tag characters.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


_COMMAND = re.compile(
    # GitHub: ::name parameters::message at the begin of a line (runner ActionCommand.cs
    # TryParseV2), and its older ##[name] anywhere (TryParse), which is Azure's for the log, too.
    # Azure: ##vso[…] (agent CommandStringConvertor); TeamCity: ##teamcity[…].
    r"#(?=#(?:\[|vso\[|teamcity\[))|(?:(?<=^)|(?<=\n))(?P<lead>[^\S\n]*):(?=:[A-Za-z][^\n]*?::)",
    re.IGNORECASE,
)


def neutralise(text: str) -> str:
    r"""Replace what a terminal would obey or hide by something visible.

    C0 controls become control pictures (``\x1b`` → ``␛``), all others ``<U+202E>``. A blank breaks
    what would be an order to a CI runner.
    """
    if not (text.isascii() and text.isprintable()):
        text = _UNSAFE.sub(_visible, text)
    return without_commands(text)


def without_commands(text: str) -> str:
    """Break workflow commands: ``::error::`` at the begin of a line, ``##[error]`` anywhere."""
    return _COMMAND.sub(_broken, text) if "##" in text or "::" in text else text


def data_without_commands(text: str) -> str:
    """As `without_commands` in JSON, whose meaning stays: they stand in strings."""
    return _COMMAND.sub(_escaped, text) if "##" in text else text


def _broken(match: re.Match[str]) -> str:
    return f"{match[0]} "


def _escaped(match: re.Match[str]) -> str:
    return "\\u0023" if match[0] == "#" else match[0]


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"
