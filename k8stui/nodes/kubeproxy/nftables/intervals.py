"""Addresses and ranges as nft keeps and prints them in a set of intervals: in order, merged.

Source: nftables src/segtree.c interval_map_decompose, src/intervals.c set_automerge (a range that
is a network is printed as one; what meets or overlaps is one range).
"""

from __future__ import annotations

from collections.abc import Iterable

from k8stui.kernel.address import Address, Prefix


def one_of(prefixes: Iterable[Prefix]) -> str:
    """What stands behind ``ip saddr``: ``{ 192.0.2.0/25, 198.51.100.7 }``, or a single one bare."""
    written = [_text(first, last) for first, last in _merged(prefixes)]
    return written[0] if len(written) == 1 else f"{{ {', '.join(written)} }}"


def _merged(prefixes: Iterable[Prefix]) -> list[tuple[Address, Address]]:
    found: list[tuple[Address, Address]] = []
    for prefix in sorted(prefixes):
        first, last = prefix.address, prefix.nth(-1)
        if found and first.value <= found[-1][1].value + 1:
            before, behind = found[-1]
            found[-1] = before, max(behind, last)
        else:
            found.append((first, last))
    return found


def _text(first: Address, last: Address) -> str:
    if first == last:
        return str(first)
    size = last.value - first.value + 1
    if size & (size - 1) == 0 and first.value % size == 0:
        return f"{first}/{first.bits - size.bit_length() + 1}"
    return f"{first}-{last}"
