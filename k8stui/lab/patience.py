"""How long a lab waits: for what the walk has an answer to, and for what nobody answers."""

from __future__ import annotations

from dataclasses import replace

from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.namespace import NetNamespace, Network
from k8stui.kernel.packet import Protocol
from k8stui.lab.anew import Changed

_ALL_SYNS_SECONDS = 60.0
"""Only who sends one SYN after the other knows so late."""
SPARE_SECONDS = 2.0
"""How much later than the walk says the kernel may answer before the lab stops waiting."""
_EARLIER_SECONDS = 10.0
"""How much later than the walk says an earlier request may end, on a busy machine: it has to."""
_UDP_PATIENCE_SECONDS = 4.0
"""For a datagram that nobody answers: ARP gives up after 3 s, and may say so to the client."""


def is_silent(exchange: Exchange) -> bool:
    """Whether nothing that was sent last is answered.

    An error of before, which connect() has put aside, may be what it fails with all the same.
    """
    return exchange.felt.result is Result.TIMEOUT or exchange.felt.seconds > _ALL_SYNS_SECONDS


def patience(exchange: Exchange, asked: Connect) -> float:
    """Seconds that the client waits."""
    silent = is_silent(exchange)
    if silent and exchange.felt.established:
        return SPARE_SECONDS
    if silent and asked.protocol is not Protocol.TCP:
        return _UDP_PATIENCE_SECONDS
    return exchange.felt.seconds + SPARE_SECONDS


def earlier_patience(exchange: Exchange, asked: Connect) -> float:
    """Seconds until the client asks again: as in the walk, for entries run out meanwhile."""
    if is_silent(exchange) and asked.protocol is not Protocol.TCP:
        return exchange.felt.seconds
    return exchange.felt.seconds + SPARE_SECONDS + _EARLIER_SECONDS


class Impatient(Changed):
    """With a client whose kernel gives up after the second SYN, at 3 s."""

    def __init__(self, network: Network, client: str) -> None:
        super().__init__(network)
        self._client = client

    def change(self, space: NetNamespace) -> NetNamespace:
        if space.name != self._client:
            return space
        sysctls = replace(space.sysctls, tcp_syn_retries=1, tcp_syn_linear_timeouts=0)
        return replace(space, sysctls=sysctls)
