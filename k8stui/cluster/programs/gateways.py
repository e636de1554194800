"""Ports that an Istio gateway opens: those of the Gateways for its pods, and of its own no other.

A server's port is one of the gateway's Service, and its targetPort is opened; where no Service has
it, the port itself. A pod without privileges opens none below 1024. Source: pilot
pkg/model/gateway.go (MergeGateways), pkg/networking/core/gateway.go ("skipping privileged gateway
port"; ISTIO_META_UNPRIVILEGED_POD).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from k8stui.cluster.model import Cluster, Lack, Pod, PortUser, Service
from k8stui.cluster.programs.images import is_gateway
from k8stui.order import listed

_OWN = range(15000, 15500)
"""Of Envoy and of the agent."""
_PRIVILEGED = 1024
_UNPRIVILEGED = ("ISTIO_META_UNPRIVILEGED_POD", "true")


def unopened(cluster: Cluster, pod: Pod, services: Sequence[Service], number: int) -> Lack | None:
    """Why a gateway's pod does not open a TCP port; None: it does, or nobody knows.

    `services`: those that select it.
    """
    if number in _OWN or not cluster.port_users or not any(map(is_gateway, pod.containers)):
        return None
    mine = list(_for(cluster.port_users, pod))
    opened = {to: one for one in mine for to in _targets(one.number, pod, services)}
    if number in opened:
        return _skipped(pod, number, opened[number])
    if mine and not any(one.of_all for one in mine):
        ports = [p.port for s in services for p in s.ports if _number(p.target_port, pod) == number]
        meant = ports[0] if ports else number
        has = listed(mine, lambda one: f"{one.number} ({one.who})")
        return Lack(
            f"the gateway opens what Gateways say alone, and none for pod {pod.key} has port "
            f"{meant}; there is {has}",
            f"write a server with port.number: {meant} into {mine[0].who}",
            mine[0].origin,
        )
    return None


def _skipped(pod: Pod, number: int, user: PortUser) -> Lack | None:
    if number >= _PRIVILEGED or all(_UNPRIVILEGED not in one.env for one in pod.containers):
        return None
    return Lack(
        f"{user.who} has pod {pod.key} open port {number}, and as a pod without privileges "
        "(ISTIO_META_UNPRIVILEGED_POD) it skips ports below 1024",
        f"let the Service lead to a port above (targetPort: {8000 + number}), or give the pod the "
        "right to open it and take that variable away",
        pod.origin,
    )


def _for(users: Iterable[PortUser], pod: Pod) -> Iterator[PortUser]:
    for one in users:
        near = one.namespace in ("", pod.namespace) and one.who.startswith("Gateway ")
        if near and (one.of_all or (one.selector and one.selector.items() <= pod.labels.items())):
            yield one


def _targets(number: int, pod: Pod, services: Iterable[Service]) -> Iterator[int]:
    led = [p for one in services for p in one.ports if p.port == number]
    found = [to for one in led if (to := _number(one.target_port, pod)) is not None]
    yield from found or [number]


def _number(target: int | str, pod: Pod) -> int | None:
    if isinstance(target, int):
        return target
    ports = (port for one in pod.containers for port in one.ports)
    return next((port.number for port in ports if port.name == target), None)


def lost(cluster: Cluster, pod: Pod, services: Sequence[Service]) -> Iterator[tuple[str, Lack]]:
    """Gateways by which nobody gets to a gateway's pod, and why. `services`: as in `unopened`."""
    mine = list(_for(cluster.port_users, pod)) if any(map(is_gateway, pod.containers)) else []
    led = [port for each in services for port in each.ports]
    for one in mine:
        for number in _targets(one.number, pod, services):
            lack = _skipped(pod, number, one)
            if lack is not None:
                yield one.who, lack
        by_node = next((port for port in led if port.node_port == one.number), None)
        if by_node is not None and all(port.port != one.number for port in led):
            yield (
                one.who,
                Lack(
                    f"{one.number} is the node port behind which the gateway's port {by_node.port} "
                    f"is: the gateway opens {one.number}, to which nothing leads, and no "
                    f"{by_node.port} (refused)",
                    f"write port.number: {by_node.port}",
                    one.origin,
                ),
            )
