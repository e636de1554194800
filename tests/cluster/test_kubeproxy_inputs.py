"""The inputs of the kube-proxy recordings: objects as an API returns them, taken as they stand."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

import pytest
import truth
import yaml

from k8stui.apiserver import apply
from k8stui.cluster import ClusterOptions
from k8stui.cluster.build import build
from k8stui.kernel.address import Address
from k8stui.manifests import Manifests
from k8stui.origin import OriginKind

_FOLDER = truth.find("recordings")
SETS = sorted(p.name for p in _FOLDER.iterdir() if p.is_dir()) if _FOLDER else []
_KINDS = ("nodes", "services", "endpointslices", "servicecidrs", "proxy")


def read(folder: Path, tmp_path: Path) -> Manifests:
    paths = []
    for kind in _KINDS:
        plain, packed = folder / f"{kind}.yaml", folder / f"{kind}.yaml.xz"
        if packed.exists():
            plain = tmp_path / f"{kind}.yaml"
            plain.write_bytes(lzma.decompress(packed.read_bytes()))
        if plain.exists():
            paths.append(str(plain))
    return apply(paths)


def documents(folder: Path, kind: str) -> list[dict[str, Any]]:
    path = folder / f"{kind}.yaml"
    packed = folder / f"{kind}.yaml.xz"
    text = lzma.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    return list(yaml.load_all(text, yaml.CSafeLoader))


@pytest.mark.parametrize("name", SETS)
def test_set(name: str, tmp_path: Path) -> None:
    folder = truth.folder("recordings") / name
    cluster = build(read(folder, tmp_path))
    assert not cluster.pods
    assert not cluster.workloads

    written = {
        f"{s['metadata']['namespace']}/{s['metadata']['name']}": s
        for s in documents(folder, "services")
    }
    assert list(cluster.services) == list(written)
    for key, service in cluster.services.items():
        spec = written[key]["spec"]
        ips = [ip for ip in spec.get("clusterIPs", []) if ip != "None"]
        assert [str(a) for a in service.cluster_ips] == ips
        assert [p.node_port for p in service.ports] == [
            p.get("nodePort") for p in spec.get("ports") or []
        ]
        assert service.external_traffic_policy == spec.get("externalTrafficPolicy")
        assert service.origin.kind is OriginKind.OBSERVED

    slices = documents(folder, "endpointslices")
    assert sum(map(len, cluster.endpoint_slices.values())) == len(slices)
    assert sum(len(s.endpoints) for of in cluster.endpoint_slices.values() for s in of) == sum(
        len(s["endpoints"] or []) for s in slices
    )

    nodes = documents(folder, "nodes")
    assert list(cluster.nodes) == [n["metadata"]["name"] for n in nodes]
    for node, data in zip(cluster.nodes.values(), nodes, strict=True):
        assert [str(p) for p in node.pod_cidrs] == data["spec"]["podCIDRs"]
        internal = [a["address"] for a in data["status"]["addresses"] if a["type"] == "InternalIP"]
        assert list(node.addresses)[: len(internal)] == [Address.parse(a) for a in internal]


def test_proxy_config_option_chooses() -> None:
    folder = truth.folder("recordings") / "detect-local"
    paths = sorted(str(path) for path in folder.glob("proxy*.yaml"))
    for path in paths:
        data = yaml.safe_load(Path(path).read_text())
        proxy = build(apply(paths), ClusterOptions(proxy_config=path)).proxy
        assert proxy.detect_local_mode == data.get("detectLocalMode", "")
        assert proxy.cluster_cidr == data.get("clusterCIDR", "")
        assert proxy.masquerade_bit == data.get("iptables", {}).get("masqueradeBit", 14)
