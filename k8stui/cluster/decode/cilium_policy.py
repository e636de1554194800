"""Cilium's own policies, each direction by itself, in the form of policies of the cluster.

What a spec allows counts beside NetworkPolicies: whatever some rule allows may pass, and a pod that
one selects for a direction gets nothing else. What it denies goes before all that.

Source: Cilium v1.16 pkg/policy/api (rule_validation.go sanitize: enableDefaultDeny; ingress.go
GetSourceEndpointSelectorsWithRequirements: peers of all sorts are one list; selector.go,
entity.go), pkg/k8s/apis/cilium.io/utils/utils.go (namespaces of a policy's selectors),
Documentation/security/policy/language.rst.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, array, at, number, numbered, records, table, text, texts
from k8stui.apiserver.inventory import namespace_of
from k8stui.cluster.model import Remark
from k8stui.cluster.policy import (
    CILIUM_POLICY_KINDS,
    Action,
    ClusterPolicy,
    Direction,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    Tier,
    read_block,
)
from k8stui.whole import whole

if TYPE_CHECKING:
    from k8stui.apiserver.inventory import Inventory
    from k8stui.manifests import Manifest
    from k8stui.manifests.manifest import Path
    from k8stui.origin import Origin

_NAME = "kubernetes.io/metadata.name"
_NAMESPACE = "io.kubernetes.pod.namespace"
_NAMESPACE_LABEL = "io.cilium.k8s.namespace.labels."
_CLUSTER = "io.cilium.k8s.policy.cluster"
"""Of a mesh of clusters: the input is one of them."""
_RESERVED = "reserved:"
_EVERYWHERE = ("0.0.0.0/0", "::/0")
"""Blocks of addresses mean neither pods nor nodes (`Cluster.blocks_spare`): whoever is outside."""
_FAMILIES = {"world": _EVERYWHERE, "world-ipv4": _EVERYWHERE[:1], "world-ipv6": _EVERYWHERE[1:]}
_NODES = frozenset({"host", "remote-node", "kube-apiserver"})
_NOBODY = frozenset({"health", "init", "unmanaged", "ingress", "none"})
_MEANS = ("Endpoints", "CIDR", "CIDRSet", "Entities", "FQDNs")
_UNSAID = ("Requires", "Groups", "Nodes", "Services")
"""Sorts of peers that are not evaluated."""


def cilium_policies(inventory: Inventory) -> Iterator[ClusterPolicy]:
    """Those that are about pods: what they allow, and what they deny, by direction."""
    found = [
        one
        for kind in CILIUM_POLICY_KINDS
        for manifest in inventory.of(kind).values()
        for path, spec in _specs(manifest)
        if "nodeSelector" not in spec
        for direction in Direction
        for one in _of_direction(manifest, path, spec, direction)
    ]
    heard = any(
        "dns" in table(each, "rules")
        for kind in CILIUM_POLICY_KINDS
        for manifest in inventory.of(kind).values()
        for _, spec in _specs(manifest)
        for _, rule in records(spec, "egress", ())
        for _, each in records(rule, "toPorts", ())
    )
    yield from found if heard else map(_unheard, found)


def _unheard(policy: ClusterPolicy) -> ClusterPolicy:
    """Names mean only addresses that the DNS proxy has seen, which a rule has to send there."""
    return replace(policy, egress=tuple(
        replace(rule, peers=tuple(
            replace(one, unheard=True) if one.domain is not None else one for one in rule.peers
        ))
        for rule in policy.egress
    ))  # fmt: skip


def unevaluated(inventory: Inventory) -> Iterator[Remark]:
    """What policies say of nodes, and of what is said once connected."""
    for kind in CILIUM_POLICY_KINDS:
        for manifest in inventory.of(kind).values():
            for path, spec in _specs(manifest):
                if "nodeSelector" in spec:
                    said = "it is about nodes (nodeSelector, the host firewall)"
                    origin = manifest.origin(*path, "nodeSelector")
                    yield Remark(
                        text=f"{kind} {manifest.name}: {said}: not evaluated", origin=origin
                    )
                for place, sort in _beyond_ports(path, spec):
                    said = (
                        f"rules of {sort} are not evaluated: what they do not let through is "
                        "answered by Cilium's proxy (HTTP: 403), though it connects"
                    )
                    origin = manifest.origin(*place)
                    yield Remark(text=f"{kind} {manifest.name}: {said}", origin=origin)


def _beyond_ports(path: Path, spec: Object) -> Iterator[tuple[Path, str]]:
    for direction in Direction:
        for base, rule in records(spec, direction.lower(), path):
            for place, each in records(rule, "toPorts", base):
                for sort in ("http", "kafka", "l7"):
                    if sort in table(each, "rules"):
                        yield (*place, "rules", sort), "HTTP" if sort == "http" else sort


def _specs(manifest: Manifest) -> Iterator[tuple[Path, Object]]:
    if isinstance(manifest.data.get("spec"), dict):
        yield ("spec",), table(manifest.data, "spec")
    yield from records(manifest.data, "specs", ())


def _of_direction(
    manifest: Manifest, path: Path, spec: Object, direction: Direction
) -> Iterator[ClusterPolicy]:
    own = namespace_of(manifest) if manifest.kind == CILIUM_POLICY_KINDS[0] else ""
    field = direction.lower()
    namespaces, pods = _selector(table(spec, "endpointSelector"), own)
    for denies in (True, False):
        rules = [*_rules(manifest, path, spec, direction, own, denies=denies)]
        told = at(spec, "enableDefaultDeny", field)
        closes = bool(array(spec, field) or array(spec, f"{field}Deny")) and told is not False
        if not denies and closes and not rules:
            rules = [_allows_nobody(manifest.origin(*path))]
        if rules:
            closing = Tier.NETWORK_POLICY if closes else Tier.CILIUM_ALSO
            yield ClusterPolicy(
                kind=manifest.kind,
                name=f"{own}/{manifest.name}" if own else manifest.name,
                tier=Tier.CILIUM_DENY if denies else closing,
                namespaces=namespaces,
                pods=pods,
                ingress=tuple(rules) if direction is Direction.INGRESS else (),
                egress=tuple(rules) if direction is Direction.EGRESS else (),
                origin=manifest.origin(*path),
            )


def _allows_nobody(origin: Origin) -> PolicyRule:
    return PolicyRule(peers=(PolicyPeer(block=read_block(""), origin=origin),), origin=origin)


def _rules(
    manifest: Manifest, path: Path, spec: Object, direction: Direction, own: str, *, denies: bool
) -> Iterator[PolicyRule]:
    """A rule that names peers of which there are none is about nobody; so is an empty one."""
    lead = direction.peers
    for base, rule in records(spec, f"{direction.lower()}{'Deny' if denies else ''}", path):
        named = any(f"{lead}{sort}" in rule for sort in (*_MEANS, *_UNSAID))
        peers = tuple(_peers(manifest, rule, base, lead, own))
        ports = tuple(_ports(rule))
        if "all" in texts(rule, f"{lead}Entities"):
            peers = ()
        elif not peers and (named or not ports):
            continue
        yield PolicyRule(
            peers=peers,
            ports=ports,
            action=Action.DENY if denies else Action.ALLOW,
            origin=manifest.origin(*base),
        )


def _peers(
    manifest: Manifest, rule: Object, base: Path, lead: str, own: str
) -> Iterator[PolicyPeer]:
    for path, one in records(rule, f"{lead}Endpoints", base):
        origin = manifest.origin(*path)
        reserved = [key for key in table(one, "matchLabels") if key.startswith(_RESERVED)]
        if reserved:
            yield from _entity(reserved[0].removeprefix(_RESERVED), origin)
            continue
        namespaces, pods = _selector(one, own)
        yield PolicyPeer(namespaces=namespaces, pods=pods, origin=origin)
    for index, written in numbered(rule, f"{lead}CIDR"):
        origin = manifest.origin(*base, f"{lead}CIDR", index)
        yield PolicyPeer(block=read_block(written), origin=origin)
    for path, one in records(rule, f"{lead}CIDRSet", base):
        cidr, origin = text(one, "cidr"), manifest.origin(*path)
        if cidr:
            yield PolicyPeer(block=read_block(cidr, texts(one, "except")), origin=origin)
        else:
            yield PolicyPeer(words="a group of networks (cidrGroupRef)", origin=origin)
    for index, written in numbered(rule, f"{lead}Entities"):
        yield from _entity(written, manifest.origin(*base, f"{lead}Entities", index))
    for path, one in records(rule, f"{lead}FQDNs", base):
        yield from _name(one, manifest.origin(*path))
    for sort in _UNSAID:
        if array(rule, f"{lead}{sort}"):
            origin = manifest.origin(*base, f"{lead}{sort}")
            yield PolicyPeer(words=f"{lead}{sort}", origin=origin)


def _entity(name: str, origin: Origin) -> Iterator[PolicyPeer]:
    if name in _FAMILIES:
        yield from (PolicyPeer(block=read_block(one), origin=origin) for one in _FAMILIES[name])
    elif name in ("cluster", "all"):
        yield PolicyPeer(namespaces={}, origin=origin)
        yield PolicyPeer(nodes={}, origin=origin)
    elif name in _NODES:
        yield PolicyPeer(nodes={}, origin=origin)
    elif name not in _NOBODY:
        yield PolicyPeer(words=f"the entity {name}", origin=origin)


def _name(one: Object, origin: Origin) -> Iterator[PolicyPeer]:
    name, pattern = text(one, "matchName"), text(one, "matchPattern")
    if pattern.strip("*.") == "" and pattern:
        yield from _entity("world", origin)
    elif "*" in pattern.removeprefix("*."):
        yield PolicyPeer(words=f"the pattern {pattern}", origin=origin)
    elif name or pattern:
        yield PolicyPeer(domain=name or pattern, origin=origin)


def _selector(written: Object, own: str) -> tuple[object, object]:
    """What a selector asks of namespaces, and of pods; a policy's own namespace unless it says."""
    labels: tuple[dict[str, object], dict[str, object]] = ({}, {})
    expressions: tuple[list[object], list[object]] = ([], [])
    for key, value in table(written, "matchLabels").items():
        name, of_pods = _label(key)
        if name:
            labels[of_pods][name] = value
    for one in map(table, array(written, "matchExpressions")):
        name, of_pods = _label(text(one, "key"))
        if name:
            expressions[of_pods].append({**one, "key": name})
    found = [
        {"matchLabels": of_labels, "matchExpressions": said}
        for of_labels, said in zip(labels, expressions, strict=True)
    ]
    if own and not labels[0] and not expressions[0]:
        found[0] = {"matchLabels": {_NAME: own}}
    return found[0], found[1]


def _label(key: str) -> tuple[str, bool]:
    """A label as objects carry it, and whether pods do, not namespaces; empty: it counts not."""
    name = key.split(":", 1)[-1]
    if name == _NAMESPACE:
        return _NAME, False
    if name.startswith(_NAMESPACE_LABEL):
        return name.removeprefix(_NAMESPACE_LABEL), False
    return ("" if name == _CLUSTER else name), True


def _ports(rule: Object) -> Iterator[PolicyPort]:
    for each in map(table, array(rule, "toPorts")):
        for port in map(table, array(each, "ports")):
            written, protocol = at(port, "port"), text(port, "protocol")
            name = written if isinstance(written, str) else str(written or "")
            figure = whole(name)
            yield PolicyPort(
                protocol="" if protocol in ("", "ANY") else protocol,
                port=(figure or None) if figure is not None or not name else name,
                end_port=number(port, "endPort"),
            )
