"""Which port of a pod a Service's port leads to, as far as the pod's containers say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum, auto

from k8stui.cluster.listening import declared, running
from k8stui.cluster.model import Pod, Service, ServicePort
from k8stui.record import record
from k8stui.walk.sentence import port_word


class Match(Enum):
    """What a pod says about a target port."""

    DECLARED = auto()
    """A container declares it, with the Service's protocol."""
    OTHER_PROTOCOL = auto()
    """It is declared with another protocol only."""
    OTHER_PORTS = auto()
    """Every container declares ports; this is none of them."""
    UNSURE = auto()
    """Some container declares no port, so this one may be its."""
    SILENT = auto()
    """No container declares any port: any number may be right."""


@record()
class LedPods:
    """Pods of one template and what they say."""

    pod: Pod
    """The first of them."""
    match: Match


@record()
class ServedPort:
    """One port of one Service, and the pods behind it by template."""

    service: Service
    port: ServicePort
    led: tuple[LedPods, ...]

    @property
    def is_named(self) -> bool:
        return isinstance(self.port.target_port, str)

    def pods(self, *wanted: Match) -> tuple[Pod, ...]:
        return tuple(each.pod for each in self.led if each.match in wanted)

    @property
    def word(self) -> str:
        """``8080``, ``53/UDP``, ``web``."""
        return port_word(self.port.target_port, self.port.protocol)


def targets_of(service: Service, selected: Sequence[Pod]) -> Iterator[ServedPort]:
    """Every port of a Service, with the pods that it selects; nothing without pods."""
    pods: dict[int, Pod] = {}
    for pod in selected:
        if not pod.terminating:
            pods.setdefault(id(pod.containers), pod)  # pods of one template share its containers
    for port in service.ports if pods else ():
        yield ServedPort(service, port, tuple(LedPods(p, _match(p, port)) for p in pods.values()))


def words(pods: Sequence[Pod]) -> str:
    """The ports that the pods declare: ``3306, 53/UDP``; with names: ``8080 (http)``."""
    return ", ".join(
        dict.fromkeys(
            port_word(port.number, port.protocol) + (f" ({port.name})" if port.name else "")
            for pod in pods
            for port in declared(pod)
        )
    )


def _match(pod: Pod, port: ServicePort) -> Match:
    ports = declared(pod)
    wanted = port.target_port
    same = [p for p in ports if wanted == (p.name if isinstance(wanted, str) else p.number)]
    if any(p.protocol is port.protocol for p in same):
        return Match.DECLARED
    if same:
        return Match.OTHER_PROTOCOL
    if not ports:
        return Match.SILENT
    return Match.OTHER_PORTS if all(c.ports for c in running(pod)) else Match.UNSURE


def name_fault(name: str) -> str:
    """What the API server has against a port's name; empty if nothing.

    Source: apimachinery/pkg/util/validation IsValidPortName.
    """
    if len(name) > 15:
        return "must be no more than 15 characters"
    if not any("a" <= letter <= "z" for letter in name):
        return "must contain at least one letter (a-z)"
    if not all(letter == "-" or (letter.isascii() and letter.isalnum()) for letter in name) or (
        name != name.lower()
    ):
        return "must contain only a-z, 0-9 and -"
    if "--" in name or name.startswith("-") or name.endswith("-"):
        return "must not start or end with -, nor have two in a row"
    return ""


def number_of(pod: Pod, port: ServicePort) -> int | None:
    """The pod's port; None where it has none of that name, so that nothing gets there anyway."""
    wanted = port.target_port
    if isinstance(wanted, int):
        return wanted
    return next((one.number for one in declared(pod) if one.name == wanted), None)
