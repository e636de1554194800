"""What a real control plane made of manifests, against what is made of them here.

Three ways to each recorded fact: from the manifests alone (with the set's nodes), from the dump,
and, for endpoints, from the dump's pods with its slices taken away.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cluster import recorded
from cluster.recorded import Moment

from k8stui.cluster.model import Cluster

ALL = recorded.moments()
APPLIED = [moment for moment in ALL if moment.inputs() is not None]

_HISTORY = "slices stay when the selector is taken away: that is history, not state"

NOT_REACHED = {
    "controller service-types:default/fixed-ip": _HISTORY,
}
"""What is not reached, by test and case: each fails, and is to be taken out when it passes."""


def marks(case: str) -> list[pytest.MarkDecorator]:
    reason = NOT_REACHED.get(case)
    return [pytest.mark.xfail(strict=True, reason=reason)] if reason else []


def cases(moments: list[Moment], part: str, test: str) -> Iterator[object]:
    for moment in moments:
        for namespace, by_name in moment.json("stable")[part].items():
            for name, wanted in by_name.items():
                if name == "kubernetes" and moments is APPLIED:
                    continue  # no manifest declares it, and the nodes are given
                if test == "controller" and all(" by " in group for group in wanted):
                    continue  # made by hand
                case = f"{moment}:{namespace}/{name}"
                yield pytest.param(moment, namespace, name, id=case, marks=marks(f"{test} {case}"))


def check_pods(cluster: Cluster, moment: Moment, namespace: str, name: str) -> None:
    wanted = dict(moment.json("stable")["pods"][namespace][name])
    members = recorded.pods(cluster)[namespace, name]
    made = recorded.stable_pods(members, wanted)
    wanted.pop("tolerations")
    assert recorded.agrees(wanted, made), (wanted, made)


def check_slices(cluster: Cluster, moment: Moment, namespace: str, name: str) -> None:
    wanted = moment.json("stable")["endpointSlices"][namespace][name]
    made = recorded.stable_slices(cluster, cluster.endpoint_slices[f"{namespace}/{name}"])
    wanted = {key: recorded.resolved(group) for key, group in wanted.items()}
    assert recorded.agrees(wanted, made), (wanted, made)


def check_service(cluster: Cluster, moment: Moment, namespace: str, name: str) -> None:
    wanted = dict(moment.json("stable")["services"][namespace][name]["spec"])
    wanted.pop("loadBalancerIP", None)  # nothing in the cluster looks at it
    made = recorded.spec(cluster.services[f"{namespace}/{name}"])
    assert recorded.agrees(wanted, made), (wanted, made)


@pytest.mark.parametrize(("moment", "namespace", "name"), cases(APPLIED, "pods", "pods"))
def test_pods(moment: Moment, namespace: str, name: str) -> None:
    check_pods(recorded.from_manifests(moment), moment, namespace, name)


@pytest.mark.parametrize(("moment", "namespace", "name"), cases(APPLIED, "services", "service"))
def test_service(moment: Moment, namespace: str, name: str) -> None:
    check_service(recorded.from_manifests(moment), moment, namespace, name)


@pytest.mark.parametrize(
    ("moment", "namespace", "name"), cases(APPLIED, "endpointSlices", "slices")
)
def test_slices(moment: Moment, namespace: str, name: str) -> None:
    check_slices(recorded.from_manifests(moment), moment, namespace, name)


@pytest.mark.parametrize(
    "moment",
    [pytest.param(m, id=str(m), marks=marks(f"nothing more {m}")) for m in APPLIED],
)
def test_nothing_more_from_manifests(moment: Moment) -> None:
    cluster = recorded.from_manifests(moment)
    stable = moment.json("stable")
    known = {(ns, name) for ns, of in stable["pods"].items() for name in of}
    assert set(recorded.pods(cluster)) <= known
    slices = {f"{ns}/{name}" for ns, of in stable["endpointSlices"].items() for name in of}
    assert set(cluster.endpoint_slices) <= slices


@pytest.mark.parametrize("moment", APPLIED, ids=str)
def test_message_in_full(moment: Moment) -> None:
    """Pending pods of one workload say exactly what the scheduler said, to the full stop."""
    made = recorded.pods(recorded.from_manifests(moment))
    for namespace, by_name in moment.json("compact")["pods"].items():
        for name, members in by_name.items():
            said = {(pod.get("unschedulable") or {}).get("condition") or "" for pod in members}
            said = {text for text in said if "no new claims" in text}
            if said and f"pods {moment}:{namespace}/{name}" not in NOT_REACHED:
                reasons = {pod.pending_reason for pod in made[namespace, name]}
                assert reasons - {""} == said


@pytest.mark.parametrize(("moment", "namespace", "name"), cases(ALL, "pods", "dump pods"))
def test_pods_of_dump(moment: Moment, namespace: str, name: str) -> None:
    check_pods(recorded.from_dump(moment), moment, namespace, name)


@pytest.mark.parametrize(("moment", "namespace", "name"), cases(ALL, "services", "dump service"))
def test_service_of_dump(moment: Moment, namespace: str, name: str) -> None:
    check_service(recorded.from_dump(moment), moment, namespace, name)


@pytest.mark.parametrize(
    ("moment", "namespace", "name"), cases(ALL, "endpointSlices", "dump slices")
)
def test_slices_of_dump(moment: Moment, namespace: str, name: str) -> None:
    check_slices(recorded.from_dump(moment), moment, namespace, name)


@pytest.mark.parametrize(
    ("moment", "namespace", "name"), cases(ALL, "endpointSlices", "controller")
)
def test_slices_of_observed_pods(moment: Moment, namespace: str, name: str) -> None:
    wanted = moment.json("stable")["endpointSlices"][namespace][name]
    by_controller = {
        key: recorded.resolved(group) for key, group in wanted.items() if " by " not in key
    }
    cluster = recorded.from_dump_without_slices(moment)
    slices = cluster.endpoint_slices[f"{namespace}/{name}"]
    made = recorded.stable_slices(cluster, slices)
    assert recorded.agrees(by_controller, made), (by_controller, made)
