"""The walk's packets beside the kernel's: when two sights are of the same packet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8stui.kernel.compile import compile_rule
from k8stui.kernel.exchange import Exchange
from k8stui.kernel.header import ECHO, WITH_PORTS
from k8stui.kernel.nat import port_class
from k8stui.kernel.packet import Packet, TcpFlags
from k8stui.kernel.step import ConntrackCause, RuleCause, Step, StepKind
from k8stui.kernel.targets.base import Decide
from k8stui.kernel.traverse import PortRange
from k8stui.kernel.verdict import Masquerade, Snat
from k8stui.lab.plan import Sight

_ALL = (0, 65535)
_LOCAL = (32768, 60999)
"""net.ipv4.ip_local_port_range, of which a tunnel draws (udp_flow_src_port)."""


class PairedPorts:
    """Random ports of the one side, each bound to one of the other's where they first meet."""

    def __init__(
        self, known: set[int], ranges: Mapping[int, PortRange], more_digits: int = 0
    ) -> None:
        self.known = known
        self._more_digits = more_digits
        self._ranges = ranges
        self._pairs: dict[int, int] = {}
        self.drew_known = False
        """Whether the kernel may have drawn a port that somebody else has: one in 64,512 does."""

    def are_equal(self, walk: int, kernel: int) -> bool:
        first, last = self._ranges.get(walk, _ALL)
        if walk in self.known or kernel in self.known:
            is_drawn = walk not in self.known and walk in self._ranges
            self.drew_known |= is_drawn and first <= kernel <= last
            return walk == kernel
        return first <= kernel <= last and self._pairs.setdefault(walk, kernel) == kernel

    def are_as_long(self, walk: int, kernel: int) -> bool:
        """Whether two packets are, in bytes; one that says a random port says it in digits."""
        return walk - kernel in (0, self._more_digits)

    def plain(self, port: int) -> int:
        return port if port in self.known else -1


def random_ports(exchanges: Iterable[Exchange]) -> Mapping[int, PortRange]:
    """Ports for which the walk's number stands in for a random one, with those to draw from."""
    found: dict[int, PortRange] = {}
    for step in (step for exchange in exchanges for step in exchange.steps):
        changes = step.before.sport != step.after.sport
        cause = step.cause
        # A port that somebody else has is changed without a rule (alloc_null_binding).
        is_clash = isinstance(cause, ConntrackCause) and cause.state == "NEW"
        if step.kind is StepKind.ENCAPSULATE:
            found[step.after.sport] = _LOCAL
        elif changes and (step.kind is StepKind.SNAT or is_clash):
            found[step.after.sport] = _drawn_from(step)
    return found


def _drawn_from(step: Step) -> PortRange:
    """The ports of the rule, else of the class of the one that there was."""
    cause = step.cause
    if isinstance(cause, RuleCause) and cause.rule is not None:
        target = compile_rule(cause.rule.text).target
        verdict = target.verdict if isinstance(target, Decide) else None
        if isinstance(verdict, (Snat, Masquerade)) and verdict.ports is not None:
            return verdict.ports
    return _ALL if step.before.protocol in ECHO else port_class(step.before.sport)


def of_packet(packet: Packet) -> Sight:
    """As the walk has it; the place is filled in by whoever compares."""
    has_ports = packet.protocol in WITH_PORTS
    has_identifier = packet.protocol in ECHO and packet.inner is None
    return Sight(
        src=str(packet.src), dst=str(packet.dst), protocol=int(packet.protocol),
        sport=packet.sport if has_ports or has_identifier else 0,
        dport=packet.dport if has_ports else 0,
        ttl=packet.ttl, smac=packet.smac, dmac=packet.dmac, flags=int(packet.flags),
        icmp_type=packet.icmp_type, icmp_code=packet.icmp_code, vni=packet.vni,
        length=packet.length_bytes, dont_fragment=packet.dont_fragment,
        mss=packet.mss_bytes if has_ports else 0, mtu=packet.mtu_bytes,
        inner=of_packet(packet.inner) if packet.inner is not None else None,
    )  # fmt: skip


def is_cut(exchange: Exchange) -> bool:
    """Whether a datagram goes in fragments, of which the walk has the first."""
    return any(capture.packet.whole_bytes for capture in exchange.captures)


def tunnels(exchange: Exchange) -> frozenset[int]:
    """The ports of the tunnels that it goes by."""
    packets = (capture.packet for capture in exchange.captures)
    return frozenset(one.dport for one in packets if one.vni is not None)


def speaks(exchange: Exchange) -> bool:
    """Whether the client of a connection says something."""
    return any(capture.packet.flags & TcpFlags.PSH for capture in exchange.captures)


def is_plain_ack(sight: Sight) -> bool:
    """Whether it acknowledges, and nothing else."""
    inner = sight.inner if sight.vni is not None and sight.inner is not None else sight
    return inner.flags == TcpFlags.ACK


def key(sight: Sight, ports: PairedPorts) -> tuple[object, ...]:
    """What makes two sights the same packet at the same place, random ports aside."""
    return (
        sight.namespace, sight.device, sight.incoming, sight.arp, sight.src, sight.dst,
        sight.protocol, ports.plain(sight.sport), ports.plain(sight.dport), sight.ttl,
        sight.flags, sight.icmp_type, sight.icmp_code,
        # Encapsulated packets differ inside only.
        key(sight.inner, ports) if sight.vni is not None and sight.inner is not None else None,
    )  # fmt: skip


def place(sight: Sight) -> str:
    """``node-1 cni0 out``."""
    return f"{sight.namespace} {sight.device} {'in' if sight.incoming else 'out'}"
