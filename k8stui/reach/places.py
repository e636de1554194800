"""What routes, devices and rules can tell two pods apart by: where each is plugged in.

The rules and sets that kube-proxy writes for single Services and endpoints are left out, and those
that a policy engine writes for single pods: what these do to a packet is what `ways` knows of
Services, and `relations` of policies.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from functools import cached_property

from k8stui.cluster.model import Pod
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.alike import Alike, Home
from k8stui.kernel.border import Border
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.nft_ruleset import NftTable
from k8stui.kernel.packet import Protocol
from k8stui.kernel.questions import questions_of
from k8stui.kernel.rules import BUILTIN_CHAINS, Chain, Table
from k8stui.kernel.standing import network_of
from k8stui.kernel.targets.base import Jump
from k8stui.nodes.kubeproxy.nftables.fixed import TABLE as KUBE_PROXY
from k8stui.nodes.wire import LAN, OUTSIDE, WIRE
from k8stui.walk.world import World

_OF_SERVICES = (
    "KUBE-SERVICES",
    "KUBE-NODEPORTS",
    "KUBE-EXTERNAL-SERVICES",
    "KUBE-PROXY-FIREWALL",
    "KUBE-SVC-",
    "KUBE-SVL-",
    "KUBE-EXT-",
    "KUBE-XLB-",
    "KUBE-FW-",
    "KUBE-SEP-",
)
_OF_POLICIES = ("KUBE-ROUTER-", "KUBE-POD-FW-", "KUBE-NWPLCY-", "cali-")
"""Of an engine that is imitated; a dump's own chains are looked at like all others. What Calico's
say of pods beside policies (a pool, a device of theirs) is the same for all of a node's."""


class Places:
    """Where the pods of one world stand."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._alike = Alike(world.network, self._home)
        self._places: dict[str, Hashable] = {}
        self._doubt = False
        """Some rule asks what cannot be told here: a list, a pair of addresses."""

    def of(self, pod: Pod) -> Hashable:
        """The same for all pods that nothing on any way can tell apart; its key if in doubt.

        Who listens in it is not counted.
        """
        found = self._places.get(pod.key)
        if found is None:
            found = self._places[pod.key] = self._place(pod)
        return found

    def listens(self, pod: Pod, port: int, protocol: Protocol) -> Hashable:
        """Who would take a packet to that port, as far as it matters to the one who asks.

        Where that is not plainly somebody, why nobody does is the story of the pod's workload.
        """
        space = self._world.network[pod.key]
        own: dict[Address, int] = {}
        for device in space.interfaces:
            for at in device.addresses:
                own.setdefault(at.address, len(own))
        sockets = [s for s in space.sockets if s.protocol is protocol and s.port in (None, port)]
        is_plain = any(
            one.address is None and not one.but_not and port not in one.but_not_ports
            for one in sockets
        )
        whose = None if is_plain else (pod.namespace, pod.owner or pod.name)
        return whose, tuple(
            (
                one.port is None,
                own.get(one.address, one.address) if one.address is not None else None,
                tuple(sorted(own.get(each, -1) for each in one.but_not)),
                port in one.not_on_loopback,
                port in one.but_not_ports,
                one.answers_as_asked,
                one.onward,
                one.goes_on,
            )
            for one in sockets
        )

    def is_known(self, node: str) -> bool:
        """Whether what stands on a node is all of our own making."""
        return node not in self._world.network.observed

    @cached_property
    def _pods(self) -> Mapping[Address, Pod]:
        return {
            address: pod
            for pod in self._world.cluster.pods.values()
            if not pod.host_network and pod.node_name is not None
            for address in pod.addresses
        }

    def pod_at(self, address: Address) -> Pod | None:
        """The pod with a network of its own that has the address."""
        return self._pods.get(address)

    def _home(self, address: Address) -> Home | None:
        pod = self._pods.get(address)
        return Home(pod.key) if pod is not None else None

    def _place(self, pod: Pod) -> Hashable:
        if pod.host_network:
            return "node", pod.node_name
        if not self.is_known(pod.node_name or ""):
            return pod.key
        seen = []
        for address in pod.addresses:
            if self._pods.get(address) is not pod:
                return pod.key
            stands = self._alike.standing(address)
            signature = stands and self._border.signature(address, stands)
            if stands is None or signature is None or self._doubt:
                return pod.key
            seen.append((stands.place, signature))
        return tuple(seen)

    @cached_property
    def _border(self) -> Border:
        world, border = self._world, Border()
        for name in (*world.cluster.nodes, WIRE, LAN, OUTSIDE):
            side = self._alike.side(name)
            border.enter(side)
            for ruleset in side.space.every_ruleset():
                for table in ruleset:
                    for chain in _chains(table):
                        asked = questions_of.of(chain)
                        is_told = border.ask(asked, table, side.space) and not asked.is_recent
                        self._doubt = self._doubt or not is_told
            for one in side.space.nft.tables if side.space.nft is not None else ():
                self._doubt = self._doubt or not _ask_nft(border, one)
        cluster = world.cluster
        written = [one for one in cluster.proxy.cluster_cidr.split(",") if one.strip()]
        ranges = (
            cluster.pod_cidr,
            cluster.service_cidr,
            *cluster.pod_cidrs,
            *cluster.service_cidrs,
            *(Prefix.parse(one.strip()) for one in written),
            *(prefix for node in cluster.nodes.values() for prefix in node.pod_cidrs),
        )
        for prefix in ranges:
            border.add(network_of(prefix))
        return border


def _chains(table: Table) -> Iterator[Chain]:
    """All that packets may come by, but those of kube-proxy's single Services."""
    left = [name for name in BUILTIN_CHAINS.get(table.name, ()) if name in table.chains]
    known = set(left)
    while left:
        chain = table.chains[left.pop()]
        yield chain
        for rule in chain.rules:
            target = compile_rule(rule.text).target
            name = target.chain if isinstance(target, Jump) else ""
            if name and name not in known and not name.startswith(_OF_SERVICES + _OF_POLICIES):
                known.add(name)
                if name in table.chains:
                    left.append(name)


def _ask_nft(border: Border, table: NftTable) -> bool:
    """Take in a table; False: its rules tell addresses apart in a way not seen here.

    Of kube-proxy's the sets are left out, and the chains that they lead to: those are of Services.
    """
    from k8stui.kernel.nft import questions  # noqa: PLC0415 - only where it stands

    if table.name != KUBE_PROXY:
        told = [questions.ask(border, table, one.chain) for one in table.chains.values()]
        return all(asked is not None and not asked.is_recent for asked in told)
    is_told = True
    for chain in _fixed(table):
        asked = questions.questions_of.of(chain)
        border.take(asked)
        is_told = is_told and not asked.is_opaque and not asked.is_recent
    return is_told


def _fixed(table: NftTable) -> Iterator[Chain]:
    """The base chains, and where their rules lead by themselves."""
    from k8stui.kernel.nft import mentions  # noqa: PLC0415 - as above

    left = [one.name for one in table.base_chains]
    known = set(left)
    while left:
        chain = table.chains[left.pop()].chain
        yield chain
        for rule in chain.rules:
            others = mentions.chains(rule.text)
            # A dump may be cut: where a rule leads to no chain, each walk ends and says so.
            left += [name for name in others if name in table.chains and name not in known]
            known.update(others)
