"""Devices of the namespace that this process is in: whether they send already.

A device whose carrier has come is told so to its queue by a worker of the kernel, later
(net/core/link_watch.c linkwatch_do_dev); until then what it should send is dropped unseen
(net/sched/sch_generic.c noop_enqueue), and a bridge does not forward to it.

Sources: linux/rtnetlink.h; net/core/dev.c dev_get_flags; rtnetlink(7).
"""

from __future__ import annotations

import socket
import struct
import time

from k8stui.lab.inside.netlink import DUMP, HEADER, MESSAGE_BYTES, REQUEST, split

_ROUTE = 0
_NEW_LINK, _GET_LINK = 16, 18
_LINK = struct.Struct("=BxHiII")
_RUNNING, _LOWER_UP = 1 << 6, 1 << 16
_TICK_SECONDS = 0.001


def wait_for_links(deadline: float) -> None:
    """Until each device that has a carrier sends, or until `deadline` on the monotonic clock."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _ROUTE) as asked:
        asked.bind((0, 0))
        while not _all_send(asked) and time.monotonic() < deadline:
            time.sleep(_TICK_SECONDS)


def _all_send(asked: socket.socket) -> bool:
    length = HEADER.size + _LINK.size
    asked.send(HEADER.pack(length, _GET_LINK, REQUEST | DUMP, 0, 0) + _LINK.pack(0, 0, 0, 0, 0))
    sending = True
    while True:
        for kind, body in split(asked.recv(MESSAGE_BYTES)):
            if kind != _NEW_LINK:  # NLMSG_DONE, or an error: nothing more comes
                return sending
            _, _, _, flags, _ = _LINK.unpack_from(body)
            sending = sending and bool(not flags & _LOWER_UP or flags & _RUNNING)
