"""One hook: its tables, connection tracking and NAT in the order of their priorities.

raw −300, conntrack −200, mangle −150, DNAT −100, filter 0, SNAT +100, confirm last
(include/uapi/linux/netfilter_ipv4.h enum nf_ip_hook_priorities; shared/kernel-facts.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from k8stui.kernel.binding import NAT, Place, binding, kind_of
from k8stui.kernel.conntrack import CtState, Entry, is_icmp_error
from k8stui.kernel.header import WITH_PORTS, endpoints
from k8stui.kernel.host import Hooks, Host
from k8stui.kernel.nat import Manip, apply, apply_to_error, set_up
from k8stui.kernel.packet import Packet
from k8stui.kernel.routing import LOOPBACK
from k8stui.kernel.rules import Table
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import ConntrackCause, Hook, RuleCause, StepKind
from k8stui.kernel.traverse import (
    Accept,
    CannotEvaluate,
    Drop,
    PacketContext,
    Reject,
    Traversal,
    traverse,
)

_CONNTRACK = "conntrack"
_CONFIRM = "confirm"
_ORDER: dict[Hook, tuple[str, ...]] = {
    Hook.PREROUTING: ("raw", _CONNTRACK, "mangle", "nat"),
    Hook.INPUT: ("mangle", "filter", "nat", _CONFIRM),
    Hook.FORWARD: ("mangle", "filter"),
    Hook.OUTPUT: ("raw", _CONNTRACK, "mangle", "nat", "filter"),
    Hook.POSTROUTING: ("mangle", "nat", _CONFIRM),
}
_MANIP = {
    Hook.PREROUTING: Manip.DESTINATION,
    Hook.OUTPUT: Manip.DESTINATION,
    Hook.INPUT: Manip.SOURCE,
    Hook.POSTROUTING: Manip.SOURCE,
}


class Blocked(NamedTuple):
    """The packet goes no further."""

    reject: str | None = None
    """``--reject-with`` when the sender is to be told."""
    errno: str = "EPERM"
    """What a local sender gets (NF_DROP_ERR)."""


Reroute = Callable[[], str | None]
"""Routes again after OUTPUT changed the packet; an errno when no way is left."""


def run(
    host: Host,
    skb: Skb,
    hook: Hook,
    in_device: str | None,
    out_device: str | None,
    *,
    physical_out: str | None = None,
    reroute: Reroute | None = None,
) -> Blocked | None:
    """Pass a packet through a hook; None when it may go on."""
    hooks = host.hooks(skb.packet.src.version)
    if hooks is None or not (hooks.tables or hooks.tracks):
        return None
    passing = _Pass(
        host,
        skb,
        hook,
        hooks,
        in_device=in_device,
        out_device=out_device,
        physical_out=physical_out,
    )
    return passing.run(reroute)


class _Pass:
    """One packet at one hook."""

    __slots__ = (
        "context",
        "device",
        "hook",
        "hooks",
        "host",
        "in_device",
        "out_device",
        "physical_out",
        "skb",
    )

    def __init__(
        self,
        host: Host,
        skb: Skb,
        hook: Hook,
        hooks: Hooks,
        *,
        in_device: str | None,
        out_device: str | None,
        physical_out: str | None,
    ) -> None:
        self.host = host
        self.skb = skb
        self.hook = hook
        self.hooks = hooks
        self.in_device = in_device
        self.out_device = out_device
        self.physical_out = physical_out
        self.device = out_device or in_device
        self.context: PacketContext | None = None

    def run(self, reroute: Reroute | None) -> Blocked | None:
        skb = self.skb
        for stage in _ORDER[self.hook]:
            before = skb.packet
            blocked = self._stage(stage)
            if blocked:
                return blocked
            if reroute and _must_reroute(before, skb.packet):
                errno = reroute()
                if errno:
                    return Blocked(errno=errno)
        return None

    def _stage(self, stage: str) -> Blocked | None:
        if stage is _CONNTRACK:
            self._track()
            return None
        if stage is _CONFIRM:
            return self._confirm()
        if stage == "nat":
            return self._nat()
        table = self.hooks.tables.get((self.hook, stage))
        return self._filter(table) if table else None

    # Connection tracking.

    def _track(self) -> None:
        skb = self.skb
        if not self.hooks.tracks or skb.ct_state is not None:
            return
        found = self.host.conntrack.look_up(skb.packet, self.host.world.events.now)
        skb.entry, skb.ct_state, skb.ct_reply = found
        before = skb.packet
        if self._is_translated() and (self.hook, "mangle") not in self.hooks.tables:
            # With no table in between, one step shows the entry and the NAT that follows from it.
            self._rewrite(skb.entry)
        self._conntrack_step(before)

    def _confirm(self) -> Blocked | None:
        # What REJECT sends back carries the entry, but does not confirm it.
        entry = None if self.skb.ct_reply else self.skb.entry
        if entry and not self.host.conntrack.confirm(entry):
            self._loss("another connection has the same addresses and ports")
            return Blocked()
        return None

    def _is_translated(self) -> bool:
        skb, entry = self.skb, self.skb.entry
        return entry is not None and (skb.ct_state is not CtState.NEW or entry.destination_done)

    def _conntrack_step(self, before: Packet) -> None:
        skb, entry = self.skb, self.skb.entry
        state = skb.ct_state or CtState.INVALID
        line = entry.line(self.host.world.events.now) if entry else ""
        if before is not skb.packet:
            text = f"{state}: the entry makes it {endpoints(skb.packet)}"
        elif state is CtState.NEW:
            text = "NEW: no entry has these addresses and ports"
            if entry and entry.confirmed:
                text = "NEW: repeated, not answered yet"
        elif state is CtState.INVALID:
            text = "INVALID: it belongs to no connection and cannot begin one"
        else:
            text = f"{state}: it belongs to a known connection"
        self.host.world.record.step(
            self.host.name,
            skb,
            StepKind.CONNTRACK,
            text,
            cause=ConntrackCause(entry=line, state=state.value),
            device=self.device,
            hook=self.hook,
            before=before,
        )

    def _rewrite(self, entry: Entry | None) -> None:
        skb = self.skb
        if entry is not None:
            rewrite = apply_to_error if is_icmp_error(skb.packet) else apply
            skb.packet = rewrite(skb.packet, entry, _MANIP[self.hook], reply=skb.ct_reply)

    # NAT.

    def _nat(self) -> Blocked | None:
        skb, entry = self.skb, self.skb.entry
        if entry is None or skb.ct_state in (CtState.INVALID, CtState.UNTRACKED):
            return None
        manip = _MANIP[self.hook]
        before = skb.packet
        done = entry.destination_done if manip is Manip.DESTINATION else entry.source_done
        if skb.ct_state is CtState.NEW and not done:
            return self._bind(entry, manip)
        self._rewrite(entry)
        if skb.packet is not before:
            self._conntrack_step(before)
        return None

    def _bind(self, entry: Entry, manip: Manip) -> Blocked | None:
        skb = self.skb
        table = self.hooks.tables.get((self.hook, "nat"))
        result = self._traverse(table) if table else None
        verdict = result.verdict if result else Accept()
        if isinstance(verdict, Drop):
            self._end(result, "dropped")
            return Blocked()
        if isinstance(verdict, CannotEvaluate):
            self._cannot(result, verdict)
            return Blocked()
        decision = skb.decision
        found = binding(
            verdict,
            skb.packet,
            Place(
                manip=manip,
                routing=self.host.routing,
                is_output=self.hook is Hook.OUTPUT,
                in_device=self.in_device or "",
                out_device=self.out_device or "",
                next_hop=(decision.next_hop if decision else None) or skb.packet.dst,
            ),
        )
        if found is None:
            self._end(result, "no address of this node fits: dropped")
            return Blocked()
        free = set_up(
            self.host.conntrack, entry, manip, found.addresses, found.ports, random=found.random
        )
        if not free:
            self._loss("NAT finds no free port")
            return Blocked()
        if entry.snat or entry.dnat or isinstance(verdict, NAT):
            self._translated(result, entry, manip, shown=isinstance(verdict, NAT))
        return None

    def _translated(
        self, result: Traversal | None, entry: Entry, manip: Manip, *, shown: bool
    ) -> None:
        skb = self.skb
        before = skb.packet
        packet = skb.packet = apply(before, entry, manip, reply=False)
        if shown:
            is_source = manip is Manip.SOURCE
            end = "source" if is_source else "destination"
            old, new = _end(before, source=is_source), _end(packet, source=is_source)
            self.host.world.record.step(
                self.host.name,
                skb,
                kind_of(manip),
                f"{end} {old} → {new}",
                cause=result.cause if result else None,
                device=self.device,
                hook=self.hook,
                before=before,
            )
        elif packet is not before:
            self._conntrack_step(before)

    # Tables.

    def _filter(self, table: Table) -> Blocked | None:
        result = self._traverse(table)
        verdict = result.verdict
        if isinstance(verdict, Accept):
            return None
        if isinstance(verdict, Reject):
            self.host.world.record.step(
                self.host.name,
                self.skb,
                StepKind.REJECT,
                f"rejected with {verdict.with_}",
                cause=result.cause,
                device=self.device,
                hook=self.hook,
            )
            return Blocked(reject=verdict.with_)
        if isinstance(verdict, CannotEvaluate):
            self._cannot(result, verdict)
        else:
            self._end(result, "dropped")
        return Blocked()

    def _traverse(self, table: Table) -> Traversal:
        skb, world = self.skb, self.host.world
        result = traverse(table, self.hook.value, skb.packet, self._context())
        record = world.record
        is_ended = not isinstance(result.verdict, Accept)
        visits = result.visits
        if is_ended and visits and visits[-1].cause is result.cause:
            # The rule with the verdict gets a step of its own, with what came of it.
            visits = visits[:-1]
        for visit in visits:
            skb.packet = visit.after
            record.step(
                self.host.name,
                skb,
                visit.kind,
                visit.cause.rule.text if visit.cause.rule else "",
                cause=visit.cause,
                device=self.device,
                hook=self.hook,
                before=visit.before,
            )
        skb.packet = result.packet
        record.forks.extend(result.forks)
        if skb.entry:
            skb.entry.mark = result.ct_mark
        if result.untracked and skb.ct_state is None:
            skb.ct_state = CtState.UNTRACKED
        return result

    def _context(self) -> PacketContext:
        skb, entry = self.skb, self.skb.entry
        state = skb.ct_state or CtState.INVALID
        context = self.context
        if context is None:
            world = self.host.world
            context = self.context = PacketContext(
                hook=self.hook,
                namespace=self.host.name,
                in_device=self.in_device,
                out_device=self.out_device,
                physical_in=skb.physical_in,
                physical_out=self.physical_out,
                address_type=self.host.routing.address_type,
                reverse_path=self._reverse_path,
                sets=self.host.namespace.sets,
                choose=world.choose,
            )
        context.ct_state = state.value
        if entry is not None:
            context.ct_dnat = entry.dnat
            context.ct_snat = entry.snat
            context.ct_mark = entry.mark
            context.ct_reply = skb.ct_reply
            context.original = entry.first
        return context

    def _reverse_path(self, packet: Packet, loose: bool) -> bool:
        # net/ipv4/netfilter/ipt_rpfilter.c
        back, error = self.host.routing.look_up(packet.src, packet.dst, packet.mark)
        if error or back is None:
            return False
        return loose or back.device in (self.in_device, LOOPBACK)

    # Ends.

    def _end(self, result: Traversal | None, what: str) -> None:
        cause = result.cause if result else None
        text = f"{what} by {_place(cause)}" if cause else what
        self.host.world.record.loss(
            self.host.name, self.skb, text, cause=cause, device=self.device, hook=self.hook
        )

    def _loss(self, text: str) -> None:
        self.host.world.record.loss(
            self.host.name, self.skb, text, device=self.device, hook=self.hook
        )

    def _cannot(self, result: Traversal | None, verdict: CannotEvaluate) -> None:
        cause = verdict.cause
        text = f"cannot evaluate {verdict.what}"
        world = self.host.world
        world.record.step(
            self.host.name,
            self.skb,
            StepKind.UNKNOWN,
            text,
            cause=cause if result is None else result.cause or cause,
            device=self.device,
            hook=self.hook,
        )
        world.cannot = f"{text}: {cause.rule.text if cause.rule else ''}"


def _must_reroute(before: Packet, after: Packet) -> bool:
    # ipt_mangle_out, nf_nat_ipv4_local_fn: destination, source or mark changed.
    return before is not after and (
        before.dst != after.dst or before.mark != after.mark or before.src != after.src
    )


def _end(packet: Packet, *, source: bool) -> str:
    address = packet.src if source else packet.dst
    port = packet.sport if source else packet.dport
    return address.with_port(port) if packet.protocol in WITH_PORTS else str(address)


def _place(cause: RuleCause) -> str:
    chain = f"{cause.table} {cause.chain.name}"
    return f"{chain} rule {cause.index}" if cause.rule else f"the policy of {chain}"
