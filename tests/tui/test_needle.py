"""What can be looked for: text, patterns, what is not so, labels."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui.test_key_paths import WEBAPP, opened

from k8stui.tui.index import Index
from k8stui.tui.needle import understood

LINES = ["default/web-1 10.244.1.2", "default/web-22 10.244.1.3", "shop/Cart 10.244.2.2"]
LABELS = [{"app": "web"}, {"app": "web", "tier": "old"}, {"app": "cart"}]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("web", "ab"),
        ("WEB-1", "a"),
        ("cart", "c"),
        ("10.244.1", "ab"),
        (r"web-\d\d", "b"),
        ("^shop", "c"),
        ("!web", "c"),
        (r"!\d\d ", "ac"),
        ("web-1|cart", "ac"),
        ("-l app=web", "ab"),
        ("-l app=web,tier!=old", "a"),
        ("-l tier", "b"),
        ("-l !tier", "ac"),
        ("-l app == cart", "c"),
        ("-l", ""),
        ("(", ""),
        ("!", ""),
        ("", ""),
    ],
)
def test_what_is_found(typed: str, found: str) -> None:
    index = Index()
    index.add(["a", "b"], LINES[:2], LABELS[:2])
    index.add(["c"], LINES[2:], LABELS[2:])
    assert "".join(index.search(typed).keys) == found


@given(st.text(max_size=12))
def test_whatever_is_typed_is_understood(typed: str) -> None:
    understood(typed).finder()("default/web-1")
    index = Index()
    index.add(["a"], ["default/web-1"])
    assert index.search(typed, 1).keys in ((), ("a",))


@given(st.text(alphabet="abw-1/", min_size=1, max_size=4))
def test_not_is_the_other_half(typed: str) -> None:
    index = Index()
    index.add(["a", "b", "c"], LINES)
    if typed.startswith("-l"):
        return
    both = [*index.search(typed).keys, *index.search(f"!{typed}").keys]
    assert sorted(both) == ["a", "b", "c"]


async def test_the_tree_is_filtered_by_labels_and_patterns() -> None:
    async with opened(str(WEBAPP)) as typist:
        names = {"-": "minus", " ": "space", "=": "equals_sign", "!": "exclamation_mark"}
        await typist.press("1", "slash", *(names.get(one, one) for one in "-l app=mysql"))
        assert "pod mysql-1" in typist.shown
        assert "myweb" not in typist.shown.split("1 Nodes")[1]
        await typist.press("escape", "slash", "circumflex_accent", *"node", "minus", "2")
        assert "1 found" in typist.shown
        await typist.press("enter")
        desk = typist.walk.desk
        assert desk is not None
        assert desk.tree.item is not None
        assert desk.tree.item.key == "node/node-2"


async def test_a_pattern_is_found_in_the_walk() -> None:
    async with opened(str(WEBAPP)) as typist:
        await typist.press("4", "slash", *"KUBE-SEP-.*", "enter")
        desk = typist.walk.desk
        assert desk is not None
        assert desk.state.step is not None
        assert "KUBE-SEP-" in desk.state.step.text


@pytest.mark.parametrize(
    "typed",
    [
        "(a+)+$", "(a|a)*$", "^(a|aa)+$", "(a*)*b", "((a+)b?)+$", "(.*)*$", "(a?){50}a{50}$",
        "(?:a+){2,}$", ".*.*.*.*.*=", r"(a*)\1\1\1$", "!(a+)+$", "a{1,99}a{1,99}a{1,99}a{1,99}$",
        "(" * 5000,
    ],
)  # fmt: skip
def test_no_pattern_takes_for_ever(typed: str) -> None:
    start = time.process_time()
    finds = understood(typed).finder()
    for _ in range(100):
        finds("a" * 60 + "!")
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (r"^web-\d+$", "web-12"),
        ("(web|db)-[0-9]", "db-1"),
        (r"^web-.*-\d+$", "web-a-1"),
        ("a{2,3}x?", "aaa"),
        (r"10\.244\.\d{1,3}\.", "10.244.17.1"),
    ],
)
def test_an_ordinary_pattern_is_one(typed: str, text: str) -> None:
    assert understood(typed).pattern is not None
    assert understood(typed).finder()(text)
