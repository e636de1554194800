"""Anchors, merge keys, limits, repeated keys: the document reader."""

from __future__ import annotations

import time

import pytest

from k8stui.manifests import events
from k8stui.manifests.events import MAX_DEPTH, YamlFault, read
from k8stui.manifests.pure import PureParser

GOOD = {
    "anchor": ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
    "anchored scalar": ("a: &x 80\nb: *x", {"a": 80, "b": 80}),
    "anchored key": ("&k a: 1\nb: *k", {"a": 1, "b": "a"}),
    "alias as key": ("a: &x k\n*x : 1", {"a": "k", "k": 1}),
    "merge": (
        "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}",
        {"a": {"b": 1, "c": 2}, "d": {"c": 3, "b": 1}},
    ),
    "merge list": (
        "- &x {a: 1}\n- &y {a: 2, b: 2}\n- {<<: [*x, *y]}",
        [{"a": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}],
    ),
    "quoted merge key is a key": ('"<<": 1', {"<<": 1}),
    "last wins": ("a: 1\na: 2", {"a": 2}),
    "flow over lines": ("a: {b: [1,\n 2], c: }", {"a": {"b": [1, 2], "c": None}}),
    "redefined anchor": ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
    "key on separator": ("--- {a: 1}", {"a": 1}),
    "directive": ("%YAML 1.1\n---\na: 1", {"a": 1}),
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("pure", [False, True], ids=["libyaml", "pure"])
def test_reads(name: str, pure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if pure:
        monkeypatch.setattr(events, "parser", PureParser)
    text, value = GOOD[name]
    assert read(text).value == value


BAD = {
    "recursive alias": ("a: &x [*x]", "contains itself", 7),
    "unknown alias": ("a: *x", "stands for nothing", 3),
    "null key": ("~: 1", "a key without a name", 0),
    "list key": ("? [a]\n: 1", "a key that is a list", 2),
    "merge of a text": ("<<: x", "<< needs a mapping", 4),
    "NUL": ("a: b\0", "NUL byte", 4),
    "control": ("a: \x07", "control character U\\+0007", 3),
    "two documents in one": ("a: 1\n--- \nb: 2", "second document", 5),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses(name: str) -> None:
    text, message, offset = BAD[name]
    with pytest.raises(YamlFault, match=message) as caught:
        read(text)
    assert caught.value.offset == offset


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "], ids=["list", "map", "block", "key"])
def test_depth_is_bounded_before_it_costs(opening: str) -> None:
    start = time.process_time()
    with pytest.raises(YamlFault):
        read(opening * 200_000)
    assert time.process_time() - start < 5


def test_depth_limit_is_exact() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH).value
    with pytest.raises(YamlFault, match="nested deeper"):
        read("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


def test_depth_through_aliases_is_bounded() -> None:
    half = "[" * 100
    text = f"a: &a {half}{']' * 100}\nb: {half}*a{']' * 100}"
    with pytest.raises(YamlFault, match="nested deeper"):
        read(text)


def test_alias_bomb() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(YamlFault, match="stand for more than"):
        read("\n".join(lines))


def test_huge_scalar() -> None:
    assert read("a: " + "x" * 5_000_000).value == {"a": "x" * 5_000_000}


def test_skipping_keeps_the_rest() -> None:
    text = "items:\n- keep: 1\n  drop: {a: [b]}\n- drop: x\n  keep: 2\n"
    reading = read(text, {"items": {"drop": None}})
    assert reading.value == {"items": [{"keep": 1}, {"keep": 2}]}
    assert [text[a:b].split(maxsplit=1)[0] for a, b in reading.items] == ["keep:", "drop:"]


def test_skipped_anchor_is_still_found() -> None:
    text = "items:\n- drop: &x {a: 1}\n  keep: *x\n"
    assert read(text, {"items": {"drop": None}}).value == {
        "items": [{"drop": {"a": 1}, "keep": {"a": 1}}]
    }


def test_repeated_keys_are_noticed() -> None:
    text = "a: 1\nb: {c: 1, c: 2}\na: 2"
    assert [text[offset:][:1] for offset in read(text).doubled] == ["c", "a"]
