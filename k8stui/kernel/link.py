"""Names and addresses of devices, judged where they are read: a dump is somebody else's text."""

from __future__ import annotations

_NAME_BYTES = 15
"""IFNAMSIZ less the closing NUL (include/uapi/linux/if.h)."""
_HEX = frozenset("0123456789abcdef")
NO_MAC = "00:00:00:00:00:00"
"""Of lo, of tunnels without Ethernet; in a VXLAN table: whoever is not known (all_zeros_mac)."""


def device_name(text: str) -> str:
    """The name of a device as it is.

    As net/core/dev.c dev_valid_name, and printable: nothing else gets into a line of text.

    Raises:
        ValueError: the kernel has no device of such a name.

    """
    # A lone surrogate is not printable either, so that the length is asked of encodable text only.
    plain = text.isprintable() and not any(char in "/: " for char in text)
    if not plain or text in ("", ".", "..") or len(text.encode()) > _NAME_BYTES:
        raise ValueError(f"no name of a device: {text[:40]!r}")
    return text


def mac_address(text: str) -> str:
    """An Ethernet address in lower case: six pairs of hexadecimal digits.

    Raises:
        ValueError: it is none.

    """
    found = text.lower()
    pairs = found.split(":")
    if len(pairs) != 6 or not all(len(pair) == 2 and _HEX.issuperset(pair) for pair in pairs):
        raise ValueError(f"no MAC address: {text[:40]!r}")
    return found
