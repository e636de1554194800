"""What policies make of a pod, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Sequence
from fractions import Fraction
from math import inf

from k8stui.cluster.policy import Action, CalicoPolicy, ClusterPolicy, Direction, Policy, Tier
from k8stui.export.plain import wrap
from k8stui.neutralise import neutralise
from k8stui.origin import Origin
from k8stui.record import record
from k8stui.walk.policies import Denial
from k8stui.walk.policy_change import NewEntry
from k8stui.walk.policy_view import EVERYTHING, Opening, PolicyView
from k8stui.walk.trace import Trace

_HEADS = {Direction.INGRESS: "may come in", Direction.EGRESS: "may go out"}
_COLUMNS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}


@record(kw_only=True)
class Explained:
    """A request, one thing that may come of it, and what would let it through."""

    question: str
    trace: Trace
    share: Fraction
    """Of all ways that the request may go, of which this one stands for some."""
    denials: tuple[tuple[Denial, NewEntry], ...]

    @property
    def alike(self) -> Hashable:
        """What counts of it: the same for the ways that one is enough for."""
        outcome = self.trace.outcome
        changes = tuple((one.policy.key, one.field, one.entry) for _, one in self.denials)
        return outcome.result, outcome.reason, changes


def explain_lines(view: PolicyView, asked: Sequence[Explained]) -> Iterator[str]:
    """A table a direction, then sentences."""
    return map(neutralise, _lines(view, asked))


def _lines(view: PolicyView, asked: Sequence[Explained]) -> Iterator[str]:
    pod = view.pod
    has = ", ".join(map(str, pod.addresses)) or "no address"
    yield f"pod {pod.key}   {has} on {pod.node_name or 'no node'}   policies by: {view.engine}"
    yield ""
    yield "selected by" if view.policies else "selected by no policy"
    yield from _table(
        (_called(policy), ", ".join(policy.directions), policy.origin.where)
        for policy in view.policies
    )
    for direction, head in _HEADS.items():
        yield ""
        openings = view.openings[direction]
        if not view.ruling(direction):
            yield f"{head}: everything (no policy selects it for {direction.lower()})"
            continue
        if not openings:
            yield f"{head}: nothing"
            continue
        isolated = view.isolates(direction)
        yield f"{head}, and nothing else" if isolated else f"{head}: the first line that fits"
        yield from _table(_rows(openings, _COLUMNS[direction], isolated=isolated))
    for note in view.notes:
        yield ""
        yield from wrap(f"{note[0].upper()}{note[1:]}.", "", "")
    for one in asked:
        yield ""
        yield from _asked_lines(one)


def _called(policy: Policy) -> str:
    """A NetworkPolicy by its name, any other with its kind and place in the order."""
    if isinstance(policy, CalicoPolicy):
        order = f" {policy.order:g}" if policy.order != inf else ""
        tier = "default" if policy.tier is Tier.NETWORK_POLICY else policy.tier
        return f"{policy.kind} {policy.key} (tier {tier}{order})"
    if isinstance(policy, ClusterPolicy):
        prioritised = policy.kind != "BaselineAdminNetworkPolicy"
        order = f"{policy.tier} {policy.priority}" if prioritised else policy.tier
        return f"{policy.kind} {policy.name} ({order})"
    return policy.key


def _rows(openings: Sequence[Opening], end: str, *, isolated: bool) -> Iterator[tuple[str, ...]]:
    """Rows of a table; what is done to whom, where that is not always to be let through."""
    plain = None, Tier.NETWORK_POLICY
    tiered = any(one.tier not in plain or one.action is not Action.ALLOW for one in openings)
    yield (*((" ",) if tiered else ()), end, "port", "by" if tiered else "allowed by", "")
    for one in openings:
        place = one.origin.where if one.origin else ""
        does = (one.action.lower(),) if tiered else ()
        yield (*does, one.who, ", ".join(one.ports), one.policy, place)
    if tiered and isolated:
        last = [one.tier for one in openings if one.tier is not None][-1:]
        end = "the NetworkPolicies" if last == [Tier.NETWORK_POLICY] else "the end of the tier"
        yield "deny", "anybody", EVERYTHING, end, ""


def _asked_lines(one: Explained) -> Iterator[str]:
    outcome = one.trace.outcome
    share = f" {one.share}" if one.share != 1 else ""
    yield f"{one.question}: {outcome.result.value}{share}"
    yield from wrap(outcome.reason, "  ", "  ")
    for number, (denial, change) in enumerate(one.denials):
        also = "and " if number else ""
        yield from wrap(
            f"{also}the smallest change that would allow it: in {change.field} of "
            f"{change.policy.kind} {change.policy.key} ({change.origin.where}) {change.how}",
            "  ",
            "  ",
        )
        yield f"    {change.entry}"
        if change.more:
            yield from wrap(f"({change.more})", "  ", "  ")
        ruling = denial.denied.ruling if denial.denied is not None else None
        selecting = ruling.selecting if ruling is not None else ()
        if len(selecting) > 1:
            names = ", ".join(policy.key for policy in selecting)
            yield from wrap(f"(of {names}: what one of them allows is allowed)", "  ", "  ")
        elif selecting:
            yield f"  ({selecting[0].key} makes the difference: without it this would pass)"


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    kept = list(rows)
    widths = [
        max((len(row[n]) for row in kept), default=0) for n in range(len(kept[0]) if kept else 0)
    ]
    for row in kept:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()


def explain_json(view: PolicyView, asked: Sequence[Explained]) -> Iterator[str]:
    """One object, docs/json.md."""
    document = {
        "version": 1,
        "pod": view.pod.key,
        "policies": [
            {
                "kind": policy.kind,
                "name": policy.key,
                "tier": policy.tier.value,
                **_placed(policy.origin),
                "directions": [str(one) for one in policy.directions],
            }
            for policy in view.policies
        ],
        "ingress": [_opening(one, "from") for one in view.openings[Direction.INGRESS]],
        "egress": [_opening(one, "to") for one in view.openings[Direction.EGRESS]],
        "enforced_by": view.engine,
        "notes": list(view.notes),
        "asked": [
            {
                "request": one.question,
                "result": one.trace.outcome.result.value,
                "probability": str(one.share),
                "reason": one.trace.outcome.reason,
                "changes": [
                    {
                        "kind": change.policy.kind,
                        "policy": change.policy.key,
                        "field": change.field,
                        "add": change.entry,
                        **_placed(change.origin),
                    }
                    for _, change in one.denials
                ],
            }
            for one in asked
        ],
    }
    yield json.dumps(document, indent=1, ensure_ascii=False)
    yield "\n"


def _opening(one: Opening, end: str) -> dict[str, object]:
    return {
        end: one.who,
        "ports": list(one.ports),
        "action": one.action.value,
        "allowed_by": (one.policy or None) if one.action is Action.ALLOW else None,
        "policy": one.policy or None,
        **_placed(one.origin),
    }


def _placed(origin: Origin | None) -> dict[str, object]:
    place = origin.place if origin is not None else None
    return {"file": place.file if place else None, "line": place.line if place else None}
