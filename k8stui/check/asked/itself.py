"""Containers that are told to ask their own pod, which has no such port."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from k8stui.apiserver.fields import array, at, table, text
from k8stui.check.asked.hosts import (
    ID,
    ITSELF,
    ToldHost,
    asked,
    in_texts,
    in_variable,
    in_words,
    place_of,
    port_beside,
)
from k8stui.check.asked.values import Variable
from k8stui.check.claim import Claim
from k8stui.check.client import pod_source
from k8stui.check.finding import Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import ContainerText, Template
from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.model import Pod
from k8stui.cluster.programs.evidence import who_names
from k8stui.cluster.programs.listening import declared, running
from k8stui.cluster.well_known import API_SERVER_PORT
from k8stui.kernel.derived import Derived
from k8stui.kernel.packet import Protocol
from k8stui.manifests import Manifest
from k8stui.order import listed

_TCP = Protocol.TCP
_INJECTED = re.compile(r"inject|sidecar|^dapr\.io/enabled$|/connect-service")
"""Annotations that ask for a container: of Istio, Linkerd, Vault, Dapr, Consul."""
ASKED_ELSEWHERE = re.compile(
    r"LISTEN|BIND|HEALTH|METRIC|ADMIN|PROBE|DEBUG|ADVERTISE"
    r"|ORIGIN|CORS|REDIRECT|CALLBACK|PUBLIC|EXTERNAL",
    re.IGNORECASE,
)
"""Variables that say where the program itself listens, or what a browser asks or sends."""


def to_itself(
    ground: Ground, template: Template, container: ContainerText, given: Sequence[Variable]
) -> Iterator[Finding]:
    """``DB_HOST=localhost``: the pod itself, which has no such port; a Service beside it has."""
    pod = ground.pod_of(template)
    if pod is None or pod.host_network:
        return
    env = {name: value for name, value, _, _ in given}
    told = [
        (one, holder)
        for name, value, holder, path in given
        for one in in_variable(name, value.strip(), path)
    ]
    told += _in_files(ground, template, container)
    told += [
        (one, template.manifest)
        for one in in_words(container)
        if one.port and _says_ask(container, one) and not _says_listen(container, one)
    ]
    for one, holder in told:
        if one.host not in ITSELF or ASKED_ELSEWHERE.search(one.what):
            continue
        port = one.port or port_beside(one.what, env)
        if any(own.number == port for own in declared(pod)):
            continue
        if port not in ground.listening.others_ports(pod, Protocol.TCP):
            continue
        service = ground.with_port(pod.namespace, port)
        if service is not None:
            has, fix = (
                f"Service {service.key} has that port",
                f"{service.name} instead of {one.host}",
            )
        elif port == API_SERVER_PORT:
            has = "the API server does, behind Service default/kubernetes"
            fix = f"kubernetes.default.svc:443 instead of {one.host}:{port}"
        else:
            continue
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=template.subject,
            place=place_of(holder, one),
            why=f"{one.what} of container {container.name} leads to {one.host}:{port}, the pod "
            f"itself, where nothing listens on {port}; {has}",
            fix=f"write {fix}",
            claim=Claim(pod_source(pod), f"{one.host}:{port}"),
        )


def _in_files(
    ground: Ground, template: Template, container: ContainerText
) -> Iterator[tuple[ToldHost, Manifest]]:
    """Of ConfigMaps that it mounts: ``proxy_pass http://localhost:80``, a data source's URL."""
    names = [text(one, "name") for one in array(container.data, "volumeMounts")]
    for volume in array(template.spec, "volumes"):
        name = text(volume, "configMap", "name")
        held = ground.cluster.config_maps.get(f"{template.namespace}/{name}")
        if held is None or held.manifest.observed or text(volume, "name") not in names:
            continue
        yield from ((one, held.manifest) for one in _told_in.of(held))


def _with_ports(held: ConfigMap) -> Sequence[ToldHost]:
    """What its files say of hosts and ports, but for where a program itself listens."""
    found = []
    for one in in_texts(held.data):
        value, end = str(held.data[str(one.path[-1])]), one.offset or 0
        before = value[value.rfind("\n", 0, end) + 1 : end]
        if one.port and not ASKED_ELSEWHERE.search(before):
            found.append(one)
    return found


_told_in: Derived[ConfigMap, Sequence[ToldHost]] = Derived(_with_ports)
"""Once a ConfigMap, not for each pod that mounts it."""


def _gets_sidecar(template: Template) -> bool:
    """Whether a webhook puts a container beside it, which listens on ports of its own."""
    notes = table(template.manifest.data, *template.path, "metadata", "annotations")
    return any(map(_INJECTED.search, notes))


def to_a_neighbour(
    ground: Ground, template: Template, container: ContainerText
) -> Iterator[Finding]:
    """``--upstream=http://127.0.0.1:3000``: the container beside it listens elsewhere.

    Told where every container of the pod declares its ports, and none of them is this one.
    """
    pod = ground.pod_of(template)
    if pod is None or pod.host_network or _gets_sidecar(template):
        return
    wanted = [
        (one, one.port)
        for one in asked(container)
        if one.host in ITSELF and one.port and not ASKED_ELSEWHERE.search(one.what)
    ]
    if not wanted:
        return
    stay = running(pod)
    others = [one for one in stay if one.name != container.name]
    if not others or not all(one.ports for one in stay):
        return
    for one, port in wanted:
        known = any(own.number == port for own in declared(pod))
        if known or who_names(ground.cluster, _without(pod, container.name), None, port, _TCP):
            continue
        has = [p.number for other in others for p in other.ports if p.protocol is _TCP]
        if not has or _says_listen(container, one):
            continue
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=template.subject,
            place=template.manifest.place(*one.path),
            why=f"{one.what} of container {container.name} leads to {one.host}:{one.port}, the pod "
            f"itself, where no container listens on {one.port}; "
            f"{listed([other.name for other in others])} has {listed(has)}",
            fix=f"write port {has[0]}",
        )


_ASKS = re.compile(
    r"host|url|uri|dsn|server|master|endpoint|database|db|conn|broker|upstream|backend|target|proxy",
    re.IGNORECASE,
)
"""What an option says that names somebody to be asked."""


def _says_ask(container: ContainerText, one: ToldHost) -> bool:
    word = str(at(container.data, *one.path[len(container.path) :]))
    return _ASKS.search(word.partition(one.host)[0]) is not None


def _says_listen(container: ContainerText, one: ToldHost) -> bool:
    """Whether the option in which it stands says where the program itself listens."""
    word = str(at(container.data, *one.path[len(container.path) :]))
    before = word.partition(one.host)[0]
    return ASKED_ELSEWHERE.search(before) is not None


def _without(pod: Pod, name: str) -> Pod:
    """The pod without one of its containers: what that one says is no evidence of the others."""
    return replace(pod, containers=tuple(one for one in pod.containers if one.name != name))
