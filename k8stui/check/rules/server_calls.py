"""The API server calls a Service, or a port of one, that is not there.

Webhooks (``clientConfig.service``) and APIServices name a Service that the server itself calls, at
port 443 unless they say otherwise (k8s.io/api admissionregistration/v1 ServiceReference): it
resolves no DNS name but looks the Service and its port up. A webhook that fails this way refuses
every object that it is asked about, unless its failurePolicy is Ignore; so does one whose Service
has no endpoints, which is a warning.

A warning where the name is no typing error of a Service's: that one may be elsewhere. Does not
apply to ``clientConfig.url``.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, table, text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.model import ServiceType
from k8stui.kernel.packet import Protocol
from k8stui.manifests import Manifest
from k8stui.suggest import is_typo, nearest
from k8stui.walk.diagnosis.endpoints import without_endpoints

ID = "server-calls"
_DEFAULT_PORT = 443
_WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_Path = tuple[str | int, ...]
_REFUSES = {
    "admissionregistration.k8s.io/v1": ("", "Fail"),
    "admissionregistration.k8s.io/v1beta1": ("Fail",),
}
"""Values of failurePolicy, by version: its default was Ignore (admissionregistration/v1beta1)."""


def look(ground: Ground) -> Iterator[Finding]:
    for kind in _WEBHOOKS:
        for manifest in ground.of_kind(kind).values():
            for index, webhook in enumerate(array(manifest.data, "webhooks")):
                path: _Path = ("webhooks", index, "clientConfig", "service")
                called = table(webhook, "clientConfig", "service")
                yield from _judge(ground, manifest, called, path)
                yield from _nobody(ground, manifest, table(webhook), path)
    for manifest in ground.of_kind("APIService").values():
        called = table(manifest.data, "spec", "service")
        yield from _judge(ground, manifest, called, ("spec", "service"))


def _nobody(ground: Ground, manifest: Manifest, webhook: Object, path: _Path) -> Iterator[Finding]:
    """A webhook without anybody behind it refuses all that it is asked about."""
    called = table(webhook, "clientConfig", "service")
    service = ground.cluster.services.get(f"{text(called, 'namespace')}/{text(called, 'name')}")
    if service is None or text(webhook, "failurePolicy") not in _REFUSES[manifest.api_version]:
        return
    if service.selector is None or ground.endpoints(service) or ground.has_strangers:
        return
    lack = without_endpoints(ground.cluster, service, None)
    if lack is None:
        return
    about = sorted(
        {
            str(resource)
            for rule in array(webhook, "rules")
            for resource in array(rule, "resources")
            if "CREATE" in array(rule, "operations") or "*" in array(rule, "operations")
        }
    )
    if not about:
        return
    yield Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"{manifest.kind} {manifest.name}",
        place=manifest.place(*path, "name"),
        why=f"the API server refuses every new object of {', '.join(about)} that it asks this "
        f"webhook about: {lack.reason}, and failurePolicy is Fail",
        fix=f"{lack.advice}; or set failurePolicy: Ignore, or take the webhook away",
    )


def _judge(ground: Ground, manifest: Manifest, called: Object, path: _Path) -> Iterator[Finding]:
    namespace, name = text(called, "namespace"), text(called, "name")
    if not namespace or not name:
        return
    subject = f"{manifest.kind} {manifest.name}"
    service = ground.cluster.services.get(f"{namespace}/{name}")
    if service is None:
        here = [one.name for one in ground.services if one.namespace == namespace]
        near = nearest(name, here)
        yield Finding(
            rule=ID,
            severity=Severity.ERROR if near and is_typo(name, near) else Severity.WARNING,
            subject=subject,
            place=manifest.place(*path, "name"),
            why=f"the API server calls Service {namespace}/{name}, which is not there",
            fix=f"write {near}" if near else f"create Service {name} in namespace {namespace}",
        )
        return
    written = called.get("port")
    port = written if isinstance(written, int) else _DEFAULT_PORT
    if service.type is ServiceType.EXTERNAL_NAME or any(
        one.port == port and one.protocol is Protocol.TCP for one in service.ports
    ):
        return
    has = ", ".join(str(one.port) for one in service.ports) or "none"
    silent = "" if written is not None else ", as nothing else is written"
    yield Finding(
        rule=ID,
        severity=Severity.ERROR,
        subject=subject,
        place=manifest.place(*path, "port") if written is not None else manifest.place(*path),
        why=f"the API server calls port {port} of Service {service.key}{silent}; it has {has}",
        fix=f"write port: {service.ports[0].port}, or give the Service port {port}"
        if service.ports
        else "",
    )


RULE = CheckRule(
    id=ID,
    summary="The API server calls a Service that is not there",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
