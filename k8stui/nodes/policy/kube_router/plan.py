"""What kube-router makes of one policy, alike on every node: what is let through, and the sets.

Source: policy.go buildNetworkPoliciesInfo, processNetworkPolicyPorts, grabNamedPortFromPod,
evalIPBlockPeer, processIngressRules, processEgressRules; utils.go isNetPolActionable. Where it
departs from the API is in docs/facts/policy.md, and comes out of doing what these functions do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from k8stui.cluster.model import Pod
from k8stui.cluster.policy import Direction, IpBlock, NetworkPolicy, PolicyPort, PolicyRule
from k8stui.cluster.selection import Chosen, Selection, subject
from k8stui.kernel.address import Address, Prefix
from k8stui.nodes.policy.kube_router.dialect import LetsThrough
from k8stui.nodes.policy.kube_router.names import DESTINATION, SOURCE, PolicyNames
from k8stui.record import record

PODS, BLOCKS = "hash:ip", "hash:net"
_EVERYTHING = {
    4: (Prefix.parse("0.0.0.0/1"), Prefix.parse("128.0.0.0/1")),
    6: (Prefix.parse("2000::/3"), Prefix.parse("fd00::/8")),
}
"""A set takes no network of length 0; these stand in for it."""

Elements = Mapping[Prefix, bool]
"""Whether an address in the network is meant (False: ``nomatch``)."""


@record()
class Allowed:
    """One thing that a policy lets through: two rules of its chain. Empty: whatever it is."""

    way: LetsThrough
    rule: PolicyRule
    sources: str
    """Name of a set."""
    destinations: str
    protocol: str = ""
    """As ``-p`` prints it."""
    ports: str = ""
    """``80`` or ``80:90``."""
    by_name: str = ""
    """The name that the port goes by."""


@record()
class PlannedSet:
    """An ipset that the engine makes."""

    kind: str
    elements: Elements


def counts(pod: Pod) -> bool:
    """Whether the engine looks at the pod at all."""
    return bool(pod.addresses) and not pod.host_network and not pod.phase.is_final


def address_of(pod: Pod, version: int) -> Address | None:
    """The first address of the family: the one that rules name."""
    return next((one for one in pod.addresses if one.version == version), None)


class PolicyPlan:
    """One policy for IP `version` 4 or 6."""

    def __init__(self, policy: NetworkPolicy, selection: Selection, version: int) -> None:
        self.policy = policy
        self.names = PolicyNames(policy.namespace, policy.name, version)
        self.sets: dict[str, PlannedSet] = {}
        self._selection = selection
        self._version = version
        self.targets = _counted(selection.pods(subject(policy)))
        own = [one for pod in self.targets for one in pod.addresses if one.version == version]
        self._own = _hosts(own)
        self.allowed = tuple(self._allowed())

    def _allowed(self) -> Iterator[Allowed]:
        policy = self.policy
        if Direction.INGRESS in policy.directions:
            targets = self._keep(self.names.targets(DESTINATION), PODS, self._own)
            ports = _NamedPorts(self.targets)
            for place, rule in enumerate(policy.ingress):
                yield from self._ingress(place, rule, targets, ports)
        if Direction.EGRESS in policy.directions:
            targets = self._keep(self.names.targets(SOURCE), PODS, self._own)
            for place, rule in enumerate(policy.egress):
                yield from self._egress(place, rule, targets)

    def _ingress(
        self, place: int, rule: PolicyRule, targets: str, ports: _NamedPorts
    ) -> Iterator[Allowed]:
        numbered, named = self._ports(rule, ports)
        pods = self._peers(rule)

        def by_name(kind: str) -> Iterator[tuple[_Number, str]]:
            for index, one in enumerate(named):
                name = self.names.named_port("ingress", place, index)
                yield one, self._keep(name, kind, _hosts(one.addresses[self._version]))

        if pods:
            name = self.names.peers(SOURCE, "ingress", place)
            sources = self._keep(name, PODS, self._hosts_of(pods))
            way = LetsThrough.INGRESS_PODS
            yield from (_numbered(way, rule, sources, targets, port) for port in numbered)
            yield from (_named(way, rule, sources, to, one) for one, to in by_name(PODS))
            if not numbered and not named:
                yield Allowed(way, rule, sources, targets)
        if not rule.peers:
            way = LetsThrough.INGRESS_ANY
            yield from (_numbered(way, rule, "", targets, port) for port in numbered)
            yield from (_named(way, rule, "", to, one) for one, to in by_name(PODS))
            if not rule.ports:
                yield Allowed(way, rule, "", targets)
        blocks = self._blocks(rule)
        if blocks:
            sources = self._keep(self.names.blocks(SOURCE, "ingress", place), BLOCKS, blocks)
            way = LetsThrough.INGRESS_BLOCKS
            yield from (_numbered(way, rule, sources, targets, port) for port in numbered)
            yield from (_named(way, rule, sources, to, one) for one, to in by_name(BLOCKS))
            if not rule.ports:
                yield Allowed(way, rule, sources, targets)

    def _egress(self, place: int, rule: PolicyRule, targets: str) -> Iterator[Allowed]:
        pods = self._peers(rule)
        by_names = any(isinstance(port.port, str) for port in rule.ports)
        known = pods
        if not rule.peers and by_names:
            known = _counted(self._selection.pods(Chosen(self.policy.namespace)))
        numbered, named = self._ports(rule, _NamedPorts(known))
        if pods:
            name = self.names.peers(DESTINATION, "egress", place)
            there = self._keep(name, PODS, self._hosts_of(pods))
            way = LetsThrough.EGRESS_PODS
            yield from (_numbered(way, rule, targets, there, port) for port in numbered)
            for index, one in enumerate(named):
                name = self.names.named_port("egress", place, index)
                to = self._keep(name, PODS, _hosts(one.addresses[self._version]))
                yield _named(way, rule, targets, to, one)
            if not numbered and not named:
                yield Allowed(way, rule, targets, there)
        if not rule.peers:
            way = LetsThrough.EGRESS_ANY
            yield from (_numbered(way, rule, targets, "", port) for port in numbered)
            yield from (_named(way, rule, targets, "", one) for one in named)
            if not rule.ports:
                yield Allowed(way, rule, targets, "")
        blocks = self._blocks(rule)
        if blocks:
            there = self._keep(self.names.blocks(DESTINATION, "egress", place), BLOCKS, blocks)
            way = LetsThrough.EGRESS_BLOCKS
            yield from (_numbered(way, rule, targets, there, port) for port in numbered)
            if not rule.ports:
                yield Allowed(way, rule, targets, there)

    def _keep(self, name: str, kind: str, elements: Elements) -> str:
        """Enter a set; one that is there already keeps its kind (ipset.go RefreshSet)."""
        before = self.sets.get(name)
        self.sets[name] = PlannedSet(before.kind if before else kind, elements)
        return name

    def _peers(self, rule: PolicyRule) -> tuple[Pod, ...]:
        found = (self._selection.peer(self.policy, peer) for peer in rule.peers)
        return _counted(pod for pods in found for pod in pods)

    def _hosts_of(self, pods: Iterable[Pod]) -> Elements:
        found = (address_of(pod, self._version) for pod in pods)
        return _hosts(one for one in found if one is not None)

    def _blocks(self, rule: PolicyRule) -> Elements:
        """All blocks of the rule in one set: of the same network written twice the later wins."""
        found: dict[Prefix, bool] = {}
        for peer in rule.peers:
            alone = peer.pods is None and peer.namespaces is None
            if peer.block is not None and alone:
                found.update(_elements(peer.block, self._version))
        return found

    def _ports(
        self, rule: PolicyRule, known: _NamedPorts
    ) -> tuple[Sequence[PolicyPort], Sequence[_Number]]:
        numbered = [port for port in rule.ports if not isinstance(port.port, str)]
        named = [
            number
            for port in rule.ports
            if isinstance(port.port, str)
            for number in known.numbers(port.port, port.protocol)
        ]
        return numbered, named


@record(eq=False)
class _Number:
    """A number that goes by a name, and the addresses of who has it."""

    name: str
    protocol: str
    number: int
    addresses: dict[int, list[Address]]
    """By IP version. Shared by all ports of the pod that had the number first: so the set of one
    name can hold what was added under another (docs/facts/policy.md row 4)."""


class _NamedPorts:
    """What container ports some pods have, by name."""

    def __init__(self, pods: Iterable[Pod]) -> None:
        self._known: dict[tuple[str, str], dict[int, _Number]] = {}
        for pod in pods:
            own: dict[int, list[Address]] = {4: [], 6: []}
            for address in pod.addresses:
                own[address.version].append(address)
            for container in pod.containers:
                if container.init:
                    continue
                for port in container.ports:
                    protocol = port.protocol.name
                    numbers = self._known.setdefault((port.name, protocol), {})
                    found = numbers.get(port.number)
                    if found is None:
                        numbers[port.number] = _Number(port.name, protocol, port.number, own)
                        continue
                    for version, addresses in own.items():
                        found.addresses[version] += tuple(addresses)

    def numbers(self, name: str, protocol: str) -> Sequence[_Number]:
        """In order; kube-router's own is that of a Go map."""
        found = self._known.get((name, protocol), {})
        return [found[number] for number in sorted(found)]


def _counted(pods: Iterable[Pod]) -> tuple[Pod, ...]:
    return tuple(pod for pod in pods if counts(pod))


def _hosts(addresses: Iterable[Address]) -> Elements:
    return {Prefix(one, one.bits): True for one in addresses}


def _elements(block: IpBlock, version: int) -> Iterator[tuple[Prefix, bool]]:
    for part, meant in ((block.cidr, True), *((one, False) for one in block.excepts)):
        prefix = part.prefix
        if prefix is None or prefix.address.version != version:
            return
        for one in (prefix,) if prefix.length else _EVERYTHING[version]:
            yield one, meant


def _numbered(
    way: LetsThrough, rule: PolicyRule, sources: str, destinations: str, port: PolicyPort
) -> Allowed:
    ports = "" if port.port is None else str(port.port)
    last = port.end_port
    if isinstance(port.port, int) and last is not None and last > port.port:
        ports += f":{last}"
    return Allowed(way, rule, sources, destinations, port.protocol.lower(), ports)


def _named(
    way: LetsThrough, rule: PolicyRule, sources: str, destinations: str, one: _Number
) -> Allowed:
    protocol, ports = one.protocol.lower(), str(one.number)
    return Allowed(way, rule, sources, destinations, protocol, ports, one.name)
