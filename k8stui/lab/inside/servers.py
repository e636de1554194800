"""Real sockets of those who are asked."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from k8stui.lab.errors import LabError
from k8stui.lab.inside.relaying import Relay
from k8stui.lab.inside.sockets import ANY, TCP, hang_up, no_ack_alone, one_segment, socket_for
from k8stui.lab.plan import Listener, Served

_IP_PKTINFO = 8
_TRANSPARENT = {4: (socket.IPPROTO_IP, 19), 6: (socket.IPPROTO_IPV6, 75)}
"""IP_TRANSPARENT and IPV6_TRANSPARENT."""
_SAYS_WHOM = {
    4: (socket.IPPROTO_IP, _IP_PKTINFO),
    6: (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO),
}
"""With each datagram, who was asked."""


class LabServer:
    """A listening socket; made inside its namespace."""

    def __init__(self, space: str, listener: Listener, data_bytes: int = -1) -> None:
        self.space = space
        self.port = listener["port"]
        self.is_tcp = listener["protocol"] == TCP
        self.answers_as_asked = listener["answers_as_asked"]
        self.socket = socket_for(listener["protocol"], listener["version"])
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        version = listener["version"]
        if version == 6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if listener["stands_for"]:
            self.socket.setsockopt(*_TRANSPARENT[version], 1)
        try:
            self.socket.bind((listener["address"] or ANY[version], self.port))
        except OSError as error:
            raise LabError(f"{space}: cannot listen on {self.port}: {error.strerror}") from None
        if self.is_tcp:
            self.socket.listen(16)
        else:
            self.socket.setsockopt(*_SAYS_WHOM[version], 1)
        self.kept: list[socket.socket] = []
        self.relay = Relay(listener, data_bytes) if listener["passes_on"] else None

    def hang_up(self) -> None:
        """End every connection that was taken."""
        while self.kept:
            hang_up(self.kept.pop())

    def serve(self) -> list[Served]:
        """Take what has come; a datagram is answered. What is passed on, another one serves."""
        with suppress(BlockingIOError):
            served = self._accept() if self.is_tcp else self._answer()
            return [served] if served is not None else []
        return []

    def _accept(self) -> Served | None:
        connection, peer = self.socket.accept()
        self.kept.append(connection)
        if self.relay is not None:
            connection.setblocking(False)
            self.relay.take(connection)
            return None
        return self._served(connection.getsockname()[0], peer)

    def echoing(self, data_bytes: int) -> tuple[int, int, Callable[[int], object]]:
        """File, events and what to do: the newest connection's data is answered with as much."""
        connection = self.kept[-1]
        connection.setblocking(False)
        no_ack_alone(connection)

        def echo(_: int) -> None:
            with suppress(OSError):
                if connection.recv(1 << 16):
                    connection.send(one_segment(connection, data_bytes))

        return connection.fileno(), select.POLLIN, echo

    def _answer(self) -> Served | None:
        _, ancillary, _, peer = self.socket.recvmsg(1 << 16, 256)
        asked = ""
        back = []
        for level, kind, data in ancillary:
            # What is handed back is the source of what is sent (ip(7), RFC 3542 section 6).
            if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
                asked = socket.inet_ntoa(data[8:12])
                info = struct.pack("@i4s4s", 0, data[8:12], bytes(4))
            elif (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
                asked = socket.inet_ntop(socket.AF_INET6, data[:16])
                info = data[:16] + bytes(4)
            else:
                continue
            back = [(level, kind, info)] if self.answers_as_asked else []
        # As the walk's servers do: whom it saw, in four bytes more than that takes.
        seen = f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"

        def answer() -> None:
            with suppress(OSError):
                self.socket.sendmsg([f"you {seen}".encode()], back, 0, peer)

        if self.relay is not None:
            self.relay.take_datagram(answer)
            return None
        answer()
        return self._served(asked, peer)

    def _served(self, address: str, peer: tuple[str, int]) -> Served:
        return Served(
            space=self.space, address=address, port=self.port, source=peer[0], source_port=peer[1]
        )
