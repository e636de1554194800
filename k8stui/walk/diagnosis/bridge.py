"""The bridge keeps the packet, or sends its answer past netfilter."""

from __future__ import annotations

from k8stui.kernel.step import BridgeCause, DeviceCause, Direction
from k8stui.nodes.sysctl import BRIDGE_NF, writer
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.reason import observed_at

_BRIDGING = ("bridge", "flannel")
"""Plug-ins whose configuration has hairpinMode, itself or for its delegate."""


def hairpin_off(case: Case) -> Diagnosis | None:
    """Recognise a frame that would have to leave by the port it came in by.

    Source: net/bridge/br_forward.c should_deliver; docs/facts/kernel.md "The bridge".
    """
    step, client, reached = case.decided, case.client, case.reached
    if step is None or client is None or not isinstance(step.cause, DeviceCause | BridgeCause):
        return None
    interface = step.cause.interface if isinstance(step.cause, DeviceCause) else None
    if interface is not None and interface.port is not None and interface.port.hairpin:
        return None
    if reached is None or reached.key != client.key:
        return None
    port = interface.name if interface is not None else step.device
    lists = (o for o in case.cluster.cni_configurations if o.plugins[0]["type"] in _BRIDGING)
    told = next((one.origin for one in lists), None)
    return Diagnosis(
        reason=f"the Service chose the client itself ({client.key}), and the bridge does not send "
        f"a frame back out of the port it came in by: hairpin mode of {port} is off",
        advice="switch hairpin mode on (the CNI plug-in's hairpinMode: true; "
        "by hand: bridge link set dev VETH hairpin on)",
        origin=observed_at(step.cause) or told,
    )


def bridged_reply(case: Case) -> Diagnosis | None:
    """Recognise an answer that crosses the bridge without being un-NATed.

    Source: net/bridge/br_netfilter_hooks.c; docs/facts/kernel.md: "Same-node ClusterIP with 0
    fails".
    """
    client, reached, step = case.client, case.reached, case.decided
    if client is None or reached is None or case.rewritten is None:
        return None
    if step is not None and step.direction is not Direction.REPLY:
        return None
    if client.node_name != reached.node_name or client.host_network or reached.host_network:
        return None
    node = case.network.get(client.node_name or "")
    if node is None or node.sysctls.bridge_nf_call_iptables:
        return None
    said = (
        f"{reached.key} is on the same bridge as the client and answers it directly, with "
        "its own address: the answer never passes netfilter, so the client does not know it"
    )
    found = writer(case.cluster.pods.values(), client.node_name or "", BRIDGE_NF)
    if found is not None and found.value == "0":
        return Diagnosis(
            f"{said}. Pod {found.pod.key} (container {found.container.name}) sets "
            f"{BRIDGE_NF} to 0 there",
            f"take that line out of its command, and set {BRIDGE_NF} = 1 on the nodes again "
            "(modprobe br_netfilter first, and a file in /etc/sysctl.d so that it stays)",
            found.container.origin,
        )
    return Diagnosis(
        said,
        f"set {BRIDGE_NF} = 1 on the nodes (modprobe br_netfilter "
        "first, and a file in /etc/sysctl.d so that it stays)",
        told.origin if (told := node.sysctls.reasons.get(BRIDGE_NF)) is not None else None,
    )
