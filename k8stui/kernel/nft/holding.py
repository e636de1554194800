"""What a named set of nftables says of single addresses and devices, in whatever field they stand.

An element that names an address alone says of it what others like it say of others: the address
does not count. Of a prefix or a range it counts that the address is in that very one.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator

from k8stui.kernel.address import Address
from k8stui.kernel.border import Says
from k8stui.kernel.derived import Derived
from k8stui.kernel.nft.compile import held, read_element, types_of_data, types_of_key
from k8stui.kernel.nft.datatypes import Raw
from k8stui.kernel.nft.element import Held
from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft.expression import Types
from k8stui.kernel.nft.index import cut
from k8stui.kernel.nft.literal import Literal
from k8stui.kernel.nft_ruleset import Asked, NftSet

_DEVICES = ("ifname", "iface_index")


class _Lazy:
    """A set whose elements know which of them name an address."""

    def __init__(self, elements: Asked, key: Types, data: Types | None) -> None:
        self._elements, self._key, self._data = elements, key, data
        self._known: dict[Address, Hashable] = {}

    def about(self, address: Address, _device: str) -> Hashable:
        found = self._known.get(address)
        if found is None and (elements := self._elements.about(address)):
            said = (read_element(one.text, self._key, self._data) for one in elements)
            found = self._known[address] = tuple(_without(one, address) for one in said)
        return found


class _Listed:
    """A set whose elements are all read at once."""

    def __init__(self, elements: Iterator[Held]) -> None:
        self._by_kind: dict[str, dict[int, dict[Hashable, list[Hashable]]]] = {}
        """By the field's type, and by span as in `nft.index`."""
        for number, said in enumerate(elements):
            for field in said.key:
                kind = field.type.name
                if kind not in _DEVICES and not kind.endswith("_addr"):
                    continue
                look = _without(said, field.raw) if isinstance(field, Literal) else number
                spans = self._by_kind.setdefault(kind, {})
                for bits, left in field.spans:
                    spans.setdefault(bits, {}).setdefault(left, []).append(look)

    @property
    def named(self) -> Container[Address] | None:
        """As of `Says`."""
        found: set[Address] = set()
        for kind, spans in self._by_kind.items():
            if kind in _DEVICES or any(spans.keys() - {0}):
                return None
            version = 6 if kind == "ipv6_addr" else 4
            found.update(Address(version, one) for one in spans.get(0, ()) if isinstance(one, int))
        return found

    def about(self, address: Address, device: str) -> Hashable:
        return tuple(self._about(address, device))

    def _about(self, address: Address, device: str) -> Iterator[Hashable]:
        whole: dict[str, int | str] = {f"ipv{address.version}_addr": address.value}
        whole |= dict.fromkeys(_DEVICES, device)
        for kind, value in whole.items():
            for bits, looks in self._by_kind.get(kind, {}).items():
                yield from looks.get(cut(value, bits), ())


def _says(one: NftSet) -> Says | None:
    try:
        if isinstance(one.elements, Asked):
            lazy = _Lazy(one.elements, types_of_key(one), types_of_data(one))
            return Says(lazy.about, one.elements.named)
        listed = _Listed(held(one, element) for element in one.elements)
    except UnknownError:
        return None
    return Says(listed.about, listed.named)


says_of = Derived(_says)
"""None: not all of its elements are understood."""


def _without(said: Held, raw: Raw) -> Hashable:
    """An element, but for one value."""
    key = tuple(
        "@" if isinstance(field, Literal) and field.raw == raw else str(field) for field in said.key
    )
    return key, str(said.data)
