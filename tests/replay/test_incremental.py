"""A moment is made from the one before: it must be what is made of its objects from nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8stui.cluster.build import build
from k8stui.kernel.routing import route_line
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions
from k8stui.replay.change import ChangeError, parse_change
from k8stui.replay.gains import difference
from k8stui.replay.replay import Moment, Player, applied
from k8stui.walk.world import World, build_world

NAMES = ("red", "green", "blue")

SERVICE = """apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  type: {type}
  {more}
  selector: {{tint: {name}}}
  ports: [{{name: web, port: 80, targetPort: {target}}}, {{name: dns, port: 53, protocol: UDP}}]
"""
WORKLOAD = """apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}}}
spec:
  {count}
  serviceName: {name}
  selector: {{matchLabels: {{tint: {name}}}}}
  template:
    metadata: {{labels: {{tint: {name}}}}}
    spec:
      {spec}
      containers: [{{name: c, image: i, ports: [{{name: in, containerPort: 8080{port}}}]}}]
"""
_OTHERS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: words}
data: {listen: '8080'}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 9
---
apiVersion: v1
kind: LimitRange
metadata: {name: usual}
spec: {limits: [{type: Container, defaultRequest: {cpu: 10m}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: few}
spec: {hard: {pods: '5'}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {matchLabels: {tint: red}}, policyTypes: [Ingress]}
---
apiVersion: v1
kind: Pod
metadata: {name: lone, labels: {tint: green}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Service
metadata: {name: far}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: far}
subsets: [{addresses: [{ip: 192.168.0.1}], ports: [{port: 80}]}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: more}
spec:
  minReplicas: 3
  maxReplicas: 4
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: red}
"""
OTHERS = _OTHERS.split("---\n")
SPECS = (
    "hostNetwork: true",
    "nodeSelector: {nobody: has-it}",
    "priorityClassName: high",
    "readinessGates: [{conditionType: later}]",
    "tolerations: []",
    "tolerations: []",
)


@st.composite
def services(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(("ClusterIP", "NodePort", "LoadBalancer")))
    more = "internalTrafficPolicy: Local" if draw(st.booleans()) else "sessionAffinity: ClientIP"
    if kind != "ClusterIP" and draw(st.booleans()):
        more = "externalTrafficPolicy: Local"
    target = draw(st.sampled_from(("8080", "in")))
    return SERVICE.format(name=draw(st.sampled_from(NAMES)), type=kind, more=more, target=target)


@st.composite
def workloads(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(("Deployment", "Deployment", "StatefulSet", "DaemonSet")))
    return WORKLOAD.format(
        kind=kind,
        name=draw(st.sampled_from(NAMES)),
        count="updateStrategy: {}"
        if kind == "DaemonSet"
        else f"replicas: {draw(st.integers(0, 3))}",
        spec=draw(st.sampled_from(SPECS)),
        port=draw(st.sampled_from(("", "", ", hostPort: 9000"))),
    )


DOCUMENTS = st.lists(
    st.one_of(services(), services(), workloads(), workloads(), st.sampled_from(OTHERS)),
    min_size=2,
    max_size=9,
)
CHANGES = st.lists(
    st.one_of(
        st.builds(
            "{0}/{1}".format,
            st.sampled_from(("delete svc", "delete deploy", "delete ds", "delete sts")),
            st.sampled_from(NAMES),
        ),
        st.builds(
            "scale {0}/{1} {2}".format,
            st.sampled_from(("deploy", "sts")),
            st.sampled_from(NAMES),
            st.integers(0, 4),
        ),
    ),
    max_size=5,
)
OPTIONS = st.sampled_from(
    (
        NodeOptions(),
        NodeOptions(cni="docker0"),
        NodeOptions(cni="ptp-ipmasq"),
        NodeOptions(policy_engine="kube-router"),
    )
)
MODES = st.sampled_from((None, None, "userspace", "nftables", "nftables"))


@settings(
    max_examples=35, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(DOCUMENTS, CHANGES, OPTIONS, MODES)
def test_a_moment_is_as_if_it_were_made_from_nothing(
    tmp_path: Path, documents: list[str], changes: list[str], options: NodeOptions, mode: str | None
) -> None:
    (tmp_path / "all.yaml").write_text("---\n".join(documents))
    world = build_world([str(tmp_path)], node_options=options)
    world = replace(world, cluster_options=replace(world.cluster_options, proxy_mode=mode))
    player = Player(world, ())
    before = _agrees(player.begin(), None)
    for one in applied(world):
        before = _agrees(player.apply(one), before)
    for text in changes:
        try:
            wanted = parse_change(text, player.objects, "default")
        except ChangeError:
            continue
        for change in wanted:
            before = _agrees(player.do(change), before)


def test_so_is_one_after_going_back(tmp_path: Path) -> None:
    parts = [WORKLOAD.format(kind="Deployment", name=n, count="", spec="", port="") for n in NAMES]
    parts += [
        SERVICE.format(name=n, type="NodePort", more="externalTrafficPolicy: Local", target="in")
        for n in NAMES
    ]
    (tmp_path / "all.yaml").write_text("---\n".join(parts))
    player = Player(build_world([str(tmp_path)]), ())
    moments = [player.begin(), *map(player.apply, applied(player.world))]
    player.stand_at(moments[3])
    (change,) = parse_change("scale deploy/red 3", player.objects, "default")
    _agrees(player.do(change), _network(moments[3].world))


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_what_did_not_change_is_the_same_object(tmp_path: Path, kind: str) -> None:
    parts = [WORKLOAD.format(kind=kind, name=n, count="", spec="", port="") for n in NAMES]
    parts += [SERVICE.format(name=n, type="NodePort", more="", target="in") for n in NAMES]
    (tmp_path / "all.yaml").write_text("---\n".join(parts))
    player = Player(build_world([str(tmp_path)]), ())
    *_, before, after = [player.begin(), *map(player.apply, applied(player.world))]
    then, now = before.world.cluster, after.world.cluster
    assert now.pods is then.pods
    assert now.services["default/red"] is then.services["default/red"]
    assert now.endpoint_slices["default/red"] is then.endpoint_slices["default/red"]
    node = now.nodes["node-1"]
    assert after.world.network[node.name].interfaces is before.world.network[node.name].interfaces
    for world in (before.world, after.world):
        assert world.network.plan(node, "default/red:web", 4) is not None
    assert before.world.network.plan(node, "default/red:web", 4) is after.world.network.plan(
        node, "default/red:web", 4
    )


def _agrees(moment: Moment, before: ClusterNetwork | None) -> ClusterNetwork:
    """The moment's cluster, its nodes and what it gained; gives its network, made from nothing."""
    world = moment.world
    plain = _network(world)
    assert world.cluster == plain.cluster
    for name in plain.cluster.nodes:
        assert _lines(world.network, name) == _lines(plain, name)
        gain = moment.gains.nodes.get(name)
        then = _lines(before or plain, name)
        for part, lines in _lines(plain, name).items():
            said = getattr(gain, part) if gain else difference((), ())
            assert said == difference(then[part], lines)
    return plain


def _network(world: World) -> ClusterNetwork:
    return build_network(build(world.manifests, world.cluster_options), world.options)


def _lines(network: ClusterNetwork, name: str) -> dict[str, list[str]]:
    node, there = network.cluster.nodes[name], network[name]
    return {
        "rules": [
            rule.text
            for table in network.ruleset(node, 4)
            for chain in table.chains.values()
            for rule in chain.rules
        ]
        + [
            f"{table.called} @{one.name}: {element.text}"
            for table in network.nft(node).tables
            for one in table.sets.values()
            for element in one.elements
        ]
        + [
            f"{table.called} {chain.name}: {rule.text}"
            for table in network.nft(node).tables
            for chain in table.chains.values()
            for rule in chain.chain.rules
        ],
        "devices": [interface.name for interface in there.interfaces],
        "routes": [route_line(route) for route in there.routes],
        "fdb": [
            f"{one.mac} dev {one.device}" + (" permanent" if one.permanent else "")
            for one in there.fdb
        ],
        "sockets": [
            f"{one.protocol.name} "
            + (f"{one.address.with_port(one.port)}" if one.address else f"*:{one.port}")
            + f" {one.owner}"
            for one in there.sockets
            if one.port is not None
        ],
    }
