"""NetworkPolicies are in the input, and nothing on these nodes enforces them.

flannel, the bridge plug-in and docker0 know no policies: the API server takes the object, and every
packet goes on as before. So do the walks. One finding for all policies.

Does not apply where a policy engine's rules are walked (k3s's kube-router, ``--policy-engine``),
nor where a node's rules come from a real iptables-save: they hold what enforces the policies, and
are evaluated as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.nodes.policy import BY_THE_API

ID = "network-policy"


def look(ground: Ground) -> Iterator[Finding]:
    policies = tuple(ground.of_kind("NetworkPolicy").values())
    network = ground.world.network
    nodes = ground.cluster.nodes.values()
    if (
        not policies
        or any(map(network.has_observed_rules, nodes))
        or any(map(network.judges_policies, nodes))
        or ground.world.options.policy_engine in BY_THE_API
    ):
        return
    first = policies[0]
    more = f" and {len(policies) - 1} more" if len(policies) > 1 else ""
    yield Finding(
        rule=ID,
        severity=Severity.INFO,
        subject=f"NetworkPolicy {first.namespace or 'default'}/{first.name}",
        place=first.place(),
        why=_why(ground, f"{first.name}{more}"),
        fix="nothing, if the real cluster runs what does (Calico, Cilium; k3s: --distribution k3s)",
    )


def _why(ground: Ground, policies: str) -> str:
    plugins = ground.cluster.network_plugins
    if plugins:
        return (
            f"what {plugins[0].name} makes of {policies} is not modelled; a walk says where the "
            "API's rules let nothing through"
        )
    used = dict.fromkeys(map(ground.world.network.plugin_of, ground.cluster.nodes.values()))
    return f"{policies} has no effect: {' and '.join(used)} enforces no policies"


RULE = CheckRule(
    id=ID,
    summary="NetworkPolicies that nobody enforces",
    help=__doc__ or "",
    severity=Severity.INFO,
    look=look,
)
