"""Pods whose init containers wait for a Service that cannot answer: they never start.

``until nc -z auth 9000; do sleep 2; done`` in a script, ``wait-for-it.sh db:5432``, ``dockerize
-wait tcp://db:5432``. Who looks a name up waits until the Service is there; who connects, until a
pod behind it runs. Two that wait for each other wait for ever. What waits for a name that is like
none of the input's is left alone: that Service may be elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from k8stui.cluster.endpoints import PodIndex
from k8stui.cluster.meant import service_called
from k8stui.cluster.model import Container, Pod, Service, ServiceType
from k8stui.origin import OriginKind
from k8stui.record import record

_LOOPS = re.compile(r"\b(?:until|while)\b")
_ENDS = re.compile(r"\b(?:timeout|break|exit|seq|retries|max_)|\$\(\(|-lt\b|-gt\b|-le\b|-ge\b")
"""A loop that may give up."""
_HOST = r"(?P<host>[a-z0-9][a-z0-9.-]*)"
_NAMES = re.compile(rf"\b(?:nslookup|getent\s+hosts|getent\s+ahosts|host)\s+{_HOST}\b")
_CONNECTS = tuple(
    re.compile(each)
    for each in (
        rf"\bnc\s+(?:-\w+\s+(?:\d+\s+)?)*{_HOST}\s+(?P<port>\d+)",
        rf"/dev/tcp/{_HOST}/(?P<port>\d+)",
        rf"\b(?:curl|wget)\b[^;|&]*?https?://{_HOST}(?::(?P<port>\d+))?(?=[/\s;'\"]|$)",
        rf"\bpg_isready\b[^;|&]*?-h\s*{_HOST}(?:\s+-p\s*(?P<port>\d+))?",
    )
)
_WAITERS = re.compile(
    rf"(?:wait-for-it(?:\.sh)?|wait-for(?:\.sh)?|wait4x\s+tcp)\s+{_HOST}:(?P<port>\d+)"
    rf"|dockerize\b.*?-wait\s+\w+://(?P<host2>[a-z0-9][a-z0-9.-]*):(?P<port2>\d+)"
)


@record()
class _Wait:
    """What one init container waits for."""

    container: str
    host: str
    port: int | None
    """None: for the name alone."""


def held_back(pods: Mapping[str, Pod], services: Mapping[str, Service]) -> Mapping[str, Pod]:
    """The pods, those not ready that wait in vain; what a dump shows stays as it was seen."""
    waits = {
        key: found
        for key, pod in pods.items()
        if pod.ready and pod.origin.kind is not OriginKind.OBSERVED and (found := [*_waits(pod)])
    }
    if not waits:
        return pods
    judge = _Hopes(pods, services, {key for key, pod in pods.items() if pod.ready} - waits.keys())
    while freed := {key for key in waits.keys() - judge.started if not judge.lack(key, waits[key])}:
        judge.started |= freed
    held = {
        key: replace(pods[key], ready=False, unready_reason=judge.lack(key, waits[key]))
        for key in waits
        if key not in judge.started
    }
    return {**pods, **held} if held else pods


class _Hopes:
    """Who has started by now, and so what others may still wait for."""

    def __init__(
        self, pods: Mapping[str, Pod], services: Mapping[str, Service], started: set[str]
    ) -> None:
        self.started = started
        self._pods, self._services = pods, services
        self._index = PodIndex(pods.values())

    def lack(self, key: str, waits: Iterable[_Wait]) -> str:
        """The first thing that the pod waits for in vain; empty: it starts."""
        for one in waits:
            if why := self._of_name(self._pods[key], one):
                return f"init container {one.container} waits for {one.host}{why}"
        return ""

    def _of_name(self, pod: Pod, one: _Wait) -> str:
        name, _, rest = one.host.partition(".")
        namespace = rest.partition(".")[0] or pod.namespace
        service = self._services.get(f"{namespace}/{name}")
        if service is None:
            here = (each for each in self._services.values() if each.namespace == namespace)
            found = service_called(here, name, one.port)
            lost = f", and there is no Service {namespace}/{name}"
            return f"{lost}; did you mean {found.name}?" if found is not None else ""
        if one.port is None:
            return ""
        why = self._of_port(pod, service, one.port)
        return f":{one.port}: Service {service.key} {why}" if why else ""

    def _of_port(self, pod: Pod, service: Service, port: int) -> str:
        if service.selector is None or service.type is ServiceType.EXTERNAL_NAME:
            return ""
        if service.cluster_ips and all(each.port != port for each in service.ports):
            has = ", ".join(str(each.port) for each in service.ports) or "none"
            return f"has no port {port} (it has {has})"
        behind = self._index.selected(service)
        if any(each.key in self.started for each in behind):
            return ""
        if not behind:
            return ""  # an operator may make them; why there are none is told of the Service
        if pod in behind:
            return "leads to this pod itself, which is not ready before"
        waits = next((each for each in behind if each.ready), None)
        if waits is not None:
            return f"leads to {waits.name}, which waits too and does not start before"
        return f"leads to {behind[0].name}, which is not ready"


def _waits(pod: Pod) -> Iterator[_Wait]:
    for container in pod.containers:
        if container.init and not container.restartable_init:
            yield from _of(container)


def _of(container: Container) -> Iterator[_Wait]:
    text = " ".join(container.spoken)
    for found in _WAITERS.finditer(text):
        host, port = found["host"] or found["host2"], found["port"] or found["port2"]
        yield _Wait(container.name, host, int(port))
    if not _LOOPS.search(text) or _ENDS.search(text):
        return
    for found in _NAMES.finditer(text):
        yield _Wait(container.name, found["host"], None)
    for pattern in _CONNECTS:
        for found in pattern.finditer(text):
            port = found["port"]
            yield _Wait(container.name, found["host"], int(port) if port else _usual(found[0]))


def _usual(command: str) -> int | None:
    """The port that is asked where none is written."""
    if command.startswith("pg_isready"):
        return 5432
    return 443 if "https://" in command else 80
