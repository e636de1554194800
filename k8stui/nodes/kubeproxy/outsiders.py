"""Whose requests to a clusterIP get the node's address: those who are no pods of the cluster."""

from __future__ import annotations

from k8stui.kernel.rules import Rule
from k8stui.record import record


@record(kw_only=True)
class Outsiders:
    """How a rule tells them (pkg/proxy/util/localdetector.go); with none of these: all are."""

    rule: Rule
    """Where that is said; where nobody is an outsider, a rule that would say it."""
    beyond: str = ""
    """They come from beyond this network."""
    not_by: str = ""
    """They come in by another device than this one, or than those whose names begin so."""
    is_start: bool = False
    """Whether `not_by` is a beginning."""
    are_none: bool = False
    """Nobody is: kube-proxy does not know where pods are."""
