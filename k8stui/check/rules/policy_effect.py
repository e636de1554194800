"""A part of a NetworkPolicy that does nothing, though its author wrote it to do something.

Rules of a direction that ``policyTypes`` leaves out are never read: the pods stay open (or free to
ask) that way (networking/v1 NetworkPolicySpec.policyTypes). And a policy whose pods are all on
their node's network selects nobody: no engine judges those.

A warning for rules that nobody reads, which does not apply to dumps; an information for hostNetwork
pods, which does not apply to policies that select all pods of a namespace.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import array, texts
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.selection import Selection, subject
from k8stui.manifests import Manifest

ID = "policy-effect"


def look(ground: Ground) -> Iterator[Finding]:
    for manifest in ground.of_kind("NetworkPolicy").values():
        if not manifest.observed:
            yield from _unread(manifest)
    if not ground.cluster.policies:
        return
    selection = Selection(ground.cluster)
    for policy in ground.cluster.policies:
        pods = tuple(selection.pods(subject(policy))) if policy.pods else ()
        if pods and all(pod.host_network for pod in pods):
            yield Finding(
                rule=ID,
                severity=Severity.INFO,
                subject=f"NetworkPolicy {policy.key}",
                place=policy.origin.place,
                why=f"all pods that it selects are hostNetwork pods ({pods[0].name}): policies do "
                "not apply to them",
                fix="filter on the node itself, or give the pods a network of their own",
            )


def _unread(manifest: Manifest) -> Iterator[Finding]:
    types = texts(manifest.data, "spec", "policyTypes")
    for field, kind in (("ingress", "Ingress"), ("egress", "Egress")):
        if types and kind not in types and array(manifest.data, "spec", field):
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"NetworkPolicy {manifest.namespace or 'default'}/{manifest.name}",
                place=manifest.place("spec", "policyTypes"),
                why=f"its {field} rules are never read: policyTypes holds {', '.join(types)} only",
                fix=f"add {kind} to policyTypes, or take the rules out",
            )


RULE = CheckRule(
    id=ID,
    summary="A part of a NetworkPolicy has no effect",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
