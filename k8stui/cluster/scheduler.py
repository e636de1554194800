"""Which node a pod goes to, and what a pod that fits nowhere says.

The filters and their words are kube-scheduler's (pkg/scheduler/framework/plugins; control-plane-
facts section 8). Of several nodes that fit, the real scheduler takes one by scores and chance;
here: the preferred one, then the one with fewest pods of the same workload, then fewest pods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from k8stui.cluster.claims import Claims
from k8stui.cluster.draft import Draft
from k8stui.cluster.fields import Object, array, text
from k8stui.cluster.model import Container, Node
from k8stui.cluster.needs import ANY, HostPort, Needs, read_needs
from k8stui.cluster.pod_topology import Placed, Topology, View
from k8stui.cluster.refusal import Refusal, early_message, message
from k8stui.cluster.selectors import tolerates
from k8stui.manifests import quantity
from k8stui.record import record

USUAL_PODS = 110
"""The kubelet's maxPods."""

_UNSCHEDULABLE = "node(s) were unschedulable"
_TAINT = "node(s) had untolerated taint(s)"
_AFFINITY = "node(s) didn't match Pod's node affinity/selector"
_LEFT_OUT = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
_PORTS = "node(s) didn't have free ports for the requested pod ports"
_GATES = "Scheduling is blocked due to non-empty scheduling gates"


@record(frozen=False)
class _Host:
    node: Node
    allocatable: Mapping[str, int] | None
    """In billionths; None where the input does not say: then only pods are counted."""
    used: Counter[str] = field(default_factory=Counter)
    ports: set[HostPort] = field(default_factory=set)
    pods: int = 0
    max_pods: int = USUAL_PODS

    def __post_init__(self) -> None:
        if self.allocatable is not None and "pods" in self.allocatable:
            self.max_pods = self.allocatable["pods"] // quantity.parse(1)


_Entry = tuple[tuple[int, int], _Host]
"""What speaks against a node, and the node."""


@record()
class _Field:
    """What the pods of one template can expect of the nodes, whoever else is there."""

    needs: Needs
    open: tuple[_Entry, ...]
    """Nodes that no taint or selector closes."""
    refusals: tuple[Refusal, ...]
    is_plain: bool
    """Of what is used on a node, only the number of pods can refuse these pods."""


def schedule(
    drafts: Sequence[Draft],
    nodes: Mapping[str, Node],
    allocatable: Mapping[str, Object],
    namespaces: Mapping[str, Mapping[str, str]],
    claims: Claims | None = None,
) -> None:
    """Give every draft a node, or the message of the scheduler.

    `allocatable`: what each node offers, as written; `namespaces`: labels of namespaces, for
    affinity terms that select by them; `claims`: None where all are taken to be bound. Pods that
    fit nowhere are tried again when others have been placed, as the scheduler's queue does.
    """
    _Scheduler(nodes, allocatable, namespaces, claims).run(drafts)


class _Scheduler:
    def __init__(
        self,
        nodes: Mapping[str, Node],
        allocatable: Mapping[str, Object],
        namespaces: Mapping[str, Mapping[str, str]],
        claims: Claims | None,
    ) -> None:
        self._claims = claims
        self._hosts = {
            name: _Host(node, _amounts(allocatable.get(name))) for name, node in nodes.items()
        }
        self._topology = Topology(nodes.values(), namespaces)
        self._fields: dict[tuple[int, int], _Field] = {}
        self._surveys: dict[str, tuple[tuple[_Entry, ...], tuple[Refusal, ...]]] = {}
        self._owned: dict[tuple[str, object], Counter[str]] = {}
        """Pods of one workload by node."""

    def run(self, drafts: Sequence[Draft]) -> None:
        waiting = []
        for draft in drafts:
            if draft.node_name in self._hosts:
                if not draft.finished:
                    self._bind(draft, self._hosts[draft.node_name])
            elif not draft.observed and not draft.lost:
                waiting.append(draft)
        placed = True
        while placed and waiting:
            placed = False
            still = []
            for draft in waiting:
                if self._place(draft):
                    placed = True
                else:
                    still.append(draft)
            waiting = still

    def _place(self, draft: Draft) -> bool:
        if draft.after is not None and draft.after.node_name is None:
            return False
        if array(draft.spec, "schedulingGates"):
            draft.pending_reason = _GATES
            return False
        scheduler = text(draft.spec, "schedulerName") or "default-scheduler"
        if scheduler != "default-scheduler":
            draft.pending_reason = f"nobody serves the scheduler name {scheduler}"
            return False
        if self._claims is not None and (wrong := self._claims.refuse(draft)):
            draft.pending_reason = early_message(wrong, len(self._hosts))
            return False
        fields = self._field_of(draft.spec, draft.containers)
        view = self._topology.view(draft.namespace, draft.labels, fields.needs)
        owned = self._owned.setdefault((draft.namespace, draft.owner), Counter())
        best = _emptiest(fields, owned) if fields.is_plain and view.is_open else None
        if best is None:
            fitting, refusals = _sift(fields, view)
            if not fitting:
                draft.pending_reason = message(refusals)
                return False
            best = min(fitting, key=lambda entry: _rank(entry, owned))[1]
        draft.node_name = best.node.name
        draft.pending_reason = ""
        self._bind(draft, best)
        return True

    def _bind(self, draft: Draft, host: _Host) -> None:
        needs = self._field_of(draft.spec, draft.containers).needs
        host.used.update(needs.resources)
        host.ports |= needs.host_ports
        host.pods += 1
        self._owned.setdefault((draft.namespace, draft.owner), Counter())[host.node.name] += 1
        self._topology.add(
            Placed(draft.namespace, draft.labels, host.node, draft.terminating, needs)
        )

    def _field_of(self, spec: Object, containers: tuple[Container, ...]) -> _Field:
        # Replicas share their template's spec; a DaemonSet's pods have one each.
        key = id(spec), id(containers)
        found = self._fields.get(key)
        if found is None:
            found = self._fields[key] = self._survey(read_needs(spec, containers))
        return found

    def _survey(self, needs: Needs) -> _Field:
        # Most templates ask for the same, namely nothing: one look at the nodes does for them.
        key = repr((needs.nodes, needs.tolerations))
        if key not in self._surveys:
            seen = [(host, _closed(needs, host.node)) for host in self._hosts.values()]
            self._surveys[key] = (
                tuple((_against(needs, host.node), host) for host, why in seen if why is None),
                tuple(why for _, why in seen if why is not None),
            )
        still_open, refusals = self._surveys[key]
        is_plain = not needs.host_ports and (
            not needs.resources or all(host.allocatable is None for _, host in still_open)
        )
        return _Field(needs, still_open, refusals, is_plain)


def _amounts(written: Object | None) -> Mapping[str, int] | None:
    if not written:
        return None
    return {name: quantity.parse(amount) for name, amount in written.items()}


def _rank(entry: _Entry, owned: Mapping[str, int]) -> tuple[tuple[int, int], int, int]:
    """The least is the best: what speaks against it, pods of the same workload, pods."""
    against, host = entry
    return against, owned.get(host.node.name, 0), host.pods


def _emptiest(fields: _Field, owned: Mapping[str, int]) -> _Host | None:
    """The best node where nothing but the number of pods counts: the usual case, kept short."""
    fitting = [entry for entry in fields.open if entry[1].pods < entry[1].max_pods]
    return min(fitting, key=lambda entry: _rank(entry, owned))[1] if fitting else None


def _sift(fields: _Field, view: View) -> tuple[list[_Entry], list[Refusal]]:
    """Run the remaining filters over the open nodes."""
    fitting = []
    refusals = list(fields.refusals)
    for entry in fields.open:
        refusal = _refuse(fields.needs, entry[1]) or view.refuse(entry[1].node)
        if refusal is None:
            fitting.append(entry)
        else:
            refusals.append(refusal)
    return fitting, refusals


def _against(needs: Needs, node: Node) -> tuple[int, int]:
    """PreferNoSchedule taints, and the negative weight of what the pod would rather have."""
    avoided = sum(
        taint.effect == "PreferNoSchedule" and not tolerates(needs.tolerations, taint)
        for taint in node.taints
    )
    return avoided, -needs.nodes.preference(node)


def _closed(needs: Needs, node: Node) -> Refusal | None:
    """The filters that look at the node's own words, in the scheduler's order."""
    if needs.only_nodes is not None and node.name not in needs.only_nodes:
        return Refusal((_LEFT_OUT,), final=True)
    if node.unschedulable and not any(
        tolerates(needs.tolerations, taint) for taint in node.taints if _is_cordon(taint.key)
    ):
        return Refusal((_UNSCHEDULABLE,), final=True)
    for taint in node.taints:
        if taint.effect in ("NoSchedule", "NoExecute") and not tolerates(needs.tolerations, taint):
            return Refusal((_TAINT,), final=True)
    if not needs.nodes.matches(node):
        return Refusal((_AFFINITY,), final=True)
    return None


def _refuse(needs: Needs, host: _Host) -> Refusal | None:
    """The filters that look at what is used on the node, in the scheduler's order."""
    if needs.host_ports and _conflicts(needs.host_ports, host.ports):
        return Refusal((_PORTS,), final=False)
    return _lacks(needs, host)


def _is_cordon(key: str) -> bool:
    return key == "node.kubernetes.io/unschedulable"


def _conflicts(wanted: Iterable[HostPort], used: set[HostPort]) -> bool:
    """Source: pkg/scheduler/framework HostPortInfo: 0.0.0.0 conflicts with every address."""
    for ip, protocol, port in wanted:
        for used_ip, used_protocol, used_port in used:
            if (protocol, port) == (used_protocol, used_port) and (
                ip == used_ip or ANY in (ip, used_ip)
            ):
                return True
    return False


def _lacks(needs: Needs, host: _Host) -> Refusal | None:
    """Source: noderesources/fit.go fitsRequest; more than the whole node has is final."""
    if host.pods < host.max_pods and (not needs.resources or host.allocatable is None):
        return None
    reasons = []
    final = False
    if host.pods + 1 > host.max_pods:
        reasons.append("Too many pods")
    if host.allocatable is not None:
        for name, asked in needs.resources.items():
            offered = host.allocatable.get(name, 0)
            if asked and asked > offered - host.used[name]:
                reasons.append(f"Insufficient {name}")
                final = final or asked > offered
    return Refusal(tuple(reasons), final) if reasons else None
