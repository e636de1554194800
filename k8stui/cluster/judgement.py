"""What policies say of one connection, by the API's rules alone.

Three tiers, each asked for one way of one pod: Admin, NetworkPolicy, Baseline. In the first and the
last the first rule that fits decides (of the policy with the lowest priority, then from top to
bottom); Pass goes on with the next tier. NetworkPolicies that select the pod always decide: what
none of their rules allows is denied. Whom nobody selects may do everything.

Calico has more tiers, and policies of its own in that of the NetworkPolicies, among which it asks
these by their order. A tier of which some policy selects the pod denies what no rule is about,
unless it says Pass.

Whoever enforces policies (`k8stui.nodes.policy`) asks this for a packet as NAT has left it.
Sources: networking/v1 NetworkPolicySpec; network-policy-api apis/v1alpha2
ClusterNetworkPolicySpec.tier and ClusterNetworkPolicyRuleAction; Calico v3.30 felix/rules/policy.go
CalculateRuleMatch, FilterRuleToIPVersion, felix/rules/endpoints.go endpointIptablesChain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from k8stui.cluster.policy import (
    CLUSTER_POLICY_KINDS,
    Action,
    CalicoTier,
    ClusterPolicy,
    Conditions,
    Direction,
    Icmp,
    Policy,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    Range,
    RuleEnd,
    Tier,
    tiers,
)
from k8stui.cluster.selection import carried, meant, networks, of_namespace, ruling
from k8stui.cluster.selectors import matches
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.derived import Derived
from k8stui.kernel.packet import Protocol
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.cluster.expression import Expression
    from k8stui.cluster.model import Cluster, EndpointSlice, Pod


@record()
class Peer:
    """Who is at the other end."""

    address: Address | None
    pod: Pod | None
    labels: Mapping[str, str]
    namespace: str
    words: str
    ranges: tuple[Prefix, ...] = ()
    """Where it is, if no address is known: a block that holds some of that is taken to hold it."""


@record()
class Ask:
    """What the other end is asked for."""

    port: int
    protocol: Protocol
    server: Pod | None
    """Whose named ports count."""


@record(kw_only=True)
class Ruling:
    """What policies say of one way of a connection."""

    direction: Direction
    pod: Pod
    allowed: bool | None
    """None: a rule that may decide cannot be evaluated, see `unknown`."""
    policy: Policy | None = None
    """The one whose rule decided; None: no rule did."""
    place: int = 0
    """Of that rule, in the policy's list."""
    selecting: tuple[Policy, ...] = ()
    """Without a rule: those of the tier that select the pod, so that nothing else may pass."""
    unknown: PolicyPeer | None = None

    @property
    def rule(self) -> PolicyRule | None:
        """The rule that decided."""
        return self.policy.rules(self.direction)[self.place] if self.policy is not None else None


class Judgement:
    """The policies of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def of(self, direction: Direction, pod: Pod, peer: Peer, ask: Ask) -> Ruling:
        """One way of one connection; `ask` is about the port of the pod that is asked."""
        selecting = self.selecting(pod, direction)
        unsure: list[tuple[Action, PolicyPeer]] = []
        ruling = Ruling(direction=direction, pod=pod, allowed=True)
        for tier in tiers(selecting):
            found = self._tier(tier, selecting, ruling, (peer, ask), unsure)
            if found is not None:
                ruling = found
                break
        for action, one in unsure:
            if action is not (Action.ALLOW if ruling.allowed else Action.DENY):
                return Ruling(direction=direction, pod=pod, allowed=None, unknown=one)
        return ruling

    def _tier(
        self,
        tier: Tier | CalicoTier,
        selecting: tuple[Policy, ...],
        so_far: Ruling,
        asked: tuple[Peer, Ask],
        unsure: list[tuple[Action, PolicyPeer]],
    ) -> Ruling | None:
        """What one tier decides; None: it leaves that to the next."""
        direction, pod = so_far.direction, so_far.pod
        of_tier = tuple(one for one in selecting if one.tier == tier)
        for policy in of_tier:
            for place, rule in enumerate(policy.rules(direction)):
                if rule.action is Action.LOG:
                    continue
                if rule.conditions is None:
                    fits = self.fits(policy, rule, *asked)
                else:
                    fits = self._meets(rule, rule.conditions, so_far, *asked)
                if isinstance(fits, PolicyPeer):
                    unsure.append((rule.action, fits))
                elif fits and rule.action is Action.PASS:
                    return None
                elif fits:
                    allowed = rule.action is Action.ALLOW
                    return Ruling(
                        direction=direction, pod=pod, allowed=allowed, policy=policy, place=place
                    )
        if tier.denies:
            return Ruling(direction=direction, pod=pod, allowed=False, selecting=of_tier)
        return None

    def selecting(self, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
        """The policies that have a say about one way of the pod, in the order of asking."""
        return tuple(one for one in ruling(self.cluster, pod) if direction in one.directions)

    def fits(self, policy: Policy, rule: PolicyRule, peer: Peer, ask: Ask) -> bool | PolicyPeer:
        """Whether a rule is about this connection; the peer of which that cannot be said."""
        if rule.ports and not any(_is_port(port, ask) for port in rule.ports):
            return False
        if not rule.peers:
            return True
        unsure: PolicyPeer | None = None
        for one in rule.peers:
            means = self._means(one, policy, peer)
            if means:
                return True
            if means is None:
                unsure = unsure or one
        return unsure or False

    def _meets(
        self, rule: PolicyRule, wanted: Conditions, so_far: Ruling, peer: Peer, ask: Ask
    ) -> bool | PolicyPeer:
        """The same of a rule of Calico's."""
        here = self.peer(so_far.pod, peer.address, so_far.pod.key)
        inward = so_far.direction is Direction.INGRESS
        version = (peer.address or here.address or Address(4, 0)).version
        protocols = {ask.protocol.name.lower(), str(ask.protocol.value)}
        if (
            (wanted.protocol and wanted.protocol not in protocols)
            or wanted.not_protocol in protocols
            or wanted.version not in (None, version)
            or (wanted.icmp is not None and not _is_echo(wanted.icmp, ask))
            or (wanted.not_icmp is not None and _is_echo(wanted.not_icmp, ask))
        ):
            return False
        found = [
            self._is_end(wanted.source, peer if inward else here, None, version),
            self._is_end(wanted.destination, here if inward else peer, ask, version),
        ]
        if False in found:
            return False
        at = rule.peers[0].origin if rule.peers else rule.origin
        return PolicyPeer(words="its source port", origin=at) if None in found else True

    def _is_end(self, end: RuleEnd, who: Peer, ask: Ask | None, version: int) -> bool | None:
        """Whether all fits of one end; `ask`: of the destination. None: the source's port says."""
        for nets, positive in ((end.nets, True), (end.not_nets, False)):
            of_family = [
                one for one in nets if one.prefix and one.prefix.address.version == version
            ]
            if nets and (not of_family or any(_is_in(who, one) for one in of_family) != positive):
                return False
        if end.selector is not None and not self.is_meant(end.selector, who):
            return False
        if end.but_not is not None and self.is_meant(end.but_not, who):
            return False
        if ask is None:
            return None if end.ports or end.not_ports else not end.service or self._serves(end, who)
        if end.service and not self._serves(end, who, ask):
            return False
        is_one = any(_is_port(port, ask) for port in end.ports) or not end.ports
        return is_one and not any(_is_port(port, ask) for port in end.not_ports)

    def is_meant(self, expression: Expression, who: Peer) -> bool:
        """Whether a selector of Calico's means somebody: a pod, or one in a set of networks."""
        if who.pod is not None and expression.holds(carried(self.cluster, who.pod)):
            return True
        if who.pod is None and who.namespace:
            known = {**of_namespace(self.cluster, who.namespace), **who.labels}
            return expression.holds(known)
        return any(_is_in(who, one) for one in networks(self.cluster, expression))

    def _serves(self, end: RuleEnd, who: Peer, ask: Ask | None = None) -> bool:
        """Whether somebody is an endpoint of the end's Service, at the port that is asked."""
        return any(
            any(who.address in one.addresses for one in each.endpoints)
            and (ask is None or (ask.port, ask.protocol) in _numbers(each))
            for each in self.cluster.endpoint_slices.get(end.service, ())
        )

    def _means(self, wanted: PolicyPeer, policy: Policy, peer: Peer) -> bool | None:
        address = peer.address
        if wanted.words:
            return None
        if wanted.block is not None:
            if address is None:
                return not self.spares(peer) and any(map(wanted.block.holds_some, peer.ranges))
            return address in wanted.block and not self.spares(peer)
        if wanted.nodes is not None:
            return address is not None and any(
                address in node.addresses and matches(wanted.nodes, node.labels)
                for node in self.cluster.nodes.values()
            )
        if wanted.domain is not None:
            return False if wanted.unheard else self._is_named(wanted.domain, peer)
        if not peer.namespace:
            return False
        spaces = self.cluster.namespace_labels
        return meant(wanted, policy.namespace).has(peer.namespace, peer.labels, spaces)

    def spares(self, peer: Peer) -> bool:
        """Whether no address block means the peer, wherever it is (`Cluster.blocks_spare`)."""
        spared = self.cluster.blocks_spare
        if not spared:
            return False
        if peer.namespace and not (peer.pod is not None and peer.pod.host_network):
            return "pods" in spared
        return "nodes" in spared and peer.address is not None and self._is_node(peer.address)

    def _is_named(self, domain: str, peer: Peer) -> bool | None:
        """Whether an address is one that the name resolves to; None: nobody says."""
        if peer.namespace or peer.address is None or self._is_node(peer.address):
            return False
        names = [name for name, one in self.cluster.hosts.items() if peer.address == one.address]
        return any(is_of_domain(name, domain) for name in names) if names else None

    def _is_node(self, address: Address) -> bool:
        return any(address in node.addresses for node in self.cluster.nodes.values())

    def peer_at(self, address: Address) -> Peer:
        """Whoever has the address: a pod, or somebody of whom no more is known."""
        return self.peer(self.pod_at(address), address, str(address))

    def pod_at(self, address: Address) -> Pod | None:
        """The pod that has a network of its own and that address."""
        return _pods_at.of(self.cluster).get(address)

    def peer(self, pod: Pod | None, address: Address | None, words: str) -> Peer:
        """A pod, or an address that is called `words`; a hostNetwork pod is its node's address."""
        if pod is None or pod.host_network:
            return Peer(address, None, {}, "", words)
        of_family = (one for one in pod.addresses if address and one.version == address.version)
        known = address if address in pod.addresses else next(of_family, None)
        if known is None:
            known = pod.addresses[0] if pod.addresses else address
        return Peer(known, pod, pod.labels, pod.namespace, f"pod {pod.key}")


def _by_address(cluster: Cluster) -> Mapping[Address, Pod]:
    found: dict[Address, Pod] = {}
    for pod in cluster.pods.values():
        if not pod.host_network and not pod.phase.is_final:
            for address in pod.addresses:
                found.setdefault(address, pod)
    return found


# Of a cluster, not of its `Judgement`: there is one for each of thousands of walks.
_pods_at: Derived[Cluster, Mapping[Address, Pod]] = Derived(_by_address)


def is_of_domain(name: str, domain: str) -> bool:
    """Whether a DNS name is the one that is written, or ends as ``*.example.org`` has it."""
    own, wanted = (one.lower().removesuffix(".") for one in (name, domain))
    if wanted.startswith("*."):
        return own.endswith(wanted[1:]) and own != wanted[1:]
    return own == wanted


def same_priority(policies: tuple[ClusterPolicy, ...]) -> Iterator[tuple[ClusterPolicy, ...]]:
    """Those of one tier of which the API does not say who is asked first."""
    groups: dict[tuple[Tier, int], list[ClusterPolicy]] = {}
    for one in (each for each in policies if each.kind in CLUSTER_POLICY_KINDS):
        groups.setdefault((one.tier, one.priority), []).append(one)
    yield from (tuple(group) for group in groups.values() if len(group) > 1)


def _is_in(who: Peer, net: Range) -> bool:
    if who.address is None:
        return any(map(net.overlaps, who.ranges))
    return who.address in net


def _numbers(endpoints: EndpointSlice) -> Iterator[tuple[int, Protocol]]:
    return ((one.port, one.protocol) for one in endpoints.ports or ())


def _is_echo(wanted: Icmp, ask: Ask) -> bool:
    """Whether a ping is of a type and a code."""
    echo = {Protocol.ICMP: 8, Protocol.ICMPV6: 128}.get(ask.protocol)
    return wanted[0] == echo and wanted[1] in (None, 0)


def _is_port(wanted: PolicyPort, ask: Ask) -> bool:
    if wanted.protocol not in ("", ask.protocol.name, str(ask.protocol.value)):
        return False
    if isinstance(wanted.port, str):
        return ask.port in _named(ask, wanted.port)
    first, last = wanted.port, wanted.end_port or wanted.port
    return first is None or (last is not None and first <= ask.port <= last)


def _named(ask: Ask, name: str) -> Iterator[int]:
    for container in ask.server.containers if ask.server is not None else ():
        for port in container.ports:
            if port.name == name and port.protocol is ask.protocol:
                yield port.number
