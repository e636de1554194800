"""All pairs of a cluster with policies: seconds, peak memory, and how many walks it took.

python benchmarks/reach.py [PODS] [SERVICES] [POLICIES] [NODES] [ENGINE]

Without numbers: 1,000 pods, 1,000 Services and 500 policies on 10 nodes; aimed at is 10 s and
500 MB on two cores. Beside it some pairs, walked one by one, and what all would take that way. The
pods are applications of two pods each; two Services lead to each, and a policy lets one other
application in, or out, and those in front. A plug-in that enforces policies is there (Calico), or
what ENGINE says, as ``--policy-engine`` has it: kube-router's rules and sets, for one.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

from k8stui.cluster.options import ClusterOptions
from k8stui.nodes.options import NodeOptions
from k8stui.reach.ends import asked, askers
from k8stui.reach.felt import walked
from k8stui.reach.processes import available
from k8stui.reach.reach import reach
from k8stui.walk.world import build_world

_SPACES = 20
_TRIED = 300


def objects(pods: int, services: int, policies: int, nodes: int) -> list[dict[str, Any]]:
    apps = max(1, pods // 2)
    return [
        *(_node(n) for n in range(nodes)),
        *(_deployment(n, 2) for n in range(apps)),
        *(_service(n, n % apps) for n in range(services)),
        *(_policy(n, n % apps, (n * 7 + 3) % apps) for n in range(policies)),
        _engine(),
    ]


def _node(n: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{n + 1}"},
        "spec": {"podCIDR": f"10.{64 + n // 256}.{n % 256}.0/24"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": f"172.16.{n // 200}.{n % 200 + 10}"}],
            "allocatable": {"pods": "250", "cpu": "64", "memory": "256Gi"},
        },
    }


def _labels(app: int) -> dict[str, str]:
    return {"app": f"a{app}", "part": "front" if app % 2 else "back"}


def _deployment(app: int, replicas: int) -> dict[str, Any]:
    container = {"name": f"c{app}", "image": "x", "ports": [{"containerPort": 8080}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"a{app}", "namespace": f"n{app % _SPACES}"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": _labels(app)},
            "template": {"metadata": {"labels": _labels(app)}, "spec": {"containers": [container]}},
        },
    }


def _service(n: int, app: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"s{n}", "namespace": f"n{app % _SPACES}"},
        "spec": {"selector": _labels(app), "ports": [{"port": 80, "targetPort": 8080}]},
    }


def _policy(n: int, app: int, other: int) -> dict[str, Any]:
    peers: list[dict[str, Any]] = [
        {"podSelector": {"matchLabels": _labels(other)}, "namespaceSelector": {}},
        {"podSelector": {"matchLabels": {"part": "front"}}},
    ]
    rule = {"ports": [{"port": 8080}]}
    spec: dict[str, Any] = {"podSelector": {"matchLabels": _labels(app)}}
    spec |= {"ingress": [{**rule, "from": peers}]} if n % 3 else {"egress": [{**rule, "to": peers}]}
    spec["policyTypes"] = ["Ingress" if n % 3 else "Egress"]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"p{n}", "namespace": f"n{app % _SPACES}"},
        "spec": spec,
    }


def _engine() -> dict[str, Any]:
    labels = {"k8s-app": "calico-node"}
    image = {"name": "calico-node", "image": "calico/node:v3.30.0"}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "calico-node", "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"hostNetwork": True, "containers": [image]},
            },
        },
    }


def main() -> None:
    numbers = [int(each) for each in sys.argv[1:5]]
    engine = next(iter(sys.argv[5:]), None)
    pods, services, policies, nodes = (*numbers, *(1_000, 1_000, 500, 10)[len(numbers) :])
    items = objects(pods, services, policies, nodes)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cluster.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        begun = time.process_time()
        world = build_world([str(file)], ClusterOptions(), NodeOptions(policy_engine=engine))
        read = time.process_time() - begun
    begun = time.perf_counter()
    rows, columns = list(askers(world)), list(asked(world))
    found = reach(world, rows, columns, processes=available())
    took = time.perf_counter() - begun
    pairs = len(rows) * len(columns)
    print(
        f"{pods} pods, {services} Services, {policies} policies, {nodes} nodes: read {read:.2f} s; "
        f"{pairs:,} pairs in {took:.2f} s: {len(found.classes)} classes, {len(found.parts)} walks; "
        f"{_peak_mib():.0f} MiB"
    )
    begun = time.process_time()
    wrong = 0
    step = max(1, pairs // _TRIED)
    for number in range(0, pairs, step):
        row, column = number % len(rows), number // len(rows)
        own = walked(world, rows[row], columns[column])
        wrong += own.shares != found.classes[found.column(column)[row].number].felt.shares
    each = (time.process_time() - begun) / len(range(0, pairs, step))
    print(
        f"one by one: {each * 1000:.2f} ms a pair, {each * pairs / 60:,.0f} min for all; "
        f"{wrong} of {len(range(0, pairs, step))} tried differ"
    )


def _peak_mib() -> float:
    return getrusage(RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
