"""A ServiceMonitor or PodMonitor that finds nobody to scrape.

``endpoints[].port`` of a ServiceMonitor is the *name* of a Service's port, and ``selector`` chooses
Services by the labels of the Services themselves, not by those of their pods; that of a PodMonitor
is the name of a container's port. Both look into their own namespace unless ``namespaceSelector``
says more (prometheus-operator, Documentation/api-reference: ServiceMonitorSpec, Endpoint,
PodMonitorSpec). A name that nobody has makes no target, and no error either; nor does a monitor
whose labels, or whose namespace, no Prometheus of the input chooses (PrometheusSpec,
serviceMonitorSelector: null chooses none, {} all; of its own namespace unless told otherwise).

Does not apply where the input has nobody that is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from k8stui.apiserver.fields import array, at, flag, labels, table, text, texts
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.subject import subject_of
from k8stui.cluster.labelled import Labelled
from k8stui.cluster.model import Service, ServicePort
from k8stui.cluster.selectors import matches
from k8stui.manifests import Manifest
from k8stui.suggest import is_typo, nearest

ID = "monitored-port"
_One = TypeVar("_One")


def look(ground: Ground) -> Iterator[Finding]:
    for monitor in ground.of_kind("ServiceMonitor").values():
        yield from _services(ground, monitor)
        yield from _unread(ground, monitor, "serviceMonitor")
    for monitor in ground.of_kind("PodMonitor").values():
        yield from _pods(ground, monitor)
        yield from _unread(ground, monitor, "podMonitor")


def _unread(ground: Ground, monitor: Manifest, what: str) -> Iterator[Finding]:
    """No Prometheus of the input takes it, for its labels or its namespace."""
    if any(kind == "PrometheusAgent" for _, kind in ground.world.manifests.skipped):
        return  # which reads monitors, too
    those = ground.of_kind("Prometheus").values()
    # One without a selector takes none at all, or is told by a file of its own.
    asked = [one for one in those if at(one.data, "spec", f"{what}Selector") is not None]
    refusals = [_refusal(ground, one, monitor, what) for one in asked]
    first = refusals[0] if refusals and None not in refusals else None
    if first is not None:
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=subject_of(monitor),
            place=monitor.place("metadata", "labels"),
            why=f"nobody reads it: {first[0]}",
            fix=first[1],
        )


def _refusal(
    ground: Ground, prometheus: Manifest, monitor: Manifest, what: str
) -> tuple[str, str] | None:
    """Why a Prometheus does not take a monitor, and what would mend it."""
    own, space = prometheus.namespace or "default", monitor.namespace or "default"
    who = f"Prometheus {own}/{prometheus.name}"
    selector = f"{what}Selector"
    if not matches(
        at(prometheus.data, "spec", selector), labels(monitor.data, "metadata", "labels")
    ):
        asked = labels(prometheus.data, "spec", selector, "matchLabels")
        text_ = ", ".join(f"{key}: {value}" for key, value in asked.items())
        mend = f"write {text_} into its metadata.labels" if text_ else f"mend {selector}"
        return f"{who} takes those with {text_ or 'other labels'}", mend
    selector = f"{what}NamespaceSelector"
    spaces = at(prometheus.data, "spec", selector)
    known = ground.cluster.namespace_labels.get(space)
    if space == own or (spaces is not None and (known is None or matches(spaces, known))):
        return None
    return f"{who} takes none of namespace {space}", f"write {selector}: {{}} into {who}"


def _where(monitor: Manifest) -> Sequence[str] | None:
    """The namespaces that it looks into; None: all."""
    said = table(monitor.data, "spec", "namespaceSelector")
    if flag(said, "any"):
        return None
    return texts(said, "matchNames") or (monitor.namespace or "default",)


def _space(where: Sequence[str] | None) -> str | None:
    """The only namespace, where there is but one."""
    return where[0] if where is not None and len(where) == 1 else None


def _services(ground: Ground, monitor: Manifest) -> Iterator[Finding]:
    wanted, where = at(monitor.data, "spec", "selector"), _where(monitor)
    services = ground.services_of(_space(where)).matching(wanted)
    here = [s for s in services if where is None or s.namespace in where]
    if not here:
        away = next(ground.services_of(None).matching(wanted), None)
        yield from _nobody(ground, monitor, away, where)
        return
    names = sorted({port.name for service in here for port in service.ports if port.name})
    who = f"Service {here[0].key}" + (f" (and {len(here) - 1} more)" if len(here) > 1 else "")
    for index, one in enumerate(array(monitor.data, "spec", "endpoints")):
        asked = at(one, "port")
        if asked is None or asked in names:
            continue
        port = next((p for s in here for p in s.ports if str(asked) in _numbers(p)), None)
        near = port.name if port is not None and port.name else nearest(str(asked), names)
        if ground.has_strangers and not (near and is_typo(str(asked), near)):
            continue  # an operator may make the Service that is meant
        near = near or (names[0] if len(names) == 1 else None)
        has = f"it has {', '.join(names)}" if names else "its ports have no names"
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=subject_of(monitor),
            place=monitor.place("spec", "endpoints", index, "port"),
            why=f"it scrapes nothing: {who} has no port of the name {asked}; {has}",
            fix=f"write port: {near}" if near else f"give the Service's port the name {asked}",
        )


def _numbers(port: ServicePort) -> tuple[str, ...]:
    return str(port.port), str(port.target_port)


def _nobody(
    ground: Ground, monitor: Manifest, away: Service | None, where: Sequence[str] | None
) -> Iterator[Finding]:
    """No Service has the labels there: they stand elsewhere, or at the pods alone."""
    wanted = at(monitor.data, "spec", "selector")
    asked = labels(monitor.data, "spec", "selector", "matchLabels")
    if away is not None and ground.is_kustomized:
        return  # a kustomization, which is not applied here, may set the namespace
    if away is not None:
        why = f"Service {away.key} has the labels, and it looks into {', '.join(where or ())} only"
        fix = f"write namespaceSelector.matchNames: [{away.namespace}]"
        path: tuple[str, ...] = ("spec", "selector")
    else:
        serving = ground.serving(_space(where)).carrying(asked) if asked else iter(())
        meant = next(
            (
                one
                for one in serving
                if (where is None or one.namespace in where)
                and one.selector
                and (
                    asked.items() <= one.selector.items()
                    or any(matches(wanted, pod.labels) for pod in ground.selected(one))
                )
            ),
            None,
        )
        if meant is None:
            yield from _almost(ground, monitor, where, asked)
            return
        text_ = ", ".join(f"{key}: {value}" for key, value in asked.items())
        why = (
            f"no Service has the labels that it asks for ({text_}): they are those of the pods of "
            f"Service {meant.key}, and the Service's own count"
        )
        fix = f"write {text_} into metadata.labels of Service {meant.name}"
        path = ("spec", "selector")
    yield Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=subject_of(monitor),
        place=monitor.place(*path),
        why=f"it scrapes nothing: {why}",
        fix=fix,
    )


def _almost(
    ground: Ground, monitor: Manifest, where: Sequence[str] | None, asked: Mapping[str, str]
) -> Iterator[Finding]:
    """One label that no Service has: its value is a Service's name, or the others are one's."""
    services = ground.services_of(_space(where))
    slip = _misspelt(monitor, asked, services, "Service")
    if slip is not None:
        yield slip
        return
    if ground.has_strangers or ground.is_kustomized:
        return  # an operator may make the Service that is meant
    for key, value in asked.items():
        rest = {other: label for other, label in asked.items() if other != key}
        if (key, value) in services:
            continue
        called = [ground.cluster.services.get(f"{space}/{value}") for space in where or ()]
        beside = services.carrying(rest) if rest else iter(())
        found = next((s for s in (*called, *beside) if s is not None), None)
        if found is None or (where is not None and found.namespace not in where):
            continue
        manifest = ground.of_kind("Service").get(found.key)
        own = labels(manifest.data, "metadata", "labels").get(key) if manifest is not None else None
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=subject_of(monitor),
            place=monitor.place("spec", "selector", "matchLabels", key),
            why=f"it scrapes nothing: no Service has the label {key}: {value}; Service {found.key} "
            f"has {f'{key}: {own}' if own is not None else f'no label {key}'}",
            fix=f"write {key}: {own}"
            if own is not None
            else f"take {key} out, or write {key}: {value} into metadata.labels of Service "
            f"{found.name}",
        )
        return


def _misspelt(
    monitor: Manifest, asked: Mapping[str, str], among: Labelled[_One], who: str
) -> Finding | None:
    """A label that none of them has, by a letter."""
    miss = among.misspelt(asked) if asked else None
    if miss is None:
        return None
    key, (meant, value) = miss
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=subject_of(monitor),
        place=monitor.place("spec", "selector", "matchLabels", key),
        why=f"it scrapes nothing: no {who} has the label {key}: {asked[key]} and the others that "
        f"it asks for; one has {meant}: {value}",
        fix=f"write {meant}: {value}",
    )


def _pods(ground: Ground, monitor: Manifest) -> Iterator[Finding]:
    wanted, where = at(monitor.data, "spec", "selector"), _where(monitor)
    among = ground.templates_of(_space(where))
    here = [one for one in among.matching(wanted) if where is None or one.namespace in where]
    if not here:
        own = labels(monitor.data, "spec", "selector", "matchLabels")
        slip = _misspelt(monitor, own, among, "pod")
        if slip is not None:
            yield slip
    names = sorted(
        {
            text(port, "name")
            for one in here
            for container in one.containers()
            for port in array(container.data, "ports")
        }
        - {""}
    )
    for index, one in enumerate(array(monitor.data, "spec", "podMetricsEndpoints") if here else ()):
        asked = at(one, "port")
        if asked is None or asked in names:
            continue
        near = nearest(str(asked), names) or (names[0] if len(names) == 1 else None)
        has = f"they have {', '.join(names)}" if names else "their ports have no names"
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=subject_of(monitor),
            place=monitor.place("spec", "podMetricsEndpoints", index, "port"),
            why=f"it scrapes nothing: the pods of {here[0].subject} have no port of the name "
            f"{asked}; {has}",
            fix=f"write port: {near}" if near else f"give the container's port the name {asked}",
        )


RULE = CheckRule(
    id=ID,
    summary="A monitor that finds nobody to scrape",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
