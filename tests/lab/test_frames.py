"""Frames, byte by byte, and the header fields that they hold."""

from __future__ import annotations

import socket
import struct
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.lab.inside.frames import parse
from k8stui.lab.plan import Sight

MACS = bytes.fromhex("02000af4010102000af40102")


def ether(kind: int, body: bytes) -> bytes:
    return MACS + struct.pack("!H", kind) + body


def ip4(protocol: int, body: bytes, src: str = "10.244.1.2", dst: str = "10.96.0.1") -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 63, protocol, 0)
    return head + socket.inet_aton(src) + socket.inet_aton(dst) + body


def ip6(protocol: int, body: bytes) -> bytes:
    ends = [socket.inet_pton(socket.AF_INET6, a) for a in ("fd00::2", "fd00::1")]
    return struct.pack("!IHBB", 6 << 28, len(body), protocol, 62) + b"".join(ends) + body


SYN = struct.pack("!HHIIBBHHH", 40000, 80, 1, 0, 0x50, 0x02, 100, 0, 0)
UDP = struct.pack("!HHHH", 40000, 53, 8, 0)
ARP = bytes.fromhex("0001080006040001") + b"m" * 6 + socket.inet_aton("10.0.0.1") + bytes(6)
ASKED = socket.inet_aton("10.0.0.9")


def _fields(frame: Sight | None) -> dict[str, object]:
    assert frame is not None
    left = ("smac", "dmac", "time_ns", "namespace", "device", "incoming")
    return {
        k: v for k, v in asdict(frame).items() if k not in left and v not in (0, "", None, False)
    }


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        pytest.param(
            ether(0x0800, ip4(6, SYN)),
            {"src": "10.244.1.2", "dst": "10.96.0.1", "protocol": 6, "sport": 40000, "dport": 80,
             "ttl": 63, "flags": 2, "sequence": 1, "length": 40, "dont_fragment": True},
            id="syn",
        ),
        pytest.param(
            ether(0x86DD, ip6(17, UDP)),
            {"src": "fd00::2", "dst": "fd00::1", "protocol": 17, "sport": 40000, "dport": 53,
             "ttl": 62, "length": 48, "dont_fragment": True},
            id="udp-over-ipv6",
        ),
        pytest.param(
            ether(0x0806, ARP + ASKED),
            {"arp": True, "src": "10.0.0.1", "dst": "10.0.0.9", "protocol": 1, "icmp_type": 1,
             "dont_fragment": True},
            id="arp",
        ),
        pytest.param(
            ether(0x86DD, ip6(58, bytes([135, 0]) + bytes(6) + socket.inet_pton(10, "fd00::9"))),
            {"arp": True, "src": "fd00::2", "dst": "fd00::9", "protocol": 58, "icmp_type": 1,
             "dont_fragment": True},
            id="neighbour-solicitation",
        ),
    ],
)  # fmt: skip
def test_fields(frame: bytes, expected: dict[str, object]) -> None:
    found = parse(frame, ())
    assert _fields(found) == expected
    assert found is not None
    assert (found.dmac, found.smac) == ("02:00:0a:f4:01:01", "02:00:0a:f4:01:02")


def test_an_icmp_error_quotes_a_packet() -> None:
    error = bytes([3, 3]) + bytes(6) + ip4(6, SYN[:8])
    found = parse(ether(0x0800, ip4(1, error)), ())
    assert found is not None
    assert (found.icmp_type, found.icmp_code) == (3, 3)
    assert found.inner is not None
    assert (found.inner.sport, found.inner.dport) == (40000, 80)


def test_an_icmp_error_quotes_what_carries_a_frame() -> None:
    inner = ether(0x0800, ip4(6, SYN))
    outer = struct.pack("!HHHH", 50000, 8472, 0, 0) + bytes([8, 0, 0, 0, 0, 0, 7, 0]) + inner
    found = parse(ether(0x0800, ip4(1, bytes([3, 3]) + bytes(6) + ip4(17, outer))), [8472])
    assert found is not None
    assert found.inner is not None
    assert found.inner.vni == 7
    assert found.inner.inner == parse(inner, ())


def test_vxlan_carries_a_frame() -> None:
    inner = ether(0x0800, ip4(6, SYN))
    outer = struct.pack("!HHHH", 50000, 8472, 0, 0) + bytes([8, 0, 0, 0, 0, 0, 1, 0]) + inner
    found = parse(ether(0x0800, ip4(17, outer)), [8472])
    assert found is not None
    assert found.vni == 1
    assert found.inner == parse(inner, ())
    other = parse(ether(0x0800, ip4(17, outer)), [4789])
    assert other is not None
    assert (other.vni, other.inner) == (None, None)


def test_vxlan_over_ipv6_too() -> None:
    inner = ether(0x86DD, ip6(6, SYN))
    outer = struct.pack("!HHHH", 50000, 8472, 0, 0) + bytes([8, 0, 0, 0, 0, 0, 1, 0]) + inner
    found = parse(ether(0x86DD, ip6(17, outer)), [8472])
    assert found is not None
    assert found.inner == parse(inner, ())


@pytest.mark.parametrize("kind", [130, 133, 134, 137, 143])
def test_the_kernels_own_noise_is_left_out(kind: int) -> None:
    assert parse(ether(0x86DD, ip6(58, bytes([kind]) + bytes(30))), ()) is None


@given(st.binary(max_size=200), st.sampled_from([0x0800, 0x0806, 0x86DD, 0x88CC]))
def test_nothing_on_the_wire_breaks_it(body: bytes, kind: int) -> None:
    parse(ether(kind, body), [8472])
    parse(ether(kind, ip4(17, body)), [53, 8472])


FRAGMENT = 44


def fragment4(offset: int) -> bytes:
    whole = bytearray(ip4(17, UDP + bytes(1472)))
    whole[6:8] = struct.pack("!H", (0x2000 if not offset else 0) | offset // 8)
    return bytes(whole)


def fragment6(offset: int) -> bytes:
    head = struct.pack("!BBHI", 17, 0, offset | (not offset), 7)
    return ip6(FRAGMENT, head + UDP + bytes(1440))


def test_a_first_fragment_is_told_and_no_other() -> None:
    """The walk has the first: later ones hold no ports."""
    first = parse(ether(0x0800, fragment4(0)), ())
    assert first is not None
    assert (first.dport, first.length, first.dont_fragment) == (53, 1500, False)
    first = parse(ether(0x86DD, fragment6(0)), ())
    assert first is not None
    assert (first.protocol, first.dport, first.length) == (17, 53, 1496)
    assert parse(ether(0x0800, fragment4(1480)), ()) is None
    assert parse(ether(0x86DD, fragment6(1448)), ()) is None


def test_nor_what_quotes_or_carries_another_one() -> None:
    error = struct.pack("!BBHI", 3, 1, 0, 0)
    assert parse(ether(0x0800, ip4(1, error + fragment4(1480)[:60])), ()) is None
    quoted = parse(ether(0x0800, ip4(1, error + fragment4(0)[:60])), ())
    assert quoted is not None
    assert quoted.inner is not None
    assert quoted.inner.length == 1500
    outer = struct.pack("!HHHH", 40000, 8472, 0, 0) + bytes((8, 0, 0, 0, 0, 0, 1, 0))
    assert parse(ether(0x0800, ip4(17, outer + ether(0x0800, fragment4(1480)))), {8472}) is None
