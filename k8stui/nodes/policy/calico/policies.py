"""What Felix makes of a policy: a chain a way, and the sets that its rules ask.

Source: Calico v3.30 libcalico-go/lib/backend/k8s/conversion k8sRuleToCalico, SimplifyPorts,
combinePortsWithANPEgressPeers, k8sANPHandleFailedRules; felix/calc/rule_scanner.go
ruleToParsedRule; felix/rules/policy.go ProtoRuleToIptablesRules, SplitPortList,
CombineMatchAndActionsForProtoRule. Of several networks of a policy of the cluster each has a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from k8stui.because import Because
from k8stui.cluster.expression import Expression
from k8stui.cluster.model import Cluster, Pod
from k8stui.cluster.policy import (
    Action,
    ClusterPolicy,
    Conditions,
    Direction,
    NetworkPolicy,
    Policy,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    Range,
    RuleEnd,
)
from k8stui.cluster.programs.listening import declared
from k8stui.cluster.selection import Selection, networks
from k8stui.kernel.address import Address
from k8stui.kernel.ipset import IpSet
from k8stui.nodes.policy.calico import rule as felix
from k8stui.nodes.policy.calico.names import (
    EVERYBODY,
    peer_selector,
    policy_name,
    port_id,
    selector_id,
    service_id,
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
    Action.LOG: (0, felix.LOG),
}
"""Which bit a rule sets, and what is then done with what has it."""
_DOES = {
    Action.ALLOW: "allows",
    Action.PASS: "passes on",
    Action.DENY: "denies",
    Action.LOG: "logs",
}
_SIDES = (("source", "src"), ("destination", "dst"))
_SERVED = {"src": ("svcnoport", "src"), "dst": ("svc", "dst,dst")}
"""Endpoints of a Service: what their set is hashed with, and what is looked up in it."""
_HALVES = {4: ("0.0.0.0/1", "128.0.0.0/1"), 6: ("::/1", "8000::/1")}

Numbers = tuple[int, int]
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
        cluster: Cluster,
        version: int,
    ) -> None:
        self._policy, self._selection, self._version = policy, selection, version
        self._cluster, self._everybody = cluster, tuple(cluster.pods.values())
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
        if one.conditions is not None:
            reason = self._because(way, place, one, next(iter(one.peers), None))
            yield from self._by_conditions(one.conditions, (*_ACTIONS[one.action], reason))
            return
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
        named = policy.key
        if not isinstance(policy, NetworkPolicy):
            named = f"{policy.kind} {policy.key}"
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
        whole, holes = _nets(peer)
        far = _End(nets=whole, not_nets=holes)
        near = _End()
        in_, out = (far, near) if way is Direction.INGRESS else (near, far)
        if peer is not None and peer.block is None:
            far.selector = peer_selector(peer, self._policy.namespace)
            far.pods = tuple(self._selection.peer(self._policy, peer))
        out.numbers = _numbers(ports)
        out.names = [str(one.port) for one in ports if isinstance(one.port, str)]
        of_protocol = [felix.protocol_named(protocol.lower())] if protocol else []
        yield from self._rendered(of_protocol, (in_, out), protocol.lower(), done)

    def _by_conditions(
        self, wanted: Conditions, done: tuple[int, FelixAction, Because]
    ) -> Iterator[FelixRule]:
        """The same of a rule of Calico's own."""
        if wanted.version not in (None, self._version):
            return
        of_protocol = [felix.protocol_named(wanted.protocol)] if wanted.protocol else []
        first, last = [], []
        if wanted.icmp is not None:
            first.append(felix.icmp(self._version, *wanted.icmp))
        if wanted.not_protocol:
            last.append(felix.protocol_named(wanted.not_protocol, "! "))
        negated = wanted.not_icmp
        last_of_all = [felix.icmp(self._version, *negated, "! ")] if negated is not None else []
        ends = [self._end(one) for one in wanted.ends]
        yield from self._rendered(
            of_protocol,
            (ends[0], ends[1]),
            wanted.protocol or "tcp",
            done,
            (first, last, last_of_all),
        )

    def _end(self, written: RuleEnd) -> _End:
        end = _End(
            nets=[str(one.prefix) for one in written.nets],
            not_nets=[str(one.prefix) for one in written.not_nets],
            numbers=_ranges(written.ports),
            names=[str(one.port) for one in written.ports if isinstance(one.port, str)],
            not_numbers=_ranges(written.not_ports),
            not_names=[str(one.port) for one in written.not_ports if isinstance(one.port, str)],
            service=written.service,
        )
        if written.selector is not None:
            end.selector = str(written.selector)
            end.pods, end.networks = self._meant_by(written.selector)
        if written.but_not is not None:
            end.but_not = self._set_of(str(written.but_not), *self._meant_by(written.but_not))
        return end

    def _meant_by(self, selector: Expression) -> tuple[Sequence[Pod], Sequence[Range]]:
        return self._selection.meant_by(selector), networks(self._cluster, selector)

    def _rendered(
        self,
        protocol: list[FelixMatch],
        ends: tuple[_End, _End],
        named: str,
        done: tuple[int, FelixAction, Because],
        others: tuple[list[FelixMatch], list[FelixMatch], list[FelixMatch]] = ([], [], []),
    ) -> Iterator[FelixRule]:
        """One rule: what does not fit into it goes before it, in blocks that set a bit each.

        `named`: the protocol of ports' names. `others`: about neither end, what is to be so, and
        what is not to be so, before and behind what is not to be so of the ends.
        """
        if not all(one.is_of_family(self._version) for one in ends):
            return
        blocks = _Blocks()
        for end, (_, short) in zip(ends, _SIDES, strict=True):
            sides = f"{short},{short}"
            end.matches = [
                felix.in_set(self._port_set(name, named, end), sides) for name in end.names
            ]
            end.splits = [felix.ports(short, one) for one in _split(end.numbers)]
            if len(end.splits) + len(end.matches) > 1:
                blocks.one_of(
                    [*((*protocol, one) for one in end.splits), *((one,) for one in end.matches)]
                )
                end.splits, end.matches = [], []
        for end, (side, _) in zip(ends, _SIDES, strict=True):
            if len(end.nets) > 1:
                blocks.one_of([(felix.net(side, one),) for one in end.nets])
                end.nets = []
        for end, (side, _) in zip(ends, _SIDES, strict=True):
            if len(end.nets) + len(end.not_nets) > 1 and end.not_nets:
                blocks.none_of([felix.net(side, one) for one in end.not_nets])
                end.not_nets = []
        matches = [*protocol]
        for end, (side, short) in zip(ends, _SIDES, strict=True):
            matches += [felix.net(side, one) for one in end.nets]
            matches += [felix.in_set(one, short) for one in self._sets_of(end)]
            if end.service:
                kind = _SERVED[short]
                matches.append(felix.in_set(self._service_set(end.service, *kind), kind[1]))
            matches += [*end.splits, *end.matches]
        first, last, last_of_all = others
        matches += [*first, *last]
        for end, (side, short) in zip(ends, _SIDES, strict=True):
            matches += [felix.net(side, one, "! ") for one in end.not_nets]
            matches += [felix.in_set(end.but_not, short, "! ")] if end.but_not else []
            matches += [felix.ports(short, one, "! ") for one in _split(end.not_numbers)]
            matches += [
                felix.in_set(self._port_set(name, named, end), f"{short},{short}", "! ")
                for name in end.not_names
            ]
        matches += last_of_all
        yield from blocks.rules
        if blocks.rules:
            matches.append(felix.marked(FROM_WORKLOAD))
        bit, then, reason = done
        if not bit:
            yield rule(*matches, then=then, reason=reason)
            return
        yield rule(*matches, then=felix.set_mark(bit), reason=reason)
        yield rule(felix.marked(bit), then=then, reason=reason if bit == DENIED else None)

    def _sets_of(self, end: _End) -> Iterator[str]:
        """The set of a selector, unless names of ports say it already (ruleToParsedRule)."""
        if end.selector and (end.numbers or not end.names):
            yield self._set_of(end.selector, end.pods, end.networks)

    def _set_of(self, selector: str, pods: Iterable[Pod], networks: Iterable[Range]) -> str:
        name = set_name(selector_id(selector), self._version)
        if name not in self.sets:
            addresses = (str(one) for pod in pods if counts(pod) for one in self._of(pod))
            nets = (part for one in networks for part in self._parts(one))
            self.sets[name] = set_of(NETS, dict.fromkeys((*addresses, *nets)), self._version)
        return name

    def _parts(self, net: Range) -> Iterator[str]:
        """A range as a set of the kernel's takes it, which knows none of all addresses."""
        prefix = net.prefix
        if prefix is None or prefix.address.version != self._version:
            return
        if prefix.length:
            yield str(prefix)
        else:
            yield from _HALVES[self._version]

    def _service_set(self, service: str, kind: str, sides: str) -> str:
        """Endpoints of a Service: with their ports, or their addresses alone."""
        name = set_name(service_id(kind, service), self._version)
        if name not in self.sets:
            found: list[str] = []
            for each in self._cluster.endpoint_slices.get(service, ()):
                numbers = [f",{one.protocol.name.lower()}:{one.port}" for one in each.ports or ()]
                for address in (a for one in each.endpoints for a in one.addresses):
                    if address.version == self._version:
                        found += [f"{address}{one}" for one in (numbers if "," in sides else [""])]
            made = set_of(PORTS if "," in sides else NETS, dict.fromkeys(found), self._version)
            self.sets[name] = made
        return name

    def _port_set(self, name: str, protocol: str, end: _End) -> str:
        """Addresses with the numbers that the name has: of those that the end means."""
        found = set_name(port_id(end.selector or EVERYBODY, protocol, name), self._version)
        if found not in self.sets:
            elements = (
                f"{address},{protocol}:{port.number}"
                for pod in (end.pods if end.selector else self._everybody)
                if counts(pod)
                for port in declared(pod)
                if port.name == name and port.protocol.name.lower() == protocol
                for address in self._of(pod)
            )
            self.sets[found] = set_of(PORTS, elements, self._version)
        return found

    def _of(self, pod: Pod) -> Iterator[Address]:
        return (one for one in pod.addresses if one.version == self._version)


@dataclass(slots=True, kw_only=True)
class _End:
    """The source, or the destination, of a rule that is being written."""

    selector: str = ""
    pods: Sequence[Pod] = ()
    networks: Sequence[Range] = ()
    but_not: str = ""
    """A set's name."""
    nets: list[str] = field(default_factory=list)
    not_nets: list[str] = field(default_factory=list)
    numbers: Sequence[Numbers] = ()
    names: Sequence[str] = ()
    not_numbers: Sequence[Numbers] = ()
    not_names: Sequence[str] = ()
    service: str = ""
    splits: list[FelixMatch] = field(default_factory=list)
    matches: list[FelixMatch] = field(default_factory=list)
    """Of names of ports."""

    def is_of_family(self, version: int) -> bool:
        """Keep the networks of one family; whether the rule is then still what is written.

        Source: felix/rules/policy.go FilterRuleToIPVersion, filterNets.
        """
        mine = ":" if version == 6 else "."
        for nets, is_negated in ((self.nets, False), (self.not_nets, True)):
            kept = [one for one in nets if mine in one]
            if nets and (not kept or (is_negated and any(one.endswith("/0") for one in kept))):
                return False
            nets[:] = kept
        return True


class _Blocks:
    """What goes before a rule: each block takes the bit from what it does not fit.

    Source: felix/rules/policy.go matchBlockBuilder.
    """

    def __init__(self) -> None:
        self.rules: list[FelixRule] = []
        self._has_positive = False

    def one_of(self, alternatives: Iterable[Sequence[FelixMatch]]) -> None:
        self._begin(0)
        bit = BLOCK if self._has_positive else FROM_WORKLOAD
        self.rules += [rule(*one, then=felix.set_mark(bit)) for one in alternatives]
        if self._has_positive:
            self.rules.append(rule(felix.unmarked(BLOCK), then=felix.clear_mark(FROM_WORKLOAD)))
        self._has_positive = True

    def none_of(self, excluded: Iterable[FelixMatch]) -> None:
        self._begin(FROM_WORKLOAD)
        self.rules += [rule(one, then=felix.clear_mark(FROM_WORKLOAD)) for one in excluded]

    def _begin(self, bits: int) -> None:
        if not self.rules:
            self.rules.append(rule(then=felix.set_mark(bits, FROM_WORKLOAD | BLOCK)))


def _nets(peer: PolicyPeer | None) -> tuple[list[str], list[str]]:
    """The block and what it leaves out; what cannot be read is of no family."""
    if peer is None or peer.block is None:
        return [], []
    return [str(peer.block.cidr.prefix)], [str(one.prefix) for one in peer.block.excepts]


def counts(pod: Pod) -> bool:
    """Whether a pod is an endpoint: with an address of its own, and not over."""
    return not pod.host_network and bool(pod.addresses) and not pod.phase.is_final


def _numbers(ports: Sequence[PolicyPort]) -> list[Numbers]:
    """Numbers as ranges; several are sorted, and joined where they touch (SimplifyPorts)."""
    found = _ranges(ports)
    if len(ports) <= 1 or sum(last - first + 1 for first, last in found) <= 1:
        return found
    joined: list[Numbers] = []
    for first, last in sorted(found):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined


def _ranges(ports: Sequence[PolicyPort]) -> list[Numbers]:
    return [(one.port, one.end_port or one.port) for one in ports if isinstance(one.port, int)]


def _split(ranges: Sequence[Numbers]) -> Iterator[str]:
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
