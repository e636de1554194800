"""Which routes of the Gateway API no listener of their Gateway takes, and why.

A route names its Gateway in ``parentRefs``, and may name one listener there (``sectionName``) or
its port. The listener takes routes of its own namespace only, unless ``allowedRoutes.namespaces``
says more, of the kinds of its protocol, and of hostnames that fit its own (gateway-api apis/v1:
ParentReference, AllowedRoutes, Listener). The route's status says so (NotAllowedByListeners,
NoMatchingParent, NoMatchingListenerHostname), and the Gateway answers 404.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from k8stui.apiserver.fields import Object, array, at, labels, number, records, table, text, texts
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.fields import addresses
from k8stui.cluster.mentions import Path
from k8stui.cluster.model import GatewayAddress, Lack
from k8stui.cluster.selectors import matches, namespace_labels
from k8stui.kernel.address import Address
from k8stui.manifests import Manifest
from k8stui.manifests.schema.networking import ROUTES
from k8stui.order import listed
from k8stui.suggest import Wordbook

GROUP = "gateway.networking.k8s.io"
_OF_PROTOCOL = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute", "TCPRoute"),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}


def turned_away(inventory: Inventory) -> Iterator[tuple[str, Lack]]:
    """``KIND namespace/name`` of routes that none of their parents takes, and why the first not."""
    known, grants = Gateways(inventory), Grants(inventory)
    for kind in ROUTES:
        for key, route in inventory.of(kind).items():
            parents = range(len(array(route.data, "spec", "parentRefs")))
            lacks = [known.lack(route, index) for index in parents]
            if lacks and lacks[0] is not None and all(lacks):
                yield f"{kind} {key}", lacks[0]
                continue
            lacks = list(_without_grants(route, grants))
            if lacks and lacks[0] is not None and all(lacks):
                yield f"{kind} {key}", lacks[0]


def gateway_addresses(inventory: Inventory) -> Mapping[Address, GatewayAddress]:
    """The Gateways of the input by the addresses in their status."""
    known = Gateways(inventory)
    naming: dict[str, list[_Named]] = {}
    for kind in ROUTES:
        for route in inventory.of(kind).values():
            for index, parent in enumerate(map(table, array(route.data, "spec", "parentRefs"))):
                key = f"{text(parent, 'namespace') or namespace_of(route)}/{text(parent, 'name')}"
                naming.setdefault(key, []).append((kind, parent, known.lack(route, index)))
    found = {}
    for key, gateway in inventory.of("Gateway").items():
        told = records(table(gateway.data, "status"), "addresses", ("status",))
        for path, each in told if gateway.group == GROUP else ():
            for address in addresses((text(each, "value"),)):
                found[address] = GatewayAddress(
                    key=key,
                    ports=dict(_ports(gateway, naming.get(key, ()))),
                    origin=gateway.origin(*path),
                )
    return found


_Named = tuple[str, Object, Lack | None]
"""Kind of a route, its parentRef, and why that takes it not."""


def _ports(gateway: Manifest, naming: Sequence[_Named]) -> Iterator[tuple[int, Lack | None]]:
    """Each listener's port, and why nobody is behind it; None: a route is."""
    key = f"{namespace_of(gateway)}/{gateway.name}"
    for index, one in enumerate(map(table, array(gateway.data, "spec", "listeners"))):
        name, port, kinds = text(one, "name"), number(one, "port"), _kinds(one)
        if port is None:
            continue
        fitting = [(parent, lack) for kind, parent, lack in naming if kind in kinds]
        if any(
            lack is None
            and text(parent, "sectionName") in ("", name)
            and number(parent, "port") in (None, port)
            for parent, lack in fitting
        ):
            yield port, None
            continue
        lost = next((lack for _, lack in fitting if lack is not None), None)
        yield (
            port,
            lost
            or Lack(
                f"listener {name} of Gateway {key} has no route: nobody is behind {port}",
                f"write a {kinds[0]} with parentRefs: "
                f"[{{name: {gateway.name}, sectionName: {name}}}]",
                gateway.origin("spec", "listeners", index),
            ),
        )


def _without_grants(route: Manifest, grants: Grants) -> Iterator[Lack | None]:
    """Of each back end why the route may not lead to it; None: it may."""
    own = namespace_of(route)
    for rule, entry in enumerate(array(route.data, "spec", "rules")):
        for index, one in enumerate(array(entry, "backendRefs")):
            space, name = text(one, "namespace") or own, text(one, "name")
            place = ("spec", "rules", rule, "backendRefs", index, "namespace")
            lent = space == own or grants.lets_in(route, "Service", space, name)
            yield None if lent else without_grant(route, f"{space}/{name}", place)


def without_grant(route: Manifest, service: str, place: Path) -> Lack:
    """A route leads to a Service of another namespace, which lets it not."""
    own, (space, _, name) = namespace_of(route), service.partition("/")
    return Lack(
        f"Service {service} is in another namespace, and no ReferenceGrant there lets a "
        f"{route.kind} of namespace {own} lead to it: the gateway answers 500",
        f"write a ReferenceGrant into namespace {space} (from: {route.kind} in {own}, to: Service "
        f"{name})",
        route.origin(*place),
        "500",
    )


class Grants:
    """What ReferenceGrants let routes and Gateways of other namespaces use."""

    def __init__(self, inventory: Inventory) -> None:
        self._to: dict[tuple[str, str, str], set[frozenset[tuple[str, str]]]] = {}
        """By kind, namespace and name: kind and namespace of those whom each lets in."""
        for grant in inventory.of("ReferenceGrant").values():
            lets_in = frozenset(
                (text(one, "kind"), text(one, "namespace"))
                for one in array(grant.data, "spec", "from")
            )
            for one in array(grant.data, "spec", "to"):
                to = text(one, "kind"), namespace_of(grant), text(one, "name")
                self._to.setdefault(to, set()).add(lets_in)

    def lets_in(self, asking: Manifest, kind: str, namespace: str, name: str) -> bool:
        """Whether one of that namespace does; one without a name is about all."""
        own = asking.kind, namespace_of(asking)
        return any(
            own in lets_in
            for each in ("", name)
            for lets_in in self._to.get((kind, namespace, each), ())
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


class Gateways:
    """The Gateways of an inventory, each looked at once."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._listeners: dict[str, _Listeners] = {}

    def lack(self, route: Manifest, index: int) -> Lack | None:
        """Why the Gateway that one of its parentRefs names does not take a route.

        None: it does, or it is not in the input.
        """
        path = ("spec", "parentRefs", index)
        parent = table(route.data, *path)
        if text(parent, "kind") not in ("", "Gateway") or text(parent, "group") not in ("", GROUP):
            return None
        own = namespace_of(route)
        namespace, name = text(parent, "namespace") or own, text(parent, "name")
        gateway = self._inventory.of("Gateway").get(f"{namespace}/{name}")
        if gateway is None or gateway.group != GROUP:
            return None
        found = self._judge(route, gateway, parent, path)
        return found and replace(found, why=f"no listener takes it: {found.why}")

    def _judge(self, route: Manifest, gateway: Manifest, parent: Object, path: Path) -> Lack | None:
        own, namespace = namespace_of(route), namespace_of(gateway)
        subject = f"Gateway {namespace}/{gateway.name}"
        known = self._listeners.get(subject)
        if known is None:
            known = self._listeners[subject] = _Listeners(gateway)
        every, section, port = known.every, text(parent, "sectionName"), number(parent, "port")
        meant = [
            (index, one)
            for index, one in known.meant(section, port)
            if section in ("", text(one, "name")) and port in (None, number(one, "port"))
        ]
        if not meant:
            has = (
                listed(every, lambda o: f"{text(o[1], 'name')} ({number(o[1], 'port')})") or "none"
            )
            field, value = ("sectionName", section) if section else ("port", str(port))
            near = known.nearest(section, port)
            return Lack(
                f"{subject} has no listener {value}; it has {has}",
                f"write {field}: {near}" if near else f"write one of them, or leave {field} out",
                route.origin(*path, field),
            )
        open_ = [(i, one) for i, one in meant if self._lets_in(gateway, one, own)]
        if not open_:
            index, first = meant[0]
            who = _who(first, namespace)
            return Lack(
                f"{subject} lets in routes of {who} only (allowedRoutes), and this one is in "
                f"namespace {own}",
                f"{_label(first, own)}write allowedRoutes.namespaces.from: All, or a Selector that "
                f"namespace {own} fits, into the listener, or put the route into the Gateway's "
                "namespace",
                gateway.origin("spec", "listeners", index),
            )
        fitting = [one for _, one in open_ if route.kind in _kinds(one)]
        if not fitting:
            first = open_[0][1]
            takes = " and ".join(_kinds(first))
            return Lack(
                f"listener {text(first, 'name')} of {subject} is {text(first, 'protocol')} and "
                f"takes {takes}, not {route.kind}",
                f"name another listener, or write a {_kinds(first)[0]}",
                route.origin(*path),
            )
        names = texts(route.data, "spec", "hostnames")
        hosts = [text(one, "hostname") for one in fitting]
        if names and all(hosts) and not any(_meet(name, host) for name in names for host in hosts):
            return Lack(
                f"{listed(names)} is none of the hostnames of {subject} ({listed(hosts)})",
                f"write a hostname that fits {hosts[0]}, or mend the listener's hostname",
                route.origin("spec", "hostnames"),
            )
        return None

    def _lets_in(self, gateway: Manifest, listener: Object, namespace: str) -> bool:
        said = table(listener, "allowedRoutes", "namespaces")
        match text(said, "from") or "Same":
            case "All":
                return True
            case "Same":
                return namespace == namespace_of(gateway)
            case "Selector":
                known = self._inventory.of("Namespace").get(namespace)
                if known is None:
                    return True  # its labels are not in the input
                own = {namespace: labels(known.data, "metadata", "labels")}
                return matches(at(said, "selector"), namespace_labels(own, namespace))
        return True


def _who(listener: Object, namespace: str) -> str:
    if text(listener, "allowedRoutes", "namespaces", "from") == "Selector":
        return "namespaces that its selector chooses"
    return f"its own namespace {namespace}"


def _label(listener: Object, namespace: str) -> str:
    """What would make the namespace one of those that a listener's selector chooses."""
    said = table(listener, "allowedRoutes", "namespaces", "selector", "matchLabels")
    wanted = " ".join(f"{key}={value}" for key, value in said.items())
    return f"kubectl label namespace {namespace} {wanted}; or " if wanted else ""


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
