"""Which port of a pod a Service's port leads to, as far as the pod's containers say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from itertools import chain

from k8stui.cluster.model import Pod, Service, ServicePort
from k8stui.cluster.programs.listening import declared, running
from k8stui.kernel.packet import Protocol
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
    words: Sequence[str]
    """The ports that they declare."""


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

    def words(self, *wanted: Match) -> tuple[str, ...]:
        """The ports that those pods declare, each once: ``3306``, ``53/UDP``, ``8080 (http)``."""
        those = (each.words for each in self.led if each.match in wanted)
        return tuple(dict.fromkeys(chain.from_iterable(those)))

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
    templates = [_Template(pod) for pod in pods.values()]
    for port in service.ports if pods else ():
        led = tuple([LedPods(one.pod, one.match(port), one.words) for one in templates])
        yield ServedPort(service, port, led)


class _Template:
    """What the pods of one template declare, by name and by number."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        ports = declared(pod)
        self.words = [
            port_word(port.number, port.protocol) + (f" ({port.name})" if port.name else "")
            for port in ports
        ]
        self._speak_all = all(container.ports for container in running(pod))
        self._protocols: dict[int | str, list[Protocol]] = {}
        for port in ports:
            self._protocols.setdefault(port.number, []).append(port.protocol)
            self._protocols.setdefault(port.name, []).append(port.protocol)

    def match(self, port: ServicePort) -> Match:
        same = self._protocols.get(port.target_port)
        if same is not None:
            return Match.DECLARED if port.protocol in same else Match.OTHER_PROTOCOL
        if not self.words:
            return Match.SILENT
        return Match.OTHER_PORTS if self._speak_all else Match.UNSURE


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
