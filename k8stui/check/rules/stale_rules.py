"""kube-proxy's rules on a real node lead elsewhere than the Services' endpoints are.

A kube-proxy that has stopped, or that lost the API server, leaves its rules as they were: the node
sends to pods that are gone, and does not know new ones. Other nodes are fine, so one of several
requests fails. The names of kube-proxy's chains tell: each endpoint has one of its own, the same in
every version (pkg/proxy/iptables/proxier.go servicePortEndpointChainName).

A warning, for rules and objects that were not collected at one moment differ for a while. Does not
apply to endpoints that had to be assumed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, names
from k8stui.check.state import seen_at, with_assumed_endpoints
from k8stui.cluster.model import Node
from k8stui.kernel.rules import Chain, Ruleset

ID = "stale-rules"
_ENDPOINT = "KUBE-SEP-"


def look(ground: Ground) -> Iterator[Finding]:
    network = ground.world.network
    if (ground.cluster.proxy.mode or "iptables") != "iptables":
        return
    observed = network.observed
    assumed = with_assumed_endpoints(ground) if observed else frozenset()
    for name in observed:
        node = ground.cluster.nodes[name]
        for version in (4, 6):
            seen = network.observed_ruleset(node, version)
            if seen is not None and seen.chain("nat", "KUBE-SERVICES") is not None:
                yield from _compared(ground, node, version, seen, assumed)


def _compared(
    ground: Ground, node: Node, version: int, seen: Ruleset, assumed: Collection[str]
) -> Iterator[Finding]:
    should = _endpoints(ground.world.network.ruleset(node, version, "kube-proxy"))
    there = _endpoints(seen)
    gone = [*_missing(there, should, assumed)]
    unknown = [*_missing(should, there, assumed)]
    said = []
    if gone:
        said.append(f"lead to what is no endpoint (any more): {_told(c for _, c in gone)}")
    if unknown:
        said.append(f"do not know {_told(c for _, c in unknown)}")
    if not said:
        return
    yield Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"Node {node.name}",
        place=seen_at(ground, node.name, gone[0][1].reason if gone else None),
        why=f"kube-proxy's rules {', and '.join(said)}",
        fix=f"look whether kube-proxy on {node.name} runs and reaches the API server (its log); "
        "restarted, it writes its rules again",
    )


def _missing(
    of: Mapping[str, Chain], there: Mapping[str, Chain], assumed: Collection[str]
) -> Iterator[tuple[str, Chain]]:
    """Chains that the other side has not; a name may have been made unreadable by who posts it."""
    targets = {_target(chain) for name, chain in there.items() if name not in of}
    for name, chain in of.items():
        if name not in there and _service(chain) not in assumed and _target(chain) not in targets:
            yield name, chain


def _endpoints(ruleset: Ruleset) -> Mapping[str, Chain]:
    """The chain of each endpoint, by its name."""
    nat = ruleset.tables.get("nat")
    chains = nat.chains if nat is not None else {}
    return {name: chains[name] for name in chains if name.startswith(_ENDPOINT)}


def _told(chains: Iterable[Chain]) -> str:
    return names([f"{_target(one)} of {_service(one) or 'a Service'}" for one in chains])


def _target(chain: Chain) -> str:
    for rule in chain.rules:
        _, mark, target = rule.text.partition(" --to-destination ")
        if mark:
            return target.partition(" ")[0]
    return chain.name


def _service(chain: Chain) -> str | None:
    return next((r.reason.service for r in chain.rules if r.reason and r.reason.service), None)


RULE = CheckRule(
    id=ID,
    summary="kube-proxy's rules on a node are older than the Services",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
