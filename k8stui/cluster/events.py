"""What a dump's Events say of pods that do not run: the kubelet's own words for it.

A pod's status says no more than ContainerCreating where its network is not made; why stands in the
Events of the pod alone (pkg/kubelet/events/event.go FailedCreatePodSandBox; the plug-ins' words are
their own: plugins/main/bridge, flannel, Calico, host-local).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from k8stui.apiserver.fields import table, text
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.model import Pod
from k8stui.manifests import Manifest
from k8stui.neutralise import neutralise
from k8stui.origin import OriginKind

_TELLING = frozenset(
    {"FailedCreatePodSandBox", "FailedCreatePodContainer", "FailedMount", "FailedAttachVolume",
     "NetworkNotReady", "FailedPodSandBoxStatus", "SandboxChanged"}
)  # fmt: skip
"""Reasons that say more than the pod's status."""
_LONGEST = 300
_MENDS = {
    "already has an IP address different from": (
        "the bridge is left from a range of before: on {node}, ip link delete {bridge} (the "
        "plug-in makes it anew with the next pod), and rm -r /var/lib/cni/networks/*; then start "
        "its pods again"
    ),
    "/run/flannel/subnet.env": (
        "flannel has not started on {node}: look at its pod's log there (podCIDR, the API server, "
        "net-conf.json)"
    ),
    "/var/lib/calico/nodename": (
        "calico-node does not run on {node}, or its host path /var/lib/calico is not mounted: look "
        "at its pod there"
    ),
    "failed to find plugin": (
        "the plug-in's program is not there: install the CNI plug-ins into /opt/cni/bin of {node} "
        "(containernetworking-plugins), where the runtime looks (bin_dir)"
    ),
    "no IP addresses available in range": (
        "the node's range is used up, often by leases of pods that are gone: on {node}, delete "
        "those files of /var/lib/cni/networks that no pod has; or give nodes larger podCIDRs"
    ),
    "failed to assign an IP address to container": (
        "the node has no free address (AWS): a larger instance type or subnet, or prefix "
        "delegation (ENABLE_PREFIX_DELEGATION)"
    ),
    "cni config uninitialized": (
        "no plug-in has written /etc/cni/net.d on {node}: see its pod there"
    ),
    "cni plugin not initialized": (
        "no plug-in has written /etc/cni/net.d on {node}: see its pod there"
    ),
    'plugin type="multus"': (
        "look whether the NetworkAttachmentDefinition that the pod's annotation names is there, in "
        "the pod's namespace, and its plug-in on {node}"
    ),
    "connection is unauthorized": (
        "the plug-in's token is not valid (any more): restart its pod on {node}"
    ),
    "dial tcp": (
        "the plug-in does not reach the API server from {node}: mend that way first (kube-proxy "
        "on {node}, its firewall)"
    ),
}
"""Words of plug-ins and runtimes, and what helps."""
_BRIDGE = re.compile(r'"?([\w.-]+)"? already has an IP address')


def with_events(pods: Mapping[str, Pod], inventory: Inventory) -> Mapping[str, Pod]:
    """The pods; those of a dump that do not run, with what their last telling Event says."""
    told: dict[str, Manifest] = {}
    for one in inventory.of("Event").values():
        of = table(one.data, "involvedObject")
        if text(of, "kind") != "Pod" or text(one.data, "reason") not in _TELLING:
            continue
        key = f"{text(of, 'namespace') or 'default'}/{text(of, 'name')}"
        known = told.get(key)
        if known is None or _when(one) >= _when(known):
            told[key] = one
    found = {}
    for key, event in told.items():
        pod = pods.get(key)
        if pod is None or pod.ready or pod.phase.is_final:
            continue
        if pod.origin.kind is not OriginKind.OBSERVED or pod.addresses:
            continue
        message = neutralise(" ".join(text(event.data, "message").split()))
        found[key] = replace(
            pod,
            unready_reason=f"{text(event.data, 'reason')}: {_short(message)}",
            unready_mend=_mend(message, pod),
            origins={**pod.origins, "unready_reason": event.origin("message")},
        )
    return {**pods, **found} if found else pods


def _when(event: Manifest) -> str:
    """Times of the API sort as text; one without any is the oldest."""
    found = (text(event.data, n) for n in ("lastTimestamp", "eventTime"))
    return max(found, default="")


def _short(message: str) -> str:
    """The end: what comes before is who asked whom."""
    cut = message[-_LONGEST:]
    return cut if cut == message else "…" + cut


def _mend(message: str, pod: Pod) -> str:
    bridge = _BRIDGE.search(message)
    for words, mend in _MENDS.items():
        if words in message:
            return mend.format(node=pod.node_name, bridge=bridge[1] if bridge else "cni0")
    return ""
