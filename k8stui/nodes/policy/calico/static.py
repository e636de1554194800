"""Felix's chains that are the same on every node: the way into its own, and what guards it.

Source: Calico v3.30 felix/rules/static.go, nat.go, felix/dataplane/linux/int_dataplane.go
setUpIptablesNormal. No host endpoints, no IPVS, no WireGuard; DefaultEndpointToHostAction Accept,
as its manifests set it.
"""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.because import Because
from k8stui.kernel.rules import Chain
from k8stui.nodes.cni.calico_tunnels import IPIP_DEVICE, VXLAN_DEVICES
from k8stui.nodes.contribution import Jump
from k8stui.nodes.policy.calico import rule as felix
from k8stui.nodes.policy.calico.names import set_name
from k8stui.nodes.policy.calico.rule import (
    ACCEPT,
    ALL_BITS,
    FROM_WORKLOAD,
    FelixAction,
    FelixRule,
    jump,
    rule,
)

_VXLAN_PORT = 4789
HOSTS, VXLAN_HOSTS = "all-hosts-net", "all-vxlan-net"
"""Sets of the nodes that tunnels' packets may come from: all; all others (felix/rules IPSetID)."""
_FROM_HOST, _TO_HOST = "cali-from-host-endpoint", "cali-to-host-endpoint"
FROM_DISPATCH, TO_DISPATCH = "cali-from-wl-dispatch", "cali-to-wl-dispatch"
_BY_HOST = "Host endpoint policy accepted packet."
_ICMP6 = (130, 131, 132, 133, 135, 136)

Rules = Mapping[str, list[FelixRule]]


def raw(version: int, *, vxlan: bool) -> Rules:
    untracked = [
        rule(felix.protocol_named("udp"), felix.to_udp_port(_VXLAN_PORT), then=felix.NOTRACK)
    ]
    del version
    is_from_workload = felix.marked(FROM_WORKLOAD)
    return {
        "cali-PREROUTING": [
            rule(then=felix.clear_mark(ALL_BITS)),
            *(untracked if vxlan else ()),
            rule(felix.coming_in("cali+"), then=felix.set_mark(FROM_WORKLOAD)),
            rule(is_from_workload, then=jump("cali-rpf-skip")),
            rule(is_from_workload, felix.REVERSE_PATH, then=felix.DROP),
            rule(felix.unmarked(FROM_WORKLOAD), then=jump(_FROM_HOST)),
            rule(felix.marked(ACCEPT), then=felix.ALLOW),
        ],
        "cali-OUTPUT": [
            rule(then=felix.clear_mark(ALL_BITS)),
            rule(then=jump(_TO_HOST)),
            *(untracked if vxlan else ()),
            rule(felix.marked(ACCEPT), then=felix.ALLOW),
        ],
        "cali-rpf-skip": [],
        _FROM_HOST: [],
        _TO_HOST: [],
    }


def mangle() -> Rules:
    return {
        "cali-PREROUTING": [
            rule(felix.in_state("RELATED,ESTABLISHED"), then=felix.ALLOW),
            rule(felix.marked(ACCEPT), then=felix.ALLOW),
            rule(then=jump(_FROM_HOST)),
            rule(felix.marked(ACCEPT), then=felix.ALLOW, say=_BY_HOST),
        ],
        "cali-POSTROUTING": [
            rule(felix.marked(ACCEPT), then=felix.RETURN),
            rule(then=felix.clear_mark(ALL_BITS)),
            rule(felix.in_state("DNAT"), then=jump(_TO_HOST)),
            rule(felix.marked(ACCEPT), then=felix.RETURN, say=_BY_HOST),
        ],
        _FROM_HOST: [],
        _TO_HOST: [],
    }


def nat(version: int, *, vxlan: bool, outgoing: FelixRule | None, ipip: bool = False) -> Rules:
    """`outgoing`: None where no pool wants it."""
    devices = [IPIP_DEVICE] if ipip else []
    devices += [VXLAN_DEVICES[version]] if vxlan else []
    tunnels = [
        rule(
            felix.going_out(device),
            felix.type_of("src", "! ", " --limit-iface-out"),
            felix.type_of("src"),
            then=felix.masquerade(),
        )
        for device in devices
    ]
    return {
        "cali-PREROUTING": [rule(then=jump("cali-fip-dnat"))],
        "cali-OUTPUT": [rule(then=jump("cali-fip-dnat"))],
        "cali-POSTROUTING": [
            rule(then=jump("cali-fip-snat")),
            rule(then=jump("cali-nat-outgoing")),
            *tunnels,
        ],
        "cali-nat-outgoing": [] if outgoing is None else [outgoing],
        "cali-fip-dnat": [],
        "cali-fip-snat": [],
    }


def filter_(
    version: int,
    *,
    vxlan: bool,
    ipip: bool = False,
    to_host: FelixAction = felix.ALLOW,
    why: Because | None = None,
) -> Rules:
    """`to_host`: the end of what a pod sends to its own node that its policies accept."""
    return {
        "cali-INPUT": [
            *(_ipip_in() if ipip else ()),
            *(_vxlan_in(version) if vxlan else ()),
            rule(felix.coming_in("cali+"), then=felix.go_to("cali-wl-to-host")),
            rule(felix.marked(ACCEPT), then=felix.ALLOW),
            rule(then=felix.clear_mark(ALL_BITS)),
            rule(then=jump(_FROM_HOST)),
            rule(felix.marked(ACCEPT), then=felix.ALLOW, say=_BY_HOST),
        ],
        "cali-FORWARD": [
            rule(then=felix.clear_mark(ALL_BITS & ~ACCEPT)),
            rule(felix.unmarked(ACCEPT), then=jump("cali-from-hep-forward")),
            rule(felix.coming_in("cali+"), then=jump(FROM_DISPATCH)),
            rule(felix.going_out("cali+"), then=jump(TO_DISPATCH)),
            rule(then=jump("cali-to-hep-forward")),
            rule(then=jump("cali-cidr-block")),
        ],
        "cali-OUTPUT": [
            rule(felix.marked(ACCEPT), then=felix.ALLOW),
            rule(felix.going_out("cali+"), then=felix.RETURN),
            *(_ipip_out() if ipip else ()),
            *(_vxlan_out(version) if vxlan else ()),
            rule(then=felix.clear_mark(ALL_BITS)),
            rule(felix.in_state("DNAT", "! "), then=jump(_TO_HOST)),
            rule(felix.marked(ACCEPT), then=felix.ALLOW, say=_BY_HOST),
        ],
        "cali-wl-to-host": [
            *(_neighbours() if version == 6 else ()),
            rule(then=jump(FROM_DISPATCH)),
            rule(then=to_host, say="Configured DefaultEndpointToHostAction", reason=why),
        ],
        "cali-cidr-block": [],
        "cali-from-hep-forward": [],
        "cali-to-hep-forward": [],
        _FROM_HOST: [],
        _TO_HOST: [],
    }


def _vxlan_in(version: int) -> list[FelixRule]:
    packets = felix.protocol(17), felix.to_ports(str(_VXLAN_PORT))
    known = felix.in_set(set_name(VXLAN_HOSTS, version), "src")
    family = f"IPv{version} VXLAN packets"
    return [
        rule(
            *packets,
            known,
            felix.type_of("dst"),
            then=felix.ALLOW,
            say=f"Allow {family} from allowed hosts",
        ),
        rule(
            *packets,
            felix.type_of("dst"),
            then=felix.DROP,
            say=f"Drop {family} from non-allowed hosts",
        ),
    ]


def _vxlan_out(version: int) -> list[FelixRule]:
    return [
        rule(
            felix.protocol(17),
            felix.to_ports(str(_VXLAN_PORT)),
            felix.type_of("src"),
            felix.in_set(set_name(VXLAN_HOSTS, version), "dst"),
            then=felix.ALLOW,
            say=f"Allow IPv{version} VXLAN packets to other allowed hosts",
        )
    ]


def _ipip_in() -> list[FelixRule]:
    known = felix.in_set(set_name(HOSTS, 4), "src")
    packets = felix.protocol(4)
    return [
        rule(
            packets,
            known,
            felix.type_of("dst"),
            then=felix.ALLOW,
            say="Allow IPIP packets from Calico hosts",
        ),
        rule(packets, then=felix.DROP, say="Drop IPIP packets from non-Calico hosts"),
    ]


def _ipip_out() -> list[FelixRule]:
    return [
        rule(
            felix.protocol(4),
            felix.in_set(set_name(HOSTS, 4), "dst"),
            felix.type_of("src"),
            then=felix.ALLOW,
            say="Allow IPIP packets to other Calico hosts",
        )
    ]


def _neighbours() -> list[FelixRule]:
    return [
        rule(
            felix.protocol(58),
            felix.as_is(f"-m icmp6 --icmpv6-type {number}"),
            then=felix.ALLOW,
        )
        for number in _ICMP6
    ]


_ENTRIES = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "OUTPUT"),
}


def jumps(table: str, *, on_top: bool = True) -> tuple[Jump, ...]:
    """Into the built-in chains: on top; behind what is there what has to come last.

    `on_top`: ``chainInsertMode`` Insert; Append puts all behind.
    """
    found = [
        Jump(name, one, insert=on_top)
        for name in _ENTRIES[table]
        for one in felix.written(name, [rule(then=jump(f"cali-{name}"))])
    ]
    if table == "nat":
        found += _appended("POSTROUTING", [rule(then=jump("cali-POSTROUTING"))])
    if table == "filter":
        accepted = rule(
            felix.marked(ACCEPT), then=felix.ALLOW, say="Policy explicitly accepted packet."
        )
        found += _appended("FORWARD", [accepted, rule(then=felix.set_mark(ACCEPT))])
    return tuple(found)


def _appended(name: str, rules: list[FelixRule]) -> list[Jump]:
    return [Jump(name, one) for one in felix.written(name, rules, f"{name}*appends*")]


def chains(rules: Rules) -> Mapping[str, Chain]:
    return {name: felix.chain(name, those) for name, those in rules.items()}
