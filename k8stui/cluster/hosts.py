"""Hosts outside of the cluster that the user names: ``--host NAME=ADDRESS[:PORT]``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from k8stui.errors import K8sTuiError
from k8stui.kernel.address import Address
from k8stui.origin import Origin, OriginKind
from k8stui.record import record


class HostOptionError(K8sTuiError):
    """What stands behind ``--host`` is not of the form NAME=ADDRESS[:PORT]."""

    def __init__(self, written: str, why: str) -> None:
        super().__init__(written, why)
        self.written = written
        self.why = why

    def __str__(self) -> str:
        return f"--host takes NAME=ADDRESS[:PORT], not {self.written!r}: {self.why}"


@record(kw_only=True)
class OutsideHost:
    """One host: its name resolves for everybody, and it listens on its ports alone."""

    name: str
    """In lower case, without a dot at the end."""
    address: Address
    ports: frozenset[int] = frozenset()
    """TCP and UDP; empty: every port, as of a host of which nothing is known."""

    @property
    def written(self) -> tuple[str, ...]:
        """What stands behind ``--host``, once a port."""
        address = f"[{self.address}]" if self.address.version == 6 else f"{self.address}"
        texts = tuple(f"{self.name}={address}:{port}" for port in sorted(self.ports))
        return texts or (f"{self.name}={self.address}",)

    @property
    def origin(self) -> Origin:
        return Origin(kind=OriginKind.DECLARED, reason=f"--host {self.name}={self.address}")


def read_hosts(written: Iterable[str]) -> Mapping[str, OutsideHost]:
    """The hosts by name. A name that is given again with its address has several ports.

    Raises:
        HostOptionError: one of them is not understood, or has two addresses.

    """
    hosts: dict[str, OutsideHost] = {}
    for text in written:
        host = _host(text)
        before = hosts.setdefault(host.name, host)
        if before.address != host.address:
            raise HostOptionError(text, f"{host.name} is {before.address} already")
        hosts[host.name] = replace(host, ports=before.ports | host.ports)
    return hosts


def _host(text: str) -> OutsideHost:
    name, equals, place = text.partition("=")
    name = name.rstrip(".").lower()
    if not (name and equals and place):
        raise HostOptionError(text, "a name, = and an address are needed")
    shown, port = place, ""
    if place.startswith("["):
        shown, _, port = place[1:].partition("]")
        port = port.removeprefix(":")
    elif place.count(":") == 1:
        shown, _, port = place.partition(":")
    try:
        address = Address.parse(shown)
    except ValueError:
        raise HostOptionError(text, f"{shown!r} is no IP address") from None
    if not port and not place.endswith(":"):
        return OutsideHost(name=name, address=address)
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise HostOptionError(text, f"{port!r} is no port")
    return OutsideHost(name=name, address=address, ports=frozenset({int(port)}))
