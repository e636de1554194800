"""A plug-in that nobody here knows takes one class and one line; nobody asks for it by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import k8stui
from k8stui.because import Because
from k8stui.check import check
from k8stui.cluster.model import Node, Pod
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.exchange import Result
from k8stui.kernel.namespace import Interface, InterfaceAddress, LinkKind, Neighbour, Route
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes import cni
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.names import mac
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.part import DEFAULT_ROUTE, Part
from k8stui.nodes.site import Site
from k8stui.origin import assumed
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

_WHY = Because(text="as barn-net sets it up", origin=assumed("made up for a test"))
_GATEWAY = Address.parse("169.254.7.7")
_FAR = "0a:00:00:00:00:07"


class BarnNet:
    """A cable to each pod that has a link-local gateway at its end; routes by the nodes' own
    addresses; a chain of its own."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def recognises(self, node: Node) -> bool:
        seen = self._site.observed(node).interfaces or ()
        return any(one.name.startswith("barn") for one in seen)

    def addresses(self, node: Node) -> Sequence[Address]:
        return (_GATEWAY,) if self._site.pods(node.name) else ()

    def node_part(self, node: Node) -> Part:
        part = Part()
        for number, pod in enumerate(self._site.pods(node.name)):
            name = f"barn{number}"
            end = InterfaceAddress(address=_GATEWAY, prefix_length=32, reason=_WHY)
            device = Interface(
                name=name,
                kind=LinkKind.VETH,
                mac=_FAR,
                peer=(pod.key, "eth0"),
                addresses=(end,),
                reason=_WHY,
            )
            there = pod.addresses[0]
            part += Part(
                interfaces=(device,),
                routes=(Route(destination=Prefix(there, 32), device=name, reason=_WHY),),
                neighbours=(Neighbour(address=there, device=name, mac=mac(there)),),
            )
        for other in self._site.cluster.nodes.values():
            for network in self._site.networks(other) if other is not node else ():
                way = Route(
                    destination=network, gateway=other.address(4), device="eth0", reason=_WHY
                )
                part += Part(routes=(way,))
        return part

    def pod_part(self, node: Node, pod: Pod) -> Part:
        number = self._site.pods(node.name).index(pod)
        own = InterfaceAddress(address=pod.addresses[0], prefix_length=32, reason=_WHY)
        eth0 = Interface(
            name="eth0",
            kind=LinkKind.VETH,
            mac=mac(pod.addresses[0]),
            peer=(node.name, f"barn{number}"),
            addresses=(own,),
            reason=_WHY,
        )
        to_gateway = Route(
            destination=Prefix(_GATEWAY, 32), device="eth0", scope="link", reason=_WHY
        )
        default = Route(destination=DEFAULT_ROUTE[4], gateway=_GATEWAY, device="eth0", reason=_WHY)
        near = Neighbour(address=_GATEWAY, device="eth0", mac=_FAR)
        return Part(interfaces=(eth0,), routes=(default, to_gateway), neighbours=(near,))

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        del node
        if version == 6:
            return ()
        texts = ("-d 10.244.0.0/16 -j RETURN", "-s 10.244.0.0/16 -j MASQUERADE")
        rules = tuple(Rule(f"-A BARN-OUT {text}", _WHY) for text in texts)
        chain = Chain("BARN-OUT", rules)
        jump = Jump("POSTROUTING", Rule("-A POSTROUTING -j BARN-OUT", _WHY))
        part = TablePart(chains={"BARN-OUT": chain}, jumps=(jump,))
        return (Contribution("barn-net", {"nat": part}),)


_OBJECTS = """\
apiVersion: v1
kind: Service
metadata: {name: hay}
spec: {type: NodePort, selector: {app: hay}, ports: [{port: 70, nodePort: 30070}]}
---
apiVersion: v1
kind: Pod
metadata: {name: hay-a, labels: {app: hay}}
spec: {nodeName: node-2, containers: [{name: main, image: x, ports: [{containerPort: 70}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cow}
spec: {nodeName: node-1, containers: [{name: main, image: x}]}
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setitem(cni._PLUGINS, "barn-net", BarnNet)  # the one line
    (tmp_path / "all.yaml").write_text(_OBJECTS)
    return build_world([str(tmp_path)], node_options=NodeOptions(cni="barn-net"))


@pytest.mark.parametrize(
    ("source", "destination", "seen"),
    [
        ("pod/cow", "svc/hay:70", "the pod"),
        ("pod/cow", "pod/hay-a:70", "the pod"),
        ("outside", "node/node-1:30070", "a node"),
        ("node/node-2", "pod/hay-a:70", "a node"),
        ("pod/cow", "outside:80", "a node"),
    ],
)
def test_it_is_walked(made: World, source: str, destination: str, seen: str) -> None:
    found = walk(made, parse_request(made, source, destination)).outcome
    assert found.result is Result.CONNECTED
    own = found.source_seen_by_server in made.cluster.pods["default/cow"].addresses
    assert own is (seen == "the pod")


def test_it_has_rules_and_nothing_is_wrong(made: World) -> None:
    node = made.cluster.nodes["node-1"]
    assert made.network.plugin_of(node) == "barn-net"
    rules = made.network.ruleset(node, 4, "cni")
    assert rules.chain("nat", "BARN-OUT") is not None
    assert [one for one in check(made) if one.severity.value == "error"] == []


_ROOT = Path(k8stui.__file__).parent
_OF_DEVICES = {"bridge", "docker0"}
"""Names of plug-ins that are what devices are called, or are, too."""


def _asked() -> Iterator[str]:
    """Where code outside of the plug-ins' own room compares something with a plug-in's name."""
    names = set(cni.CHOICES) - _OF_DEVICES
    for file in sorted(_ROOT.rglob("*.py")):
        if file.is_relative_to(_ROOT / "nodes" / "cni"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            found: list[ast.AST] = []
            if isinstance(node, ast.Compare):
                found = [node.left, *node.comparators]
            elif isinstance(node, ast.MatchValue):
                found = [node.value]
            constants = (c for one in found for c in ast.walk(one) if isinstance(c, ast.Constant))
            if any(one.value in names for one in constants if isinstance(one.value, str)):
                yield f"{file.relative_to(_ROOT)}:{node.lineno}"  # type: ignore[attr-defined]


def test_nobody_else_asks_for_a_plugin_by_name() -> None:
    assert list(_asked()) == []


def test_each_plugin_is_one_line_of_the_table() -> None:
    tree = ast.parse(Path(cni.__file__).read_text())
    tables = [
        n for n in tree.body if isinstance(n, ast.AnnAssign) and isinstance(n.value, ast.Dict)
    ]
    table = next(one for one in tables if getattr(one.target, "id", "") == "_PLUGINS")
    assert isinstance(table.value, ast.Dict)
    keys = [one.value for one in table.value.keys if isinstance(one, ast.Constant)]
    assert tuple(keys) == cni.CHOICES
