"""The ports of a pod that its node is to pass on to it."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.because import Because
from k8stui.cluster.model import ContainerPort, Pod


def host_ports(pod: Pod) -> Iterator[ContainerPort]:
    """The pod's ports with a hostPort, in its own order (kubelet MakePortMappings)."""
    for container in pod.containers:
        if not container.init or container.restartable_init:
            yield from (port for port in container.ports if port.host_port)


def passed_on(pod: Pod, port: ContainerPort, owner: str) -> Because:
    """Why `owner` writes rules for one of them."""
    return Because(
        text=f"hostPort {port.host_port} of pod {pod.key}, to its port {port.number}",
        origin=port.origin,
        owner=owner,
        pod=pod.key,
        setting=f"hostPort: {port.host_port}",
    )
