"""Endpoints that a walk need not tell apart: of many, one of each kind is walked, and counted."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from k8stui.cluster.mesh.met import standing
from k8stui.cluster.model import Pod
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Exchange

if TYPE_CHECKING:
    from k8stui.kernel.alike import Alike, Home
    from k8stui.walk.world import World

FEW = 16
"""So many endpoints are looked at one by one; of more, those that fare alike become one branch."""


class Endpoints:
    """Which endpoints of one world fare alike; a `kernel.branches.SameEnd`."""

    def __init__(self, world: World, few: int = FEW) -> None:
        self._world, self._few = world, few

    def ways(self, exchange: Exchange, others: Sequence[int]) -> Sequence[int]:
        """See `kernel.alike.Alike.ways`; none where there are few."""
        if len(exchange.forks[-1].ways) <= self._few:
            return ()
        return self._alike.ways(exchange, others)

    def addresses(
        self, exchange: Exchange, address: Address, others: Sequence[Address]
    ) -> tuple[bool, ...]:
        """See `kernel.alike.Alike.addresses`; none where there are few."""
        if exchange.forks or len(others) < self._few:
            return (False,) * len(others)
        return self._alike.addresses(exchange, address, others)

    def server(self, exchange: Exchange, way: int) -> str:
        """Whom a way of the last fork leads to."""
        address = self._alike.leads_to(exchange.forks[-1], way)
        return "" if address is None else self.named(address)

    def named(self, address: Address) -> str:
        """``namespace/name`` of the pod that has the address, else the address."""
        pod = self._pods.get(address)
        return str(address) if pod is None else pod.key

    def node_of(self, address: Address) -> str | None:
        """The node of the pod that has the address."""
        pod = self._pods.get(address)
        return None if pod is None else pod.node_name

    @cached_property
    def _alike(self) -> Alike:
        from k8stui.kernel.alike import Alike  # noqa: PLC0415 - for many endpoints only

        return Alike(self._world.network, self._home)

    @cached_property
    def _pods(self) -> Mapping[Address, Pod]:
        return {
            address: pod
            for pod in self._world.cluster.pods.values()
            if not pod.host_network and pod.node_name is not None
            for address in pod.addresses
        }

    def _home(self, address: Address) -> Home | None:
        from k8stui.kernel.alike import Home  # noqa: PLC0415

        pod = self._pods.get(address)
        if pod is None:
            return None
        # What a diagnosis looks at, and the kernel does not.
        mesh = standing(self._world.cluster, pod)
        sort = (pod.namespace, pod.owner, pod.phase, pod.ready, pod.terminating, mesh)
        return Home(pod.key, sort, pod.addresses, self._twin(pod))

    def _twin(self, pod: Pod) -> Hashable:
        """All that its namespace is made of, but its name and its addresses."""
        if pod.node_name in self._observed:
            return None
        # Pods of one template share its containers.
        return pod.node_name, pod.namespace, id(pod.containers), pod.owner, _state(pod)

    @cached_property
    def _observed(self) -> frozenset[str | None]:
        return frozenset(self._world.network.observed)


def _state(pod: Pod) -> Hashable:
    return pod.phase, pod.ready, pod.terminating, tuple(pod.labels.items())
