"""Collected nodes that are as they should be, and what is found when something is done to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import truth

from k8stui.check import Finding, check
from k8stui.check.finding import Severity
from k8stui.check.rules import (
    differing_sets,
    mtu,
    node_routes,
    proxy_version,
    stale_rules,
    two_backends,
)
from k8stui.walk.world import build_world

FOLDER = truth.find("real-nodes")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="real-nodes is not on this machine")
_RULES = {
    one.ID for one in (differing_sets, mtu, node_routes, proxy_version, stale_rules, two_backends)
}


class State:
    """A copy of a real state, to be damaged."""

    def __init__(self, name: str, folder: Path) -> None:
        source = truth.folder("real-nodes") / name
        self.folder = folder
        (folder / "nodes").mkdir()
        (folder / "cluster.yaml").write_text((source / "cluster.yaml").read_text())
        for file in sorted((source / "nodes").glob("*.txt*")):
            plain = file.name.removesuffix(".xz")
            text = truth.read(file.with_name(plain))
            assert text is not None
            (folder / "nodes" / plain).write_text(text)

    def edit(self, node: str, pattern: str, new: str, count: int = 1) -> None:
        file = self.folder / "nodes" / f"{node}.txt"
        text, found = re.subn(pattern, new, file.read_text(), count=count, flags=re.MULTILINE)
        assert found
        file.write_text(text)

    def found(self) -> tuple[Finding, ...]:
        findings = check(build_world([str(self.folder)]), [str(self.folder)])
        return tuple(one for one in findings if one.rule in _RULES)


@pytest.fixture
def k3s(tmp_path: Path) -> State:
    return State("k3s-flannel-kube-router", tmp_path)


@pytest.fixture
def kindnet(tmp_path: Path) -> State:
    return State("kindnet", tmp_path)


def _states() -> Iterator[Any]:
    for state in sorted(FOLDER.iterdir()) if FOLDER is not None else ():
        if state.is_dir():
            yield pytest.param(state, id=state.name)


@pytest.mark.parametrize("state", _states())
def test_real_nodes_as_they_are(state: Path) -> None:
    """Calico's pods there have the MTU of the card, by the way that state was made."""
    findings = [one for one in check(build_world([str(state)])) if one.rule in _RULES]
    assert {(one.rule, one.severity) for one in findings} <= {("mtu", Severity.WARNING)}
    assert not findings or state.name.startswith("calico")


def test_a_route_that_is_gone(k3s: State) -> None:
    k3s.edit("k3s-agent", r'\{"dst":"10\.42\.0\.0/24","gateway":"10\.42\.0\.0",[^{}]*\},', "")
    (found,) = k3s.found()
    assert (found.rule, found.severity) == ("node-routes", Severity.ERROR)
    assert found.subject == "Node k3s-agent"
    assert "it has no route to the pods of k3s-server" in found.why
    assert found.proof is not None


def test_a_route_that_leads_back_to_an_older_node(kindnet: State) -> None:
    """The worker sends what is for the control plane's pods to an address that is its own."""
    here, there = (
        re.search(r'"local":"(172\.\d+\.\d+\.\d+)"', file.read_text())
        for file in sorted((kindnet.folder / "nodes").glob("*.txt"), reverse=True)
    )
    assert here is not None
    assert there is not None
    kindnet.edit("kind-worker", f'"gateway":"{re.escape(there[1])}"', f'"gateway":"{here[1]}"')
    (found,) = kindnet.found()
    assert (found.rule, found.severity) == ("node-routes", Severity.ERROR)
    assert "goes to kind-worker" in found.why


def test_a_tunnel_that_knows_no_way(k3s: State) -> None:
    file = k3s.folder / "nodes" / "k3s-agent.txt"
    text = file.read_text()
    at = next(m for m in re.finditer(r'\{[^{}]*"dst":"192\.168\.[^{}]*\}', text)
              if '"ifname":"flannel.1"' in m[0])  # fmt: skip
    file.write_text(text[: at.start()].rstrip(",") + text[at.end() :].lstrip(","))
    (found,) = k3s.found()
    assert found.rule == "node-routes"
    assert "flannel.1 has no FDB entry" in found.why


def test_an_endpoint_that_a_node_does_not_know_yet(k3s: State) -> None:
    file = k3s.folder / "nodes" / "k3s-agent.txt"
    chain = re.search(
        r"^-A (KUBE-SEP-\w+) .*--to-destination (\S+)$", file.read_text(), re.MULTILINE
    )
    assert chain is not None
    k3s.edit("k3s-agent", rf"^[:-].*{chain[1]}.*\n", "", count=0)
    (found,) = k3s.found()
    assert (found.rule, found.severity) == ("stale-rules", Severity.WARNING)
    assert f"do not know {chain[2]}" in found.why


def test_an_endpoint_that_is_gone(k3s: State) -> None:
    more = (
        '-A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m comment --comment "default/web" -m tcp -j DNAT '
        "--to-destination 10.42.9.9:80"
    )
    k3s.edit("k3s-agent", r"^(:KUBE-SEP-\w+ )", r":KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]\n\1")
    k3s.edit("k3s-agent", r"^(-A KUBE-SEP-\w+ )", rf"{more}\n\1")
    (found,) = k3s.found()
    assert found.rule == "stale-rules"
    assert "10.42.9.9:80 of default/web" in found.why
    assert found.place is not None
    assert found.place.line > 1


def test_a_set_of_which_one_node_has_other_members(k3s: State) -> None:
    k3s.edit(
        "k3s-agent", r"^(create (KUBE-SRC-\w+) hash:ip .*)$", r"\1\nadd \2 10.42.0.99 timeout 0"
    )
    (found,) = k3s.found()
    assert (found.rule, found.severity) == ("differing-sets", Severity.WARNING)
    assert "10.42.0.99" in found.why


_DROPS = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
_SERVICES = (
    "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    ":POSTROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n-A PREROUTING -j KUBE-SERVICES\nCOMMIT\n"
)


@pytest.mark.parametrize(("text", "severity"), [(_DROPS, "info"), (_SERVICES, "warning")])
def test_rules_of_the_other_back_end(k3s: State, text: str, severity: str) -> None:
    k3s.edit("k3s-agent", r"^(@ node iptables-legacy-save)\n", rf"\1\n{text}")
    (found,) = k3s.found()
    assert (found.rule, found.severity) == ("two-backends", Severity(severity))


def test_a_tunnel_that_takes_too_much(k3s: State) -> None:
    k3s.edit("k3s-agent", r'("ifname":"flannel\.1",[^{}]*?"mtu":)1450', r"\g<1>1500")
    found = k3s.found()
    assert {one.rule for one in found} == {"mtu"}
    assert any("puts 50 around them, and eth0 below takes 1500" in one.why for one in found)
    assert any("has an MTU of" in one.why for one in found)


def test_pods_that_send_more_than_the_tunnel_takes(k3s: State) -> None:
    k3s.edit("k3s-agent", r'("ifname":"flannel\.1",[^{}]*?"mtu":)1450', r"\g<1>1400")
    assert any("sends packets of 1450 bytes" in one.why for one in k3s.found())


@pytest.mark.parametrize(
    ("version", "said"), [("v1.36.2", ""), ("v1.31.0", ""), ("v1.27.3+k3s1", "1.31 or newer")]
)
def test_the_version_that_the_nodes_report(k3s: State, version: str, said: str) -> None:
    file = k3s.folder / "cluster.yaml"
    file.write_text(
        file.read_text().replace("kubeletVersion: v1.36.2", f"kubeletVersion: {version}")
    )
    found = [one for one in k3s.found() if one.rule == "proxy-version"]
    assert len(found) == (2 if said else 0)
    assert all(said in one.why and "KUBE-FORWARD" in one.why for one in found)


def test_rules_of_an_old_kube_proxy(k3s: State) -> None:
    """Counters aside, a node port has two rules there, as up to 1.23."""
    k3s.edit("k3s-agent", r"-m nfacct --nfacct-name  \S+ ", "", count=0)
    k3s.edit(
        "k3s-agent",
        r"^(-A KUBE-NODEPORTS .*) -j KUBE-EXT-(\w+)$",
        r"\1 -j KUBE-MARK-MASQ\n\1 -j KUBE-SVC-\2",
        count=0,
    )
    (found,) = (one for one in k3s.found() if one.rule == "proxy-version")
    assert "kube-proxy 1.23 or older (chain KUBE-NODEPORTS)" in found.why
    assert "kubelet v1.36.2" in found.why
