"""A container is told to ask a Service that is not there, or a port that it does not have.

A value such as ``cart:7071`` or ``http://api.shop:81/x`` names a Service of the input; what is sent
to another port of its clusterIP matches no rule and goes nowhere. A name that is a typing error
away from a Service's resolves to nothing.

``localhost`` is the pod itself: told so is a container of a pod that has no such port, where a
Service of its namespace has it. A URL that HTTP_PROXY has asked by way of a proxy outside, for want
of an entry in NO_PROXY, comes to nobody either.

Looks at env values, command and args, and at ConfigMaps' values; in those of several lines at names
alone, and at no comments. Does not apply to
hosts that no Service of the input is like (they may be elsewhere), nor, as to ports, to
ExternalName Services; to headless ones, whose ports nobody translates, only where the pods lack the
port too and it is a digit away from the Service's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from k8stui.apiserver.fields import array, table, text
from k8stui.check.asked.hosts import (
    ID,
    ToldHost,
    asked,
    in_texts,
    in_vain,
    in_values,
    place_of,
    service_at,
    service_named,
)
from k8stui.check.asked.itself import to_a_neighbour, to_itself
from k8stui.check.asked.meant import (
    IS_HOST,
    by_part,
    by_port,
    by_port_and_word,
    by_words,
    in_another,
    typo,
)
from k8stui.check.asked.node import on_the_node
from k8stui.check.asked.peers import below_a_service
from k8stui.check.asked.proxied import by_proxy
from k8stui.check.asked.values import (
    in_quotes,
    variables,
    with_its_port_twice,
    with_white_space,
)
from k8stui.check.claim import Claim
from k8stui.check.client import pod_source
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.sent_on import sent_on
from k8stui.check.template import ContainerText, Template
from k8stui.cluster.meant import meant_by_name, meant_by_port
from k8stui.cluster.model import Cluster, Service, ServiceType, Workload
from k8stui.cluster.programs.images import asks_by_itself
from k8stui.cluster.programs.listening import declared
from k8stui.cluster.programs.outdated_options import unread
from k8stui.kernel.packet import Protocol
from k8stui.manifests import Manifest
from k8stui.order import listed
from k8stui.suggest import is_digit_slip
from k8stui.walk.diagnosis.names import (
    in_foreign_domain,
    in_order,
    is_abroad,
    of_machine,
    short_of_namespace,
    unnumbered,
    without_service,
)
from k8stui.walk.diagnosis.selectors import is_its_workload, renamed

_NO_TAG = 80
"""From here on the number behind the colon is a port; below, an image's tag (``redis:7``)."""


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        for container in template.containers():
            given = [*variables(ground, template, container)]
            yield from to_itself(ground, template, container, given)
            yield from with_white_space(template, container, given)
            yield from in_quotes(template, container, given)
            yield from with_its_port_twice(template, container, given)
            yield from to_a_neighbour(ground, template, container)
            yield from on_the_node(ground, template, container)
            yield from by_proxy(ground, template, container, given)
            yield from _by_itself(ground, template, container)
            yield from _unread(template, container)
            told: set[tuple[str, int | None]] = set()
            for one in asked(container):
                if (one.host, one.port) in told:
                    continue
                who = f"{one.what} of container {container.name}"
                found = _by_browser(ground, template, one, who) or _judge(
                    ground, template.manifest, one, who, template
                )
                if found is not None:
                    told.add((one.host, one.port))
                    yield found
    yield from sent_on(ground)
    for manifest in ground.of_kind("ConfigMap").values():
        data = table(manifest.data, "data") if not manifest.observed else {}
        for one in (*in_values(data), *in_texts(data)):
            found = _judge(ground, manifest, one, one.what)
            if found is not None:
                yield found


def _unread(template: Template, container: ContainerText) -> Iterator[Finding]:
    """``DB_ADDR`` of a Keycloak of today: it asks its own database, and nobody else."""
    image = text(container.data, "image")
    names = [text(one, "name") for one in array(container.data, "env")]
    found = unread(image, names)
    first = next((one for one in names if one in found), None)
    if first is None:
        return
    since, instead = found[first]
    others = [f"{one}: {found[one][1]}" for one in found if one != first]
    yield Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=template.subject,
        place=template.manifest.place(*container.path, "env", names.index(first), "name"),
        why=f"{first} of container {container.name} is not read by {image} (not since {since}): it "
        "goes by what it has itself",
        fix=f"write {instead} instead of {first}" + (f" ({listed(others)})" if others else ""),
    )


def _by_itself(ground: Ground, template: Template, container: ContainerText) -> Iterator[Finding]:
    """An image that nobody tells whom to ask, and that asks a name which no Service has."""
    asks = asks_by_itself(container.data)
    if asks is None or f"{template.namespace}/{asks.host}" in ground.cluster.services:
        return
    found = meant_by_port(ground.cluster, template.namespace, asks.port)
    pod = ground.pod_of(template)
    if found is None or pod is None:
        return
    image = text(container.data, "image")
    names = {text(one, "name") for one in array(container.data, "env")}
    old = f"; {asks.old} is not read any more (since {asks.since})" if {asks.old} & names else ""
    port = "" if asks.port == _MYSQL else f":{asks.port}"
    value = f"http://{found.name}:{asks.port}" if asks.old else f"{found.name}{port}"
    yield Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=template.subject,
        place=template.manifest.place(*container.path, "image"),
        why=f"container {container.name} runs {image}, which asks {asks.host}:{asks.port} unless "
        f"{asks.variable} is set{old}: there is no Service {template.namespace}/{asks.host}",
        fix=f"set {asks.variable}: {value} in its env",
        claim=Claim(pod_source(pod), f"{asks.host}:{asks.port}"),
    )


_MYSQL = 3306


def _judge(
    ground: Ground, manifest: Manifest, one: ToldHost, who: str, template: Template | None = None
) -> Finding | None:
    """`who` asks, as written in `manifest`; `template`: of the pods that do."""
    own = manifest.namespace or "default"
    subject = f"{manifest.kind} {own}/{manifest.name}"
    peer = below_a_service(ground, manifest, one, who, own)
    if peer is not None:
        return peer
    order = in_order(one.host)
    if order and f"{order.split('.')[1]}/{order.split('.')[0]}" in ground.cluster.services:
        why = f"{who} leads to {one.host}, which has svc in front of the namespace"
        return in_vain(manifest, one, why, f"write {order}")
    if is_abroad(ground.cluster, one.host):
        abroad = in_foreign_domain(ground.cluster, one.host)
        if abroad is None or not _says_domain(ground.cluster):
            return None  # a name of another cluster, or of one whose domain is not known here
        return in_vain(manifest, one, f"{who} leads to {one.host}: {abroad.reason}", abroad.advice)
    machine = of_machine(ground.cluster, None, one.host)
    if machine is not None:
        found = in_vain(manifest, one, f"{who}: {machine.reason}", machine.advice)
        return replace(found, severity=Severity.INFO)
    name, namespace = service_named(one.host, own, ground.cluster.cluster_domain)
    if "." in namespace and ".svc" in one.host:  # a pod's name below its Service's
        pod = name
        name, _, namespace = namespace.partition(".")
        if (without := unnumbered(ground.cluster, namespace, pod)) is not None:
            why = f"{who} leads to {one.host}: {without.reason}"
            return in_vain(manifest, one, why, without.advice)
    service = ground.cluster.services.get(f"{namespace}/{name}")
    if service is None:
        meant = (
            typo(ground, namespace, name)
            or in_another(ground, namespace, name, one, own)
            or by_words(ground, namespace, name, one)
            or by_port(ground, one, template)
            or by_port_and_word(ground, namespace, name, one)
            or by_part(ground, namespace, name, one)
        )
        if meant is None:
            return _by_pods(ground, manifest, one, who, (namespace, name))
        why = f"{who} leads to {one.host}: there is no Service {namespace}/{name}"
        called = ground.cluster.services.get(f"{namespace}/{meant}")
        if called is not None and is_its_workload(ground.cluster, called, name):
            return Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Service {called.key}",
                place=ground.place(called, "metadata", "name"),
                why=f"its pods are those of {name}, and {subject} asks for that: {why}",
                fix=renamed(called, name),
            )
        return in_vain(manifest, one, why, f"write {meant}")
    if short_of_namespace(one.host, ground.cluster.cluster_domain):
        why = f"{who} leads to {one.host}, which leaves out the namespace: no such name is there"
        fix = f"write {name}, or {name}.{namespace}.svc.{ground.cluster.cluster_domain}"
        return in_vain(manifest, one, why, fix)
    if (beside := _comes_back(ground, service, one, who, template)) is not None:
        return beside
    numbers = [port.port for port in service.ports]
    if one.port is None or not numbers or one.port in numbers:
        return None
    if service.type is ServiceType.EXTERNAL_NAME or not _is_slip(ground, service, one):
        return None
    walkable = template is not None and service.cluster_ips
    why = f"{who} leads to port {one.port} of Service {service.key}, which has {listed(numbers)}"
    fix = f"write port {numbers[0]}"
    opener = ground.listening.behind(ground.selected(service), service, one.port, Protocol.TCP)
    if opener and all(one.port != port.target_port for port in service.ports):
        fix = (
            f"add port {one.port} to Service {service.name}: {opener} opens it behind the Service; "
            f"or {fix}"
        )
    return replace(
        in_vain(manifest, one, why, fix),
        claim=_claim(ground, template, service, one.port) if walkable and template else None,
    )


def _says_domain(cluster: Cluster) -> bool:
    """Whether the input says which domain is the cluster's."""
    return "cluster_domain" in cluster.origins or cluster.cluster_domain != _USUAL_DOMAIN


_USUAL_DOMAIN = "cluster.local"


def _comes_back(
    ground: Ground, service: Service, one: ToldHost, who: str, template: Template | None
) -> Finding | None:
    """``db-slave`` asks ``db-master``, a Service that leads to its own pods beside the master's."""
    pod = ground.pod_of(template) if template is not None else None
    if pod is None or template is None or template.name == service.name or not service.selector:
        return None
    if not service.selector.items() <= pod.labels.items():
        return None
    other = ground.made_by(service.namespace, service.name)
    if other is None or not service.selector.items() <= other.labels.items():
        return None
    unlike = ((k, v) for k, v in other.labels.items() if pod.labels.get(k) != v and k != _HASH)
    own = next(unlike, None)
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"Service {service.key}",
        place=ground.place(service, "spec", "selector"),
        why=f"{who} of {template.subject} leads to {one.host}, and that Service selects "
        f"{template.name}'s own pods too: a part of what they ask comes back to themselves",
        fix=f"write {own[0]}: {own[1]} into its selector, too"
        if own is not None
        else f"let the selector be that of {service.name}'s pods alone",
    )


_HASH = "pod-template-hash"
_BROWSERS = re.compile(r"(?:REACT_APP|VITE|VUE_APP|NEXT_PUBLIC|NUXT_PUBLIC|NG_APP|GATSBY)_")


def _by_browser(ground: Ground, template: Template, one: ToldHost, who: str) -> Finding | None:
    """``REACT_APP_API_URL=http://backend:8080``: what a build puts into a page, a browser asks."""
    service = service_at(ground.cluster, one.host, template.namespace)
    if service is None or one.port is None or not _BROWSERS.match(one.what):
        return None
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=template.subject,
        place=place_of(template.manifest, one),
        why=f"{who} is for the page that a browser opens, and leads to {one.host}: Service "
        f"{service.key} has that name for pods alone",
        fix="write a path of the page's own host (/api), which its web server or an Ingress leads "
        f"to Service {service.name}, or an address that is reached from outside",
    )


def _by_pods(
    ground: Ground, manifest: Manifest, one: ToldHost, who: str, key: tuple[str, str]
) -> Finding | None:
    """``http://catalog:8080`` of a workload that no Service selects; ``mysql:3306`` of an image."""
    if one.offset is not None:
        return None
    pod = ground.cluster.pods.get("/".join(key))
    if pod is not None and pod.owner is None and IS_HOST.search(one.what):
        labels = ",".join(f"{k}={v}" for k, v in pod.labels.items())
        return in_vain(
            manifest,
            one,
            f"{who} leads to {one.host}, a pod: pods have no DNS name of their own, and there "
            f"is no Service {'/'.join(key)}",
            f"write a Service {pod.name} with selector {labels or f'app={pod.name}'}"
            + ("" if labels else f", and that label into pod {pod.name}"),
        )
    found = meant_by_name(ground.cluster, *key, one.port)
    if found is None or (one.port is None and not isinstance(found, Workload)):
        return None
    if isinstance(found, Workload):
        why, fix = without_service(
            ground.cluster, found, one.port, ground.services_named(found.name)
        )
    else:
        why, fix = f"there is no Service {'/'.join(key)}", f"write {found.name}"
    return in_vain(manifest, one, f"{who} leads to {one.host}: {why}", fix)


def _is_slip(ground: Ground, service: Service, one: ToldHost) -> bool:
    """Whether the port is wrong: of a clusterIP any other, else one that the pods lack too."""
    slip = any(is_digit_slip(one.port or 0, port.port) for port in service.ports)
    if service.cluster_ips:
        return slip or (one.port or 0) >= _NO_TAG
    pods = ground.selected(service)
    return slip and not any(port.number == one.port for pod in pods for port in declared(pod))


def _claim(ground: Ground, template: Template, service: Service, number: int) -> Claim | None:
    pod = ground.pod_of(template)
    if pod is None:
        return None
    name = service.name if service.namespace == "default" else f"{service.name}.{service.namespace}"
    return Claim(pod_source(pod), f"svc/{name}:{number}")


RULE = CheckRule(
    id=ID,
    summary="A container is told a Service or port that is not there",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
