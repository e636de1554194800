"""What clients can feel of kube-proxy's mode, in words, where two walks of one request meet it.

Source: docs/facts/kube-proxy.md section 9, seen with real packets.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.cluster.proxy_configuration import NFTABLES
from k8stui.kernel.address import is_loopback
from k8stui.kernel.step import Hook, RuleCause, StepKind
from k8stui.settings import MODE
from k8stui.walk.compare import Comparison
from k8stui.walk.trace import Trace, TraceStep


def mode_differences(found: Comparison) -> tuple[str, ...]:
    """Sentences; none where the mode is not what is compared, or it changes nothing."""
    if found.setting != MODE.what_if or found.is_same:
        return ()
    if found.value_after == NFTABLES:
        return tuple(_told(found.value_before, found.before, found.after))
    if found.value_before == NFTABLES:
        return tuple(_told(found.value_after, found.after, found.before))
    return ()


def _told(mode: str, other: Trace, nft: Trace) -> Iterator[str]:
    """`mode`: the one that is not nftables, walked in `other`."""
    decided, cause = _decided(nft)
    was_rewritten = _is_rewritten(nft)
    chain = cause.chain.name if cause is not None and cause.is_nft else ""
    if decided is not None and chain == "cluster-ips-check":
        yield _in_the_range(mode, decided, was_rewritten=was_rewritten)
    elif decided is not None and chain.startswith("firewall-"):
        yield _outside_the_ranges(mode, other)
    elif (
        decided is not None
        and decided.kind is StepKind.REJECT
        and decided.hook is Hook.OUTPUT
        and nft.outcome.result is not other.outcome.result
    ):
        yield (
            "a Service without endpoints, asked by the node itself at an external address: "
            f"nftables rejects it, {mode} lets it pass, for OUTPUT does not jump to "
            "KUBE-EXTERNAL-SERVICES"
        )
    connect = nft.request.connect
    if connect is not None and _is_rewritten(other) and not was_rewritten and not chain:
        yield (
            f"a node port at 127.0.0.1: {mode} serves it, nftables has no localhost node ports"
            if is_loopback(connect.destination)
            else f"a node port at another address than the node's first: {mode} serves it at all "
            "of them, nftables at the first alone unless nodePortAddresses says otherwise"
        )


def _in_the_range(mode: str, decided: TraceStep, *, was_rewritten: bool) -> str:
    if decided.kind is StepKind.REJECT:
        return (
            "a cluster IP on a port that its Service has not: nftables rejects it, so the client "
            f"knows at once; {mode} has no rule for it, and it goes where the routes lead"
        )
    if was_rewritten:
        return (
            "the endpoint's address lies in a ServiceCIDR: nftables drops behind DNAT what goes "
            f"there, {mode} does not"
        )
    return (
        "an address of the ServiceCIDR that no Service has: nftables drops it, "
        f"{mode} has no rule for it, and it goes where the routes lead"
    )


def _outside_the_ranges(mode: str, other: Trace) -> str:
    step, _ = _decided(other)
    if step is not None and step.kind is StepKind.REJECT:
        return (
            "no endpoints, and a source outside of loadBalancerSourceRanges: nftables drops it, "
            f"for the ranges are always looked at; {mode} rejects it, for without endpoints there "
            "is no KUBE-FW chain"
        )
    return (
        "a source outside of loadBalancerSourceRanges: nftables drops it before DNAT, "
        f"{mode} in filter, when the packet has fallen out of its KUBE-FW chain"
    )


def _decided(trace: Trace) -> tuple[TraceStep | None, RuleCause | None]:
    step = next((one for one in trace.steps if one.number == trace.outcome.step), None)
    cause = step.cause if step is not None else None
    return step, cause if isinstance(cause, RuleCause) else None


def _is_rewritten(trace: Trace) -> bool:
    return any(step.kind is StepKind.DNAT for step in trace.steps)
