"""A NetworkPolicy's rule goes by the name of a port that nobody has, and kube-router enforces it.

By the API such a rule allows nothing. kube-router looks the name up, finds no number, and leaves
out the port instead of the rule: every port of every protocol is open to the pods of that rule.

A warning at the rule, where kube-router enforces policies (k3s). Does not apply to rules that have
a number beside the name, whose peers are nobody here, or that name no peers.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.selection import Selection
from k8stui.nodes.policy import KUBE_ROUTER
from k8stui.walk.policy_notes import unheard_names

ID = "policy-port-name"


def look(ground: Ground) -> Iterator[Finding]:
    network, cluster = ground.world.network, ground.cluster
    engines = {network.policy_engine_of(node) for node in cluster.nodes.values()}
    if not cluster.policies or not any(name.startswith(KUBE_ROUTER) for name in engines):
        return
    selection = Selection(cluster)
    for policy in cluster.policies:
        for direction in policy.directions:
            for rule, names in unheard_names(policy, direction, selection):
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=f"NetworkPolicy {policy.key}",
                    place=rule.origin.place,
                    why=f"nobody here has a port named {names}: kube-router then leaves the port "
                    "out and opens every port to the pods of this rule",
                    fix="write the number of the port, or the name that the containers give it",
                )


RULE = CheckRule(
    id=ID,
    summary="A NetworkPolicy opens every port under kube-router",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
