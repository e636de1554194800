"""The walk against the kernel of this machine, in real network namespaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.cluster.hosts import read_hosts
from k8stui.cluster.options import ClusterOptions
from k8stui.export.lab import lab_lines
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import RuleCause
from k8stui.lab.comparing.compare import compare
from k8stui.lab.errors import NotComparedError
from k8stui.lab.experiment import Experiment, experiments
from k8stui.lab.plan import Tools
from k8stui.lab.planning.build import plan
from k8stui.lab.run import run
from k8stui.nodes.options import NodeOptions
from k8stui.walk.again import again
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

CASES = Path(__file__).with_name("cases.yaml")
DUAL = Path(__file__).with_name("dual-stack.yaml")


def agree(found: list[Experiment]) -> None:
    for one in found:
        assert one.comparison.agrees, "\n".join(lab_lines(one, packets=False))
        assert one.comparison.rows or one.comparison.kernel.errno


@pytest.mark.parametrize(
    ("source", "destination", "result"),
    [
        pytest.param("pod/client", "svc/redis-leader:6379", "connected", id="same-node"),
        pytest.param("pod/redis-leader", "svc/redis-leader:6379", "connected", id="hairpin"),
        pytest.param("outside", "node/node-1:30080", "connected", id="node-port-from-outside"),
        pytest.param("pod/client", "pod/frontend-1:81", "refused", id="closed-port-other-node"),
        pytest.param("node/node-1", "localhost:30080", "connected", id="localhost-node-port"),
        pytest.param("pod/client", "8.8.8.8:53/udp", "connected", id="udp-to-outside"),
    ],
)
def test_guestbook(
    guestbook: World, nft: Tools, source: str, destination: str, result: str
) -> None:
    source = source.replace("pod/redis-leader", "deploy/redis-leader")
    found = list(experiments(guestbook, parse_request(guestbook, source, destination), nft))
    agree(found)
    assert found[0].comparison.kernel.result == result


@pytest.mark.parametrize("cni", ["flannel", "flannel-vxlan", "bridge"])
@pytest.mark.parametrize(
    ("source", "destination"),
    [
        pytest.param("pod/client", "svc/redis-leader:6379", id="same-node"),
        pytest.param("outside", "node/node-1:30080", id="node-port"),
        pytest.param("pod/client", "pod/frontend-1:81", id="closed-port-other-node"),
    ],
)
def test_nobody_is_known(nft: Tools, cni: str, source: str, destination: str) -> None:
    """Each MAC address is asked for on the way; a neighbour that has answered is near at hand."""
    world = build_world([], node_options=NodeOptions(cni=cni))
    found = list(experiments(world, parse_request(world, source, destination), nft, cold=True))
    agree(found)
    assert sum(row.walk.arp for row in found[0].comparison.rows if row.walk) > 10


def test_every_branch(guestbook: World, nft: Tools) -> None:
    request = parse_request(guestbook, "pod/frontend-1", "svc/frontend:80")
    found = list(experiments(guestbook, request, nft, every=True))
    agree(found)
    assert sum(one.probability for one in found) == 1
    servers = {one.comparison.kernel.server for one in found}
    assert servers == {f"default/frontend-{n}" for n in (1, 2, 3)}


def test_chance_is_asked_again_for_a_syn_that_is_sent_again(nft: Tools) -> None:
    """The pod draws itself, its port has no hairpin, so the SYN is lost; the next draws anew."""
    world = build_world([], node_options=NodeOptions(cni="docker0"))
    request = parse_request(world, "pod/frontend-1", "node/node-2:30080")
    found = list(experiments(world, request, nft, every=True, cold=True))
    agree(found)
    later = [one for one in found if len(one.trial.exchange.forks) > 1]
    assert {"connected", "timeout"} == {one.comparison.kernel.result for one in later}


def test_chance_is_asked_again_for_a_syn_of_a_connection_before(nft: Tools) -> None:
    """Its first endpoint is on the other node, where docker-17.06 lets nothing in."""
    world = build_world([], node_options=NodeOptions(cni="docker-17.06"))
    request = again(parse_request(world, "node/node-1", "node/node-2:30080"), 1, 0.0)
    found = list(experiments(world, request, nft, every=True))
    agree(found)
    assert [one.comparison.kernel.result for one in found] == ["timeout", "connected", "connected"]


@pytest.mark.parametrize(
    ("source", "destination", "result"),
    [
        pytest.param("pod/web", "svc/dns:53", "connected", id="udp-cluster-ip"),
        pytest.param("outside", "node/node-1:30053/udp", "connected", id="udp-node-port"),
        pytest.param("pod/web", "svc/empty:80", "refused", id="no-endpoints"),
        pytest.param("outside", "node/node-1:30084", "refused", id="closed-behind-node-port"),
        pytest.param("pod/dns", "node/node-1:30082", "connected", id="host-network"),
    ],
)
def test_services(nft: Tools, source: str, destination: str, result: str) -> None:
    world = build_world([str(CASES)])
    found = list(experiments(world, parse_request(world, source, destination), nft))
    agree(found)
    assert found[0].comparison.kernel.result == result


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
@pytest.mark.parametrize(
    ("destination", "result"),
    [
        pytest.param("198.51.100.7/icmp", "connected", id="named-outside-by-itself"),
        pytest.param("192.168.0.77:5000", "connected", id="lan"),
        pytest.param("192.168.0.77:5000/udp", "connected", id="lan-udp"),
        pytest.param("192.168.0.99:5432", "connected", id="named-on-the-lan"),
        pytest.param("192.168.0.99:5433", "refused", id="named-on-the-lan-closed"),
        pytest.param("198.51.100.7:5432", "connected", id="named-outside"),
        pytest.param("198.51.100.7:5433", "refused", id="named-outside-closed"),
        pytest.param("198.51.100.7:5433/udp", "refused", id="named-outside-closed-udp"),
        pytest.param("10.99.0.9:1", "connected", id="named-private"),
    ],
)
def test_hosts_outside_the_cluster(nft: Tools, destination: str, result: str, cold: bool) -> None:
    hosts = read_hosts(["db=192.168.0.99:5432", "far=198.51.100.7:5432", "vpn=10.99.0.9"])
    world = build_world([str(CASES)], cluster_options=ClusterOptions(hosts=hosts))
    source = "outside" if destination.endswith("/icmp") else "pod/web"
    request = parse_request(world, source, destination)
    found = list(experiments(world, request, nft, cold=cold))
    agree(found)
    assert found[0].comparison.kernel.result == result


def test_what_is_not_modelled_is_not_compared(some_tools: Tools, tmp_path: Path) -> None:
    config = tmp_path / "kube-proxy.yaml"
    config.write_text(
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: ipvs\n"
    )
    world = build_world([str(CASES), str(config)])
    request = parse_request(world, "pod/web", "svc/dns:53")
    with pytest.raises(NotComparedError, match="not modelled: kube-proxy in mode ipvs"):
        list(experiments(world, request, some_tools))


def test_timeout_is_waited_for(nft: Tools) -> None:
    """externalTrafficPolicy Local where no endpoint is: the client's kernel gives up by itself."""
    world = build_world([str(CASES)])
    node = next(n for n in ("node-1", "node-2") if world.cluster.pods["default/web"].node_name != n)
    (one,) = experiments(world, parse_request(world, "outside", f"node/{node}:30080"), nft)
    agree([one])
    assert one.comparison.kernel.errno == "ETIMEDOUT"
    assert any("gives up after 3 s" in note for note in one.trial.notes)


def test_vxlan(nft: Tools) -> None:
    world = build_world([], node_options=NodeOptions(cni="flannel-vxlan"))
    found = list(experiments(world, parse_request(world, "pod/client", "pod/frontend-1:80"), nft))
    agree(found)
    assert any(row.kernel and row.kernel.vni == 1 for row in found[0].comparison.rows)


def test_vxlan_around_fragments_that_are_sent_again(nft: Tools) -> None:
    world = build_world([], node_options=NodeOptions(cni="flannel-vxlan"))
    asked = "pod/client", "pod/frontend-1:53/udp"
    first = parse_request(world, *asked, unconnected=True, data_bytes=3000)
    (one,) = experiments(world, again(first, 1, 0.1), nft)
    agree([one])


def test_ipv6(nft: Tools) -> None:
    world = build_world([str(DUAL)])
    request = parse_request(world, "outside", "[fd00:192:168::11]:30080")
    found = list(experiments(world, request, nft, every=True))
    agree(found)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("source", "destination"),
    [("deploy/redis-leader", "svc/redis-leader:6379"), ("outside", "node/node-1:30080")],
    ids=["hairpin", "node-port"],
)
def test_legacy(guestbook: World, legacy: Tools, source: str, destination: str) -> None:
    request = parse_request(guestbook, source, destination)
    agree(list(experiments(guestbook, request, legacy)))


@pytest.mark.parametrize("cni", ["flannel", "flannel-vxlan", "docker0", "ptp"])
def test_rules_that_packets_met(nft: Tools, cni: str) -> None:
    """Table, chain and number of each, as the kernel traces them; also outside of a tunnel."""
    world = build_world([], node_options=NodeOptions(cni=cni))
    (one,) = experiments(world, parse_request(world, "pod/client", "pod/frontend-1:80"), nft)
    agree([one])
    on_nodes = [s for s in one.trial.exchange.steps if type(s.cause) is RuleCause]
    # Packets outside of a tunnel look the same from the second on; they count once.
    assert 10 < one.comparison.rules_equal <= len(on_nodes)
    if cni != "flannel-vxlan":
        assert one.comparison.rules_equal == len(on_nodes)


def test_rules_of_a_rejected_packet(nft: Tools) -> None:
    """The answer of REJECT meets rules before the kernel tells of the rule that sent it."""
    world = build_world([str(CASES)])
    (one,) = experiments(world, parse_request(world, "pod/web", "svc/empty:80"), nft)
    agree([one])
    met = [s.cause for s in one.trial.exchange.steps if type(s.cause) is RuleCause]
    assert one.comparison.rules_equal == len(met) > 4


def test_another_rule_is_named(guestbook: World, nft: Tools) -> None:
    """The kernel has a rule that accepts what another one accepts in the walk."""
    request = parse_request(guestbook, "pod/client", "svc/redis-leader:6379").connect
    assert request is not None
    exchange = connect(guestbook.network, request)
    made, _ = plan(guestbook.network, request, exchange, nft, patience_seconds=2)
    (node,) = (space for space in made["spaces"] if space["name"] == "node-1")
    jump = "-A KUBE-FORWARD "
    rules = node["rules"]["4"]
    extra = f"{jump}-p tcp -m tcp --dport 6379 -j ACCEPT\n"
    node["rules"]["4"] = rules.replace(jump, f"{extra}{jump}", 1)
    found = compare(exchange, run(made))
    assert all(row.is_equal for row in found.rows)
    assert not found.felt_differs
    met = found.rules[0]
    assert (met.namespace, met.table, met.chain) == ("node-1", "filter", "FORWARD")
    assert met.walk.startswith("FORWARD 3: ")
    assert met.kernel == f"KUBE-FORWARD 1: {extra.strip()}"


def test_a_wrong_walk_is_found(guestbook: World, nft: Tools) -> None:
    """A walk through ports without hairpin mode; the kernel's have it."""
    other = build_world([], node_options=NodeOptions(hairpin=False))
    request = parse_request(guestbook, "deploy/redis-leader", "svc/redis-leader:6379").connect
    assert request is not None
    exchange = connect(other.network, request)
    made, _ = plan(guestbook.network, request, exchange, nft, patience_seconds=2)
    found = compare(exchange, run(made))
    assert not found.agrees
    assert "result" in found.felt_differs
    assert any(row.walk is None for row in found.rows)
