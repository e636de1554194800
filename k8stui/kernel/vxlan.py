"""VXLAN: a frame travels inside a UDP packet between two nodes.

After drivers/net/vxlan/vxlan_core.c (vxlan_xmit, vxlan_rcv); RFC 7348. The outer packet is the
node's own: it passes OUTPUT and POSTROUTING here, PREROUTING and INPUT there.
"""

from __future__ import annotations

from zlib import crc32

from k8stui.kernel import device, multipath
from k8stui.kernel.address import Address
from k8stui.kernel.fib import Ports
from k8stui.kernel.header import changed
from k8stui.kernel.host import Host
from k8stui.kernel.namespace import FdbEntry, Interface, Vxlan
from k8stui.kernel.packet import BROADCAST_MAC, Packet, Protocol
from k8stui.kernel.routing import Decision, Fate
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import BridgeCause, DeviceCause, StepKind

OVERHEAD_BYTES = {4: 50, 6: 70}
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
    # vxlan_xmit: what is for nobody that it knows goes to all of the all-zeros entry.
    entries = (entry,) if entry is not None else host.everywhere(interface.name)
    if not entries and (inner.dmac != BROADCAST_MAC or not skb.arp):
        host.simulation.journal.loss(
            host.name,
            skb,
            f"{interface.name} knows no node for {inner.dmac}",
            cause=BridgeCause(bridge=interface.name, entry=None),
            device=interface.name,
        )
    for one in entries:
        if one.destination is not None:
            _send(host, interface, settings, skb if len(entries) == 1 else skb.copied(), one)


def _send(host: Host, interface: Interface, settings: Vxlan, skb: Skb, entry: FdbEntry) -> None:
    """Put a frame into a packet to one node (vxlan_xmit_one)."""
    inner, remote = skb.packet, entry.destination
    if remote is None:
        return
    journal = host.simulation.journal
    sport = _source_port(inner)
    ports = Ports(Protocol.UDP, sport, settings.port)
    way = multipath.outgoing(host, remote, settings.local, ports=ports)
    if way.fate is Fate.ERROR or way.device == interface.name:
        text = f"no route to the node {remote}"
        if way.device == interface.name:  # udp_tunnel_dst_lookup: "circular route"
            text = f"{remote}, the other end, is itself behind {interface.name}"
        cause = DeviceCause(interface=interface)
        journal.loss(host.name, skb, text, cause=cause, device=interface.name)
        return
    outer = Packet(
        src=settings.local,
        dst=remote,
        protocol=Protocol.UDP,
        sport=sport,
        dport=settings.port,
        ttl=host.namespace.sysctls.ip_default_ttl,
        mark=inner.mark,
        inner=changed(inner, mark=0),
        vni=settings.vni,
        length_bytes=inner.length_bytes + OVERHEAD_BYTES[remote.version],
        dont_fragment=remote.version == 6,
    )
    _remember(host, inner, outer, way)
    carrier = skb.tunnelled(outer)
    carrier.decision = way
    journal.step(
        host.name,
        carrier,
        StepKind.ENCAPSULATE,
        f"{inner.dmac} is behind {remote}: VXLAN {settings.vni} to it",
        cause=BridgeCause(bridge=interface.name, entry=entry),
        device=interface.name,
        before=inner,
    )
    host.simulation.stack.local_out(host, carrier)


def _remember(host: Host, inner: Packet, outer: Packet, way: Decision) -> None:
    """What is too big for the way between the nodes is known from now on (skb_tunnel_check_pmtu).

    IPv4 forgets it of what it only passes on (ip_dst_mtu_maybe_forward).
    """
    below = host.mtu(way)
    if not below or outer.length_bytes <= below:
        return
    if inner.dst.version == 6 or host.routing.is_local(inner.src):
        host.learn_path_mtu(inner.dst, below - OVERHEAD_BYTES[outer.src.version])


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
            if packet.inner.smac == interface.mac:
                # vxlan_set_mac: a packet that has come round, or a twin's.
                text = f"comes from {interface.mac}, {interface.name}'s own MAC address: a loop"
                cause = DeviceCause(interface=interface)
                host.simulation.journal.loss(
                    host.name, skb, text, cause=cause, device=interface.name
                )
                return True
            inner = skb.tunnelled(changed(packet.inner, mark=packet.mark))
            inner.arp = not packet.inner.ttl  # no IP packet travels with a TTL of 0
            if settings.learning:
                _learn(host, interface, packet.inner.smac, packet.src)
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
    return _of_another_network(host, skb, packet)


def _of_another_network(host: Host, skb: Skb, packet: Packet) -> bool:
    """Lose what comes to the port of devices of other VNIs alone: theirs is the socket (vxlan_rcv).

    False: no device has that port.
    """
    for interface in host.namespace.interfaces:
        settings = interface.vxlan
        if settings is None or settings.local.version != packet.dst.version:
            continue
        if settings.port == packet.dport and interface.up:
            text = f"no device here has VNI {packet.vni}: {interface.name} has {settings.vni}"
            cause = DeviceCause(interface=interface)
            host.simulation.journal.loss(host.name, skb, text, cause=cause, device=interface.name)
            return True
    return False


def _learn(host: Host, interface: Interface, mac: str, node: Address) -> None:
    """Keep behind which node a MAC address is (vxlan_snoop)."""
    known = host.fdb(interface.name, mac)
    if known is None or not (known.permanent or known.destination == node):
        host.fdb_learned[interface.name, mac] = FdbEntry(
            mac=mac, device=interface.name, destination=node
        )


def _source_port(inner: Packet) -> int:
    # udp_flow_src_port: a hash of the inner flow, within the local port range.
    seed = f"{inner.src}{inner.sport}{inner.dst}{inner.dport}".encode()
    return 32768 + crc32(seed) % 28232
