"""SELECTOR of ``k8stui reach``: which of the askers, or of those who are asked, are meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from k8stui.cluster.model import Cluster, Pod
from k8stui.kernel.packet import Protocol
from k8stui.reach.ends import Asked, Asker, PortSpec
from k8stui.walk.error import RequestError
from k8stui.walk.kinds import Target, kind_of
from k8stui.walk.source import OUTSIDE

_NAMESPACE = ("ns", "namespace", "namespaces")
_LABEL = re.compile(r"(!)?((?:[\w-]+\.[\w.-]+/)?[\w.-]+)(?:(!?==?)([\w.-]*))?")

Test = Callable[[Asker | Asked], bool]


def parse_selector(cluster: Cluster, text: str, namespace: str) -> Test:
    """Read a SELECTOR.

    ``outside``, ``nodes``, ``pods``, ``services``; ``pod/NAME``, ``node/NAME``, ``svc/NAME``,
    ``deploy/NAME`` …, ``ns/NAME`` with ``*`` and ``?`` in NAME (``NAMESPACE/NAME`` too); labels:
    ``role=db,tier!=web``, of pods, and of the pods that a Service selects.

    Raises:
        RequestError: it is none of these.

    """
    written = text.strip()
    if written.lower() == OUTSIDE:
        return lambda one: isinstance(one, Asker) and one.namespace == OUTSIDE
    kind, slash, name = written.partition("/")
    if kind.lower() in _NAMESPACE and slash:
        return lambda one: (
            _namespace_of(one) is not None and fnmatchcase(_namespace_of(one) or "", name)
        )
    found = kind_of(kind)
    if found is not None and "=" not in written:
        return _of_kind(cluster, found, name or "*", namespace if slash else "*")
    wanted = [_label(written, each) for each in written.split(",")]
    return lambda one: _labels(one) is not None and all(each(_labels(one) or {}) for each in wanted)


def parse_port(text: str) -> PortSpec:
    """Read ``PORT`` or ``PORT/PROTOCOL``.

    Raises:
        RequestError: it is none.

    """
    number, _, protocol = text.strip().partition("/")
    known = {one.name.lower(): one for one in (Protocol.TCP, Protocol.UDP, Protocol.SCTP)}
    found = known.get(protocol.lower() or "tcp")
    if not re.fullmatch("[0-9]{1,5}", number) or not 0 < int(number) < 65536 or found is None:
        raise RequestError(f"not a port: {text!r}", hint="write 80, 53/udp or 3868/sctp")
    return int(number), found


def _of_kind(cluster: Cluster, found: tuple[Target, str], name: str, namespace: str) -> Test:
    target, kind = found
    space, slash, rest = name.partition("/")
    if slash:
        namespace, name = space, rest

    def has(key: str) -> bool:
        return fnmatchcase(key, f"{namespace}/{name}")

    if target is Target.NODE:
        return lambda one: one.pod is None and bool(one.node) and fnmatchcase(one.node, name)
    if target is Target.SERVICE:
        return lambda one: (
            isinstance(one, Asked)
            and one.service is not None
            and not one.node
            and has(one.service.key)
        )
    if target is Target.POD:
        return lambda one: one.pod is not None and has(one.pod.key)
    pods = {
        key
        for each in cluster.workloads
        if each.kind == kind and has(f"{each.namespace}/{each.name}")
        for key in each.pods
    }
    return lambda one: one.pod is not None and one.pod.key in pods


def _label(whole: str, text: str) -> Callable[[Mapping[str, str]], bool]:
    found = _LABEL.fullmatch(text.strip())
    if found is None or (found[1] and found[3]):
        raise RequestError(
            f"not a selector: {whole!r}",
            hint="write outside, node/NAME, pod/NAME, deploy/NAME, svc/NAME, ns/NAME or KEY=VALUE",
        )
    no, key, operator, value = found.groups()
    if operator is None:
        return lambda labels: (key in labels) is not bool(no)
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    return lambda labels: labels.get(key) == value


def _namespace_of(one: Asker | Asked) -> str | None:
    pod: Pod | None = one.pod
    if pod is not None:
        return pod.namespace
    service = one.service if isinstance(one, Asked) and not one.node else None
    return service.namespace if service is not None else None


def _labels(one: Asker | Asked) -> Mapping[str, str] | None:
    if one.pod is not None:
        return one.pod.labels
    service = one.service if isinstance(one, Asked) and not one.node else None
    return service.selector if service is not None else None
