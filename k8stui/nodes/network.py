"""The cluster's network: every namespace, built when somebody looks at it.

`build_network` is the way in. Looking up one node of a thousand builds one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from k8stui.because import Because
from k8stui.cluster.model import Cluster, Node, Pod, Remark
from k8stui.cluster.programs.listening import Listening
from k8stui.cluster.proxy_configuration import NFTABLES
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.ipset import IpSet
from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.kernel.rules import Ruleset
from k8stui.nodes.cni import Plugins, is_shown, node_annotations, stand_ins
from k8stui.nodes.errors import NodeOptionError, NoNamespaceError
from k8stui.nodes.kubeproxy import (
    MODES,
    draws,
    ipvs,
    is_modelled,
    mode_origin,
    mode_title,
    replacement,
)
from k8stui.nodes.kubeproxy.other_versions import other_versions
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.seen import seen_in_dumps, seen_ranges, with_seen_addresses
from k8stui.nodes.node import bridge_nf, build_node
from k8stui.nodes.observed import ObservedNode, SeenNode, Unread
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.pod import build_collected_pod, build_pod
from k8stui.nodes.policy import CALICO, KNOWN, KUBE_ROUTER, Engines
from k8stui.nodes.rules import (
    Programs,
    generated_nft,
    generated_ruleset,
    nft_ruleset,
    ruleset,
)
from k8stui.nodes.sidecars import uninjected
from k8stui.nodes.site import Site, namespace_of
from k8stui.nodes.wire import LAN, OUTSIDE, WIRE, build_lan, build_outside, build_wire
from k8stui.record import record
from k8stui.settings import OPTIONS, PROXY_MODE, Form


@record()
class Instead:
    """What stands on a node in place of what was seen of it."""

    rules: Mapping[int, Ruleset]
    """By IP version."""
    sets: Mapping[str, IpSet]
    """Those that the rules may ask, beside the ones that were seen."""
    nft: NftRuleset | None = None
    """None: those of nftables that were seen."""


class ClusterNetwork(Mapping[str, NetNamespace]):
    """All network namespaces by name; see `build_network`.

    Keys, in this order: node names, ``namespace/name`` of each pod that has a namespace of its
    own, ``wire``, ``lan``, ``outside``. A namespace is built at its first look-up and kept.
    """

    def __init__(self, site: Site, plugins: Plugins, engines: Engines) -> None:
        self.cluster = site.cluster
        self.options = site.options
        self._site = site
        self._plugins = plugins
        self._engines = engines
        self.remarks = tuple(_remarks(site))
        """What is not modelled, and what is assumed instead."""
        self._built: dict[str, NetNamespace] = {}

    @property
    def listening(self) -> Listening:
        """The judge of who listens: the sockets of all pods come from it."""
        return self._site.listening

    @property
    def networks(self) -> tuple[Prefix, ...]:
        """The networks that the nodes stand in: as seen on them, else laid out."""
        return tuple(one.prefix for one in self._site.lan.networks)

    def site_for(self, cluster: Cluster, options: NodeOptions) -> Site | None:
        """Its site, where `cluster` can be the same one a moment later."""
        is_same = self.options is options and self.cluster.nodes == cluster.nodes
        return self._site if is_same else None

    def has_address(self, node: str, address: Address) -> bool:
        """Whether a device of the node has the address; a node that was seen is not built for it.

        Raises:
            KeyError: there is no such node.

        """
        seen = self._site.observed(self.cluster.nodes[node]).devices
        devices = self[node].interfaces if seen is None else seen
        return any(one.address == address for device in devices for one in device.addresses)

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What of the nodes' states could not be read, as far as walks have got."""
        return tuple(one for seen in self._site.dumps.values() for one in seen.unread)

    def plugin_of(self, node: Node) -> str:
        """The name of the node's network plug-in, as ``--cni`` has it."""
        return self._plugins.name_of(node)

    def policy_engine_of(self, node: Node) -> str:
        """The name of what enforces NetworkPolicies there, as ``--policy-engine`` has it."""
        return self._engines.name_of(node)

    @property
    def assumes_policy_engine(self) -> bool:
        """Whether nothing but the policies themselves says that somebody enforces them."""
        return self._engines.is_assumed

    def judges_policies(self, node: Node) -> bool:
        """Whether policies are enforced on the node, so that walks meet them."""
        return self._engines.in_rules(node) or bool(self._engines.judges(node))

    def has_policy_rules(self, node: Node) -> bool:
        """Whether what enforces policies there stands in Linux' own tables."""
        return self._engines.in_rules(node)

    def judges_own_node(self, node: Node) -> bool:
        """Whether policies judge what a pod sends to the node that it is on (Calico, kube-router).

        The API lets that pass always; engines in Linux' tables ask the pod's own chain first.
        """
        known = KNOWN.get(self.policy_engine_of(node))
        return known is not None and known.rules is not None

    @property
    def enforced(self) -> Cluster:
        """The cluster with those policies alone that its policy engine knows."""
        return self._engines.enforced

    @property
    def stand_ins(self) -> tuple[Remark, ...]:
        """For which of the input's plug-ins another one stands."""
        return stand_ins(self._site)

    @property
    def observed(self) -> tuple[str, ...]:
        """Nodes of which a dump shows something, in their order."""
        nodes = self.cluster.nodes.values()
        return tuple(node.name for node in nodes if self._site.observed(node) != ObservedNode())

    def bridge_nf(self) -> bool | None:
        """bridge-nf-call-iptables of the nodes; None where they differ."""
        said = {bridge_nf(self._site, node) for node in self.cluster.nodes.values()}
        return said.pop() if len(said) == 1 else None

    def has_observed_rules(self, node: Node) -> bool:
        """Whether the node's rules are those of a dump."""
        return bool(self._site.observed(node).rulesets)

    def has_observed_routes(self, node: Node) -> bool:
        """Whether the node's routes are those of a dump."""
        return self._site.observed(node).routes is not None

    def failed_neighbours(self, node: Node) -> Mapping[Address, Because]:
        """Those that did not answer the node when it was dumped, and where that stands."""
        return self._site.observed(node).failed

    def __getitem__(self, name: str) -> NetNamespace:
        found = self._built.get(name)
        if found is None:
            found = self._built[name] = self._builder(name)()
        return found

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        try:
            self._builder(name)
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        yield from self.cluster.nodes
        yield from (key for key in self.cluster.pods if key in self)
        yield WIRE
        yield LAN
        yield OUTSIDE

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def built(self) -> frozenset[str]:
        """Names of the namespaces that have been looked up so far."""
        return frozenset(self._built)

    def namespace_of(self, pod: Pod) -> str:
        """The key of the namespace that `pod` lives in; a hostNetwork pod's is its node's name.

        Raises:
            NoNamespaceError: it has none: Pending, or over.

        """
        return namespace_of(self.cluster, pod)

    def ruleset(self, node: Node, version: int, owner: str = "all") -> Ruleset:
        """As `node_ruleset`."""
        programs = self._programs(node)
        if owner == "all":
            return ruleset(self._site, programs, node, version)
        if owner in (KUBE_ROUTER, CALICO):
            programs = replace(programs, engine=self._engines.named(owner))
        return generated_ruleset(self._site, programs, node, version, owner)

    def generated(self, node: Node, version: int) -> Ruleset:
        """What all programs that are known to be there would have written, whatever was seen."""
        return generated_ruleset(self._site, self._programs(node), node, version)

    def nft(self, node: Node, owner: str = "all") -> NftRuleset:
        """The node's tables of nftables' own; or those that `owner` would have written."""
        programs = self._programs(node)
        if owner == "all":
            return nft_ruleset(self._site, programs, node) or NftRuleset()
        return generated_nft(self._site, programs, node, owner)

    def generated_nft(self, node: Node, owner: str = "all") -> NftRuleset:
        """The tables of nftables' own that would have been written, whatever was seen."""
        return generated_nft(self._site, self._programs(node), node, owner)

    def observed_nft(self, node: Node) -> NftRuleset | None:
        """What a dump shows of them; None: nothing."""
        return self._site.observed(node).nft

    def generated_sets(self, node: Node) -> Mapping[str, IpSet]:
        """The sets that the rules of `generated` may ask."""
        engine = self._engines.of(node)
        return engine.sets(node) if engine is not None else {}

    def assumed_writers(self, node: Node, version: int) -> frozenset[str]:
        """Who has rules among those `generated` though nothing says that it is there."""
        if is_shown(self._site):
            return frozenset()
        from k8stui.nodes.writers import writers  # noqa: PLC0415 - for comparisons alone

        return writers(self.ruleset(node, version, "cni"))

    def observed_ruleset(self, node: Node, version: int) -> Ruleset | None:
        """What a dump shows of the node; None: nothing of this family."""
        return self._site.observed(node).rulesets.get(version)

    def remarks_of(self, node: Node) -> tuple[str, ...]:
        """What iptables-save itself says of the node that it does not show."""
        return self._site.observed(node).remarks

    def sets(self, node: Node, owner: str = "all") -> Mapping[str, IpSet]:
        """The node's ipsets; or those that `owner` would have filled."""
        if owner == "all":
            return self[node.name].sets
        engine = self._engines.named(owner)
        return engine.sets(node) if engine is not None else {}

    def _programs(self, node: Node) -> Programs:
        engines = self._engines
        return Programs(self._plugins.of(node), engines.of(node), engines.judges(node))

    def plan(self, node: Node, port: str, version: int) -> PortPlan | None:
        """What kube-proxy makes of a service port (``namespace/service:port``) on `node`.

        None: that is not known beforehand, for the rules are a dump's or another mode's.

        Raises:
            KeyError: there is no such port in this family.

        """
        seen = self._site.observed(node)
        if not draws(self.cluster) or seen.rulesets or seen.nft is not None:
            return None
        return self._site.proxied(version).plan(port, node.name, node.zone)

    def _builder(self, name: str) -> Callable[[], NetNamespace]:
        """What builds the namespace of that name.

        Raises:
            KeyError: there is none.

        """
        node = self.cluster.nodes.get(name)
        if node is not None:
            return partial(build_node, self._site, self._programs(node), node)
        if name == WIRE:
            return partial(build_wire, self._site)
        if name == LAN:
            return partial(build_lan, self._site)
        if name == OUTSIDE:
            return partial(build_outside, self._site)
        pod = self.cluster.pods[name]
        try:
            place = namespace_of(self.cluster, pod)
        except NoNamespaceError:
            raise KeyError(name) from None
        if place != pod.key or pod.node_name is None:
            raise KeyError(name)
        home = self.cluster.nodes[pod.node_name]
        space = self._site.space_of(home, pod)
        if space is not None:
            return partial(
                build_collected_pod, self._site, home, pod, space, self._plugins.of(home)
            )
        seen = self._site.observed(home)
        absent = self._site.unattached(home)
        build = partial(build_pod, self._plugins.of(home), self._site, home, pod, seen)
        return partial(build, absent={a: absent[a] for a in pod.addresses if a in absent})


def _remarks(site: Site) -> Iterator[Remark]:
    yield from stand_ins(site)
    if not is_modelled(site.cluster):
        text = (
            f"{mode_title(site.cluster)} is not modelled: what goes to a Service's addresses or "
            "node ports is not known, all else is"
        )
        if site.cluster.proxy.mode == ipvs.IPVS:
            text += f"; {ipvs.WHAT_IT_DOES}; {ipvs.ITS_END}"
        yield Remark(text=text, origin=mode_origin(site.cluster))
    nodes = site.cluster.nodes.values()
    generated = (node for node in nodes if site.observed(node).nft is None)
    yield from other_versions(site.cluster, generated)
    yield from uninjected(site.cluster)
    for node in nodes:
        if node.annotations:
            yield from node_annotations.wrong(node)


def build_network(
    cluster: Cluster,
    options: NodeOptions = NodeOptions(),  # noqa: B008 - frozen
    earlier: ClusterNetwork | None = None,
    instead: Mapping[str, Instead] = MappingProxyType({}),
) -> ClusterNetwork:
    """What stands on each node and in each pod of `cluster`, lazily.

    Dumps that `options` names are read at once; each replaces what would be generated. How
    kube-proxy tells pods' traffic is what their rules show, where the input does not say it: then
    the network's `cluster` differs from the given one in that. `earlier`: that of the same nodes
    a moment ago; what it was made of things that are still the same ones is not made again.
    `instead`: by node, rules that stand there in place of those that were seen.

    Raises:
        NodeOptionError: an option names a node, a plug-in or a mode that does not exist.
        ObservedFileError: a dump cannot be read.

    """
    for setting in OPTIONS:
        if setting.form is Form.NODE_FILES:
            for name in getattr(options, setting.name):
                if name not in cluster.nodes:
                    raise NodeOptionError(setting.flag, name, cluster.nodes)
    same = earlier.site_for(cluster, options) if earlier is not None else None
    observed = same.dumps if same is not None else _observed(options)
    if instead:
        unseen = ObservedNode()
        put = {
            node: observed.get(node, unseen).with_rules(those.rules, those.sets, those.nft)
            for node, those in instead.items()
        }
        observed = {**observed, **put}
    if observed:
        proxy = seen_in_dumps(cluster.proxy, cluster.nodes, observed)
        if proxy is not cluster.proxy:
            cluster = replace(cluster, proxy=proxy)
        services = with_seen_addresses(cluster.services, observed)
        if services is not cluster.services:
            cluster = replace(cluster, services=services)
        if not cluster.service_ranges and proxy.mode == NFTABLES:
            cluster = replace(cluster, service_ranges=seen_ranges(observed))
    known = is_modelled(cluster) or replacement(cluster)
    if not known and mode_origin(cluster).place is None:
        raise NodeOptionError(PROXY_MODE.flag, cluster.proxy.mode, MODES)
    site = Site(cluster, options, observed, same)
    plugins = Plugins(site)
    return ClusterNetwork(site, plugins, Engines(site, plugins.name_of))


def _observed(options: NodeOptions) -> Mapping[str, SeenNode]:
    """What the dumps say that `options` names; most often none."""
    named = (getattr(options, each.name) for each in OPTIONS if each.form is Form.NODE_FILES)
    if not any(named):
        return {}
    from k8stui.nodes.dumps import read_observed  # noqa: PLC0415 - its readers, for dumps alone

    return read_observed(options)


def node_ruleset(
    cluster: Cluster,
    node: Node,
    version: int = 4,
    owner: str = "all",
    options: NodeOptions = NodeOptions(),  # noqa: B008 - frozen
) -> Ruleset:
    """What iptables-save (`version` 4) or ip6tables-save (6) prints on `node`.

    `owner`: ``all``, or only what ``kube-proxy``, ``cni`` or ``kubelet`` would have programmed
    (then a dump in `options` does not count).

    Raises:
        NodeOptionError, ObservedFileError: as `build_network`; or there is no such owner.

    """
    return build_network(cluster, options).ruleset(node, version, owner)
