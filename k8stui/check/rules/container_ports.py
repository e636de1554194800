"""Two containers of one pod open the same port: they share one network namespace.

Only one of them can bind it; the other ends with "address already in use". The API server lets it
pass with a warning. What counts is what they declare, and of images that are known and declare
nothing, where they listen unless told otherwise (two of ``nginx``).

Does not apply to init containers that end before the others start, to the same number with another
protocol, and to containers whose hostIP differs.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import array, number, text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import ContainerText, Template
from k8stui.cluster.programs.images import image_ports

ID = "container-ports"
_Key = tuple[int, str, str]


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        yield from _twice(template)


def _twice(template: Template) -> Iterator[Finding]:
    seen: dict[_Key, ContainerText] = {}
    for container in template.containers():
        if container.init and text(container.data, "restartPolicy") != "Always":
            continue
        for index, key in enumerate(_opened(container)):
            first = seen.setdefault(key, container)
            if first is container:
                continue
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=template.subject,
                place=template.manifest.place(*container.path, "ports", index, "containerPort"),
                why=f"containers {first.name} and {container.name} both open {key[0]}/{key[1]}"
                ": they share the pod's addresses, and only one can listen there",
                fix=f"let {container.name} listen on another port",
            )


def _opened(container: ContainerText) -> list[_Key]:
    """What it declares; where that is nothing, what its image opens unless told otherwise."""
    declared = [
        (
            number(entry, "containerPort") or 0,
            text(entry, "protocol") or "TCP",
            text(entry, "hostIP"),
        )
        for entry in array(container.data, "ports")
    ]
    return declared or [(port, "TCP", "") for port in image_ports(container.data)[:1]]


RULE = CheckRule(
    id=ID,
    summary="Two containers of a pod open one port",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
