"""What `collect` reads of random clusters in real namespaces is walked as the clusters are.

    sudo nice python benchmarks/collected.py [CLUSTERS] [SEED] [REQUESTS]

Needs root, and what `k8stui lab` needs. The clusters are those of `lab_requests.py`, which holds
their walks against the kernel; plug-ins take turns. Each is built whole, with its listeners; the
script of `k8stui collect` reads every node; and REQUESTS (40) are walked in the cluster and in the
folder that came of it, which is told no plug-in: all answers (result, server, source that it sees)
must be the same. Not compared: kube-proxy's mode userspace, whose process no node shows, and
servers that are assumed to listen. It prints each difference, how many there were by plug-in, and
ends with status 1 if there was one.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from lab_requests import HOSTS, Setting, ends, setting, world_of

from k8stui.cluster.hosts import read_hosts
from k8stui.cluster.options import ClusterOptions
from k8stui.collect.script import script
from k8stui.errors import K8sTuiError
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol
from k8stui.kernel.simulate import connect
from k8stui.lab.inside.build import build
from k8stui.lab.inside.namespaces import HeldNamespace
from k8stui.lab.planning.build import plan
from k8stui.lab.run import find_tools
from k8stui.nodes.cni import CHOICES
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

APART = ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc")


class Campaign:
    """What has been compared so far."""

    def __init__(self, requests: int) -> None:
        self.done: Counter[tuple[str, str]] = Counter()
        """By the plug-in, and what became of it."""
        self._requests = requests

    def ask(self, number: int, folder: Path) -> None:
        """Build and collect one cluster in `folder`, and walk in both."""
        dice = random.Random(number)  # noqa: S311 - to be had again
        drawn = setting(dice, CHOICES[number % len(CHOICES)])
        world = world_of(dice, drawn, folder)
        if drawn.mode == "userspace":
            return
        (folder / "state" / "nodes").mkdir(parents=True)
        (folder / "state" / "cluster.yaml").write_text(yaml.safe_dump_all(objects(world, folder)))
        (folder / "collect.sh").write_text(script())
        (folder / "told.json").write_text(json.dumps(told(world)))
        words = [*APART, sys.executable, __file__, "inside", str(folder)]
        built = subprocess.run(words, capture_output=True, text=True, check=False)
        if built.returncode:
            self.done[drawn.cni, "not built"] += 1
            print(f"cluster {number} {drawn.said}: {built.stderr[-500:]}", flush=True)
            return
        state = build_world(
            [str(folder / "state")], cluster_options=ClusterOptions(hosts=read_hosts(HOSTS))
        )
        print(built.stdout, end="")
        for _ in range(self._requests):
            self._compare(dice, world, state, drawn, number)

    def _compare(
        self, dice: random.Random, world: World, state: World, drawn: Setting, number: int
    ) -> None:
        try:
            asked = ends(dice, world)
            model = answers(world, *asked)
        except K8sTuiError:  # nobody could ask that
            return
        collected = answers(state, *asked)
        became = "equal" if model == collected else "differ"
        assumed = {one.replace(Result.CONNECTED, Result.REFUSED, 1) for one in model}
        if became == "differ" and assumed == collected:
            became = "assumed to listen"
        self.done[drawn.cni, became] += 1
        if became == "differ":
            print(f"cluster {number} {drawn.said}: {' → '.join(asked)}")
            print(f"  cluster:   {sorted(model)}\n  collected: {sorted(collected)}", flush=True)


def told(world: World) -> dict[str, Any]:
    """What the process in namespaces of its own has to know: a plan, the listeners, nodes' pods."""
    network, cluster = world.network, world.cluster
    node = next(iter(cluster.nodes))
    asked = parse_request(world, f"node/{node}", f"node/{node}:1").connect
    assert asked is not None
    made, _ = plan(network, asked, connect(network, asked), find_tools()[0], 1, whole=True)
    placed = [pod for pod in cluster.pods.values() if pod.key in network]
    return {
        "plan": made,
        "listeners": {name: list(listeners(world, name)) for name in network},
        "pods": {
            node: [pod.key for pod in placed if pod.node_name == node] for node in cluster.nodes
        },
    }


def listeners(world: World, name: str) -> Iterator[tuple[int, str, int, int | None]]:
    """Sockets that are known to be there: (protocol, address, port, IP version)."""
    for one in world.network[name].sockets:
        if one.port is not None and one.protocol in (Protocol.TCP, Protocol.UDP):
            yield int(one.protocol), str(one.address or ""), one.port, one.version


def objects(world: World, folder: Path) -> Iterator[dict[str, Any]]:
    """What ``kubectl get`` would say: the input, with what control plane and kubelets add."""
    cluster = world.cluster
    for one in yaml.safe_load_all((folder / "cluster.yaml").read_text()):
        key = f"default/{one.get('metadata', {}).get('name')}"
        if one["kind"] == "Pod":
            pod = cluster.pods[key]
            one["status"] = {"phase": "Pending"}
            if pod.node_name is not None and pod.addresses:
                one["spec"]["nodeName"] = pod.node_name
                own = [{"ip": str(address)} for address in pod.addresses]
                ready = [{"type": "Ready", "status": "True"}]
                one["status"] = {
                    "phase": "Running", "podIP": own[0]["ip"], "podIPs": own, "conditions": ready,
                }  # fmt: skip
        if one["kind"] == "Service":
            service = cluster.services[key]
            if service.cluster_ips:
                own = [str(ip) for ip in service.cluster_ips]
                one["spec"] |= {"clusterIP": own[0], "clusterIPs": own}
            for port, known in zip(one["spec"]["ports"], service.ports, strict=True):
                if known.node_port:
                    port["nodePort"] = known.node_port
        yield one


def answers(world: World, source: str, destination: str) -> set[str]:
    """One for each branch."""
    found = set()
    for trace in walks(world, parse_request(world, source, destination)):
        end = trace.outcome
        words = [end.result.value]
        if end.server_address is not None:
            server = end.server_pod or end.decided_at
            at = f"{end.server_address} {end.server_port}"
            words += [f"{server} {at} sees {end.source_seen_by_server}"]
        found.add(" ".join(words))
    return found


def inside(folder: Path) -> None:
    """In namespaces of its own: build, listen, collect each node."""
    known = json.loads((folder / "told.json").read_text())
    names = [space["name"] for space in known["plan"]["spaces"]]
    spaces = {name: HeldNamespace.new() for name in names}
    for line in build(known["plan"], list(spaces.values())):
        print(f"left out: {line}")
    held = []
    for name, wanted in known["listeners"].items():
        spaces[name].enter()
        held += [one for one in (_listener(*words) for words in wanted) if one is not None]
    for node, pods in known["pods"].items():
        lines = ["mount -t tmpfs none /run", "mkdir /run/netns"]
        for number, pod in enumerate(pods):
            at = f"/run/netns/cni-{number:04x}"
            lines.append(f"touch {at}; mount --bind {_file(spaces[pod])} {at}")
        within = f"nsenter --net={_file(spaces[node])}"
        lines.append(f"COLLECT_NAMED_ONLY=1 {within} sh {folder}/collect.sh")
        words = ["unshare", "--mount", "sh", "-ec", "\n".join(lines)]
        text = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
        (folder / "state" / "nodes" / f"{node}.txt").write_text(text)


def _file(space: HeldNamespace) -> str:
    return f"/proc/{os.getpid()}/fd/{space.fd}"


def _listener(protocol: int, address: str, port: int, version: int | None) -> socket.socket | None:
    """None: for an address that is somebody else's, whom the namespace stands for."""
    is_six = ":" in address or (not address and version != 4)
    made = socket.socket(
        socket.AF_INET6 if is_six else socket.AF_INET,
        socket.SOCK_STREAM if protocol == Protocol.TCP else socket.SOCK_DGRAM,
    )
    if is_six:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, version == 6)
    try:
        made.bind((address, port))
    except OSError:
        return None
    if protocol == Protocol.TCP:
        made.listen()
    return made


def main(clusters: int = 40, seed: int = 1, requests: int = 40) -> int:
    campaign = Campaign(requests)
    for number in range(seed * 1_000_000 + 1, seed * 1_000_000 + 1 + clusters):
        with tempfile.TemporaryDirectory() as name:
            campaign.ask(number, Path(name))
    for (cni, became), times in sorted(campaign.done.items()):
        print(f"{cni:18} {became:18} {times:6}")
    return 1 if any(became in ("differ", "not built") for _, became in campaign.done) else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["inside"]:
        inside(Path(sys.argv[2]))
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
