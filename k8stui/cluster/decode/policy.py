"""NetworkPolicies as the API server keeps them.

What it fills in: ``policyTypes`` (Ingress, and Egress where there are egress rules) and protocol
TCP. Source: pkg/apis/networking/v1/defaults.go SetDefaults_NetworkPolicy, NetworkPolicyPort.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, array, labels, number, records, table, text, texts
from k8stui.apiserver.inventory import namespace_of
from k8stui.cluster.policy import (
    Direction,
    IpBlock,
    NetworkPolicy,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    read_block,
)

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


def decode_policy(manifest: Manifest) -> NetworkPolicy:
    """Read a NetworkPolicy; what policyTypes leaves open is as the API server fills it in."""
    spec = table(manifest.data, "spec")
    written = texts(spec, "policyTypes")
    directions = tuple(one for one in Direction if str(one) in written)
    if not written:
        more = (Direction.EGRESS,) if array(spec, "egress") else ()
        directions = (Direction.INGRESS, *more)
    return NetworkPolicy(
        namespace=namespace_of(manifest),
        name=manifest.name,
        pods=spec.get("podSelector") or {},
        directions=directions,
        ingress=tuple(_rules(manifest, spec, Direction.INGRESS)),
        egress=tuple(_rules(manifest, spec, Direction.EGRESS)),
        annotations=labels(manifest.data, "metadata", "annotations"),
        origin=manifest.origin("spec"),
    )


def _rules(manifest: Manifest, spec: Object, direction: Direction) -> Iterator[PolicyRule]:
    field = direction.lower()
    for index, rule in enumerate(array(spec, field)):
        path = ("spec", field, index)
        yield PolicyRule(
            peers=tuple(
                PolicyPeer(
                    pods=peer.get("podSelector"),
                    namespaces=peer.get("namespaceSelector"),
                    block=_block(peer),
                    origin=manifest.origin(*where),
                )
                for where, peer in records(table(rule), direction.peers, path)
            ),
            ports=tuple(_port(table(port)) for port in array(rule, "ports")),
            origin=manifest.origin(*path),
        )


def _block(peer: Object) -> IpBlock | None:
    block = table(peer, "ipBlock")
    cidr = text(block, "cidr")
    return read_block(cidr, texts(block, "except")) if cidr else None


def _port(port: Object) -> PolicyPort:
    written = port.get("port")
    return PolicyPort(
        protocol=text(port, "protocol") or "TCP",
        port=written if isinstance(written, str) else number(port, "port"),
        end_port=number(port, "endPort"),
    )
