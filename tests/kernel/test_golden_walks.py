"""Every packet on every device, as a real kernel moved it (tests/golden-walks)."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import truth
from kernel import golden

from k8stui.kernel.exchange import Connect, Exchange
from k8stui.kernel.packet import Protocol
from k8stui.kernel.simulate import connect

_FOLDER = truth.find("golden-walks")
_WALKS = (
    sorted(path.stem for path in _FOLDER.glob("*.json") if not path.stem.startswith("state-"))
    if _FOLDER
    else []
)


def _simulate(walk: dict[str, Any]) -> tuple[Exchange, str]:
    path = truth.folder("golden-walks") / walk["state"]
    request = walk["request"]
    address, port = golden.destination_of(request)
    asked = Connect(
        namespace=golden.source_of(request),
        destination=address,
        port=port,
        protocol=Protocol[request["protocol"]],
        source_port=request["source_port"],
    )
    return connect(golden.load(path), asked), path.read_text()


def _load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((truth.folder("golden-walks") / f"{name}.json").read_text())
    return found


def _by_place(packets: list[tuple[str, tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    places = defaultdict(list)
    for where, packet in packets:
        places[where].append(packet)
    return dict(places)


def test_the_walks_are_there() -> None:
    assert truth.folder("golden-walks").is_dir()
    assert len(_WALKS) > 0


@pytest.mark.parametrize("name", _WALKS)
def test_packets(name: str) -> None:
    walk = _load(name)
    exchange, state = _simulate(walk)
    known = golden.known_ports(walk, state)
    seen = walk["outcome"].get("source_seen_by_server")
    theirs = golden.Ports(known, int(seen.rsplit(":", 1)[1]) if seen else None)
    ours = golden.Ports(known, exchange.felt.source_port_seen if seen else None)
    # Inside one namespace the order is exact; between two, neighbours may swap.
    expected = _by_place(
        [(packet["where"], golden.recorded(packet, theirs)) for packet in walk["packets"]]
    )
    found = _by_place([(one.namespace, golden.captured(one, ours)) for one in exchange.captures])
    assert found == expected


@pytest.mark.parametrize("name", _WALKS)
def test_conntrack(name: str) -> None:
    walk = _load(name)
    exchange, state = _simulate(walk)
    known = golden.known_ports(walk, state)
    for node, lines in walk["conntrack"].items():
        # Hash order is no order.
        theirs, ours = golden.Ports(known), golden.Ports(known)
        expected = sorted(golden.entry(line, theirs) for line in sorted(lines))
        found = sorted(
            golden.entry(line, ours) for line in sorted(exchange.conntrack.get(node, ()))
        )
        assert found == expected, node


@pytest.mark.parametrize("name", _WALKS)
def test_outcome(name: str) -> None:
    walk = _load(name)
    exchange, _ = _simulate(walk)
    outcome, felt = walk["outcome"], exchange.felt
    assert felt.result.value == outcome["result"]
    assert felt.errno == outcome.get("errno")
    if "server" in outcome:
        seen, port = outcome["source_seen_by_server"].rsplit(":", 1)
        assert felt.server == outcome["server"]
        assert str(felt.source_seen) == seen
        if int(port) == walk["request"]["source_port"]:
            assert felt.source_port_seen == int(port)
    after = outcome.get("after_s")
    if isinstance(after, float):
        assert felt.seconds == pytest.approx(after, abs=0.03)
    elif after:
        assert felt.seconds == 134.0


def test_every_state_is_walked() -> None:
    folder = truth.folder("golden-walks")
    states = {path.name for path in Path(folder).glob("state-*.json")}
    assert {_load(name)["state"] for name in _WALKS} <= states
