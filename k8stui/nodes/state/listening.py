"""Who listens in one namespace: ``ss -Hltnu``."""

from __future__ import annotations

import re

from k8stui.errors import K8sTuiError
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Socket
from k8stui.kernel.packet import Protocol
from k8stui.nodes.state.parsing import observed_at

_PROTOCOLS = {"tcp": Protocol.TCP, "udp": Protocol.UDP, "sctp": Protocol.SCTP}
_VERSIONS = {"0.0.0.0": 4, "[::]": 6}  # noqa: S104 - what ss writes for "any"
"""Of sockets bound to any address of one family; ``*`` is one of both (misc/ss.c inet_addr_print).
Where 0.0.0.0 is not written, not even for peers, ss may be one that writes ``*`` for it, and
``[::]`` for a socket of both."""
_STATES = frozenset({"LISTEN", "UNCONN"})
_PROCESS = re.compile(r'users:\(\("([^"]+)"')
_SHOWN = 80


class SocketsError(K8sTuiError, ValueError):
    """A line that ss does not print."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        """1-based."""


def parse_sockets(text: str, file: str) -> tuple[Socket, ...]:
    """The listening sockets; with ``-p`` each knows its process.

    Raises:
        SocketsError: a line that ``ss -Hltnu`` does not print.

    """
    versions = _VERSIONS if " 0.0.0.0:" in text else {}
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0] in ("Netid", "State"):
            continue
        try:
            protocol, state, local = words[0], words[1], words[4]
            if protocol not in _PROTOCOLS or state not in _STATES:
                continue
            host, _, port = local.rpartition(":")
            bound = _bound(host)
            listened = int(port)
        except (IndexError, ValueError):
            raise SocketsError(number, f"not what ss -Hltnu prints: {line[:_SHOWN]}") from None
        process = _PROCESS.search(line)
        owner = process[1] if process else ""
        found.append(
            Socket(
                protocol=_PROTOCOLS[protocol],
                port=listened,
                address=bound,
                version=versions.get(host),
                answers_as_asked=True,
                owner=owner,
                reason=observed_at(file, number, f"{owner or 'a process'} listens there"),
            )
        )
    return tuple(found)


def _bound(host: str) -> Address | None:
    """The address that a socket is bound to; None: any."""
    plain = host.partition("%")[0].strip("[]")
    if plain in ("*", "0.0.0.0", "::"):  # noqa: S104 - what ss writes for "any"
        return None
    return Address.parse(plain)
