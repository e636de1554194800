"""kube-router on one cluster: plans of policies and lists of pods, once for all nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from k8stui.apiserver.validation.ranges import NODE_PORTS, port_range
from k8stui.cluster.model import Cluster, Node, Pod
from k8stui.cluster.policy import NetworkPolicy
from k8stui.cluster.selection import Selection, ruling
from k8stui.kernel.ipset import IpSet
from k8stui.nodes.contribution import Contribution, TablePart
from k8stui.nodes.policy.kube_router.chains import OWNER, Chains, NodeView, builtin_jumps
from k8stui.nodes.policy.kube_router.dialect import Dialect, K3s, Upstream
from k8stui.nodes.policy.kube_router.plan import PolicyPlan, address_of, counts
from k8stui.nodes.policy.kube_router.seen import names
from k8stui.nodes.site import Site

STABLE_SYNC = 1_700_000_000_000_000_000
"""Stands in for the time of the sync (UnixNano), which is part of every chain's name."""


class KubeRouter:
    """One engine for all nodes."""

    owner = OWNER

    def __init__(self, site: Site, dialect: Dialect) -> None:
        self._site = site
        self._dialect = dialect
        self._sync = str(site.options.sync_version or STABLE_SYNC)
        self._plans: dict[tuple[str, int], PolicyPlan] = {}
        self._written: dict[tuple[str, int], Contribution | None] = {}
        self.owners: dict[str, PolicyPlan] = {}
        """The plan that has a set, of those made so far."""
        self._sets: _Sets | None = None

    def contribution(self, node: Node, version: int) -> Contribution | None:
        key = (node.name, version)
        if key not in self._written:
            self._written[key] = self._contribution(node, version)
        return self._written[key]

    def _contribution(self, node: Node, version: int) -> Contribution | None:
        ranges = [one for one in self._site.cluster.service_cidrs if one.address.version == version]
        if not ranges:
            return None
        local = ((pod, address_of(pod, version)) for pod in self._local(node))
        view = NodeView(
            dialect=self._dialect,
            sync=self._sync,
            seen=names(self._site.observed(node).rulesets.get(version)),
            version=version,
            ranges=tuple(ranges),
            node_ports=_node_ports(self._site.cluster),
            pods=[(pod, address) for pod, address in local if address is not None],
            policies=tuple(self.policies.values()),
            plan=lambda policy: self.plan(policy, version),
            policies_of=self.policies_of,
        )
        part = TablePart(chains=Chains(view), jumps=tuple(builtin_jumps(view)))
        return Contribution(OWNER, {"filter": part})

    def sets(self, node: Node) -> Mapping[str, IpSet]:
        """The same on every node."""
        del node
        if self._sets is None:
            self._sets = _Sets(self)
        return self._sets

    @cached_property
    def policies(self) -> Mapping[str, NetworkPolicy]:
        return {policy.key: policy for policy in self._site.cluster.policies}

    @property
    def versions(self) -> tuple[int, ...]:
        """The families that are switched on: those of the Services."""
        return tuple(sorted(one.address.version for one in self._site.cluster.service_cidrs))

    def plan(self, policy: NetworkPolicy, version: int) -> PolicyPlan:
        key = (policy.key, version)
        found = self._plans.get(key)
        if found is None:
            found = self._plans[key] = PolicyPlan(policy, self._selection, version)
            self.owners |= dict.fromkeys(found.sets, found)
        return found

    def policies_of(self, pod: Pod) -> tuple[NetworkPolicy, ...]:
        """Those that select the pod, in order of their names."""
        those = (one for one in ruling(self._site.cluster, pod) if isinstance(one, NetworkPolicy))
        return tuple(sorted(those, key=lambda one: one.name))

    @cached_property
    def _selection(self) -> Selection:
        return Selection(self._site.cluster)

    def _local(self, node: Node) -> Iterator[Pod]:
        """By status.hostIP alone, where the input says it (pod.go getLocalPods)."""
        pods = [pod for pod in self._pods_at.get(node.name, ()) if pod.host_address is None]
        for address in node.addresses:
            pods += self._pods_behind.get(str(address), ())
        by_key = {pod.key: pod for pod in pods}
        yield from sorted(by_key.values(), key=lambda pod: pod.addresses[0])

    @cached_property
    def _pods_at(self) -> Mapping[str, list[Pod]]:
        found: dict[str, list[Pod]] = {}
        for pod in filter(counts, self._site.cluster.pods.values()):
            found.setdefault(pod.node_name or "", []).append(pod)
        return found

    @cached_property
    def _pods_behind(self) -> Mapping[str, list[Pod]]:
        found: dict[str, list[Pod]] = {}
        for pod in filter(counts, self._site.cluster.pods.values()):
            if pod.host_address is not None:
                found.setdefault(str(pod.host_address), []).append(pod)
        return found


class _Sets(Mapping[str, IpSet]):
    """Each set when it is asked for.

    The rule that asks it was made of the plan that has it: only for a name that no plan so far
    knows are all others made.
    """

    def __init__(self, engine: KubeRouter) -> None:
        self._engine = engine
        self._made: dict[str, IpSet] = {}
        self._complete = False

    def __getitem__(self, name: str) -> IpSet:
        found = self._made.get(name)
        if found is None:
            owners = self._engine.owners
            planned = (owners if name in owners else self._owners())[name].sets[name]
            header = _HEADER[6 if name.startswith("inet6:") else 4]
            found = self._made[name] = IpSet.of(planned.kind, planned.elements, header)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._engine.owners or name in self._owners()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._owners(), key=lambda name: (name.startswith("inet6:"), name)))

    def __len__(self) -> int:
        return len(self._owners())

    def _owners(self) -> Mapping[str, PolicyPlan]:
        engine = self._engine
        if not self._complete:
            for version in engine.versions:
                for policy in engine.policies.values():
                    engine.plan(policy, version)
            self._complete = True
        return engine.owners


_HEADER = {
    version: f"family {family} hashsize 1024 maxelem 65536 timeout 0 bucketsize 12"
    for version, family in ((4, "inet"), (6, "inet6"))
}


def _node_ports(cluster: Cluster) -> range:
    """The range that k3s was told, else the usual one."""
    told = cluster.distribution.arguments if cluster.distribution is not None else {}
    return port_range(told.get("--service-node-port-range", "")) or NODE_PORTS


def k3s(site: Site) -> KubeRouter:
    """As k3s ships it."""
    return KubeRouter(site, K3s())


def upstream(site: Site) -> KubeRouter:
    """As its own DaemonSet runs it."""
    return KubeRouter(site, Upstream())
