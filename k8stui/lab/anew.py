"""A request walked once more: in a network that is changed somewhere, by the same choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.kernel.exchange import Choose, Exchange
from k8stui.kernel.namespace import NetNamespace, Network


def chosen(exchange: Exchange) -> Choose:
    """Once more what chance came to."""
    ways = iter([fork.chosen for fork in exchange.forks])
    return lambda _: next(ways, 0)


class Changed(Mapping[str, NetNamespace]):
    """The same network with a change in some of its namespaces, made when one is looked at."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._made: dict[str, NetNamespace] = {}

    def change(self, space: NetNamespace) -> NetNamespace:
        """The namespace as it is here."""
        raise NotImplementedError

    def __getitem__(self, name: str) -> NetNamespace:
        if name not in self._made:
            self._made[name] = self.change(self._network[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._network)

    def __len__(self) -> int:
        return len(self._network)
