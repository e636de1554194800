"""A node that sees one direction of a connection only drops what its conntrack then cannot place.

A SYN-ACK begins no connection, and an ACK without one before it belongs to none
(nf_conntrack_proto_tcp.c tcp_conntracks: sIV). Firewalls drop both as INVALID, kube-proxy too
(pkg/proxy/iptables/proxier.go), but where nf_conntrack_tcp_be_liberal is set (since 1.29).
"""

from __future__ import annotations

from k8stui.kernel.compile import compile_rule
from k8stui.kernel.matches.connection import StateTest
from k8stui.kernel.routing import route_line
from k8stui.kernel.step import Direction, RouteCause, RuleCause, Step
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.owners import owner_of
from k8stui.walk.reason import origin_of


def is_untracked(step: Step) -> bool:
    """Whether a rule has dropped what conntrack knows no connection of."""
    cause = step.cause
    if not isinstance(cause, RuleCause) or cause.rule is None or cause.is_nft:
        return False
    tests = compile_rule(cause.rule.text).tests
    return any(isinstance(one, StateTest) and "INVALID" in one.states for one in tests)


def one_direction_only(case: Case) -> Diagnosis | None:
    """Recognise a node by way of which the packets of one direction come, and none of the other."""
    step = case.decided
    if step is None or not is_untracked(step) or step.namespace not in case.cluster.nodes:
        return None
    here, direction = step.namespace, step.direction
    before = case.exchange.steps[: case.felt.deciding_step or 0]
    if any(one.namespace == here and one.direction is not direction for one in before):
        return None
    sent = _sent_here(case, before, step)
    if sent is None:
        return None
    route = sent.cause.route if isinstance(sent.cause, RouteCause) else None
    assert route is not None
    target = sent.before.dst
    behind = owner_of(case, target)
    at = behind.node if behind is not None else case.node_with(target)
    if at is None or at == here:
        return None
    what, other = ("question", "answers") if direction is Direction.FORWARD else (
        "answer", "questions")  # fmt: skip
    network, via = str(target), case.cluster.nodes[at].address(target.version)
    if behind is not None:
        network, via = str(behind.network), behind.via
    return Diagnosis(
        f"{here} sees this direction alone: {sent.namespace} sends its {what}s to {at} by way of "
        f"{here} ({route_line(route)}), and the {other} go past it; {here}'s conntrack knows no "
        f"such connection, and rule {_number(step)} drops what is INVALID",
        f"let both directions take one way, on {sent.namespace}: ip route replace {network} via "
        f"{via} (a route left from before, or a router's); where the two ways are meant: "
        f"net.netfilter.nf_conntrack_tcp_be_liberal = 1 on {here} (kube-proxy since 1.29 then "
        "leaves that rule out, once restarted)",
        origin_of(RouteCause(route=route)),
    )


def _sent_here(case: Case, before: tuple[Step, ...], step: Step) -> Step | None:
    """The step in which a node's route led this direction's packets to the step's node."""
    for each in reversed(before):
        route = each.cause.route if isinstance(each.cause, RouteCause) else None
        if each.direction is not step.direction or each.namespace == step.namespace:
            continue
        if route is not None and route.gateway is not None and each.namespace in case.cluster.nodes:
            return each if case.has(step.namespace, route.gateway) else None
    return None


def _number(step: Step) -> str:
    cause = step.cause
    assert isinstance(cause, RuleCause)
    return f"{cause.index} of chain {cause.chain.name}"
