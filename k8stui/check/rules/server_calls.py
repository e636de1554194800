"""The API server calls a Service, or a port of one, that is not there.

Webhooks (``clientConfig.service``) and APIServices name a Service that the server itself calls, at
port 443 unless they say otherwise (k8s.io/api admissionregistration/v1 ServiceReference): it
resolves no DNS name but looks the Service and its port up. A webhook that fails this way refuses
every object that it is asked about, unless its failurePolicy is Ignore; so does one whose Service
has no endpoints, which is a warning.

A warning where the name is no typing error of a Service's: that one may be elsewhere; and where
NetworkPolicies keep the API server out of the pods behind it: it asks from its node's network, so
no selector means it. An information where a cloud's own control plane may not reach the pods (GKE's
private clusters, another plug-in than Amazon's in EKS). To a
``clientConfig.url`` it applies where a Service's name is in it: that one the server does ask of a
resolver, its node's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from k8stui.apiserver.fields import Object, array, table, text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.ports import number_of
from k8stui.cluster.judgement import Ask
from k8stui.cluster.kubernetes_service import control_plane
from k8stui.cluster.model import Pod, ServiceType
from k8stui.cluster.policy import Direction
from k8stui.kernel.packet import Protocol
from k8stui.kernel.routing import Routing
from k8stui.manifests import Manifest
from k8stui.order import listed
from k8stui.origin import OriginKind
from k8stui.suggest import is_typo
from k8stui.walk.diagnosis.endpoints import without_endpoints
from k8stui.walk.diagnosis.policy import from_device
from k8stui.walk.policies import Denial, Policies

ID = "server-calls"
_DEFAULT_PORT = 443
_WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_OPEN_IN_GKE = (443, 10250)
_OF_AWS = "Amazon VPC CNI"
_Path = tuple[str | int, ...]
_REFUSES = {
    "admissionregistration.k8s.io/v1": ("", "Fail"),
    "admissionregistration.k8s.io/v1beta1": ("Fail",),
}
"""Values of failurePolicy, by version: its default was Ignore (admissionregistration/v1beta1)."""


def look(ground: Ground) -> Iterator[Finding]:
    for kind in _WEBHOOKS:
        for manifest in ground.of_kind(kind).values():
            judged: set[tuple[str, ...]] = set()
            for index, webhook in enumerate(array(manifest.data, "webhooks")):
                path: _Path = ("webhooks", index, "clientConfig", "service")
                called = table(webhook, "clientConfig", "service")
                meant = tuple(str(called.get(each)) for each in ("namespace", "name", "port"))
                if meant not in judged:  # all webhooks of a configuration call the same Service
                    judged.add(meant)
                    yield from _judge(ground, manifest, called, path)
                yield from _kept_out(ground, manifest, called, path)
            yield from _beyond(ground, manifest)
            yield from _nobody(ground, manifest)
            yield from _by_name(ground, manifest)
    for manifest in ground.of_kind("APIService").values():
        called = table(manifest.data, "spec", "service")
        yield from _judge(ground, manifest, called, ("spec", "service"))
        yield from _kept_out(ground, manifest, called, ("spec", "service"))


def _by_name(ground: Ground, manifest: Manifest) -> Iterator[Finding]:
    """A url with a Service's name: the API server asks its node's resolver, not cluster DNS."""
    for index, webhook in enumerate(array(manifest.data, "webhooks")):
        host = urlsplit(text(webhook, "clientConfig", "url")).hostname or ""
        name, _, rest = host.removesuffix(f".{ground.cluster.cluster_domain}").partition(".")
        space, _, kind = rest.partition(".")
        service = ground.cluster.services.get(f"{space}/{name}")
        if service is not None and kind == "svc":
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"{manifest.kind} {manifest.name}",
                place=manifest.place("webhooks", index, "clientConfig", "url"),
                why=f"its url has the name of Service {service.key}, and the API server asks its "
                "node's resolver, which does not know it (no such host)",
                fix=f"write clientConfig.service: {{namespace: {space}, name: {name}}} in its "
                "place, with port and path",
            )


def _beyond(ground: Ground, manifest: Manifest) -> Iterator[Finding]:
    """A control plane beside the cluster: a cloud's own, which not every pod is open to.

    Sources: GKE, "Add firewall rules for private clusters" (443 and 10250); EKS, "Alternate CNI
    plugins" and Calico's and Cilium's installation on EKS (webhooks need hostNetwork).
    """
    cluster = ground.cluster
    cloud = cluster.distribution.name if cluster.distribution is not None else ""
    plugins = [one.name for one in cluster.network_plugins]
    for index, webhook in enumerate(array(manifest.data, "webhooks")):
        called = table(webhook, "clientConfig", "service")
        service = cluster.services.get(f"{text(called, 'namespace')}/{text(called, 'name')}")
        number = called.get("port", _DEFAULT_PORT)
        for pod in ground.selected(service) if service is not None else ():
            ports = [p for p in service.ports if p.port == number] if service is not None else []
            asked = number_of(pod, ports[0]) if ports else None
            if cloud == "gke" and asked not in (None, *_OPEN_IN_GKE):
                why = (
                    f"it is called at port {asked} of its pods, and the control plane of a private "
                    "cluster in GKE reaches 443 and 10250 alone"
                )
                fix = (
                    "nothing in a public cluster; else a firewall rule for that port from the "
                    "control plane's range to the nodes"
                )
            elif cloud == "eks" and plugins and _OF_AWS not in plugins and not pod.host_network:
                why = f"EKS' control plane knows no way to pods in {plugins[0]}'s own network"
                fix = "let the webhook's pods use hostNetwork (with ports apart on the node)"
            else:
                continue
            yield Finding(
                rule=ID,
                severity=Severity.INFO,
                subject=f"{manifest.kind} {manifest.name}",
                place=manifest.place("webhooks", index, "clientConfig", "service"),
                why=f"{why}: calls to Service {service.key if service else ''} may time out",
                fix=fix,
            )
            return


def _kept_out(ground: Ground, manifest: Manifest, called: Object, path: _Path) -> Iterator[Finding]:
    """Policies let the API server not in to the pods that it calls."""
    service = ground.cluster.services.get(f"{text(called, 'namespace')}/{text(called, 'name')}")
    policies = Policies(ground.judgement.cluster, ground.judgement)
    number = called.get("port", _DEFAULT_PORT)
    for port in service.ports if service is not None and ground.cluster.all_policies else ():
        for pod in ground.selected(service) if service is not None and port.port == number else ():
            asked = number_of(pod, port)
            denial = _denial(ground, policies, pod, asked) if asked is not None else None
            if denial is not None:
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=f"{manifest.kind} {manifest.name}",
                    place=denial.origin.place or manifest.place(*path, "name"),
                    why=f"the API server calls Service {service.key if service else ''}: "
                    f"{denial.reason}",
                    fix=denial.advice,
                )
                return


def _denial(ground: Ground, policies: Policies, pod: Pod, number: int) -> Denial | None:
    """What keeps out whoever is on the network of a control plane's node.

    A pod's own node always gets through, and so may a control plane that is no node.
    """
    cluster = ground.cluster
    known = control_plane(cluster)
    nodes = known or [n for n in cluster.nodes.values() if n.origin.kind is OriginKind.ASSUMED]
    for node in nodes:
        here = ground.world.network[node.name]
        routing = Routing(here, {one.name: one for one in here.interfaces})
        address = routing.outgoing(pod.addresses[0]).source if pod.addresses else None
        if node.name == pod.node_name or address is None:
            continue
        words = f"its node ({address})" if address in node.addresses else str(address)
        peer = policies.judgement.peer(None, address, words)
        denial = policies.denied(Direction.INGRESS, pod, peer, Ask(number, Protocol.TCP, pod))
        if denial is None or denial.denied is None or denial.unsure:
            return None
        rules = [r for one in denial.denied.ruling.selecting for r in one.rules(Direction.INGRESS)]
        if not known and any(peer.block is not None for rule in rules for peer in rule.peers):
            return None  # which may well be the nodes' addresses
        if address not in node.addresses:
            return from_device(denial, node, here, address)
        return replace(
            denial,
            reason=f"{denial.reason}: it asks from its node's network, so no selector means it",
            advice=f"allow port {number}/TCP in ingress of {denial.policy}, without from, or from "
            f"ipBlock: {{cidr: {address}/{address.bits}}} and so for each node of the control "
            "plane",
        )
    return None


def _nobody(ground: Ground, manifest: Manifest) -> Iterator[Finding]:
    """Webhooks without anybody behind them refuse all that they are asked about."""
    refused: dict[str, list[tuple[int, Object]]] = {}
    for index, webhook in enumerate(array(manifest.data, "webhooks")):
        called = table(webhook, "clientConfig", "service")
        if text(webhook, "failurePolicy") in _REFUSES[manifest.api_version]:
            key = f"{text(called, 'namespace')}/{text(called, 'name')}"
            refused.setdefault(key, []).append((index, table(webhook)))
    for key, webhooks in refused.items():
        service = ground.cluster.services.get(key)
        if service is None or service.selector is None or ground.endpoints(service):
            continue
        made = ground.carriers.in_namespace(service.namespace) or ground.idle(service)
        if not made:  # its pods are in another input
            continue
        lack = without_endpoints(ground.cluster, service, None)
        asked = {index: [*_created(webhook)] for index, webhook in webhooks}
        about = sorted({resource for each in asked.values() for resource in each})
        if lack is None or not about or ground.has_strangers:
            continue
        first = next(index for index, each in asked.items() if each)
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"{manifest.kind} {manifest.name}",
            place=manifest.place("webhooks", first, "clientConfig", "service", "name"),
            why=f"the API server refuses every new object of {', '.join(about)} that it asks this "
            f"webhook about: {lack.reason}, and failurePolicy is Fail",
            fix=f"{lack.advice}; or set failurePolicy: Ignore, or take the webhook away",
        )


def _created(webhook: Object) -> Iterator[str]:
    """Resources about whose new objects a webhook is asked."""
    for rule in array(webhook, "rules"):
        if {"CREATE", "*"} & {str(one) for one in array(rule, "operations")}:
            yield from map(str, array(rule, "resources"))


def _judge(ground: Ground, manifest: Manifest, called: Object, path: _Path) -> Iterator[Finding]:
    namespace, name = text(called, "namespace"), text(called, "name")
    if not namespace or not name:
        return
    subject = f"{manifest.kind} {manifest.name}"
    service = ground.cluster.services.get(f"{namespace}/{name}")
    if service is None:
        near = ground.nearest_service(namespace, name)
        away = None if near else _meant_space(ground, namespace, name)
        yield Finding(
            rule=ID,
            severity=Severity.ERROR if near and is_typo(name, near) else Severity.WARNING,
            subject=subject,
            place=manifest.place(*path, "name" if away is None else "namespace"),
            why=f"the API server calls Service {namespace}/{name}, which is not in the input",
            fix=f"write {near}"
            if near
            else f"write namespace: {away}"
            if away
            else f"create Service {name} in namespace {namespace}",
        )
        return
    written = called.get("port")
    port = written if isinstance(written, int) else _DEFAULT_PORT
    if service.type is ServiceType.EXTERNAL_NAME or any(
        one.port == port and one.protocol is Protocol.TCP for one in service.ports
    ):
        return
    has = listed(service.ports, lambda one: one.port) or "none"
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


def _meant_space(ground: Ground, namespace: str, name: str) -> str | None:
    """The namespace that has the Service, in place of the one that is written."""
    spaces = ground.namespaces_with("Service", name)
    if len(spaces) == 1 and not ground.is_kustomized:
        return spaces[0]
    return next((one for one in spaces if is_typo(namespace, one)), None)


RULE = CheckRule(
    id=ID,
    summary="The API server calls a Service that is not there",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
