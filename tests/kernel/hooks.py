"""The order of the hooks, just enough of it to judge rules by where a packet ends up.

Not the simulator: routes are "local, own pods, or the uplink", conntrack is the first packet only.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.hooks import Priority
from k8stui.kernel.nft.traverse import traverse as traverse_nft
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.rules import Ruleset, Table
from k8stui.kernel.step import Fork, Hook
from k8stui.kernel.traverse import (
    Accept,
    Dnat,
    Drop,
    Masquerade,
    PacketContext,
    Redirect,
    Reject,
    Traversal,
    traverse,
)

LOOPBACK = (Prefix.parse("127.0.0.0/8"), Prefix.parse("::1/128"))


@dataclass(frozen=True)
class Host:
    """What the driver knows of a node."""

    ruleset: Ruleset | NftRuleset
    addresses: frozenset[Address]
    pods: frozenset[Address] = frozenset()
    pod_device: str = "cni0"
    uplink: str = "eth0"

    def is_local(self, address: Address) -> bool:
        return address in self.addresses or any(address in net for net in LOOPBACK)

    def address_type(self, address: Address, device: str | None) -> str:  # noqa: ARG002
        return "LOCAL" if self.is_local(address) else "UNICAST"

    def device(self, address: Address) -> str:
        if self.is_local(address):
            return "lo"
        return self.pod_device if address in self.pods else self.uplink


@dataclass(frozen=True)
class Recent:
    """The lists of ``-m recent`` after some packets, all of them just now."""

    entries: frozenset[tuple[str, Hashable]] = frozenset()
    put: set[tuple[str, Hashable]] = field(default_factory=set, compare=False)

    def seen(self, name: str, key: Hashable, seconds: int | None, hitcount: int | None) -> bool:  # noqa: ARG002
        return (name, key) in self.entries

    def keep(self, name: str, key: Hashable) -> None:
        """Of nftables alone: what iptables' rules keep `_Run` takes from the traversal."""
        self.put.add((name, key))

    def forget(self, name: str, key: Hashable) -> None:
        pass


@dataclass(frozen=True)
class Fate:
    """What became of one packet."""

    verdict: str
    """pass, drop, or reject."""
    packet: Packet
    dnat: bool = False
    masqueraded: bool = False
    marked: bool = False
    """Left PREROUTING or OUTPUT with the masquerade mark."""
    by_rule: bool = False
    """Accepted by a filter rule, not by a policy."""
    reject_with: str = ""
    recent: Recent = Recent()
    """The lists afterwards."""


def fates(
    host: Host,
    packet: Packet,
    *,
    mark: int = 0x4000,
    over_loopback: bool = True,
    recent: Recent = Recent(),
) -> Iterator[Fate]:
    """What may become of the packet: one fate for each way the random rules can fall.

    A packet of the node to itself comes back over lo and meets INPUT; `over_loopback` False judges
    it where it was sent.
    """
    prefixes: list[tuple[int, ...]] = [()]
    while prefixes:
        forced = prefixes.pop()
        run = _Run(host, forced, mark, over_loopback, recent)
        yield run.send(packet)
        for place in range(len(forced), len(run.ways)):
            taken = (*forced, *(0,) * (place - len(forced)))
            prefixes += [(*taken, way) for way in range(1, run.ways[place])]


@dataclass
class _Run:
    host: Host
    forced: tuple[int, ...]
    mark: int
    over_loopback: bool
    recent: Recent
    ways: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recent = Recent(self.recent.entries)

    def _choose(self, fork: Fork) -> int:
        place = len(self.ways)
        self.ways.append(len(fork.ways))
        return self.forced[place] if place < len(self.forced) else 0

    def _table(self, table: str, context: PacketContext, packet: Packet) -> Traversal:
        ruleset = self.host.ruleset
        if isinstance(ruleset, NftRuleset):
            result = self._base_chains(ruleset, table, context, packet)
        else:
            found = ruleset.tables.get(table, Table(table, {}))
            result = traverse(found, context.hook, packet, context)
        assert isinstance(result.verdict, Accept | Drop | Reject | Dnat | Masquerade | Redirect), (
            result.verdict
        )
        kept = context.recent.put if isinstance(context.recent, Recent) else ()
        self.recent = Recent(self.recent.entries.union(result.recent_set, kept))
        return result

    def _base_chains(
        self, ruleset: NftRuleset, table: str, context: PacketContext, packet: Packet
    ) -> Traversal:
        """Those that stand where iptables has the table: "mangle" is what filters before NAT."""
        result = Traversal(verdict=Accept(), cause=None, packet=packet, ct_mark=0)
        for each, chain in ruleset.base_chains(packet.dst.version):
            base = chain.base
            assert base is not None
            early = base.priority < Priority.NAT_DESTINATION
            stage = "nat" if base.type == "nat" else "mangle" if early else "filter"
            if base.hook.upper() == context.hook and stage == table:
                result = traverse_nft(each, chain, result.packet, context)
                if not isinstance(result.verdict, Accept):
                    break
        return result

    def send(self, packet: Packet) -> Fate:
        host = self.host
        own = host.is_local(packet.src)
        came_in = None if own else host.device(packet.src)
        context = PacketContext(
            hook=Hook.OUTPUT if own else Hook.PREROUTING,
            in_device=came_in,
            out_device=host.device(packet.dst) if own else None,
            original=packet,
            address_type=host.address_type,
            choose=self._choose,
            recent=self.recent,
        )
        dnat = False
        for table in ("raw", "mangle", "nat"):
            result = self._table(table, context, packet)
            packet = result.packet
            if isinstance(result.verdict, Drop):
                return Fate("drop", packet)
            if isinstance(result.verdict, Dnat | Redirect):
                packet, dnat = self._translate(packet, result.verdict), True
        fate = Fate(
            "pass", packet, dnat=dnat, marked=bool(packet.mark & self.mark), recent=self.recent
        )
        context.ct_dnat = dnat
        local = host.is_local(packet.dst)
        if own:
            hooks = [Hook.OUTPUT, *([Hook.INPUT] if local and self.over_loopback else [])]
        else:
            hooks = [Hook.INPUT if local else Hook.FORWARD]
        for hook in hooks:
            self._devices(context, hook, packet, came_in)
            result = self._table("filter", context, packet)
            packet = result.packet
            if isinstance(result.verdict, Drop):
                return replace(fate, verdict="drop")
            if isinstance(result.verdict, Reject):
                return replace(fate, verdict="reject", reject_with=result.verdict.with_)
            if result.cause and result.cause.rule:
                fate = replace(fate, by_rule=True)
            if hook in {Hook.FORWARD, Hook.OUTPUT}:
                self._devices(context, Hook.POSTROUTING, packet, came_in)
                result = self._table("nat", context, packet)
                packet = result.packet
                if isinstance(result.verdict, Masquerade):
                    fate = replace(fate, masqueraded=True)
        return fate

    def _devices(
        self, context: PacketContext, hook: Hook, packet: Packet, came_in: str | None
    ) -> None:
        context.hook = hook
        context.in_device = came_in or ("lo" if hook is Hook.INPUT else None)
        context.out_device = None if hook is Hook.INPUT else self.host.device(packet.dst)

    def _translate(self, packet: Packet, verdict: Dnat | Redirect) -> Packet:
        if verdict.ports:
            packet = replace(packet, dport=verdict.ports[0])
        if isinstance(verdict, Dnat) and verdict.addresses:
            packet = replace(packet, dst=verdict.addresses[0])
        return packet


def packet(source: str, destination: str, protocol: str, port: int) -> Packet:
    return Packet(
        src=Address.parse(source),
        dst=Address.parse(destination),
        protocol=Protocol[protocol.upper()],
        sport=40000,
        dport=port,
    )
