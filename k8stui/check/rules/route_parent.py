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

from collections.abc import Iterator, Sequence

from k8stui.apiserver.fields import Object, array, at, labels, number, table, text, texts
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, listed
from k8stui.cluster.selectors import matches, namespace_labels
from k8stui.manifests import Manifest
from k8stui.manifests.schema.networking import ROUTES
from k8stui.record import record
from k8stui.suggest import Wordbook

ID = "route-parent"
_GROUP = "gateway.networking.k8s.io"
_OF_PROTOCOL = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute", "TCPRoute"),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}
_Path = tuple[str | int, ...]


@record()
class _Refused:
    """What keeps a route from all listeners, and where in the route it would be mended."""

    why: str
    fix: str
    path: _Path
    of: Manifest | None = None
    """The Gateway, where it is that which is to be mended."""


def look(ground: Ground) -> Iterator[Finding]:
    listeners: dict[Manifest, _Listeners] = {}
    for kind in ROUTES:
        for route in ground.of_kind(kind).values():
            for index, parent in enumerate(array(route.data, "spec", "parentRefs")):
                path = ("spec", "parentRefs", index)
                found = _judge(ground, route, table(parent), path, listeners)
                if found is not None:
                    yield Finding(
                        rule=ID,
                        severity=Severity.WARNING,
                        subject=f"{kind} {route.namespace or 'default'}/{route.name}",
                        place=(found.of or route).place(*found.path),
                        why=f"no listener takes it: {found.why}",
                        fix=found.fix,
                    )


class _Listeners:
    """Those of a Gateway, each with its place, by their names and ports."""

    def __init__(self, gateway: Manifest) -> None:
        found = array(gateway.data, "spec", "listeners")
        self.every = [(index, table(one)) for index, one in enumerate(found)]
        self._named: dict[str, list[tuple[int, Object]]] = {}
        self._ports: dict[int | None, list[tuple[int, Object]]] = {}
        for index, one in self.every:
            self._named.setdefault(text(one, "name"), []).append((index, one))
            self._ports.setdefault(number(one, "port"), []).append((index, one))
        self._names = Wordbook(text(one, "name") for _, one in self.every)
        self._numbers = Wordbook(str(number(one, "port")) for _, one in self.every)

    def meant(self, section: str, port: int | None) -> Sequence[tuple[int, Object]]:
        """Among these are all that a parentRef means."""
        if section:
            return self._named.get(section, ())
        return self.every if port is None else self._ports.get(port, ())

    def nearest(self, section: str, port: int | None) -> str | None:
        """The name, or else the port, that a parentRef is most like; the only one there is."""
        if len(self.every) == 1:
            only = self.every[0][1]
            return text(only, "name") if section else str(number(only, "port"))
        return self._names.nearest(section) if section else self._numbers.nearest(str(port))


def _judge(
    ground: Ground,
    route: Manifest,
    parent: Object,
    path: _Path,
    listeners: dict[Manifest, _Listeners],
) -> _Refused | None:
    if text(parent, "kind") not in ("", "Gateway") or text(parent, "group") not in ("", _GROUP):
        return None
    own = route.namespace or "default"
    namespace, name = text(parent, "namespace") or own, text(parent, "name")
    gateway = ground.of_kind("Gateway").get(f"{namespace}/{name}")
    if gateway is None:
        return _absent(ground, parent, namespace, name, path)
    if gateway.group != _GROUP or name in ground.alternatives:
        return None
    subject = f"Gateway {namespace}/{name}"
    if gateway not in listeners:
        listeners[gateway] = _Listeners(gateway)
    known = listeners[gateway]
    every, section, port = known.every, text(parent, "sectionName"), number(parent, "port")
    meant = [
        (index, one)
        for index, one in known.meant(section, port)
        if section in ("", text(one, "name")) and port in (None, number(one, "port"))
    ]
    if not meant:
        has = listed(every, lambda o: f"{text(o[1], 'name')} ({number(o[1], 'port')})") or "none"
        field, value = ("sectionName", section) if section else ("port", str(port))
        near = known.nearest(section, port)
        return _Refused(
            f"{subject} has no listener {value}; it has {has}",
            f"write {field}: {near}" if near else f"write one of them, or leave {field} out",
            (*path, field),
        )
    open_ = [(i, one) for i, one in meant if _lets_in(ground, gateway, one, own)]
    if not open_:
        index = meant[0][0]
        return _Refused(
            f"{subject} lets in routes of {_who(meant[0][1], namespace)} only (allowedRoutes), and "
            f"this one is in namespace {own}",
            f"{_label(meant[0][1], own)}write allowedRoutes.namespaces.from: All, or a Selector "
            f"that namespace {own} fits, into the listener, or put the route into the Gateway's "
            "namespace",
            ("spec", "listeners", index),
            gateway,
        )
    fitting = [one for _, one in open_ if route.kind in _kinds(one)]
    if not fitting:
        first = open_[0][1]
        return _Refused(
            f"listener {text(first, 'name')} of {subject} is {text(first, 'protocol')} and takes "
            f"{' and '.join(_kinds(first))}, not {route.kind}",
            f"name another listener, or write a {_kinds(first)[0]}",
            path,
        )
    names = texts(route.data, "spec", "hostnames")
    hosts = [text(one, "hostname") for one in fitting]
    if names and all(hosts) and not any(_meet(name, host) for name in names for host in hosts):
        return _Refused(
            f"{listed(names)} is none of the hostnames of {subject} ({listed(hosts)})",
            f"write a hostname that fits {hosts[0]}, or mend the listener's hostname",
            ("spec", "hostnames"),
        )
    return None


def _absent(
    ground: Ground, parent: Object, namespace: str, name: str, path: _Path
) -> _Refused | None:
    near = ground.names_of("Gateway", namespace).typo(name)
    away = next(iter(ground.namespaces_with("Gateway", name)), None)
    said = f"there is no Gateway {namespace}/{name}"
    if near is not None:
        return _Refused(said, f"write {near}", (*path, "name"))
    if away is None or ground.is_kustomized:  # which may set namespaces
        return None
    written = "namespace" in parent
    return _Refused(
        f"{said}; it is in namespace {away}"
        + ("" if written else ", and the parentRef says none, so the route's own is meant"),
        f"write namespace: {away}" + ("" if written else " into the parentRef"),
        (*path, "namespace") if written else path,
    )


def _who(listener: Object, namespace: str) -> str:
    if text(listener, "allowedRoutes", "namespaces", "from") == "Selector":
        return "namespaces that its selector chooses"
    return f"its own namespace {namespace}"


def _label(listener: Object, namespace: str) -> str:
    """What would make the namespace one of those that a listener's selector chooses."""
    said = table(listener, "allowedRoutes", "namespaces", "selector", "matchLabels")
    wanted = " ".join(f"{key}={value}" for key, value in said.items())
    return f"kubectl label namespace {namespace} {wanted}; or " if wanted else ""


def _lets_in(ground: Ground, gateway: Manifest, listener: Object, namespace: str) -> bool:
    said = table(listener, "allowedRoutes", "namespaces")
    match text(said, "from") or "Same":
        case "All":
            return True
        case "Same":
            return namespace == (gateway.namespace or "default")
        case "Selector":
            known = ground.inventory.of("Namespace").get(namespace)
            if known is None:
                return True  # its labels are not in the input
            own = {namespace: labels(known.data, "metadata", "labels")}
            return matches(at(said, "selector"), namespace_labels(own, namespace))
    return True


def _kinds(listener: Object) -> Sequence[str]:
    """What a listener takes; of a protocol of its own all."""
    said = [text(one, "kind") for one in array(listener, "allowedRoutes", "kinds")]
    return said or _OF_PROTOCOL.get(text(listener, "protocol"), ROUTES)


def _meet(name: str, host: str) -> bool:
    """Whether two hostnames have names in common; ``*.`` stands for one label or more."""
    for one, other in ((name, host), (host, name)):
        if one.startswith("*.") and other.endswith(one[1:]):
            return True
    return name == host


RULE = CheckRule(
    id=ID,
    summary="A route that its Gateway does not take",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
