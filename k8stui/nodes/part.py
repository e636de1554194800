"""A piece of a namespace: what one program, or the set-up, puts there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from k8stui.because import Because
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.ipset import IpSet
from k8stui.kernel.namespace import (
    FdbEntry,
    Interface,
    InterfaceAddress,
    Judge,
    Neighbour,
    PolicyRule,
    Route,
    Socket,
)
from k8stui.record import record

DEFAULT_ROUTE = {4: Prefix.parse("0.0.0.0/0"), 6: Prefix.parse("::/0")}


@record(kw_only=True)
class Part:
    """What the kernel adds for each address is not in it."""

    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] = ()
    taken_away: frozenset[tuple[str | None, Prefix]] = frozenset()
    """Connected routes that the kernel adds and the program deletes: (device, destination)."""
    neighbours: tuple[Neighbour, ...] = ()
    fdb: tuple[FdbEntry, ...] = ()
    sockets: tuple[Socket, ...] = ()
    route_localnet: frozenset[str] = frozenset()
    """Devices whose ``net.ipv4.conf.DEVICE.route_localnet`` the program sets to 1."""
    rp_filter: Mapping[str, int] = field(default_factory=dict)
    """Devices whose ``net.ipv4.conf.DEVICE.rp_filter`` the program sets."""
    policy_rules: tuple[PolicyRule, ...] = ()
    """Beside the kernel's own three."""
    sets: Mapping[str, IpSet] = field(default_factory=dict)
    """ipsets that its rules ask."""
    judges: tuple[Judge, ...] = ()
    """What decides about packets there by other means than netfilter's rules."""
    by_pod: bool = False
    """Whether it hangs on the pods of other nodes one by one, not on their nodes' networks."""

    def __add__(self, other: Part) -> Part:
        return Part(
            interfaces=self.interfaces + other.interfaces,
            routes=self.routes + other.routes,
            taken_away=self.taken_away | other.taken_away,
            neighbours=self.neighbours + other.neighbours,
            fdb=self.fdb + other.fdb,
            sockets=self.sockets + other.sockets,
            route_localnet=self.route_localnet | other.route_localnet,
            rp_filter={**self.rp_filter, **other.rp_filter},
            policy_rules=self.policy_rules + other.policy_rules,
            sets={**self.sets, **other.sets},
            judges=self.judges + other.judges,
            by_pod=self.by_pod or other.by_pod,
        )


def interface_address(
    address: Address, prefix_length: int, reason: Because | None
) -> InterfaceAddress:
    """An address as `ip` gets it with ``brd +``: IPv4 networks have a broadcast address."""
    network = Prefix.of(address, prefix_length)
    return InterfaceAddress(
        address=address,
        prefix_length=prefix_length,
        broadcast=network.nth(-1) if address.version == 4 and prefix_length < 31 else None,
        reason=reason,
    )
