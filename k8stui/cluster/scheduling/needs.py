"""What a pod asks of its node, read from its spec once for all pods of a template.

Sources: pkg/scheduler/framework/plugins; docs/facts/control-plane.md section 8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8stui.apiserver.amounts import pod_amounts
from k8stui.apiserver.fields import Object, array, at, number, table, text, texts
from k8stui.cluster.model import Container, Node
from k8stui.cluster.selectors import node_term_matches
from k8stui.kernel.packet import Protocol
from k8stui.record import record

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_ADDED_TOLERATIONS = tuple(
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute"}
    for key in ("not-ready", "unreachable")
)
"""plugin/pkg/admission/defaulttolerationseconds."""

ANY = "0.0.0.0"  # noqa: S104 - the host address that stands for all of them

HostPort = tuple[str, Protocol, int]
"""(hostIP, protocol, hostPort)."""


@record()
class Spread:
    """A topologySpreadConstraint that must be kept."""

    key: str
    max_skew: int
    selector: object
    min_domains: int
    match_label_keys: tuple[str, ...]
    honor_affinity: bool
    honor_taints: bool


@record()
class PodTerm:
    """A required pod affinity or anti-affinity term."""

    key: str
    selector: object
    namespaces: tuple[str, ...]
    namespace_selector: object
    match_label_keys: tuple[str, ...] = ()
    mismatch_label_keys: tuple[str, ...] = ()


@record()
class NodeChoice:
    """Which nodes a pod may go to by their labels and names, and which it would rather."""

    selector: Mapping[str, object]
    terms: Sequence[object]
    """Required node affinity: one of them must match; empty: none is asked for."""
    preferred: Sequence[object]

    @classmethod
    def of(cls, spec: Object) -> NodeChoice:
        affinity = table(spec, "affinity", "nodeAffinity")
        return cls(
            selector=table(spec, "nodeSelector"),
            terms=array(affinity, REQUIRED, "nodeSelectorTerms"),
            preferred=array(affinity, _PREFERRED),
        )

    def matches(self, node: Node) -> bool:
        """NodeSelector and required node affinity: both must agree."""
        if not self.selector.items() <= node.labels.items():
            return False
        return not self.terms or any(node_term_matches(term, node) for term in self.terms)

    def preference(self, node: Node) -> int:
        """Sum of the weights of the preferred terms that match."""
        if not self.preferred:
            return 0
        return sum(
            number(entry, "weight") or 0
            for entry in self.preferred
            if node_term_matches(at(entry, "preference"), node)
        )

    def only(self) -> frozenset[str] | None:
        """Names from matchFields, when every term has some (nodeaffinity PreFilter)."""
        names: set[str] = set()
        for term in self.terms:
            wanted: set[str] | None = None
            for field in array(term, "matchFields"):
                if text(field, "key") == "metadata.name" and text(field, "operator") == "In":
                    values = set(texts(field, "values"))
                    wanted = values if wanted is None else wanted & values
            if wanted is None:
                return None
            names |= wanted
        return frozenset(names) if names else None


@record()
class Needs:
    """Everything the filters look at."""

    nodes: NodeChoice
    tolerations: Sequence[object]
    only_nodes: frozenset[str] | None
    """Names that every node selector term asks for; None: any node may be looked at."""
    affinity: tuple[PodTerm, ...]
    anti_affinity: tuple[PodTerm, ...]
    liked: tuple[tuple[int, PodTerm], ...]
    """Preferred pod affinity with its weights; anti-affinity has negative ones."""
    spreads: tuple[Spread, ...]
    soft_spreads: tuple[Spread, ...]
    """Those that only count for points (ScheduleAnyway)."""
    priority: int
    preempts: bool
    resources: Mapping[str, int]
    host_ports: frozenset[HostPort]


def read_needs(spec: Object, containers: Sequence[Container]) -> Needs:
    """Read the spec of a pod as it is after admission."""
    nodes = NodeChoice.of(spec)
    return Needs(
        nodes=nodes,
        tolerations=(*array(spec, "tolerations"), *_ADDED_TOLERATIONS),
        only_nodes=nodes.only(),
        affinity=_terms(at(spec, "affinity", "podAffinity")),
        anti_affinity=_terms(at(spec, "affinity", "podAntiAffinity")),
        liked=(
            *_preferred(at(spec, "affinity", "podAffinity"), 1),
            *_preferred(at(spec, "affinity", "podAntiAffinity"), -1),
        ),
        spreads=_spreads(spec, soft=False),
        soft_spreads=_spreads(spec, soft=True),
        priority=number(spec, "priority") or 0,
        preempts=text(spec, "preemptionPolicy") != "Never",
        resources=pod_amounts(spec, "requests"),
        host_ports=host_ports(containers),
    )


def host_ports(containers: Sequence[Container]) -> frozenset[HostPort]:
    """The ports of its node that a pod with such containers takes."""
    return frozenset(
        (str(port.host_ip) if port.host_ip else ANY, port.protocol, port.host_port)
        for container in containers
        if not container.init or container.restartable_init
        for port in container.ports
        if port.host_port
    )


def _terms(affinity: object) -> tuple[PodTerm, ...]:
    return tuple(_term(term) for term in array(affinity, REQUIRED))


def _preferred(affinity: object, sign: int) -> list[tuple[int, PodTerm]]:
    return [
        (sign * (number(entry, "weight") or 0), _term(at(entry, "podAffinityTerm")))
        for entry in array(affinity, _PREFERRED)
    ]


def _term(term: object) -> PodTerm:
    return PodTerm(
        key=text(term, "topologyKey"),
        selector=at(term, "labelSelector"),
        namespaces=texts(term, "namespaces"),
        namespace_selector=at(term, "namespaceSelector"),
        match_label_keys=texts(term, "matchLabelKeys"),
        mismatch_label_keys=texts(term, "mismatchLabelKeys"),
    )


def _spreads(spec: Object, *, soft: bool) -> tuple[Spread, ...]:
    return tuple(
        _spread(table(entry))
        for entry in array(spec, "topologySpreadConstraints")
        if (text(entry, "whenUnsatisfiable") == "ScheduleAnyway") is soft
    )


def _spread(entry: Object) -> Spread:
    return Spread(
        key=text(entry, "topologyKey"),
        max_skew=number(entry, "maxSkew") or 1,
        selector=at(entry, "labelSelector"),
        min_domains=number(entry, "minDomains") or 1,
        match_label_keys=texts(entry, "matchLabelKeys"),
        honor_affinity=text(entry, "nodeAffinityPolicy") != "Ignore",
        honor_taints=text(entry, "nodeTaintsPolicy") == "Honor",
    )
