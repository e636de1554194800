"""Addresses and prefixes."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.kernel.address import Address, Prefix


@given(st.ip_addresses())
def test_text_is_what_ipaddress_prints(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    ours = Address.parse(str(address))
    assert ours == Address(address.version, int(address))
    # inet_ntop(3) writes ::ffff:0:0/96 with dots, ipaddress does not: compare by value there.
    assert ipaddress.ip_address(str(ours)) == address


@given(st.ip_addresses(v=4), st.integers(0, 32), st.ip_addresses(v=4))
def test_a_prefix_holds_what_ipaddress_says(
    base: ipaddress.IPv4Address, length: int, other: ipaddress.IPv4Address
) -> None:
    network = ipaddress.ip_network((int(base), length), strict=False)
    ours = Prefix.parse(f"{base}/{length}")
    assert str(ours) == str(network)
    assert (Address.parse(str(other)) in ours) == (other in network)


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1/33", "x", "::g", "1.2.3.4/-1", "1.2.3.4/"],
)
def test_what_is_no_prefix_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an IP|not a prefix|out of range"):
        Prefix.parse(text)


def test_versions_do_not_mix() -> None:
    assert Address.parse("::1") not in Prefix.parse("0.0.0.0/0")
    assert Address.parse("::1").with_port(80) == "[::1]:80"
    assert Prefix.parse("10.96.0.0/12").nth(1) == Address.parse("10.96.0.1")
    assert Prefix.parse("10.244.1.0/24").nth(-1) == Address.parse("10.244.1.255")
