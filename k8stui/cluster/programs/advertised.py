"""A broker that tells its clients to come back to localhost, which is themselves.

A client of Kafka's learns from the first broker that it asks at which addresses to go on: those of
``advertised.listeners`` (KIP-103; images set it by KAFKA_ADVERTISED_LISTENERS, bitnami's by
KAFKA_CFG_ADVERTISED_LISTENERS). The first connection is made, the next ones are refused.
"""

from __future__ import annotations

import re

from k8stui.cluster.model import Pod

_VARIABLE = re.compile(r"ADVERTISED_LISTENERS$")
_LISTENER = re.compile(r"(?:^|[\s,])[\w-]*://(?P<host>[^:,\s]*):(?P<port>\d{1,5})")
_ITSELF = frozenset(("localhost", "127.0.0.1"))


def comes_back_to_itself(pod: Pod, number: int) -> tuple[str, str] | None:
    """The variable, and the listener at that port that it names localhost; None: there is none.

    Nor where another listener has an address for others: the one of localhost is then for those who
    come through a tunnel (kubectl port-forward).
    """
    for container in pod.containers:
        for name, value in container.env:
            found = list(_LISTENER.finditer(value)) if _VARIABLE.search(name) else []
            if all(one["host"] in _ITSELF for one in found):
                for one in found:
                    if int(one["port"]) == number:
                        return name, f"{one['host']}:{number}"
    return None
