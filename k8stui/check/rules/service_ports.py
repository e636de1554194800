"""Ports of one Service that the API server refuses: the same twice, without names, or none.

Also a targetPort whose name is no port name; a number in quotes is one. Source:
pkg/apis/core/validation ValidateService; recordings-cluster/rejected 01, 02, 03, 11, 17 and 18.
Ports with the same number are fine when their protocols differ.

Does not apply to headless and ExternalName Services without ports.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import Finding, Rule, Severity
from k8stui.check.ground import Ground
from k8stui.check.ports import name_fault
from k8stui.cluster.model import Service, ServiceType
from k8stui.walk.sentence import port_word

ID = "service-ports"
_Path = tuple[str | int, ...]


def look(ground: Ground) -> Iterator[Finding]:
    for service in ground.services:
        if not service.ports:
            if not service.headless and service.type is not ServiceType.EXTERNAL_NAME:
                path: _Path = ("spec", "ports")
                yield _refused(ground, service, path, "it has no ports", "write spec.ports")
            continue
        yield from _twice(ground, service)


def _twice(ground: Ground, service: Service) -> Iterator[Finding]:
    numbers: set[tuple[int, str]] = set()
    names: set[str] = set()
    for index, port in enumerate(service.ports):
        word, base = port_word(port.port, port.protocol), ("spec", "ports", index)
        if len(service.ports) > 1 and not port.name and "" not in names:
            why = f"port {word} has no name, and there are several"
            yield _refused(ground, service, (*base, "port"), why, "give each port a name")
        if port.name and port.name in names:
            why = f"the port name {port.name} is there twice"
            yield _refused(ground, service, (*base, "name"), why, "give each port its own name")
        if (port.port, port.protocol.name) in numbers:
            fix = "take another number: two targets cannot stand behind one port"
            yield _refused(ground, service, (*base, "port"), f"port {word} is there twice", fix)
        target = port.target_port
        if isinstance(target, str) and (fault := name_fault(target)):
            why = f'the targetPort "{target}" is a name, and {fault}'
            fix = "name the container's port, and write that name"
            if target.isdigit():
                fix = f"write targetPort: {target} without quotes"
            yield _refused(ground, service, (*base, "targetPort"), why, fix)
        numbers.add((port.port, port.protocol.name))
        names.add(port.name)


def _refused(ground: Ground, service: Service, path: _Path, why: str, fix: str) -> Finding:
    return Finding(
        rule=ID,
        severity=Severity.ERROR,
        subject=f"Service {service.key}",
        place=ground.place(service, *path),
        why=f"the API server refuses it: {why}",
        fix=fix,
    )


RULE = Rule(
    id=ID,
    summary="Ports of a Service that the API server refuses",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
