"""Devices: handing a packet to one, and getting one from it.

After net/core/dev.c (__dev_queue_xmit, sch_handle_egress, __netif_receive_skb_core,
sch_handle_ingress), drivers/net/veth.c and
drivers/net/loopback.c. Captures are taken where AF_PACKET sockets take them: on the way out after
everything else, on the way in before everything else.
"""

from __future__ import annotations

from functools import partial

from k8stui.kernel.host import Host
from k8stui.kernel.namespace import Interface, LinkKind
from k8stui.kernel.packet import is_group_mac
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Cause, DeviceCause, StepKind

VLAN_TAG_BYTES = 4


def transmit(host: Host, name: str, skb: Skb) -> None:
    """Send a packet out of a device (dev_queue_xmit)."""
    interface = host.interface(name)
    simulation = host.simulation
    if interface is not None and _leads_anywhere(interface):
        what = f"not modelled: where {name} leads was not seen"
        not_modelled(host, interface, skb, what)
        return
    if interface is None or not host.has_carrier(name):
        # Without carrier the queue is the noop one: nothing reaches the driver.
        cause = DeviceCause(interface=interface) if interface else None
        state = "has no carrier" if interface and interface.up else "is down"
        simulation.journal.loss(host.name, skb, f"{name} {state}", cause=cause, device=name)
        return
    if interface.program_out:
        what = f"not modelled: eBPF program {interface.program_out} on {name} has what leaves there"
        not_modelled(host, interface, skb, what)
        return
    if interface.kind is LinkKind.OTHER:
        if interface.driver:
            what = f"not modelled: {interface.driver} device {name}"
        else:
            what = f"not modelled: the kind of device {name} is not known (ip -j -d addr tells it)"
        not_modelled(host, interface, skb, what)
        return
    simulation.journal.capture(host.name, skb, name, simulation.events.now, incoming=False)
    driver = simulation.stack.start_xmit.get(interface.kind)
    if driver is not None:
        driver(host, interface, skb)


def _leads_anywhere(interface: Interface) -> bool:
    """Whether it has a cable with somebody at its other end, of whom nothing is known.

    What a bridge floods ends there, as far as a walk is concerned.
    """
    is_plugged = interface.up and interface.carrier and interface.peer is None
    return interface.kind is LinkKind.VETH and is_plugged and interface.master is None


def not_modelled(host: Host, interface: Interface, skb: Skb, what: str) -> None:
    """End the walk at a device of which it cannot be said what it does with a packet."""
    end_unknown(host, skb, what, DeviceCause(interface=interface), interface.name)


def end_unknown(host: Host, skb: Skb, what: str, cause: Cause, device: str) -> None:
    """End the walk at what is not modelled."""
    journal = host.simulation.journal
    journal.step(host.name, skb, StepKind.UNKNOWN, what, cause=cause, device=device)
    host.simulation.cannot = what


def veth_xmit(host: Host, interface: Interface, skb: Skb) -> None:
    """Out at the other end of the pair, which may be in another namespace."""
    if interface.peer is None:
        return
    far, device = interface.peer
    simulation = host.simulation

    def arrive() -> None:
        other = simulation.host(far)
        if other is not None and _fits(other, device, skb):
            receive(other, device, skb if other is host else skb.crossed())

    simulation.events.after_hop(arrive)


def _fits(host: Host, name: str, skb: Skb) -> bool:
    """Whether the far end takes a frame of that length (net/core/dev.h is_skb_forwardable).

    Measured: with an MTU of 1400 an IP packet of 1404 bytes comes in, one of 1405 does not.
    """
    interface, length = host.interface(name), skb.packet.length_bytes
    if interface is None or length <= interface.mtu_bytes + VLAN_TAG_BYTES:
        return True
    text = f"{length} bytes do not fit through {name}, whose MTU is {interface.mtu_bytes}"
    cause = DeviceCause(interface=interface)
    host.simulation.journal.loss(host.name, skb, text, cause=cause, device=name)
    return False


def loopback_xmit(host: Host, interface: Interface, skb: Skb) -> None:
    """Back in at once; the packet keeps its route and its conntrack entry."""
    host.simulation.events.after_hop(partial(receive, host, interface.name, skb))


def receive(host: Host, name: str, skb: Skb) -> None:
    """A packet comes in on a device (__netif_receive_skb_core)."""
    interface = host.interface(name)
    if interface is None or not interface.up:
        cause = DeviceCause(interface=interface) if interface else None
        host.simulation.journal.loss(host.name, skb, f"{name} is down", cause=cause, device=name)
        return
    host.simulation.journal.capture(host.name, skb, name, host.simulation.events.now, incoming=True)
    if interface.program_in:
        what = (
            f"not modelled: eBPF program {interface.program_in} on {name} has what comes in there"
        )
        not_modelled(host, interface, skb, what)
        return
    master = host.interface(interface.master) if interface.master is not None else None
    if master is not None and master.kind is LinkKind.OTHER:
        what = f"not modelled: {master.driver or 'unknown'} device {master.name}, which has {name}"
        not_modelled(host, master, skb, what)
    elif interface.master is not None:
        host.simulation.stack.bridge_frame(host, interface, skb)
    else:
        deliver(host, interface, skb, is_mine=False)


def deliver(host: Host, interface: Interface, skb: Skb, *, is_mine: bool) -> None:
    """Hand a frame to its protocol; what is for another station's MAC address ends here.

    `is_mine`: a bridge has found already that the frame is for this node.
    """
    dmac = skb.packet.dmac
    if skb.arp:
        host.simulation.stack.receive_arp(host, interface.name, skb)
    elif is_mine or not dmac or dmac == interface.mac or is_group_mac(dmac):
        host.simulation.stack.receive_ip(host, interface.name, skb)
    else:
        host.simulation.journal.other_host(host.name, skb, interface.name, dmac)
