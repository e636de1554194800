"""Devices that a node's routes name, where no dump shows the devices: ``ip route`` comes alone.

Without them the kernel's walk would pass over such routes, as if the node did not have them.
"""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.because import Because
from k8stui.kernel.iproute import kind_by_name
from k8stui.kernel.link import NO_MAC
from k8stui.kernel.namespace import Interface, InterfaceAddress, LinkKind, Route
from k8stui.nodes.names import mac
from k8stui.origin import assumed

_SHOWN_ALONE = frozenset({LinkKind.VXLAN, LinkKind.IPIP})
"""Kinds that are nothing without what ``ip -d`` tells of them."""


def route_devices(routes: Sequence[Route]) -> tuple[Interface, ...]:
    """All but lo, in the order of the routes; of which kind they are, their names tell, if any.

    Their addresses are those of the kernel's routes to their networks
    (net/ipv4/fib_frontend.c fib_add_ifaddr: ``proto kernel scope link src ADDRESS``).
    """
    named: dict[str, list[Route]] = {}
    for route in routes:
        for one in route.hops or (route,):
            if one.device is not None and one.device != "lo":
                named.setdefault(one.device, []).append(route)
    return tuple(_device(name, of) for name, of in named.items())


def _device(name: str, routes: Sequence[Route]) -> Interface:
    kind = kind_by_name(name)
    own = tuple(
        InterfaceAddress(
            address=route.source,
            prefix_length=route.destination.length,
            reason=route.reason,
        )
        for route in routes
        if route.source is not None
        and (route.protocol, route.scope, route.gateway) == ("kernel", "link", None)
    )
    shown = next((one.reason for one in routes if one.reason is not None), None)
    text = "routes of the real node lead to it; no dump shows it"
    return Interface(
        name=name,
        kind=LinkKind.OTHER if kind in _SHOWN_ALONE else kind,
        mac=mac(own[0].address) if own else NO_MAC,
        addresses=own,
        reason=Because(text=text, origin=shown.origin if shown is not None else assumed(text)),
    )
