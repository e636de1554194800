"""Calico's Felix on one cluster: what it programs on each node with iptables.

Only what the node's own pods need stands there: policies that select one of them, their sets, and
the profiles of their namespaces. Version v3.30.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from k8stui.because import Because
from k8stui.cluster.model import CalicoSettings, Node, Pod
from k8stui.cluster.policy import Direction, Policy
from k8stui.cluster.selection import Selection, ruling
from k8stui.kernel.address import Prefix
from k8stui.kernel.ipset import IpSet
from k8stui.kernel.rules import Chain
from k8stui.nodes.cni import has_flannels_addresses
from k8stui.nodes.contribution import Contribution, TablePart
from k8stui.nodes.names import CALI
from k8stui.nodes.policy.calico import rule as felix
from k8stui.nodes.policy.calico import static
from k8stui.nodes.policy.calico.endpoints import (
    PREFIXES,
    dispatch,
    groups,
    pod_chain,
    pod_rules,
    profile_rules,
)
from k8stui.nodes.policy.calico.names import policy_chain, policy_order, set_name
from k8stui.nodes.policy.calico.policies import NETS, PolicyChains, counts, set_of
from k8stui.nodes.policy.calico.rule import FelixRule, rule
from k8stui.nodes.site import Site
from k8stui.origin import Origin, defaulted

OWNER = "calico"
_MASQUERADED, _POOLS, _HOST = "masq-ipam-pools", "all-ipam-pools", "this-host"
_LOOPBACK = {4: "127.0.0.1", 6: "::1"}


class _Pool(NamedTuple):
    """A pool of addresses whose range is known."""

    cidr: Prefix
    nat_outgoing: bool
    origin: Origin


_USUAL = CalicoSettings(to_host="accept")
_TO_HOST = {"accept": felix.ALLOW, "drop": felix.DROP, "return": felix.RETURN}


class Calico:
    """One engine for all nodes."""

    owner = OWNER

    def __init__(self, site: Site, *, judges: bool = True) -> None:
        """`judges`: whether it is told any policies; without, it guards and masquerades alone."""
        self._site = site
        self._judges = judges
        self._on_node: dict[str, tuple[Policy, ...]] = {}
        self._policies: dict[tuple[str, int], PolicyChains] = {}

    def contribution(self, node: Node, version: int) -> Contribution | None:
        if version not in self._versions:
            return None
        vxlan, outgoing = self._has("VXLAN", version), self._outgoing(version)
        ipip = self._has("IPIP", version)
        tables: Mapping[str, Mapping[str, Chain]] = {
            "raw": static.chains(static.raw(version, vxlan=vxlan)),
            "mangle": static.chains(static.mangle()),
            "filter": self._filter(node, version),
            "nat": static.chains(static.nat(version, vxlan=vxlan, ipip=ipip, outgoing=outgoing)),
        }
        return Contribution(
            OWNER,
            {
                name: TablePart(
                    chains=chains, jumps=static.jumps(name, on_top=not self._told.appends)
                )
                for name, chains in tables.items()
            },
        )

    def sets(self, node: Node) -> Mapping[str, IpSet]:
        found: dict[str, IpSet] = {}
        for version in self._versions:
            pools = [one for one in self._pools if one.cidr.address.version == version]
            masqueraded = [one for one in pools if one.nat_outgoing]
            for name, those in ((_MASQUERADED, masqueraded), (_POOLS, pools)):
                ranges = dict.fromkeys(str(one.cidr) for one in those)
                found[set_name(name, version)] = set_of(NETS, ranges, version)
            own = (str(one) for one in node.addresses if one.version == version)
            found[set_name(_HOST, version)] = set_of(NETS, (_LOOPBACK[version], *own), version)
            for policy in self._active(node):
                found |= self._chains(policy, version).sets
            found |= self._hosts(node, version)
        return dict(sorted(found.items()))

    def _has(self, tunnel: str, version: int) -> bool:
        """Whether a pool of that family has the tunnel; one of several may be enough."""
        return any(one.tunnel == tunnel and one.version == version for one in self._told.pools)

    def _hosts(self, node: Node, version: int) -> Iterator[tuple[str, IpSet]]:
        """Nodes by whose tunnels packets may come (felix ipip_mgr.go, vxlan_mgr.go)."""
        nodes = self._site.cluster.nodes.values()
        for tunnel, name, those in (
            ("IPIP", static.HOSTS, nodes),
            ("VXLAN", static.VXLAN_HOSTS, [one for one in nodes if one.name != node.name]),
        ):
            if self._has(tunnel, version):
                own = (address for one in those if (address := one.address(version)) is not None)
                yield set_name(name, version), set_of(NETS, map(str, own), version)

    @property
    def _told(self) -> CalicoSettings:
        """What the input says to it, or as it is usually set up."""
        return self._site.cluster.calico or _USUAL

    @cached_property
    def _is_canal(self) -> bool:
        """Whether flannel has the addresses: Felix then makes no pool for itself."""
        return has_flannels_addresses(self._site)

    @cached_property
    def _pools(self) -> tuple[_Pool, ...]:
        cluster = self._site.cluster
        pods = cluster.pod_cidrs or (cluster.pod_cidr,)
        usual = {one.address.version: one for one in pods}
        found = [
            _Pool(cidr, one.nat_outgoing, one.origin)
            for one in self._told.pools
            if (cidr := one.cidr or usual.get(4)) is not None
        ]
        if not found and not self._is_canal:
            origin = defaulted("natOutgoing of Calico's default pool")
            found = [_Pool(one, nat_outgoing=True, origin=origin) for one in pods]
        return tuple(found)

    @cached_property
    def _versions(self) -> tuple[int, ...]:
        pods = self._site.cluster.pod_cidrs or (self._site.cluster.pod_cidr,)
        known = [one.cidr for one in self._pools] or pods
        return tuple(sorted({one.address.version for one in known}))

    def _outgoing(self, version: int) -> FelixRule | None:
        """``natOutgoing`` of the pools: what leaves them gets the node's address."""
        pools = [one for one in self._pools if one.cidr.address.version == version]
        first = next((one for one in pools if one.nat_outgoing), None)
        if first is None:
            return None
        return rule(
            felix.in_set(set_name(_MASQUERADED, version), "src"),
            felix.in_set(set_name(_POOLS, version), "dst", "! "),
            then=felix.masquerade(),
            reason=Because(
                text="what pods send out of Calico's pools gets the node's address",
                origin=first.origin,
                owner=OWNER,
            ),
        )

    def _to_host(self) -> Because | None:
        told = self._told
        if told.to_host_origin is None:
            return None
        return Because(
            text=f"what a pod sends to its own node: {told.to_host}",
            origin=told.to_host_origin,
            owner=OWNER,
        )

    @cached_property
    def _selection(self) -> Selection:
        return Selection(self._site.cluster)

    def _chains(self, policy: Policy, version: int) -> PolicyChains:
        key = f"{policy.kind} {policy.key}", version
        found = self._policies.get(key)
        if found is None:
            found = PolicyChains(policy, self._selection, self._site.cluster, version)
            self._policies[key] = found
        return found

    def _local(self, node: Node) -> tuple[Pod, ...]:
        return tuple(filter(counts, self._site.pods(node.name)))

    def _ruling(self, pod: Pod) -> tuple[Policy, ...]:
        return ruling(self._site.cluster, pod) if self._judges else ()

    def _active(self, node: Node) -> tuple[Policy, ...]:
        """Those that select one of the node's pods, as Felix orders them."""
        found = self._on_node.get(node.name)
        if found is None:
            active = {id(one): one for pod in self._local(node) for one in self._ruling(pod)}
            found = self._on_node[node.name] = tuple(sorted(active.values(), key=policy_order))
        return found

    def _filter(self, node: Node, version: int) -> Mapping[str, Chain]:
        made = dict(self._rules(node, version))
        return {name: felix.chain(name, those) for name, those in made.items()}

    def _rules(self, node: Node, version: int) -> Iterator[tuple[str, list[FelixRule]]]:
        pods, active = self._local(node), self._active(node)
        to_host = _TO_HOST[self._told.to_host]
        guard = static.filter_(
            version,
            vxlan=self._has("VXLAN", version),
            ipip=self._has("IPIP", version),
            to_host=to_host,
            why=self._to_host(),
        )
        yield from guard.items()
        by_device = {self._site.cable_of(node, pod, CALI): pod for pod in pods}
        yield from dispatch(by_device)
        yield from profile_rules(pods).items()
        for policy in active:
            for way in policy.directions:  # a chain that nobody jumps to is not written
                yield policy_chain(PREFIXES[way], policy), self._chains(policy, version).rules[way]
        for device, pod in by_device.items():
            known = sorted(self._ruling(pod), key=policy_order)
            for way in Direction:
                those = [one for one in known if way in one.directions]
                yield pod_chain(way, device), pod_rules(way, pod, those)
                yield from groups(way, those)
