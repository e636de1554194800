"""Who asks which Service, as the input says it: containers that are told to, and Ingresses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import text
from k8stui.apiserver.inventory import namespace_of
from k8stui.check.asked.hosts import asked, service_at
from k8stui.check.ports import number_of
from k8stui.cluster.mentions import ingress_backends
from k8stui.cluster.model import Pod, Service, ServicePort
from k8stui.cluster.programs.images import is_gateway, is_ingress_controller
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.check.ground import Ground


@record()
class Call:
    """A pod asks a port of a Service."""

    said: str
    """Who says so, in a sentence's beginning: ``env DB of Deployment api leads to db``."""
    client: Pod
    service: Service
    port: ServicePort
    container: str
    """Which one of the client's; empty: not known."""
    host: str
    """As the client writes the name; empty: the Service alone is known."""


def told(ground: Ground) -> Iterator[Call]:
    """What containers are told to ask."""
    for template in ground.templates:
        pod = ground.pod_of(template)
        for container in template.containers() if pod is not None else ():
            for one in asked(container):
                service = service_at(ground.cluster, one.host, template.namespace)
                if service is None or pod is None:
                    continue
                for port in service.ports:
                    if one.port in (None, port.port):
                        said = f"{one.what} of {template.subject} leads to {one.host}"
                        yield Call(said, pod, service, port, container.name, one.host)


def of_ingresses(ground: Ground) -> Iterator[Call]:
    """What the input's ingress controller asks for the Ingresses; of several nobody knows which."""
    if not ground.of_kind("Ingress"):
        return
    pods = [
        pod
        for pod in ground.cluster.pods.values()
        if any(is_ingress_controller(one.image) for one in pod.containers)
    ]
    if len({pod.owner for pod in pods}) != 1:
        return
    # To a pod of its own node a host may always send: of those on hosts two nodes' are asked.
    controllers = pods[: 2 if pods[0].host_network else 1]
    for manifest in ground.of_kind("Ingress").values():
        for path, name_path in ingress_backends(manifest):
            key = f"{namespace_of(manifest)}/{text(manifest.data, *path, *name_path)}"
            service = ground.cluster.services.get(key)
            if service is None:
                continue
            for pod, port in product(controllers, service.ports):
                said = f"Ingress {namespace_of(manifest)}/{manifest.name}, served by {pod.name}"
                yield Call(said, pod, service, port, "", "")


def of_gateways(ground: Ground) -> Iterator[Call]:
    """What Istio's gateway of the input asks for hosts that it serves; of several nobody knows."""
    cluster = ground.cluster
    pods = [pod for pod in cluster.pods.values() if any(map(is_gateway, pod.containers))]
    if len({pod.owner for pod in pods}) != 1:
        return
    seen: set[tuple[str, str, int]] = set()
    for entrance in cluster.entrances:
        if not entrance.owner.startswith(("VirtualService ", "HTTPRoute ")):
            continue
        for path in entrance.paths:
            service = cluster.services.get(path.service)
            port = path.port_of(service) if service is not None else None
            if service is None or port is None:
                continue
            if (entrance.owner, service.key, port.port) not in seen:
                seen.add((entrance.owner, service.key, port.port))
                said = f"{entrance.owner}, served by {pods[0].name}"
                yield Call(said, pods[0], service, port, "", "")


def behind(ground: Ground, service: Service, port: ServicePort) -> Iterator[tuple[Pod, int]]:
    """Pods that a Service's port leads to, one of each template, with their port."""
    seen: set[int] = set()
    for pod in ground.selected(service):
        if id(pod.containers) in seen:
            continue
        seen.add(id(pod.containers))
        number = number_of(pod, port)
        if number is not None:
            yield pod, number
