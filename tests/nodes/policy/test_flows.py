"""Requests walked under our rules end as real packets did under kube-router's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import truth
from nodes.policy.recorded import folder, folders, network_of, runs

from k8stui.kernel.address import Address
from k8stui.kernel.branches import branches
from k8stui.kernel.exchange import Connect, Exchange
from k8stui.kernel.namespace import NetNamespace, Route
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import Direction, StepKind
from k8stui.nodes.network import ClusterNetwork
from k8stui.nodes.wire import OUTSIDE, WIRE

Flow = dict[str, Any]
VIRTUAL = ("clusterIP", "externalIP", "loadBalancer")
PROTOCOLS = {"tcp": Protocol.TCP, "udp": Protocol.UDP, "sctp": Protocol.SCTP}
FILES = [
    (each.name, file)
    for each in folders()
    for file in ("flows.json", "flows.bridge-nf-0.json")
    if truth.read(each / file) is not None
]


class Network(Mapping[str, NetNamespace]):
    """The cluster's, with the recordings' router, which knows the way to each node's pods."""

    def __init__(self, made: ClusterNetwork) -> None:
        self.made = made
        wire = made[WIRE]
        routes = (
            Route(destination=cidr, gateway=node.address(cidr.address.version), device="lan")
            for node in made.cluster.nodes.values()
            for cidr in node.pod_cidrs
        )
        self._wire = replace(wire, routes=(*wire.routes, *routes))

    def node_with(self, address: Address) -> str | None:
        nodes = self.made.cluster.nodes.values()
        return next((node.name for node in nodes if address in node.addresses), None)

    def __getitem__(self, name: str) -> NetNamespace:
        return self._wire if name == WIRE else self.made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.made)

    def __len__(self) -> int:
        return len(self.made)


@cache
def network(name: str, *, bridge_nf: bool) -> Network:
    """Where others had written rules before, the engine works on those; else nobody masquerades."""
    with TemporaryDirectory() as place:
        before = {}
        for run in runs(name):
            text = truth.read(folder(name) / f"{run}.before.iptables")
            if text is not None:
                before[run] = str(Path(place) / run)
                Path(before[run]).write_text(text)
        made = network_of(
            name, "node-1", cni="bridge", bridge_nf_call_iptables=bridge_nf, iptables=before
        )
    return Network(made)


def connect(made: ClusterNetwork, flow: Flow) -> Connect:
    source = Address.parse(flow["source"])
    pod = made.cluster.pods.get(flow["from"])
    node = flow["from"] if flow["from"] in made.cluster.nodes else OUTSIDE
    protocol = PROTOCOLS.get(flow["protocol"])
    if protocol is None:
        protocol = Protocol.ICMP if source.version == 4 else Protocol.ICMPV6
    return Connect(
        namespace=made.namespace_of(pod) if pod is not None else node,
        destination=Address.parse(flow["dest"]),
        port=flow.get("port", 0),
        protocol=protocol,
        source=source,
    )


def verdict(network: Network, flow: Flow, exchange: Exchange) -> Flow:
    """What became of the first packet, in the recording's words."""
    sent = [
        step
        for step in exchange.steps
        if step.packet_number == 1 and step.direction is Direction.FORWARD
    ]
    for step in sent:
        if step.kind is StepKind.REJECT:
            felt = exchange.steps[-1].before
            by = network.node_with(felt.src) or step.namespace
            if str(felt.src) == flow["dest"] and flow["to"] in VIRTUAL:
                by = flow["dest"]
            return {"verdict": "rejected", "icmp": f"{felt.icmp_type}/{felt.icmp_code}", "by": by}
        if step.namespace == WIRE and step.kind is StepKind.DROP:
            break  # past both nodes: our router has no way to private addresses, theirs had
        if step.kind is StepKind.DROP:
            return {"verdict": "dropped", "by": step.namespace, "text": step.text}
    last = sent[-1].after
    found: Flow = {"verdict": "delivered"}
    if str(last.dst) != flow["dest"]:
        found["endpoint"] = last.dst.with_port(last.dport)
    if str(last.src) != flow["source"]:
        found["source_seen"] = str(last.src)
    return found


def outcomes(network: Network, flow: Flow) -> Iterator[Flow]:
    for exchange in branches(network, connect(network.made, flow)):
        yield verdict(network, flow, exchange)


@pytest.mark.parametrize(("name", "file"), FILES, ids=[f"{name}/{file}" for name, file in FILES])
def test_every_packet_ends_as_it_did(name: str, file: str) -> None:
    flows = json.loads(truth.read(folder(name) / file) or "")["flows"]
    here = network(name, bridge_nf="bridge-nf-0" not in file)
    wrong = []
    for flow in flows:
        wanted = flow.get("outcomes") or [
            {key: flow[key] for key in ("verdict", "icmp", "by", "source_seen") if key in flow}
        ]
        ours = list(outcomes(here, flow))
        if any(each not in wanted for each in ours) or any(each not in ours for each in wanted):
            wrong.append(f"{flow}\n    {ours}")
    assert not wrong, f"{len(wrong)} of {len(flows)}:\n" + "\n".join(wrong[:20])
