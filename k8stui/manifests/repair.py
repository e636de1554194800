"""Broken YAML lines: which one is guilty, and how it was probably meant.

libyaml reports where it could not go on; the mistake is often on a line before. Every repair
keeps the number of lines, so that reading can go on behind it with true positions.
All lines and columns here count from 0.
"""

from __future__ import annotations

import re
from functools import cache

from k8stui.manifests.lookalikes import LOOKALIKES
from k8stui.manifests.outline import (
    KEY,
    above,
    colon_before,
    columns_for,
    counts,
    dash_column,
    indent_of,
    lead_of,
    structural,
)
from k8stui.manifests.schema import field_names
from k8stui.record import record

ROOT_FIELDS = frozenset("apiVersion kind metadata spec status data stringData".split())  # noqa: SIM905


@record()
class Repair:
    """One guilty line. `mended` is the line as meant; None where nobody can know."""

    line: int
    column: int
    message: str
    mended: str | None = None
    hint: str = ""


@record()
class Mark:
    """What libyaml said."""

    line: int
    column: int
    start_line: int
    """Where the construct in question begins; -1 when it names none."""
    start_column: int
    problem: str
    context: str


_NO_SPACE = re.compile(r"(?P<lead>[ ]*(?:- +)*)(?P<key>[A-Za-z_][\w./-]*):(?P<rest>[^\s:/].*)")
_NO_SPACE_DASH = re.compile(r"(?P<lead>[ ]*)-(?P<rest>[A-Za-z_\"'][\w./\"'-]*:(?: .*)?)$")
_WORD_VALUE = re.compile(r"(?P<lead>[ ]*(?:- +)*)(?P<key>[A-Za-z]\w*)(?: +|=| *= *)(?P<rest>\S.*)")


@cache
def _fields() -> frozenset[str]:
    return field_names() | ROOT_FIELDS


def diagnose(lines: list[str], spot: Mark) -> list[Repair]:
    """Find the guilty lines for one refusal of libyaml; never empty."""
    rules = (
        _lookalikes,
        _tabs,
        _quotes,
        _open_quote,
        _flow,
        _missing_space,
        _same_line,
        _no_colon,
        _indentation,
    )
    for rule in rules:
        if found := rule(lines, spot):
            return found
    line = spot.line if spot.line < len(lines) else len(lines) - 1
    return [Repair(line, spot.column, _plain_words(spot))]


def structure(lines: list[str], line: int) -> Repair | None:
    """Mend a line that is YAML but not what was meant: ``app:mysql``, ``-port: 3306``."""
    text = lines[line]
    if match := _NO_SPACE_DASH.fullmatch(text):
        return _dash(lines, line, match)
    if match := _NO_SPACE.fullmatch(text):
        return _space(line, match)
    return _lookalike(lines, line)


def add_dash(lines: list[str], line: int) -> Repair:
    """Make the line the first of a list item, so that the fields below it still belong to it."""
    text = lines[line]
    indent = indent_of(text)
    message = "a dash is missing: this is an item of a list"
    mended = " " * dash_column(lines, line, indent) + "- " + text.lstrip()
    return Repair(line, indent, message, mended)


def drop_dash(lines: list[str], line: int) -> Repair | None:
    """Make the first list item the mapping itself; the fields below it keep their columns."""
    text = lines[line]
    if not text.lstrip().startswith("- "):
        return None
    return Repair(
        line, indent_of(text), "this is no list: the dash is too much", text.replace("-", " ", 1)
    )


def swallowed(lines: list[str], first: int, last: int) -> list[Repair]:
    """Find fields that a value of several lines has eaten: ``name: A`` above ``value:"x"``."""
    found = []
    for line in range(first + 1, min(last + 1, len(lines))):
        match = _NO_SPACE.fullmatch(lines[line])
        if match and match["key"] in _fields():
            found.append(_space(line, match))
    return found


def _space(line: int, match: re.Match[str]) -> Repair:
    word = f"{match['key']}:{match['rest']}"
    shown = word if len(word) <= 40 else word[:39] + "…"
    return Repair(
        line,
        match.end("key"),
        f"a space is missing after the colon: {shown!r} is one word, no field",
        f"{match['lead']}{match['key']}: {match['rest']}",
    )


def _dash(lines: list[str], line: int, match: re.Match[str]) -> Repair:
    key = match["rest"].partition(":")[0]
    column = dash_column(lines, line, len(match["lead"]))
    return Repair(
        line,
        len(match["lead"]),
        f"a space is missing between the dash and {key!r}",
        f"{' ' * column}- {match['rest']}",
    )


def _lookalikes(lines: list[str], spot: Mark) -> list[Repair]:
    around = {spot.start_line, spot.line, *above(lines, spot.line, 1)}
    found = (_lookalike(lines, line) for line in sorted(around) if 0 <= line < len(lines))
    return [one for one in found if one]


def _lookalike(lines: list[str], line: int) -> Repair | None:
    text = lines[line]
    odd = next((i for i, c in enumerate(text) if c in LOOKALIKES), -1)
    if odd < 0:
        return None
    mended = "".join(LOOKALIKES.get(c, c) for c in text).rstrip()
    space = text[odd] == "\u00a0"
    name = "no-break space" if space else f"character U+{ord(text[odd]):04X}"
    message = f"a {name} stands where YAML needs {LOOKALIKES[text[odd]]!r}"
    return Repair(line, odd, message, mended)


def _tabs(lines: list[str], spot: Mark) -> list[Repair]:
    around = {spot.line, spot.start_line, *above(lines, spot.line, 1)}
    if not any(0 <= n < len(lines) and "\t" in lead_of(lines[n]) for n in around):
        return []
    tabbed = [n for n in structural(lines) if "\t" in lead_of(lines[n])]
    if not tabbed:
        return []
    width = _tab_width(lines, tabbed)
    found = []
    for line in tabbed:
        lead = lead_of(lines[line])
        mended = lead.expandtabs(width) + lines[line][len(lead) :]
        message = "a tab in the indentation: YAML allows spaces only"
        found.append(Repair(line, lead.index("\t"), message, mended))
    return found


def _tab_width(lines: list[str], tabbed: list[int]) -> int:
    """Take the width of a tab from the indentation of the lines that have none: 2, 4 or 8."""
    indents = [indent_of(lines[n]) for n in structural(lines) if n not in tabbed]
    return min((i for i in indents if i in (2, 4, 8)), default=2)


def _quotes(lines: list[str], spot: Mark) -> list[Repair]:
    if "quoted scalar" not in spot.context or not 0 <= spot.start_line < len(lines):
        return []
    line, text = spot.start_line, lines[spot.start_line]
    quote = text[spot.start_column : spot.start_column + 1]
    if "escape" in spot.problem and spot.line < len(lines):
        message = "no such escape inside double quotes"
        hint = "write \\\\ for a backslash, or use single quotes"
        return [Repair(spot.line, spot.column, message, hint=hint)]
    message = "this quote is never closed"
    return [Repair(line, spot.start_column, message, text.rstrip() + quote)]


def _open_quote(lines: list[str], spot: Mark) -> list[Repair]:
    """Find the quote that swallowed the fields below it, up to the next quote of its kind."""
    line = 0
    while line < min(spot.line, len(lines)):
        text = lines[line]
        key = KEY.match(text) if counts(text) else None
        start = key.end() if key is not None else len(lead_of(text))
        start += len(text[start:]) - len(text[start:].lstrip(" "))
        quote = text[start : start + 1]
        if quote not in ("'", '"') or not quote or _closes(text[start + 1 :], quote):
            line += 1
            continue
        below = [n for n in range(line + 1, min(spot.line + 1, len(lines))) if lines[n].strip()]
        if below and _is_field(lines[below[0]]):
            return [Repair(line, start, "this quote is never closed", text.rstrip() + quote)]
        line = next((n for n in below if _closes(lines[n], quote)), spot.line)
        line += 1
    return []


def _closes(text: str, quote: str) -> bool:
    """Whether a quoted scalar that goes on in `text` ends in it."""
    rest = text.replace("''", "") if quote == "'" else re.sub(r"\\.", "", text)
    return quote in rest


def _is_field(text: str) -> bool:
    key = KEY.match(text)
    return key is not None and key["key"].strip("\"'") in _fields()


def _flow(lines: list[str], spot: Mark) -> list[Repair]:
    if "flow" not in spot.context or not 0 <= spot.start_line < len(lines):
        return []
    text = lines[spot.start_line]
    opening = text[spot.start_column : spot.start_column + 1]
    closing = {"[": "]", "{": "}"}.get(opening)
    if closing is None:
        return []
    if spot.line > spot.start_line and text.count(opening) > text.count(closing):
        message = f"this {opening!r} is never closed"
        missing = closing * (text.count(opening) - text.count(closing))
        return [Repair(spot.start_line, spot.start_column, message, text.rstrip() + missing)]
    line = min(spot.line, len(lines) - 1)
    return [Repair(line, spot.column, f"a comma or {closing!r} is expected here")]


def _missing_space(lines: list[str], spot: Mark) -> list[Repair]:
    """Explain a plain value that went on into the next line because ``key:value`` is no field."""
    if "mapping values" in spot.problem:
        found: list[Repair] = []
        if 0 <= spot.line < len(lines) and not colon_before(lines[spot.line], spot.column):
            for line in above(lines, spot.line):
                match = _NO_SPACE.fullmatch(lines[line])
                if match is None:
                    break
                found.insert(0, _space(line, match))
                if "- " in match["lead"]:
                    break
        if found:
            return found
    for line in (spot.start_line, spot.line, *above(lines, spot.line, 1)):
        if 0 <= line < len(lines):
            text = lines[line]
            if match := _NO_SPACE_DASH.fullmatch(text):
                return [_dash(lines, line, match)]
            if "expected ':'" in spot.problem and (match := _NO_SPACE.fullmatch(text)):
                return [_space(line, match)]
    return []


def _same_line(lines: list[str], spot: Mark) -> list[Repair]:
    """Quote a value that has a colon and a space in it, or begins with a reserved character."""
    if not 0 <= spot.line < len(lines):
        return []
    text = lines[spot.line]
    key = KEY.match(text)
    if key is None or key.end() > spot.column + 1:
        return []
    value = text[key.end() :].strip()
    at = text.find(value, key.end()) if value else -1
    if at < 0 or spot.column < at:
        return []
    if "mapping values" in spot.problem:
        message = f"a colon followed by a space inside an unquoted value of {key['key']!r}"
    elif "start any token" in spot.problem or "alias" in spot.context or "anchor" in spot.context:
        message = f"a value cannot begin with {text[at]!r} unless it is quoted"
    elif value[0] in "\"'" and spot.start_line < spot.line + 1:
        message = f"something follows the closing quote of {key['key']!r}"
    else:
        return []
    quoted = value.replace("'", "''")
    return [Repair(spot.line, spot.column, message, f"{text[:at]}'{quoted}'")]


def _no_colon(lines: list[str], spot: Mark) -> list[Repair]:
    """Add the colon to a lone word, or to ``replicas 3`` and ``replicas = 3``."""
    lone = "expected ':'" in spot.problem
    candidates = [spot.start_line] if lone else above(lines, spot.line, 1)
    for line in candidates:
        if not 0 <= line < len(lines):
            continue
        text = lines[line]
        lead = lead_of(text)
        word = text[len(lead) :].rstrip()
        if word in _fields():
            return [
                Repair(
                    line,
                    len(text.rstrip()),
                    f"a colon is missing after {word!r}",
                    text.rstrip() + ":",
                )
            ]
        match = _WORD_VALUE.fullmatch(text)
        if match and match["key"] in _fields():
            message = f"a colon is missing after {match['key']!r}"
            mended = f"{match['lead']}{match['key']}: {match['rest']}"
            return [Repair(line, match.end("key"), message, mended)]
        if lone:
            shown = word if len(word) <= 40 else word[:39] + "…"
            return [Repair(line, len(lead), f"{shown!r} is no field: it has no colon")]
    return []


def _indentation(lines: list[str], spot: Mark) -> list[Repair]:
    line = spot.line
    if not 0 <= line < len(lines) or not counts(lines[line]):
        return []
    text = lines[line]
    indent = indent_of(text)
    is_item = text.lstrip().startswith("- ") or text.strip() == "-"
    columns = columns_for(lines, line, items=is_item)
    if not columns or indent in columns:
        return []
    key = KEY.match(text)
    if key and key["key"] in ROOT_FIELDS and 0 in columns:
        meant = 0
    elif "mapping values" in spot.problem:
        # Deeper than its neighbour above, which already has a value.
        meant = max(columns)
    else:
        meant = min(columns, key=lambda column: (abs(column - indent), -column))
    others = " or ".join(str(column) for column in sorted(columns))
    message = f"indented by {indent}, but the fields around it begin at column {others}"
    return [Repair(line, indent, message, " " * meant + text.lstrip())]


_WORDS = (
    ("did not find expected key", "a field (key: value) is expected here"),
    ("did not find expected '-'", "a list item (- …) is expected here"),
    ("could not find expected ':'", "a colon is missing on this line"),
    ("mapping values are not allowed", "a field cannot begin here"),
    ("block sequence entries are not allowed", "a list item cannot begin here"),
    ("cannot start any token", "this character cannot stand here unquoted"),
    ("unexpected end of stream", "the file ends in the middle of a value"),
    ("undefined tag handle", "an unknown tag: quote the value if the ! is meant"),
    ("did not find expected alphabetic", "* and & are special in YAML: quote the value"),
    ("unexpected document indicator", "--- in the middle of a value"),
    ("did not find expected node content", "a value is expected here"),
    (
        "did not find expected <document start>",
        "the document has ended above: nothing belongs here",
    ),
)


def _plain_words(spot: Mark) -> str:
    return next((words for key, words in _WORDS if key in spot.problem), spot.problem)
