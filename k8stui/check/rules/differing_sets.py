"""An ipset of one name holds other members on one real node than on the others.

Policy engines give every node the same sets: who may send, who is in a namespace. Where one node's
daemon has stopped, that node goes on letting in pods that are gone, and keeps out new ones.

Does not apply to sets that are each node's own: whose members are the node's addresses or its pods.
Nor do nodes' addresses count in others (a node may leave itself out). Of two nodes that differ
nobody can say which one is right; of more the odd one is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, names
from k8stui.check.state import collected, state_place
from k8stui.kernel.address import Prefix
from k8stui.kernel.namespace import NetNamespace

ID = "differing-sets"
_Members = frozenset[tuple[str, bool]]


def look(ground: Ground) -> Iterator[Finding]:
    spaces = {node.name: space for node, space in collected(ground)}
    own = {name: _own(ground, name, space) for name, space in spaces.items()}
    nodes = {str(a.address) for s in spaces.values() for d in s.interfaces for a in d.addresses}
    found: dict[str, dict[str, _Members]] = {}
    for node, space in spaces.items():
        for name, one in space.sets.items():
            members = (each for each in one.elements() if _address(each[0]) not in nodes)
            found.setdefault(name, {})[node] = frozenset(members)
    for name, by_node in found.items():
        if len(set(by_node.values())) > 1 and not _is_own(by_node, own):
            yield from _told(ground, name, by_node)


def _own(ground: Ground, node: str, space: NetNamespace) -> frozenset[str]:
    """The node's addresses, and those of its pods, as sets print them."""
    here = {str(one.address) for device in space.interfaces for one in device.addresses}
    pods = (pod for pod in ground.cluster.pods.values() if pod.node_name == node)
    return frozenset(here | {str(address) for pod in pods for address in pod.addresses})


def _is_own(by_node: Mapping[str, _Members], own: Mapping[str, frozenset[str]]) -> bool:
    return any(
        members and all(_address(element) in own[node] for element, _ in members)
        for node, members in by_node.items()
    )


def _address(element: str) -> str:
    first = element.partition(",")[0]
    try:
        prefix = Prefix.parse(first)
    except ValueError:
        return first
    return str(prefix.address) if prefix.length == prefix.address.bits else str(prefix)


def _told(ground: Ground, name: str, by_node: Mapping[str, _Members]) -> Iterator[Finding]:
    (usual, count), *_ = Counter(by_node.values()).most_common()
    odd = [node for node, members in by_node.items() if members != usual]
    if count == 1:
        odd = odd[:1]
    for node in odd:
        like = next(other for other, members in by_node.items() if members == usual)
        more, less = by_node[node] - usual, usual - by_node[node]
        said = [f"{word} {names([e for e, _ in sorted(those)])}" for word, those in
                (("has", more), ("lacks", less)) if those]  # fmt: skip
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Node {node}",
            place=state_place(ground, node),
            why=f"its set {name} is not that of {like}: it {' and '.join(said)}",
            fix=f"look whether the policy engine's daemon on {node} runs (its log); restarted, it "
            "fills its sets again",
        )


RULE = CheckRule(
    id=ID,
    summary="An ipset differs between nodes",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
