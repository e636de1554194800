"""portmap: a pod's hostPort, done in nat.

Source: docs/facts/cni.md section 2 (plugins:plugins/meta/portmap/portmap.go: fillDnatRules,
genToplevelDnatChain, genSetMarkChain, genMarkMasqChain); recorded in recordings-cni/portmap and
flannel-host-gw.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from k8stui.because import Because
from k8stui.cluster.model import ContainerPort, Node, Pod
from k8stui.cluster.networks.cni_configurations import closed_host_ports
from k8stui.digest import sha512
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.cni import portmap_nftables
from k8stui.nodes.cni.chains import has_table
from k8stui.nodes.cni.conflist import Configuration, named, switch
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.host_ports import Mapped, asked_at, host_ports, passed_on
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site
from k8stui.record import record

_DNAT = "CNI-HOSTPORT-DNAT"
_MASQ = "CNI-HOSTPORT-MASQ"
_SETMARK = "CNI-HOSTPORT-SETMARK"
_MARK_BIT = 13
"""markMasqBit, the default."""
_BITS = {4: 32, 6: 128}
_HEADER_ORDER = ("-s", "-d", "-i", "-o")
_HEADER = {
    **dict.fromkeys(("-s", "--source", "--src"), "-s"),
    **dict.fromkeys(("-d", "--destination", "--dst"), "-d"),
    **dict.fromkeys(("-i", "--in-interface"), "-i"),
    **dict.fromkeys(("-o", "--out-interface"), "-o"),
}
"""Options of iptables' own, which it prints in front of all matches."""
_WORD = r"[!-~]+"
"""What can be a word of a rule: anything else iptables would not have printed."""
_MATCHING = ("-s", "-d", "-i", "-o", "-p", "-m", "-f")
"""The short options that say what a rule is about."""
_DOING = (
    *("append", "check", "delete", "delete-chain", "flush", "goto", "insert", "jump", "modprobe"),
    *("new-chain", "rename-chain", "replace", "table", "zero"),
)
"""The long ones that say what to do, which no condition does; a beginning of one is enough."""
_PORTS_IN_ONE_RULE = 15
"""What -m multiport takes."""


@record(kw_only=True)
class _Options:
    """What the plug-in is told, as its defaults are where it is told nothing (main.go:parseConfig).

    `nftables`: its backend of that name (plug-ins since 1.6), which has no marks and fails where
    there are conditions (recordings-agents: 1.9.1).
    """

    network: str
    nftables: bool = False
    snat: bool = True
    """Mark what comes from the pods' network and from localhost, for masquerade."""
    bit: int = _MARK_BIT
    set_mark: str = _SETMARK
    """The chain that marks; another program's with externalSetMarkChain."""
    everybody: bool = False
    """masqAll (plug-ins since 1.2): mark all."""
    conditions: tuple[str, str] = ("", "")
    """conditionsV4 or V6: in front of the entry rule's own matches, and behind them."""

    @property
    def mark(self) -> str:
        return f"{1 << self.bit:#x}/{1 << self.bit:#x}"

    @property
    def marks_itself(self) -> bool:
        return self.snat and self.set_mark == _SETMARK


def _options(configuration: Configuration, version: int) -> _Options | None:
    """None: the list does not call the plug-in."""
    told = configuration.chained.get("portmap")
    if told is None:
        return None
    bit = told.get("markMasqBit")
    usable = isinstance(bit, int) and not isinstance(bit, bool) and 0 <= bit <= 31
    written = told.get(f"conditionsV{version}")
    return _Options(
        network=configuration.name,
        nftables=told.get("backend") == "nftables",
        snat=switch(told, "snat", otherwise=True),
        bit=bit if usable and isinstance(bit, int) else _MARK_BIT,
        set_mark=named(told, "externalSetMarkChain", _SETMARK),
        everybody=switch(told, "masqAll", otherwise=False),
        conditions=_printed(written if isinstance(written, list) else (), version),
    )


def _printed(words: Sequence[object], version: int) -> tuple[str, str]:
    """Conditions as iptables-save has them: addresses and devices first, the rest at the end.

    None of them where one word is no condition: another target, a table, a program to run.
    """
    first: dict[str, str] = {}
    rest: list[str] = []
    left = [word for word in words if isinstance(word, str) and re.fullmatch(_WORD, word)]
    if any(map(_does, left)):
        return "", ""
    while left:
        negated = "! " if left[0] == "!" else ""
        left = left[1:] if negated else left
        option = _HEADER.get(left[0]) if left else None
        if option is not None and len(left) > 1:
            value = left[1]
            if option in ("-s", "-d") and "/" not in value:
                value += f"/{_BITS[version]}"
            first[option] = f"{negated}{option} {value} "
            left = left[2:]
        elif left:
            rest.append(f" {negated}{left.pop(0)}")
    return "".join(first[option] for option in _HEADER_ORDER if option in first), "".join(rest)


def _does(word: str) -> bool:
    """Whether it is one of iptables' own options that do something (``-jDROP``, ``--mod=x``)."""
    if word.startswith("--"):
        said = word[2:].partition("=")[0]
        return said != "" and any(one.startswith(said) for one in _DOING)
    return word.startswith("-") and not word.startswith(_MATCHING)


def route_localnet(site: Site, node: Node, device: str, configuration: Configuration) -> Part:
    """``snat: true``: what localhost sends to a hostPort may leave by the pod's or bridge's device.

    Source: plugins:portmap.go:enableLocalnetRouting.
    """
    any_port = any(True for pod in site.pods(node.name) for _ in host_ports(pod))
    told = any_port and routes_localnet(configuration)
    return Part(route_localnet=frozenset((device,) if told else ()))


def routes_localnet(configuration: Configuration) -> bool:
    """Whether the plug-in sets it for devices of pods with a hostPort."""
    options = configuration.chained.get("portmap")
    return options is not None and switch(options, "snat", otherwise=True)


def portmap(
    site: Site, node: Node, version: int, configuration: Configuration
) -> Contribution | None:
    """What portmap has written on `node` for one family; None without a hostPort there.

    Nor where the input's own plug-in is known not to call it, though another list stands here.
    """
    options = _options(configuration, version)
    if options is None or closed_host_ports(site.cluster) is not None:
        return None
    mapped = tuple(_mapped(site, node, version))
    if not mapped:
        return None
    general = Because(
        text="pods of this node have a hostPort",
        origin=configuration.origin,
        owner="portmap",
    )
    if options.nftables or has_table(site, node, portmap_nftables.TABLE):
        return Contribution("portmap", nft=(portmap_nftables.table(mapped, options.snat, general),))
    return _iptables(site, node, mapped, options, general)


def _mapped(site: Site, node: Node, version: int) -> Iterator[Mapped]:
    """Pods of the node with hostPorts and an address of that family."""
    for pod in site.pods(node.name):
        ports = tuple(host_ports(pod))
        address = next((a for a in pod.addresses if a.version == version), None) if ports else None
        if address is not None:
            yield Mapped(pod, ports, address)


def _iptables(
    site: Site, node: Node, mapped: Sequence[Mapped], options: _Options, general: Because
) -> Contribution:
    entries: list[Rule] = []
    chains: dict[str, Chain] = {}
    for one in mapped:
        pod, address = one.pod, one.address
        digest = sha512(f"{options.network}{pod.container_id}".encode()).hexdigest()
        name = f"CNI-DN-{digest}"[:28]
        network = site.network_of(node, address) or Prefix(address, address.bits)
        entries += _entries(pod, one.ports, name, options)
        rules = [
            rule
            for port in one.here
            for rule in _pod_rules(name, _Target(pod, port, address, network), options)
        ]
        chains[name] = Chain(name, tuple(rules))
    chains[_DNAT] = Chain(_DNAT, tuple(entries))
    local = f"-m addrtype --dst-type LOCAL -j {_DNAT}"
    jumps = [
        Jump("PREROUTING", Rule(f"-A PREROUTING {local}", general)),
        Jump("OUTPUT", Rule(f"-A OUTPUT {local}", general)),
    ]
    if options.marks_itself:
        chains[_MASQ] = Chain(
            _MASQ, (Rule(f"-A {_MASQ} -m mark --mark {options.mark} -j MASQUERADE", general),)
        )
        mark = '-m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark'
        chains[_SETMARK] = Chain(_SETMARK, (Rule(f"-A {_SETMARK} {mark} {options.mark}", general),))
        masq = f'-m comment --comment "CNI portfwd requiring masquerade" -j {_MASQ}'
        jumps.append(Jump("POSTROUTING", Rule(f"-A POSTROUTING {masq}", general), insert=True))
    return Contribution("portmap", {"nat": TablePart(chains=chains, jumps=tuple(jumps))})


def _entries(
    pod: Pod, ports: Sequence[ContainerPort], name: str, options: _Options
) -> Iterator[Rule]:
    """One rule a protocol (sorted by name) and 15 ports in CNI-HOSTPORT-DNAT."""
    said = f'dnat name: \\"{options.network}\\" id: \\"{pod.container_id}\\"'
    comment = f'"{_trimmed(said)}"'
    first, rest = options.conditions
    by_protocol = sorted(ports, key=lambda port: port.protocol.name.lower())
    for protocol, group in groupby(by_protocol, key=lambda port: port.protocol.name.lower()):
        numbers = list(group)
        for start in range(0, len(numbers), _PORTS_IN_ONE_RULE):
            some = numbers[start : start + _PORTS_IN_ONE_RULE]
            yield Rule(
                f"-A {_DNAT} {first}-p {protocol} -m comment --comment {comment} -m multiport "
                f"--dports {','.join(str(port.host_port) for port in some)}{rest} -j {name}",
                passed_on(pod, some[0], "portmap"),
            )


def _trimmed(said: str) -> str:
    """A comment has 255 characters at most (utils.go:trimComment); a quote is printed as two."""
    plain = said.replace('\\"', '"')
    return plain[:255].replace('"', '\\"')


class _Target(NamedTuple):
    """Where a hostPort leads to."""

    pod: Pod
    port: ContainerPort
    address: Address
    network: Prefix


def _pod_rules(name: str, target: _Target, options: _Options) -> Iterator[Rule]:
    """Mark what comes from the pod's network or from localhost, then DNAT.

    The mark covers every pod of the node: each is seen as the bridge's address (hairpin).
    """
    pod, port, address, network = target
    because = passed_on(pod, port, "portmap")
    protocol = port.protocol.name.lower()
    asked = asked_at(port)
    host = f"-d {asked}/{asked.bits} " if asked is not None else ""
    match = f"{host}-p {protocol} -m {protocol} --dport {port.host_port}"
    if options.snat and options.everybody:
        yield Rule(f"-A {name} {match} -j {options.set_mark}", because)
    elif options.snat:
        yield Rule(f"-A {name} -s {network} {match} -j {options.set_mark}", because)
        if address.version == 4:
            yield Rule(f"-A {name} -s 127.0.0.1/32 {match} -j {options.set_mark}", because)
    there = address.with_port(port.number)
    yield Rule(f"-A {name} {match} -j DNAT --to-destination {there}", because)
