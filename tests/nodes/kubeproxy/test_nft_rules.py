"""The tables of mode nftables: each rule, element and set has a reason; made when looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nodes.kubeproxy.recording import Recording, recordings
from nodes.kubeproxy.test_lazy import cluster_of

from k8stui.because import Because
from k8stui.kernel.address import Address, Prefix
from k8stui.nodes.kubeproxy.around import Around
from k8stui.nodes.kubeproxy.nftables.intervals import one_of
from k8stui.nodes.kubeproxy.nftables.names import hashed
from k8stui.nodes.kubeproxy.nftables.rules import NftablesRules, Shared

RECORDINGS = {r.name: r for r in recordings(".nft")}


def _reasons(recording: Recording) -> Iterator[tuple[str, Because | None]]:
    cluster, node = recording.cluster()
    for version in (4, 6):
        table = NftablesRules(cluster, node, version, Around()).table
        for one in table.sets.values():
            yield one.name, one.reason
            yield from ((element.text, element.reason) for element in one.elements)
        for chain in table.chains.values():
            yield from ((rule.text, rule.reason) for rule in chain.chain.rules)


@pytest.mark.parametrize("name", RECORDINGS)
def test_nothing_is_without_reason(name: str) -> None:
    for text, why in _reasons(RECORDINGS[name]):
        assert why is not None, text
        assert why.text, text
        assert why.owner == "kube-proxy", text
        assert why.origin.place or why.origin.reason, text


@pytest.mark.parametrize(
    ("name", "text", "service", "line"),
    [
        ("guestbook/node-1.nft", "10.96.118.14 . tcp . 80 : goto", "default/frontend", "10.96"),
        ("guestbook/node-1.nft", "tcp . 30080 : goto external-", "default/frontend", "30080"),
        (
            "external-policy/node-1.nft",
            'comment "default/internal-local-remote" : drop',
            "default/internal-local-remote",
            "Local",
        ),
        ("loadbalancer/node-1.nft", "ip saddr != 192.0.2.0/24 drop", "default/everything", "192."),
    ],
)
def test_what_stands_there_points_to_what_caused_it(
    name: str, text: str, service: str, line: str
) -> None:
    if name not in RECORDINGS:
        pytest.skip(f"recordings/{name} is not on this machine")
    why = next(why for found, why in _reasons(RECORDINGS[name]) if text in found)
    assert why is not None
    assert why.service == service
    place = why.origin.place
    assert place is not None
    lines = Path(place.file).read_text().splitlines()
    assert line in "\n".join(lines[place.line - 1 : place.line + 1])


def test_looking_up_one_chain_plans_no_other_service_port() -> None:
    cluster = cluster_of(50, "nftables")
    made = NftablesRules(cluster, cluster.nodes["node-1"], 4, Around())
    chain = made.table.chains[f"service-{hashed('shop/s7/tcp/')}"]
    (rule,) = chain.chain.rules
    assert rule.text == (
        "meta l4proto tcp dnat ip to numgen random mod 2 map "
        "{ 0 : 10.244.0.14 . 80, 1 : 10.244.0.15 . 80 }"
    )
    assert made.planned == 1


@pytest.mark.parametrize(
    "name",
    ["service-", "service-AAAAAAAA-shop/s1/tcp/", "local-x", f"local-{hashed('shop/s1/tcp/')}"],
)
def test_a_chain_that_is_not_there(name: str) -> None:
    cluster = cluster_of(2, "nftables")
    table = NftablesRules(cluster, cluster.nodes["node-1"], 4, Around()).table
    assert name not in table.chains
    assert name not in table.sets
    with pytest.raises(KeyError):
        table.chains[name]


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        (["192.0.2.0/24"], "192.0.2.0/24"),
        (["192.0.2.9/32"], "192.0.2.9"),
        (["203.0.113.24/32", "203.0.113.23/32"], "203.0.113.23-203.0.113.24"),
        (["203.0.113.24/32", "203.0.113.25/32"], "203.0.113.24/31"),
        (["192.0.2.128/25", "192.0.2.0/25", "192.0.2.7/32"], "192.0.2.0/24"),
        (["198.51.100.7/32", "192.0.2.0/25"], "{ 192.0.2.0/25, 198.51.100.7 }"),
        (["2001:db8::/32", "2001:db8:1::/48", "::/128"], "{ ::, 2001:db8::/32 }"),
    ],
)
def test_ranges_are_merged(given: list[str], printed: str) -> None:
    assert one_of(map(Prefix.parse, given)) == printed


def test_a_name_is_cut() -> None:
    assert len(hashed("n" * 300)) == 240
    assert hashed("n" * 300).endswith("n...")


@pytest.mark.parametrize("name", RECORDINGS)
def test_each_element_is_found_by_its_key(name: str) -> None:
    """By what a packet has: the look-up and the whole list say the same."""
    protocols = {"tcp": 6, "udp": 17, "sctp": 132}
    cluster, node = RECORDINGS[name].cluster()
    for version in (4, 6):
        sets = NftablesRules(cluster, node, version, Around()).table.sets
        for one in sets.values():
            if not isinstance(one.elements, Shared):
                continue
            for element in one.elements:
                words = element.text.partition(" : ")[0].partition(" comment ")[0].split(" . ")
                fields = tuple(
                    int(word) if word.isdigit() else protocols.get(word) or Address.parse(word)
                    for word in words
                )
                assert one.elements.at(fields) == element
                assert one.elements.at((*fields[:-1], 1)) is None


def test_a_key_is_found_without_planning_other_service_ports() -> None:
    cluster = cluster_of(50, "nftables")
    made = NftablesRules(cluster, cluster.nodes["node-1"], 4, Around())
    found = made.table.sets["service-ips"].elements
    assert isinstance(found, Shared)
    element = found.at((Address.parse("10.96.0.8"), 6, 80))
    assert element is not None
    assert element.text == f"10.96.0.8 . tcp . 80 : goto service-{hashed('shop/s7/tcp/')}"
    assert made.planned == 1
