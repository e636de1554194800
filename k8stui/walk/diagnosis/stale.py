"""An entry of conntrack outlives the endpoint that it leads to."""

from __future__ import annotations

from k8stui.kernel.conntrack import CtState
from k8stui.kernel.step import ConntrackCause, Direction, Step
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.owners import service_with


def stale_entry(case: Case) -> Diagnosis | None:
    """Recognise a packet that a known connection sent to an address which nobody has any more.

    kube-proxy pkg/proxy/conntrack/cleanup.go (CleanStaleEntries): it deletes the UDP entries of
    endpoints that are gone, once its rules are written.
    """
    step = _followed(case)
    if step is None or case.pod_with(step.after.dst) or case.node_with(step.after.dst):
        return None
    old = step.after.dst.with_port(step.after.dport)
    return Diagnosis(
        f"the conntrack entry on {step.namespace} still leads to {old}, an endpoint that is gone: "
        "what goes on over the same socket follows the entry, and asks no rule",
        f"conntrack -D -p {step.after.protocol.name.lower()} --dst-nat {step.after.dst} on "
        f"{step.namespace} (kube-proxy does so for UDP once its rules are written), or a new "
        "socket: it gets another endpoint",
        step.cause.reason.origin
        if isinstance(step.cause, ConntrackCause) and step.cause.reason is not None
        else None,
    )


def untranslated_entry(case: Case) -> Diagnosis | None:
    """Recognise a connection to a Service that began before kube-proxy's rules for it stood.

    NAT is set up with a connection's first packet alone (nf_nat_core.c nf_nat_inet_fn): what goes
    on over the same socket is never rewritten (kubernetes/kubernetes issue 48370).
    """
    for step in case.asked:
        cause = step.cause
        if not isinstance(cause, ConntrackCause) or cause.reason is None:
            continue
        service = service_with(case, step.after.dst)
        if service is None or step.before.dst != step.after.dst:
            return None
        protocol = step.after.protocol.name.lower()
        return Diagnosis(
            f"{step.namespace} knows the connection already, by a conntrack entry that rewrites "
            f"nothing: it began when no rule led from {step.after.dst} (Service {service.key}) to "
            "an endpoint, and what goes on over the same socket asks no rule",
            f"on {step.namespace}: conntrack -D -p {protocol} --orig-dst {step.after.dst}, or a "
            "new socket",
            cause.reason.origin,
        )
    return None


def _followed(case: Case) -> Step | None:
    """The step at which an entry, and no rule, chose the destination."""
    for step in case.exchange.steps:
        cause = step.cause
        if (
            step.packet_number == 1
            and step.direction is Direction.FORWARD
            and isinstance(cause, ConntrackCause)
            and cause.state in (CtState.NEW.value, CtState.ESTABLISHED.value)
            and step.before.dst != step.after.dst
        ):
            return step
    return None
