"""How work grows with the input: each case at a size and at four times the size, by counting.

    python benchmarks/growth.py [CASE]... [--seconds]

Counted are calls of functions, Python's and C's (`sys.setprofile`), so that a busy machine changes
nothing; --seconds: CPU instead, for what one call can hide (a search through a long text). Linear
is 4; aim: at most 5 in each. Ends with status 1 where it is more.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from k8stui.cli import run

MOST = 5.0
WEB = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n"
    "  replicas: {replicas}\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n"
    "    metadata: {{labels: {{app: {name}}}}}\n"
    "    spec: {{containers: [{{name: c, image: i, ports: [{{containerPort: 80}}]}}]}}\n"
)
SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec:\n  type: {type}\n"
    "  selector: {{app: {app}}}\n  ports: [{{port: 80{more}}}]\n"
)
PAIR = "---\n".join(
    (
        WEB.format(name="web", replicas=2),
        SERVICE.format(name="web", app="web", type="NodePort", more=", nodePort: 30080"),
    )
)
ASK = ("--from", "outside", "--to", "node/node-1:30080")


class Case(NamedTuple):
    size: int
    make: Callable[[int, Path], list[str]]
    """Write the input of a size into a folder and give the command line."""


def manifests(folder: Path, *parts: str) -> str:
    path = folder / "set.yaml"
    path.write_text("---\n".join(parts))
    return str(path)


def walked(folder: Path, *parts: str) -> list[str]:
    return ["walk", manifests(folder, PAIR, *parts), *ASK]


def checked(folder: Path, *parts: str) -> list[str]:
    return ["check", manifests(folder, PAIR, *parts)]


def broken_documents(size: int, folder: Path) -> list[str]:
    return checked(folder, *(f"kind: Service\nmetadata: {{name: s{n}\n" for n in range(size)))


def missing_spaces(size: int, folder: Path) -> list[str]:
    """Each of which is told, with what of its line is no value of a ConfigMap."""
    lines = "".join(f"  field{n}:value-{n}\n" for n in range(size))
    return checked(
        folder, f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n{lines}"
    )


def wrong_fields(size: int, folder: Path) -> list[str]:
    odd = (
        "apiVersion: v1\nkind: Service\nmetadata: {{name: s{n}}}\nspec: {{ports: [{{prot: 1}}]}}\n"
    )
    return checked(folder, *(odd.format(n=n) for n in range(size)))


def saved(folder: Path, rules: Iterator[str], chains: Iterator[str]) -> list[str]:
    save = folder / "node.save"
    lines = ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"]
    save.write_text("\n".join([*lines, *chains, *rules, "COMMIT", ""]))
    return [*walked(folder), "--iptables", f"node-1={save}"]


def many_rules(size: int, folder: Path) -> list[str]:
    rules = (f"-A INPUT -s 172.{n >> 16}.{n >> 8 & 255}.{n & 255}/32 -j DROP" for n in range(size))
    return saved(folder, rules, iter(()))


def long_chain_of_jumps(size: int, folder: Path) -> list[str]:
    rules = [f"-A C{n} -p tcp -j C{n + 1}" for n in range(size)]
    return saved(
        folder, iter(["-A INPUT -j C0", *rules]), (f":C{n} - [0:0]" for n in range(size + 1))
    )


def services_of_one_port(size: int, folder: Path) -> list[str]:
    one = (SERVICE.format(name=f"s{n}", app="web", type="ClusterIP", more="") for n in range(size))
    return checked(folder, *one)


def services_of_the_same_pods(size: int, folder: Path) -> list[str]:
    """As many Services as there are pods."""
    one = [SERVICE.format(name=f"s{n}", app="all", type="ClusterIP", more="") for n in range(size)]
    return walked(folder, WEB.format(name="all", replicas=size), *one)


def node_ports(size: int, folder: Path) -> list[str]:
    one = (
        SERVICE.format(name=f"s{n}", app=f"none-{n}", type="NodePort", more="") for n in range(size)
    )
    return checked(folder, *one)


def strangers(size: int, folder: Path) -> list[str]:
    """Services of which none asks for any of the pods that there are."""
    parts = []
    for n in range(size):
        parts.append(WEB.format(name=f"{'abcdefghij'[n % 10]}{n}w", replicas=1))
        parts.append(SERVICE.format(name=f"s{n}", app=f"z{n}q{n}", type="ClusterIP", more=""))
    return checked(folder, *parts)


def policies(size: int, folder: Path) -> list[str]:
    one = (
        f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{n}}}\n"
        f"spec: {{podSelector: {{matchLabels: {{app: a{n}}}}}, policyTypes: [Ingress]}}\n"
        for n in range(size)
    )
    return checked(folder, *one)


def policed(size: int, folder: Path) -> list[str]:
    """Workloads of which each lets nobody in that there is, and out only to the next one."""
    parts = []
    for n in range(size):
        name, after = f"w{n}", f"w{(n + 1) % size}"
        parts.append(WEB.format(name=name, replicas=1))
        parts.append(SERVICE.format(name=name, app=name, type="ClusterIP", more=""))
        parts.append(
            f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}}}\n"
            f"spec:\n  podSelector: {{matchLabels: {{app: {name}}}}}\n"
            "  policyTypes: [Ingress, Egress]\n"
            "  ingress: [{from: [{podSelector: {matchLabels: {app: stranger}}}]}]\n"
            f"  egress: [{{to: [{{podSelector: {{matchLabels: {{app: {after}}}}}}}, "
            "{ipBlock: {cidr: 10.96.0.0/12}}]}]\n"
        )
    return checked(folder, *parts)


def nodes(size: int, folder: Path) -> list[str]:
    one = (
        f"apiVersion: v1\nkind: Node\nmetadata: {{name: node-{n + 1}}}\n"
        f"spec: {{podCIDR: 10.{n >> 8}.{n & 255}.0/24}}\n"
        f"status: {{addresses: [{{type: InternalIP, address: 192.168.{n >> 8}.{n & 255}}}]}}\n"
        for n in range(size)
    )
    return walked(folder, *one)


def nodes_checked(size: int, folder: Path) -> list[str]:
    return ["check", *nodes(size, folder)[1:2]]


def addresses(size: int, folder: Path) -> list[str]:
    infos = [
        {"family": "inet", "local": f"10.9.{n >> 8}.{n & 255}", "prefixlen": 32, "scope": "global"}
        for n in range(size)
    ]
    infos.append({"family": "inet", "local": "192.168.0.11", "prefixlen": 24, "scope": "global"})
    device = {"ifname": "eth0", "flags": ["UP"], "mtu": 1500, "link_type": "ether"}
    device |= {"address": "02:00:00:00:00:01", "addr_info": infos}
    dump = folder / "addr.json"
    dump.write_text(json.dumps([device]))
    return [*walked(folder), "--ip-addr", f"node-1={dump}"]


def endpoints_by_hand(size: int, folder: Path) -> list[str]:
    listed = ", ".join(f"{{ip: 172.16.{n >> 8}.{n & 255}}}" for n in range(size))
    return checked(
        folder,
        "apiVersion: v1\nkind: Service\nmetadata: {name: far}\nspec: {ports: [{port: 80}]}\n",
        "apiVersion: v1\nkind: Endpoints\nmetadata: {name: far}\n"
        f"subsets: [{{addresses: [{listed}], ports: [{{port: 80}}]}}]\n",
    )


def config_maps(size: int, folder: Path) -> list[str]:
    one = (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}}}\ndata: {{URL: 'http://s{n}:80'}}\n"
        for n in range(size)
    )
    return checked(folder, *one)


def mounted(size: int, folder: Path) -> list[str]:
    """Pods that all read one ConfigMap, which grows with them."""
    lines = "".join(f"    key{n} value {n}\n" for n in range(20 * size))
    held = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: big}}\ndata:\n  a.conf: |\n{lines}"
    one = (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p{n}, labels: {{app: a{n}}}}}\nspec:\n"
        "  volumes: [{name: v, configMap: {name: big}}]\n"
        "  containers: [{name: c, image: i, ports: [{containerPort: 80}], "
        "volumeMounts: [{name: v, mountPath: /x}]}]\n---\n"
        + SERVICE.format(name=f"s{n}", app=f"a{n}", type="ClusterIP", more="")
        for n in range(size)
    )
    return checked(folder, held, *one)


def labels(size: int, folder: Path) -> list[str]:
    written = "".join(f"    l{n}: v{n}\n" for n in range(size))
    return checked(
        folder,
        f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels:\n{written}"
        "spec: {containers: [{name: c, image: i}]}\n",
        SERVICE.format(name="near", app="p", type="ClusterIP", more=""),
    )


def workloads(size: int, folder: Path) -> list[str]:
    parts = []
    for n in range(size):
        parts.append(WEB.format(name=f"w{n}", replicas=1))
        typo = "x" if n % 10 == 0 else ""
        parts.append(SERVICE.format(name=f"w{n}", app=f"w{n}{typo}", type="ClusterIP", more=""))
    return checked(folder, *parts)


def replicas(size: int, folder: Path) -> list[str]:
    parts = (
        WEB.format(name="big", replicas=size),
        SERVICE.format(name="big", app="big", type="NodePort", more=", nodePort: 30081"),
    )
    return ["walk", manifests(folder, *parts), "--from", "outside", "--to", "svc/big", "--all"]


def remembered(size: int, folder: Path) -> list[str]:
    """Endpoints that remember clients: of mode nftables each has a chain and a set."""
    parts = (
        WEB.format(name="big", replicas=size),
        SERVICE.format(name="big", app="big", type="ClusterIP", more="").replace(
            "spec:\n", "spec:\n  sessionAffinity: ClientIP\n"
        ),
    )
    more = ("--nodes", "20", "--node", "node-1", "--proxy-mode", "nftables")
    return ["rules", manifests(folder, *parts), *more]


def crowds(size: int, folder: Path) -> list[str]:
    """Pods that stand on one node by name, and as many that care for them and find no place."""
    looks = (
        "      topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, "
        "whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: fixed}}}]\n"
        "      affinity:\n"
        "        podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
        "[{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: fixed}}}]}\n"
    )
    spec = "    spec:\n{}      containers: [{{name: c, image: i}}]\n"
    node = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"
    crowd = WEB.partition("    spec:")[0]
    parts = (
        node,
        crowd.format(name="fixed", replicas=size) + spec.format("      nodeName: n1\n"),
        crowd.format(name="late", replicas=size) + spec.format(looks),
    )
    return checked(folder, *parts)


def word(number: int) -> str:
    """A name for each number, none like another."""
    return "".join("abcdefghijklmnopqrstuvwxyz"[2 * int(digit)] for digit in str(number * 7919))


def pod(name: str, label: str, more: str = "") -> str:
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{{label}}}}}\nspec:\n"
        f"{more}  containers: [{{name: c, image: i, ports: [{{containerPort: 80}}]}}]\n"
    )


def selecting(name: str, selector: str) -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
        f"spec: {{selector: {{{selector}}}, ports: [{{port: 80}}]}}\n"
    )


def misspelt(size: int, folder: Path) -> list[str]:
    """Services of which each misses its pods by a letter: of a value, or of a key."""
    parts = []
    for n in range(size):
        parts.append(pod(f"a{n}", f"app: x{word(n)}y"))
        parts.append(pod(f"b{n}", f"x{word(n)}y: b"))
        parts.append(selecting(f"v{n}", f"app: x{word(n)}z"))
        parts.append(selecting(f"k{n}", f"x{word(n)}z: b"))
    return checked(folder, *parts)


def half_right(size: int, folder: Path) -> list[str]:
    """Services of whose two labels all pods have the one, and none has the other."""
    parts = []
    for n in range(size):
        parts.append(pod(f"p{n}", f"part: one, app: {word(n)}"))
        parts.append(selecting(f"s{n}", f"part: one, app: other{n}"))
    return checked(folder, *parts)


def waiting(size: int, folder: Path) -> list[str]:
    """Each waits for the next; every other one besides for a name that is only like one."""
    parts = [pod(f"p{size}", f"app: a{size}"), selecting(f"s{size}", f"app: a{size}")]
    for n in range(size):
        names = [f"s{n + 1}", *([f"{word(n)}-hs"] if n % 2 else [])]
        loops = "; ".join(f"until nc -z {name} 80; do sleep 1; done" for name in names)
        init = f"  initContainers: [{{name: w, image: i, command: [sh, -c, '{loops}']}}]\n"
        parts.append(pod(f"p{n}", f"app: a{n}", init))
        parts.append(selecting(f"s{n}", f"app: a{n}"))
        parts.append(selecting(word(n), f"app: a{n}"))
    return checked(folder, *parts)


def told(size: int, folder: Path) -> list[str]:
    """A ConfigMap that names Services by other words, and variables that none of them gives."""
    urls = "".join(f"  U{n}: http://{word(n)}-hs:80\n" for n in range(size))
    env = ", ".join(f"{{name: E{n}, value: $({word(n).upper()}X_PORT)}}" for n in range(size))
    return checked(
        folder,
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n{urls}",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: asks}\n"
        f"spec: {{containers: [{{name: c, image: i, env: [{env}]}}]}}\n",
        *(selecting(word(n), "app: web") for n in range(size)),
    )


def lost_backends(size: int, folder: Path) -> list[str]:
    """An Ingress and webhooks that lead to names that no Service has, and to ports of one."""
    paths = "".join(
        f"      - {{path: /{n}, pathType: Prefix, backend: {{service: {{name: {name}, "
        f"port: {{number: {port}}}}}}}}}\n"
        for n in range(size)
        for name, port in ((f"{word(n)}y", 80), ("many", 20_000 + n))
    )
    hooks = "".join(
        f"- {{name: h{n}.example.com, admissionReviewVersions: [v1], sideEffects: None, "
        f"clientConfig: {{service: {{namespace: default, name: {word(n)}y}}}}}}\n"
        for n in range(size)
    )
    ports = ", ".join(f"{{name: p{n}, port: {1000 + n}}}" for n in range(size))
    return checked(
        folder,
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\n"
        f"spec:\n  rules:\n  - http:\n      paths:\n{paths}",
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\n"
        f"metadata: {{name: w}}\nwebhooks:\n{hooks}",
        "apiVersion: v1\nkind: Service\nmetadata: {name: many}\n"
        f"spec: {{selector: {{app: web}}, ports: [{ports}]}}\n",
        *(selecting(f"{word(n)}x", "app: web") for n in range(size)),
    )


def subsets(size: int, folder: Path) -> list[str]:
    """Routes to subsets: half of them no DestinationRule has, the others have no pod."""
    routes = ", ".join(
        f"{{destination: {{host: web, subset: {kind}{n}}}}}" for n in range(size) for kind in "ab"
    )
    known = ", ".join(f"{{name: a{n}, labels: {{version: v{n}}}}}" for n in range(size))
    istio = "apiVersion: networking.istio.io/v1\n"
    return checked(
        folder,
        f"{istio}kind: VirtualService\nmetadata: {{name: v}}\n"
        f"spec: {{hosts: [web], http: [{{route: [{routes}]}}]}}\n",
        f"{istio}kind: DestinationRule\nmetadata: {{name: d}}\n"
        f"spec: {{host: web, subsets: [{known}]}}\n",
        *(pod(f"p{n}", "app: web") for n in range(size)),
    )


def meshed(size: int, folder: Path) -> list[str]:
    """Pods that each ask a Service of as many, which take Istio's mutual TLS alone."""
    asking = "env: [{name: HOST, value: web}]"
    return checked(
        folder,
        "apiVersion: v1\nkind: Namespace\n"
        "metadata: {name: default, labels: {istio-injection: enabled}}\n",
        "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: all}\n"
        "spec: {mtls: {mode: STRICT}}\n",
        *(pod(f"s{n}", "app: web") for n in range(size)),
        *(
            "apiVersion: v1\nkind: Pod\n"
            f"metadata: {{name: c{n}, labels: {{sidecar.istio.io/inject: 'false'}}}}\n"
            f"spec: {{containers: [{{name: c, image: i, {asking}}}]}}\n"
            for n in range(size)
        ),
    )


def scalers(size: int, folder: Path) -> list[str]:
    """Workloads scaled to nothing, each with an autoscaler, which leaves those alone."""
    parts = []
    for n in range(size):
        parts.append(WEB.format(name=f"w{n}", replicas=0))
        parts.append(selecting(f"w{n}", f"app: w{n}"))
        parts.append(
            f"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
            f"metadata: {{name: w{n}}}\nspec: {{maxReplicas: 3, "
            f"scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: w{n}}}}}\n"
        )
    return checked(folder, *parts)


def policy_slips(size: int, folder: Path) -> list[str]:
    """Policies of which each selects pods but for a letter."""
    parts = []
    for n in range(size):
        parts.append(pod(f"p{n}", f"app: x{word(n)}y"))
        parts.append(
            f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{n}}}\n"
            f"spec: {{podSelector: {{matchLabels: {{app: x{word(n)}z}}}}}}\n"
        )
    return checked(folder, *parts)


def monitors(size: int, folder: Path) -> list[str]:
    """Monitors that look at Services' own labels, at those of their pods, and at pods."""
    parts = []
    for n in range(size):
        parts.append(pod(f"p{n}", f"app: a{n}"))
        own = f"name: s{n}, labels: {{own: o{n}}}"
        parts.append(selecting(f"s{n}", f"app: a{n}").replace(f"name: s{n}", own))
        for kind, label, field in (
            ("ServiceMonitor", f"own: o{n}", "endpoints"),
            ("ServiceMonitor", f"app: a{n}", "endpoints"),
            ("PodMonitor", f"app: a{n}", "podMetricsEndpoints"),
        ):
            parts.append(
                f"apiVersion: monitoring.coreos.com/v1\nkind: {kind}\n"
                f"metadata: {{name: {label.replace(': ', '')}}}\nspec: "
                f"{{selector: {{matchLabels: {{{label}}}}}, {field}: [{{port: metrics}}]}}\n"
            )
    return checked(folder, *parts)


def unread(size: int, folder: Path) -> list[str]:
    """Services without selector, and as many slices that say of none whose they are."""
    parts = []
    for n in range(size):
        parts.append(
            f"apiVersion: v1\nkind: Service\nmetadata: {{name: {word(n)}}}\n"
            "spec: {ports: [{port: 80}]}\n"
        )
        parts.append(
            f"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: far{n}}}\n"
            f"addressType: IPv4\nendpoints: [{{addresses: [172.16.{n >> 8}.{n & 255}]}}]\n"
            "ports: [{port: 81}]\n"
        )
    return checked(folder, *parts)


def config_keys(size: int, folder: Path) -> list[str]:
    """Variables that each take a key of one ConfigMap: every other key has a slip."""
    env = ", ".join(
        f"{{name: E{n}_HOST, valueFrom: {{configMapKeyRef: {{name: c, key: {word(n)}"
        f"{'y' if n % 2 else 'x'}}}}}}}"
        for n in range(size)
    )
    data = "".join(f'  {word(n)}x: "v{n}\\n"\n' for n in range(size))
    return checked(
        folder,
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n{data}",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: asks}\n"
        f"spec: {{containers: [{{name: c, image: i, env: [{env}]}}]}}\n",
    )


def missing_maps(size: int, folder: Path) -> list[str]:
    """Pods that each ask for a ConfigMap that is not there, beside as many that are."""
    return checked(
        folder,
        *(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: has-{word(n)}}}\n"
            f"data: {{k{n}: v}}\n"
            for n in range(size)
        ),
        *(
            f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p{n}}}\nspec: {{containers: [{{name: c, "
            f"image: i, envFrom: [{{configMapRef: {{name: asks-{word(n)}}}}}]}}]}}\n"
            for n in range(size)
        ),
    )


def listeners(size: int, folder: Path) -> list[str]:
    """A Gateway's listeners, and routes that name others, in namespaces of their own."""
    gateway = "apiVersion: gateway.networking.k8s.io/v1\n"
    those = ", ".join(f"{{name: l{n}, port: {1000 + n}, protocol: HTTP}}" for n in range(size))
    return checked(
        folder,
        f"{gateway}kind: Gateway\nmetadata: {{name: g}}\n"
        f"spec: {{gatewayClassName: c, listeners: [{those}]}}\n",
        *(
            f"{gateway}kind: HTTPRoute\nmetadata: {{name: r{n}, namespace: {space}}}\n"
            f"spec: {{parentRefs: [{{name: {name}, sectionName: other{n}}}], "
            "rules: [{backendRefs: [{name: web, port: 80}]}]}\n"
            for n in range(size)
            for space, name in (("default", "g"), (f"{word(n)}s", f"g{n}"))
        ),
    )


def missed_ports(size: int, folder: Path) -> list[str]:
    """A Service's ports and a container's: none is called or numbered as one of the others."""
    led = ", ".join(
        f"{{name: p{n}, port: {1000 + n}, targetPort: {f'd{n}' if n % 2 else 30_000 + n}}}"
        for n in range(size)
    )
    opened = ", ".join(f"{{name: c{n}, containerPort: {2000 + n}}}" for n in range(size))
    return checked(
        folder,
        "apiVersion: v1\nkind: Service\nmetadata: {name: many}\n"
        f"spec: {{selector: {{app: m}}, ports: [{led}]}}\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: m, labels: {app: m}}\n"
        f"spec: {{containers: [{{name: c, image: i, ports: [{opened}]}}]}}\n",
    )


def containers(size: int, folder: Path) -> list[str]:
    """Of one pod, each with a port of its own."""
    parts = ", ".join(
        f"{{name: c{n}, image: i, ports: [{{containerPort: {2000 + n}}}]}}" for n in range(size)
    )
    return checked(
        folder,
        SERVICE.format(name="s", app="m", type="ClusterIP", more=""),
        "apiVersion: v1\nkind: Pod\nmetadata: {name: m, labels: {app: m}}\n"
        f"spec: {{containers: [{parts}]}}\n",
    )


def spaces(size: int, folder: Path) -> list[str]:
    """Namespaces of which each lets in only the next one."""
    parts = []
    for n in range(size):
        where = f"namespace: n{n}"
        parts.append(
            f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: n{n}, labels: {{team: t{n}}}}}\n"
        )
        parts.append(pod("p", "app: a").replace("name: p", f"name: p, {where}", 1))
        parts.append(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
            f"metadata: {{name: p, {where}}}\nspec:\n  podSelector: {{}}\n"
            "  ingress: [{from: [{namespaceSelector: "
            f"{{matchLabels: {{team: t{(n + 1) % size}}}}}}}]}}]\n"
        )
    return checked(folder, *parts)


def pending(size: int, folder: Path) -> list[str]:
    """Pods that each want nodes with another label, and nodes of which none has any of them."""
    machines = (
        f"apiVersion: v1\nkind: Node\nmetadata: {{name: n{n}, labels: {{disk: d{n}}}}}\n"
        f"status: {{addresses: [{{type: InternalIP, address: 192.168.{n >> 8}.{n & 255}}}]}}\n"
        for n in range(size)
    )
    pods = (pod(f"p{n}", f"app: a{n}", f"  nodeSelector: {{disk: e{n}}}\n") for n in range(size))
    return checked(folder, *machines, *pods)


def spread(size: int, folder: Path) -> list[str]:
    """Pods spread over nodes and zones, ten for each node."""
    machines = (
        f"apiVersion: v1\nkind: Node\nmetadata: {{name: n{n}, "
        f"labels: {{kubernetes.io/hostname: n{n}, topology.kubernetes.io/zone: z{n % 5}}}}}\n"
        f"status: {{addresses: [{{type: InternalIP, address: 192.168.{n >> 8}.{n & 255}}}]}}\n"
        for n in range(size)
    )
    evenly = ", ".join(
        f"{{maxSkew: 1, topologyKey: {key}, whenUnsatisfiable: DoNotSchedule, "
        "labelSelector: {matchLabels: {app: big}}}"
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    )
    big = WEB.format(name="big", replicas=10 * size).replace(
        "spec: {containers", f"spec: {{topologySpreadConstraints: [{evenly}], containers"
    )
    return checked(folder, *machines, big)


def quotas(size: int, folder: Path) -> list[str]:
    """ResourceQuotas of one namespace, and pods that each counts."""
    ours = (
        f"apiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: q{n}}}\n"
        f"spec: {{hard: {{pods: '{size + n}', count/services: '{size + n}'}}}}\n"
        for n in range(size)
    )
    return checked(folder, *ours, *(pod(f"p{n}", f"app: a{n}") for n in range(size)))


def limit_ranges(size: int, folder: Path) -> list[str]:
    """LimitRanges of one namespace, and pods that each looks at."""
    ours = (
        f"apiVersion: v1\nkind: LimitRange\nmetadata: {{name: l{n}}}\n"
        f"spec: {{limits: [{{type: Container, max: {{cpu: '{n + 2}'}}, default: {{cpu: 1}}}}]}}\n"
        for n in range(size)
    )
    return checked(folder, *ours, *(pod(f"p{n}", f"app: a{n}") for n in range(size)))


def merge_chains(size: int, folder: Path) -> list[str]:
    """Mappings of which each takes over the one before: to 5,000 values and 4 for each byte."""
    links = "".join(
        f"  - &l{n} {{{f'<<: *l{n - 1}, ' if n else ''}k{n}: v}}\n" for n in range(size)
    )
    return checked(
        folder,
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\nx:\n{links}data: *l{size - 1}\n",
    )


def external_names(size: int, folder: Path) -> list[str]:
    """Services of which each is another name for the next one: 64 of a chain are followed."""
    one = (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: e{n}}}\n"
        f"spec: {{type: ExternalName, externalName: e{n + 1}.default.svc.cluster.local}}\n"
        for n in range(size)
    )
    return checked(folder, *one)


def replayed(size: int, folder: Path) -> list[str]:
    """Services and Deployments, each a moment."""
    parts = (
        part
        for n in range(size)
        for part in (
            SERVICE.format(name=f"s{n}", app=f"w{n}", type="ClusterIP", more=""),
            WEB.format(name=f"w{n}", replicas=2),
        )
    )
    return ["replay", manifests(folder, *parts), "--format", "json"]


CASES = {
    "replayed": Case(24, replayed),
    "quotas": Case(50, quotas),
    "limit-ranges": Case(50, limit_ranges),
    "merge-chains": Case(200, merge_chains),
    "external-names": Case(200, external_names),
    "spread": Case(25, spread),
    "crowds": Case(400, crowds),
    "missing-spaces": Case(500, missing_spaces),
    "broken-documents": Case(200, broken_documents),
    "wrong-fields": Case(200, wrong_fields),
    "rules": Case(5000, many_rules),
    "jumps": Case(100, long_chain_of_jumps),
    "services-of-one-port": Case(100, services_of_one_port),
    "services-of-the-same-pods": Case(50, services_of_the_same_pods),
    "node-ports": Case(100, node_ports),
    "strangers": Case(150, strangers),
    "missed-ports": Case(30, missed_ports),
    "pending": Case(25, pending),
    "containers": Case(50, containers),
    "spaces": Case(30, spaces),
    "policies": Case(200, policies),
    "policed": Case(100, policed),
    "nodes": Case(60, nodes),
    "nodes-checked": Case(60, nodes_checked),
    "addresses": Case(500, addresses),
    "endpoints-by-hand": Case(500, endpoints_by_hand),
    "config-maps": Case(300, config_maps),
    "labels": Case(500, labels),
    "mounted": Case(50, mounted),
    "workloads": Case(100, workloads),
    "misspelt": Case(50, misspelt),
    "half-right": Case(50, half_right),
    "waiting": Case(50, waiting),
    "told": Case(50, told),
    "lost-backends": Case(50, lost_backends),
    "subsets": Case(50, subsets),
    "meshed": Case(50, meshed),
    "scalers": Case(50, scalers),
    "policy-slips": Case(50, policy_slips),
    "monitors": Case(50, monitors),
    "unread": Case(50, unread),
    "config-keys": Case(50, config_keys),
    "missing-maps": Case(50, missing_maps),
    "listeners": Case(50, listeners),
    "replicas": Case(500, replicas),
    "remembered": Case(300, remembered),
}


def cost(case: Case, size: int, *, seconds: bool) -> float:
    """Calls, or CPU seconds, of one command line at a size."""
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    with tempfile.TemporaryDirectory() as name:
        line = case.make(size, Path(name))
        quiet = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            gc.collect()
            start = time.process_time()
            if not seconds:
                sys.setprofile(count)
            try:
                run(line)
            finally:
                sys.setprofile(None)
            return time.process_time() - start if seconds else calls


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("cases", nargs="*", choices=[[], *CASES], default=[])
    arguments.add_argument("--seconds", action="store_true")
    given = arguments.parse_args()
    worst = 0.0
    for name in given.cases or CASES:
        case = CASES[name]
        cost(case, 2, seconds=given.seconds)  # what is imported and compiled is not counted
        few, many = (cost(case, n, seconds=given.seconds) for n in (case.size, 4 * case.size))
        growth = many / few
        worst = max(worst, growth)
        shown = f"{few:12,.2f} {many:12,.2f}" if given.seconds else f"{few:12,.0f} {many:12,.0f}"
        print(f"{name:22} {case.size:6} → {4 * case.size:6} {shown}  {growth:5.1f}", flush=True)
    return worst > MOST


if __name__ == "__main__":
    sys.exit(main())
