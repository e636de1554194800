"""What Traefik drops: routers of a middleware or an entry point that is not there.

An Ingress names middlewares in an annotation, each ``NAMESPACE-NAME@kubernetescrd``; an
IngressRoute names them as objects, of its own namespace unless it says another. A router whose
middleware does not exist is not served (404); one of an entry point that Traefik's arguments do not
define neither. Sources: Traefik pkg/provider/kubernetes/ingress (getRouterConfig),
pkg/provider/kubernetes/crd (makeMiddlewareKeys), pkg/server/aggregator.go (entry points).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import array, number, table, text, texts
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.ingress.upstream_protocol import port_of
from k8stui.cluster.mentions import Path, class_of_ingress, ingress_backends
from k8stui.cluster.model import Entrance, Lack, Pod, Service, ServiceType
from k8stui.cluster.programs.images import image_word
from k8stui.manifests.schema.networking import OF_TRAEFIK

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

_PREFIX = "traefik.ingress.kubernetes.io/router."
_MIDDLEWARES, ENTRY_POINTS = f"{_PREFIX}middlewares", f"{_PREFIX}entrypoints"
IS_TLS = f"{_PREFIX}tls"
_PROVIDER = "@kubernetescrd"
_CROSSES = "--providers.kubernetescrd.allowCrossNamespace=true"
_AT = re.compile(
    r"--entry-?points\.(?P<name>[\w-]+)\.address=[^\s=]*?:(?P<port>\d{1,5})", re.IGNORECASE
)
_DEFINED = re.compile(r"--entry-?points\.(?P<name>[\w-]+)\.", re.IGNORECASE)


def dropped(
    inventory: Inventory, pods: Iterable[Pod], services: Mapping[str, Service]
) -> Iterator[tuple[str, Lack]]:
    """``KIND NAMESPACE/NAME`` of Ingresses and of Traefik's own routes, and why it drops them.

    Or why nobody is met by them, though it does not.
    """
    known: dict[str, list[str]] = {}
    for one in inventory.of("Middleware").values():
        known.setdefault(one.name, []).append(namespace_of(one))
    words = _words(pods)
    entry_points, keeps_apart = _entry_points(words), _keeps_apart(words)
    for kind in ("Ingress", *OF_TRAEFIK):
        for key, one in inventory.of(kind).items():
            lack = _judge(one, known, entry_points, keeps_apart=keeps_apart)
            lack = lack or (_distrusted(one, services, words) if words else None)
            if lack is not None:
                yield f"{kind} {key}", lack


def at_other_entry_point(server: Pod, port: int, scheme: str, one: Entrance) -> Lack | None:
    """Why a Traefik does not serve a route at a port of its.

    The route is for other entry points; or one of the two, the client (`scheme`, empty where it is
    not known) and the route's router, speaks TLS and the other does not (pkg/server/router: a
    router is either for TLS or for plain HTTP).
    """
    words = _words((server,))
    found = (each for word in words for each in _AT.finditer(word))
    here = next((each["name"] for each in found if int(each["port"]) == port), "")
    if not here:
        return None
    has = " and ".join(one.entry_points)
    if one.entry_points and here not in one.entry_points:
        return Lack(
            f"{one.owner} is served at entry point {has}, and this port is {here}",
            f"name {here} in its entryPoints too, or ask the port of {has}",
            one.origin,
        )
    if not scheme:
        return None
    is_ingress = one.owner.startswith("Ingress ")
    field = f'annotation {IS_TLS}: "true"' if is_ingress else "tls: {} in its spec"
    by_point = any(f"{here}.http.tls".lower() in word.lower() for word in words)
    is_tls = one.is_tls or by_point
    if scheme == "https" and not is_tls:
        return Lack(
            f"{one.owner} is for plain HTTP: nothing gives its router TLS, so who speaks TLS to "
            f"entry point {here} does not meet it",
            f"give it {field}, or start Traefik with --entrypoints.{here}.http.tls=true",
            one.origin,
        )
    if scheme == "http" and is_tls:
        whose = "it" if one.is_tls else f"entry point {here}"
        return Lack(
            f"{one.owner} is for TLS alone, as {whose} says, so who asks entry point {here} in "
            "plain HTTP does not meet it",
            f"ask https, or write another {one.owner.partition(' ')[0]} for plain HTTP without "
            f"{field}",
            one.origin,
        )
    return None


def _words(pods: Iterable[Pod]) -> Sequence[str]:
    """What the input's Traefik is told."""
    return [
        word
        for pod in pods
        for one in pod.containers
        if image_word(one.image) == "traefik" and not one.init
        for word in one.spoken
    ]


def _entry_points(words: Sequence[str]) -> frozenset[str]:
    """Those that Traefik's arguments define; empty: nothing is known of them."""
    if any("configfile" in word.lower() for word in words):
        return frozenset()
    return frozenset(found["name"].lower() for word in words for found in _DEFINED.finditer(word))


def _keeps_apart(words: Sequence[str]) -> bool:
    """Whether routes get nothing of other namespaces (providers.kubernetesCRD, since 2.5)."""
    told = [word.lower() for word in words]
    return any("providers.kubernetescrd" in word for word in told) and not any(
        "allowcrossnamespace" in word or "configfile" in word for word in told
    )


def _judge(
    one: Manifest,
    known: Mapping[str, list[str]],
    entry_points: frozenset[str],
    *,
    keeps_apart: bool,
) -> Lack | None:
    if one.kind == "Ingress":
        notes = table(one.data, "metadata", "annotations")
        words = tuple(filter(None, map(str.strip, text(notes, ENTRY_POINTS).split(","))))
        return _undefined(
            one, words, entry_points, "metadata", "annotations", ENTRY_POINTS
        ) or _annotated(one, text(notes, _MIDDLEWARES), known)
    words = texts(one.data, "spec", "entryPoints")
    return _undefined(one, words, entry_points, "spec", "entryPoints") or _elsewhere(
        one, known, keeps_apart=keeps_apart
    )


def _undefined(
    one: Manifest, words: tuple[str, ...], entry_points: frozenset[str], *path: str
) -> Lack | None:
    """None where one of them is defined: the route is served there."""
    if not words or not entry_points or any(word.lower() in entry_points for word in words):
        return None
    has = ", ".join(sorted(entry_points))
    return Lack(
        f"Traefik has no entry point {words[0]} (its arguments define {has}): it serves the route "
        "nowhere (404)",
        f"name one of {has}, or start Traefik with --entrypoints.{words[0]}.address=:PORT",
        one.origin(*path),
    )


def _distrusted(
    one: Manifest, services: Mapping[str, Service], words: Sequence[str]
) -> Lack | None:
    """TLS to a pod by its address, which is no name of its certificate's.

    Traefik speaks TLS to a Service's port 443, and to one that is called https (its documentation,
    "Communication Between Traefik and Pods"), unless it is told a scheme; and trusts what a
    transport or serversTransport.insecureSkipVerify says.
    """
    if any("insecureskipverify" in word.lower() for word in words):
        return None
    if one.kind == "Ingress" and not _is_traefiks(one):
        return None
    for path, space, name, asked, written in _asked(one):
        service = services.get(f"{space}/{name}")
        if service is None or service.type is ServiceType.EXTERNAL_NAME:
            continue
        port = next((p for p in service.ports if asked in (p.port, p.name)), None)
        if port is None:
            continue
        told = {key.rpartition("/")[2]: value for key, value in service.annotations.items()}
        scheme = written or told.get("service.serversscheme", "")
        by_port = not scheme and (port.port == 443 or port.name.startswith("https"))
        if (by_port or scheme == "https") and "service.serverstransport" not in told:
            return Lack(
                f"Traefik speaks TLS to port {port.port} of Service {service.key} and asks each "
                "pod by its address, which is no name in its certificate, nor is that one of an "
                "authority that it knows: 500 Internal Server Error",
                "name a ServersTransport with insecureSkipVerify: true (or serverName and rootCAs) "
                "for it, start Traefik with --serversTransport.insecureSkipVerify=true, or lead to "
                "a port of plain HTTP",
                one.origin(*path),
                "500",
            )
    return None


def _is_traefiks(one: Manifest) -> bool:
    named = class_of_ingress(one)
    return not named or "traefik" in named


def _asked(one: Manifest) -> Iterator[tuple[Path, str, str, object, str]]:
    """Each back end: where it is named, its namespace, name, port and scheme."""
    own = namespace_of(one)
    if one.kind == "Ingress":
        for path, name_path in ingress_backends(one):
            name = text(one.data, *path, *name_path)
            yield path, own, name, port_of(table(one.data, *path)), ""
    for index, route in enumerate(array(one.data, "spec", "routes")):
        for place, each in enumerate(array(route, "services")):
            if "serversTransport" not in table(each) and one.kind == "IngressRoute":
                at = ("spec", "routes", index, "services", place, "port")
                asked = number(each, "port") or text(each, "port")
                space = text(each, "namespace") or own
                yield at, space, text(each, "name"), asked, text(each, "scheme")


def _elsewhere(one: Manifest, known: Mapping[str, list[str]], *, keeps_apart: bool) -> Lack | None:
    own = namespace_of(one)
    for index, route in enumerate(array(one.data, "spec", "routes")):
        for place, each in enumerate(array(route, "services") if keeps_apart else ()):
            other = text(each, "namespace")
            if other not in ("", own):
                return Lack(
                    f"Service {text(each, 'name')} is in namespace {other}, and Traefik takes none "
                    "of another namespace than the route's: it drops the route (404)",
                    f"put the {one.kind} into namespace {other}, or start Traefik with {_CROSSES}",
                    one.origin("spec", "routes", index, "services", place, "namespace"),
                )
        for place, each in enumerate(array(route, "middlewares")):
            name, written = text(each, "name"), text(each, "namespace")
            space = written or own
            there = known.get(name, [])
            origin = one.origin(
                *("spec", "routes", index, "middlewares", place), "namespace" if written else "name"
            )
            if there and space not in there:
                return Lack(
                    f"Middleware {name} is in namespace {there[0]}, not in {space}: Traefik drops "
                    "the route (404)",
                    f"put the Middleware into {own}, or write namespace: {there[0]} beside its "
                    f"name (of another namespace than the route's Traefik needs {_CROSSES})",
                    origin,
                )
            if keeps_apart and (space != own or name.endswith(_PROVIDER)):
                whose = f"of namespace {space}" if space != own else "named with its provider"
                return Lack(
                    f"middleware {name} is {whose}, and Traefik takes none of another namespace "
                    f"than the route's, {own}: it drops the route (404)",
                    f"put the Middleware into {own} and name it alone, or start Traefik with "
                    f"{_CROSSES} (and write its namespace beside its name)",
                    origin,
                )
    return None


def _annotated(one: Manifest, written: str, known: Mapping[str, list[str]]) -> Lack | None:
    names = {f"{space}-{name}": name for name, spaces in known.items() for space in spaces}
    origin = one.origin("metadata", "annotations", _MIDDLEWARES)
    for each in filter(None, map(str.strip, written.split(","))):
        name, at_, provider = each.partition("@")
        if f"@{provider}" == _PROVIDER and name in names:
            continue
        if at_ and f"@{provider}" != _PROVIDER:
            continue
        # The name alone, with another namespace before it, or without the provider behind it.
        meant = next((full for full, own in names.items() if name == full), None) or next(
            (full for full, own in names.items() if name == own or name.endswith(f"-{own}")), None
        )
        if meant is not None:
            return Lack(
                f"it names middleware {each}, and Traefik knows that as {meant}{_PROVIDER} "
                "(NAMESPACE-NAME@kubernetescrd): it drops the route (404)",
                f"write {meant}{_PROVIDER} into annotation {_MIDDLEWARES}",
                origin,
            )
    return None
