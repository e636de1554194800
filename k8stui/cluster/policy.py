"""NetworkPolicies, and the policies of the whole cluster above and below them, as data.

Whom their selectors mean is `k8stui.cluster.selection`'s answer. What becomes of a policy is an
engine's business (`k8stui.nodes.policy`), or is judged by the API's own rules.
Sources: staging/src/k8s.io/api/networking/v1/types.go; network-policy-api apis/v1alpha1
(AdminNetworkPolicy, BaselineAdminNetworkPolicy), apis/v1alpha2 (ClusterNetworkPolicy); Calico v3.30
api/pkg/apis/projectcalico/v3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import array, table
from k8stui.kernel.address import Prefix
from k8stui.origin import Origin
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.cluster.expression import Expression

CLUSTER_POLICY_KINDS = (
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "ClusterNetworkPolicy",
)
CILIUM_POLICY_KINDS = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
CALICO_POLICY_KINDS = ("GlobalNetworkPolicy", "Calico NetworkPolicy")


class Direction(StrEnum):
    """The two ways, as ``policyTypes`` names them; seen from the pods that a policy selects."""

    INGRESS = "Ingress"
    EGRESS = "Egress"

    @property
    def peers(self) -> str:
        """The field of a rule that holds its peers."""
        return "from" if self is Direction.INGRESS else "to"


class Tier(StrEnum):
    """Which policies are asked before which; in this order."""

    CILIUM_DENY = "what Cilium's policies deny"
    CILIUM_ALSO = "what Cilium's policies allow, and keep nobody else out for"
    ADMIN = "Admin"
    NETWORK_POLICY = "NetworkPolicy"
    """Calico calls it ``default``, and has policies of its own in it."""
    BASELINE = "Baseline"

    @property
    def order(self) -> float:
        """Calico's place for it, from 0 (api/pkg/apis/projectcalico/v3/tier.go)."""
        return _ORDERS[self]

    @property
    def denies(self) -> bool:
        """Whether what its policies select, and none of their rules is about, is denied."""
        return self is Tier.NETWORK_POLICY


_ORDERS = {
    Tier.CILIUM_DENY: 0.0,
    Tier.CILIUM_ALSO: 1.0,
    Tier.ADMIN: 1_000.0,
    Tier.NETWORK_POLICY: 1_000_000.0,
    Tier.BASELINE: 10_000_000.0,
}


@record()
class CalicoTier:
    """A tier that somebody made."""

    value: str
    """Its name."""
    order: float = inf
    denies: bool = True
    """Else its ``defaultAction`` is Pass."""

    def __str__(self) -> str:
        return self.value


class Action(StrEnum):
    """What becomes of the traffic that a rule is about."""

    ALLOW = "Allow"
    """``Accept`` in v1alpha2; what every rule of a NetworkPolicy does."""
    DENY = "Deny"
    PASS = "Pass"  # noqa: S105 - no password
    """No more of this tier is asked, the next one is."""
    LOG = "Log"
    """The next rule is asked."""


@record(kw_only=True)
class PolicyPort:
    """One entry of a rule's ``ports``."""

    protocol: str = "TCP"
    """Empty: the one of the container's port of that name."""
    port: int | str | None = None
    """A number, the name of a container's port, or None: all of the protocol."""
    end_port: int | None = None

    def __str__(self) -> str:
        number = "" if self.port is None else str(self.port)
        if self.end_port is not None:
            number += f"-{self.end_port}"
        return "/".join(one for one in (number, self.protocol) if one)


@record()
class Range:
    """A range of addresses that somebody wrote."""

    written: str
    prefix: Prefix | None
    """None: it cannot be read, and holds nobody."""

    def __contains__(self, address: object) -> bool:
        return self.prefix is not None and address in self.prefix

    def overlaps(self, other: Prefix) -> bool:
        """Whether the two have addresses in common: one then begins in the other."""
        return other.address in self or (self.prefix is not None and self.prefix.address in other)

    def __str__(self) -> str:
        return self.written


def read_range(written: str) -> Range:
    """Read ``10.0.0.0/8``; what cannot be read is kept as it is written."""
    try:
        return Range(written, Prefix.parse(written))
    except ValueError:
        return Range(written, None)


@record()
class IpBlock:
    """Addresses: those of `cidr` without those of `excepts`."""

    cidr: Range
    excepts: tuple[Range, ...] = ()

    def __contains__(self, address: object) -> bool:
        return address in self.cidr and not any(address in one for one in self.excepts)

    def holds_some(self, other: Prefix) -> bool:
        """Whether it holds addresses of another range."""
        left_out = (one.prefix for one in self.excepts if one.prefix is not None)
        return self.cidr.overlaps(other) and not any(
            one.length <= other.length and other.address in one for one in left_out
        )

    def __str__(self) -> str:
        left_out = f" except {', '.join(map(str, self.excepts))}" if self.excepts else ""
        return f"{self.cidr}{left_out}"


def read_block(cidr: str, excepts: Sequence[str] = ()) -> IpBlock:
    """An ipBlock as it is written, each of its ranges read once."""
    return IpBlock(read_range(cidr), tuple(map(read_range, excepts)))


@record(kw_only=True)
class PolicyPeer:
    """One entry of a rule's ``from`` or ``to``; selectors are as written, None: not there."""

    pods: object = None
    namespaces: object = None
    block: IpBlock | None = None
    nodes: object = None
    """Nodes by their labels."""
    domain: str | None = None
    """A DNS name, or ``*.`` and the end of many."""
    unheard: bool = False
    """Nobody hears which addresses the name has, so it means none."""
    words: str = ""
    """Of a rule that says it by its conditions: what these ask of that end."""
    origin: Origin

    @property
    def selects_pods(self) -> bool:
        """Whether it means pods, and not addresses of anybody."""
        return not self.words and self.block is None and self.nodes is None and self.domain is None

    def __str__(self) -> str:
        if self.words:
            return self.words
        if self.block is not None:
            return str(self.block)
        if self.domain is not None:
            return f"domain name {self.domain}"
        if self.nodes is not None:
            wanted = selector_words(self.nodes)
            return f"nodes {wanted}" if wanted else "all nodes"
        pods = selector_words(self.pods)
        if self.namespaces is None:
            return f"pods {pods}" if pods else "all pods of the namespace"
        spaces = selector_words(self.namespaces)
        where = f"namespaces {spaces}" if spaces else "all namespaces"
        return f"pods {pods} of {where}" if pods else f"all pods of {where}"


@record(kw_only=True)
class RuleEnd:
    """What a rule of Calico's asks of the source, or of the destination: all of it has to fit."""

    selector: Expression | None = None
    """Of namespaces, service accounts and labels, as one."""
    but_not: Expression | None = None
    """``notSelector`` of a rule without a selector: whoever is no pod is meant too."""
    nets: tuple[Range, ...] = ()
    not_nets: tuple[Range, ...] = ()
    ports: tuple[PolicyPort, ...] = ()
    not_ports: tuple[PolicyPort, ...] = ()
    service: str = ""
    """``namespace/name``."""

    @property
    def selectors(self) -> tuple[Expression, ...]:
        return tuple(one for one in (self.selector, self.but_not) if one is not None)

    @property
    def ranges(self) -> tuple[Range, ...]:
        return (*self.nets, *self.not_nets)


Icmp = tuple[int, int | None]
"""A type, and a code or any."""


@record(kw_only=True)
class Conditions:
    """All that a rule of Calico's asks of a packet."""

    protocol: str = ""
    """In lower case, or a number; empty: any."""
    not_protocol: str = ""
    version: int | None = None
    """4 or 6; None: both."""
    icmp: Icmp | None = None
    not_icmp: Icmp | None = None
    source: RuleEnd
    destination: RuleEnd

    @property
    def ends(self) -> tuple[RuleEnd, RuleEnd]:
        return self.source, self.destination


@record(kw_only=True)
class PolicyRule:
    """One entry of ``ingress`` or ``egress``."""

    peers: tuple[PolicyPeer, ...] = ()
    """Empty: everybody."""
    ports: tuple[PolicyPort, ...] = ()
    """Empty: every port."""
    action: Action = Action.ALLOW
    name: str = ""
    conditions: Conditions | None = None
    """Of a rule of Calico's: what counts; peers and ports are words then."""
    origin: Origin


@record(kw_only=True)
class NetworkPolicy:
    """What a NetworkPolicy says, with what the API server fills in."""

    kind = "NetworkPolicy"
    tier = Tier.NETWORK_POLICY
    order = 1_000.0
    """What Calico gives it among its own."""
    namespaces = None
    """Those of whose pods it is are its own."""
    namespace: str
    name: str
    pods: object
    """``podSelector``, as written."""
    directions: tuple[Direction, ...]
    """``policyTypes``."""
    ingress: tuple[PolicyRule, ...] = ()
    egress: tuple[PolicyRule, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    origin: Origin
    """Of its spec."""

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def felix_name(self) -> str:
        """Calico's name for it."""
        return f"{self.namespace}/knp.default.{self.name}"

    def rules(self, direction: Direction) -> tuple[PolicyRule, ...]:
        return self.ingress if direction is Direction.INGRESS else self.egress

    @property
    def demands(self) -> int:
        """How much it wants of a pod's labels; 0: it selects all pods of its namespace."""
        wanted = self.pods if isinstance(self.pods, Mapping) else {}
        return sum(len(wanted.get(part) or ()) for part in ("matchLabels", "matchExpressions"))


@record(kw_only=True)
class ClusterPolicy:
    """A policy of the Admin or the Baseline tier: each rule that fits decides, in their order.

    Or one direction of a policy of Cilium's own.
    """

    namespace = ""
    kind: str
    name: str
    tier: Tier
    priority: int = 0
    """From 0: the lower is asked first."""
    namespaces: object
    """Of the pods that it is about: a LabelSelector, as written."""
    pods: object = None
    """Which of these; None: all."""
    ingress: tuple[PolicyRule, ...] = ()
    egress: tuple[PolicyRule, ...] = ()
    origin: Origin
    """Of its spec."""

    @property
    def key(self) -> str:
        """Its name, of Cilium's behind the namespace."""
        return self.name

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The ways that it has rules for; no other does it affect."""
        return tuple(one for one in Direction if self.rules(one))

    def rules(self, direction: Direction) -> tuple[PolicyRule, ...]:
        return self.ingress if direction is Direction.INGRESS else self.egress


@record(kw_only=True)
class CalicoPolicy:
    """A policy of Calico's own: each rule that fits decides, in their order."""

    namespaces = None
    demands = 0
    kind: str
    """Of `CALICO_POLICY_KINDS`."""
    namespace: str = ""
    name: str
    """As it is written."""
    felix_name: str
    """With its namespace and its tier."""
    tier: Tier | CalicoTier
    order: float = inf
    selector: str
    """As Calico puts it together of what is written."""
    pods: Expression
    """The same, read."""
    directions: tuple[Direction, ...]
    ingress: tuple[PolicyRule, ...] = ()
    egress: tuple[PolicyRule, ...] = ()
    origin: Origin
    """Of its spec."""

    @property
    def key(self) -> str:
        """``namespace/name``, or its name."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def rules(self, direction: Direction) -> tuple[PolicyRule, ...]:
        return self.ingress if direction is Direction.INGRESS else self.egress


@record(kw_only=True)
class NetworkSet:
    """Ranges of addresses with labels, by which Calico's selectors mean them."""

    labels: Mapping[str, str]
    """Those of its namespace too, as `k8stui.cluster.selection.carried` has them."""
    nets: tuple[Range, ...]
    origin: Origin


Policy = NetworkPolicy | ClusterPolicy | CalicoPolicy


def tiers(policies: Iterable[Policy]) -> list[Tier | CalicoTier]:
    """Those of some policies, in the order in which they are asked (Calico's TierLess)."""
    found: set[Tier | CalicoTier] = {one.tier for one in policies}
    return sorted(found, key=lambda tier: (tier.order, tier.value))


def as_asked(policies: Iterable[Policy]) -> list[Policy]:
    """Policies in the order in which Calico asks them, within each tier (PolKVLess).

    Those of one tier that the API asks by their priority are in that order.
    """
    return sorted(policies, key=_place)


def _place(policy: Policy) -> tuple[float, str, float, str]:
    tier = policy.tier.order, policy.tier.value
    if isinstance(policy, ClusterPolicy):
        return (*tier, policy.priority, "")
    return (*tier, policy.order, policy.felix_name)


def selector_words(selector: object) -> str:
    """A LabelSelector as kubectl describes it; empty for one that selects everything."""
    said = [f"{key}={value}" for key, value in table(selector, "matchLabels").items()]
    for one in array(selector, "matchExpressions"):
        expression = table(one)
        values = ",".join(map(str, array(expression, "values")))
        operator = str(expression.get("operator", ""))
        words = {"In": "in", "NotIn": "notin"}.get(operator, operator)
        said.append(f"{expression.get('key', '')} {words}" + (f" ({values})" if values else ""))
    return ", ".join(said)
