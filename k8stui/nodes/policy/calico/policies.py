"""What Felix makes of a policy: a chain a way, and the sets that its rules ask.

Source: Calico v3.30 libcalico-go/lib/backend/k8s/conversion k8sRuleToCalico, SimplifyPorts,
combinePortsWithANPEgressPeers, k8sANPHandleFailedRules; felix/calc/rule_scanner.go
ruleToParsedRule; felix/rules/policy.go ProtoRuleToIptablesRules, SplitPortList,
CombineMatchAndActionsForProtoRule. Of several networks of a policy of the cluster each has a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from k8stui.because import Because
from k8stui.cluster.model import Pod
from k8stui.cluster.policy import (
    Action,
    ClusterPolicy,
    Direction,
    Policy,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
)
from k8stui.cluster.programs.listening import declared
from k8stui.cluster.selection import Selection
from k8stui.kernel.address import Address
from k8stui.kernel.ipset import IpSet
from k8stui.nodes.policy.calico import rule as felix
from k8stui.nodes.policy.calico.names import (
    EVERYBODY,
    peer_selector,
    policy_name,
    port_id,
    selector_id,
    set_name,
)
from k8stui.nodes.policy.calico.rule import (
    ACCEPT,
    BLOCK,
    DENIED,
    FROM_WORKLOAD,
    PASS,
    FelixAction,
    FelixMatch,
    FelixRule,
    rule,
)

_SLOTS = 15
"""Of ``-m multiport``; a range takes two."""
_HEADER = {
    4: "family inet hashsize 1024 maxelem 1048576 bucketsize 12",
    6: "family inet6 hashsize 1024 maxelem 1048576 bucketsize 12",
}
NETS, PORTS = "hash:net", "hash:ip,port"
_ACTIONS: Mapping[Action, tuple[int, FelixAction]] = {
    Action.ALLOW: (ACCEPT, felix.RETURN),
    Action.PASS: (PASS, felix.RETURN),
    Action.DENY: (DENIED, felix.DROP),
}
"""Which bit a rule sets, and what is then done with what has it."""
_DOES = {Action.ALLOW: "allows", Action.PASS: "passes on", Action.DENY: "denies"}

Range = tuple[int, int]
Sets = dict[str, IpSet]


def set_of(kind: str, elements: Iterable[str], version: int) -> IpSet:
    made = IpSet(kind, header=_HEADER[version])
    for one in elements:
        made.add(one)
    return made


class PolicyChains:
    """One policy for one family."""

    def __init__(
        self,
        policy: Policy,
        selection: Selection,
        everybody: Sequence[Pod],
        version: int,
    ) -> None:
        self._policy, self._selection, self._version = policy, selection, version
        self._everybody = everybody
        self.sets: Sets = {}
        self.rules: Mapping[Direction, list[FelixRule]] = {
            way: self._chain(way) for way in Direction
        }

    def _chain(self, way: Direction) -> list[FelixRule]:
        rules = [
            made
            for place, one in enumerate(self._policy.rules(way))
            if (known := self._converted(one)) is not None
            for made in self._rule(way, place, known)
        ]
        if rules and rules[-1].action == felix.RETURN:
            rules.pop()
        said = f"Policy {policy_name(self._policy)} {way.lower()}"
        first = rules[0] if rules else FelixRule()
        comments = (*first.comments, said)
        kept = FelixRule(
            matches=first.matches, action=first.action, comments=comments, reason=first.reason
        )
        return [kept, *rules[1:]]

    def _converted(self, one: PolicyRule) -> PolicyRule | None:
        """A rule as Calico understands it, of a policy of the cluster.

        It knows no names of ports: such a rule is about all of them. Of peers it knows no nodes and
        no domain names: it leaves such a rule out if that allows, else it denies everything.
        """
        if not isinstance(self._policy, ClusterPolicy):
            return one
        if any(peer.nodes is not None or peer.domain is not None for peer in one.peers):
            denies = one.action is not Action.ALLOW
            return replace(one, peers=(), ports=(), action=Action.DENY) if denies else None
        if any(isinstance(port.port, str) for port in one.ports):
            return replace(one, ports=())
        return one

    def _rule(self, way: Direction, place: int, one: PolicyRule) -> Iterator[FelixRule]:
        """By protocol, in the order of their names; of each, one rule a peer."""
        by_protocol: dict[str, list[PolicyPort] | None] = {}
        for port in one.ports:
            known = by_protocol.get(port.protocol, [])
            whole = port.port is None or known is None
            by_protocol[port.protocol] = None if whole else [*(known or ()), port]
        for name in sorted(by_protocol) or [""]:
            ports = by_protocol.get(name)
            for peer in one.peers or (None,):
                reason = self._because(way, place, one, peer)
                done = _ACTIONS[one.action]
                yield from self._written(way, name, ports or (), peer, (*done, reason))

    def _because(
        self, way: Direction, place: int, one: PolicyRule, peer: PolicyPeer | None
    ) -> Because:
        ports = ", ".join(map(str, one.ports)) or "every port"
        whom = str(peer) if peer is not None else "anybody"
        side = "from" if way is Direction.INGRESS else "to"
        policy = self._policy
        named = policy.key if policy.namespace else f"{policy.kind} {policy.key}"
        does = _DOES[one.action]
        return Because(
            text=f"{way.lower()}[{place}] of {named} {does} {ports} {side} {whom}",
            origin=peer.origin if peer is not None else one.origin,
            owner="calico",
        )

    def _written(
        self,
        way: Direction,
        protocol: str,
        ports: Sequence[PolicyPort],
        peer: PolicyPeer | None,
        done: tuple[int, FelixAction, Because],
    ) -> Iterator[FelixRule]:
        """One of Felix's rules: what does not fit into one goes before it, and sets a bit.

        `done`: the bit that the rule itself sets, what becomes of what has it, and why.
        """
        inward = way is Direction.INGRESS
        side, end = ("source", "src") if inward else ("destination", "dst")
        named = [str(one.port) for one in ports if isinstance(one.port, str)]
        numbers = _numbers(ports)
        nets, holes = self._nets(peer)
        if nets is None:
            return
        far: list[FelixMatch] = []
        if peer is not None and peer.block is None:
            selector = peer_selector(peer, self._policy.namespace)
            if inward or numbers or not named:
                far.append(felix.in_set(self._peer_set(selector, peer), end))
        else:
            selector = EVERYBODY
        with_names = [
            felix.in_set(self._port_set(name, protocol, selector, peer, way), "dst,dst")
            for name in named
        ]
        of_protocol = [felix.protocol_named(protocol.lower())] if protocol else []
        splits = [felix.to_ports(one) for one in _split(numbers)]
        before: list[FelixRule] = []
        if len(splits) + len(with_names) > 1:
            before += [rule(then=felix.set_mark(0, FROM_WORKLOAD | BLOCK))]
            before += [
                rule(*of_protocol, one, then=felix.set_mark(FROM_WORKLOAD)) for one in splits
            ]
            before += [rule(one, then=felix.set_mark(FROM_WORKLOAD)) for one in with_names]
            splits, with_names = [], []
        if len(nets) + len(holes) > 1:
            if not before:
                before = [rule(then=felix.set_mark(FROM_WORKLOAD, FROM_WORKLOAD | BLOCK))]
            before += [
                rule(felix.net(side, one), then=felix.clear_mark(FROM_WORKLOAD)) for one in holes
            ]
            holes = ()
        matches = [*of_protocol, *(felix.net(side, one) for one in nets)]
        matches += [*far, *splits, *with_names]
        matches += [felix.net(side, one, "! ") for one in holes]
        if before:
            matches.append(felix.marked(FROM_WORKLOAD))
        yield from before
        bit, then, reason = done
        yield rule(*matches, then=felix.set_mark(bit), reason=reason)
        yield rule(felix.marked(bit), then=then, reason=reason if bit == DENIED else None)

    def _nets(self, peer: PolicyPeer | None) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
        """The block and what it leaves out; None: it is of the other family."""
        if peer is None or peer.block is None:
            return (), ()
        whole, holes = peer.block.cidr.prefix, [one.prefix for one in peer.block.excepts]
        if whole is None or None in holes or whole.address.version != self._version:
            return None, ()
        return (str(whole),), tuple(map(str, holes))

    def _peer_set(self, selector: str, peer: PolicyPeer) -> str:
        name = set_name(selector_id(selector), self._version)
        if name not in self.sets:
            pods = self._selection.peer(self._policy, peer)
            addresses = (str(one) for pod in pods if counts(pod) for one in self._of(pod))
            self.sets[name] = set_of(NETS, addresses, self._version)
        return name

    def _port_set(
        self, name: str, protocol: str, selector: str, peer: PolicyPeer | None, way: Direction
    ) -> str:
        """Addresses with the numbers that the name has: of the peers where they are asked."""
        if way is Direction.INGRESS:
            selector, peer = EVERYBODY, None
        found = set_name(port_id(selector, protocol.lower(), name), self._version)
        if found not in self.sets:
            pods = self._everybody
            if peer is not None and peer.block is None:
                pods = tuple(self._selection.peer(self._policy, peer))
            elements = (
                f"{address},{protocol.lower()}:{port.number}"
                for pod in pods
                if counts(pod)
                for port in declared(pod)
                if port.name == name and port.protocol.name == protocol
                for address in self._of(pod)
            )
            self.sets[found] = set_of(PORTS, elements, self._version)
        return found

    def _of(self, pod: Pod) -> Iterator[Address]:
        return (one for one in pod.addresses if one.version == self._version)


def counts(pod: Pod) -> bool:
    """Whether a pod is an endpoint: with an address of its own, and not over."""
    return not pod.host_network and bool(pod.addresses) and not pod.phase.is_final


def _numbers(ports: Sequence[PolicyPort]) -> list[Range]:
    """Numbers as ranges; several are sorted, and joined where they touch (SimplifyPorts)."""
    found = [(one.port, one.end_port or one.port) for one in ports if isinstance(one.port, int)]
    if len(ports) <= 1 or sum(last - first + 1 for first, last in found) <= 1:
        return found
    joined: list[Range] = []
    for first, last in sorted(found):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined


def _split(ranges: Sequence[Range]) -> Iterator[str]:
    words: list[str] = []
    left = _SLOTS
    for first, last in ranges:
        needed = 1 if first == last else 2
        if left < needed:
            yield ",".join(words)
            words, left = [], _SLOTS
        words.append(str(first) if first == last else f"{first}:{last}")
        left -= needed
    if words:
        yield ",".join(words)
