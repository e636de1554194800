"""SELECTOR of ``k8stui reach``: which of the askers, or of those who are asked, are meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

from k8stui.cluster.model import Cluster
from k8stui.kernel.packet import Protocol
from k8stui.reach.ends import Asked, Asker, PortSpec, namespace_of, own_service
from k8stui.record import record
from k8stui.walk.error import RequestError
from k8stui.walk.kinds import Target, kind_of
from k8stui.walk.source import OUTSIDE

_NAMESPACE = ("ns", "namespace", "namespaces")
_LABEL = re.compile(r"(!)?((?:[\w-]+\.[\w.-]+/)?[\w.-]+)(?:(!?==?)([\w.-]*))?")
_EVERYBODY = "*"
_HINT = (
    "write *, outside, node/NAME, pod/NAME, deploy/NAME, svc/NAME, ns/NAME or KEY=VALUE, "
    "several with commas"
)

Test = Callable[[Asker | Asked], bool]
End = TypeVar("End", Asker, Asked)


class SelectorError(RequestError):
    """A SELECTOR that cannot be read."""

    def __init__(self, whole: str, at: int) -> None:
        super().__init__(f"not a selector: {whole!r}", hint=_HINT)
        self.at = at
        """Where in it the mistake is, from 0."""


class NobodyError(RequestError):
    """A SELECTOR selects none. `namespace`: where names that have none were looked for."""

    def __init__(self, message: str, selector: str, namespace: str) -> None:
        kind, _, name = selector.partition("/")
        hint = "k8stui topology lists who is there"
        if kind_of(kind) is not None and name and "/" not in name:
            hint = f"write {kind}/NAMESPACE/{name}, or -n: it is looked for in {namespace}"
        super().__init__(message, hint=hint)


@record()
class SelectorTerm:
    """One of the things that a SELECTOR asks for; all must hold."""

    text: str
    kind: tuple[Target, str] | None = None
    """Of ``deploy/NAME`` and the like: as `kind_of` has it."""
    namespace: str = ""
    """Of ``ns/NAME``, with ``*`` and ``?``."""
    label: tuple[bool, str, str, str | None] | None = None
    """Whether it is wanted, the key, the operator, the value."""


def read_selector(text: str) -> tuple[SelectorTerm, ...]:
    """Read a SELECTOR, whatever cluster it is for.

    ``*``; ``outside``, ``nodes``, ``pods``, ``services``; ``pod/NAME``, ``node/NAME``,
    ``svc/NAME``, ``deploy/NAME`` …, ``ns/NAME`` with ``*`` and ``?`` in NAME (``NAMESPACE/NAME``
    too); labels: ``role=db,tier!=web``, of pods, and of the pods that a Service selects. Several of
    these with commas: all must hold.

    Raises:
        SelectorError: it is none of these.

    """
    return tuple(_terms(text))


def _terms(whole: str) -> Iterator[SelectorTerm]:
    at = 0
    for part in whole.split(","):
        text = part.strip()
        yield _term(whole, text, at + len(part) - len(part.lstrip()))
        at += len(part) + 1


def _term(whole: str, text: str, at: int) -> SelectorTerm:
    if text == _EVERYBODY or text.lower() == OUTSIDE:
        return SelectorTerm(text.lower())
    kind, slash, name = text.partition("/")
    if kind.lower() in _NAMESPACE and slash:
        return SelectorTerm(text, namespace=name)
    found = kind_of(kind)
    if found is not None and "=" not in text:
        return SelectorTerm(text, found)
    label = _LABEL.fullmatch(text)
    if label is None or (label[1] and label[3]):
        raise SelectorError(whole, at)
    return SelectorTerm(text, label=(not label[1], label[2], label[3] or "", label[4]))


def is_selector(text: str) -> bool:
    """Whether it means several: a request names one (`k8stui.walk.request`).

    So does a workload, as all its pods.
    """
    if set("*=!,?") & set(text):
        return True
    kind, slash, _ = text.partition("/")
    if kind.lower() in _NAMESPACE and slash:
        return True
    found = kind_of(kind)
    if found is None:
        return False
    return not slash or found[0] is Target.WORKLOAD


def parse_selector(cluster: Cluster, text: str, namespace: str) -> Test:
    """Read a SELECTOR: see `read_selector`. `namespace`: of names that have none.

    Raises:
        SelectorError: it is none.

    """
    tests = [_test(cluster, term, namespace) for term in read_selector(text)]
    return lambda one: all(test(one) for test in tests)


def select(
    cluster: Cluster, texts: Sequence[str], namespace: str, among: Sequence[End]
) -> Sequence[End]:
    """Those who are meant by at least one SELECTOR, in their order; without one all.

    Raises:
        SelectorError: it is none.
        NobodyError: one of them selects none.

    """
    tests = [parse_selector(cluster, text, namespace) for text in texts]
    for text, test in zip(texts, tests, strict=True):
        if not any(map(test, among)):
            raise NobodyError(f"{text} selects none", text, namespace)
    return [one for one in among if any(test(one) for test in tests)] if tests else among


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


def port_in_words(text: str) -> bool:
    """Whether ``PORT`` or ``PORT/PROTOCOL`` is one, where PORT may be a name."""
    if text[:1].isdigit():
        try:
            parse_port(text)
        except RequestError:
            return False
        return True
    return re.fullmatch("[a-z0-9-]*[a-z][a-z0-9-]*", text) is not None and len(text) <= 15


def _test(cluster: Cluster, term: SelectorTerm, namespace: str) -> Test:
    if term.text == _EVERYBODY:
        return lambda _: True
    if term.text == OUTSIDE:
        return lambda one: isinstance(one, Asker) and one.namespace == OUTSIDE
    if term.label is not None:
        holds = _label(*term.label)
        return lambda one: (labels := _labels(one)) is not None and holds(labels)
    if term.kind is not None:
        _, slash, name = term.text.partition("/")
        return _of_kind(cluster, term.kind, name or "*", namespace if slash else "*")
    return lambda one: bool(space := namespace_of(one)) and fnmatchcase(space, term.namespace)


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
        return lambda one: (service := own_service(one)) is not None and has(service.key)
    if target is Target.POD:
        return lambda one: one.pod is not None and has(one.pod.key)
    pods = {
        key
        for each in cluster.workloads
        if each.kind == kind and has(f"{each.namespace}/{each.name}")
        for key in each.pods
    }
    return lambda one: one.pod is not None and one.pod.key in pods


def _label(
    is_wanted: bool,
    key: str,
    operator: str,
    value: str | None,
) -> Callable[[Mapping[str, str]], bool]:
    if not operator:
        return lambda labels: (key in labels) is is_wanted
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    return lambda labels: labels.get(key) == value


def _labels(one: Asker | Asked) -> Mapping[str, str] | None:
    if one.pod is not None:
        return one.pod.labels
    service = own_service(one)
    return service.selector if service is not None else None
