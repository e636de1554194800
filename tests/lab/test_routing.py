"""Routing rules and the switches of single devices: what the model says, the kernel does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from k8stui.export.lab import lab_lines
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import (
    DEFAULT_POLICY_RULES,
    NetNamespace,
    Network,
    PolicyRule,
    Route,
    RouteType,
    RuleAction,
)
from k8stui.lab.anew import Changed
from k8stui.lab.errors import NotComparedError
from k8stui.lab.experiment import experiments
from k8stui.lab.plan import Tools
from k8stui.walk.request import parse_request
from k8stui.walk.world import World

POD = Prefix.parse("10.244.2.0/24")


class Ruled(Changed):
    """With more rules, routes and switches on node-1."""

    def __init__(
        self,
        network: Network,
        rules: tuple[PolicyRule, ...],
        routes: tuple[Route, ...],
        switches: dict[str, object],
    ) -> None:
        super().__init__(network)
        self.rules = rules
        self.routes = routes
        self.switches = switches

    def change(self, space: NetNamespace) -> NetNamespace:
        if space.name != "node-1":
            return space
        return replace(
            space,
            policy_rules=tuple(
                sorted((*DEFAULT_POLICY_RULES, *self.rules), key=lambda rule: rule.priority)
            ),
            routes=(*space.routes, *self.routes),
            sysctls=replace(space.sysctls, **self.switches),  # type: ignore[arg-type]
        )

    def judges_policies(self, node: object) -> bool:
        del node
        return False


def hole(kind: RouteType = RouteType.UNREACHABLE, prefix: str = "0.0.0.0/0") -> Route:
    return Route(destination=Prefix.parse(prefix), type=kind, table="hole")


ASTRAY = Route(
    destination=Prefix.parse("0.0.0.0/0"),
    device="eth0",
    gateway=Address.parse("192.168.0.12"),
    table="astray",
)
"""For the client's own node this is no way back."""


def rule(priority: int = 100, table: str = "hole", **said: object) -> PolicyRule:
    return PolicyRule(priority=priority, table=table, **said)  # type: ignore[arg-type]


CASES = {
    "to": ((rule(destination=POD),), "unreachable"),
    "to-somebody-else": ((rule(destination=Prefix.parse("10.244.9.0/24")),), "connected"),
    "not-to": ((rule(destination=POD, inverted=True),), "timeout"),
    "from": ((rule(source=Prefix.parse("10.244.1.0/24")),), "unreachable"),
    "iif": ((rule(iif="cni0"),), "unreachable"),
    "oif-of-a-socket-only": ((rule(oif="eth0"),), "connected"),
    "prohibit": ((rule(iif="cni0", action=RuleAction.PROHIBIT),), "unreachable"),
    "blackhole": ((rule(iif="cni0", action=RuleAction.BLACKHOLE),), "timeout"),
    "rule-unreachable": ((rule(iif="cni0", action=RuleAction.UNREACHABLE),), "unreachable"),
    "goto": (
        (rule(90, iif="cni0", action=RuleAction.GOTO, goto=200), rule(iif="cni0"), rule(200, "x")),
        "connected",
    ),
    "suppressed": ((rule(table="astray", suppress_prefix_length=0),), "connected"),
    "not-suppressed": ((rule(table="astray"),), "timeout"),
    "protocol": ((rule(protocol=6),), "unreachable"),
    "another-protocol": ((rule(protocol=17),), "connected"),
    "destination-port": ((rule(destination_ports=(80, 80)),), "unreachable"),
    "a-port-of-the-way-back": ((rule(destination_ports=(40000, 40000)),), "timeout"),
    "source-port": ((rule(source_ports=(1024, 65534), iif="cni0"),), "unreachable"),
    "another-port": ((rule(destination_ports=(81, 90)),), "connected"),
    "what-is-passed-on-is-root's": ((rule(users=(0, 0), iif="cni0"),), "unreachable"),
    "an-error-is-not-suppressed": ((rule(iif="cni0", suppress_prefix_length=0),), "unreachable"),
}


@pytest.mark.parametrize("case", CASES)
def test_rules(guestbook: World, nft: Tools, case: str) -> None:
    rules, result = CASES[case]
    world = replace(guestbook, network=Ruled(guestbook.network, rules, (hole(), ASTRAY), {}))  # type: ignore[arg-type]
    request = parse_request(world, "pod/client", "pod/frontend-1:80")
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert one.comparison.kernel.result == result


OWN = {
    "protocol-of-a-socket": ((rule(protocol=6),), "unreachable"),
    "destination-port-of-a-socket": ((rule(destination_ports=(80, 80)),), "unreachable"),
    "source-port-of-a-socket": ((rule(source_ports=(40000, 40000)),), "unreachable"),
    "root's-socket": ((rule(users=(0, 0)),), "unreachable"),
}


@pytest.mark.parametrize("case", OWN)
def test_rules_for_a_socket(guestbook: World, nft: Tools, case: str) -> None:
    rules, result = OWN[case]
    world = replace(guestbook, network=Ruled(guestbook.network, rules, (hole(),), {}))  # type: ignore[arg-type]
    request = parse_request(world, "node/node-1", "pod/frontend-1:80")
    (one,) = experiments(world, request, nft)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert one.comparison.kernel.result == result


def hop(gateway: str, weight: int = 1) -> Route:
    return Route(
        destination=Prefix.parse("10.244.2.0/25"),
        device="eth0",
        gateway=Address.parse(gateway),
        weight=weight,
    )


@pytest.mark.parametrize(
    ("source", "astray"), [("pod/client", "timeout"), ("node/node-1", "unreachable")]
)
@pytest.mark.parametrize("policy", [0, 1])
def test_each_of_several_next_hops(
    guestbook: World, nft: Tools, source: str, astray: str, policy: int
) -> None:
    """By the right node, by one that is not there, by one that does not know the way."""
    hops = (hop("192.168.0.12", 2), hop("192.168.0.77"), hop("192.168.0.1"))
    route = replace(hops[0], hops=hops, weight=0)
    network = Ruled(guestbook.network, (), (route,), {"multipath_hash": policy})
    world = replace(guestbook, network=network)  # type: ignore[arg-type]
    request = parse_request(world, source, "pod/frontend-1:80")
    found = list(experiments(world, request, nft, every=True))
    for one in found:
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert [(str(one.probability), one.comparison.kernel.result) for one in found] == [
        ("1/2", "connected"),
        ("1/4", "timeout"),
        ("1/4", astray),
    ]


@pytest.mark.parametrize(
    ("switches", "result"),
    [
        ({"forwarding": {"cni0": False}}, "timeout"),
        ({"forwarding": {"lo": False}}, "connected"),
        ({"arp_ignore": {"cni0": 1}}, "connected"),
        ({"accept_local": {"all": True}, "proxy_arp": {"eth0": True}}, "connected"),
    ],
)
def test_switches_of_devices(
    guestbook: World, nft: Tools, switches: dict[str, object], result: str
) -> None:
    world = replace(guestbook, network=Ruled(guestbook.network, (), (), switches))  # type: ignore[arg-type]
    request = parse_request(world, "pod/client", "pod/frontend-1:80")
    (one,) = experiments(world, request, nft, cold=True)
    assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
    assert one.comparison.kernel.result == result


def test_what_is_not_evaluated_is_not_compared(guestbook: World, some_tools: Tools) -> None:
    rules = (rule(destination=POD, unheard="ipproto tcp"), rule(200, "x"))
    world = replace(guestbook, network=Ruled(guestbook.network, rules, (hole(),), {}))  # type: ignore[arg-type]
    request = parse_request(world, "pod/client", "svc/redis-leader:6379")
    with pytest.raises(NotComparedError):
        list(experiments(world, request, some_tools))
