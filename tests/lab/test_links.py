"""Devices that send: the kernel tells a queue of its carrier later, and drops what comes before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import k8stui
from k8stui.lab.plan import Tools

PAIRS = 20
_LOOK = f"""
import fcntl, socket, struct, subprocess, sys, time
sys.path.append(sys.argv[1])
from k8stui.lab.inside.confine import leave_host
from k8stui.lab.inside.links import wait_for_links
leave_host()
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range({PAIRS}):
    one, other = f"a{{number}}", f"b{{number}}"
    lines = [f"link add {{one}} type veth peer {{other}}"]
    lines += [f"link set {{name}} up" for name in (one, other)]
    subprocess.run([sys.argv[2], "-batch", "-"], input="\\n".join(lines), text=True, check=True)
    wait_for_links(time.monotonic() + 30)
    for name in (one, other):
        told = fcntl.ioctl(asked, 0x8913, struct.pack("16sh14x", name.encode(), 0))
        print(bool(struct.unpack_from("h", told, 16)[0] & 1 << 6))
"""
"""SIOCGIFFLAGS; IFF_RUNNING (netdevice(7))."""


def test_whoever_waited_can_send(nft: Tools) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", _LOOK, str(Path(k8stui.__file__).parent.parent), nft["ip"]],
        capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip
    if "Error" in done.stderr and not done.stdout:
        pytest.skip(f"no lab here: {done.stderr.strip().splitlines()[-1]}")
    assert done.stdout.split() == ["True"] * (2 * PAIRS)
