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
