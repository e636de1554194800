"""A process of the lab's own that passes on what it takes, by a second connection."""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Callable

from k8stui.lab.plan import Listener, Onward
from k8stui.lab.sockets import ANY, QUESTION, RECEIVE_ERRORS, TCP, socket_for


class Relay:
    """A process that makes a connection of its own for the one that it takes.

    docker-proxy, and kube-proxy in userspace mode (proxysocket.go TryConnectEndpoints): one target
    after the other, each for so long.
    """

    def __init__(self, listener: Listener) -> None:
        self._is_tcp = listener["protocol"] == TCP
        # Sockets are of the namespace in which they were made: there is no time for that later.
        self._left = [(_dialling(listener, onward), onward) for onward in listener["onward"]]
        self._dialled: socket.socket | None = None
        self._deadline = 0.0
        self._answer: Callable[[], None] = lambda: None
        self._close: Callable[[], None] = lambda: None
        self.has_taken = False
        self.is_done = False
        self.is_connected = False

    def begin(self, close: Callable[[], None], answer: Callable[[], None] = lambda: None) -> None:
        """Somebody has come; `answer` is what a datagram's client is told at last."""
        if not self.has_taken:
            self.has_taken = True
            self._close, self._answer = close, answer
            self._dial()

    def _dial(self) -> None:
        if not self._left:
            self.is_done = True
            return
        self._dialled, onward = self._left.pop(0)
        self._deadline = time.monotonic() + onward["patience_seconds"]
        try:
            failed = self._dialled.connect_ex((onward["address"], onward["port"]))
            if failed not in (0, errno.EINPROGRESS):
                self._fail()
            elif not self._is_tcp:
                self._dialled.send(QUESTION)
        except OSError:
            self._fail()

    def _fail(self) -> None:
        if self._dialled is not None:
            self._dialled.close()
            self._dialled = None
        self._dial()

    def look(self) -> None:
        """See what has become of its own connection."""
        if self._dialled is None or self.is_done:
            return
        poll = select.poll()  # POLLERR is told in any case
        poll.register(self._dialled, select.POLLOUT if self._is_tcp else select.POLLIN)
        if not poll.poll(0):
            if time.monotonic() > self._deadline:
                self._fail()
            return
        try:
            if self._is_tcp:
                if self._dialled.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    self._fail()
                    return
            else:
                self._dialled.recv(1 << 16)
        except OSError:
            self._fail()
            return
        self.is_done = self.is_connected = True
        self._answer()

    def close(self) -> None:
        """It got no connection of its own: it closes the one that it took."""
        self._close()


def _dialling(listener: Listener, onward: Onward) -> socket.socket:
    made = socket_for(listener["protocol"], listener["version"])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # All namespaces of a lab are one machine: an error comes while connect() holds the socket and
    # would be put aside (tcp_v4_err, sk_err_soft). So it is told at once, as another machine's is.
    made.setsockopt(*RECEIVE_ERRORS[listener["version"]], 1)
    made.bind((ANY[listener["version"]], onward["source_port"]))
    return made
