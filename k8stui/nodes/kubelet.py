"""The chains that kubelet keeps on a node.

Since 1.28 (pkg/kubelet/kubelet_network_linux.go: syncIPTablesRules; docs/facts/cni.md section 7;
recordings-cni/kubelet-recreated): canaries that show a flush, a hint for others, and the rule that
keeps martian traffic to localhost out. kube-proxy writes the same KUBE-FIREWALL.
"""

from __future__ import annotations

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


def kubelet(version: int) -> Contribution:
    """What kubelet writes into the tables; for IPv6 only the canaries and the hint."""
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
