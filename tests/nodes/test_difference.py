"""What is missing, extra or out of order, and what is not."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest
import truth
from hypothesis import given
from hypothesis import strategies as st

from k8stui.apiserver import apply
from k8stui.cluster.build import build
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.rules import Ruleset
from k8stui.nodes.difference import ORDER_FREE, Difference, DifferenceKind, differences, owned
from k8stui.nodes.network import node_ruleset
from k8stui.nodes.state.parsing import parse_rulesets

HEAD = """*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-SEP-A - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-A - [0:0]
:KUBE-SVC-B - [0:0]
"""
JUMP_1 = '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES'
JUMP_2 = "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"
MASK = "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"
A_1 = (
    "-A KUBE-SERVICES -d 10.96.0.12/32 -p tcp -m comment "
    '--comment "default/a cluster IP" -m tcp --dport 80 -j KUBE-SVC-A'
)
A_2 = A_1.replace("10.96.0.12", "198.51.100.7").replace("cluster IP", "external IP")
B_1 = A_1.replace("10.96.0.12", "10.96.0.13").replace("default/a", "default/b")
LAST = (
    '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the '
    'last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS'
)
SVC_A = "-A KUBE-SVC-A -j KUBE-SEP-A"
SEP_A = (
    '-A KUBE-SEP-A -p tcp -m comment --comment "default/a" -m tcp '
    "-j DNAT --to-destination 192.0.2.4:8"
)
SEP_B = "-A KUBE-SEP-A -j ACCEPT"
RULES = (JUMP_1, JUMP_2, MASK, SEP_A, SEP_B, A_1, A_2, B_1, LAST, SVC_A)


def ruleset(*rules: str, head: str = HEAD) -> Ruleset:
    text = head + "".join(f"{rule}\n" for rule in rules) + "COMMIT\n"
    return parse_rulesets(text, "dump")[4]


EXPECTED = ruleset(*RULES)


def told(found: tuple[Difference, ...]) -> list[tuple[str, str, str | None]]:
    return [(each.kind.value, each.chain, each.service) for each in found]


def without(*left_out: str) -> list[str]:
    return [rule for rule in RULES if rule not in left_out]


def swapped(one: str, other: str) -> list[str]:
    swap = {one: other, other: one}
    return [swap.get(rule, rule) for rule in RULES]


@pytest.mark.parametrize(
    ("observed", "differ"),
    [
        pytest.param(ruleset(*RULES), [], id="the same"),
        pytest.param(
            ruleset(*(f"[12:3456] {rule}" for rule in RULES)), [], id="counters"
        ),
        pytest.param(
            ruleset(*without(A_1, A_2, B_1, LAST), B_1, A_1, A_2, LAST), [],
            id="blocks in any order",
        ),
        pytest.param(
            ruleset(*without(MASK), "-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000"), [],
            id="spelled as kube-proxy sends it",
        ),
        pytest.param(
            ruleset(*swapped(A_1, A_2)), [("moved", "KUBE-SERVICES", "default/a")],
            id="order within a block",
        ),
        pytest.param(
            ruleset(LAST, *without(LAST)), [("moved", "KUBE-SERVICES", None)], id="last rule first"
        ),
        pytest.param(
            ruleset(*swapped(JUMP_1, JUMP_2)), [], id="two programs' jumps swapped"
        ),
        pytest.param(
            ruleset(*swapped(SEP_A, SEP_B)), [("moved", "KUBE-SEP-A", "default/a")],
            id="endpoint chain turned round",
        ),
        pytest.param(
            ruleset(*without(SVC_A)), [("missing", "KUBE-SVC-A", None)], id="missing, no name"
        ),
        pytest.param(
            ruleset(*without(A_1)), [("missing", "KUBE-SERVICES", "default/a")], id="missing"
        ),
        pytest.param(
            ruleset(*RULES, "-A KUBE-SVC-A -j RETURN"), [("extra", "KUBE-SVC-A", None)], id="extra"
        ),
        pytest.param(
            ruleset(*RULES, SVC_A), [("repeated", "KUBE-SVC-A", None)], id="the same rule twice"
        ),
        pytest.param(
            ruleset(*RULES, head=HEAD.replace("OUTPUT ACCEPT", "OUTPUT DROP")),
            [("policy", "OUTPUT", None)], id="policy",
        ),
        pytest.param(
            ruleset(*RULES, head=HEAD.replace(":KUBE-SVC-B - [0:0]\n", "")),
            [("chain", "KUBE-SVC-B", None)], id="empty chain missing",
        ),
        pytest.param(
            ruleset(*without(SEP_A, SEP_B), head=HEAD.replace(":KUBE-SEP-A - [0:0]\n", "")),
            [("chain", "KUBE-SEP-A", "default/a")] + [("missing", "KUBE-SEP-A", "default/a")] * 2,
            id="chain missing with its rules",
        ),
    ],
)  # fmt: skip
def test_differences(observed: Ruleset, differ: list[tuple[str, str, str | None]]) -> None:
    assert told(differences(EXPECTED, observed)) == differ


@pytest.mark.parametrize(
    ("observed", "differ"),
    [
        pytest.param(ruleset(*RULES), [], id="all of it"),
        pytest.param(ruleset(*RULES, "-A PREROUTING -j ACCEPT"), [], id="extra, built-in chain"),
        pytest.param(
            ruleset(*RULES, head=HEAD.replace("OUTPUT ACCEPT", "OUTPUT DROP")), [], id="policy"
        ),
        pytest.param(
            ruleset(*RULES, head=f"{HEAD}:DOCKER - [0:0]\n"), [], id="another's chain"
        ),
        pytest.param(
            ruleset(*RULES, "-A KUBE-X -j ACCEPT", head=f"{HEAD}:KUBE-X - [0:0]\n"),
            [("chain", "KUBE-X", None), ("extra", "KUBE-X", None)], id="a left-over of its own",
        ),
        pytest.param(
            ruleset(*RULES, "-A KUBE-SEP-A -j DROP"), [("extra", "KUBE-SEP-A", "default/a")],
            id="extra, own chain",
        ),
        pytest.param(
            ruleset(*without(JUMP_1)), [("missing", "PREROUTING", None)], id="missing jump"
        ),
    ],
)  # fmt: skip
def test_what_is_one_owners_business(
    observed: Ruleset, differ: list[tuple[str, str, str | None]]
) -> None:
    own = ruleset(*without(JUMP_2))
    assert told(owned(differences(own, observed), own, EXPECTED)) == differ


def test_places_are_told() -> None:
    (found,) = differences(EXPECTED, ruleset(*swapped(SEP_A, SEP_B)))
    assert (found.expected_index, found.observed_index) in {(1, 2), (2, 1)}
    assert found.expected is not None
    assert found.observed is not None
    assert found.expected.text == found.observed.text


def test_a_table_never_touched_is_an_empty_one() -> None:
    empty = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    assert differences(Ruleset(), parse_rulesets(empty, "dump")[4]) == ()
    assert differences(parse_rulesets(empty, "dump")[4], Ruleset()) == ()


@given(st.lists(st.sampled_from(RULES)), st.lists(st.sampled_from(RULES)))
def test_what_one_side_misses_the_other_has_too_much(one: list[str], other: list[str]) -> None:
    here, there = ruleset(*one), ruleset(*other)
    to, fro = differences(here, there), differences(there, here)

    def texts(found: tuple[Difference, ...], *kinds: DifferenceKind) -> list[str]:
        return sorted(each.rule.text for each in found if each.kind in kinds and each.rule)

    assert differences(here, here) == ()
    too_much = (DifferenceKind.EXTRA, DifferenceKind.REPEATED)
    assert texts(to, DifferenceKind.MISSING) == texts(fro, *too_much)


@given(st.permutations(RULES))
def test_the_fewest_rules_are_said_to_have_moved(order: list[str]) -> None:
    found = differences(EXPECTED, ruleset(*order))
    assert {each.kind for each in found} <= {DifferenceKind.MOVED}
    in_place = len(RULES) - len(found)
    # One rule of each chain (and of each block) can always stay where it is.
    assert in_place >= 6
    moved = {each.rule.text for each in found if each.rule}
    stay = [rule for rule in RULES if rule not in moved]
    kept = [rule for rule in order if rule not in moved]
    assert differences(ruleset(*stay), ruleset(*kept)) == ()


def recorded() -> list[tuple[Path, str]]:
    base = truth.find("recordings")
    if base is None:
        return []
    return [
        (file, file.name.partition(".")[0])
        for file in sorted(base.glob("*/node-?.iptables*"))
        if file.name.split(".", 1)[1] in {"iptables", "iptables.xz", "iptables-legacy"}
        and "COMMIT" in read(file)
    ]


def read(file: Path) -> str:
    data = file.read_bytes()
    return (lzma.decompress(data) if file.suffix == ".xz" else data).decode()


def canary_only(text: str) -> bool:
    """Saved before kube-proxy's first sync: the canary chains and nothing else."""
    return "-A " not in text


@pytest.mark.parametrize(
    ("file", "node"), [pytest.param(*c, id=f"{c[0].parent.name}/{c[0].name}") for c in recorded()]
)
def test_a_real_kube_proxy_differs_in_nothing(file: Path, node: str) -> None:
    text = read(file)
    if canary_only(text):
        pytest.skip(f"{file.parent.name}/{file.name} was saved before the first sync")
    wanted = ("nodes", "services", "endpointslices", "servicecidrs", "proxy")
    found = [p for name in wanted for p in sorted(file.parent.glob(f"{name}.yaml*"))]
    cluster = build(apply([str(path) for path in found]))
    if "interfaces.yaml" in {p.name for p in file.parent.iterdir()}:
        pytest.skip("its nodes have more addresses than their Node objects say")
    expected = node_ruleset(cluster, cluster.nodes[node], 4, "kube-proxy")
    observed = parse_rulesets(text, file.name)[4]
    assert told(differences(expected, observed)) == []
    damaged = [line for line in text.split("\n") if "KUBE-MARK-MASQ -j MARK" not in line]
    missing = differences(expected, parse_rulesets("\n".join(damaged), file.name)[4])
    assert told(missing) == [("missing", "KUBE-MARK-MASQ", None)]


@pytest.mark.parametrize("node", ["node-1", "node-2"])
def test_a_real_userspace_kube_proxy_differs_in_nothing(node: str) -> None:
    """Its random ports and the order of its services are its own."""
    folder = truth.folder("recordings") / "guestbook"
    objects = ("nodes", "services", "endpointslices", "proxy")
    manifests = apply([str(folder / f"{name}.yaml") for name in objects])
    cluster = build(manifests, ClusterOptions(proxy_mode="userspace"))
    expected = node_ruleset(cluster, cluster.nodes[node], 4, "kube-proxy")
    text = (folder / f"{node}.v1.20-userspace.iptables").read_text()
    observed = parse_rulesets(text, "dump")[4]
    assert told(differences(expected, observed)) == []
    portal = next(r for r in text.split("\n") if "-A KUBE-PORTALS-HOST" in r)
    less = parse_rulesets(text.replace(f"{portal}\n", ""), "dump")[4]
    assert [each.kind.value for each in differences(expected, less)] == ["missing"]


def test_free_chains_are_the_six_of_the_facts() -> None:
    assert len(ORDER_FREE) == 6
