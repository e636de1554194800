"""A packet at a netfilter hook: what stands there is asked in turn, until somebody stops it.

Who stands there is the namespace's `Registry`: connection tracking, NAT and the tables of each
engine register themselves, and nothing here knows which of them decides.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.kernel import iptables, judge, tracking, translation, unmodelled
from k8stui.kernel.hooks import Blocked, HookState, Registration
from k8stui.kernel.host import HookFunction, Host
from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.nft_ruleset import ARP, BRIDGE
from k8stui.kernel.skb import Skb


def run(host: Host, skb: Skb, where: HookState, family: int | None = None) -> Blocked | None:
    """Pass a packet through a hook (nf_hook_slow); None when it may go on.

    `family`: None is that of the packet's IP version.
    """
    family = family or skb.packet.src.version
    for one in host.hooks(family).at(family, where.hook):
        blocked = one.function(host, skb, where)
        if blocked:
            return blocked
    return None


def registrations(family: int, namespace: NetNamespace) -> Iterator[Registration[HookFunction]]:
    """Everything that registers itself in `namespace`, in the kernel's own order."""
    nft = namespace.nft
    if nft is not None:
        from k8stui.kernel.nft import engine  # noqa: PLC0415 - 15 ms of a walk without nftables
    if family in (BRIDGE, ARP):
        if nft is not None:
            yield from engine.not_modelled(family, nft)
        return
    yield from unmodelled.registrations(family, namespace.unmodelled)
    yield from judge.registrations(family, namespace.judges)
    rulesets = list(namespace.every_ruleset(family))
    tracks = nft is not None and engine.needs_tracking(nft)
    if namespace.judges or namespace.tracked or tracks or any(map(tracking.is_needed, rulesets)):
        yield from tracking.registrations(family)
    for ruleset in rulesets:
        yield from iptables.registrations(family, ruleset)
    lookups = [one for each in rulesets for one in iptables.nat_lookups(family, each)]
    if nft is not None:
        yield from engine.registrations(family, nft)
        lookups += engine.nat_lookups(family, nft)
    if lookups or any("nat" in ruleset.tables for ruleset in rulesets):
        yield from translation.registrations(family, lookups)
