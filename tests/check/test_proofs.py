"""The walks behind the findings: their commands run, and a walk that gets through refutes."""

from __future__ import annotations

import json
import shlex

import pytest
from check.worlds import SAMPLES, checked, world

from k8stui.check import Finding, check
from k8stui.check.claim import Claim
from k8stui.check.finding import Severity
from k8stui.check.proof import Prover, command
from k8stui.cli import run
from k8stui.cluster.options import ClusterOptions
from k8stui.nodes.options import NodeOptions
from k8stui.walk.world import build_world

SOUND_MANIFESTS = {
    "balancer-turns-pods-away",  # a list of ranges that may be meant so
    "bridge-nf-off",  # a sysctl of the nodes
    "hairpin-off",  # a setting of the bridge ports
    "nodeport-one-node-only",  # a node's own rules
    "source-address-lost",  # it connects: no failure, a surprise
}
"""Samples whose trouble stands in no manifest: tests/walk/test_broken_samples.py walks them."""
BROKEN = sorted(
    p for p in (SAMPLES / "broken").iterdir() if p.is_dir() and p.name not in SOUND_MANIFESTS
)


@pytest.mark.parametrize("path", BROKEN, ids=[path.name for path in BROKEN])
def test_the_command_shows_what_the_finding_says(
    path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = [f for f in checked(str(path)) if f.severity is not Severity.INFO]
    assert findings, "each broken sample has something to tell"
    for finding in findings:
        proof = finding.proof
        assert proof is not None
        program, *args = shlex.split(proof.command)
        assert program == "k8stui"
        assert run([*args, "--format", "json"]) == 1
        walked = json.loads(capsys.readouterr().out)
        results = [branch["outcome"]["result"] for branch in walked["branches"]]
        assert proof.result.value in results
        steps = {
            (hop["namespace"], step["number"])
            for branch in walked["branches"]
            for hop in branch["hops"]
            for step in hop["steps"]
        }
        assert proof.step is None or (proof.where, proof.step) in steps


def a_finding(claim: Claim) -> Finding:
    return Finding(
        rule="x", severity=Severity.ERROR, subject="Service a/b", place=None, why="", claim=claim
    )


def test_a_walk_that_gets_through_refutes() -> None:
    guestbook = world(SAMPLES / "guestbook")
    claim = Claim("pod/client", "svc/frontend:80")
    assert Prover(guestbook, ["x"]).prove(a_finding(claim)) is None


def test_nobody_to_ask_leaves_the_finding() -> None:
    guestbook = world(SAMPLES / "guestbook")
    finding = a_finding(Claim("pod/nobody", "svc/frontend:80"))
    assert Prover(guestbook, ["x"]).prove(finding) is finding


def test_the_command_has_every_option_that_shapes_the_world() -> None:
    built = build_world(
        [str(SAMPLES / "guestbook")],
        ClusterOptions(nodes=3, proxy_mode="userspace"),
        NodeOptions(cni="docker0", hairpin=False, bridge_nf_call_iptables=False),
    )
    line = command(built, ["my folder", "-"], Claim("outside", "node/node-1:30080"), every=True)
    assert line == (
        "k8stui walk 'my folder' - --nodes 3 --proxy-mode userspace --cni docker0 --no-hairpin "
        "--no-bridge-nf --from outside --to node/node-1:30080 --all"
    )


def test_ignored_rules_stay_silent() -> None:
    path = SAMPLES / "broken" / "selector-matches-nothing"
    assert [f.rule for f in checked(path)] == ["no-endpoints"]
    assert check(world(path), [str(path)], ignore={"no-endpoints"}) == ()
