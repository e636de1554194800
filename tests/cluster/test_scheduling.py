"""Where pods go and what those say that fit nowhere, on small clusters written here.

Sources: pkg/scheduler/framework/plugins (1.36) as named in k8stui/cluster/{scheduler,needs,
pod_topology,scoring,preemption}.py; words as recordings-cluster/scheduling has them.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from cluster.objects import cluster, deployment
from hypothesis import given, settings
from hypothesis import strategies as st

from k8stui.cluster import Cluster
from k8stui.cluster.model import Node
from k8stui.cluster.scheduling.filters import NodeInfo
from k8stui.cluster.scheduling.ranking import Entry, Ranking, rank
from k8stui.origin import assumed

HELPLESS = "no new claims to deallocate, preemption: "


def node(name: str, zone: str = "a", cpu: int = 4, more: str = "", labels: str = "") -> str:
    return f"""
---
apiVersion: v1
kind: Node
metadata:
  name: {name}
  labels: {{kubernetes.io/hostname: {name}, topology.kubernetes.io/zone: {zone}{labels}}}
spec: {{{more}}}
status: {{capacity: {{cpu: {cpu}, memory: 8Gi, pods: 110, example.com/gpu: 1}}}}
"""


def known_node(name: str) -> Node:
    return Node(name=name, index=1, origin=assumed("made for a test"))


CONTROL_PLANE = node(
    "cp-1", more="taints: [{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]"
)
THREE = CONTROL_PLANE + node("node-1") + node("node-2", "b")


def asking(name: str, replicas: int, resources: str, more: str = "") -> str:
    text = deployment(name, replicas, more=more)
    return text.replace("image: nginx,", f"image: nginx, resources: {resources},")


def placed(made: Cluster, name: str) -> dict[str, int]:
    """Pods of a workload by node; '' for those that have none."""
    owned = [pod for pod in made.pods.values() if pod.owner and pod.owner[1] == name]
    return dict(Counter(pod.node_name or "" for pod in owned))


def said(made: Cluster, name: str) -> set[str]:
    return {
        pod.pending_reason
        for pod in made.pods.values()
        if pod.owner and pod.owner[1] == name and pod.pending_reason
    }


def near(who: str, key: str, more: str = "") -> str:
    return f"{{topologyKey: {key}, labelSelector: {{matchLabels: {{app: {who}}}}}{more}}}"


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


def spread(key: str, more: str, who: str = "web") -> str:
    return (
        f"topologySpreadConstraints: [{{maxSkew: 1, topologyKey: {key}, "
        f"labelSelector: {{matchLabels: {{app: {who}}}}}, {more}}}]"
    )


PLACES = {
    "min domains": (
        # Two zones of three that are wanted: the least is 0, so one pod a zone.
        THREE
        + deployment(
            "web",
            4,
            more=spread(ZONE, "whenUnsatisfiable: DoNotSchedule, minDomains: 3"),
        ),
        {"node-1": 1, "node-2": 1, "": 2},
    ),
    "taints count as no domain": (
        THREE
        + deployment(
            "web",
            4,
            more=spread(HOST, "whenUnsatisfiable: DoNotSchedule, nodeTaintsPolicy: Honor"),
        ),
        {"node-1": 2, "node-2": 2},
    ),
    "a tainted node is a domain that stays empty": (
        THREE + deployment("web", 4, more=spread(HOST, "whenUnsatisfiable: DoNotSchedule")),
        {"node-1": 1, "node-2": 1, "": 2},
    ),
    "all nodes are domains when affinity is ignored": (
        THREE
        + node("node-3", "c", labels=", disk: tape")
        + deployment(
            "web",
            4,
            more="nodeSelector: {topology.kubernetes.io/zone: b}\n      "
            + spread(ZONE, "whenUnsatisfiable: DoNotSchedule, nodeAffinityPolicy: Ignore"),
        ),
        {"node-2": 1, "": 3},
    ),
    "soft spread": (
        CONTROL_PLANE
        + node("node-1")
        + node("node-2")
        + node("node-3", "b")
        + deployment("web", 4, more=spread(ZONE, "whenUnsatisfiable: ScheduleAnyway")),
        {"node-1": 1, "node-2": 1, "node-3": 2},
    ),
    "away from its own kind by template": (
        # A rollout's pods only count those of their own ReplicaSet.
        THREE
        + deployment(
            "web",
            2,
            more="affinity: {podAntiAffinity: {"
            f"{REQUIRED}: [{near('web', HOST, ', matchLabelKeys: [pod-template-hash]')}]}}}}",
        ),
        {"node-1": 1, "node-2": 1},
    ),
    "near others of another template": (
        THREE
        + deployment("db", 1, more="nodeSelector: {topology.kubernetes.io/zone: b}")
        + deployment(
            "web",
            2,
            more="affinity: {podAffinity: {"
            f"{REQUIRED}: [{near('db', HOST, ', mismatchLabelKeys: [pod-template-hash]')}]}}}}",
        ),
        {"node-2": 2},
    ),
    "rather near": (
        THREE
        + deployment("db", 1, more="nodeSelector: {topology.kubernetes.io/zone: b}")
        + deployment(
            "web",
            3,
            more="affinity: {podAffinity: {"
            f"{PREFERRED}: [{{weight: 50, podAffinityTerm: {near('db', HOST)}}}]}}}}",
        ),
        {"node-2": 3},
    ),
    "rather apart": (
        CONTROL_PLANE
        + node("node-1", cpu=16)
        + node("node-2")
        + node("node-3")
        + deployment(
            "web",
            3,
            more="affinity: {podAntiAffinity: {"
            f"{PREFERRED}: [{{weight: 1, podAffinityTerm: {near('web', HOST)}}}]}}}}",
        ),
        {"node-1": 1, "node-2": 1, "node-3": 1},
    ),
    "rather on some nodes": (
        THREE
        + deployment(
            "web",
            3,
            more=f"affinity: {{nodeAffinity: {{{PREFERRED}: [{{weight: 1, preference: "
            f"{{matchExpressions: [{{key: {ZONE}, operator: In, values: [b]}}]}}}}]}}}}",
        ),
        {"node-2": 3},
    ),
    "rather not on a tainted node": (
        node("node-1", more="taints: [{key: a, effect: PreferNoSchedule}]")
        + node("node-2")
        + deployment("web", 3),
        {"node-2": 3},
    ),
    "extended resources": (
        THREE + asking("web", 3, "{limits: {example.com/gpu: 1}}"),
        {"node-1": 1, "node-2": 1, "": 1},
    ),
    "a limit is a request": (
        THREE + asking("web", 3, "{limits: {cpu: 3}}"),
        {"node-1": 1, "node-2": 1, "": 1},
    ),
    "overhead": (
        THREE + asking("web", 3, "{requests: {cpu: 2}}", more="overhead: {cpu: 1}"),
        {"node-1": 1, "node-2": 1, "": 1},
    ),
    "a runtime's part": (
        THREE + "---\napiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: kata}\n"
        "handler: kata\noverhead: {podFixed: {cpu: 2}}\n"
        "scheduling: {nodeSelector: {topology.kubernetes.io/zone: b}}\n"
        + asking("web", 2, "{requests: {cpu: 1}}", more="runtimeClassName: kata"),
        {"node-2": 1, "": 1},
    ),
    "the pod as a whole": (
        THREE + asking("web", 3, "{requests: {cpu: 1}}", more="resources: {requests: {cpu: 3}}"),
        {"node-1": 1, "node-2": 1, "": 1},
    ),
    "a large init container": (
        THREE
        + deployment(
            "web",
            3,
            more="initContainers: [{name: i, image: i, resources: {requests: {cpu: 3}}}]",
        ),
        {"node-1": 1, "node-2": 1, "": 1},
    ),
    "a sidecar beside a large init container": (
        THREE
        + deployment(
            "web",
            3,
            more="initContainers: [{name: s, image: i, restartPolicy: Always, resources: "
            "{requests: {cpu: 1}}}, {name: i, image: i, resources: {requests: {cpu: 2}}}]",
        ),
        {"node-1": 1, "node-2": 1, "": 1},
    ),
    "ports of the node": (
        THREE
        + deployment("web", 3).replace("containerPort: 80,", "containerPort: 80, hostPort: 80,"),
        {"node-1": 1, "node-2": 1, "": 1},
    ),
    "gates": (
        THREE + deployment("web", 2, more="schedulingGates: [{name: example.com/wait}]"),
        {"": 2},
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_places(name: str) -> None:
    text, wanted = PLACES[name]
    assert placed(cluster(text), "web") == wanted


@settings(max_examples=50, deadline=None)
@given(
    nodes=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3)), min_size=1, max_size=5),
    closed=st.lists(st.sets(st.integers(0, 4)), max_size=15),
)
def test_the_best_node_is_the_least_of_all(
    nodes: list[tuple[int, int]], closed: list[set[int]]
) -> None:
    """`closed`: nodes that refuse each pod for another reason than that they are full."""
    owned: Counter[str] = Counter()
    entries = [
        Entry((against, 0), NodeInfo(known_node(f"n{n}"), None, max_pods=most))
        for n, (against, most) in enumerate(nodes)
    ]
    ranking = Ranking(entries, owned)

    def is_full(host: NodeInfo) -> bool:
        return host.pods >= host.max_pods

    def is_named(names: set[str], host: NodeInfo) -> bool:
        return host.node.name in names

    for refusing in closed:
        names = {f"n{n}" for n in refusing}
        free = [e.host for e in entries if not (is_full(e.host) or is_named(names, e.host))]
        best = ranking.best(is_full, partial(is_named, names))
        ranks = {e.host.node.name: rank(e, owned) for e in entries}
        assert best is min(free, key=lambda host: ranks[host.node.name], default=None)
        if best is not None:
            best.pods += 1
            owned[best.node.name] += 1


def test_other_namespaces() -> None:
    """namespaceSelector and namespaces are joined; neither means the pod's own."""
    spaces = "".join(
        f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {n}, labels: {{team: {t}}}}}\n"
        for n, t in (("a", "red"), ("b", "blue"))
    )
    text = THREE + spaces + deployment("db", 1, namespace="a", more="nodeName: node-2")
    for more, wanted in (
        ("", {"": 1}),
        (", namespaces: [a]", {"node-2": 1}),
        (", namespaceSelector: {matchLabels: {team: red}}", {"node-2": 1}),
        (", namespaceSelector: {matchLabels: {team: blue}}", {"": 1}),
        (", namespaceSelector: {}", {"node-2": 1}),
    ):
        term = f"affinity: {{podAffinity: {{{REQUIRED}: [{near('db', HOST, more)}]}}}}"
        made = cluster(text + deployment("web", 1, namespace="b", more=term))
        assert placed(made, "web") == wanted


SAID = {
    "several lacks": (
        THREE + asking("web", 1, "{requests: {cpu: 5, memory: 9Gi}}"),
        (
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu, "
            f"2 Insufficient memory. {HELPLESS}0/3 nodes are available: "
            "3 Preemption is not helpful for scheduling."
        ),
    ),
    "used up": (
        THREE + asking("big", 2, "{requests: {cpu: 3}}") + asking("web", 1, "{requests: {cpu: 2}}"),
        (
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
            f"{HELPLESS}0/3 nodes are available: 1 Preemption is not helpful for scheduling, "
            "2 No preemption victims found for incoming pod."
        ),
    ),
    "too many pods": (
        THREE.replace("pods: 110", "pods: 1") + deployment("first", 2) + deployment("web", 1),
        (
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Too many pods. "
            f"{HELPLESS}0/3 nodes are available: 1 Preemption is not helpful for scheduling, "
            "2 No preemption victims found for incoming pod."
        ),
    ),
    "a port that is taken": (
        THREE
        + deployment("web", 3).replace("containerPort: 80,", "containerPort: 80, hostPort: 80,"),
        (
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), "
            f"2 node(s) didn't have free ports for the requested pod ports. {HELPLESS}"
            "0/3 nodes are available: 1 Preemption is not helpful for scheduling, "
            "2 No preemption victims found for incoming pod."
        ),
    ),
    "never preempts": (
        THREE + asking("web", 1, "{requests: {cpu: 9}}", more="preemptionPolicy: Never"),
        (
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
            f"{HELPLESS}not eligible due to preemptionPolicy=Never."
        ),
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_the_scheduler_says(name: str) -> None:
    text, wanted = SAID[name]
    assert said(cluster(text), "web") == {wanted}


def klass(name: str, value: int, more: str = "") -> str:
    return (
        "---\napiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\n"
        f"metadata: {{name: {name}}}\nvalue: {value}\n{more}"
    )


HIGH = klass("high", 1000)


def test_a_higher_priority_takes_the_place_of_a_lower_one() -> None:
    """The replaced pod is made anew, and waits."""
    made = cluster(
        THREE
        + HIGH
        + asking("low", 2, "{requests: {cpu: 3}}")
        + asking("web", 1, "{requests: {cpu: 3}}", more="priorityClassName: high")
    )
    assert sum(placed(made, "web").values()) == 1
    assert "" not in placed(made, "web")
    assert placed(made, "low")[""] == 1
    assert said(made, "low") == {
        (
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
            f"{HELPLESS}0/3 nodes are available: 1 Preemption is not helpful for scheduling, "
            "2 No preemption victims found for incoming pod."
        )
    }


def test_a_bare_pod_that_is_preempted_is_gone() -> None:
    bare = (
        "---\napiVersion: v1\nkind: Pod\nmetadata: {name: bare}\nspec: {nodeSelector: "
        "{kubernetes.io/hostname: node-1}, containers: [{name: c, image: i, "
        "resources: {requests: {cpu: 4}}}]}\n"
    )
    made = cluster(
        THREE
        + bare
        + asking(
            "web",
            1,
            "{requests: {cpu: 1}}",
            more="priorityClassName: system-node-critical\n"
            "      nodeSelector: {kubernetes.io/hostname: node-1}",
        )
    )
    assert placed(made, "web") == {"node-1": 1}
    assert "default/bare" not in made.pods
    assert made.remarks[0].text == "pod default/bare: preempted by default/web-1"


def test_the_fewest_and_least_important_leave() -> None:
    """One pod of node-2 rather than two of node-1; those that may stay do."""
    text = (
        THREE
        + HIGH
        + asking("a", 2, "{requests: {cpu: 2}}", more="nodeName: node-1")
        + asking("b", 1, "{requests: {cpu: 3}}", more="nodeName: node-2")
        + asking("small", 1, "{requests: {cpu: 500m}}", more="nodeName: node-2")
        + asking("web", 1, "{requests: {cpu: 3500m}}", more="priorityClassName: high")
    ).replace("nodeName", "nodeSelector: {kubernetes.io/hostname")
    text = text.replace("kubernetes.io/hostname: node-1\n", "kubernetes.io/hostname: node-1}\n")
    text = text.replace("kubernetes.io/hostname: node-2\n", "kubernetes.io/hostname: node-2}\n")
    made = cluster(text)
    assert placed(made, "web") == {"node-2": 1}
    assert placed(made, "a") == {"node-1": 2}
    assert placed(made, "b") == {"": 1}
    assert placed(made, "small") == {"node-2": 1}


def test_victims_that_do_not_help() -> None:
    """The filters' own words stand in the second sentence then."""
    made = cluster(
        THREE
        + HIGH
        + deployment(
            "db",
            1,
            more="nodeSelector: {kubernetes.io/hostname: node-1}\n      priorityClassName: high",
        )
        + deployment("low", 2)
        + deployment(
            "web",
            1,
            more="priorityClassName: high\n      nodeSelector: {kubernetes.io/hostname: node-1}\n"
            "      affinity: {podAntiAffinity: "
            f"{{{REQUIRED}: [{near('db', HOST)}]}}}}",
        )
    )
    assert said(made, "web") == {
        (
            "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
            "1 node(s) didn't match pod anti-affinity rules, 1 node(s) had untolerated taint(s). "
            f"{HELPLESS}0/3 nodes are available: 1 node(s) didn't match pod anti-affinity rules, "
            "2 Preemption is not helpful for scheduling."
        )
    }


def test_the_usual_class() -> None:
    """globalDefault: what names no class has its priority, and may be refused to preempt."""
    usual = klass("usual", 10, "globalDefault: true\npreemptionPolicy: Never\n")
    made = cluster(
        THREE
        + usual
        + klass("low", -5)
        + asking("low", 2, "{requests: {cpu: 3}}", more="priorityClassName: low")
        + asking("web", 1, "{requests: {cpu: 3}}")
    )
    assert placed(made, "web") == {"": 1}
    assert "not eligible due to preemptionPolicy=Never." in said(made, "web").pop()


def test_a_class_counts_when_the_input_is_complete() -> None:
    text = THREE + deployment("web", 1, more="priorityClassName: high")
    assert len(cluster(text).pods) == 1
    assert len(cluster(text + HIGH, complete=True).pods) == 1
    made = cluster(text, complete=True)
    assert not made.pods
    assert "no PriorityClass with name high was found" in made.remarks[0].text
