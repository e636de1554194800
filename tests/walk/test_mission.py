"""The rows of the mission, one test each: what a person can see for the web application.

Row 2 (replay) is the screen's business.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from k8stui.cluster.names import service_environment
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Result
from k8stui.kernel.save import dump
from k8stui.kernel.step import Direction, RuleCause, StepKind
from k8stui.nodes.options import NodeOptions
from k8stui.walk.offers import offers
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace, TraceStep
from k8stui.walk.walk import walk, walks
from k8stui.walk.world import World, build_world, sample

SAMPLES = Path(sample("webapp")).parent


@pytest.fixture(scope="module")
def webapp() -> World:
    return build_world([str(SAMPLES / "webapp")])


@pytest.fixture(scope="module")
def guestbook() -> World:
    return build_world([])


def go(world: World, source: str, destination: str) -> Trace:
    return walk(world, parse_request(world, source, destination))


def places(trace: Trace, direction: Direction) -> list[str]:
    return [hop.namespace for hop in trace.hops if hop.direction is direction]


def steps(trace: Trace, kind: StepKind) -> list[TraceStep]:
    return [step for step in trace.steps if step.kind is kind]


def chains(trace: Trace, namespace: str) -> list[str]:
    return [
        f"{step.cause.table} {step.cause.chain.name}"
        for hop in trace.hops
        if hop.namespace == namespace and hop.direction is Direction.FORWARD
        for step in hop.steps
        if isinstance(step.cause, RuleCause)
    ]


def test_row_1_the_sample(webapp: World) -> None:
    assert not webapp.problems
    assert [(w.kind, w.name, w.pods) for w in webapp.cluster.workloads] == [
        ("ReplicationController", "mysql", ("default/mysql-1",)),
        ("ReplicationController", "myweb", ("default/myweb-1",)),
    ]
    assert webapp.cluster.services["default/mysql"].ports[0].port == 3306
    myweb = webapp.cluster.services["default/myweb"].ports[0]
    assert (myweb.port, myweb.target_port, myweb.node_port) == (8080, 8080, 30001)
    assert parse_request(webapp, "rc/myweb", "rc/mysql").source == "pod/default/myweb-1"


@pytest.mark.parametrize("entry", ["node-1", "node-2"])
def test_row_3_access_from_outside(webapp: World, entry: str) -> None:
    trace = go(webapp, "outside", f"node/{entry}:30001")
    home = webapp.cluster.pods["default/myweb-1"].node_name
    assert home == "node-2"
    way = ["outside", "wire", entry] + (["wire", home] if entry != home else [])
    assert places(trace, Direction.FORWARD) == [*way, "default/myweb-1"]
    assert places(trace, Direction.REPLY) == ["default/myweb-1", *reversed(way)]
    assert trace.outcome.result is Result.CONNECTED
    assert trace.outcome.server_pod == "default/myweb-1"
    assert (str(trace.outcome.server_address), trace.outcome.server_port) == ("10.244.2.2", 8080)
    seen = "10.244.2.1" if entry == home else "192.168.0.11"
    assert str(trace.outcome.source_seen_by_server) == seen
    assert "externalTrafficPolicy is Cluster (defaulted" in trace.outcome.reason
    # Undone on the entry node alone: the client hears the address that it asked.
    answer = steps(trace, StepKind.DELIVER)[-1]
    assert answer.before is not None
    assert answer.before.src.with_port(answer.before.sport) == (
        f"{webapp.cluster.nodes[entry].address()}:30001"
    )


def test_row_3_and_on_to_mysql(webapp: World) -> None:
    trace = go(webapp, "rc/myweb", "mysql:3306")
    assert places(trace, Direction.FORWARD) == [
        "default/myweb-1", "node-2", "wire", "node-1", "default/mysql-1",
    ]  # fmt: skip
    assert places(trace, Direction.REPLY) == [
        "default/mysql-1", "node-1", "wire", "node-2", "default/myweb-1",
    ]  # fmt: skip
    assert "mysql.default.svc.cluster.local" in trace.steps[0].text
    assert str(trace.outcome.source_seen_by_server) == "10.244.2.2"
    environment = service_environment(webapp.cluster, webapp.cluster.pods["default/myweb-1"])
    asked = f"{environment['MYSQL_SERVICE_HOST']}:{environment['MYSQL_SERVICE_PORT']}"
    assert go(webapp, "rc/myweb", asked).outcome == trace.outcome or (
        go(webapp, "rc/myweb", asked).outcome.server_pod == "default/mysql-1"
    )


def test_row_4_three_ways_to_reach_the_application(webapp: World) -> None:
    ways = offers(webapp, "default/myweb")
    assert [way.label for way in ways] == ["pod address:8080", "ClusterIP:8080", "node:30001"]
    traces = [walk(webapp, way.request) for way in ways]
    assert [t.outcome.server_pod for t in traces] == ["default/myweb-1"] * 3
    sources = [str(t.outcome.source_seen_by_server) for t in traces]
    assert sources == ["10.244.1.2", "10.244.1.2", "192.168.0.11"]
    assert [bool(steps(t, StepKind.DNAT)) for t in traces] == [False, True, True]
    assert [bool(steps(t, StepKind.SNAT)) for t in traces] == [False, False, True]
    assert all(way.who for way in ways)


def test_row_4_for_every_service(guestbook: World) -> None:
    for key in guestbook.cluster.services:
        assert offers(guestbook, key)
    with pytest.raises(KeyError):
        offers(guestbook, "default/nosuch")


def test_row_5_the_virtual_address_exists_in_rules_only(webapp: World) -> None:
    service = webapp.cluster.services["default/mysql"]
    (address,) = service.cluster_ips
    rules = []
    for name in ("node-1", "node-2"):
        node = webapp.network[name]
        assert all(a.address != address for i in node.interfaces for a in i.addresses)
        assert all(address not in r.destination or r.destination.length < 12 for r in node.routes)
        text = dump(node.rulesets[4])
        rules.append(sorted(line for line in text.splitlines() if str(address) in line))
        assert rules[-1]
    assert rules[0] == rules[1]


@pytest.fixture(scope="module")
def userspace() -> World:
    return build_world([str(SAMPLES / "webapp")], ClusterOptions(proxy_mode="userspace"))


def test_row_6_kube_proxy_as_it_was_then(userspace: World) -> None:
    trace = go(userspace, "outside", "node/node-1:30001")
    assert places(trace, Direction.FORWARD) == [
        "outside", "wire", "node-1", "wire", "node-2", "default/myweb-1",
    ]  # fmt: skip
    assert places(trace, Direction.REPLY) == [
        "default/myweb-1", "node-2", "wire", "node-1", "wire", "outside",
    ]  # fmt: skip
    assert chains(trace, "node-1")[:3] == [
        "nat PREROUTING", "nat PREROUTING", "nat KUBE-NODEPORT-CONTAINER",
    ]  # fmt: skip
    (proxy,) = steps(trace, StepKind.PROXY)
    assert "makes its own to 10.244.2.2:8080: the only endpoint" in proxy.text
    assert proxy.after is not None
    assert proxy.after.src == userspace.cluster.nodes["node-1"].address()
    assert [step.number for step in trace.steps] == list(range(1, len(trace.steps) + 1))
    assert str(trace.outcome.source_seen_by_server) == "192.168.0.11"
    assert "made the connection itself (userspace mode)" in trace.outcome.reason
    decided = trace.steps[(trace.outcome.step or 0) - 1]
    assert decided.kind is StepKind.DELIVER


def test_row_6_from_a_pod_and_past_the_proxy(userspace: World) -> None:
    assert "nat KUBE-PORTALS-CONTAINER" in chains(go(userspace, "rc/myweb", "svc/mysql"), "node-2")
    direct = go(userspace, "rc/myweb", "rc/mysql:3306")
    assert not steps(direct, StepKind.PROXY)
    assert direct.outcome.result is Result.CONNECTED


def test_row_6_endpoints_take_turns() -> None:
    world = build_world([], ClusterOptions(proxy_mode="userspace"))
    traces = list(walks(world, parse_request(world, "node/node-1", "svc/frontend")))
    assert [(t.branch, t.probability) for t in traces] == [(n, Fraction(1, 3)) for n in (1, 2, 3)]
    assert len({t.outcome.server_pod for t in traces}) == 3
    turns = [
        step.text.rpartition("Robin, ")[2] for t in traces for step in steps(t, StepKind.PROXY)
    ]
    assert turns == ["1st of 3, next: 2nd", "2nd of 3, next: 3rd", "3rd of 3, next: 1st"]


def test_row_6_a_client_stays_with_its_endpoint(tmp_path: Path) -> None:
    manifests = (SAMPLES / "guestbook" / "frontend.yaml").read_text()
    sticky = manifests.replace(
        "  type: NodePort\n", "  type: NodePort\n  sessionAffinity: ClientIP\n"
    )
    (tmp_path / "frontend.yaml").write_text(sticky)
    world = build_world([str(tmp_path)], ClusterOptions(proxy_mode="userspace"))
    (proxy,) = steps(go(world, "node/node-1", "svc/frontend"), StepKind.PROXY)
    assert "stays with it for 10800 s, next for another client: 2nd" in proxy.text


def test_row_6_without_endpoints_the_proxy_closes() -> None:
    folder = str(SAMPLES / "broken" / "selector-matches-nothing")
    world = build_world([folder], ClusterOptions(proxy_mode="userspace"))
    found = go(world, "pod/client", "svc/shop").outcome
    assert (found.result, found.errno) == (Result.REFUSED, "ECONNRESET")
    assert "accepts the connection and closes it: Service default/shop has no" in found.reason
    assert found.advice


def test_row_7_rules_of_cluster_ip_and_node_port(webapp: World) -> None:
    inside = go(webapp, "node/node-1", "svc/mysql")
    assert "nat OUTPUT" in chains(inside, "node-1")
    assert "nat KUBE-SVC-R2CEXK5KF4QS4EYR" in chains(inside, "node-1")
    outside = go(webapp, "outside", "node/node-1:30001")
    met = chains(outside, "node-1")
    expected = [
        "nat PREROUTING",
        "nat KUBE-SERVICES",
        "nat KUBE-NODEPORTS",
        "nat KUBE-EXT-FCM76ICS4D7Y4C5Y",
        "nat KUBE-MARK-MASQ",
        "nat KUBE-EXT-FCM76ICS4D7Y4C5Y",
        "nat KUBE-SVC-FCM76ICS4D7Y4C5Y",
    ]
    assert met[: len(expected)] == expected
    assert met[-3:] == ["nat POSTROUTING", "nat KUBE-POSTROUTING", "nat KUBE-POSTROUTING"]
    (mark, cleared) = steps(outside, StepKind.MARK)
    assert mark.after is not None
    assert cleared.after is not None
    assert (mark.after.mark, cleared.after.mark) == (0x4000, 0)


def test_row_8_containers_of_one_pod_meet_on_localhost(webapp: World) -> None:
    trace = go(webapp, "rc/myweb", "localhost:8080")
    assert {hop.namespace for hop in trace.hops} == {"default/myweb-1"}
    assert {step.device for step in trace.steps if step.device} <= {"lo"}
    assert not steps(trace, StepKind.BRIDGE)
    assert not steps(trace, StepKind.DNAT)
    assert trace.outcome.result is Result.CONNECTED
    refused = go(webapp, "rc/myweb", "localhost:3306")
    assert refused.outcome.errno == "ECONNREFUSED"


@pytest.mark.parametrize(("cni", "bridge"), [("flannel", "cni0"), ("docker0", "docker0")])
def test_row_9_pod_to_pod_on_one_node(cni: str, bridge: str) -> None:
    world = build_world([], node_options=NodeOptions(cni=cni))
    trace = go(world, "pod/client", "pod/frontend-2:80")
    assert places(trace, Direction.FORWARD) == ["default/client", "node-1", "default/frontend-2"]
    assert places(trace, Direction.REPLY) == ["default/frontend-2", "node-1", "default/client"]
    assert not steps(trace, StepKind.DNAT) + steps(trace, StepKind.SNAT)
    node = world.network["node-1"]
    assert node.interface(bridge) is not None
    ports = {i.name for i in node.interfaces if i.master == bridge}
    bridged = steps(trace, StepKind.BRIDGE)
    assert len(bridged) == 2
    assert all(any(port in step.text for port in ports) for step in bridged)
    delivered = steps(trace, StepKind.DELIVER)[0]
    assert delivered.before is not None
    assert delivered.before.ttl == 64  # a bridge does not route
    gateway = next(r.gateway for r in world.network["default/client"].routes if r.gateway)
    assert any(a.address == gateway for a in node.interface(bridge).addresses)  # type: ignore[union-attr]


def test_row_10_pod_to_pod_on_different_nodes_host_gw(guestbook: World) -> None:
    trace = go(guestbook, "pod/client", "pod/frontend-1:80")
    assert places(trace, Direction.FORWARD) == [
        "default/client", "node-1", "wire", "node-2", "default/frontend-1",
    ]  # fmt: skip
    routes = [s.detail for s in steps(trace, StepKind.ROUTE)]
    assert any(r.startswith("10.244.2.0/24 via 192.168.0.12 dev eth0") for r in routes)
    assert not steps(trace, StepKind.ENCAPSULATE)
    delivered = steps(trace, StepKind.DELIVER)[0]
    assert delivered.before is not None
    assert delivered.before.ttl == 62  # two nodes routed it
    assert trace.outcome.reason == "The pod sees the client's own address (10.244.1.2)"


def test_row_10_and_through_an_overlay() -> None:
    world = build_world([], node_options=NodeOptions(cni="flannel-vxlan"))
    trace = go(world, "pod/client", "pod/frontend-1:80")
    assert len(steps(trace, StepKind.ENCAPSULATE)) == 2  # there and back
    assert len(steps(trace, StepKind.DECAPSULATE)) == 2
    assert trace.outcome.result is Result.CONNECTED


def test_row_11_three_port_numbers(webapp: World) -> None:
    """NodePort 30001 → (the Service's 8080) → the container's 8080: all in one walk."""
    trace = go(webapp, "outside", "node/node-1:30001")
    (nat,) = steps(trace, StepKind.DNAT)
    assert nat.before is not None
    assert nat.after is not None
    assert (nat.before.dport, nat.after.dport) == (30001, 8080)
    assert "node port 30001" in " ".join(s.text for s in trace.steps)
    assert "port 8080" in " ".join(s.text for s in trace.steps)
    guest = go(build_world([]), "pod/client", "svc/redis-leader:6379")
    (nat,) = steps(guest, StepKind.DNAT)
    assert nat.after is not None
    assert nat.after.dport == 6379  # the named targetPort, resolved in the pod


def test_every_branch_of_the_guestbook(guestbook: World) -> None:
    traces = list(walks(guestbook, parse_request(guestbook, "pod/client", "svc/frontend")))
    assert [t.probability for t in traces] == [Fraction(1, 3)] * 3
    assert [t.branch for t in traces] == [1, 2, 3]
    assert {t.outcome.server_pod for t in traces} == {f"default/frontend-{n}" for n in (1, 2, 3)}
    assert traces[0] == go(guestbook, "pod/client", "svc/frontend")


def test_the_wrong_selector_is_diagnosed() -> None:
    world = build_world([str(SAMPLES / "broken" / "webapp-wrong-selector")])
    outcome = go(world, "outside", "node/node-1:30001").outcome
    assert outcome.result is Result.REFUSED
    assert outcome.reason == ("Service default/myweb leads to pods that declare 3306, not 8080")
    assert "probably selects the wrong pods" in outcome.advice
    assert "selector app=myweb was probably meant" in outcome.advice
