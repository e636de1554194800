"""VXLAN: a frame travels inside a UDP packet between two nodes.

After drivers/net/vxlan/vxlan_core.c (vxlan_xmit, vxlan_rcv); RFC 7348. The outer packet is the
node's own: it passes OUTPUT and POSTROUTING here, PREROUTING and INPUT there.
"""

from __future__ import annotations

from zlib import crc32

from k8stui.kernel import device
from k8stui.kernel.header import changed
from k8stui.kernel.host import Host
from k8stui.kernel.namespace import Interface
from k8stui.kernel.packet import BROADCAST_MAC, Packet, Protocol
from k8stui.kernel.routing import Fate
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import BridgeCause, DeviceCause, StepKind

_OVERHEAD_BYTES = {4: 50, 6: 70}
"""Outer IP and UDP header, VXLAN header, inner Ethernet header."""


def xmit(host: Host, interface: Interface, skb: Skb) -> None:
    """Encapsulate a frame towards the node that its MAC address is behind."""
    settings = interface.vxlan
    if settings is None:
        what = f"not modelled: vxlan device {interface.name} without its settings (ip -j -d addr)"
        device.not_modelled(host, interface, skb, what)
        return
    inner = skb.packet
    entry = host.fdb(interface.name, inner.dmac)
    journal = host.simulation.journal
    if entry is None or entry.destination is None:
        if inner.dmac != BROADCAST_MAC or not skb.arp:
            journal.loss(
                host.name,
                skb,
                f"{interface.name} knows no node for {inner.dmac}",
                cause=BridgeCause(bridge=interface.name, entry=None),
                device=interface.name,
            )
        return
    way = host.routing.outgoing(entry.destination, settings.local)
    if way.fate is Fate.ERROR:
        journal.loss(
            host.name,
            skb,
            f"no route to the node {entry.destination}",
            cause=DeviceCause(interface=interface),
            device=interface.name,
        )
        return
    outer = Packet(
        src=settings.local,
        dst=entry.destination,
        protocol=Protocol.UDP,
        sport=_source_port(inner),
        dport=settings.port,
        ttl=host.namespace.sysctls.ip_default_ttl,
        mark=inner.mark,
        inner=changed(inner, mark=0),
        vni=settings.vni,
        length_bytes=inner.length_bytes + _OVERHEAD_BYTES[entry.destination.version],
        dont_fragment=entry.destination.version == 6,
    )
    carrier = Skb(outer, skb.number, skb.direction)
    carrier.decision = way
    journal.step(
        host.name,
        carrier,
        StepKind.ENCAPSULATE,
        f"{inner.dmac} is behind {entry.destination}: VXLAN {settings.vni} to it",
        cause=BridgeCause(bridge=interface.name, entry=entry),
        device=interface.name,
        before=inner,
    )
    host.simulation.stack.local_out(host, carrier)


def receive(host: Host, skb: Skb) -> bool:
    """Take the frame out of a VXLAN packet; False when no device here waits for it."""
    packet = skb.packet
    if packet.vni is None or packet.inner is None:
        return False
    for interface in host.namespace.interfaces:
        settings = interface.vxlan
        if (
            settings
            and settings.vni == packet.vni
            and settings.port == packet.dport
            # A device has a socket of the family of its local address (__vxlan_sock_add).
            and settings.local.version == packet.dst.version
        ):
            inner = Skb(changed(packet.inner, mark=packet.mark), skb.number, skb.direction)
            host.simulation.journal.step(
                host.name,
                inner,
                StepKind.DECAPSULATE,
                f"VXLAN {packet.vni} from {packet.src} comes out of {interface.name}",
                cause=DeviceCause(interface=interface),
                device=interface.name,
                before=packet,
            )
            device.receive(host, interface.name, inner)
            return True
    return False


def _source_port(inner: Packet) -> int:
    # udp_flow_src_port: a hash of the inner flow, within the local port range.
    seed = f"{inner.src}{inner.sport}{inner.dst}{inner.dport}".encode()
    return 32768 + crc32(seed) % 28232
