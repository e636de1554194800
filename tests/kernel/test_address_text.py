"""Addresses are read and written as inet_pton(3) and inet_ntop(3) do."""

from __future__ import annotations

import socket

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from k8stui.kernel.address import Address

PART = st.integers(0, 300).map(str) | st.sampled_from(["", "00", "01", "+1", " 1", "1 ", "\u0661"])
TEXTS = st.lists(PART, min_size=3, max_size=5).map(".".join)


@given(TEXTS)
@example("10.0.0.1\0")
@example("10.0.0.1\n")
@example("0.0.0.0")  # noqa: S104
@example("255.255.255.255")
def test_ipv4_as_inet_pton(text: str) -> None:
    try:
        packed = socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError, UnicodeError):
        with pytest.raises(ValueError, match="not an IP address"):
            Address.parse(text)
    else:
        assert Address.parse(text).packed == packed
        assert str(Address.parse(text)) == text


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**32 - 1))
def test_texts_as_inet_ntop(six: int, four: int) -> None:
    assert str(Address(6, six)) == socket.inet_ntop(socket.AF_INET6, six.to_bytes(16, "big"))
    assert str(Address(4, four)) == socket.inet_ntop(socket.AF_INET, four.to_bytes(4, "big"))
    assert Address.parse(str(Address(6, six))) == Address(6, six)
