"""Both sides of one branch: packets, rules, entries of conntrack, what was felt and seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from k8stui.kernel.exchange import Exchange
from k8stui.kernel.packet import Protocol
from k8stui.lab.comparing.felt import FeltAndSeen, felt_by_kernel, felt_by_walk, felt_differs
from k8stui.lab.comparing.former import translated, without
from k8stui.lab.comparing.packets import PacketRow, side_by_side, walked
from k8stui.lab.comparing.passages import RuleMet, rules_met
from k8stui.lab.comparing.rest import without_rest
from k8stui.lab.comparing.sight import PairedPorts, random_ports
from k8stui.lab.comparing.tracked import TrackedApart, tracked_apart
from k8stui.lab.plan import Seen
from k8stui.record import record


@record(kw_only=True)
class BranchComparison:
    """Both sides of one branch."""

    rows: tuple[PacketRow, ...]
    walk: FeltAndSeen
    kernel: FeltAndSeen
    felt_differs: tuple[str, ...] = ()
    """Names of the fields of `FeltAndSeen` that are not the same."""
    order: str = ""
    """How a packet's way differs though every namespace saw the same; else empty."""
    tracked: tuple[TrackedApart, ...] = ()
    """Connections that only one side tracks."""
    rules: tuple[RuleMet, ...] = ()
    """Where a packet met another rule than the walk says; the first one of each chain of a hook."""
    rules_equal: int = 0
    """Rules that packets met on both sides."""
    drew_known: bool = False
    """Whether that may be by chance alone: a port by lot is one that the walk has elsewhere."""

    @property
    def agrees(self) -> bool:
        told = self.felt_differs or self.order or self.tracked or self.rules
        return not told and all(row.is_equal for row in self.rows)


def compare(
    exchange: Exchange,
    seen: Seen,
    earlier: Sequence[Exchange] = (),
    afterwards: Exchange | None = None,
    former_ports: Collection[int] = (),
) -> BranchComparison:
    """Lay the kernel's packets beside the walk's. `earlier`: what was asked before, unseen.

    `former_ports`: of the client's earlier connections, which are still open: a busy machine may
    be late with one of their packets.

    `afterwards`: the same exchange with what timers do when the client knows already. A kernel
    on a busy machine may have got there before the lab has looked; it need not.
    """
    random = random_ports((*earlier, exchange))
    ends = [port for sight in walked(exchange) for port in (sight.sport, sight.dport)]
    known = set(ends) - random.keys()
    own = {p for step in exchange.steps for p in (step.before.sport, step.before.dport)}
    seen = without(
        without_rest(seen), translated(seen, frozenset(former_ports) - own) - known - own
    )
    ports = PairedPorts(known, random, _more_digits(exchange, seen))
    rows, order = side_by_side(exchange, afterwards, seen, ports)
    walk, kernel = felt_by_walk(exchange), felt_by_kernel(seen)
    rules, rules_equal = rules_met(exchange, seen, ports, afterwards)
    return BranchComparison(
        rows=rows,
        walk=walk,
        kernel=kernel,
        felt_differs=tuple(felt_differs(walk, kernel, ports)),
        tracked=tracked_apart(exchange, afterwards, seen, ports),
        order=order,
        rules=rules,
        rules_equal=rules_equal,
        drew_known=ports.drew_known,
    )


def _more_digits(exchange: Exchange, seen: Seen) -> int:
    """Of the port that a datagram's server saw, in the walk: the answer says that port."""
    port = exchange.felt.source_port_seen
    is_said = bool(exchange.steps) and exchange.steps[0].before.protocol is Protocol.UDP
    if not is_said or port is None or not seen["served"]:
        return 0
    return len(str(port)) - len(str(seen["served"][0]["source_port"]))
