"""What a rule names itself, or has a map for: counters, limits, quotas, helpers (nft_objref.c)."""

from __future__ import annotations

from k8stui.kernel.nft.expression import Expression
from k8stui.kernel.nft.mapped import Mapped
from k8stui.kernel.nft.passage import Passage
from k8stui.kernel.nft.spoken import Json


def found(name: Expression | None, passage: Passage) -> None:
    """Look for it where a map leads to it (nft_objref_map_eval).

    Raises:
        BreakError: the map does not have the key.

    """
    if isinstance(name, Mapped):
        name.fields(passage)


def is_named(said: Json) -> bool:
    """Whether JSON says its name, or the map, and not the thing itself."""
    return isinstance(said, str) or (isinstance(said, dict) and "map" in said)
