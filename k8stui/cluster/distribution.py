"""Kubernetes distributions: what each fills in where the input says nothing.

k3s is known by its Nodes: the version of their kubelet and what it notes there of its arguments.
Sources: k3s pkg/cli/cmds/server.go (defaults of --cluster-cidr, --service-cidr), pkg/agent/netpol
(kube-router's network policy controller, unless --disable-network-policy), pkg/nodeconfig
(annotation k3s.io/node-args).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import table, text
from k8stui.apiserver.inventory import Inventory
from k8stui.kernel.address import Prefix
from k8stui.origin import Origin, OriginKind, assumed
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

KUBEADM, K3S = "kubeadm", "k3s"
_NOTES = "k3s.io/"
_ARGUMENTS = "k3s.io/node-args"

Ranges = Mapping[int, Prefix]
"""By IP version."""


@record(kw_only=True)
class Distribution:
    """What a cluster was set up with."""

    name: str
    pod_cidrs: Ranges
    service_cidrs: Ranges
    """What is assumed where the input does not say them."""
    arguments: Mapping[str, str]
    """What its server was started with, as far as the input shows."""
    origin: Origin

    @property
    def policy_engine(self) -> str:
        """What enforces NetworkPolicies, as ``--policy-engine`` has it."""
        off = self.arguments.get("--disable-network-policy", "false")
        return "kube-router" if self.name == K3S and off == "false" else "none"


_RANGES = {
    KUBEADM: (
        {4: Prefix.parse("10.244.0.0/16"), 6: Prefix.parse("fd00:10:244::/56")},
        {4: Prefix.parse("10.96.0.0/12"), 6: Prefix.parse("fd00:10:96::/112")},
    ),
    K3S: (
        {4: Prefix.parse("10.42.0.0/16"), 6: Prefix.parse("2001:cafe:42::/56")},
        {4: Prefix.parse("10.43.0.0/16"), 6: Prefix.parse("2001:cafe:43::/112")},
    ),
}
"""Pods (kubeadm: flannel's usual range), Services."""


def find_distribution(inventory: Inventory, asked: str | None) -> Distribution:
    """The one that is asked for, else what the Nodes show, else kubeadm's."""
    nodes = tuple(inventory.of("Node").values())
    origin = next((one for node in nodes if (one := _k3s(node))), None)
    name = asked or (K3S if origin is not None else KUBEADM)
    pods, services = _RANGES[name]
    return Distribution(
        name=name,
        pod_cidrs=pods,
        service_cidrs=services,
        arguments=dict(_arguments(nodes)) if name == K3S else {},
        origin=origin or assumed(f"taken to be set up with {name}"),
    )


def _k3s(node: Manifest) -> Origin | None:
    if "+k3s" in text(node.data, "status", "nodeInfo", "kubeletVersion"):
        return node.origin("status", "nodeInfo", "kubeletVersion")
    if any(key.startswith(_NOTES) for key in table(node.data, "metadata", "annotations")):
        place = node.place("metadata", "annotations")
        return Origin(kind=OriginKind.OBSERVED, place=place)
    return None


def _arguments(nodes: tuple[Manifest, ...]) -> Iterator[tuple[str, str]]:
    """The server's arguments: ``--flag value``, ``--flag=value``, ``--flag``."""
    for node in nodes:
        try:
            words = json.loads(text(node.data, "metadata", "annotations", _ARGUMENTS) or "[]")
        except ValueError:
            continue
        if not isinstance(words, list) or "server" not in words:
            continue
        for word, following in zip(words, (*words[1:], "--"), strict=True):
            flag, equals, value = str(word).partition("=")
            if flag.startswith("--"):
                bare = "true" if str(following).startswith("--") else str(following)
                yield flag, value if equals else bare
