"""The header of a packet before and after a step; what changed stands as ``before ⇒ after``."""

from __future__ import annotations

from k8stui.export.drawing.ink import Ink, Line, join, line_width, run
from k8stui.kernel.header import WITH_PORTS
from k8stui.kernel.packet import Packet, Protocol, TcpFlags

_SHOWN = (TcpFlags.SYN, TcpFlags.FIN, TcpFlags.RST, TcpFlags.PSH, TcpFlags.ACK)

_ICMP = {
    (3, 0): "net unreachable",
    (3, 1): "host unreachable",
    (3, 3): "port unreachable",
    (3, 4): "fragmentation needed",
    (3, 13): "administratively prohibited",
    (11, 0): "time exceeded",
    (8, 0): "echo request",
    (0, 0): "echo reply",
}
"""RFC 792 and 1812: the ones that a walk meets."""
_ICMPV6 = {
    (1, 0): "no route",
    (1, 1): "administratively prohibited",
    (1, 3): "address unreachable",
    (1, 4): "port unreachable",
    (2, 0): "packet too big",
    (3, 0): "hop limit exceeded",
    (128, 0): "echo request",
    (129, 0): "echo reply",
}
"""RFC 4443."""


def what(packet: Packet) -> str:
    """``TCP SYN``, ``UDP``, ``ICMP port unreachable``: the kind of packet in two or three words."""
    if packet.protocol is Protocol.TCP:
        flags = " ".join(flag.name or "" for flag in _SHOWN if flag in packet.flags)
        return f"TCP {flags}".rstrip()
    for protocol, name, words in (
        (Protocol.ICMP, "ICMP", _ICMP),
        (Protocol.ICMPV6, "ICMPv6", _ICMPV6),
    ):
        if packet.protocol is protocol:
            kind = packet.icmp_type, packet.icmp_code
            return f"{name} {words.get(kind) or '/'.join(map(str, kind))}"
    return packet.protocol.name


def endpoint(packet: Packet, *, source: bool) -> str:
    """Address and, where the protocol has them, port."""
    address = packet.src if source else packet.dst
    port = packet.sport if source else packet.dport
    return address.with_port(port) if packet.protocol in WITH_PORTS else str(address)


def change(before: str, after: str) -> Line:
    """One field: plain when it stays, ``before ⇒ after`` lit when it does not."""
    if before == after:
        return run(after)
    return join((run(before or "none", Ink.DIM), run(" ⇒ ", Ink.CHANGED), run(after, Ink.CHANGED)))


def header(before: Packet | None, after: Packet | None) -> tuple[Line, Line, Line, Line]:
    """Source, destination, the rest, and the link layer: a line each."""
    if after is None:
        blank = run("no packet yet", Ink.DIM)
        return blank, (), (), ()
    before = before or after
    first = join(
        (_label("src"), change(endpoint(before, source=True), endpoint(after, source=True)))
    )
    second = join(
        (_label("dst"), change(endpoint(before, source=False), endpoint(after, source=False)))
    )
    third = join(
        (
            change(what(before), what(after)),
            run("   ttl ", Ink.DIM),
            change(str(before.ttl), str(after.ttl)),
            run("   mark ", Ink.DIM),
            change(f"{before.mark:#x}", f"{after.mark:#x}"),
            *_vxlan(before, after),
        )
    )
    fourth = join((_label("mac"), _mac(before, after)))
    return first, second, third, fourth


def compact(before: Packet | None, after: Packet | None, width: int = 0) -> Line:
    """The header on one line; on `width` cells (0: on all it takes) without what is worth least."""
    if after is None:
        return run("no packet yet: first the name", Ink.DIM)
    before = before or after
    inside: Line = ()
    wraps = after.carried is not None
    if wraps is not (before.carried is not None):  # another header, not a changed one
        word, other = ("around", before) if wraps else ("out of", before)
        inside = join((run(f"  {word} ", Ink.NAT), _ends(other, other)))
        before = after
    ttl = join((run("  ttl ", Ink.DIM), change(str(before.ttl), str(after.ttl))))
    mark: Line = ()
    if before.mark or after.mark:
        marks = change(f"{before.mark:#x}", f"{after.mark:#x}")
        mark = join((run("  mark ", Ink.DIM), marks))
    kind = join((run("  "), change(what(before), what(after))))
    ends = join((_ends(before, after), inside))
    line = join((ends, ttl, mark, kind))
    for less in (join((ends, ttl, mark)), join((ends, mark)), ends, _ends(before, after)):
        if not width or line_width(line) <= width:
            break
        line = less
    return line


def _ends(before: Packet, after: Packet) -> Line:
    """Who sends, and to whom."""
    source = change(endpoint(before, source=True), endpoint(after, source=True))
    target = change(endpoint(before, source=False), endpoint(after, source=False))
    return join((source, run(" → ", Ink.DIM), target))


def _label(text: str) -> Line:
    return run(f"{text}  ", Ink.DIM)


def _mac(before: Packet, after: Packet) -> Line:
    if not after.smac:
        return run("none yet", Ink.DIM)
    if (before.smac, before.dmac) == (after.smac, after.dmac) or not before.smac:
        ink = Ink.TEXT if before.smac else Ink.CHANGED
        return join((run(after.smac, ink), run(" → ", Ink.DIM), run(after.dmac, ink)))
    return run(f"{after.smac} → {after.dmac}", Ink.CHANGED)


def _vxlan(before: Packet, after: Packet) -> tuple[Line, ...]:
    if before.vni is None and after.vni is None:
        return ()

    def name(packet: Packet) -> str:
        return "none" if packet.vni is None else str(packet.vni)

    return run("   vni ", Ink.DIM), change(name(before), name(after))
