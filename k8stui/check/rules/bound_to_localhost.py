"""A Service leads to a port that the container opens for its own pod only.

Its command, arguments or env bind the port to 127.0.0.1 (``--bind 127.0.0.1:8000``), a ConfigMap
that it mounts does (``bind 127.0.0.1``), or the program does where it is told nothing (gunicorn,
flask run, uvicorn, Django's and Rails' servers): the pod's kernel refuses what comes by the pod's
address, from the Service and from the kubelet's probes. Where the Service has IPv6 addresses,
``0.0.0.0`` is as bad: it is IPv4 alone. An information where the Service has IPv4 too, as most
clients then try the other.

So it is with a broker that tells its clients to go on at localhost (Kafka's advertised listeners).

Does not apply where the container binds another address too, and where only an option of a client
(``--host`` without ``--port``) names localhost.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.ports import Match, ServedPort, number_of
from k8stui.cluster.model import Container, Pod
from k8stui.cluster.programs.advertised import comes_back_to_itself
from k8stui.cluster.programs.bound import ipv4_only, own_only
from k8stui.cluster.programs.listening import declared, running
from k8stui.kernel.packet import Protocol

_IPV4, _IPV6 = 4, 6
ID = "bound-to-localhost"


def look(ground: Ground) -> Iterator[Finding]:
    for target in ground.targets:
        if target.port.protocol is not Protocol.TCP:
            continue
        for pod in target.pods(Match.DECLARED, Match.SILENT):
            yield from _sent_home(target, pod)
            number = number_of(pod, target.port)
            if number is None:
                continue
            for container in running(pod):
                # Of a pod on its node's network a Service leads to what nobody declares, too.
                led = (number,) if pod.host_network and not declared(pod) else ()
                bound = own_only(ground.cluster, pod, container, led)
                yield from _families(ground, target, pod, container)
                if number not in bound or pod.origins.get("unready_reason") == bound[number].origin:
                    continue  # no-endpoints tells of its probes
                if led or number in {p.number for p in container.ports}:
                    yield Finding(
                        rule=ID,
                        severity=Severity.WARNING,
                        subject=f"Service {target.service.key}",
                        place=bound[number].origin.place,
                        why=f"container {container.name} of {pod.name} binds port {number} to "
                        f"127.0.0.1 ({bound[number].by}): what the Service sends there is refused",
                        fix=bound[number].mend,
                        claim=ground.ask(target.service, target.port, some=True),
                    )


def _sent_home(target: ServedPort, pod: Pod) -> Iterator[Finding]:
    """A broker behind the Service tells its clients to go on at localhost."""
    number = number_of(pod, target.port)
    told = comes_back_to_itself(pod, number) if number is not None else None
    if told is not None:
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Service {target.service.key}",
            place=pod.origin.place,
            why=f"{told[0]} of {pod.name} tells its clients to go on at {told[1]}, which is "
            "themselves: only their first connection arrives",
            fix=f"write {target.service.name}:{target.port.port} there (of several brokers each "
            "pod's own name below a headless Service)",
        )


def _families(
    ground: Ground, target: ServedPort, pod: Pod, container: Container
) -> Iterator[Finding]:
    service, port = target.service, target.port
    led = [p for p in container.ports if port.target_port in (p.number, p.name)]
    if _IPV6 not in service.ip_families:
        return
    own = own_only(ground.cluster, pod, container)
    bound = ipv4_only(ground.cluster, pod, container)
    if not any(p.number in bound and p.number not in own for p in led):
        return
    yield Finding(
        rule=ID,
        severity=Severity.INFO if _IPV4 in service.ip_families else Severity.WARNING,
        subject=f"Service {service.key}",
        place=container.origin.place,
        why=f"container {container.name} of {pod.name} binds port {led[0].number} to 0.0.0.0, "
        "which is IPv4 alone: what asks the Service by IPv6 is refused",
        fix="let it bind to ::",
    )


RULE = CheckRule(
    id=ID,
    summary="A Service leads to a port that is bound to localhost",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
