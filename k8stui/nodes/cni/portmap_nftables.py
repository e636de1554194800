"""portmap with ``"backend": "nftables"``: a rule a port in a table of its own.

Source: plugins:plugins/meta/portmap/portmap_nftables.go:forwardPorts (1.9.1); recorded in
recordings-agents/portmap/nftables-*. What has a hostIP stands among the others in ``hostports``
there; the chain that is named after it stays empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.because import Because
from k8stui.kernel.nft_ruleset import FAMILY_OF, Base, NftChain, NftTable
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.host_ports import Mapped, asked_at, passed_on

TABLE = "cni_hostport"


def table(mapped: Sequence[Mapped], snat: bool, general: Because) -> NftTable:
    """The table of one family, of whose pods there is at least one."""
    local = (Rule("fib daddr type local jump hostports_all", general),)
    both = tuple(Rule(f"jump {name}", general) for name in ("hostip_hostports", "hostports"))
    chains = [
        NftChain(chain=Chain("hostports", tuple(rule for one in mapped for rule in _ports(one)))),
        NftChain(chain=Chain("hostip_hostports", ())),
        NftChain(chain=Chain("hostports_all", both)),
        NftChain(
            chain=Chain("prerouting", local, "ACCEPT"),
            base=Base(type="nat", hook="prerouting", priority=-100),
        ),
        NftChain(
            chain=Chain("output", local, "ACCEPT"),
            base=Base(type="nat", hook="output", priority=-100),
        ),
    ]
    if snat:
        rules = tuple(rule for one in mapped for rule in _masquerading(one))
        base = Base(type="nat", hook="postrouting", priority=100)
        chains.append(NftChain(chain=Chain("masquerading", rules, "ACCEPT"), base=base))
    return NftTable(
        family=FAMILY_OF[mapped[0].address.version],
        name=TABLE,
        chains={one.name: one for one in chains},
        comment="CNI portmap plugin",
    )


def _ports(one: Mapped) -> Iterator[Rule]:
    ip = FAMILY_OF[one.address.version]
    for port in one.here:
        asked = asked_at(port)
        where = f"{ip} daddr {asked} " if asked is not None else ""
        to = one.address.with_port(port.number)
        yield Rule(
            f"{where}{port.protocol.name.lower()} dport {port.host_port} dnat to {to} "
            f'comment "{one.pod.container_id}"',
            passed_on(one.pod, port, "portmap"),
        )


def _masquerading(one: Mapped) -> Iterator[Rule]:
    """Hairpin and localhost: no answer would come back otherwise, whatever was asked."""
    ip = FAMILY_OF[one.address.version]
    because = passed_on(one.pod, one.ports[0], "portmap")
    for source in (one.address, *(("127.0.0.1",) if one.address.version == 4 else ())):
        yield Rule(
            f"{ip} saddr {source} {ip} daddr {one.address} masquerade "
            f'comment "{one.pod.container_id}"',
            because,
        )
