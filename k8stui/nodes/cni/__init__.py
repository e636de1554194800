"""Network plug-ins: what each puts on a node, one file per plug-in and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from k8stui.cluster.model import NetworkPlugin, Node
from k8stui.late import Late
from k8stui.nodes.cni import flannel
from k8stui.nodes.cni.plugin import Plugin
from k8stui.nodes.cni.stand_in import StandIn
from k8stui.nodes.errors import NodeOptionError
from k8stui.nodes.site import Site
from k8stui.settings import CNI

_BRIDGE = Late("k8stui.nodes.cni.bridge", "Bridge")
_PTP = Late("k8stui.nodes.cni.ptp", "Ptp")

_PLUGINS: Mapping[str, Callable[[Site], Plugin]] = {
    "flannel": flannel.configured,
    "flannel-host-gw": flannel.host_gateway,
    "flannel-vxlan": flannel.overlay,
    "bridge": _BRIDGE,
    "bridge-ipmasq": partial(_BRIDGE, masquerade=True),
    "ptp": _PTP,
    "ptp-ipmasq": partial(_PTP, masquerade=True),
    "calico": Late("k8stui.nodes.cni.calico", "CalicoPlugin"),
    "kubenet": Late("k8stui.nodes.cni.kubenet", "Kubenet"),
    "docker0": Late("k8stui.nodes.cni.docker0", "Docker0"),
}

CHOICES = tuple(_PLUGINS)
"""Values of ``--cni``."""
_IMITATED = {"Calico": "calico"}
"""Plug-ins of an input (`k8stui.cluster.network_plugins`) that are imitated, unless an option says
otherwise."""


def chosen(site: Site) -> str:
    """The plug-in of the nodes: what an option says, else what the input shows."""
    asked = site.options.cni
    shown = site.cluster.network_plugins
    if asked != CNI.default or not shown:
        return asked
    return _IMITATED.get(shown[0].name, asked)


def not_imitated(site: Site) -> tuple[NetworkPlugin, ...]:
    """Plug-ins of the input that another one stands for."""
    name = chosen(site)
    return tuple(one for one in site.cluster.network_plugins if _IMITATED.get(one.name) != name)


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
        others = not_imitated(site)
        if others:
            self._usual = StandIn(self._usual, name, others[0])
        self._by_node: dict[str, tuple[str, Plugin]] = {}

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
        others = ((name, make(self._site)) for name, make in _PLUGINS.items())
        return next((one for one in others if one[1].recognises(node)), usual)
