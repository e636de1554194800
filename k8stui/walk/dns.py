"""How a name becomes addresses, in sentences: what the client's resolver is told."""

from __future__ import annotations

from dataclasses import dataclass

from k8stui.cluster.model import Cluster, Service, ServicePort
from k8stui.kernel.address import Address
from k8stui.manifests.origin import Origin
from k8stui.walk.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What DNS says. Without addresses the name does not resolve; the last sentence says why."""

    addresses: tuple[Address, ...]
    sentences: tuple[str, ...]
    service: str | None = None
    """``namespace/name`` of the Service that the name belongs to."""
    origin: Origin | None = None


def ask(cluster: Cluster, name: str, source: Source) -> Answer:
    """Resolve a name as the client's resolver does."""
    from k8stui.cluster.names import resolve  # noqa: PLC0415

    found = resolve(cluster, name, source.pod)
    return Answer(addresses=found.addresses, sentences=found.sentences)


def srv(cluster: Cluster, service: Service, port: ServicePort) -> tuple[int, str]:
    """Ask for the SRV record of a headless Service's named port: the pods' own port number.

    Source: shared/control-plane-facts.md section 9; the first endpoint's record is taken.
    """
    query = f"_{port.name}._{port.protocol.name.lower()}.{service.name}"
    for each in cluster.endpoint_slices.get(service.key, ()):
        for target in each.ports or ():
            if (target.name, target.protocol) == (port.name, port.protocol):
                return target.port, f"SRV {query}: port {target.port} of the pod itself"
    return port.port, f"SRV {query}: no answer; port {port.port} as the Service has it"
