"""Network plug-ins: what each puts on a node, one file per plug-in and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from k8stui.cluster.model import CniConfiguration, NetworkPlugin, Node, Remark
from k8stui.late import Late
from k8stui.nodes.cni import flannel, node_annotations
from k8stui.nodes.cni.plugin import Plugin
from k8stui.nodes.cni.stand_in import (
    Assumed,
    calico_remarks,
    named_by,
    stand_in,
    stand_in_remarks,
    without_tunnels,
)
from k8stui.nodes.errors import NodeOptionError
from k8stui.nodes.site import Site
from k8stui.origin import Origin, assumed
from k8stui.settings import CNI

_BRIDGE = Late("k8stui.nodes.cni.bridge", "Bridge")
_DOCKER = Late("k8stui.nodes.cni.docker", "Docker")
_PTP = Late("k8stui.nodes.cni.ptp", "Ptp")

_PLUGINS: Mapping[str, Callable[[Site], Plugin]] = {
    "flannel": flannel.configured,
    "flannel-host-gw": flannel.host_gateway,
    "flannel-vxlan": flannel.overlay,
    "flannel-wireguard": flannel.wireguard,
    "kindnet": Late("k8stui.nodes.cni.kindnet", "Kindnet"),
    "amazon-vpc-cni": Late("k8stui.nodes.cni.aws_vpc", "AwsVpcCni"),
    "azure-cni": Late("k8stui.nodes.cni.azure", "AzureCni"),
    "gke-ptp": Late("k8stui.nodes.cni.gke", "Gke"),
    "kube-router": Late("k8stui.nodes.cni.kube_router", "KubeRouter"),
    "canal": Late("k8stui.nodes.cni.canal", "Canal"),
    "calico": Late("k8stui.nodes.cni.calico", "CalicoPlugin"),
    "bridge": _BRIDGE,
    "bridge-ipmasq": partial(_BRIDGE, masquerade=True),
    "ptp": _PTP,
    "ptp-ipmasq": partial(_PTP, masquerade=True),
    "kubenet": Late("k8stui.nodes.cni.kubenet", "Kubenet"),
    "docker": _DOCKER,
    "docker-1.9": partial(_DOCKER, release="1.9"),
    "docker-1.13": partial(_DOCKER, release="1.13"),
    "docker-17.06": partial(_DOCKER, release="17.6"),
    "docker-28": partial(_DOCKER, release="28.0"),
    "docker0": Late("k8stui.nodes.cni.docker0", "Docker0"),
}
"""By the name that ``--cni`` takes. A dump is taken for the work of the first that knows it."""

CHOICES = tuple(_PLUGINS)
"""Values of ``--cni``."""
OF_ANOTHER_KIND = frozenset(
    name
    for name in CHOICES
    if name.startswith(("docker-", "amazon", "azure"))
    or name in {"docker", "gke-ptp", "flannel-wireguard", "kube-router", "canal"}
)
"""Those that come with another runtime or cloud or with daemons of their own, or that are only
named: no what-if offers them, it takes them by name."""


def _imitated(shown: NetworkPlugin) -> str | None:
    """The name here of a plug-in of the input (`k8stui.cluster.networks.network_plugins`)."""
    name = shown.name.lower().replace(" ", "-")
    return name if name in _PLUGINS else None


def chosen(site: Site) -> str:
    """The plug-in of the nodes: what an option says, else what the input shows.

    That is its daemon first, then the network configuration lists: what they begin with.
    """
    asked = site.options.cni
    if asked != CNI.default:
        return asked
    if site.cluster.network_plugins:
        return _imitated(site.cluster.network_plugins[0]) or asked
    lists = (str(one.plugins[0]["type"]) for one in site.cluster.cni_configurations)
    shown = next((type_ for type_ in lists if type_ in _PLUGINS), None)
    return shown or _of_the_distribution(site) or asked


def _has_run_flannel(site: Site) -> bool:
    """Whether the Nodes bear the marks of its daemon."""
    return bool(node_annotations.backend_type(site.cluster.nodes.values()))


def _of_the_distribution(site: Site) -> str | None:
    """The plug-in that such clusters have; None: the input says enough, or there is none."""
    cluster = site.cluster
    if cluster.distribution is None or cluster.flannel is not None or _has_run_flannel(site):
        return None
    name = cluster.distribution.plugin(len(cluster.nodes))
    return name if name in _PLUGINS else None


def _assumed_by(site: Site, name: str) -> Origin | None:
    """Why the plug-in is taken to be there, where nothing but the distribution says so."""
    cluster = site.cluster
    quiet = not cluster.network_plugins and not cluster.cni_configurations
    if not quiet or site.options.cni != CNI.default or name != _of_the_distribution(site):
        return None
    if cluster.distribution is None:
        return None
    said = f"{name} is the usual network plug-in of {cluster.distribution.name}"
    return assumed(said, cluster.distribution.origin.place)


def has_flannels_addresses(site: Site) -> bool:
    """Whether flannel gives the addresses, under cables of another plug-in (Canal)."""
    return chosen(site) == "canal"


def is_shown(site: Site) -> bool:
    """Whether the input, or an option, says which plug-in there is."""
    cluster = site.cluster
    return bool(
        site.options.cni != CNI.default
        or cluster.network_plugins
        or cluster.cni_configurations
        or cluster.flannel is not None
        or _has_run_flannel(site)
    )


def _not_imitated(site: Site) -> tuple[NetworkPlugin, ...]:
    """Plug-ins of the input that another one stands for."""
    name = chosen(site)
    return tuple(one for one in site.cluster.network_plugins if _imitated(one) != name)


def stand_ins(site: Site) -> tuple[Remark, ...]:
    """For which of the input's plug-ins another one stands; what of theirs is not modelled."""
    if site.is_whole:
        return ()  # what stands there was seen, whoever put it there
    name, others = chosen(site), _not_imitated(site)
    calico = site.cluster.calico
    may_tunnel = name == "kube-router" or (name == "calico" and not (calico and calico.pools))
    poolless = [p for p in site.cluster.network_plugins if may_tunnel and p not in others]
    told: tuple[Remark, ...] = ()
    if calico is not None and name in ("calico", "canal"):
        told = calico_remarks(calico)
    unknown = [named_by(one, name) for one in _unknown_lists(site)]
    return (*stand_in_remarks(others, name), *map(without_tunnels, poolless), *told, *unknown)


def _unknown_lists(site: Site) -> Sequence[CniConfiguration]:
    """Network configuration lists that begin with nobody's plug-in that is known here."""
    cluster = site.cluster
    lists = [one for one in cluster.cni_configurations if one.plugins[0]["type"] != "loopback"]
    told = cluster.network_plugins or cluster.flannel is not None or _has_run_flannel(site)
    if told or site.options.cni != CNI.default:
        return ()
    return () if any(one.plugins[0]["type"] in _PLUGINS for one in lists) else lists


class Plugins:
    """Which plug-in each node of a cluster has."""

    def __init__(self, site: Site) -> None:
        """Choose for the nodes whose dump does not show another one's work.

        Raises:
            NodeOptionError: there is no such plug-in.

        """
        name = chosen(site)
        if name not in _PLUGINS:
            raise NodeOptionError(CNI.flag, name, CHOICES)
        self._site = site
        self._name = name
        self._usual = _PLUGINS[name](site)
        others = _not_imitated(site)
        assumed_by = _assumed_by(site, name)
        if others:
            self._usual = Assumed(self._usual, stand_in(others[0], name))
        elif assumed_by is not None:
            self._usual = Assumed(self._usual, assumed_by)
        self._by_node: dict[str, tuple[str, Plugin]] = {}
        self._made: dict[str, Plugin] = {}

    def of(self, node: Node) -> Plugin:
        return self._of(node)[1]

    def name_of(self, node: Node) -> str:
        """The plug-in's name, as ``--cni`` has it: what was asked for, or what a dump shows."""
        return self._of(node)[0]

    def _of(self, node: Node) -> tuple[str, Plugin]:
        found = self._by_node.get(node.name)
        if found is None:
            found = self._by_node[node.name] = self._choose(node)
        return found

    def _choose(self, node: Node) -> tuple[str, Plugin]:
        usual = self._name, self._usual
        if self._site.observed(node).interfaces is None or self._usual.recognises(node):
            return usual
        others = ((name, self._plugin(name)) for name in _PLUGINS)
        return next((one for one in others if one[1].recognises(node)), usual)

    def _plugin(self, name: str) -> Plugin:
        """One for all nodes: each looks among all pods for its daemon."""
        found = self._made.get(name)
        if found is None:
            found = self._made[name] = _PLUGINS[name](self._site)
        return found
