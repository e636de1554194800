"""Frames and cables of a picture are lines without seams."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
import zlib
from itertools import pairwise
from pathlib import Path

import pytest

from k8stui.export.drawing.canvas import Canvas, Rect
from k8stui.export.drawing.ink import Ink
from k8stui.export.drawing.strokes import CELL, ROW, Glyph, is_stroke, paths
from k8stui.export.drawing.svg import svg

BOXES = [chr(code) for code in range(0x2500, 0x2580) if is_stroke(chr(code))]


def ends(char: str) -> set[str]:
    """The sides of the cell that its strokes get to, by their coordinates."""
    found = set()
    for path in paths([Glyph(0, 0, char, Ink.FAINT)]):
        for x, y, rest in re.findall(r"M([\d.]+) ([\d.]+)([^M\"]*)", path):
            xs = [float(x), *map(float, re.findall(r"H([\d.]+)", rest))]
            ys = [float(y), *map(float, re.findall(r"V([\d.]+)", rest))]
            found |= {"LEFT"} if min(xs) == 0 else set()
            found |= {"RIGHT"} if max(xs) == CELL else set()
            found |= {"UP"} if min(ys) == 0 else set()
            found |= {"DOWN"} if max(ys) == ROW else set()
    return found


@pytest.mark.parametrize("char", BOXES)
def test_a_character_has_the_arms_that_unicode_names(char: str) -> None:
    name = unicodedata.name(char)
    wanted = set()
    for word, sides in (
        ("HORIZONTAL", {"LEFT", "RIGHT"}),
        ("VERTICAL", {"UP", "DOWN"}),
        *((side, {side}) for side in ("LEFT", "RIGHT", "UP", "DOWN")),
    ):
        if re.search(rf"\b{word}\b", name):
            wanted |= sides
    assert ends(char) == wanted


def test_what_the_drawing_draws_with_is_drawn_as_strokes() -> None:
    assert set("─│━╭╮╰╯┌┐└┘┯┷┴┬┤├╥╨┼") <= set(BOXES)


def test_a_box_is_four_lines_and_its_corners() -> None:
    canvas = Canvas(20, 6)
    canvas.box(Rect(0, 0, 20, 6), "")
    text = "".join(svg(list(canvas.lines()), "a box"))
    (path,) = re.findall(r'<path class="l faint" d="([^"]*)"', text)
    # Top (a blank title parts it), bottom, two sides; four arcs.
    assert len(re.findall("M[^MQ]*(?=M|$)", path)) <= 6
    assert path.count("Q") == 4


@pytest.mark.skipif(shutil.which("rsvg-convert") is None, reason="no rsvg-convert")
def test_a_wire_has_no_gap_as_pixels(tmp_path: Path) -> None:
    """The column in the middle of a wire of ten rows is ink from end to end."""
    canvas = Canvas(3, 10)
    canvas.down(1, 0, 9)
    file = tmp_path / "wire.svg"
    file.write_text("".join(svg(list(canvas.lines()), "wire")), encoding="utf-8")
    subprocess.run(["rsvg-convert", "-o", str(tmp_path / "wire.png"), str(file)], check=True)
    width, rows = pixels((tmp_path / "wire.png").read_bytes())
    column = [row[width // 2] for row in rows]
    lit = [number for number, value in enumerate(column) if value < 255]
    assert len(lit) == 10 * ROW
    assert all(after == before + 1 for before, after in pairwise(lit))


def pixels(png: bytes) -> tuple[int, list[list[int]]]:
    """Red of every pixel of an 8-bit RGB(A) picture (PNG specification, filters 0 to 4)."""
    at, data, width, depth = 8, b"", 0, 4
    while at < len(png):
        size, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, depth = int.from_bytes(body[:4], "big"), {2: 3, 6: 4}[body[9]]
        elif kind == b"IDAT":
            data += body
        at += 12 + size
    raw, stride, above, rows = zlib.decompress(data), width * depth, bytes(width * depth), []
    for start in range(0, len(raw), stride + 1):
        row = bytearray(raw[start + 1 : start + 1 + stride])
        for n in range(stride):
            left = row[n - depth] if n >= depth else 0
            corner = above[n - depth] if n >= depth else 0
            row[n] = (row[n] + _filtered(raw[start], left, above[n], corner)) & 255
        above = bytes(row)
        rows.append(list(row[::depth]))
    return width, rows


def _filtered(kind: int, left: int, up: int, corner: int) -> int:
    near = min((abs(up - corner), 0, left), (abs(left - corner), 1, up),
               (abs(left + up - 2 * corner), 2, corner))[2]  # fmt: skip
    return (0, left, up, (left + up) // 2, near)[kind]
