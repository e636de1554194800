"""Messages of nf_tables over netlink: written and read, as far as a lab needs them.

Sources: linux/netlink.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h; netlink(7).
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum

from k8stui.lab.errors import LabError

_NETLINK, _NETFILTER = 16, 12
_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
_TRACES = 9
"""NFNLGRP_NFTRACE."""
_NF_TABLES = 10
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_ERROR, _DONE = 2, 3
REQUEST, _ACK, DUMP, _CREATE = 1, 4, 0x300, 0x400
_NESTED, _KIND = 0x8000, 0x3FFF
HEADER = struct.Struct("=IHHII")
_GENERIC = struct.Struct("!BBH")
_ATTRIBUTE = struct.Struct("=HH")
_BUFFER_BYTES = 4 << 20
MESSAGE_BYTES = 1 << 17

Attributes = dict[int, bytes]


class MessageType(IntEnum):
    """enum nf_tables_msg_types."""

    NEW_TABLE = 0
    NEW_CHAIN = 3
    NEW_RULE = 6
    GET_RULE = 7
    TRACE = 17


def attribute(kind: int, value: bytes | str | int | Iterable[bytes]) -> bytes:
    """One attribute: bytes as they are, a name, a 32-bit number, or further attributes."""
    if isinstance(value, int):
        value = struct.pack("!i", value)
    elif isinstance(value, str):
        value = value.encode() + b"\0"
    elif not isinstance(value, bytes):
        kind, value = kind | _NESTED, b"".join(value)
    padding = bytes(-len(value) % 4)
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + padding


def attributes(data: bytes) -> Attributes:
    """Attributes by their kind."""
    found: Attributes = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            break
        found[kind & _KIND] = data[_ATTRIBUTE.size : length]
        data = data[length + -length % 4 :]
    return found


def name(value: bytes) -> str:
    """A name as the kernel writes it."""
    return value.rstrip(b"\0").decode("ascii", "replace")


def number(value: bytes) -> int:
    """A number in network order."""
    return int.from_bytes(value, "big", signed=True)


class Netfilter:
    """A netlink socket of the namespace that this process is in."""

    def __init__(self, *, traces: bool = False) -> None:
        self._socket = socket.socket(_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETFILTER)
        self._socket.bind((0, 0))
        if traces:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _TRACES)
            self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def change(self, messages: Iterable[tuple[MessageType, int, bytes]]) -> None:
        """Do all of these, or none: (kind, family, attributes).

        Raises:
            LabError: the kernel refuses.

        """
        batch = [_message(_BATCH_BEGIN, REQUEST, 0, b"", resource=_NF_TABLES)]
        for kind, family, body in messages:
            batch.append(_message(_NF_TABLES << 8 | kind, REQUEST | _CREATE, family, body))
        # The last one is acknowledged; who fails before it says so by itself.
        batch.append(_message(_BATCH_END, REQUEST | _ACK, 0, b"", resource=_NF_TABLES))
        self._socket.send(b"".join(batch))
        for _ in self._answers():
            pass

    def rules(self, family: int, table: str, chain: str) -> list[int]:
        """Handles of a chain's rules, in their order.

        Raises:
            LabError: the kernel refuses.

        """
        asked = attribute(1, table) + attribute(2, chain)
        self._socket.send(
            _message(_NF_TABLES << 8 | MessageType.GET_RULE, REQUEST | DUMP, family, asked)
        )
        found = []
        for answer, body in self._answers():
            told = attributes(body)
            if answer == MessageType.NEW_RULE and (name(told[1]), name(told[2])) == (table, chain):
                found.append(number(told[3]))
        return found

    def _answers(self) -> Iterator[tuple[int, bytes]]:
        """What comes until the kernel has said all."""
        while True:
            for kind, body in split(self._socket.recv(MESSAGE_BYTES)):
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    code = -int.from_bytes(body[:4], "little", signed=True)
                    if code:
                        raise LabError(f"nf_tables: {os.strerror(code)}")
                    return
                yield kind & 0xFF, body[_GENERIC.size :]

    def traced(self) -> Iterator[Attributes]:
        """Traces that have come.

        Raises:
            OSError: ENOBUFS where the kernel could not keep all of them.

        """
        while True:
            try:
                data = self._socket.recv(MESSAGE_BYTES)
            except BlockingIOError:
                return
            for kind, body in split(data):
                if kind == _NF_TABLES << 8 | MessageType.TRACE:
                    yield attributes(body[_GENERIC.size :])


def _message(kind: int, flags: int, family: int, body: bytes, *, resource: int = 0) -> bytes:
    length = HEADER.size + _GENERIC.size + len(body)
    return HEADER.pack(length, kind, flags, 0, 0) + _GENERIC.pack(family, 0, resource) + body


def split(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The messages that came at once: their types, and what stands behind their headers."""
    while len(data) >= HEADER.size:
        length, kind, *_ = HEADER.unpack_from(data)
        if length < HEADER.size:
            return
        yield kind, data[HEADER.size : length]
        data = data[length + -length % 4 :]
