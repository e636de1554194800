"""Kernel settings that a pod of the cluster sets on its node: ``sysctl -w KEY=VALUE``.

Only a pod in the node's own network namespace can: net.bridge.* stands in each namespace
(net/bridge/br_netfilter_hooks.c brnf_init_net, since Linux 5.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from k8stui.cluster.model import Pod

BRIDGE_NF = "net.bridge.bridge-nf-call-iptables"


def written(pods: Iterable[Pod], key: str) -> str | None:
    """What the hostNetwork `pods` set `key` to, in their commands; None: nothing. The last wins."""
    name = r"[./]".join(map(re.escape, key.split(".")))
    path = re.escape(key.replace(".", "/"))
    pattern = rf"\bsysctl\b[^;&|\n]*?\b{name}\s*=\s*(\w+)|\becho\s+(\w+)\s*>\s*/proc/sys/{path}\b"
    said = None
    for pod in pods:
        for container in pod.containers:
            text = " ".join(container.spoken)
            for match in re.finditer(pattern, text):
                said = match.group(1) or match.group(2)
    return said
