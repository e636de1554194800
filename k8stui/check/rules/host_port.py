"""Two DaemonSets want one port of every node: on each node only one of their pods finds a place.

The scheduler gives a hostPort out once a node (NodePorts plugin, "didn't have free ports for the
requested pod ports"); the other pod stays Pending. With hostNetwork each container's port is one.

Applies only to DaemonSets that go to the same nodes by their nodeSelector, with the same protocol
and hostIP (or none). Does not apply to other workloads: their pods may stand on other nodes.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import array, flag, number, table, text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import Template

ID = "host-port"
_Key = tuple[int, str, str, tuple[tuple[str, object], ...]]


def look(ground: Ground) -> Iterator[Finding]:
    first: dict[_Key, Template] = {}
    for template in ground.templates:
        if template.kind != "DaemonSet" or template.manifest.observed:
            continue
        for key, path in _ports(template):
            other = first.setdefault(key, template)
            if other is not template:
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=template.subject,
                    place=template.manifest.place(*path),
                    why=f"port {key[0]} of every node is taken by {other.subject}: where both go, "
                    "one stays Pending",
                    fix="take another hostPort, or send them to different nodes",
                )


def _ports(template: Template) -> Iterator[tuple[_Key, tuple[str | int, ...]]]:
    shared = flag(template.spec, "hostNetwork")
    where = tuple(sorted(table(template.spec, "nodeSelector").items()))
    for container in template.containers():
        if container.init and text(container.data, "restartPolicy") != "Always":
            continue
        for index, entry in enumerate(array(container.data, "ports")):
            written = number(entry, "hostPort")
            port = written or (number(entry, "containerPort") if shared else None)
            if port:
                field = "hostPort" if written else "containerPort"
                protocol = text(entry, "protocol") or "TCP"
                yield (
                    (port, protocol, text(entry, "hostIP"), where),
                    (*container.path, "ports", index, field),
                )


RULE = CheckRule(
    id=ID,
    summary="Two DaemonSets want one port of every node",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
