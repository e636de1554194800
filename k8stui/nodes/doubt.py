"""How far a dump of a node's rules goes: what it leaves out, and devices that nobody has seen.

A dump of the rules alone stands on devices that were assumed. Where it names pod devices of another
network plug-in, what happens at those that were assumed is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from k8stui.kernel.compile import compile_rule
from k8stui.kernel.matches.header import DeviceTest, device_matches
from k8stui.kernel.namespace import Interface, LinkKind, RulesCut, Stranger
from k8stui.kernel.nft.compatible import IP_VERSIONS, of_iptables
from k8stui.kernel.rules import Ruleset
from k8stui.nodes.observed import ObservedSpace, SeenNode, has_devices
from k8stui.nodes.wire import WIRE

_BESIDE = re.compile(
    r"(?:lo|docker\d*|br-|virbr|lxdbr|lxcbr|podman|tailscale|wg|tun|tap|ppp|nodelocaldns|kube-ipvs"
    r"|kube-dummy|dummy|eth|en[opsx]|ens|bond|wl|vmnet|zt|flannel).*"
)
"""Devices of programs that may run beside any plug-in, and network cards."""
_LEGACY = "legacy"
"""What iptables-save's own remark about the other back end names."""
_USUAL = ("filter", "nat")
"""Tables that kube-proxy and every plug-in have rules in."""


def stranger(
    node: str, plugin: str, rulesets: Iterable[Ruleset], interfaces: Sequence[Interface]
) -> Stranger | None:
    """The devices that observed rules name and that stand on no node of the assumed plug-in.

    None where the rules name a pod device of the assumed plug-in as well: then it is the right one,
    and the others belong to programs beside it.
    """
    named = dict.fromkeys(pattern for ruleset in rulesets for pattern in _named(ruleset))
    names = tuple(device.name for device in interfaces)
    invented = frozenset(device.name for device in interfaces if _is_for_pods(device))
    if any(device_matches(pattern, name) for pattern in named for name in invented):
        return None
    missing = tuple(
        pattern
        for pattern in named
        if not _BESIDE.fullmatch(pattern)
        and not any(device_matches(pattern, name) for name in names)
    )
    if not missing:
        return None
    has_not = f"{node} (assumed: {plugin}) has not"
    return Stranger(
        patterns=frozenset(missing),
        invented=invented,
        said=f"the rules name {', '.join(missing)}, which {has_not}",
    )


def _named(ruleset: Ruleset) -> Iterable[str]:
    for table in ruleset:
        for chain in table.chains.values():
            for rule in chain.rules:
                # Most rules of a node name no device: only the others are read.
                if " -i " in rule.text or " -o " in rule.text:
                    for test in compile_rule(rule.text).tests:
                        if isinstance(test, DeviceTest):
                            yield test.pattern


def _is_for_pods(device: Interface) -> bool:
    # The uplink is assumed, too, but a packet from or to other nodes passes it under any plug-in.
    is_uplink = device.kind is LinkKind.VETH and device.peer is not None and device.peer[0] == WIRE
    return device.kind is not LinkKind.LOOPBACK and not is_uplink


def cut(node: str, observed: SeenNode) -> RulesCut | None:
    """How far what was observed of a node goes; None: it is all there, and evaluated."""
    parts = [f"iptables-save says: {remark}" for remark in observed.remarks]
    lost: set[str] = set()
    if not observed.is_whole:
        listed = of_iptables(observed.nft) if observed.nft else ()
        for version, ruleset in observed.rulesets.items():
            there = {*ruleset.tables}
            there |= {one.name for one in listed if IP_VERSIONS[one.family] == version}
            missing = [name for name in _USUAL if name not in there]
            if missing:
                lost.update(missing)
                parts.append(f"it has no table {' and no table '.join(missing)}")
    if observed.unseen:
        parts.append(f"nothing was collected of {', '.join(observed.unseen)}; assumed instead")
    parts += observed.half_seen
    if observed.routes and not has_devices(observed):
        parts.append("its routes lead to devices that could not be read: assumed, too")
    parts += [
        f"its ip rule {rule.priority} asks for {rule.unheard}, which is not evaluated: passed over"
        for rule in observed.policy_rules or ()
        if rule.unheard
    ]
    parts += [
        f"its ip rule {rule.priority} asks who sends (uidrange {rule.users[0]}-{rule.users[1]}): "
        "a walk's programs are taken for root's"
        for rule in observed.policy_rules or ()
        if rule.users is not None
    ]
    if not parts:
        return None
    lead = f"of {node}" if observed.is_whole else f"as far as the dump of {node} goes"
    return RulesCut(
        words=f"{lead}: {'; '.join(parts)}",
        tables=tuple(sorted(lost)),
        legacy=any(_LEGACY in remark for remark in observed.remarks),
    )


def pod_cut(pod: str, observed: ObservedSpace) -> RulesCut | None:
    """What cannot be read of a pod's namespace whose parts were all asked for, or not wholly."""
    parts = list(observed.half_seen)
    if observed.unread:
        said = ", ".join(map(str, observed.unread))
        parts.append(f"nothing was collected of {said}; assumed instead")
    return RulesCut(words=f"of pod {pod}: {'; '.join(parts)}") if parts else None
