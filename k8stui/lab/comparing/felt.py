"""What the client felt and the server saw, in the walk and in the kernel."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.kernel.client import result_of
from k8stui.kernel.exchange import Exchange, Result
from k8stui.kernel.header import ECHO
from k8stui.lab.comparing.sight import PairedPorts
from k8stui.lab.plan import Seen
from k8stui.record import record


@record(kw_only=True)
class FeltAndSeen:
    """What the client felt, and what the server saw."""

    result: str
    errno: str | None
    server: str | None
    """Namespace; None when no server took the connection."""
    server_address: str | None
    server_port: int | None
    source_seen: str | None
    source_port_seen: int | None
    seconds: float
    """How long the client waited."""


_FELT = ("result", "errno", "server", "server_address", "server_port", "source_seen")
_SOON_SECONDS = 0.1
"""A kernel is not quicker than its timers, but for their rounding."""
LATE_SECONDS = 1.5
"""How much longer than the timers say a busy machine may take."""


def felt_differs(walk: FeltAndSeen, kernel: FeltAndSeen, ports: PairedPorts) -> Iterator[str]:
    yield from (name for name in _FELT if getattr(walk, name) != getattr(kernel, name))
    seen = (walk.source_port_seen, kernel.source_port_seen)
    if not (None in seen and seen[0] == seen[1]) and not ports.are_equal(
        walk.source_port_seen or 0, kernel.source_port_seen or 0
    ):
        yield "source_port_seen"
    # Who hears nothing waits as long as it likes; a kernel that gives up has an errno.
    waits = walk.result == kernel.result == Result.TIMEOUT and kernel.errno is None
    late = kernel.seconds - walk.seconds
    if not waits and not -_SOON_SECONDS <= late <= LATE_SECONDS:
        yield "seconds"


def felt_by_walk(exchange: Exchange) -> FeltAndSeen:
    felt = exchange.felt
    # Who answers a ping is a kernel: no socket sees who asked. The packets tell.
    is_ping = bool(exchange.steps) and exchange.steps[0].before.protocol in ECHO
    is_connected = felt.result is Result.CONNECTED and not is_ping
    address = felt.server_address if is_connected else None
    return FeltAndSeen(
        result=felt.result.value,
        errno=felt.errno,
        server=felt.server if is_connected else None,
        server_address=None if address is None else str(address),
        server_port=felt.server_port if is_connected else None,
        source_seen=str(felt.source_seen) if is_connected and felt.source_seen else None,
        source_port_seen=felt.source_port_seen if is_connected else None,
        seconds=felt.seconds,
    )


def felt_by_kernel(seen: Seen) -> FeltAndSeen:
    """In the walk's words: nothing heard is a time-out; any other errno is unreachable."""
    result = result_of(seen["errno"]) if seen["errno"] else Result.TIMEOUT
    served = seen["served"][0] if seen["answered"] and seen["served"] else None
    return FeltAndSeen(
        result=(Result.CONNECTED if seen["answered"] else result).value,
        errno=seen["errno"] or None,
        server=served["space"] if served else None,
        server_address=served["address"] if served else None,
        server_port=served["port"] if served else None,
        source_seen=served["source"] if served else None,
        source_port_seen=served["source_port"] if served else None,
        seconds=seen["seconds"],
    )
