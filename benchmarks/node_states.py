"""Write a folder as ``k8stui collect`` leaves it: a made-up cluster and the states of its nodes.

    python benchmarks/node_states.py FOLDER [--nodes 100] [--services 3500] [--endpoints 2]

FOLDER/cluster.yaml is what `dump.py` prints, FOLDER/nodes/NODE.txt.gz what the script of
``k8stui collect`` would print of flannel's nodes: devices with MAC addresses of their own, routes,
neighbours, 20,000 rules and more, settings, and the same of each pod's namespace. As it stands:
100 nodes, 7,000 pods, some 390 MB unpacked. The same arguments give the same bytes.

Measured of it (user and system CPU seconds, peak memory): ``walk`` on one node, between two nodes
(aimed at: 3 s, 300 MB) and to a Service, and ``topology``; with ``--measure`` by this script.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dump import block, objects

from k8stui.export.rules import save_lines
from k8stui.kernel.namespace import Interface, LinkKind, NetNamespace
from k8stui.walk.world import World, build_world

_ENDS = {LinkKind.VETH: "veth", LinkKind.BRIDGE: "bridge"}
_SETTINGS = ("rp_filter", "route_localnet", "forwarding", "proxy_arp", "accept_local", "arp_ignore")


class Numbers:
    """Indexes of devices and numbers of namespaces, as one kernel gives them out."""

    def __init__(self, spaces: Sequence[NetNamespace]) -> None:
        self._index = {
            (space.name, one.name): number
            for space in spaces
            for number, one in enumerate(space.interfaces, 1)
        }
        self._number = {space.name: number for number, space in enumerate(spaces)}

    def device(self, space: NetNamespace, one: Interface) -> dict[str, object]:
        """What ``ip -j -d addr`` prints of a device."""
        loops = one.kind is LinkKind.LOOPBACK
        said: dict[str, object] = {"ifindex": self._index[space.name, one.name]}
        if one.peer is not None:
            # The wire's end is in no namespace of this node.
            said["link_index"] = self._index.get(one.peer, 900)
        said |= {
            "ifname": one.name,
            "flags": ["LOOPBACK" if loops else "BROADCAST", "UP", "LOWER_UP"],
            "mtu": one.mtu_bytes,
            "qdisc": "noqueue",
            "operstate": "UNKNOWN" if loops else "UP",
            "link_type": "loopback" if loops else "ether",
            "address": one.mac,
        }
        if one.master is not None:
            said["master"] = one.master
        if one.peer is not None:
            # A pod knows its node's namespace as 0, the node its pods' by their order.
            far = self._number.get(one.peer[0], 99)
            said["link_netnsid"] = 0 if self._number[space.name] else far
        if one.kind in _ENDS:
            said["linkinfo"] = {"info_kind": _ENDS[one.kind]}
            if one.master is not None:
                port = {"hairpin": one.port is not None and one.port.hairpin, "learning": True}
                said["linkinfo"] |= {"info_slave_kind": "bridge", "info_slave_data": port}
        addresses = [
            {
                "family": "inet",
                "local": str(entry.address),
                "prefixlen": entry.prefix_length,
                "scope": str(entry.scope),
            }
            for entry in one.addresses
        ]
        return {**said, "addr_info": addresses}

    def names(self, calls: dict[str, str]) -> list[dict[str, object]]:
        """What ``ip -j netns list-id`` prints on the node."""
        return [{"nsid": self._number[key], "name": name} for key, name in calls.items()]


def routes(space: NetNamespace) -> Iterator[dict[str, object]]:
    """What ``ip -j -4 route show table all`` prints."""
    for one in space.routes:
        if one.destination.address.version == 4:
            whole = one.destination.length == one.destination.address.bits
            shown = str(one.destination.address) if whole else str(one.destination)
            said = {
                "type": str(one.type),
                "dst": shown if one.destination.length else "default",
                "gateway": one.gateway and str(one.gateway),
                "dev": one.device,
                "table": one.table,
                "protocol": one.protocol,
                "scope": one.scope,
                "prefsrc": one.source and str(one.source),
            }
            yield {key: value for key, value in said.items() if value} | {"flags": []}


def sections(space: NetNamespace, name: str, numbers: Numbers, calls: object) -> Iterator[str]:
    """One namespace's part of a state."""
    kernels_own = [(0, "local"), (32766, "main"), (32767, "default")]
    near = [
        {"dst": str(one.address), "dev": one.device, "lladdr": one.mac, "state": ["REACHABLE"]}
        for one in space.neighbours
    ]
    fdb = [
        {"mac": one.mac, "ifname": one.device, "flags": [], "master": "cni0", "state": ""}
        for one in space.fdb
    ]
    printed = {
        "ip -j -d addr show": [numbers.device(space, one) for one in space.interfaces],
        "ip -j -4 route show table all": list(routes(space)),
        "ip -j -6 route show table all": [],
        "ip -j -4 rule show": [{"priority": n, "src": "all", "table": t} for n, t in kernels_own],
        "ip -j -6 rule show": [
            {"priority": n, "src": "all", "table": t} for n, t in kernels_own[:2]
        ],
        "ip -j neigh show": near,
        "ip -j netns list-id": calls,
        "bridge -j -d link show": [],
        "bridge -j fdb show": fdb,
    }
    for command, said in printed.items():
        yield f"@ {name} {command}\n{json.dumps(said)}\n"
    yield f"@ {name} iptables-nft-save\n"
    if space.rulesets.get(4):
        yield "# Generated by iptables-save v1.8.9 (nf_tables)\n"
        yield from (f"{line}\n" for line in save_lines(space.rulesets[4]))
    for command in ("ip6tables-nft-save", "iptables-legacy-save", "ip6tables-legacy-save"):
        yield f"@ {name} {command}\n"
    yield f"@ {name} ipset save\n@ {name} ss -Hltnu\n"
    yield f"tcp LISTEN 0 4096 0.0.0.0:{10250 if name == 'node' else 8080} 0.0.0.0:*\n"
    yield f"@ {name} sysctl\n"
    yield f"net/ipv4/ip_forward={int(space.sysctls.ip_forward)}\n"
    yield "net/bridge/bridge-nf-call-iptables=1\n"
    for setting in _SETTINGS:
        on = setting == "forwarding" and space.sysctls.ip_forward
        for device in ("all", "default", *(one.name for one in space.interfaces)):
            yield f"net/ipv4/conf/{device}/{setting}={int(on)}\n"


def state(world: World, name: str) -> str:
    """What would be collected of one node."""
    network = world.network
    pods = [
        pod.key
        for pod in world.cluster.pods.values()
        if pod.node_name == name and network.namespace_of(pod) == pod.key
    ]
    spaces = [network[name], *(network[key] for key in pods)]
    calls = {key: f"cni-{number:08x}" for number, key in enumerate(pods, 1)}
    numbers = Numbers(spaces)
    parts = [f"@ node hostname\n{name}\n"]
    for space in spaces:
        called = calls.get(space.name, "node")
        parts += sections(
            space, called, numbers, numbers.names(calls) if space is spaces[0] else []
        )
    return "".join((*parts, "@ node end\n"))


def write(folder: Path, services: int, endpoints: int, nodes: int) -> int:
    """Write all of it; returns how many bytes the states have unpacked."""
    (folder / "nodes").mkdir(parents=True, exist_ok=True)
    cluster = folder / "cluster.yaml"
    with cluster.open("w") as out:
        out.write("apiVersion: v1\nitems:\n")
        for each in objects(services, endpoints, nodes):
            out.writelines(f"{line}\n" for line in block([each], 0))
        out.write("kind: List\n")
    size = 0
    world = build_world([str(cluster)])
    for name in world.cluster.nodes:
        text = state(world, name).encode()
        size += len(text)
        (folder / "nodes" / f"{name}.txt.gz").write_bytes(gzip.compress(text, 6, mtime=0))
    return size


def measure(folder: Path) -> None:
    """CPU seconds and peak memory of each command, in a process of its own."""
    world = build_world([str(folder / "cluster.yaml")])
    by_node: dict[str, list[str]] = {}
    for pod in world.cluster.pods.values():
        by_node.setdefault(str(pod.node_name), []).append(pod.key)
    (one, other, *_), (far, *_) = list(by_node.values())[:2]
    commands = {
        "walk on one node": ("walk", "--from", f"pod/{one}", "--to", f"pod/{other}:8080"),
        "walk between two nodes": ("walk", "--from", f"pod/{one}", "--to", f"pod/{far}:8080"),
        "walk to a Service": ("walk", "--from", f"pod/{one}", "--to", "svc/app-0.team-0:80"),
        "topology": ("topology", "--format", "json"),
    }
    for what, words in commands.items():
        line = [sys.executable, "-m", "k8stui", *words, str(folder)]
        started = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert started.stdout is not None
        said = started.stdout.read().decode().splitlines()
        _, status, used = os.wait4(started.pid, 0)
        cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
        print(f"{what:<24} {cpu:6.2f} s {peak:6.0f} MiB  {os.waitstatus_to_exitcode(status)}")
        print(f"    {said[-1][:100] if said else ''}", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--nodes", type=int, default=100)
    arguments.add_argument("--services", type=int, default=3500)
    arguments.add_argument("--endpoints", type=int, default=2)
    arguments.add_argument("--measure", action="store_true", help="of a folder that is there")
    given = arguments.parse_args()
    if given.measure:
        measure(given.folder)
        return
    size = write(given.folder, given.services, given.endpoints, given.nodes)
    print(f"{given.folder}: {given.nodes} nodes, {size / 1e6:.0f} MB unpacked")


if __name__ == "__main__":
    main()
