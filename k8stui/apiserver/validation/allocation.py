"""clusterIPs and node ports that another Service has, or that lie outside their range.

Source: pkg/registry/core/service/storage/alloc.go, ipallocator, portallocator; the allocators know
neither namespaces nor protocols (docs/facts/control-plane.md section 3);
recordings-cluster/rejected 04, 05, 07, 08.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, number, numbered, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong
from k8stui.apiserver.validation.ranges import Ranges
from k8stui.apiserver.validation.service_addresses import cluster_ips, ip_path, is_headless
from k8stui.manifests.manifest import Manifest

_BOTH = 2
_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
_LEAVE = "leave it out: the server chooses a free one"


class Ledger:
    """What the Services that are there have been given. By namespace/name."""

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges
        self._addresses: dict[str, tuple[str, Manifest | None]] = {}
        self._ports: dict[int, tuple[str, Manifest]] = {}
        self._has: dict[str, tuple[list[str], list[int]]] = {}
        if first := ranges.first():
            self._addresses[first] = ("default/kubernetes", None)

    def judge(self, key: str, service: Manifest) -> Iterator[Mistake]:
        """Say what `service` cannot be given."""
        spec = table(service.data, "spec")
        if text(spec, "type") != "ExternalName":
            yield from self._judge_families(spec)
            yield from self._judge_addresses(key, spec)
        if text(spec, "type") not in _WITH_NODE_PORTS:
            return
        for path, port in records(spec, "ports", ("spec",)):
            yield from self._judge_port(service, key, number(port, "nodePort"), (*path, "nodePort"))
        path = ("spec", "healthCheckNodePort")
        yield from self._judge_port(service, key, number(spec, "healthCheckNodePort"), path)

    def enter(self, key: str, service: Manifest) -> None:
        """`service` is stored: what it had before is free, what it says is taken."""
        before_addresses, before_ports = self._has.pop(key, ([], []))
        for address in before_addresses:
            self._addresses.pop(address, None)
        for port in before_ports:
            self._ports.pop(port, None)
        spec = table(service.data, "spec")
        kind = text(spec, "type")
        if kind == "ExternalName":
            return
        # Not written, the server keeps the address that it had (patchAllocatedValues).
        addresses = [_plain(ip) for ip in cluster_ips(spec) if ip != "None"] or before_addresses
        ports = []
        if kind in _WITH_NODE_PORTS:
            given = [number(port, "nodePort") for _, port in records(spec, "ports", ())]
            ports = [port for port in [*given, number(spec, "healthCheckNodePort")] if port]
        for address in addresses:
            self._addresses.setdefault(address, (key, service))
        for port in ports:
            self._ports.setdefault(port, (key, service))
        if addresses or ports:
            self._has[key] = addresses, ports

    def _judge_families(self, spec: Object) -> Iterator[Mistake]:
        """Source: alloc.go initIPFamilyFields. Headless without selector asks for no address."""
        there = self.ranges.families
        if not there or (is_headless(spec) and not table(spec, "selector")):
            return
        path = ("spec", "ipFamilyPolicy")
        if text(spec, "ipFamilyPolicy") == "RequireDualStack" and len(there) < _BOTH:
            message = f"is RequireDualStack, and the cluster has {', '.join(there)} only"
            yield Mistake(path, Wrong.INVALID, message, mended="PreferDualStack")
        families = [family for _, family in numbered(spec, "ipFamilies")]
        asked = list(families)
        for address in cluster_ips(spec)[len(families) :]:
            version = formats.address_version(address)
            asked += [f"IPv{version}"] if version else []
        for index, family in enumerate(asked):
            if family in ("IPv4", "IPv6") and family not in there:
                message = f"is {family}, and the cluster has {', '.join(there)} only"
                where = ("spec", "ipFamilies", index)
                at = where if index < len(families) else ip_path(spec, index)
                yield Mistake(where, Wrong.INVALID, message, at)

    def _judge_addresses(self, key: str, spec: Object) -> Iterator[Mistake]:
        for index, written in enumerate(cluster_ips(spec)):
            if written == "None" or not formats.address_version(written):
                continue
            address, path = _plain(written), ip_path(spec, index)
            owner, service = self._addresses.get(address, ("", None))
            message = ""
            if owner and owner != key:
                where = f" ({service.place('spec', 'clusterIP')})" if service else ""
                message = f"has {written}, which Service {owner} has already{where}"
            elif why := self.ranges.refuse(address):
                if f"IPv{formats.address_version(written)}" not in self.ranges.families:
                    continue  # told of its family
                message = f"has {written}, which is {why}"
            if message:
                yield Mistake(("spec", "clusterIPs"), Wrong.INVALID, message, path, hint=_LEAVE)

    def _judge_port(
        self, service: Manifest, key: str, port: int | None, path: tuple[str | int, ...]
    ) -> Iterator[Mistake]:
        if not port:
            return
        if port not in self.ranges.node_ports:
            first, last = self.ranges.node_ports.start, self.ranges.node_ports.stop - 1
            hint = f"take one from {first} to {last}, or {_LEAVE}"
            message = f"is {port}, which is not in the range {first}-{last}"
            yield Mistake(path, Wrong.INVALID, message, hint=hint)
            return
        owner = self._ports.get(port)
        if owner is not None and owner[0] != key:
            place = owner[1].place("spec", "ports")
            message = f"is {port}, which Service {owner[0]} has already ({place})"
            other = owner[1].name == service.name and owner[1].file != service.file
            yield Mistake(path, Wrong.INVALID, message, hint=_LEAVE, alternative=other)


def _plain(address: str) -> str:
    """One spelling of an address: IPv6 has many."""
    if ":" not in address:
        return address
    import ipaddress  # noqa: PLC0415 - 3 ms, and few manifests write IPv6

    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address
