"""Print a made-up cluster, as ``kubectl get nodes,pods,services,endpointslices -A -o yaml`` would.

    python benchmarks/dump.py --services 1000 [--endpoints 2] [--nodes 20] [--format json] > dump

The same arguments give the same bytes. Every Service has its own workload; of twenty Services two
are NodePorts, one is a LoadBalancer, one is headless, one asks for local endpoints and one selects
nothing; of ten pods one is not ready. A pod has some 60 lines.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from hashlib import sha1

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./-:=@_")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
_SINCE = "2026-03-01T08:00:00Z"


def uid(text: str) -> str:
    digest = sha1(text.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


def written(value: object) -> str:
    """One scalar as kubectl writes it: quoted where it would read as something else."""
    if isinstance(value, str):
        odd = not value[:1].isalpha() or not _PLAIN.issuperset(value) or value[-1] == ":"
        return json.dumps(value) if odd or value.lower() in _WORDS else value
    return json.dumps(value)


def block(value: object, indent: int) -> Iterator[str]:
    """Block YAML, lists not indented below their key, as kubectl writes it."""
    pad = " " * indent
    if isinstance(value, dict):
        for key in sorted(value):
            one = value[key]
            if isinstance(one, dict | list) and one:
                yield f"{pad}{key}:"
                yield from block(one, indent + 2 * isinstance(one, dict))
            else:
                yield f"{pad}{key}: {written(one)}"
    elif isinstance(value, list):
        for one in value:
            first, *rest = block(one, indent + 2) if isinstance(one, dict) else [pad + written(one)]
            yield f"{pad}- {first.lstrip()}"
            yield from rest


def meta(name: str, namespace: str | None, number: int, **more: object) -> dict[str, object]:
    found = {
        "creationTimestamp": _SINCE,
        "name": name,
        "resourceVersion": str(1000 + number),
        "uid": uid(f"{namespace}/{name}"),
        **more,
    }
    return found | ({"namespace": namespace} if namespace else {})


def address(base: str, number: int) -> str:
    return f"{base}.{number >> 8}.{number & 255}"


def node(number: int) -> dict[str, object]:
    name, own = f"node-{number}", address("192.168", 256 + number)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": meta(name, None, number, labels={"kubernetes.io/hostname": name}),
        "spec": {"podCIDR": f"10.{128 + (number >> 8)}.{number & 255}.0/24"},
        "status": {
            "addresses": [
                {"address": own, "type": "InternalIP"},
                {"address": name, "type": "Hostname"},
            ],
            "capacity": {"cpu": "16", "memory": "64Gi", "pods": "250"},
            "conditions": [{"status": "True", "type": "Ready", "reason": "KubeletReady"}],
            "nodeInfo": {"kubeletVersion": "v1.34.1", "osImage": "Debian", "machineID": uid(name)},
        },
    }


def pod(app: str, namespace: str, number: int, nodes: int, *, ready: bool) -> dict[str, object]:
    on, place = 1 + number % nodes, number // nodes
    name = f"{app}-{uid(app)[:8]}-{uid(str(number))[:5]}"
    own = f"10.{128 + (on >> 8)}.{on & 255}.{2 + place % 250}"
    said = "True" if ready else "False"
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{app}-{uid(app)[:8]}"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(
            name,
            namespace,
            number,
            labels={"app": app, "pod-template-hash": uid(app)[:8]},
            ownerReferences=[owner | {"controller": True, "uid": uid(app)}],
        ),
        "spec": {
            "containers": [
                {
                    "env": [{"name": "NAME", "value": app}, {"name": "LEVEL", "value": "info"}],
                    "image": f"registry.example/{app}:1.{number % 7}",
                    "imagePullPolicy": "IfNotPresent",
                    "name": "main",
                    "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
                    "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
                    "terminationMessagePath": "/dev/termination-log",
                }
            ],
            "dnsPolicy": "ClusterFirst",
            "nodeName": f"node-{on}",
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "serviceAccountName": "default",
            "tolerations": [
                {"effect": "NoExecute", "key": f"node.kubernetes.io/{what}", "operator": "Exists"}
                for what in ("not-ready", "unreachable")
            ],
        },
        "status": {
            "conditions": [
                {"lastTransitionTime": _SINCE, "status": held, "type": what}
                for what, held in (
                    ("Initialized", "True"),
                    ("Ready", said),
                    ("ContainersReady", said),
                    ("PodScheduled", "True"),
                )
            ],
            "containerStatuses": [
                {
                    "containerID": f"containerd://{uid(name)}",
                    "image": f"registry.example/{app}:1.{number % 7}",
                    "name": "main",
                    "ready": ready,
                    "restartCount": number % 3,
                    "state": {"running": {"startedAt": _SINCE}},
                }
            ],
            "hostIP": address("192.168", 256 + on),
            "phase": "Running",
            "podIP": own,
            "podIPs": [{"ip": own}],
            "qosClass": "Burstable",
            "startTime": _SINCE,
        },
    }


def service(app: str, namespace: str, number: int) -> dict[str, object]:
    kind = {0: "NodePort", 1: "NodePort", 2: "LoadBalancer", 4: "NodePort"}.get(number % 20)
    virtual = (
        "None"
        if number % 20 == 3
        else f"10.{96 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
    )
    port: dict[str, object] = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}
    spec: dict[str, object] = {
        "clusterIP": virtual,
        "clusterIPs": [virtual],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [port],
        "selector": {"app": f"{app}-gone" if number % 20 == 5 else app},
        "sessionAffinity": "None",
        "type": kind or "ClusterIP",
    }
    status: dict[str, object] = {"loadBalancer": {}}
    if kind:
        spec["externalTrafficPolicy"] = "Local" if number % 20 == 4 else "Cluster"
        if number // 20 * 4 + number % 20 <= 2767:
            port["nodePort"] = 30000 + number // 20 * 4 + number % 20 % 4
    if kind == "LoadBalancer":
        spec["allocateLoadBalancerNodePorts"] = True
        status = {
            "loadBalancer": {"ingress": [{"ip": address("203.0", number // 20), "ipMode": "VIP"}]}
        }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta(app, namespace, number, labels={"app": app}),
        "spec": spec,
        "status": status,
    }


def endpoint_slice(
    app: str, namespace: str, number: int, pods: list[dict[str, object]]
) -> dict[str, object]:
    labels = {
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": app,
    }
    endpoints = []
    for each in pods if number % 20 != 5 else []:
        status, described, spec = each["status"], each["metadata"], each["spec"]
        assert isinstance(status, dict)
        assert isinstance(described, dict)
        assert isinstance(spec, dict)
        ready = status["containerStatuses"][0]["ready"]
        endpoints.append(
            {
                "addresses": [status["podIP"]],
                "conditions": {"ready": ready, "serving": ready, "terminating": False},
                "nodeName": spec["nodeName"],
                "targetRef": {
                    "kind": "Pod",
                    "name": described["name"],
                    "namespace": namespace,
                    "uid": described["uid"],
                },
            }
        )
    return {
        "addressType": "IPv4",
        "apiVersion": "discovery.k8s.io/v1",
        "endpoints": endpoints,
        "kind": "EndpointSlice",
        "metadata": meta(f"{app}-{uid(app)[:5]}", namespace, number, labels=labels),
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}] if endpoints else [],
    }


def objects(services: int, endpoints: int, nodes: int) -> Iterator[dict[str, object]]:
    for number in range(1, nodes + 1):
        yield node(number)
    names = [(f"app-{number}", f"team-{number % 40}") for number in range(services)]
    pods = [
        [
            pod(app, namespace, endpoints * number + n, nodes, ready=(number + n) % 10 != 9)
            for n in range(endpoints)
        ]
        for number, (app, namespace) in enumerate(names)
    ]
    for group in pods:
        yield from group
    for number, (app, namespace) in enumerate(names):
        yield service(app, namespace, number)
    for number, (app, namespace) in enumerate(names):
        yield endpoint_slice(app, namespace, number, pods[number])


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    arguments.add_argument("--services", type=int, default=1000)
    arguments.add_argument("--endpoints", type=int, default=2)
    arguments.add_argument("--nodes", type=int, default=0, help="default: enough for the pods")
    arguments.add_argument("--format", choices=("yaml", "json"), default="yaml")
    given = arguments.parse_args()
    nodes = given.nodes or max(3, given.services * given.endpoints // 200)
    listed = objects(given.services, given.endpoints, nodes)
    if given.format == "json":
        whole = {"apiVersion": "v1", "items": list(listed), "kind": "List"}
        json.dump(whole | {"metadata": {"resourceVersion": ""}}, sys.stdout, indent=4)
        return
    sys.stdout.write("apiVersion: v1\nitems:\n")
    for each in listed:
        sys.stdout.writelines(f"{line}\n" for line in block([each], 0))
    sys.stdout.write('kind: List\nmetadata:\n  resourceVersion: ""\n')


if __name__ == "__main__":
    main()
