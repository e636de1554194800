"""Who has a mesh's proxy, and which connections it takes.

Sources: Istio pkg/kube/inject (istio-injection, istio.io/rev of the namespace,
sidecar.istio.io/inject of the pod; a pod of its node's network gets none), Resource Annotations
(include… and exclude…), ambient mode's label istio.io/dataplane-mode; linkerd.io "Automatic Proxy
Injection" (linkerd.io/inject of the pod, else of the namespace), "Proxy Configuration"
(skip-inbound-ports, skip-outbound-ports).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from k8stui.cluster.fields import prefixes
from k8stui.cluster.mesh_policy import Annotation
from k8stui.cluster.model import Cluster, Container, Pod
from k8stui.cluster.programs.images import image_word
from k8stui.kernel.address import Address
from k8stui.kernel.derived import Derived
from k8stui.origin import OriginKind
from k8stui.whole import whole

MODE = "istio.io/dataplane-mode"
_PROXY = "proxyv2"
_LINKERD = "linkerd-proxy"
INJECT = "linkerd.io/inject"
SIDECAR = "sidecar.istio.io/inject"
_CAPTURE = "traffic.sidecar.istio.io/"
_SKIPS = "config.linkerd.io/skip-"
_ALL = "*"
OWN_PORTS = frozenset({15020, 15021, 15090})
"""Istio's sidecar answers these itself: no policy is asked."""
_IGNORED = "4567,4568"
"""Linkerd leaves these alone where nothing is said (proxyInit.ignoreInboundPorts; Galera's)."""


class Proxy(Enum):
    """What a pod's connections go through."""

    NONE = "none"
    UNKNOWN = "unknown"
    """Nothing says so, and its namespace is not in the input."""
    ISTIO = "the sidecar"
    ZTUNNEL = "ztunnel"
    """Of its node: ambient mode."""
    LINKERD = "the Linkerd proxy"


OF_ISTIO = frozenset({Proxy.ISTIO, Proxy.ZTUNNEL})


def proxy_of(cluster: Cluster, pod: Pod) -> Proxy:
    """A dump shows each pod with all its containers; a label that came later has given it none."""
    shown = shows_proxy(pod)
    if shown is not None:
        return shown
    told = istio_told(pod)
    if pod.host_network:
        return Proxy.NONE
    space = cluster.namespace_labels.get(pod.namespace)
    mode = pod.labels.get(MODE) or (space or {}).get(MODE)
    if mode == "ambient" and told != "true":
        return Proxy.ZTUNNEL
    if pod.origin.kind is OriginKind.OBSERVED:
        return Proxy.NONE
    inject = told_of(cluster, pod, INJECT)
    if inject is not None and inject.value in ("enabled", "ingress"):
        return Proxy.LINKERD
    if told != "false" and (told == "true" or asks_for_sidecar(cluster, pod.namespace)):
        return Proxy.ISTIO
    if told == "false" or (inject is not None and inject.value == "disabled"):
        return Proxy.NONE
    return Proxy.UNKNOWN if space is None else Proxy.NONE


def istio_told(pod: Pod) -> str:
    """What a pod itself says of Istio's sidecar: ``true``, ``false``; empty: nothing."""
    written = pod.annotations.get(SIDECAR)
    return pod.labels.get(SIDECAR) or (written.value if written is not None else "")


def shows_proxy(pod: Pod) -> Proxy | None:
    """The one that the input itself has as a container beside the others; None: it has none."""
    for one in pod.containers:
        if one.init and not one.restartable_init:
            continue
        if is_proxy(one):
            return Proxy.LINKERD if one.name == _LINKERD else Proxy.ISTIO
    return None


def is_proxy(one: Container) -> bool:
    """Whether a container is a mesh's, and not the pod's own."""
    return image_word(one.image) == _PROXY or one.name == _LINKERD


def told_of(cluster: Cluster, pod: Pod, name: str) -> Annotation | None:
    """What a pod's own annotation says, else that of its namespace."""
    spaces = cluster.meshes.namespaces
    return pod.annotations.get(name) or spaces.get(pod.namespace, {}).get(name)


def asks_for_sidecar(cluster: Cluster, namespace: str) -> bool:
    """Whether a webhook of Istio's gives its pods one."""
    told = cluster.namespace_labels.get(namespace, {})
    return told.get("istio-injection") == "enabled" or (
        "istio.io/rev" in told and told.get("istio-injection") != "disabled"
    )


def has_mesh(cluster: Cluster) -> bool:
    """Whether anything of the input is a mesh's: its policies, pods with a proxy or that get one.

    Then it may be another who is understood, from Service to Service and from pod to pod.
    """
    return _has_mesh.of(cluster)


def _look_for_mesh(cluster: Cluster) -> bool:
    said = cluster.meshes
    return (
        any((said.peer_authentications, said.authorization_policies, said.destination_tls))
        or any(
            (said.servers, said.scopes, said.namespaces, said.default_policy, said.registry_only)
        )
        or any(asks_for_sidecar(cluster, one) for one in cluster.namespace_labels)
        or any(MODE in told for told in cluster.namespace_labels.values())
        or any(pod.annotations or shows_proxy(pod) for pod in cluster.pods.values())
    )


_has_mesh = Derived(_look_for_mesh)


def takes(cluster: Cluster, server: Pod, number: int) -> Proxy:
    """Whose proxy takes what comes to a pod's port; annotations may leave some to the pod."""
    proxy = proxy_of(cluster, server)
    if proxy is Proxy.ISTIO and number in OWN_PORTS:
        return Proxy.NONE
    if proxy is Proxy.ISTIO:
        those = _listed(server, "includeInboundPorts") or {_ALL}
        left = _listed(server, "excludeInboundPorts")
        taken = bool({_ALL, str(number)} & those) and str(number) not in left
        return proxy if taken else Proxy.NONE
    if proxy is Proxy.LINKERD and skipped(cluster, server, "inbound", number) is not None:
        return Proxy.NONE
    return proxy


def sends(cluster: Cluster, client: Pod, address: Address | None, number: int) -> Proxy:
    """Whose proxy takes what a pod sends there, likewise.

    `address`: None: a Service's, or it is not known.
    """
    proxy = proxy_of(cluster, client)
    return Proxy.NONE if passed_by(cluster, client, address, number) is not None else proxy


def passed_by(
    cluster: Cluster, client: Pod, address: Address | None, number: int
) -> Annotation | None:
    """The annotation that leaves what a pod sends there out of its proxy's hands."""
    proxy = proxy_of(cluster, client)
    if proxy is Proxy.LINKERD:
        return skipped(cluster, client, "outbound", number)
    if proxy is not Proxy.ISTIO:
        return None
    if str(number) in _listed(client, "excludeOutboundPorts"):
        return client.annotations[f"{_CAPTURE}excludeOutboundPorts"]
    if address is not None:
        if _has(client, "excludeOutboundIPRanges", address):
            return client.annotations[f"{_CAPTURE}excludeOutboundIPRanges"]
        only = _listed(client, "includeOutboundIPRanges") - {_ALL}
        if only and not _has(client, "includeOutboundIPRanges", address):
            return client.annotations[f"{_CAPTURE}includeOutboundIPRanges"]
    return None


def skipped(cluster: Cluster, pod: Pod, way: str, number: int) -> Annotation | None:
    """Linkerd's annotation that leaves a port out; `way`: ``inbound``, ``outbound``."""
    told = told_of(cluster, pod, f"{_SKIPS}{way}-ports")
    if told is None:
        told = Annotation(_IGNORED, pod.origin)
    return told if in_ports(told.value, number) else None


def in_ports(written: str, number: int) -> bool:
    """Whether Linkerd's list of ports and ranges (``25,8000-8100``) has one."""
    for part in written.split(","):
        first, dash, last = part.strip().partition("-")
        low, high = whole(first), whole(last if dash else first)
        if low is not None and high is not None and low <= number <= high:
            return True
    return False


def _listed(pod: Pod, name: str) -> set[str]:
    written = pod.annotations.get(_CAPTURE + name)
    return {one.strip() for one in written.value.split(",")} if written is not None else set()


def _has(pod: Pod, name: str, address: Address) -> bool:
    return any(
        one.address.version == address.version and address in one
        for one in prefixes(_listed(pod, name))
    )


def early(cluster: Cluster, pod: Pod, container: str) -> Container | None:
    """A container that ends before the pod's proxy starts, though its pod has one; None: not so.

    An init container, where the proxy is no restartable one in front of it.
    """
    inits = [one for one in pod.containers if one.init]
    found = next((i for i, one in enumerate(inits) if one.name == container), None)
    if found is None or inits[found].restartable_init or is_proxy(inits[found]):
        return None
    if proxy_of(cluster, pod) not in (Proxy.ISTIO, Proxy.LINKERD):
        return None
    return None if any(map(_runs_on, inits[:found])) else inits[found]


def _runs_on(one: Container) -> bool:
    return is_proxy(one) and one.restartable_init


_VALIDATORS = frozenset({"istio-validation", "linkerd-network-validator"})


def by_plugin(pod: Pod) -> Container | None:
    """The container that shows that a network plug-in wrote the rules, before any other started."""
    return next((one for one in pod.containers if one.name in _VALIDATORS), None)


def containers_of(pod: Pod) -> Iterator[Container]:
    """Those that serve, without a mesh's own."""
    return (one for one in pod.containers if not one.init and not is_proxy(one))
