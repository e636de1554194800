"""A container reads ``X_PORT`` and gets ``tcp://…`` from a Service called ``x``.

For a Service ``redis`` every container of the namespace gets ``REDIS_PORT=tcp://10.96.0.7:6379``
(pkg/kubelet/envvars FromServices), which breaks what expects a number there.

Applies only where a container's env, command or args refer to that very variable and the container
does not define it. Does not apply with enableServiceLinks false.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import flag
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.references import references
from k8stui.check.rules.service_env import service_prefix

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
                port = service.ports[0]
                value = f"{port.protocol.name.lower()}://ADDRESS:{port.port}"
                yield Finding(
                    rule=ID,
                    severity=Severity.INFO,
                    subject=template.subject,
                    place=template.manifest.place(*reference.path),
                    why=f"container {container.name} refers to {reference.name}, which Service "
                    f"{service.key} sets to {value}",
                    fix=f"use {prefix}_SERVICE_PORT, or set {reference.name} in env",
                )


RULE = CheckRule(
    id=ID,
    summary="A Service's variable is no port number",
    help=__doc__ or "",
    severity=Severity.INFO,
    look=look,
)
