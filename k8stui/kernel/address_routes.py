"""The routes that come with an address: what the kernel adds to the tables by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from k8stui.kernel.address import Address, Prefix, is_link_local, link_local
from k8stui.kernel.namespace import (
    Interface,
    InterfaceAddress,
    LinkKind,
    Route,
    RouteType,
)


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


def link_local_routes(devices: Iterable[Interface]) -> Iterator[Route]:
    """Those of the addresses that IPv6 gives to each device by itself, where none is told of.

    net/ipv6/addrconf.c addrconf_addr_gen, of devices that are up in a namespace that speaks IPv6.
    """
    found = tuple(devices)
    if not any(one.address.version == 6 for device in found for one in device.addresses):
        return
    for device in found:
        address = own_link_local(device)
        if address is not None:
            yield Route(
                destination=Prefix(address, address.bits),
                device=device.name,
                type=RouteType.LOCAL,
                table="local",
                protocol="kernel",
            )


def own_link_local(device: Interface) -> Address | None:
    """The address that a device has made of its MAC; None where another one is told of."""
    if not device.up or device.kind in (LinkKind.LOOPBACK, LinkKind.IPIP, LinkKind.OTHER):
        return None
    if any(is_link_local(one.address) for one in device.addresses):
        return None
    return link_local(device.mac)


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
