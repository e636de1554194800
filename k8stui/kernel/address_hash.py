"""Which address of a range a connection is translated to: the kernel's own hash, to the bit.

net/netfilter/nf_nat_core.c find_best_ips_proto and include/linux/jhash.h jhash2, on a
little-endian machine (x86, arm64). The hash has no secret: equal ends always give equal addresses.
"""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.kernel.address import Address

_WORD = 0xFFFFFFFF
_INITIAL = 0xDEADBEEF


def chosen(
    range_: tuple[Address, Address], source: Address, destination: Address, *, persistent: bool
) -> Address:
    """The address of `range_` for a packet from `source` to `destination`, before this NAT.

    `persistent`: ``--persistent``, the destination does not count.
    """
    first, last = range_
    if first == last:
        return first
    low, high, asked = _words(first), _words(last), _words(destination)
    # union nf_inet_addr has room for IPv6; what IPv4 does not use is zero.
    seed = (*_words(source), 0, 0, 0)[:4]
    found = jhash2(seed, 0 if persistent else asked[-1])
    words: list[int] = []
    is_free = False
    for at, start in enumerate(low):
        start_here = 0 if is_free else _swapped(start)
        size = _WORD if is_free else (_swapped(high[at]) - start_here + 1) & _WORD
        word = _swapped((start_here + (found * size >> 32)) & _WORD)
        words.append(word)
        is_free = is_free or word != high[at]
        if not persistent:
            found ^= asked[at]
    return Address(first.version, int.from_bytes(b"".join(w.to_bytes(4, "little") for w in words)))


def jhash2(key: Sequence[int], initial: int) -> int:
    """Bob Jenkins' hash of 32-bit words (include/linux/jhash.h jhash2)."""
    a = b = c = (_INITIAL + (len(key) << 2) + initial) & _WORD
    left = list(key)
    while len(left) > 3:
        a, b, c = _mix((a + left[0]) & _WORD, (b + left[1]) & _WORD, (c + left[2]) & _WORD)
        del left[:3]
    if not left:
        return c
    left += [0] * (3 - len(left))
    return _final((a + left[0]) & _WORD, (b + left[1]) & _WORD, (c + left[2]) & _WORD)


def jhash(key: bytes, initial: int) -> int:
    """The same hash of bytes, a multiple of four (include/linux/jhash.h jhash)."""
    words = [int.from_bytes(key[at : at + 4], "little") for at in range(0, len(key), 4)]
    return jhash2(words, initial)


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for turn in (4, 6, 8, 16, 19, 4):
        # The three change places each time; after six they stand as before.
        a, b, c = b, (c + b) & _WORD, ((a - c) & _WORD) ^ _rotated(c, turn)
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    changing, by, left = c, b, a
    for turn in (14, 11, 25, 16, 4, 14, 24):
        changing, by, left = left, ((changing ^ by) - _rotated(by, turn)) & _WORD, by
    return by


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _WORD


def _words(address: Address) -> tuple[int, ...]:
    """Network order, as a little-endian machine reads it."""
    data = address.packed
    return tuple(int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4))


def _swapped(word: int) -> int:
    return int.from_bytes(word.to_bytes(4, "little"))
