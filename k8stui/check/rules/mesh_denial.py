"""What a mesh's proxies do to a request: it is kept from its Service, or not understood.

Istio: a PeerAuthentication of mode STRICT lets the proxy of a pod close whatever comes in plain,
at the first data; an AuthorizationPolicy has it answer 403 to those whom no ALLOW means, or a DENY
does (ztunnel, which reads no HTTP, leaves out rules that ask for any). A VirtualService may lead to
nobody (503), a Sidecar or outboundTrafficPolicy REGISTRY_ONLY keep hosts from a client's sidecar, a
DestinationRule have it speak what the other side does not take. Linkerd: a Server, or the default
policy, lets in whom its authorizations mean. Of both: what a Service's port says of its protocol
(``grpc-``, ``http-``, opaque ports) may have proxies read what is spoken there as another one, or
wait for a client that waits for the server. Whoever is told to ask such a pod (env, command,
arguments), or serves an Ingress that leads there, is judged.

Does not apply to clients that nobody is known to be, to ports that annotations take out of the
proxies' hands, nor to rules by methods, paths, addresses and tokens that no ztunnel judges. The
walk says it too: as its outcome where the input shows who has a proxy, else beside it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from k8stui.apiserver.fields import table
from k8stui.check.asked.hosts import asked, service_at
from k8stui.check.calls import behind, of_gateways, of_ingresses, told
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.endpoints import target as target_of
from k8stui.cluster.fields import addresses
from k8stui.cluster.mesh.asked import Asked
from k8stui.cluster.mesh.met import met, standing
from k8stui.cluster.mesh.port_protocol import misnamed
from k8stui.cluster.mesh.proxies import OF_ISTIO, has_mesh, takes
from k8stui.cluster.mesh.unenforced import unenforced
from k8stui.cluster.model import Lack, Pod, Service, ServicePort
from k8stui.kernel.exchange import Result

ID = "mesh-denial"
_OF_PODS = ("config.linkerd.io/", "traffic.sidecar.istio.io/", "sidecar.istio.io/inject",
            "linkerd.io/inject", "proxy.istio.io/config")  # fmt: skip
"""What the annotations begin with that are read at pods."""


def look(ground: Ground) -> Iterator[Finding]:
    cluster = ground.cluster
    yield from _misplaced(ground)
    if ground.is_kustomized or not has_mesh(cluster):  # it sets namespaces: who is in the mesh
        return
    for policy, lack in unenforced(cluster):
        subject = f"AuthorizationPolicy {policy.namespace}/{policy.name}"
        yield Finding.of_lack(ID, subject, lack)
    misnamed_ports = list(_misnamed(ground))
    yield from misnamed_ports
    said = {(one.place, one.fix) for one in misnamed_ports}
    known: set[tuple[str, str]] = set()
    servers: dict[tuple[str, int], Sequence[tuple[Pod, int]]] = {}
    for call in (*told(ground), *of_ingresses(ground), *of_gateways(ground)):
        place = call.service.key, id(call.port)
        if place not in servers:
            servers[place] = _unlike(ground, call.service, call.port)
        for pod, number in servers[place]:
            if (call.client.key, pod.key) in known:
                continue
            found = met(
                Asked(
                    cluster,
                    call.client,
                    pod,
                    number,
                    service=call.service.key,
                    container=call.container,
                    port=call.port.port,
                )
            )
            if found is None or found.result is Result.NOT_SERVED:  # ingress-backend tells that
                continue
            if (found.lack.origin.place, found.lack.mend) not in said:
                known.add((call.client.key, pod.key))
                yield _finding(f"Service {call.service.key}", call.said, found.lack)
    yield from _outside(ground)


def _misplaced(ground: Ground) -> Iterator[Finding]:
    """Annotations of a workload itself that a mesh reads at its pods: it has no effect."""
    for template in ground.templates:
        if not template.path or template.kind == "CronJob":
            continue
        own = table(template.manifest.data, *template.path, "metadata", "annotations")
        space = ground.cluster.meshes.namespaces.get(template.namespace, {})
        for name, value in table(template.manifest.data, "metadata", "annotations").items():
            if not name.startswith(_OF_PODS) or name in own or name in space:
                continue
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=template.subject,
                place=template.manifest.place("metadata", "annotations", name),
                why=f"annotation {name}: {value} stands at the {template.kind} itself, and a mesh "
                "reads it at the pods: it has no effect",
                fix=f"write it into {'.'.join(template.path)}.metadata.annotations",
            )


def _finding(subject: str, said: str, lack: Lack) -> Finding:
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=subject,
        place=lack.origin.place,
        why=f"{said}: {lack.why}",
        fix=lack.mend,
    )


def _outside(ground: Ground) -> Iterator[Finding]:
    """Hosts beyond the cluster that a client's sidecar does not pass on to, or not understandably.

    A name without a dot is a Service's, which may be elsewhere.
    """
    meshes = ground.cluster.meshes
    routes = ground.cluster.mesh_routes
    if not any((meshes.registry_only, meshes.scopes, meshes.entries, routes)):
        return
    for template in ground.templates:
        pod = ground.pod_of(template)
        for container in template.containers() if pod is not None else ():
            for one in asked(container):
                address = next(iter(addresses((one.host,))), None)
                if pod is None or one.port is None or "." not in one.host:
                    continue
                if service_at(ground.cluster, one.host, template.namespace) is not None:
                    continue
                if ".svc" in one.host or _is_inside(ground, one.host):
                    continue
                found = met(
                    Asked(
                        ground.cluster,
                        pod,
                        None,
                        one.port,
                        container=container.name,
                        port=one.port,
                        host=one.host,
                        address=address,
                    )
                )
                if found is not None:
                    said = f"{one.what} of {template.subject} leads to {one.host}"
                    yield _finding(template.subject, said, found.lack)


def _is_inside(ground: Ground, host: str) -> bool:
    """Whether its second part is a namespace: another's Service, which is not in the input."""
    return host.split(".")[1] in ground.cluster.namespace_labels


def _unlike(ground: Ground, service: Service, port: ServicePort) -> Sequence[tuple[Pod, int]]:
    """Pods behind a Service's port, one of all that the mesh's policies do not tell apart."""
    found: dict[Hashable, tuple[Pod, int]] = {}
    for pod, number in behind(ground, service, port):
        found.setdefault((number, standing(ground.cluster, pod)), (pod, number))
    return tuple(found.values())


def _misnamed(ground: Ground) -> Iterator[Finding]:
    for target in ground.targets:
        pod = next(iter(ground.selected(target.service)), None)
        number = target_of(target.port, pod) if pod is not None else None
        if (
            pod is not None
            and number is not None
            and takes(ground.cluster, pod, number) in OF_ISTIO
        ):
            lack = misnamed(target.service, target.port, pod, number)
            if lack is not None:
                yield Finding.of_lack(ID, f"Service {target.service.key}", lack)


RULE = CheckRule(
    id=ID,
    summary="A mesh's policies keep a request from its Service",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
