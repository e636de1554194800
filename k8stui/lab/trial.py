"""One branch, done twice: by the walk, and by the kernel in a lab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.kernel.client import D_SACK_BYTES
from k8stui.kernel.device import VLAN_TAG_BYTES
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.namespace import Network
from k8stui.kernel.packet import Protocol
from k8stui.kernel.simulate import ENDLESS, connect
from k8stui.kernel.step import DeviceCause, Direction
from k8stui.lab.anew import chosen
from k8stui.lab.comparing.compare import BranchComparison, compare
from k8stui.lab.comparing.felt import LATE_SECONDS
from k8stui.lab.errors import NotComparedError
from k8stui.lab.passed_on import QuestionBranch, Relayed
from k8stui.lab.patience import SPARE_SECONDS, Impatient, earlier_patience, is_silent, patience
from k8stui.lab.planning.build import plan
from k8stui.lab.run import run
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.lab.plan import Seen, Tools

_TIMES = 2
"""That a branch is done where chance alone may make the difference."""


@record(kw_only=True)
class Trial:
    """One exchange, done twice."""

    exchange: Exchange
    comparison: BranchComparison
    namespaces: int
    build_seconds: float
    notes: tuple[str, ...]
    """What the lab has not got, or does in another way."""


def tried(way: QuestionBranch, asked: Connect, tools: Tools) -> Trial:
    """Have the kernel do what the walk says of one branch, and compare.

    Once more where a port that the kernel has drawn is one that the walk has for somebody else:
    nothing tells them apart.

    Raises:
        NotComparedError: the lab has not got it, or the walk does not say it.
        LabError: no lab can be built.

    """
    ready = _ready(way, asked)
    exchange, earlier = ready.exchange, ready.earlier
    made, left_out = plan(
        ready.network,
        asked,
        exchange,
        tools,
        patience(exchange, asked),
        earlier=earlier,
        earlier_patience_seconds=[earlier_patience(one, asked) for one in earlier],
        relayed=way.relayed,
    )
    for _ in range(_TIMES):
        seen = run(made)
        _forget_what_is_left_out(seen, (*left_out, *seen["left_out"]))
        exchange, comparison = _compared(ready, asked, way.relayed, seen)
        if not comparison.drew_known:
            break
    return Trial(
        exchange=exchange,
        comparison=comparison,
        namespaces=len(made["spaces"]) - 1,
        build_seconds=seen["build_seconds"],
        notes=(
            *ready.notes,
            *left_out,
            *(f"not in this kernel, left out: {text}" for text in seen["left_out"]),
        ),
    )


@record(kw_only=True)
class _Ready:
    """A branch as it is to be done: where nobody waits for minutes."""

    network: Network
    exchange: Exchange
    earlier: tuple[Exchange, ...]
    notes: tuple[str, ...] = ()


def _ready(way: QuestionBranch, asked: Connect) -> _Ready:
    network, exchange = way.network, way.exchange
    if exchange.felt.result is Result.UNKNOWN:
        raise NotComparedError(f"the walk does not go to its end: {exchange.felt.reason}")
    if exchange.felt.reason == ENDLESS:
        raise NotComparedError("frames circle for ever, in the kernel too: nobody sees their end")
    if any(step.after.protocol is Protocol.IPIP for step in exchange.steps):
        raise NotComparedError("a lab builds no IPIP tunnels")
    earlier = _earlier(network, asked)
    if exchange.felt.result is Result.TIMEOUT and exchange.felt.established:
        if _fits_shortened(exchange):
            raise NotComparedError("TCP repeats an answer in 12 bytes less, and those fit")
        felt = replace(exchange.felt, errno=None)
        note = f"connected, and silence: nobody waits {felt.seconds:.0f} s for its end here"
        exchange = replace(exchange, felt=felt)
        return _Ready(network=network, exchange=exchange, earlier=earlier, notes=(note,))
    given_up = next(filter(is_silent, (exchange, *earlier)), None)
    if given_up is None or asked.protocol is not Protocol.TCP or way.relayed is not None:
        return _Ready(network=network, exchange=exchange, earlier=earlier)
    network = Impatient(network, asked.namespace)
    told = f"3 s here instead of {given_up.felt.seconds:.0f}"
    return _Ready(
        network=network,
        exchange=connect(network, asked, chosen(exchange)),
        earlier=_earlier(network, asked),
        notes=(f"the client's kernel gives up after {told}: net.ipv4.tcp_syn_retries is 1",),
    )


def _forget_what_is_left_out(seen: Seen, notes: Sequence[str]) -> None:
    """Where rules are left out, what is tracked and which rules are met is nobody's claim.

    A kernel tracks where a rule asks for it, and counts the rules that it has.
    """
    for name in tuple(seen["conntrack"]):
        if any(note.startswith(f"{name}: ") for note in notes):
            del seen["conntrack"][name]
            seen["passed"].pop(name, None)


def _compared(
    ready: _Ready, asked: Connect, relayed: Relayed | None, seen: Seen
) -> tuple[Exchange, BranchComparison]:
    """With the walk as it is, else as it is on a machine that was late; which one that was."""
    exchange, earlier, network = ready.exchange, ready.earlier, ready.network
    is_tcp = asked.protocol is Protocol.TCP
    former = [asked.port_of(turn) for turn in range(asked.earlier)] if is_tcp else []
    if relayed is not None:
        earlier = (*earlier, *relayed.before, *relayed.begun)
        former += [one.steps[0].before.sport for one in relayed.before if one.steps]
    comparison = compare(exchange, seen, earlier, former_ports=former)
    if comparison.agrees or relayed is not None:
        return exchange, comparison
    if asked.earlier:
        asked = _in_its_time(asked, earlier, seen["earlier_seconds"])
        exchange = connect(network, asked, chosen(exchange))
        comparison = compare(exchange, seen, earlier, former_ports=former)
    if not comparison.agrees:
        afterwards = _afterwards(network, asked, exchange)
        comparison = compare(exchange, seen, earlier, afterwards, former)
    return exchange, comparison


def _afterwards(network: Network, asked: Connect, exchange: Exchange) -> Exchange:
    """The exchange, and what follows by itself when the client knows already."""
    return connect(network, asked, chosen(exchange), linger_seconds=LATE_SECONDS + SPARE_SECONDS)


def _in_its_time(asked: Connect, earlier: Sequence[Exchange], earlier_seconds: float) -> Connect:
    """What was asked, with the pauses that there were on a busy machine.

    After two seconds conntrack takes datagrams for a stream, and entries run out.
    """
    spent = sum(one.felt.seconds for one in earlier)
    pause = max(asked.pause_seconds, (earlier_seconds - spent) / asked.earlier)
    return replace(asked, pause_seconds=pause)


def _fits_shortened(exchange: Exchange) -> bool:
    """Whether the answer to a connection's data is too long by no more than a D-SACK takes.

    Who answers is asked twice, says so, and leaves room for that in what it sends again
    (tcp_current_mss): which comes through. The walk has the first answer alone.
    """
    decided = exchange.felt.deciding_step
    step = exchange.steps[decided] if decided is not None else None
    if step is None or step.direction is not Direction.REPLY:
        return False
    if step.before.protocol is not Protocol.TCP or not isinstance(step.cause, DeviceCause):
        return False
    takes_bytes = step.cause.interface.mtu_bytes + VLAN_TAG_BYTES
    return takes_bytes < step.before.length_bytes <= takes_bytes + D_SACK_BYTES


def _earlier(network: Network, asked: Connect) -> tuple[Exchange, ...]:
    """What the same client has asked before, one by one (`Connect.earlier`)."""
    found = tuple(connect(network, replace(asked, earlier=turn)) for turn in range(asked.earlier))
    if any(one.felt.result is Result.UNKNOWN for one in found):
        raise NotComparedError("an earlier request does not go to its end")
    if any(is_silent(one) and one.felt.established for one in found):
        raise NotComparedError("an earlier connection's data waits for its end for 15 minutes")
    return found
