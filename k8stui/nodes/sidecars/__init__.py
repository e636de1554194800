"""Sidecars: what a mesh's init container programs in its pod's own namespace, and who listens then.

The input has to show it: a pod that was injected, as a live cluster has it. A webhook's doing is
not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from k8stui.cluster.mesh.proxies import asks_for_sidecar
from k8stui.cluster.model import Cluster, Container, Pod, Remark
from k8stui.cluster.programs.images import bare_image
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import Socket
from k8stui.kernel.rules import Ruleset
from k8stui.late import Late
from k8stui.nodes.contribution import compose
from k8stui.nodes.sidecars.sidecar import Sidecar

_KNOWN = (
    ("istio-iptables", Late("k8stui.nodes.sidecars.istio", "Istio")),
    ("proxy-init", Late("k8stui.nodes.sidecars.linkerd", "Linkerd")),
)
"""By a word of its init container's command or image."""


def sidecar(pod: Pod, servers: Sequence[Address] = ()) -> Sidecar | None:
    """The mesh that the pod is in; None: in none that is known. `servers`: of its resolv.conf."""
    for container in pod.containers:
        if container.init:
            for word, made in _KNOWN:
                if _is(container, word):
                    found: Sidecar = made(pod, container, servers)
                    return found
    return None


def uninjected(cluster: Cluster) -> Iterator[Remark]:
    """Namespaces that ask for a sidecar, whose pods the input has without one."""
    asking = {name for name in cluster.namespace_labels if asks_for_sidecar(cluster, name)}
    if not asking:
        return
    without: dict[str, list[Pod]] = {}
    for pod in cluster.pods.values():
        refused = pod.labels.get("sidecar.istio.io/inject") == "false" or pod.host_network
        if pod.namespace in asking and not refused and sidecar(pod) is None:
            without.setdefault(pod.namespace, []).append(pod)
    for name, pods in without.items():
        yield Remark(
            text=f"namespace {name} asks for Istio's sidecar, and {len(pods)} of its pods have "
            "none in the input: a webhook would put it there, here they are walked without",
            origin=pods[0].origin,
        )


def rulesets(found: Sidecar) -> Mapping[int, Ruleset]:
    """The rules in the pod by IP version."""
    return {version: compose([found.rules(version)]) for version in found.versions}


def with_proxy(found: Sidecar, others: Sequence[Socket]) -> tuple[Socket, ...]:
    """All sockets there: the proxy's ports are nobody else's."""
    own = tuple(found.sockets())
    ports = {(one.protocol, one.port) for one in own}
    return (*own, *(one for one in others if (one.protocol, one.port) not in ports))


def _is(container: Container, word: str) -> bool:
    return any(each == word or each.endswith(f"/{word}") for each in _words(container))


def _words(container: Container) -> Iterator[str]:
    yield from container.spoken
    yield bare_image(container.image)
