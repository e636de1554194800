"""Calico's own policies: their selectors, Felix's rules for them, and who gets through."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from manifests_of import pod, service
from nodes.policy.calico_policies import OWN, Manifest, objects, of_calico
from reach.test_brute_force import CLUSTERS, _objects, differences
from reach.test_changes import world_of as random_world

from k8stui.cluster.expression import Expression, ExpressionError, parse
from k8stui.cluster.judgement import Ask
from k8stui.cluster.policy import Direction
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol
from k8stui.nodes.options import NodeOptions
from k8stui.walk.policies import Policies
from k8stui.walk.policy_change import smallest_change
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk, walks
from k8stui.walk.world import World, build_world

KEYS = st.sampled_from(["a", "b.io/c", "in", "has", "not-in"])
VALUES = st.text("xyz-' ", max_size=3)
BLANK = st.sampled_from(["", " ", " \t "])
Said = tuple[str, Expression]


def quoted(value: str) -> str:
    return f'"{value}"' if "'" in value else f"'{value}'"


@st.composite
def terms(draw: st.DrawFn) -> Said:
    """How somebody may write a term, and what it is."""
    key, blank = draw(KEYS), draw(BLANK)
    how = draw(
        st.sampled_from(["==", "!=", "contains", "starts with", "endswith", "in", "notin", "has"])
    )
    if how == "has":
        return f"has({blank}{key}{blank})", Expression("has", key)
    if how in ("in", "notin"):
        values = draw(st.lists(VALUES, max_size=3))
        listed = f"{blank},".join(map(quoted, values))
        known = Expression("in" if how == "in" else "not in", key, tuple(sorted({*values})))
        return f"{key} {how}{blank}{{{listed}{blank}}}", known
    value = draw(VALUES)
    usual = "ends with" if how == "endswith" else how
    return f"{key} {how}{blank}{quoted(value)}", Expression(usual, key, (value,))


def joined(below: st.SearchStrategy[Said]) -> st.SearchStrategy[Said]:
    def of(how: str, parts: list[Said]) -> Said:
        text = f" {how} ".join(f"({one})" for one, _ in parts)
        return text, Expression(how, parts=tuple(one for _, one in parts))

    several = st.lists(below, min_size=2, max_size=3)
    negated = st.builds(lambda one: (f"!({one[0]})", Expression("!", parts=(one[1],))), below)
    return st.one_of(st.builds(of, st.sampled_from(["&&", "||"]), several), negated)


@settings(max_examples=30, deadline=None)
@given(
    st.recursive(st.one_of(terms(), st.just(("all()", Expression("all()")))), joined, max_leaves=6),
    st.dictionaries(KEYS, VALUES),
)
def test_selectors(said: Said, labels: dict[str, str]) -> None:
    text, known = said
    read = parse(text)
    assert read == known
    assert parse(str(read)).holds(labels) is read.holds(labels), "what is printed means the same"
    if read.holds(labels):
        assert all(labels.get(key) == value for key, value in read.demanded())
    assert parse(f"!({text})").holds(labels) is not read.holds(labels)


@pytest.mark.parametrize(
    ("text", "labels", "holds"),
    [
        ("", {}, True),
        ("a != 'x'", {}, True),
        ("a not in {'x'}", {}, True),
        ("a contains 'x' || b ends with 'z'", {"b": "yz"}, True),
        ("a == 'x' && b == 'y' || c == 'z'", {"c": "z"}, True),
        ("!!has(a) && !has(b)", {"a": ""}, True),
        ("a starts with 'yy'", {"a": "y"}, False),
        ("a in {}", {"a": ""}, False),
    ],
)
def test_what_a_selector_means(text: str, labels: dict[str, str], holds: bool) -> None:
    assert parse(text).holds(labels) is holds


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("a = 'x'", 2, "an operator is missing"),
        ("a == x", 5, "a value in quotes"),
        ("a == 'x", 5, "a value in quotes"),
        ("(a == 'x'", 9, "closing )"),
        ("a in {'x' 'y'}", 10, "closing }"),
        ("a in 'x'", 5, "a list of values"),
        ("a == 'x' b", 9, "&& or ||"),
        ("a == 'x' &&\nhas(b)", 11, "name of a label"),
        ("(" * 5000, 51, "brackets in each other"),
    ],
)
def test_what_is_no_selector(text: str, at: int, said: str) -> None:
    with pytest.raises(ExpressionError, match=said.replace(")", r"\)").replace("|", r"\|")) as told:
        parse(text)
    assert told.value.at == at


WEB = [{"name": "http", "containerPort": 80}]
PODS = [
    {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "yard", "labels": {"dry": "no"}},
    },
    pod("web", "app=web", ports=WEB, node="node-1"),
    pod("cat", "app=cat", node="node-2"),
    pod("dog", "app=dog", node="node-2", namespace="yard"),
    service("web", "app=web", 8000, 80),
    of_calico("IPPool", "all", cidr="10.244.0.0/16", natOutgoing=True),
]


def world_of(tmp_path: Path, *manifests: Manifest) -> World:
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump_all([*PODS, *manifests]))
    return build_world([str(path)])


def ask(world: World, source: str, target: str) -> Outcome:
    return walk(world, parse_request(world, source, target)).outcome


def everybody(name: str, *ingress: Manifest, **spec: Any) -> Manifest:
    return of_calico("GlobalNetworkPolicy", name, ingress=[*ingress], **spec)


SHORT = {
    "SOURCES": "-m multiport --sports 1,2:3 -m multiport ! --sports 9:10",
    "MARKED": "-m mark --mark 0x80000/0x80000",
    "SET": "-j MARK --set-xmark 0x80000/0x80000",
    "ALLOW": "-j MARK --set-xmark 0x10000/0x10000",
}


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        (
            {"action": "Deny"},
            ["-j MARK --set-xmark 0x40000/0x40000", "-m mark --mark 0x40000/0x40000 -j DROP"],
        ),
        ({"action": "Pass"}, ["-j MARK --set-xmark 0x20000/0x20000"]),
        (
            {"action": "Log", "notProtocol": "UDP"},
            ['! -p udp -j LOG --log-prefix "calico-packet: " --log-level 5'],
        ),
        (
            {"action": "Allow", "protocol": "ICMP", "icmp": {"type": 8, "code": 0}},
            ["-p icmp -m icmp --icmp-type 8/0 ALLOW"],
        ),
        ({"action": "Allow", "protocol": "ICMPv6", "icmp": {"type": 128}}, [""]),
        ({"action": "Allow", "protocol": "06"}, ["-p tcp ALLOW"]),
        (
            {"action": "Allow", "source": {"nets": ["10.1.0.0/16"], "notNets": ["10.1.2.3"]}},
            [
                "-j MARK --set-xmark 0x80000/0x180000",
                "-s 10.1.2.3/32 -j MARK --set-xmark 0x0/0x80000",
                "-s 10.1.0.0/16 MARKED ALLOW",
            ],
        ),
        (
            {
                "action": "Allow",
                "protocol": "TCP",
                "source": {"ports": [1, "2:3"], "notPorts": ["9:10"], "nets": ["10.1.0.0/16"]},
                "destination": {"ports": [80, "http"], "notNets": ["10.9.0.0/16"]},
            },
            [
                "-j MARK --set-xmark 0x0/0x180000",
                "-p tcp -m multiport --dports 80 SET",
                "-m set --match-set {10.244.1.2,tcp:80} dst,dst SET",
                "-s 10.1.0.0/16 ! -d 10.9.0.0/16 -p tcp SOURCES MARKED ALLOW",
            ],
        ),
        (
            {
                "action": "Allow",
                "source": {"nets": ["10.1.0.0/16", "10.2.0.0/16"]},
                "destination": {"nets": ["10.3.0.0/16", "10.4.0.0/16", "fd00::/8"]},
            },
            [
                "-j MARK --set-xmark 0x0/0x180000",
                "-s 10.1.0.0/16 SET",
                "-s 10.2.0.0/16 SET",
                "-d 10.3.0.0/16 -j MARK --set-xmark 0x100000/0x100000",
                "-d 10.4.0.0/16 -j MARK --set-xmark 0x100000/0x100000",
                "-m mark --mark 0x0/0x100000 -j MARK --set-xmark 0x0/0x80000",
                "MARKED ALLOW",
            ],
        ),
        (
            {"action": "Allow", "source": {"notSelector": "app == 'cat'"}},
            ["-m set ! --match-set {10.244.2.2} src ALLOW"],
        ),
        ({"action": "Allow", "source": {"notNets": ["0.0.0.0/0"]}}, [""]),
        ({"action": "Allow", "ipVersion": 6}, [""]),
    ],
)
def test_rules(tmp_path: Path, rule: Manifest, lines: list[str]) -> None:
    """As felix/rules/policy_test.go has it; of a set what is in it."""
    made = written(world_of(tmp_path, everybody("one", rule)), "cali-pi-default/default.one")
    for short, text in SHORT.items():
        made = [one.replace(text, short) for one in made]
    assert made == lines


def written(world: World, name: str) -> list[str]:
    node = world.cluster.nodes["node-1"]
    chain = world.network.ruleset(node, 4, "calico").chain("filter", name)
    assert chain is not None
    sets = {
        name: "{" + " ".join(element for element, _ in found.elements()) + "}"
        for name, found in world.network.sets(node, "calico").items()
    }
    lines = []
    for rule in chain.rules:
        text = re.sub(r'-m comment --comment "[^"]*" ?', "", rule.text.partition(f"-A {name}")[2])
        lines.append(re.sub(r"(?<=match-set )\S+", lambda one: sets[one[0]], text).strip())
    return lines


def test_ends_are_who_they_are_said_to_be(tmp_path: Path) -> None:
    ranges = of_calico("GlobalNetworkSet", "ranges", nets=["203.0.113.0/24", "0.0.0.0/0"])
    ranges["metadata"]["labels"] = {"kind": "outside"}
    account: Manifest = {"apiVersion": "v1", "kind": "ServiceAccount"}
    account["metadata"] = {"name": "default", "namespace": "yard", "labels": {"who": "guard"}}
    ends = [
        {"selector": "kind == 'outside'"},
        {"namespaceSelector": "dry == 'no'", "selector": "app == 'dog'"},
        {"serviceAccounts": {"names": ["default"], "selector": "who == 'guard'"}},
        {"namespaceSelector": "projectcalico.org/name == 'default'", "notSelector": "app == 'web'"},
        {"namespaceSelector": "global()"},
        {"services": {"name": "web", "namespace": "default"}},
    ]
    rules = [{"action": "Deny", "source": end} for end in ends]
    world = world_of(tmp_path, ranges, account, everybody("all", *rules))
    found = [
        re.search(r"\{.*\}", one) for one in written(world, "cali-pi-default/default.all")[::2]
    ]
    everything = "203.0.113.0/24 0.0.0.0/1 128.0.0.0/1"
    assert [one and one[0] for one in found] == [
        f"{{{everything}}}",
        "{10.244.2.3}",
        "{10.244.2.3}",
        "{10.244.2.2}",
        f"{{{everything}}}",
        "{10.244.1.2}",
    ]
    (spec,) = world.cluster.calico_policies
    assert str(spec.ingress[1].conditions and spec.ingress[1].conditions.source.selector) == (
        '(pcns.dry == "no" && app == "dog")'
    )


CAT = {"action": "Allow", "source": {"selector": "app == 'cat'"}}
DENY = {"action": "Deny"}
KUBERNETES = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "cats"},
    "spec": {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "cat"}}}]}],
    },
}


@pytest.mark.parametrize(
    ("policies", "result", "by"),
    [
        (
            [everybody("deny", DENY, order=999), KUBERNETES],
            Result.TIMEOUT,
            "GlobalNetworkPolicy deny",
        ),
        ([everybody("deny", DENY, order=1001), KUBERNETES], Result.CONNECTED, ""),
        ([everybody("deny", DENY), KUBERNETES], Result.CONNECTED, ""),
        ([everybody("other", order=1), KUBERNETES], Result.CONNECTED, ""),
        ([everybody("other", order=1)], Result.TIMEOUT, "GlobalNetworkPolicy other selects"),
        (
            [everybody("allow", CAT, order=1), everybody("deny", DENY, order=2)],
            Result.CONNECTED,
            "",
        ),
        ([everybody("b", CAT), everybody("a", DENY)], Result.TIMEOUT, "GlobalNetworkPolicy a"),
        ([everybody("deny", DENY, types=["Egress"])], Result.TIMEOUT, "lets out nothing"),
        (
            [
                of_calico("Tier", "top", order=1),
                everybody("top.one", {"action": "Pass"}, tier="top"),
                everybody("deny", DENY),
            ],
            Result.TIMEOUT,
            "GlobalNetworkPolicy deny",
        ),
        (
            [
                of_calico("Tier", "top", order=1, defaultAction="Pass"),
                everybody("top.one", tier="top"),
            ],
            Result.CONNECTED,
            "",
        ),
        (
            [everybody("lost.one", CAT, tier="lost"), everybody("deny", DENY)],
            Result.TIMEOUT,
            "GlobalNetworkPolicy deny",
        ),
        ([everybody("broken", DENY, selector="app = 'web'")], Result.CONNECTED, ""),
        ([everybody("hosts", DENY, preDNAT=True)], Result.CONNECTED, ""),
        (
            [of_calico("NetworkPolicy", "deny", "default", ingress=[DENY], selector="has(app)")],
            Result.TIMEOUT,
            "Calico NetworkPolicy default/deny",
        ),
        (
            [of_calico("NetworkPolicy", "deny", "yard", ingress=[DENY], selector="has(app)")],
            Result.CONNECTED,
            "",
        ),
    ],
)
def test_who_is_asked_first(
    tmp_path: Path, policies: list[Manifest], result: Result, by: str
) -> None:
    for given_ in (policies, policies[::-1]):
        outcome = ask(world_of(tmp_path, *given_), "pod/cat", "svc/web:8000")
        assert outcome.result is result
        assert by in outcome.reason


def test_the_rule_that_decides_has_its_place_and_its_mend(tmp_path: Path) -> None:
    world = world_of(tmp_path, everybody("deny", {"action": "Log"}, DENY, selector="app == 'web'"))
    outcome = ask(world, "pod/yard/dog", "pod/web:80")
    assert "its rule ingress[1] denies what comes from pod yard/dog" in outcome.reason
    assert outcome.origin is not None
    assert outcome.origin.where.startswith(str(tmp_path / "all.yaml:"))
    policies = Policies(world.network.enforced)
    pods = world.cluster.pods
    peer = policies.judgement.peer(pods["yard/dog"], None, "")
    denial = policies.denied(
        Direction.INGRESS, pods["default/web"], peer, Ask(80, Protocol.TCP, None)
    )
    assert denial is not None
    assert denial.denied is not None
    change = smallest_change(policies, denial.denied)
    assert (change.field, change.how) == ("spec.ingress", "write before entry 1")
    entry = yaml.safe_load(change.entry)[0]
    mended = everybody("deny", {"action": "Log"}, entry, DENY, selector="app == 'web'")
    assert ask(world_of(tmp_path, mended), "pod/yard/dog", "pod/web:80").result is Result.CONNECTED
    assert ask(world_of(tmp_path, mended), "pod/cat", "pod/web:80").result is Result.TIMEOUT


def test_other_engines_do_not_know_them(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump_all([*PODS, everybody("deny", DENY)]))
    world = build_world(
        [str(path)], node_options=NodeOptions(cni="flannel", policy_engine="kube-router")
    )
    trace = walk(world, parse_request(world, "pod/cat", "pod/web:80"))
    assert trace.outcome.result is Result.CONNECTED
    assert any("kube-router knows no GlobalNetworkPolicies" in one for one in trace.assumptions)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(CLUSTERS, OWN, st.data())
def test_chains_and_classes_say_what_the_policies_say(
    cluster: Manifest, own: list[tuple[str, Manifest]], data: st.DataObject
) -> None:
    assume(own)
    plain = _objects(cluster | {"enforced": False, "cluster_policies": []})
    world = random_world([*plain, *objects(own)], min(cluster["nodes"], 2), "calico", "calico")
    assert world.problems == ()
    judgement = Policies(world.network.enforced).judgement
    pods = [one for one in world.cluster.pods.values() if not one.host_network and one.addresses]
    for source, target in permutations(pods[:3], 2):
        for port in target.containers[0].ports:
            asked = f"pod/{target.key}:{port.number}/{port.protocol.name.lower()}"
            request = parse_request(world, f"pod/{source.key}", asked)
            results = {one.outcome.result for one in walks(world, request)}
            ask = Ask(port.number, port.protocol, target)
            there, here = (judgement.peer(one, None, one.key) for one in (target, source))
            out = judgement.of(Direction.EGRESS, source, there, ask)
            in_ = judgement.of(Direction.INGRESS, target, here, ask)
            allowed = bool(out.allowed and in_.allowed)
            assert (results == {Result.CONNECTED}) is allowed, (source.key, asked, results)
    if data.draw(st.integers(0, 3)) == 0:
        assert not differences(world)
