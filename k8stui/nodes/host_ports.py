"""The ports of a pod that its node is to pass on to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from k8stui.because import Because
from k8stui.cluster.model import ContainerPort, Pod
from k8stui.kernel.address import Address

_ANY = frozenset((Address.parse("0.0.0.0"), Address.parse("::")))  # noqa: S104 - an address to compare with


class Mapped(NamedTuple):
    """A pod with hostPorts, and its address of the family that is looked at."""

    pod: Pod
    ports: tuple[ContainerPort, ...]
    address: Address

    @property
    def here(self) -> Iterator[ContainerPort]:
        """Those whose hostIP is of the family, or not given."""
        version = self.address.version
        return (one for one in self.ports if not one.host_ip or one.host_ip.version == version)


def asked_at(port: ContainerPort) -> Address | None:
    """The one address of the node that takes requests for the port; None: all of them."""
    return None if port.host_ip in _ANY else port.host_ip


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
