"""Pods whose init containers wait for a Service that cannot answer: they never start.

``until nc -z auth 9000; do sleep 2; done`` in a script, ``wait-for-it.sh db:5432``, ``dockerize
-wait tcp://db:5432``. Who looks a name up waits until the Service is there; who connects, until a
pod behind it runs. Two that wait for each other wait for ever. What waits for a name that is like
none of the input's is left alone: that Service may be elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from k8stui.cluster.endpoints import PodIndex
from k8stui.cluster.environment import variables_given
from k8stui.cluster.meant import CalledServices
from k8stui.cluster.model import Caveat, Cluster, Container, Pod, Service, ServiceType
from k8stui.origin import OriginKind
from k8stui.record import record

_LOOPS = re.compile(r"\b(?:until|while)\b")
_ENDS = re.compile(r"\b(?:timeout|break|exit|seq|retries|max_)|\$\(\(|-lt\b|-gt\b|-le\b|-ge\b")
"""A loop that may give up."""
_HOST = r"(?P<host>[a-z0-9][a-z0-9.-]*)"
_PORT = r"(?P<port>\d{1,5})(?!\d)"
_NAMES = re.compile(rf"\b(?:nslookup|getent\s+hosts|getent\s+ahosts|host)\s+{_HOST}\b")
_CONNECTS = tuple(
    re.compile(each)
    for each in (
        rf"\bnc\s+(?:-\w+\s+(?:\d+\s+)?)*{_HOST}\s+{_PORT}",
        rf"/dev/tcp/{_HOST}/{_PORT}",
        rf"\b(?:curl|wget)\b[^;|&]{{0,500}}?https?://{_HOST}(?::{_PORT})?(?=[/\s;'\"]|$)",
        rf"\bpg_isready\b[^;|&]{{0,500}}?-h\s*{_HOST}(?:\s+-p\s*{_PORT})?",
    )
)
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|\(([A-Za-z_]\w*)\)|([A-Za-z_]\w*))")
_ASKS = re.compile(r"\b(?:nc|nslookup|pg_isready|mysqladmin)\s[^;|&\n]*")
_SETS = re.compile(
    r"(?:^|[;&({\n]|\bdo\b|\bthen\b|\bexport\b)[^\S\n]*[A-Za-z_]\w*=|\bfor\s+\w+\s+in\b"
    r"|\bread\s+\w|\bsource\s|\beval\b|\s\.\s"
)
"""A script that sets variables itself."""
_WAITERS = re.compile(
    rf"(?:wait-for-it(?:\.sh)?|wait-for(?:\.sh)?|wait4x\s+tcp)\s+{_HOST}:{_PORT}"
    rf"|dockerize\b.{{0,500}}?-wait\s+\w+://(?P<host2>[a-z0-9][a-z0-9.-]*)"
    r":(?P<port2>\d{1,5})(?!\d)"
)


@record()
class _Wait:
    """What one init container waits for."""

    container: Container
    host: str
    port: int | None
    """None: for the name alone."""
    unset: str = ""
    """The variable that should have said whom, and that the container has not."""


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
    judge.let_start(waits)
    held = {key: judge.held(key, waits[key]) for key in waits if key not in judge.started}
    return {**pods, **held} if held else pods


def of_nobody(cluster: Cluster, pod: Pod) -> Iterator[Caveat]:
    """What its init containers wait for, and the input has not: it may be in the cluster."""
    for one in _waits(pod):
        namespace, name = _named(pod, one)
        if one.unset or "." in one.host or f"{namespace}/{name}" in cluster.services:
            continue
        yield Caveat(
            why=f"init container {one.container.name} waits for {one.host}, and the input has no "
            f"Service {namespace}/{name}: where there is none, it waits for ever",
            mend=f"make Service {name}, or take the wait out",
            origin=one.container.origin,
        )


@record()
class _Behind:
    """The pods behind a Service."""

    keys: frozenset[str]
    first: Pod | None
    waiting: Pod | None
    """The first that waits itself; None: what else keeps them from being ready is known."""


class _Hopes:
    """Who has started by now, and so what others may still wait for."""

    def __init__(
        self, pods: Mapping[str, Pod], services: Mapping[str, Service], started: set[str]
    ) -> None:
        self.started = started
        self._pods, self._services = pods, services
        self._index = PodIndex(pods.values())
        self._known: dict[str, _Behind] = {}
        self._leading: dict[str, list[str]] = {}
        """Of each pod the Services asked for that lead to it."""
        self._answering: set[str] = set()
        self._called: CalledServices | None = None

    def let_start(self, waits: Mapping[str, Sequence[_Wait]]) -> None:
        """Let those start that wait for nothing in vain, and then who waits for them."""
        left = {key: iter(those) for key, those in waits.items()}
        watching: dict[str, list[str]] = {}
        todo = list(waits)
        while todo:
            key = todo.pop()
            pod = self._pods[key]
            one = next((one for one in left[key] if self._lack(pod, one)), None)
            if one is not None:
                service = self._asked(pod, one)
                if service is not None and not _without(service, one.port):
                    watching.setdefault(service.key, []).append(key)
                continue
            self.started.add(key)
            for asked in self._leading.get(key, ()):
                self._answering.add(asked)
                todo += watching.pop(asked, ())

    def held(self, key: str, waits: Iterable[_Wait]) -> Pod:
        """A pod that waits in vain."""
        pod = self._pods[key]
        found = ((one, self._lack(pod, one)) for one in waits)
        one, (why, mend) = next((one, lack) for one, lack in found if lack is not None)
        return replace(
            pod,
            ready=False,
            unready_reason=f"init container {one.container.name} waits for {why}",
            unready_mend=mend,
            unready_sure=False,
            origins={**pod.origins, "unready_reason": one.container.origin},
        )

    def _lack(self, pod: Pod, one: _Wait) -> tuple[str, str] | None:
        """For what the pod waits in vain, and what helps; None: it does not."""
        return self._unset(pod, one) if one.unset else self._of_name(pod, one)

    def _unset(self, pod: Pod, one: _Wait) -> tuple[str, str] | None:
        """Services of the namespace give variables, too."""
        if pod.enable_service_links and one.unset in self._given.get(pod.namespace, {}):
            return None
        why = f"whom ${one.unset} names, and has no such variable: its loop does not end"
        init = f"init container {one.container.name}"
        return why, f"write {one.unset} into env of {init} (each container has its own)"

    @cached_property
    def _given(self) -> Mapping[str, Mapping[str, Service]]:
        return variables_given(self._services.values())

    def _asked(self, pod: Pod, one: _Wait) -> Service | None:
        return self._services.get("/".join(_named(pod, one)))

    def _of_name(self, pod: Pod, one: _Wait) -> tuple[str, str] | None:
        service, init = self._asked(pod, one), f"init container {one.container.name}"
        if service is None:
            self._called = self._called or CalledServices(self._services.values())
            namespace, name = _named(pod, one)
            found = self._called.about(namespace, name, one.port)
            lost = f"{one.host}, and there is no Service {namespace}/{name}"
            if found is None:
                return self._elsewhere(name, one, lost, init)
            return f"{lost}; did you mean {found.name}?", f"let {init} wait for {found.name}"
        if one.port is None:
            return None
        asked = f"{one.host}:{one.port}: Service {service.key}"
        if why := _without(service, one.port):
            return f"{asked} {why}", f"let {init} ask a port that the Service has"
        asleep = self._asleep(pod, service, init)
        return (f"{asked} leads to {asleep[0]}", asleep[1]) if asleep is not None else None

    def _elsewhere(self, name: str, one: _Wait, lost: str, init: str) -> tuple[str, str] | None:
        """The one Service of that name, in another namespace."""
        named = [each for each in self._services.values() if each.name == name]
        alone = named[0] if len(named) == 1 and one.host == name else None
        if alone is None or (one.port is not None and _without(alone, one.port)):
            return None
        there = f"{name}.{alone.namespace}"
        return f"{lost}; it is in namespace {alone.namespace}", f"let {init} wait for {there}"

    def _asleep(self, pod: Pod, service: Service, init: str) -> tuple[str, str] | None:
        if service.selector is None or service.type is ServiceType.EXTERNAL_NAME:
            return None
        behind = self._behind(service)
        if behind.first is None or service.key in self._answering:
            return None  # an operator may make them; why there are none is told of the Service
        apart = f"take the wait out of {init} (the program can try again by itself): they wait for "
        apart += "each other"
        if pod.key in behind.keys:
            return "this pod itself, which is not ready before", apart
        if behind.waiting is not None:
            return f"{behind.waiting.name}, which waits too and does not start before", apart
        return f"{behind.first.name}, which is not ready", f"mend what {init} waits for"

    def _behind(self, service: Service) -> _Behind:
        found = self._known.get(service.key)
        if found is None:
            pods = self._index.selected(service)
            keys = frozenset(pod.key for pod in pods)
            waiting = next((pod for pod in pods if pod.ready), None)
            first = pods[0] if pods else None
            found = self._known[service.key] = _Behind(keys, first, waiting)
            if not keys.isdisjoint(self.started):
                self._answering.add(service.key)
            for key in keys:
                self._leading.setdefault(key, []).append(service.key)
        return found


def _named(pod: Pod, one: _Wait) -> tuple[str, str]:
    """Namespace and name of the Service that is waited for."""
    name, _, rest = one.host.partition(".")
    return rest.partition(".")[0] or pod.namespace, name


def _without(service: Service, port: int | None) -> str:
    """What is wrong with a port that the Service has not; empty: it has it."""
    if service.selector is None or service.type is ServiceType.EXTERNAL_NAME:
        return ""
    if not service.cluster_ips or any(each.port == port for each in service.ports):
        return ""
    has = ", ".join(str(each.port) for each in service.ports) or "none"
    return f"has no port {port} (it has {has})"


def _expanded(text: str, env: Mapping[str, str]) -> str:
    """A script with the values of the container's variables in it, as the shell reads it."""
    return _VARIABLE.sub(lambda one: env.get(one[1] or one[2] or one[3], one[0]), text)


def _unset(container: Container, text: str) -> str:
    """A variable that a loop asks for, and that the container has not; empty: none.

    What a script sets itself, and what a Service of that name may give, is not known here.
    """
    if container.unknown is None or _SETS.search(text):
        return ""
    asked = (found[0] for found in _ASKS.finditer(text))
    names = (name for one in asked for match in _VARIABLE.findall(one) for name in match if name)
    return next((one for one in names if one not in container.unknown), "")


def _waits(pod: Pod) -> Iterator[_Wait]:
    for container in pod.containers:
        if container.init and not container.restartable_init:
            yield from _of(container)


def _of(container: Container) -> Iterator[_Wait]:
    text = _expanded(" ".join(container.spoken), dict(container.env))
    for found in _WAITERS.finditer(text):
        host, port = found["host"] or found["host2"], found["port"] or found["port2"]
        yield _Wait(container, host, int(port))
    if not _LOOPS.search(text) or _ENDS.search(text):
        return
    if unset := _unset(container, text):
        yield _Wait(container, "", None, unset)
    for found in _NAMES.finditer(text):
        yield _Wait(container, found["host"], None)
    for pattern in _CONNECTS:
        for found in pattern.finditer(text):
            port = found["port"]
            yield _Wait(container, found["host"], int(port) if port else _usual(found[0]))


def _usual(command: str) -> int | None:
    """The port that is asked where none is written."""
    if command.startswith("pg_isready"):
        return 5432
    return 443 if "https://" in command else 80
