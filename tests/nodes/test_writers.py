"""Whose a chain or a rule is, and a node's rules put right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.kernel.rules import Rule, Ruleset
from k8stui.nodes.difference import differences, told_apart
from k8stui.nodes.mended import mended
from k8stui.nodes.state.parsing import parse_rulesets
from k8stui.nodes.writers import writer_of


@pytest.mark.parametrize(
    ("chain", "writer"),
    [
        ("KUBE-SVC-ABCDEFGHIJKLMNOP", "kube-proxy"),
        ("KUBE-PROXY-CANARY", "kube-proxy"),
        ("KUBE-KUBELET-CANARY", "kubelet"),
        ("KUBE-ROUTER-FORWARD", "kube-router"),
        ("KUBE-POD-FW-ABCDEFGHIJKLMNOP", "kube-router"),
        ("KUBE-NWPLCY-DEFAULT", "kube-router"),
        ("KUBE-HP-ABCDEFGHIJKLMNOP", "kubenet"),
        ("cali-FORWARD", "calico"),
        ("FLANNEL-FWD", "flannel"),
        ("CNI-HOSTPORT-DNAT", "the CNI plug-ins"),
        ("DOCKER-USER", "Docker"),
        ("WEAVE-NPC-INGRESS", "Weave Net's policies"),
        ("WEAVE", "Weave Net"),
        ("barn-door", ""),
        ("FORWARD", ""),
    ],
)
def test_a_chain_is_known_by_its_name(chain: str, writer: str) -> None:
    assert writer_of(chain) == writer


@pytest.mark.parametrize(
    ("text", "writer"),
    [
        ("-A FORWARD -j DOCKER-USER", "Docker"),
        ("-A FORWARD -i docker0 ! -o docker0 -j ACCEPT", "Docker"),
        ("-A FORWARD -j REJECT --reject-with icmp-host-prohibited", ""),
        ('-A FORWARD -m comment --comment "cali:S93hcgKJrXEqnTfs" -j ACCEPT', "calico"),
        (
            '-A INPUT -m comment --comment "KUBE-ROUTER rule to explicitly ACCEPT" -j ACCEPT',
            "kube-router",
        ),
        ('-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
         "kube-proxy"),
        ("-A INPUT -j KUBE-FIREWALL", "kubelet"),
    ],
)  # fmt: skip
def test_a_rule_of_a_built_in_chain_by_where_it_leads_or_by_its_words(
    text: str, writer: str
) -> None:
    assert writer_of(text.split(" ")[1], Rule(text)) == writer


_HEAD = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:FLANNEL-FWD - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-SERVICES - [0:0]
"""
_SERVICES = '-A FORWARD -m comment --comment "kubernetes service portals" -j KUBE-SERVICES'
_FORWARD = '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD'
_FLANNEL = '-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD'
_DOCKER = "-A FORWARD -i docker0 -o docker0 -j ACCEPT"
_OWN = "-A FORWARD -s 198.51.100.0/24 -j DROP"
_INSIDE = tuple(f"-A KUBE-FORWARD -s 10.9.{n}.0/24 -j ACCEPT" for n in range(4))
_EXPECTED = (_FORWARD, _SERVICES, _FLANNEL, *_INSIDE)


def ruleset(*rules: str, head: str = _HEAD) -> Ruleset:
    text = head + "".join(f"{rule}\n" for rule in rules) + "COMMIT\n"
    return parse_rulesets(text, "dump")[4]


def test_which_of_two_programs_comes_first_is_no_difference() -> None:
    observed = ruleset(_FLANNEL, _FORWARD, _SERVICES, *_INSIDE)
    assert differences(ruleset(*_EXPECTED), observed) == ()
    swapped = ruleset(_SERVICES, _FLANNEL, _FORWARD, *_INSIDE)
    assert [one.kind.value for one in differences(ruleset(*_EXPECTED), swapped)] == ["moved"]


def test_known_programs_that_nobody_expects_are_not_compared() -> None:
    wanted, observed = ruleset(*_EXPECTED), ruleset(_DOCKER, _OWN, *_EXPECTED)
    found, others = told_apart(differences(wanted, observed), wanted, observed)
    assert [one.rule.text for one in found if one.rule] == [_OWN]
    assert others == {"Docker": 1}


def test_a_program_that_is_only_assumed_misses_nothing_where_it_has_nothing() -> None:
    head = _HEAD.replace(":FLANNEL-FWD - [0:0]\n", "")
    wanted, observed = ruleset(*_EXPECTED), ruleset(_FORWARD, _SERVICES, *_INSIDE, head=head)
    between = differences(wanted, observed)
    assert told_apart(between, wanted, observed, {"flannel"}) == ((), {"flannel": 0})
    assert told_apart(between, wanted, observed)[0] == between
    partly = ruleset(_FORWARD, _SERVICES, *_INSIDE)
    found, _ = told_apart(differences(wanted, partly), wanted, partly, {"flannel"})
    assert [one.kind.value for one in found] == ["missing"]


_ANY = st.lists(st.sampled_from((*_EXPECTED, _DOCKER, _OWN)), max_size=9)


@given(_ANY, st.booleans())
def test_what_is_put_right_differs_in_nothing(rules: list[str], drop: bool) -> None:
    head = _HEAD.replace(":FORWARD ACCEPT", ":FORWARD DROP") if drop else _HEAD
    wanted, observed = ruleset(*_EXPECTED), ruleset(*rules, head=head)
    found = differences(wanted, observed)
    assert differences(wanted, mended(observed, wanted, found)) == ()


@given(_ANY)
def test_others_rules_stay_in_their_order(rules: list[str]) -> None:
    wanted, observed = ruleset(*_EXPECTED), ruleset(*rules)
    found, _ = told_apart(differences(wanted, observed), wanted, observed)
    after = mended(observed, wanted, found).tables["filter"].chains["FORWARD"].rules
    mine = [one for one in after if writer_of("FORWARD", one) == "Docker"]
    assert len(mine) == rules.count(_DOCKER)
