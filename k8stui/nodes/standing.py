"""What the kernel itself adds to a namespace: the loopback device, routes for each address."""

from __future__ import annotations

from k8stui.because import Because
from k8stui.kernel.address import Address
from k8stui.kernel.address_routes import kernel_routes
from k8stui.kernel.namespace import Interface, InterfaceAddress, LinkKind, Route, Scope
from k8stui.nodes.part import Part
from k8stui.origin import defaulted

_LOOPBACK = Because(text="every namespace has it", origin=defaulted("the kernel"), owner="kernel")
_LOOPBACK_ADDRESSES = {
    4: InterfaceAddress(
        address=Address.parse("127.0.0.1"), prefix_length=8, scope=Scope.HOST, reason=_LOOPBACK
    ),
    6: InterfaceAddress(
        address=Address.parse("::1"), prefix_length=128, scope=Scope.HOST, reason=_LOOPBACK
    ),
}
_TABLE_ORDER = {"main": 0, "default": 2, "local": 3}


def loopback() -> Interface:
    """``lo``, up; with ::1 also where nothing else speaks IPv6.

    Unless net.ipv6.conf.lo.disable_ipv6 is set (net/ipv6/addrconf.c init_loopback).
    """
    return Interface(
        name="lo",
        kind=LinkKind.LOOPBACK,
        mtu_bytes=65536,
        addresses=tuple(_LOOPBACK_ADDRESSES.values()),
        reason=_LOOPBACK,
    )


def standing_routes(part: Part) -> tuple[Route, ...]:
    """The part's routes and the kernel's own, as ``ip route show table all`` orders them."""
    kernel = (
        route
        for route in kernel_routes(part.interfaces)
        if route.table != "main" or (route.device, route.destination) not in part.taken_away
    )
    return tuple(sorted((*part.routes, *kernel), key=_printed_order))


def _printed_order(route: Route) -> tuple[int, int, int, int, int]:
    """By table, then as the FIB trie is walked: by address, the longer prefix first."""
    return (
        route.destination.address.version,
        _TABLE_ORDER.get(route.table, 1),
        route.destination.address.value,
        -route.destination.length,
        route.metric,
    )
