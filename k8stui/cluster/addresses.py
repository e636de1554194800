"""Addresses and node ports where the input has none: stable, so that nothing is renumbered.

What is written or observed always wins; the rest is chosen by a hash of ``namespace/name``, with
the next free one taken on a collision. Bands as the allocators have them:
docs/facts/control-plane.md section 3 (pkg/registry/core/service/ipallocator, portallocator).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from k8stui.cluster.fields import Origins
from k8stui.cluster.model import Node, Service, ServicePort, ServiceType
from k8stui.digest import sha256
from k8stui.errors import K8sTuiError
from k8stui.kernel.address import Address, Prefix
from k8stui.origin import Origin, assumed

NODE_PORTS = range(30000, 32768)

_FIRST_POD = 2
"""The bridge has .1 (host-local, ``rangeStart``)."""


def draw(key: str, size: int) -> int:
    """A number below `size` that only depends on `key`."""
    return int.from_bytes(sha256(key.encode()).digest()[:8], "big") % size


def dynamic_band(cidr: Prefix) -> range:
    """Offsets inside `cidr` that are given out at random (ipallocator calculateRangeOffset).

    The network address is never given, the last one neither in IPv4.
    """
    size = 1 << (cidr.address.bits - cidr.length)
    offset = 0 if size <= 16 else min(max(16, size // 16), 256)
    end = size - 1 if cidr.address.version == 4 else size
    return range(1 + offset, max(end, 1 + offset))


def dynamic_ports(ports: range) -> range:
    """Those of the node ports that are given out at random (portallocator calculateRangeOffset).

    30086 and up of the usual range: the first 86 are left for those that are written.
    """
    size = len(ports)
    return ports[0 if size < 16 else min(max(16, size // 32), 128) :]


def _rotated(key: str, band: range) -> Iterator[int]:
    """All of `band`, from a place on that only depends on `key`, and round the end."""
    size = band.stop - band.start  # len() stops at 2**63, an IPv6 range does not
    if size <= 0:
        return
    start = draw(key, size)
    for step in range(size):
        yield band.start + (start + step) % size


class RangeIsFullError(K8sTuiError):
    """The API server refuses a Service, for no number is left to give it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"failed to allocate a {what}: range is full")


class ServiceAllocator:
    """Gives clusterIPs and node ports to the Services of one cluster."""

    def __init__(
        self,
        services: Iterable[Service],
        cidrs: Mapping[int, Prefix],
        node_ports: range = NODE_PORTS,
    ) -> None:
        self._cidrs = cidrs
        self._port_range = node_ports
        # Every cluster has default/kubernetes, whether the input says so or not.
        self._addresses = {cidr.nth(1) for cidr in itertools.islice(cidrs.values(), 1)}
        self._ports: set[int] = set()
        for service in services:
            self._addresses.update(service.cluster_ips)
            self._ports.update(port.node_port for port in service.ports if port.node_port)
            if service.health_check_node_port:
                self._ports.add(service.health_check_node_port)

    def complete(self, service: Service) -> Service:
        """Return `service` with everything that the API server would have allocated for it.

        Raises:
            RangeIsFullError: there is nothing left of what it needs.

        """
        if service.type is ServiceType.EXTERNAL_NAME:
            return service
        decided: dict[str, Origin] = {}
        cluster_ips = service.cluster_ips
        if not service.headless:
            cluster_ips = self._cluster_ips(service)
            if cluster_ips != service.cluster_ips:
                decided["cluster_ips"] = assumed(
                    "chosen by a hash of namespace/name; the API server takes one at random",
                    service.origin.place,
                )
        ports = self._node_ports(service)
        health = service.health_check_node_port
        if (
            service.type is ServiceType.LOAD_BALANCER
            and service.external_traffic_policy == "Local"
            and not health
        ):
            health = self._port(f"{service.key}:health")
            decided["health_check_node_port"] = assumed(_PORT_REASON, service.origin.place)
        if not decided and ports is service.ports:
            return service
        origins = service.origins
        return replace(
            service,
            cluster_ips=cluster_ips,
            ports=ports,
            health_check_node_port=health,
            origins=origins.deciding(decided) if isinstance(origins, Origins) else decided,
        )

    def _cluster_ips(self, service: Service) -> tuple[Address, ...]:
        have = {address.version: address for address in service.cluster_ips}
        for family in service.ip_families:
            if family not in have and family in self._cidrs:
                have[family] = self._address(service.key, self._cidrs[family])
        order = {family: place for place, family in enumerate(service.ip_families)}
        return tuple(sorted(have.values(), key=lambda a: order.get(a.version, len(order))))

    def _address(self, key: str, cidr: Prefix) -> Address:
        """A free address: of the upper band, else of the lower (bitmap.go AllocateNext)."""
        band = dynamic_band(cidr)
        lower = range(1, band.start)
        for offset in itertools.chain(_rotated(key, band), _rotated(key, lower)):
            address = cidr.nth(offset)
            if address not in self._addresses:
                self._addresses.add(address)
                return address
        what = "serviceIP"
        raise RangeIsFullError(what)

    def _node_ports(self, service: Service) -> tuple[ServicePort, ...]:
        wants = service.type is ServiceType.NODE_PORT or (
            service.type is ServiceType.LOAD_BALANCER and service.allocate_load_balancer_node_ports
        )
        if not wants or all(port.node_port for port in service.ports):
            return service.ports
        # Ports of one Service with the same number share their node port (initNodePorts).
        by_number = {port.port: port.node_port for port in service.ports if port.node_port}
        completed = []
        for port in service.ports:
            if port.node_port:
                completed.append(port)
                continue
            if port.port not in by_number:
                by_number[port.port] = self._port(f"{service.key}:{port.port}")
            decided = {"node_port": assumed(_PORT_REASON, port.origin.place)}
            origins = port.origins
            completed.append(
                replace(
                    port,
                    node_port=by_number[port.port],
                    origins=origins.deciding(decided) if isinstance(origins, Origins) else decided,
                )
            )
        return tuple(completed)

    def _port(self, key: str) -> int:
        """A free node port, as `_address`."""
        upper = dynamic_ports(self._port_range)
        lower = range(self._port_range.start, upper.start)
        for port in itertools.chain(_rotated(key, upper), _rotated(key, lower)):
            if port not in self._ports:
                self._ports.add(port)
                return port
        what = "nodePort"
        raise RangeIsFullError(what)


_PORT_REASON = "chosen by a hash of namespace/name:port; the API server takes one at random"


class PodAllocator:
    """Gives addresses to pods, node by node, from .2 up in the order in which they are asked."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes
        self._taken = {address for node in nodes.values() for address in node.addresses}
        self._next: dict[Prefix, int] = {}

    def take(self, addresses: Iterable[Address]) -> None:
        """Somebody has them already."""
        self._taken.update(addresses)

    def addresses(self, node_name: str, *, host_network: bool) -> tuple[Address, ...]:
        """Addresses of one pod: one per family of the node's pod ranges.

        A pod on the node's network has the node's own, one per family.
        """
        node = self._nodes[node_name]
        if host_network:
            return tuple(a for a in (node.address(4), node.address(6)) if a is not None)
        return tuple(
            address for cidr in node.pod_cidrs if (address := self._take(cidr)) is not None
        )

    def _take(self, cidr: Prefix) -> Address | None:
        size = 1 << (cidr.address.bits - cidr.length)
        end = size - 1 if cidr.address.version == 4 else size
        for offset in range(self._next.get(cidr, _FIRST_POD), end):
            address = cidr.nth(offset)
            if address not in self._taken:
                self._next[cidr] = offset + 1
                return address
        return None


def pod_range(cluster: Prefix, index: int) -> Prefix:
    """The N-th node's part of the cluster's pod range: a /24, in IPv6 a /64.

    Source: kube-controller-manager --node-cidr-mask-size-ipv4 (24), -ipv6 (64). A smaller range
    is cut into sixteen.
    """
    usual = 24 if cluster.address.version == 4 else 64
    length = usual if cluster.length <= usual else min(cluster.length + 4, cluster.address.bits)
    shift = cluster.address.bits - length
    base = Address(cluster.address.version, cluster.address.value + (index << shift))
    return Prefix.of(base, length)
