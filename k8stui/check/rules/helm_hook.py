"""A Helm hook that runs before what it needs is there.

Helm makes the hooks of pre-install, waits until they are done, and only then makes the release's
other objects; hooks one after the other by their weight (helm.sh, Chart Hooks). A ConfigMap, Secret
or ServiceAccount that comes later keeps the hook's pods from starting, and the name of a Service
that comes later does not resolve: the first installation does not get past the hook.

Does not apply to hooks of upgrades alone, to objects of another release (by
app.kubernetes.io/instance), nor to what is not in the input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.apiserver.fields import labels, text
from k8stui.check.asked.hosts import asked, service_at
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.needs import needs
from k8stui.check.template import Template
from k8stui.manifests import Manifest

ID = "helm-hook"
_HOOK, _WEIGHT = "helm.sh/hook", "helm.sh/hook-weight"
_FIRST = "pre-install"
_RELEASE = "app.kubernetes.io/instance"
_INTEGER = re.compile(r"[+-]?\d{1,9}")
"""A weight; what is none is 0 (pkg/releaseutil/manifest_sorter.go calculateHookWeight)."""


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        if template.manifest.observed or _FIRST not in _phases(template.manifest):
            continue
        found = {
            one.why: one for one in (*_objects(ground, template), *_services(ground, template))
        }
        yield from found.values()


def _objects(ground: Ground, template: Template) -> Iterator[Finding]:
    for need in needs(template):
        held = ground.of_kind(need.kind).get(f"{template.namespace}/{need.name}")
        if held is not None and _comes_later(template.manifest, held):
            what = f"{need.kind} {need.name}"
            yield _finding(
                template,
                need.path,
                f"{what}, which its pods need, comes after it: they do not start",
                f"make {what} a hook of pre-install too, of a lower {_WEIGHT}; or write {_HOOK}: "
                "post-install,pre-upgrade",
            )


def _services(ground: Ground, template: Template) -> Iterator[Finding]:
    for container in template.containers():
        for one in asked(container):
            service = service_at(ground.cluster, one.host, template.namespace)
            held = ground.of_kind("Service").get(service.key) if service is not None else None
            if held is not None and _comes_later(template.manifest, held):
                yield _finding(
                    template,
                    one.path,
                    f"Service {held.name}, which {one.what} of container {container.name} leads "
                    "to, comes after it: there is no such name yet",
                    f"write {_HOOK}: post-install,pre-upgrade",
                )


def _finding(template: Template, path: tuple[str | int, ...], why: str, fix: str) -> Finding:
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=template.subject,
        place=template.manifest.place(*path),
        why=f"it is a Helm hook of pre-install, and {why}, and Helm waits for the hook in vain",
        fix=fix,
    )


def _phases(manifest: Manifest) -> set[str]:
    told = text(manifest.data, "metadata", "annotations", _HOOK)
    return {each.strip() for each in told.split(",")}


def _weight(manifest: Manifest) -> int:
    told = text(manifest.data, "metadata", "annotations", _WEIGHT)
    return int(told) if _INTEGER.fullmatch(told) else 0


def _comes_later(hook: Manifest, other: Manifest) -> bool:
    release, its = (labels(one.data, "metadata", "labels").get(_RELEASE) for one in (hook, other))
    if release and its and release != its:
        return False
    return _FIRST not in _phases(other) or _weight(other) > _weight(hook)


RULE = CheckRule(
    id=ID,
    summary="A Helm hook runs before what it needs is there",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
