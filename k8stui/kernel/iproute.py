"""What `ip` and `bridge` print, read into the types of `namespace.py`.

Reads ``ip -j addr``, ``ip -j route show table all``, ``ip -j rule``, ``ip -j neigh``,
``bridge -j -d link`` (all JSON, also `-d`etailed) and the text of ``bridge fdb show``.
Field names: iproute2 6.1 (ip/ipaddress.c, ip/iproute.c, ip/iprule.c, bridge/link.c, bridge/fdb.c).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.iproute_json import (
    IprouteError,
    Json,
    address_of,
    checked,
    device_of,
    each,
    number_of,
    prefix_of,
    records_of,
    shown,
    text_of,
    texts_of,
    word_of,
)
from k8stui.kernel.link import NO_MAC, device_name, mac_address
from k8stui.kernel.namespace import (
    BridgePort,
    FdbEntry,
    Interface,
    InterfaceAddress,
    Ipip,
    LinkKind,
    Neighbour,
    PolicyRule,
    Route,
    RouteType,
    RuleAction,
    Scope,
    Vxlan,
)
from k8stui.kernel.packet import Protocol, is_group_mac

_DEFAULT = {4: Prefix(Address(4, 0), 0), 6: Prefix(Address(6, 0), 0)}
_KINDS = {
    "veth": LinkKind.VETH,
    "bridge": LinkKind.BRIDGE,
    "vxlan": LinkKind.VXLAN,
    "ipip": LinkKind.IPIP,
    "dummy": LinkKind.DUMMY,
}
_CARDS = frozenset({"ether", "infiniband"})
_NAMES = (
    # systemd.net-naming-scheme(7), biosdevname(1), old kernels; VLANs on them
    (r"(?:eth|em|en|wl|ib|venet|bond|team|lan|wan|p\d+p)[a-z0-9]*(?:[.@].*)?", LinkKind.VETH),
    (r"(?:veth|cali|eni|lxc|tap|vnet|azv|gke|vmnic).*", LinkKind.VETH),
    (r"(?:cni|docker|podman|lxcbr|lxdbr|virbr|cbr|kube-bridge|br)-?[0-9a-z]*", LinkKind.BRIDGE),
    (r"flannel\.\d+|flannel-v6\.\d+|vxlan.*|cilium_vxlan|antrea-tun0", LinkKind.VXLAN),
    (r"tunl0", LinkKind.IPIP),
    (r"dummy\d*|kube-ipvs0|nodelocaldns|kube-dummy-if", LinkKind.DUMMY),
)
"""Names that programs give to devices of one kind (docs/facts/cni.md)."""
_SCOPES = {scope.value: scope for scope in Scope}
_TYPES = frozenset(one.value for one in RouteType)
_UNUSABLE = frozenset({"INCOMPLETE", "FAILED", "NOARP"})


_UNHEARD = ("tos", "dscp", "flowlabel", "tun_id", "suppress_ifgroup", "sport_mask", "dport_mask")
"""Selectors of ``ip -j rule`` that are not evaluated (ip/iprule.c print_rule)."""

_ETHERNET = ("ether", "loopback")
_WORD = 0xFFFFFFFF
_PORT = 0xFFFF
_VNI = 0xFFFFFF
_WEIGHT = 0x10000
_TTL = 255
_PROTOCOLS = {
    "icmp": Protocol.ICMP, "tcp": Protocol.TCP, "udp": Protocol.UDP,
    "ipv6-icmp": Protocol.ICMPV6, "sctp": Protocol.SCTP,
}  # fmt: skip
"""Names of /etc/protocols; others are written ``ipproto-47`` (iproute2 lib/inet_proto.c)."""


def interfaces(links: Iterable[Json], ports: Iterable[Json] = ()) -> tuple[Interface, ...]:
    """``ip -j [-d] addr``, with the ports of ``bridge -j -d link``.

    A device's kind stands in the output only with `-d`; without it, a device that others name as
    their master is a bridge, and any other device is one end of a cable. The other end of a cable
    is in no output: `peer` is left open.

    Raises:
        IprouteError: a field is missing or malformed.

    """
    links = tuple(links)
    by_name = dict(each(ports, lambda port: (device_of(port, "ifname"), _bridge_port(port))))
    masters = [link["master"] for link in links if "master" in link]
    return tuple(each(links, lambda link: _interface(link, masters, by_name)))


def _interface(
    link: Json, masters: Sequence[object], by_name: Mapping[str, BridgePort]
) -> Interface:
    name = device_of(link, "ifname")
    flags = texts_of(link, "flags")
    info = link.get("linkinfo")
    kind = info.get("info_kind") if isinstance(info, dict) else None
    details = info.get("info_data") if isinstance(info, dict) else None
    told = kind if isinstance(kind, str) else ""
    link_kind, driver = _kind(link, name, told, is_master=name in masters)
    master = device_of(link, "master") if "master" in link else None
    port = by_name.get(name)
    return Interface(
        name=name,
        kind=link_kind,
        mac="" if wrong_mac(link) else _mac(link),
        mtu_bytes=number_of(link, "mtu", 1500, _WORD),
        up="UP" in flags,
        carrier="NO-CARRIER" not in flags,
        addresses=tuple(_addresses(link)),
        master=master,
        port=(port or BridgePort()) if master else None,
        vxlan=_vxlan(details) if link_kind is LinkKind.VXLAN else None,
        ipip=_ipip(name, details) if link_kind is LinkKind.IPIP else None,
        driver=driver,
    )


def wrong_mac(link: Json) -> str | None:
    """What is wrong with the ``address`` of an Ethernet device; None: nothing.

    It costs only itself: `interfaces` gives such a device the empty address.
    """
    try:
        _mac(link)
    except ValueError as error:
        return str(error)
    return None


def _mac(link: Json) -> str:
    # What tunnels have here is an IP address, or none.
    if link.get("link_type", "ether") not in _ETHERNET or "address" not in link:
        return NO_MAC
    written = link["address"]
    if not isinstance(written, str):
        raise IprouteError(f"no MAC address: {shown(written)}")
    return mac_address(written)


def _kind(link: Json, name: str, told: str, *, is_master: bool) -> tuple[LinkKind, str]:
    """The kind of a device, and what it is called where it is not modelled.

    ``ip -d`` tells all but network cards, which have no kind. Without ``-d`` the hardware type
    tells most tunnels (include/uapi/linux/if_arp.h), and a name by which programs call their
    devices the rest; nothing else is guessed.
    """
    hardware = str(link.get("link_type", "ether"))
    if "LOOPBACK" in texts_of(link, "flags"):
        return LinkKind.LOOPBACK, ""
    if told:
        known = _KINDS.get(told)
        return (known, "") if known else (LinkKind.OTHER, told)
    if hardware == "ipip":  # ARPHRD_TUNNEL: no other driver has it
        return LinkKind.IPIP, ""
    if hardware not in _CARDS:
        return LinkKind.OTHER, "" if hardware == "none" else hardware
    if is_master:
        return LinkKind.BRIDGE, ""
    if "promiscuity" in link or "master" in link or "link_netnsid" in link:
        # With -d, what has no kind is a network card; a port is one end of a cable.
        return LinkKind.VETH, ""
    return kind_by_name(name), ""


def kind_by_name(name: str) -> LinkKind:
    """Of which kind devices of that name are with those who make them; `OTHER`: nobody is known."""
    return next((kind for pattern, kind in _NAMES if re.fullmatch(pattern, name)), LinkKind.OTHER)


def _vxlan(details: object) -> Vxlan | None:
    if not isinstance(details, dict):
        return None
    local = "local6" if "local6" in details else "local"  # ip/iplink_vxlan.c vxlan_print_opt
    if local not in details:
        return None
    return Vxlan(
        vni=number_of(details, "id", 1, _VNI),
        local=address_of(details, local),
        port=number_of(details, "port", 8472, _PORT),
        device=device_of(details, "link") if "link" in details else "eth0",
        learning=details.get("learning") is True,
    )


def _ipip(name: str, details: object) -> Ipip | None:
    """None: not told (without ``-d``), or one whose ends are given with each packet (external).

    tunl0 comes with the module and has no ends (ip_tunnel_init_net).
    """
    if not isinstance(details, dict):
        return Ipip() if name == "tunl0" else None
    if details.get("external") is True:
        return None
    ends = {
        name: address_of(details, name)
        for name in ("local", "remote")
        if details.get(name) not in (None, "any")
    }
    ttl = details.get("ttl", 0)
    return Ipip(**ends, ttl_hops=ttl if isinstance(ttl, int) and 0 <= ttl <= _TTL else 0)


def _addresses(link: Json) -> Iterable[InterfaceAddress]:
    for one in records_of(link, "addr_info"):
        if one.get("family") not in ("inet", "inet6") or "local" not in one:
            continue
        address = address_of(one, "local")
        scope = one.get("scope", "global")
        yield InterfaceAddress(
            address=address,
            prefix_length=number_of(one, "prefixlen", address.bits, address.bits),
            scope=_SCOPES.get(scope, Scope.GLOBAL) if isinstance(scope, str) else Scope.GLOBAL,
            broadcast=address_of(one, "broadcast") if one.get("broadcast") else None,
            secondary=bool(one.get("secondary")),
        )


def _bridge_port(port: Json) -> BridgePort:
    return BridgePort(
        hairpin=bool(port.get("hairpin")),
        isolated=bool(port.get("isolated")),
        learning=bool(port.get("learning", True)),
        flood=bool(port.get("flood", True)),
        forwarding=port.get("state", "forwarding") == "forwarding",
    )


def routes(records: Iterable[Json], version: int = 4) -> tuple[Route, ...]:
    """``ip -j route show table all``. Multicast and cached routes are left out.

    Raises:
        IprouteError: a field is missing or malformed.

    """
    found = each(records, lambda record: _route(record, version))
    return tuple(route for route in found if route is not None)


def _route(record: Json, version: int) -> Route | None:
    kind = word_of(record, "type", "unicast")
    if kind not in _TYPES or "dead" in texts_of(record, "flags"):
        return None
    destination = text_of(record, "dst")
    hop: Json = record
    via = record.get("via")
    if record.get("gateway") is None and isinstance(via, dict):
        hop = {**record, "gateway": via.get("host")}
    # fib_lookup_good_nhc: what is dead is not looked at
    nexthops = [
        one for one in records_of(record, "nexthops") if "dead" not in texts_of(one, "flags")
    ]
    if record.get("nexthops") and not nexthops:
        return None
    is_multipath = bool(nexthops) and record.get("dev") is None
    if is_multipath:
        hop = nexthops[0]
    metrics = records_of(record, "metrics")
    found = Route(
        destination=_DEFAULT[version] if destination == "default" else prefix_of(destination),
        device=device_of(hop, "dev") if hop.get("dev") else None,
        gateway=address_of(hop, "gateway") if hop.get("gateway") else None,
        source=address_of(record, "prefsrc") if "prefsrc" in record else None,
        type=RouteType(kind),
        scope=word_of(record, "scope", "global"),
        table=word_of(record, "table", "main"),
        protocol=word_of(record, "protocol", "") or None,
        metric=number_of(record, "metric", 0, _WORD),
        onlink="onlink" in texts_of(record, "flags"),
        mtu_bytes=next((mtu for one in metrics if (mtu := number_of(one, "mtu", 0, _WORD))), 0),
        mtu_locked=any(one.get("mtu_locked") is True for one in metrics),
        encap=_encap(hop),
    )
    if not is_multipath or len(nexthops) < 2:
        return found
    return replace(found, hops=tuple(_next_hop(found, one) for one in nexthops))


def _next_hop(route: Route, hop: Json) -> Route:
    """One of several (ip/iproute.c print_rta_multipath)."""
    via = hop.get("via")
    gateway = via.get("host") if isinstance(via, dict) else hop.get("gateway")
    return replace(
        route,
        device=device_of(hop, "dev") if hop.get("dev") else None,
        gateway=checked(Address.parse, gateway) if isinstance(gateway, str) else None,
        onlink="onlink" in texts_of(hop, "flags"),
        encap=_encap(hop),
        weight=max(1, number_of(hop, "weight", 1, _WEIGHT)),
    )


def _encap(hop: Json) -> str:
    """What a next hop puts around packets (ip/iproute_lwtunnel.c lwt_print_encap)."""
    return str(hop.get("encap", ""))


def policy_rules(records: Iterable[Json], version: int | None = None) -> tuple[PolicyRule, ...]:
    """``ip -j rule``; `version`: of which family they are, None of both.

    Raises:
        IprouteError: a field is missing or malformed.

    """
    return tuple(each(records, lambda record: _policy_rule(record, version)))


def _policy_rule(record: Json, version: int | None) -> PolicyRule:
    return PolicyRule(
        priority=number_of(record, "priority", 0, _WORD),
        table=word_of(record, "table", "main"),
        source=_selector(record, "src", "srclen"),
        destination=_selector(record, "dst", "dstlen"),
        mark=_mark(record, "fwmark"),
        mark_mask=_mark(record, "fwmask") or _WORD,
        iif=device_of(record, "iif") if "iif" in record else None,
        oif=device_of(record, "oif") if "oif" in record else None,
        inverted="not" in record,
        action=_action(record),
        goto=number_of(record, "goto", 0, _WORD) if _has_target(record) else None,
        suppress_prefix_length=number_of(record, "suppress_prefixlen", 0, 128)
        if "suppress_prefixlen" in record
        else None,
        protocol=_protocol(record),
        source_ports=_range(record, "sport", _PORT),
        destination_ports=_range(record, "dport", _PORT),
        users=_range(record, "uid", _WORD),
        unheard=" ".join(f"{key} {record[key]}" for key in _UNHEARD if key in record),
        version=version,
    )


def _protocol(record: Json) -> int | None:
    if "ipproto" not in record:
        return None
    name = word_of(record, "ipproto", "")
    if name in _PROTOCOLS:
        return int(_PROTOCOLS[name])
    number = name.removeprefix("ipproto-")
    # A name that is not known here is no protocol of ours.
    return int(number) if number.isascii() and number.isdecimal() else -1


def _range(record: Json, field: str, largest: int) -> tuple[int, int] | None:
    """``sport 53`` or from ``sport_start`` to ``sport_end``."""
    if field in record:
        one = number_of(record, field, 0, largest)
        return one, one
    if f"{field}_start" not in record:
        return None
    first = number_of(record, f"{field}_start", 0, largest)
    return first, number_of(record, f"{field}_end", first, largest)


def _has_target(record: Json) -> bool:
    return record.get("goto", "none") != "none"


def _action(record: Json) -> RuleAction:
    """What a rule does: it names a table unless it says something else."""
    if "goto" in record:
        return RuleAction.GOTO
    if "nop" in record or ("l3mdev" in record and "table" not in record):
        # Without a VRF (its devices are not modelled) an l3mdev rule leads to no table.
        return RuleAction.NOP
    told = word_of(record, "action", RuleAction.TABLE)
    known = {one.value: one for one in RuleAction}
    if told not in known:
        raise IprouteError(f"no action of a rule: {shown(told)}")
    return known[told]


def _selector(record: Json, field: str, length: str) -> Prefix | None:
    value = record.get(field)
    if value in (None, "all"):
        return None
    return prefix_of(f"{value}/{record[length]}" if length in record else str(value))


def _mark(record: Json, field: str) -> int | None:
    value = record.get(field)
    if value is None:
        return None
    try:
        found = int(str(value), 0)
    except ValueError:
        found = -1
    if not 0 <= found <= _WORD:
        raise IprouteError(f"{field!r} is no mark in {shown(record)}")
    return found


def neighbours(records: Iterable[Json]) -> tuple[Neighbour, ...]:
    """``ip -j neigh``: those with a MAC address.

    Raises:
        IprouteError: a field is missing or malformed.

    """
    usable = (
        one
        for one in records
        if "lladdr" in one and not _UNUSABLE.intersection(texts_of(one, "state"))
    )
    return tuple(each(usable, _neighbour))


def _neighbour(record: Json) -> Neighbour:
    return Neighbour(
        address=address_of(record, "dst"),
        device=device_of(record, "dev"),
        mac=checked(mac_address, text_of(record, "lladdr")),
    )


def fdb_entries(records: Iterable[Json]) -> tuple[FdbEntry, ...]:
    """``bridge -j fdb show``: what bridges know, and vxlan devices; multicast groups are left out.

    Raises:
        IprouteError: a field is missing or malformed.

    """
    found = each(records, _fdb_entry)
    return tuple(entry for entry in found if entry is not None)


def _fdb_entry(record: Json) -> FdbEntry | None:
    mac = checked(mac_address, text_of(record, "mac"))
    # `self` entries are the device's own address filter, unless it is a vxlan device's.
    is_filter = "self" in texts_of(record, "flags") and "dst" not in record
    if is_group_mac(mac) or is_filter:
        return None
    return FdbEntry(
        mac=mac,
        device=device_of(record, "ifname"),
        permanent=record.get("state") in ("permanent", "static"),
        destination=address_of(record, "dst") if "dst" in record else None,
    )


def fdb(lines: Iterable[str]) -> tuple[FdbEntry, ...]:
    """The lines of ``bridge fdb show``; multicast groups are left out.

    Raises:
        IprouteError: a line that the command does not print.

    """
    entries = []
    for line in lines:
        words = line.split()
        if not words:
            continue
        if len(words) < 3 or words[1] != "dev":
            raise IprouteError(f"bridge fdb show: {line!r}")
        mac = checked(mac_address, words[0])
        if is_group_mac(mac):
            continue
        remote = words[words.index("dst") + 1] if "dst" in words[:-1] else None
        entries.append(
            FdbEntry(
                mac=mac,
                device=checked(device_name, words[2]),
                permanent="permanent" in words or "static" in words,
                destination=checked(Address.parse, remote) if remote else None,
            )
        )
    return tuple(entries)
