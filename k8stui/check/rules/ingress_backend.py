"""An Ingress leads to a Service, or to a port of one, that is not there.

The Ingress controller answers 503 (or 404) for such a path: no packet ever goes to a pod. A
backend's Service must be in the Ingress's own namespace, its port one of the Service's ports, not
a targetPort.

An error where the name is a typing error of a Service's; else only a warning: a Service of that
name may be elsewhere, or an operator makes it.
Does not apply to ``resource`` backends, nor to ports of ExternalName Services.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, at, table, text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.mentions import ingress_backends
from k8stui.cluster.model import Service, ServiceType
from k8stui.manifests import Manifest
from k8stui.suggest import is_typo, nearest

ID = "ingress-backend"
_ACTION = "use-annotation"
"""The port of a backend that an annotation describes (AWS Load Balancer Controller, actions)."""
_Path = tuple[str | int, ...]


def look(ground: Ground) -> Iterator[Finding]:
    for manifest in ground.of_kind("Ingress").values():
        for path, name_path in ingress_backends(manifest):
            backend = table(manifest.data, *path)
            yield from _judge(ground, manifest, backend, path, name_path)


def _judge(
    ground: Ground, manifest: Manifest, backend: Object, path: _Path, name_path: tuple[str, ...]
) -> Iterator[Finding]:
    namespace, name = manifest.namespace or "default", text(backend, *name_path)
    subject = f"Ingress {namespace}/{manifest.name}"
    service = ground.cluster.services.get(f"{namespace}/{name}")
    if service is None:
        here = [s.name for s in ground.services if s.namespace == namespace]
        if at(backend, *name_path[:-1], "port", "name") == _ACTION or (
            backend.get("servicePort") == _ACTION
        ):
            return
        near = nearest(name, here)
        yield Finding(
            rule=ID,
            severity=Severity.ERROR if near and is_typo(name, near) else Severity.WARNING,
            subject=subject,
            place=manifest.place(*path, *name_path),
            why=f"there is no Service {namespace}/{name}" + _elsewhere(ground, name),
            fix=f"write {near}" if near else _missing(ground, manifest, name),
        )
        return
    port_path = ("service", "port") if name_path[0] == "service" else ("servicePort",)
    wanted = _port(backend, port_path)
    if wanted is None or service.type is ServiceType.EXTERNAL_NAME or _has(service, wanted):
        return
    has = ", ".join(f"{p.port} ({p.name})" if p.name else str(p.port) for p in service.ports)
    behind = next((p for p in service.ports if p.target_port == wanted), None)
    yield Finding(
        rule=ID,
        severity=Severity.ERROR,
        subject=subject,
        place=manifest.place(*path, *port_path, *_field(backend, port_path)),
        why=f"Service {service.key} has no port {wanted}; it has {has or 'none'}"
        + (f", and {wanted} is the targetPort behind {behind.port}" if behind else ""),
        fix=f"write port {(behind or service.ports[0]).port}" if service.ports else "",
    )


def _missing(ground: Ground, manifest: Manifest, name: str) -> str:
    other = next((s.namespace for s in ground.services if s.name == name), None)
    if other is None:
        return f"create Service {name}"
    return f"put Ingress {manifest.name} into namespace {other}: its backends are of its own"


def _port(backend: Object, path: tuple[str, ...]) -> int | str | None:
    found = at(backend, *path)
    if isinstance(found, dict):
        found = found.get("number") or found.get("name")
    return found if isinstance(found, int | str) and found != "" else None


def _field(backend: Object, path: tuple[str, ...]) -> tuple[str, ...]:
    """The field of a port that is written, where it is more than a number."""
    found = table(backend, *path)
    return tuple(field for field in ("number", "name") if found.get(field))[:1]


def _has(service: Service, wanted: int | str) -> bool:
    return any(wanted in (port.port, port.name, str(port.port)) for port in service.ports)


def _elsewhere(ground: Ground, name: str) -> str:
    other = next((s for s in ground.services if s.name == name), None)
    return f"; it is in namespace {other.namespace}" if other else ""


RULE = CheckRule(
    id=ID,
    summary="An Ingress leads nowhere",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
