"""Recorded clusters of recordings-policy, as our engine sees them."""

from __future__ import annotations

import json
import runpy
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import truth

from k8stui.cluster.build import build
from k8stui.cluster.model import Cluster
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.address import Prefix
from k8stui.manifests import load
from k8stui.nodes.network import ClusterNetwork, build_network
from k8stui.nodes.options import NodeOptions

Lines = list[str]


def folders() -> list[Path]:
    found = truth.find("recordings-policy")
    return [] if found is None else sorted(each for each in found.iterdir() if each.is_dir())


def folder(name: str) -> Path:
    return truth.folder("recordings-policy") / name


@cache
def normal_form() -> dict[str, Any]:
    """The functions of the recordings' own normalize.py."""
    return runpy.run_path(str(truth.folder("recordings-policy") / "normalize.py"))


@cache
def written(name: str) -> Cluster:
    """The cluster of the manifests alone."""
    text = truth.read(folder(name) / "manifests.yaml")
    assert text is not None
    with TemporaryDirectory() as place:
        path = Path(place) / "manifests.yaml"
        path.write_text(text)
        return build(load([str(path)]), ClusterOptions(distribution="k3s"))


@cache
def runs(name: str) -> dict[str, Any]:
    """What was run on which node: ``node-1``, ``node-1.kr211``."""
    text = truth.read(folder(name) / "recorded.json")
    found: dict[str, Any] = json.loads(text)["runs"] if text is not None else {}
    return found


def cluster_of(name: str, run: str) -> Cluster:
    """With the ranges that kube-router was told."""
    arguments = dict(one.partition("=")[::2] for one in runs(name)[run]["arguments"])
    ranges = tuple(map(Prefix.parse, arguments["--service-cluster-ip-range"].split(",")))
    return replace(written(name), service_cidr=ranges[0], service_cidrs=ranges)


def network_of(name: str, run: str, **options: Any) -> ClusterNetwork:
    engine = "kube-router-v2.11" if ".kr211" in run else "kube-router"
    given = NodeOptions(
        **{"policy_engine": engine, "sync_version": int(runs(name)[run]["syncVersion"]), **options}
    )
    return build_network(cluster_of(name, run), given)
