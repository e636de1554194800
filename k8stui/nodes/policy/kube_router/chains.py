"""The chains of kube-router's filter table, each made when somebody looks at it.

Source: network_policy_controller.go ensureTopLevelChains, ensureExplicitAccept,
ensureCommonPolicyChain, ensureDefaultNetworkPolicyChain; pod.go; policy.go
appendRuleToPolicyChain; utils.go safeJoin, getIptablesNFlogLimit. Positions and order in
docs/facts/policy.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from k8stui.because import Because
from k8stui.cluster.model import Pod
from k8stui.cluster.policy import Direction, NetworkPolicy
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.compile import compile_rule, render
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.apart import ComparedChains, ComparedRules, Pair
from k8stui.nodes.contribution import Jump
from k8stui.nodes.kubeproxy.lazy import LazyRows
from k8stui.nodes.policy.kube_router.dialect import Dialect, LetsThrough
from k8stui.nodes.policy.kube_router.names import PolicyNames, pod_chain, with_id
from k8stui.nodes.policy.kube_router.plan import Allowed, PolicyPlan
from k8stui.nodes.policy.kube_router.seen import POD, POLICY, Names
from k8stui.origin import Origin, defaulted
from k8stui.record import record

OWNER = "kube-router"
_ALLOWED, _JUDGED = "0x10000/0x10000", "0x20000/0x20000"
_COMMON, _DEFAULT, _TAIL = "KUBE-NWPLCY-COMMON", "KUBE-NWPLCY-DEFAULT", "KUBE-NWPLCY-TAIL"
_BUILTIN = {
    "INPUT": "KUBE-ROUTER-INPUT",
    "FORWARD": "KUBE-ROUTER-FORWARD",
    "OUTPUT": "KUBE-ROUTER-OUTPUT",
}
_ICMP = {
    4: (
        ("echo requests", 8),
        ("destination unreachable messages", 3),
        ("time exceeded messages", 11),
    ),
    6: (
        ("echo requests", 128),
        ("destination unreachable messages", 1),
        ("time exceeded messages", 3),
        ("neighbor solicitation messages", 135),
        ("neighbor advertisement messages", 136),
        ("echo reply messages", 129),
    ),
}
"""pkg/utils/iptables.go CommonICMPRules."""
_PORT_UNREACHABLE = {4: "icmp-port-unreachable", 6: "icmp6-port-unreachable"}
_LOGGED_NAMES = 48
_RATE_UNITS = frozenset({"second", "minute", "hour", "day", "s", "m", "h", "d"})


class Made(NamedTuple):
    """A chain that is made when it is looked at."""

    make: Callable[[], Sequence[Rule]]
    of: Callable[[], object]
    """All that its rules are made of, beside what is the same in each chain."""


@record(kw_only=True, eq=False)
class NodeView:
    """One node for IP `version`, as the engine sees it."""

    dialect: Dialect
    sync: str
    """The number in the names of chains."""
    seen: Names
    """The names that a dump of the node shows."""
    version: int
    ranges: tuple[Prefix, ...]
    """Of the Services' clusterIPs."""
    node_ports: range
    pods: Sequence[tuple[Pod, Address]]
    """Those that run here, in order of their addresses."""
    policies: Sequence[NetworkPolicy]
    """All of the cluster: every node has a chain for each."""
    plan: Callable[[NetworkPolicy], PolicyPlan]
    policies_of: Callable[[Pod], Sequence[NetworkPolicy]]

    @property
    def fixed(self) -> tuple[object, ...]:
        """What rules are made of beside the cluster's objects."""
        return self.dialect, self.sync, self.version, self.seen

    def chain_of(self, pod: Pod) -> str:
        seen = self.seen.get((POD, pod.namespace, pod.name))
        return seen or pod_chain(pod.namespace, pod.name, self.sync)

    def policy_chain(self, policy: NetworkPolicy) -> str:
        seen = self.seen.get((POLICY, policy.namespace, policy.name))
        return seen or PolicyNames(policy.namespace, policy.name, self.version).chain(self.sync)

    def because(self, text: str, origin: Origin | None = None, pod: Pod | None = None) -> Because:
        return Because(
            text=text,
            origin=origin or defaulted(self.dialect.origin),
            owner=OWNER,
            pod=pod.key if pod is not None else None,
        )


class Chains(ComparedChains):
    """Every chain of the engine's own, by name."""

    def __init__(self, node: NodeView) -> None:
        self.fixed = node.fixed
        made = {
            _COMMON: Made(lambda: tuple(_common(node)), tuple),
            _DEFAULT: Made(lambda: tuple(_default(node)), tuple),
        }
        for name in _WAYS:
            of = (node.ranges, node.node_ports, node.pods)
            made[name] = Made(partial(_Jumps, node, name), partial(tuple, of))
        if node.dialect.tail:
            made[_TAIL] = Made(lambda: tuple(_tail(node)), tuple)
        for policy in node.policies:
            name = node.policy_chain(policy)
            made[name] = Made(
                partial(LazyRows, partial(_policy, node, name, policy)),
                partial(_of_policy, node, policy),
            )
        for pod, address in node.pods:
            name = node.chain_of(pod)
            made[name] = Made(
                partial(LazyRows, partial(_pod, node, name, pod, address)),
                partial(_of_pod, node, pod, address),
            )
        self.made = made

    def apart(self, earlier: Mapping[str, Chain]) -> Collection[str]:
        """What is made of the same policies and pods is the same."""
        if not isinstance(earlier, Chains) or earlier.fixed != self.fixed:
            return {*self, *earlier}
        then, now = earlier.made, self.made
        return [
            name
            for name in {**then, **now}
            if name not in then or name not in now or then[name].of() != now[name].of()
        ]

    def __getitem__(self, name: str) -> Chain:
        return Chain(name, self.made[name].make())

    def __contains__(self, name: object) -> bool:
        return name in self.made

    def __iter__(self) -> Iterator[str]:
        return iter(self.made)

    def __len__(self) -> int:
        return len(self.made)


def _of_policy(node: NodeView, policy: NetworkPolicy) -> object:
    return policy, node.plan(policy).allowed


def _of_pod(node: NodeView, pod: Pod, address: Address) -> object:
    return pod, address, node.policies_of(pod)


def builtin_jumps(node: NodeView) -> Iterator[Jump]:
    """How the chains hang in INPUT, FORWARD and OUTPUT: on top, and accepted behind Kubernetes."""
    for builtin, chain in _BUILTIN.items():
        comment = "kube-router netpol"
        comment = with_id(builtin, f"-mcomment--comment{comment}-j{chain}", comment)
        yield Jump(
            builtin,
            Rule(
                f"-A {builtin} {_said(comment)} -j {chain}",
                node.because("before everything else: is it from or to a pod of this node?"),
            ),
            insert=True,
        )
        if not node.dialect.tail:
            said = "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies"
            text = f"-A {builtin} {_said(said)} -m mark --mark {_JUDGED} -j ACCEPT"
            yield Jump(builtin, Rule(text, _accepted(node)), behind="KUBE")


def _accepted(node: NodeView) -> Because:
    return node.because("the pod's network policies have let it pass: it is accepted")


def _said(comment: str) -> str:
    return f'-m comment --comment "{comment}"'


def _common(node: NodeView) -> Iterator[Rule]:
    def rule(text: str, why: str) -> Rule:
        return Rule(f"-A {_COMMON} {text}", node.because(why))

    yield rule(
        f"{_said(_quoted('rule to drop invalid state for pod'))} "
        "-m conntrack --ctstate INVALID -j DROP",
        "it belongs to no known connection: NAT would not take it back",
    )
    yield rule(
        f"{_said(_quoted('rule for stateful firewall for pod'))} "
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "policies judge the first packet of a connection; what belongs to it passes",
    )
    protocol, match, option = (
        ("icmp", "icmp", "--icmp-type")
        if node.version == 4
        else ("ipv6-icmp", "icmp6", "--icmpv6-type")
    )
    for what, number in _ICMP[node.version]:
        yield rule(
            f"-p {protocol} {_said(f'allow icmp {what}')} -m {match} {option} {number} -j ACCEPT",
            f"kube-router lets ICMP {what} pass, whatever the policies say",
        )


def _quoted(comment: str) -> str:
    """A comment that was given with quotes of its own."""
    return f'\\"{comment}\\"'


def _default(node: NodeView) -> Iterator[Rule]:
    said = _said("rule to mark traffic matching a network policy")
    yield Rule(
        f"-A {_DEFAULT} {said} -j MARK --set-xmark {_ALLOWED}",
        node.because("no policy selects the pod for this direction: everything may pass"),
    )


def _tail(node: NodeView) -> Iterator[Rule]:
    text = f"-A {_TAIL} {_said('accept netpol-ok')} -m mark --mark {_JUDGED} -j ACCEPT"
    yield Rule(text, _accepted(node))


def _ends(node: NodeView, chain: str) -> Iterator[Rule]:
    """What closes each KUBE-ROUTER- chain of the dialect that has a tail."""
    if node.dialect.tail:
        said = (
            "rule to explicitly handle traffic for network policies ACCEPT/REJECT decision",
            "rule to explicitly ACCEPT traffic that comply to network policies",
        )
        yield Rule(f"-A {chain} {_said(said[0])} -j {_TAIL}", _accepted(node))
        marked = f"-m mark --mark {_JUDGED} -j ACCEPT"
        yield Rule(f"-A {chain} {_said(said[1])} {marked}", _accepted(node))


class _Jumps(LazyRows[Rule], ComparedRules):
    """The rules of a chain that leads to the chains of all pods of the node."""

    __slots__ = ("chain", "node")

    def __init__(self, node: NodeView, chain: str) -> None:
        super().__init__(partial(_all, node, chain))
        self.node, self.chain = node, chain

    def apart(self, earlier: Sequence[Rule]) -> Pair:
        """Those of pods that came or went."""
        if not isinstance(earlier, _Jumps) or not self._is_like(earlier):
            return earlier, self
        then, now = ({id(pod): (pod, at) for pod, at in one.node.pods} for one in (earlier, self))
        gone = [each for key, each in then.items() if now.get(key) != each]
        come = [each for key, each in now.items() if then.get(key) != each]
        return _jumps(earlier.node, self.chain, gone), _jumps(self.node, self.chain, come)

    def _is_like(self, earlier: _Jumps) -> bool:
        then, now = earlier.node, self.node
        same = then.fixed == now.fixed and then.ranges == now.ranges
        return same and then.node_ports == now.node_ports


_WAYS = {
    "KUBE-ROUTER-INPUT": ((False, False),),
    "KUBE-ROUTER-FORWARD": ((True, False), (True, True), (False, False), (False, True)),
    "KUBE-ROUTER-OUTPUT": ((True, False), (False, False)),
}
"""Which jumps there are for a pod: to it or from it, and whether what is bridged is meant."""


def _all(node: NodeView, chain: str) -> Iterator[Rule]:
    if chain == "KUBE-ROUTER-INPUT":
        yield from _services(node, chain)
    yield from _jumps(node, chain, node.pods)
    yield from _ends(node, chain)


def _jumps(node: NodeView, chain: str, pods: Iterable[tuple[Pod, Address]]) -> Iterator[Rule]:
    for pod, address in pods:
        for inward, bridged in _WAYS[chain]:
            yield _jump(node, chain, pod, address, inward=inward, bridged=bridged)


def _services(node: NodeView, chain: str) -> Iterator[Rule]:
    comment = "allow traffic to primary/secondary cluster IP range"
    for one in node.ranges:
        said = with_id(chain, f"-mcomment--comment{comment}-d{one}-jRETURN", comment)
        yield Rule(
            f"-A {chain} -d {one} {_said(said)} -j RETURN",
            node.because("to a clusterIP: policies judge it at the pod behind, not here"),
        )
    node_ports = f"{node.node_ports[0]}:{node.node_ports[-1]}"
    for protocol in node.dialect.node_port_protocols:
        comment = f"allow LOCAL {protocol.upper()} traffic to node ports"
        ports = f"-m addrtype --dst-type LOCAL -m multiport --dports {node_ports} -j RETURN"
        arguments = f"-p{protocol}-mcomment--comment{comment}{ports.replace(' ', '')}"
        said = with_id(chain, arguments, comment)
        yield Rule(
            f"-A {chain} -p {protocol} {_said(said)} {ports}",
            node.because("to a node port: policies judge it at the pod behind, not here"),
        )


def _jump(
    node: NodeView, chain: str, pod: Pod, address: Address, *, inward: bool, bridged: bool = False
) -> Rule:
    to = node.chain_of(pod)
    physical = "-m physdev --physdev-is-bridged " if bridged else ""
    comment = node.dialect.jump(pod, to, inward=inward)
    way = "to" if inward else "from"
    return Rule(
        f"-A {chain} {'-d' if inward else '-s'} {address}/{address.bits} {physical}"
        f"{_said(comment)} -j {to}",
        node.because(f"{way} {pod.key}: the policies of that pod judge it", pod.origin, pod),
    )


def _pod(node: NodeView, chain: str, pod: Pod, address: Address) -> Iterator[Rule]:
    dialect = node.dialect
    policies = node.policies_of(pod)
    to, source = f"-d {address}/{address.bits} ", f"-s {address}/{address.bits} "

    def rule(text: str, why: str, origin: Origin | None = None) -> Rule:
        return Rule(f"-A {chain} {text}", node.because(why, origin, pod))

    yield rule(f"{_said(dialect.common)} -j {_COMMON}", "what passes whatever the policies say")
    yield rule(
        f"{to}{_said(dialect.from_node)} -m addrtype --src-type LOCAL -j ACCEPT",
        "from the pod's own node: always let in (kubelet's probes come from there)",
    )
    for direction, side in ((Direction.EGRESS, source), (Direction.INGRESS, to)):
        if not any(direction in policy.directions for policy in policies):
            way = direction.lower()
            yield rule(
                f"{side}{_said(dialect.default(way))} -j {_DEFAULT}",
                f"no policy selects {pod.key} for {way}",
                pod.origin,
            )
    for policy in policies:
        match policy.directions:
            case (Direction.INGRESS,):
                side = to
            case (Direction.EGRESS,):
                side = source
            case _:
                side = ""
        name = node.policy_chain(policy)
        ways = " and ".join(one.lower() for one in policy.directions)
        yield rule(
            f"{side}{_said(dialect.policy(policy))} -j {name}",
            f"NetworkPolicy {policy.key} selects {pod.key} for {ways}",
            policy.origin,
        )
    unmarked = f"-m mark ! --mark {_ALLOWED}"
    yield rule(
        f"{_said(dialect.log(pod))} {unmarked} -m limit --limit 10/min --limit-burst 10 "
        "-j NFLOG --nflog-group 100",
        "what is about to be rejected is logged",
    )
    yield rule(
        f"{_said(dialect.reject(pod))} {unmarked} -j REJECT "
        f"--reject-with {_PORT_UNREACHABLE[node.version]}",
        _rejected(pod, policies),
        policies[0].origin if policies else pod.origin,
    )
    yield rule(
        f"-j MARK --set-xmark 0x0/{_ALLOWED.partition('/')[2]}",
        "it may pass here; the pod at the other end has policies of its own",
    )
    yield rule(
        f"{_said(dialect.passed)} -j MARK --set-xmark {_JUDGED}",
        f"the policies of {pod.key} let it pass",
    )


def _rejected(pod: Pod, policies: Sequence[NetworkPolicy]) -> str:
    if not policies:
        return f"no policy selects {pod.key}"
    names = ", ".join(policy.key for policy in policies)
    if len(policies) == 1:
        return f"NetworkPolicy {names} selects {pod.key}, and no rule of it allows this"
    return f"the NetworkPolicies {names} select {pod.key}, and no rule of theirs allows this"


def _policy(node: NodeView, chain: str, policy: NetworkPolicy) -> Iterator[Rule]:
    dialect = node.dialect
    for one in node.plan(policy).allowed:
        text = _allowed(dialect, chain, policy, one)
        why = f"NetworkPolicy {policy.key} allows {_words(one)}"
        yield Rule(f"{text} -j MARK --set-xmark {_ALLOWED}", node.because(why, one.rule.origin))
        yield Rule(
            f"{text} -m mark --mark {_ALLOWED} -j RETURN",
            node.because(f"{why}: no further rule of it is asked", one.rule.origin),
        )
    if dialect.logs_policies:
        yield Rule(
            f"-A {chain} {_said('rule to log dropped traffic')} {_limit(policy)} -m mark ! --mark "
            f'{_ALLOWED} -j NFLOG --nflog-prefix "DROP by policy {_logged(policy)}" '
            "--nflog-group 100",
            node.because(f"no rule of NetworkPolicy {policy.key} allows this", policy.origin),
        )


def _allowed(dialect: Dialect, chain: str, policy: NetworkPolicy, one: Allowed) -> str:
    protocol = f"-p {one.protocol} " if one.protocol else ""
    comment = dialect.rule(policy, one.way, by_name=bool(one.by_name))
    text = f"-A {chain} {protocol}{_said(comment)}"
    if one.sources:
        text += f" -m set --match-set {one.sources} src"
    if one.destinations:
        text += f" -m set --match-set {one.destinations} dst"
    if one.ports:
        text += f" -m {one.protocol} --dport {one.ports}"
    return text


def _words(one: Allowed) -> str:
    """What is allowed, in words: ``from pods app=web, port 80/TCP``."""
    inward = one.way in (
        LetsThrough.INGRESS_PODS,
        LetsThrough.INGRESS_ANY,
        LetsThrough.INGRESS_BLOCKS,
    )
    way = "from" if inward else "to"
    match one.way:
        case LetsThrough.INGRESS_ANY | LetsThrough.EGRESS_ANY:
            who = "anybody"
        case LetsThrough.INGRESS_BLOCKS | LetsThrough.EGRESS_BLOCKS:
            who = ", ".join(str(peer) for peer in one.rule.peers if peer.block is not None)
        case _:
            who = ", ".join(str(peer) for peer in one.rule.peers if peer.block is None)
    if not one.protocol:
        return f"everything {way} {who}"
    ports = one.ports.replace(":", "-")
    port = f"port {ports}/{one.protocol.upper()}" if ports else f"all of {one.protocol.upper()}"
    name = f" ({one.by_name})" if one.by_name else ""
    return f"{port}{name} {way} {who}"


def _logged(policy: NetworkPolicy) -> str:
    """utils.go safeJoin: the two names in 48 characters."""
    namespace, name = policy.namespace, policy.name
    half = _LOGGED_NAMES // 2
    if len(namespace) + len(name) < _LOGGED_NAMES:
        return f"{namespace}/{name}"
    if len(namespace) < half:
        return f"{namespace}/{name[: _LOGGED_NAMES - len(namespace) - 1]}"
    if len(name) < half:
        return f"{namespace[: _LOGGED_NAMES - len(name) - 1]}/{name}"
    return f"{namespace[: half - 1]}/{name[: half - 1]}"


def _limit(policy: NetworkPolicy) -> str:
    """``-m limit`` of the policy's annotations, as iptables prints it; the default if wrong."""
    limit = policy.annotations.get("kube-router.io/netpol-nflog-limit", "10/minute")
    burst = policy.annotations.get("kube-router.io/netpol-nflog-limit-burst", "10")
    rate, slash, unit = limit.partition("/")
    are_numbers = all(one.isascii() and one.isdigit() for one in (rate, burst))
    if not are_numbers or (slash and unit not in _RATE_UNITS):
        limit, burst = "10/minute", "10"
    text = f"-A X -m limit --limit {limit} --limit-burst {burst}"
    return render("X", compile_rule(text)).removeprefix("-A X ")
