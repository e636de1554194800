"""Pods that are not made, or stay: quotas, limits, accounts, claims, what kubelets report.

Sources stand in k8stui/apiserver/admission.py, k8stui/cluster/scheduling/claims.py, kubelet.py.
"""

from __future__ import annotations

import pytest
from cluster.objects import cluster, deployment, service

from k8stui.apiserver import quantity
from k8stui.cluster import Cluster
from k8stui.cluster.kubelet import PodState
from k8stui.cluster.model import PodPhase

NODES = "".join(
    f"---\napiVersion: v1\nkind: Node\nmetadata: {{name: node-{n}}}\n"
    "status: {capacity: {cpu: 4, memory: 8Gi, pods: 110}}\n"
    for n in (1, 2)
)
ACCOUNT = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot}\n"


def quota(hard: str, more: str = "") -> str:
    return (
        "---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\n"
        f"spec: {{hard: {{{hard}}}{more}}}\n"
    )


def limits(entry: str) -> str:
    return (
        "---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: l}\n"
        f"spec: {{limits: [{{{entry}}}]}}\n"
    )


def asking(resources: str) -> str:
    return deployment("web", 3).replace("image: nginx,", f"image: nginx, resources: {resources},")


def why(made: Cluster) -> str:
    return made.remarks[0].text if made.remarks else ""


QUOTAS = {
    "pods": (
        quota("pods: 2") + deployment("web", 3),
        2,
        (
            "Deployment web gets 2 of 3 pods: exceeded quota: q, requested: pods=1, used: pods=2, "
            "limited: pods=2"
        ),
    ),
    "requests": (
        quota("requests.cpu: '1', limits.memory: 1Gi")
        + asking("{requests: {cpu: 400m}, limits: {memory: 256Mi}}"),
        2,
        (
            "Deployment web gets 2 of 3 pods: exceeded quota: q, requested: requests.cpu=400m, "
            "used: requests.cpu=800m, limited: requests.cpu=1"
        ),
    ),
    "nothing asked for": (
        quota("cpu: 4, limits.memory: 1Gi") + deployment("web", 3),
        0,
        "Deployment web gets 0 of 3 pods: failed quota: q: must specify cpu,limits.memory for: c",
    ),
    "of others": (quota("pods: 1").replace("name: q", "name: q, namespace: a"), 3, ""),
    "of pods that end": (quota("pods: 1", ", scopes: [Terminating]"), 3, ""),
    "of pods that ask for nothing": (
        quota("pods: 1", ", scopes: [BestEffort]"),
        1,
        (
            "Deployment web gets 1 of 3 pods: exceeded quota: q, requested: pods=1, used: pods=1, "
            "limited: pods=1"
        ),
    ),
    "too much": (
        limits("type: Container, max: {cpu: 1}") + asking("{limits: {cpu: 2}}"),
        0,
        "Deployment web gets 0 of 3 pods: maximum cpu usage per Container is 1, but limit is 2",
    ),
    "too little": (
        limits("type: Container, min: {memory: 64Mi}") + asking("{requests: {memory: 32Mi}}"),
        0,
        (
            "Deployment web gets 0 of 3 pods: minimum memory usage per Container is 64Mi, "
            "but request is 32Mi"
        ),
    ),
    "more than its share": (
        limits("type: Container, maxLimitRequestRatio: {cpu: 2}")
        + asking("{limits: {cpu: 1}, requests: {cpu: 250m}}"),
        0,
        (
            "Deployment web gets 0 of 3 pods: cpu max limit to request ratio per Container is 2, "
            "but provided ratio is 4.000000"
        ),
    ),
    "too much of two things": (
        limits("type: Container, max: {cpu: 1, memory: 1Gi}")
        + asking("{limits: {cpu: 2, memory: 2Gi}}"),
        0,
        (
            "Deployment web gets 0 of 3 pods: [maximum cpu usage per Container is 1, but limit is "
            "2, maximum memory usage per Container is 1Gi, but limit is 2Gi]"
        ),
    ),
    "limits filled in": (limits("type: Container, max: {cpu: 2}"), 3, ""),
    "the pod as a whole": (
        limits("type: Pod, max: {cpu: 1}") + asking("{limits: {cpu: 1500m}}"),
        0,
        "Deployment web gets 0 of 3 pods: maximum cpu usage per Pod is 1, but limit is 1500m",
    ),
}


@pytest.mark.parametrize("name", QUOTAS)
def test_pods_that_are_not_made(name: str) -> None:
    text, count, said = QUOTAS[name]
    made = cluster(text if "kind: Deployment" in text else text + deployment("web", 3))
    assert len(made.pods) == count
    assert why(made) == said


@pytest.mark.parametrize(
    ("entry", "running"),
    [
        ("type: Container, defaultRequest: {cpu: 3}", 2),
        ("type: Container, default: {cpu: 3}", 2),
        ("type: Container, default: {cpu: 3}, defaultRequest: {cpu: 1}", 3),
        ("type: PersistentVolumeClaim, max: {storage: 1Gi}", 3),
    ],
)
def test_requests_that_are_filled_in_decide_where_pods_fit(entry: str, running: int) -> None:
    made = cluster(NODES + limits(entry) + deployment("web", 3))
    assert sum(pod.node_name is not None for pod in made.pods.values()) == running


def test_an_account_counts_when_the_input_is_complete() -> None:
    text = deployment("web", 2, more="serviceAccountName: robot")
    assert len(cluster(text).pods) == 2
    assert len(cluster(text + ACCOUNT, complete=True).pods) == 2
    made = cluster(text, complete=True)
    assert not made.pods
    assert why(made) == (
        "Deployment web gets 0 of 2 pods: error looking up service account default/robot: "
        'serviceaccount "robot" not found'
    )


def test_a_namespace_counts_when_the_input_is_complete() -> None:
    text = deployment("web", namespace="a") + service("web", namespace="a")
    assert len(cluster(text).pods) == 1
    made = cluster(text, complete=True)
    assert not made.pods
    assert "a/web" not in made.services
    space = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"
    assert len(cluster(space + text, complete=True).pods) == 1


VOLUME = "volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]"
CLAIM = (
    "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {accessModes: "
    "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
)
VOLUMES = "---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec: "
STORAGE = "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: "
UNBOUND = "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
CLAIMS = {
    "missing": ("", '0/2 nodes are available: persistentvolumeclaim "c" not found. not found'),
    "unbound": (CLAIM, UNBOUND),
    "volume": (
        CLAIM + VOLUMES + "{capacity: {storage: 2Gi}, accessModes: [ReadWriteOnce]}\n",
        "",
    ),
    "small volume": (
        CLAIM + VOLUMES + "{capacity: {storage: 1G}, accessModes: [ReadWriteOnce]}\n",
        UNBOUND,
    ),
    "volume of another mode": (
        CLAIM + VOLUMES + "{capacity: {storage: 1Gi}, accessModes: [ReadOnlyMany]}\n",
        UNBOUND,
    ),
    "volume of another class": (
        CLAIM
        + VOLUMES
        + "{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: fast}\n",
        UNBOUND,
    ),
    "default class": (
        CLAIM
        + STORAGE
        + "{name: s, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}\n"
        "provisioner: example.com/disk\n",
        "",
    ),
    "class that is not asked for": (
        CLAIM + STORAGE + "{name: s}\nprovisioner: example.com/disk\n",
        UNBOUND,
    ),
    "nobody provisions": (
        CLAIM.replace("spec: {", "spec: {storageClassName: s, ")
        + STORAGE
        + "{name: s}\nprovisioner: kubernetes.io/no-provisioner\n",
        UNBOUND,
    ),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_claims(name: str) -> None:
    text, said = CLAIMS[name]
    made = cluster(text + deployment("web", more=VOLUME), complete=True)
    assert made.pods["default/web-1"].pending_reason == said
    alone = cluster(text + deployment("web", more=VOLUME)).pods["default/web-1"].pending_reason
    assert ("StorageClass s makes none" in alone) is (name == "nobody provisions"), alone


PLACED_NODES = "".join(
    f"---\napiVersion: v1\nkind: Node\nmetadata: {{name: {name}, labels: {{disk: {name}, "
    f"topology.kubernetes.io/zone: z{name}}}}}\n"
    for name in "ab"
)
LATE = STORAGE + (
    "{name: s}\nprovisioner: example.com/disk\nvolumeBindingMode: WaitForFirstConsumer\n"
)
LOCAL = LATE.replace("example.com/disk", "kubernetes.io/no-provisioner")
OF_CLASS = CLAIM.replace("spec: {", "spec: {storageClassName: s, ")
ON = (
    "{{capacity: {{storage: 1Gi}}, accessModes: [ReadWriteOnce], storageClassName: {of}, "
    "nodeAffinity: {{required: {{nodeSelectorTerms: [{{matchExpressions: "
    "[{{key: disk, operator: In, values: [{disk}]}}]}}]}}}}}}\n"
)
NO_HELP = (
    ". no new claims to deallocate, preemption: 0/2 nodes are available: "
    "2 Preemption is not helpful for scheduling."
)
PLACES = {
    "bound volume": (CLAIM + VOLUMES + ON.format(of="''", disk="b"), "b", ""),
    "bound volume of no node": (
        CLAIM + VOLUMES + ON.format(of="''", disk="c"),
        None,
        "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity"
        + NO_HELP,
    ),
    "zone of a volume": (
        CLAIM
        + VOLUMES.replace("{name: v}", "{name: v, labels: {topology.kubernetes.io/zone: zb}}")
        + "{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce]}\n",
        "b",
        "",
    ),
    "zone of no node": (
        CLAIM
        + VOLUMES.replace("{name: v}", "{name: v, labels: {topology.kubernetes.io/zone: zc__zd}}")
        + "{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce]}\n",
        None,
        "0/2 nodes are available: 2 node(s) had no available volume zone" + NO_HELP,
    ),
    "late binding": (OF_CLASS + LOCAL + VOLUMES + ON.format(of="s", disk="b"), "b", ""),
    "late binding, nothing free": (
        OF_CLASS + LOCAL + VOLUMES + ON.format(of="s", disk="c"),
        None,
        "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind"
        + NO_HELP,
    ),
    "late binding, one is made": (OF_CLASS + LATE, "a", ""),
    "late binding, made where allowed": (
        OF_CLASS
        + LATE
        + "allowedTopologies: [{matchLabelExpressions: [{key: disk, values: [b]}]}]\n",
        "b",
        "",
    ),
    "reserved volume": (
        OF_CLASS
        + LATE
        + VOLUMES
        + ON.format(of="s", disk="b").replace(
            "{capacity", "{claimRef: {namespace: default, name: c}, capacity", 1
        ),
        "b",
        "",
    ),
    "volume reserved for another": (
        OF_CLASS
        + LOCAL
        + VOLUMES
        + ON.format(of="s", disk="b").replace(
            "{capacity", "{claimRef: {namespace: default, name: d}, capacity", 1
        ),
        None,
        "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind"
        + NO_HELP,
    ),
    "lost": (
        CLAIM.replace("resources", "volumeName: gone, resources") + "status: {phase: Lost}\n",
        None,
        (
            '0/2 nodes are available: persistentvolumeclaim "c" bound to non-existent '
            'persistentvolume "gone". not found'
        ),
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_where_volumes_are(name: str) -> None:
    text, node, said = PLACES[name]
    made = cluster(text + PLACED_NODES + deployment("web", more=VOLUME), complete=True)
    pod = made.pods["default/web-1"]
    assert (pod.node_name, pod.pending_reason) == (node, said)


def test_pods_that_share_a_claim_meet_at_its_volume() -> None:
    text = OF_CLASS + LOCAL + VOLUMES + ON.format(of="s", disk="b") + PLACED_NODES
    made = cluster(text + deployment("web", 3, more=VOLUME), complete=True)
    assert {pod.node_name for pod in made.pods.values()} == {"b"}


def test_claims_of_a_stateful_set() -> None:
    """Each pod has its own; the second pod waits for the first."""
    text = deployment("db", 2, kind="StatefulSet").replace(
        "spec:\n  replicas",
        "spec:\n  volumeClaimTemplates: [{metadata: {name: v}, spec: {accessModes: "
        "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]\n  replicas",
    )
    volume = VOLUMES + "{capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce]}\n"
    assert [p.pending_reason for p in cluster(text, complete=True).pods.values()] == [UNBOUND]
    one = cluster(text + volume, complete=True)
    assert [p.pending_reason for p in one.pods.values()] == ["", UNBOUND]


def test_what_kubelets_report() -> None:
    text = deployment("web", 2) + deployment("db", 2, kind="StatefulSet") + service("web")
    states = (
        PodState(pod="web-2", ready=False),
        PodState(owner="db", labels={"apps.kubernetes.io/pod-index": "0"}, ready=False),
    )
    made = cluster(text, states=states)
    assert {pod.name: pod.ready for pod in made.pods.values()} == {
        "web-1": True,
        "web-2": False,
        "db-0": False,
    }
    [found] = made.endpoint_slices["default/web"]
    assert [endpoint.ready for endpoint in found.endpoints] == [True, False]


def test_a_job_that_ends() -> None:
    job = (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\n"
        "spec: {completions: 5, parallelism: 2, template: {metadata: {labels: {app: j}}, "
        "spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}\n"
    )
    assert len(cluster(job).pods) == 2
    ended = cluster(
        job + service("j"), states=(PodState(owner_kind="Job", phase=PodPhase.SUCCEEDED),)
    )
    assert [pod.phase for pod in ended.pods.values()] == [PodPhase.SUCCEEDED] * 5
    [found] = ended.endpoint_slices["default/j"]
    assert not found.endpoints


def test_a_paused_deployment_has_no_pods() -> None:
    made = cluster(deployment("web", 3).replace("replicas: 3", "replicas: 3\n  paused: true"))
    assert not made.pods
    assert why(made) == "Deployment web wants 3 pods: it is paused, none is made"


@pytest.mark.parametrize(
    ("written", "shown"),
    [("1500m", "1500m"), ("2", "2"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("0", "0")],
)
def test_quantities_are_shown_as_written(written: str, shown: str) -> None:
    assert quantity.show(quantity.parse(written)) == shown


def test_what_was_made_before_a_quota_stays() -> None:
    """It counts as used; what comes behind the quota gets what is left."""
    made = cluster(deployment("first", 2) + quota("pods: 3") + deployment("second", 2))
    assert [pod.name for pod in made.pods.values()] == ["first-1", "first-2", "second-1"]
    late = cluster(deployment("first", 2) + quota("pods: 1"))
    assert len(late.pods) == 2


def test_limits_count_for_what_comes_behind_them() -> None:
    made = cluster(
        NODES
        + deployment("first", 3)
        + limits("type: Container, defaultRequest: {cpu: 3}")
        + deployment("second", 3)
    )
    assert [pod.name for pod in made.pods.values() if pod.node_name is None] == ["second-3"]


def test_a_namespace_has_to_come_first() -> None:
    space = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"
    text = deployment("web", namespace="a")
    assert len(cluster(space + text, complete=True).pods) == 1
    assert not cluster(text + space, complete=True).pods


def test_a_stateful_set_with_a_long_name() -> None:
    assert len(cluster(deployment("d" * 52, 1, kind="StatefulSet")).pods) == 1
    made = cluster(deployment("d" * 55, 1, kind="StatefulSet"))
    assert not made.pods
    assert "is no label" in why(made)
