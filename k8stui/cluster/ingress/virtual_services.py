"""Which VirtualServices of Istio's no Gateway of theirs serves, and why.

A Gateway is named ``NAMESPACE/NAME``, or by a name of the VirtualService's own namespace; it takes
hosts that it has in common: its own are ``[namespace/]dnsName``, of which ``*`` is all and
``*.a.b`` all below a.b (networking.istio.io, VirtualService.gateways, Server.hosts). Else the
gateway answers 404.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8stui.apiserver.fields import array, labels, texts
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.model import Lack, Pod
from k8stui.cluster.programs.images import is_gateway
from k8stui.manifests import Manifest
from k8stui.order import listed
from k8stui.suggest import Wordbook

GROUP = "networking.istio.io"
MESH = "mesh"


def unbound(inventory: Inventory, pods: Iterable[Pod]) -> Iterator[tuple[str, Lack]]:
    """``VirtualService NAMESPACE/NAME`` of those that none of their Gateways serves."""
    known = Gateways(inventory, pods)
    for key, one in inventory.of("VirtualService").items():
        named = texts(one.data, "spec", "gateways")
        lacks = [known.lack(one, index) for index in range(len(named))]
        if lacks and lacks[0] is not None and all(lacks):
            yield f"VirtualService {key}", lacks[0]


class Gateways:
    """Istio's Gateways of an inventory, looked at once."""

    def __init__(self, inventory: Inventory, pods: Iterable[Pod]) -> None:
        found = (pod.labels for pod in pods if any(map(is_gateway, pod.containers)))
        self._proxies = [dict(one) for one in dict.fromkeys(tuple(one.items()) for one in found)]
        self._unheld: dict[str, Lack | None] = {}
        self._known = {
            key: one for key, one in inventory.of("Gateway").items() if one.group == GROUP
        }
        names: dict[str, list[str]] = {}
        self._spaces: dict[str, list[str]] = {}
        for key in self._known:
            namespace, _, name = key.partition("/")
            names.setdefault(namespace, []).append(name)
            self._spaces.setdefault(name, []).append(namespace)
        self._names = {namespace: Wordbook(those) for namespace, those in names.items()}

    def lack(self, one: Manifest, index: int) -> Lack | None:
        """Why the Gateway that a VirtualService names there does not serve it.

        None: it does, or it may be anywhere.
        """
        named = texts(one.data, "spec", "gateways")
        said, own = named[index], namespace_of(one)
        namespace, slash, name = said.partition("/")
        if not slash:
            namespace, name = own, said
        gateway = self._known.get(f"{namespace}/{name}")
        if said == MESH:
            return None
        if gateway is not None:
            lack = self._held_by_nobody(gateway) or _no_host(one, gateway)
            return None if MESH in named else lack
        near = self._names[namespace].typo(name) if namespace in self._names else None
        away = next(iter(self._spaces.get(name, ())), None)
        if near:
            meant = f"{namespace}/{near}" if slash else near
        elif away:
            meant = f"{away}/{name}"
        else:
            return None
        return Lack(
            f"there is no Gateway {namespace}/{name}"
            + ("" if near else f"; it is in namespace {away}")
            + ": who comes by that Gateway never meets these routes",
            f"write {meant}",
            one.origin("spec", "gateways", index),
        )

    def _held_by_nobody(self, gateway: Manifest) -> Lack | None:
        """Its selector chooses none of the gateways' pods; None where the input has no such pod.

        Chart gateway labels them by its release: ``istio: ingress`` for ``istio-ingress``.
        """
        key = f"{namespace_of(gateway)}/{gateway.name}"
        if key not in self._unheld:
            wanted = labels(gateway.data, "spec", "selector")
            meets = any(wanted.items() <= has.items() for has in self._proxies)
            has = next((has for has in self._proxies if wanted.keys() <= has.keys()), None)
            lack = None
            if wanted and has is not None and not meets:
                said = ", ".join(f"{name}={value}" for name, value in wanted.items())
                own = ", ".join(f"{name}: {has[name]}" for name in wanted)
                lack = Lack(
                    f"Gateway {gateway.name} is for pods {said}, and the gateway's pods have {own}"
                    ": nobody opens its servers (refused, or 404)",
                    f"write {own} into the selector of Gateway {gateway.name}",
                    gateway.origin("spec", "selector"),
                )
            self._unheld[key] = lack
        return self._unheld[key]


def _no_host(one: Manifest, gateway: Manifest) -> Lack | None:
    """None of its hosts is one of its Gateway's."""
    hosts = texts(one.data, "spec", "hosts")
    served = [
        host.rpartition("/")[2]
        for server in array(gateway.data, "spec", "servers")
        for host in texts(server, "hosts")
    ]
    if not hosts or not served:
        return None
    if any(_in_common(host, other) for host in hosts for other in served):
        return None
    return Lack(
        f"{listed(hosts)} is none of the hosts of Gateway {gateway.name} ({listed(served)}): "
        "it answers 404, and these routes are never met",
        f"write {hosts[0]} into the hosts of Gateway {gateway.name}, or one of its hosts here",
        one.origin("spec", "hosts", 0),
    )


def _in_common(one: str, other: str) -> bool:
    """Whether two host names, with or without a wildcard in front, have any in common."""
    ends = [host.removeprefix("*") for host in (one, other)]
    wild = [host.startswith("*") for host in (one, other)]
    return (
        one == other
        or (wild[0] and other.removeprefix("*").endswith(ends[0]))
        or (wild[1] and ends[0].endswith(ends[1]))
    )
