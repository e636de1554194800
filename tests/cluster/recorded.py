"""The recordings of a control plane as test cases, and a Cluster in their stable form."""

from __future__ import annotations

import json
import lzma
import os
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import truth
import yaml

from k8stui.apiserver import apply
from k8stui.cluster import Cluster, ClusterOptions
from k8stui.cluster.build import build
from k8stui.cluster.kubelet import PodState
from k8stui.cluster.model import EndpointSlice, Pod, PodPhase, Service
from k8stui.kernel.address import Address
from k8stui.manifests import Manifests

_TESTS = Path(truth.__file__).parent
_SHARED = _TESTS.parent.parent / "shared"


def _folders() -> dict[str, Path]:
    """Folder of each set: where the variable points, else the copy here, else the shared one.

    The copy leaves out the sets whose manifests belong to other projects.
    """
    variable = os.environ.get("K8STUI_RECORDINGS_CLUSTER")
    roots = [Path(variable)] if variable else [_SHARED, _TESTS]
    if not variable:
        roots = [root / "recordings-cluster" for root in roots]
    return {
        stable.parent.name: stable.parent
        for root in roots
        for stable in sorted(root.glob("*/stable.json"))
    }


FOLDERS = _folders()


def content(path: Path) -> bytes:
    """A recorded file, plain or packed."""
    if path.exists():
        return path.read_bytes()
    return lzma.decompress(path.with_name(f"{path.name}.xz").read_bytes())


def _source(name: str) -> Path | None:
    """A folder of ``../manifests``, beside the recordings or in the shared folder."""
    roots = dict.fromkeys([*(folder.parent.parent for folder in FOLDERS.values()), _SHARED])
    return next((r / "manifests" / name for r in roots if (r / "manifests" / name).is_dir()), None)


@dataclass(frozen=True)
class Moment:
    """One snapshot of one set."""

    set: str
    snapshot: str = ""

    def __str__(self) -> str:
        return f"{self.set}@{self.snapshot}" if self.snapshot else self.set

    @property
    def folder(self) -> Path:
        return FOLDERS[self.set]

    def file(self, stem: str, suffix: str) -> Path:
        return self.folder / f"{stem}{'-' if self.snapshot else ''}{self.snapshot}{suffix}"

    def json(self, stem: str) -> dict[str, Any]:
        return _json(self.file(stem, ".json"))

    @property
    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load((self.folder / "set.yaml").read_text())
        return found

    def inputs(self) -> list[Path] | None:
        """Files in the order in which they were applied; None: something else was done too."""
        settings = self.settings
        base = self.folder / "input"
        if "source" in settings:
            found = _source(settings["source"])
            if found is None:
                return None
            base = found
        files: list[Path] = []
        for step in settings["steps"]:
            if step == "settle":
                continue
            if step.get("snapshot") == self.snapshot != "":
                return files
            match str(step.get("kubectl", "")).split():
                case ["apply", "-f", "."]:
                    files += sorted(base.glob("*.[jy]*"))
                case ["apply", "-R", "-f", "."]:
                    files += [f for f in sorted(base.rglob("*")) if f.suffix in (".yaml", ".json")]
                case ["apply", "-f", name]:
                    files.append(base / name)
                case _:
                    if "snapshot" not in step:
                        return None
        return files


@lru_cache(maxsize=4)
def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content(path))
    return found


def moments() -> list[Moment]:
    """Every snapshot that has a dump and a stable form."""
    return [
        Moment(name, stable.stem.removeprefix("stable").lstrip("-"))
        for name, folder in sorted(FOLDERS.items())
        for stable in sorted(folder.glob("stable*.json"))
    ]


def read(path: Path) -> Manifests:
    """The objects of one recorded file."""
    return apply(["-"], stdin=BytesIO(content(path)))


@lru_cache(maxsize=2)
def dump(moment: Moment) -> Manifests:
    return read(moment.file("dump", ".yaml"))


@lru_cache(maxsize=2)
def from_dump(moment: Moment) -> Cluster:
    return build(dump(moment))


@lru_cache(maxsize=2)
def from_dump_without_slices(moment: Moment) -> Cluster:
    """The endpoint controllers' work done here, on pods that were seen."""
    objects = tuple(
        manifest
        for manifest in dump(moment).objects
        if manifest.kind not in ("EndpointSlice", "Endpoints")
    )
    return build(Manifests(objects=objects))


@lru_cache(maxsize=2)
def from_manifests(moment: Moment) -> Cluster:
    files = moment.inputs()
    assert files is not None
    applied = apply([str(path) for path in files])
    assert all(problem.wrong for problem in applied.problems)  # refused, as it was by the server
    nodes = tuple(m for m in dump(moment).objects if m.kind == "Node")
    options = ClusterOptions(complete=True, states=kubelets(moment.settings))
    return build(Manifests(objects=nodes + applied.objects), options)


def kubelets(settings: dict[str, Any]) -> tuple[PodState, ...]:
    """What the imitated kubelets were told to report: that stands in no manifest.

    A Job's pods end well after a second, unless a rule says otherwise; others run, whatever their
    image would do.
    """
    states = []
    for rule in settings.get("kubelet", ()):
        match, do = rule["match"], rule["do"]
        if not {"phase", "ready", "unready"} & do.keys():
            continue  # what happens when the pod is deleted
        states.append(
            PodState(
                pod=match.get("name"),
                owner=match.get("owner"),
                node=match.get("node"),
                labels=match.get("labels", {}),
                phase=PodPhase(do.get("phase", "Running")),
                ready=do.get("ready", True) and not do.get("unready"),
            )
        )
    return (*states, PodState(owner_kind="Job", phase=PodPhase.SUCCEEDED), PodState())


def _hashed(key: str, value: str) -> str:
    if key.endswith("controller-uid"):
        return "<uid>"
    if key in ("pod-template-hash", "controller-revision-hash"):
        return re.sub(r"[0-9a-z]{6,10}$", "<hash>", value)
    return value


def owner(pod: Pod) -> str:
    return "/".join(pod.owner or ("Pod", pod.name))


def pods(cluster: Cluster) -> dict[tuple[str, str], list[Pod]]:
    """Pods by (namespace, ``Kind/name``)."""
    found: dict[tuple[str, str], list[Pod]] = {}
    for pod in cluster.pods.values():
        found.setdefault((pod.namespace, owner(pod)), []).append(pod)
    return found


def stable_pods(members: list[Pod], wanted: dict[str, Any]) -> dict[str, Any]:
    """The stable form of one workload's pods (recordings-cluster/normalize.py).

    Of labels only those that the recording says were added; of tolerations nothing.
    """
    unknown = [re.match(r'node "(.*)" not found', pod.pending_reason) for pod in members]
    placed = Counter(pod.node_name for pod in members if pod.node_name)
    placed.update(found[1] for found in unknown if found)
    why = Counter(
        pod.pending_reason.split(". no new claims")[0].split(". not found")[0]
        for pod in members
        if pod.pending_reason and not re.match(r"node \"|nobody serves", pod.pending_reason)
    )
    container_ports = [
        {
            "container": container.name,
            "containerPort": port.number,
            "protocol": port.protocol.name,
        }
        | ({"name": port.name} if port.name else {})
        | ({"hostPort": port.host_port} if port.host_port else {})
        | ({"hostIP": str(port.host_ip)} if port.host_ip else {})
        for container in members[0].containers
        if not container.init
        for port in container.ports
    ]
    return {
        "count": len(members),
        "phases": dict(Counter(str(pod.phase) for pod in members)),
        "ready": sum(pod.ready for pod in members),
        "terminating": sum(pod.terminating for pod in members),
        "placed": sorted(placed.values(), reverse=True),
        "addedLabels": {
            key: sorted({_hashed(key, pod.labels[key]) for pod in members if key in pod.labels})
            for key in wanted["addedLabels"]
        },
        "hostnames": sorted({pod.hostname for pod in members if pod.hostname}),
        "subdomain": sorted({pod.subdomain for pod in members if pod.subdomain}),
        "unschedulable": dict(sorted(why.items())),
        "ports": container_ports or None,
    }


def stable_slices(cluster: Cluster, slices: tuple[EndpointSlice, ...]) -> dict[str, Any]:
    """The stable form of one Service's slices, without owners and with resolved conditions."""
    groups: dict[str, dict[str, Any]] = {}
    for item in slices:
        ports = sorted(item.ports or (), key=lambda p: (p.name, p.protocol.name, p.port))
        key = f"{item.address_type} " + (
            ", ".join(f"{p.name or '-'}={p.port}/{p.protocol.name}" for p in ports) or "no ports"
        )
        managed = item.labels.get("endpointslice.kubernetes.io/managed-by", "nobody").split(".")[0]
        if managed != "endpointslice-controller":
            key += f" by {managed}"
        group = groups.setdefault(
            key, {"labels": dict(item.labels), "endpoints": Counter(), "slices": 0}
        )
        group["slices"] += 1
        for endpoint in item.endpoints:
            pod = cluster.pods.get(endpoint.pod or "")
            who = owner(pod) if pod else ",".join(map(str, endpoint.addresses))
            flags = {
                "ready": endpoint.ready,
                "serving": endpoint.serving,
                "terminating": endpoint.terminating,
            }
            words = [name if value else f"not-{name}" for name, value in flags.items()]
            if endpoint.hostname:
                words.append(f"hostname={endpoint.hostname}")
            if endpoint.for_zones:
                own = endpoint.for_zones == (endpoint.zone,)
                words.append("zone-hint" if own else "zone-hint-other")
            if endpoint.for_nodes:
                words.append("node-hint")
            group["endpoints"][f"{who}: {' '.join(words)}"] += 1
    return groups


def resolved(recorded: dict[str, Any]) -> dict[str, Any]:
    """A recorded group of slices with absent conditions read as kube-proxy reads them."""
    endpoints: Counter[str] = Counter()
    for text, count in recorded["endpoints"].items():
        who, _, said = text.partition(": ")
        words = said.split()
        full = []
        for name, absent in (("ready", True), ("serving", True), ("terminating", False)):
            value = name in words if {name, f"not-{name}"} & set(words) else absent
            full.append(name if value else f"not-{name}")
        full += [word for word in words if word.startswith(("hostname=", "zone-", "node-"))]
        if not _is_address(who) and "/" not in who:
            who = ""  # a name in an FQDN slice is no address
        endpoints[f"{who}: {' '.join(full)}"] += count
    return {"labels": recorded["labels"], "endpoints": endpoints, "slices": recorded["slices"]}


def _is_address(text: str) -> bool:
    try:
        Address.parse(text)
    except ValueError:
        return False
    return True


def spec(service: Service) -> dict[str, Any]:
    """The Service's spec as the API server would print it, of what is modelled."""
    ips = [str(address) for address in service.cluster_ips] or (["None"] * service.headless)
    found: dict[str, object] = {
        "type": str(service.type),
        "clusterIP": ips[0] if ips else None,
        "clusterIPs": ips or None,
        "ipFamilies": [f"IPv{family}" for family in service.ip_families] or None,
        "ipFamilyPolicy": service.ip_family_policy,
        "externalTrafficPolicy": service.external_traffic_policy,
        "internalTrafficPolicy": service.internal_traffic_policy,
        "sessionAffinity": service.session_affinity,
        "selector": dict(service.selector or {}) or None,
        "externalIPs": [str(address) for address in service.external_ips] or None,
        "externalName": service.external_name or None,
        "healthCheckNodePort": service.health_check_node_port,
        "publishNotReadyAddresses": service.publish_not_ready_addresses or None,
        "loadBalancerSourceRanges": list(service.load_balancer_source_ranges) or None,
        "loadBalancerClass": service.load_balancer_class,
        "trafficDistribution": service.traffic_distribution,
        "ports": [
            {"port": port.port, "protocol": port.protocol.name, "targetPort": port.target_port}
            | ({"name": port.name} if port.name else {})
            | ({"nodePort": port.node_port} if port.node_port else {})
            | ({"appProtocol": port.app_protocol} if port.app_protocol else {})
            for port in service.ports
        ]
        or None,
    }
    if service.type == "LoadBalancer":
        found["allocateLoadBalancerNodePorts"] = service.allocate_load_balancer_node_ports
    if service.session_affinity == "ClientIP":
        timeout = service.session_affinity_timeout_seconds
        found["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": timeout}}
    return {key: value for key, value in found.items() if value is not None}


def agrees(recorded: object, made: object) -> bool:
    """Equality, except that ``<varies>`` stands for anything."""
    if recorded == "<varies>":
        return True
    if isinstance(recorded, dict) and isinstance(made, dict):
        return recorded.keys() == made.keys() and all(
            agrees(value, made[key]) for key, value in recorded.items()
        )
    if isinstance(recorded, list) and isinstance(made, list):
        return len(recorded) == len(made) and all(map(agrees, recorded, made))
    return recorded == made
