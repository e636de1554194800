"""The ports of a pod that its node is to pass on to it."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.cluster.model import ContainerPort, Pod


def host_ports(pod: Pod) -> Iterator[ContainerPort]:
    """The pod's ports with a hostPort, in its own order (kubelet MakePortMappings)."""
    for container in pod.containers:
        if not container.init or container.restartable_init:
            yield from (port for port in container.ports if port.host_port)
