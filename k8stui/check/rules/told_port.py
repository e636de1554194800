"""A container's env or configuration tells its program to open another port than is asked for.

``PORT=3000`` beside ``containerPort: 8080`` and a Service that leads to 8080: the declaration is
documentation, the variable is what most programs read, so the pod's kernel refuses. So is what a
ConfigMap that it mounts says: nginx's or Apache's ``listen``, Spring's ``server.port``. A warning:
a program may read something else. So, too, where the command does nothing but wait (``sleep``).

Does not apply where anything else names the port (a probe, an argument, another variable, a
ConfigMap), nor to containers that declare several ports.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.ports import ServedPort
from k8stui.cluster.programs.listening import declared
from k8stui.walk.diagnosis.listening import told_another_port

ID = "told-port"


def look(ground: Ground) -> Iterator[Finding]:
    for target in ground.targets:
        for led in target.led:
            if not any(one.told or one.reads or one.waits for one in led.pod.containers):
                continue
            for number in _numbers(target):
                port = target.port
                found = told_another_port(ground.cluster, led.pod, number, port.protocol, port)
                if found is not None and found.origin is not None:
                    yield Finding(
                        rule=ID,
                        severity=Severity.WARNING,
                        subject=f"Service {target.service.key}",
                        place=found.origin.place,
                        why=f"port {target.port.port} leads to {number}: {found.reason}",
                        fix=found.advice,
                        claim=ground.ask(target.service, target.port, some=True),
                    )


def _numbers(target: ServedPort) -> Iterator[int]:
    """The ports of the pods that the Service's port leads to, by number or by name."""
    wanted = target.port.target_port
    if isinstance(wanted, int):
        yield wanted
        return
    ports = (port for led in target.led for port in declared(led.pod))
    yield from dict.fromkeys(port.number for port in ports if port.name == wanted)


RULE = CheckRule(
    id=ID,
    summary="A container is told to listen on another port",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
