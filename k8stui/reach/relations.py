"""What NetworkPolicies can tell two pods apart by: whom they select, and which peers they name.

Nothing is judged here. Whatever engine enforces the policies, it does so by the pods that each
selects, by the peers and the ports of its rules (`k8stui.cluster.policy`); so pairs of which all
that is the same fare alike. All pods are looked at at once: a set of them is a number with a bit
for each.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from itertools import islice
from typing import TypeVar

from k8stui.apiserver.fields import labels
from k8stui.cluster.expression import Expression
from k8stui.cluster.model import Cluster, Pod
from k8stui.cluster.policy import (
    CalicoPolicy,
    ClusterPolicy,
    Conditions,
    Direction,
    Policy,
    PolicyPeer,
    PolicyRule,
    Range,
    RuleEnd,
    as_asked,
)
from k8stui.cluster.selection import ByLabel, Carriers, Chosen, carried, meant, networks, subject
from k8stui.kernel.address import Address
from k8stui.record import record

Kept = TypeVar("Kept", bound=Hashable)

Split = Sequence[tuple[int, int]]
"""Sets that are disjoint, and a number for what is the same within each."""


_Look = tuple[Mapping[str, str], int]
"""Labels, and who carries exactly these."""


@record()
class Actor:
    """Somebody whom a policy may select or name."""

    addresses: tuple[Address, ...] = ()
    """Those of a pod; of a node, any that it may send from."""
    pod: Pod | None = None
    """None: it has no network of its own, and no label counts."""


class Relations:
    """Policies of one cluster, and how the actors stand to them. Bits are places in `actors`."""

    def __init__(self, cluster: Cluster, actors: Sequence[Actor]) -> None:
        self._all = (1 << len(actors)) - 1
        self._numbers: dict[Hashable, int] = {}
        sets = _Sets(cluster, actors)
        self._policies = [
            part
            for place, each in enumerate(
                as_asked(cluster.all_policies) if cluster.calico_policies else cluster.all_policies
            )
            for part in _parts(place, each, sets, self._number)
        ]
        self.named_ports = any(each.named_ports for each in self._policies)
        """Some rule names a port: which number that is the server's containers say."""
        self._senders = [each for each in self._policies if each.rules_egress]
        self._profiles = self._split_by_selection()
        self._own = _by_bit(
            (place, each.selected)
            for place, each in enumerate(self._policies)
            if each.rules_ingress
        )
        """By actor the policies that select it for ingress."""
        self._named = _by_bit(
            ((place, number), peer)
            for place, each in enumerate(self._senders)
            for number, peer in enumerate(each.peers[Direction.EGRESS])
        )
        """By actor the peers of egress rules that mean it: which of `_senders`, which of its."""
        self._unnamed = self._numbered_profiles()
        self._in: dict[tuple[int, ...], Split] = {}
        self._in_from: dict[tuple[tuple[int, ...], Sequence[Address]], int] = {}
        self._out: dict[tuple[tuple[int, int], ...], Split] = {}
        self._sets = sets

    def incoming(self, actor: int) -> Split:
        """Who asks, by how they stand to the policies that select `actor` for ingress."""
        own = self._selecting(actor)
        found = self._in.get(own)
        if found is None:
            found = self._in[own] = self._joined(own)
        return found

    def incoming_from(self, actor: int, addresses: Sequence[Address]) -> int:
        """How single addresses stand to those policies: a node's, which may stand for a client's.

        0: no policy selects `actor` for ingress.
        """
        own = self._selecting(actor)
        if not own:
            return 0
        key = own, tuple(addresses)
        found = self._in_from.get(key)
        if found is None:
            seen = [
                (self._policies[place].shape, self._sets.held(self._policies[place], addresses))
                for place in own
            ]
            found = self._in_from[key] = self._number(("from", tuple(seen)))
        return found

    def outgoing(self, actor: int) -> Split:
        """Who asks, by how `actor` stands to the policies that select them for egress."""
        named = self._named.get(actor, ())
        found = self._out.get(named)
        if found is None:
            found = self._out[named] = self._told_by(named)
        return found

    def _told_by(self, named: Sequence[tuple[int, int]]) -> Split:
        """All askers, where just these peers of egress rules mean the one who is asked."""
        bits_of: dict[int, int] = {}
        for place, number in named:
            bits_of[place] = bits_of.get(place, 0) | 1 << number
        met = {n for place in bits_of for n in self._profiles_of.get(place, ())}
        groups = dict(self._unnamed)
        for one in met:
            profile, mask = self._profiles[one]
            usual = self._told(profile, {})
            groups[usual] &= ~mask
            number = self._told(profile, bits_of)
            groups[number] = groups.get(number, 0) | mask
        return [(mask, number) for number, mask in groups.items() if mask]

    def _told(self, profile: Sequence[int], named: Mapping[int, int]) -> int:
        """A number for what askers of one profile see of somebody; 0: nothing selects them.

        In the order of the policies, so that each says of one pod what it says of another (`told`).
        """
        seen = tuple((self._senders[one].shape, named.get(one, 0)) for one in profile)
        return self._number(seen) if seen else 0

    def _numbered_profiles(self) -> Mapping[int, int]:
        """All askers by what they see of somebody whom no egress rule means."""
        self._profiles_of: dict[int, list[int]] = {}
        groups: dict[int, int] = {}
        for number, (profile, mask) in enumerate(self._profiles):
            for place in profile:
                self._profiles_of.setdefault(place, []).append(number)
            told = self._told(profile, {})
            groups[told] = groups.get(told, 0) | mask
        return groups

    def profiles(self) -> Split:
        """Who asks, by the very policies that select them for egress."""
        return [
            (mask, self._number(("profile", profile)) if profile else 0)
            for profile, mask in self._profiles
        ]

    def _number(self, what: Hashable) -> int:
        """From 1: 0 is to have nothing to do with any policy."""
        return self._numbers.setdefault(what, len(self._numbers) + 1)

    def _selecting(self, actor: int) -> tuple[int, ...]:
        return self._own.get(actor, ())

    def _joined(self, own: tuple[int, ...]) -> Split:
        parts: list[tuple[int, tuple[tuple[int, int], ...]]] = [(self._all, ())]
        for place in own:
            policy = self._policies[place]
            parts = [
                (both, (*seen, (policy.shape, bits)))
                for mask, seen in parts
                for other, bits in policy.split(self._all)
                if (both := mask & other)
            ]
        groups: dict[int, int] = {}
        for mask, seen in parts:
            number = self._number(seen) if seen else 0
            groups[number] = groups.get(number, 0) | mask
        return [(mask, number) for number, mask in groups.items()]

    def _split_by_selection(self) -> list[tuple[tuple[int, ...], int]]:
        selected = _by_bit((place, each.selected) for place, each in enumerate(self._senders))
        parts: dict[tuple[int, ...], int] = {}
        for actor in bits(self._all):
            profile = selected.get(actor, ())
            parts[profile] = parts.get(profile, 0) | 1 << actor
        return list(parts.items())


def _by_bit(sets: Iterable[tuple[Kept, int]]) -> Mapping[int, tuple[Kept, ...]]:
    """Of each bit the names of the sets that have it."""
    found: dict[int, list[Kept]] = {}
    for name, mask in sets:
        for place in bits(mask):
            found.setdefault(place, []).append(name)
    shared: dict[tuple[Kept, ...], tuple[Kept, ...]] = {}
    return {place: shared.setdefault(tuple(o), tuple(o)) for place, o in found.items()}


def bits(mask: int) -> Iterator[int]:
    """Places of the bits that are set, ascending."""
    digits = bin(mask)[:1:-1]
    place = digits.find("1")
    while place >= 0:
        yield place
        place = digits.find("1", place + 1)


class _Policy:
    """One policy: whom it selects, and its rules with the selectors as sets."""

    def __init__(
        self, place: int, policy: Policy, sets: _Sets, number: Callable[[Hashable], int]
    ) -> None:
        self.selected = sets.selected(policy)
        self.rules_ingress = Direction.INGRESS in policy.directions
        self.rules_egress = Direction.EGRESS in policy.directions
        self.peers: Mapping[Direction, tuple[int, ...]] = {
            way: tuple(
                mask
                for rule in policy.rules(way)
                for mask in sets.rule(rule, way, policy.namespace)
            )
            for way in Direction
        }
        self.blocks = tuple(block for rule in policy.ingress for block in sets.blocks(rule))
        """Of its ingress rules, those that are left out too."""
        rules = [rule for way in Direction for rule in policy.rules(way)]
        self.named_ports = any(isinstance(one.port, str) for rule in rules for one in rule.ports)
        shape: Hashable = (policy.directions, *(sets.shape(policy, way) for way in Direction))
        # Which pods a name is looked up in is an engine's own affair, and where a policy of the
        # cluster stands in the order of asking is its own: such a policy is like none.
        # Where one of Calico's stands, the order of these places says.
        alone = self.named_ports or isinstance(policy, ClusterPolicy)
        self.shape = number(("policy", place if alone else shape))
        """The same for all that differ in nothing but in whom they select and name."""
        self._split: Split = ()

    def for_some(self, some: int, shape: int) -> _Policy:
        """A policy for some of those that it selects, with no rules: they differ by it."""
        made = copy(self)
        made.selected &= some
        made.shape = shape
        made.peers = dict.fromkeys(Direction, ())
        made.blocks = ()
        made._split = ()  # noqa: SLF001 - its own
        return made

    def split(self, everybody: int) -> Split:
        """Everybody, by which of the ingress rules' peers they are."""
        if not self._split:
            groups: dict[int, int] = {0: everybody}
            for place, peer in enumerate(self.peers[Direction.INGRESS]):
                parts = {}
                for bits, mask in groups.items():
                    if inside := mask & peer:
                        parts[bits | 1 << place] = inside
                    if outside := mask & ~peer:
                        parts[bits] = outside
                groups = parts
            self._split = [(mask, bits) for bits, mask in groups.items()]
        return self._split


def _parts(
    place: int, policy: Policy, sets: _Sets, number: Callable[[Hashable], int]
) -> Iterator[_Policy]:
    """The policy, and one for those of its pods that one of its rules asks more of."""
    made = _Policy(place, policy, sets, number)
    yield made
    if isinstance(policy, CalicoPolicy):
        others = {Direction.INGRESS: Direction.EGRESS, Direction.EGRESS: Direction.INGRESS}
        masks = (
            mask
            for way, other in others.items()
            for rule in policy.rules(way)
            for mask in sets.rule(rule, other, policy.namespace)
        )
        for one, mask in enumerate(masks):
            yield made.for_some(mask, number(("part", one)))


class _Sets:
    """Actors by what selectors and blocks say of them; each selector is asked once."""

    def __init__(self, cluster: Cluster, actors: Sequence[Actor]) -> None:
        looks: dict[tuple[str, frozenset[tuple[str, str]]], tuple[Mapping[str, str], int]] = {}
        self._by_address: dict[Address, int] = {}
        for place, actor in enumerate(actors):
            if actor.pod is not None:
                key = actor.pod.namespace, frozenset(actor.pod.labels.items())
                carried, mask = looks.get(key, (actor.pod.labels, 0))
                looks[key] = carried, mask | 1 << place
            for address in actor.addresses:
                known = self._by_address.get(address, 0)
                self._by_address[address] = known | 1 << place
        self._sorted = sorted(self._by_address.items())
        self._by_label: dict[tuple[str, str, str], list[_Look]] = {}
        """By namespace, key and value of a label: who carries it."""
        self._spaces: dict[str, list[_Look]] = {}
        for (space, _), look in looks.items():
            self._spaces.setdefault(space, []).append(look)
            for pair in look[0].items():
                self._by_label.setdefault((space, *pair), []).append(look)
        self._named = ByLabel(self._spaces, cluster.namespace_labels)
        self._known: dict[str, int] = {}
        self._chosen: dict[str, Sequence[str]] = {}
        self._cluster, self._actors = cluster, actors

    def selected(self, policy: Policy) -> int:
        """Whom a policy rules."""
        if isinstance(policy, CalicoPolicy):
            return self._meant_by(policy.pods)
        return self.pods(subject(policy))

    def rule(self, rule: PolicyRule, way: Direction, namespace: str) -> Sequence[int]:
        """Whom a rule tells apart at the other end; of Calico's, seen from one of its ends."""
        conditions = rule.conditions
        if conditions is None:
            return [mask for peer in rule.peers for mask in self.peer(peer, namespace)]
        end = conditions.ends[way is Direction.EGRESS]
        nets = (self._within(one) for one in (*end.ranges, *self._sets_in(end)))
        served = [self._served(end.service)] if end.service else []
        return [*(self._meant_by(one) for one in end.selectors), *nets, *served]

    def shape(self, policy: Policy, way: Direction) -> Hashable:
        """What its rules say, but for whom they name."""
        return (
            policy.tier,
            *(
                (
                    rule.ports,
                    tuple((p.block, p.pods is None, p.namespaces is None) for p in rule.peers),
                    rule.action,
                    self._asked(rule.conditions) if rule.conditions is not None else None,
                )
                for rule in policy.rules(way)
            ),
        )

    def _asked(self, conditions: Conditions) -> Hashable:
        ends = (
            (
                *(one.selector is None, one.but_not is None, not one.service),
                *(one.nets, one.not_nets, one.ports, one.not_ports, len(self._sets_in(one))),
            )
            for one in conditions.ends
        )
        of_packet = conditions.protocol, conditions.not_protocol, conditions.version
        return (*of_packet, conditions.icmp, conditions.not_icmp, *ends)

    def blocks(self, rule: PolicyRule) -> Sequence[Range]:
        """What an ingress rule asks an address for."""
        if rule.conditions is not None:
            source = rule.conditions.source
            return [*source.ranges, *self._sets_in(source)]
        blocks = (peer.block for peer in rule.peers if peer.block is not None)
        return [range_ for one in blocks for range_ in (one.cidr, *one.excepts)]

    def _sets_in(self, end: RuleEnd) -> Sequence[Range]:
        """Networks that the selectors of an end mean."""
        return [net for selector in end.selectors for net in networks(self._cluster, selector)]

    def _meant_by(self, expression: Expression) -> int:
        return sum(1 << place for place in self._carriers.meant_by(expression))

    @cached_property
    def _carriers(self) -> Carriers[int]:
        return Carriers(
            (place, carried(self._cluster, actor.pod))
            for place, actor in enumerate(self._actors)
            if actor.pod is not None
        )

    def _served(self, service: str) -> int:
        """The endpoints of a Service."""
        slices = self._cluster.endpoint_slices.get(service, ())
        found = 0
        for address in (a for each in slices for one in each.endpoints for a in one.addresses):
            found |= self._by_address.get(address, 0)
        return found

    def peer(self, peer: PolicyPeer, namespace: str) -> Sequence[int]:
        """Whom a peer of a rule means: of an ipBlock whom it holds, and whom it leaves out.

        Nodes and names of outside hosts are none of the actors.
        """
        if not peer.selects_pods and peer.block is None:
            return []
        if peer.block is None:
            return [self.pods(meant(peer, namespace))]
        return [self._within(one) for one in (peer.block.cidr, *peer.block.excepts)]

    def pods(self, chosen: Chosen) -> int:
        """Whom a policy rules, or a peer means."""
        own = chosen.own if chosen.spaces is None else ""
        key = f"{own}\n{chosen.spaces!r}\n{chosen.pods!r}"
        found = self._known.get(key)
        if found is None:
            found = 0
            for space in self._of(chosen):
                for carried, mask in self._perhaps(space, chosen.pods):
                    if chosen.has_labels(carried):
                        found |= mask
            self._known[key] = found
        return found

    def _perhaps(self, space: str, pods: object) -> Sequence[_Look]:
        """Those of a namespace that a podSelector may match."""
        wanted = labels(pods, "matchLabels")
        found = [self._by_label.get((space, *pair), ()) for pair in wanted.items()]
        return min(found, key=len) if found else self._spaces.get(space, ())

    def _of(self, chosen: Chosen) -> Sequence[str]:
        """Namespaces of whose pods some may be meant."""
        if chosen.spaces is None:
            return (chosen.own,)
        key = repr(chosen.spaces)
        found = self._chosen.get(key)
        if found is None:
            found = self._chosen[key] = tuple(self._named.meant(chosen))
        return found

    def held(self, policy: _Policy, addresses: Sequence[Address]) -> tuple[bool, ...]:
        """Which of a policy's blocks hold which address."""
        return tuple(address in block for block in policy.blocks for address in addresses)

    def _within(self, block: Range) -> int:
        key = f"block {block.prefix}"
        found = self._known.get(key)
        if found is None:
            found = 0
            if block.prefix is not None:
                first = bisect_left(self._sorted, (block.prefix.address, 0))
                for address, mask in islice(self._sorted, first, None):
                    if address not in block:
                        break
                    found |= mask
            self._known[key] = found
        return found
