"""Which pods a selector selects, and which it was probably meant to select."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8stui.cluster.model import Cluster, Pod, Service
from k8stui.kernel.packet import Protocol
from k8stui.record import record
from k8stui.suggest import nearest


def matching(cluster: Cluster, service: Service) -> list[Pod]:
    """Pods of the Service's namespace that its selector matches."""
    if service.selector is None:
        return []
    wanted = service.selector.items()
    return [p for p in _namespace(cluster, service) if wanted <= p.labels.items()]


def written(labels: Mapping[str, str]) -> str:
    """``app=web,tier=front``, as kubectl takes it."""
    return ",".join(f"{key}={value}" for key, value in labels.items())


def near_miss(cluster: Cluster, service: Service) -> str:
    """Say what is different about the pods that are most like what is selected; may be empty."""
    return miss.words if (miss := nearest_pod(cluster, service)) is not None else ""


@record()
class Miss:
    """The pod that a selector was probably meant to select, and what keeps it from that."""

    pod: Pod
    differences: tuple[tuple[str, str], ...]
    """What is different, in words, and what would mend it in the selector."""

    @property
    def words(self) -> str:
        return f"pod {self.pod.name} {' and '.join(said for said, _ in self.differences)}"

    @property
    def mend(self) -> str:
        return " and ".join(mended for _, mended in self.differences)


def nearest_pod(cluster: Cluster, service: Service) -> Miss | None:
    """The pod most like what is selected: by its labels, else called as the Service is."""
    selector = service.selector or {}
    pods = list(_namespace(cluster, service))
    best = max(pods, key=lambda p: _likeness(selector, p), default=None)
    if best is None or not sum(_likeness(selector, best)):
        best = next((p for p in pods if (p.owner[1] if p.owner else p.name) == service.name), None)
    if best is None:
        return None
    found = tuple(
        (_difference(key, value, best) or _plain_difference(key, value, best), mend)
        for key, value in selector.items()
        if best.labels.get(key) != value
        for mend in (_mend(key, value, best),)
    )
    return Miss(best, found) if found else None


def _plain_difference(key: str, value: str, pod: Pod) -> str:
    has = pod.labels.get(key)
    if has is not None:
        return f"has {key}={has}, not {value}"
    if not pod.labels:
        return "has no labels"
    same = next((k for k, v in pod.labels.items() if v == value), None)
    if same is not None:
        return f"has {same}={value}, not {key}={value}"
    return f"has no label {key} (it has {written(pod.labels)})"


def _mend(key: str, value: str, pod: Pod) -> str:
    """What the selector would say if that pod was meant."""
    has = pod.labels.get(key)
    if has is not None:
        return f"{key}: {has} instead of {value}"
    near = nearest(key, pod.labels)
    same = near if near is not None and pod.labels[near] == value else None
    same = same or next((k for k, v in pod.labels.items() if v == value), None)
    return f"{same}: {value} instead of {key}" if same else f"nothing of {key}"


def in_other_namespace(cluster: Cluster, service: Service) -> Pod | None:
    """Give a pod that would match if a Service selected beyond its own namespace."""
    selector = service.selector or {}
    return next(
        (
            p
            for p in cluster.pods.values()
            if p.namespace != service.namespace and selector.items() <= p.labels.items()
        ),
        None,
    )


def declaring(cluster: Cluster, namespace: str, number: int, protocol: Protocol) -> Iterable[Pod]:
    """Pods of a namespace with a container that declares the port."""
    for pod in cluster.pods.values():
        if pod.namespace == namespace and any(
            (p.number, p.protocol) == (number, protocol) for c in pod.containers for p in c.ports
        ):
            yield pod


def _namespace(cluster: Cluster, service: Service) -> Iterable[Pod]:
    return (p for p in cluster.pods.values() if p.namespace == service.namespace)


def _likeness(selector: Mapping[str, str], pod: Pod) -> tuple[int, int]:
    same = sum(pod.labels.get(key) == value for key, value in selector.items())
    near = sum(
        1
        for key, value in selector.items()
        if pod.labels.get(key) != value and _difference(key, value, pod)
    )
    return same, near


def _difference(key: str, value: str, pod: Pod) -> str:
    has = pod.labels.get(key)
    if has == value:
        return ""
    if has is not None:
        return f"has {key}={has}, not {value}" if nearest(value, [has]) else ""
    other = nearest(key, pod.labels)
    if other is not None and pod.labels[other] == value:
        return f"has {other}={value}, not {key}={value}"
    return ""
