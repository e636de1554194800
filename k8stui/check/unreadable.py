"""What could not be read, as findings: for formats in which a tool reads everything at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.place import TextPlace
from k8stui.check.rules import (
    cluster_ip,
    node_port,
    node_port_taken,
    service_ports,
    workload_selector,
)
from k8stui.manifests import Problem

ID = "input"


def unreadable(problems: Iterable[Problem]) -> Iterator[Finding]:
    """One finding a problem."""
    for problem in problems:
        yield Finding(
            rule=rule_of(problem),
            severity=Severity.ERROR,
            subject=problem.subject or "input",
            place=TextPlace(
                file=problem.file, line=max(problem.line, 1), column=max(problem.column, 1)
            ),
            why=problem.message,
            fix=" ".join(problem.hint.split("\n")).strip(),
        )


def rule_of(problem: Problem) -> str:
    """What the API server refuses is filed under the rule that explains it, where there is one."""
    field = problem.field
    if problem.subject.startswith("Service "):
        if field.endswith(".nodePort"):
            taken = problem.wrong == "Duplicate value" or "has already" in problem.message
            return node_port_taken.ID if taken else node_port.ID
        if field.startswith("spec.clusterIP"):
            return cluster_ip.ID
        if field.startswith("spec.ports"):
            return service_ports.ID
    elif field in ("spec.selector", "spec.template.metadata.labels"):
        return workload_selector.ID
    return ID


RULE = CheckRule(
    id=ID,
    summary="An object cannot be read",
    help="""An object of the input cannot be read: everything else is checked without it.

The message of k8stui on standard error shows the line, a caret and what was probably meant.
""",
    severity=Severity.ERROR,
    look=lambda _: (),
)
