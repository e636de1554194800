"""Names by which somebody outside comes in: hosts of Ingresses and routes, load balancers' own."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from k8stui.apiserver.fields import array, number, table, text, texts
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.fields import addresses
from k8stui.cluster.ingress.traefik import ENTRY_POINTS
from k8stui.cluster.model import Entrance, EntrancePath, Pod, Service
from k8stui.cluster.programs.images import serves_ingresses
from k8stui.kernel.address import Address
from k8stui.origin import Origin

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


_HOST = re.compile(r"\bHost\(([^()]*)\)")
_LITERAL = re.compile(r"[\w./~%@:+,;=&!-]*")
"""A path that is no pattern."""
_SLASHES = re.compile(r"/{2,}")
_MAKES_PATTERNS = (
    "nginx.ingress.kubernetes.io/use-regex",
    "nginx.ingress.kubernetes.io/rewrite-target",
)
"""By which ingress-nginx takes paths for patterns without an end (buildLocation)."""
_QUOTED = re.compile(r"[`\"']([^`\"']+)[`\"']")
_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute")
"""Those of the Gateway API that have hostnames."""
_EXTERNAL_DNS = "external-dns.alpha.kubernetes.io/hostname"
"""Names that external-dns writes into the public DNS for a load balancer, by commas."""


def entrances(
    inventory: Inventory,
    services: Mapping[str, Service],
    pods: Iterable[Pod],
    refused: Iterable[Manifest] = (),
) -> Iterator[Entrance]:
    """Every host name under which an Ingress or a load balancer is reached, or was to be.

    Where its own status names no address, it is that of the one load balancer in front of ingress
    controllers, if there is one.
    """
    found = tuple(_entrances(inventory, services, refused))
    in_front = _in_front(services.values(), pods) if any(map(_is_bare, found)) else ()
    for one in found:
        yield replace(one, addresses=in_front) if in_front and _is_bare(one) else one


def _is_bare(one: Entrance) -> bool:
    """Whether a controller is to serve it, and its status does not say at which address."""
    return not (one.addresses or one.is_refused or one.owner.startswith("Service"))


def _in_front(services: Iterable[Service], pods: Iterable[Pod]) -> tuple[Address, ...]:
    """The addresses of the load balancer that leads to ingress controllers or gateways."""
    balanced = [one for one in services if one.load_balancer_ingress and one.selector]
    if not balanced:
        return ()
    controllers = {
        (pod.namespace, frozenset(pod.labels.items()))
        for pod in pods
        if any(map(serves_ingresses, pod.containers))
    }
    chosen = [
        one
        for one in balanced
        if any(
            one.namespace == space and (one.selector or {}).items() <= labels
            for space, labels in controllers
        )
    ]
    held = chosen[0].load_balancer_ingress if len(chosen) == 1 else ()
    return tuple(each.ip for each in held if each.ip is not None)


def _entrances(
    inventory: Inventory, services: Mapping[str, Service], refused: Iterable[Manifest]
) -> Iterator[Entrance]:
    for manifest in inventory.of("Ingress").values():
        yield from _of_ingress(manifest)
    balanced = frozenset(
        each.ip for one in services.values() if one.selector for each in one.load_balancer_ingress
    )
    for kind in _ROUTES:
        for manifest in inventory.of(kind).values():
            yield from _of_route(manifest, _of_gateways(manifest, inventory, balanced))
    for manifest in inventory.of("VirtualService").values():
        yield from _of_virtual_service(manifest)
    for manifest in inventory.of("IngressRoute").values():
        yield from _of_ingress_route(manifest)
    for service in services.values():
        held = service.load_balancer_ingress
        own: dict[str, tuple[Address, ...]] = {
            each.hostname: (each.ip,) if each.ip else () for each in held if each.hostname
        }
        given = tuple(each.ip for each in held if each.ip is not None)
        told = service.annotations.get(_EXTERNAL_DNS, "") if held else ""
        own |= {name: given for one in told.split(",") if (name := one.strip())}
        for host, known in own.items():
            yield Entrance(
                host=host,
                owner=f"Service {service.key}",
                addresses=known,
                paths=(_leading(service.key, None, service.origin),),
                origin=service.origin,
            )

    for manifest in refused:
        if manifest.kind == "Ingress":
            yield from (replace(one, is_refused=True) for one in _of_ingress(manifest))


def _of_ingress(manifest: Manifest) -> Iterator[Entrance]:
    space = namespace_of(manifest)
    known = array(manifest.data, "status", "loadBalancer", "ingress")
    held = addresses(tuple(text(each, "ip") for each in known))
    at_points = text(manifest.data, "metadata", "annotations", ENTRY_POINTS)
    # What no path of a host takes goes to the Ingress' own backend.
    default = tuple(_paths(manifest, "spec", "defaultBackend"))
    for index, rule in enumerate(array(manifest.data, "spec", "rules")):
        host = text(rule, "host")
        if host:
            yield Entrance(
                host=host,
                owner=f"Ingress {space}/{manifest.name}",
                addresses=held,
                paths=(*_paths(manifest, "spec", "rules", index, "http", "paths"), *default),
                entry_points=tuple(filter(None, map(str.strip, at_points.split(",")))),
                origin=manifest.origin("spec", "rules", index, "host"),
            )


def _of_gateways(
    route: Manifest, inventory: Inventory, balanced: Container[Address | None]
) -> tuple[Address, ...]:
    """The addresses of a route's Gateways (GatewayStatus), of those that a Service serves."""
    found: list[str] = []
    for one in array(route.data, "spec", "parentRefs"):
        key = f"{text(one, 'namespace') or namespace_of(route)}/{text(one, 'name')}"
        gateway = inventory.of("Gateway").get(key)
        if gateway is not None:
            found += (text(each, "value") for each in array(gateway.data, "status", "addresses"))
    return tuple(one for one in addresses(tuple(found)) if one in balanced)


def _paths(manifest: Manifest, *place: str | int) -> Iterator[EntrancePath]:
    """Those of a list of paths; of one backend alone that which stands for all."""
    listed = array(manifest.data, *place)
    told = table(manifest.data, "metadata", "annotations")
    is_pattern = any(key in told for key in _MAKES_PATTERNS)
    each = enumerate(listed) if listed else [(None, {"backend": table(manifest.data, *place)})]
    for index, one in each:
        behind = table(one, "backend", "service")
        if name := text(behind, "name"):
            at = (*place, *(() if index is None else (index, "backend")), "service")
            yield EntrancePath(
                path=text(one, "path") or "/",
                is_exact=text(one, "pathType") == "Exact" and not is_pattern,
                by_letters=text(one, "pathType") != "Prefix" or is_pattern,
                service=f"{namespace_of(manifest)}/{name}",
                port=number(behind, "port", "number") or text(behind, "port", "name") or None,
                origin=manifest.origin(*at, "name"),
                port_origin=manifest.origin(*at, "port"),
            )


def _routed(
    manifest: Manifest, behind: Iterable[tuple[str, int | None]]
) -> tuple[EntrancePath, ...]:
    """Those of routes whose conditions are not read."""
    origin = manifest.origin("spec")
    return tuple(_leading(key, port, origin) for key, port in dict.fromkeys(behind))


def _leading(key: str, port: int | None, origin: Origin) -> EntrancePath:
    return EntrancePath(service=key, port=port, origin=origin, port_origin=origin)


def _of_route(manifest: Manifest, known: tuple[Address, ...]) -> Iterator[Entrance]:
    """Gateway API, HTTPRouteSpec: hostnames, and rules' backendRefs."""
    space = namespace_of(manifest)
    behind = _routed(
        manifest,
        (
            (f"{text(one, 'namespace') or space}/{text(one, 'name')}", number(one, "port"))
            for rule in array(manifest.data, "spec", "rules")
            for one in array(rule, "backendRefs")
            if text(one, "kind") in ("", "Service") and text(one, "name")
        ),
    )
    for index, host in enumerate(texts(manifest.data, "spec", "hostnames")):
        yield Entrance(
            host=host,
            owner=f"{manifest.kind} {space}/{manifest.name}",
            addresses=known,
            paths=behind,
            origin=manifest.origin("spec", "hostnames", index),
        )


def _of_virtual_service(manifest: Manifest) -> Iterator[Entrance]:
    """Istio's, for those that come by a Gateway alone: hosts of the public DNS, and destinations.

    One that is for the mesh too speaks of a host that pods ask, and that may be anywhere.
    """
    gateways = texts(manifest.data, "spec", "gateways")
    if not gateways or "mesh" in gateways:
        return
    space = namespace_of(manifest)
    behind = _routed(
        manifest,
        (
            (key, number(to, "port", "number"))
            for rule in array(manifest.data, "spec", "http")
            for one in array(rule, "route")
            if (to := table(one, "destination")) and (key := _destination(text(to, "host"), space))
        ),
    )
    for index, host in enumerate(texts(manifest.data, "spec", "hosts")):
        if "." in host and not host.endswith((".local", ".svc")):
            yield Entrance(
                host=host,
                owner=f"VirtualService {space}/{manifest.name}",
                paths=behind,
                origin=manifest.origin("spec", "hosts", index),
            )


def _of_ingress_route(manifest: Manifest) -> Iterator[Entrance]:
    """Traefik's: ``Host(`a`, `b`)`` of its rules (traefik.io, IngressRoute.routes.match)."""
    space = namespace_of(manifest)
    for index, route in enumerate(array(manifest.data, "spec", "routes")):
        behind = _routed(
            manifest,
            (
                (f"{text(one, 'namespace') or space}/{text(one, 'name')}", number(one, "port"))
                for one in array(route, "services")
                if text(one, "kind") in ("", "Service") and "@" not in text(one, "name")
            ),
        )
        for said in _HOST.findall(text(route, "match")):
            for host in _QUOTED.findall(said):
                yield Entrance(
                    host=host,
                    owner=f"IngressRoute {space}/{manifest.name}",
                    paths=behind,
                    entry_points=texts(manifest.data, "spec", "entryPoints"),
                    origin=manifest.origin("spec", "routes", index, "match"),
                )


def _destination(host: str, space: str) -> str:
    """The Service that a destination means; empty: a host that may be outside."""
    name, _, rest = host.partition(".")
    namespace, _, kind = rest.partition(".")
    if not name or "/" in name or (rest and not kind.startswith("svc")):
        return ""
    return f"{namespace or space}/{name}"


def entrance_of(found: tuple[Entrance, ...], name: str) -> Entrance | None:
    """The entrance that a name leads to; a wildcard stands for one label."""
    return next(entrances_of(found, name), None)


def entrances_of(found: tuple[Entrance, ...], name: str) -> Iterator[Entrance]:
    """All of a host: several Ingresses may share one, each with paths of its own."""
    name = name.rstrip(".").lower()
    wild = f"*.{name.partition('.')[2]}"
    return (each for each in found if each.host.lower() in (name, wild))


def path_of(
    paths: Iterable[EntrancePath], asked: str, *, by_letters: bool = False
) -> EntrancePath | None:
    """The path that takes what is asked: the one that is it exactly, else the longest prefix.

    Of elements; of letters where `by_letters`, or the path, says so. Source: Kubernetes'
    documentation, Ingress, "Multiple matches"; nginx' ngx_http_parse_complex_uri (merge_slashes).
    """
    asked = _SLASHES.sub("/", unquote(asked.partition("?")[0]))
    fits = [
        one
        for one in paths
        if (
            one.path == asked
            if one.is_exact
            else _begins(asked, one.path, by_letters=by_letters or one.by_letters)
        )
    ]
    return max(fits, key=lambda one: (one.is_exact, len(one.path)), default=None)


def _begins(asked: str, path: str, *, by_letters: bool) -> bool:
    """A pattern (an annotation of ingress-nginx has paths be some) may stand for anything."""
    if not _LITERAL.fullmatch(path):
        return True
    return asked.startswith(path) if by_letters else f"{asked}/".startswith(f"{path.rstrip('/')}/")


def beside_wildcard(found: tuple[Entrance, ...], name: str) -> Entrance | None:
    """The entrance whose wildcard ends as `name` does, and stands for more labels there, or none.

    Source: networking/v1 IngressRule.host: a wildcard is the first label, and one alone.
    """
    name = name.rstrip(".").lower()
    wild = (one for one in found if one.host.startswith("*."))
    return next((one for one in wild if f".{name}".endswith(one.host[1:].lower())), None)
