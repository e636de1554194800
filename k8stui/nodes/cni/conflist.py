"""What a network configuration says to each plug-in in it, judged where it is read.

Source: plugins:plugins/main/bridge/bridge.go:NetConf, main/ptp/ptp.go:NetConf,
ipam/host-local/backend/allocator/config.go, meta/portmap/main.go:PortMapConf,
meta/firewall/firewall.go:FirewallNetConf (1.1.1; what came later is named).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8stui.cluster.model import CniConfiguration
from k8stui.kernel.address import Address, Prefix
from k8stui.nodes.site import Site
from k8stui.origin import Origin, defaulted
from k8stui.record import record

_USUAL_NAME = "k8s-pod-network"
_NOTHING: Mapping[str, object] = {}
_CHAIN, _DEVICE = r"[a-zA-Z0-9_][\w.:-]{0,27}", r"[a-zA-Z0-9_][\w.-]{0,14}"
_LEAST_MTU, _LARGEST_MTU = 68, 65535


@record(kw_only=True)
class StaticRoute:
    """One of ipam's ``routes``."""

    destination: Prefix
    gateway: Address | None = None
    """None: the network's gateway."""


@record(kw_only=True)
class Configuration:
    """A list by its plug-ins: the first makes the pod's device, the others are called behind it."""

    name: str = _USUAL_NAME
    main: Mapping[str, object]
    chained: Mapping[str, Mapping[str, object]]
    """By type."""
    origin: Origin

    def says(self, key: str, *, otherwise: bool = False) -> bool:
        """A switch of the first plug-in."""
        return switch(self.main, key, otherwise=otherwise)

    def device(self, key: str, otherwise: str) -> str:
        """The name of a device; what the kernel refuses (net/core/dev.c) is not used."""
        return _named(self.main, key, otherwise, _DEVICE)

    @property
    def mtu_bytes(self) -> int | None:
        """None: it is not set, and the kernel's 1500 stays."""
        return mtu(self.main.get("mtu"))

    @property
    def routes(self) -> tuple[StaticRoute, ...]:
        """Ipam's routes. What is no route is left out: the runtime would refuse the list."""
        return tuple(_routes(self._ipam))

    @property
    def gateways(self) -> tuple[tuple[Prefix, Address], ...]:
        """Gateways that ranges of host-local name themselves, by network."""
        found = ((_prefix(one.get("subnet")), _address(one.get("gateway"))) for one in self._ranges)
        return tuple((net, way) for net, way in found if net and way and _is_alike(net, way))

    @property
    def _ranges(self) -> Iterator[Mapping[str, object]]:
        """Ranges of host-local: sets of ranges, or one range in ipam itself."""
        yield self._ipam
        sets = self._ipam.get("ranges")
        for one in sets if isinstance(sets, list) else ():
            yield from (each for each in one if isinstance(each, Mapping))

    @property
    def _ipam(self) -> Mapping[str, object]:
        found = self.main.get("ipam")
        return found if isinstance(found, Mapping) else _NOTHING


def configured(site: Site, type_: str) -> Configuration | None:
    """The input's first list that begins with a plug-in of that type; None: there is none."""
    for one in site.cluster.cni_configurations:
        if one.plugins[0]["type"] == type_:
            return of(one)
    return None


def of(one: CniConfiguration) -> Configuration:
    main, *others = one.plugins
    chained = {str(each["type"]): each for each in reversed(others)}
    return Configuration(name=one.name, main=main, chained=chained, origin=one.origin)


def assumed_list(main: Mapping[str, object], said: str) -> Configuration:
    """The list that is assumed where the input has none: with portmap."""
    return Configuration(main=main, chained={"portmap": _NOTHING}, origin=defaulted(said))


def named(options: Mapping[str, object], key: str, otherwise: str) -> str:
    """The name of a chain; what iptables does not take is not used."""
    return _named(options, key, otherwise, _CHAIN)


def _named(options: Mapping[str, object], key: str, otherwise: str, pattern: str) -> str:
    found = options.get(key)
    usable = isinstance(found, str) and re.fullmatch(pattern, found, re.ASCII)
    return str(found) if usable else otherwise


def mtu(written: object, around: int = 0) -> int | None:
    """What a device takes in bytes (ETH_MIN_MTU); else None. `around`: what a tunnel puts there."""
    usable = isinstance(written, int) and _LEAST_MTU + around <= written <= _LARGEST_MTU
    return written if isinstance(written, int) and usable else None


def switch(options: Mapping[str, object], key: str, *, otherwise: bool) -> bool:
    """A switch of one plug-in's options."""
    found = options.get(key)
    return found if isinstance(found, bool) else otherwise


def _routes(ipam: Mapping[str, object]) -> Iterator[StaticRoute]:
    written = ipam.get("routes")
    for one in written if isinstance(written, list) else ():
        if isinstance(one, Mapping):
            destination = _prefix(one.get("dst"))
            gateway = _address(one.get("gw"))
            if destination and (gateway is None or _is_alike(destination, gateway)):
                yield StaticRoute(destination=destination, gateway=gateway)


def _is_alike(prefix: Prefix, address: Address) -> bool:
    return prefix.address.version == address.version


def _prefix(written: object) -> Prefix | None:
    try:
        return Prefix.parse(written) if isinstance(written, str) else None
    except ValueError:
        return None


def _address(written: object) -> Address | None:
    try:
        return Address.parse(written) if isinstance(written, str) else None
    except ValueError:
        return None
