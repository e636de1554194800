"""clusterIP, clusterIPs, ipFamilies, externalIPs of a Service, without looking at others.

Source: pkg/apis/core/validation/validation.go ValidateServiceClusterIPsRelatedFields;
pkg/registry/core/service/storage/alloc.go initIPFamilyFields; recordings-cluster/rejected 55,
recordings-cluster/dual-stack (clusterIPs without clusterIP).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, numbered, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong

_IPS = ("spec", "clusterIPs")
_FAMILIES = ("spec", "ipFamilies")
_MOST = 2
_WRITTEN = frozenset({"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"})


def cluster_ips(spec: Object) -> tuple[str, ...]:
    """As the server completes them: clusterIPs, else the one clusterIP."""
    if "clusterIPs" in spec and (written := tuple(one for _, one in numbered(spec, "clusterIPs"))):
        return written
    one = text(spec, "clusterIP")
    return (one,) if one else ()


def is_headless(spec: Object) -> bool:
    """Whether its clusterIP is None."""
    return cluster_ips(spec)[:1] == ("None",)


def ip_path(spec: Object, index: int) -> tuple[str | int, ...]:
    """Where the address is written."""
    return (*_IPS, index) if array(spec, "clusterIPs") else ("spec", "clusterIP")


def check_addresses(spec: Object, kind: str) -> Iterator[Mistake]:
    """Addresses and families (core/validation ValidateServiceClusterIPsRelatedFields)."""
    if kind == "ExternalName":
        for field, value in (
            ("clusterIPs", cluster_ips(spec)),
            ("ipFamilies", array(spec, "ipFamilies")),
            ("ipFamilyPolicy", text(spec, "ipFamilyPolicy")),
        ):
            if value:
                at = ip_path(spec, 0) if field == "clusterIPs" else ()
                message = "may not be written for ExternalName Services: they have no address"
                yield Mistake(("spec", field), Wrong.FORBIDDEN, message, at)
    elif not _WRITTEN.isdisjoint(spec):
        yield from _ips(spec, kind)
        yield from _families(spec)
    for index, address in numbered(spec, "externalIPs"):
        path = ("spec", "externalIPs", index)
        if not formats.address_version(address):
            yield Mistake(path, Wrong.INVALID, f"{address!r} is no IP address")
        elif special := formats.special_address(address):
            yield Mistake(path, Wrong.INVALID, f"{address} is {special}")


def _ips(spec: Object, kind: str) -> Iterator[Mistake]:
    addresses, one = cluster_ips(spec), text(spec, "clusterIP")
    written = array(spec, "clusterIPs")
    if written and not one:
        message = "may not be written alone"
        hint = f"write clusterIP: {addresses[0]} too" if addresses else ""
        yield Mistake(_IPS, Wrong.INVALID, message, hint=hint)
    elif written and addresses[:1] != (one,):
        message = f"has to begin with clusterIP, {one}"
        yield Mistake(_IPS, Wrong.INVALID, message)
    if len(written) > _MOST:
        yield Mistake(_IPS, Wrong.INVALID, f"may hold {_MOST} addresses")
    if is_headless(spec) and kind in ("NodePort", "LoadBalancer"):
        message = f"may not be None when type is {kind}: node ports lead to an address"
        hint = "take clusterIP out, or write type: ClusterIP"
        yield Mistake((*_IPS, 0), Wrong.INVALID, message, ip_path(spec, 0), hint=hint)
    versions = []
    families = [family for _, family in numbered(spec, "ipFamilies")]
    for index, address in enumerate(addresses):
        if address == "None":
            if len(addresses) > 1:
                yield Mistake(_IPS, Wrong.INVALID, "has None beside addresses; it stands alone")
                return
            continue
        version = formats.address_version(address)
        if not version:
            at = ip_path(spec, index)
            yield Mistake((*_IPS, index), Wrong.INVALID, f"{address!r} is no IP address", at)
        elif index < len(families) and families[index] != f"IPv{version}":
            message = f"is {address}, but ipFamilies says {families[index]}"
            yield Mistake((*_IPS, index), Wrong.INVALID, message, ip_path(spec, index))
        versions.append(version)
    if len(versions) == _MOST and versions[0] == versions[1] != 0:
        yield Mistake(_IPS, Wrong.INVALID, f"has two IPv{versions[0]} addresses; one is allowed")


def _families(spec: Object) -> Iterator[Mistake]:
    seen: set[str] = set()
    for index, family in numbered(spec, "ipFamilies"):
        if family in seen:
            path = (*_FAMILIES, index)
            yield Mistake(path, Wrong.DUPLICATE, f"is {family}, which is there already")
        seen.add(family)
    if text(spec, "ipFamilyPolicy") == "SingleStack":
        for field in ("clusterIPs", "ipFamilies"):
            if len(array(spec, field)) == _MOST:
                message = f"is SingleStack, but {field} has two entries"
                hint = "write PreferDualStack or RequireDualStack"
                yield Mistake(("spec", "ipFamilyPolicy"), Wrong.INVALID, message, hint=hint)
