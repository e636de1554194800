"""What `ip` and `bridge` print, read into the types of `namespace.py`; and what the kernel adds.

Reads ``ip -j addr``, ``ip -j route show table all``, ``ip -j rule``, ``ip -j neigh``,
``bridge -j -d link`` (all JSON, also `-d`etailed) and the text of ``bridge fdb show``.
Field names: iproute2 6.1 (ip/ipaddress.c, ip/iproute.c, ip/iprule.c, bridge/link.c, bridge/fdb.c).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from k8stui.errors import K8sTuiError
from k8stui.kernel.address import Address, Prefix
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

Json = Mapping[str, object]
_DEFAULT = {4: Prefix(Address(4, 0), 0), 6: Prefix(Address(6, 0), 0)}
_KINDS = {
    "veth": LinkKind.VETH,
    "bridge": LinkKind.BRIDGE,
    "vxlan": LinkKind.VXLAN,
    "dummy": LinkKind.DUMMY,
}
_SCOPES = {scope.value: scope for scope in Scope}
_TYPES = frozenset(one.value for one in RouteType)
_UNUSABLE = frozenset({"INCOMPLETE", "FAILED", "NOARP"})


class IprouteError(K8sTuiError, ValueError):
    """The text is not what the command prints."""


def load(text: str, command: str) -> tuple[Json, ...]:
    """The records of one ``-j`` output.

    Raises:
        IprouteError: not JSON, or not a list of objects.

    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise IprouteError(
            f"{command}: not JSON at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise IprouteError(f"{command}: brackets in brackets, hundreds deep") from None
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise IprouteError(f"{command}: a list of objects is expected")
    # ip prints an empty object where a filter left a record out.
    return tuple(one for one in data if one)


def interfaces(links: Iterable[Json], ports: Iterable[Json] = ()) -> tuple[Interface, ...]:
    """``ip -j [-d] addr``, with the ports of ``bridge -j -d link``.

    A device's kind stands in the output only with `-d`; without it, a device that others name as
    their master is a bridge, and any other device is one end of a cable. The other end of a cable
    is in no output: `peer` is left open.

    Raises:
        IprouteError: a field is missing or malformed.

    """
    links = tuple(links)
    by_name = {_text(port, "ifname"): _bridge_port(port) for port in ports}
    masters = {str(link["master"]) for link in links if "master" in link}
    return tuple(_interface(link, masters, by_name) for link in links)


def _interface(link: Json, masters: set[str], by_name: Mapping[str, BridgePort]) -> Interface:
    name = _text(link, "ifname")
    flags = _texts(link, "flags")
    info = link.get("linkinfo")
    kind = str(info.get("info_kind", "")) if isinstance(info, dict) else ""
    details = info.get("info_data") if isinstance(info, dict) else None
    if "LOOPBACK" in flags:
        link_kind = LinkKind.LOOPBACK
    elif kind in _KINDS:
        link_kind = _KINDS[kind]
    else:
        link_kind = LinkKind.BRIDGE if name in masters else LinkKind.VETH
    master = str(link["master"]) if "master" in link else None
    port = by_name.get(name)
    return Interface(
        name=name,
        kind=link_kind,
        mac=str(link.get("address", "00:00:00:00:00:00")),
        mtu_bytes=_number(link, "mtu", 1500),
        up="UP" in flags,
        carrier="NO-CARRIER" not in flags,
        addresses=tuple(_addresses(link)),
        master=master,
        port=(port or BridgePort()) if master else None,
        vxlan=_vxlan(details) if link_kind is LinkKind.VXLAN else None,
    )


def _vxlan(details: object) -> Vxlan | None:
    if not isinstance(details, dict) or "local" not in details:
        return None
    return Vxlan(
        vni=_number(details, "id", 1),
        local=_address(str(details["local"])),
        port=_number(details, "port", 8472),
        device=str(details.get("link", "eth0")),
    )


def _addresses(link: Json) -> Iterable[InterfaceAddress]:
    for one in _records(link, "addr_info"):
        if one.get("family") not in ("inet", "inet6") or "local" not in one:
            continue
        scope = str(one.get("scope", "global"))
        broadcast = one.get("broadcast")
        yield InterfaceAddress(
            address=_address(str(one["local"])),
            prefix_length=_number(one, "prefixlen", 32),
            scope=_SCOPES.get(scope, Scope.GLOBAL),
            broadcast=_address(str(broadcast)) if broadcast else None,
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
    return tuple(
        _route(record, version) for record in records if record.get("type", "unicast") in _TYPES
    )


def _route(record: Json, version: int) -> Route:
    destination = _text(record, "dst")
    gateway = record.get("gateway")
    via = record.get("via")
    if gateway is None and isinstance(via, dict):
        gateway = via.get("host")
    nexthops = _records(record, "nexthops")
    device = record.get("dev")
    if nexthops and device is None:
        # Several next hops: a walk takes the first, as with equal weights any could be.
        gateway, device = nexthops[0].get("gateway"), nexthops[0].get("dev")
    return Route(
        destination=_DEFAULT[version] if destination == "default" else _prefix(destination),
        device=str(device) if device else None,
        gateway=_address(str(gateway)) if gateway else None,
        source=_address(str(record["prefsrc"])) if "prefsrc" in record else None,
        type=RouteType(str(record.get("type", "unicast"))),
        scope=str(record.get("scope", "global")),
        table=str(record.get("table", "main")),
        protocol=str(record["protocol"]) if "protocol" in record else None,
        metric=_number(record, "metric", 0),
        onlink="onlink" in _texts(record, "flags"),
    )


def policy_rules(records: Iterable[Json]) -> tuple[PolicyRule, ...]:
    """``ip -j rule``.

    Raises:
        IprouteError: a field is missing or malformed.

    """
    return tuple(
        PolicyRule(
            priority=_number(record, "priority", 0),
            table=str(record.get("table", "main")),
            source=_selector(record, "src", "srclen"),
            destination=_selector(record, "dst", "dstlen"),
            mark=_mark(record, "fwmark"),
            mark_mask=_mark(record, "fwmask") or 0xFFFFFFFF,
            iif=str(record["iif"]) if "iif" in record else None,
        )
        for record in records
    )


def _selector(record: Json, field: str, length: str) -> Prefix | None:
    value = record.get(field)
    if value in (None, "all"):
        return None
    return _prefix(f"{value}/{record[length]}" if length in record else str(value))


def _mark(record: Json, field: str) -> int | None:
    value = record.get(field)
    return int(str(value), 0) if value is not None else None


def neighbours(records: Iterable[Json]) -> tuple[Neighbour, ...]:
    """``ip -j neigh``: those with a MAC address.

    Raises:
        IprouteError: a field is missing or malformed.

    """
    return tuple(
        Neighbour(
            address=_address(_text(record, "dst")),
            device=_text(record, "dev"),
            mac=str(record["lladdr"]),
        )
        for record in records
        if "lladdr" in record and not _UNUSABLE.intersection(_texts(record, "state"))
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
        if int(words[0][:2], 16) & 1:
            continue
        remote = words[words.index("dst") + 1] if "dst" in words[:-1] else None
        entries.append(
            FdbEntry(
                mac=words[0],
                device=words[2],
                permanent="permanent" in words or "static" in words,
                destination=_address(remote) if remote else None,
            )
        )
    return tuple(entries)


def kernel_routes(devices: Iterable[Interface]) -> tuple[Route, ...]:
    """What the kernel adds to the tables for each address of devices that are up.

    net/ipv4/fib_frontend.c fib_add_ifaddr: a local route for the address, the connected network in
    `main` when the address is global, the broadcast address in `local`; 127.0.0.0/8 as a whole is
    local. A secondary address prefers the primary one of its network as source. IPv6: the address
    is local, its network connected (addrconf.c). A device that is down keeps only what is local
    (shared/outcomes.md, section 2). Each route has the reason of its address.
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


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise IprouteError(str(error)) from None


def _prefix(text: str) -> Prefix:
    try:
        return Prefix.parse(text)
    except ValueError as error:
        raise IprouteError(str(error)) from None


def _text(record: Json, field: str) -> str:
    value = record.get(field)
    if not isinstance(value, str):
        raise IprouteError(f"{field!r} is missing in {json.dumps(record)[:80]}")
    return value


def _texts(record: Json, field: str) -> Sequence[str]:
    value = record.get(field)
    return [str(one) for one in value] if isinstance(value, list) else ()


def _records(record: Json, field: str) -> Sequence[Json]:
    value = record.get(field)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else ()


def _number(record: Json, field: str, default: int) -> int:
    value = record.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise IprouteError(f"{field!r} is no number in {json.dumps(record)[:80]}")
    return value
