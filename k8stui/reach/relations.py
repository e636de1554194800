"""What NetworkPolicies can tell two pods apart by: whom they select, and which peers they name.

Nothing is judged here. Whatever engine enforces the policies, it does so by the pods that each
selects, by the peers and the ports of its rules; so pairs of which all that is the same fare alike
(networking/v1 NetworkPolicySpec). All pods are looked at at once: a set of them is a number with a
bit for each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

from k8stui.apiserver.fields import Object, array, at, table, text, texts
from k8stui.cluster.model import Cluster, NetworkPolicy, Pod
from k8stui.cluster.selectors import matches
from k8stui.kernel.address import Address, Prefix
from k8stui.record import record

_NAME_LABEL = "kubernetes.io/metadata.name"
_SIDES = {"ingress": "from", "egress": "to"}

Split = Sequence[tuple[int, int]]
"""Sets that are disjoint, and what is the same within each."""


@record()
class Actor:
    """Somebody whom a policy may select or name."""

    address: Address | None = None
    pod: Pod | None = None
    """None: it has no network of its own, and no label counts."""


class Relations:
    """Policies of one cluster, and how the actors stand to them. Bits are places in `actors`."""

    def __init__(self, cluster: Cluster, actors: Sequence[Actor]) -> None:
        self._cluster = cluster
        self._all = (1 << len(actors)) - 1
        self._sets = _Sets(cluster, actors)
        self._numbers: dict[Hashable, int] = {}
        self._policies = [_Policy(each, self._sets, self._number) for each in cluster.policies]
        self.named_ports = any(each.named_ports for each in self._policies)
        """Some rule names a port: which number that is the server's containers say."""
        self._in: dict[tuple[int, ...], Split] = {}
        self._out: dict[tuple[tuple[int, ...], ...], Split] = {}
        self._senders = [each for each in self._policies if each.peers["egress"] is not None]
        self._profiles = self._split_by_selection()

    def incoming(self, actor: int) -> Split:
        """Who asks, by how they stand to the policies that select `actor` for ingress."""
        own = tuple(
            place
            for place, each in enumerate(self._policies)
            if each.peers["ingress"] is not None and each.selected >> actor & 1
        )
        found = self._in.get(own)
        if found is None:
            found = self._in[own] = self._joined(own, "ingress")
        return found

    def outgoing(self, actor: int) -> Split:
        """Who asks, by how `actor` stands to the policies that select them for egress."""
        vector = tuple(
            tuple(peer >> actor & 1 for peer in each.peers["egress"] or ())
            for each in self._senders
        )
        found = self._out.get(vector)
        if found is None:
            groups: dict[int, int] = {}
            for profile, mask in self._profiles:
                seen = sorted((self._senders[one].shape, vector[one]) for one in profile)
                number = self._number(tuple(seen)) if seen else 0
                groups[number] = groups.get(number, 0) | mask
            found = self._out[vector] = [(mask, number) for number, mask in groups.items()]
        return found

    def profiles(self) -> Split:
        """Who asks, by the policies that select them for egress."""
        return [
            (mask, self._number(("profile", profile)) if profile else 0)
            for profile, mask in self._profiles
        ]

    def _number(self, what: Hashable) -> int:
        """From 1: 0 is to have nothing to do with any policy."""
        return self._numbers.setdefault(what, len(self._numbers) + 1)

    def _joined(self, own: tuple[int, ...], side: str) -> Split:
        parts: list[tuple[int, tuple[tuple[int, int], ...]]] = [(self._all, ())]
        for place in own:
            policy = self._policies[place]
            split = policy.split(side, self._all)
            parts = [
                (both, (*seen, (policy.shape, bits)))
                for mask, seen in parts
                for other, bits in split
                if (both := mask & other)
            ]
        groups: dict[int, int] = {}
        for mask, seen in parts:
            number = self._number(tuple(sorted(seen))) if seen else 0
            groups[number] = groups.get(number, 0) | mask
        return [(mask, number) for number, mask in groups.items()]

    def _split_by_selection(self) -> list[tuple[tuple[int, ...], int]]:
        parts: dict[tuple[int, ...], int] = {(): self._all}
        for place, each in enumerate(self._senders):
            for profile, mask in list(parts.items()):
                inside = mask & each.selected
                if inside:
                    parts[*profile, place] = inside
                    if inside == mask:
                        del parts[profile]
                    else:
                        parts[profile] = mask & ~inside
        return list(parts.items())


class _Policy:
    """One policy: whom it selects, and its rules with the selectors as sets."""

    def __init__(
        self, policy: NetworkPolicy, sets: _Sets, number: Callable[[Hashable], int]
    ) -> None:
        spec, space = policy.spec, policy.namespace
        self.selected = sets.pods({"podSelector": at(spec, "podSelector") or {}}, space)
        types = texts(spec, "policyTypes")
        rules = {side: array(spec, side) for side in _SIDES}
        applies = {
            "ingress": not types or "Ingress" in types,
            "egress": "Egress" in types or (not types and bool(rules["egress"])),
        }
        self.peers: Mapping[str, tuple[int, ...] | None] = {
            side: tuple(
                mask
                for rule in rules[side]
                for peer in array(rule, field)
                for mask in sets.of(table(peer), space)
            )
            if applies[side]
            else None
            for side, field in _SIDES.items()
        }
        ports = [port for side in _SIDES for rule in rules[side] for port in array(rule, "ports")]
        self.named_ports = any(isinstance(at(port, "port"), str) for port in ports)
        self.shape = number(("policy", _shape(types, rules)))
        """The same for all that differ in nothing but in whom they select and name."""
        self._splits: dict[str, Split] = {}

    def split(self, side: str, everybody: int) -> Split:
        """Everybody, by which of the side's peers they are."""
        found = self._splits.get(side)
        if found is None:
            groups: dict[int, int] = {0: everybody}
            for place, peer in enumerate(self.peers[side] or ()):
                parts = {}
                for bits, mask in groups.items():
                    if inside := mask & peer:
                        parts[bits | 1 << place] = inside
                    if outside := mask & ~peer:
                        parts[bits] = outside
                groups = parts
            found = self._splits[side] = [(mask, bits) for bits, mask in groups.items()]
        return found


def _shape(types: Sequence[str], rules: Mapping[str, Sequence[object]]) -> Hashable:
    return (
        tuple(sorted(types)),
        *(
            tuple(
                (
                    json.dumps(array(rule, "ports"), sort_keys=True, default=str),
                    tuple(len(texts(table(peer, "ipBlock"), "except")) for peer in array(rule, of)),
                    len(array(rule, of)),
                )
                for rule in rules[side]
            )
            for side, of in _SIDES.items()
        ),
    )


class _Sets:
    """Actors by what selectors and blocks say of them; each selector is asked once."""

    def __init__(self, cluster: Cluster, actors: Sequence[Actor]) -> None:
        self._labels = cluster.namespace_labels
        self._by_look: dict[str, list[tuple[Mapping[str, str], int]]] = {}
        """By namespace: labels, and who carries exactly these."""
        looks: dict[tuple[str, frozenset[tuple[str, str]]], tuple[Mapping[str, str], int]] = {}
        self._by_address: dict[Address, int] = {}
        for place, actor in enumerate(actors):
            if actor.pod is not None:
                key = actor.pod.namespace, frozenset(actor.pod.labels.items())
                labels, mask = looks.get(key, (actor.pod.labels, 0))
                looks[key] = labels, mask | 1 << place
            if actor.address is not None:
                known = self._by_address.get(actor.address, 0)
                self._by_address[actor.address] = known | 1 << place
        for (space, _), look in looks.items():
            self._by_look.setdefault(space, []).append(look)
        self._known: dict[str, int] = {}

    def of(self, peer: Object, namespace: str) -> Iterator[int]:
        """The sets that a peer of a rule is made of."""
        block = table(peer, "ipBlock")
        if block:
            for cidr in (text(block, "cidr"), *texts(block, "except")):
                yield self._block(cidr)
        else:
            yield self.pods(peer, namespace)

    def pods(self, peer: Object, namespace: str) -> int:
        """Whom podSelector and namespaceSelector select, in a policy of `namespace`."""
        spaces, pods = at(peer, "namespaceSelector"), at(peer, "podSelector")
        own = namespace if spaces is None else ""
        key = f"{own}\n{json.dumps([spaces, pods], sort_keys=True, default=str)}"
        found = self._known.get(key)
        if found is None:
            found = 0
            for space, looks in self._by_look.items():
                if space != own if spaces is None else not self._is_in(spaces, space):
                    continue
                for labels, mask in looks:
                    if pods is None or matches(pods, labels):
                        found |= mask
            self._known[key] = found
        return found

    def _is_in(self, selector: object, namespace: str) -> bool:
        return matches(selector, {**self._labels.get(namespace, {}), _NAME_LABEL: namespace})

    def _block(self, cidr: str) -> int:
        found = self._known.get(cidr)
        if found is None:
            found = 0
            try:
                prefix = Prefix.parse(cidr)
            except ValueError:
                return 0
            for address, mask in self._by_address.items():
                if address in prefix:
                    found |= mask
            self._known[cidr] = found
        return found
