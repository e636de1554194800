"""Containers that are told the URL of a Service, and to ask by way of a proxy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from k8stui.check.asked.hosts import ID, service_named
from k8stui.check.asked.values import Variable
from k8stui.check.finding import Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import ContainerText, Template
from k8stui.cluster.programs.proxied import proxied

_URL = re.compile(r"\b(https?)://(?:[^@/\s]*@)?([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)(?=[:/?\s\"',]|$)")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")


def by_proxy(
    ground: Ground, template: Template, container: ContainerText, given: Sequence[Variable]
) -> Iterator[Finding]:
    """``HTTP_PROXY`` beside ``API_URL=http://api.shop.svc:8080``: a proxy outside knows no Service.

    The first such URL of a container. Not where the proxy is a Service itself.
    """
    env = {name: value.strip() for name, value, _, _ in given}
    if not any(name.lower() in _PROXIES[:2] for name in env):
        return
    places = {name: manifest.place(*path) for name, _, manifest, path in given}
    domain = ground.cluster.cluster_domain
    for name, value, _, _ in given:
        for scheme, host in _URL.findall(value) if name.lower() not in _PROXIES else ():
            found = proxied(env, scheme, host)
            key = [*reversed(service_named(host, template.namespace, domain))]
            if found is None or "/".join(key) not in ground.cluster.services:
                continue
            via = service_named(found.proxy, template.namespace, domain)
            if "/".join(reversed(via)) in ground.cluster.services:
                continue
            ends = f".svc,.{domain}" if "." in host else host
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=template.subject,
                place=places[found.spares or found.variable],
                why=f"{name} of container {container.name} leads to {host}, a name of Service "
                f"{'/'.join(key)}, and {found.variable} has that asked by way of {found.proxy}, "
                "which does not know it"
                + (f": {found.spares} holds no end of that name" if found.spares else ""),
                fix=f"add {ends} to NO_PROXY",
            )
            return
