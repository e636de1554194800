"""What the lab's process gives up for good before it looks at a plan.

It becomes root of a user namespace of its own, which is ``nobody`` on the machine, sees no folder
that its programs do not need, keeps no capability but those of networks, and can get none back. So
even a fault in what it hands to a program does no harm to the machine.

Sources: user_namespaces(7), mount_namespaces(7), capabilities(7), prctl(2).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from k8stui.lab.errors import LabError

_NEW_MOUNTS, _NEW_USER, _NEW_NET = 0x00020000, 0x10000000, 0x40000000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXEC, _RECURSIVE, _PRIVATE = 1, 2, 4, 8, 1 << 14, 1 << 18
_DUMPABLE, _DROP_BOUNDING, _NO_NEW_PRIVILEGES = 4, 24, 38
_BIND_SERVICE, _NET_ADMIN, _NET_RAW, _SYS_ADMIN = 10, 12, 13, 21
_PROGRAMS_KEEP = frozenset({_NET_ADMIN, _NET_RAW})
_OWN = _PROGRAMS_KEEP | {_BIND_SERVICE, _SYS_ADMIN}
"""setns(2) asks for CAP_SYS_ADMIN, in the namespace of its own."""
_CAPABILITIES = 64
_VERSION_3 = 0x20080522
_NOBODY = 65534
_SEEN = frozenset({"bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "sys",
                   "usr"})  # fmt: skip
"""Folders of / that programs and their libraries need; ``nobody`` can read no secret in them."""

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def leave_host() -> None:
    """Go away from the host's users, networks and mounts, for good.

    Raises:
        LabError: neither root nor an unprivileged user namespace.

    """
    if os.geteuid() == 0:
        with suppress(OSError):
            os.setgroups([])
    try:
        _become_nobody()
        _check(_libc.unshare(_NEW_NET | _NEW_MOUNTS), "unshare")
    except (LabError, OSError):
        raise LabError(
            "no right to make network namespaces: not root, and user namespaces are forbidden",
            "run it with sudo, or in a virtual machine",
        ) from None


def _become_nobody() -> None:
    """Enter a user namespace; a root whose namespaces are forbidden stays in the machine's own."""
    uid, gid = os.geteuid(), os.getegid()
    helper = _Mapper() if uid == 0 else None
    entered = _libc.unshare(_NEW_USER) == 0
    mapped = helper is not None and helper.map(entered=entered)
    if not entered:
        if uid == 0:
            return
        raise LabError("user namespaces are forbidden")
    if not mapped:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    _libc.prctl(_DUMPABLE, 1, 0, 0, 0)  # else /proc/self belongs to somebody else


class _Mapper:
    """A child that stays outside: only there root may say that its root is ``nobody``."""

    def __init__(self) -> None:
        parent = os.getpid()
        asked, self._ask = os.pipe()
        self._done, done = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._ask)
                if os.read(asked, 1):
                    for name in ("gid_map", "uid_map"):
                        Path(f"/proc/{parent}/{name}").write_text(f"0 {_NOBODY} 1")
                    os.write(done, b"1")
            finally:
                os._exit(0)
        os.close(asked)
        os.close(done)

    def map(self, *, entered: bool) -> bool:
        """Whether it is done. `entered`: there is something to do."""
        if entered:
            os.write(self._ask, b"1")
        os.close(self._ask)
        done = os.read(self._done, 1)
        os.close(self._done)
        os.waitpid(self._pid, 0)
        return bool(done)


def confine(tools: Iterable[str]) -> None:
    """Give up the file system but for what `tools` need, and every other right.

    Raises:
        LabError: the kernel does not take it away.

    """
    _hide({Path(os.path.realpath(tool)).parts[1] for tool in tools})
    for capability in range(_CAPABILITIES):
        if capability not in _PROGRAMS_KEEP:
            _libc.prctl(_DROP_BOUNDING, capability, 0, 0, 0)
    _check(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
    kept = sum(1 << capability for capability in _OWN)
    data = (_Data * 2)(_Data(kept, kept, 0), _Data(0, 0, 0))
    _check(_libc.capset(ctypes.byref(_Header(_VERSION_3, 0)), data), "capset")


def _hide(needed: set[str]) -> None:
    """Lay an empty folder over each of / that is not needed."""
    _check(_libc.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None), "mount")
    flags = _READ_ONLY | _NO_SUID | _NO_DEVICES | _NO_EXEC
    for entry in os.scandir("/"):
        if entry.name not in _SEEN | needed and entry.is_dir(follow_symlinks=False):
            hidden = _libc.mount(b"tmpfs", os.fsencode(entry.path), b"tmpfs", flags, b"size=4k")
            _check(hidden, f"mount on {entry.path}")


def _check(status: int, call: str) -> None:
    if status != 0:
        raise LabError(f"{call}: {os.strerror(ctypes.get_errno())}")
