"""Truth: what istio-init and linkerd-init program in a pod, against recordings-agents."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import truth
from nodes.clusters import ORIGIN, pod

from k8stui.cluster.fields import addresses
from k8stui.cluster.model import Container, Pod
from k8stui.kernel.save import dump
from k8stui.nodes.sidecars import rulesets, sidecar


def cases(kind: str) -> list[Path]:
    found = truth.find("recordings-agents")
    return sorted((found / kind).iterdir()) if found and (found / kind).is_dir() else []


def text(case: Path, name: str) -> str:
    return (truth.read(case / name) or "").strip()


def injected(case: Path, command: str, image: str, *own: str) -> Pod:
    env = [line.partition("=") for line in text(case, "env").splitlines()]
    container = Container(
        name="init",
        image=image,
        init=True,
        spoken=(command, *shlex.split(text(case, "args"))),
        env=tuple((name, value) for name, _, value in env),
        origin=ORIGIN,
    )
    return replace(pod("app", "node-1", *own), containers=(container,))


@pytest.mark.parametrize("case", cases("istio-sidecar"), ids=lambda case: case.name)
def test_istio(case: Path) -> None:
    if case.name.startswith("nftables"):
        pytest.skip("Istio's tables of nftables' own are not generated")
    own = json.loads(re.findall(r"podIPs: (\[.*\])", text(case, "pod.yaml"))[0])
    made = injected(case, "istio-iptables", "proxyv2:1.31", *(one["ip"] for one in own))
    servers = addresses(tuple(re.findall(r"nameserver (\S+)", text(case, "resolv.conf"))))
    found = sidecar(made, servers)
    assert found is not None
    printed = {version: dump(rules).strip() for version, rules in rulesets(found).items()}
    assert printed.get(4, "") == text(case, "iptables")
    assert printed.get(6, "") == text(case, "ip6tables")


@pytest.mark.parametrize("case", cases("linkerd-proxy-init"), ids=lambda case: case.name)
def test_linkerd(case: Path) -> None:
    made = injected(case, "run", "cr.l5d.io/linkerd/proxy-init:v2.4.1", "10.244.1.2")
    found = sidecar(made)
    assert found is not None
    printed = {version: dump(rules).strip() for version, rules in rulesets(found).items()}
    assert printed.get(4, "") == text(case, "iptables")
    assert printed.get(6, "") == text(case, "ip6tables")
