"""What `ip` and `bridge` print, read into the types of `namespace.py`; and what the kernel adds.

Reads ``ip -j addr``, ``ip -j route show table all``, ``ip -j rule``, ``ip -j neigh``,
``bridge -j -d link`` (all JSON, also `-d`etailed) and the text of ``bridge fdb show``.
Field names: iproute2 6.1 (ip/ipaddress.c, ip/iproute.c, ip/iprule.c, bridge/link.c, bridge/fdb.c).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from k8stui.errors import K8sTuiError
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.link import NO_MAC, device_name, mac_address
from k8stui.kernel.namespace import (
    BridgePort,
    FdbEntry,
    Interface,
    InterfaceAddress,
    LinkKind,
    Neighbour,
    PolicyRule,
    Route,
    RouteType,
    Scope,
    Vxlan,
)
from k8stui.kernel.packet import is_group_mac

Json = Mapping[str, object]
_DEFAULT = {4: Prefix(Address(4, 0), 0), 6: Prefix(Address(6, 0), 0)}
_KINDS = {
    "veth": LinkKind.VETH,
    "bridge": LinkKind.BRIDGE,
    "vxlan": LinkKind.VXLAN,
    "dummy": LinkKind.DUMMY,
    # What stands over a network card and speaks Ethernet as it does.
    **dict.fromkeys(("bond", "team", "vlan", "macvlan"), LinkKind.VETH),
}
_CARDS = frozenset({"ether", "infiniband"})
_NAMES = (
    # systemd.net-naming-scheme(7), biosdevname(1), old kernels; VLANs on them
    (r"(?:eth|em|en|wl|ib|venet|bond|team|lan|wan|p\d+p)[a-z0-9]*(?:[.@].*)?", LinkKind.VETH),
    (r"(?:veth|cali|eni|lxc|tap|vnet|azv|gke|vmnic).*", LinkKind.VETH),
    (r"(?:cni|docker|podman|lxcbr|lxdbr|virbr|cbr|kube-bridge|br)-?[0-9a-z]*", LinkKind.BRIDGE),
    (r"flannel\.\d+|flannel-v6\.\d+|vxlan.*|cilium_vxlan|antrea-tun0", LinkKind.VXLAN),
    (r"dummy\d*|kube-ipvs0|nodelocaldns|kube-dummy-if", LinkKind.DUMMY),
)
"""Names that programs give to devices of one kind (docs/facts/cni.md)."""
_SCOPES = {scope.value: scope for scope in Scope}
_TYPES = frozenset(one.value for one in RouteType)
_UNUSABLE = frozenset({"INCOMPLETE", "FAILED", "NOARP"})


_ETHERNET = ("ether", "loopback")
_WORD = 0xFFFFFFFF
_PORT = 0xFFFF
_VNI = 0xFFFFFF
_SHOWN = 80
"""Characters of a record that a message quotes."""

_T = TypeVar("_T")


class IprouteError(K8sTuiError, ValueError):
    """The text is not what the command prints."""

    line: int | None = None
    """1-based, where it is known."""


class Record(dict[str, object]):
    """An object of a ``-j`` output that knows where it stands."""

    line: int = 1
    """1-based."""


def load(text: str, command: str) -> tuple[Record, ...]:
    """The records of one ``-j`` output.

    Raises:
        IprouteError: not JSON, or not a list of objects.

    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise _at(
            error.lineno, f"{command}: not JSON at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise _at(1, f"{command}: brackets in brackets, hundreds deep") from None
    except ValueError:
        # sys.set_int_max_str_digits
        raise _at(1, f"{command}: a number of thousands of digits") from None
    if not isinstance(data, list):
        raise _at(1, f"{command}: a list of objects is expected")
    # ip prints an empty object where a filter left a record out.
    return tuple(one for one in _records_in(text, command) if one)


def _records_in(text: str, command: str) -> Iterator[Record]:
    """The elements of a list, each with the line on which it starts."""
    decode = json.JSONDecoder().raw_decode
    at, line = text.index("[") + 1, text.count("\n", 0, text.index("[")) + 1
    while True:
        start = at
        while text[at] in " \t\r\n,":
            at += 1
        line += text.count("\n", start, at)
        if text[at] == "]":
            return
        value, end = decode(text, at)
        if not isinstance(value, dict):
            raise _at(line, f"{command}: a list of objects is expected, not {_shown(value)}")
        record = Record(value)
        record.line = line
        yield record
        line += text.count("\n", at, end)
        at = end


def _at(line: int, message: str) -> IprouteError:
    error = IprouteError(message)
    error.line = line
    return error


def _each(records: Iterable[Json], read: Callable[[Json], _T]) -> Iterator[_T]:
    """Read one by one; what is wrong gets to know its line."""
    for record in records:
        try:
            yield read(record)
        except IprouteError as error:
            if error.line is None and isinstance(record, Record):
                error.line = record.line
            raise


def interfaces(links: Iterable[Json], ports: Iterable[Json] = ()) -> tuple[Interface, ...]:
    """``ip -j [-d] addr``, with the ports of ``bridge -j -d link``.

    A device's kind stands in the output only with `-d`; without it, a device that others name as
    their master is a bridge, and any other device is one end of a cable. The other end of a cable
    is in no output: `peer` is left open.

    Raises:
        IprouteError: a field is missing or malformed.

    """
    links = tuple(links)
    by_name = dict(_each(ports, lambda port: (_device(port, "ifname"), _bridge_port(port))))
    masters = [link["master"] for link in links if "master" in link]
    return tuple(_each(links, lambda link: _interface(link, masters, by_name)))


def _interface(
    link: Json, masters: Sequence[object], by_name: Mapping[str, BridgePort]
) -> Interface:
    name = _device(link, "ifname")
    flags = _texts(link, "flags")
    info = link.get("linkinfo")
    kind = info.get("info_kind") if isinstance(info, dict) else None
    details = info.get("info_data") if isinstance(info, dict) else None
    told = kind if isinstance(kind, str) else ""
    link_kind, driver = _kind(link, name, told, is_master=name in masters)
    master = _device(link, "master") if "master" in link else None
    port = by_name.get(name)
    return Interface(
        name=name,
        kind=link_kind,
        mac="" if wrong_mac(link) else _mac(link),
        mtu_bytes=_number(link, "mtu", 1500, _WORD),
        up="UP" in flags,
        carrier="NO-CARRIER" not in flags,
        addresses=tuple(_addresses(link)),
        master=master,
        port=(port or BridgePort()) if master else None,
        vxlan=_vxlan(details) if link_kind is LinkKind.VXLAN else None,
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
        raise IprouteError(f"no MAC address: {_shown(written)}")
    return mac_address(written)


def _kind(link: Json, name: str, told: str, *, is_master: bool) -> tuple[LinkKind, str]:
    """The kind of a device, and what it is called where it is not modelled.

    ``ip -d`` tells all but network cards, which have no kind. Without ``-d`` the hardware type
    tells most tunnels (include/uapi/linux/if_arp.h), and a name by which programs call their
    devices the rest; nothing else is guessed.
    """
    hardware = str(link.get("link_type", "ether"))
    if "LOOPBACK" in _texts(link, "flags"):
        return LinkKind.LOOPBACK, ""
    if told:
        known = _KINDS.get(told)
        return (known, "") if known else (LinkKind.OTHER, told)
    if hardware not in _CARDS:
        return LinkKind.OTHER, "" if hardware == "none" else hardware
    if is_master:
        return LinkKind.BRIDGE, ""
    if "promiscuity" in link or "master" in link or "link_netnsid" in link:
        # With -d, what has no kind is a network card; a port is one end of a cable.
        return LinkKind.VETH, ""
    for pattern, kind in _NAMES:
        if re.fullmatch(pattern, name):
            return kind, ""
    return LinkKind.OTHER, ""


def _vxlan(details: object) -> Vxlan | None:
    if not isinstance(details, dict) or "local" not in details:
        return None
    return Vxlan(
        vni=_number(details, "id", 1, _VNI),
        local=_address(details, "local"),
        port=_number(details, "port", 8472, _PORT),
        device=_device(details, "link") if "link" in details else "eth0",
    )


def _addresses(link: Json) -> Iterable[InterfaceAddress]:
    for one in _records(link, "addr_info"):
        if one.get("family") not in ("inet", "inet6") or "local" not in one:
            continue
        address = _address(one, "local")
        scope = one.get("scope", "global")
        yield InterfaceAddress(
            address=address,
            prefix_length=_number(one, "prefixlen", address.bits, address.bits),
            scope=_SCOPES.get(scope, Scope.GLOBAL) if isinstance(scope, str) else Scope.GLOBAL,
            broadcast=_address(one, "broadcast") if one.get("broadcast") else None,
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
    found = _each(records, lambda record: _route(record, version))
    return tuple(route for route in found if route is not None)


def _route(record: Json, version: int) -> Route | None:
    kind = _word(record, "type", "unicast")
    if kind not in _TYPES:
        return None
    destination = _text(record, "dst")
    hop: Json = record
    via = record.get("via")
    if record.get("gateway") is None and isinstance(via, dict):
        hop = {**record, "gateway": via.get("host")}
    nexthops = _records(record, "nexthops")
    if nexthops and record.get("dev") is None:
        # Several next hops: a walk takes the first, as with equal weights any could be.
        hop = nexthops[0]
    return Route(
        destination=_DEFAULT[version] if destination == "default" else _prefix(destination),
        device=_device(hop, "dev") if hop.get("dev") else None,
        gateway=_address(hop, "gateway") if hop.get("gateway") else None,
        source=_address(record, "prefsrc") if "prefsrc" in record else None,
        type=RouteType(kind),
        scope=_word(record, "scope", "global"),
        table=_word(record, "table", "main"),
        protocol=_word(record, "protocol", "") or None,
        metric=_number(record, "metric", 0, _WORD),
        onlink="onlink" in _texts(record, "flags"),
    )


def policy_rules(records: Iterable[Json]) -> tuple[PolicyRule, ...]:
    """``ip -j rule``.

    Raises:
        IprouteError: a field is missing or malformed.

    """
    return tuple(_each(records, _policy_rule))


def _policy_rule(record: Json) -> PolicyRule:
    return PolicyRule(
        priority=_number(record, "priority", 0, _WORD),
        table=_word(record, "table", "main"),
        source=_selector(record, "src", "srclen"),
        destination=_selector(record, "dst", "dstlen"),
        mark=_mark(record, "fwmark"),
        mark_mask=_mark(record, "fwmask") or _WORD,
        iif=_device(record, "iif") if "iif" in record else None,
    )


def _selector(record: Json, field: str, length: str) -> Prefix | None:
    value = record.get(field)
    if value in (None, "all"):
        return None
    return _prefix(f"{value}/{record[length]}" if length in record else str(value))


def _mark(record: Json, field: str) -> int | None:
    value = record.get(field)
    if value is None:
        return None
    try:
        found = int(str(value), 0)
    except ValueError:
        found = -1
    if not 0 <= found <= _WORD:
        raise IprouteError(f"{field!r} is no mark in {_shown(record)}")
    return found


def neighbours(records: Iterable[Json]) -> tuple[Neighbour, ...]:
    """``ip -j neigh``: those with a MAC address.

    Raises:
        IprouteError: a field is missing or malformed.

    """
    usable = (
        one
        for one in records
        if "lladdr" in one and not _UNUSABLE.intersection(_texts(one, "state"))
    )
    return tuple(_each(usable, _neighbour))


def _neighbour(record: Json) -> Neighbour:
    return Neighbour(
        address=_address(record, "dst"),
        device=_device(record, "dev"),
        mac=_checked(mac_address, _text(record, "lladdr")),
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
        mac = _checked(mac_address, words[0])
        if is_group_mac(mac):
            continue
        remote = words[words.index("dst") + 1] if "dst" in words[:-1] else None
        entries.append(
            FdbEntry(
                mac=mac,
                device=_checked(device_name, words[2]),
                permanent="permanent" in words or "static" in words,
                destination=_checked(Address.parse, remote) if remote else None,
            )
        )
    return tuple(entries)


def kernel_routes(devices: Iterable[Interface]) -> tuple[Route, ...]:
    """What the kernel adds to the tables for each address of devices that are up.

    net/ipv4/fib_frontend.c fib_add_ifaddr: a local route for the address, the connected network in
    `main` when the address is global, the broadcast address in `local`; 127.0.0.0/8 as a whole is
    local. A secondary address prefers the primary one of its network as source. IPv6: the address
    is local, its network connected (addrconf.c). A device that is down keeps only what is local
    (docs/facts/outcomes.md, section 2). Each route has the reason of its address.
    """
    found: list[Route] = []
    for device in devices:
        for one in device.addresses:
            found += _routes_of(device, one)
    return tuple(found)


def _routes_of(device: Interface, one: InterfaceAddress) -> list[Route]:
    address, network = one.address, one.network
    source = _primary(device, one)
    local = Route(
        destination=Prefix(address, address.bits),
        device=device.name,
        source=source,
        type=RouteType.LOCAL,
        scope="host",
        table="local",
        protocol="kernel",
        reason=one.reason,
    )
    if address.version == 6:
        connected = Route(
            destination=network,
            device=device.name,
            protocol="kernel",
            metric=256,
            reason=one.reason,
        )
        is_host = one.prefix_length == address.bits
        plain = replace(local, source=None, scope="global")
        return [plain] if is_host or not device.up else [plain, connected]
    found = [local]
    if not device.up:
        return found
    is_loopback = device.kind is LinkKind.LOOPBACK
    if one.prefix_length < 32 and not one.secondary:
        wide = replace(local, destination=network)
        if is_loopback:
            found.append(wide)
        else:
            found.append(replace(wide, type=RouteType.UNICAST, scope="link", table="main"))
    broadcast = one.broadcast or (network.nth(-1) if one.prefix_length < 31 else None)
    if broadcast is not None:
        found.append(
            replace(
                local,
                destination=Prefix(broadcast, 32),
                type=RouteType.BROADCAST,
                scope="link",
            )
        )
    return found


def _primary(device: Interface, one: InterfaceAddress) -> Address:
    if one.secondary:
        for other in device.addresses:
            if not other.secondary and other.network == one.network:
                return other.address
    return one.address


def _checked(check: Callable[[str], _T], text: str) -> _T:
    try:
        return check(text)
    except ValueError as error:
        raise IprouteError(str(error)) from None


def _address(record: Json, field: str) -> Address:
    return _checked(Address.parse, _text(record, field))


def _prefix(text: str) -> Prefix:
    return _checked(Prefix.parse, text)


def _device(record: Json, field: str) -> str:
    return _checked(device_name, _text(record, field))


def _shown(value: object) -> str:
    return json.dumps(value)[:_SHOWN]


def _text(record: Json, field: str) -> str:
    value = record.get(field)
    if not isinstance(value, str):
        wrong = "is missing" if value is None else "is no text"
        raise IprouteError(f"{field!r} {wrong} in {_shown(record)}")
    return value


def _word(record: Json, field: str, default: str) -> str:
    """A name, or a number where iproute2 knows no name for it (lib/rt_names.c)."""
    value = record.get(field, default)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise IprouteError(f"{field!r} is no name in {_shown(record)}")
    return str(value)


def _texts(record: Json, field: str) -> Sequence[str]:
    value = record.get(field)
    return [str(one) for one in value] if isinstance(value, list) else ()


def _records(record: Json, field: str) -> Sequence[Json]:
    value = record.get(field)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else ()


def _number(record: Json, field: str, default: int, largest: int) -> int:
    value = record.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
        raise IprouteError(f"{field!r} is no number from 0 to {largest} in {_shown(record)}")
    return value
