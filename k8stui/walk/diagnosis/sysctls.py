"""A setting of the node's kernel decided: it does not route for others, or not for this source."""

from __future__ import annotations

from dataclasses import replace

from k8stui.kernel.step import Step, SysctlCause
from k8stui.nodes.sysctl import writer
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.reverse_path import way_back
from k8stui.walk.reason import observed_at


def decided_by_sysctl(case: Case) -> Diagnosis | None:
    """Recognise a drop that a kernel setting decided (ip_forward, rp_filter, route_localnet)."""
    step = case.decided
    if step is None or not isinstance(step.cause, SysctlCause):
        return None
    cause = step.cause
    name = cause.name.replace("/", ".")
    found = writer(case.cluster.pods.values(), step.namespace, name)
    told = _decided(case, step, cause, name)
    if found is None:
        return replace(told, origin=told.origin or observed_at(cause))
    return Diagnosis(
        f"{told.reason}. Pod {found.pod.key} (container {found.container.name}) sets it so",
        f"take that line out of its command; {told.advice}",
        found.container.origin,
    )


def _decided(case: Case, step: Step, cause: SysctlCause, name: str) -> Diagnosis:
    if name.endswith(".forwarding") and ".all." not in name:
        return Diagnosis(
            reason=f"{step.namespace} does not forward what comes in by {step.device}: "
            f"{cause.name} = {cause.value}, though it forwards by others",
            advice=f"set {cause.name} = 1 on {step.namespace}; what sets it to 0 is often "
            "systemd-networkd (IPv4Forwarding=yes in the .network file of that device)",
        )
    if name.endswith(("ip_forward", ".forwarding")):
        return Diagnosis(
            reason=f"{step.namespace} does not forward packets: {name} = {cause.value}",
            advice=f"set {name if 'ipv6' in name else 'net.ipv4.ip_forward'} = 1 on "
            f"{step.namespace} (sysctl -w, and a file in /etc/sysctl.d so that it stays)",
        )
    if name.endswith("rp_filter"):
        loose = f"set {name} = 2 (loose) or 0 on {step.namespace}"
        if cause.value == "2":  # __fib_validate_source: no_addr
            loose = (
                f"set rp_filter of all and of {step.device} to 0 on {step.namespace}: loose (2) is "
                f"strict on a device without an IPv4 address, as {step.device} is"
            )
        back = way_back(case, step, loose)
        return Diagnosis(
            reason=f"{step.namespace} would not route the answer back out of {step.device}: "
            f"{name} = {cause.value} drops what arrives there"
            + (f". {back.reason}" if back is not None else ""),
            advice=back.advice if back is not None else loose,
            origin=back.origin if back is not None else None,
        )
    if name.endswith("route_localnet"):
        return Diagnosis(
            reason=f"{step.namespace} takes no packets for 127.0.0.0/8 from another device: "
            f"{name} = {cause.value}",
            advice=f"set {name} = 1 on {step.namespace}, or use the node's own address",
        )
    return Diagnosis(reason=f"{name} = {cause.value} on {step.namespace}")
