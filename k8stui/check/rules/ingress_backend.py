"""An Ingress or a route of a gateway leads to a Service, or to a port of one, that is not there.

The Ingress controller answers 503 (or 404) for such a path: no packet ever goes to a pod. A
backend's Service must be in the Ingress's own namespace, its port one of the Service's ports, not
a targetPort.

A route of the Gateway API leads into another namespace only where a ReferenceGrant there lets it;
Istio's VirtualService names a host: a Service of its own namespace, or one in full.

An error where the name is a typing error of a Service's; else only a warning: a Service of that
name may be elsewhere, or an operator makes it.
Does not apply to backends that an annotation describes (AWS Load Balancer Controller:
``use-annotation``, also under the name of a Service), to ``resource`` backends, nor to ports of
ExternalName Services.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.apiserver.fields import Object, array, at, labels, table, text, texts
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.hosts import service_named
from k8stui.cluster.mentions import ingress_backends
from k8stui.cluster.model import Service, ServicePort, ServiceType
from k8stui.manifests import Manifest
from k8stui.manifests.schema.networking import OF_TRAEFIK, ROUTES
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
    for kind in ROUTES:
        for manifest in ground.of_kind(kind).values():
            yield from _route(ground, manifest)
    for manifest in ground.of_kind("VirtualService").values():
        yield from _virtual(ground, manifest)
        yield from _gateways(ground, manifest)
    for kind in OF_TRAEFIK:
        for manifest in ground.of_kind(kind).values():
            for rule, entry in enumerate(array(manifest.data, "spec", "routes")):
                yield from _backends(
                    ground, manifest, array(entry, "services"), ("spec", "routes", rule, "services")
                )
    for manifest in ground.of_kind("Gateway").values():
        yield from _nobody_serves(ground, manifest)


def _route(ground: Ground, manifest: Manifest) -> Iterator[Finding]:
    """A route's backendRefs (Gateway API, BackendObjectReference): a Service and its port."""
    for rule, entry in enumerate(array(manifest.data, "spec", "rules")):
        path = ("spec", "rules", rule, "backendRefs")
        yield from _backends(ground, manifest, array(entry, "backendRefs"), path)


def _backends(
    ground: Ground, manifest: Manifest, those: Sequence[object], at_: _Path
) -> Iterator[Finding]:
    """Services and their ports, as routes of the Gateway API and of Traefik name them."""
    own = manifest.namespace or "default"
    for index, one in enumerate(those):
        path: _Path = (*at_, index)
        if not isinstance(one, dict) or text(one, "kind") not in ("", "Service"):
            continue
        namespace, name = text(one, "namespace") or own, text(one, "name")
        service = ground.cluster.services.get(f"{namespace}/{name}")
        if service is None:
            near = ground.meant_service(namespace, name)
            why = f"there is no Service {namespace}/{name}" + _elsewhere(ground, name)
            found = ((*path, "name"), why, f"write {near}" if near else "")
            known = near is not None or any(s.name == name for s in ground.services)
        elif (wanted := one.get("port")) is not None and not _has(service, wanted):
            found = ((*path, "port"), _lacks(service, wanted), _instead(service, wanted))
            known = service.type is not ServiceType.EXTERNAL_NAME
        elif manifest.kind in ROUTES and "port" not in one and service.ports:
            why = f"it names no port of Service {service.key}, and has to: the gateway answers 500"
            found = (path, why, f"write port: {service.ports[0].port}")
            known = True
        elif (
            namespace != own and manifest.kind in ROUTES and not _granted(ground, manifest, service)
        ):
            yield _without_grant(manifest, service, (*path, "namespace"))
            continue
        else:
            continue
        if known:
            yield Finding(
                rule=ID,
                severity=Severity.ERROR
                if service is not None and "port" in one
                else Severity.WARNING,
                subject=f"{manifest.kind} {own}/{manifest.name}",
                place=manifest.place(*found[0]),
                why=found[1],
                fix=found[2],
            )


def _gateways(ground: Ground, manifest: Manifest) -> Iterator[Finding]:
    """The Gateways of a VirtualService: ``NAMESPACE/NAME``, or a name of its own namespace."""
    own = manifest.namespace or "default"
    for index, said in enumerate(texts(manifest.data, "spec", "gateways")):
        namespace, slash, name = said.partition("/")
        if not slash:
            namespace, name = own, said
        if said == "mesh" or f"{namespace}/{name}" in ground.of_kind("Gateway"):
            continue
        near = ground.names_of("Gateway", namespace).typo(name)
        away = next(iter(ground.namespaces_with("Gateway", name)), None)
        meant = (f"{namespace}/{near}" if slash else near) if near else away and f"{away}/{name}"
        if meant:
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"VirtualService {own}/{manifest.name}",
                place=manifest.place("spec", "gateways", index),
                why=f"there is no Gateway {namespace}/{name}"
                + ("" if near else f"; it is in namespace {away}")
                + ": who comes by that Gateway never meets these routes",
                fix=f"write {meant}",
            )


def _nobody_serves(ground: Ground, manifest: Manifest) -> Iterator[Finding]:
    """An Istio Gateway whose selector no pod has, but for a letter, or for the value's end."""
    wanted = labels(manifest.data, "spec", "selector")
    if manifest.group != "networking.istio.io" or not wanted:
        return
    carried = ground.labels_in(None)
    if any(wanted.items() <= each.items() for each in carried):
        return
    for key, value in wanted.items():
        has = sorted({each[key] for each in carried if key in each})
        near = next((v for v in has if is_typo(value, v) or v.startswith(value)), None)
        if near is not None:
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Gateway {manifest.namespace or 'default'}/{manifest.name}",
                place=manifest.place("spec", "selector"),
                why=f"no pod has {key}={value}, so no gateway opens its ports; there is "
                f"{key}={', '.join(has)}",
                fix=f"write {key}: {near} in the selector",
            )
            return


def _granted(ground: Ground, route: Manifest, service: Service) -> bool:
    """Whether a ReferenceGrant of the Service's namespace lets the route in."""
    own = route.namespace or "default"
    for grant in ground.of_kind("ReferenceGrant").values():
        if (grant.namespace or "default") != service.namespace:
            continue
        lets_in = any(
            (text(one, "kind"), text(one, "namespace")) == (route.kind, own)
            for one in array(grant.data, "spec", "from")
        )
        leads = any(
            text(one, "kind") == "Service" and text(one, "name") in ("", service.name)
            for one in array(grant.data, "spec", "to")
        )
        if lets_in and leads:
            return True
    return False


def _without_grant(route: Manifest, service: Service, path: _Path) -> Finding:
    own = route.namespace or "default"
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"{route.kind} {own}/{route.name}",
        place=route.place(*path),
        why=f"Service {service.key} is in another namespace, and no ReferenceGrant there lets a "
        f"{route.kind} of namespace {own} lead to it: the gateway answers 500",
        fix=f"write a ReferenceGrant into namespace {service.namespace} (from: {route.kind} in "
        f"{own}, to: Service {service.name})",
    )


def _virtual(ground: Ground, manifest: Manifest) -> Iterator[Finding]:
    """The destinations of a VirtualService (networking.istio.io, Destination)."""
    own = manifest.namespace or "default"
    domain = ground.cluster.cluster_domain
    for part in ("http", "tcp", "tls"):
        for rule, entry in enumerate(array(manifest.data, "spec", part)):
            for index, one in enumerate(array(entry, "route")):
                base: _Path = ("spec", part, rule, "route", index, "destination")
                host, wanted = text(one, "destination", "host"), at(one, "destination", "port")
                name, namespace = service_named(host, own, domain)
                service = ground.cluster.services.get(f"{namespace}/{name}")
                if service is not None:
                    yield from _subset(ground, manifest, service, one, base)
                asked = wanted.get("number") if isinstance(wanted, dict) else None
                found: tuple[tuple[str, ...], str, str]
                if service is not None and isinstance(asked, int) and not _has(service, asked):
                    found = ("port", "number"), _lacks(service, asked), _instead(service, asked)
                elif service is None and "." not in host and (away := _elsewhere(ground, name)):
                    there = next(s.namespace for s in ground.services if s.name == name)
                    said = f"there is no Service {namespace}/{name}{away}"
                    found = ("host",), said, f"write {name}.{there}.svc.{domain}"
                elif service is None and (near := ground.meant_service(namespace, name)):
                    said = f"there is no Service {namespace}/{name}"
                    found = ("host",), said, f"write {host.replace(name, near, 1)}"
                else:
                    continue
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=f"VirtualService {own}/{manifest.name}",
                    place=manifest.place(*base, *found[0]),
                    why=found[1],
                    fix=found[2],
                )


def _subset(
    ground: Ground, manifest: Manifest, service: Service, one: object, path: _Path
) -> Iterator[Finding]:
    """A destination's subset: a DestinationRule of that host names it, and some pod is in it."""
    subset = text(one, "destination", "subset")
    if not subset:
        return
    subject = f"VirtualService {manifest.namespace or 'default'}/{manifest.name}"
    known: dict[str, tuple[Manifest, int, dict[str, str]]] = {}
    for rule in ground.of_kind("DestinationRule").values():
        name, namespace = service_named(
            text(rule.data, "spec", "host"),
            rule.namespace or "default",
            ground.cluster.cluster_domain,
        )
        if f"{namespace}/{name}" != service.key:
            continue
        for index, entry in enumerate(array(rule.data, "spec", "subsets")):
            known[text(entry, "name")] = (rule, index, labels(entry, "labels"))
    if subset not in known:
        near = nearest(subset, known) or ", ".join(known)
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=subject,
            place=manifest.place(*path, "subset"),
            why=f"no DestinationRule for {service.name} has a subset {subset}"
            + (f"; there is {', '.join(known)}" if known else "")
            + ": its requests are answered 503",
            fix=f"write {near}" if near else f"write a DestinationRule with subset {subset}",
        )
        return
    rule, index, wanted = known[subset]
    pods = ground.selected(service)
    if not pods or any(wanted.items() <= pod.labels.items() for pod in pods):
        return
    said = ", ".join(f"{key}={value}" for key, value in wanted.items())
    key = next((k for k, v in wanted.items() if all(p.labels.get(k) != v for p in pods)), "")
    has = sorted({pod.labels[key] for pod in pods if key in pod.labels})
    yield Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"DestinationRule {rule.namespace or 'default'}/{rule.name}",
        place=rule.place("spec", "subsets", index, "labels"),
        why=f"subset {subset}, to which {subject} leads, has no pod: none of Service "
        f"{service.key}'s has {said}"
        + (f" ({key} is {', '.join(has)})" if has else f" (they have no label {key})")
        + "; its requests are answered 503",
        fix=f"write {key}: {has[0]} into the subset, or label pods {said}"
        if has
        else f"label the pods {said} (spec.template.metadata.labels)",
    )


def _judge(
    ground: Ground, manifest: Manifest, backend: Object, path: _Path, name_path: tuple[str, ...]
) -> Iterator[Finding]:
    namespace, name = manifest.namespace or "default", text(backend, *name_path)
    subject = f"Ingress {namespace}/{manifest.name}"
    if _ACTION in (at(backend, *name_path[:-1], "port", "name"), backend.get("servicePort")):
        return
    service = ground.cluster.services.get(f"{namespace}/{name}")
    if service is None:
        here = [s.name for s in ground.services if s.namespace == namespace]
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
    yield Finding(
        rule=ID,
        severity=Severity.ERROR,
        subject=subject,
        place=manifest.place(*path, *port_path, *_field(backend, port_path)),
        why=_lacks(service, wanted),
        fix=_instead(service, wanted),
    )


def _behind(service: Service, wanted: object) -> ServicePort | None:
    return next((port for port in service.ports if port.target_port == wanted), None)


def _lacks(service: Service, wanted: object) -> str:
    has = ", ".join(f"{p.port} ({p.name})" if p.name else str(p.port) for p in service.ports)
    behind = _behind(service, wanted)
    said = f"Service {service.key} has no port {wanted}; it has {has or 'none'}"
    return said + (f", and {wanted} is the targetPort behind {behind.port}" if behind else "")


def _instead(service: Service, wanted: object) -> str:
    port = _behind(service, wanted) or next(iter(service.ports), None)
    return f"write port {port.port}" if port is not None else ""


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


def _has(service: Service, wanted: object) -> bool:
    return any(wanted in (port.port, port.name, str(port.port)) for port in service.ports)


def _elsewhere(ground: Ground, name: str) -> str:
    other = next((s for s in ground.services if s.name == name), None)
    return f"; it is in namespace {other.namespace}" if other else ""


RULE = CheckRule(
    id=ID,
    summary="An Ingress or a route leads nowhere",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
