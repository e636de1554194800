"""Policies are in the input, and nothing on these nodes enforces them.

flannel, the bridge plug-in and docker0 know no policies: the API server takes the object, and every
packet goes on as before. So do the walks. One finding for all policies. Where the input does not
say which plug-in the nodes have, somebody is taken to enforce them, and the finding says so.

Of an engine that knows NetworkPolicies, and none of the whole cluster (kube-router knows no
AdminNetworkPolicy), a warning at the first of each kind that it leaves alone.

Does not apply where a policy engine is found or chosen (k3s's kube-router, Calico, Cilium,
``--policy-engine``), nor where a node's rules come from a real iptables-save: they hold what
enforces the policies, and are evaluated as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.subject import subject_of
from k8stui.cluster.policy import CALICO_POLICY_KINDS, CLUSTER_POLICY_KINDS
from k8stui.manifests import Manifest
from k8stui.nodes.policy import KNOWN
from k8stui.walk.policies import enforcer, knows_no

ID = "network-policy"
_NAMESPACED = "NetworkPolicy"
_OTHERS = (*CLUSTER_POLICY_KINDS, *CALICO_POLICY_KINDS)


def look(ground: Ground) -> Iterator[Finding]:
    found = {kind: tuple(ground.of_kind(kind).values()) for kind in (_NAMESPACED, *_OTHERS)}
    policies = tuple(one for each in found.values() for one in each)
    network = ground.world.network
    nodes = ground.cluster.nodes.values()
    if not policies:
        return
    engine = enforcer(ground.world)
    if network.assumes_policy_engine and not any(map(network.has_observed_rules, nodes)):
        yield _finding(
            policies,
            "nothing in the input says who enforces {}: somebody is taken to, as whoever writes "
            "them means",
            "look whether the real cluster runs what does (Calico, Cilium …), and say so with "
            "--cni, --policy-engine or --distribution",
        )
    elif engine is not None:
        known = {kind for one in KNOWN.values() if one.title == engine for kind in one.kinds}
        for kind in _OTHERS:
            if found[kind] and kind not in known:
                yield _unknown(engine, found[kind])
    elif not any(map(network.has_observed_rules, nodes)):
        yield _finding(
            policies,
            _why(ground),
            "nothing, if the real cluster runs what does (Calico, Cilium; k3s: --distribution k3s)",
        )


def _finding(policies: Sequence[Manifest], why: str, fix: str) -> Finding:
    """About all of them, at the first; `why`: with a place for their names."""
    first = policies[0]
    more = f" and {len(policies) - 1} more" if len(policies) > 1 else ""
    return Finding(
        rule=ID,
        severity=Severity.INFO,
        subject=subject_of(first),
        place=first.place(),
        why=why.format(f"{first.name}{more}"),
        fix=fix,
    )


def _unknown(engine: str, policies: Sequence[Manifest]) -> Finding:
    first = policies[0]
    more = f" (nor are {len(policies) - 1} more)" if len(policies) > 1 else ""
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=subject_of(first),
        place=first.place(),
        why=f"it is not enforced by {engine}{more}: {knows_no('that', first.kind)}",
        fix="write NetworkPolicies, or run an engine that knows these policies too",
    )


def _why(ground: Ground) -> str:
    if ground.world.options.policy_engine is not None:
        return f"{{}} has no effect: --policy-engine {ground.world.options.policy_engine}"
    plugins = ground.cluster.network_plugins
    if plugins:
        return f"what {plugins[0].name} makes of {{}} is not modelled, so it has no effect here"
    used = dict.fromkeys(map(ground.world.network.plugin_of, ground.cluster.nodes.values()))
    return f"{{}} has no effect: {' and '.join(used)} enforces no policies"


RULE = CheckRule(
    id=ID,
    summary="NetworkPolicies that nobody enforces",
    help=__doc__ or "",
    severity=Severity.INFO,
    look=look,
)
