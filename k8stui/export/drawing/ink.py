"""What a line of a pane is made of: runs of text, each with a meaning. No Textual here.

A meaning (`Ink`) becomes a colour only in the widget, through the theme; so every pane can be
tested, printed and searched as plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from rich.cells import cell_len, set_cell_size


class Ink(StrEnum):
    """What a run of text means. Each is a component class ``ink--NAME`` of the theme."""

    TEXT = "text"
    STRONG = "strong"
    DIM = "dim"
    FAINT = "faint"
    """Frames and wires that nothing is on."""
    FRAME = "frame"
    """The frame of the pane that has the keys."""
    HERE = "here"
    """Here, now: the packet on its way out."""
    BACK = "back"
    """Here, now: the reply."""
    STOP = "stop"
    """Here the packet ends: dropped, rejected, or nobody can say."""
    TRAIL = "trail"
    """Where the packet has been, on its way out."""
    RETURN = "return"
    """Where the reply has been."""
    MATCH = "match"
    NAT = "nat"
    DROP = "drop"
    OK = "ok"
    ASSUMED = "assumed"
    """An address or name that nobody wrote: k8stui chose it."""
    CHANGED = "changed"
    CURSOR = "cursor"
    FOUND = "found"
    KEY = "key"
    YES = "yes"
    """A cell of a matrix: connected."""
    NO = "no"
    """Refused."""
    LOST = "lost"
    """Nothing comes back."""
    MIXED = "mixed"
    """Now this, now that; or nobody can say."""


Run = tuple[str, Ink]
Line = tuple[Run, ...]
"""One row of a pane, left to right."""

NOTHING: Line = ()

_ASCII = str.maketrans(
    "─━═│┃║┄┆┊╌╎·•…→←↑↓⇒⇐▸▹▾▿▶▷◀◁●○◌◆◉◎✓✗⇄×“”’—–␛↵⌂█▌░╳≡╺╸╻╹≠≈",
    '-==|||-::-:.*~><^v=<>>vv>><<*?o#@O+x=x""\'--^<^#|.X=--||!~',
)
_CORNERS = str.maketrans(dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛┣┫┳┻╋┯┷┿┠┨┰┸╂╞╡╤╧╪╒╕╘╛╟╢╥╨╫", "+"))
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def to_ascii(text: str) -> str:
    """The same text, as many cells wide, in ASCII. What has no likeness becomes ``?``."""
    if text.isascii():
        return text
    # What a field becomes is no way that a packet goes: the one arrow takes the blank behind it.
    drawn = text.replace("⇒ ", "=>").translate(_ASCII).translate(_CORNERS)
    return _BEYOND_ASCII.sub(lambda m: "?" * max(1, cell_len(m.group())), drawn)


def width_of(text: str) -> int:
    """Cells that `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def line_width(line: Line) -> int:
    """Cells that a line takes on the screen."""
    width = 0
    for text, _ in line:
        width += len(text) if text.isascii() else cell_len(text)
    return width


def text_of(line: Line) -> str:
    """The characters of a line, without ink."""
    return "".join(text for text, _ in line)


def run(text: str, ink: Ink = Ink.TEXT) -> Line:
    """A line of one ink; no line at all for no text."""
    return ((text, ink),) if text else NOTHING


def join(parts: Iterable[Line]) -> Line:
    """One line of several, neighbours of the same ink merged (fewer escape codes)."""
    runs: list[Run] = []
    for part in parts:
        for text, ink in part:
            if runs and runs[-1][1] is ink:
                runs[-1] = (runs[-1][0] + text, ink)
            elif text:
                runs.append((text, ink))
    return tuple(runs)


def cut(line: Line, width: int, *, ellipsis: bool = True) -> Line:
    """The line, not wider than `width` cells; ``…`` shows that something is missing."""
    if width <= 0:
        return NOTHING
    if line_width(line) <= width:
        return line
    runs: list[Run] = []
    left = width - 1 if ellipsis else width
    for text, ink in line:
        size = width_of(text)
        if size > left:
            kept = set_cell_size(text, left) if left else ""
            runs.append((kept + ("…" if ellipsis else ""), ink))
            break
        runs.append((text, ink))
        left -= size
    return tuple(runs)


def middle(text: str, width: int) -> str:
    """The text in at most `width` cells; ``…`` stands for its middle: names differ at their end."""
    if width_of(text) <= width:
        return text
    if width < 2:
        return "…"[:width]
    tail = (width - 1) // 3
    head = set_cell_size(text, width - 1 - tail).rstrip(" ")
    end = ""
    for char in reversed(text):
        if width_of(char + end) > tail:
            break
        end = char + end
    return f"{head}…{end}"


def fit(line: Line, width: int, fill: Ink = Ink.TEXT) -> Line:
    """The line, exactly `width` cells wide."""
    missing = max(0, width) - line_width(line)
    if missing > 0:
        return join((line, ((" " * missing, fill),)))
    return line if not missing else fit(cut(line, width), width, fill)


def skip(line: Line, cells: int) -> Line:
    """The line without its first `cells` cells."""
    if cells <= 0:
        return line
    runs: list[Run] = []
    for text, ink in line:
        size = width_of(text)
        if cells >= size:
            cells -= size
            continue
        if cells:
            while cells > 0 and text:
                cells -= width_of(text[0])
                text = text[1:]  # noqa: PLW2901 - a wide character may straddle the edge
        runs.append((text, ink))
    return tuple(runs)


def sides(left: Line, right: Line, width: int, fill: Ink = Ink.TEXT) -> Line:
    """`left` and `right` at the two ends of `width` cells; the right end gives way first."""
    room = width - line_width(left) - 1
    right = cut(right, room) if room > 3 else NOTHING
    return join((fit(left, width - line_width(right), fill), right))


def repaint(line: Line, ink: Ink) -> Line:
    """The whole line in one ink."""
    return run(text_of(line), ink)


_JOINTS = "/.-"
"""Behind these a name may go on in the next line."""


def wrap(text: str, width: int, *, indent: int = 0, lead: int = 0) -> list[str]:
    """`text` on lines of at most `width` cells, later ones indented, broken at spaces.

    A word is broken only where it is longer than a line, then behind one of its own marks if it
    has any. `lead`: cells of the first line that are taken. Runs of spaces inside are kept: this
    is used for rules, which are proof.
    """
    width = max(width, 8)
    indent = min(indent, width // 2)
    lines: list[str] = []
    rest, pad, room = text, "", width - lead
    while width_of(rest) > room:
        at = max(_break(rest, max(0, room), width - indent), bool(lines))
        lines.append(pad + rest[:at].rstrip(" "))
        rest, pad, room = rest[at:].lstrip(" "), " " * indent, width - indent
        if not rest:
            return lines
    lines.append(pad + rest)
    return lines


def _break(text: str, room: int, whole: int) -> int:
    """How much of `text` stands in `room` cells, where a line of its own has `whole` of them."""
    kept = text[:room] if text.isascii() else set_cell_size(text, room).rstrip(" ")
    if not text.startswith(kept):  # half of a wide character was cut off
        kept = kept[:-1]
    if text[len(kept) : len(kept) + 1] == " ":
        return len(kept)
    space = kept.rfind(" ")
    if width_of(text[space + 1 :].partition(" ")[0]) <= whole:
        return max(space, 0)
    joint = max(kept.rfind(mark) for mark in _JOINTS)
    if joint > space and joint >= room // 3:
        return joint + 1
    return space if space >= room // 3 else len(kept)


def hang(
    lead: Line, text: str, width: int, ink: Ink = Ink.TEXT, *, indent: int = 3, rows: int = 0
) -> list[Line]:
    """`lead` and behind it `text`, which goes on below on the whole width but `indent` cells.

    `rows`: the most that there is room for (0: for all); ``…`` shows that something is missing.
    """
    texts = wrap(text, width, indent=indent, lead=line_width(lead))
    lines = [join((lead, run(texts[0], ink))), *(run(each, ink) for each in texts[1:])]
    if rows and len(lines) > rows:
        last = texts[rows - 1] + " " + texts[rows].lstrip(" ")
        rest = join((lead if rows == 1 else NOTHING, run(last, ink)))
        lines = [*lines[: rows - 1], cut(rest, min(width, line_width(rest) - 1))]
    return lines


def fold(line: Line, width: int, *, indent: int = 3) -> list[Line]:
    """A line in several inks on as many lines of `width` cells as it takes."""
    if line_width(line) <= width:
        return [line]
    inks = iter([ink for text, ink in line for char in text if char != " "])
    return [
        join([run(char, Ink.TEXT if char == " " else next(inks)) for char in text])
        for text in wrap(text_of(line), width, indent=indent)
    ]
