"""What comes out otherwise than the policies of a pod say, in sentences, each where it applies.

What the API leaves open (node-local traffic, ping, hostNetwork, Services) is said for every engine;
of kube-router, in which way it departs from the API (docs/facts/policy.md, rows 1 to 15).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from k8stui.cluster.model import Pod, Service, ServiceType
from k8stui.cluster.policy import (
    Action,
    ClusterPolicy,
    Direction,
    IpBlock,
    NetworkPolicy,
    Policy,
    PolicyPort,
    PolicyRule,
)
from k8stui.cluster.programs.listening import declared
from k8stui.cluster.selection import Selection, subject
from k8stui.nodes.policy import KNOWN, NONE
from k8stui.walk.policies import knows_no, nobody_enforces

if TYPE_CHECKING:
    from k8stui.walk.world import World

_EVERYTHING_6 = "::/0"
_LIKE = "unlike the API, "


def policy_notes(
    world: World, pod: Pod, policies: Sequence[Policy], engine: str, selection: Selection
) -> Iterator[str]:
    """All that applies; `policies`: those that select the pod, `engine`: as the option has it."""
    if pod.host_network:
        yield "the pod is on its node's network: no policy selects it, and it is no peer of one"
        return
    if engine == NONE:
        if policies:
            yield f"not enforced: {nobody_enforces(world)}, so everything passes all the same"
        return
    known = KNOWN[engine]
    unheard = {one.kind for one in policies} - {"NetworkPolicy", *known.kinds}
    for kind in sorted(unheard):
        yield f"not enforced: {knows_no(known.title, kind)}"
    heard = [one for one in policies if one.kind not in unheard]
    if not heard:
        return
    view = _View(world, pod, heard, selection)
    node = world.cluster.nodes.get(pod.node_name or "")
    in_rules = node is not None and world.network.has_policy_rules(node)
    rules = _KUBE_ROUTER if known.rejects else (_CALICO if in_rules else _BY_THE_API)
    if rules is _BY_THE_API:
        yield (
            f"{known.title} is modelled by the API's rules, {known.place}: what is not allowed is "
            "dropped, and the client times out"
        )
    for note in (*_ALWAYS, *rules):
        yield from note(view)


class _View:
    """A pod, and the policies that select it and are enforced."""

    def __init__(
        self, world: World, pod: Pod, policies: Sequence[Policy], selection: Selection
    ) -> None:
        self.world, self.pod, self.selection = world, pod, selection
        self.cluster = world.cluster
        self.policies = policies
        self.own = [one for one in policies if isinstance(one, NetworkPolicy)]

    def rules(self, way: Direction | None = None) -> Iterator[tuple[NetworkPolicy, PolicyRule]]:
        """Rules of NetworkPolicies; of one way, or of both."""
        for policy in self.own:
            for one in policy.directions:
                if way in (None, one):
                    yield from ((policy, rule) for rule in policy.rules(one))

    def is_ruled(self, way: Direction) -> bool:
        return any(way in one.directions for one in self.policies)

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """Those that lead to the pod."""
        return tuple(
            one
            for one in self.cluster.services.values()
            if one.namespace == self.pod.namespace
            and one.selector
            and one.selector.items() <= self.pod.labels.items()
        )

    @cached_property
    def host_peers(self) -> tuple[Pod, ...]:
        """Pods on their node's network that some peer was meant for."""
        found = {
            one.key: one
            for policy, rule in self.rules()
            for peer in rule.peers
            for one in self.selection.peer(policy, peer)
            if one.host_network
        }
        return tuple(found.values())


def _answers(view: _View) -> Iterator[str]:
    del view
    yield "answers to what was let through always pass; so does what the pod's own node sends"


def _behind_services(view: _View) -> Iterator[str]:
    """Row 11."""
    for policy, rule in view.rules(Direction.EGRESS):
        for block in _blocks(rule):
            if any(map(block.cidr.overlaps, view.cluster.service_cidrs)):
                yield (
                    f"the ipBlock {block.cidr} of {policy.key} holds addresses of Services, and "
                    "these are rewritten before policies look: the pods behind them count"
                )
                return


def _entered(view: _View) -> Iterator[str]:
    """Row 12."""
    kinds = (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER)
    if not view.is_ruled(Direction.INGRESS):
        return
    for one in view.services:
        if one.type in kinds and one.external_traffic_policy != "Local":
            yield (
                f"who comes in by a node port of Service {one.key} is known by his own address on "
                "the pod's node, and by the entry node's address if he came in by another "
                "(externalTrafficPolicy: Cluster)"
            )
            return


def _other_nodes(view: _View) -> Iterator[str]:
    """Rows 9, 10 and 13."""
    if view.host_peers:
        names = ", ".join(one.key for one in view.host_peers[:3])
        yield (
            f"no selector means what is on its node's network ({names}): the node's address is "
            "all that counts of it"
        )
    elif view.is_ruled(Direction.INGRESS):
        yield "other nodes, and what runs on their network, are known by their addresses alone"


_ALWAYS: tuple[Callable[[_View], Iterator[str]], ...] = (
    _answers,
    _behind_services,
    _entered,
    _other_nodes,
)


def _no_pings(view: _View) -> Iterator[str]:
    if any(rule.ports for _, rule in view.rules()):
        yield "the API says nothing of pings: here a rule with ports allows none"


def _own_node(view: _View) -> Iterator[str]:
    if view.is_ruled(Direction.EGRESS):
        yield "what the pod sends to its own node passes, as the API has it"


_BY_THE_API: tuple[Callable[[_View], Iterator[str]], ...] = (_no_pings, _own_node)


def _drops(view: _View) -> Iterator[str]:
    del view
    yield "what is not allowed Calico drops: the client times out"


def _calico_own_node(view: _View) -> Iterator[str]:
    """Row 1, which holds of Calico too: cali-wl-to-host asks the pod's own chain first."""
    if view.is_ruled(Direction.EGRESS):
        yield (f"{_LIKE}Calico judges what the pod sends to its own node by these egress rules")


def _calico_itself(view: _View) -> Iterator[str]:
    """Row 14: what leaves by the pod's device and comes back to it meets both of its chains."""
    if view.services and any(map(view.is_ruled, Direction)):
        yield _asks_itself(view)


def _calico_unheard(view: _View) -> Iterator[str]:
    """Of policies of the cluster Calico converts what it knows (conversion.go combinePorts…)."""
    for policy in view.policies:
        if not isinstance(policy, ClusterPolicy):
            continue
        for way in policy.directions:
            for place, rule in enumerate(policy.rules(way)):
                where = f"{way.lower()}[{place}] of {policy.kind} {policy.key}"
                if any(peer.nodes is not None or peer.domain is not None for peer in rule.peers):
                    does = "is left out" if rule.action is Action.ALLOW else "denies everything"
                    yield f"{_LIKE}{where} {does}: Calico knows no nodes and no domain names there"
                elif any(isinstance(one.port, str) for one in rule.ports):
                    yield f"{_LIKE}{where} is about every port: Calico knows no names of them there"


_CALICO: tuple[Callable[[_View], Iterator[str]], ...] = (
    _drops,
    _no_pings,
    _calico_own_node,
    _calico_itself,
    _calico_unheard,
)


def _rejects(view: _View) -> Iterator[str]:
    """Row 8."""
    del view
    yield (
        "what is not allowed kube-router rejects with an ICMP error: the client is refused at once "
        "(TCP too); it lets every ping through"
    )


def _judges_own_node(view: _View) -> Iterator[str]:
    """Row 1."""
    if view.is_ruled(Direction.EGRESS):
        yield (
            f"{_LIKE}kube-router judges what the pod sends to its own node by these egress rules; "
            "addresses of Services and node ports alone are free there"
        )


def _both_ways(view: _View) -> Iterator[str]:
    """Row 2."""
    for policy in view.own:
        if len(policy.directions) == len(Direction) and policy.ingress and policy.egress:
            yield (
                f"{_LIKE}a rule of {policy.key} for one way opens the other way too between pods "
                "that it selects: kube-router judges both with one mark"
            )


def _unheard(view: _View) -> Iterator[str]:
    """Row 3."""
    for policy in view.own:
        for direction in policy.directions:
            for _, names in unheard_names(policy, direction, view.selection):
                yield (
                    f"{_LIKE}{policy.key} opens every port to the pods of one rule: nobody has a "
                    f"port named {names}, and kube-router then leaves the port out"
                )


def _shared_names(view: _View) -> Iterator[str]:
    """Row 4."""
    for policy, rule in view.rules(Direction.INGRESS):
        names = {port.port for port in rule.ports if isinstance(port.port, str)}
        pods = view.selection.pods(subject(policy))
        numbers = {
            name: {one.number for pod in pods for one in declared(pod) if one.name == name}
            for name in names
        }
        several = sorted(str(name) for name, found in numbers.items() if len(found) > 1)
        if several:
            yield (
                f"{_LIKE}port {', '.join(several)} of {policy.key} has other numbers in other "
                "pods, and kube-router looks names up for all of them together: a pod may be open "
                "at the number of another"
            )


def _names_for_all(view: _View) -> Iterator[str]:
    """Row 5."""
    for policy, rule in view.rules(Direction.EGRESS):
        names = sorted(str(one.port) for one in rule.ports if isinstance(one.port, str))
        if names and (not rule.peers or any(peer.block is not None for peer in rule.peers)):
            yield (
                f"{_LIKE}port {', '.join(names)} of {policy.key} is learnt from the pods of "
                f"namespace {policy.namespace} alone, and its number is open to every destination"
            )


def _shadowed(view: _View) -> Iterator[str]:
    """Row 6."""
    for policy, rule in view.rules():
        blocks = list(_blocks(rule))
        for one in blocks:
            others = [other for other in blocks if other is not one]
            for hole in one.excepts:
                if any(o.cidr.prefix and hole.overlaps(o.cidr.prefix) for o in others):
                    yield (
                        f"{_LIKE}except {hole} of {policy.key} takes away from the other ipBlocks "
                        "of that rule too: kube-router keeps them in one set"
                    )


def _all_of_6(view: _View) -> Iterator[str]:
    """Row 7."""
    if any(
        block.cidr.written == _EVERYTHING_6 for _, rule in view.rules() for block in _blocks(rule)
    ):
        yield f"{_LIKE}{_EVERYTHING_6} is 2000::/3 and fd00::/8 for kube-router, and nothing else"


def _itself(view: _View) -> Iterator[str]:
    """Row 14: what is free one way has the mark, and that is asked for once."""
    if view.services and all(map(view.is_ruled, Direction)):
        yield _asks_itself(view)


def _asks_itself(view: _View) -> str:
    return (
        f"{_LIKE}the pod is judged by its own policies where it asks itself through Service "
        f"{view.services[0].key}"
    )


def _unseen(view: _View) -> Iterator[str]:
    """Row 15."""
    if view.world.network.bridge_nf() is False:
        yield (
            "bridge-nf-call-iptables is 0: what pods of one node send each other by their own "
            "addresses is judged by nobody"
        )


_KUBE_ROUTER: tuple[Callable[[_View], Iterator[str]], ...] = (
    _rejects,
    _judges_own_node,
    _both_ways,
    _unheard,
    _shared_names,
    _names_for_all,
    _shadowed,
    _all_of_6,
    _itself,
    _unseen,
)


def unheard_names(
    policy: NetworkPolicy, direction: Direction, selection: Selection
) -> Iterator[tuple[PolicyRule, str]]:
    """Rules by names of ports alone that nobody has, with the names, for pods that are there.

    kube-router finds no number for the name, and then leaves out the port, not the rule: all ports
    of all protocols are open to those pods (docs/facts/policy.md row 3).
    """
    for rule in policy.rules(direction):
        names = [port for port in rule.ports if isinstance(port.port, str)]
        peers = [one for peer in rule.peers for one in selection.peer(policy, peer)]
        if not names or len(names) < len(rule.ports) or not peers:
            continue
        asked = peers
        if direction is Direction.INGRESS:
            asked = list(selection.pods(subject(policy)))
        if not any(True for port in names for pod in asked for _ in numbers_of(pod, port)):
            yield rule, ", ".join(str(port.port) for port in names)


def numbers_of(pod: Pod, port: PolicyPort) -> Iterator[int]:
    """The numbers of a port's name in a pod."""
    for one in declared(pod):
        if one.name == port.port and port.protocol in ("", one.protocol.name):
            yield one.number


def _blocks(rule: PolicyRule) -> Iterator[IpBlock]:
    return (peer.block for peer in rule.peers if peer.block is not None)
