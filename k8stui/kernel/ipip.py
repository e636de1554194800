"""IPIP: an IPv4 packet travels inside another one between two nodes.

After net/ipv4/ipip.c (ipip_tunnel_xmit, ipip_rcv) and net/ipv4/ip_tunnel.c (ip_tunnel_xmit,
ip_tunnel_lookup); RFC 2003. The outer packet is the node's own: it passes OUTPUT and POSTROUTING
here, PREROUTING and INPUT there.
"""

from __future__ import annotations

from k8stui.kernel import device, multipath
from k8stui.kernel.fib import Ports
from k8stui.kernel.header import changed
from k8stui.kernel.host import Host
from k8stui.kernel.namespace import Interface, LinkKind
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.routing import Fate
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Cause, DeviceCause, RouteCause, StepKind

_OVERHEAD_BYTES = 20


def xmit(host: Host, interface: Interface, skb: Skb) -> None:
    """Put a packet into one to the other end; of a device without one, to the route's gateway."""
    settings = interface.ipip
    if settings is None:
        what = f"not modelled: ipip device {interface.name} without its settings (ip -j -d addr)"
        device.not_modelled(host, interface, skb, what)
        return
    journal = host.simulation.journal
    inner, decision = skb.packet, skb.decision
    cause: Cause = DeviceCause(interface=interface)
    if inner.src.version != 4:
        text = f"{interface.name} carries IPv4 alone"
        journal.loss(host.name, skb, text, cause=cause, device=interface.name)
        return
    remote = settings.remote
    if remote is None:
        # rt_nexthop: without a gateway the inner packet's own destination is the other end.
        remote = inner.dst
        if decision is not None and decision.route is not None:
            remote = decision.next_hop or inner.dst
            cause = RouteCause(route=decision.route)
    # ip_tunnel_init_flow: what it carries has a say in which of several next hops the outer packet
    # takes. The way to an end that is settled is found once and kept (dst_cache).
    carried = inner if settings.remote is None else None
    ports = Ports(Protocol.IPIP)
    way = multipath.outgoing(host, remote, settings.local, ports=ports, carried=carried)
    if way.fate is Fate.ERROR or way.device == interface.name:
        text = f"no route to the node {remote}"
        if way.device == interface.name:
            text = f"{remote}, the other end, is itself behind {interface.name}"
        journal.loss(host.name, skb, text, cause=cause, device=interface.name)
        return
    outer = Packet(
        src=settings.local or way.source or remote,
        dst=remote,
        protocol=Protocol.IPIP,
        ttl=settings.ttl_hops or inner.ttl,
        mark=inner.mark,
        inner=changed(inner, mark=0, smac="", dmac=""),
        length_bytes=inner.length_bytes + _OVERHEAD_BYTES,
        dont_fragment=inner.dont_fragment,
    )
    carrier = skb.tunnelled(outer)
    carrier.decision = way
    journal.step(
        host.name,
        carrier,
        StepKind.ENCAPSULATE,
        f"{inner.dst} is behind {remote}: IPIP to it",
        cause=cause,
        device=interface.name,
        before=inner,
    )
    host.simulation.stack.local_out(host, carrier)


def receive(host: Host, skb: Skb) -> None:
    """Take the packet out of an IPIP one, on the device that is the other end."""
    packet = skb.packet
    interface = _other_end(host, packet)
    if interface is None or packet.inner is None:
        # tunnel4_rcv answers with an ICMP error; ipip_err of a device without a remote end leaves
        # it at that.
        text = f"no ipip device here is the other end of a tunnel from {packet.src}"
        host.simulation.journal.loss(host.name, skb, text, cause=None, device=skb.device or "")
        return
    inner = skb.tunnelled(changed(packet.inner, mark=packet.mark))
    host.simulation.journal.step(
        host.name,
        inner,
        StepKind.DECAPSULATE,
        f"IPIP from {packet.src} comes out of {interface.name}",
        cause=DeviceCause(interface=interface),
        device=interface.name,
        before=packet,
    )
    device.receive(host, interface.name, inner)


def _other_end(host: Host, packet: Packet) -> Interface | None:
    """The device that is most exactly about the two ends (ip_tunnel_lookup); it has to be up."""
    wanted = (
        (packet.src, packet.dst),
        (packet.src, None),
        (None, packet.dst),
        (None, None),
    )
    ends = {
        (one.ipip.remote, one.ipip.local): one
        for one in reversed(host.namespace.interfaces)
        if one.kind is LinkKind.IPIP and one.ipip is not None and one.up
    }
    return next((ends[pair] for pair in wanted if pair in ends), None)
