"""What a SYN asks for."""

from __future__ import annotations

import pytest

from k8stui.kernel.header import mss_of


@pytest.mark.parametrize(
    ("mtu", "version", "mss"),
    [(1500, 4, 1460), (1500, 6, 1440), (65536, 4, 65495), (65536, 6, 65476), (30, 4, 0)],
)
def test_mss(mtu: int, version: int, mss: int) -> None:
    """lo takes 65536 bytes, which no IPv4 packet has (seen in the lab)."""
    assert mss_of(mtu, version) == mss
