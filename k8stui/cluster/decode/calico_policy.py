"""Calico's policies, tiers and sets of networks as Felix gets them.

The selectors of a rule's end are put together to one, as Calico does. Source: Calico v3.30
libcalico-go lib/backend/syncersv1/updateprocessors (rules.go GetEntityRuleSelector, selectors.go,
globalnetworkpolicyprocessor.go, networkpolicyprocessor.go), lib/names/policy.go,
lib/validator/v3 (validateRule), felix/calc/rule_scanner.go combineMatchesIfPossible,
rule_convert.go ipVersionToProtoIPVersion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, array, at, labels, number, records, table, text, texts
from k8stui.apiserver.inventory import namespace_of
from k8stui.cluster.expression import Expression, ExpressionError, parse
from k8stui.cluster.policy import (
    CALICO_POLICY_KINDS,
    Action,
    CalicoPolicy,
    CalicoTier,
    Conditions,
    Direction,
    Icmp,
    NetworkSet,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    RuleEnd,
    Tier,
    read_range,
)
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.apiserver.inventory import Inventory
    from k8stui.manifests import Manifest
    from k8stui.manifests.manifest import Path
    from k8stui.origin import Origin

_HAS_NAMESPACE = "has(projectcalico.org/namespace)"
_OF_HOSTS = ("doNotTrack", "preDNAT")
_NAMES = ("tcp", "udp", "icmp", "icmpv6", "sctp", "udplite")
_WITH_PORTS = {"tcp", "udp", "sctp", "6", "17", "132"}
_WITH_TYPES = {"icmp", "icmpv6"}
_LAST_PORT = 65_535
_RANGE = re.compile(r"0*(\d{1,5})(?::0*(\d{1,5}))?", re.ASCII)
_PORT_NAME = re.compile(r"(?!\d+\Z)[\w.-]{1,128}", re.ASCII)
_DIGITS = re.compile(r"0*(\d{1,3})", re.ASCII)
_SIDES = ("source", "destination")


@record()
class WrongField:
    """A value for which Calico does not take a policy: it has no effect then."""

    path: Path
    said: str
    at: int = 0
    """Which of its characters is wrong, from 0."""


def calico_policies(inventory: Inventory) -> tuple[CalicoPolicy, ...]:
    """Those that are about pods, and that Calico takes, in no order.

    The two APIs show the same objects (``default.NAME`` is NAME): each counts once.
    """
    known = {one.name: _tier(one) for one in inventory.of("Tier").values()}
    found = {}
    for kind in CALICO_POLICY_KINDS:
        for one in inventory.of(kind).values():
            is_for_pods = not any(at(one.data, "spec", field) is True for field in _OF_HOSTS)
            if is_for_pods and next(wrong_fields(one), None) is None:
                made = _policy(one, known)
                found[kind, made.felix_name] = made
    return tuple(found.values())


def network_sets(inventory: Inventory) -> Iterator[tuple[str, NetworkSet]]:
    """Each with its namespace; empty: it is in none."""
    for kind in ("GlobalNetworkSet", "NetworkSet"):
        for one in inventory.of(kind).values():
            nets = tuple(map(read_range, texts(one.data, "spec", "nets")))
            own = labels(one.data, "metadata", "labels")
            namespace = namespace_of(one) if kind == "NetworkSet" else ""
            yield namespace, NetworkSet(labels=own, nets=nets, origin=one.origin())


def tier_name(manifest: Manifest) -> str:
    return text(manifest.data, "spec", "tier") or "default"


def _tier(manifest: Manifest) -> CalicoTier:
    spec = table(manifest.data, "spec")
    denies = text(spec, "defaultAction") != "Pass"
    return CalicoTier(manifest.name, _order(spec), denies)


def _order(spec: Object) -> float:
    found = spec.get("order")
    return min(inf, found) if isinstance(found, int | float) else inf


def _policy(manifest: Manifest, known: dict[str, CalicoTier]) -> CalicoPolicy:
    spec = table(manifest.data, "spec")
    namespace = namespace_of(manifest) if manifest.kind != "GlobalNetworkPolicy" else ""
    tier = tier_name(manifest)
    named = manifest.name if manifest.name.startswith(f"{tier}.") else f"{tier}.{manifest.name}"
    selector = policy_selector(spec, namespace)
    written = texts(spec, "types")
    ways = [one for one in Direction if str(one) in written]
    if not written:
        ways = [one for one in Direction if array(spec, one.lower())] or [Direction.INGRESS]
    return CalicoPolicy(
        kind=manifest.kind,
        namespace=namespace,
        name=manifest.name,
        felix_name=f"{namespace}/{named}" if namespace else named,
        tier=Tier.NETWORK_POLICY if tier == "default" else known.get(tier) or CalicoTier(tier),
        order=_order(spec),
        selector=selector,
        pods=parse(selector),
        directions=tuple(ways),
        ingress=tuple(_rules(manifest, spec, Direction.INGRESS, namespace)),
        egress=tuple(_rules(manifest, spec, Direction.EGRESS, namespace)),
        origin=manifest.origin("spec"),
    )


def policy_selector(spec: Object, namespace: str) -> str:
    """Whom a policy selects, in one expression."""
    found = text(spec, "selector")
    if namespace:
        own = f"projectcalico.org/namespace == '{namespace}'"
        found = f"({found}) && {own}" if found else own
    for field, prefix, has in (
        ("namespaceSelector", "pcns.", _HAS_NAMESPACE),
        ("serviceAccountSelector", "pcsa.", "has(projectcalico.org/serviceaccount)"),
    ):
        more = text(spec, field)
        if more:
            more = str(parse(more).prefixed(prefix))
            found = f"({found}) && {more}" if found else more
            found = found if namespace else found.replace("all()", has)
    return found


def _rules(
    manifest: Manifest, spec: Object, way: Direction, namespace: str
) -> Iterator[PolicyRule]:
    for path, rule in records(spec, way.lower(), ("spec",)):
        far = manifest.origin(*path, _SIDES[way is Direction.EGRESS])
        yield read_rule(rule, way, namespace, (manifest.origin(*path), far))


def read_rule(
    rule: Object, way: Direction, namespace: str, origins: tuple[Origin, Origin]
) -> PolicyRule:
    """A rule of a policy of `namespace`; `origins`: its own, and that of the other end."""
    protocol = _protocol(rule, "protocol")
    source, destination = (_end(table(rule, one), protocol, namespace) for one in _SIDES)
    whole = (PolicyPort(protocol=str(rule["protocol"])),) if protocol else ()
    words = ", ".join(_words(rule, way))
    return PolicyRule(
        peers=(PolicyPeer(words=words, origin=origins[1]),) if words else (),
        ports=destination.ports or whole,
        action=Action(text(rule, "action")),
        conditions=Conditions(
            protocol=protocol,
            not_protocol=_protocol(rule, "notProtocol"),
            version=number(rule, "ipVersion") or {"icmp": 4, "icmpv6": 6}.get(protocol),
            icmp=_icmp(rule, "icmp"),
            not_icmp=_icmp(rule, "notICMP"),
            source=source,
            destination=destination,
        ),
        origin=origins[0],
    )


def _end(side: Object, protocol: str, namespace: str) -> RuleEnd:
    one, other = _selectors(side, namespace)
    service = table(side, "services")
    name = text(service, "name")
    return RuleEnd(
        selector=one,
        but_not=other,
        nets=tuple(map(read_range, texts(side, "nets"))),
        not_nets=tuple(map(read_range, texts(side, "notNets"))),
        ports=tuple(_port(one, protocol) for one in array(side, "ports")),
        not_ports=tuple(_port(one, protocol) for one in array(side, "notPorts")),
        service=f"{text(service, 'namespace') or namespace}/{name}" if name else "",
    )


def _selectors(side: Object, namespace: str) -> tuple[Expression | None, Expression | None]:
    """Whom an end means, and, where it means no pods alone, whom it does not."""
    spaces, negated = text(side, "namespaceSelector"), text(side, "notSelector")
    own = ") && (".join(filter(None, (_accounts(side), text(side, "selector"))))
    own = f"({own})" if ") && (" in own else own
    where = f"projectcalico.org/namespace == '{namespace}'" if namespace else ""
    if spaces:
        where = str(parse(spaces).prefixed("pcns."))
        where = where.replace("all()", _HAS_NAMESPACE).replace("global()", f"!{_HAS_NAMESPACE}")
    if where and (own or negated or spaces):
        own = f"({where}) && ({own})" if own else where
    if own and negated:
        own, negated = f"({own}) && (!({negated}))", ""
    return parse(own) if own else None, parse(negated) if negated else None


def _accounts(side: Object) -> str:
    names, selector = (at(side, "serviceAccounts", one) for one in ("names", "selector"))
    found = str(parse(str(selector)).prefixed("pcsa.")) if selector else ""
    if names:
        listed = "', '".join(texts(names))
        of_them = str(parse(f"projectcalico.org/serviceaccount in {{ '{listed}' }}"))
        found = f"({found}) && ({of_them})" if found else of_them
    return found


def _protocol(rule: Object, field: str) -> str:
    """Its name in lower case, or its number (api/pkg/lib/numorstring Uint8OrString)."""
    found = rule.get(field)
    written = "" if found is None else str(found).lower()
    digits = _DIGITS.fullmatch(written)
    return digits[1] if digits is not None else written


def _icmp(rule: Object, field: str) -> Icmp | None:
    kind = number(rule, field, "type")
    return None if kind is None else (kind, number(rule, field, "code"))


def _port(written: object, protocol: str) -> PolicyPort:
    name = protocol.upper()
    found = _RANGE.fullmatch(str(written))
    if found is None:
        return PolicyPort(protocol=name, port=str(written))
    return PolicyPort(
        protocol=name, port=int(found[1]), end_port=int(found[2]) if found[2] else None
    )


def _words(rule: Object, way: Direction) -> Iterator[str]:
    """What a rule asks beside the destination's ports, the other end first."""
    far, near = _SIDES if way is Direction.INGRESS else _SIDES[::-1]
    yield from _of_end(table(rule, far), ports=far == "source")
    for one in _of_end(table(rule, near), ports=near == "source"):
        yield f"{near} {one}"
    if rule.get("notProtocol") is not None:
        yield f"protocol not {rule['notProtocol']}"
    for field, no in (("icmp", ""), ("notICMP", "not ")):
        found = _icmp(rule, field)
        if found is not None:
            code = "" if found[1] is None else f" code {found[1]}"
            yield f"{no}ICMP type {found[0]}{code}"
    if rule.get("ipVersion") is not None:
        yield f"IPv{rule['ipVersion']}"


def _of_end(side: Object, *, ports: bool) -> Iterator[str]:
    for field, words in (
        ("selector", ""),
        ("namespaceSelector", "of namespaces "),
        ("notSelector", "but not "),
    ):
        if text(side, field):
            yield words + text(side, field)
    accounts = table(side, "serviceAccounts")
    if accounts:
        asked = (*texts(accounts, "names"), text(accounts, "selector"))
        yield f"of service accounts {' '.join(filter(None, asked))}"
    if table(side, "services"):
        yield f"of Service {text(side, 'services', 'name')}"
    yield from texts(side, "nets")
    yield from (f"not {one}" for one in texts(side, "notNets"))
    yield from (f"from port {one}" for one in array(side, "ports") if ports)
    yield from (f"not {'from ' if ports else ''}port {one}" for one in array(side, "notPorts"))


def wrong_fields(manifest: Manifest) -> Iterator[WrongField]:
    """For what Calico refuses a policy."""
    found = list(_wrong_fields(manifest))
    if not found:
        try:
            _policy(manifest, {})
        except ExpressionError as error:  # of names that are none
            found = [WrongField(("metadata",), f"with its names {error}")]
    yield from found


def _wrong_fields(manifest: Manifest) -> Iterator[WrongField]:
    spec = table(manifest.data, "spec")
    for field in ("selector", "namespaceSelector", "serviceAccountSelector"):
        yield from _wrong_selector(spec, ("spec",), field)
    for way in Direction:
        for path, rule in records(spec, way.lower(), ("spec",)):
            yield from _wrong_rule(rule, path)


def _wrong_rule(rule: Object, path: Path) -> Iterator[WrongField]:
    for field in ("protocol", "notProtocol"):
        found = _protocol(rule, field)
        if (
            found
            and found not in _NAMES
            and not (_DIGITS.fullmatch(found) and 0 < int(found) < 256)
        ):
            known = "TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite"
            said = f"there is no protocol {rule[field]} for Calico: {known}, or a number"
            yield WrongField((*path, field), said)
    if rule.get("icmp") is not None and _protocol(rule, "protocol") not in _WITH_TYPES:
        yield WrongField((*path, "icmp"), "icmp needs protocol: ICMP or ICMPv6 in the rule")
    for name in _SIDES:
        side, base = table(rule, name), (*path, name)
        for field in ("selector", "notSelector", "namespaceSelector"):
            yield from _wrong_selector(side, base, field)
        yield from _wrong_selector(
            table(side, "serviceAccounts"), (*base, "serviceAccounts"), "selector"
        )
        for field in ("ports", "notPorts"):
            if array(side, field) and _protocol(rule, "protocol") not in _WITH_PORTS:
                said = f"{field} need protocol: TCP, UDP or SCTP in the rule"
                yield WrongField((*base, field), said)
            for index, port in enumerate(array(side, field)):
                number_ = _RANGE.fullmatch(str(port))
                first, last = (number_[1], number_[2] or number_[1]) if number_ else (0, 0)
                is_port = number_ or _PORT_NAME.fullmatch(str(port))
                if not is_port or not int(first) <= int(last) <= _LAST_PORT:
                    yield WrongField((*base, field, index), f"there is no port {port}")
        for field in ("nets", "notNets"):
            for index, net in enumerate(texts(side, field)):
                if read_range(net).prefix is None:
                    yield WrongField((*base, field, index), f"{net} is no range of addresses")


def _wrong_selector(spec: Object, base: Path, field: str) -> Iterator[WrongField]:
    try:
        parse(text(spec, field))
    except ExpressionError as error:
        yield WrongField((*base, field), f"{text(spec, field)!r}: {error}", error.at)
