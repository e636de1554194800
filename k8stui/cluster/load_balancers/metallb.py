"""What MetalLB is told: its pools, who announces them, and its version.

From 0.13 on by objects of its own (IPAddressPool, L2Advertisement, BGPAdvertisement, BGPPeer; until
0.14 an AddressPool was both), before by a ConfigMap ``config`` beside its controller, which newer
ones do not read. Sources: MetalLB internal/config/config.go of both; its release notes for 0.13.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import array, at, flag, labels, table, text, texts
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.model import Node, Pod, Service
from k8stui.cluster.selectors import matches
from k8stui.kernel.address import Address, Prefix
from k8stui.manifests.embedded import embedded
from k8stui.origin import Origin
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

POOL = ("metallb.io/address-pool", "metallb.universe.tf/address-pool")
"""By what a Service asks for one."""
_MOST = 65536
"""Addresses of a pool that are looked at for a free one."""
_IMAGE = re.compile(r"metallb[/-](?:speaker|controller):v?0\.(\d{1,3})\b")
_OBJECTS_SINCE = 13
_CONFIG = "config"
_KINDS = ("IPAddressPool", "L2Advertisement", "BGPAdvertisement", "AddressPool", "BGPPeer")


@record(kw_only=True)
class Pool:
    """Addresses for load balancers: an IPAddressPool, an AddressPool, or one of a ConfigMap."""

    name: str
    title: str
    """With what it is: ``IPAddressPool first``."""
    labels: Mapping[str, str]
    ranges: tuple[tuple[Address, Address], ...]
    """First and last."""
    auto: bool
    manifest: Manifest
    path: tuple[str | int, ...]
    """Where its fields stand there."""
    whole: Origin
    written: str
    """Its addresses, as they are written."""

    def __contains__(self, address: Address) -> bool:
        return any(
            first.version == address.version and first.value <= address.value <= last.value
            for first, last in self.ranges
        )

    def origin(self, *field: str) -> Origin:
        return self.manifest.origin(*self.path, *field)

    def serves(self, service: Service) -> bool:
        """Whether it is for that Service (serviceAllocation; pool_reconciler isPoolCompatible…)."""
        told = table(self.manifest.data, *self.path, "serviceAllocation")
        if not told and at(self.manifest.data, *self.path, "serviceAllocation") is not None:
            return self.name in map(service.annotations.get, POOL)
        spaces = texts(told, "namespaces")
        if array(told, "namespaceSelectors"):
            return True  # of labels that namespaces have, which are not known here
        selectors = array(told, "serviceSelectors")
        return (not spaces or service.namespace in spaces) and (
            not selectors or any(matches(one, service.labels) for one in selectors)
        )

    def prefixes(self) -> Iterator[Prefix]:
        """The fewest that its ranges are made of."""
        for first, last in self.ranges:
            start = first.value
            while start <= last.value:
                free = (start & -start).bit_length() - 1 if start else first.bits
                free = min(free, (last.value - start + 1).bit_length() - 1)
                yield Prefix(Address(first.version, start), first.bits - free)
                start += 1 << free

    def addresses(self, version: int) -> Iterator[Address]:
        for first, last in self.ranges:
            if first.version == version:
                count = last.value - first.value + 1
                yield from (Address(version, first.value + n) for n in range(min(count, _MOST)))


@record(kw_only=True)
class Advertisement:
    """For which pools, from which nodes."""

    is_l2: bool
    manifest: Manifest
    only: str = ""
    """The one pool that it is written into; empty: it names its pools, or is for all."""

    def is_for(self, pool: Pool) -> bool:
        if self.only:
            return pool.name == self.only
        names = texts(self.manifest.data, "spec", "ipAddressPools")
        selectors = array(self.manifest.data, "spec", "ipAddressPoolSelectors")
        if not names and not selectors:
            return True
        return pool.name in names or any(matches(one, pool.labels) for one in selectors)

    def chooses(self, node: Node) -> bool:
        selectors = array(self.manifest.data, "spec", "nodeSelectors")
        return not selectors or any(matches(one, node.labels) for one in selectors)


@record(kw_only=True)
class Told:
    """All of it."""

    pools: tuple[Pool, ...]
    advertisements: tuple[Advertisement, ...]
    has_peers: bool
    """Whether a router is named to which BGP speaks."""
    in_config_map: bool
    """Whether this MetalLB reads a ConfigMap."""
    runs: Pod | None
    """One of its pods."""
    unread: Manifest | None
    """A ConfigMap of its old form, which this MetalLB does not read."""
    called: tuple[str, Manifest] | None = None
    """The name of the ConfigMap that this MetalLB reads, and one of its form that it does not."""
    astray: tuple[Manifest, ...] = ()
    """Pools and advertisements in another namespace than MetalLB's own: it reads none of them."""


def told(inventory: Inventory, pods: Iterable[Pod]) -> Told | None:
    """None: nothing of MetalLB's is there."""
    runs, minor = _release(pods)
    read, astray = _by_namespace(inventory, runs)
    pools = [*map(_pool, read["IPAddressPool"])]
    ads = [
        Advertisement(is_l2=kind == "L2Advertisement", manifest=one)
        for kind in ("L2Advertisement", "BGPAdvertisement")
        for one in read[kind]
    ]
    for one in read["AddressPool"]:
        pools.append(_pool(one))
        is_l2 = text(one.data, "spec", "protocol") != "bgp"
        ads.append(Advertisement(is_l2=is_l2, manifest=one, only=one.name))
    has_peers = bool(read["BGPPeer"])
    old = _old_configuration(inventory)
    by_objects = bool(pools or ads) if minor is None else minor >= _OBJECTS_SINCE
    called = None
    if old is not None and runs is not None and not by_objects:
        name = _configured_by(runs)
        if (namespace_of(old[0]), old[0].name) != (runs.namespace, name):
            called, old = (name, old[0]), None
    if old is not None and not by_objects:
        _, inner = old
        for index, each in enumerate(array(inner.data, "address-pools")):
            pools.append(_configured(inner, index))
            is_l2 = text(each, "protocol") != "bgp"
            ads.append(Advertisement(is_l2=is_l2, manifest=inner, only=text(each, "name")))
        has_peers |= bool(array(inner.data, "peers"))
    if runs is None and not pools and not ads:
        return None
    return Told(
        pools=tuple(pools),
        advertisements=tuple(ads),
        has_peers=has_peers,
        in_config_map=not by_objects and (old is not None or minor is not None),
        runs=runs,
        unread=old[0] if old is not None and by_objects else None,
        called=called,
        astray=astray,
    )


def _configured_by(pod: Pod) -> str:
    """The ConfigMap's name by ``--config`` (controller/main.go, speaker/main.go before 0.13)."""
    words = (word for one in pod.containers for word in one.spoken)
    told = (word.partition("=")[2] for word in words if word.startswith("--config="))
    return next(told, _CONFIG)


def _by_namespace(
    inventory: Inventory, runs: Pod | None
) -> tuple[Mapping[str, Sequence[Manifest]], tuple[Manifest, ...]]:
    """Its objects by kind, and those that it does not read: of another namespace than its pods'.

    Sources: MetalLB controller/main.go, speaker/main.go (--namespace, of the pod itself),
    internal/k8s/k8s.go (the cache's DefaultNamespaces).
    """
    all_of = {kind: tuple(inventory.of(kind).values()) for kind in _KINDS}
    if runs is None:
        return all_of, ()
    read = {
        kind: tuple(one for one in those if namespace_of(one) == runs.namespace)
        for kind, those in all_of.items()
    }
    astray = (one for kind, those in all_of.items() for one in those if one not in read[kind])
    return read, tuple(astray)


def _release(pods: Iterable[Pod]) -> tuple[Pod | None, int | None]:
    """A pod of MetalLB's, and the 13 of its v0.13.10."""
    for pod in pods:
        for one in pod.containers:
            if (found := _IMAGE.search(one.image)) is not None:
                return pod, int(found[1])
    return None, None


def _old_configuration(inventory: Inventory) -> tuple[Manifest, Manifest] | None:
    """The ConfigMap that a controller before 0.13 reads, and the document in it."""
    for one in inventory.of("ConfigMap").values():
        written = table(one.data, "data").get(_CONFIG)
        if isinstance(written, str) and "address-pools:" in written:
            return next(((one, inner) for inner in embedded(one, _CONFIG)), None)
    return None


def _pool(manifest: Manifest) -> Pool:
    return Pool(
        name=manifest.name,
        title=f"{manifest.kind} {manifest.name}",
        labels=labels(manifest.data, "metadata", "labels"),
        ranges=_ranges(texts(manifest.data, "spec", "addresses")),
        auto=flag(table(manifest.data, "spec"), "autoAssign") is not False,
        manifest=manifest,
        path=("spec",),
        whole=manifest.origin(),
        written=", ".join(texts(manifest.data, "spec", "addresses")),
    )


def _configured(inner: Manifest, index: int) -> Pool:
    """A pool of the old ConfigMap."""
    path = ("address-pools", index)
    spec = array(inner.data, "address-pools")[index]
    return Pool(
        name=text(spec, "name"),
        title=f"address-pool {text(spec, 'name')}",
        labels={},
        ranges=_ranges(texts(spec, "addresses")),
        auto=flag(spec, "auto-assign") is not False,
        manifest=inner,
        path=path,
        whole=inner.origin(*path),
        written=", ".join(texts(spec, "addresses")),
    )


def _ranges(written: Iterable[str]) -> tuple[tuple[Address, Address], ...]:
    return tuple(filter(None, map(address_range, written)))


def address_range(written: str) -> tuple[Address, Address] | None:
    """``192.168.0.240-192.168.0.250``, or a prefix (internal/config/config.go parseCIDR)."""
    first, dash, last = written.partition("-")
    if dash:
        ends = address_of(first), address_of(last)
        if ends[0] is None or ends[1] is None or ends[0].version != ends[1].version:
            return None
        return ends[0], ends[1]
    try:
        prefix = Prefix.parse(written.strip()) if "/" in written else None
    except ValueError:
        return None
    return (prefix.address, prefix.nth(-1)) if prefix is not None else None


def address_of(written: str) -> Address | None:
    try:
        return Address.parse(written.strip())
    except ValueError:
        return None
