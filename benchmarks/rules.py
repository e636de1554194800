"""How long kube-proxy's rules take: CPU time for 10,000 Services of two endpoints each.

    python benchmarks/rules.py [SERVICES]

Aims (docs/facts/speed.md sections 4 and 8): all rules as text with their reasons ≤ 0.35 s; one
Service's rules on demand, indexes built, ≤ 0.5 ms; one chain looked up builds no other.
"""

from __future__ import annotations

import gc
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from k8stui.cluster.model import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    ProxyConfiguration,
    Service,
    ServicePort,
)
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.save import dump_lines
from k8stui.nodes.kubeproxy import KubeProxyRules
from k8stui.nodes.kubeproxy.names import chain_suffix
from k8stui.origin import assumed

_ORIGIN = assumed("made for a benchmark")


def make_cluster(services: int) -> Cluster:
    """`services` ClusterIP Services of one named port and two endpoints; every tenth a NodePort."""
    found: dict[str, Service] = {}
    slices: dict[str, tuple[EndpointSlice, ...]] = {}
    for i in range(services):
        service = Service(
            namespace=f"team-{i % 40}",
            name=f"service-{i}",
            cluster_ips=(Address(4, (10 << 24 | 96 << 16) + i + 1),),
            ports=(
                ServicePort(
                    name="http",
                    port=80,
                    target_port=8080,
                    node_port=30000 + i // 10 if i % 10 == 0 and i < 27000 else None,
                    origin=_ORIGIN,
                ),
            ),
            origin=_ORIGIN,
        )
        found[service.key] = service
        slices[service.key] = (
            EndpointSlice(
                namespace=service.namespace,
                name=f"{service.name}-x",
                service=service.name,
                ports=(EndpointPort(name="http", port=8080),),
                endpoints=tuple(
                    Endpoint(
                        addresses=(Address(4, (10 << 24 | 128 << 16) + 2 * i + j),),
                        node_name=f"node-{j + 1}",
                        origin=_ORIGIN,
                    )
                    for j in range(2)
                ),
                origin=_ORIGIN,
            ),
        )
    node = Node(name="node-1", index=1, addresses=(Address.parse("192.168.0.11"),), origin=_ORIGIN)
    return Cluster(
        nodes={node.name: node},
        pods={},
        services=found,
        endpoint_slices=slices,
        workloads=(),
        proxy=ProxyConfiguration(cluster_cidr="10.128.0.0/9", origin=_ORIGIN),
        pod_cidr=Prefix.parse("10.128.0.0/9"),
        service_cidr=Prefix.parse("10.96.0.0/12"),
    )


def cpu_seconds(work: Callable[[], object], repeat: int = 5) -> float:
    """Median CPU time of one run."""
    times = []
    for _ in range(repeat):
        gc.collect()
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def beside_iptables() -> None:
    """All rules at three sizes, beside iptables-legacy-restore of the same text."""
    if not shutil.which("iptables-legacy-restore"):
        print("iptables-legacy-restore is not on this machine")
        return
    print("Services   ours s  restore s  ratio  peak MiB so far")
    for services in (100, 1_000, 10_000):
        cluster = make_cluster(services)
        rules = KubeProxyRules(cluster, cluster.nodes["node-1"], nfacct=False)
        gc.disable()  # as the command line does
        start = time.process_time()
        text = "".join(f"{line}\n" for line in dump_lines(rules.ruleset))
        ours = time.process_time() - start
        gc.enable()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            ["unshare", "-Urn", "iptables-legacy-restore"], input=text, text=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        theirs = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{services:8d} {ours:8.3f} {theirs:10.3f} {ours / theirs:6.2f} {peak:10.0f}")


def main(services: int) -> None:
    cluster = make_cluster(services)
    node = cluster.nodes["node-1"]
    gc.collect()
    gc.freeze()  # as after loading (docs/facts/speed.md section 0)

    def text() -> int:
        return sum(len(line) + 1 for line in dump_lines(KubeProxyRules(cluster, node).ruleset))

    print(f"{services} Services x 2 endpoints, {text() / 1e6:.1f} MB of rules")
    print(f"all rules as text        {cpu_seconds(text):8.3f} s")

    def reasons() -> int:
        ruleset = KubeProxyRules(cluster, node).ruleset
        return sum(
            len(rule.text) + len(rule.reason.text if rule.reason is not None else "")
            for table in ruleset
            for chain in table.chains.values()
            for rule in chain.rules
        )

    print(f"… and every reason read  {cpu_seconds(reasons):8.3f} s")

    names = [f"KUBE-SVC-{chain_suffix(f'{key}:httptcp')}" for key in cluster.services]
    rules = KubeProxyRules(cluster, node)
    chains = rules.ruleset.tables["nat"].chains

    def first() -> None:
        len(chains[names[0]].rules)

    print(f"first chain looked up    {cpu_seconds(first, 1) * 1e3:8.3f} ms")
    print(f"  service ports planned  {rules.planned:8d}")

    def on_demand() -> None:
        for name in names[1:101]:
            for rule in chains[name].rules:
                target = rule.text.rpartition(" -j ")[2]
                if target.startswith("KUBE-SEP-"):
                    len(chains[target].rules)

    print(f"one Service's chains     {cpu_seconds(on_demand, 1) * 10:8.3f} ms")
    print(f"  service ports planned  {rules.planned:8d}")

    def services_chain() -> None:
        len(KubeProxyRules(cluster, node).ruleset.tables["nat"].chains["KUBE-SERVICES"].rules)

    print(f"nat KUBE-SERVICES alone  {cpu_seconds(services_chain):8.3f} s")


if __name__ == "__main__":
    beside_iptables()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
