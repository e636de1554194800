"""Which policies of the input would keep a request from arriving, by the API's rules, in words.

No plug-in is asked: the rules say what each that enforces policies has to do
(`k8stui.cluster.judgement`). What the walk itself does not know is said beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from k8stui.cluster.judgement import Ask, Judgement, Peer, Ruling
from k8stui.cluster.model import Pod
from k8stui.cluster.names import DNS_LABELS, DNS_PORT, DNS_SERVICE, uses_cluster_dns
from k8stui.cluster.nameservers import dns_pods_ports, local_cache
from k8stui.cluster.policy import (
    CILIUM_POLICY_KINDS,
    ClusterPolicy,
    Direction,
    NetworkPolicy,
    Policy,
    PolicyRule,
    Tier,
)
from k8stui.kernel.address import Address
from k8stui.kernel.derived import Derived
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import Direction as Way
from k8stui.kernel.step import StepKind
from k8stui.nodes.policy import KNOWN, NONE
from k8stui.origin import Origin, OriginKind, assumed
from k8stui.record import record
from k8stui.walk.near_rules import NearRules
from k8stui.walk.trace import Outcome

if TYPE_CHECKING:
    from k8stui.cluster.model import Cluster
    from k8stui.manifests.problem import Problem
    from k8stui.walk.trace import Request, Trace, TraceStep
    from k8stui.walk.world import World

_RESOLVER_SECONDS = 10
"""Two tries of five seconds at one server (resolv.conf(5), timeout and attempts)."""


def unheard_policies(world: World, request: Request, trace: Trace) -> Trace:
    """The trace of a request that arrives, and what policies have against it that nobody enforces.

    Either there is no engine at all, or none that knows policies of the whole cluster.
    """
    cluster, done = world.cluster, trace.outcome
    if done.result is not Result.CONNECTED or _to_own_node(cluster, request, done):
        return trace
    denial = Policies(cluster).against(
        request,
        done.server_pod,
        done.server_port,
        source_met(cluster, trace),
        done.server_address,
    )
    if denial is None:
        return trace
    where = f"{denial.origin.where}: " if denial.origin.where else ""
    kind = denial.policy.partition(" ")[0]
    engine = enforcer(world)
    nobody = nobody_enforces(world) if engine is None else knows_no(engine, kind)
    said = f"{denial.reason}; not enforced, so it arrives: {nobody}"
    at = _where_it_applies(trace, denial)
    hops = trace.hops
    if at is not None:
        told = replace(at, text=f"{at.text}; not enforced here: {denial.policy} denies it")
        hops = tuple(
            replace(hop, steps=tuple(told if step is at else step for step in hop.steps))
            for hop in hops
        )
    notes = (*trace.assumptions, f"{where}{said}")
    return replace(trace, hops=hops, assumptions=notes, unenforced=said)


def _where_it_applies(trace: Trace, denial: Denial) -> TraceStep | None:
    """The step where an engine would judge: at the pod's device, on its node."""
    if denial.of_names or denial.denied is None:
        return trace.steps[0]  # the question for the name: its answer is the first step
    ruling = denial.denied.ruling
    there = [
        step
        for hop, step in trace.placed
        if hop.direction is Way.FORWARD and hop.namespace == ruling.pod.node_name
    ]
    last = ruling.direction is Direction.INGRESS
    return there[-1 if last else 0] if there else None


def _to_own_node(cluster: Cluster, request: Request, done: Outcome) -> bool:
    """Whether a pod asks the node that it is on: that always passes (NetworkPolicySpec)."""
    client = cluster.pods.get(request.connect.namespace if request.connect is not None else "")
    node = cluster.nodes.get(client.node_name or "") if client is not None else None
    return node is not None and done.server_address in node.addresses


def enforcer(world: World) -> str | None:
    """The policy engine of the cluster, as its project calls it; None: there is none."""
    names = map(world.network.policy_engine_of, world.cluster.nodes.values())
    known = (KNOWN.get(name) for name in names)
    return next((one.title for one in known if one is not None), None)


def knows_no(engine: str, kind: str) -> str:
    """Which policies an engine leaves alone: ``Cilium knows no AdminNetworkPolicies``."""
    return f"{engine} knows no {kind.removesuffix('y')}ies"


def nobody_enforces(world: World) -> str:
    """Why policies have no effect: ``flannel knows no policies``."""
    if world.options.policy_engine == NONE:
        return "--policy-engine none"
    plugins = dict.fromkeys(map(world.network.plugin_of, world.cluster.nodes.values()))
    return f"{' and '.join(plugins)} knows no policies"


def if_enforced(world: World) -> tuple[str, ...]:
    """What a denial rests on where nothing in the input says who enforces policies."""
    said = (
        "nothing in the input says who enforces NetworkPolicies: somebody is taken to, as whoever "
        "writes them means. Where flannel alone runs it would pass: ask with --policy-engine none"
    )
    return (said,) if world.network.assumes_policy_engine else ()


def source_met(cluster: Cluster, trace: Trace) -> Address | None:
    """The source address that the policies of the server's pod meet.

    They are enforced on the way to the pod, before its own node masquerades (POSTROUTING): what
    another node has put in stays, the client's own address too.
    """
    own = next((step.before.src for step in trace.steps if step.before is not None), None)
    server = cluster.pods.get(trace.outcome.server_pod or "")
    node = server.node_name if server is not None else None
    forward = (hop for hop in trace.hops if hop.direction is Way.FORWARD)
    stays = [hop for hop in forward if hop.namespace == node]
    if not stays:
        return own
    steps = stays[-1].steps
    met = next((step for step in steps if step.kind is StepKind.SNAT), steps[-1]).before
    return met.src if met is not None else own


def cut_from_dns(world: World, request: Request) -> Outcome | None:
    """What a client feels that policies keep from cluster DNS, and that asks by name.

    Judged by the API's rules: the DNS pods need not be in the input.
    """
    connect, cluster = request.connect, world.cluster
    client = cluster.pods.get(connect.namespace) if connect is not None else None
    if client is None or client.host_network:
        return None
    node = cluster.nodes[client.node_name or ""]
    policies = Policies(world.network.enforced)
    denial = policies.dns(client, request, own_node=world.network.judges_own_node(node))
    if denial is None:
        return None
    engine = world.network.policy_engine_of(node)
    by_rules = KNOWN[engine].rejects if engine in KNOWN else False
    felt = "rejected at once" if by_rules else "dropped, until the resolver gives up"
    return Outcome(
        result=Result.NO_SUCH_NAME,
        errno=None,
        seconds=0 if by_rules else _RESOLVER_SECONDS,
        decided_at=client.key,
        reason=f"the name does not resolve: {denial.reason}; the question to DNS is {felt}",
        server_pod=None,
        server_address=None,
        server_port=None,
        source_seen_by_server=None,
        origin=denial.origin,
        step=None,
        advice=denial.advice,
    )


def _find_dns(cluster: Cluster) -> Peer:
    dns = cluster.services.get(DNS_SERVICE)
    wanted = (dns.selector if dns is not None else None) or DNS_LABELS
    servers = (
        pod
        for pod in cluster.pods.values()
        if pod.namespace == "kube-system" and wanted.items() <= pod.labels.items()
    )
    pod = next(servers, None)
    return Peer(
        pod.addresses[0] if pod is not None and pod.addresses else None,
        pod,
        pod.labels if pod is not None else wanted,
        "kube-system",
        "cluster DNS",
        cluster.pod_cidrs or (cluster.pod_cidr,),
    )


def _unseen_server(dns: Peer) -> Pod:
    """A pod of cluster DNS that the input lacks: as kubeadm, k3s and the clouds label it."""
    return Pod(
        namespace=dns.namespace,
        name="coredns",
        labels=dns.labels,
        container_id="",
        origin=assumed("every cluster has DNS servers"),
    )


# Asked of every client that asks by name: it is not looked for in all pods each time.
_dns_server: Derived[Cluster, Peer] = Derived(_find_dns)


@record()
class Denial:
    """A request that policies do not allow."""

    reason: str
    advice: str
    origin: Origin
    """Of the rule that denies it, else of the first policy that selects the pod."""
    policy: str = ""
    """Its kind, namespace and name."""
    of_names: bool = False
    """It is about the question to cluster DNS."""
    denied: Denied | None = None
    """What was judged, for those who would change it."""
    unsure: bool = False
    """A rule that may allow it, or not, cannot be evaluated."""


@record()
class Denied:
    """What policies were asked, and what they said: no, or nobody knows."""

    ruling: Ruling
    peer: Peer
    ask: Ask


class Policies:
    """The policies of one cluster, asked about requests."""

    def __init__(self, cluster: Cluster, judgement: Judgement | None = None) -> None:
        self._cluster = cluster
        self.judgement = judgement or Judgement(cluster)

    def against(
        self,
        request: Request,
        server: str | None,
        port: int | None,
        source: Address | None = None,
        address: Address | None = None,
    ) -> Denial | None:
        """The first thing that does not let the request through.

        `server` (a pod) and `port` are those that it reached, as `address` is; None: the one that
        was asked. `source`: the address that the server's policies meet; None: the client's own.
        """
        connect = request.connect
        if connect is None:
            return None
        client, target = map(self._cluster.pods.get, (connect.namespace, server or ""))
        if client is not None and client is target:
            return self.dns(client, request)
        far = address or connect.destination
        ask = Ask(port or connect.port, connect.protocol, target)
        there = self.judgement.peer(target, far, server or str(far))
        first = next(self.outward(request, there, ask), None)
        if first is None and target is not None:
            first = next(self.inward(request, target, ask, source), None)
        return first

    def outward(self, request: Request, there: Peer, ask: Ask) -> Iterator[Denial]:
        """What keeps the client from sending it: first the question for a name, then the rest."""
        client = self._cluster.pods.get(request.connect.namespace if request.connect else "")
        if client is None or client.host_network or not self._cluster.all_policies:
            return
        found = (self.dns(client, request), self.denied(Direction.EGRESS, client, there, ask))
        yield from filter(None, found)

    def inward(
        self, request: Request, target: Pod, ask: Ask, source: Address | None = None
    ) -> Iterator[Denial]:
        """What keeps it from the pod that is asked at last. `source`: as for `against`."""
        connect = request.connect
        if connect is None or target.host_network or connect.namespace == target.node_name:
            return
        client = self._cluster.pods.get(connect.namespace)
        node = self._cluster.nodes.get(connect.namespace)
        own = node.address(connect.destination.version) if node is not None else None
        met = source or connect.source or own
        peer = self.judgement.peer(client, met, connect.namespace)
        if client is not None and met is not None and met not in client.addresses:
            # Masqueraded on the way: an address, and none of the pod's labels counts.
            peer = self.judgement.peer_at(met)
        denial = self.denied(Direction.INGRESS, target, peer, ask)
        if denial is not None:
            yield self.seen_as(denial, met, request)

    def seen_as(self, denial: Denial, source: Address | None, request: Request) -> Denial:
        """The denial of a client that `source` stands for, if a node's stands for one outside.

        Or for a pod on its node's network.
        """
        connect = request.connect
        far = denial.denied.peer if denial.denied is not None else None
        nodes = self._cluster.nodes.values()
        address = far.address if far is not None else None
        inside = connect is not None and (
            connect.namespace in self._cluster.nodes or connect.namespace in self._cluster.pods
        )
        if address is not None and inside and any(address in node.addresses for node in nodes):
            cidr = f"{address}/{address.bits}"
            by_block = "and so each node"
            if "ipBlock" not in denial.advice:
                by_block = f"by an ipBlock ({{cidr: {cidr}}}, {by_block})"
            return replace(
                denial,
                reason=f"{denial.reason}: that is a node's address, which pods of hostNetwork "
                "have too, and none of their labels count",
                advice=f"{denial.advice}, {by_block}",
            )
        if connect is None or connect.source == source or inside:
            return denial
        by_node = next((n for n in self._cluster.nodes.values() if source in n.addresses), None)
        if by_node is None:
            return denial
        service = self._cluster.services.get(request.service or "")
        advice = denial.advice
        if service is not None:
            advice = (
                f"{_by_address(denial)}set externalTrafficPolicy: Local in Service {service.name}: "
                "then the client's own address counts"
            )
        return replace(
            denial,
            reason=f"{denial.reason}, seen as {source}: {by_node.name} masquerades what comes from "
            "outside (externalTrafficPolicy: Cluster)",
            advice=advice,
        )

    def dns(self, client: Pod, request: Request, *, own_node: bool = False) -> Denial | None:
        """Before anything else the name is asked of cluster DNS; `own_node` as in `nameless`."""
        if request.destination.startswith(("svc/", "pod/", "node/")) or not request.names:
            return None
        return self.nameless(client, own_node=own_node)

    def nameless(self, client: Pod, *, own_node: bool = False) -> Denial | None:
        """What keeps a pod from cluster DNS, so that no name resolves there.

        `own_node`: what a pod sends to its own node is judged too, as Calico and kube-router do,
        whose rules stand in the node's tables; NodeLocal DNS is there.
        """
        if client.host_network or not uses_cluster_dns(self._cluster, client):
            return None
        cache = local_cache(self._cluster, client)
        if cache is not None:
            return self._from_cache(client, cache) if own_node else None
        peer = self.name_server
        port = next(iter(dns_pods_ports(self._cluster)), DNS_PORT)
        ask = Ask(port, Protocol.UDP, peer.pod)
        found = self.denied(Direction.EGRESS, client, peer, ask)
        server = self.dns_server
        if found is None and not server.host_network:
            asking = self.judgement.peer(client, None, client.key)
            found = self.denied(Direction.INGRESS, server, asking, ask)
        return replace(found, of_names=True) if found is not None else None

    def _from_cache(self, client: Pod, cache: Address) -> Denial | None:
        words = f"NodeLocal DNS ({cache}) on {client.node_name}"
        ask = Ask(DNS_PORT, Protocol.UDP, None)
        found = self.denied(Direction.EGRESS, client, Peer(cache, None, {}, "", words), ask)
        if found is None:
            return None
        policy = found.policy.rpartition("/")[2]
        return replace(
            found,
            of_names=True,
            reason=f"{found.reason}: it runs on the node's network, so no selector means it",
            advice=f"allow port {DNS_PORT}/UDP and /TCP to ipBlock: {{cidr: {cache}/{cache.bits}}} "
            f"in egress of NetworkPolicy {policy}",
        )

    @property
    def dns_server(self) -> Pod:
        """A pod of cluster DNS; where the input has none, as it would be labelled."""
        return self.name_server.pod or _unseen_server(self.name_server)

    @property
    def name_server(self) -> Peer:
        """A pod of cluster DNS, or what is known of it."""
        return _dns_server.of(self._cluster)

    def denied(self, direction: Direction, pod: Pod, peer: Peer, ask: Ask) -> Denial | None:
        """One way of one pod; None: it is allowed."""
        ruling = self.judgement.of(direction, pod, peer, ask)
        return None if ruling.allowed else self.denial(ruling, peer, ask)

    def denial(self, ruling: Ruling, peer: Peer, ask: Ask) -> Denial:
        """What a ruling that does not allow it says in words."""
        denied = Denied(ruling, peer, ask)
        if ruling.unknown is not None:
            return _unsure(denied)
        if ruling.policy is not None:
            return _by_rule(denied, ruling.policy)
        selecting, direction, pod = ruling.selecting, ruling.direction, ruling.pod
        names = ", ".join(policy.key for policy in selecting[:3])
        what, far = _what(ask), _far(peer)
        one = len(selecting) == 1
        usual = tuple(one for one in selecting if isinstance(one, NetworkPolicy))
        ciliums = tuple(
            one
            for one in selecting
            if isinstance(one, ClusterPolicy) and one.kind in CILIUM_POLICY_KINDS
        )
        hint, mend, meant = NearRules(self.judgement).hint((*usual, *ciliums), direction, peer, ask)
        own = most_particular(usual) if usual else selecting[0]
        kinds = selecting[0].kind if one else "NetworkPolicies"
        said = f"{kinds} {names} select{'s' if one else ''} pod {pod.key} "
        if direction is Direction.INGRESS:
            said += f"and let{'s' if one else ''} in nothing from {far} to {what}"
            advice = f"allow {far} to {what} in ingress of {own.kind} {own.name}"
        else:
            said += f"and let{'s' if one else ''} out nothing to {far}, {what}"
            advice = f"allow {what} to {far} in egress of {own.kind} {own.name}"
        first = meant or selecting[0]
        lost = _refused_beside(self._cluster, pod.namespace)
        if lost is not None and not mend:
            name, problem = lost
            return Denial(
                f"{said}{hint}; NetworkPolicy {name} beside it is refused by the API server, and "
                "so allows nothing",
                f"mend it: {problem.message.partition(': ')[2]}",
                Origin(kind=OriginKind.DECLARED, place=problem),
                f"{first.kind} {first.key}",
                denied=denied,
            )
        return Denial(
            said + hint,
            mend or advice,
            first.origin,
            f"{first.kind} {first.key}",
            denied=denied,
        )

    def allows(self, policy: Policy, rule: PolicyRule, peer: Peer, ask: Ask) -> bool:
        """Whether a rule is surely about this connection."""
        return self.judgement.fits(policy, rule, peer, ask) is True


def _refused_beside(cluster: Cluster, namespace: str) -> tuple[str, Problem] | None:
    """A policy of the namespace that was written, and is none."""
    begins = f"NetworkPolicy {namespace}/"
    found = (key for key in cluster.refused if key.startswith(begins))
    key = next(found, None)
    return (key.removeprefix(begins), cluster.refused[key]) if key is not None else None


def _unsure(denied: Denied) -> Denial:
    ruling, one = denied.ruling, denied.ruling.unknown
    assert one is not None
    said = f"cannot be evaluated: a rule of pod {ruling.pod.key}'s policies "
    if one.words:
        said += f"asks for {one}, and nothing says which one that is"
        mend = "look who that is, and allow them by their labels or addresses"
        if one.words == "its source port":
            mend = (
                "ask in that rule for the destination's ports: clients choose theirs as they like"
            )
    else:
        said += f"is about {one}, and nothing says whether {_far(denied.peer)} is that"
        mend = "say which name the address has: --host NAME=ADDRESS"
    return Denial(
        said,
        mend,
        one.origin,
        denied=denied,
        unsure=True,
    )


def _by_rule(denied: Denied, policy: Policy) -> Denial:
    ruling, rule = denied.ruling, denied.ruling.rule
    assert rule is not None
    way = ruling.direction
    far, what = _far(denied.peer), _what(denied.ask)
    inward = way is Direction.INGRESS
    named = f" ({rule.name})" if rule.name else ""
    beside = "a NetworkPolicy that selects the pod and allows it has the last word instead"
    before = f"let a rule before {way.lower()}[{ruling.place}] allow or pass it"
    field = f"{way.lower()}[{ruling.place}]"
    if policy.tier is Tier.CILIUM_DENY:
        field = f"{way.lower()}Deny[{ruling.place}]"
        before = f"take that out of {field}, which goes before all that is allowed,"
    return Denial(
        f"{policy.kind} {policy.key} selects pod {ruling.pod.key}, and its rule "
        f"{field}{named} denies what "
        + (f"comes from {far} to {what}" if inward else f"goes to {far}, {what}"),
        beside if policy.tier is Tier.BASELINE else f"{before} in {policy.kind} {policy.key}",
        rule.origin,
        f"{policy.kind} {policy.key}",
        denied=denied,
    )


def _by_address(denial: Denial) -> str:
    """What has to be done before the client's own address helps; empty where it is named."""
    ruling = denial.denied.ruling if denial.denied is not None else None
    if ruling is None or ruling.policy is not None:
        return f"{denial.advice}; and "
    rules = (rule for policy in ruling.selecting for rule in policy.rules(ruling.direction))
    if any(peer.block is not None for rule in rules for peer in rule.peers):
        return ""
    way = ruling.direction.lower()
    return f"name the clients by an ipBlock in {way} of {denial.policy}, and "


def most_particular(selecting: Sequence[NetworkPolicy]) -> NetworkPolicy:
    """The policy to write one more permission into: "deny-all" is meant for everybody."""
    return max(selecting, key=lambda policy: policy.demands)


def _what(ask: Ask) -> str:
    return f"port {ask.port}/{ask.protocol.name}"


def _far(peer: Peer) -> str:
    return peer.words if peer.pod is None else f"pod {peer.pod.key}"
