"""Who asks, when a finding says that a Service does not answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property

from k8stui.cluster.model import Pod, Service


class Clients:
    """Pods that can ask, by namespace: bare pods before those of workloads, node by node.

    All findings ask from the first node that can: its ten thousand Services' rules are made once,
    and not once more for each node that some client happens to be on.
    """

    def __init__(self, senders: Mapping[str, Sequence[Pod]], nodes: Iterable[str]) -> None:
        places = {name: number for number, name in enumerate(nodes)}
        self._senders = {
            namespace: sorted(
                pods, key=lambda p: (p.owner is not None, places.get(p.node_name or "", 0))
            )
            for namespace, pods in senders.items()
        }

    @cached_property
    def everybody(self) -> tuple[Pod, ...]:
        """All of them, in their order."""
        return tuple(pod for pods in self._senders.values() for pod in pods)

    def usual(self, service: Service, own: Collection[str]) -> Pod | None:
        """Who asks the Service; None where no pod can.

        A pod of the Service's namespace that is none of its `own`, last one of the workload that is
        called like the Service and meant by it; else a pod of another namespace.
        """
        here = (p for p in self._senders.get(service.namespace, ()) if p.key not in own)
        meant: Pod | None = None
        for pod in here:
            if pod.owner is None or pod.owner[1] != service.name:
                return pod
            meant = meant or pod
        others = (pods[0] for name, pods in self._senders.items() if name != service.namespace)
        return meant or next(others, None)


def pod_source(pod: Pod) -> str:
    """SOURCE of ``k8stui walk`` for a pod."""
    return f"pod/{pod.name}" if pod.namespace == "default" else f"pod/{pod.key}"
