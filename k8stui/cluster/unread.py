"""Values that are no addresses where addresses belong: each costs only itself, and is told.

An API server refuses most of them in what is declared (`apiserver.validation`); a dump, a Node and
a configuration are taken as they are, and what cannot be read there is left out by the decoders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.memory import NO_MEMORY, Memory
from k8stui.cluster.model import Remark
from k8stui.kernel.address import Address, Prefix
from k8stui.manifests.manifest import Manifest

_Type = type[Address] | type[Prefix]
_Path = tuple[str | int, ...]
_EACH = "*"
"""Every element of a list."""

_PLACES: dict[str, tuple[tuple[_Type, tuple[str, ...]], ...]] = {
    "Node": (
        (Prefix, ("spec", "podCIDR")),
        (Prefix, ("spec", "podCIDRs", _EACH)),
        (Address, ("status", "addresses", _EACH, "address")),
    ),
    "Service": (
        (Address, ("spec", "clusterIP")),
        (Address, ("spec", "externalIPs", _EACH)),
        (Prefix, ("spec", "loadBalancerSourceRanges", _EACH)),
        (Address, ("status", "loadBalancer", "ingress", _EACH, "ip")),
    ),
    "EndpointSlice": ((Address, ("endpoints", _EACH, "addresses", _EACH)),),
    "Endpoints": (
        (Address, ("subsets", _EACH, "addresses", _EACH, "ip")),
        (Address, ("subsets", _EACH, "notReadyAddresses", _EACH, "ip")),
    ),
    "Pod": (
        (Address, ("status", "podIPs", _EACH, "ip")),
        (Address, ("status", "podIP")),
        (Address, ("status", "hostIP")),
        (Address, ("spec", "dnsConfig", "nameservers", _EACH)),
    ),
}
_SETTINGS: dict[str, tuple[tuple[str, ...], ...]] = {
    "KubeProxyConfiguration": (("clusterCIDR",), ("nodePortAddresses", _EACH)),
    "ClusterConfiguration": (("networking", "podSubnet"), ("networking", "serviceSubnet")),
    "ServiceCIDR": (("spec", "cidrs", _EACH),),
    "": (("Network",), ("IPv6Network",)),
}
"""Where configurations say ranges, one or, with commas, several; flannel's has no kind."""
_PRIMARY = ["primary"]
"""``nodePortAddresses`` alone in its list: the node's own address."""
_ADDRESS_TYPES = frozenset({"InternalIP", "ExternalIP"})
"""Of a Node's addresses; the others are names."""


def unread_values(
    inventory: Inventory,
    configurations: Iterable[Manifest] = (),
    memory: Memory = NO_MEMORY,
) -> Iterator[Remark]:
    """What is said of each value that the decoders leave out.

    `configurations`: what kube-proxy, kubeadm and flannel read.
    """
    for kind, places in _PLACES.items():
        look = partial(_unread, places)
        for remarks in memory.each(("unread", kind), inventory.of(kind).values(), look):
            yield from remarks
    for manifest in (*inventory.of("ServiceCIDR").values(), *configurations):
        for pattern in _SETTINGS.get(manifest.kind, ()):
            if manifest.data.get(pattern[0]) == _PRIMARY:
                continue
            for path, written in _at(manifest.data, pattern, ()):
                for one in written.split(",") if written else ():
                    if not _is(Prefix, one):
                        yield from _told(manifest, path, one.strip(), Prefix)


def _unread(places: Iterable[tuple[_Type, tuple[str, ...]]], manifest: Manifest) -> list[Remark]:
    return [
        remark
        for wanted, pattern in places
        for path, written in _at(manifest.data, pattern, ())
        if written not in ("", "None") and not _is(wanted, written)
        for remark in _told(manifest, path, written, wanted)
    ]


def _told(manifest: Manifest, path: _Path, written: str, wanted: _Type) -> Iterator[Remark]:
    if manifest.kind == "EndpointSlice" and manifest.data.get("addressType") == "FQDN":
        return
    if manifest.kind == "Node" and path[0] == "status":
        entry = _within(manifest.data, path[:-1])
        if isinstance(entry, dict) and entry.get("type") not in _ADDRESS_TYPES:
            return
    what = "a range of addresses" if wanted is Prefix else "an IP address"
    owner = " ".join(part for part in (manifest.kind, manifest.name) if part)
    (*_, field) = (part for part in path if isinstance(part, str))
    yield Remark(
        text=f"{owner}: {field} {written[:60]!r} is not {what}; it is left out",
        origin=manifest.origin(*path),
    )


def _is(wanted: _Type, written: str) -> bool:
    try:
        wanted.parse(written.strip())
    except ValueError:
        return False
    return True


def _at(value: object, pattern: tuple[str, ...], path: _Path) -> Iterator[tuple[_Path, str]]:
    """Every text at `pattern`, with its path."""
    if not pattern:
        if isinstance(value, str):
            yield path, value
    elif pattern[0] == _EACH:
        if isinstance(value, list):
            for index, one in enumerate(value):
                yield from _at(one, pattern[1:], (*path, index))
    elif isinstance(value, dict) and pattern[0] in value:
        yield from _at(value[pattern[0]], pattern[1:], (*path, pattern[0]))


def _within(value: object, path: _Path) -> object:
    for part in path:
        if isinstance(value, dict | list):
            value = value[part]  # type: ignore[index]
    return value
