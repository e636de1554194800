"""Whatever comes in, load answers: it never raises and never says nothing."""

from __future__ import annotations

import io
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8stui.apiserver import apply
from k8stui.manifests import Manifests
from k8stui.neutralise import neutralise


def read(raw: bytes) -> Manifests:
    found = apply(["-"], stdin=io.BytesIO(raw))
    for problem in found.problems:
        shown = problem.render()
        assert neutralise(shown.replace("\n", "")) == shown.replace("\n", "")
        assert problem.line <= raw.count(b"\n") + raw.count(b"\r") + 1
    for note in found.notes:
        assert note.render()
    for one in found.objects:
        assert one.place("spec").line >= 1
        assert one.place("metadata", "name").column >= 1
    return found


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    read(raw)


_PIECES = """\
apiVersion: v1|kind: Service|kind: List|items:|metadata:|name: x|spec:|ports:|port: 80|-port: 1|a:b
- |  |: |{|}|[|]|,|'|"|&a |*a|!t |!!binary |>-|---|...|%YAML 1.1|#|?|<<: |~|é|{{ .x }}"""
_YAMLISH = st.lists(
    st.sampled_from(
        [*_PIECES.replace("\n", "|").split("|"), "|", *["\n"] * 6, "\t", "\r\n", *"\0\ufeff\u2028"]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=500, deadline=None)
@given(_YAMLISH)
def test_any_yamlish_text(text: str) -> None:
    read(text.encode())


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_neutralised_text_is_inert(text: str) -> None:
    shown = neutralise(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", shown)
    assert neutralise(shown) == shown
    if text.isprintable() and text.isascii():
        assert shown == text


def test_neutralise_shows_what_it_took() -> None:
    assert neutralise("a\x1b[31m\u202eb\x7f\x9b") == "a␛[31m<U+202E>b␡<U+009B>"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"a":' * 200_000,
        "{a: " * 200_000,
        "- " * 100_000,
        '{"kind":' + "[" * 5000 + "]" * 5000 + "}",
    ],
    ids=["flow", "json", "flow map", "block", "json closed"],
)
def test_deep_nesting_ends_quickly(text: str) -> None:
    start = time.process_time()
    found = read(text.encode())
    assert found.problems or found.notes
    assert time.process_time() - start < 10


def test_cost_of_many_documents_is_linear() -> None:
    one = "apiVersion: v1\nkind: Namespace\nmetadata: {name: n%d}\n---\n"
    start = time.process_time()
    assert len(read("".join(one % n for n in range(2000)).encode()).objects) == 2000
    assert time.process_time() - start < 10
