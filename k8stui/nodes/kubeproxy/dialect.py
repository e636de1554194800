"""Of which versions a node's rules in iptables mode are: by shapes that came and went.

Up to 1.23 a node port has two rules in KUBE-NODEPORTS and the policy Local a chain KUBE-XLB-; since
1.24 both are KUBE-EXT-; since 1.31 nfacct counts what is dropped as invalid. Sources: kube-proxy
pkg/proxy/iptables/proxier.go of those versions; docs/facts/kube-proxy.md section 10.
"""

from __future__ import annotations

from k8stui.kernel.rules import Chain, Ruleset
from k8stui.record import record

_LAST_OLD, _FIRST_NEW, _COUNTS_SINCE = 23, 24, 31


@record()
class Dialect:
    """Minor versions of kube-proxy that write such rules."""

    least: int | None
    most: int | None
    chain: Chain
    """One that shows it."""

    def __contains__(self, minor: int) -> bool:
        return (self.least or 0) <= minor and (self.most is None or minor <= self.most)

    def __str__(self) -> str:
        return f"1.{self.most} or older" if self.most is not None else f"1.{self.least} or newer"


def dialect_of(ruleset: Ruleset) -> Dialect | None:
    """None: nothing there that only some versions write."""
    forward = ruleset.chain("filter", "KUBE-FORWARD")
    if forward is not None and any("nfacct" in rule.text for rule in forward.rules):
        return Dialect(_COUNTS_SINCE, None, forward)
    nat = ruleset.tables.get("nat")
    for name in nat.chains if nat is not None else ():
        if name.startswith("KUBE-XLB-"):
            return Dialect(None, _LAST_OLD, nat.chains[name]) if nat is not None else None
    ports = ruleset.chain("nat", "KUBE-NODEPORTS")
    for rule in ports.rules if ports is not None else ():
        if ports is not None and rule.text.endswith("-j KUBE-MARK-MASQ"):
            return Dialect(None, _LAST_OLD, ports)
        if ports is not None and " -j KUBE-EXT-" in rule.text:
            return Dialect(_FIRST_NEW, None, ports)
    return None
