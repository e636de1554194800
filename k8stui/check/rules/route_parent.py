"""A route that no listener of its Gateway takes: who comes by that Gateway never meets it.

A route of the Gateway API names its Gateway in ``parentRefs``, in its own namespace unless it says
another, and may name one listener (``sectionName``) or its port. The listener takes routes of its
own namespace only, unless ``allowedRoutes.namespaces`` says more, of the kinds of its protocol, and
of hostnames that fit its own (gateway-api apis/v1: ParentReference, AllowedRoutes, Listener). The
route's status says so (NotAllowedByListeners, NoMatchingParent, NoMatchingListenerHostname), and
the Gateway answers 404.

Does not apply to Gateways that are not in the input, unless the name is but misspelt or the Gateway
stands in another namespace, nor to parents of other kinds (a mesh's Services).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, table, text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.ingress.listeners import GROUP, Gateways
from k8stui.cluster.mentions import Path
from k8stui.cluster.model import Lack
from k8stui.manifests import Manifest
from k8stui.manifests.schema.networking import ROUTES

ID = "route-parent"


def look(ground: Ground) -> Iterator[Finding]:
    gateways = Gateways(ground.inventory)
    for kind in ROUTES:
        for key, route in ground.of_kind(kind).items():
            for index, parent in enumerate(array(route.data, "spec", "parentRefs")):
                if text(parent, "name") in ground.alternatives:
                    continue
                lack = gateways.lack(route, index) or _absent(
                    ground, route, table(parent), ("spec", "parentRefs", index)
                )
                if lack is not None:
                    yield Finding.of_lack(ID, f"{kind} {key}", lack)


def _absent(ground: Ground, route: Manifest, parent: Object, path: Path) -> Lack | None:
    """The Gateway is not in the input, and another one was meant."""
    if text(parent, "kind") not in ("", "Gateway") or text(parent, "group") not in ("", GROUP):
        return None
    namespace = text(parent, "namespace") or route.namespace or "default"
    name = text(parent, "name")
    if f"{namespace}/{name}" in ground.of_kind("Gateway"):
        return None
    near = ground.names_of("Gateway", namespace).typo(name)
    away = next(iter(ground.namespaces_with("Gateway", name)), None)
    said = f"no listener takes it: there is no Gateway {namespace}/{name}"
    if near is not None:
        return Lack(said, f"write {near}", route.origin(*path, "name"))
    if away is None or ground.is_kustomized:  # which may set namespaces
        return None
    written = "namespace" in parent
    return Lack(
        f"{said}; it is in namespace {away}"
        + ("" if written else ", and the parentRef says none, so the route's own is meant"),
        f"write namespace: {away}" + ("" if written else " into the parentRef"),
        route.origin(*path, *(("namespace",) if written else ())),
    )


RULE = CheckRule(
    id=ID,
    summary="A route that its Gateway does not take",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
