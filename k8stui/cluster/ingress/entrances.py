"""Names by which somebody outside comes in: hosts of Ingresses and routes, load balancers' own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING
from urllib.parse import unquote

from k8stui.apiserver.fields import array, number, table, text
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.fields import addresses
from k8stui.cluster.ingress.routes import leading, routed
from k8stui.cluster.ingress.traefik import ENTRY_POINTS, IS_TLS
from k8stui.cluster.ingress.upstream_protocol import PREFIX_OF_KUBERNETES
from k8stui.cluster.mentions import INGRESS_CLASS
from k8stui.cluster.model import Entrance, EntrancePath, Pod, Service
from k8stui.cluster.programs.images import serves_ingresses
from k8stui.kernel.address import Address

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


_LITERAL = re.compile(r"[\w./~%@:+,;=&!-]*")
"""A path that is no pattern."""
_SLASHES = re.compile(r"/{2,}")
OF_GOOGLE, _GOOGLES = "gce", ("gce", "gce-internal")
NOBODY = "nobody"
"""Whose an IngressClass is that is not there, though others are."""
_PATTERN_OF_KONG = "/~"
REWRITE = f"{PREFIX_OF_KUBERNETES}rewrite-target"
_MAKES_PATTERNS = (f"{PREFIX_OF_KUBERNETES}use-regex", REWRITE)
"""By which ingress-nginx takes paths for patterns without an end (buildLocation)."""
CANARY = f"{PREFIX_OF_KUBERNETES}canary"
_WEIGHT = re.compile(r"[0-9]{1,9}")
_OF_NONE = -1
"""Of what no rule has."""
_EXTERNAL_DNS = "external-dns.alpha.kubernetes.io/hostname"
"""Names that external-dns writes into the public DNS for a load balancer, by commas."""


def entrances(
    inventory: Inventory,
    services: Mapping[str, Service],
    pods: Iterable[Pod],
    domain: str,
    refused: Iterable[Manifest] = (),
) -> Iterator[Entrance]:
    """Every host name under which an Ingress or a load balancer is reached, or was to be.

    Where its own status names no address, it is that of the one load balancer in front of ingress
    controllers, if there is one.
    """
    found = tuple(_entrances(inventory, services, domain, refused))
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
    inventory: Inventory,
    services: Mapping[str, Service],
    domain: str,
    refused: Iterable[Manifest],
) -> Iterator[Entrance]:
    classes = {
        one.name: text(one.data, "spec", "controller")
        for one in inventory.of("IngressClass").values()
    }
    for manifest in inventory.of("Ingress").values():
        named = text(manifest.data, "spec", "ingressClassName")
        whose = classes.get(named, NOBODY if named and classes else "")
        if text(manifest.data, "metadata", "annotations", INGRESS_CLASS) in _GOOGLES:
            whose = OF_GOOGLE
        yield from (replace(one, controller=whose) for one in _of_ingress(manifest))
    balanced = frozenset(
        each.ip for one in services.values() if one.selector for each in one.load_balancer_ingress
    )
    yield from routed(inventory, balanced, domain)
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
                paths=(leading(service.key, None, service.origin),),
                origin=service.origin,
            )

    for manifest in refused:
        if manifest.kind == "Ingress":
            yield from (replace(one, is_refused=True) for one in _of_ingress(manifest))


def _of_ingress(manifest: Manifest) -> Iterator[Entrance]:
    known = array(manifest.data, "status", "loadBalancer", "ingress")
    told = table(manifest.data, "metadata", "annotations")
    rules = array(manifest.data, "spec", "rules")
    # What no path of a host takes goes to the Ingress' own backend; without rules everything.
    default = tuple(_paths(manifest, "spec", "defaultBackend"))
    for index, rule in enumerate(rules or ({},)):
        paths = (*_paths(manifest, "spec", "rules", index, "http", "paths"), *default)
        place = ("spec", "rules", index, *(("host",) if text(rule, "host") else ()))
        if text(rule, "host") or paths:
            yield Entrance(
                host=text(rule, "host") or "*",
                owner=f"Ingress {namespace_of(manifest)}/{manifest.name}",
                addresses=addresses(tuple(text(each, "ip") for each in known)),
                paths=paths,
                entry_points=tuple(
                    filter(None, map(str.strip, text(told, ENTRY_POINTS).split(",")))
                ),
                is_tls=text(told, IS_TLS) == "true",
                rewrite=text(told, REWRITE),
                patterns=any(key in told for key in _MAKES_PATTERNS),
                canary=_canary(told),
                origin=manifest.origin(*(place if rules else ("spec",))),
            )


def _canary(told: Mapping[str, object]) -> Fraction | None:
    """The part of requests without a header or cookie of its own that a canary gets."""
    if text(told, CANARY) != "true":
        return None
    weights = [text(told, f"{CANARY}-weight{end}") for end in ("", "-total")]
    part, whole = (int(one) if _WEIGHT.fullmatch(one) else None for one in weights)
    return min(Fraction(1), Fraction(part or 0, whole or 100))


def _paths(manifest: Manifest, *place: str | int) -> Iterator[EntrancePath]:
    """Those of a list of paths; of one backend alone that which stands for all."""
    listed = array(manifest.data, *place)
    each = enumerate(listed) if listed else [(None, {"backend": table(manifest.data, *place)})]
    for index, one in each:
        behind = table(one, "backend", "service")
        name = text(behind, "name")
        if name or listed:
            at = (*place, *(() if index is None else (index, "backend")), "service")
            yield EntrancePath(
                path=text(one, "path") or "/",
                is_exact=text(one, "pathType") == "Exact",
                by_letters=text(one, "pathType") != "Prefix",
                is_pattern=text(one, "path").startswith(_PATTERN_OF_KONG),
                rule=_OF_NONE if index is None else index,
                service=f"{namespace_of(manifest)}/{name}" if name else "",
                port=number(behind, "port", "number") or text(behind, "port", "name") or None,
                origin=manifest.origin(*at, "name"),
                port_origin=manifest.origin(*at, "port"),
            )


def entrance_of(found: tuple[Entrance, ...], name: str) -> Entrance | None:
    """The entrance that a name leads to; a wildcard stands for one label."""
    return next(entrances_of(found, name), None)


def entrances_of(found: tuple[Entrance, ...], name: str) -> Iterator[Entrance]:
    """All of a host: several Ingresses may share one, each with paths of its own."""
    name = name.rstrip(".").lower()
    wild = f"*.{name.partition('.')[2]}"
    return (each for each in found if each.host.lower() in (name, wild))


def serving(found: Iterable[Entrance], name: str) -> Sequence[Sequence[Entrance]]:
    """Those that take a host: its own, of wildcards the narrowest, then those of any host.

    Of an Ingress a wildcard stands for one label, of a route for one or more (networking/v1
    IngressRule.host; gateway-api apis/v1 Hostname; networking.istio.io Server.hosts).
    """
    name = name.rstrip(".").lower()
    own: list[Entrance] = []
    wild: list[Entrance] = []
    any_: list[Entrance] = []
    for one in found:
        host = one.host.lower()
        if host == name:
            own.append(one)
        elif host == "*":
            any_.append(one)
        elif host.startswith("*.") and name.endswith(host[1:]):
            label = name.removesuffix(host[1:])
            if "." not in label or not one.owner.startswith("Ingress "):
                wild.append(one)
    longest = max((len(one.host) for one in wild), default=0)
    return own, [one for one in wild if len(one.host) == longest], any_


def path_of(
    paths: Iterable[EntrancePath],
    asked: str,
    *,
    by_letters: bool = False,
    in_order: bool = False,
) -> EntrancePath | None:
    """The path that takes what is asked: the one that is it exactly, else the longest prefix.

    Of elements; of letters where `by_letters`, or the path, says so; `in_order`: the first that
    does; of IngressRoutes alone that of the highest priority. What asks for more than a path comes
    last, for nobody knows whether it takes this.
    Source: Kubernetes' documentation, Ingress, "Multiple matches"; nginx'
    ngx_http_parse_complex_uri (merge_slashes).
    """
    asked = _SLASHES.sub("/", unquote(asked.partition("?")[0]))
    fits = [
        one
        for one in paths
        if (
            one.path == asked
            if one.is_exact
            else _begins(asked, one, by_letters=by_letters or one.by_letters)
        )
    ]
    fits = [one for one in fits if not one.is_conditional] or fits
    if in_order:
        return next(iter(fits), None)
    ranked = all(one.priority for one in fits)
    return max(
        fits,
        key=lambda one: (one.priority if ranked else 0, one.is_exact, len(one.path)),
        default=None,
    )


def _begins(asked: str, one: EntrancePath, *, by_letters: bool) -> bool:
    """A pattern (an annotation of ingress-nginx has paths be some) may stand for anything."""
    path = one.path
    if one.is_pattern and not _LITERAL.fullmatch(path):
        return True
    return asked.startswith(path) if by_letters else f"{asked}/".startswith(f"{path.rstrip('/')}/")


def beside_wildcard(found: tuple[Entrance, ...], name: str) -> Entrance | None:
    """The entrance whose wildcard ends as `name` does, and stands for more labels there, or none.

    Source: networking/v1 IngressRule.host: a wildcard is the first label, and one alone.
    """
    name = name.rstrip(".").lower()
    wild = (one for one in found if one.host.startswith("*."))
    return next((one for one in wild if f".{name}".endswith(one.host[1:].lower())), None)
