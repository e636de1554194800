"""Sockets as client, server and relay all need them; made in the namespace of the moment."""

from __future__ import annotations

import socket
import struct

TCP, UDP = 6, 17
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
ANY = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - inside a namespace of the lab's own
QUESTION = b"hello"
RECEIVE_ERRORS = {4: (socket.IPPROTO_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}
"""IP_RECVERR and IPV6_RECVERR."""


def hang_up(connection: socket.socket) -> None:
    """Close with RST, so that neither end lingers (socket(7), SO_LINGER)."""
    if connection.type == socket.SOCK_STREAM:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def socket_for(protocol: int, version: int) -> socket.socket:
    """A socket that never blocks; of a ping, the kernel's own kind (net/ipv4/ping.c)."""
    kind = socket.SOCK_STREAM if protocol == TCP else socket.SOCK_DGRAM
    number = 0 if protocol in (TCP, UDP) else protocol
    return socket.socket(_FAMILIES[version], kind | socket.SOCK_NONBLOCK, number)


def one_segment(connection: socket.socket, data_bytes: int) -> bytes:
    """As much of the data as one segment takes: the walk has the first only."""
    fits = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
    return bytes(min(data_bytes, fits))


def no_ack_alone(connection: socket.socket) -> None:
    """Let an ACK wait for data that goes the same way (tcp(7), TCP_QUICKACK)."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)


def ack_at_once(connection: socket.socket) -> None:
    """Send an ACK that waits, if one does."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
