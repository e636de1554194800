"""Policies of the whole cluster as the API server keeps them, both versions in one form.

Sources: network-policy-api apis/v1alpha1, apis/v1alpha2. A list of networks or of domain names is a
list of peers here: any of them will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, array, number, numbered, records, table, text
from k8stui.cluster.policy import (
    CLUSTER_POLICY_KINDS,
    Action,
    ClusterPolicy,
    Direction,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    Tier,
    read_block,
)

if TYPE_CHECKING:
    from k8stui.apiserver.inventory import Inventory
    from k8stui.manifests import Manifest
    from k8stui.manifests.manifest import Path

_TIERS = {"AdminNetworkPolicy": Tier.ADMIN, "BaselineAdminNetworkPolicy": Tier.BASELINE}
_ORDER = tuple(Tier)


def cluster_policies(inventory: Inventory) -> tuple[ClusterPolicy, ...]:
    """Those of the input in the order in which they are asked; of one priority by their names.

    Which of two with the same priority comes first the API leaves to the engine.
    """
    found = [_decode(one) for kind in CLUSTER_POLICY_KINDS for one in inventory.of(kind).values()]
    return tuple(sorted(found, key=lambda one: (_ORDER.index(one.tier), one.priority, one.name)))


def _decode(manifest: Manifest) -> ClusterPolicy:
    spec = table(manifest.data, "spec")
    subject = table(spec, "subject")
    pods = table(subject, "pods")
    selects = pods or subject
    return ClusterPolicy(
        kind=manifest.kind,
        name=manifest.name,
        tier=_TIERS.get(manifest.kind) or Tier(text(spec, "tier")),
        priority=number(spec, "priority") or 0,
        namespaces=selects.get("namespaceSelector" if pods else "namespaces") or {},
        pods=(pods.get("podSelector") or {}) if pods else None,
        ingress=tuple(_rules(manifest, spec, Direction.INGRESS)),
        egress=tuple(_rules(manifest, spec, Direction.EGRESS)),
        origin=manifest.origin("spec"),
    )


def _rules(manifest: Manifest, spec: Object, direction: Direction) -> Iterator[PolicyRule]:
    for base, rule in records(spec, direction.lower(), ("spec",)):
        action = text(rule, "action")
        yield PolicyRule(
            peers=tuple(
                peer
                for path, one in records(rule, direction.peers, base)
                for peer in _peers(manifest, one, path)
            ),
            ports=tuple(_ports(rule)),
            action=Action.ALLOW if action == "Accept" else Action(action),
            name=text(rule, "name"),
            origin=manifest.origin(*base),
        )


def _peers(manifest: Manifest, peer: Object, path: Path) -> Iterator[PolicyPeer]:
    origin = manifest.origin(*path)
    for field, one in ((field, peer[field]) for field in _MEANS if peer.get(field) is not None):
        if field == "namespaces":
            yield PolicyPeer(namespaces=one, origin=origin)
        elif field == "pods":
            yield PolicyPeer(
                namespaces=table(one).get("namespaceSelector") or {},
                pods=table(one).get("podSelector") or {},
                origin=origin,
            )
        elif field == "nodes":
            yield PolicyPeer(nodes=one, origin=origin)
        for index, written in numbered(peer, field):
            place = manifest.origin(*path, field, index)
            if field == "networks":
                yield PolicyPeer(block=read_block(written), origin=place)
            else:
                yield PolicyPeer(domain=written, origin=place)


_MEANS = ("namespaces", "pods", "nodes", "networks", "domainNames")


def _ports(rule: Object) -> Iterator[PolicyPort]:
    for port in map(table, array(rule, "ports")):
        name, one, some = text(port, "namedPort"), table(port, "portNumber"), port.get("portRange")
        if name:
            yield PolicyPort(protocol="", port=name)
        elif isinstance(some, dict):
            yield _range(some, text(some, "protocol"))
        else:
            yield PolicyPort(protocol=text(one, "protocol") or "TCP", port=number(one, "port"))
    for protocol in map(table, array(rule, "protocols")):
        name = text(protocol, "destinationNamedPort")
        if name:
            yield PolicyPort(protocol="", port=name)
        yield from _of_protocols(protocol)


def _of_protocols(protocol: Object) -> Iterable[PolicyPort]:
    for name in ("tcp", "udp", "sctp"):
        port = table(protocol, name, "destinationPort")
        some = port.get("range")
        if isinstance(some, dict):
            yield _range(some, name.upper())
        elif name in protocol:
            yield PolicyPort(protocol=name.upper(), port=number(port, "number"))


def _range(ports: Object, protocol: str) -> PolicyPort:
    return PolicyPort(
        protocol=protocol or "TCP", port=number(ports, "start"), end_port=number(ports, "end")
    )
