"""A node hands packets to a host of its network that is none of the nodes and passes nothing on."""

from __future__ import annotations

from k8stui.kernel.step import RouteCause, SysctlCause
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.owners import owner_of
from k8stui.walk.reason import origin_of


def wrong_gateway(case: Case) -> Diagnosis | None:
    """Recognise a route by way of a host beside the nodes, which does not forward.

    Who has such an address is assumed to be a host like others; were there none, nobody would
    answer for it, and the route is as wrong.
    """
    step, index = case.decided, case.felt.deciding_step or 0
    if step is None or not isinstance(step.cause, SysctlCause):
        return None
    if step.namespace in case.cluster.nodes or not step.cause.name.endswith(
        ("ip_forward", ".forwarding")
    ):
        return None
    for each in reversed(case.exchange.steps[:index]):
        if each.packet_number != step.packet_number or each.namespace not in case.cluster.nodes:
            continue
        route = each.cause.route if isinstance(each.cause, RouteCause) else None
        if route is None:
            continue
        if route.gateway is None:
            return None
        node, target = each.namespace, step.before.dst
        behind = owner_of(case, target)
        said = f"{node} sends what is for {target} to {route.gateway}, which is none of the nodes"
        if behind is None or behind.via is None or behind.node == node:
            return Diagnosis(
                f"{said} and passes nothing on",
                f"let the route to {route.destination} lead to a router",
                origin_of(each.cause),
            )
        return Diagnosis(
            f"{said} and passes nothing on; {target} is behind {behind.node} ({behind.via})",
            f"on {node}: ip route replace {behind.network} via {behind.via}, and find out who "
            "wrote the other",
            origin_of(each.cause),
        )
    return None
