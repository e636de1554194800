"""kube-proxy's modes that are imitated: one file a mode, and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from k8stui.cluster.model import Cluster, Node
from k8stui.cluster.proxy_configuration import NFTABLES, REPLACED
from k8stui.late import Late
from k8stui.nodes.contribution import Contribution
from k8stui.nodes.errors import NodeOptionError
from k8stui.nodes.kubeproxy.around import Around
from k8stui.nodes.kubeproxy.iptables import iptables_contribution
from k8stui.origin import Origin
from k8stui.record import record
from k8stui.settings import PROXY_MODE

if TYPE_CHECKING:
    from k8stui.nodes.kubeproxy.userspace import ProxySocket

_USERSPACE = "k8stui.nodes.kubeproxy.userspace"
_NFTABLES = "k8stui.nodes.kubeproxy.nftables.rules"


def _no_sockets(_cluster: Cluster, _version: int) -> Mapping[str, ProxySocket]:
    return {}


@record()
class Mode:
    """What kube-proxy does in one mode."""

    contribution: Callable[[Cluster, Node, int, Around], Contribution]
    """What it writes in iptables or nftables on a node, for IP version 4 or 6."""
    sockets: Callable[[Cluster, int], Mapping[str, ProxySocket]] = field(default=_no_sockets)
    """Where the process itself takes connections and makes a second one, by service port name."""
    draws: bool = False
    """Of several endpoints each is a way of one fork, in the order of `port_plan.PortPlan`."""

    @property
    def relays(self) -> bool:
        """Whether requests go through the process."""
        return self.sockets is not _no_sockets


_MODES: Mapping[str, Mode] = {
    "iptables": Mode(iptables_contribution, draws=True),
    "userspace": Mode(
        Late(_USERSPACE, "userspace_contribution"), Late(_USERSPACE, "proxy_sockets")
    ),
    NFTABLES: Mode(Late(_NFTABLES, "nftables_contribution"), draws=True),
}
"""kube-proxy's default on Linux first."""

MODES = tuple(_MODES)


def is_modelled(cluster: Cluster) -> bool:
    """Whether the mode that the cluster's configuration names is one of `MODES`."""
    return (cluster.proxy.mode or MODES[0]) in _MODES


def mode_origin(cluster: Cluster) -> Origin:
    """Where the mode is written."""
    proxy = cluster.proxy
    return proxy.origins.get("mode", proxy.origin)


def mode_title(cluster: Cluster) -> str:
    """What makes the rules for Services, in words: kube-proxy's mode, or its replacement."""
    instead = replacement(cluster)
    return instead or f"kube-proxy's mode {cluster.proxy.mode or MODES[0]}"


def replacement(cluster: Cluster) -> str:
    """What does kube-proxy's work where there is none, in words; empty: there is one."""
    if cluster.proxy.mode != REPLACED:
        return ""
    who = (one for one in cluster.network_plugins if one.replaces_proxy is not None)
    return next((f"{one.name} ({one.by}) in kube-proxy's place" for one in who), "")


def mode_of(cluster: Cluster) -> Mode:
    """The mode that the cluster's configuration names.

    Raises:
        NodeOptionError: it is not imitated (ipvs).

    """
    mode = cluster.proxy.mode or MODES[0]
    if mode not in _MODES:
        raise NodeOptionError(PROXY_MODE.flag, mode, MODES)
    return _MODES[mode]


def draws(cluster: Cluster) -> bool:
    """Whether rules choose among endpoints as `Mode.draws` has it."""
    return is_modelled(cluster) and mode_of(cluster).draws


def relaying_sockets(cluster: Cluster, version: int) -> Mapping[str, ProxySocket]:
    """Kube-proxy's own sockets on every node, by service port name; none where rules do it all."""
    return mode_of(cluster).sockets(cluster, version) if is_modelled(cluster) else {}


def relays(cluster: Cluster) -> bool:
    """Whether requests to Services go through a process of kube-proxy's, not by rules alone."""
    return is_modelled(cluster) and mode_of(cluster).relays
