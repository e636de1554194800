"""The chains that kubelet keeps on a node.

Since 1.28 (pkg/kubelet/kubelet_network_linux.go: syncIPTablesRules; docs/facts/cni.md section 7;
recordings-cni/kubelet-recreated): canaries that show a flush, a hint for others, and the rule that
keeps martian traffic to localhost out. kube-proxy writes the same KUBE-FIREWALL. Up to 1.26 it had
chains to mark what is to be dropped or masqueraded, for others to use (1.27 stopped: feature gate
IPTablesOwnershipCleanup).
"""

from __future__ import annotations

from functools import cache

from k8stui.because import Because
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.origin import defaulted

_CANARY = "KUBE-KUBELET-CANARY"
_HINT = "KUBE-IPTABLES-HINT"
_FIREWALL = "KUBE-FIREWALL"
_BLOCK = (
    f"-A {_FIREWALL} ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "
    '"block incoming localnet connections" -m conntrack ! --ctstate '
    "RELATED,ESTABLISHED,DNAT -j DROP"
)


_LAST_WITH_MARKS, _HINT_SINCE = 26, 24
_MARK, _DROP = "0x4000/0x4000", "0x8000/0x8000"


@cache
def kubelet(version: int, minor: int | None = None) -> Contribution:
    """What kubelet 1.`minor` (None: today's) writes into the tables of IP `version` 4 or 6."""
    if minor is not None and minor <= _LAST_WITH_MARKS:
        return _with_marks(version, has_hint=minor >= _HINT_SINCE)
    return _today(version)


def _today(version: int) -> Contribution:
    """For IPv6 only the canaries and the hint."""
    because = Because(
        text="localhost is reachable from this node only, although route_localnet is on",
        origin=defaulted("kubelet 1.28 and later writes it on every node"),
        owner="kubelet",
    )
    canary = {_CANARY: Chain(_CANARY)}
    filter_part = TablePart(chains=canary)
    if version == 4:
        filter_part = TablePart(
            chains=canary | {_FIREWALL: Chain(_FIREWALL, (Rule(_BLOCK, because),))},
            jumps=tuple(
                Jump(chain, Rule(f"-A {chain} -j {_FIREWALL}", because), insert=True)
                for chain in ("OUTPUT", "INPUT")
            ),
        )
    return Contribution(
        "kubelet",
        {
            "mangle": TablePart(chains=canary | {_HINT: Chain(_HINT)}),
            "nat": TablePart(chains=canary),
            "filter": filter_part,
        },
    )


def _with_marks(version: int, *, has_hint: bool) -> Contribution:
    """Up to 1.26, for both families (kubelet_network_linux.go: syncNetworkUtil)."""
    because = Because(
        text="marks for others to use: what bears them is dropped, or masqueraded",
        origin=defaulted("kubelet up to 1.26 writes it on every node"),
        owner="kubelet",
    )

    def chain(name: str, *rules: str) -> dict[str, Chain]:
        return {name: Chain(name, tuple(Rule(f"-A {name} {rule}", because) for rule in rules))}

    def jump(builtin: str, rest: str) -> Jump:
        return Jump(builtin, Rule(f"-A {builtin} {rest}", because), insert=True)

    canary = {_CANARY: Chain(_CANARY)}
    dropped = (
        '-m comment --comment "kubernetes firewall for dropping marked packets" '
        f"-m mark --mark {_DROP} -j DROP"
    )
    local = (_BLOCK.removeprefix(f"-A {_FIREWALL} "),) if version == 4 else ()
    postrouting = "KUBE-POSTROUTING"
    return Contribution(
        "kubelet",
        {
            "mangle": TablePart(chains=canary | ({_HINT: Chain(_HINT)} if has_hint else {})),
            "nat": TablePart(
                chains=canary
                | chain("KUBE-MARK-DROP", f"-j MARK --set-xmark {_DROP}")
                | chain("KUBE-MARK-MASQ", f"-j MARK --set-xmark {_MARK}")
                | chain(
                    postrouting,
                    f"-m mark ! --mark {_MARK} -j RETURN",
                    "-j MARK --set-xmark 0x4000/0x0",
                    '-m comment --comment "kubernetes service traffic requiring SNAT" '
                    "-j MASQUERADE --random-fully",
                ),
                jumps=(
                    jump(
                        "POSTROUTING",
                        f'-m comment --comment "kubernetes postrouting rules" -j {postrouting}',
                    ),
                ),
            ),
            "filter": TablePart(
                chains=canary | chain(_FIREWALL, dropped, *local),
                jumps=tuple(jump(one, f"-j {_FIREWALL}") for one in ("OUTPUT", "INPUT")),
            ),
        },
    )
