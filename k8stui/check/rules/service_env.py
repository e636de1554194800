"""A container refers to a Service's variable (``$(MYSQL_SERVICE_HOST)``) that it does not get.

The kubelet gives a container the variables of those Services of its namespace that exist when it
starts and have a clusterIP (pkg/kubelet/kubelet_pods.go getServiceEnvVarMap). A Service that comes
later in the input, is headless, stands in another namespace or nowhere gives none; ``$(NAME)`` then
stays as it is written.

A variable of the container's own env that is used before it is defined stays as well, and so does
one that is written as a shell has it (``${NAME}``): an information, as some programs put it in.

Applies only to references in env values, command and args. Does not apply to variables that the
container defines itself, nor, where no such Service is in the input, to containers with envFrom.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import flag
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.references import Reference, in_shells_way, references, too_early
from k8stui.check.template import ContainerText, Template
from k8stui.cluster.model import Service

ID = "service-env"
_MARKS = ("_SERVICE_HOST", "_SERVICE_PORT")


def look(ground: Ground) -> Iterator[Finding]:
    told: set[tuple[object, str, str]] = set()
    for template in ground.templates:
        for container in template.containers():
            yield from _too_early(template, container)
            yield from _in_shells_way(template, container)
            for reference in references(container):
                prefix = service_prefix(reference.name)
                key = (template.manifest, container.name, prefix)
                if not prefix or prefix == "KUBERNETES" or key in told:
                    continue
                found = _judge(ground, template, container, reference, prefix)
                if found is not None:
                    told.add(key)
                    yield found


def _too_early(template: Template, container: ContainerText) -> Iterator[Finding]:
    if container.data.get("envFrom"):
        return
    for one in too_early(container):
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=template.subject,
            place=template.manifest.place(*one.path),
            why=f"container {container.name} uses $({one.name}) before {one.name} is defined: the "
            "list is read in its order, so the text stays as it is",
            fix=f"put {one.name} in front of it",
        )


def _in_shells_way(template: Template, container: ContainerText) -> Iterator[Finding]:
    for one in in_shells_way(container):
        yield Finding(
            rule=ID,
            severity=Severity.INFO,
            subject=template.subject,
            place=template.manifest.place(*one.path),
            why=f"container {container.name} uses ${{{one.name}}} in env, as a shell has it: the "
            f"kubelet puts a value in for $({one.name}) alone, so the text stays as it is",
            fix=f"write $({one.name}), with {one.name} in front of it; unless the program itself "
            "puts it in, as Spring does",
        )


def service_prefix(variable: str) -> str:
    """``MYSQL`` of ``MYSQL_SERVICE_HOST`` and ``MYSQL_SERVICE_PORT_HTTP``; else empty."""
    for mark in _MARKS:
        prefix, found, rest = variable.rpartition(mark)
        if found and (not rest or (mark == "_SERVICE_PORT" and rest.startswith("_"))):
            return prefix
    return ""


def _judge(
    ground: Ground,
    template: Template,
    container: ContainerText,
    reference: Reference,
    prefix: str,
) -> Finding | None:
    service = ground.by_prefix.get((template.namespace, prefix))
    severity = Severity.WARNING
    if service is None:
        if container.data.get("envFrom"):
            return None
        why, fix = _missing(ground, template, prefix)
        if not ground.services:
            severity = Severity.INFO
    elif not service.cluster_ips:
        why = f"Service {service.key} has no clusterIP, so it gives no variables"
        fix = f"use the name {service.name}"
    elif flag(template.spec, "enableServiceLinks") is False:
        why = "enableServiceLinks is false: the container gets no Service's variables"
        fix = f"use the name {service.name}, or set enableServiceLinks: true"
    elif _later(ground, template, service):
        place = service.origin.place
        where = f" ({place.file}:{place.line})" if place else ""
        why = f"Service {service.key} comes later in the input{where}: a container that starts "
        why += "before it has no such variable"
        fix = f"create the Service first, or use the name {service.name}"
        severity = Severity.INFO  # applied in one go the Service is there before the image is
    else:
        return None
    return Finding(
        rule=ID,
        severity=severity,
        subject=template.subject,
        place=template.manifest.place(*reference.path),
        why=f"container {container.name} refers to {reference.name}: {why}",
        fix=fix,
    )


def _missing(ground: Ground, template: Template, prefix: str) -> tuple[str, str]:
    for service in ground.with_prefix(prefix):
        why = f"Service {service.name} is in namespace {service.namespace}, and only those of "
        why += f"{template.namespace} give variables"
        return why, f"use the name {service.name}.{service.namespace}"
    near = ground.nearest_prefix(template.namespace, prefix)
    return (
        "no Service of the input gives it",
        f"write {near}_SERVICE_…" if near else f"create the Service {prefix.lower()} first",
    )


def _later(ground: Ground, template: Template, service: Service) -> bool:
    manifest = ground.inventory.of("Service").get(service.key)
    if manifest is None or manifest.observed or template.manifest.observed:
        return False
    return ground.position(manifest) > ground.position(template.manifest)


RULE = CheckRule(
    id=ID,
    summary="A container refers to a Service's variable that it does not get",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
