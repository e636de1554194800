"""Calico's rules and sets: the hashes of real nodes, the kernel's own text, and who gets through.

The hashes are those of public dumps: of Calico's own tests (felix/fv/cali-iptables-dump.txt, June
2025: v3.30) and of a GKE node (v2, whose words for a tier were others).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from manifests_of import pod, service

from k8stui.cli import cli
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Result
from k8stui.kernel.rules import Rule
from k8stui.nodes.names import hashed_name
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.policy.calico import rule as felix
from k8stui.nodes.policy.calico import static
from k8stui.nodes.policy.calico.names import limited, peer_selector, selector_id, set_name
from k8stui.nodes.policy.calico.rule import ACCEPT, PASS, FelixRule, jump, rule
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

Manifest = dict[str, Any]
OUTGOING = rule(
    felix.in_set("cali40masq-ipam-pools", "src"),
    felix.in_set("cali40all-ipam-pools", "dst", "! "),
    then=felix.masquerade(),
)
TABLES = {
    "raw": static.raw(4, vxlan=True),
    "mangle": static.mangle(),
    "filter": static.filter_(4, vxlan=True),
    "nat": static.nat(4, vxlan=True, outgoing=OUTGOING),
}
STATIC = {
    ("raw", "cali-PREROUTING"): "DQ6LK2guiBRMyrLK sIsu2aAqNN6K3YYn W0qKAga6QivxLxL1 "
    "QOYCZUivPyJL6Dp1 uvipz_NmQPrGYnTB pj4jqF0K2OCNLmzX Jefg6QI5khJcHnVl",
    ("raw", "cali-OUTPUT"): "clI8WObfCl4yhr60 ZbkN6P8OdRcBRPpU ry5_UEpt1OaPPCxO MGhICIksKDnYMIkW",
    ("mangle", "cali-PREROUTING"): "6BJqBjBC7crtA-7- KX7AGNd6rMcDUai6 wNH7KsA3ILKJBsY9 "
    "Cg96MgVuoPm7UMRo",
    ("mangle", "cali-POSTROUTING"): "NX-7roTexQ3fGRfU JkYr4aB8O4_N8NBS nO0nbHA3Or7V6l7t "
    "mgxNjIoKySH7TEGH",
    ("filter", "cali-INPUT"): "J76FwxInZIsk7uKY EDCNTTxYfggApx8C H03xYXARh4e8pwd4 "
    "MN6K3isIWBigb1Va aKDQAoV0P_FFAIwV vIx3xkWzuvLW9fr4 5W9XghKma9wuz47x",
    ("filter", "cali-FORWARD"): "W_vvds1Nw3n9QE2f ZfgmjuiLaA8Pg0kp tAzwBLPaV-j53OOZ "
    "4Z0Pf0byo05NFe-P hQ7Oc16wmUtLuneJ rnKNH2WxGcRQcIlD",
    ("filter", "cali-OUTPUT"): "Mq1_rAdXXH3YkrzW 69FkRTJDvD5Vu6Vl -QZG79DohFjalQBb "
    "6T0hFtymUtXMOfEV IpTGXsDHURPUaLjJ wgnULo2gucg1umsA",
    ("filter", "cali-wl-to-host"): "Ee9Sbo10IpVujdIY nSZbcOoG1xPONxb8",
    ("nat", "cali-PREROUTING"): "r6XmIziWUJsdOK6Z",
    ("nat", "cali-OUTPUT"): "GBTAv2p5CwevEyJm",
    ("nat", "cali-POSTROUTING"): "Z-c7XtVd2Bq7s_hA nYKhEzDlr11Jccal e9dnSgSVNmIcpVhP",
    ("nat", "cali-nat-outgoing"): "flqWnvo8yq4ULQLa",
}
JUMPS = {
    ("raw", "PREROUTING"): "6gwbT8clXdHdC1b1",
    ("raw", "OUTPUT"): "tVnHkvAo15HuiPy0",
    ("mangle", "PREROUTING"): "6gwbT8clXdHdC1b1",
    ("mangle", "POSTROUTING"): "O3lYWMrLQYEMJtB5",
    ("filter", "INPUT"): "Cz_u1IQiXIMmKD4c",
    ("filter", "FORWARD"): "wUHhoiAYhphO9Mso S93hcgKJrXEqnTfs mp77cMpurHhyjLrM",
    ("filter", "OUTPUT"): "tVnHkvAo15HuiPy0",
    ("nat", "PREROUTING"): "6gwbT8clXdHdC1b1",
    ("nat", "OUTPUT"): "tVnHkvAo15HuiPy0",
    ("nat", "POSTROUTING"): "0i8pjzKKPyA34aQD",
}
DEVICE = "cali92d634f8f03"
TRACKED = [
    rule(felix.in_state("RELATED,ESTABLISHED"), then=felix.ALLOW),
    rule(felix.in_state("INVALID"), then=felix.DROP),
    rule(then=felix.clear_mark(ACCEPT)),
]
ACCEPTED = rule(felix.marked(ACCEPT), then=felix.RETURN, say="Return if policy accepted")
OF_GKE: dict[str, tuple[list[FelixRule], str]] = {
    f"cali-fw-{DEVICE}": (
        [
            *TRACKED,
            rule(then=jump("cali-pro-kns.alpha")),
            rule(felix.marked(ACCEPT), then=felix.RETURN, say="Return if profile accepted"),
        ],
        "4P4KjbB-mrou_chd 3vUrh0snPxkIA8rr 6bKe6Vcw1LtNpnO- swWUH2vJ4Lg-3cQy 1zHafbuM14H1LZI9",
    ),
    f"cali-tw-{DEVICE}": (
        [
            *TRACKED,
            rule(then=felix.clear_mark(PASS), say="Start of policies"),
            rule(felix.unmarked(PASS), then=jump("cali-pi-_e8MLrhOHDfNlfSa51Ak")),
            ACCEPTED,
            rule(felix.unmarked(PASS), then=jump("cali-pi-_kxgQy6VBWOo3Mj1GNsy")),
            ACCEPTED,
            rule(felix.unmarked(PASS), then=felix.DROP, say="Drop if no policies passed packet"),
        ],
        (
            "FUgB7G5ObIh96acF WQJ64LtbzEP_A0C0 lq8KVGA-L8Gpp_Q1 LFDbDDVQlKjgSqzz ODoIaF_IPx3TRmF0 "
            "MVOQxoANBbR11zgK LkeeeuVbaL4uBlnj eoYOE3_IE3Y9cuyP DENqw_tUMNBLYcWY"
        ),
    ),
    "cali-pi-_e8MLrhOHDfNlfSa51Ak": (
        [
            rule(
                felix.in_set("cali40s:XZEFRy4u2E2Kz28IwtNm0u8", "src"),
                then=felix.set_mark(ACCEPT),
            ),
            rule(felix.marked(ACCEPT), then=felix.RETURN),
        ],
        "sEcu68UJEL6S4gUe ylM9819c6tRAOxVz",
    ),
}


def hashes(rules: list[Rule]) -> list[str]:
    return [one.text.partition('"cali:')[2].partition('"')[0] for one in rules]


@pytest.mark.parametrize(("table", "chain"), STATIC)
def test_chains_that_every_node_has(table: str, chain: str) -> None:
    found = felix.chain(chain, TABLES[table][chain])
    assert hashes(list(found.rules)) == STATIC[table, chain].split()


@pytest.mark.parametrize(("table", "chain"), JUMPS)
def test_jumps(table: str, chain: str) -> None:
    found = [one.rule for one in static.jumps(table) if one.builtin == chain]
    assert hashes(found) == JUMPS[table, chain].split()


@pytest.mark.parametrize("chain", OF_GKE)
def test_chains_of_a_real_pod(chain: str) -> None:
    rules, expected = OF_GKE[chain]
    assert hashes(felix.written(chain, rules)) == expected.split()


def test_names() -> None:
    assert limited("cali-pri-", "ksa.default.default") == "cali-pri-ksa.default.default"
    long = limited("cali-pi-", "default/default/knp.default.a-policy")
    assert (len(long), long[:9]) == (28, "cali-pi-_")
    assert len(set_name(selector_id("all()"), 4)) == 31


def policy(name: str, selector: Manifest, **spec: Any) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": selector, **spec},
    }


TEAM = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "yard", "labels": {"team": "green"}},
}
KILN = {"matchLabels": {"app": "kiln"}}
PODS = [
    pod("kiln", "app=kiln", ports=[{"containerPort": 7000, "name": "heat"}], node="node-1"),
    pod("potter", "role=potter", node="node-2"),
    pod("visitor", node="node-1"),
    pod("friend", "role=friend", node="node-2", namespace="yard"),
    service("kiln", "app=kiln", 70, "heat"),
    TEAM,
]
POTTERS = {"podSelector": {"matchLabels": {"role": "potter"}}}
GREEN = {"namespaceSelector": {"matchLabels": {"team": "green"}}}
POLICIES: dict[str, tuple[list[Manifest], set[str]]] = {
    "none": ([], {"potter", "visitor", "yard/friend"}),
    "nobody": ([policy("p", KILN)], set()),
    "pods": ([policy("p", KILN, ingress=[{"from": [POTTERS]}])], {"potter"}),
    "namespaces": ([policy("p", KILN, ingress=[{"from": [GREEN]}])], {"yard/friend"}),
    "either": (
        [policy("p", KILN, ingress=[{"from": [POTTERS, GREEN], "ports": [{"port": 7000}]}])],
        {"potter", "yard/friend"},
    ),
    "another port": ([policy("p", KILN, ingress=[{"ports": [{"port": 7001}]}])], set()),
    "a name": (
        [policy("p", KILN, ingress=[{"from": [GREEN], "ports": [{"port": "heat"}]}])],
        {"yard/friend"},
    ),
    "a name and numbers": (
        [policy("p", KILN, ingress=[{"ports": [{"port": 1}, {"port": 3}, {"port": "heat"}]}])],
        {"potter", "visitor", "yard/friend"},
    ),
    "a block with a hole": (
        [
            policy(
                "p",
                KILN,
                ingress=[
                    {
                        "from": [
                            {"ipBlock": {"cidr": "10.244.0.0/16", "except": ["10.244.1.0/24"]}}
                        ]
                    }
                ],
            )
        ],
        {"potter", "yard/friend"},
    ),
    "two of one selector": (
        [policy("p", KILN, ingress=[{"from": [POTTERS]}]),
         policy("q", KILN, ingress=[{"from": [GREEN]}])],
        {"potter", "yard/friend"},
    ),
    "egress": (
        [policy("p", {"matchLabels": {"role": "potter"}}, policyTypes=["Egress"])],
        {"visitor", "yard/friend"},
    ),
    "egress by name": (
        [policy("p", {}, policyTypes=["Egress"], egress=[{"ports": [{"port": "heat"}]}])],
        {"potter", "visitor", "yard/friend"},
    ),
}  # fmt: skip


def world_of(tmp_path: Path, *manifests: Manifest) -> World:
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump_all([*PODS, *manifests]))
    return build_world([str(path)], ClusterOptions(), NodeOptions(cni="calico"))


@pytest.mark.parametrize("case", POLICIES)
def test_who_gets_through(tmp_path: Path, case: str) -> None:
    policies, expected = POLICIES[case]
    world = world_of(tmp_path, *policies)
    found = set()
    for name in ("potter", "visitor", "yard/friend"):
        trace = walk(world, parse_request(world, f"pod/{name}", "svc/kiln.default:70"))
        if trace.outcome.result is Result.CONNECTED:
            found.add(name)
        else:
            assert trace.outcome.result is Result.TIMEOUT, "Calico drops"
            assert "pod default/" in trace.outcome.reason
            assert "Calico on node-" in trace.outcome.reason
    assert found == expected


def test_answers_and_the_own_node_pass(tmp_path: Path) -> None:
    world = world_of(tmp_path, policy("p", {}, policyTypes=["Ingress", "Egress"]))
    trace = walk(world, parse_request(world, "node/node-1", "svc/kiln:70"))
    assert trace.outcome.result is Result.CONNECTED
    trace = walk(world, parse_request(world, "pod/visitor", "node/node-1:10250"))
    assert trace.outcome.result is Result.TIMEOUT, "unlike the API, as real nodes do"


def test_the_way_out_is_masqueraded(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    trace = walk(world, parse_request(world, "pod/kiln", "203.0.113.9:443"))
    assert trace.outcome.result is Result.CONNECTED
    assert str(trace.outcome.source_seen_by_server) == "192.168.0.11"


def test_selectors_are_hashed_as_calico_prints_them(tmp_path: Path) -> None:
    world = world_of(tmp_path, policy("p", KILN, ingress=[{"from": [POTTERS, GREEN, {
        "podSelector": {"matchExpressions": [
            {"key": "z", "operator": "In", "values": ["b", "a"]},
            {"key": "x", "operator": "DoesNotExist"},
        ]},
        "namespaceSelector": {},
    }]}]))  # fmt: skip
    peers = world.cluster.policies[0].ingress[0].peers
    assert [peer_selector(one, "default") for one in peers] == [
        (
            '(projectcalico.org/namespace == "default" && '
            '(projectcalico.org/orchestrator == "k8s" && role == "potter"))'
        ),
        '(pcns.team == "green" && projectcalico.org/orchestrator == "k8s")',
        (
            '(has(projectcalico.org/namespace) && (projectcalico.org/orchestrator == "k8s" && '
            'z in {"a", "b"} && !has(x)))'
        ),
    ]


ADMIN: Manifest = {
    "apiVersion": "policy.networking.k8s.io/v1alpha1",
    "kind": "AdminNetworkPolicy",
    "metadata": {"name": "gate"},
    "spec": {
        "priority": 5,
        "subject": {
            "pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"role": "potter"}}}
        },
        "egress": [{"name": "shut", "action": "Deny", "to": [{"namespaces": {}}]}],
    },
}  # fmt: skip


@pytest.mark.parametrize(("namespace", "account"), [("a -j ACCEPT", "default"), ("yard", "b\n;-F")])
def test_what_a_dump_says_is_no_part_of_a_rule(
    tmp_path: Path, namespace: str, account: str
) -> None:
    there = pod("pip", "app=pip", node="node-1", namespace=namespace)
    there["metadata"] |= {"uid": "1", "resourceVersion": "1"}
    there["spec"]["serviceAccountName"] = account
    there["status"] = {"phase": "Running", "podIP": "10.244.1.9"}
    world = world_of(tmp_path, there)
    assert f"{namespace}/pip" in world.cluster.pods
    rules = world.network.ruleset(world.cluster.nodes["node-1"], 4, "calico")
    found = rules.tables["filter"].chains
    assert len([name for name in found if name.startswith("cali-pri-")]) >= 3
    for name, chain in found.items():
        assert re.fullmatch(r"[\w./-]{1,28}", name, re.ASCII), name
        for one in chain.rules:
            assert "\n" not in one.text
            words = re.sub(r'"[^"]*"', "", one.text)
            assert not {"a", ";-F"} & set(words.split()), words


def test_a_rule_of_the_whole_cluster_is_named_where_it_drops(tmp_path: Path) -> None:
    own = policy("p", {"matchExpressions": [{"key": "role", "operator": "DoesNotExist"}]})
    own["spec"]["policyTypes"] = ["Egress"]
    world = world_of(tmp_path, ADMIN, own)
    for name, said in (("potter", "gate"), ("visitor", "NetworkPolicy default/p")):
        trace = walk(world, parse_request(world, f"pod/{name}", "svc/kiln.default:70"))
        assert trace.outcome.result is Result.TIMEOUT
        assert said in trace.outcome.reason
        assert "Calico on node-" in trace.outcome.reason
    trace = walk(world, parse_request(world, "pod/yard/friend", "svc/kiln.default:70"))
    assert trace.outcome.result is Result.CONNECTED
    trace = walk(world, parse_request(world, "pod/yard/friend", "203.0.113.9:443"))
    assert str(trace.outcome.source_seen_by_server) == "192.168.0.12", "Felix still masquerades"


def chain_of(tmp_path: Path, prefix: str, *manifests: Manifest) -> list[str]:
    """The rules of the one chain of node-1 that begins so, without hashes."""
    (tmp_path / "p.yaml").write_text(yaml.safe_dump_all([*PODS, *manifests]))
    asked = ["--cni", "calico", "--node", "node-1", "--owner", "calico", "--table", "filter"]
    printed = CliRunner().invoke(cli, ["rules", *asked, str(tmp_path / "p.yaml")]).stdout
    found = [line for line in printed.splitlines() if line.startswith(f"-A {prefix}")]
    assert len({line.split()[1] for line in found}) == 1, printed
    bare = (re.sub(r'-m comment --comment "cali:[^"]*" ', "", line) for line in found)
    return [line.split(" ", 2)[2] for line in bare]


def test_tiers_stand_in_their_order(tmp_path: Path) -> None:
    """The first leaves to the next what it does not decide; the middle one drops."""
    last = {
        **ADMIN,
        "kind": "BaselineAdminNetworkPolicy",
        "metadata": {"name": "default"},
        "spec": {key: value for key, value in ADMIN["spec"].items() if key != "priority"},
    }
    own = policy("p", {"matchLabels": {"role": "potter"}}, policyTypes=["Egress"])
    (tmp_path / "p.yaml").write_text(yaml.safe_dump_all([*PODS, ADMIN, last, own]))
    world = build_world([str(tmp_path / "p.yaml")], node_options=NodeOptions(cni="calico"))
    device = hashed_name("cali", world.cluster.pods["default/potter"])
    home = world.cluster.pods["default/potter"].node_name
    assert home is not None
    rules = world.network.ruleset(world.cluster.nodes[home], 4, "calico")
    chain = rules.chain("filter", f"cali-fw-{device}")
    assert chain is not None
    said = [re.findall(r'--comment "((?:Start|End) of tier[^"]*)"', r.text) for r in chain.rules]
    assert [one for each in said for one in each] == [
        "Start of tier adminnetworkpolicy",
        "Start of tier default",
        "End of tier default. Drop if no policies passed packet",
        "Start of tier baselineadminnetworkpolicy",
    ]


SETS_DENIED = "-j MARK --set-xmark 0x40000/0x40000"
CAST: dict[str, tuple[dict[str, Any], list[str]]] = {
    "denies": (
        {"action": "Deny", "to": [{"namespaces": {}}], "ports": [{"portNumber": {"port": 80}}]},
        [
            f"-p tcp -m set --match-set SET dst -m multiport --dports 80 {SETS_DENIED}",
            "-m mark --mark 0x40000/0x40000 -j DROP",
        ],
    ),
    "passes on": (
        {"action": "Pass", "to": [{"networks": ["203.0.113.0/24"]}]},
        ["-d 203.0.113.0/24 -j MARK --set-xmark 0x20000/0x20000"],
    ),
    "a name of a port is every port": (
        {"action": "Deny", "to": [{"namespaces": {}}], "ports": [{"namedPort": "w"}]},
        [
            f"-m set --match-set SET dst {SETS_DENIED}",
            "-m mark --mark 0x40000/0x40000 -j DROP",
        ],
    ),
    "nodes it does not know": (
        {"action": "Deny", "to": [{"nodes": {}}]},
        [
            SETS_DENIED,
            "-m mark --mark 0x40000/0x40000 -j DROP",
        ],
    ),
}


@pytest.mark.parametrize("case", CAST)
def test_what_a_rule_becomes(tmp_path: Path, case: str) -> None:
    egress, wanted = CAST[case]
    gate = {**ADMIN, "spec": {**ADMIN["spec"], "subject": {"namespaces": {}}, "egress": [egress]}}
    found = chain_of(tmp_path, "cali-po-", gate)
    bare = [re.sub(r'-m comment --comment "[^"]*" ', "", line) for line in found]
    assert [re.sub(r"cali40s:\S+", "SET", line) for line in bare] == wanted
