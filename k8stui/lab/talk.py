"""Real sockets: the listeners, the client, and what each of them saw."""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from k8stui.lab.errors import LabError
from k8stui.lab.plan import Asker, Counted, Listener, Served

_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_TCP, _UDP = 6, 17
_IP_PKTINFO = 8
_IP_TRANSPARENT = 19
_IPV6_TRANSPARENT = 75
_TICK_SECONDS = 0.005
_SETTLE_SECONDS = 0.3
"""How long the server's accept() may take after the client's connect() has returned."""
_ANY = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - inside a namespace of the lab's own
QUESTION = b"hello"


class Server:
    """A listening socket; made inside its namespace."""

    def __init__(self, space: str, listener: Listener) -> None:
        self.space = space
        self.port = listener["port"]
        self.is_tcp = listener["protocol"] == _TCP
        self.answers_as_asked = listener["answers_as_asked"]
        self.socket = _socket(listener["version"], is_tcp=self.is_tcp)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener["version"] == 6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if listener["stands_for"]:
            if listener["version"] == 4:
                self.socket.setsockopt(socket.IPPROTO_IP, _IP_TRANSPARENT, 1)
            else:
                self.socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_TRANSPARENT, 1)
        try:
            self.socket.bind((listener["address"] or _ANY[listener["version"]], self.port))
        except OSError as error:
            raise LabError(f"{space}: cannot listen on {self.port}: {error.strerror}") from None
        if self.is_tcp:
            self.socket.listen(16)
        elif listener["version"] == 4:
            self.socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        else:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        self.kept: list[socket.socket] = []

    def hang_up(self) -> None:
        """End every connection that was taken."""
        while self.kept:
            _hang_up(self.kept.pop())

    def serve(self) -> list[Served]:
        """Take what has come; UDP is answered."""
        with suppress(BlockingIOError):
            return [self._accept() if self.is_tcp else self._answer()]
        return []

    def _accept(self) -> Served:
        connection, peer = self.socket.accept()
        self.kept.append(connection)
        return self._served(connection.getsockname()[0], peer)

    def _answer(self) -> Served:
        _, ancillary, _, peer = self.socket.recvmsg(2048, 256)
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
        seen = f"[{peer[0]}]:{peer[1]:05}" if ":" in peer[0] else f"{peer[0]}:{peer[1]:05}"
        with suppress(OSError):
            self.socket.sendmsg([f"you {seen}".encode()], back, 0, peer)
        return self._served(asked, peer)

    def _served(self, address: str, peer: tuple[str, int]) -> Served:
        return Served(
            space=self.space, address=address, port=self.port, source=peer[0], source_port=peer[1]
        )


class Client:
    """The one who asks; made inside its namespace."""

    def __init__(self, asker: Asker) -> None:
        self.asker = asker
        self.is_tcp = asker["protocol"] == _TCP
        self.socket = _socket(asker["version"], is_tcp=self.is_tcp)
        self.answered = False
        self.errno = 0
        source = asker["source"] or _ANY[asker["version"]]
        try:
            self.socket.bind((source, asker["source_port"]))
        except OSError as error:
            raise LabError(f"the client cannot be {source}: {error.strerror}") from None

    def hang_up(self) -> None:
        """Go."""
        _hang_up(self.socket)

    @property
    def is_done(self) -> bool:
        return self.answered or self.errno != 0

    def ask(self) -> None:
        """connect(), and for UDP send()."""
        where = (self.asker["destination"], self.asker["port"])
        try:
            self.errno = self.socket.connect_ex(where)
            if self.errno == errno.EINPROGRESS:
                self.errno = 0
            if not self.errno and not self.is_tcp:
                self.socket.send(QUESTION)
        except OSError as error:
            self.errno = error.errno or 0

    def look(self, *, writable: bool, readable: bool) -> None:
        """See whether something has come of it."""
        if self.is_tcp and writable:
            self.errno = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.answered = self.errno == 0
        elif not self.is_tcp and readable:
            try:
                self.socket.recv(2048)
                self.answered = True
            except OSError as error:
                self.errno = error.errno or 0


class Looker(Protocol):
    """Somebody who wants to know at once that there is something to read."""

    def fileno(self) -> int: ...
    def look(self) -> None: ...


def converse(
    client: Client, servers: Iterable[Server], lookers: Iterable[Looker] = ()
) -> tuple[list[Served], float]:
    """Ask, and wait until the client knows or loses patience. What servers saw; seconds."""
    looking = {one.fileno(): one for one in lookers}
    by_fd = {server.socket.fileno(): server for server in servers}
    served: list[Served] = []
    poll = select.poll()
    for fd in (*by_fd, *looking):
        poll.register(fd, select.POLLIN)
    mine = client.socket.fileno()
    started = time.monotonic()
    deadline = started + client.asker["patience_seconds"]
    client.ask()
    if not client.is_done:
        poll.register(mine, select.POLLOUT if client.is_tcp else select.POLLIN)
    while not client.is_done and time.monotonic() < deadline:
        for fd, events in poll.poll(_TICK_SECONDS * 1000):
            if fd == mine:
                failed = bool(events & (select.POLLERR | select.POLLHUP))
                client.look(
                    writable=failed or bool(events & select.POLLOUT),
                    readable=failed or bool(events & select.POLLIN),
                )
            elif fd in looking:
                looking[fd].look()
            else:
                served += by_fd[fd].serve()
    seconds = time.monotonic() - started
    if client.answered and client.is_tcp:
        deadline = time.monotonic() + _SETTLE_SECONDS
        while not served and time.monotonic() < deadline:
            for server in by_fd.values():
                served += server.serve()
            if not served:
                time.sleep(_TICK_SECONDS)
    return served, seconds


def count(asker: Asker, servers: Sequence[Server]) -> list[Counted]:
    """Ask as often as `asker` says, from ports that the kernel draws; how it ended how often."""
    ends: Counter[tuple[str, str, str, int]] = Counter()
    for _ in range(asker["tries"]):
        client = Client({**asker, "source_port": 0})
        served, _ = converse(client, servers)
        who = served[0] if client.answered and served else None
        name = errno.errorcode.get(client.errno, str(client.errno)) if client.errno else ""
        ends[name, *((who["space"], who["address"], who["port"]) if who else ("", "", 0))] += 1
        client.hang_up()
        for server in servers:
            server.hang_up()
    return [
        Counted(errno=name, space=space, address=address, port=port, times=times)
        for (name, space, address, port), times in ends.items()
    ]


def _hang_up(connection: socket.socket) -> None:
    """Close with RST, so that neither end lingers (socket(7), SO_LINGER)."""
    if connection.type == socket.SOCK_STREAM:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _socket(version: int, *, is_tcp: bool) -> socket.socket:
    kind = socket.SOCK_STREAM if is_tcp else socket.SOCK_DGRAM
    return socket.socket(_FAMILIES[version], kind | socket.SOCK_NONBLOCK)
