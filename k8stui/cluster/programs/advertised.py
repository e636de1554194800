"""A broker that tells its clients to go on where they find nobody: localhost, a short name.

A client of Kafka's learns from the first broker that it asks at which addresses to go on: those of
``advertised.listeners`` (KIP-103; images set it by KAFKA_ADVERTISED_LISTENERS, bitnami's by
KAFKA_CFG_ADVERTISED_LISTENERS). The first connection is made, the next ones are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.cluster.model import Cluster, Lack, Pod

_VARIABLE = re.compile(r"ADVERTISED_LISTENERS$")
_LISTENER = re.compile(r"(?:^|[\s,])[\w-]*://(?P<host>[^:,\s]*):(?P<port>\d{1,5})")
_ITSELF = frozenset(("localhost", "127.0.0.1"))


def comes_back_to_itself(pod: Pod, number: int) -> tuple[str, str] | None:
    """The variable, and the listener at that port that it names localhost; None: there is none.

    Nor where another listener has an address for others: the one of localhost is then for those who
    come through a tunnel (kubectl port-forward).
    """
    for name, found in _listeners(pod):
        if all(host in _ITSELF for host, _ in found):
            for host, port in found:
                if port == number:
                    return name, f"{host}:{number}"
    return None


def unknown_to(cluster: Cluster, pod: Pod, number: int, namespace: str) -> Lack | None:
    """Why clients of a namespace do not find where they are told to go on; empty: from outside."""
    inside = (".svc", f".svc.{cluster.cluster_domain}")
    for name, found in _listeners(pod):
        host = next((host for host, port in found if port == number), "")
        is_short = f"{pod.namespace}/{host}" in cluster.services
        is_whole = not namespace and host.endswith(inside)
        if not (is_short or is_whole) or f"{namespace}/{host}" in cluster.services:
            continue
        whole = f"{host}.{pod.namespace}.svc.{cluster.cluster_domain}"
        said = f"{name} of pod {pod.key} tells its clients to go on at {host}:{number}, and "
        if namespace:
            said += f"namespace {namespace} has no Service {host}"
            return Lack(said, f"write {whole}:{number} there", pod.origin)
        said += "nobody outside the cluster resolves that"
        mend = "name there what clients outside reach (a listener of its own, for a node port)"
        return Lack(said, mend, pod.origin)
    return None


def _listeners(pod: Pod) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    for container in pod.containers:
        for name, value in container.env:
            if _VARIABLE.search(name):
                yield name, [(m["host"], int(m["port"])) for m in _LISTENER.finditer(value)]
