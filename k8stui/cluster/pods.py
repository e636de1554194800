"""Drafts to pods: placed, started, addressed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import Object, labels, text
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.addresses import PodAllocator
from k8stui.cluster.draft import Draft
from k8stui.cluster.filters import conflicts
from k8stui.cluster.kubelet import PodState, is_ready, state_of, why_unready
from k8stui.cluster.memory import NO_MEMORY, Memory
from k8stui.cluster.model import Node, Pod, PodPhase
from k8stui.cluster.needs import HostPort, host_ports
from k8stui.cluster.scheduler import schedule
from k8stui.cluster.well_known import REGION, ZONE
from k8stui.cluster.workloads import Expansion
from k8stui.origin import assumed
from k8stui.suggest import nearest

if TYPE_CHECKING:
    from k8stui.cluster.claims import Claims, MisspeltClasses

_NO_PORTS = "its node refuses it (Predicate NodePorts failed): another pod there has its hostPort"
"""pkg/kubelet/lifecycle/predicate.go generalFilter: no scheduler looked, as with nodeName."""
_PLACE_LABELS = (ZONE, REGION)


def finish_pods(
    expansion: Expansion,
    inventory: Inventory,
    nodes: Mapping[str, Node],
    allocatable: Mapping[str, Object],
    *,
    states: Sequence[PodState] = (),
    claims: Claims | MisspeltClasses | None = None,
    before: Mapping[str, Pod] = MappingProxyType({}),
    memory: Memory = NO_MEMORY,
) -> dict[str, Pod]:
    """Every pod by ``namespace/name``; those of a dump as they were seen.

    `claims`: None where claims are taken to be bound. `before`: pods that were there a moment ago,
    which stay where they are.
    """
    for draft in expansion.drafts if before else ():
        stays = before.get(draft.key)
        if stays is not None and stays.addresses and not draft.observed:
            draft.node_name, draft.addresses = stays.node_name, stays.addresses
    for draft in expansion.drafts:
        if draft.observed and draft.node_name is None:
            _find_node(draft, nodes)
        if draft.node_name is not None and draft.node_name not in nodes:
            # Nobody runs it; the garbage collector will delete it
            # (docs/facts/control-plane.md section 8).
            draft.pending_reason = f'node "{draft.node_name}" not found'
            draft.node_name = None
            draft.lost = True
    if not all(draft.observed for draft in expansion.drafts):
        namespaces = {
            name: labels(manifest.data, "metadata", "labels")
            for name, manifest in inventory.of("Namespace").items()
        }
        schedule(expansion.drafts, nodes, allocatable, namespaces, claims, memory=memory)
        expansion.evict()
        _hold_back(expansion, states)
        _start(expansion, nodes, states)
    _say_mends(expansion, nodes, allocatable)
    return {
        draft.key: memory.kept(("Pod", draft.key), draft.said, draft.finish)
        for draft in expansion.drafts
    }


def _say_mends(
    expansion: Expansion, nodes: Mapping[str, Node], allocatable: Mapping[str, Object]
) -> None:
    """Of the pods that got no node."""
    for draft in expansion.drafts:
        if draft.node_name is None and draft.pending_reason and not draft.lost:
            from k8stui.cluster.unplaced import mends  # noqa: PLC0415 - rare

            draft.pending_mends = mends(draft.spec, nodes, allocatable)
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


def _hold_back(expansion: Expansion, states: Sequence[PodState]) -> None:
    """A StatefulSet waits until each pod runs and is ready: later ones are not made."""
    held: dict[Draft, None] = {}
    for draft in expansion.drafts:
        earlier = draft.after
        if earlier is not None and (
            earlier in held or earlier.node_name is None or not is_ready(earlier, states)
        ):
            held[draft] = None
    if held:
        expansion.drop(held.keys())


def _start(expansion: Expansion, nodes: Mapping[str, Node], states: Sequence[PodState]) -> None:
    """What happens to the pods that got a node, in the order of the input."""
    taken = [address for draft in expansion.drafts for address in draft.addresses]
    taken += [address for node in nodes.values() for address in node.addresses]
    allocator = PodAllocator(nodes, taken)
    on_node: dict[str, set[HostPort]] = {}
    for draft in expansion.drafts:
        if draft.node_name is None or draft.finished:
            continue
        ports, used = host_ports(draft.containers), on_node.setdefault(draft.node_name, set())
        if not draft.observed and conflicts(ports, used):
            draft.phase, draft.unready_reason = PodPhase.FAILED, _NO_PORTS
            continue
        used |= ports
        if draft.observed:
            continue
        node = nodes[draft.node_name]
        draft.phase = state_of(draft, states).phase
        draft.ready = is_ready(draft, states)
        if not draft.ready:
            draft.unready_reason, path = why_unready(draft)
            if path:
                origin = draft.manifest.origin(*draft.spec_path, *path)
                draft.decided["unready_reason"] = origin
        # Also while images are pulled: the sandbox comes first.
        if not draft.addresses:
            draft.addresses = allocator.addresses(node.name, host_network=draft.host_network)
        if not draft.addresses and node.pod_cidrs and not draft.host_network:
            # host-local's IPAM refuses the sandbox, and the kubelet tries again and again.
            full = " and ".join(map(str, node.pod_cidrs))
            draft.phase, draft.ready = PodPhase.PENDING, False
            draft.pending_reason = f"no IP addresses available in {full}, the range of {node.name}"
        # Since 1.35 a bound pod gets its node's place (PodTopologyLabels admission).
        draft.labels |= {key: node.labels[key] for key in _PLACE_LABELS if key in node.labels}
