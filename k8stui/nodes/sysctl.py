"""Kernel settings that a pod of the cluster sets on its node: ``sysctl -w KEY=VALUE``.

Only a pod in the node's own network namespace can: net.bridge.* stands in each namespace
(net/bridge/br_netfilter_hooks.c brnf_init_net, since Linux 5.3), net.ipv4.* too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from k8stui.cluster.model import Container, Pod
from k8stui.kernel.namespace import Sysctls
from k8stui.record import record

BRIDGE_NF = "net.bridge.bridge-nf-call-iptables"
IP_FORWARD = "net.ipv4.ip_forward"
RP_FILTER = "net.ipv4.conf.all.rp_filter"
CONNTRACK_MAX = "net.netfilter.nf_conntrack_max"


@record(kw_only=True)
class WrittenSetting:
    """A setting, and who wrote it."""

    value: str
    pod: Pod
    container: Container


def is_full(sysctls: Sysctls) -> bool:
    """Whether a node was seen with no room for another connection, or next to none."""
    return 0 < sysctls.nf_conntrack_max * 99 <= sysctls.nf_conntrack_count * 100


def written(pods: Iterable[Pod], key: str) -> WrittenSetting | None:
    """What the hostNetwork `pods` set `key` to, in their commands; None: nothing. The last wins."""
    name = r"[./]".join(map(re.escape, key.split(".")))
    path = re.escape(key.replace(".", "/"))
    pattern = rf"\bsysctl\b[^;&|\n]*?\b{name}\s*=\s*(\w+)|\becho\s+(\w+)\s*>\s*/proc/sys/{path}\b"
    said = None
    for pod in pods:
        for container in pod.containers:
            text = " ".join(container.spoken)
            for match in re.finditer(pattern, text):
                value = match.group(1) or match.group(2)
                said = WrittenSetting(value=value, pod=pod, container=container)
    return said


def writer(cluster_pods: Iterable[Pod], node: str, key: str) -> WrittenSetting | None:
    """As `written`, of all pods those on `node`'s own network."""
    return written((p for p in cluster_pods if p.host_network and p.node_name == node), key)
