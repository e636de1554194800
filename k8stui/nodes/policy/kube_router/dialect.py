"""The two kube-routers: what their rules say in comments, and the few rules that one has alone."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from k8stui.record import record

_LONGEST = 120
"""comments.go maxCommentLen."""


class LetsThrough(StrEnum):
    """What a rule of a policy's chain lets through, as comments.go calls it."""

    INGRESS_PODS = "ingress pods"
    INGRESS_ANY = "ingress any"
    INGRESS_BLOCKS = "ingress cidr"
    EGRESS_PODS = "egress pods"
    EGRESS_ANY = "egress any"
    EGRESS_BLOCKS = "egress cidr"


class Named(Protocol):
    """A policy or a pod."""

    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...


@record()
class K3s:
    """k3s-io/kube-router v2.6.3-k3s1."""

    origin = "kube-router's network policy controller, as k3s runs it"
    tail = False
    """Whether what is judged is accepted in a chain of its own, at the end of each KUBE-ROUTER-."""
    logs_policies = True
    node_port_protocols = ("tcp", "udp")
    common = "common bi-directional traffic policy rules"
    from_node = "rule to permit the traffic traffic to pods when source is the pod\\'s local node"
    passed = "set mark to ACCEPT traffic that comply to network policies"

    @staticmethod
    def rule(policy: Named, way: LetsThrough, *, by_name: bool) -> str:
        del by_name
        return (
            f"rule to ACCEPT traffic from {_LONG[way]} {policy.name} namespace {policy.namespace}"
        )

    @staticmethod
    def policy(policy: Named) -> str:
        return f"run through nw policy {policy.name}"

    @staticmethod
    def default(direction: str) -> str:
        return f"run through default {direction} network policy chain"

    @staticmethod
    def log(pod: Named) -> str:
        return f"rule to log dropped traffic POD name:{pod.name} namespace: {pod.namespace}"

    @staticmethod
    def reject(pod: Named) -> str:
        return f"rule to REJECT traffic destined for POD name:{pod.name} namespace: {pod.namespace}"

    @staticmethod
    def jump(pod: Named, chain: str, *, inward: bool) -> str:
        way = "destined to" if inward else "from"
        return (
            f"rule to jump traffic {way} POD name:{pod.name} namespace: {pod.namespace} "
            f"to chain {chain}"
        )


@record()
class Upstream:
    """cloudnativelabs/kube-router v2.11.0: comments.go."""

    origin = "kube-router's network policy controller, of its own DaemonSet"
    tail = True
    logs_policies = False
    node_port_protocols = ("tcp", "udp", "sctp")
    common = "common netpol rules"
    from_node = "from local node"
    passed = "set netpol-ok mark"

    @staticmethod
    def rule(policy: Named, way: LetsThrough, *, by_name: bool) -> str:
        return _short(policy, f"{way}{' np' if by_name else ''}")

    @staticmethod
    def policy(policy: Named) -> str:
        return _short(policy, "policy")

    @staticmethod
    def default(direction: str) -> str:
        return f"default {direction}"

    @staticmethod
    def log(pod: Named) -> str:
        return _short(pod, "log-drop")

    @staticmethod
    def reject(pod: Named) -> str:
        return _short(pod, "reject")

    @staticmethod
    def jump(pod: Named, chain: str, *, inward: bool) -> str:
        del chain
        return _short(pod, "in" if inward else "out")


Dialect = K3s | Upstream


def _short(named: Named, kind: str) -> str:
    return f"{named.namespace}/{named.name} {kind}"[:_LONGEST]


_LONG: Mapping[LetsThrough, str] = MappingProxyType({
    LetsThrough.INGRESS_PODS: "source pods to dest pods selected by policy name",
    LetsThrough.INGRESS_ANY: "all sources to dest pods selected by policy name:",
    LetsThrough.INGRESS_BLOCKS: "specified ipBlocks to dest pods selected by policy name:",
    LetsThrough.EGRESS_PODS: "source pods to dest pods selected by policy name",
    LetsThrough.EGRESS_ANY: "source pods to all destinations selected by policy name:",
    LetsThrough.EGRESS_BLOCKS: "source pods to specified ipBlocks selected by policy name:",
})  # fmt: skip
"""policy.go processIngressRules, processEgressRules."""
