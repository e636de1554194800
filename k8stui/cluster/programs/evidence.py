"""What of the input names a port that a pod may listen on, though no container declares it.

A container's own words (arguments, probes, env), ConfigMaps that it reads, Gateways that open a
port on the pods that they select (Istio's by ``spec.selector``, those of the Gateway API by the
label gateway.networking.k8s.io/gateway-name), and what the API server calls (webhooks,
APIServices).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from k8stui.apiserver.fields import array, at, labels, number, table, text
from k8stui.apiserver.inventory import namespace_of
from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.model import Cluster, Container, Pod, PortUser, Service
from k8stui.cluster.programs.streams import streamed
from k8stui.kernel.packet import Protocol
from k8stui.manifests import Manifest

_GATEWAY = "gateway.networking.k8s.io/gateway-name"
_HTTPS = 443
_LISTENS = re.compile(r"listen|bind|serve|port|addr|http|grpc|tcp|udp", re.IGNORECASE)
"""What a line of a configuration says of a port that its reader opens."""
_CONNECTS = re.compile(
    r"proxy_pass|upstream|backend|remote|target|connect|forward|scrape|dsn", re.IGNORECASE
)
"""What one says of somebody else's."""


def users_of(objects: Iterable[Manifest]) -> Iterator[PortUser]:
    """What Gateways, webhooks and APIServices say of ports."""
    for manifest in objects:
        match manifest.kind:
            case "Gateway":
                yield from _gateway(manifest)
            case "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration":
                for index in range(len(array(manifest.data, "webhooks"))):
                    yield from _called(manifest, "webhooks", index, "clientConfig", "service")
            case "APIService":
                yield from _called(manifest, "spec", "service")


def _gateway(manifest: Manifest) -> Iterator[PortUser]:
    own = namespace_of(manifest)
    # Istio's may stand in another namespace than the pods (istio.io, Gateway.selector).
    is_istio = manifest.group == "networking.istio.io"
    chosen = labels(manifest.data, "spec", "selector") if is_istio else {_GATEWAY: manifest.name}
    field, where = ("servers", "port.number") if is_istio else ("listeners", "port")
    for index, entry in enumerate(array(manifest.data, "spec", field)):
        path = where.split(".")
        opened = at(entry, *path)
        if isinstance(opened, int) and (chosen or is_istio):
            yield PortUser(
                who=f"Gateway {own}/{manifest.name}",
                number=opened,
                selector=chosen,
                namespace="" if is_istio else own,
                of_all=not chosen,
                origin=manifest.origin("spec", field, index, *path),
            )


def _called(manifest: Manifest, *path: str | int) -> Iterator[PortUser]:
    service = table(manifest.data, *path)
    if name := text(service, "name"):
        yield PortUser(
            who=f"{manifest.kind} {manifest.name}",
            number=number(service, "port") or _HTTPS,
            service=f"{text(service, 'namespace') or 'default'}/{name}",
            origin=manifest.origin(*path),
        )


def port_in_text(number: int) -> re.Pattern[str]:
    """Find a port's number in a text. Behind a host's name it is somebody else's (``db:5432``)."""
    return re.compile(rf"(?<![\d.$])(?<![a-z]:){number}(?![\d.]*\d)")


def who_names(
    cluster: Cluster, pod: Pod, service: Service | None, wanted: int, protocol: Protocol
) -> str:
    """Who says that somebody listens on port `wanted` of the pod; empty if nobody does.

    `service` leads there. Behind a host's name (``http://db:5432``) it is somebody else's port.
    """
    if (stream := streamed(cluster.config_maps, pod, protocol).get(wanted)) is not None:
        return f"ConfigMap {stream}"
    word = port_in_text(wanted)
    for container in pod.containers:
        if container.init and not container.restartable_init:
            continue
        if any(word.search(each) for each in container.spoken) or any(
            word.search(value) for _, value in container.env
        ):
            return "a probe, an argument or an env value"
        for name, held, only in read_by(cluster.config_maps, pod, container):
            for said in (line.text for line in held.lines(only)):
                if word.search(said) and _LISTENS.search(said) and not _CONNECTS.search(said):
                    return f"ConfigMap {name}"
    if protocol is not Protocol.TCP:
        return ""
    led = {
        (service.key, port.port)
        for port in (service.ports if service is not None else ())
        if (port.target_port, port.protocol) == (wanted, protocol) and service is not None
    }
    return next((user.who for user in cluster.port_users if _says(user, pod, wanted, led)), "")


def is_opened(pod: Pod, wanted: int) -> bool:
    """Whether an argument says that a port is opened on all addresses: ``--bind-address=:8443``."""
    word = re.compile(rf"(?:.*[=\s])?(?:\*|0\.0\.0\.0|\[::\])?:{wanted}")
    return any(word.fullmatch(each) for one in pod.containers for each in one.spoken)


def read_by(
    config_maps: Mapping[str, ConfigMap], pod: Pod, container: Container
) -> Iterator[tuple[str, ConfigMap, str]]:
    """The ConfigMaps that a container reads: ``namespace/name``, and which key alone if one."""
    for name, only in container.reads:
        held = config_maps.get(f"{pod.namespace}/{name}")
        if held is not None:
            yield f"{pod.namespace}/{name}", held, only


def _says(user: PortUser, pod: Pod, wanted: int, led: set[tuple[str, int]]) -> bool:
    if user.service:
        return (user.service, user.number) in led
    near = user.namespace in ("", pod.namespace) and not user.of_all
    return user.number == wanted and near and user.selector.items() <= pod.labels.items()
