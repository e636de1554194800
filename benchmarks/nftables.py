"""How long mode nftables takes: CPU time for all tables, and for one packet through their chains.

    python benchmarks/nftables.py

Beside ``nft -f`` of the same text (in a network namespace of its own), at 100, 1,000 and 10,000
Services of two endpoints each. One packet to a Service that nobody has asked before, through every
base chain there and to the endpoint: at 10,000 Services at most 1.3 times what it takes at 100, and
at most 1 ms, for maps are looked up, never searched. Whole walks, there and back with all their
steps told, in both modes: within 1.3 times as well. And the first frame of the screen, which must
not cost more in this mode.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from rules import make_cluster
from terminal import measure

from k8stui.cluster.model import Cluster
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.address import Address
from k8stui.kernel.context import PacketContext
from k8stui.kernel.exchange import Result
from k8stui.kernel.nft.listing import lines
from k8stui.kernel.nft.traverse import traverse
from k8stui.kernel.nft_ruleset import NftTable
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.step import Hook
from k8stui.kernel.verdict import Dnat
from k8stui.nodes.kubeproxy import proxy_contribution
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world

SIZES = (100, 1_000, 10_000)
_ASKED = 100
"""Services that are asked, each once."""
_CHAINS = (
    (Hook.PREROUTING, "filter-prerouting-pre-dnat"),
    (Hook.PREROUTING, "nat-prerouting"),
    (Hook.FORWARD, "filter-forward"),
    (Hook.POSTROUTING, "nat-postrouting"),
)


def cluster_of(services: int) -> Cluster:
    made = make_cluster(services)
    return replace(made, proxy=replace(made.proxy, mode="nftables"))


def table_of(cluster: Cluster) -> NftTable:
    (made,) = proxy_contribution(cluster, cluster.nodes["node-1"], 4).nft
    return made


def seconds_of_nft(text: str) -> float | None:
    """CPU seconds; nft prints what it does not read again: then as kube-proxy sends it."""
    if not shutil.which("nft"):
        return None
    sent = text.replace(" dnat ip to numgen", " dnat ip addr . port to numgen")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # A user namespace may not send nft's messages of thousands of elements: root's own may.
    unshare = "-n" if os.geteuid() == 0 else "-Urn"
    subprocess.run(["unshare", unshare, "nft", "-f", "-"], input=sent, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def one_packet(cluster: Cluster) -> float:
    """Milliseconds for a packet to a Service that was not asked before."""
    table = table_of(cluster)
    services = list(cluster.services.values())
    asked = services[1 :: max(1, len(services) // _ASKED)][:_ASKED]
    _through(table, services[0].cluster_ips[0])  # what all have in common is made at the first
    start = time.process_time()
    for service in asked:
        _through(table, service.cluster_ips[0])
    return (time.process_time() - start) / len(asked) * 1000


def _through(table: NftTable, address: Address) -> None:
    packet = Packet(
        src=Address.parse("10.128.200.7"),
        dst=address,
        protocol=Protocol.TCP,
        sport=40000,
        dport=80,
    )
    context = PacketContext(hook=Hook.PREROUTING, in_device="cni0", original=packet)
    for hook, name in _CHAINS:
        context.hook = hook
        context.in_device = "cni0" if hook is not Hook.POSTROUTING else None
        context.out_device = "eth0" if hook is not Hook.PREROUTING else None
        result = traverse(table, table.chains[name], packet, context)
        if isinstance(result.verdict, Dnat) and result.verdict.addresses:
            packet = replace(packet, dst=result.verdict.addresses[0], dport=8080)
            context.ct_dnat = True
    assert context.ct_dnat


def one_walk(services: int, mode: str) -> float:
    """Milliseconds for a whole walk to a Service that was not asked before: the median."""
    made = [_workload(), {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "asker"},
                          "spec": {"containers": [{"name": "c", "image": "i"}]}}]  # fmt: skip
    made += [_service(number) for number in range(services)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cluster.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
        world = build_world([str(file)], ClusterOptions(nodes=2, proxy_mode=mode))
    taken = []
    for number in range(0, services, max(1, services // _ASKED)):
        begun = time.process_time()
        trace = walk(world, parse_request(world, "pod/asker", f"svc/s{number}:80"))
        taken.append(time.process_time() - begun)
        assert trace.outcome.result is Result.CONNECTED
    return statistics.median(taken[1:]) * 1000  # what all have in common is made at the first


def _workload() -> dict[str, Any]:
    labels = {"app": "web"}
    container = {"name": "c", "image": "i", "ports": [{"containerPort": 8080}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _service(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"s{number}"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }


def first_frame(mode: str) -> str:
    """CPU milliseconds of the screen until it stands."""
    code = "import sys; from k8stui.tui.app import run; sys.exit(run(sys.argv[1:]))"
    found = measure(
        [sys.executable, "-c", code, "--proxy-mode", mode, "--no-session"],
        size="80x24",
        environment={**os.environ, "TEXTUAL_ANIMATIONS": "none", "TERM": "xterm-256color"},
        ready="Layout",
        press="right",
        presses=1,
        runs=3,
    )
    figures: dict[str, Any] = found
    return f"{figures['ready_cpu_ms']['min']:.0f} ms CPU"


def main() -> None:
    print("Services   all tables s   nft -f s   ratio   first packet of a Service ms")
    for services in SIZES:
        cluster = cluster_of(services)
        gc.collect()
        gc.freeze()
        gc.disable()  # as the command line does
        start = time.process_time()
        text = "".join(lines([table_of(cluster)]))
        ours = time.process_time() - start
        packet = one_packet(cluster)
        gc.enable()
        theirs = seconds_of_nft(text)
        beside = "       -       -" if theirs is None else f"{theirs:8.3f} {ours / theirs:7.2f}"
        print(f"{services:8d} {ours:14.3f} {beside} {packet:14.3f}")
    for mode in ("iptables", "nftables"):
        few, many = (one_walk(services, mode) for services in (SIZES[0], SIZES[-1]))
        print(
            f"a whole walk, mode {mode}: {few:.2f} ms at {SIZES[0]:,} Services, {many:.2f} ms at "
            f"{SIZES[-1]:,}: {many / few:.2f} times"
        )
    for mode in ("iptables", "nftables"):
        print(f"first frame, mode {mode}: {first_frame(mode)}")


if __name__ == "__main__":
    main()
