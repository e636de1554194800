"""What writes a node's routes and rules does not run there: kube-proxy, or the network plug-in.

A dump shows their pods. Where one is not ready, what it wrote last stands on its node, or nothing:
Services that came later do not work there, new pods have no network, routes to new nodes are
missing. The walks show the node as if it ran.

Nor where a node has none of their pods at all, and other nodes have; or where no node has
one, and the network plug-in is told to leave its work to it, or does it and does not know the API
server's own address. Does not apply to
manifests, of which nobody knows how their pods fare, nor to the plug-in's controllers.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.distribution import KUBEADM
from k8stui.cluster.networks.node_daemons import (
    is_proxy,
    nobody_proxies,
    without_plugin,
    without_proxy,
    work_of,
)
from k8stui.cluster.programs.images import bare_image
from k8stui.walk.diagnosis.endpoints import readiness

ID = "network-daemons"
_CILIUM = "cilium/cilium"
_API_SERVER = "KUBERNETES_SERVICE_HOST"


def look(ground: Ground) -> Iterator[Finding]:
    yield from _missing(ground)
    yield from _nobody(ground)
    for pod in ground.cluster.pods.values():
        what = work_of(pod)
        if not what or pod.ready or pod.node_name is None or pod.terminating:
            continue
        seen = ground.inventory.of("Pod").get(pod.key)
        if seen is None or not seen.observed:
            continue
        said = f": {pod.unready_reason}" if pod.unready_reason else ""
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Pod {pod.key}",
            place=seen.place("status"),
            why=f"it does not run on {pod.node_name}{said}; {what} there are old or missing",
            fix=readiness(pod, f" -n {pod.namespace}"),
        )


def _missing(ground: Ground) -> Iterator[Finding]:
    """Nodes that a DaemonSet leaves out: their taints, its nodeSelector."""
    proxies, plugins = without_proxy(ground.cluster), without_plugin(ground.cluster)
    of_proxy = "kube-proxy", "nothing there leads to Services"
    of_plugin = "the network plug-in", "no pod gets a network there (NetworkPluginNotReady)"
    lacking = [(*of_proxy, *each) for each in proxies.items()]
    lacking += [(*of_plugin, *each) for each in plugins.items()]
    for whose, so, name, pod in lacking:
        node = ground.cluster.nodes[name]
        taints = [one.key for one in node.taints if one.effect != "PreferNoSchedule"]
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Node {name}",
            place=node.origins.get("taints", node.origin).place if taints else node.origin.place,
            why=f"no pod of {whose} is on it, as on other nodes ({pod.key}): {so}",
            fix=(
                f"let its DaemonSet tolerate every taint (tolerations: [{{operator: "
                f"Exists}}]; this node has {', '.join(taints)})"
                if taints
                else "look which nodes its DaemonSet chooses (nodeSelector, affinity)"
            ),
        )


def _nobody(ground: Ground) -> Iterator[Finding]:
    """A dump in which nobody does kube-proxy's work, and somebody says so."""
    yield from _shut_out(ground)
    told = nobody_proxies(ground.cluster)
    if told is None or told.leaves_proxy is None or not ground.inventory.has_observed("Pod"):
        return
    yield Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject="the cluster",
        place=told.leaves_proxy.place,
        why=f"{told.name} leaves Services to kube-proxy here, and no pod of kube-proxy is there: "
        "nobody leads from a Service's address to its pods",
        fix=f'let {told.name} do it (kube-proxy-replacement: "true", with k8sServiceHost and '
        "k8sServicePort, and restart its pods), or run kube-proxy (kubeadm init phase addon "
        "kube-proxy)",
    )


def _shut_out(ground: Ground) -> Iterator[Finding]:
    """Cilium in kube-proxy's place that looks for the API server where only it leads itself.

    Source: Cilium's documentation, "Kubernetes Without kube-proxy" (k8sServiceHost).
    """
    pods = ground.cluster.pods.values()
    there = ground.cluster.distribution
    agents = [p for p in pods if any(bare_image(c.image).endswith(_CILIUM) for c in p.containers)]
    knows = any(name == _API_SERVER for p in agents for c in p.containers for name, _ in c.env)
    replaces = any(one.replaces_proxy is not None for one in ground.cluster.network_plugins)
    if not agents or knows or not replaces or any(map(is_proxy, pods)):
        return
    if there is not None and there.name != KUBEADM:
        return
    yield Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"Pod {agents[0].key}",
        place=agents[0].origin.place,
        why="Cilium does kube-proxy's work, and asks the API server at Service kubernetes, to "
        "which nobody leads before Cilium itself runs (i/o timeout)",
        fix="set k8sServiceHost and k8sServicePort to the API server's own address (its variables "
        f"{_API_SERVER} and KUBERNETES_SERVICE_PORT)",
    )


RULE = CheckRule(
    id=ID,
    summary="kube-proxy or the network plug-in does not run on a node",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
