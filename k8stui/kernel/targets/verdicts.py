"""ACCEPT, DROP, REJECT and the NAT targets (iptables-extensions(8), TARGET EXTENSIONS)."""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.matches.base import Option
from k8stui.kernel.matches.header import Network
from k8stui.kernel.targets.base import Decide, Return, Target, TargetGrammar
from k8stui.kernel.verdict import (
    Accept,
    AddressRange,
    Dnat,
    Drop,
    Masquerade,
    Netmap,
    PortRange,
    Redirect,
    Reject,
    Snat,
)

_REJECT_NAMES = {
    "net-unreach": "icmp-net-unreachable",
    "host-unreach": "icmp-host-unreachable",
    "proto-unreach": "icmp-proto-unreachable",
    "port-unreach": "icmp-port-unreachable",
    "net-prohib": "icmp-net-prohibited",
    "host-prohib": "icmp-host-prohibited",
    "admin-prohib": "icmp-admin-prohibited",
    "tcp-rst": "tcp-reset",
    "no-route": "icmp6-no-route",
    "adm-prohibited": "icmp6-adm-prohibited",
    "addr-unreach": "icmp6-addr-unreachable",
    "policy-fail": "icmp6-policy-fail",
    "reject-route": "icmp6-reject-route",
}
"""Short names → what iptables-save prints (libipt_REJECT.c, libip6t_REJECT.c)."""


def _reject(options: Sequence[Option]) -> Target:
    with_ = options[0].values[0] if options else "icmp-port-unreachable"
    with_ = _REJECT_NAMES.get(with_, with_)
    return Decide(Reject(with_), f"REJECT --reject-with {with_}")


def _flags(options: Sequence[Option], *names: str) -> str:
    given = {option.name for option in options}
    return "".join(f" {name}" for name in names if name in given)


def _value(options: Sequence[Option], name: str) -> str | None:
    values = [option.values[0] for option in options if option.name == name]
    if len(values) > 1:
        raise ValueError(f"several {name}: kernels since 2.6.11 know only one")
    return values[0] if values else None


def _port_range(text: str, separator: str = "-") -> PortRange:
    first, dash, last = text.partition(separator)
    return int(first), int(last if dash else first)


def _endpoint(text: str) -> tuple[AddressRange | None, PortRange | None, int | None]:
    """Read ``A[-B][:P[-Q[/BASE]]]``, the addresses of IPv6 in brackets when a port follows."""
    if text.startswith("["):
        addresses_text, _, ports_text = text[1:].partition("]")
        ports_text = ports_text.removeprefix(":")
        addresses_text = addresses_text.replace("]-[", "-")
    elif text.count(":") > 1:
        addresses_text, ports_text = text, ""
    else:
        addresses_text, _, ports_text = text.partition(":")
    addresses = None
    if addresses_text:
        first, dash, last = addresses_text.partition("-")
        addresses = Address.parse(first), Address.parse(last if dash else first)
    ports_text, slash, base = ports_text.partition("/")
    ports = _port_range(ports_text) if ports_text else None
    return addresses, ports, int(base) if slash else None


def _dnat(options: Sequence[Option]) -> Target:
    to = _value(options, "--to-destination")
    if to is None:
        raise ValueError("--to-destination is missing")
    addresses, ports, base = _endpoint(to)
    flags = _flags(options, "--random", "--persistent")
    verdict = Dnat(addresses, ports, "--random" in flags, "--persistent" in flags, base_port=base)
    return Decide(verdict, f"DNAT --to-destination {to}{flags}")


def _snat(options: Sequence[Option]) -> Target:
    to = _value(options, "--to-source")
    if to is None:
        raise ValueError("--to-source is missing")
    addresses, ports, base = _endpoint(to)
    if base is not None:
        raise ValueError("SNAT has no base port")
    flags = _flags(options, "--random", "--random-fully", "--persistent")
    given = flags.split()
    verdict = Snat(
        addresses,
        ports,
        "--random" in given,
        "--persistent" in given,
        "--random-fully" in given,
    )
    return Decide(verdict, f"SNAT --to-source {to}{flags}")


def _masquerade(options: Sequence[Option]) -> Target:
    to = _value(options, "--to-ports")
    flags = _flags(options, "--random", "--random-fully")
    given = flags.split()
    verdict = Masquerade(
        _port_range(to) if to else None, "--random" in given, "--random-fully" in given
    )
    return Decide(verdict, "MASQUERADE" + (f" --to-ports {to}" if to else "") + flags)


def _redirect(options: Sequence[Option]) -> Target:
    to = _value(options, "--to-ports")
    flags = _flags(options, "--random")
    verdict = Redirect(_port_range(to) if to else None, bool(flags))
    return Decide(verdict, "REDIRECT" + (f" --to-ports {to}" if to else "") + flags)


def _netmap(options: Sequence[Option]) -> Target:
    to = _value(options, "--to")
    if to is None:
        raise ValueError("--to is missing")
    network = Network.parse(to)
    prefix = Prefix.of(Address(network.version, network.value), network.mask.bit_count())
    return Decide(Netmap(prefix), f"NETMAP --to {network}")


GRAMMARS = {
    "ACCEPT": TargetGrammar(arity={}, build=lambda _: Decide(Accept(), "ACCEPT")),
    "DROP": TargetGrammar(arity={}, build=lambda _: Decide(Drop(), "DROP")),
    "RETURN": TargetGrammar(arity={}, build=lambda _: Return()),
    "REJECT": TargetGrammar(arity={"--reject-with": 1}, build=_reject),
    "DNAT": TargetGrammar(
        arity={"--to-destination": 1, "--random": 0, "--persistent": 0}, build=_dnat
    ),
    "SNAT": TargetGrammar(
        arity={"--to-source": 1, "--random": 0, "--random-fully": 0, "--persistent": 0},
        build=_snat,
    ),
    "MASQUERADE": TargetGrammar(
        arity={"--to-ports": 1, "--random": 0, "--random-fully": 0}, build=_masquerade
    ),
    "REDIRECT": TargetGrammar(arity={"--to-ports": 1, "--random": 0}, build=_redirect),
    "NETMAP": TargetGrammar(arity={"--to": 1}, build=_netmap),
}
