"""The rule of a policy that was meant to allow a connection, and what of it does not fit.

Asked of NetworkPolicies that let nothing through. What people report most comes first: the
Service's port for the pod's, a podSelector without namespaceSelector, a namespace without its
label, a Service's address in an ipBlock; then whose half of an entry fits. Sources: networking/v1
NetworkPolicyPeer (selectors of one entry both have to fit), IPBlock.except.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, product
from typing import NamedTuple

from k8stui.apiserver.fields import labels
from k8stui.apiserver.inventory import ALWAYS_THERE
from k8stui.cluster.judgement import Ask, Judgement, Peer
from k8stui.cluster.model import Cluster, Pod, Service, Workload
from k8stui.cluster.policy import (
    CILIUM_POLICY_KINDS,
    ClusterPolicy,
    Direction,
    NetworkPolicy,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
)
from k8stui.cluster.programs.listening import declared
from k8stui.cluster.selection import Chosen, meant
from k8stui.cluster.selectors import NAMESPACE_NAME, matches, namespace_labels
from k8stui.kernel.address import Address
from k8stui.kernel.derived import Derived
from k8stui.kernel.packet import Protocol
from k8stui.record import record
from k8stui.suggest import is_typo

_ALL = ("0.0.0.0/0", "::/0")


@record(kw_only=True)
class _Near:
    """One rule that does not allow the connection."""

    policy: NetworkPolicy | ClusterPolicy
    rule: PolicyRule
    direction: Direction
    peer: Peer
    ask: Ask

    @property
    def field(self) -> str:
        return f"{self.direction.lower()} of {self.policy.kind} {self.policy.name}"

    @property
    def is_ciliums(self) -> bool:
        return self.policy.kind in CILIUM_POLICY_KINDS


class Hint(NamedTuple):
    """What does not fit, as an aside; what would mend it, empty: one more rule."""

    said: str = ""
    mend: str = ""
    policy: NetworkPolicy | ClusterPolicy | None = None
    """Whose rule it is."""


class NearRules:
    """The rules of one cluster's policies."""

    def __init__(self, judgement: Judgement) -> None:
        self._judgement = judgement
        self._cluster = judgement.cluster
        self._by_ports: tuple[Callable[[_Near], Hint | None], ...] = (
            self._spared_block,
            self._port_name,
            self._port_of_the_service,
            self._protocol,
        )
        self._by_peers: tuple[Callable[[_Near], Hint | None], ...] = (
            self._unheard_name,
            self._ciliums_namespace,
            self._own_namespace,
            self._namespace_by_name,
            self._no_namespace,
            self._virtual_address,
            self._left_out,
            self._label_of_the_maker,
            self._other_half,
            self._other_ports,
            self._no_pods,
        )

    def hint(
        self,
        selecting: Sequence[NetworkPolicy | ClusterPolicy],
        direction: Direction,
        peer: Peer,
        ask: Ask,
    ) -> Hint:
        """The first that is found; empty words where no rule comes near."""
        rules = [
            _Near(policy=policy, rule=rule, direction=direction, peer=peer, ask=ask)
            for policy in selecting
            for rule in policy.rules(direction)
        ]
        # Whoever is chosen by labels was meant rather than one of "all pods".
        rules.sort(key=lambda near: not any(one.pods for one in near.rule.peers))
        if not rules and len(selecting) == 1:
            way = direction.lower()
            return Hint(f" (it has no {way} rule: policyTypes alone denies everything)")
        # Whoever may ask just this port was meant rather than who may ask any.
        exact = [near for near in rules if near.rule.ports and self._asks_its_port(near)]
        tried = ((self._by_ports, rules), (self._by_peers, exact), (self._by_peers, rules))
        for way_of, near in chain.from_iterable(product(*one) for one in tried):
            found = way_of(near)
            if found is not None:
                return found._replace(policy=near.policy)
        return Hint()

    def _label_of_the_maker(self, near: _Near) -> Hint | None:
        """A label that the workload itself has, and its pods have not."""
        pod = near.peer.pod
        owner = (pod.namespace, *(pod.owner or ("", ""))) if pod is not None else None
        maker = _makers.of(self._cluster).get(owner) if owner is not None else None
        if pod is None or maker is None or not self._asks_its_port(near):
            return None
        own = {key: value for key, value in maker.labels.items() if key not in pod.labels}
        labels_ = {**own, **pod.labels}
        wanted = [one.pods for one in near.rule.peers if one.pods is not None]
        if not any(matches(one, labels_) and not matches(one, pod.labels) for one in wanted):
            return None
        return Hint(
            f" ({maker.kind} {maker.name} itself is labelled {_words(own)}, and its pods are not)",
            f"write {_words(own, equals=': ')} into spec.template.metadata.labels of {maker.kind} "
            f"{maker.name}",
        )

    def _fits(self, near: _Near, rule: PolicyRule | None = None) -> bool:
        """Whether the rule, or another in its place, would surely allow it."""
        rule = rule or near.rule
        return self._judgement.fits(near.policy, rule, near.peer, near.ask) is True

    def _asks_its_port(self, near: _Near) -> bool:
        """Whether at most those who ask, or are asked, keep it from allowing it."""
        return self._fits(near, replace(near.rule, peers=()))

    def _means_peer(self, near: _Near) -> bool:
        """Whether only the ports keep it from allowing it: those who ask, or are asked, fit."""
        named = any(isinstance(one.port, str) for one in near.rule.ports)
        return bool(near.rule.peers or named) and self._fits(near, replace(near.rule, ports=()))

    def _spared_block(self, near: _Near) -> Hint | None:
        """An address block that holds the peer, with an engine whose blocks never mean such."""
        peer = near.peer
        if not self._judgement.spares(peer) or not self._asks_its_port(near):
            return None
        holding = (one.block for one in near.rule.peers if one.block is not None)
        block = next((b for b in holding if peer.address is not None and peer.address in b), None)
        if block is None:
            return None
        is_pod = bool(peer.namespace)
        if near.is_ciliums:
            lead = near.direction.peers
            is_all = block.cidr.written in _ALL
            said = "is the world" if is_all else f"holds {peer.address}"
            return Hint(
                f" (its CIDR {block.cidr} {said}, and that means hosts outside of the cluster, no "
                "pods and no nodes)",
                f"write {lead}Endpoints with the pods' labels, or {lead}Entities: [cluster], in "
                f"{near.field}",
            )
        return Hint(
            f" (its ipBlock {block.cidr} holds {peer.address}, but with this engine a block means "
            "hosts outside of the cluster, no pods and no nodes, and that is a "
            f"{'pod' if is_pod else 'node'})",
            f"write a podSelector (and namespaceSelector) in {near.field}"
            if is_pod
            else "set policy-cidr-match-mode: nodes in cilium-config and restart Cilium's pods, or "
            "write a CiliumNetworkPolicy (toEntities: kube-apiserver, remote-node)",
        )

    def _port_name(self, near: _Near) -> Hint | None:
        if not self._means_peer(near) or not (unknown := _unknown_name(near.rule, near.ask)):
            return None
        return Hint(
            f" (port {unknown} is the name of none of the pod's ports: it has {_names(near.ask)})",
            f"write port: {_name_of(near.ask)} in the ports of {near.field}",
        )

    def _port_of_the_service(self, near: _Near) -> Hint | None:
        ask = near.ask
        fronts = _fronts.of(self._cluster)
        means = self._fits(near, replace(near.rule, ports=()))
        leads = fronts.ports_to(ask.server) if means else {}
        numbers = leads.get(ask.protocol, ())
        if not any(
            _holds_any(wanted, numbers)
            for wanted in near.rule.ports
            if wanted.protocol in ("", ask.protocol.name)
        ):
            return None
        return Hint(
            f" (a rule allows other ports: the port of the pod itself counts, {ask.port}, not the "
            "Service's)",
            f"write port: {ask.port}, protocol: {ask.protocol.name} in the ports of {near.field}",
        )

    def _protocol(self, near: _Near) -> Hint | None:
        ask = near.ask
        other = next((one for one in near.rule.ports if _holds(one, ask.port)), None)
        if other is None or not self._means_peer(near) or other.protocol == ask.protocol.name:
            return None
        return Hint(
            f" (a rule allows port {ask.port} by {other.protocol}, and this is "
            f"{ask.protocol.name}; where a rule names no protocol it means TCP)",
            f"write protocol: {ask.protocol.name} beside that port in {near.field}, in one more "
            "entry",
        )

    def _unheard_name(self, near: _Near) -> Hint | None:
        """A DNS name of which nobody hears the addresses."""
        named = next((one.domain for one in near.rule.peers if one.unheard), None)
        if named is None or near.peer.namespace or not self._asks_its_port(near):
            return None
        return Hint(
            f" (of {named} it knows only what Cilium's DNS proxy has seen, and no rule sends "
            "questions by way of that)",
            "write rules: {dns: [{matchPattern: '*'}]} beside port 53 in a rule that lets cluster "
            f"DNS be asked, in {near.field}",
        )

    def _ciliums_namespace(self, near: _Near) -> Hint | None:
        """A selector of Cilium's that says no namespace means that of the policy."""
        peer = near.peer
        for one in near.rule.peers if near.is_ciliums and peer.namespace else ():
            own = labels(one.namespaces, "matchLabels").get(NAMESPACE_NAME)
            fits = one.pods and matches(one.pods, peer.labels)
            if fits and own not in (None, peer.namespace) and self._asks_its_port(near):
                return Hint(
                    f" (a selector that names no namespace means pods of {own} only, the policy's "
                    "own namespace)",
                    f"write k8s:io.kubernetes.pod.namespace: {peer.namespace} beside its labels in "
                    f"{near.field}",
                )
        return None

    def _own_namespace(self, near: _Near) -> Hint | None:
        peer, own = near.peer, near.policy.namespace
        if near.is_ciliums:
            return None
        here = replace(near, peer=replace(peer, namespace=own))
        if not peer.namespace or peer.namespace == own or not self._fits(here):
            return None
        label = f"{{matchLabels: {{{NAMESPACE_NAME}: {peer.namespace}}}}}"
        return Hint(
            f" (a podSelector without namespaceSelector means pods of {own} only, the policy's own "
            "namespace)",
            f"write namespaceSelector: {label} beside that podSelector in {near.field}",
        )

    def _namespace_by_name(self, near: _Near) -> Hint | None:
        """A label by which the peer's namespace is wanted by name, and which it lacks."""
        if near.is_ciliums:
            return None
        space = near.peer.namespace
        has = self._labels_of(space)
        for one in near.rule.peers if space else ():
            for key, value in labels(one.namespaces, "matchLabels").items():
                if value == space and has.get(key) != value:
                    wanted = f"{key}={space}"
                    return Hint(
                        f" (a namespaceSelector asks for {wanted}, and namespace {space} has "
                        f"{_words(has)})",
                        f"write {NAMESPACE_NAME}: {space} there, which every namespace has, in "
                        f"{near.field}; or kubectl label namespace {space} {wanted}",
                    )
        return None

    def _no_namespace(self, near: _Near) -> Hint | None:
        """Labels by which a rule means pods of namespaces of which there is none."""
        written, peer = self._cluster.namespace_labels, near.peer
        for one in near.rule.peers if peer.namespace else ():
            wanted = labels(one.namespaces, "matchLabels")
            chosen = self._meant(near, one)
            is_meant = wanted and NAMESPACE_NAME not in wanted and chosen.has_labels(peer.labels)
            spaces = _spaces.of(self._cluster) if is_meant else ()
            if is_meant and not any(chosen.has_space(each, written) for each in spaces):
                return Hint(
                    f" (its namespaceSelector {_words(wanted, ',')} fits no namespace; "
                    f"{peer.namespace} has {_words(self._labels_of(peer.namespace))})",
                    "label the namespace that was meant (kubectl label namespace "
                    f"{peer.namespace} {_words(wanted, ',')}), or mend the namespaceSelector in "
                    f"{near.field}",
                )
        return None

    def _virtual_address(self, near: _Near) -> Hint | None:
        """An address of a Service in front of the peer that an ipBlock was meant for."""
        peer = near.peer
        if near.direction is Direction.INGRESS or peer.address is None:
            return None  # nobody asks from a Service's address
        # One that holds the peer itself, but for its excepts, was not meant for the Service.
        written = (one.block for one in near.rule.peers if one.block is not None)
        blocks = [one for one in written if peer.address not in one.cidr]
        services = _fronts.of(self._cluster).before(peer) if blocks else ()
        virtual = [address for one in services for address in one.cluster_ips]
        found = next((a for a in virtual if any(a in block for block in blocks)), None)
        if found is None:
            return None
        mend = "write a podSelector that selects the pods of the Service in "
        if peer.pod is None:
            mend = (
                f"write ipBlock: {{cidr: {_alone(peer.address)}}} and port {near.ask.port}, the "
                "endpoint's own, in "
            )
        return Hint(
            f" (an ipBlock holds {found}, the address of a Service, which is rewritten before "
            "policies look)",
            f"{mend}{near.field}",
        )

    def _left_out(self, near: _Near) -> Hint | None:
        """What `except` takes out of an ipBlock that holds it."""
        address, peer = near.peer.address, near.peer
        if address is None or not self._asks_its_port(near):
            return None
        for one in near.rule.peers:
            if one.block is None or address not in one.block.cidr or address in one.block:
                continue
            hole = next(each for each in one.block.excepts if address in each)
            whose, beside = "", f"ipBlock: {{cidr: {_alone(address)}}}"
            if peer.pod is not None:
                whose = f", the address of pod {peer.pod.key}"
                beside = "a podSelector (and namespaceSelector) for its pods"
            return Hint(
                f" (its ipBlock {one.block.cidr} leaves out {hole}, which holds {address}{whose})",
                f"write {beside} beside that ipBlock in {near.field}",
            )
        return None

    def _other_half(self, near: _Near) -> Hint | None:
        """Of an entry's two selectors the one fits, the other does not."""
        peer, spaces = near.peer, self._cluster.namespace_labels
        if near.is_ciliums or not peer.namespace or not self._asks_its_port(near):
            return None
        for one in near.rule.peers:
            if not one.selects_pods:
                continue
            chosen = self._meant(near, one)
            fits = chosen.has_space(peer.namespace, spaces), chosen.has_labels(peer.labels)
            if fits == (True, False):
                found = self._other_labels(near, one)
            elif fits == (False, True) and one.pods and one.namespaces:
                found = self._other_space(near, one)
            else:
                continue
            if found is not None:
                return found
        return None

    def _other_labels(self, near: _Near, one: PolicyPeer) -> Hint | None:
        """The podSelector's half; where pods have its labels' keys, or the other half was meant."""
        peer, wanted = near.peer, labels(one.pods, "matchLabels")
        lacks = {key: value for key, value in wanted.items() if peer.labels.get(key) != value}
        if not lacks or not (one.namespaces or lacks.keys() & peer.labels.keys()):
            return None
        has = {key: peer.labels[key] for key in lacks if key in peer.labels} or peer.labels
        both = "in one entry both selectors have to fit: " if one.namespaces is not None else ""
        who = f"pod {peer.pod.key}" if peer.pod is not None else peer.words
        slips = {k: v for k, v in has.items() if k in lacks and is_typo(lacks[k], v)}
        # Where the other half fits, these pods are meant, by a label that they have otherwise.
        meant_so = slips or (has if both and lacks.keys() == has.keys() else {})
        mend = f"write {_words(meant_so, ', ', ': ')} in {near.field}" if meant_so else ""
        if not mend and both:
            mend = (
                f"give {who} {_words(lacks)}, or write the podSelector as an entry of its own (a "
                f"dash before it), if either is to do, in {near.field}"
            )
        said = f" ({both}its podSelector asks for {_words(lacks)}, and {who} has {_words(has)})"
        return Hint(said, mend)

    def _other_space(self, near: _Near, one: PolicyPeer) -> Hint | None:
        space = near.peer.namespace
        has, wanted = self._labels_of(space), labels(one.namespaces, "matchLabels")
        lacks = {key: value for key, value in wanted.items() if has.get(key) != value}
        if not lacks:
            return None
        return Hint(
            " (in one entry both selectors have to fit: its namespaceSelector asks for "
            f"{_words(lacks)}, and namespace {space} has {_words(has)})",
            f"kubectl label namespace {space} {_words(lacks, ' ')}, or mend the namespaceSelector "
            f"in {near.field}",
        )

    def _other_ports(self, near: _Near) -> Hint | None:
        if not near.rule.peers or not self._means_peer(near):
            return None
        ports = ", ".join(map(str, near.rule.ports))
        return Hint(f" (a rule about it allows {ports} alone)")

    def _no_pods(self, near: _Near) -> Hint | None:
        """Selectors that mean all pods, and whoever is asked or asks is none."""
        peer = near.peer
        wide = [one for one in near.rule.peers if one.selects_pods and not one.pods]
        if peer.namespace or peer.address is None or not wide or not self._asks_its_port(near):
            return None
        return Hint(
            f" (its selectors mean pods, and {peer.address} is none)",
            f"write ipBlock: {{cidr: {_alone(peer.address)}}} (all: 0.0.0.0/0), in {near.field}",
        )

    def _meant(self, near: _Near, one: PolicyPeer) -> Chosen:
        return meant(one, near.policy.namespace)

    def _labels_of(self, space: str) -> Mapping[str, str]:
        return namespace_labels(self._cluster.namespace_labels, space)


class _Fronts:
    """Which Services stand in front of whom: made once for all rules of all policies."""

    def __init__(self, cluster: Cluster) -> None:
        self._services = tuple(cluster.services.values())
        self._by_label: dict[tuple[str, str, str], list[int]] = {}
        self._by_address: dict[Address, dict[int, None]] = {}
        self._ports: dict[str, _Ports] = {}
        for place, service in enumerate(self._services):
            for key, value in (service.selector or {}).items():
                # One label is enough to find it by.
                self._by_label.setdefault((service.namespace, key, value), []).append(place)
                break
            for each in cluster.endpoint_slices.get(service.key, ()):
                for one in each.endpoints:
                    for address in one.addresses:
                        self._by_address.setdefault(address, {})[place] = None

    def before(self, peer: Peer) -> list[Service]:
        """The Services in front of a pod, or of an address that is none's."""
        if peer.pod is not None:
            return self._selecting(peer.pod)
        found = self._by_address.get(peer.address, ()) if peer.address is not None else ()
        return [self._services[place] for place in found]

    def _selecting(self, pod: Pod) -> list[Service]:
        labels_ = pod.labels.items()
        places = sorted(
            place for pair in labels_ for place in self._by_label.get((pod.namespace, *pair), ())
        )
        found = (self._services[place] for place in places)
        return [one for one in found if (one.selector or {}).items() <= labels_]

    def ports_to(self, pod: Pod | None) -> _Ports:
        """Ports of the Services that lead to a pod, sorted; None: of all."""
        key = pod.key if pod is not None else ""
        found = self._ports.get(key)
        if found is None:
            numbers: dict[Protocol, set[int]] = {}
            for service in self._selecting(pod) if pod is not None else self._services:
                for port in service.ports:
                    own = {one for one in (port.port, port.node_port) if one}
                    numbers.setdefault(port.protocol, set()).update(own)
            found = self._ports[key] = {one: sorted(those) for one, those in numbers.items()}
        return found


_Ports = Mapping[Protocol, Sequence[int]]
_fronts = Derived(_Fronts)


def _known_spaces(cluster: Cluster) -> frozenset[str]:
    pods = (pod.namespace for pod in cluster.pods.values())
    return frozenset((*cluster.namespace_labels, *pods, *ALWAYS_THERE))


def _by_name(cluster: Cluster) -> dict[tuple[str, str, str], Workload]:
    return {(one.namespace, one.kind, one.name): one for one in cluster.workloads}


_makers = Derived(_by_name)
_spaces = Derived(_known_spaces)
"""All namespaces that there surely are."""


def _holds_any(wanted: PolicyPort, numbers: Sequence[int]) -> bool:
    """Whether a rule's port is one of some, which are sorted."""
    if not isinstance(wanted.port, int):
        return False
    after = bisect_left(numbers, wanted.port)
    return after < len(numbers) and _holds(wanted, numbers[after])


def _holds(wanted: PolicyPort, port: int) -> bool:
    first, last = wanted.port, wanted.end_port or wanted.port
    return isinstance(first, int) and isinstance(last, int) and first <= port <= last


def _words(found: Mapping[str, str], between: str = ", ", equals: str = "=") -> str:
    return between.join(f"{key}{equals}{value}" for key, value in sorted(found.items())) or "none"


def _alone(address: Address) -> str:
    return f"{address}/{address.bits}"


def _unknown_name(rule: PolicyRule, ask: Ask) -> str:
    """The name of a port in a rule that the asked pod has not; empty: there is none such."""
    own = {port.name for port in declared(ask.server)} if ask.server is not None else set()
    names = (one.port for one in rule.ports if isinstance(one.port, str))
    return next((name for name in names if name not in own), "") if ask.server is not None else ""


def _name_of(ask: Ask) -> str:
    """The asked port as a policy may write it: by its name where it has one."""
    has = declared(ask.server) if ask.server is not None else ()
    named = (one.name for one in has if (one.number, one.protocol) == (ask.port, ask.protocol))
    return next(filter(None, named), str(ask.port))


def _names(ask: Ask) -> str:
    has: Iterator[str] = (
        f"{one.name} ({one.number})"
        for one in (declared(ask.server) if ask.server is not None else ())
        if one.name
    )
    return ", ".join(has) or "no names"
