"""Random requests in random clusters: the walk must do what the kernel does.

    nice python benchmarks/lab_requests.py [REQUESTS] [SEED] [SECONDS] [AT_ONCE]

Needs what `k8stui lab` needs. Each cluster has a plug-in (they take turns), IP families, a mode of
kube-proxy, a policy engine, nodes, pods, Services and policies of its own, and now and then a
device with another MTU; of each a few requests are asked, with neighbours warm or cold, one branch
each. It prints each difference with what reproduces it, how many requests of which kind there were
and what became of them with each plug-in, and ends with status 1 if there was a difference. What
differs is asked again, for a busy machine's timers are late; what differs the first time only is
printed and counted by itself. AT_ONCE labs stand side by side: most of a request is waiting.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import yaml

from k8stui.cluster.hosts import read_hosts
from k8stui.cluster.options import ClusterOptions
from k8stui.errors import K8sTuiError
from k8stui.export.lab import lab_lines
from k8stui.kernel.namespace import LinkKind, NetNamespace, Network
from k8stui.kernel.packet import Protocol
from k8stui.lab.anew import Changed
from k8stui.lab.errors import LabError, NotComparedError
from k8stui.lab.experiment import MAX_BRANCHES, Experiment, experiments
from k8stui.lab.plan import Tools
from k8stui.lab.run import end_all, find_tools
from k8stui.nodes.cni import CHOICES
from k8stui.nodes.options import NodeOptions
from k8stui.record import record
from k8stui.walk.again import again
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Request
from k8stui.walk.world import World, build_world

REQUESTS_PER_CLUSTER = 12
ASKED_AGAIN = 2
BEYOND = {
    4: ("8.8.8.8", "192.168.0.77", "198.51.100.7", "192.168.0.200", "10.200.0.9"),
    6: ("2001:db8::8", "fd00:192:168::77", "2001:db8:ffff::7"),
}
HOSTS = ("db=192.168.0.200:5432", "far=198.51.100.7:443", "vpn=10.200.0.9")
PORTS = (80, 443, 5000, 8080)
ENDS = ("8000", "8001", "8002")
Object = dict[str, object]


@record(kw_only=True)
class Setting:
    """What a cluster is drawn with."""

    cni: str
    nodes: int
    families: tuple[int, ...]
    mode: str
    engine: str | None
    mtu: int | None
    """Of one device somewhere; None: as it should be."""

    @property
    def said(self) -> str:
        family = "".join(f"v{one}" for one in self.families)
        policy = f" --policy-engine {self.engine}" if self.engine else ""
        mtu = f", one MTU {self.mtu}" if self.mtu else ""
        return f"--cni {self.cni} --proxy-mode {self.mode}{policy} ({family}{mtu})"


def setting(dice: random.Random, cni: str | None = None) -> Setting:
    drawn = dice.choice(CHOICES)
    return Setting(
        cni=cni or drawn,
        nodes=dice.randint(1, 3),
        families=dice.choice([(4,), (4,), (4,), (4, 6), (6, 4), (6,)]),
        mode=dice.choice(["iptables", "iptables", "nftables", "nftables", "userspace"]),
        engine=dice.choice([None, None, "kube-router", "kube-router-v2.11"]),
        mtu=dice.choice([None] * 7 + [1280, 1400, 1492]),
    )


# Objects.


def cluster(dice: random.Random, drawn: Setting) -> Iterator[Object]:
    """Nodes, pods, Services and policies that know each other more or less."""
    for number in range(1, drawn.nodes + 1):
        yield _node(number, drawn.families)
    apps = [f"app-{n}" for n in range(dice.randint(1, 4))]
    for app in apps:
        yield from _pods(dice, app)
    for number in range(dice.randint(2, 6)):
        yield from _service(dice, apps, number, drawn)
    if drawn.engine:
        for number in range(dice.randint(1, 3)):
            yield _policy(dice, apps, number, drawn.families)
    if dice.random() < 0.3:
        yield _proxy(dice, drawn)


def _object(
    kind: str, name: str, spec: Object, labels: dict[str, str] | None = None, version: str = "v1"
) -> Object:
    metadata: Object = {"name": name}
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _node(number: int, families: tuple[int, ...]) -> Object:
    ranges = {4: f"10.244.{number}.0/24", 6: f"fd00:10:244:{number}::/64"}
    own = {4: f"192.168.0.{10 + number}", 6: f"fd00:192:168::{10 + number}"}
    made = _object("Node", f"node-{number}", {"podCIDRs": [ranges[one] for one in families]})
    addresses = [{"type": "InternalIP", "address": own[one]} for one in families]
    return made | {"status": {"addresses": addresses}}


def _pods(dice: random.Random, app: str) -> Iterator[Object]:
    ports: list[Object] = [
        {
            "name": f"p{port}",
            "containerPort": port,
            "protocol": dice.choice(["TCP", "TCP", "UDP"]),
        }
        for port in dice.sample(PORTS, dice.randint(1, 2))
    ]
    is_host = dice.random() < 0.15
    if not is_host and dice.random() < 0.25:
        ports[0]["hostPort"] = dice.choice([8000, 8001, 8002])
    for number in range(dice.randint(1, 3)):
        spec: Object = {"containers": [{"name": "c", "image": "c", "ports": ports}]}
        if is_host:
            spec["hostNetwork"] = True
        yield _object("Pod", f"{app}-{number}", spec, {"app": app})


def _service(dice: random.Random, apps: list[str], number: int, drawn: Setting) -> Iterator[Object]:
    kind = dice.choice(["ClusterIP", "NodePort", "NodePort", "LoadBalancer", "LoadBalancer", ""])
    port: Object = {
        "port": dice.choice([80, 53, 443]),
        "targetPort": dice.choice([*PORTS, 9999, "p80", "p443"]),
        "protocol": dice.choice(["TCP", "TCP", "UDP"]),
    }
    spec: Object = {"selector": {"app": dice.choice([*apps, *apps, "nobody"])}, "ports": [port]}
    if not kind:
        yield _object("Service", f"svc-{number}", spec | {"clusterIP": "None"})
        return
    spec["type"] = kind
    if len(drawn.families) > 1:
        spec["ipFamilyPolicy"] = dice.choice(["SingleStack", "PreferDualStack"])
    if kind != "ClusterIP":
        port["nodePort"] = 30080 + number
        if dice.random() < 0.4:
            spec["externalTrafficPolicy"] = "Local"
    if dice.random() < 0.2:
        spec["internalTrafficPolicy"] = "Local"
    if dice.random() < 0.25:
        spec["sessionAffinity"] = "ClientIP"
    if dice.random() < 0.25:
        spec["externalIPs"] = [_outer(number, drawn.families[0], 0)]
    made = _object("Service", f"svc-{number}", spec)
    if kind == "LoadBalancer":
        if dice.random() < 0.5:
            spec["loadBalancerSourceRanges"] = dice.sample(_ranges(drawn.families[0]), 2)
        if dice.random() < 0.3:
            spec["allocateLoadBalancerNodePorts"] = False
            del port["nodePort"]
        ingress: Object = {"ip": _outer(number, drawn.families[0], 1)}
        if dice.random() < 0.2:
            ingress["ipMode"] = dice.choice(["VIP", "Proxy"])
        made["status"] = {"loadBalancer": {"ingress": [ingress]}}
    yield made


def _outer(number: int, version: int, which: int) -> str:
    return f"198.18.{which}.{number + 1}" if version == 4 else f"2001:db8:{which}::{number + 1}"


def _ranges(version: int) -> list[str]:
    if version == 4:
        return ["203.0.113.0/24", "10.244.0.0/16", "10.244.1.0/24", "192.168.0.0/24", "8.8.8.8/32"]
    return ["2001:db8:203:113::/64", "fd00:10:244::/56", "fd00:192:168::/64"]


def _policy(dice: random.Random, apps: list[str], number: int, families: tuple[int, ...]) -> Object:
    def peers() -> list[Object]:
        return [
            dice.choice(
                [
                    {"podSelector": {"matchLabels": {"app": dice.choice(apps)}}},
                    {"podSelector": {}},
                    {"namespaceSelector": {}},
                    {"ipBlock": {"cidr": dice.choice(_ranges(families[0]))}},
                    {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.244.1.0/24"]}}
                    if families[0] == 4
                    else {"ipBlock": {"cidr": "fd00::/16", "except": ["fd00:10:244:1::/64"]}},
                ]
            )
            for _ in range(dice.randint(1, 2))
        ]

    def rule(direction: str) -> Object:
        made: Object = {}
        if dice.random() < 0.7:
            made[direction] = peers()
        if dice.random() < 0.5:
            port: Object = {
                "port": dice.choice([*PORTS, "p80"]),
                "protocol": dice.choice(["TCP", "UDP"]),
            }
            if isinstance(port["port"], int) and dice.random() < 0.3:
                port["endPort"] = port["port"] + 400
            made["ports"] = [port]
        return made

    types = dice.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]])
    selector = {"matchLabels": {"app": dice.choice(apps)}} if dice.random() < 0.8 else {}
    spec: Object = {"podSelector": selector, "policyTypes": types}
    for one, direction in (("Ingress", "from"), ("Egress", "to")):
        if one in types:
            spec[one.lower()] = [rule(direction) for _ in range(dice.randint(0, 2))]
    return _object("NetworkPolicy", f"policy-{number}", spec, version="networking.k8s.io/v1")


def _proxy(dice: random.Random, drawn: Setting) -> Object:
    ranges = {4: "10.244.0.0/16", 6: "fd00:10:244::/56"}
    own = {4: "192.168.0.0/24", 6: "fd00:192:168::/64"}
    made: Object = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": drawn.mode,
        "clusterCIDR": dice.choice(["", ",".join(ranges[one] for one in drawn.families)]),
        "iptables": {
            "masqueradeAll": dice.random() < 0.3,
            "localhostNodePorts": dice.random() < 0.5,
        },
    }
    if dice.random() < 0.3:
        made["nodePortAddresses"] = [own[one] for one in drawn.families]
    return made


def world_of(dice: random.Random, drawn: Setting, folder: Path) -> World:
    path = folder / "cluster.yaml"
    path.write_text(yaml.safe_dump_all(cluster(dice, drawn)), encoding="utf-8")
    world = build_world(
        [str(path)],
        cluster_options=ClusterOptions(hosts=read_hosts(HOSTS), proxy_mode=drawn.mode),
        node_options=NodeOptions(cni=drawn.cni, policy_engine=drawn.engine),
    )
    if drawn.mtu is not None:
        names = [*world.cluster.nodes, *(p.key for p in world.cluster.pods.values())]
        narrow = _Narrow(world.network, dice.choice([*names, "wire"]), dice.random(), drawn.mtu)
        world = replace(world, network=narrow)
    return world


class _Narrow(Changed):
    """With another MTU on one device, and on what is plugged into it."""

    def __init__(self, network: Network, name: str, place: float, mtu: int) -> None:
        super().__init__(network)
        self._mtu = mtu
        self._ends = set()
        if name in network:
            devices = [d for d in network[name].interfaces if d.kind is LinkKind.VETH]
            if devices:
                device = devices[int(place * len(devices))]
                self._ends = {(name, device.name), device.peer}

    def __getattr__(self, name: str) -> object:
        return getattr(self._network, name)

    def change(self, space: NetNamespace) -> NetNamespace:
        made = tuple(
            replace(one, mtu_bytes=self._mtu) if (space.name, one.name) in self._ends else one
            for one in space.interfaces
        )
        return replace(space, interfaces=made)


# Requests.


def request(dice: random.Random, world: World) -> Request:
    """Somebody, and somewhere that may or may not be there."""
    source, destination = ends(dice, world)
    is_udp = destination.endswith("/udp")
    asked = parse_request(
        world,
        source,
        destination,
        source_port=dice.choice([None, None, None, 1024, 30081, 53000]),
        data_bytes=dice.choice([None, None, None, 1, 700, 1300, 1400, 3000]),
        unconnected=is_udp and dice.random() < 0.3,
    )
    times = dice.choice([0] * 8 + [1, 2, 3])
    return again(asked, times, dice.choice([0.0, 0.05, 0.3]))


def ends(dice: random.Random, world: World) -> tuple[str, str]:
    cluster = world.cluster
    pods = [pod for pod in cluster.pods.values() if pod.addresses and pod.node_name]
    nodes = list(cluster.nodes)
    sources = [f"pod/{pod.name}" for pod in pods] + [f"node/{node}" for node in nodes]
    source = dice.choice([*sources, "outside"])
    services = [s for s in cluster.services.values() if s.name.startswith("svc-")]
    service = dice.choice(services)
    port = service.ports[0]
    udp = "/udp" if port.protocol is Protocol.UDP else ""
    if dice.random() < 0.15 and service.selector:
        # Perhaps it gets to itself.
        own = [f"pod/{pod.name}" for pod in pods if pod.labels.items() >= service.selector.items()]
        source = dice.choice(own or [source])
    pod = dice.choice(pods)
    node = cluster.nodes[dice.choice(nodes)]
    address = str(dice.choice(node.addresses))
    node_port = port.node_port or 30099
    either = dice.choice(["", "/udp"])
    version = dice.choice([one.version for one in node.addresses])
    beyond = dice.choice(BEYOND[version])
    balancers = (one.ip for one in service.load_balancer_ingress if one.ip)
    outer = [*service.external_ips, *balancers]
    pinged = [str(pod.addresses[0]), address, beyond, f"svc/{service.name}"]
    ways = {
        "service": f"svc/{service.name}:{port.port}{udp}",
        "name": f"{service.name}.default.svc.cluster.local:{port.port}{udp}",
        "pod": f"{_b(str(dice.choice(pod.addresses)))}:{dice.choice([*PORTS, 9999])}{either}",
        "node": f"{_b(address)}:{dice.choice([node_port, 8000, 8001, 31999])}{either}",
        "beyond": f"{_b(beyond)}:{dice.choice([53, 443, 5432])}{either}",
        "ping": f"{dice.choice([_b(one) for one in pinged])}/icmp",
    }
    if port.node_port:
        ways["node-port"] = f"{_b(address)}:{port.node_port}{udp}"
    if outer:
        ways["outer"] = f"{_b(str(dice.choice(outer)))}:{port.port}{udp}"
        ways["outer-other"] = (
            f"{_b(str(dice.choice(outer)))}:{dice.choice([81, node_port])}{either}"
        )
    if source.startswith("node/"):
        ways["localhost"] = f"localhost:{node_port}{udp}"
        ways["loopback"] = f"{'127.0.0.1' if version == 4 else '[::1]'}:{node_port}{udp}"
    kind = dice.choice([*ways, "service"])
    return source, ways[kind]


def _b(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@record(kw_only=True)
class Question:
    """One branch of a request."""

    wanted: Request
    cold: bool
    skipped: int
    """How many branches stand before it."""

    def ask(self, world: World, tools: Tools) -> Experiment:
        """Ask the walk and the kernel."""
        every = self.skipped > 0
        found = experiments(world, self.wanted, tools, every=every, cold=self.cold)
        one = next(found)
        for _ in range(min(self.skipped, MAX_BRANCHES)):
            one = next(found, one)
        return one


def kinds(drawn: Setting, wanted: Request, *, cold: bool) -> Iterator[str]:
    """What to count a request under."""
    yield f"mode {drawn.mode}"
    yield f"policies {drawn.engine or 'none'}"
    connect = wanted.connect
    assert connect is not None
    yield f"IPv{connect.destination.version}"
    yield wanted.protocol.name
    yield "cold" if cold else "warm"
    if drawn.mtu:
        yield "MTU"
    if connect.earlier:
        yield "again"
    if connect.unconnected:
        yield "unconnected"
    if connect.data_bytes is not None:
        yield "data"


class Campaign:
    """What has been asked so far, by whoever asks."""

    def __init__(self, count: int, ends_at: float) -> None:
        self._count = count
        self._ends_at = ends_at
        self._lock = threading.Lock()
        self._tools, _ = find_tools()
        self._done: Counter[str] = Counter()
        self._of_kind: Counter[str] = Counter()
        self._left: Counter[str] = Counter()
        self._of_cni: Counter[tuple[str, str]] = Counter()
        """By the plug-in, and the column of the table."""
        self._clusters = self._unsent = 0
        self.differ = self.unsteady = self.broken = 0

    def ask_all(self, numbers: Iterator[int]) -> None:
        """Cluster after cluster, until there are enough."""
        with tempfile.TemporaryDirectory() as name:
            while self._done.total() < self._count and time.monotonic() < self._ends_at:
                number = next(numbers)
                dice = random.Random(number)  # noqa: S311 - to be had again
                drawn = setting(dice, CHOICES[number % len(CHOICES)])
                world = world_of(dice, drawn, Path(name))
                for turn in range(REQUESTS_PER_CLUSTER):
                    self._ask(dice, world, drawn, f"cluster {number} request {turn} {drawn.said}")
                with self._lock:
                    self._clusters += 1

    def _ask(self, dice: random.Random, world: World, drawn: Setting, here: str) -> None:
        try:
            wanted = request(dice, world)
            cold = dice.random() < 0.3
            question = Question(wanted=wanted, cold=cold, skipped=dice.choice([0, 0, 0, 1, 2]))
        except K8sTuiError as error:
            self._leave(error, drawn)
            return
        if wanted.connect is None:
            with self._lock:
                self._unsent += 1  # a name that has no address
            return
        try:
            one = question.ask(world, self._tools)
            steady = one.comparison.agrees or not any(
                question.ask(world, self._tools).comparison.agrees for _ in range(ASKED_AGAIN)
            )
        except NotComparedError as error:
            self._leave(error, drawn)
            return
        except LabError as error:
            with self._lock:
                self.broken += 1
                self._of_cni[drawn.cni, _BROKEN] += 1
                print(f"{here}: {wanted.source} → {wanted.destination}: {error}", flush=True)
            return
        with self._lock:
            self._done[one.comparison.kernel.result] += 1
            self._of_kind.update(kinds(drawn, wanted, cold=cold))
            self._of_cni[drawn.cni, _COMPARED] += 1
            if not one.comparison.agrees:
                self.differ += steady
                self.unsteady += not steady
                self._of_cni[drawn.cni, _DIFFER if steady else _AT_FIRST] += 1
                how = "" if steady else " (agreed when it was asked again)"
                print(f"{here} {'cold' if cold else 'warm'} {wanted.connect}{how}:")
                print("\n".join(lab_lines(one, packets=False)), flush=True)

    def _leave(self, error: K8sTuiError, drawn: Setting) -> None:
        with self._lock:
            self._left[str(error)] += 1
            self._of_cni[drawn.cni, _LEFT] += 1

    def summary(self) -> Iterator[str]:
        yield f"{self._done.total()} requests in {self._clusters} clusters: {dict(self._done)}"
        yield ", ".join(f"{kind} {times}" for kind, times in sorted(self._of_kind.items()))
        asked = self._done.total() + self._left.total()
        yield (
            f"{asked + self._unsent} asked: {self._unsent} of them send no packet,"
            f" {self._left.total()} are not compared ({self._left.total() / max(1, asked):.1%}):"
        )
        for reason, times in self._left.most_common():
            yield f"  {times} {reason}"
        yield from self._table()
        end_all()
        spent = [resource.getrusage(one) for one in (_SELF, _CHILDREN)]
        seconds = sum(one.ru_utime + one.ru_stime for one in spent) / max(1, self._done.total())
        yield f"CPU {seconds * 1000:.0f} ms a request"
        yield (
            f"{self.differ} of them differ, {self.unsteady} more did the first time only;"
            f" {self.broken} could not be built"
        )

    def _table(self) -> Iterator[str]:
        yield "  ".join(["plug-in".ljust(_WIDTH), *_COLUMNS])
        for cni in CHOICES:
            found = (str(self._of_cni[cni, one]).rjust(len(one)) for one in _COLUMNS)
            yield "  ".join([cni.ljust(_WIDTH), *found])


_COLUMNS = _COMPARED, _DIFFER, _AT_FIRST, _LEFT, _BROKEN = (
    "compared", "differ", "differed at first only", "not compared", "not built",
)  # fmt: skip
_WIDTH = max(map(len, CHOICES))
_SELF, _CHILDREN = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN


def main(count: int = 10_000, seed: int = 1, seconds: float = 1e9, at_once: int = 1) -> int:
    campaign = Campaign(count, time.monotonic() + seconds)
    numbers = iter(range(seed * 1_000_000 + 1, (seed + 1) * 1_000_000))
    with ThreadPoolExecutor(at_once) as pool:
        for each in [pool.submit(campaign.ask_all, numbers) for _ in range(at_once)]:
            each.result()
    for line in campaign.summary():
        print(line)
    return 1 if campaign.differ or campaign.broken else 0


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:])))
