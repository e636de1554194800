"""Somebody else's rule of a node (REDIRECT, DNAT) leads a packet away from what was asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8stui.cluster.model import Cluster
from k8stui.kernel.exchange import Exchange, Result
from k8stui.kernel.rules import Rule
from k8stui.kernel.step import Direction, RuleCause, SocketCause, Step, StepKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.owners import service_at
from k8stui.walk.reason import observed_at
from k8stui.walk.rules_met import chain_of

_KNOWN = ("KUBE-", "CNI-")
"""Beginnings of the chains of kube-proxy and of portmap."""


def sent_elsewhere(case: Case) -> Diagnosis | None:
    """Recognise it: to where nothing listens, or away from a Service's or a pod's address."""
    found, step = _rewritten(case.exchange.steps), case.decided
    if found is None or step is None:
        return None
    rewriting, said = found
    asked = rewriting.before.dst
    node = case.node_with(asked)
    ending = ", and nothing is known to listen there"
    if not isinstance(step.cause, SocketCause):
        if service_at(case.cluster, asked) is None and (node or not case.pods_with(asked)):
            return None
        is_reply = step.direction is Direction.REPLY
        ending = ", from where the answer does not come back" if is_reply else ""
    spare = _spare(case.cluster)
    if node is not None:  # it was meant to be led away, addresses of others hardly are
        spare = f"start there what is to listen on port {rewriting.after.dport}"
    return Diagnosis(
        f"{said}{ending}: {_text(rewriting)}",
        f"take that rule off {rewriting.namespace}, or {spare}",
        observed_at(rewriting.cause),
    )


def answered_elsewhere(cluster: Cluster, exchange: Exchange) -> Iterator[str]:
    """That it is not the asked Service that answers."""
    found = _rewritten(exchange.steps)
    if found is None or exchange.felt.result is not Result.CONNECTED:
        return
    rewriting, said = found
    origin = observed_at(rewriting.cause)
    service = service_at(cluster, rewriting.before.dst)
    if service is not None and origin is not None:
        yield (
            f"it is not Service {service.key} that answers: {said} ({origin.where}: "
            f"{_text(rewriting)}). Take that rule off {rewriting.namespace}, or {_spare(cluster)}"
        )


def _rewritten(steps: Iterable[Step]) -> tuple[Step, str] | None:
    """The last rewriting of the destination on the way there, if by such a rule; in words."""
    there = (s for s in steps if (s.kind, s.direction) == (StepKind.DNAT, Direction.FORWARD))
    step = next(iter(reversed([*there])), None)
    if step is None or chain_of(step).startswith(_KNOWN) or observed_at(step.cause) is None:
        return None
    if not isinstance(step.cause, RuleCause) or step.cause.rule is None:
        return None
    cause, before, after = step.cause, step.before, step.after
    return step, (
        f"rule {cause.index} of chain {cause.chain.name} (table {cause.table}) on "
        f"{step.namespace}, none of kube-proxy's, leads {before.dst.with_port(before.dport)} to "
        f"{after.dst.with_port(after.dport)}"
    )


def _text(step: Step) -> str:
    rule = step.cause.rule if isinstance(step.cause, RuleCause) else None
    return rule.text if isinstance(rule, Rule) else ""


def _spare(cluster: Cluster) -> str:
    return f"let it spare the addresses of pods and Services (! -d {cluster.service_cidr})"
