"""The pods that write a node's routes and rules: kube-proxy's and the network plug-in's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from k8stui.cluster.distribution import K3S
from k8stui.cluster.model import Cluster, NetworkPlugin, Pod
from k8stui.cluster.programs.images import bare_image, is_kube_proxy
from k8stui.kernel.derived import Derived
from k8stui.origin import OriginKind

_PLUGINS = (
    "flannel",
    "calico/node",
    "cilium/cilium",
    "weave-kube",
    "kindnetd",
    "kube-router",
    "amazon-k8s-cni",
    "antrea-agent",
    "antrea-ubuntu",
    "ovn-kube",
)
"""By the end of an image's name, without its tag."""
_SYSTEM = "kubernetes.io/os"
_NO_MACHINES = ("virtual-kubelet.io/provider", "eks.amazonaws.com/compute-type")
"""Taints of nodes that stand for a service of a cloud."""


def work_of(pod: Pod) -> str:
    """What the pod writes on its node; empty: it is no such pod."""
    if is_proxy(pod):
        return "kube-proxy's rules for Services"
    by_plugin = any(name.endswith(_PLUGINS) for name in _images(pod))
    return "the network plug-in's routes and rules" if by_plugin and pod.host_network else ""


def is_proxy(pod: Pod) -> bool:
    return any(is_kube_proxy(one.image, one.spoken) for one in pod.containers)


def does_not_run(pod: Pod) -> bool:
    """Whether a dump shows that it does not run on its node."""
    is_seen = pod.origin.kind is OriginKind.OBSERVED
    return is_seen and not pod.ready and pod.node_name is not None and not pod.terminating


def lost_proxies(cluster: Cluster) -> Mapping[str, Pod]:
    """By node: kube-proxy's pod that does not run there, where no other one does."""
    return _lost_proxies.of(cluster)


def lost_plugins(cluster: Cluster) -> Mapping[str, Pod]:
    """The same of the network plug-in's."""
    return _lost_plugins.of(cluster)


def without_proxy(cluster: Cluster) -> Mapping[str, Pod]:
    """Nodes where no pod of kube-proxy is, though others have one: one of those."""
    return _bare.of(cluster)


def without_plugin(cluster: Cluster) -> Mapping[str, Pod]:
    """Nodes where no pod of the network plug-in is, though others have one: one of those."""
    return _pluginless.of(cluster)


def nobody_proxies(cluster: Cluster) -> NetworkPlugin | None:
    """The network plug-in that leaves Services to kube-proxy, where no pod of kube-proxy is.

    In k3s it is a part of k3s itself.
    """
    if cluster.distribution is not None and cluster.distribution.name == K3S:
        return None
    found = next((one for one in cluster.network_plugins if one.leaves_proxy is not None), None)
    return found if found is not None and not any(map(is_proxy, cluster.pods.values())) else None


def _is_plugin(pod: Pod) -> bool:
    return bool(work_of(pod)) and not is_proxy(pod)


def _find_bare(cluster: Cluster, is_meant: Callable[[Pod], bool]) -> Mapping[str, Pod]:
    with_one = {p.node_name: p for p in cluster.pods.values() if p.node_name and is_meant(p)}
    if not with_one:
        return {}
    first = next(iter(with_one.values()))
    nodes = (n for n in cluster.nodes.values() if n.origin.kind is not OriginKind.ASSUMED)
    return {
        node.name: first
        for node in nodes
        if node.name not in with_one
        and node.labels.get(_SYSTEM) != "windows"
        and not any(one.key in _NO_MACHINES for one in node.taints)
    }


def _find_lost(cluster: Cluster, *, proxies: bool) -> Mapping[str, Pod]:
    found: dict[str, Pod] = {}
    running = set()
    for pod in cluster.pods.values():
        if pod.node_name is not None and work_of(pod) and is_proxy(pod) is proxies:
            if does_not_run(pod):
                found.setdefault(pod.node_name, pod)
            else:
                running.add(pod.node_name)
    return {node: pod for node, pod in found.items() if node not in running}


def _images(pod: Pod) -> list[str]:
    return [bare_image(one.image) for one in pod.containers]


_lost_proxies: Derived[Cluster, Mapping[str, Pod]] = Derived(partial(_find_lost, proxies=True))
_lost_plugins: Derived[Cluster, Mapping[str, Pod]] = Derived(partial(_find_lost, proxies=False))
_bare: Derived[Cluster, Mapping[str, Pod]] = Derived(partial(_find_bare, is_meant=is_proxy))
_pluginless: Derived[Cluster, Mapping[str, Pod]] = Derived(partial(_find_bare, is_meant=_is_plugin))
"""All are asked of every walk."""
