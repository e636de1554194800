"""From a NAT target to addresses and ports: what DNAT, SNAT, MASQUERADE … mean for one packet.

After net/netfilter/xt_nat.c, xt_MASQUERADE.c (nf_nat_masquerade_ipv4), xt_REDIRECT.c
(nf_nat_redirect_ipv4) and xt_NETMAP.c.
"""

from __future__ import annotations

from typing import NamedTuple

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.nat import Manip
from k8stui.kernel.packet import Packet
from k8stui.kernel.routing import Routing
from k8stui.kernel.step import StepKind
from k8stui.kernel.traverse import (
    AddressRange,
    Dnat,
    Masquerade,
    Netmap,
    PortRange,
    Redirect,
    Snat,
    Verdict,
)

NAT = (Dnat, Snat, Masquerade, Redirect, Netmap)
"""Verdicts that translate."""


class Binding(NamedTuple):
    """What a connection is to be bound to (struct nf_nat_range2)."""

    addresses: AddressRange | None = None
    ports: PortRange | None = None
    random: bool = False
    persistent: bool = False
    base_port: int | None = None


class BindingPoint(NamedTuple):
    """Where the packet is when the target meets it."""

    manip: Manip
    routing: Routing
    is_output: bool
    in_device: str
    out_device: str
    next_hop: Address


def binding(verdict: Verdict, packet: Packet, place: BindingPoint) -> Binding | None:
    """The range of a NAT verdict; the null binding for any other.

    None: MASQUERADE or REDIRECT finds no address, the packet is dropped.
    """
    match verdict:
        case Dnat(addresses, ports, random, persistent, base_port):
            return Binding(addresses, ports, random, persistent, base_port)
        case Snat(addresses, ports, random, persistent, random_fully):
            return Binding(addresses, ports, random or random_fully, persistent)
        case Masquerade(ports, random, random_fully):
            source = place.routing.masquerade_source(place.out_device, place.next_hop, packet.dst)
            return source and Binding((source, source), ports, random or random_fully)
        case Redirect(ports, random):
            own = _redirect(packet, place)
            return own and Binding((own, own), ports, random)
        case Netmap(prefix):
            old = packet.dst if place.manip is Manip.DESTINATION else packet.src
            new = _mapped(old, prefix)
            return Binding((new, new))
        case _:
            return Binding()


def kind_of(manip: Manip) -> StepKind:
    """How a walk calls a translation of that end."""
    return StepKind.DNAT if manip is Manip.DESTINATION else StepKind.SNAT


def _redirect(packet: Packet, place: BindingPoint) -> Address | None:
    # nf_nat_redirect_ipv4: to loopback for the node's own packets, else to the incoming device.
    if place.is_output:
        return Address.parse("127.0.0.1" if packet.dst.version == 4 else "::1")
    return place.routing.redirect_address(place.in_device, packet.dst)


def _mapped(old: Address, prefix: Prefix) -> Address:
    host_bits = old.value & ((1 << (old.bits - prefix.length)) - 1)
    return Address(old.version, prefix.address.value | host_bits)
