"""Two policies of one tier have the same priority, and both select some pod.

Which of them is asked first the API leaves to the engine (network-policy-api,
ClusterNetworkPolicySpec.priority): where a rule of each fits, either may decide. Here they are
asked in the order of their names.

A warning, at the later one. Does not apply to policies that have no pod in common in the input, nor
to those that say the same of whatever both are about (all of their rules have one action).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.judgement import same_priority
from k8stui.cluster.policy import ClusterPolicy, Direction
from k8stui.cluster.selection import ruling

ID = "policy-priority"


def look(ground: Ground) -> Iterator[Finding]:
    for group in same_priority(ground.cluster.cluster_policies):
        for one, other in combinations(group, 2):
            if _differ(one, other) and _meet(ground, one, other):
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=f"{other.kind} {other.name}",
                    place=other.origin.place,
                    why=f"it has priority {other.priority} of the {other.tier} tier, as {one.kind} "
                    f"{one.name} has, and both select the same pods: which is asked first is up to "
                    "the policy engine",
                    fix="give each policy of the tier a priority of its own",
                )


def _differ(one: ClusterPolicy, other: ClusterPolicy) -> bool:
    """Whether there is a way of which the two may say different things."""
    return any(
        one.rules(way)
        and other.rules(way)
        and len({rule.action for rule in (*one.rules(way), *other.rules(way))}) > 1
        for way in Direction
    )


def _meet(ground: Ground, one: ClusterPolicy, other: ClusterPolicy) -> bool:
    wanted = {id(one), id(other)}
    pods = ground.cluster.pods.values()
    return any(wanted <= {*map(id, ruling(ground.cluster, pod))} for pod in pods)


RULE = CheckRule(
    id=ID,
    summary="Two policies of one tier have the same priority",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
