"""Random requests in random clusters: the walk must do what the kernel does.

    nice python benchmarks/lab_requests.py [REQUESTS] [SEED] [SECONDS]

Needs what `k8stui lab` needs. Each cluster has a plug-in, a node count, pods and Services of
its own; of each a few requests are asked, with neighbours warm or cold, one branch each. It prints
each difference with what reproduces it, and ends with status 1 if there was one.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml

from k8stui.cluster.hosts import read_hosts
from k8stui.cluster.options import ClusterOptions
from k8stui.errors import K8sTuiError
from k8stui.export.lab import lab_lines
from k8stui.lab.errors import LabError, NotComparedError
from k8stui.lab.experiment import MAX_BRANCHES, experiments
from k8stui.lab.run import find_tools
from k8stui.nodes.cni import CHOICES
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

REQUESTS_PER_CLUSTER = 12
BEYOND = ("8.8.8.8", "192.168.0.77", "198.51.100.7", "192.168.0.200", "10.200.0.9")
HOSTS = ("db=192.168.0.200:5432", "far=198.51.100.7:443", "vpn=10.200.0.9")


def cluster(dice: random.Random) -> list[dict[str, object]]:
    """Pods and Services that know each other more or less."""
    apps = [f"app-{n}" for n in range(dice.randint(1, 4))]
    found = []
    for app in apps:
        ports = [
            {"containerPort": port, "protocol": dice.choice(["TCP", "TCP", "UDP"])}
            for port in dice.sample([80, 443, 5000, 8080], dice.randint(1, 2))
        ]
        is_host = dice.random() < 0.15
        if not is_host and dice.random() < 0.2:
            ports[0]["hostPort"] = dice.choice([8000, 8001, 8002])
        for number in range(dice.randint(1, 3)):
            spec: dict[str, object] = {"containers": [{"name": "c", "image": "c", "ports": ports}]}
            if is_host:
                spec["hostNetwork"] = True
            found.append(_object("Pod", f"{app}-{number}", spec, {"app": app}))
    services = (_service(dice, apps, number) for number in range(dice.randint(1, 5)))
    return found + [_object("Service", f"svc-{n}", spec) for n, spec in enumerate(services)]


def _object(
    kind: str, name: str, spec: dict[str, object], labels: dict[str, str] | None = None
) -> dict[str, object]:
    metadata: dict[str, object] = {"name": name}
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}


def _service(dice: random.Random, apps: list[str], number: int) -> dict[str, object]:
    kind = dice.choice(["ClusterIP", "NodePort", "NodePort", "LoadBalancer"])
    port: dict[str, object] = {
        "port": dice.choice([80, 53, 443]),
        "targetPort": dice.choice([80, 443, 5000, 8080, 9999]),
        "protocol": dice.choice(["TCP", "TCP", "UDP"]),
    }
    spec: dict[str, object] = {
        "type": kind,
        "selector": {"app": dice.choice([*apps, *apps, "nobody"])},
        "ports": [port],
    }
    if kind != "ClusterIP":
        port["nodePort"] = 30080 + number
        if dice.random() < 0.4:
            spec["externalTrafficPolicy"] = "Local"
    if dice.random() < 0.2:
        spec["internalTrafficPolicy"] = "Local"
    if dice.random() < 0.2:
        spec["sessionAffinity"] = "ClientIP"
    if dice.random() < 0.2:
        spec["externalIPs"] = [f"198.18.0.{number + 1}"]
    return spec


def request(dice: random.Random, world: World) -> tuple[str, str]:
    """Somebody, and somewhere that may or may not be there."""
    pods = [pod for pod in world.cluster.pods.values() if pod.addresses and pod.node_name]
    nodes = list(world.cluster.nodes)
    sources = [f"pod/{pod.name}" for pod in pods] + [f"node/{node}" for node in nodes]
    source = dice.choice([*sources, "outside"])
    services = [s for s in world.cluster.services.values() if s.name.startswith("svc-")]
    service = dice.choice(services)
    port = service.ports[0]
    pod = dice.choice(pods)
    node = dice.choice(nodes)
    either = dice.choice(["", "/udp"])
    is_udp = "/udp" if port.protocol == "UDP" else ""
    wanted = [
        f"svc/{service.name}:{port.port}{is_udp}",
        f"{pod.addresses[0]}:{dice.choice([80, 443, 5000, 8080, 9999])}{either}",
        f"node/{node}:{dice.choice([port.node_port or 30099, 8000, 8001, 31999])}{either}",
        f"{dice.choice(BEYOND)}:{dice.choice([53, 443, 5432])}{either}",
    ]
    if port.node_port:
        wanted += [f"node/{node}:{port.node_port}{is_udp}"] * 2
    if service.external_ips:
        wanted.append(f"{service.external_ips[0]}:{port.port}{is_udp}")
    if source.startswith("node/"):
        wanted.append(f"localhost:{port.node_port or 30099}{is_udp}")
    return source, dice.choice(wanted)


def world_of(dice: random.Random, folder: Path) -> tuple[World, str]:
    path = folder / "cluster.yaml"
    path.write_text(yaml.safe_dump_all(cluster(dice)), encoding="utf-8")
    cni = dice.choice(list(CHOICES))
    nodes = dice.randint(1, 3)
    world = build_world(
        [str(path)],
        cluster_options=ClusterOptions(nodes=nodes, hosts=read_hosts(HOSTS)),
        node_options=NodeOptions(cni=cni),
    )
    return world, f"--cni {cni} --nodes {nodes}"


def main(count: int = 10_000, seed: int = 1, seconds: float = 1e9) -> int:
    tools, _ = find_tools()
    done: Counter[str] = Counter()
    differ = 0
    ends = time.monotonic() + seconds
    number = seed * 1_000_000
    with tempfile.TemporaryDirectory() as name:
        while done.total() < count and time.monotonic() < ends:
            number += 1
            dice = random.Random(number)  # noqa: S311 - to be had again
            world, options = world_of(dice, Path(name))
            for _ in range(REQUESTS_PER_CLUSTER):
                source, destination = request(dice, world)
                cold = dice.random() < 0.3
                skipped = dice.choice([0, 0, 0, 1, 2])
                try:
                    asked = parse_request(world, source, destination)
                    found = experiments(world, asked, tools, every=skipped > 0, cold=cold)
                    one = next(found)
                    for _ in range(min(skipped, MAX_BRANCHES)):
                        one = next(found, one)
                except NotComparedError:
                    continue
                except LabError as error:
                    print(f"cluster {number} {options}: {source} → {destination}: {error}")
                    continue
                except K8sTuiError:
                    continue
                done[one.comparison.kernel.result] += 1
                if not one.comparison.agrees:
                    differ += 1
                    print(f"cluster {number} {options} {'cold' if cold else 'warm'}:")
                    print("\n".join(lab_lines(one, packets=False)), flush=True)
    print(f"{done.total()} requests in {number - seed * 1_000_000} clusters: {dict(done)}")
    print(f"{differ} of them differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:])))
