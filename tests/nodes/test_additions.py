"""What CONTRIBUTING.md promises: a plug-in without a bridge and a mode are one thing and one line.

Both are made up here, and walked like those that ship.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from k8stui.because import Because
from k8stui.check import check
from k8stui.cluster.model import Cluster, Node, Pod
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.exchange import Result
from k8stui.kernel.namespace import Interface, InterfaceAddress, LinkKind, Neighbour, Route
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes import cni
from k8stui.nodes.cni.between import host_gateway_routes
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.kubeproxy import modes
from k8stui.nodes.kubeproxy.around import Around
from k8stui.nodes.kubeproxy.endpoints import backends, held
from k8stui.nodes.kubeproxy.ports import known_ports
from k8stui.nodes.names import host_mac, mac, veth_name
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.part import DEFAULT_ROUTE, Part
from k8stui.nodes.site import Site
from k8stui.origin import defaulted
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

GATEWAY = Address.parse("169.254.1.1")


class Strings:
    """Each pod on a cable of its own that has no address on the node; one gateway for all."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def recognises(self, _node: Node) -> bool:
        return False

    def addresses(self, _node: Node) -> Sequence[Address]:
        return ()

    def node_part(self, node: Node) -> Part:
        part = host_gateway_routes(self._site, node, "strings")
        for pod in self._site.pods(node.name):
            address, name, why = pod.addresses[0], veth_name(pod), because(pod)
            cable = Interface(
                name=name,
                kind=LinkKind.VETH,
                mac=host_mac(address),
                peer=(pod.key, "eth0"),
                reason=why,
            )
            way = Route(destination=Prefix(address, 32), device=name, scope="link", reason=why)
            known = Neighbour(address=address, device=name, mac=mac(address))
            part += Part(interfaces=(cable,), routes=(way,), neighbours=(known,))
        return part

    def pod_part(self, node: Node, pod: Pod) -> Part:
        address, why = pod.addresses[0], because(pod)
        own = InterfaceAddress(address=address, prefix_length=32, reason=why)
        eth0 = Interface(
            name="eth0",
            kind=LinkKind.VETH,
            mac=mac(address),
            addresses=(own,),
            peer=(node.name, veth_name(pod)),
            reason=why,
        )
        routes = (
            Route(destination=Prefix(GATEWAY, 32), device="eth0", scope="link", reason=why),
            Route(destination=DEFAULT_ROUTE[4], gateway=GATEWAY, device="eth0", reason=why),
        )
        known = Neighbour(address=GATEWAY, device="eth0", mac=host_mac(address))
        return Part(interfaces=(eth0,), routes=routes, neighbours=(known,))

    def contributions(self, _node: Node, _version: int) -> Sequence[Contribution]:
        return ()


def because(pod: Pod) -> Because:
    origin = defaulted("as strings sets it up", pod.origin.place)
    return Because(text=f"cable of {pod.key}", origin=origin, owner="strings", pod=pod.key)


def first_only(cluster: Cluster, _node: Node, version: int, _around: Around) -> Contribution:
    """A mode that sends every request to the first ready endpoint."""
    rules = []
    for _, service, port in known_ports(cluster.services.values(), version):
        slices = cluster.endpoint_slices.get(service.key, ())
        found = backends(held(slices, port.name, port.protocol, version), version)
        ready = [one.text for one in found if one.endpoint.ready]
        if ready:
            word = port.protocol.name.lower()
            match = f"-d {service.cluster_ips[0]}/32 -p {word} -m {word} --dport {port.port}"
            rules.append(Rule(f"-A FIRST {match} -j DNAT --to-destination {ready[0]}"))
    jumps = tuple(
        Jump(hook, Rule(f"-A {hook} -j FIRST"), insert=False) for hook in ("PREROUTING", "OUTPUT")
    )
    return Contribution(
        "kube-proxy", {"nat": TablePart({"FIRST": Chain("FIRST", tuple(rules))}, jumps)}
    )


def results(world: World, source: str, destination: str) -> list[tuple[Result, str]]:
    found = walks(world, parse_request(world, source, destination))
    return [(each.outcome.result, each.outcome.server_pod or "") for each in found]


def test_a_plug_in_without_a_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cni._PLUGINS, "strings", Strings)
    world = build_world([], node_options=NodeOptions(cni="strings"))
    assert {found for found, _ in results(world, "pod/client", "svc/frontend")} == {
        Result.CONNECTED
    }
    for asked in ("outside", "node/node-1"):
        assert results(world, asked, "node/node-1:30080")[0][0] is Result.CONNECTED
    for pod in world.cluster.pods.values():
        if pod.name != "client":
            answer = results(world, f"pod/{pod.name}", "pod/frontend-1:80")[0]
            assert answer == (Result.CONNECTED, "default/frontend-1")
    assert check(world, []) == check(build_world([]), [])
    kinds = {each.kind for each in world.network["node-1"].interfaces}
    assert LinkKind.BRIDGE not in kinds


def test_a_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(modes._MODES, "first", modes.Mode(first_only))
    world = build_world([], replace(ClusterOptions(), proxy_mode="first"))
    assert len(results(world, "pod/client", "svc/frontend")) == 1
    assert results(world, "pod/client", "svc/frontend")[0][0] is Result.CONNECTED
    assert results(world, "node/node-1", "svc/redis-leader")[0][0] is Result.CONNECTED
