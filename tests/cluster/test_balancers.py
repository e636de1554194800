"""Who announces a load balancer's address: MetalLB's own choice, what its status says, kube-vip."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from k8stui.kernel.exchange import Result
from k8stui.origin import OriginKind
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

_NODES = "".join(
    f"""\
apiVersion: v1
kind: Node
metadata: {{name: quarry-{n}, labels: {{rack: {"a" if n < 3 else "b"}}}}}
spec: {{podCIDR: 10.244.{n}.0/24}}
status: {{addresses: [{{type: InternalIP, address: 192.168.77.{10 + n}}}]}}
---
"""
    for n in range(1, 5)
)
_SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: stone, annotations: {%s}}
spec: {type: LoadBalancer, selector: {app: stone}, ports: [{port: 80}]%s}
status: %s
---
apiVersion: v1
kind: Pod
metadata: {name: stone-a, labels: {app: stone}}
spec: {nodeName: quarry-4, containers: [{name: main, image: x, ports: [{containerPort: 80}]}]}
---
"""
_POOL = """\
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: hill, namespace: metallb-system}
spec: {addresses: [192.168.77.240-192.168.77.242]}
---
apiVersion: metallb.io/v1beta1
kind: %s
metadata: {name: hill, namespace: metallb-system}
spec: {ipAddressPools: [hill]%s}
---
"""
_PEER = """\
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: router, namespace: metallb-system}
spec: {myASN: 64500, peerASN: 64501, peerAddress: 192.168.77.1}
"""
_GIVEN = "{loadBalancer: {ingress: [{ip: 192.168.77.241}]}}"


def world(
    folder: Path, *, note: str = "", policy: str = "", status: str = "{}", more: str
) -> World:
    file = folder / "all.yaml"
    file.write_text(f"{_NODES}{_SERVICE % (note, policy, status)}{more}")
    return build_world([str(file)])


def announcer(made: World) -> str:
    (told,) = {one.node for one in made.cluster.announced.values()}
    return told


def first(address: str, *nodes: int) -> str:
    names = (f"quarry-{n}" for n in nodes)
    return min(names, key=lambda name: sha256(f"{name}#{address}".encode()).digest())


def test_the_node_with_the_smallest_hash_answers(tmp_path: Path) -> None:
    made = world(tmp_path, status=_GIVEN, more=_POOL % ("L2Advertisement", ""))
    assert announcer(made) == first("192.168.77.241", 1, 2, 3, 4)
    found = walk(made, parse_request(made, "outside", "192.168.77.241:80"))
    assert found.outcome.result is Result.CONNECTED
    assert any("answers ARP" in step.text for step in found.steps)
    assert announcer(made) in {hop.namespace for hop in found.hops}


def test_an_advertisement_chooses_nodes(tmp_path: Path) -> None:
    chosen = ", nodeSelectors: [{matchLabels: {rack: b}}]"
    made = world(tmp_path, status=_GIVEN, more=_POOL % ("L2Advertisement", chosen))
    assert announcer(made) == first("192.168.77.241", 3, 4)


def test_with_policy_local_a_node_with_an_endpoint(tmp_path: Path) -> None:
    policy = ", externalTrafficPolicy: Local"
    made = world(tmp_path, policy=policy, status=_GIVEN, more=_POOL % ("L2Advertisement", ""))
    assert announcer(made) == "quarry-4"


def test_a_service_without_an_address_gets_a_free_one(tmp_path: Path) -> None:
    made = world(tmp_path, more=_POOL % ("L2Advertisement", ""))
    service = made.cluster.services["default/stone"]
    assert [str(one.ip) for one in service.load_balancer_ingress] == ["192.168.77.240"]
    origin = service.origins["load_balancer_ingress"]
    assert origin.kind is OriginKind.ASSUMED
    assert "IPAddressPool hill" in origin.reason
    found = walk(made, parse_request(made, "outside", "192.168.77.240:80"))
    assert found.outcome.result is Result.CONNECTED


@pytest.mark.parametrize(
    "name", ["metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs"]
)
def test_an_address_that_is_asked_for(tmp_path: Path, name: str) -> None:
    note = f"{name}: 192.168.77.242"
    made = world(tmp_path, note=note, more=_POOL % ("L2Advertisement", ""))
    service = made.cluster.services["default/stone"]
    assert [str(one.ip) for one in service.load_balancer_ingress] == ["192.168.77.242"]


def test_what_its_status_says_comes_first(tmp_path: Path) -> None:
    wrong = next(
        f"quarry-{n}" for n in range(1, 5) if f"quarry-{n}" != first("192.168.77.241", 1, 2, 3, 4)
    )
    status = f"""\
apiVersion: metallb.io/v1beta1
kind: ServiceL2Status
metadata: {{name: l2-x, namespace: metallb-system}}
status: {{node: {wrong}, serviceName: stone, serviceNamespace: default}}
"""
    made = world(tmp_path, status=_GIVEN, more=_POOL % ("L2Advertisement", "") + status)
    (told,) = made.cluster.announced.values()
    assert (told.node, told.origin.kind) == (wrong, OriginKind.OBSERVED)


def test_by_bgp_the_router_takes_one(tmp_path: Path) -> None:
    made = world(tmp_path, status=_GIVEN, more=_POOL % ("BGPAdvertisement", "") + _PEER)
    (told,) = made.cluster.announced.values()
    assert "by BGP" in told.text
    assert told.origin.kind is OriginKind.ASSUMED


def test_only_nodes_with_a_speaker(tmp_path: Path) -> None:
    speaker = """\
apiVersion: v1
kind: Pod
metadata: {name: speaker-x, namespace: metallb-system}
spec:
  nodeName: quarry-2
  hostNetwork: true
  containers: [{name: speaker, image: "quay.io/metallb/speaker:v0.15.2"}]
"""
    made = world(tmp_path, status=_GIVEN, more=_POOL % ("L2Advertisement", "") + speaker)
    assert announcer(made) == "quarry-2"


_KUBE_VIP = """\
apiVersion: v1
kind: Pod
metadata: {name: kube-vip-3, namespace: kube-system}
spec:
  nodeName: quarry-3
  hostNetwork: true
  containers: [{name: kube-vip, image: "ghcr.io/kube-vip/kube-vip:v1.0.0"}]
"""


def test_kube_vips_note_and_else_its_first_pod(tmp_path: Path) -> None:
    noted = world(tmp_path, note="kube-vip.io/vipHost: quarry-2", status=_GIVEN, more=_KUBE_VIP)
    assert announcer(noted) == "quarry-2"
    alone = world(tmp_path, status=_GIVEN, more=_KUBE_VIP)
    (told,) = alone.cluster.announced.values()
    assert (told.node, told.origin.kind) == ("quarry-3", OriginKind.ASSUMED)


@pytest.mark.parametrize(
    ("env", "policy", "node", "by"),
    [
        ({"vip_arp": "true", "svc_enable": "true"}, "Local", 3, "ARP"),
        ({"vip_arp": "true", "svc_enable": "true", "svc_election": "true"}, "Local", 4, "ARP"),
        ({"vip_arp": "true", "svc_enable": "true", "svc_election": "true"}, "Cluster", 3, "ARP"),
        ({"bgp_enable": "true", "svc_enable": "true"}, "Cluster", 3, "BGP"),
    ],
)
def test_what_kube_vip_is_told(
    tmp_path: Path, env: dict[str, str], policy: str, node: int, by: str
) -> None:
    """Each Service has a leader of its own with svc_election: with policy Local, by an endpoint."""
    said = ", ".join(f'{{name: {name}, value: "{value}"}}' for name, value in env.items())
    one = _KUBE_VIP.replace('v1.0.0"}', f'v1.0.0", env: [{said}]}}')
    two = one.replace("kube-vip-3", "kube-vip-4").replace("quarry-3", "quarry-4")
    chosen = f", externalTrafficPolicy: {policy}"
    made = world(tmp_path, policy=chosen, status=_GIVEN, more=f"{one}---\n{two}")
    (told,) = made.cluster.announced.values()
    assert (told.node, told.by_arp) == (f"quarry-{node}", by == "ARP")
    assert by in told.text
    assert told.origin.kind is OriginKind.ASSUMED


def test_without_any_the_first_node_is_assumed(tmp_path: Path) -> None:
    made = world(tmp_path, status=_GIVEN, more="")
    assert made.cluster.announced == {}
    found = walk(made, parse_request(made, "outside", "192.168.77.241:80"))
    assert found.outcome.result is Result.CONNECTED
