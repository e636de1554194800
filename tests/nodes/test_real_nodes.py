"""Real nodes' states: a walk given them and the objects answers as their kernels did."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import truth

from k8stui.kernel.exchange import Result
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

Answer = tuple[str, str, str]
FOLDER = truth.find("real-nodes")


def _flows(state: Path) -> list[dict[str, Any]]:
    text = truth.read(state / "flows.json")
    return json.loads(text)["flows"] if text is not None else []


def _cases() -> Iterator[Any]:
    for state in sorted(FOLDER.iterdir()) if FOLDER is not None else ():
        for flow in _flows(state) if state.is_dir() else ():
            yield pytest.param(state, flow, id=f"{state.name}-{flow['id']}")


@lru_cache
def _world(state: Path) -> World:
    """The folder as it is: flows.json is no manifest, and passed over."""
    return build_world([str(state)])


def _seen(flow: Mapping[str, Any]) -> set[Answer]:
    return {
        (one["result"], _server(one["server"]), str(one["source_seen_by_server"]))
        for one in flow["kernel"]
    }


def _server(server: Mapping[str, Any] | None) -> str:
    if server is None:
        return ""
    who = server.get("pod") or server.get("node") or "outside"
    return f"{who} {server['address']}:{server['port']}"


def _answer(world: World, trace: Trace) -> Answer:
    end = trace.outcome
    if end.result is not Result.CONNECTED:
        return (end.result.value, "", "None")
    pod = world.cluster.pods.get(end.server_pod or "")
    who = end.decided_at if end.decided_at in world.cluster.nodes else "outside"
    if pod is not None:
        who = str(pod.node_name) if pod.host_network else pod.key
    server = f"{who} {end.server_address}:{end.server_port}"
    return (end.result.value, server, str(end.source_seen_by_server))


@pytest.mark.skipif(FOLDER is None, reason="real-nodes is not on this machine")
@pytest.mark.parametrize(("state", "flow"), _cases())
def test_the_walk_is_the_kernels(state: Path, flow: dict[str, Any]) -> None:
    """All answers, and no others."""
    world = _world(state)
    traces = list(walks(world, parse_request(world, flow["from"], flow["to"])))
    assert {_answer(world, trace) for trace in traces} == _seen(flow)
    assert sum(trace.probability for trace in traces) == 1
