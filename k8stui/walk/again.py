"""A request that is made once more: what the first one left behind decides with."""

from __future__ import annotations

from dataclasses import replace

from k8stui.kernel.exchange import Connect
from k8stui.kernel.namespace import Network
from k8stui.kernel.packet import Protocol
from k8stui.walk.trace import Request


def again(
    request: Request,
    times: int,
    pause_seconds: float = 1.0,
    formerly: Network | None = None,
) -> Request:
    """Give the request as it is when it was made `times` before, each `pause_seconds` apart.

    Those before took the first way wherever chance decided. Of a name's several addresses they
    asked the first. `formerly`: what stood there at the first of them, where it has changed.
    """
    if request.connect is None or not times:
        return request
    connect = replace(
        request.connect, earlier=times, pause_seconds=pause_seconds, formerly=formerly
    )
    others = tuple(
        replace(other, source_port=other.port_of(times)) for other in request.alternatives
    )
    return replace(request, connect=connect, alternatives=others)


def said(connect: Connect) -> str:
    """Which of several requests it is, in words; empty for the first."""
    if not connect.earlier:
        return ""
    anew = connect.protocol in (Protocol.TCP, Protocol.SCTP)
    how = "a new connection, from a port of its own" if anew else "over the same socket"
    return f"request {connect.earlier + 1}, {connect.pause_seconds:g} s after the last: {how}"
