"""Why the controller for which an Ingress or a route is written does not serve it.

ingress-nginx takes what names an IngressClass of its own controller, else what has its annotation;
without either nothing, unless it is told so (internal/ingress/controller/store/store.go
GetIngressClass, since 1.0); of one namespace alone where it is told that (cmd/nginx flags.go).
The AWS Load Balancer Controller sends to node ports unless it is told target-type ``ip``
(docs/guide/ingress/annotations, target-type; pkg/ingress/model_build_target_group.go).
ingress-nginx passes TLS through only where it is started so, and for hosts as a whole (cmd/nginx
flags.go enable-ssl-passthrough; internal/ingress/controller/controller.go "Ignoring SSL
Passthrough"). What routes of the Gateway API lack is `listeners`' business, Traefik's `traefik`'s.
"""

from __future__ import annotations

import re
from collections.abc import Container as Holder
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import array, table, text
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.distribution import Distribution
from k8stui.cluster.ingress.entrances import CANARY
from k8stui.cluster.ingress.listeners import turned_away
from k8stui.cluster.ingress.traefik import dropped
from k8stui.cluster.ingress.upstream_protocol import (
    OF_KUBERNETES,
    OF_NGINX,
    PREFIX_OF_KUBERNETES,
    PREFIX_OF_NGINX,
    misspoken,
    port_of,
)
from k8stui.cluster.ingress.virtual_services import unbound
from k8stui.cluster.mentions import INGRESS_CLASS, class_of_ingress, ingress_backends
from k8stui.cluster.model import Container, Lack, Pod, Service, ServiceType
from k8stui.cluster.programs.images import bare_image
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

_NGINX = re.compile(r"(?:ingress-nginx/controller|nginx-ingress-controller)\S*?:v?([1-9]\d*)\.")
"""From 1.0 on."""
_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
_PASSTHROUGH = "nginx.ingress.kubernetes.io/ssl-passthrough"
_TARGET = "alb.ingress.kubernetes.io/target-type"
_ALB = "alb.ingress.kubernetes.io/"


@record(kw_only=True)
class _Controller:
    """An ingress-nginx of the input, and what it is told."""

    of: str
    """``--controller-class``."""
    annotated: str
    """``--ingress-class``: whose annotation it takes."""
    takes_all: bool
    """``--watch-ingress-without-class``."""
    passes_through: bool
    """``--enable-ssl-passthrough``."""
    watches: str
    """The one namespace; empty: all."""
    container: Container


def unserved(
    inventory: Inventory,
    pods: Iterable[Pod],
    services: Mapping[str, Service],
    distribution: Distribution,
) -> dict[str, Lack]:
    """By ``KIND namespace/name`` of an Ingress or route; nothing is known against the others."""
    running = tuple(pods)
    found = {**dict(turned_away(inventory)), **dict(unbound(inventory, running))}
    controllers = tuple(_controllers(running))
    by_ip = any("--default-target-type=ip" in one.spoken for p in running for one in p.containers)
    classes = tuple(inventory.of("IngressClass").values())
    # A class may have parameters that say it for all of its Ingresses (IngressClassParams).
    by_ip |= any(table(one.data, "spec", "parameters") for one in classes)
    usual, mains = _usual(running), _main_hosts(inventory)
    for key, manifest in inventory.of("Ingress").items():
        lack = (
            _by_nginx(manifest, classes, controllers, distribution)
            or (_by_nginx_org(manifest, classes, running) if usual == OF_NGINX else None)
            or (None if by_ip else _by_alb(manifest, services))
            or _passed_through(manifest, controllers)
            or _strict(manifest, classes, controllers)
            or _torn(manifest)
            or (_alone(manifest, mains) if usual == OF_KUBERNETES else None)
            or _misspoken(manifest, services, _served_by(manifest, classes, usual))
        )
        if lack is not None:
            found[f"Ingress {key}"] = lack
    for key, lack in dropped(inventory, running, services):
        found.setdefault(key, lack)
    return found


def _usual(pods: Iterable[Pod]) -> str:
    """The controller that a class called nginx means, where no IngressClass says it."""
    images = {bare_image(one.image) for pod in pods for one in pod.containers}
    known = (image for image in images if image.endswith("nginx/nginx-ingress"))
    return OF_NGINX if next(known, "") else OF_KUBERNETES


def _served_by(manifest: Manifest, classes: Sequence[Manifest], usual: str) -> str:
    """``spec.controller`` of its class; empty: not known."""
    named = class_of_ingress(manifest)
    mine = (one for one in classes if (one.name == named if named else _is_default(one)))
    found = next(mine, None)
    if found is not None:
        return text(found.data, "spec", "controller")
    notes = table(manifest.data, "metadata", "annotations")
    if named == "nginx" and not any(key.startswith(PREFIX_OF_KUBERNETES) for key in notes):
        # Both call their class so, and who writes for one reads that one's annotations.
        usual = OF_NGINX if any(key.startswith(PREFIX_OF_NGINX) for key in notes) else usual
    return {"nginx": usual, "alb": "ingress.k8s.aws/alb"}.get(named, "")


def _misspoken(manifest: Manifest, services: Mapping[str, Service], controller: str) -> Lack | None:
    for path, name_path in ingress_backends(manifest) if controller else ():
        service = services.get(f"{namespace_of(manifest)}/{text(manifest.data, *path, *name_path)}")
        if service is not None:
            asked = port_of(table(manifest.data, *path))
            lack = misspoken(manifest, path, service, asked, controller)
            if lack is not None:
                return lack
    return None


def _passed_through(manifest: Manifest, controllers: Sequence[_Controller]) -> Lack | None:
    notes = table(manifest.data, "metadata", "annotations")
    if notes.get(_PASSTHROUGH) != "true":
        return None
    origin = manifest.origin("metadata", "annotations", _PASSTHROUGH)
    if controllers and not any(one.passes_through for one in controllers):
        return Lack(
            "it asks for TLS to be passed through, and its controller is started without "
            "--enable-ssl-passthrough: it ends TLS itself, with a certificate of its own, and "
            "speaks plain HTTP to the back end",
            "start the controller with --enable-ssl-passthrough",
            origin,
            "400 or 502",
        )
    for index, rule in enumerate(array(manifest.data, "spec", "rules")):
        paths = [text(one, "path") for one in array(rule, "http", "paths")]
        if not text(rule, "host") or (paths and not {"", "/"} & {*paths}):
            return Lack(
                "TLS is passed through by the host's name alone (SNI), before any path is known: "
                f"this rule has {'another path than /' if text(rule, 'host') else 'no host'}, and "
                "its controller ends TLS itself",
                "give the rule a host and the path /",
                manifest.origin("spec", "rules", index),
            )
    return None


def _torn(manifest: Manifest) -> Lack | None:
    """``- host: a`` and ``- http:`` as two rules: a host without paths, and paths for all."""
    rules = array(manifest.data, "spec", "rules")
    for index, (one, after) in enumerate(pairwise(rules)):
        host = text(one, "host")
        if host and "http" not in table(one) and "http" in table(after) and not text(after, "host"):
            return Lack(
                f"host {host} and the paths after it are two rules: the host has no paths (404), "
                "and the paths are for whatever host has no rule",
                "take the - in front of http away: host and http are of one rule",
                manifest.origin("spec", "rules", index, "host"),
            )
    return None


def _main_hosts(inventory: Inventory) -> frozenset[str]:
    """Of Ingresses that are no canaries; empty: any host."""
    return frozenset(
        text(rule, "host")
        for one in inventory.of("Ingress").values()
        if not _is_canary(one)
        for rule in array(one.data, "spec", "rules")
    )


def _is_canary(one: Manifest) -> bool:
    return text(one.data, "metadata", "annotations", CANARY) == "true"


def _alone(manifest: Manifest, mains: Holder[str]) -> Lack | None:
    """A canary of no other Ingress (ingress-nginx, mergeAlternativeBackends)."""
    rules = array(manifest.data, "spec", "rules")
    if not rules or not _is_canary(manifest) or any(text(r, "host") in mains for r in rules):
        return None
    host = text(rules[0], "host")
    return Lack(
        f"it is a canary (its annotation), and there is no other Ingress of host {host or '*'} "
        "that it could be one of: ingress-nginx makes nothing of it",
        "write the main Ingress, with the same host and path and without the annotation",
        manifest.origin("metadata", "annotations", CANARY),
    )


_STRICT_SINCE = re.compile(r":v(?:1\.(?:1[2-9]|[2-9]\d)|[2-9])\.")
_PLAIN = re.compile(r"/[\w./~-]*", re.ASCII)


def _strict(
    manifest: Manifest, classes: Sequence[Manifest], controllers: Sequence[_Controller]
) -> Lack | None:
    """A pattern as a path that is none to pathType Prefix or Exact.

    ingress-nginx since 1.12 (strict-validate-path-type; pkg/util/ingress IsPathValid): it leaves
    the whole Ingress out, and its webhook refuses it.
    """
    named = text(manifest.data, "spec", "ingressClassName")
    kind = next((one for one in classes if one.name == named), None)
    whose = text(kind.data, "spec", "controller") if kind is not None else OF_KUBERNETES
    mine = [one for one in controllers if one.of == whose]
    if not mine or not all(_STRICT_SINCE.search(one.container.image) for one in mine):
        return None
    for rule, entry in enumerate(array(manifest.data, "spec", "rules")):
        for index, one in enumerate(array(entry, "http", "paths")):
            path, type_ = text(one, "path"), text(one, "pathType")
            if path and type_ in ("Prefix", "Exact") and not _PLAIN.fullmatch(path):
                return Lack(
                    f"path {path} is no path to pathType {type_} (letters, digits, -, _, . and / "
                    "alone): ingress-nginx refuses the Ingress, or leaves it out (404)",
                    "write pathType: ImplementationSpecific",
                    manifest.origin("spec", "rules", rule, "http", "paths", index, "pathType"),
                )
    return None


def _controllers(pods: Iterable[Pod]) -> Iterator[_Controller]:
    for pod in pods:
        for one in pod.containers:
            if _NGINX.search(one.image) is None:
                continue
            said = {
                name: value
                for name, _, value in (w.partition("=") for t in one.spoken for w in t.split())
            }
            watches = said.get("--watch-namespace", "")
            yield _Controller(
                of=said.get("--controller-class") or OF_KUBERNETES,
                annotated=said.get("--ingress-class") or "nginx",
                takes_all=said.get("--watch-ingress-without-class", "false") in ("", "true"),
                passes_through=said.get("--enable-ssl-passthrough", "false") in ("", "true"),
                watches=pod.namespace if watches.startswith("$") else watches,
                container=one,
            )


def _by_nginx(
    manifest: Manifest,
    classes: Sequence[Manifest],
    controllers: tuple[_Controller, ...],
    distribution: Distribution,
) -> Lack | None:
    if not controllers:
        return None
    first = controllers[0]
    named = text(manifest.data, "spec", "ingressClassName")
    annotated = text(manifest.data, "metadata", "annotations", INGRESS_CLASS)
    mine = controllers
    if named:
        kind = next((one for one in classes if one.name == named), None)
        whose = text(kind.data, "spec", "controller") if kind is not None else ""
        mine = tuple(one for one in controllers if one.of == whose)
        if kind is not None and not mine and whose.startswith("k8s.io/") and "nginx" in whose:
            return Lack(
                f"IngressClass {named} is for controller {whose}, and ingress-nginx here serves "
                f"those for {first.of} alone: no controller takes it",
                f"start the controller with --controller-class={whose}, or write {first.of} into "
                "an IngressClass of its own (spec.controller cannot be changed)",
                kind.origin("spec", "controller"),
            )
    elif annotated:
        mine = tuple(one for one in controllers if one.annotated == annotated)
    elif not any(one.takes_all for one in controllers):
        if distribution.ingress or any(map(_is_default, classes)):
            return None
        of_it = (c.name for c in classes if text(c.data, "spec", "controller") == first.of)
        known = next(of_it, "")
        if not known:
            return None
        return Lack(
            f"it names no class, and IngressClass {known} is not the default one: ingress-nginx "
            "leaves it alone",
            f"write ingressClassName: {known} into its spec, or annotate the class "
            f'{_DEFAULT}: "true"',
            manifest.origin("spec"),
        )
    space = namespace_of(manifest)
    if mine and all(one.watches not in ("", space) for one in mine):
        watches = mine[0].watches
        return Lack(
            f"its controller looks at namespace {watches} alone (--watch-namespace), and it is in "
            f"{space}",
            f"take --watch-namespace away from the controller, or put the Ingress and its Service "
            f"into {watches}",
            mine[0].container.origin,
        )
    return None


def _by_nginx_org(
    manifest: Manifest, classes: Sequence[Manifest], pods: Iterable[Pod]
) -> Lack | None:
    """NGINX's own controller takes what names its class alone (--ingress-class, nginx)."""
    told = (
        word.lstrip("-").partition("=")[2]
        for pod in pods
        for one in pod.containers
        for word in one.spoken
        if one.image and word.lstrip("-").startswith("ingress-class=")
    )
    mine = next(told, "nginx")
    named = class_of_ingress(manifest)
    if named or any(map(_is_default, classes)):
        return None
    return Lack(
        f"it names no class, and NGINX's controller takes those of class {mine} alone",
        f"write ingressClassName: {mine} into its spec",
        manifest.origin("spec"),
    )


def _is_default(kind: Manifest) -> bool:
    return text(kind.data, "metadata", "annotations", _DEFAULT) == "true"


def _by_alb(manifest: Manifest, services: Mapping[str, Service]) -> Lack | None:
    notes = table(manifest.data, "metadata", "annotations")
    if not any(key.startswith(_ALB) for key in notes) or notes.get(_TARGET) == "ip":
        return None
    for path, name_path in ingress_backends(manifest):
        service = services.get(f"{namespace_of(manifest)}/{text(manifest.data, *path, *name_path)}")
        if (
            service is not None
            and service.type is ServiceType.CLUSTER_IP
            and service.annotations.get(_TARGET) != "ip"
        ):
            return Lack(
                f"its load balancer sends to node ports (target-type instance), and Service "
                f"{service.key} has none: the AWS Load Balancer Controller makes nothing of it",
                f"annotate the Ingress {_TARGET}: ip, or make the Service of type NodePort",
                manifest.origin("metadata", "annotations"),
            )
    return None
