"""The lists of ``-m recent``: which addresses were seen, and when (net/netfilter/xt_recent.c).

A list keeps an address until somebody takes it out: kube-proxy's session affinity lives here. What
rules of nftables put into dynamic sets does too, be it an address or more (nft_dynset.c).
"""

from __future__ import annotations

from collections.abc import Hashable

from k8stui.kernel.events import EventQueue

_KEPT_PACKETS = 20
"""Time stamps of one address (module parameter ip_pkt_list_tot)."""


class RecentLists:
    """The lists of one namespace (/proc/net/xt_recent); a `context.RecentLookup`."""

    __slots__ = ("_events", "_stamps")

    def __init__(self, events: EventQueue) -> None:
        self._events = events
        self._stamps: dict[tuple[str, Hashable], list[float]] = {}

    def seen(self, name: str, key: Hashable, seconds: int | None, hitcount: int | None) -> bool:
        """Whether the list has the address, young and often enough (recent_mt)."""
        now = self._events.now
        stamps = self._stamps.get((name, key), ())
        young = sum(1 for stamp in stamps if not seconds or now - stamp <= seconds)
        return young >= (hitcount or 1)

    def keep(self, name: str, key: Hashable) -> None:
        """``--set``, and ``--update`` that held (recent_entry_update)."""
        stamps = self._stamps.setdefault((name, key), [])
        stamps.append(self._events.now)
        del stamps[:-_KEPT_PACKETS]

    def forget(self, name: str, key: Hashable) -> None:
        """``--remove`` (recent_entry_remove)."""
        self._stamps.pop((name, key), None)

    def age(self, seconds: float) -> None:
        """Time passed between two requests; each begins at 0."""
        for stamps in self._stamps.values():
            stamps[:] = [stamp - seconds for stamp in stamps]
