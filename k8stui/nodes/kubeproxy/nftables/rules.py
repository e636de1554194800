"""kube-proxy in mode nftables: the table it writes on one node, for one family.

Nothing is built before somebody looks: a packet that is looked up in a map costs the one service
port that it goes to. Where kube-proxy's order is random (the chains of Services) ours is by
service port name.

Source: kube-proxy pkg/proxy/nftables/proxier.go; docs/facts/kube-proxy.md section 8.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial

from k8stui.cluster.model import Cluster, Node
from k8stui.kernel.address import Address, is_loopback
from k8stui.kernel.nft_ruleset import Asked, Element, NftChain, NftSet, NftTable
from k8stui.kernel.rules import Chain
from k8stui.nodes.apart import ComparedElements, ComparedNftChains, ComparedNftSets, Elements
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.kubeproxy.around import Around
from k8stui.nodes.kubeproxy.everywhere import Everywhere
from k8stui.nodes.kubeproxy.lazy import LazyRows
from k8stui.nodes.kubeproxy.nftables import chains, elements, fixed
from k8stui.nodes.kubeproxy.nftables.chains import Own
from k8stui.nodes.kubeproxy.nftables.elements import Key, Made
from k8stui.nodes.kubeproxy.nftables.names import service_port
from k8stui.nodes.kubeproxy.plans import Plans
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.reasons import OWNER, for_setting
from k8stui.nodes.kubeproxy.settings import ProxySettings, settings

_Block = Callable[[PortPlan, ProxySettings], Made]


def nftables_contribution(
    cluster: Cluster, node: Node, version: int, around: Around
) -> Contribution:
    """The table, and nothing of iptables."""
    rules = NftablesRules(cluster, node, version, around)
    of = (rules.settings, rules.ranges)
    return rules.everywhere.written(of, lambda: Contribution(OWNER, nft=(rules.table,)))


class NftablesRules(Plans):
    """What stands in the table ``kube-proxy`` of `node` for IP `version` 4 or 6."""

    def __init__(self, cluster: Cluster, node: Node, version: int, around: Around) -> None:
        super().__init__(
            around.everywhere or Everywhere(cluster, version),
            settings(
                cluster.proxy, node, version, nfacct=False, local_addresses=around.local_addresses
            ),
        )
        self.ranges = tuple(cluster.service_ranges.items())
        self._own: dict[str, Own] = {}

    def own(self, port: str) -> Own:
        """What the service port `port` has for itself.

        Raises:
            KeyError: there is no such service port in this family.

        """
        found = self._own.get(port)
        if found is None:
            found = self._own[port] = Own(self.plan(port))
        return found

    def chains_of(self, ports: Iterable[str]) -> Iterator[str]:
        """Names of the chains that some service ports have for themselves."""
        for port in ports:
            if port in self.everywhere.service_ports:
                yield from self.own(port).chains

    def every(self) -> Iterator[Own]:
        """The same of every service port."""
        return map(self.own, self.everywhere.service_ports)

    def is_like(self, earlier: NftablesRules) -> bool:
        """Whether what it writes whatever the Services are is what it wrote a moment ago."""
        return self.settings == earlier.settings and self.ranges == earlier.ranges

    def ports_apart(self, earlier: NftablesRules) -> Collection[str]:
        """Service ports of which something may not be as it was."""
        return self.everywhere.ports_apart(earlier.everywhere)

    @cached_property
    def table(self) -> NftTable:
        always = {one.name: one for one in fixed.chains(self.settings, self.ranges)}
        return NftTable(
            family=self.settings.ip,
            name=fixed.TABLE,
            comment=fixed.COMMENT,
            chains=_Chains(self, always),
            bases=tuple(name for name, one in always.items() if one.base is not None),
            sets=_Sets(self, {one.name: one for one in self._shared_sets()}),
        )

    def _shared_sets(self) -> Iterator[NftSet]:
        """Sets and maps in the order in which they are made."""
        address = f"ipv{self.settings.version}_addr"
        port = "inet_proto . inet_service"

        def made(name: str, key: str, data: str, comment: str, block: _Block) -> NftSet:
            return NftSet(
                name=name,
                key=key,
                data=data,
                comment=comment,
                elements=Shared(self, block),
                reason=for_setting(self.settings, comment),
            )

        yield made(
            "hairpin-connections",
            f"{address} . {address} . {port}",
            "",
            "service hairpin connections",
            elements.hairpin_connections,
        )
        yield made("cluster-ips", address, "", "Active ClusterIPs", elements.cluster_ips)
        if self.settings.node_port_addresses is not None:
            comment = "IPs that accept NodePort traffic"
            why = for_setting(self.settings, comment, self.settings.node_ports_setting)
            yield NftSet(
                name="nodeport-ips",
                key=address,
                comment=comment,
                elements=tuple(
                    Element(str(one), why)
                    for one in self.settings.node_port_addresses
                    if not is_loopback(one)
                ),
                reason=why,
            )
        yield made(
            "no-endpoint-services",
            f"{address} . {port}",
            "verdict",
            "vmap to drop or reject packets to services with no endpoints",
            elements.no_endpoint_services,
        )
        yield made(
            "no-endpoint-nodeports",
            port,
            "verdict",
            "vmap to drop or reject packets to service nodeports with no endpoints",
            elements.no_endpoint_nodeports,
        )
        yield made(
            "firewall-ips",
            f"{address} . {port}",
            "verdict",
            "destinations that are subject to LoadBalancerSourceRanges",
            elements.firewall_ips,
        )
        yield made(
            "service-ips",
            f"{address} . {port}",
            "verdict",
            "ClusterIP, ExternalIP and LoadBalancer IP traffic",
            elements.service_ips,
        )
        yield made(
            "service-nodeports", port, "verdict", "NodePort traffic", elements.service_nodeports
        )


class Shared(LazyRows[Element], Asked, ComparedElements):
    """The elements of a set that all service ports fill, in the order in which nft prints them."""

    __slots__ = ("_by_address", "block", "proxy")

    def __init__(self, proxy: NftablesRules, block: _Block) -> None:
        super().__init__(self._all)
        self.proxy, self.block = proxy, block
        self._by_address: dict[str, Mapping[Address, Sequence[Element]]] = {}
        """By service port, of those that were asked about."""

    def at(self, fields: Sequence[Address | int | str]) -> Element | None:
        """The element of that key; only service ports that may have it are looked at."""
        proxy = self.proxy
        for name in self._candidates(tuple(fields)):
            for key, element in self.block(proxy.plan(name), proxy.settings):
                if key.fields == fields:
                    return element
        return None

    @property
    def named(self) -> Mapping[Address, Sequence[str]]:
        """Addresses that may stand in keys, and the service ports that put them there."""
        everywhere = self.proxy.everywhere
        return everywhere.ports_to if self._is_of_endpoints else everywhere.asked_by

    def about(self, address: Address) -> Sequence[Element]:
        """The elements that name an address."""
        found: list[Element] = []
        for name in self.named.get(address, ()):
            naming = self._by_address.get(name)
            if naming is None:
                naming = self._by_address[name] = self._naming(name)
            found += naming.get(address, ())
        return found

    def _naming(self, name: str) -> Mapping[Address, Sequence[Element]]:
        found: dict[Address, list[Element]] = {}
        for key, element in self.block(self.proxy.plan(name), self.proxy.settings):
            for address in dict.fromkeys(key.addresses):
                found.setdefault(address, []).append(element)
        return found

    @property
    def _is_of_endpoints(self) -> bool:
        return self.block is elements.hairpin_connections

    def apart(self, earlier: Sequence[Element]) -> Elements:
        """Those at keys of service ports that are not as they were."""
        if not isinstance(earlier, Shared) or not self.proxy.is_like(earlier.proxy):
            return earlier, self
        both = (earlier, self)
        ports = self.proxy.ports_apart(earlier.proxy)
        keys = {key for one in both for key, _ in one.put_in(ports)}
        ordered = sorted(keys, key=lambda key: key.order)
        before, after = ([one.at(key.fields) for key in ordered] for one in both)
        return filter(None, before), filter(None, after)

    def put_in(self, ports: Iterable[str]) -> Made:
        """What some service ports put in; one that is not there puts in nothing."""
        proxy = self.proxy
        for name in ports:
            if name in proxy.everywhere.service_ports:
                yield from self.block(proxy.plan(name), proxy.settings)

    def _candidates(self, fields: tuple[Address | int | str, ...]) -> Iterable[str]:
        everywhere = self.proxy.everywhere
        if not self._is_of_endpoints:
            return everywhere.asked_at.get(fields, ())
        source = fields[0]
        if source != fields[1] or not isinstance(source, Address):
            return ()
        return everywhere.ports_to.get(source, ())

    def _all(self) -> Iterator[Element]:
        found: dict[Key, Element] = {}
        for key, element in self.put_in(self.proxy.everywhere.service_ports):
            found.setdefault(key, element)
        return (found[key] for key in sorted(found, key=lambda key: key.order))


class _Chains(ComparedNftChains):
    """kube-proxy's chains: a few fixed ones, and some for each service port."""

    def __init__(self, proxy: NftablesRules, always: Mapping[str, NftChain]) -> None:
        self.proxy, self.always = proxy, always
        self._made: dict[str, NftChain] = {}

    def __getitem__(self, name: str) -> NftChain:
        found = self.always.get(name) or self._made.get(name)
        if found is None:
            own = self.proxy.own(service_port(name))
            if name not in own.chains:
                raise KeyError(name)
            rules = LazyRows(partial(chains.rules_of, own, name, self.proxy.settings))
            found = self._made[name] = NftChain(chain=Chain(name, rules))
        return found

    def __iter__(self) -> Iterator[str]:
        yield from self.always
        for own in self.proxy.every():
            yield from own.chains

    def apart(self, earlier: Mapping[str, NftChain]) -> tuple[Iterable[str], Iterable[str]]:
        """Those of service ports that are not as they were."""
        now = self.proxy
        if not isinstance(earlier, _Chains) or not now.is_like(earlier.proxy):
            return earlier, self
        ports = sorted(now.ports_apart(earlier.proxy))
        return earlier.proxy.chains_of(ports), now.chains_of(ports)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Sets(ComparedNftSets):
    """kube-proxy's sets and maps: the shared ones, then one for each endpoint with affinity."""

    def __init__(self, proxy: NftablesRules, shared: Mapping[str, NftSet]) -> None:
        self._proxy, self._shared = proxy, shared
        self._made: dict[str, NftSet] = {}

    def apart(self, earlier: Mapping[str, NftSet]) -> Iterable[str]:
        """The shared ones: those of single endpoints are filled by packets."""
        if not isinstance(earlier, _Sets):
            return {**earlier, **self}
        return {**earlier._shared, **self._shared}  # noqa: SLF001 - its own kind

    def __getitem__(self, name: str) -> NftSet:
        found = self._shared.get(name) or self._made.get(name)
        if found is None:
            own = self._proxy.own(service_port(name))
            found = chains.affinity_set(own, name, self._proxy.settings)
            self._made[name] = found
        return found

    def __iter__(self) -> Iterator[str]:
        yield from self._shared
        for own in self._proxy.every():
            yield from own.sets

    def __len__(self) -> int:
        return sum(1 for _ in self)
