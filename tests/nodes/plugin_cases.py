"""A recorded case of recordings-cni as this room gets it: a cluster, with what the plug-in is told.

All comes from the case's own files, so that further cases of the same layout are judged alike. What
no file says stands in the name of the case: br_netfilter off, the release of a recreated Docker.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import truth
from nodes.clusters import ORIGIN, cluster, node, pod, port

from k8stui.cluster.model import Cluster, CniConfiguration, Container, Pod
from k8stui.cluster.networks.cni_configurations import cni_configuration
from k8stui.kernel.packet import Protocol
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions

NODES = ("node-1", "node-2")


@dataclass(frozen=True)
class Case:
    """One folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    def text(self, name: str) -> str | None:
        return truth.read(self.folder / name)

    def json(self, name: str) -> Any:
        return json.loads(self.text(name) or "null")

    @cached_property
    def results(self) -> Mapping[str, Any]:
        """Pods that a runtime added by CNI; none where Docker did."""
        return self.json("results.json") or {}

    @cached_property
    def pods(self) -> Sequence[str]:
        return tuple(self.results)

    def node_of(self, name: str) -> str:
        return str(self.results[name]["node"])

    @property
    def has_flannel(self) -> bool:
        return self.text("node-1.subnet.env") is not None

    @cached_property
    def containers(self) -> Mapping[str, Any]:
        """Pods that are plain containers of Docker's."""
        found: Mapping[str, Any] = self.json("containers.json") or {"containers": {}}
        told: Mapping[str, Any] = found["containers"]
        return told

    def docker(self, *names: str) -> Cluster:
        """The cluster with these of Docker's containers."""
        pods = [_container(name, self.containers[name]) for name in names]
        return replace(cluster((node(1), node(2)), pods), docker=self._dockerd)

    @property
    def _dockerd(self) -> Mapping[str, object]:
        """dockerd's options as daemon.json has them.

        Where forwarding was on before, dockerd does what it does when it is to leave it alone.
        """
        words = (self.json("containers.json") or {}).get("dockerd options", {}).get("node-1", ())
        said = {name: value for name, _, value in (one[2:].partition("=") for one in words)}
        told: dict[str, object] = {
            name: value == "true" for name, value in said.items() if value in ("true", "false")
        }
        told |= {name: int(value) for name, value in said.items() if value.isdecimal()}
        changes = self.json("node-1.0-containers.json")
        if changes and "net.ipv4.ip_forward" not in changes["sysctl changes"]:
            told["ip-forward"] = False
        return told

    @cached_property
    def cluster(self) -> Cluster:
        if self.containers:
            return self.docker(*self.containers)
        pods = [_pod(name, one) for name, one in self.results.items()]
        if not self.has_flannel:
            made = cluster((node(1), node(2)), pods)
            told = self.json("node-1.conflist")
            return replace(made, cni_configurations=(_list(told),) if told else ())
        return self._flannel(pods)

    @cached_property
    def network(self) -> ClusterNetwork:
        return build_network(self.cluster, self.options)

    def _flannel(self, pods: list[Pod]) -> Cluster:
        said = dict(line.split("=") for line in (self.text("node-1.subnet.env") or "").split())
        dump = self.json("node-1.json")
        vxlan = next((one for one in dump["ip -j -d addr"] if one["ifname"] == "flannel.1"), None)
        tunnelled = any(
            one.get("dev") == "flannel.1" and "gateway" in one
            for one in dump["ip -j route show table all"]
        )
        backend = {
            "Type": "vxlan" if vxlan else "host-gw",
            "DirectRouting": bool(vxlan and not tunnelled),
        }
        net_conf = {
            "Network": said["FLANNEL_NETWORK"],
            "Backend": backend,
            "EnableNFTables": (self.folder / "node-1.nft").exists()
            or (self.folder / "node-1.nft.xz").exists(),
        }
        words = ["/opt/bin/flanneld", "--kube-subnet-mgr"]
        if said["FLANNEL_IPMASQ"] == "true":
            words.append("--ip-masq")
        daemon = Container(name="kube-flannel", spoken=tuple(words), origin=ORIGIN)
        pods = [*pods, pod("kube-flannel", "node-1", host_network=True, containers=(daemon,))]
        delegate = self.json("node-1.conflist")
        main, *chained = delegate["plugins"]
        given = {key: main[key] for key in ("hairpinMode", "isDefaultGateway") if key in main}
        plugins = [{"type": "flannel", "delegate": given}, *chained]
        nodes = (node(number, annotations=self._annotations(f"node-{number}")) for number in (1, 2))
        made = cluster(nodes, pods, flannel=net_conf)
        return replace(made, cni_configurations=(_list({**delegate, "plugins": plugins}),))

    def _annotations(self, name: str) -> Mapping[str, str]:
        """The MAC address that flanneld drew."""
        for one in self.json(f"{name}.json")["ip -j -d addr"]:
            if one["ifname"] == "flannel.1":
                data = json.dumps({"VNI": 1, "VtepMAC": one["address"]})
                return {"flannel.alpha.coreos.com/backend-data": data}
        return {}

    @property
    def options(self) -> NodeOptions:
        nf = False if self.name.endswith("bridge-nf-0") else None
        return NodeOptions(cni=self._plugin, bridge_nf_call_iptables=nf)

    @property
    def _plugin(self) -> str:
        if self.containers:
            return "docker"
        if self.has_flannel:
            return "flannel"
        told = self.json("node-1.conflist")
        return "kubenet" if told["name"] == "kubenet" else str(told["plugins"][0]["type"])


def _list(told: Mapping[str, Any]) -> CniConfiguration:
    made = cni_configuration(told, ORIGIN)
    assert made is not None
    return made


def _container(name: str, recorded: Mapping[str, Any]) -> Pod:
    words = recorded["run options"]
    published = [one.split(":") for flag, one in pairwise(words) if flag == "-p"]
    ports = [
        port(
            int(inside.partition("/")[0]),
            Protocol[(inside.partition("/")[2] or "tcp").upper()],
            host_port=int(outside),
            host_ip=host[0] if host else None,
        )
        for *host, outside, inside in published
    ]
    made = pod(name, recorded["node"], recorded["address"], ports=ports)
    return replace(made, container_id=recorded["id"])


def _pod(name: str, recorded: Mapping[str, Any]) -> Pod:
    ports = [
        port(
            one["containerPort"],
            Protocol[one["protocol"].upper()],
            host_port=one["hostPort"],
            host_ip=one.get("hostIP"),
        )
        for one in recorded["portMappings"] or ()
    ]
    addresses = [one["address"].partition("/")[0] for one in recorded["result"]["ips"]]
    made = pod(name, recorded["node"], *addresses, ports=ports)
    return replace(made, container_id=recorded["containerID"])


def cases(*, with_file: str) -> list[Case]:
    """All recorded cases that have such a file; none where there are no recordings."""
    found = truth.find("recordings-cni")
    folders = sorted(found.iterdir()) if found else ()
    made = [Case(folder) for folder in folders if folder.is_dir()]
    return [one for one in made if one.text(with_file) is not None]
