"""A node's packet that a VPN's route has taken, and who was meant to have it.

VPNs put their routes into tables of their own in front of table main: tailscale table 52 by rule
5270 (tailscale wgengine/router), wg-quick table 51820 by ``not fwmark``; OpenVPN's redirect-gateway
two halves of the default route into main.
"""

from __future__ import annotations

from k8stui.kernel.address import Address
from k8stui.kernel.routing import route_line
from k8stui.kernel.step import Direction, RouteCause, Step
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.other_networks import route_taken
from k8stui.walk.diagnosis.owners import owner_of, pod_range, service_with
from k8stui.walk.reason import origin_of

VPNS = ("tun", "tap", "wg", "ppp", "tailscale", "zt", "nordlynx", "utun", "ipsec")
"""Beginnings of the names of devices that lead to another network."""
_MAIN = "main"


def into_a_vpn(case: Case) -> Diagnosis | None:
    """Recognise what is for pods, Services, nodes or a client outside, on its way into a VPN."""
    step = case.decided
    device = step.device or "" if step is not None else ""
    if step is None or step.namespace not in case.cluster.nodes or not device.startswith(VPNS):
        return None
    cause, target = _led_by(case, step), step.after.dst
    if cause is None or cause.route is None:
        return None
    here, route, rule = step.namespace, cause.route, cause.rule
    by = f"its route {route_line(route)}"
    if route.table != _MAIN:
        by += f" of table {route.table}"
        if rule is not None:
            by += f": ip rule {rule.priority} asks that table before the main one"
    behind = owner_of(case, target)
    in_front = rule.priority - 1 if rule is not None and rule.priority > 1 else 1000
    if route.table == _MAIN and behind is not None and behind.node != here:
        if route.destination.length >= behind.network.length:
            return None
        return Diagnosis(
            f"{here} sends what is for the pods of {behind.node} ({behind.network}) into {device}, "
            f"a VPN's device, by {by}: the network plug-in's own route to them, which is more "
            "specific, is not there, and where the VPN leads is not known",
            f"on {here}: ip route add {behind.network} via {behind.via} (restart the plug-in's "
            "pod, which makes it), or keep that range out of what the VPN routes",
            origin_of(cause),
        )
    whose, network = _whose(case, target)
    if network:
        if route.table == _MAIN:
            mend = (
                f"keep {network} out of what the VPN routes (AllowedIPs, accepted routes), or give "
                f"{here} a more specific route to it"
            )
        else:
            mend = (
                f"on {here}: ip rule add to {network} lookup main priority {in_front} (or a throw "
                "route to it in that table); or keep it out of what the VPN routes (tailscale: "
                "--accept-routes=false, no exit node; WireGuard: AllowedIPs without 0.0.0.0/0)"
            )
        return Diagnosis(
            f"{here} sends what is for {whose} into {device}, a VPN's device, by {by}, "
            "and where the VPN leads is not known",
            mend,
            origin_of(cause),
        )
    if step.direction is Direction.REPLY and not case.node_with(target):
        own = step.before.src
        return Diagnosis(
            f"the answer to {target} leaves {here} by {device}, a VPN's device, by {by}: the "
            "client asked by another way, and the VPN does not bring it back",
            f"on {here}: ip rule add from {own} lookup main priority {in_front}, or take the "
            "default route out of the VPN (exit node, AllowedIPs 0.0.0.0/0, redirect-gateway)",
            origin_of(cause),
        )
    return None


def _led_by(case: Case, step: Step) -> RouteCause | None:
    """What led the packet there: the step before that asked the tables, or the tables again."""
    steps = case.exchange.steps[: case.felt.deciding_step or 0]
    for each in reversed(steps):
        same = (each.namespace, each.packet_number) == (step.namespace, step.packet_number)
        if same and isinstance(each.cause, RouteCause) and each.cause.route is not None:
            return each.cause
    route = route_taken(case, step)
    return RouteCause(route=route) if route is not None else None


def _whose(case: Case, target: Address) -> tuple[str, str]:
    """Whom the cluster knows the address as, and the network that its like are in."""
    pods = pod_range(case, target)
    network = str(pods if target in pods else target)
    pod = case.pod_with(target)
    if pod is not None and not pod.host_network:
        return f"pod {pod.key} ({target})", network
    service = service_with(case, target)
    if service is not None:
        return f"Service {service.key} ({target})", str(target)
    if target in pods:
        return f"pods ({target})", network
    node = case.node_with(target)
    return (f"node {node} ({target})", str(target)) if node is not None else ("", "")
