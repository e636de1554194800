"""What Calico is told by objects of its own: pools, Felix's settings, policies that only it has."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from manifests_of import pod, service

from k8stui.check import check
from k8stui.kernel import save
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import StepKind
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

Manifest = dict[str, Any]
PODS = [
    pod("loom", "app=loom", ports=[{"containerPort": 7000}], node="node-1"),
    pod("dyer", node="node-2"),
    service("loom", "app=loom", 70, 7000),
]


def of_calico(kind: str, name: str, version: str = "projectcalico.org/v3", **spec: Any) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def pool(name: str, cidr: str, **spec: Any) -> Manifest:
    return of_calico("IPPool", name, "crd.projectcalico.org/v1", cidr=cidr, **spec)


def daemon(**variables: str) -> Manifest:
    env = [{"name": name, "value": value} for name, value in variables.items()]
    container = {"name": "calico-node", "image": "calico/node:v3.30.0", "env": env}
    labels = {"k8s-app": "calico-node"}
    spec = {"hostNetwork": True, "containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "calico-node", "namespace": "kube-system"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def world_of(tmp_path: Path, manifests: Iterable[Manifest]) -> World:
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump_all([*PODS, *manifests]))
    return build_world([str(path)])


def ask(world: World, source: str, target: str) -> Trace:
    return walk(world, parse_request(world, source, target))


def members(world: World, name: str) -> set[str]:
    found = world.network.sets(world.cluster.nodes["node-1"], "calico")[name]
    return {element for element, _ in found.elements()}


def test_pools_are_the_ranges_that_leave_by_the_node_s_address(tmp_path: Path) -> None:
    world = world_of(
        tmp_path,
        [pool("wool", "172.20.0.0/16", natOutgoing=True), pool("silk", "172.21.0.0/16")],
    )
    assert world.problems == ()
    assert str(world.cluster.pods["default/dyer"].addresses[0]).startswith("172.20.")
    assert members(world, "cali40masq-ipam-pools") == {"172.20.0.0/16"}
    assert members(world, "cali40all-ipam-pools") == {"172.20.0.0/16", "172.21.0.0/16"}
    trace = ask(world, "pod/dyer", "203.0.113.9:443")
    assert str(trace.outcome.source_seen_by_server) == "192.168.0.12"
    assert trace.assumptions == (), "pools without a tunnel are as they are walked"


def test_a_pool_without_nat_shows_the_pod_s_own_address(tmp_path: Path) -> None:
    world = world_of(tmp_path, [pool("wool", "172.20.0.0/16", natOutgoing=False)])
    text = save.dump(world.network.ruleset(world.cluster.nodes["node-2"], 4, "calico"))
    assert ":cali-nat-outgoing -" in text
    assert "-A cali-nat-outgoing" not in text
    trace = ask(world, "pod/dyer", "203.0.113.9:443")
    assert all(step.kind.value != "snat" for step in trace.steps)


@pytest.mark.parametrize(
    ("told", "device"),
    [
        (pool("wool", "172.20.0.0/16", ipipMode="Always"), "tunl0"),
        (pool("wool", "172.20.0.0/16", vxlanMode="Always"), "vxlan.calico"),
        (daemon(CALICO_IPV4POOL_IPIP="Always"), "tunl0"),
        (
            of_calico(
                "Installation",
                "default",
                "operator.tigera.io/v1",
                calicoNetwork={"ipPools": [{"cidr": "172.20.0.0/16", "encapsulation": "VXLAN"}]},
            ),
            "vxlan.calico",
        ),
    ],
)
def test_a_tunnel_is_read_wherever_it_is_written(
    tmp_path: Path, told: Manifest, device: str
) -> None:
    trace = ask(world_of(tmp_path, [told]), "pod/dyer", "svc/loom:70")
    assert trace.outcome.result is Result.CONNECTED
    wrapped = [step.device for step in trace.steps if step.kind is StepKind.ENCAPSULATE]
    assert wrapped == [device, device], "there and back"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            of_calico("GlobalNetworkPolicy", "weft", preDNAT=True, applyOnForward=True),
            "GlobalNetworkPolicy weft (preDNAT: for host endpoints)",
        ),
        (
            of_calico("GlobalNetworkPolicy", "woof", serviceAccountSelector="has(a)"),
            "GlobalNetworkPolicy woof (the input holds no ServiceAccount with its labels)",
        ),
        (of_calico("HostEndpoint", "warp", node="node-1"), "HostEndpoint warp"),
        (of_calico("FelixConfiguration", "default", iptablesMarkMask=0xFF00), "iptablesMarkMask"),
        (of_calico("FelixConfiguration", "default", bpfEnabled=True), "bpfEnabled"),
        (
            of_calico("NetworkPolicy", "hem", ingress=[{"action": "Allow", "http": {}}]),
            "http of ingress[0] of Calico NetworkPolicy hem",
        ),
    ],
)
def test_what_is_not_modelled_is_said(tmp_path: Path, told: Manifest, words: str) -> None:
    world = world_of(tmp_path, [told])
    assert world.problems == ()
    trace = ask(world, "pod/dyer", "svc/loom:70")
    (assumed,) = (one for one in trace.assumptions if words in one)
    assert "not modelled" in assumed
    said = [one for one in check(world) if one.rule == "not-modelled" and words in one.why]
    assert len(said) == 1


def test_settings_that_are_usual_are_no_news(tmp_path: Path) -> None:
    told = of_calico(
        "FelixConfiguration", "default", bpfEnabled=False, logSeverityScreen="Info",
        iptablesMarkMask=0xFFFF0000, reportingInterval="0s",
    )  # fmt: skip
    world = world_of(tmp_path, [told, pool("wool", "172.20.0.0/16")])
    assert ask(world, "pod/dyer", "svc/loom:70").assumptions == ()


ACTION = "FELIX_DEFAULTENDPOINTTOHOSTACTION"


@pytest.mark.parametrize(
    ("told", "result"),
    [
        ([], Result.CONNECTED),
        ([("Accept", None)], Result.CONNECTED),
        ([("Drop", None)], Result.TIMEOUT),
        ([("Return", None)], Result.CONNECTED),
        ([("Drop", {ACTION: "ACCEPT"})], Result.CONNECTED),
        ([("Accept", {ACTION: "DROP"})], Result.TIMEOUT),
        ([("", {"WAIT_FOR_DATASTORE": "true"})], Result.TIMEOUT),
    ],
)
def test_what_a_pod_sends_to_its_own_node(
    tmp_path: Path, told: list[tuple[str, dict[str, str] | None]], result: Result
) -> None:
    """Felix's own default is Drop; what its manifests and its operator set is Accept."""
    manifests = [pool("wool", "172.20.0.0/16")]
    for setting, variables in told:
        if setting:
            action = {"defaultEndpointToHostAction": setting}
            manifests.append(of_calico("FelixConfiguration", "default", **action))
        if variables is not None:
            manifests.append(daemon(**variables))
    world = world_of(tmp_path, manifests)
    assert ask(world, "pod/dyer", "node/node-2:10250").outcome.result is result
    assert ask(world, "pod/dyer", "svc/loom:70").outcome.result is Result.CONNECTED


def test_felix_may_stand_behind_the_others(tmp_path: Path) -> None:
    told = of_calico("FelixConfiguration", "default", chainInsertMode="Append")
    for manifests, place in (([], 0), ([told], -1)):
        world = world_of(tmp_path, [pool("wool", "172.20.0.0/16"), *manifests])
        chain = world.network.ruleset(world.cluster.nodes["node-1"], 4).chain("filter", "INPUT")
        assert chain is not None
        assert chain.rules[place].text.endswith("-j cali-INPUT")
        assert len(chain.rules) > 1


FAILSAFE = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:cali-INPUT - [0:0]
:cali-failsafe-in - [0:0]
-A INPUT -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -j cali-INPUT
-A cali-INPUT -m comment --comment "cali:d1_5ZFfDKG2dMpJQ" -j cali-failsafe-in
-A cali-INPUT -m comment --comment "cali:V0KKPpXnBxTV2qtC" -j DROP
-A cali-failsafe-in -p tcp -m comment --comment "cali:wWFQM43tJU7wwnFZ" --dport 22 -j ACCEPT
COMMIT
"""


def test_a_failsafe_port_is_named_at_its_step(tmp_path: Path) -> None:
    dump = tmp_path / "node-1.save"
    dump.write_text(FAILSAFE)
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(PODS))
    options = NodeOptions(iptables={"node-1": str(dump)})
    world = build_world([str(tmp_path / "all.yaml")], node_options=options)
    said = [step.text for step in ask(world, "outside", "node/node-1:22").steps]
    assert any("a failsafe port of Calico's" in one for one in said), said
    assert ask(world, "outside", "node/node-1:23").outcome.result is Result.TIMEOUT


def test_host_endpoints_leave_failsafe_ports_open(tmp_path: Path) -> None:
    world = world_of(tmp_path, [of_calico("HostEndpoint", "warp", node="node-1")])
    (said,) = (one.why for one in check(world) if "HostEndpoint warp" in one.why)
    assert "failsafe ports, which stay open: 22, 179" in said
