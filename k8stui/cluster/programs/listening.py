"""Whether anybody listens on a port of a pod: the one opinion that nodes, walk and check share.

Manifests only hint at it: ``containerPort`` is documentation. A port that a Service leads to and
that nobody declares is assumed to be listened on, unless something speaks against it; what names
the port otherwise (`evidence`) speaks for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import cached_property

from k8stui.cluster.model import (
    Cluster,
    Container,
    ContainerPort,
    Lack,
    Pod,
    Service,
    ServiceType,
    ToldPort,
)
from k8stui.cluster.programs.bound import Bound, ipv4_only, own_only
from k8stui.cluster.programs.configured_ports import configured_port
from k8stui.cluster.programs.evidence import who_names
from k8stui.cluster.programs.gateways import unopened
from k8stui.cluster.programs.images import opened_by
from k8stui.cluster.programs.streams import closed
from k8stui.cluster.programs.transports import speaks_for
from k8stui.cluster.well_known import API_SERVER_PORT
from k8stui.kernel.packet import Protocol
from k8stui.record import record
from k8stui.suggest import is_digit_slip

_ASIDE = re.compile(r"metric|prom|health|probe|admin|debug|monitor|stat|pprof|jmx|exporter")
"""Names of ports that the container's owner asks, no Service: none of them was meant."""


class Opinion(Enum):
    """What the input says about a port of a pod."""

    DECLARED = auto()
    """A container declares it, with this protocol."""
    SPOKEN = auto()
    """Something of the input names it (`evidence`)."""
    ASSUMED = auto()
    """Nothing speaks for it and nothing against it."""
    OTHER_PROTOCOL = auto()
    """It is declared with another protocol only."""
    OTHER_PORT = auto()
    """The pods declare a port that nobody leads to, or to which another Service leads from the
    same port: that one was meant."""
    TOLD_OTHER = auto()
    """The env of its container tells it to open another port, and nothing else names this one."""
    NOBODY = auto()
    """The pod's containers do nothing but wait."""
    OTHER_PODS = auto()
    """Another workload declares it, and that one was meant."""

    @property
    def listens(self) -> bool:
        return self in (Opinion.DECLARED, Opinion.SPOKEN, Opinion.ASSUMED)


@record()
class LedPort:
    """A port of a pod that a Service leads to."""

    service: Service
    number: int
    protocol: Protocol
    opinion: Opinion
    named_by: str
    """Who names it, for `Opinion.SPOKEN`: ``ConfigMap shop/nginx``."""


def running(pod: Pod) -> tuple[Container, ...]:
    """Containers that stay: init containers end before the pod serves anybody."""
    return tuple([c for c in pod.containers if c.restartable_init or not c.init])


def declared(pod: Pod) -> tuple[ContainerPort, ...]:
    """All ports of the containers that stay."""
    return tuple([port for container in running(pod) for port in container.ports])


def ends(pod: Pod) -> bool:
    """Whether it does a piece of work and is done: nobody asks it anything."""
    return pod.owner is not None and pod.owner[0] == "Job"


class Declared:
    """The containers of a template that stay, and their ports by number."""

    def __init__(self, pod: Pod) -> None:
        self.containers = pod.containers
        self.running = running(pod)
        self.ports = declared(pod)
        self.by_number: dict[int, list[ContainerPort]] = {}
        self.owners: dict[int, list[Container]] = {}
        """Each container once for a number."""
        for container in self.running:
            for port in container.ports:
                self.by_number.setdefault(port.number, []).append(port)
                owners = self.owners.setdefault(port.number, [])
                if not owners or owners[-1] is not container:
                    owners.append(container)


class Listening:
    """The judge of one cluster. Indexed once; what nobody asks for is not looked at."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._targets: dict[tuple[int, str], tuple[tuple[Service, int, Protocol], ...]] = {}
        self._templates: dict[int, Declared] = {}

    def _declared(self, pod: Pod) -> Declared:
        """Once for all pods of a template: they share its containers."""
        found = self._templates.get(id(pod.containers))
        if found is None:
            found = self._templates[id(pod.containers)] = Declared(pod)
        return found

    def led(self, pod: Pod) -> Iterator[LedPort]:
        """Every numbered port that Services lead to, with the opinion on it."""
        for service, number, protocol in self._led_to(pod):
            opinion = self.on(pod, service, number, protocol)
            spoken = opinion is Opinion.SPOKEN
            named = self.who_names(pod, service, number, protocol) if spoken else ""
            yield LedPort(service, number, protocol, opinion, named)

    def on(self, pod: Pod, service: Service, number: int, protocol: Protocol) -> Opinion:
        """Whether the pod listens where the Service leads to."""
        if self.idle(pod) is not None:
            return Opinion.NOBODY
        template = self._declared(pod)
        ports, same = template.ports, template.by_number.get(number, ())
        if any(port.protocol is protocol for port in same):
            other = self.told_other(pod, number, protocol)
            return Opinion.DECLARED if other is None else Opinion.TOLD_OTHER
        if same:
            sure = not _is_called_for(protocol, pod, service, number)
            return Opinion.OTHER_PROTOCOL if sure else Opinion.ASSUMED
        if self.who_names(pod, service, number, protocol):
            return Opinion.SPOKEN
        if closed(self._cluster.config_maps, pod, number, protocol) is not None:
            return Opinion.OTHER_PORT
        if (ports or ends(pod)) and self.meant_instead(service, number, protocol, pod) is not None:
            return Opinion.OTHER_PODS
        if not ports:
            other = self.told_other(pod, number, protocol)
            return Opinion.ASSUMED if other is None else Opinion.TOLD_OTHER
        if self.told_other(pod, number, protocol) is not None:
            return Opinion.TOLD_OTHER
        if any(not container.ports for container in template.running):
            return Opinion.ASSUMED
        if self._declares_too_little(pod, protocol):
            return Opinion.ASSUMED
        if self._contradicted(pod, service, number, protocol):
            return Opinion.OTHER_PORT
        if (left := self._left(pod, protocol)) and not _opens_more(pod, service, number, left):
            return Opinion.OTHER_PORT
        return Opinion.ASSUMED

    def unopened(self, pod: Pod, number: int, protocol: Protocol) -> Lack | None:
        """Why a gateway of Istio's does not open a port of its; None: it does, or is none.

        Of no weight for the opinion: that nobody opens 443 yet is no mistake.
        """
        if protocol is not Protocol.TCP or not self._cluster.port_users:
            return None
        return unopened(self._cluster, pod, self.selecting(pod), number)

    def behind(self, pods: Sequence[Pod], service: Service, number: int, protocol: Protocol) -> str:
        """Who opens a port behind a Service that does not lead there; empty: nobody is known.

        `pods`: those that it selects.
        """
        for pod in pods[:1]:
            if any((p.number, p.protocol) == (number, protocol) for p in declared(pod)):
                return f"pod {pod.key}"
            return self.who_names(pod, service, number, protocol)
        return ""

    def own_only(
        self, pod: Pod, container: Container, led: Collection[int] = ()
    ) -> Mapping[int, Bound]:
        """Ports that the container declares, or of `led`, and opens for its own pod alone."""
        return own_only(self._cluster, pod, container, led)

    def ipv4_only(self, pod: Pod, container: Container) -> Mapping[int, Bound]:
        """Ports that the container declares, and opens for IPv4 alone."""
        return ipv4_only(self._cluster, pod, container)

    def others_ports(self, pod: Pod, protocol: Protocol) -> frozenset[int]:
        """Ports that others are known to have, and no container of this pod.

        Who asks the pod's own localhost for one of them has mistaken the pod for the Service, or
        for the node. Beside a second container nothing is known: it may be a proxy.
        """
        found = self._known.get(protocol, frozenset())
        if len(self._declared(pod).running) > 1:
            return frozenset()
        own = {number for _, number, of in self._led_to(pod) if of is protocol}
        return found - own if own else found

    @cached_property
    def _known(self) -> Mapping[Protocol, frozenset[int]]:
        """Ports of Services, their node ports, what pods declare, and the API server's."""
        found = {Protocol.TCP: {API_SERVER_PORT}}
        for service in self._cluster.services.values():
            for port in service.ports:
                numbers = (port.port, port.target_port, port.node_port)
                known = found.setdefault(port.protocol, set())
                known.update(n for n in numbers if isinstance(n, int))
        for _, number, protocol in self.declaring:
            found.setdefault(protocol, set()).add(number)
        return {protocol: frozenset(numbers) for protocol, numbers in found.items()}

    def asked(self, pod: Pod, number: int, protocol: Protocol) -> Opinion:
        """Whether the pod listens on any port at all, also one to which no Service leads.

        Only what is written somewhere says otherwise: the port is declared with another protocol,
        or a digit away, or by another workload of the namespace; it is a Service's mistake, or the
        Service's own, which leads to another of the pod.
        """
        if self.idle(pod) is not None:
            return Opinion.NOBODY
        led = [o.opinion for o in self.led(pod) if (o.number, o.protocol) == (number, protocol)]
        if led:
            return next((opinion for opinion in led if opinion.listens), led[0])
        template = self._declared(pod)
        ports, same = template.ports, template.by_number.get(number, ())
        if self.told_other(pod, number, protocol) is not None:
            return Opinion.TOLD_OTHER
        if same:
            fits = any(port.protocol is protocol for port in same)
            return Opinion.DECLARED if fits else Opinion.OTHER_PROTOCOL
        if self.who_names(pod, None, number, protocol):
            return Opinion.SPOKEN
        if ports and self.declared_by_others(pod, number, protocol):
            return Opinion.OTHER_PODS
        slip = any(is_digit_slip(number, p.number) for p in ports if p.protocol is protocol)
        if ports and (slip or self._is_in_front(pod, number, protocol)):
            return Opinion.OTHER_PORT
        return Opinion.ASSUMED

    def idle(self, pod: Pod) -> Container | None:
        """The first container of a pod in which all do nothing but wait: nobody listens there."""
        running = self._declared(pod).running
        return running[0] if running and all(one.waits for one in running) else None

    def told_other(self, pod: Pod, number: int, protocol: Protocol) -> Container | None:
        """The container that would listen on the port, were it not told to open another one.

        By its env or configuration (``PORT=3000`` beside ``containerPort: 8080``): the declaration
        is documentation, the variable is what a program reads. Nor is a port that nobody declares
        opened where the image's program opens it only if it is told to, and has others that nobody
        declares. Not where anything else names the port, nor where the container declares several
        and is not just what its image is.
        """
        if protocol is not Protocol.TCP:
            return None
        template = self._declared(pod)
        containers: Sequence[Container] = template.running
        if template.ports:
            silent = [one for one in containers if _says_less(one) and opened_by(one.image, number)]
            alone = silent if len(containers) == 1 else ()
            containers = template.owners.get(number, alone)
        for one in containers if len(containers) == 1 else ():
            several = len({p.number for p in one.ports if p.protocol is protocol}) > 1
            told = self.told(pod, one, number)
            if told is None or number in (told.number, *told.also):
                continue
            if several and not told.by_itself:
                continue
            if not self.who_names(pod, None, number, protocol):
                return one
        return None

    def told(self, pod: Pod, container: Container, number: int) -> ToldPort | None:
        """The port that env, or a ConfigMap that it reads, tells its program to open."""
        if container.told is not None or not container.reads:
            return container.told
        return configured_port(self._cluster, pod, container, number)

    def _is_in_front(self, pod: Pod, number: int, protocol: Protocol) -> bool:
        """Whether it is the port, or node port, of a Service that selects the pod."""
        return any(
            port.protocol is protocol and number in (port.port, port.node_port)
            for service in self.selecting(pod)
            for port in service.ports
        )

    def declared_by_others(self, pod: Pod, number: int, protocol: Protocol) -> tuple[Pod, ...]:
        """Pods of other workloads of the namespace that declare the port, one a workload."""
        return tuple(
            other
            for other in self.declaring.get((pod.namespace, number, protocol), ())
            if (other.owner or other.name) != (pod.owner or pod.name)
        )

    def who_names(self, pod: Pod, service: Service | None, number: int, protocol: Protocol) -> str:
        """Who says that somebody listens there, undeclared as it is; empty: nobody.

        What names the Service alone (a webhook) means those of its pods that declare the port, and
        none of a program that is told another one, which it declares.
        """
        found = who_names(self._cluster, pod, service, number, protocol)
        if not found or service is None:
            return found
        beside = next(self._beside(service, number, protocol, pod), None) is not None
        if not beside and not _is_told_elsewhere(pod, number):
            return found
        return who_names(self._cluster, pod, None, number, protocol)

    def meant_instead(
        self, service: Service, number: int, protocol: Protocol, pod: Pod
    ) -> Pod | None:
        """A pod of another workload that the Service was meant to lead to.

        One that declares the port, and is called like the Service or, though it has labels,
        selected by no Service; instead of a Job's any that the Service leads to.
        """
        others = self.declared_by_others(pod, number, protocol)
        named = (p for p in others if p.maker == service.name)
        unserved = (p for p in others if p.labels and not self.selecting(p))
        beside = self._beside(service, number, protocol, pod) if ends(pod) else iter(())
        return next(named, None) or next(unserved, None) or next(beside, None)

    def _beside(self, service: Service, number: int, protocol: Protocol, pod: Pod) -> Iterator[Pod]:
        """Pods of other workloads behind the same Service that declare the port."""
        selector = (service.selector or {}).items()
        others = self.declared_by_others(pod, number, protocol)
        return (one for one in others if selector and selector <= one.labels.items())

    def _declares_too_little(self, pod: Pod, protocol: Protocol) -> bool:
        """Whether Services lead to several ports that nobody declares: then that list is not kept.

        One such port is a slip; two are a program that listens on more than its author wrote, but
        for ports of whose names it has others. Not by http and https: those have become 8080 and
        8443 in many a program whose list still has 80 and 443.
        """
        ports = declared(pod)
        known = {port.number for port in ports}
        named = {port.name for port in ports} - {"", "http", "https"}
        called = {
            (service.key, port.target_port)
            for service in (self.selecting(pod) if named else ())
            for port in service.ports
            if port.name in named
        }
        led = {
            number
            for service, number, of in self._led_to(pod)
            if of is protocol and (service.key, number) not in called
        }
        return len(led - known) > 1

    def _left(self, pod: Pod, protocol: Protocol) -> list[ContainerPort]:
        """Declared ports that no Service leads to, though they are there to be asked."""
        led = {number for _, number, _ in self._led_to(pod)}
        return [
            port
            for port in declared(pod)
            if port.protocol is protocol and port.number not in led and not _ASIDE.search(port.name)
        ]

    def left_name(self, pod: Pod, protocol: Protocol) -> str:
        """The name of the one declared port to which no Service leads; empty: none, or several."""
        names = {port.name for port in self._left(pod, protocol)}
        return next(iter(names)) if len(names) == 1 else ""

    def meant(self, pod: Pod, protocol: Protocol, called: str = "", asked: int = 0) -> int | None:
        """The declared port that was meant where a Service leads to none; None: not known.

        The one that the program is told, of several that of the Service's own number, `asked`;
        else the one that is `called` as the Service's port, else the only one to which no Service
        leads.
        """
        here = [port for port in declared(pod) if port.protocol is protocol]
        namesake = next((port.number for port in here if called and port.name == called), None)
        ports = {port.number for port in here}
        opened = (one.told for one in running(pod) if one.told is not None)
        if asked not in ports and any(asked in one.also for one in opened):
            return asked
        told = (one.told.number for one in running(pod) if one.told is not None)
        found = [number for number in told if number in ports]
        found = found or ([namesake] if namesake is not None else [])
        found = found or [port.number for port in self._left(pod, protocol)] or [*ports]
        return found[0] if len({*found}) == 1 else None

    def _contradicted(self, pod: Pod, service: Service, number: int, protocol: Protocol) -> bool:
        """Whether another Service of the pod leads from the same port to a declared one.

        Not one that differs in another port too: those are two entrances, for two kinds of guests.
        """
        asked = {
            (p.port, p.protocol)
            for p in service.ports
            if (p.target_port, p.protocol) == (number, protocol)
        }
        has = {word for p in declared(pod) for word in (p.number, p.name) if p.protocol is protocol}
        return any(
            (p.port, p.protocol) in asked and p.target_port in has
            for other in self.selecting(pod)
            if other is not service and not _differ(service, other, asked)
            for p in other.ports
        )

    @cached_property
    def declaring(self) -> Mapping[tuple[str, int, Protocol], tuple[Pod, ...]]:
        """Pods, one a template, by namespace and a port that they declare."""
        first = {(id(pod.containers), pod.namespace): pod for pod in self._cluster.pods.values()}
        found: dict[tuple[str, int, Protocol], list[Pod]] = {}
        for pod in first.values():
            for port in declared(pod):
                found.setdefault((pod.namespace, port.number, port.protocol), []).append(pod)
        return {key: tuple(pods) for key, pods in found.items()}

    @cached_property
    def _by_label(self) -> Mapping[tuple[str, str, str], list[Service]]:
        """Services by namespace and the first label that they ask for."""
        found: dict[tuple[str, str, str], list[Service]] = {}
        for service in self._cluster.services.values():
            if service.selector and service.type is not ServiceType.EXTERNAL_NAME:
                key, value = next(iter(service.selector.items()))
                found.setdefault((service.namespace, key, value), []).append(service)
        return found

    def selecting(self, pod: Pod) -> list[Service]:
        """The Services whose selector fits the pod."""
        return [
            service
            for key, value in pod.labels.items()
            for service in self._by_label.get((pod.namespace, key, value), ())
            if (service.selector or {}).items() <= pod.labels.items()
        ]

    def _led_to(self, pod: Pod) -> tuple[tuple[Service, int, Protocol], ...]:
        """Services' target ports; pods of one template and the same labels have the same."""
        key = (id(pod.containers), repr(sorted(pod.labels.items())))
        found = self._targets.get(key)
        if found is None:
            found = self._targets[key] = tuple(
                (service, number, port.protocol)
                for service in self.selecting(pod)
                for port in service.ports
                for number in _numbers(pod, port.target_port, port.protocol)
            )
        return found


def _is_told_elsewhere(pod: Pod, number: int) -> bool:
    """Whether words or env of a container say where it listens, and it declares that very port."""
    return any(
        one.told is not None
        and not one.told.by_itself
        and number not in (one.told.number, *one.told.also)
        and any(port.number == one.told.number for port in one.ports)
        for one in running(pod)
    )


def _says_less(container: Container) -> bool:
    """Whether its image opens ports that it does not declare."""
    told = container.told
    own = {port.number for port in container.ports}
    return told is not None and told.by_itself and not own.issuperset((told.number, *told.also))


def _opens_more(pod: Pod, service: Service, number: int, left: Sequence[ContainerPort]) -> bool:
    """Whether a program rather opens more than its list says than that one of the list was meant.

    It has a list from which the Service takes others, and of those left over none comes near.
    """
    if len(left) == 1 or any(is_digit_slip(number, port.number) for port in left):
        return False
    led = {port.target_port for port in service.ports}
    return any(port.number in led or port.name in led for port in declared(pod))


def _is_called_for(protocol: Protocol, pod: Pod, service: Service, number: int) -> bool:
    """Whether names or numbers say that the port is one of `protocol`, undeclared as it is."""
    led = [p for p in service.ports if (p.target_port, p.protocol) == (number, protocol)]
    names = [service.name, pod.name, *(port.name for port in led)]
    for container in running(pod):
        names += (container.name, container.image)
        names += (port.name for port in container.ports if port.number == number)
    return speaks_for(protocol, names, (number, *(port.port for port in led)))


def _differ(one: Service, other: Service, but: Collection[tuple[int, Protocol]]) -> bool:
    """Whether two Services lead from the same port to different ones, those in `but` left out."""
    there = {(p.port, p.protocol): p.target_port for p in other.ports}
    return any(
        there.get((p.port, p.protocol), p.target_port) != p.target_port
        for p in one.ports
        if (p.port, p.protocol) not in but
    )


def _numbers(pod: Pod, wanted: int | str, protocol: Protocol) -> Iterator[int]:
    if isinstance(wanted, int):
        yield wanted
        return
    for port in declared(pod):
        if port.name == wanted and port.protocol is protocol:
            yield port.number
            return
