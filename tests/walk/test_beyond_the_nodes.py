"""What is beyond the nodes: public addresses, private ones that nobody has, virtual ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.kernel.exchange import Result
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world, sample

BALANCED = """\
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: web, image: x, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}], externalIPs: [198.51.100.9]}
status: {loadBalancer: {ingress: [{ip: 203.0.113.77}]}}
"""


@pytest.fixture(scope="module")
def guestbook() -> World:
    return build_world([str(sample("guestbook"))])


@pytest.mark.parametrize("destination", ["8.8.8.8:53/udp", "1.1.1.1:443", "203.0.113.10:80"])
def test_a_public_address_answers_from_itself(guestbook: World, destination: str) -> None:
    trace = walk(guestbook, parse_request(guestbook, "pod/client", destination))
    assert trace.outcome.result is Result.CONNECTED
    assert str(trace.outcome.source_seen_by_server) == "192.168.0.11"  # masqueraded
    first, last = trace.steps[0].after, trace.steps[-1].after
    assert first is not None
    assert last is not None
    assert (last.src, last.sport) == (first.dst, first.dport)
    assert trace.outcome.origin is not None
    assert trace.outcome.origin.kind == "assumed"


@pytest.mark.parametrize("destination", ["10.99.99.99:80", "172.31.0.1:80", "100.64.1.1:80"])
def test_a_private_address_that_nobody_has_ends_at_the_router(
    guestbook: World, destination: str
) -> None:
    outcome = walk(guestbook, parse_request(guestbook, "pod/client", destination)).outcome
    assert outcome.result is Result.UNREACHABLE
    assert outcome.errno == "ENETUNREACH"
    assert outcome.decided_at == "wire"


@pytest.mark.parametrize("address", ["203.0.113.77", "198.51.100.9"], ids=["balancer", "external"])
def test_virtual_addresses_are_brought_to_a_node(address: str, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(BALANCED)
    world = build_world([str(tmp_path)])
    trace = walk(world, parse_request(world, "outside", f"{address}:80"))
    assert trace.outcome.result is Result.CONNECTED
    assert trace.outcome.server_pod == "default/web"
    assert [hop.namespace for hop in trace.hops[:3]] == ["outside", "wire", "node-1"]


def test_whoever_somebody_names_is_not_just_anybody(tmp_path: Path) -> None:
    """The client outside is in no range that the input lets in; such a client has an address."""
    file = tmp_path / "all.yaml"
    file.write_text("""\
apiVersion: v1
kind: Service
metadata: {name: gate}
spec:
  type: LoadBalancer
  selector: {app: gate}
  loadBalancerSourceRanges: [203.0.113.0/25]
  ports: [{port: 80}]
status: {loadBalancer: {ingress: [{ip: 192.0.2.9}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: some}
spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: gate-a, labels: {app: gate}}
spec: {containers: [{name: main, image: x, ports: [{containerPort: 80}]}]}
""")
    made = build_world([str(file)])
    asked = {
        source: walk(made, parse_request(made, source, "192.0.2.9:80")).outcome
        for source in ("outside", "203.0.113.5", "192.168.0.77")
    }
    results = [outcome.result.value for outcome in asked.values()]
    assert results == ["timeout", "connected", "timeout"]
    assert "198.51.100.10 is not in it" in asked["outside"].reason
    assert "192.168.0.77 is not in it" in asked["192.168.0.77"].reason
    for nobody in ("10.244.1.99", "10.96.0.77", "192.0.2.9", "192.168.0.1", "172.31.9.9"):
        with pytest.raises(RequestError, match="nobody here has the address"):
            parse_request(made, nobody, "192.0.2.9:80")
