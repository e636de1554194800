"""Which pods a selector selects, and which it was probably meant to select."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from k8stui.cluster.controller_marks import is_made
from k8stui.cluster.endpoints import pod_index
from k8stui.cluster.meant import carriers
from k8stui.cluster.model import Cluster, Pod, Service
from k8stui.cluster.programs.listening import ends
from k8stui.kernel.packet import Protocol
from k8stui.origin import OriginKind
from k8stui.record import record
from k8stui.suggest import nearest


def matching(cluster: Cluster, service: Service) -> list[Pod]:
    """Pods of the Service's namespace that its selector matches."""
    return pod_index.of(cluster).selected(service)


def pods_with(cluster: Cluster, namespace: str, labels: Mapping[str, str]) -> Iterator[Pod]:
    """Pods of a namespace that carry all of some labels."""
    for pod in cluster.pods.values():
        if pod.namespace == namespace and labels.items() <= pod.labels.items():
            yield pod


def is_its_workload(cluster: Cluster, service: Service, name: str) -> bool:
    """Whether the Service selects a pod of that name, or pods made by a workload of that name.

    Who asks for `name` then spelt it right, as the workload is: the Service is misspelt.
    """
    return any(name == pod.maker for pod in matching(cluster, service))


def renamed(service: Service, name: str) -> str:
    """The mend of a misspelt Service, as walk and check say it."""
    return f"call Service {service.name} {name}, as its workload is called"


def written(labels: Mapping[str, str]) -> str:
    """``app=web,tier=front``, as kubectl takes it."""
    return ",".join(f"{key}={value}" for key, value in labels.items())


def apart(right: Pod, wrong: Pod) -> str:
    """How a Service leads to the workload of one pod alone, that now leads to another's as well."""
    own = next(
        (i for i in right.labels.items() if i not in wrong.labels.items() and not is_made(i[0])),
        None,
    )
    if own is not None:
        mend = f"write {own[0]}: {own[1]} into the selector, too"
    else:
        mend = f"give the pods of {right.maker} a label of their own, and select that"
    return mend if ends(wrong) else f"{mend}; or give both the same port"


@record()
class MissedPod:
    """The pod that a selector was probably meant to select, and what keeps it from that."""

    pod: Pod
    differences: tuple[tuple[str, str], ...]
    """What is different, in words, and what would mend it in the selector."""

    @property
    def words(self) -> str:
        return f"pod {self.pod.name} {' and '.join(said for said, _ in self.differences)}"

    def mend(self, wanted: str) -> str:
        """`wanted`: the selector, written."""
        label = f"label the pods {wanted} (in a workload: spec.template.metadata.labels)"
        if not self.pod.labels:
            return label  # of a selector nothing would be left
        mended = " and ".join(mended for _, mended in self.differences)
        return f"write {mended} in the selector, or {label}"


def nearest_pod(cluster: Cluster, service: Service) -> MissedPod | None:
    """The pod that was meant, by the judge whom check asks too; else one called as the Service."""
    known = carriers.of(cluster)
    miss = known.near_miss(service)
    pod = miss.who if miss is not None else known.namesake(service)
    return different(service, pod) if pod is not None else None


def different(service: Service, pod: Pod) -> MissedPod:
    """What keeps a pod from being selected, label by label."""
    return MissedPod(
        pod,
        tuple(
            (
                _difference(key, value, pod) or _plain_difference(key, value, pod),
                _mend(key, value, pod, service.selector or {}),
            )
            for key, value in (service.selector or {}).items()
            if pod.labels.get(key) != value
        ),
    )


def _plain_difference(key: str, value: str, pod: Pod) -> str:
    has = pod.labels.get(key)
    if not pod.labels:
        return "has no labels"
    same = next((k for k, v in pod.labels.items() if v == value), None)
    if same is not None:
        return f"has {same}={value}, not {key}={value}"
    if has is not None:
        return f"has {key}={has}, not {value}"
    return f"has no label {key} (it has {written(pod.labels)})"


def _mend(key: str, value: str, pod: Pod, selector: Mapping[str, str]) -> str:
    """What the selector would say if that pod was meant."""
    has = pod.labels.get(key)
    if has is not None and nearest(value, [has]):
        return f"{key}: {has} instead of {value}"
    free = {k: v for k, v in pod.labels.items() if k not in selector}
    near = nearest(key, free)
    same = near if near is not None and free[near] == value else None
    same = same or next((k for k, v in free.items() if v == value), None)
    if same is not None:
        return f"{same}: {value} instead of {key}"
    return f"{key}: {has} instead of {value}" if has is not None else f"no {key}"


def in_other_namespace(cluster: Cluster, service: Service) -> Pod | None:
    """Give a pod that would match if a Service selected beyond its own namespace."""
    return carriers.of(cluster).elsewhere(service)


def is_astray(cluster: Cluster, service: Service, pod: Pod) -> bool:
    """Whether it is the pod that is in the wrong namespace: the one with fewer things in it."""
    written_by_hand = (
        s for s in cluster.services.values() if s.origin.kind is not OriginKind.ASSUMED
    )
    held = Counter(one.namespace for one in written_by_hand)
    held.update(one.namespace for one in cluster.workloads)
    held.update(one.namespace for one in cluster.pods.values() if one.owner is None)
    held.update(key.partition("/")[0] for key in cluster.config_maps)
    return held[pod.namespace] < held[service.namespace]


def declaring(cluster: Cluster, namespace: str, number: int, protocol: Protocol) -> Iterable[Pod]:
    """Pods of a namespace with a container that declares the port."""
    for pod in cluster.pods.values():
        if pod.namespace == namespace and any(
            (p.number, p.protocol) == (number, protocol) for c in pod.containers for p in c.ports
        ):
            yield pod


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
