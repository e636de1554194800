"""A node's whole ruleset goes through the real iptables and comes back the same, to the byte.

In a network namespace of its own, without privileges. Where iptables is not installed or user
namespaces are forbidden, the test says so and is skipped.
"""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from k8stui.kernel.save import dump
from k8stui.nodes.options import NodeOptions
from k8stui.walk.world import build_world, sample

COMMANDS = "iptables-nft-restore && iptables-nft-save"
NFACCT = re.compile(r" -m nfacct --nfacct-name  \w+")
"""Accounting objects are made by kube-proxy over netlink; here they would have to exist first."""


def through_iptables(rules: str) -> str:
    if not shutil.which("iptables-nft-restore"):
        pytest.skip("iptables-nft is not on this machine")
    if subprocess.run(["unshare", "-Urn", "true"], check=False, capture_output=True).returncode:
        pytest.skip("user namespaces are forbidden on this machine")
    done = subprocess.run(
        ["unshare", "-Urn", "sh", "-c", COMMANDS],
        input=rules,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    lines = (line for line in done.stdout.splitlines() if not line.startswith("#"))
    return "".join(re.sub(r"\[\d+:\d+\]", "[0:0]", line) + "\n" for line in lines)


@pytest.mark.parametrize("cni", ["flannel", "flannel-vxlan", "bridge-ipmasq", "docker0"])
@pytest.mark.parametrize("name", ["guestbook", "webapp"])
def test_all_owners_rules_pass_through_iptables(name: str, cni: str) -> None:
    world = build_world([str(sample(name))], None, NodeOptions(cni=cni))
    for node in world.cluster.nodes:
        rules = NFACCT.sub("", dump(world.network[node].rulesets[4]))
        assert "KUBE-SVC-" in rules
        assert through_iptables(rules) == rules
