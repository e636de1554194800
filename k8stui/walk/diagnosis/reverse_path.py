"""A node drops what comes in by another device than its answer would leave by.

net/ipv4/fib_frontend.c (fib_validate_source, rp_filter), netfilter/ipt_rpfilter.c.
"""

from __future__ import annotations

from k8stui.kernel.address import Address
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.matches.place import ReversePathTest
from k8stui.kernel.routing import route_line
from k8stui.kernel.rules import Rule
from k8stui.kernel.step import RuleCause, Step
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.masquerade import not_masqueraded
from k8stui.walk.diagnosis.other_networks import routes_to
from k8stui.walk.diagnosis.owners import owner_of


def wrong_way_back(case: Case, step: Step, rule: RuleCause) -> Diagnosis | None:
    """Recognise a rule that asks ``-m rpfilter``, itself or in a rule of its chain before it."""
    met = rule.chain.rules[: rule.index]
    if not any(_asks_the_way_back(each) for each in met):
        return None
    loose = "let the rule ask with --loose"
    return way_back(case, step, loose)


def way_back(case: Case, step: Step, otherwise: str) -> Diagnosis | None:
    """By which route the node would answer, and what would make it the right one.

    `otherwise`: what else helps. None where the answer would leave by the same device.
    """
    source, here = step.before.src, step.namespace
    left = _left_unmasked(case, source, here)
    if left is not None:
        return left
    route = routes_to(case, here, source)
    if route is not None and route.device == step.device:
        return None
    by = f"by {route_line(route)}" if route is not None else "by no route at all"
    behind = owner_of(case, source)
    mend = f"give {here} a route to {source} by {step.device}"
    if behind is not None and behind.via is not None:
        mend = (
            f"let {here} answer by {step.device}: ip route replace {behind.network} via "
            f"{behind.via} dev {step.device}"
        )
    return Diagnosis(
        f"It came in by {step.device}, and {here} would answer {source} {by}",
        f"{mend}; or {otherwise}",
    )


def _left_unmasked(case: Case, source: Address, here: str) -> Diagnosis | None:
    """A node's own question to a Service, from the card of the route to the Service's address.

    The pod's own address is behind another card: nobody has given the packet that one's.
    """
    rewriting = case.rewritten
    node = case.cluster.nodes.get(rewriting.namespace) if rewriting is not None else None
    if rewriting is None or node is None or here == node.name or source in node.addresses:
        return None
    missing = not_masqueraded(case, rewriting) if case.has(node.name, source) else None
    if missing is None:
        return None
    return Diagnosis(
        f"{source} is {node.name}'s address on the card of its route to {rewriting.before.dst}, "
        f"and the endpoint is behind another one: {missing.reason}",
        missing.advice,
        missing.origin,
    )


def _asks_the_way_back(rule: Rule) -> bool:
    return any(isinstance(test, ReversePathTest) for test in compile_rule(rule.text).tests)
