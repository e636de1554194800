from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.contribution import Contribution, Jump, TablePart, compose


def texts(chain: Chain) -> list[str]:
    return [rule.text for rule in chain.rules]


def jump(text: str, *, insert: bool) -> Jump:
    return Jump(text.split()[1], Rule(text), insert)


def test_inserts_go_on_top_one_at_a_time_and_appends_to_the_end() -> None:
    first = TablePart(
        jumps=(jump("-A INPUT -j A", insert=True), jump("-A INPUT -j B", insert=True))
    )
    second = TablePart(
        jumps=(jump("-A INPUT -j C", insert=False), jump("-A INPUT -j D", insert=True))
    )
    ruleset = compose(
        [Contribution("one", {"filter": first}), Contribution("two", {"filter": second})]
    )
    assert texts(ruleset.tables["filter"].chains["INPUT"]) == [
        "-A INPUT -j D",
        "-A INPUT -j B",
        "-A INPUT -j A",
        "-A INPUT -j C",
    ]


def test_a_rule_that_is_there_is_not_written_again() -> None:
    part = TablePart(
        {"KUBE-FIREWALL": Chain("KUBE-FIREWALL", (Rule("-A KUBE-FIREWALL -j DROP"),))},
        (jump("-A INPUT -j KUBE-FIREWALL", insert=True),),
    )
    ruleset = compose(
        [Contribution(owner, {"filter": part}) for owner in ("kubelet", "kube-proxy")]
    )
    chains = ruleset.tables["filter"].chains
    assert texts(chains["INPUT"]) == ["-A INPUT -j KUBE-FIREWALL"]
    assert texts(chains["KUBE-FIREWALL"]) == ["-A KUBE-FIREWALL -j DROP"]


def test_chains_come_in_printed_order_and_tables_in_that_of_the_nft_backend() -> None:
    part = TablePart({name: Chain(name) for name in ("KUBE-B", "CNI-a", "KUBE-A", "CNI-Z")})
    ruleset = compose([Contribution("x", {"nat": part, "filter": part, "mangle": part})])
    assert list(ruleset.tables) == ["mangle", "filter", "nat"]
    assert list(ruleset.tables["filter"].chains) == [
        *("INPUT", "FORWARD", "OUTPUT"),
        *("CNI-Z", "CNI-a", "KUBE-A", "KUBE-B"),
    ]


def test_the_last_policy_holds_and_accept_is_the_default() -> None:
    docker = TablePart(policies={"FORWARD": "DROP"})
    chains = compose([Contribution("docker", {"filter": docker})]).tables["filter"].chains
    assert chains["FORWARD"].policy == "DROP"
    assert chains["INPUT"].policy == "ACCEPT"
    assert all(
        c.policy is None for n, c in chains.items() if n not in ("INPUT", "FORWARD", "OUTPUT")
    )


class Counting(Mapping[str, Chain]):
    def __init__(self) -> None:
        self.built: list[str] = []

    def __getitem__(self, name: str) -> Chain:
        if name not in ("A", "B"):
            raise KeyError(name)
        self.built.append(name)
        return Chain(name)

    def __contains__(self, name: object) -> bool:
        return name in ("A", "B")

    def __iter__(self) -> Iterator[str]:
        return iter(("B", "A"))

    def __len__(self) -> int:
        return 2


def test_a_chain_is_built_once_when_it_is_looked_up() -> None:
    lazy = Counting()
    chains = compose([Contribution("x", {"nat": TablePart(lazy)})]).tables["nat"].chains
    assert "A" in chains
    assert "C" not in chains
    assert list(chains) == ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING", "A", "B"]
    assert lazy.built == []
    assert chains["A"] is chains["A"]
    assert lazy.built == ["A"]
    assert [name for name, _ in chains.items()] == list(chains)
    assert lazy.built == ["A", "B"]
    with pytest.raises(KeyError):
        chains["C"]
