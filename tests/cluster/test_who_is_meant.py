"""Whom a policy and its peers mean is the same, whoever asks: of a pod, of all pods, of sets."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from k8stui.apiserver import apply
from k8stui.cluster.build import build
from k8stui.cluster.judgement import Ask, Judgement
from k8stui.cluster.model import Cluster
from k8stui.cluster.policy import read_block
from k8stui.cluster.selection import Selection, ruling, subject
from k8stui.kernel.address import Address
from k8stui.kernel.packet import Protocol
from k8stui.reach.relations import Actor, Relations, bits

LABELS = st.fixed_dictionaries(
    {}, optional={"fruit": st.sampled_from(["plum", "pear"]), "ripe": st.sampled_from(["yes", ""])}
)
SELECTORS = st.one_of(
    st.just({}),
    st.builds(lambda wanted: {"matchLabels": wanted}, LABELS),
    st.just({"matchExpressions": [{"key": "ripe", "operator": "Exists"}]}),
    st.just({"matchExpressions": [{"key": "fruit", "operator": "NotIn", "values": ["plum"]}]}),
)
SPACES = ("orchard", "cellar")
SPACE_SELECTORS = st.sampled_from(
    (
        {},
        {"matchLabels": {"cool": "yes"}},
        {"matchLabels": {"kubernetes.io/metadata.name": "orchard"}},
    )
)
BLOCKS = st.sampled_from(
    (
        {"cidr": "10.244.1.0/24"},
        {"cidr": "10.244.0.0/16", "except": ["10.244.1.0/30", "10.244.2.3/32"]},
        {"cidr": "0.0.0.0/0", "except": ["10.244.2.0/24"]},
        {"cidr": "fd00::/8"},
    )
)
PEERS = st.one_of(
    st.builds(lambda pods: {"podSelector": pods}, SELECTORS),
    st.builds(lambda spaces: {"namespaceSelector": spaces}, SPACE_SELECTORS),
    st.builds(
        lambda pods, spaces: {"podSelector": pods, "namespaceSelector": spaces},
        SELECTORS,
        SPACE_SELECTORS,
    ),
    st.builds(lambda block: {"ipBlock": block}, BLOCKS),
)
PODS = st.lists(st.tuples(st.sampled_from(SPACES), LABELS), min_size=1, max_size=5)


def _cluster(pods: list[tuple[str, Any]], selector: object, peer: object) -> Cluster:
    spaces: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "orchard"}},
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "cellar", "labels": {"cool": "yes"}},
        },
    ]
    made: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{number}", "namespace": space, "labels": labels},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        }
        for number, (space, labels) in enumerate(pods)
    ]
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "some", "namespace": "orchard"},
        "spec": {"podSelector": selector, "ingress": [{"from": [peer]}]},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.json"
        items = [*spaces, *made, policy]
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        read = apply([str(path)])
        assert not read.problems
        return build(read)


@settings(max_examples=150, deadline=None)
@given(PODS, SELECTORS, PEERS)
def test_all_who_ask_get_the_same_answer(
    pods: list[tuple[str, Any]], selector: object, peer: object
) -> None:
    cluster = _cluster(pods, selector, peer)
    (policy,) = cluster.policies
    (rule,) = policy.ingress
    everybody = list(cluster.pods.values())
    selection, judgement = Selection(cluster), Judgement(cluster)
    relations = Relations(cluster, [Actor(pod.addresses, pod) for pod in everybody])

    ruled = {pod.key for pod in everybody if ruling(cluster, pod)}
    assert {pod.key for pod in selection.pods(subject(policy))} == ruled
    told = {
        place: relations.incoming_from(place, [Address.parse("192.0.2.1")]) != 0
        for place in range(len(everybody))
    }
    assert {everybody[place].key for place, is_ruled in told.items() if is_ruled} == ruled

    ask = Ask(80, Protocol.TCP, None)
    meant = {
        pod.key
        for pod in everybody
        if judgement.fits(policy, rule, judgement.peer(pod, None, ""), ask) is True
    }
    (one,) = rule.peers
    if one.selects_pods:
        assert {pod.key for pod in selection.peer(policy, one)} == meant
    else:
        assert not list(selection.peer(policy, one))
        assert {p.key for p in everybody if one.block and p.addresses[0] in one.block} == meant
    for place, pod in enumerate(everybody):
        if pod.key in ruled:
            # Sets may be finer than what is meant, never coarser.
            for mask, _ in relations.incoming(place):
                assert len({everybody[n].key in meant for n in bits(mask)}) == 1


def test_what_cannot_be_read_holds_nobody_and_leaves_nobody_out() -> None:
    address = Address.parse("10.0.0.1")
    assert address not in read_block("10.0.0.0/40")
    assert address in read_block("10.0.0.0/8", ["ten.0.0.0/8"])
    assert address not in read_block("10.0.0.0/8", ["10.0.0.0/24"])
    assert None not in read_block("0.0.0.0/0")
    assert str(read_block("10.0.0.0/8", ["x"])) == "10.0.0.0/8 except x"
