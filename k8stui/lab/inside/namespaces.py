"""Anonymous network namespaces: unshare(2), setns(2), and what is done inside one.

They have no name in any folder: they live as long as this process holds their files, and go with
it even when it is killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from k8stui.lab.errors import LabError
from k8stui.lab.inside.commands import setting_path, setting_value
from k8stui.lab.plan import ProcFile

_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_NAMESPACE = "/proc/self/ns/net"
COMMAND_SECONDS = 30
"""The longest that one program may take; a node's rules are a second's work."""

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when the one that started it ends (prctl(2)).

    To be called when its rights are given up: to do that takes this back (kernel/cred.c
    commit_creds).
    """
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it has ended before
        os._exit(1)


_ADDRESS_SECONDS = 2.0
"""A device without a carrier never gets its routes."""
_TICK_SECONDS = 0.002
_LOCAL_ROUTE = 0x80000000
"""RTF_LOCAL (include/uapi/linux/ipv6_route.h)."""


class HeldNamespace:
    """One network namespace that this process holds."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    def new(cls) -> HeldNamespace:
        """Make one and enter it."""
        _check(_libc.unshare(_CLONE_NEWNET), "unshare")
        return cls.current()

    @classmethod
    def current(cls) -> HeldNamespace:
        """The one that this process is in."""
        return cls(os.open(_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC))

    def close(self) -> None:
        """Let go of it: a namespace that nobody is in, and nobody holds, is gone."""
        os.close(self.fd)

    def enter(self) -> None:
        """Let everything that this process does from now on happen in here."""
        _check(_libc.setns(self.fd, _CLONE_NEWNET), "setns")


def put(settings: Iterable[ProcFile]) -> list[str]:
    """Write sysctls of the namespace that this process is in; gives those that it has not got.

    Raises:
        LabError: one that is needed is not there.

    """
    missing = []
    for setting in settings:
        try:
            Path(setting_path(setting["path"])).write_text(setting_value(setting["value"]))
        except OSError as error:
            name = setting["path"].replace("/", ".")
            if setting["needed"]:
                hint = "modprobe br_netfilter" if "bridge-nf" in name else ""
                raise LabError(f"cannot set {name}: {error.strerror}", hint) from None
            if setting["value"] != "0":
                missing.append(f"{name} = {setting['value']}: {error.strerror}")
    return missing


def wait_for_addresses() -> None:
    """Wait until each IPv6 address of this namespace is the namespace's own.

    Without duplicate address detection, too, its local route is made by a work queue
    (addrconf_dad_work), which is late on a busy machine.
    """
    deadline = time.monotonic() + _ADDRESS_SECONDS
    while not _has_local_routes() and time.monotonic() < deadline:
        time.sleep(_TICK_SECONDS)


def _has_local_routes() -> bool:
    try:
        addresses = Path("/proc/net/if_inet6").read_text(encoding="utf-8").splitlines()
        routes = Path("/proc/net/ipv6_route").read_text(encoding="utf-8").splitlines()
    except OSError:  # a kernel without IPv6
        return True
    # Destination, its length, source, its length, gateway, metric, two counters, flags, device.
    local = {words[0] for words in map(str.split, routes) if int(words[8], 16) & _LOCAL_ROUTE}
    return all(line.split()[0] in local for line in addresses)


def run(arguments: Sequence[str], text: str, files: Sequence[int] = ()) -> str | None:
    """Run a program in the namespace that this process is in; what it complains of, if it fails.

    `files`: file descriptors that it may use, too.

    Raises:
        LabError: it does not end.

    """
    # Each lab's rules are its own, and so is its lock: /run/xtables.lock is the host's.
    lock = {"XTABLES_LOCKFILE": os.devnull}
    try:
        done = subprocess.run(  # noqa: S603 - a list; the program is an absolute path
            arguments,
            input=text,
            text=True,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
            pass_fds=files,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **lock},
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{arguments[0]} does not end") from None
    if done.returncode == 0:
        return None
    return done.stderr.strip() or f"exit status {done.returncode}"


def _check(status: int, call: str) -> None:
    if status != 0:
        error = ctypes.get_errno()
        raise LabError(f"{call}: {os.strerror(error)}")
