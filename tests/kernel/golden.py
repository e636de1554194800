"""The network of a `state-*.json`, and the packets of a walk in one comparable form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from k8stui.kernel import iproute, save
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import (
    FdbEntry,
    Interface,
    LinkKind,
    NetNamespace,
    Network,
    Socket,
    Sysctls,
    Vxlan,
)
from k8stui.kernel.packet import Packet, Protocol, TcpFlags
from k8stui.kernel.step import Capture

CABLES = {
    ("wire", "rtr"): ("router", "eth0"),
    ("router", "eth1"): ("outside", "eth0"),
}
"""Cables that the README describes and no name or MAC address gives away."""
POD_PORTS = ((Protocol.TCP, 8080), (Protocol.UDP, 53))
HOST_PORTS = ((Protocol.TCP, 9100), (Protocol.UDP, 9101))


def build(state: Mapping[str, Mapping[str, Any]]) -> Network:
    """The network that a state file describes."""
    spaces = {name: _namespace(name, data) for name, data in state.items()}
    peers = _peers(spaces)
    for name, space in spaces.items():
        devices = tuple(
            replace(device, peer=peers.get((name, device.name))) for device in space.interfaces
        )
        spaces[name] = replace(space, interfaces=devices)
    return {name: _warm(space, spaces) for name, space in spaces.items()}


@cache
def load(path: Path) -> Network:
    return build(json.loads(path.read_text()))


def _namespace(name: str, data: Mapping[str, Any]) -> NetNamespace:
    links = data["addr"]
    devices = iproute.interfaces(links, data.get("bridge -j -d link", ()))
    devices = tuple(_with_vxlan(device, devices) for device in devices)
    sysctl = data["sysctl"]
    ports = POD_PORTS if name.startswith("pod/") else HOST_PORTS
    lines = data.get("iptables-save")
    return NetNamespace(
        name=name,
        interfaces=devices,
        routes=iproute.routes(data["route"]),
        policy_rules=iproute.policy_rules(data["rule"]),
        neighbours=iproute.neighbours(data["neigh"]),
        fdb=iproute.fdb(data.get("bridge fdb show", ())),
        rulesets={4: save.parse("\n".join(lines) + "\n")} if lines else {},
        sysctls=Sysctls(
            ip_forward=sysctl["ipv4/ip_forward"] == "1",
            bridge_nf_call_iptables=sysctl["bridge/bridge-nf-call-iptables"] == "1",
            rp_filter={dev: int(value) for dev, value in _conf(sysctl, "rp_filter")},
            route_localnet={dev: value == "1" for dev, value in _conf(sysctl, "route_localnet")},
        ),
        sockets=()
        if name in ("wire", "router")
        else tuple(Socket(protocol=protocol, port=port) for protocol, port in ports),
    )


def _conf(sysctl: Mapping[str, str], name: str) -> Iterator[tuple[str, str]]:
    for key, value in sysctl.items():
        match = re.fullmatch(rf"ipv4/conf/([^/]+)/{name}", key)
        if match:
            yield match[1], value


def _with_vxlan(device: Interface, devices: tuple[Interface, ...]) -> Interface:
    match = re.fullmatch(r"flannel\.(\d+)", device.name)
    if not match:
        return device
    under = next(one for one in devices if one.name == "eth0")
    local = under.addresses[0].address
    return replace(
        device, kind=LinkKind.VXLAN, vxlan=Vxlan(vni=int(match[1]), local=local), master=None
    )


def _peers(spaces: Mapping[str, NetNamespace]) -> dict[tuple[str, str], tuple[str, str]]:
    """Both ends of every cable: host veths carry the pod's MAC address behind 06:00."""
    pods = {
        device.mac[5:]: (name, device.name)
        for name, space in spaces.items()
        if name.startswith("pod/")
        for device in space.interfaces
        if device.name == "eth0"
    }
    ends = {pair: other for pair, other in CABLES.items() if pair[0] in spaces}
    for name, space in spaces.items():
        for device in space.interfaces:
            if device.master and device.mac.startswith("06:00") and device.mac[5:] in pods:
                ends[name, device.name] = pods[device.mac[5:]]
            elif device.master and device.name in spaces:
                ends[name, device.name] = (device.name, "eth0")
    return ends | {other: pair for pair, other in ends.items()}


def _warm(space: NetNamespace, spaces: Mapping[str, NetNamespace]) -> NetNamespace:
    """A switch whose forwarding database was not listed has learned who is behind each port."""
    if space.fdb or not any(device.master for device in space.interfaces):
        return space
    learned = []
    for port in space.interfaces:
        far = spaces[port.peer[0]].interface(port.peer[1]) if port.peer else None
        if port.master and far:
            learned.append(FdbEntry(mac=far.mac, device=port.name))
    return replace(space, fdb=tuple(learned))


def source_of(request: Mapping[str, Any]) -> str:
    """The namespace that asks: ``pod/client (…)``, ``node/node-1``, ``outside (…)``."""
    return str(request["source"]).split(" ")[0].removeprefix("node/")


class Ports:
    """Random ports: each gets a name where it first appears."""

    def __init__(self, known: set[int], seen: int | None = None) -> None:
        self.known = known
        self.digits = len(str(seen or 0))
        """Of the client's port as the server saw it: a UDP answer names it, and is as long."""
        self.names: dict[int, str] = {}

    def __call__(self, port: int) -> int | str:
        if port in self.known:
            return port
        return self.names.setdefault(port, f"random-{len(self.names) + 1}")


def known_ports(walk: Mapping[str, Any], state: str) -> set[int]:
    """Ports that are not random: asked for, listened on, or named by a rule."""
    request = walk["request"]
    named = {int(port) for port in re.findall(r"(?:dport |:)(\d+)\b", state)}
    fixed = {8080, 53, 9100, 9101, 8472, int(request["source_port"])}
    return named | fixed | {int(request["destination"].rsplit(":", 1)[1])}


def recorded(packet: Mapping[str, Any], ports: Ports) -> tuple[object, ...]:
    """A packet of a walk file, comparable with `captured`."""
    if "arp" in packet:
        arp = packet["arp"]
        return (
            packet["dev"],
            packet["dir"],
            packet["smac"],
            packet["dmac"],
            "arp",
            arp["op"],
            arp["spa"],
            arp["tpa"],
        )
    return (packet["dev"], packet["dir"], packet["direction"], *_recorded_header(packet, ports))


def _recorded_header(packet: Mapping[str, Any], ports: Ports) -> tuple[object, ...]:
    inner = packet.get("inner")
    return (
        packet.get("smac", ""),
        packet.get("dmac", ""),
        packet["proto"],
        packet["src"],
        packet["dst"],
        packet["ttl"],
        packet["len"] - (ports.digits if _is_answer(packet["proto"], packet["len"]) else 0),
        packet.get("df", False),
        ports(packet["sport"]) if "sport" in packet else None,
        ports(packet["dport"]) if "dport" in packet else None,
        "".join(sorted(packet.get("flags", ""))),
        packet.get("type"),
        packet.get("code"),
        packet.get("mtu", 0),
        packet.get("vni"),
        _recorded_header(inner, ports) if inner else None,
    )


def _is_answer(protocol: str, length: int) -> bool:
    return protocol == "UDP" and 33 < length < 100


def captured(capture: Capture, ports: Ports) -> tuple[object, ...]:
    """A capture of a simulated walk, comparable with `recorded`."""
    packet = capture.packet
    where = (capture.device, "in" if capture.incoming else "out")
    if capture.arp:
        operation = "who-has" if packet.icmp_type == 1 else "reply"
        addresses = (str(packet.src), str(packet.dst))
        return (*where, packet.smac, packet.dmac, "arp", operation, *addresses)
    return (*where, capture.direction.value, *_captured_header(packet, ports))


def _captured_header(packet: Packet, ports: Ports) -> tuple[object, ...]:
    has_ports = packet.protocol not in (Protocol.ICMP, Protocol.ICMPV6)
    flags = {"F": TcpFlags.FIN, "S": TcpFlags.SYN, "R": TcpFlags.RST, "A": TcpFlags.ACK}
    return (
        packet.smac,
        packet.dmac,
        packet.protocol.name,
        str(packet.src),
        str(packet.dst),
        packet.ttl,
        packet.length_bytes
        - (ports.digits if _is_answer(packet.protocol.name, packet.length_bytes) else 0),
        packet.dont_fragment,
        ports(packet.sport) if has_ports else None,
        ports(packet.dport) if has_ports else None,
        "".join(sorted(letter for letter, flag in flags.items() if packet.flags & flag)),
        None if has_ports else packet.icmp_type,
        None if has_ports else packet.icmp_code,
        packet.mtu_bytes,
        packet.vni,
        _captured_header(packet.inner, ports) if packet.inner else None,
    )


def entry(line: str, ports: Ports) -> str:
    """A conntrack line with its random ports named."""
    return re.sub(r"(sport|dport)=(\d+)", lambda match: f"{match[1]}={ports(int(match[2]))}", line)


def destination_of(request: Mapping[str, Any]) -> tuple[Address, int]:
    address, port = str(request["destination"]).rsplit(":", 1)
    return Address.parse(address), int(port)
