"""Whom policies let through, judged by kinds of pairs: as if each pair were asked alone."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from k8stui.check.admission import Admission
from k8stui.check.check import check
from k8stui.cluster.judgement import Ask, Judgement
from k8stui.cluster.model import Pod
from k8stui.cluster.policy import Direction
from k8stui.kernel.packet import Protocol
from k8stui.walk.world import World, build_world

LABELS = st.fixed_dictionaries(
    {}, optional={"job": st.sampled_from(["oven", "shop"]), "open": st.just("yes")}
)
SELECTORS = st.one_of(
    st.just({}),
    st.builds(lambda wanted: {"matchLabels": wanted}, LABELS),
    st.just({"matchExpressions": [{"key": "open", "operator": "Exists"}]}),
)
SPACES = st.sampled_from(({}, {"matchLabels": {"kubernetes.io/metadata.name": "mill"}}))
PEERS = st.one_of(
    st.builds(lambda pods: {"podSelector": pods}, SELECTORS),
    st.builds(lambda s, p: {"namespaceSelector": s, "podSelector": p}, SPACES, SELECTORS),
    st.builds(
        lambda cidr: {"ipBlock": {"cidr": cidr}},
        st.sampled_from(("10.244.1.0/24", "10.244.0.0/16", "0.0.0.0/0", "10.244.2.2/32")),
    ),
)
PORTS = st.lists(st.sampled_from(({"port": 80}, {"port": "web"}, {"port": 81})), max_size=2)


def _rules(field: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    rule = st.builds(
        lambda peers, ports: {field: peers, "ports": ports}, st.lists(PEERS, max_size=2), PORTS
    )
    return st.lists(rule, max_size=2)


POLICIES = st.lists(
    st.builds(
        lambda space, pods, types, inward, outward: {
            "namespace": space,
            "spec": {
                "podSelector": pods,
                "policyTypes": types,
                **({"ingress": inward} if "Ingress" in types else {}),
                **({"egress": outward} if "Egress" in types else {}),
            },
        },
        st.sampled_from(("default", "mill")),
        SELECTORS,
        st.sampled_from((["Ingress"], ["Egress"], ["Ingress", "Egress"])),
        _rules("from"),
        _rules("to"),
    ),
    max_size=3,
)
PODS = st.lists(
    st.tuples(st.sampled_from(("default", "mill")), LABELS, st.booleans()), min_size=1, max_size=6
)


def _pod(name: str, space: str, labels: dict[str, str], has_port: bool) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "c", "image": "i"}
    if has_port:
        container["ports"] = [{"name": "web", "containerPort": 80}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": space, "labels": labels},
        "spec": {"containers": [container]},
    }


def _world(items: list[dict[str, Any]]) -> World:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    return build_world(["-"], stdin=BytesIO(text.encode()))


@settings(max_examples=60, deadline=None)
@given(PODS, POLICIES)
def test_as_each_pair_alone(pods: list[Any], policies: list[Any]) -> None:
    items = [_pod(f"p{n}", *one) for n, one in enumerate(pods)]
    items += [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"n{n}", "namespace": one["namespace"]},
            "spec": one["spec"],
        }
        for n, one in enumerate(policies)
    ]
    cluster = _world(items).cluster
    judgement = Judgement(cluster)
    everybody = tuple(cluster.pods.values())
    clients = everybody[1:]
    admission = Admission(judgement, clients)

    def out(client: Pod, ask: Ask, server: Pod) -> bool:
        peer = judgement.peer(server, None, "")
        return judgement.of(Direction.EGRESS, client, peer, ask).allowed is True

    def let(client: Pod, ask: Ask, server: Pod) -> bool:
        peer = judgement.peer(client, None, "")
        inward = judgement.of(Direction.INGRESS, server, peer, ask).allowed is True
        return inward and out(client, ask, server)

    for server in everybody:
        for number in (80, 81):
            ask = Ask(number, Protocol.TCP, server)
            may = [one for one in clients if let(one, ask, server)]
            assert admission.first(server, ask, ()) is next(iter(may), None)
            assert admission.first(server, ask, {may[0].key} if may else ()) is next(
                iter(may[1:]), None
            )
            kept = admission.kept(server, ask)
            assert all(
                bool(kept & admission.bit(one)) is not out(one, ask, server) for one in everybody
            )


def test_how_many_are_judged_grows_with_the_services(monkeypatch: Any) -> None:
    """Not with Services x pods: nobody who is known is let in anywhere."""

    def judged(size: int) -> int:
        items: list[dict[str, Any]] = []
        for n in range(size):
            items.append(_pod(f"p{n}", "default", {"job": f"j{n}"}, has_port=True))
            spec = {"selector": {"job": f"j{n}"}, "ports": [{"port": 80}]}
            items.append(
                {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"s{n}"}, "spec": spec}
            )
            policy = {
                "podSelector": {"matchLabels": {"job": f"j{n}"}},
                "ingress": [{"from": [{"podSelector": {"matchLabels": {"job": "stranger"}}}]}],
                "egress": [{"to": [{"podSelector": {"matchLabels": {"job": f"j{n // 2}"}}}]}],
                "policyTypes": ["Ingress", "Egress"],
            }
            items.append(
                {
                    "apiVersion": "networking.k8s.io/v1",
                    "kind": "NetworkPolicy",
                    "metadata": {"name": f"n{n}"},
                    "spec": policy,
                }
            )
        world = _world(items)
        asked = 0
        real = Judgement.of

        def counted(*args: Any) -> Any:
            nonlocal asked
            asked += 1
            return real(*args)

        with monkeypatch.context() as patched:
            patched.setattr(Judgement, "of", counted)
            assert {one.rule for one in check(world, ["-"])} >= {"policy-denial"}
        return asked

    assert judged(80) <= 5 * judged(20)
