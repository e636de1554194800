"""A container is told to ask a Service that is not there, or a port that it does not have.

A value such as ``cart:7071`` or ``http://api.shop:81/x`` names a Service of the input; what is sent
to another port of its clusterIP matches no rule and goes nowhere. A name that is a typing error
away from a Service's resolves to nothing.

``localhost`` is the pod itself: told so is a container of a pod that has no such port, where a
Service of its namespace has it.

Looks at env values, command and args, and at ConfigMaps' values; in those of several lines at names
alone, and at no comments. Does not apply to
hosts that no Service of the input is like (they may be elsewhere), nor, as to ports, to
ExternalName Services; to headless ones, whose ports nobody translates, only where the pods lack the
port too and it is a digit away from the Service's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from k8stui.apiserver import defaults
from k8stui.apiserver.fields import array, at, table, text, texts
from k8stui.check.claim import Claim
from k8stui.check.client import pod_source
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.hosts import (
    ToldHost,
    asked,
    in_texts,
    in_values,
    in_variable,
    in_words,
    service_named,
)
from k8stui.check.place import TextPlace
from k8stui.check.template import ContainerText, Template
from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.meant import meant_by_name, meant_by_port
from k8stui.cluster.model import Pod, Service, ServiceType, Workload
from k8stui.cluster.programs.evidence import who_names
from k8stui.cluster.programs.images import asks_by_itself, usual_port
from k8stui.cluster.programs.listening import declared, running
from k8stui.cluster.programs.outdated_options import unread
from k8stui.kernel.derived import Derived
from k8stui.kernel.packet import Protocol
from k8stui.manifests import Manifest, Place
from k8stui.manifests.embedded import position_in
from k8stui.manifests.manifest import field_name
from k8stui.order import listed
from k8stui.suggest import is_digit_slip, is_same_thing, is_typo
from k8stui.walk.diagnosis.names import (
    in_order,
    of_machine,
    short_of_namespace,
    without_service,
)
from k8stui.walk.diagnosis.selectors import is_its_workload, renamed

ID = "env-address"
_DIGITS = 5
_SHORT = 3
"""Letters of a namespace's name that may stand for a longer one: prod, production."""
_NO_TAG = 80
"""From here on the number behind the colon is a port; below, an image's tag (``redis:7``)."""


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        for container in template.containers():
            yield from _own(ground, template, container)
            yield from _with_white_space(ground, template, container)
            yield from _beside(ground, template, container)
            yield from _on_the_node(ground, template, container)
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
    for manifest in ground.of_kind("ConfigMap").values():
        data = table(manifest.data, "data") if not manifest.observed else {}
        for one in (*in_values(data), *in_texts(data)):
            found = _judge(ground, manifest, one, one.what)
            if found is not None:
                yield found


_TCP = Protocol.TCP
_ITSELF = frozenset(("localhost", "127.0.0.1"))
_INJECTED = re.compile(r"inject|sidecar|^dapr\.io/enabled$|/connect-service")
"""Annotations that ask for a container: of Istio, Linkerd, Vault, Dapr, Consul."""
_IS_HOST = re.compile(r"(HOST|HOSTNAME|ADDR|ADDRESS|URL|URI|SERVER|ENDPOINT)S?$", re.IGNORECASE)
"""Variables whose value is a host and nothing else: no name of a thing (OTEL_SERVICE_NAME)."""
_ASKED_ELSEWHERE = re.compile(
    r"LISTEN|BIND|HEALTH|METRIC|ADMIN|PROBE|DEBUG|ADVERTISE"
    r"|ORIGIN|CORS|REDIRECT|CALLBACK|PUBLIC|EXTERNAL",
    re.IGNORECASE,
)
"""Variables that say where the program itself listens, or what a browser asks or sends."""


def _own(ground: Ground, template: Template, container: ContainerText) -> Iterator[Finding]:
    """``DB_HOST=localhost``: the pod itself, which has no such port; a Service beside it has."""
    pod = ground.pod_of(template)
    if pod is None or pod.host_network:
        return
    values = [*_values(ground, template, container)]
    env = {name: value for name, value, _, _ in values}
    told = [
        (one, holder)
        for name, value, holder, path in values
        for one in in_variable(name, value.strip(), path)
    ]
    told += _in_files(ground, template, container)
    told += [
        (one, template.manifest)
        for one in in_words(container)
        if one.port and _says_ask(container, one) and not _says_listen(container, one)
    ]
    for one, holder in told:
        if one.host not in _ITSELF or _ASKED_ELSEWHERE.search(one.what):
            continue
        port = one.port or _port_beside(one.what, env)
        if any(own.number == port for own in declared(pod)):
            continue
        if port not in ground.listening.others_ports(pod, Protocol.TCP):
            continue
        service = ground.with_port(pod.namespace, port)
        if service is None:
            continue
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=template.subject,
            place=_place(holder, one),
            why=f"{one.what} of container {container.name} leads to {one.host}:{port}, the pod "
            f"itself, where nothing listens on {port}; Service {service.key} has that port",
            fix=f"write {service.name} instead of {one.host}",
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
        if one.port and not _ASKED_ELSEWHERE.search(before):
            found.append(one)
    return found


_told_in: Derived[ConfigMap, Sequence[ToldHost]] = Derived(_with_ports)
"""Once a ConfigMap, not for each pod that mounts it."""


_NEEDS_NONE = re.compile(
    r"(HOST|HOSTNAME|ADDR|ADDRESS|URL|URI|SERVER|ENDPOINT|PORT|DSN)S?$", re.IGNORECASE
)


def _with_white_space(
    ground: Ground, template: Template, container: ContainerText
) -> Iterator[Finding]:
    """A host, URL or port that ends in a line feed or a blank: no resolver finds such a name.

    ``|`` in a ConfigMap and ``echo`` without ``-n`` before base64 put a line feed there.
    """
    for name, value, holder, path in _values(ground, template, container):
        if value.strip() in ("", value) and not value.endswith("\n"):
            continue
        if "\n" in value.strip() or not _NEEDS_NONE.search(name):
            continue
        feed = value.endswith("\n")
        secret = holder.kind == "Secret"
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=template.subject,
            place=holder.place(*path),
            why=f"{name} of container {container.name} ends in a "
            f"{'line feed' if feed else 'blank'}"
            + (f" ({holder.kind} {holder.name})" if holder is not template.manifest else "")
            + ", which is part of the value: no such name or number is found",
            fix="encode it again without the line feed (echo -n), or write it into stringData"
            if secret
            else "write |- or the value on the key's own line"
            if feed
            else "leave the blank out",
        )


def _values(
    ground: Ground, template: Template, container: ContainerText
) -> Iterator[tuple[str, str, Manifest, tuple[str | int, ...]]]:
    """Each variable with its value, and where that is written: here, in a ConfigMap or a Secret.

    Of a Secret no value is known, but whether it ends in a line feed.
    """
    for index, one in enumerate(array(container.data, "env")):
        source = table(one, "valueFrom")
        name = text(one, "name")
        if not source:
            path = (*container.path, "env", index, "value")
            yield name, text(one, "value"), template.manifest, path
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            held = ground.of_kind(kind).get(f"{template.namespace}/{text(source, field, 'name')}")
            key = text(source, field, "key")
            if held is not None:
                yield from ((name, value, held, path) for value, path in _under(held, key))
    for one in array(container.data, "envFrom"):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            held = ground.of_kind(kind).get(f"{template.namespace}/{text(one, field, 'name')}")
            if held is not None:
                prefix = text(one, "prefix")
                yield from ((prefix + key, value, held, path) for key, value, path in _held(held))


def _under(manifest: Manifest, key: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for part in ("data", "stringData"):
        value = table(manifest.data, part).get(key)
        if isinstance(value, str):
            yield value, (part, key)


def _held(manifest: Manifest) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for part in ("data", "stringData"):
        for key, value in table(manifest.data, part).items():
            if isinstance(value, str):
                yield key, value, (part, key)


def _gets_sidecar(template: Template) -> bool:
    """Whether a webhook puts a container beside it, which listens on ports of its own."""
    notes = table(template.manifest.data, *template.path, "metadata", "annotations")
    return any(map(_INJECTED.search, notes))


def _beside(ground: Ground, template: Template, container: ContainerText) -> Iterator[Finding]:
    """``--upstream=http://127.0.0.1:3000``: the container beside it listens elsewhere.

    Told where every container of the pod declares its ports, and none of them is this one.
    """
    pod = ground.pod_of(template)
    if pod is None or pod.host_network or _gets_sidecar(template):
        return
    wanted = [
        (one, one.port)
        for one in asked(container)
        if one.host in _ITSELF and one.port and not _ASKED_ELSEWHERE.search(one.what)
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


_ASKS = re.compile(
    r"host|url|uri|dsn|server|endpoint|database|db|conn|broker|upstream|backend|target|proxy",
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
    return _ASKED_ELSEWHERE.search(before) is not None


def _without(pod: Pod, name: str) -> Pod:
    """The pod without one of its containers: what that one says is no evidence of the others."""
    return replace(pod, containers=tuple(one for one in pod.containers if one.name != name))


def _on_the_node(ground: Ground, template: Template, container: ContainerText) -> Iterator[Finding]:
    """A host that is the node (status.hostIP), and a port that no hostPort opens there.

    Told where a DaemonSet, which has a pod on each node, declares that port at its own address, or
    a Service has it.
    """
    env = {text(one, "name"): one for one in array(container.data, "env")}
    for name, one in env.items():
        if text(one, "valueFrom", "fieldRef", "fieldPath") != "status.hostIP":
            continue
        ports = [p for p in _ports_of_node(name, env) if p]
        for number in ports[:1]:
            agent = ground.daemon_ports.get(number)
            service = ground.with_port(template.namespace, number)
            if number in ground.opened_on_nodes or not (agent or service):
                continue
            if agent is not None:
                who = f"DaemonSet {agent} declares it at its pods' own addresses"
                fix = f"write hostPort: {number} beside containerPort in DaemonSet {agent}"
            elif service is not None:
                who = f"it is the port of Service {service.key}, at an address of its own"
                fix = f"write {service.name} instead of $({name})"
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=template.subject,
                place=template.manifest.place(*container.path, "env"),
                why=f"{name} of container {container.name} is the node's address, and nothing "
                f"opens port {number} there: {who}",
                fix=fix,
            )


def _ports_of_node(name: str, env: Mapping[str, object]) -> Iterator[int]:
    """The port beside a host's variable, or in one that is made of it (``http://$(HOST):8126``)."""
    for other, one in env.items():
        value = text(one, "value")
        if other == re.sub(r"HOST(NAME|_IP)?$|IP$", "PORT", name) and value.isdecimal():
            yield int(value[:_DIGITS])
        found = re.search(rf"\$\({re.escape(name)}\):(\d{{1,5}})", value)
        if found is not None:
            yield int(found[1])
        words = re.match(r"(\w+?)_(?:AGENT_)?HOST$", name)
        if words is not None and re.fullmatch(rf"{words[1]}_\w*PORT", other) and value.isdecimal():
            yield int(value[:_DIGITS])


def _judge(
    ground: Ground, manifest: Manifest, one: ToldHost, who: str, template: Template | None = None
) -> Finding | None:
    """`who` asks, as written in `manifest`; `template`: of the pods that do."""
    own = manifest.namespace or "default"
    subject = f"{manifest.kind} {own}/{manifest.name}"
    peer = _peer(ground, manifest, one, who, own)
    if peer is not None:
        return peer
    order = in_order(one.host)
    if order and f"{order.split('.')[1]}/{order.split('.')[0]}" in ground.cluster.services:
        why = f"{who} leads to {one.host}, which has svc in front of the namespace"
        return _of_peer(manifest, one, why, order)
    machine = of_machine(ground.cluster, None, one.host)
    if machine is not None:
        found = _of_peer(manifest, one, f"{who}: {machine.reason}", "")
        return replace(found, severity=Severity.INFO, fix=machine.advice)
    name, namespace = service_named(one.host, own, ground.cluster.cluster_domain)
    service = ground.cluster.services.get(f"{namespace}/{name}")
    if service is None:
        meant = (
            _meant(ground, namespace, name)
            or _in_another(ground, namespace, name)
            or _by_words(ground, namespace, name, one)
            or _by_port(ground, one, template)
            or _by_port_and_word(ground, namespace, name, one)
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
        return Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=subject,
            place=_place(manifest, one),
            why=why,
            fix=f"write {meant}",
        )
    if short_of_namespace(one.host, ground.cluster.cluster_domain):
        return Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=subject,
            place=_place(manifest, one),
            why=f"{who} leads to {one.host}, which leaves out the namespace: no such name is there",
            fix=f"write {name}, or {name}.{namespace}.svc.{ground.cluster.cluster_domain}",
        )
    if (beside := _comes_back(ground, service, one, who, template)) is not None:
        return beside
    numbers = [port.port for port in service.ports]
    if one.port is None or not numbers or one.port in numbers:
        return None
    if service.type is ServiceType.EXTERNAL_NAME or not _is_slip(ground, service, one):
        return None
    walkable = template is not None and service.cluster_ips
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=subject,
        place=_place(manifest, one),
        why=f"{who} leads to port {one.port} of Service {service.key}, which has {listed(numbers)}",
        fix=f"write port {numbers[0]}",
        claim=_claim(ground, template, service, one.port) if walkable and template else None,
    )


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


def _peer(ground: Ground, manifest: Manifest, one: ToldHost, who: str, own: str) -> Finding | None:
    """A StatefulSet's pod below another name than its governing Service's (``db-0.dbs``)."""
    pod, _, rest = one.host.partition(".")
    base, _, number = pod.rpartition("-")
    below, _, further = rest.partition(".")
    made = ground.of_kind("StatefulSet").get(f"{own}/{base}") if number.isdecimal() else None
    governing = text(made.data, "spec", "serviceName") if made is not None else ""
    service = ground.cluster.services.get(f"{own}/{governing}")
    known = further == "" or further.startswith((f"{own}.svc", "svc"))
    there = further.partition(".svc")[0] if ".svc" in further else own
    unlike = f"{who} leads to {one.host}"
    if made is not None and below == own and further.startswith("svc"):
        why = f"{unlike}, which leaves out Service {governing} behind the pod's name"
        return _of_peer(manifest, one, why, f"{pod}.{governing}.{rest}")
    if made is not None and below == governing and there != own and service is not None:
        if f"{there}/{below}" in ground.cluster.services:
            return None
        why = f"{unlike}: StatefulSet {made.name} is in namespace {own}, and there is no Service "
        full = f"{pod}.{below}.{own}.svc.{ground.cluster.cluster_domain}"
        return _of_peer(manifest, one, f"{why}{there}/{below}", full)
    if number.isdecimal() and below and further == "" and made is None:
        return _peer_elsewhere(ground, manifest, one, who, own)
    if made is not None and service is not None and pod == one.host and one.port is not None:
        if service.cluster_ips or f"{own}/{pod}" in ground.cluster.services:
            return None
        alone = manifest is made and defaults.replicas(made.kind, table(made.data, "spec")) == 1
        if alone or _finds_by_itself(ground, pod):
            return None
        why = f"{unlike}, a pod: it has no DNS name but that below Service {governing}"
        return _of_peer(manifest, one, why, f"{pod}.{governing}")
    if not below or below == governing or service is None or not known:
        return None
    alike = is_typo(below, governing) or is_same_thing(below, governing) or below == base
    # A pod's name and one more label: another namespace's Service of that name, else nobody's.
    alone = further == "" and below not in ground.in_namespace
    if f"{own}/{below}" not in ground.cluster.services and not (alike or alone):
        return None
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"{manifest.kind} {own}/{manifest.name}",
        place=_place(manifest, one),
        why=f"{who} leads to {one.host}: pod {pod} has its name below Service {governing}, which "
        f"governs StatefulSet {base} (serviceName)",
        fix=f"write {pod}.{governing}",
    )


def _finds_by_itself(ground: Ground, pod: str) -> bool:
    """Whether some pod has a search list of its own, or the name in its /etc/hosts."""
    return any(
        texts(one.spec, "dnsConfig", "searches")
        or any(pod in texts(alias, "hostnames") for alias in array(one.spec, "hostAliases"))
        for one in ground.templates
    )


def _of_peer(manifest: Manifest, one: ToldHost, why: str, name: str) -> Finding:
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"{manifest.kind} {manifest.namespace or 'default'}/{manifest.name}",
        place=_place(manifest, one),
        why=why,
        fix=f"write {name}",
    )


def _peer_elsewhere(
    ground: Ground, manifest: Manifest, one: ToldHost, who: str, own: str
) -> Finding | None:
    """``db-0.db`` of a StatefulSet in another namespace: its name ends in that."""
    pod, _, below = one.host.partition(".")
    there = ground.namespaces_with("StatefulSet", pod.rpartition("-")[0])
    # In a namespace of that name it may be a Service's own name.
    if (
        len(there) != 1
        or below in ground.in_namespace
        or f"{own}/{below}" in ground.cluster.services
    ):
        return None
    made = ground.of_kind("StatefulSet")[f"{there[0]}/{pod.rpartition('-')[0]}"]
    if text(made.data, "spec", "serviceName") != below:
        return None
    why = f"{who} leads to {one.host}: StatefulSet {made.name} is in namespace {there[0]}, and its "
    return _of_peer(manifest, one, f"{why}pods have their names there", f"{one.host}.{there[0]}")


def _meant(ground: Ground, namespace: str, name: str) -> str | None:
    """A Service that `name` is a typing error of.

    What is called like a workload is probably no host (``--name=web-1:80``), unless the Service
    is that workload's own: then it is the Service that is misspelt.
    """
    meant = ground.meant_service(namespace, name)
    if meant is None or name not in ground.hostnames:
        return meant
    service = ground.cluster.services[f"{namespace}/{meant}"]
    return meant if is_its_workload(ground.cluster, service, name) else None


def _in_another(ground: Ground, namespace: str, name: str) -> str | None:
    """``name.namespace`` of the one Service of that name, which stands in another namespace.

    In a namespace of which the input holds nothing (``mail.example``: a host of the world) the
    name may well be right, unless the namespace is but misspelt.
    """
    found = ground.services_named(name)
    if len(found) != 1 or found[0].namespace == namespace:
        return None
    there = found[0].namespace
    # What is called like a workload is probably no host, unless the Service leads to it.
    own = is_its_workload(ground.cluster, found[0], name)
    if name in ground.hostnames and not own:
        return None
    known = namespace in ground.in_namespace or is_typo(namespace, there)
    short = min(len(namespace), len(there)) >= _SHORT and (
        there.startswith(namespace) or namespace.startswith(there)
    )
    return f"{name}.{there}" if known or short else None


def _by_words(ground: Ground, namespace: str, name: str, one: ToldHost) -> str | None:
    """``kafka`` for Service kafka-service: not where the value may be a mere name."""
    if one.port is None and not _IS_HOST.search(one.what) and " -" not in one.what:
        return None
    found = ground.called.about(namespace, name, one.port or usual_port(name))
    if found is None:
        return None
    own = is_its_workload(ground.cluster, found, name)
    return found.name if own or name not in ground.hostnames else None


_BROWSERS = re.compile(r"(?:REACT_APP|VITE|VUE_APP|NEXT_PUBLIC|NUXT_PUBLIC|NG_APP|GATSBY)_")


def _by_browser(ground: Ground, template: Template, one: ToldHost, who: str) -> Finding | None:
    """``REACT_APP_API_URL=http://backend:8080``: what a build puts into a page, a browser asks."""
    own = template.namespace
    name, namespace = service_named(one.host, own, ground.cluster.cluster_domain)
    service = ground.cluster.services.get(f"{namespace}/{name}")
    if service is None or one.port is None or not _BROWSERS.match(one.what):
        return None
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=template.subject,
        place=_place(template.manifest, one),
        why=f"{who} is for the page that a browser opens, and leads to {one.host}: Service "
        f"{service.key} has that name for pods alone",
        fix="write a path of the page's own host (/api), which its web server or an Ingress leads "
        f"to Service {service.name}, or an address that is reached from outside",
    )


def _by_port(ground: Ground, one: ToldHost, template: Template | None) -> str | None:
    """``DB_HOST=postgres_db`` beside ``DB_PORT=5432``, a port that one Service has alone."""
    whole = f"{template.namespace}.svc" in one.host if template is not None else False
    if whole and template is not None and one.port:
        found = meant_by_port(ground.cluster, template.namespace, one.port)
        return f"{found.name}.{template.namespace}" if found is not None else None
    if template is None or one.host in _ITSELF or "." in one.host:
        return None
    if not _IS_HOST.search(one.what):
        return None
    holder = next((c for c in template.containers() if c.path == one.path[: len(c.path)]), None)
    env = array(holder.data, "env") if holder is not None else ()
    told = {text(each, "name"): text(each, "value") for each in reversed(env)}
    if not (port := _port_beside(one.what, told)):
        return None
    found = meant_by_port(ground.cluster, template.namespace, port)
    return found.name if found is not None else None


def _by_port_and_word(ground: Ground, namespace: str, name: str, one: ToldHost) -> str | None:
    """``prometheus-operator-prometheus:9090`` for kube-prometheus, which alone has that port."""
    if one.port is None or name in ground.hostnames:
        return None
    found = meant_by_port(ground.cluster, namespace, one.port, name)
    shared = found is not None and not set(name.split("-")).isdisjoint(found.name.split("-"))
    return found.name if found is not None and shared else None


def _port_beside(variable: str, env: Mapping[str, str]) -> int:
    """The number in ``DB_PORT``, for ``DB_HOST``; 0: there is none."""
    beside = re.sub(r"HOST(NAME)?$|SERVER$|ADDR(ESS)?$", "PORT", variable)
    told = env.get(beside, "") if beside != variable else ""
    return int(told) if told.isdecimal() and len(told) <= _DIGITS else 0


def _by_pods(
    ground: Ground, manifest: Manifest, one: ToldHost, who: str, key: tuple[str, str]
) -> Finding | None:
    """``http://catalog:8080`` of a workload that no Service selects; ``mysql:3306`` of an image."""
    if one.offset is not None:
        return None
    pod = ground.cluster.pods.get("/".join(key))
    if pod is not None and pod.owner is None and _IS_HOST.search(one.what):
        labels = ",".join(f"{k}={v}" for k, v in pod.labels.items())
        return Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"{manifest.kind} {manifest.namespace or 'default'}/{manifest.name}",
            place=_place(manifest, one),
            why=f"{who} leads to {one.host}, a pod: pods have no DNS name of their own, and there "
            f"is no Service {'/'.join(key)}",
            fix=f"write a Service {pod.name} with selector {labels or f'app={pod.name}'}"
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
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"{manifest.kind} {manifest.namespace or 'default'}/{manifest.name}",
        place=_place(manifest, one),
        why=f"{who} leads to {one.host}: {why}",
        fix=fix,
    )


def _place(manifest: Manifest, one: ToldHost) -> Place:
    if one.offset is None:
        return manifest.place(*one.path)
    line, column = position_in(manifest, str(one.path[-1]), one.offset)
    return TextPlace(file=manifest.file, line=line, column=column, field=field_name(one.path))


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
