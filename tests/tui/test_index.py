"""Finding objects: every name and address, whatever is open in the tree."""

from __future__ import annotations

from typing import Any

import pytest
from tui import literal

from k8stui.tui.cluster_rows import index_of
from k8stui.tui.index import Index


@pytest.mark.parametrize(
    ("needle", "keys"),
    [
        ("node-2", ["node/node-2"]),
        ("192.168.0.12", ["node/node-2"]),
        ("frontend-3", ["pod/default/frontend-3"]),
        ("default/frontend-3", ["pod/default/frontend-3"]),
        ("10.244.2.3", ["pod/default/frontend-3"]),
        ("no such thing", []),
        ("", []),
    ],
)
def test_names_and_addresses_are_found(needle: Any, keys: Any) -> None:
    assert list(index_of(literal.CLUSTER).search(needle).keys) == keys


def test_each_object_is_found_once_and_in_order() -> None:
    index = index_of(literal.CLUSTER)
    keys = index.search("e").keys
    assert len(set(keys)) == len(keys)
    kinds = [key.partition("/")[0] for key in keys]
    assert kinds == sorted(kinds, key=["node", "service", "pod"].index)
    assert index.search("php").keys[0].startswith("pod/")


def test_many_hits_are_cut_and_said_so() -> None:
    hits = index_of(literal.CLUSTER).search("e", most=3)
    assert len(hits.keys) == 3
    assert hits.is_capped


def test_objects_that_come_later_are_found_behind_the_others() -> None:
    index = Index()
    for part in range(3):
        numbers = range(part * 10, part * 10 + 10)
        index.add([f"pod/web-{n}" for n in numbers], [f"web-{n} 10.0.0.{n} İ" for n in numbers])
    assert index.search("web-").keys == tuple(f"pod/web-{n}" for n in range(30))
    assert index.search("10.0.0.29").keys == ("pod/web-29",)
    assert index.search("web-3").keys == ("pod/web-3",)
