"""Engines whose rules do not stand in Linux' tables, modelled by the API's rules where they decide.

What passes through a node is judged behind the translation of Services, and before the node puts
its own address in: what a pod sends at the pod's node, by the policies that select it for egress;
what it gets at its node, by those for ingress. What a pod and its own node send each other passes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property

from k8stui.because import Because
from k8stui.cluster.judgement import Ask, Judgement, Peer, Ruling
from k8stui.cluster.model import Cluster, Node
from k8stui.cluster.policy import Direction, PolicyPort, PolicyRule, Range
from k8stui.cluster.selection import carried
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Judge, Judged, JudgesAt
from k8stui.kernel.packet import Packet
from k8stui.nodes.policy.known import KnownEngine


class ByTheApi:
    """One engine for all nodes."""

    def __init__(self, cluster: Cluster, known: KnownEngine) -> None:
        """`cluster`: with those policies alone that the engine knows."""
        self._cluster = cluster
        self._known = known
        self._judgement = Judgement(cluster)
        self._known_about: dict[Address, Hashable] = {}

    def judge(self, node: Node) -> Judge:
        """The engine on one node."""
        return Judge(
            name=f"policy engine {self._known.title}",
            at=self._known.at,
            says=lambda packet, incoming: self._says(node, packet, incoming=incoming),
            about=self._about,
        )

    def _about(self, address: Address) -> Hashable:
        found = self._known_about.get(address)
        if found is None:
            pod = self._judgement.pod_at(address)
            held = tuple(address in block for block in self._blocks)
            if pod is None:
                found = address  # a node, or whoever a name leads to
            else:
                ports = [
                    (port.name, port.number, port.protocol)
                    for container in pod.containers
                    for port in container.ports
                ]
                cluster = self._cluster
                labels = carried(cluster, pod) if cluster.calico_policies else pod.labels
                found = pod.namespace, frozenset(labels.items()), tuple(ports), held
            self._known_about[address] = found
        return found

    @cached_property
    def _blocks(self) -> Sequence[Range]:
        """All that a rule asks an address for."""
        policies = self._cluster.all_policies
        rules = [rule for one in policies for way in Direction for rule in one.rules(way)]
        found = [peer.block for rule in rules for peer in rule.peers if peer.block is not None]
        ends = [end for rule in rules if rule.conditions for end in rule.conditions.ends]
        all_ = (
            *(range_ for one in found for range_ in (one.cidr, *one.excepts)),
            *(range_ for end in ends for range_ in end.ranges),
            *(range_ for one in self._cluster.network_sets for range_ in one.nets),
        )
        return tuple(dict.fromkeys(all_))

    def _says(self, node: Node, packet: Packet, *, incoming: bool) -> Iterator[Judged]:
        judgement = self._judgement
        source, target = judgement.pod_at(packet.src), judgement.pod_at(packet.dst)
        if source is target:
            return  # outside to outside; or a pod that met itself: it cannot be cut from itself
        at_once = self._known.at is JudgesAt.POSTROUTING
        ask = Ask(packet.dport, packet.protocol, target)
        if source is not None and (at_once or (incoming and source.node_name == node.name)):
            if target is None and any(packet.dst in one for one in self._cluster.service_cidrs):
                return  # nobody is behind this Service: kube-proxy has the say
            peer = judgement.peer_at(packet.dst)
            yield from self._way(judgement.of(Direction.EGRESS, source, peer, ask), peer, ask)
        if target is not None and (at_once or (not incoming and target.node_name == node.name)):
            peer = judgement.peer_at(packet.src)
            yield from self._way(judgement.of(Direction.INGRESS, target, peer, ask), peer, ask)

    def _way(self, ruling: Ruling, peer: Peer, ask: Ask) -> Iterator[Judged]:
        """Nothing where no policy has a say."""
        rule = ruling.rule
        first = ruling.policy or next(iter(ruling.selecting), None)
        if ruling.unknown is not None:
            origin = ruling.unknown.origin
        elif first is None:
            return
        else:
            origin = rule.origin if rule is not None else first.origin
        text = f"modelled by the API's rules, {self._known.place}: {_words(ruling, peer, ask)}"
        yield Judged(
            passes=ruling.allowed,
            text=f"policy engine {self._known.title}, {text}",
            reason=Because(text=text, origin=origin, owner=self._known.title, pod=ruling.pod.key),
        )


def _words(ruling: Ruling, peer: Peer, ask: Ask) -> str:
    way = ruling.direction.lower()
    rule, policy = ruling.rule, ruling.policy
    if ruling.unknown is not None:
        return (
            f"{way} of pod {ruling.pod.key} depends on {ruling.unknown}, of which nothing is known"
        )
    if rule is not None and policy is not None:
        named = f" ({rule.name})" if rule.name else ""
        does = "allows" if ruling.allowed else "denies"
        return (
            f"{policy.kind} {policy.key} selects pod {ruling.pod.key} for {way}, and "
            f"{way}[{ruling.place}]{named} {does} {_about(rule, ruling.direction)}"
        )
    names = ", ".join(one.key for one in ruling.selecting)
    what = f"port {ask.port}/{ask.protocol.name}"
    inward = ruling.direction is Direction.INGRESS
    denied = f"{peer.words} at {what}" if inward else f"{what} of {peer.words}"
    one = len(ruling.selecting) == 1
    kinds = ruling.selecting[0].kind if one else "NetworkPolicies"
    return (
        f"{kinds} {names} select{'s' if one else ''} pod "
        f"{ruling.pod.key} for {way}, and no rule allows {denied}"
    )


def _about(rule: PolicyRule, direction: Direction) -> str:
    ports = ", ".join(map(_port, rule.ports)) or "every port"
    peers = ", ".join(map(str, rule.peers)) or "anybody"
    return f"{ports} {'from' if direction is Direction.INGRESS else 'to'} {peers}"


def _port(port: PolicyPort) -> str:
    return f"port {port}" if port.port is not None else f"every port of {port.protocol}"
