from __future__ import annotations

from typing import Any

import pytest
from textual.binding import Binding

from docs import make_keys
from k8stui.export.drawing.ink import line_width, text_of
from k8stui.tui import keys
from k8stui.tui.find import FindBar
from k8stui.tui.footer import footer
from k8stui.tui.listing import ListScreen
from k8stui.tui.listings import help_lines
from k8stui.tui.request import RequestScreen
from k8stui.tui.screen import WalkScreen

OWNERS = (WalkScreen, ListScreen, RequestScreen, FindBar)
BINDINGS = [
    pytest.param(binding, id=f"{owner.__name__}-{binding.id}")
    for owner in OWNERS
    for binding in owner.BINDINGS
    if isinstance(binding, Binding)
]
NEVER = {"ctrl+b", "ctrl+a", "ctrl+i", "ctrl+m", "ctrl+h", "ctrl+j"}


@pytest.mark.parametrize("binding", BINDINGS)
def test_every_binding_has_id_description_and_tooltip(binding: Any) -> None:
    assert binding.id
    assert binding.description
    assert binding.tooltip


@pytest.mark.parametrize("binding", BINDINGS)
def test_no_key_belongs_to_tmux_screen_or_the_terminal(binding: Any) -> None:
    assert not NEVER & set(binding.key.split(","))


def test_ids_are_unique() -> None:
    bindings = (each for owner in OWNERS for each in owner.BINDINGS)
    ids = [each.id for each in bindings if isinstance(each, Binding)]
    assert len(ids) == len(set(ids))


def test_no_key_does_two_things() -> None:
    all_keys = [key for binding in keys.ALL for key in binding.key.split(",")]
    assert len(all_keys) == len(set(all_keys))


@pytest.mark.parametrize("binding", keys.ALL, ids=lambda b: b.id)
def test_no_key_is_only_a_function_key_or_alt(binding: Any) -> None:
    assert any(
        not key.startswith(("alt+", "ctrl+shift+")) and not (key[0] == "f" and key[1:].isdigit())
        for key in binding.key.split(",")
    )


def test_the_footer_fits_80_columns_with_what_leads_everywhere() -> None:
    line = footer(80)
    assert line_width(line) == 80
    stay = [each for each in keys.FOOTER if each.id not in keys.FIRST_TO_GO]
    assert 0 < len(stay) <= 9
    for binding in stay:
        assert f"{keys.footer_name(binding)} {binding.description}" in text_of(line)


def test_a_wide_footer_has_all_of_them() -> None:
    shown = text_of(footer(200))
    for binding in keys.FOOTER:
        assert f"{keys.footer_name(binding)} {binding.description}" in shown


def test_what_goes_first_is_shown_at_all() -> None:
    assert set(keys.FIRST_TO_GO) <= {binding.id for binding in keys.FOOTER}


@pytest.mark.parametrize("width", [40, 78, 118])
def test_help_says_every_key(width: Any) -> None:
    text = " ".join(" ".join(text_of(line).split()) for line in help_lines(width))
    for binding in keys.ALL:
        for name in keys.key_names(binding).split():
            assert name in text
        assert binding.tooltip.split()[0] in text


def test_the_page_of_keys_is_current() -> None:
    assert make_keys.FILE.read_text(encoding="utf-8").splitlines() == list(make_keys.lines())
