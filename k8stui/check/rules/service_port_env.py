"""A container reads ``X_PORT`` and gets ``tcp://…`` from a Service called ``x``.

For a Service ``redis`` every container of the namespace gets ``REDIS_PORT=tcp://10.96.0.7:6379``
(pkg/kubelet/envvars FromServices), which breaks what expects a number there.

Applies only where a container's env, command or args refer to that very variable, or its env has
``REDIS_HOST`` and so its program probably reads ``REDIS_PORT`` too, and the container does not
define it. Does not apply with enableServiceLinks false.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import array, flag, text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.references import references
from k8stui.check.rules.service_env import service_prefix
from k8stui.check.template import ContainerText, Template
from k8stui.cluster.model import Service

ID = "service-port-env"
_MARK = "_PORT"


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        if flag(template.spec, "enableServiceLinks") is False:
            continue
        for container in template.containers():
            for reference in references(container):
                if not reference.name.endswith(_MARK) or service_prefix(reference.name):
                    continue
                prefix = reference.name.removesuffix(_MARK)
                service = ground.by_prefix.get((template.namespace, prefix))
                if service is None or not service.cluster_ips or not service.ports:
                    continue
                yield Finding(
                    rule=ID,
                    severity=Severity.INFO,
                    subject=template.subject,
                    place=template.manifest.place(*reference.path),
                    why=f"container {container.name} refers to {reference.name}, which Service "
                    f"{service.key} sets to {_value(service)}",
                    fix=f"use {prefix}_SERVICE_PORT, or set {reference.name} in env",
                )
            yield from _beside(ground, template, container)


def _beside(ground: Ground, template: Template, container: ContainerText) -> Iterator[Finding]:
    """``REDIS_HOST`` without ``REDIS_PORT``, and a Service that gives the latter."""
    names = [text(one, "name") for one in array(container.data, "env")]
    for index, name in enumerate(names if not container.data.get("envFrom") else ()):
        prefix, mark, _ = name.rpartition("_HOST")
        service = ground.by_prefix.get((template.namespace, prefix)) if mark else None
        if service is None or not service.cluster_ips or not service.ports:
            continue
        if f"{prefix}{_MARK}" not in names and not prefix.endswith("_SERVICE"):
            yield Finding(
                rule=ID,
                severity=Severity.INFO,
                subject=template.subject,
                place=template.manifest.place(*container.path, "env", index),
                why=f"container {container.name} has {name} and no {prefix}{_MARK}, which Service "
                f"{service.key} sets to {_value(service)}: a program that reads a number there "
                "ends",
                fix=f'set {prefix}{_MARK} in env ("{service.ports[0].port}"), or '
                "enableServiceLinks: false in the pod's spec",
            )


def _value(service: Service) -> str:
    port = service.ports[0]
    return f"{port.protocol.name.lower()}://ADDRESS:{port.port}"


RULE = CheckRule(
    id=ID,
    summary="A Service's variable is no port number",
    help=__doc__ or "",
    severity=Severity.INFO,
    look=look,
)
