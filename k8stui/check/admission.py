"""Whom policies let through to a server, of all pods at once: each kind of pair is judged once."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from functools import cached_property

from k8stui.cluster.judgement import Ask, Judgement
from k8stui.cluster.model import Pod
from k8stui.cluster.policy import Direction
from k8stui.reach.relations import Actor, Relations, bits


class Admission:
    """By the API's rules. A set of pods is a number with a bit for each."""

    def __init__(self, judgement: Judgement, clients: Sequence[Pod]) -> None:
        """`clients`: who may ask, in the order in which they are taken."""
        self._judgement = judgement
        first = {pod.key: pod for pod in clients}
        self._pods = tuple((first | dict(judgement.cluster.pods)).values())
        self._clients = (1 << len(first)) - 1
        self._everybody = (1 << len(self._pods)) - 1
        self._place = {pod.key: place for place, pod in enumerate(self._pods)}
        self._known: dict[Hashable, bool] = {}
        self._through: dict[Hashable, int] = {}

    @cached_property
    def _relations(self) -> Relations:
        # A pod asks, and is asked, at the first of its addresses.
        actors = [
            Actor() if pod.host_network else Actor(pod.addresses[:1], pod) for pod in self._pods
        ]
        return Relations(self._judgement.cluster, actors)

    def first(self, server: Pod, ask: Ask, but: Collection[str]) -> Pod | None:
        """The first client that may ask `server`; none of those with the keys `but`."""
        left = self._clients & self.through(Direction.INGRESS, server, ask)
        if left:
            left &= self.through(Direction.EGRESS, server, ask)
        pods = map(self._pods.__getitem__, bits(left))
        return next((pod for pod in pods if pod.key not in but), None)

    def kept(self, server: Pod, ask: Ask) -> int:
        """Those whom their own policies keep from asking `server`."""
        return self._everybody & ~self.through(Direction.EGRESS, server, ask)

    def bit(self, pod: Pod) -> int:
        """The pod alone."""
        return 1 << self._place[pod.key]

    def may(self, client: Pod, server: Pod, ask: Ask) -> bool:
        """Whether nothing keeps the client from the server."""
        return self._allows(Direction.EGRESS, client, server, ask) and self._allows(
            Direction.INGRESS, client, server, ask
        )

    def through(self, way: Direction, server: Pod, ask: Ask) -> int:
        """Those whom the policies of one way do not keep from the server."""
        offers = tuple(
            (port.name, port.number, port.protocol)
            for container in server.containers
            for port in container.ports
        )
        asked = way, ask.port, ask.protocol, offers
        key = server.key, asked
        found = self._through.get(key)
        if found is None:
            place = self._place[server.key]
            of = self._relations.incoming if way is Direction.INGRESS else self._relations.outgoing
            found = 0
            for mask, number in of(place):
                # Whoever is as near to whom they ask for the same fares alike.
                kind = number, asked
                allows = self._known.get(kind)
                if allows is None:
                    one = self._pods[next(bits(mask))]
                    allows = self._known[kind] = self._allows(way, one, server, ask)
                found |= mask if allows else 0
            self._through[key] = found
        return found

    def _allows(self, way: Direction, client: Pod, server: Pod, ask: Ask) -> bool:
        out = way is Direction.EGRESS
        own, far = (client, server) if out else (server, client)
        peer = self._judgement.peer(far, None, "")
        return self._judgement.of(way, own, peer, ask).allowed is not False
