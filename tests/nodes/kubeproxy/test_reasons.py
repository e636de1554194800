"""Every rule says why it is there, and where the reason is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nodes.kubeproxy.recording import Recording, recordings

from k8stui.because import Because
from k8stui.kernel.rules import Rule
from k8stui.manifests import OriginKind
from k8stui.nodes.kubeproxy import proxy_ruleset

RECORDINGS = {r.name: r for r in recordings(".iptables", ".ip6tables")}


def reasons(name: str) -> dict[str, Because]:
    """The reason of each rule, by the rule's text."""
    if name not in RECORDINGS:
        pytest.skip(f"recordings/{name} is not on this machine")
    return {rule.text: why for rule, why in _reasons(RECORDINGS[name])}


def _reasons(recording: Recording) -> Iterator[tuple[Rule, Because]]:
    cluster, node = recording.cluster()
    for table in proxy_ruleset(cluster, node, recording.version):
        for chain in table.chains.values():
            for rule in chain.rules:
                assert isinstance(rule.reason, Because), rule.text
                yield rule, rule.reason


@pytest.mark.parametrize("name", RECORDINGS)
def test_no_rule_is_without_reason(name: str) -> None:
    for rule, why in _reasons(RECORDINGS[name]):
        assert why.text, rule.text
        assert why.owner == "kube-proxy", rule.text
        assert why.origin.place or why.origin.reason, rule.text


def test_a_balancing_rule_knows_its_endpoint_and_its_share() -> None:
    found = reasons("guestbook/node-1.iptables")
    second = next(why for text, why in found.items() if '"default/frontend -> 10.244.1.6' in text)
    assert second.text == (
        "endpoint 2 of 3 of Service default/frontend, p = 1/3: "
        "frontend-c6470 (1/2 of what gets to this rule)"
    )
    assert second.endpoint == "10.244.1.6:80"
    assert second.service == second.service_port == "default/frontend"
    assert second.origin.place
    assert second.origin.place.file.endswith("endpointslices.yaml")


@pytest.mark.parametrize(
    ("name", "part", "text", "setting", "line"),
    [
        (
            "guestbook/node-1.iptables",
            '"default/frontend cluster IP" -m tcp --dport 80 -j KUBE-SVC-',
            "cluster IP of Service default/frontend, port 80",
            None,
            "10.96.118.14",
        ),
        (
            "guestbook/node-1.iptables",
            '-A KUBE-NODEPORTS -p tcp -m comment --comment "default/frontend"',
            "node port 30080 of Service default/frontend, port 80",
            None,
            "30080",
        ),
        (
            "external-policy/node-1.iptables",
            '"default/internal-local-remote has no local endpoints"',
            (
                "Service default/internal-local-remote has endpoints, but none on this node, and "
                "internalTrafficPolicy is Local"
            ),
            "internalTrafficPolicy: Local",
            "Local",
        ),
        (
            "detect-local/node-1.bridge.iptables",
            "! -i cni0",
            "not from a pod: gets this node's address, so that the answer comes back here",
            "detectLocal.bridgeInterface: cni0",
            None,
        ),
    ],
    ids=["cluster IP", "node port", "no local endpoint", "not from a pod"],
)
def test_a_rule_points_to_what_caused_it(
    name: str, part: str, text: str, setting: str | None, line: str | None
) -> None:
    why = next(why for rule, why in reasons(name).items() if part in rule)
    assert why.text == text
    assert why.setting == setting
    assert why.origin.kind in {OriginKind.OBSERVED, OriginKind.DECLARED}
    if line:
        place = why.origin.place
        assert place
        assert line in Path(place.file).read_text().splitlines()[place.line - 1]


def test_a_made_up_proxy_port_says_so() -> None:
    found = reasons("webapp-mysql/node-1.v1.20-userspace.iptables")
    why = next(why for text, why in found.items() if "--to-ports" in text)
    assert "kube-proxy's own socket on port" in why.text
    assert why.service_port
