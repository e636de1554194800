"""What becomes of workloads: names, owners, adoption, dumps that hold the pods."""

from __future__ import annotations

import pytest
from cluster.objects import OBSERVED_POD, cluster, deployment, service
from cluster.recorded import FOLDERS, Moment, from_dump, read

from k8stui.cluster.build import build
from k8stui.origin import OriginKind


def test_names() -> None:
    text = deployment("web", 2) + deployment("web", 2, kind="StatefulSet", namespace="other")
    assert list(cluster(text).pods) == [
        "default/web-1",
        "default/web-2",
        "other/web-0",
        "other/web-1",
    ]


def test_names_do_not_clash() -> None:
    bare = """
---
apiVersion: v1
kind: Pod
metadata: {name: db-1}
spec: {containers: [{name: c, image: x}]}
"""
    text = deployment("db", 2) + deployment("db", 2, kind="StatefulSet") + bare
    text = text.replace("name: db-1", "name: db-deploy-2")
    assert list(cluster(text).pods) == [
        "default/db-deploy-pod-1",
        "default/db-deploy-pod-2",
        "default/db-0",
        "default/db-1",
        "default/db-deploy-2",
    ]


def test_last_of_one_name_wins_at_the_first_ones_place() -> None:
    made = cluster(deployment("a", 1) + deployment("b", 1) + deployment("a", 2))
    assert list(made.pods) == ["default/a-1", "default/a-2", "default/b-1"]


def test_declared_deployment_of_observed_pods_is_not_expanded() -> None:
    pod = OBSERVED_POD.format(
        name="web-6d4cf56db6-abcde", node="w1", host="172.16.0.1", ip="10.42.1.2"
    )
    made = cluster(deployment("web", 3) + pod + service("web"))
    assert list(made.pods) == ["default/web-6d4cf56db6-abcde"]
    (workload,) = made.workloads
    assert workload.replicas == 3
    (item,) = made.endpoint_slices["default/web"]
    assert [str(e.addresses[0]) for e in item.endpoints] == ["10.42.1.2"]


def test_ordered_statefulset_stops_at_a_pending_pod() -> None:
    made = cluster(
        deployment(
            "db",
            4,
            kind="StatefulSet",
            more="affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
            "[{labelSelector: {matchLabels: {app: db}}, topologyKey: kubernetes.io/hostname}]}}",
        ),
        nodes=2,
    )
    assert [(p.name, p.node_name) for p in made.pods.values()] == [
        ("db-0", "node-1"),
        ("db-1", "node-2"),
        ("db-2", None),
    ]
    assert made.workloads[0].pods == ("default/db-0", "default/db-1", "default/db-2")
    assert [r.text for r in made.remarks] == [
        "pod default/db-3 is not made before db-2 is running and ready"
    ]


def test_surplus_orphans_are_told() -> None:
    orphan = """
---
apiVersion: v1
kind: Pod
metadata: {name: NAME, labels: {app: web}}
spec: {containers: [{name: c, image: x}]}
"""
    first, second, third = (orphan.replace("NAME", f"orphan-{n}") for n in "123")
    made = cluster(first + second + deployment("web", 1, kind="ReplicaSet") + third)
    assert {p.name: p.owner for p in made.pods.values()} == {"orphan-1": ("ReplicaSet", "web")}
    assert len(made.remarks) == 2
    assert "orphan-2" in made.remarks[0].text
    assert "orphan-3" in made.remarks[1].text


def test_origins_of_a_made_pod() -> None:
    pod = cluster(deployment("web")).pods["default/web-1"]
    assert pod.origin.kind is OriginKind.DECLARED
    assert pod.origin.place is not None
    assert pod.origin.place.field == "spec.template"
    assert pod.origin.reason == "pod 1 made for Deployment web"
    kinds = {attribute: pod.origins[attribute].kind for attribute in pod.origins}
    assert kinds["addresses"] is OriginKind.ASSUMED
    assert kinds["node_name"] is OriginKind.ASSUMED
    assert kinds["name"] is OriginKind.ASSUMED
    assert kinds["containers"] is OriginKind.DECLARED
    assert kinds["dns_policy"] is OriginKind.DEFAULTED
    for attribute in pod.origins:
        origin = pod.origins[attribute]
        assert origin.reason or origin.place


def test_origins_of_a_service() -> None:
    found = cluster(service("web", "type: NodePort, ports: [{port: 80}]")).services["default/web"]
    kinds = {attribute: found.origins[attribute].kind for attribute in found.origins}
    assert kinds["type"] is OriginKind.DECLARED
    assert kinds["session_affinity"] is OriginKind.DEFAULTED
    assert kinds["cluster_ips"] is OriginKind.ASSUMED
    port = found.ports[0]
    assert port.origins["port"].kind is OriginKind.DECLARED
    assert port.origins["protocol"].kind is OriginKind.DEFAULTED
    assert port.origins["node_port"].kind is OriginKind.ASSUMED
    assert port.origins["port"].place is not None
    assert port.origins["port"].place.field == "spec.ports[0].port"


@pytest.mark.parametrize(
    "name", sorted({"workloads", "kubeadm-like", "webapp-mysql"} & set(FOLDERS))
)
def test_dump_of_everything_counts_nothing_twice(name: str) -> None:
    moment = Moment(name)
    plain = from_dump(moment)
    everything = build(read(moment.folder / "dump-all.yaml"))
    assert everything.pods.keys() == plain.pods.keys()
    makers = {(w.kind, w.name): set(w.pods) for w in plain.workloads}
    with_all = {(w.kind, w.name): set(w.pods) for w in everything.workloads}
    assert makers.items() <= with_all.items()


@pytest.mark.skipif("webapp-mysql" not in FOLDERS, reason="not on this machine")
def test_dump_as_json_is_the_same() -> None:
    moment = Moment("webapp-mysql")
    as_json = build(read(moment.folder / "dump.json"))
    as_yaml = from_dump(moment)
    assert as_json.pods.keys() == as_yaml.pods.keys()
    assert [s.cluster_ips for s in as_json.services.values()] == [
        s.cluster_ips for s in as_yaml.services.values()
    ]


def test_pod_on_an_unknown_node() -> None:
    """Where nodes are known; where none is, the name that is written is one."""
    node = "\n---\napiVersion: v1\nkind: Node\nmetadata: {name: a}\n"
    text = deployment("web", 1, more="nodeName: b")
    assert cluster(text).pods["default/web-1"].node_name == "b"
    pod = cluster(text + node).pods["default/web-1"]
    assert (pod.node_name, pod.pending_reason) == (None, 'node "b" not found')
    assert not pod.addresses


def test_long_statefulset() -> None:
    made = cluster(deployment("db", 1500, kind="StatefulSet"))
    assert len(made.pods) == 1500
    assert all(pod.node_name for pod in made.pods.values())


def test_absurd_number_of_replicas() -> None:
    made = cluster(deployment("web", 2_000_000_000))
    assert len(made.pods) == 10_000
    assert made.remarks[0].text == (
        "Deployment web wants 2000000000 pods: the first 10000 are made"
    )


def test_manifest_over_a_dump_keeps_what_was_given() -> None:
    seen = service(
        "web", "type: NodePort, clusterIP: 10.96.7.7, ports: [{port: 80, nodePort: 31234}]"
    ).replace("name: web,", "name: web, uid: u, ")
    made = cluster(
        seen + service("web", "type: NodePort, ports: [{name: a, port: 80}, {name: b, port: 81}]")
    )
    found = made.services["default/web"]
    assert [str(address) for address in found.cluster_ips] == ["10.96.7.7"]
    assert found.ports[0].node_port == 31234
    assert found.ports[1].node_port not in (None, 31234)
    assert found.origins["cluster_ips"].kind is OriginKind.OBSERVED


def test_kubernetes_endpoint_of_a_dump_without_slices() -> None:
    text = """
apiVersion: v1
kind: Node
metadata: {name: a, uid: a}
status: {addresses: [{type: InternalIP, address: 172.16.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: b, uid: b, labels: {node-role.kubernetes.io/control-plane: ""}}
status: {addresses: [{type: InternalIP, address: 172.16.0.2}]}
---
apiVersion: v1
kind: Service
metadata: {name: kubernetes, namespace: default, uid: k}
spec: {clusterIP: 10.96.0.1, ports: [{name: https, port: 443, targetPort: 8443}]}
"""
    (item,) = cluster(text).endpoint_slices["default/kubernetes"]
    assert item.origin.kind is OriginKind.ASSUMED
    assert [p.port for p in item.ports or ()] == [8443]
    assert [str(a) for e in item.endpoints for a in e.addresses] == ["172.16.0.2"]


def test_labels_that_come_from_the_template() -> None:
    """Of a ReplicationController and a Job; the kinds of apps/v1 have only their own."""
    controller = (
        "---\napiVersion: v1\nkind: ReplicationController\nmetadata: {name: rc}\nspec: {template: "
        "{metadata: {labels: {app: rc}}, spec: {containers: [{name: c, image: i}]}}}\n"
    )
    made = cluster(deployment("web") + controller)
    assert [dict(workload.labels) for workload in made.workloads] == [{}, {"app": "rc"}]


def test_pods_that_wait_for_one_are_told_together() -> None:
    node = "\n---\napiVersion: v1\nkind: Node\nmetadata: {name: a}\n"
    made = cluster(
        deployment("db", 5, kind="StatefulSet", more="nodeSelector: {disk: tape}") + node
    )
    assert [remark.text for remark in made.remarks] == [
        "pods default/db-1 and 3 more are not made before db-0 is running and ready"
    ]
