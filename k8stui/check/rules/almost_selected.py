"""Pods that a Service would select but for one letter, beside others that it does select.

The Service has endpoints, so nothing looks wrong; but these pods never get a request.

Applies only where a single label differs from what the Service asks for, by a typing error, and no
Service asks for the label as it is. Does not apply to Services without any endpoint (no-endpoints),
nor to labels that differ in their digits.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import Template
from k8stui.cluster.model import Service
from k8stui.suggest import Wordbook

ID = "almost-selected"


def look(ground: Ground) -> Iterator[Finding]:
    asking: dict[tuple[str, str, str], Service] = {}
    for service in ground.services:
        if ground.selected(service):
            for key, value in (service.selector or {}).items():
                asking.setdefault((service.namespace, key, value), service)
    values: dict[tuple[str, str], list[str]] = {}
    for namespace, key, value in asking:
        values.setdefault((namespace, key), []).append(value)
    books = {place: Wordbook(found) for place, found in values.items()}
    for template in ground.templates:
        for key, value in template.labels.items():
            if (template.namespace, key, value) in asking:
                continue
            words = books.get((template.namespace, key))
            meant = words.typo(value) if words is not None else None
            asker = asking[template.namespace, key, meant] if meant is not None else None
            if asker is not None and _otherwise(asker, template, key):
                yield _finding(template, asker, key)
                break


def _otherwise(service: Service, template: Template, key: str) -> bool:
    """Whether all other labels are as the Service wants them."""
    rest = {other: value for other, value in (service.selector or {}).items() if other != key}
    return rest.items() <= template.labels.items()


def _finding(template: Template, service: Service, key: str) -> Finding:
    wanted = (service.selector or {})[key]
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=template.subject,
        place=template.place("metadata", "labels", key),
        why=f"Service {service.key} asks for {key}={wanted}; these pods have "
        f"{template.labels[key]}, for which nobody asks",
        fix=f"write {key}: {wanted}",
    )


RULE = CheckRule(
    id=ID,
    summary="A Service misses pods by one letter",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
