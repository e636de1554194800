"""Real sockets: the client, the conversation, and what each of them felt."""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from k8stui.lab.errors import LabError
from k8stui.lab.inside.relaying import Relay
from k8stui.lab.inside.servers import LabServer
from k8stui.lab.inside.sockets import (
    ANY,
    QUESTION,
    RECEIVE_ERRORS,
    TCP,
    UDP,
    ack_at_once,
    hang_up,
    no_ack_alone,
    one_segment,
    socket_for,
)
from k8stui.lab.plan import ClientPlan, Counted, Served

_ECHO_REQUEST = {4: 8, 6: 128}
_ECHO_BYTES = 56
"""What ``ping`` sends unless it is told otherwise."""
_TICK_SECONDS = 0.005
_SETTLE_SECONDS = 0.3
"""How long the server's accept() may take after the client's connect() has returned."""


class LabClient:
    """The one who asks; made inside its namespace."""

    def __init__(self, asker: ClientPlan, port: int | None = None) -> None:
        self.asker = asker
        self.is_tcp = asker["protocol"] == TCP
        self._is_ping = asker["protocol"] not in (TCP, UDP)
        self.answered = False
        self.established = False
        self.is_passed_on = False
        """Whether a process has taken the connection, and makes its own."""
        self.errno = 0
        self._is_joined = False
        self.earlier: list[LabClient] = []
        """What it has open of earlier requests."""
        self._port = asker["source_port"] if port is None else port
        self.socket = self._open()

    def _open(self) -> socket.socket:
        asker = self.asker
        made = socket_for(asker["protocol"], asker["version"])
        if self._is_ping or asker["hears_at_once"]:
            # A ping hears every error (iputils ping/ping.c); the other is `ClientPlan`'s.
            made.setsockopt(*RECEIVE_ERRORS[asker["version"]], 1)
        source = asker["source"] or ANY[asker["version"]]
        try:
            made.bind((source, self._port))
        except OSError as error:
            made.close()
            raise LabError(f"the client cannot be {source}: {error.strerror}") from None
        return made

    def hang_up(self) -> None:
        """Go."""
        hang_up(self.socket)

    def forget(self) -> None:
        """Be ready to ask once more over the same socket, or a new one where connect() failed.

        IPv6's keeps the destination that it did not get to (net/ipv6/datagram.c).
        """
        self.answered, self.errno = False, 0
        if not self._is_joined and not self.asker["unconnected"]:
            self.socket.close()
            self.socket = self._open()

    def acknowledge(self) -> None:
        """Send the ACK that waits for something to say (tcp(7), TCP_QUICKACK)."""
        if self.is_tcp and self.answered and self.asker["data_bytes"] >= 0:
            ack_at_once(self.socket)

    @property
    def is_done(self) -> bool:
        return self.answered or self.errno != 0

    @property
    def wants_to_speak(self) -> bool:
        """Connected, with data that is still to be sent."""
        return self.established and not self.is_done

    def ask(self) -> None:
        """connect(), and for a datagram send()."""
        where = (self.asker["destination"], 0 if self._is_ping else self.asker["port"])
        try:
            if self.asker["unconnected"] and not self.is_tcp:
                self.socket.sendto(self._question(), where)
                return
            if not self._is_joined:
                self.errno = self.socket.connect_ex(where)
                if self.errno == errno.EINPROGRESS:
                    self.errno = 0
                self._is_joined = not self.errno
            if not self.errno and not self.is_tcp:
                self.socket.send(self._question())
        except OSError as error:
            self.errno = error.errno or 0

    def _question(self) -> bytes:
        size = self.asker["data_bytes"]
        if not self._is_ping:
            return QUESTION if size < 0 else bytes(size)
        # The kernel fills in the identifier and the checksum (net/ipv4/ping.c).
        kind = _ECHO_REQUEST[self.asker["version"]]
        return struct.pack("!BBHHH", kind, 0, 0, 0, 1) + bytes(_ECHO_BYTES if size < 0 else size)

    def speak(self) -> None:
        """Send the first segment of the data."""
        try:
            no_ack_alone(self.socket)
            self.socket.send(one_segment(self.socket, self.asker["data_bytes"]))
        except OSError as error:
            self.errno = error.errno or 0

    @property
    def waits_for(self) -> int:
        """Events of poll(2)."""
        return select.POLLOUT if self.is_tcp and not self.established else select.POLLIN

    def look(self, events: int) -> None:
        """See whether something has come of it."""
        failed = bool(events & (select.POLLERR | select.POLLHUP))
        if self.is_tcp and not self.established:
            if failed or events & select.POLLOUT:
                self.errno = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                self.established = self.errno == 0
                says = self.asker["data_bytes"] >= 0 or self.is_passed_on
                self.answered = self.established and not says
        elif failed or events & select.POLLIN:
            try:
                self.answered = bool(self.socket.recv(1 << 16))
            except BlockingIOError:
                return
            except OSError as error:
                self.errno = error.errno or 0


class Looker(Protocol):
    """Somebody who wants to know at once that there is something to read."""

    def fileno(self) -> int: ...
    def look(self) -> None: ...


class Loop:
    """Whoever waits for a file, and what is done when it is there."""

    def __init__(self, relays: Iterable[Relay]) -> None:
        self._relays = tuple(relays)
        self._poll = select.poll()
        self._calls: dict[int, Callable[[int], object]] = {}

    def when(self, fd: int, events: int, call: Callable[[int], object]) -> None:
        """Call with what is the matter, whenever one of `events` is."""
        self._poll.register(fd, events)
        self._calls[fd] = call

    def run(self, is_done: Callable[[], bool], deadline: float) -> None:
        """Until `is_done`, or until `deadline` on the monotonic clock."""
        while not is_done() and (left := deadline - time.monotonic()) > 0:
            # A relay has time-outs of its own, and files that are not waited for.
            wait = min(left, _TICK_SECONDS) if self._relays else left
            for fd, events in self._poll.poll(wait * 1000):
                self._calls[fd](events)
            for relay in self._relays:
                relay.look()


def converse(
    client: LabClient,
    servers: Sequence[LabServer],
    lookers: Iterable[Looker] = (),
    patience_seconds: float | None = None,
) -> tuple[list[Served], float]:
    """Ask, and wait until the client knows or loses patience. What servers saw; seconds.

    `patience_seconds`: another patience than the client's own.
    """
    relays = [server.relay for server in servers if server.relay is not None]
    client.is_passed_on = client.is_tcp and bool(relays)
    for relay in relays:
        relay.expect()
    loop = Loop(relays)
    served: list[Served] = []
    for looker in lookers:
        loop.when(looker.fileno(), select.POLLIN, partial(_look, looker))
    for server in servers:
        _attend(loop, server, client.asker["data_bytes"], served)
    mine = client.socket.fileno()
    started = time.monotonic()
    patience = client.asker["patience_seconds"] if patience_seconds is None else patience_seconds
    deadline = started + patience
    client.ask()
    if not client.is_done:
        loop.when(mine, client.waits_for, client.look)
    loop.run(lambda: client.is_done or client.wants_to_speak, deadline)
    if client.wants_to_speak and client.is_passed_on:
        loop.run(lambda: any(relay.is_done for relay in relays), deadline)
    if client.wants_to_speak and client.is_passed_on and client.asker["data_bytes"] < 0:
        client.answered = any(relay.is_connected for relay in relays)
    elif client.wants_to_speak and (
        not client.is_passed_on or any(relay.is_connected for relay in relays)
    ):
        # Who has not been taken from the queue would be answered by the kernel alone.
        loop.run(lambda: bool(served), time.monotonic() + _SETTLE_SECONDS)
        client.speak()
        loop.when(mine, client.waits_for, client.look)
        loop.run(lambda: client.is_done, deadline)
    seconds = time.monotonic() - started
    if client.answered and client.is_tcp:
        loop.run(lambda: bool(served), time.monotonic() + _SETTLE_SECONDS)
    return served, seconds


def _look(looker: Looker, _: int) -> None:
    looker.look()


def _attend(loop: Loop, server: LabServer, data_bytes: int, served: list[Served]) -> None:
    def serve(_: int) -> None:
        for one in server.serve():
            served.append(one)
            if server.is_tcp and data_bytes >= 0:
                loop.when(*server.echoing(data_bytes))

    loop.when(server.socket.fileno(), select.POLLIN, serve)


def give_up(client: LabClient, servers: Iterable[LabServer]) -> None:
    """A relay that was left alone closes: the client, which has spoken, hears of it.

    To be called when everything else has been looked at. With unread data a close() is a reset
    (net/ipv4/tcp.c tcp_close).
    """
    failed = [s.relay for s in servers if s.relay and s.relay.is_done and not s.relay.is_connected]
    if not failed or not client.is_passed_on or client.answered:
        return
    client.socket.send(QUESTION)
    time.sleep(_TICK_SECONDS)
    for relay in failed:
        relay.close()
    loop = Loop(())
    loop.when(client.socket.fileno(), select.POLLIN, client.look)
    loop.run(lambda: client.is_done, time.monotonic() + _SETTLE_SECONDS)


def count(asker: ClientPlan, servers: Sequence[LabServer]) -> list[Counted]:
    """Ask as often as `asker` says, from ports that the kernel draws; how it ended how often."""
    ends: Counter[tuple[str, str, str, int]] = Counter()
    for _ in range(asker["tries"]):
        client = LabClient(asker, 0)
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
