from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.export.drawing.ink import (
    Ink,
    cut,
    fit,
    join,
    line_width,
    run,
    sides,
    skip,
    text_of,
    to_ascii,
    width_of,
    wrap,
)
from k8stui.export.drawing.words import DIRECTIONS, ORIGINS, RESULTS
from k8stui.kernel.exchange import Result

texts = st.text("abc 09.:/-─│╭▶○✓⇒…éß日本語", max_size=40)
lines = st.lists(st.tuples(texts, st.sampled_from(Ink)), max_size=5).map(
    lambda runs: join((run,) for run in runs)
)


@given(lines, st.integers(0, 60))
def test_a_fitted_line_is_as_wide_as_asked(line: Any, width: Any) -> None:
    assert line_width(fit(line, width)) == width


@given(lines, st.integers(0, 60))
def test_a_cut_line_is_never_wider(line: Any, width: Any) -> None:
    assert line_width(cut(line, width)) <= width


@given(lines)
def test_a_line_that_fits_is_not_touched(line: Any) -> None:
    assert cut(line, line_width(line)) == line


@given(texts)
def test_ascii_takes_the_same_cells(text: Any) -> None:
    drawn = to_ascii(text)
    assert drawn.isascii()
    if not any(width_of(char) == 0 for char in text):
        assert width_of(drawn) == width_of(text)


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("╭─▶ eth0 ●○", "+-> eth0 *?"),
        ("│┃━┯┷", "||=++"),
        ("✗ DROP ✓ ok ⇄ DNAT", "x DROP + ok = DNAT"),
        ("日本", "????"),
    ],
)
def test_ascii_stands_for(text: Any, drawn: Any) -> None:
    assert to_ascii(text) == drawn


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200), st.integers(8, 60)
)
def test_wrapping_loses_only_blanks_at_the_breaks(text: Any, width: Any) -> None:
    parts = wrap(text, width)
    assert all(width_of(part) <= width for part in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")


def test_a_rule_is_wrapped_with_its_later_lines_indented() -> None:
    assert wrap("-A KUBE-SVC -p tcp -j DNAT", 14, indent=2) == ["-A KUBE-SVC -p", "  tcp -j DNAT"]


@given(lines, st.integers(0, 40))
def test_skipping_cells_of_narrow_text_drops_as_many(line: Any, cells: Any) -> None:
    if text_of(line).isascii():
        assert text_of(skip(line, cells)) == text_of(line)[cells:]


def test_the_right_side_gives_way_first() -> None:
    assert text_of(sides(run("left"), run("right"), 12)) == "left   right"
    assert text_of(sides(run("a long left"), run("right"), 12)) == "a long left "


def test_in_ascii_too_what_means_something_else_looks_otherwise() -> None:
    assert to_ascii("a → b") != to_ascii("a ⇒ b")
    assert to_ascii("10.0.0.1:80 ⇒ 10.0.0.2:8080") == "10.0.0.1:80 =>10.0.0.2:8080"
    for table in (ORIGINS, DIRECTIONS):
        signs = [to_ascii(sign.glyph) for sign in table.values()]
        assert len(set(signs)) == len(signs)
    fine, bad = to_ascii(RESULTS[Result.CONNECTED].glyph), to_ascii(RESULTS[Result.REFUSED].glyph)
    assert len({fine, bad, *(to_ascii(sign.glyph) for sign in ORIGINS.values())}) == 6


@given(texts)
def test_ascii_takes_as_many_cells(text: str) -> None:
    assert to_ascii(text).isascii()
    assert len(to_ascii(text)) == width_of(text)
