"""Drafts to pods: placed, started, addressed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, table, text
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.addresses import PodAllocator
from k8stui.cluster.draft import Draft
from k8stui.cluster.kubelet import OwnWords, PodState, is_ready, lack_of, state_of
from k8stui.cluster.memory import Memory
from k8stui.cluster.model import Node, Pod, PodPhase, Remark, Workload
from k8stui.cluster.scheduling.filters import conflicts
from k8stui.cluster.scheduling.needs import HostPort, host_ports
from k8stui.cluster.scheduling.scheduler import Scheduler
from k8stui.cluster.well_known import REGION, ZONE
from k8stui.cluster.workloads import Expander
from k8stui.origin import assumed
from k8stui.record import record
from k8stui.suggest import nearest

if TYPE_CHECKING:
    from k8stui.cluster.scheduling.unplaced import Mends

_NO_PORTS = "its node refuses it (Predicate NodePorts failed): another pod there has its hostPort"
"""pkg/kubelet/lifecycle/predicate.go generalFilter: no scheduler looked, as with nodeName."""
_PLACE_LABELS = (ZONE, REGION)


@record(kw_only=True)
class Peopled:
    """The pods and who made them."""

    pods: Mapping[str, Pod]
    """By ``namespace/name``; those of a dump as they were seen."""
    workloads: tuple[Workload, ...]
    remarks: tuple[Remark, ...]


class Population:
    """The pods of a cluster. More of what makes pods can come later: who has settled stays.

    `grows`: whether that may be, with nothing else changed; else no more is asked than once.
    """

    def __init__(
        self,
        expander: Expander,
        scheduler: Scheduler,
        nodes: Mapping[str, Node],
        allocatable: Mapping[str, Object],
        *,
        states: Sequence[PodState],
        memory: Memory,
        grows: bool,
    ) -> None:
        self._expander = expander
        self._scheduler = scheduler
        self._nodes = nodes
        self._allocatable = allocatable
        self._states = states
        self._memory = memory
        self._grows = grows
        self._allocator = PodAllocator(nodes)
        self._ports: dict[str, set[HostPort]] = {}
        """The host ports of those that have settled, by node."""
        self._plans: list[Draft] = []
        """Every pod as it was made: nothing is decided for it."""
        self._settled: dict[Draft, Draft] = {}
        """Plans for which all is decided for good, and what."""
        self._pods: dict[Draft, Pod] = {}
        """Of those that have settled."""
        self._moving: list[Draft] = []
        """What was decided for the other plans: it is asked anew each time."""
        self._last: Peopled | None = None
        self.is_spoilt = False
        """Somebody who had settled had to leave: what came last can not be told from this."""

    def can_take(self, inventory: Inventory) -> bool:
        """Whether all who have settled stay when more comes."""
        if self._expander.is_done(inventory) and not self._moving:
            return not self.is_spoilt
        return self._grows and not self.is_spoilt and self._expander.can_take(inventory)

    def take(self, inventory: Inventory, before: Mapping[str, Pod]) -> Peopled:
        """Make the pods of what has come, and ask again for those that had no place.

        `before`: pods that were there a moment ago, which stay where they are.
        """
        if self._last is not None and not self._moving and self._expander.is_done(inventory):
            return self._last
        expansion = self._expander.take(inventory)
        self._plans = expansion.drafts
        for draft in self._moving:
            self._scheduler.take_away(draft)
        asked = {plan: self._begun(plan) for plan in self._plans if plan not in self._settled}
        for draft in asked.values():
            if draft.after is not None:
                draft.after = self._settled.get(draft.after) or asked[draft.after]
            self._stay(draft, before)
        expansion.drafts = [self._settled.get(plan) or asked[plan] for plan in self._plans]
        if self._grows or not all(draft.observed for draft in asked.values()):
            self._scheduler.run([*asked.values()])
            expansion.evict()
            held = _held_back(expansion.drafts, self._states)
            if held:
                expansion.drop(held.keys())
            self.is_spoilt = self._scheduler.has_evicted or not self._pods.keys().isdisjoint(held)
            self._start(
                [draft for draft in asked.values() if not draft.evicted and draft not in held]
            )
        _say_mends(asked.values(), self._nodes, self._allocatable)
        pods = {
            draft.key: self._pods.get(draft)
            or self._memory.kept(("Pod", draft.key), draft.said, draft.finish)
            for draft in expansion.drafts
        }
        self._moving = []
        for plan, draft in asked.items():
            if _has_settled(draft) and draft.key in pods:
                self._settled[plan] = draft
                self._pods[draft] = pods[draft.key]
                if draft.node_name is not None and not (draft.observed and draft.finished):
                    used = self._ports.setdefault(draft.node_name, set())
                    used |= host_ports(draft.containers)
            else:
                self._moving.append(draft)
        self._last = Peopled(
            pods=pods, workloads=tuple(expansion.workloads), remarks=tuple(expansion.remarks)
        )
        return self._last

    def _begun(self, plan: Draft) -> Draft:
        """What is decided for a plan that may be asked for again is written into a copy."""
        if plan.observed or not self._grows:
            return plan
        return replace(plan, labels={**plan.labels}, decided={**plan.decided})

    def _stay(self, draft: Draft, before: Mapping[str, Pod]) -> None:
        """A pod that was there, and one that has a node by its own words."""
        stays = before.get(draft.key)
        if stays is not None and stays.addresses and not draft.observed:
            draft.node_name, draft.addresses = stays.node_name, stays.addresses
        if draft.observed and draft.node_name is None:
            _find_node(draft, self._nodes)
        if draft.node_name is not None and draft.node_name not in self._nodes:
            # Nobody runs it; the garbage collector will delete it
            # (docs/facts/control-plane.md section 8).
            draft.pending_reason = f'node "{draft.node_name}" not found'
            draft.node_name = None
            draft.lost = True

    def _start(self, drafts: Sequence[Draft]) -> None:
        """What happens to the pods that got a node, in the order of the input."""
        allocator = self._allocator
        allocator.take(address for draft in drafts for address in draft.addresses)
        on_node = {name: {*ports} for name, ports in self._ports.items()}
        said: OwnWords = {}
        for draft in drafts:
            if draft.node_name is None or draft.finished:
                continue
            ports, used = host_ports(draft.containers), on_node.setdefault(draft.node_name, set())
            if not draft.observed and conflicts(ports, used):
                draft.phase, draft.unready_reason = PodPhase.FAILED, _NO_PORTS
                continue
            used |= ports
            if draft.observed:
                continue
            node = self._nodes[draft.node_name]
            state = state_of(draft, self._states)
            draft.phase = state.phase
            lack = lack_of(draft, self._states, said)
            draft.ready = state.phase is PodPhase.RUNNING and state.ready and lack is None
            if lack is not None:
                draft.unready_reason, draft.unready_mend = lack.why, lack.mend
                draft.unready_sure = lack.sure
                origin = draft.manifest.origin(*draft.spec_path, *lack.path)
                draft.decided["unready_reason"] = origin
            # Also while images are pulled: the sandbox comes first.
            poor = None if draft.host_network or draft.addresses else node.without_pool
            if poor is not None and _OWN_POOLS not in _notes(draft):
                draft.phase, draft.ready = PodPhase.PENDING, False
                draft.pending_reason, draft.pending_mends = poor.why, (poor.mend,)
                draft.decided["pending_reason"] = poor.origin
                continue
            if not draft.addresses:
                draft.addresses = allocator.addresses(node.name, host_network=draft.host_network)
            if not draft.addresses and node.pod_cidrs and not draft.host_network:
                # host-local's IPAM refuses the sandbox, and the kubelet tries again and again.
                full = " and ".join(map(str, node.pod_cidrs))
                draft.phase, draft.ready = PodPhase.PENDING, False
                draft.pending_reason = (
                    f"no IP addresses available in {full}, the range of {node.name}"
                )
            # Since 1.35 a bound pod gets its node's place (PodTopologyLabels admission).
            draft.labels |= {key: node.labels[key] for key in _PLACE_LABELS if key in node.labels}


_OWN_POOLS = "cni.projectcalico.org/ipv4pools"
"""The annotation that names Calico's pools: then their nodeSelector is not looked at."""


def _notes(draft: Draft) -> Object:
    return table(draft.manifest.data, *draft.spec_path[:-1], "metadata", "annotations")


def _has_settled(draft: Draft) -> bool:
    """Whether the same would be decided again, whatever more comes."""
    is_placed = draft.node_name is not None and bool(draft.addresses)
    return draft.observed or (is_placed and draft.phase is not PodPhase.FAILED)


def _say_mends(
    drafts: Iterable[Draft], nodes: Mapping[str, Node], allocatable: Mapping[str, Object]
) -> None:
    """Of the pods that got no node; those of one template have one and the same."""
    said: dict[int, tuple[str, ...]] = {}
    mends: Mends | None = None
    for draft in drafts:
        if draft.node_name is None and draft.pending_reason and not draft.lost:
            from k8stui.cluster.scheduling.unplaced import Mends  # noqa: PLC0415 - rare

            if id(draft.spec) not in said:
                mends = mends or Mends(nodes, allocatable)
                said[id(draft.spec)] = mends.of(draft.spec)
            draft.pending_mends = said[id(draft.spec)]
        elif draft.lost:
            near = nearest(text(draft.spec, "nodeName"), nodes)
            leave = "leave nodeName out: the scheduler chooses a node then"
            draft.pending_mends = (f"write nodeName: {near}, or {leave}" if near else leave,)


def _find_node(draft: Draft, nodes: Mapping[str, Node]) -> None:
    """Somebody has taken nodeName out of the dump: the kubelet that reports the pod has hostIP."""
    host = draft.host_address
    for node in nodes.values() if host is not None else ():
        if host in node.addresses:
            draft.node_name = node.name
            draft.decided["node_name"] = assumed(
                f"status.hostIP {host}: nodeName is not in the dump", draft.manifest.origin().place
            )


def _held_back(drafts: Iterable[Draft], states: Sequence[PodState]) -> dict[Draft, None]:
    """A StatefulSet waits until each pod runs and is ready: later ones are not made."""
    held: dict[Draft, None] = {}
    said: OwnWords = {}
    for draft in drafts:
        earlier = draft.after
        if earlier is not None and (
            earlier in held or earlier.node_name is None or not is_ready(earlier, states, said)
        ):
            held[draft] = None
    return held
