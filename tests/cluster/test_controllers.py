"""Jobs, StatefulSets and autoscalers: how many pods, which hostnames, which DNS names."""

from __future__ import annotations

import pytest
from cluster.objects import cluster, deployment, service

from k8stui.cluster.names import resolve


def autoscaler(bounds: str, name: str = "web", kind: str = "Deployment") -> str:
    return (
        "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
        f"metadata: {{name: auto}}\nspec: {{{bounds}, scaleTargetRef: "
        f"{{apiVersion: apps/v1, kind: {kind}, name: {name}}}}}\n"
    )


def job(spec: str, name: str = "sum") -> str:
    return (
        f"---\napiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec: {{{spec}, "
        "template: {metadata: {labels: {app: sum}}, spec: {subdomain: sums, restartPolicy: Never, "
        "containers: [{name: c, image: x}]}}}\n"
    )


@pytest.mark.parametrize(
    ("replicas", "bounds", "pods", "told"),
    [
        (1, "minReplicas: 3, maxReplicas: 5", 3, True),
        (9, "minReplicas: 3, maxReplicas: 5", 5, True),
        (4, "minReplicas: 3, maxReplicas: 5", 4, False),
        (1, "maxReplicas: 5", 1, False),
        (0, "minReplicas: 3, maxReplicas: 5", 0, False),
    ],
)
def test_an_autoscaler_keeps_its_bounds(replicas: int, bounds: str, pods: int, told: bool) -> None:
    """horizontal.go reconcileAutoscaler: without any metric; 0 replicas switch it off."""
    made = cluster(deployment("web", replicas) + autoscaler(bounds))
    assert len(made.pods) == pods
    said = [f"HorizontalPodAutoscaler auto gives Deployment web {pods} replicas"] if told else []
    assert [remark.text for remark in made.remarks] == said


def test_an_autoscaler_of_a_statefulset_and_of_somebody_else() -> None:
    made = cluster(
        deployment("db", 1, kind="StatefulSet")
        + deployment("web", 1)
        + autoscaler("minReplicas: 2, maxReplicas: 4", "db", "StatefulSet")
    )
    assert list(made.pods) == ["default/db-0", "default/db-1", "default/web-1"]


@pytest.mark.parametrize(
    ("spec", "pods"),
    [
        ("completions: 5, parallelism: 2", 2),
        ("completions: 1, parallelism: 3", 1),
        ("parallelism: 3", 3),
        ("completions: 3", 1),
        ("parallelism: 0", 0),
        ("completions: 3, parallelism: 3, suspend: true", 0),
    ],
)
def test_pods_of_a_job_at_one_time(spec: str, pods: int) -> None:
    assert len(cluster(job(spec)).pods) == pods


def test_hostnames_of_an_indexed_job() -> None:
    """job_controller.go manageJob: NAME-INDEX; with a headless Service each has a DNS name."""
    head = service("sums", "clusterIP: None").replace("app: sums", "app: sum")
    made = cluster(head + job("completionMode: Indexed, completions: 2, parallelism: 2"))
    pods = list(made.pods.values())
    assert [pod.hostname for pod in pods] == ["sum-0", "sum-1"]
    assert resolve(made, "sum-1.sums", pods[0]).addresses == pods[1].addresses


@pytest.mark.parametrize("manual", [True, False])
def test_labels_of_a_job_with_a_selector_of_its_own(manual: bool) -> None:
    """batch/job/strategy.go: generateSelector is what writes them."""
    own = "manualSelector: true, selector: {matchLabels: {app: sum}}"
    (pod,) = cluster(job(own if manual else "completions: 1")).pods.values()
    assert ("job-name" in pod.labels) is not manual
    assert pod.labels["app"] == "sum"


def test_ordinals_that_start_elsewhere() -> None:
    text = deployment("db", 2, kind="StatefulSet")
    made = cluster(text.replace("replicas: 2", "replicas: 2\n  ordinals: {start: 5}"))
    assert list(made.pods) == ["default/db-5", "default/db-6"]
    pod = made.pods["default/db-6"]
    assert (pod.hostname, pod.labels["apps.kubernetes.io/pod-index"]) == ("db-6", "6")
