"""The recordings of kube-proxy (tests/recordings/README.md) and the clusters they are of."""

from __future__ import annotations

import lzma
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import truth
import yaml

from k8stui.apiserver import apply
from k8stui.cluster import Cluster
from k8stui.cluster.build import build
from k8stui.cluster.model import Node
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.address import Address

LOOPBACK = (Address.parse("127.0.0.1"), Address.parse("::1"))
OBJECTS = ("nodes.yaml", "services.yaml", "endpointslices.yaml", "servicecidrs.yaml")


@dataclass(frozen=True)
class Recording:
    """One file ``NODE[.VARIANT].iptables``, maybe packed."""

    path: Path

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.name.removesuffix('.xz')}"

    @property
    def version(self) -> int:
        return 6 if ".ip6tables" in self.path.name else 4

    @property
    def text(self) -> str:
        if self.path.suffix == ".xz":
            return lzma.open(self.path, "rt").read()
        return self.path.read_text()

    @property
    def stem(self) -> str:
        return self.path.name.removesuffix(".xz").rpartition(".")[0]

    def cluster(self) -> tuple[Cluster, Node]:
        """The cluster that was recorded, and the node."""
        folder = self.path.parent
        names = [node["metadata"]["name"] for node in _documents(folder / "nodes.yaml")]
        node = max((n for n in names if self.stem.startswith(n)), key=len)
        variant = self.stem.removeprefix(node).removeprefix(".")
        version = "v1.36.2"
        mode = "nftables" if self.path.name.removesuffix(".xz").endswith(".nft") else "iptables"
        if variant.startswith("v1.20-"):
            mode, variant, version = variant.removeprefix("v1.20-"), "", "v1.20.2"
        proxy = folder / (f"proxy.{variant}.yaml" if variant else "proxy.yaml")
        cluster = _cluster(folder, proxy, mode)
        return cluster, replace(cluster.nodes[node], proxy_version=version)

    def local_addresses(self, node: str) -> tuple[Address, ...] | None:
        """The addresses on the node's interfaces, where they are not just those of the Node."""
        path = self.path.parent / "interfaces.yaml"
        if not path.exists():
            return None
        interfaces = yaml.safe_load(path.read_text()).get(node, {})
        written = [text for texts in interfaces.values() for text in texts]
        return (*LOOPBACK, *(Address.parse(text.partition("/")[0]) for text in written))


def recordings(*kinds: str) -> list[Recording]:
    """Those whose name ends in one of `kinds`, packed or not."""
    folder = truth.find("recordings")
    if folder is None:
        return []
    return [
        Recording(path)
        for path in sorted(folder.glob("*/*"))
        if path.name.removesuffix(".xz").endswith(kinds)
    ]


def _documents(path: Path) -> list[dict[str, dict[str, str]]]:
    return [d for d in yaml.load_all(path.read_text(), yaml.CSafeLoader) if d]


@lru_cache(maxsize=4)
def _cluster(folder: Path, proxy: Path, mode: str) -> Cluster:
    files = [str(_unpacked(folder / name)) for name in OBJECTS if _unpacked(folder / name)]
    manifests = apply([*files, str(proxy)])
    assert not manifests.problems, [p.render() for p in manifests.problems]
    return build(manifests, ClusterOptions(proxy_mode=mode))


@lru_cache(maxsize=16)
def _unpacked(path: Path) -> Path | None:
    """`path`, or a copy of what is in ``path.xz``, or None."""
    if path.exists():
        return path
    packed = path.with_name(path.name + ".xz")
    if not packed.exists():
        return None
    copy = _scratch() / f"{path.parent.name}-{path.name}"
    copy.write_bytes(lzma.decompress(packed.read_bytes()))
    return copy


@lru_cache(maxsize=1)
def _scratch() -> Path:
    import atexit
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
