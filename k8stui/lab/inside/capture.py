"""What every device of a namespace sees: one AF_PACKET socket (packet(7))."""

from __future__ import annotations

import socket
import struct
from dataclasses import replace

from k8stui.lab.inside.frames import parse
from k8stui.lab.plan import Sight, Space

_ETH_P_ALL = 3
_PACKET_OUTGOING = 4
_SO_TIMESTAMPNS = 35
_BUFFER_BYTES = 4 << 20
_SNAP_BYTES = 512
_TIMESTAMP = struct.Struct("@qq")


def stamped_socket() -> socket.socket:
    """A socket on all devices of this namespace, with the kernel's own time of each packet.

    The first such socket of a machine switches time stamps on a moment later only
    (net/core/dev.c net_enable_timestamp), so one is held open while the lab is built.
    """
    made = socket.socket(
        socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(_ETH_P_ALL)
    )
    made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return made


class Sniffer:
    """Made inside its namespace; from then on nothing is missed."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._socket = stamped_socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)

    def frames(self) -> list[Sight]:
        """Everything so far, in the order in which it passed."""
        found: list[Sight] = []
        while True:
            try:
                data, ancillary, _, address = self._socket.recvmsg(_SNAP_BYTES, 64)
            except BlockingIOError:
                return found
            frame = parse(data, self._space["vxlan_ports"])
            if frame is None:
                continue
            device = address[0]
            time_ns = 0
            for level, kind, value in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                    seconds, nanoseconds = _TIMESTAMP.unpack(value[: _TIMESTAMP.size])
                    time_ns = seconds * 1_000_000_000 + nanoseconds
            found.append(
                replace(
                    frame,
                    namespace=self._space["name"],
                    device=self._space["devices"].get(device, device),
                    incoming=address[2] != _PACKET_OUTGOING,
                    time_ns=time_ns,
                )
            )
