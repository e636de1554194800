"""An Ingress or a route of a gateway leads to a Service, or to a port of one, that is not there.

The Ingress controller answers 503 (or 404) for such a path: no packet ever goes to a pod. A
backend's Service must be in the Ingress's own namespace, its port one of the Service's ports, not
a targetPort.

A route of the Gateway API leads into another namespace only where a ReferenceGrant there lets it;
Istio's VirtualService names a host: a Service of its own namespace, or one in full.

Nor does an Ingress lead anywhere that its own controller leaves alone, where that shows: its class
is another controller's or none, another namespace is watched, the load balancer asks for node ports
that the Service has not (AWS).

An error where the name is a typing error of a Service's; else only a warning: a Service of that
name may be elsewhere, or an operator makes it.
Does not apply to backends that an annotation describes (AWS Load Balancer Controller:
``use-annotation``, also under the name of a Service), to ``resource`` backends, nor to ports of
ExternalName Services (Traefik's routes: but for one by name).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

from k8stui.apiserver.fields import Object, array, at, labels, table, text, texts
from k8stui.check.asked.hosts import service_named
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.ingress.entrances import REWRITE
from k8stui.cluster.ingress.listeners import Grants, without_grant
from k8stui.cluster.ingress.upstream_protocol import plain_to_tls
from k8stui.cluster.ingress.virtual_services import Gateways
from k8stui.cluster.labelled import Labelled
from k8stui.cluster.load_balancers.google import asked_at_root
from k8stui.cluster.meant import meant_by_port
from k8stui.cluster.mentions import ingress_backends
from k8stui.cluster.model import Lack, Pod, Service, ServiceType
from k8stui.cluster.programs.gateways import lost
from k8stui.cluster.programs.listening import declared
from k8stui.cluster.programs.streams import streamed
from k8stui.kernel.packet import Protocol
from k8stui.manifests import Manifest
from k8stui.manifests.schema.networking import OF_TRAEFIK, ROUTES
from k8stui.order import listed
from k8stui.suggest import Wordbook, is_typo

ID = "ingress-backend"
_ACTION = "use-annotation"
"""The port of a backend that an annotation describes (AWS Load Balancer Controller, actions)."""
_GROUP = re.compile(r"\$([1-9])")
_Path = tuple[str | int, ...]


def look(ground: Ground) -> Iterator[Finding]:
    for manifest in ground.of_kind("Ingress").values():
        yield from _rewritten(manifest)
        for path, name_path in ingress_backends(manifest):
            backend = table(manifest.data, *path)
            yield from _judge(ground, manifest, backend, path, name_path)
    for owner, lack in ground.cluster.unserved.items():
        if owner.partition(" ")[0] not in (*ROUTES, "VirtualService"):
            yield Finding.of_lack(ID, owner, lack)
    grants = Grants(ground.inventory)
    for kind in ROUTES:
        for manifest in ground.of_kind(kind).values():
            yield from _route(ground, manifest, grants)
    subsets, gateways = _Subsets(ground), Gateways(ground.inventory, ground.cluster.pods.values())
    for key, manifest in ground.of_kind("VirtualService").items():
        yield from _virtual(ground, manifest, subsets)
        yield from _beside_uri(manifest)
        for index in range(len(texts(manifest.data, "spec", "gateways"))):
            if (found := gateways.lack(manifest, index)) is not None:
                yield Finding.of_lack(ID, f"VirtualService {key}", found)
    for kind in OF_TRAEFIK:
        for manifest in ground.of_kind(kind).values():
            for rule, entry in enumerate(array(manifest.data, "spec", "routes")):
                path = ("spec", "routes", rule, "services")
                yield from _backends(ground, manifest, array(entry, "services"), path, grants)
    yield from _streams(ground)
    asked = ((one.owner, asked_at_root(ground.cluster, one)) for one in ground.cluster.entrances)
    for owner, asks in {owner: lack for owner, lack in asked if lack is not None}.items():
        # What / is answered, only the program knows.
        yield replace(Finding.of_lack(ID, owner, asks), severity=Severity.INFO)
    yield from _read_in_plain(ground)
    yield from _lost(ground)
    for manifest in ground.of_kind("Gateway").values():
        yield from _nobody_serves(ground, manifest)
        yield from _certificates(manifest, grants)


def _read_in_plain(ground: Ground) -> Iterator[Finding]:
    """Services of TLS to which a gateway of Istio's speaks none, each once a route."""
    behind = {
        (one.owner, path.service, path.port): (one, path)
        for one in ground.cluster.entrances
        for path in one.paths
        if path.service
    }
    for entrance, path in behind.values():
        lack = plain_to_tls(ground.cluster, entrance, path)
        if lack is not None:
            yield Finding.of_lack(ID, entrance.owner, lack)


def _lost(ground: Ground) -> Iterator[Finding]:
    """Gateways of Istio's by which nobody gets to a gateway."""
    if not any(one.who.startswith("Gateway ") for one in ground.cluster.port_users):
        return
    led = (s for s in ground.services if s.selector)
    pods = {pod.key: pod for service in led for pod in ground.selected(service)[:1]}
    for pod in pods.values():
        for who, lack in lost(ground.cluster, pod, ground.listening.selecting(pod)):
            yield Finding.of_lack(ID, who, lack)


def _streams(ground: Ground) -> Iterator[Finding]:
    """Ports that an ingress-nginx opens by a ConfigMap, and no Service in front of it has."""
    seen: set[object] = set()
    for pod in ground.cluster.pods.values() if ground.cluster.config_maps else ():
        opened = streamed(ground.cluster.config_maps, pod, Protocol.TCP)
        if pod.host_network or not opened or (pod.namespace, pod.owner) in seen:
            continue
        seen.add((pod.namespace, pod.owner))
        on_host = {port.number for port in declared(pod) if port.host_port}
        front = [
            one
            for one in ground.services
            if one.namespace == pod.namespace
            and one.selector
            and one.selector.items() <= pod.labels.items()
        ]
        led = {port.target_port for one in front for port in one.ports}
        named = {port.name: port.number for port in declared(pod)}
        led |= {named[one] for one in led if isinstance(one, str) and one in named}
        for number, name in opened.items():
            if front and number not in led | on_host:
                held = ground.cluster.config_maps[name]
                lack = Lack(
                    f"ingress-nginx opens port {number}, and no Service in front of it has that "
                    f"port ({listed([one.key for one in front])}): nobody gets there",
                    f"add port {number} (targetPort {number}) to Service {front[0].name}",
                    held.origin(str(number), 0),
                )
                yield Finding.of_lack(ID, f"ConfigMap {name}", lack)


def _route(ground: Ground, manifest: Manifest, grants: Grants) -> Iterator[Finding]:
    """A route's backendRefs (Gateway API, BackendObjectReference): a Service and its port."""
    for rule, entry in enumerate(array(manifest.data, "spec", "rules")):
        path = ("spec", "rules", rule, "backendRefs")
        yield from _backends(ground, manifest, array(entry, "backendRefs"), path, grants)


def _backends(
    ground: Ground, manifest: Manifest, those: Sequence[object], at_: _Path, grants: Grants
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
            known = near is not None or bool(ground.services_named(name))
        elif (lack := _no_port(ground, service, one.get("port"))) is not None:
            found = ((*path, "port"), *lack)
            named = isinstance(one.get("port"), str)
            known = named or service.type is not ServiceType.EXTERNAL_NAME
        elif manifest.kind in ROUTES and "port" not in one and service.ports:
            why = f"it names no port of Service {service.key}, and has to: the gateway answers 500"
            found = (path, why, f"write port: {service.ports[0].port}")
            known = True
        elif (
            namespace != own
            and manifest.kind in ROUTES
            and not grants.lets_in(manifest, "Service", namespace, name)
        ):
            refused = without_grant(manifest, service.key, (*path, "namespace"))
            yield Finding.of_lack(ID, f"{manifest.kind} {own}/{manifest.name}", refused)
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


def _nobody_serves(ground: Ground, manifest: Manifest) -> Iterator[Finding]:
    """An Istio Gateway whose selector no pod has, but for a letter, or for the value's end."""
    wanted = labels(manifest.data, "spec", "selector")
    if manifest.group != "networking.istio.io" or not wanted:
        return
    carried = ground.carried(None)
    if next(carried.carrying(wanted), None) is not None:
        return
    for key, value in wanted.items():
        has = carried.values(key)
        after = bisect_left(has, value)
        longer = [text for text in has[after : after + 1] if text.startswith(value)]
        near = min((*carried.typos(key, value), *longer), default=None)
        if near is not None:
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Gateway {manifest.namespace or 'default'}/{manifest.name}",
                place=manifest.place("spec", "selector"),
                why=f"no pod has {key}={value}, so no gateway opens its ports; there is "
                f"{key}={listed(has)}",
                fix=f"write {key}: {near} in the selector",
            )
            return


def _certificates(manifest: Manifest, grants: Grants) -> Iterator[Finding]:
    """A listener's certificate in another namespace, which no ReferenceGrant there lends it.

    Source: Gateway API, GatewayTLSConfig.certificateRefs (RefNotPermitted).
    """
    own = manifest.namespace or "default"
    for index, listener in enumerate(array(manifest.data, "spec", "listeners")):
        for place, one in enumerate(array(listener, "tls", "certificateRefs")):
            namespace, name = text(one, "namespace") or own, text(one, "name")
            if namespace == own or text(one, "kind") not in ("", "Secret"):
                continue
            if not grants.lets_in(manifest, "Secret", namespace, name):
                path = ("spec", "listeners", index, "tls", "certificateRefs", place, "namespace")
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=f"Gateway {own}/{manifest.name}",
                    place=manifest.place(*path),
                    why=f"the certificate of listener {text(listener, 'name')} is in Secret "
                    f"{namespace}/{name}, and no ReferenceGrant there lets a Gateway of namespace "
                    f"{own} use it: the listener is not opened",
                    fix=f"write a ReferenceGrant into namespace {namespace} (from: Gateway in "
                    f"{own}, to: Secret {name}), or put the Secret into {own}",
                )


def _virtual(ground: Ground, manifest: Manifest, subsets: _Subsets) -> Iterator[Finding]:
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
                    yield from subsets.look(manifest, service, one, base)
                asked = wanted.get("number") if isinstance(wanted, dict) else None
                found: tuple[tuple[str, ...], str, str]
                number = asked if isinstance(asked, int) else None
                lack = _no_port(ground, service, number) if service is not None else None
                space, slash, bare = host.partition("/")
                if slash and f"{space}/{bare}" in ground.cluster.services:
                    lack = f"{host} is no host name", f"write {bare}.{space}.svc.{domain}"
                    found = ("host",), *lack
                elif lack is not None:
                    found = ("port", "number"), *lack
                elif service is None and "." not in host and (away := _elsewhere(ground, name)):
                    there = ground.services_named(name)[0].namespace
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


def _rewritten(manifest: Manifest) -> Iterator[Finding]:
    """ingress-nginx: a rewrite, and a path without the groups that would keep what is below it.

    Source: ingress-nginx docs/examples/rewrite.
    """
    target = text(manifest.data, "metadata", "annotations", REWRITE)
    groups = max(map(int, _GROUP.findall(target)), default=0)
    for rule, entry in enumerate(array(manifest.data, "spec", "rules") if target else ()):
        for index, one in enumerate(array(entry, "http", "paths")):
            path = text(one, "path")
            lost = path.count("(") < groups if groups else target == "/" and path.strip("/")
            if lost and text(one, "pathType") != "Exact":
                rest = path.rstrip("/") + ("/(.*)" if groups == 1 else "(/|$)(.*)")
                put_in = f"puts in group {groups} of the path, and {path} has no such group"
                said = put_in if groups else f"puts nothing of {path} in"
                to = "" if groups else " and rewrite-target: /$2"
                yield Finding(
                    rule=ID,
                    # To whoever has one page alone it is right.
                    severity=Severity.WARNING if groups and path != "/" else Severity.INFO,
                    subject=f"Ingress {manifest.namespace or 'default'}/{manifest.name}",
                    place=manifest.place("spec", "rules", rule, "http", "paths", index, "path"),
                    why=f"rewrite-target {target} {said}: every request below it becomes one for "
                    f"{_GROUP.sub('', target) or '/'}",
                    fix=f"write path: {rest}{to} with pathType: ImplementationSpecific",
                )
                return


def _beside_uri(manifest: Manifest) -> Iterator[Finding]:
    """``uri:`` and ``prefix: /a`` of one indentation: then nothing is asked of the path."""
    for rule, entry in enumerate(array(manifest.data, "spec", "http")):
        for index, one in enumerate(array(entry, "match")):
            kind = next((each for each in ("prefix", "exact", "regex") if each in table(one)), "")
            if kind:
                lack = Lack(
                    f"{kind} stands beside uri, and a match has no such field: it says nothing of "
                    "the path",
                    f"indent {kind} below uri",
                    manifest.origin("spec", "http", rule, "match", index, kind),
                )
                owner = f"VirtualService {manifest.namespace or 'default'}/{manifest.name}"
                yield Finding.of_lack(ID, owner, lack)


class _Subsets:
    """The subsets that DestinationRules make of Services' pods, each named once for all routes."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._known: dict[str, dict[str, tuple[Manifest, int, dict[str, str]]]] = {}
        self._books: dict[str, Wordbook] = {}
        self._carried: dict[str, Labelled[Pod]] = {}
        domain = ground.cluster.cluster_domain
        for rule in ground.of_kind("DestinationRule").values():
            host, own = text(rule.data, "spec", "host"), rule.namespace or "default"
            name, namespace = service_named(host, own, domain)
            known = self._known.setdefault(f"{namespace}/{name}", {})
            for index, entry in enumerate(array(rule.data, "spec", "subsets")):
                known[text(entry, "name")] = (rule, index, labels(entry, "labels"))

    def look(
        self, manifest: Manifest, service: Service, one: object, path: _Path
    ) -> Iterator[Finding]:
        """A destination's subset: a DestinationRule of that host names it, a pod is in it."""
        subset = text(one, "destination", "subset")
        if not subset:
            return
        subject = f"VirtualService {manifest.namespace or 'default'}/{manifest.name}"
        known = self._known.get(service.key, {})
        if subset not in known:
            if service.key not in self._books:
                self._books[service.key] = Wordbook(known)
            near = self._books[service.key].nearest(subset) or listed(tuple(known))
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=subject,
                place=manifest.place(*path, "subset"),
                why=f"no DestinationRule for {service.name} has a subset {subset}"
                + (f"; there is {listed(tuple(known))}" if known else "")
                + ": its requests are answered 503",
                fix=f"write {near}" if near else f"write a DestinationRule with subset {subset}",
            )
            return
        rule, index, wanted = known[subset]
        if service.key not in self._carried:
            pods = self._ground.selected(service)
            self._carried[service.key] = Labelled((pod.labels, pod) for pod in pods)
        carried = self._carried[service.key]
        if not carried or next(carried.carrying(wanted), None) is not None:
            return
        said = ", ".join(f"{key}={value}" for key, value in wanted.items())
        key = next((key for key, value in wanted.items() if (key, value) not in carried), "")
        has = carried.values(key)
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"DestinationRule {rule.namespace or 'default'}/{rule.name}",
            place=rule.place("spec", "subsets", index, "labels"),
            why=f"subset {subset}, to which {subject} leads, has no pod: none of Service "
            f"{service.key}'s has {said}"
            + (f" ({key} is {listed(has)})" if has else f" (they have no label {key})")
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
        near = ground.nearest_service(namespace, name)
        if near is None or not is_typo(name, near):
            port = _port(backend, _port_path(name_path))
            near = _with_its_port(ground, namespace, name, port) or near
        yield Finding(
            rule=ID,
            severity=Severity.ERROR if near and is_typo(name, near) else Severity.WARNING,
            subject=subject,
            place=manifest.place(*path, *name_path),
            why=f"there is no Service {namespace}/{name}" + _elsewhere(ground, name),
            fix=f"write {near}" if near else _missing(ground, manifest, name),
        )
        return
    port_path = _port_path(name_path)
    lack = _no_port(ground, service, _port(backend, port_path))
    if lack is None or service.type is ServiceType.EXTERNAL_NAME:
        return
    yield Finding(
        rule=ID,
        severity=Severity.ERROR,
        subject=subject,
        place=manifest.place(*path, *port_path, *_field(backend, port_path)),
        why=lack[0],
        fix=lack[1],
    )


def _port_path(name_path: tuple[str, ...]) -> tuple[str, ...]:
    return ("service", "port") if name_path[0] == "service" else ("servicePort",)


def _with_its_port(ground: Ground, namespace: str, name: str, port: object) -> str | None:
    """``nats:8222`` for nats-monitoring, which alone has that port; named like it in a word."""
    if not isinstance(port, int) or ground.services_named(name):
        return None
    found = meant_by_port(ground.cluster, namespace, port, name)
    shared = found is not None and not set(name.split("-")).isdisjoint(found.name.split("-"))
    return found.name if found is not None and shared else None


def _no_port(ground: Ground, service: Service, wanted: object) -> tuple[str, str] | None:
    """What is wrong with a port of a Service, and what mends it; None: it has it."""
    if wanted is None or ground.has_port(service, wanted):
        return None
    has = listed(service.ports, lambda p: f"{p.port} ({p.name})" if p.name else p.port) or "none"
    why = f"Service {service.key} has no port {wanted}; it has {has}"
    behind = ground.port_behind(service, wanted)
    if behind is not None:
        return (
            f"{why}, and {wanted} is the targetPort behind {behind.port}",
            f"write port {behind.port}",
        )
    first = next(iter(service.ports), None)
    return why, f"write port {first.port}" if first else f"give Service {service.name} that port"


def _missing(ground: Ground, manifest: Manifest, name: str) -> str:
    for other in ground.services_named(name):
        return (
            f"put Ingress {manifest.name} into namespace {other.namespace}: its backends are of "
            "its own"
        )
    return f"create Service {name}" + (", unless an operator does" if ground.has_strangers else "")


def _port(backend: Object, path: tuple[str, ...]) -> int | str | None:
    found = at(backend, *path)
    if isinstance(found, dict):
        found = found.get("number") or found.get("name")
    return found if isinstance(found, int | str) and found != "" else None


def _field(backend: Object, path: tuple[str, ...]) -> tuple[str, ...]:
    """The field of a port that is written, where it is more than a number."""
    found = table(backend, *path)
    return tuple(field for field in ("number", "name") if found.get(field))[:1]


def _elsewhere(ground: Ground, name: str) -> str:
    others = ground.services_named(name)
    return f"; it is in namespace {others[0].namespace}" if others else ""


RULE = CheckRule(
    id=ID,
    summary="An Ingress or a route leads nowhere",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
