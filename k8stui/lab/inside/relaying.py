"""A process of the lab's own that passes on what it takes, by connections of its own."""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from k8stui.lab.inside.sockets import (
    ANY,
    QUESTION,
    RECEIVE_ERRORS,
    TCP,
    no_ack_alone,
    one_segment,
    socket_for,
)
from k8stui.lab.plan import Listener, Onward


class Relay:
    """A process that makes a connection of its own for each that it takes.

    docker-proxy, and kube-proxy in userspace mode (proxysocket.go TryConnectEndpoints): one target
    after the other, each for so long. What comes by the one it sends by the other.
    """

    def __init__(self, listener: Listener, data_bytes: int) -> None:
        self._data_bytes = data_bytes
        # Sockets are of the namespace in which they were made: there is no time for that later.
        self._turns = [
            None if turn is None else [(_dialling(listener, one), one) for one in turn]
            for turn in listener["onward"]
        ]
        self._is_tcp = listener["protocol"] == TCP
        self._passages: list[_Passage] = []
        self._now: _Passage | None = None

    def expect(self) -> None:
        """Somebody is about to ask: what is done is about whoever comes next."""
        self._now = None

    def take(self, connection: socket.socket) -> None:
        """A client has connected."""
        self._begin(_Passage(self._next(), self._data_bytes, connection))

    def take_datagram(self, answer: Callable[[], None]) -> None:
        """A client asks; `answer` is what it is told at last."""
        if self._turns and self._turns[0] is None:
            del self._turns[0]
            self._now = self._passages[-1]
            self._now.say(answer)
        elif self._turns:
            self._begin(_Passage(self._next(), self._data_bytes, None, answer))

    def _next(self) -> list[tuple[socket.socket, Onward]]:
        return self._turns.pop(0) or [] if self._turns else []

    def _begin(self, passage: _Passage) -> None:
        self._passages.append(passage)
        self._now = passage
        passage.dial()

    def look(self) -> None:
        """See what has become of its own connections."""
        for passage in self._passages:
            passage.look()

    @property
    def is_done(self) -> bool:
        """Whether it is known what became of its own connection."""
        return self._now is not None and self._now.is_done

    @property
    def is_connected(self) -> bool:
        return self._now is not None and self._now.is_connected

    def close(self) -> None:
        """It got no connection of its own: it closes the one that it took."""
        if self._now is not None and self._now.taken is not None:
            self._now.taken.close()


class _Passage:
    """One connection that was taken, or one client's datagrams, and what was made for it."""

    def __init__(
        self,
        left: list[tuple[socket.socket, Onward]],
        data_bytes: int,
        taken: socket.socket | None,
        answer: Callable[[], None] = lambda: None,
    ) -> None:
        self.taken = taken
        """None: datagrams."""
        self.is_done = False
        self.is_connected = False
        self._left = left
        self._data_bytes = data_bytes
        self._answer = answer
        self._dialled: socket.socket | None = None
        self._deadline = 0.0

    def dial(self) -> None:
        """Try the next one."""
        if not self._left:
            self.is_done = True
            return
        self._dialled, onward = self._left.pop(0)
        self._deadline = time.monotonic() + onward["patience_seconds"]
        try:
            failed = self._dialled.connect_ex((onward["address"], onward["port"]))
            if failed not in (0, errno.EINPROGRESS):
                self._fail()
            elif self.taken is None:
                self._dialled.send(self._question())
        except OSError:
            self._fail()

    def say(self, answer: Callable[[], None]) -> None:
        """The same client sends another datagram."""
        self._answer = answer
        if self._dialled is not None:
            with suppress(OSError):
                self._dialled.send(self._question())

    def _question(self) -> bytes:
        return QUESTION if self._data_bytes < 0 else bytes(self._data_bytes)

    def _fail(self) -> None:
        if self._dialled is not None and self.taken is not None:
            self._dialled.close()
            self._dialled = None
        self.dial()

    def look(self) -> None:
        """See what has come."""
        if self._dialled is None:
            return
        if self.taken is None:
            self._look_for_datagram(self._dialled)
        elif self.is_connected:
            self._pass_data(self.taken, self._dialled)
        elif not self.is_done:
            self._look_for_connection(self._dialled)

    def _look_for_datagram(self, dialled: socket.socket) -> None:
        try:
            dialled.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            # A client is not told that its datagram is refused (proxysocket.go, udp_proxy).
            self.is_done = True
            return
        self.is_done = self.is_connected = True
        self._answer()

    def _look_for_connection(self, dialled: socket.socket) -> None:
        poll = select.poll()  # POLLERR is told in any case
        poll.register(dialled, select.POLLOUT)
        if not poll.poll(0):
            if time.monotonic() > self._deadline:
                self._fail()
        elif dialled.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._fail()
        else:
            self.is_done = self.is_connected = True

    def _pass_data(self, taken: socket.socket, dialled: socket.socket) -> None:
        if self._data_bytes < 0:
            return
        for one in (taken, dialled):
            no_ack_alone(one)
        for comes, goes in ((taken, dialled), (dialled, taken)):
            with suppress(OSError):
                if comes.recv(1 << 16):
                    goes.send(one_segment(goes, self._data_bytes))


def _dialling(listener: Listener, onward: Onward) -> socket.socket:
    version = 6 if ":" in onward["address"] else 4  # docker-proxy goes on by IPv4 alone
    made = socket_for(listener["protocol"], version)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # All namespaces of a lab are one machine: an error comes while connect() holds the socket and
    # would be put aside (tcp_v4_err, sk_err_soft). So it is told at once, as another machine's is.
    made.setsockopt(*RECEIVE_ERRORS[version], 1)
    made.bind((ANY[version], onward["source_port"]))
    return made
