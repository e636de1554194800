"""Recorded namespaces of recordings-cni (`NODE.json`) next to ours, in one comparable form.

What a kernel or plug-in draws at random (veth names, MAC addresses, indexes) is not compared;
IPv6 link-local addresses are the recording lab's own.
"""

from __future__ import annotations

from typing import Any

from k8stui.kernel.namespace import Interface, LinkKind, NetNamespace, Route

Shape = dict[str, Any]


def recorded_devices(dump: Shape) -> list[Shape]:
    ports = {port["ifname"]: port for port in dump.get("bridge -j -d link", [])}
    return [
        {
            "name": _veth(device["ifname"]),
            "up": "UP" in device["flags"],
            "carrier": "LOWER_UP" in device["flags"],
            "mtu": device["mtu"],
            "master": device.get("master"),
            "hairpin": ports[device["ifname"]]["hairpin"] if device["ifname"] in ports else None,
            "addresses": [
                (entry["local"], entry["prefixlen"], entry["scope"], entry.get("broadcast"))
                for entry in device["addr_info"]
                if entry["family"] == "inet"
            ],
        }
        for device in dump["ip -j -d addr"]
    ]


def devices(namespace: NetNamespace) -> list[Shape]:
    return [
        {
            "name": _veth(device.name),
            "up": device.up,
            "carrier": device.carrier,
            "mtu": device.mtu_bytes,
            "master": device.master,
            "hairpin": device.port.hairpin if device.port else None,
            "addresses": [
                (
                    str(entry.address),
                    entry.prefix_length,
                    str(entry.scope),
                    str(entry.broadcast) if entry.broadcast else None,
                )
                for entry in device.addresses
                if entry.address.version == 4
            ],
        }
        for device in namespace.interfaces
    ]


def recorded_routes(lines: list[Shape]) -> list[Shape]:
    return [
        {
            "type": line.get("type", "unicast"),
            "dst": "0.0.0.0/0" if line["dst"] == "default" else line["dst"],
            "gateway": line.get("gateway"),
            "dev": _veth(line["dev"]),
            "table": line.get("table", "main"),
            "protocol": line.get("protocol"),
            "scope": line.get("scope", "global"),
            "prefsrc": line.get("prefsrc"),
            "onlink": "onlink" in line["flags"],
        }
        for line in lines
    ]


def routes(namespace: NetNamespace) -> list[Shape]:
    return [
        {
            "type": str(route.type),
            "dst": _destination(route),
            "gateway": str(route.gateway) if route.gateway else None,
            "dev": _veth(route.device or ""),
            "table": route.table,
            "protocol": route.protocol,
            "scope": route.scope,
            "prefsrc": str(route.source) if route.source else None,
            "onlink": route.onlink,
        }
        for route in namespace.routes
        if route.destination.address.version == 4
    ]


def peers_match(network: dict[str, NetNamespace]) -> bool:
    """Every cable has two ends that know each other."""

    def end(namespace: str, device: str) -> Interface | None:
        return network[namespace].interface(device)

    return all(
        (far := end(*device.peer)) is not None and far.peer == (name, device.name)
        for name, namespace in network.items()
        for device in namespace.interfaces
        if device.kind is LinkKind.VETH and device.peer
    )


def _destination(route: Route) -> str:
    """As `ip` prints it: a host's address without its length."""
    host = route.destination.length == 32
    return str(route.destination.address) if host else str(route.destination)


def _veth(name: str) -> str:
    return f"veth of {len(name) - 4} digits" if name.startswith("veth") else name


def permanent_neighbours(namespace: NetNamespace) -> set[tuple[str, str, str]]:
    """Those that no ARP makes: of devices that carry frames to other nodes."""
    tunnels = {one.name for one in namespace.interfaces if one.kind is LinkKind.VXLAN}
    return {
        (one.device, str(one.address), one.mac)
        for one in namespace.neighbours
        if one.device in tunnels
    }


def recorded_permanent_neighbours(dump: Shape) -> set[tuple[str, str, str]]:
    return {
        (one["dev"], one["dst"], one["lladdr"])
        for one in dump["ip -j neigh"]
        if "PERMANENT" in one["state"]
    }


def fdb(namespace: NetNamespace) -> list[tuple[str, str]]:
    """(device, what it is): a device's own MAC address, one beyond a tunnel.

    What a bridge has learned is left out: it is warm by assumption.
    """
    own = {device.name: device.mac for device in namespace.interfaces}
    return sorted(
        (_veth(one.device), _entry(one.mac == own[one.device], one.destination, one.mac))
        for one in namespace.fdb
        if one.permanent
    )


def recorded_fdb(dump: Shape) -> list[tuple[str, str]]:
    own = {device["ifname"]: device["address"] for device in dump["ip -j -d addr"]}
    return sorted(
        (
            _veth(one["ifname"]),
            _entry(one["mac"] == own[one["ifname"]], one.get("dst"), one["mac"]),
        )
        for one in dump["bridge -j fdb"]
        if one["state"] == "permanent" and (one.get("master") or one.get("dst"))
    )


def _entry(is_own: bool, destination: object, mac: str) -> str:
    return "its own" if is_own else f"{mac} at {destination}"


def recorded_localnet(dump: Shape) -> list[str]:
    """Devices whose route_localnet was set."""
    changes = dump["sysctl changes"]
    return [name for name in changes if name.endswith(".route_localnet")]
