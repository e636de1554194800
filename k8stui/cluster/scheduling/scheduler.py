"""Which node a pod goes to, and what a pod that fits nowhere says.

The filters and their words are kube-scheduler's (pkg/scheduler/framework/plugins; control-plane-
facts section 8). Of several nodes that fit, the real scheduler takes one by scores and chance;
here: the preferred one, then the one with fewest pods of the same workload, then fewest pods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, array, text
from k8stui.cluster.draft import Draft
from k8stui.cluster.memory import NO_MEMORY, Memory
from k8stui.cluster.model import Node
from k8stui.cluster.scheduling.filters import NodeInfo, amounts, closed, elsewhere, lacks, refuse
from k8stui.cluster.scheduling.needs import Needs, read_needs
from k8stui.cluster.scheduling.placed import Placed
from k8stui.cluster.scheduling.pod_topology import Topology, TopologyView
from k8stui.cluster.scheduling.preemption import NO_VICTIMS, Candidate, pick, victims_on
from k8stui.cluster.scheduling.ranking import Entry, Ranking, rank
from k8stui.cluster.scheduling.refusal import Refusal, early_message, message
from k8stui.cluster.scheduling.scoring import points
from k8stui.cluster.selectors import tolerates
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.cluster.scheduling.claims import Claims, Mounts, Unbindable

_GATES = "Scheduling is blocked due to non-empty scheduling gates"


_Alike = tuple[str, int, int, frozenset[tuple[str, str]]]
"""What the scheduler can tell pods apart by: namespace, spec, containers, labels."""


def _alike(draft: Draft) -> _Alike:
    return draft.namespace, id(draft.spec), id(draft.containers), frozenset(draft.labels.items())


@record()
class _Field:
    """What the pods of one template can expect of the nodes, whoever else is there."""

    needs: Needs
    open: tuple[Entry, ...]
    """Nodes that no taint or selector closes."""
    refusals: tuple[Refusal, ...]


class Scheduler:
    """Gives every draft a node, or the message of the scheduler.

    `allocatable`: what each node offers, as written; `namespaces`: labels of namespaces, for
    affinity terms that select by them; `claims`: None where all are taken to be bound. Pods that
    fit nowhere are tried again when others have been placed, as the scheduler's queue does. More
    pods can come later: those that have a place keep it.
    """

    def __init__(
        self,
        nodes: Mapping[str, Node],
        allocatable: Mapping[str, Object],
        namespaces: Mapping[str, Mapping[str, str]],
        claims: Claims | Unbindable | None = None,
        memory: Memory = NO_MEMORY,
    ) -> None:
        self._claims = claims
        self._memory = memory
        self._hosts = {
            name: NodeInfo(node, amounts(allocatable.get(name))) for name, node in nodes.items()
        }
        self._topology = Topology(nodes.values(), namespaces)
        self._fields: dict[tuple[int, int], _Field] = {}
        self._surveys: dict[str, tuple[tuple[Entry, ...], tuple[Refusal, ...]]] = {}
        self._owned: dict[tuple[str, object], Counter[str]] = {}
        """Pods of one workload by node."""
        self._ranking: tuple[tuple[int, int, str, object], Ranking] | None = None
        """Of the template, namespace and workload that asked last: its pods come one after the
        other, and orders of all nodes for all workloads would be kept. None: a pod went."""
        self._changes = 0
        """How often a pod came or went; what was tried only does not count."""
        self._refused: dict[_Alike, tuple[int, str]] = {}
        """After so many changes pods like this had no place, and why."""
        self._evicted: list[Draft] = []
        """Sent away and made anew: they wait again."""
        self.has_evicted = False
        """Whether a pod that had a place had to leave it."""

    def run(self, drafts: Sequence[Draft]) -> None:
        waiting = []
        for draft in drafts:
            if draft.node_name in self._hosts:
                if not draft.finished:
                    self.bind(draft, self._hosts[draft.node_name])
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
            waiting = still + self._evicted
            self._evicted = []

    def take_away(self, draft: Draft) -> None:
        """The pod has no place any more; one that had none has none."""
        host = self._hosts.get(draft.node_name or "")
        if host is not None and draft in host.placed:
            self.unbind(draft, host)

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
        mounts = None if self._claims is None else self._claims.mounts(draft)
        if isinstance(mounts, str):
            draft.pending_reason = early_message(mounts, len(self._hosts))
            return False
        fields = self._field_of(draft)
        alike = None if mounts is not None and not mounts.are_free else _alike(draft)
        known = None if alike is None else self._refused.get(alike)
        if known is not None and known[0] == self._changes:
            draft.pending_reason = known[1]
            return False
        view = self._topology.view(draft.namespace, draft.labels, fields.needs)
        wished = self._topology.is_wished(draft.namespace, draft.labels)
        tied = None if mounts is None or mounts.are_free else mounts
        is_scored = bool(fields.needs.liked or fields.needs.soft_spreads or wished)
        best = None if is_scored else self._emptiest(draft, fields, view, tied)
        if best is None:
            fitting, refused = _sift(fields, view, tied)
            best = (
                self._best(draft, fields, fitting)
                if fitting
                else self._make_room(draft, fields, tied, refused)
            )
            if best is None:
                if alike is not None:
                    self._refused[alike] = self._changes, draft.pending_reason
                return False
        draft.node_name = best.node.name
        draft.pending_reason = ""
        if tied is not None:
            tied.take(best.node)
        self.bind(draft, best)
        return True

    def _emptiest(
        self, draft: Draft, fields: _Field, view: TopologyView, tied: Mounts | None
    ) -> NodeInfo | None:
        """The best node where nothing is liked more than another."""
        key = id(draft.spec), id(draft.containers), draft.namespace, draft.owner
        if self._ranking is None or self._ranking[0] != key:
            owned = self._owned.setdefault((draft.namespace, draft.owner), Counter())
            self._ranking = key, Ranking(fields.open, owned)
        refuses = partial(elsewhere, mounts=tied, view=view)
        return self._ranking[1].best(partial(lacks, fields.needs), refuses)

    def _best(self, draft: Draft, fields: _Field, fitting: Sequence[Entry]) -> NodeInfo:
        owned = self._owned.setdefault((draft.namespace, draft.owner), Counter())
        needs = fields.needs
        given = points(
            self._topology,
            draft.namespace,
            draft.labels,
            needs,
            nodes=[host.node for _, host in fitting],
            against=[against for against, _ in fitting],
            owned=owned,
        )
        most = max(given)
        best = [entry for entry, has in zip(fitting, given, strict=True) if has == most]
        return min(best, key=lambda entry: rank(entry, owned)[1:]).host

    def _make_room(
        self,
        draft: Draft,
        fields: _Field,
        mounts: Mounts | None,
        refused: Sequence[tuple[NodeInfo, Refusal]],
    ) -> NodeInfo | None:
        """Send pods of lower priority away, or say why `draft` stays."""
        refusals = [*fields.refusals, *(refusal for _, refusal in refused)]
        if not fields.needs.preempts:
            helpless = "not eligible due to preemptionPolicy=Never."
            draft.pending_reason = message(refusals, helpless)
            return None
        candidates = []
        reasons: list[str] = []
        for host, refusal in refused:
            if refusal.final:
                continue
            if not any(priority < fields.needs.priority for priority in host.priorities):
                reasons.append(NO_VICTIMS)
                continue
            before = self._changes
            found = victims_on(
                _Room(self, host),
                fields.needs.priority,
                self._priority,
                partial(self._refusal, draft, fields, mounts, host),
            )
            self._changes = before
            if isinstance(found, Candidate):
                candidates.append(found)
            else:
                reasons += found
        if not candidates:
            draft.pending_reason = message(refusals, reasons)
            return None
        chosen = pick(candidates, self._priority)
        for victim in chosen.victims:
            self.unbind(victim, self._hosts[chosen.name])
            self.has_evicted = True
            victim.node_name = None
            if victim.replica is None:
                victim.evicted = True
                victim.pending_reason = f"preempted by {draft.key}"
            else:
                self._evicted.append(victim)
        return self._hosts[chosen.name]

    def _priority(self, draft: Draft) -> int:
        return self._field_of(draft).needs.priority

    def _refusal(
        self, draft: Draft, fields: _Field, mounts: Mounts | None, host: NodeInfo
    ) -> Refusal | None:
        view = self._topology.view(draft.namespace, draft.labels, fields.needs)
        return refuse(fields.needs, host, mounts, view)

    def bind(self, draft: Draft, host: NodeInfo) -> None:
        needs = self._field_of(draft).needs
        host.used.update(needs.resources)
        host.ports |= needs.host_ports
        host.pods += 1
        self._changes += 1
        if not draft.observed:
            host.priorities[needs.priority] += 1
        self._owned.setdefault((draft.namespace, draft.owner), Counter())[host.node.name] += 1
        placed = Placed(draft.namespace, draft.labels, host.node, draft.terminating, needs)
        self._topology.add(placed)
        host.placed[draft] = placed

    def unbind(self, draft: Draft, host: NodeInfo) -> None:
        placed = host.placed.pop(draft)
        host.used.subtract(placed.needs.resources)
        if placed.needs.host_ports:
            host.ports = {port for one in host.placed.values() for port in one.needs.host_ports}
        host.pods -= 1
        self._changes += 1
        self._ranking = None
        if not draft.observed:
            host.priorities[placed.needs.priority] -= 1
            host.priorities += Counter()  # without those that are gone
        self._owned[draft.namespace, draft.owner][host.node.name] -= 1
        self._topology.remove(placed)

    def _field_of(self, draft: Draft) -> _Field:
        # Replicas share their template's spec; a DaemonSet's pods have one each.
        spec, containers = draft.spec, draft.containers
        key = id(spec), id(containers)
        found = self._fields.get(key)
        if found is None:
            needs = self._memory.kept(
                ("needs", draft.key), (spec, containers), partial(read_needs, spec, containers)
            )
            found = self._fields[key] = self._survey(needs)
        return found

    def _survey(self, needs: Needs) -> _Field:
        # Most templates ask for the same, namely nothing: one look at the nodes does for them.
        key = repr((needs.nodes, needs.tolerations))
        if key not in self._surveys:
            seen = [(host, closed(needs, host.node)) for host in self._hosts.values()]
            self._surveys[key] = (
                tuple(Entry(_against(needs, host.node), host) for host, why in seen if why is None),
                tuple(why for _, why in seen if why is not None),
            )
        still_open, refusals = self._surveys[key]
        return _Field(needs, still_open, refusals)


@record()
class _Room:
    """A node as preemption looks at it. Pods of a dump are there: they are not sent away."""

    scheduler: Scheduler
    host: NodeInfo

    @property
    def name(self) -> str:
        return self.host.node.name

    def residents(self) -> Sequence[Draft]:
        return [draft for draft in self.host.placed if not draft.observed]

    def leave(self, draft: Draft) -> None:
        self.scheduler.unbind(draft, self.host)

    def enter(self, draft: Draft) -> None:
        self.scheduler.bind(draft, self.host)


def _sift(
    fields: _Field, view: TopologyView, mounts: Mounts | None
) -> tuple[list[Entry], list[tuple[NodeInfo, Refusal]]]:
    """Run the remaining filters over the open nodes."""
    fitting = []
    refused = []
    for entry in fields.open:
        refusal = refuse(fields.needs, entry[1], mounts, view)
        if refusal is None:
            fitting.append(entry)
        else:
            refused.append((entry[1], refusal))
    return fitting, refused


def _against(needs: Needs, node: Node) -> tuple[int, int]:
    """PreferNoSchedule taints, and the negative weight of what the pod would rather have."""
    avoided = sum(
        taint.effect == "PreferNoSchedule" and not tolerates(needs.tolerations, taint)
        for taint in node.taints
    )
    return avoided, -needs.nodes.preference(node)
