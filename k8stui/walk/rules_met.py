"""What rules did on the way, read from the rules themselves (never from their text)."""

from __future__ import annotations

from collections.abc import Iterable

from k8stui.kernel.compile import compile_rule
from k8stui.kernel.rules import Rule
from k8stui.kernel.step import RuleCause, Step, StepKind
from k8stui.kernel.targets.base import Jump

MARKING = ("KUBE-MARK-MASQ", "CNI-HOSTPORT-SETMARK")
"""Chains that mark a packet to be masqueraded: kube-proxy's and portmap's."""


MASQUERADING = ("KUBE-POSTROUTING", "CNI-HOSTPORT-MASQ", "masquerading")
"""Chains that masquerade what is so marked."""


def marks(step: Step) -> bool:
    """Whether a rule of nftables sets a mark: kube-proxy's do it on the spot, without a chain."""
    is_rule = isinstance(step.cause, RuleCause) and step.cause.is_nft
    return step.kind is StepKind.MARK and is_rule and step.after.mark != 0


def jumps_to(step: Step) -> str:
    """The chain that the step's rule sent the packet to; empty for any other step."""
    cause = step.cause
    if not isinstance(cause, RuleCause) or cause.rule is None:
        return ""
    if cause.is_nft:
        return cause.leads
    target = compile_rule(cause.rule.text).target
    return target.chain if isinstance(target, Jump) else ""


def leads_to(table: str, rule: Rule) -> str:
    """Where a rule sends packets that it matches: a chain, or (``@NAME``) a map that says which.

    Empty: nowhere. `table`: as steps have it.
    """
    if " " not in table:
        return compile_rule(rule.text).target_name
    from k8stui.kernel.nft import mentions  # noqa: PLC0415 - not of every walk

    maps = mentions.sets(rule.text)
    return next(iter(mentions.chains(rule.text)), f"@{maps[-1]}" if maps else "")


def chain_of(step: Step) -> str:
    """Name of the chain whose rule made the step; empty where no rule did."""
    return step.cause.chain.name if isinstance(step.cause, RuleCause) else ""


def marked_by(steps: list[Step]) -> Step | None:
    """The last jump to a marking chain that really marked the packet."""
    found, pending = None, None
    for step in steps:
        if jumps_to(step) in MARKING:
            pending = step
        elif marks(step):
            found = step
        elif step.kind is StepKind.MARK and chain_of(step) in MARKING:
            found = pending or step
    return found


def sent_to_be_marked(steps: list[Step]) -> Step | None:
    """The last jump to a marking chain, whatever came of it."""
    asked = (step for step in reversed(steps) if jumps_to(step) in MARKING or marks(step))
    return next(asked, None)


def sent_to_be_dropped(steps: Iterable[Step]) -> Step | None:
    """The first jump to KUBE-MARK-DROP: there kube-proxy decided, before 1.28, what to drop.

    KUBE-FIREWALL drops what has that mark in INPUT and OUTPUT; what is only forwarded goes on.
    """
    return next((step for step in steps if jumps_to(step) == "KUBE-MARK-DROP"), None)
