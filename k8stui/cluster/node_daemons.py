"""The pods that write a node's routes and rules: kube-proxy's and the network plug-in's."""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.cluster.model import Cluster, Pod
from k8stui.kernel.derived import Derived
from k8stui.origin import OriginKind

_PROXY = "kube-proxy"
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


def work_of(pod: Pod) -> str:
    """What the pod writes on its node; empty: it is no such pod."""
    if is_proxy(pod):
        return "kube-proxy's rules for Services"
    by_plugin = any(name.endswith(_PLUGINS) for name in _images(pod))
    return "the network plug-in's routes and rules" if by_plugin and pod.host_network else ""


def is_proxy(pod: Pod) -> bool:
    return any(name.endswith(_PROXY) for name in _images(pod))


def does_not_run(pod: Pod) -> bool:
    """Whether a dump shows that it does not run on its node."""
    is_seen = pod.origin.kind is OriginKind.OBSERVED
    return is_seen and not pod.ready and pod.node_name is not None and not pod.terminating


def lost_proxies(cluster: Cluster) -> Mapping[str, Pod]:
    """By node: kube-proxy's pod that does not run there, where no other one does."""
    return _lost.of(cluster)


def _find_lost(cluster: Cluster) -> Mapping[str, Pod]:
    found: dict[str, Pod] = {}
    running = set()
    for pod in cluster.pods.values():
        if pod.node_name is not None and is_proxy(pod):
            if does_not_run(pod):
                found.setdefault(pod.node_name, pod)
            else:
                running.add(pod.node_name)
    return {node: pod for node, pod in found.items() if node not in running}


def _images(pod: Pod) -> list[str]:
    return [one.image.partition("@")[0].rpartition(":")[0] for one in pod.containers]


_lost: Derived[Cluster, Mapping[str, Pod]] = Derived(_find_lost)
"""Asked of every walk to a Service."""
