"""The rules that stand in a namespace of the case."""

from __future__ import annotations

from k8stui.kernel.rules import Chain, Ruleset
from k8stui.kernel.step import Step
from k8stui.walk.diagnosis.case import Case


def ruleset(case: Case, namespace: str, version: int) -> Ruleset:
    """The rules of a namespace; empty for one without."""
    found = case.network.get(namespace)
    return (found.rulesets.get(version) if found else None) or Ruleset({})


def chain(case: Case, step: Step, table: str, name: str) -> Chain | None:
    """A chain of the namespace and family in which a step was made."""
    return ruleset(case, step.namespace, step.before.src.version).chain(table, name)
