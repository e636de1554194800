"""Finding objects: every name and address, whatever is open in the tree."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from tui import literal

from k8stui.tui.cluster_rows import index_of


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


def big(count: int) -> Any:
    pod = literal.CLUSTER.pods["default/frontend-1"]
    pods = [replace(pod, name=f"web-{n % 97}-{n}") for n in range(count)]
    return replace(literal.CLUSTER, pods={pod.key: pod for pod in pods})


@pytest.mark.parametrize("needle", ["w", "web-96-", "web-15-19999", "nothing like it"])
def test_20000_pods_are_searched_within_a_frame(needle: Any) -> None:
    index = index_of(big(20_000))
    best = 1.0
    for _ in range(5):
        start = time.process_time()
        index.search(needle)
        best = min(best, time.process_time() - start)
    assert best < 0.016
