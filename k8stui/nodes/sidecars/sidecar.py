"""What a mesh's sidecar is to the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from k8stui.because import Because
from k8stui.cluster.model import Container, Pod
from k8stui.kernel import packet
from k8stui.kernel.namespace import GoesOn, Socket
from k8stui.nodes.contribution import Contribution
from k8stui.origin import assumed


class Sidecar(Protocol):
    """The proxy of one pod."""

    @property
    def versions(self) -> Sequence[int]:
        """For which IP versions rules are written."""

    def rules(self, version: int) -> Contribution:
        """What the init container writes."""

    def sockets(self) -> Iterator[Socket]:
        """Where the proxy takes connections."""


def proxy_socket(
    pod: Pod,
    container: Container,
    number: int,
    owner: str,
    goes_on: GoesOn | None,
    *,
    protocol: packet.Protocol = packet.Protocol.TCP,
) -> Socket:
    """Where a sidecar's proxy takes what is turned to it, and goes on to where it was meant."""
    return Socket(
        protocol=protocol,
        port=number,
        owner=owner,
        goes_on=goes_on,
        reason=Because(
            text=f"{owner} of pod {pod.key} takes what {container.name} turns to it",
            origin=assumed(f"{container.name} programs it, so the proxy is there"),
            owner=owner,
            pod=pod.key,
        ),
    )
