"""A pair told in its own names: what the walk that stands for it said of others."""

from __future__ import annotations

import re
from collections.abc import Mapping

from k8stui.cluster.model import Cluster
from k8stui.cluster.policy import Direction
from k8stui.cluster.selection import ruling
from k8stui.nodes.names import veth_name
from k8stui.reach.ends import Asked, Asker
from k8stui.reach.reach import Cell, WalkedWay
from k8stui.record import record

_VETH_DIGITS = (7, 8)
"""Docker's devices have seven, those of CNI's plug-ins eight."""


_POLICIES = re.compile(r"(NetworkPolic(?:y|ies) [\w./-]+(?:, [\w./-]+)*)")
"""Where a reason names policies (`k8stui.walk.policies`): a pod may be called like one."""


@record()
class Told:
    """Where a pair's result was decided, and why."""

    decided_at: str
    reason: str


def told(cluster: Cluster, one: WalkedWay, asker: Asker, asked: Asked, cell: Cell) -> Told:
    """Put the names of the pair where those of the pair that was walked stand."""
    servers = one.server, cell.server
    askers = tuple(each.pod.key if each.pod is not None else None for each in (one.asker, asker))
    names = {
        **_names(cluster, *servers),
        **_of_service(one.asked, asked),
        **_of_asker(cluster, *askers),
    }
    felt = one.felt
    if "veth" in felt.reason:
        names |= _devices(names, cluster)
    names = {old: new for old, new in names.items() if old and old != new}
    decided_at = names.get(felt.decided_at, felt.decided_at)
    if "NetworkPolic" not in felt.reason:
        return Told(decided_at, _renamed(felt.reason, names))
    policies = {
        **_policies(cluster, Direction.INGRESS, *servers),
        **_policies(cluster, Direction.EGRESS, *askers),
    }
    parts = _POLICIES.split(felt.reason)
    said = (_renamed(part, policies if n % 2 else names) for n, part in enumerate(parts))
    return Told(decided_at, "".join(said))


def policies_in(reason: str) -> list[str]:
    """Names of the policies that a reason names first, in its order."""
    named = _POLICIES.search(reason)
    return named[0].partition(" ")[2].split(", ") if named is not None else []


def _names(cluster: Cluster, old: str | None, new: str | None) -> Mapping[str, str]:
    if old is None or new is None or old == new:
        return {}
    before, after = cluster.pods[old], cluster.pods[new]
    addresses = zip(before.addresses, after.addresses, strict=False)
    return {old: new, **{str(one): str(other) for one, other in addresses}}


def _of_asker(cluster: Cluster, old: str | None, new: str | None) -> Mapping[str, str]:
    """A pod of its node's network asks as the node does: a pod of its name is who serves there."""
    names = _names(cluster, old, new)
    if old is not None and cluster.pods[old].host_network:
        return {before: after for before, after in names.items() if before != old}
    return names


def _policies(
    cluster: Cluster, way: Direction, old: str | None, new: str | None
) -> Mapping[str, str]:
    """Those that select two pods which nothing tells apart: one by one they say the same."""
    if old is None or new is None or old == new:
        return {}
    before, after = (selecting(cluster, way, one) for one in (old, new))
    return {one: other for one, other in zip(before, after, strict=False) if one != other}


def selecting(cluster: Cluster, way: Direction, pod: str) -> tuple[str, ...]:
    """Names of the policies that select a pod, in the order of asking."""
    return tuple(one.key for one in ruling(cluster, cluster.pods[pod]) if way in one.directions)


def _devices(names: Mapping[str, str], cluster: Cluster) -> Mapping[str, str]:
    """The host's ends of the veth pairs of pods that have other names."""
    return {
        veth_name(cluster.pods[old], digits): veth_name(cluster.pods[new], digits)
        for old, new in names.items()
        if old in cluster.pods and new in cluster.pods
        for digits in _VETH_DIGITS
    }


def _of_service(old: Asked, new: Asked) -> Mapping[str, str]:
    if old.service is None or new.service is None or old.service is new.service:
        return {}
    addresses = zip(old.service.cluster_ips, new.service.cluster_ips, strict=False)
    return {
        old.service.key: new.service.key,
        **{str(one): str(other) for one, other in addresses},
    }


def _renamed(text: str, names: Mapping[str, str]) -> str:
    if not names:
        return text
    whole = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.sub(rf"(?<![\w./-])(?:{whole})(?![\w/-]|\.\w)", lambda one: names[one[0]], text)
