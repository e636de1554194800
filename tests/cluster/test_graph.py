"""The graph: what is in it, what navigates it, and what importing this room must not bring."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cluster.objects import cluster, deployment, service

from k8stui.cluster.endpoints import endpoints_of
from k8stui.cluster.graph import (
    EdgeKind,
    NodeKind,
    graph,
    neighbours,
    standing,
    ways_in,
)
from k8stui.cluster.model import Cluster
from k8stui.export.neighbours import neighbour_words, neighbours_of
from k8stui.export.topology import pods_by_node
from k8stui.walk.error import RequestError
from k8stui.walk.world import World, build_world, sample

SAMPLES = sorted(str(each) for each in sample("guestbook").parent.glob("*") if each.is_dir())
USES = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: door}
spec:
  defaultBackend: {service: {name: shop, port: {number: 80}}}
  rules:
  - http:
      paths: [{path: /x, pathType: Prefix, backend: {service: {name: gone, port: {number: 1}}}}]
---
apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: old-door}
spec: {backend: {serviceName: shop, servicePort: 80}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shops-only}
spec: {podSelector: {matchExpressions: [{key: app, operator: In, values: [shop]}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: prices}
data: {a: b}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: more}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      imagePullSecrets: [{name: registry}]
      initContainers:
      - {name: i, image: x, env: [{name: A, valueFrom: {configMapKeyRef: {name: prices, key: a}}}]}
      containers:
      - name: c
        image: x
        envFrom: [{secretRef: {name: till}}]
        volumeMounts: [{name: disk, mountPath: /d}]
      volumes:
      - {name: tls, projected: {sources: [{secret: {name: tls}}, {configMap: {name: roots}}]}}
      - {name: disk, persistentVolumeClaim: {claimName: ledger}}
      - {name: plain, secret: {secretName: plain}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> World:
    file = tmp_path_factory.mktemp("uses") / "shop.yaml"
    file.write_text(USES)
    return build_world([str(file)])


def said(world: World, written: str) -> list[tuple[str, str]]:
    return [neighbour_words(one) for one in neighbours_of(world, written, "default")[1]]


def test_graph() -> None:
    made = cluster(deployment("web", 2) + service("web"))
    found = graph(made)
    kinds = [data["kind"] for _, data in found.nodes(data=True)]
    assert {kind: kinds.count(kind) for kind in NodeKind if kind in kinds} == {
        NodeKind.NODE: 2,
        NodeKind.POD: 2,
        NodeKind.CONTAINER: 2,
        NodeKind.SERVICE: 2,
        NodeKind.WORKLOAD: 1,
        NodeKind.ADDRESS: 1,
    }
    edges = {(a, b, data["kind"]) for a, b, data in found.edges(data=True)}
    assert ("pod/default/web-1", "node/node-1", EdgeKind.RUNS_ON) in edges
    assert ("container/default/web-1/c", "pod/default/web-1", EdgeKind.RUNS_ON) in edges
    assert ("workload/Deployment/default/web", "pod/default/web-2", EdgeKind.OWNS) in edges
    assert ("service/default/web", "pod/default/web-1", EdgeKind.SELECTS) in edges
    assert ("service/default/web", "pod/default/web-1", EdgeKind.LEADS_TO) in edges
    assert found.nodes["pod/default/web-1"]["record"] is made.pods["default/web-1"]
    assert all("kind" in data for _, data in found.nodes(data=True))


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda each: Path(each).name)
def test_the_graph_says_what_the_model_says(folder: str) -> None:
    """The text and JSON of the topology do without networkx: the two may never differ."""
    made = build_world([folder]).cluster
    found = graph(made)
    assert standing(found) == pods_by_node(made)
    led = [(s.key, port, number, endpoint) for s, port, number, endpoint, _ in ways_in(found)]
    assert led == list(by_hand(made))


def by_hand(made: Cluster) -> list[tuple[str, object, int, object]]:
    return [
        (one.key, port, number, endpoint)
        for one in made.services.values()
        for port in one.ports
        for _, number, endpoint in endpoints_of(made, one, port)
    ]


def test_everything_that_a_text_names_is_used(shop: World) -> None:
    used = {other for relation, other in said(shop, "deploy/shop") if relation == "uses"}
    assert used == {
        "Secret default/registry",
        "ConfigMap default/prices",
        "Secret default/till",
        "Secret default/tls",
        "ConfigMap default/roots",
        "PersistentVolumeClaim default/ledger",
        "Secret default/plain",
    }
    assert said(shop, "hpa/more") == [("uses", "Deployment default/shop")]
    assert said(shop, "cm/prices") == [("is used by", "Deployment default/shop")]


def test_a_service_says_who_leads_to_it_and_where_it_leads(shop: World) -> None:
    assert said(shop, "svc/shop") == [
        ("leads to", "Pod default/shop-1  80 → 8080"),
        ("leads to", "Pod default/shop-2  80 → 8080"),
        ("is reached from", "Ingress default/door"),
        ("is reached from", "Ingress default/old-door"),
    ]
    assert said(shop, "ing/door") == [
        ("leads to", "Service default/shop"),
        ("leads to", "Service default/gone"),
    ]


def test_policies_select_by_expressions(shop: World) -> None:
    assert said(shop, "netpol/shops-only") == [
        ("selects", "Pod default/shop-1"),
        ("selects", "Pod default/shop-2"),
    ]


def test_each_relation_reads_from_both_ends(shop: World) -> None:
    found = graph(shop.cluster, shop.manifests.objects)
    for name in found.nodes:
        for one in neighbours(found, name):
            back = [(b.name, b.relation, b.detail) for b in neighbours(found, one.name)]
            assert (name, one.relation, one.detail) in back or name.startswith("container/")


def test_a_relation_has_its_line(shop: World) -> None:
    _, found = neighbours_of(shop, "cm/roots", "default")
    place = found[0].origin.place if found[0].origin is not None else None
    assert place is not None
    assert "configMap: {name: roots}" in USES.splitlines()[place.line - 1]


def test_what_is_not_there_is_told_with_what_was_meant(shop: World) -> None:
    with pytest.raises(RequestError) as caught:
        neighbours_of(shop, "cm/price", "default")
    assert "did you mean configmap/prices?" in caught.value.render()
    with pytest.raises(RequestError, match="no KIND/NAME"):
        neighbours_of(shop, "shop", "default")


def test_imports_stay_light() -> None:
    code = (
        "import sys, k8stui.cluster, k8stui.cluster.names, k8stui.cluster.graph\n"
        "print(sorted({'networkx', 'textual', 'rich', 'asyncio', 'uuid'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
