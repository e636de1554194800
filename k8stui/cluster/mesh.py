"""Istio's mesh: which pods are in it, and which of them take mutual TLS alone.

A PeerAuthentication of mode STRICT lets a sidecar close what comes in plain; the narrowest counts:
a port's, a workload's, its namespace's, the mesh's (in Istio's own namespace). A client without a
sidecar speaks plain. Sources: istio.io PeerAuthentication; pilot/pkg/security/authn/utils
(ComposePeerAuthentication); pkg/kube/inject (istio-injection, istio.io/rev of the namespace;
sidecar.istio.io/inject of the pod; a pod of its node's network gets none); ambient mode's label
istio.io/dataplane-mode.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from k8stui.apiserver.fields import labels, table, text
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.images import image_word
from k8stui.cluster.model import Cluster, Lack, PeerAuthentication, Pod
from k8stui.kernel.derived import Derived

_ROOT = "istio-system"
_STRICT, _UNSET = "STRICT", ("", "UNSET")
_PROXY = "proxyv2"
_MODE = "istio.io/dataplane-mode"


def peer_authentications(inventory: Inventory) -> Iterator[PeerAuthentication]:
    """Those of the input, in its order."""
    for one in inventory.of("PeerAuthentication").values():
        ports = table(one.data, "spec", "portLevelMtls")
        yield PeerAuthentication(
            namespace=namespace_of(one),
            name=one.name,
            selector=labels(one.data, "spec", "selector", "matchLabels"),
            mode=text(one.data, "spec", "mtls", "mode"),
            ports={int(k): text(v, "mode") for k, v in ports.items() if str(k).isdecimal()},
            origin=one.origin("spec"),
        )


def asks_for_sidecar(cluster: Cluster, namespace: str) -> bool:
    """Whether a webhook gives its pods one."""
    told = cluster.namespace_labels.get(namespace, {})
    return told.get("istio-injection") == "enabled" or (
        "istio.io/rev" in told and told.get("istio-injection") != "disabled"
    )


def is_meshed(cluster: Cluster, pod: Pod) -> bool:
    """Whether a pod has a sidecar, gets one, or is of an ambient mesh."""
    if any(image_word(one.image) == _PROXY and not one.init for one in pod.containers):
        return True
    told = pod.labels.get("sidecar.istio.io/inject")
    if pod.host_network or told == "false":
        return False
    ambient = pod.labels.get(_MODE) or cluster.namespace_labels.get(pod.namespace, {}).get(_MODE)
    return told == "true" or ambient == "ambient" or asks_for_sidecar(cluster, pod.namespace)


def strict_for(cluster: Cluster, pod: Pod, number: int) -> PeerAuthentication | None:
    """The one that has a pod's port take mutual TLS alone."""
    known = _known.of(cluster)
    narrow = [one for item in pod.labels.items() for one in known.get((pod.namespace, item), ())]
    chosen = [one for one in narrow if one.selector.items() <= pod.labels.items()]
    wide, mesh = known.get((pod.namespace, None), ()), known.get((_ROOT, None), ())
    for one in (*chosen, *wide, *mesh):
        mode = one.ports.get(number, "") if one.selector else ""
        mode = one.mode if mode in _UNSET else mode
        if mode not in _UNSET:
            return one if mode == _STRICT else None
    return None


def closed_to(cluster: Cluster, client: Pod | None, server: Pod, number: int) -> Lack | None:
    """Why a server's sidecar closes what a client sends in plain; `client` None: no pod asks."""
    if not cluster.peer_authentications or (client is not None and is_meshed(cluster, client)):
        return None
    strict = strict_for(cluster, server, number) if is_meshed(cluster, server) else None
    if strict is None:
        return None
    who = f"pod {client.key}" if client is not None else "who asks"
    mend = f"set mode: PERMISSIVE for it (PeerAuthentication with a selector in {server.namespace})"
    if client is not None and not client.host_network:
        mend = (
            f"kubectl label namespace {client.namespace} istio-injection=enabled and restart its "
            f"pods, or {mend}"
        )
    elif client is None:
        mend = f"come in by Istio's ingress gateway, or {mend}"
    return Lack(
        f"PeerAuthentication {strict.namespace}/{strict.name} (STRICT) has the sidecar of pod "
        f"{server.key} take mutual TLS alone, and {who} has none that speaks it: the connection is "
        "reset at the first data",
        mend,
        strict.origin,
    )


_Key = tuple[str, tuple[str, str] | None]
"""A namespace, and the first label that is asked for; None: all of its pods are meant."""


def _sorted(cluster: Cluster) -> Mapping[_Key, Sequence[PeerAuthentication]]:
    found: dict[_Key, list[PeerAuthentication]] = {}
    for one in cluster.peer_authentications:
        found.setdefault((one.namespace, next(iter(one.selector.items()), None)), []).append(one)
    return found


_known: Derived[Cluster, Mapping[_Key, Sequence[PeerAuthentication]]] = Derived(_sorted)
