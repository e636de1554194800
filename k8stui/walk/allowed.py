"""Why nothing keeps a connection from arriving: which policy lets it in, or why none has a say."""

from __future__ import annotations

from k8stui.cluster.judgement import Ask, Judgement
from k8stui.cluster.policy import Direction
from k8stui.origin import Origin
from k8stui.walk.policies import enforcer, nobody_enforces, source_met
from k8stui.walk.trace import Trace
from k8stui.walk.world import World


def why_allowed(world: World, trace: Trace) -> tuple[str, Origin | None]:
    """In a sentence, and where what it says is written; for a request that arrives.

    By the API's rules, of the way into the server's pod.
    """
    outcome, connect = trace.outcome, trace.request.connect
    server = world.cluster.pods.get(outcome.server_pod or "")
    source = source_met(world.cluster, trace)
    if server is None or connect is None or source is None or outcome.server_port is None:
        return "it ends at no pod, and policies are about pods", None
    if server.host_network:
        return f"pod {server.key} is on its node's network, where no policy selects it", None
    if enforcer(world) is None:
        return f"nobody enforces policies: {nobody_enforces(world)}", None
    judgement = Judgement(world.network.enforced)
    peer = judgement.peer_at(source)
    ask = Ask(outcome.server_port, connect.protocol, server)
    ruling = judgement.of(Direction.INGRESS, server, peer, ask)
    rule, policy = ruling.rule, ruling.policy
    if policy is not None and rule is not None:
        return f"{policy.kind} {policy.key} lets it in to pod {server.key}", rule.origin
    if not judgement.selecting(server, Direction.INGRESS):
        return f"no policy selects pod {server.key} for ingress", server.origin
    return f"no policy keeps it from pod {server.key}", None
