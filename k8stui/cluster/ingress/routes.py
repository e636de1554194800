"""Where routes lead to: the Gateway API's, Istio's VirtualServices, Traefik's IngressRoutes.

Of their rules the paths are read, and whether more than a path decides; what no Service answers (a
redirect, a delegate) is a path to none. Sources: gateway-api apis/v1 (HTTPRouteRule,
HTTPPathMatch); networking.istio.io (HTTPRoute, HTTPMatchRequest, Destination); Traefik's "Rules"
(routing/routers) and IngressRoute.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence

from k8stui.apiserver.fields import Object, array, labels, number, table, text, texts
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.fields import addresses
from k8stui.cluster.model import Entrance, EntrancePath, Lack, Subset
from k8stui.kernel.address import Address
from k8stui.manifests import Manifest
from k8stui.order import listed
from k8stui.origin import Origin

ROUTES_WITH_HOSTS = ("HTTPRoute", "GRPCRoute", "TLSRoute")
"""Those of the Gateway API that have hostnames."""
_MATCHER = re.compile(r"\b(Host|PathPrefix|Path)\(([^()]*)\)")
_JOINED = re.compile(r"[\s()&|]*")
_QUOTED = re.compile(r"[`\"']([^`\"']+)[`\"']")
_CONDITIONS = frozenset(
    ("headers", "withoutHeaders", "queryParams", "method", "scheme", "authority", "sourceLabels",
     "sourceNamespace")
)  # fmt: skip
"""Of a VirtualService's match."""


class _Destinations:
    """What DestinationRules say of Services, by ``namespace/name``."""

    def __init__(self, inventory: Inventory, domain: str) -> None:
        self.subsets: dict[str, dict[str, Subset]] = {}
        self.tls: set[str] = set()
        """To these TLS is spoken, to one port of theirs at least."""
        for rule in inventory.of("DestinationRule").values():
            host = text(rule.data, "spec", "host").removesuffix(f".{domain}")
            key = _destination(host, namespace_of(rule))
            policies: list[object] = [table(rule.data, "spec", "trafficPolicy")]
            for one in array(rule.data, "spec", "subsets"):
                name = text(one, "name")
                self.subsets.setdefault(key, {})[name] = Subset(name, labels(one, "labels"))
                policies.append(table(one, "trafficPolicy"))
            for policy in policies:
                if any(
                    "tls" in table(one) for one in (policy, *array(policy, "portLevelSettings"))
                ):
                    self.tls.add(key)


def routed(
    inventory: Inventory, balanced: Container[Address | None], domain: str
) -> Iterator[Entrance]:
    """The hosts of all routes. `balanced`: addresses by which a Service is reached."""
    for kind in ROUTES_WITH_HOSTS:
        for manifest in inventory.of(kind).values():
            yield from _of_route(manifest, _of_gateways(manifest, inventory, balanced))
    known = _Destinations(inventory, domain)
    for manifest in inventory.of("VirtualService").values():
        yield from _of_virtual_service(manifest, known)
    for manifest in inventory.of("IngressRoute").values():
        yield from _of_ingress_route(manifest)


def mesh_routes(inventory: Inventory, domain: str) -> dict[str, tuple[EntrancePath, ...]]:
    """Where VirtualServices have the mesh's own sidecars lead, by the Service that is asked.

    By the host itself, where it is none of a Service.
    """
    known = _Destinations(inventory, domain)
    found: dict[str, tuple[EntrancePath, ...]] = {}
    for one in inventory.of("VirtualService").values():
        gateways = texts(one.data, "spec", "gateways")
        if not gateways or "mesh" in gateways:
            for host in texts(one.data, "spec", "hosts"):
                key = _destination(host.removesuffix(f".{domain}"), namespace_of(one)) or host
                if key != "*":
                    found.setdefault(key, tuple(_rules_of_virtual_service(one, known)))
    return found


def unheeded_routes(inventory: Inventory, domain: str) -> dict[str, Lack]:
    """VirtualServices for gateways alone that name a Service's own host, by the Service."""
    found: dict[str, Lack] = {}
    for one in inventory.of("VirtualService").values():
        gateways = texts(one.data, "spec", "gateways")
        if not gateways or "mesh" in gateways:
            continue
        for host in texts(one.data, "spec", "hosts"):
            key = _destination(host.removesuffix(f".{domain}"), namespace_of(one))
            if key:
                why = (
                    f"VirtualService {namespace_of(one)}/{one.name} names that host for gateways "
                    f"alone ({listed(gateways)}): the sidecar of who asks from inside does not "
                    "heed it"
                )
                mend = "add mesh to its gateways"
                found.setdefault(key, Lack(why, mend, one.origin("spec", "gateways")))
    return found


def leading(key: str, port: int | str | None, origin: Origin) -> EntrancePath:
    """Every path, to one Service."""
    return EntrancePath(service=key, port=port, origin=origin, port_origin=origin)


def _sharing(those: Sequence[object], usual: int = 1) -> Sequence[tuple[int, object, int]]:
    """Back ends that get requests, each with its place and weight; where none does, an empty one.

    One without a weight has the `usual` one: Istio's is 0, where there are several
    (pkg/config/validation validateWeights).
    """
    told = (number(one, "weight") for one in those)
    weights = [usual if one is None else one for one in told]
    each = zip(range(len(those)), those, weights, strict=True)
    return [one for one in each if one[2] > 0] or [(0, {}, 1)]


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


def _of_route(manifest: Manifest, known: tuple[Address, ...]) -> Iterator[Entrance]:
    """Gateway API, HTTPRouteSpec. One without hostnames takes those of its listener."""
    parents = array(manifest.data, "spec", "parentRefs")
    if parents and all(text(one, "kind") == "Service" for one in parents):
        return  # for a mesh, not for who comes in
    names = texts(manifest.data, "spec", "hostnames")
    paths = tuple(_rules_of_route(manifest))
    for index, host in enumerate(names or ("*",)):
        place = ("spec", "hostnames", index) if names else ("spec",)
        yield Entrance(
            host=host,
            owner=f"{manifest.kind} {namespace_of(manifest)}/{manifest.name}",
            addresses=known,
            paths=paths,
            origin=manifest.origin(*place),
        )


def _rules_of_route(manifest: Manifest) -> Iterator[EntrancePath]:
    space = namespace_of(manifest)
    for index, rule in enumerate(array(manifest.data, "spec", "rules")):
        behind = _sharing(array(rule, "backendRefs"))
        for match in array(rule, "matches") or ({},):
            path = table(match, "path")
            kind = text(path, "type") or "PathPrefix"
            for place, one, weight in behind:
                is_service = text(one, "kind") in ("", "Service") and text(one, "name")
                yield EntrancePath(
                    path=text(path, "value") or "/",
                    is_exact=kind == "Exact",
                    is_pattern=kind == "RegularExpression",
                    is_conditional=bool(set(table(match)) - {"path"}),
                    rule=index,
                    weight=weight,
                    service=f"{text(one, 'namespace') or space}/{text(one, 'name')}"
                    if is_service
                    else "",
                    port=number(one, "port"),
                    origin=manifest.origin("spec", "rules", index, "backendRefs", place, "name"),
                    port_origin=manifest.origin(
                        "spec", "rules", index, "backendRefs", place, "port"
                    ),
                )


def _of_virtual_service(manifest: Manifest, known: _Destinations) -> Iterator[Entrance]:
    """Istio's, for those that come by a Gateway alone: hosts of the public DNS.

    One that is for the mesh too speaks of a host that pods ask, and that may be anywhere.
    """
    gateways = texts(manifest.data, "spec", "gateways")
    if not gateways or "mesh" in gateways:
        return
    paths = tuple(_rules_of_virtual_service(manifest, known))
    for index, host in enumerate(texts(manifest.data, "spec", "hosts")):
        if host == "*" or ("." in host and not host.endswith((".local", ".svc"))):
            yield Entrance(
                host=host,
                owner=f"VirtualService {namespace_of(manifest)}/{manifest.name}",
                paths=paths,
                in_order=True,
                origin=manifest.origin("spec", "hosts", index),
            )


def _rules_of_virtual_service(manifest: Manifest, known: _Destinations) -> Iterator[EntrancePath]:
    part = next((p for p in ("http", "tls", "tcp") if array(manifest.data, "spec", p)), "http")
    for index, rule in enumerate(array(manifest.data, "spec", part)):
        routes = array(rule, "route")
        behind = (
            _sharing(routes, usual=0)
            if len(routes) > 1
            else [(0, one, 1) for one in routes or [{}]]
        )
        for match in (array(rule, "match") if part == "http" else ()) or ({},):
            uri = table(match, "uri")
            kind = next(iter(uri), "prefix")
            for place, one, weight in behind:
                to, at = table(one, "destination"), ("spec", part, index, "route", place)
                key = _destination(text(to, "host"), namespace_of(manifest))
                subset = text(to, "subset")
                those = known.subsets.get(key, {})
                yield EntrancePath(
                    path=text(uri, kind) or "/",
                    is_exact=kind == "exact",
                    by_letters=True,
                    is_pattern=kind == "regex",
                    is_conditional=not _CONDITIONS.isdisjoint(table(match)),
                    rule=index,
                    weight=weight,
                    service=key,
                    outside="" if key else text(to, "host"),
                    port=number(to, "port", "number"),
                    subset=those.get(subset, Subset(subset, None)) if subset else None,
                    speaks_tls=part != "http" or key in known.tls,
                    origin=manifest.origin(*at, "destination", "host"),
                    port_origin=manifest.origin(*at, "destination", "port"),
                )


def _destination(host: str, space: str) -> str:
    """The Service that a destination means; empty: a host that may be outside."""
    name, _, rest = host.partition(".")
    namespace, _, kind = rest.partition(".")
    if not name or "/" in name or (rest and kind and not kind.startswith("svc")):
        return ""
    return f"{namespace or space}/{name}"


def _of_ingress_route(manifest: Manifest) -> Iterator[Entrance]:
    """Traefik's: ``Host(`a`, `b`) && PathPrefix(`/c`)`` of its rules."""
    for index, route in enumerate(array(manifest.data, "spec", "routes")):
        match = text(route, "match")
        hosts: list[str] = []
        taken: list[tuple[str, bool]] = []
        for kind, said in _MATCHER.findall(match):
            if kind == "Host":
                hosts += _QUOTED.findall(said)
            else:
                taken += ((path, kind == "Path") for path in _QUOTED.findall(said))
        is_conditional = not _JOINED.fullmatch(_MATCHER.sub("", match))
        paths = tuple(
            _of_traefik(manifest, index, path, is_exact=is_exact, is_conditional=is_conditional)
            for path, is_exact in taken or [("/", False)]
        )
        for host in dict.fromkeys(hosts or ["*"]):
            yield Entrance(
                host=host,
                owner=f"IngressRoute {namespace_of(manifest)}/{manifest.name}",
                paths=tuple(one for each in paths for one in each),
                entry_points=texts(manifest.data, "spec", "entryPoints"),
                is_tls="tls" in table(manifest.data, "spec"),
                origin=manifest.origin("spec", "routes", index, "match"),
            )


def _of_traefik(
    manifest: Manifest, rule: int, path: str, *, is_exact: bool, is_conditional: bool
) -> tuple[EntrancePath, ...]:
    route = table(array(manifest.data, "spec", "routes")[rule])
    at = ("spec", "routes", rule, "services")
    return tuple(
        EntrancePath(
            path=path,
            is_exact=is_exact,
            by_letters=True,
            is_conditional=is_conditional,
            rule=rule,
            # That of a rule without one is its length (Traefik's documentation, Priority).
            priority=number(route, "priority") or len(text(route, "match")),
            weight=weight,
            service=_of_services(one, namespace_of(manifest)),
            port=number(one, "port") or text(one, "port") or None,
            origin=manifest.origin(*at, index, "name"),
            port_origin=manifest.origin(*at, index, "port"),
        )
        for index, one, weight in _sharing(array(route, "services"))
    )


def _of_services(one: Object | object, space: str) -> str:
    """The Service that a route names; empty: a TraefikService, or another provider's."""
    name = text(one, "name")
    if not name or text(one, "kind") not in ("", "Service") or "@" in name:
        return ""
    return f"{text(one, 'namespace') or space}/{name}"
