"""A name that does not resolve: which resolver was asked, and which name there is instead.

Sources: the Kubernetes DNS specification, pkg/kubelet/network/dns, resolv.conf(5). What is
proposed is never the name that was asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from k8stui.cluster.ingress.entrances import entrance_of
from k8stui.cluster.load_balancers.aws import loses_own_clients
from k8stui.cluster.load_balancers.google import asked_at_root
from k8stui.cluster.load_balancers.handed_on import fronts, misread
from k8stui.cluster.load_balancers.instances import lacks_node_ports
from k8stui.cluster.meant import (
    called_services,
    meant_by_name,
    meant_by_port,
    workload_called,
)
from k8stui.cluster.model import (
    Cluster,
    Entrance,
    EntrancePath,
    Lack,
    Pod,
    Service,
    ServiceType,
    Workload,
)
from k8stui.cluster.names import (
    circle,
    dns_port,
    has_musl,
    is_address,
    ndots,
    resolve,
    rewritten,
    search_list,
    silent_dns,
    uses_cluster_dns,
)
from k8stui.cluster.nameservers import (
    LINK_LOCAL,
    LostServer,
    kept_back,
    lost_server,
    other_domain,
    unserved,
)
from k8stui.cluster.selectors import selects
from k8stui.suggest import nearest
from k8stui.walk.diagnosis.case import Diagnosis
from k8stui.walk.diagnosis.endpoints import headless_without_endpoints, without_endpoints
from k8stui.walk.diagnosis.refused import refused
from k8stui.walk.diagnosis.selectors import is_its_workload, matching, renamed, written
from k8stui.walk.diagnosis.told import told_at
from k8stui.walk.dns import in_vain
from k8stui.walk.explain import client_namespace
from k8stui.walk.port import cut
from k8stui.walk.trace import Request
from k8stui.whole import whole

KUBELET_ADDRESSES = "--kubelet-preferred-address-types"
"""By which metrics-server asks kubelets; its own default begins with Hostname."""
MACHINES = {
    **dict.fromkeys(
        ("host.docker.internal", "gateway.docker.internal", "docker.for.mac.localhost"), "Docker"
    ),
    "host.containers.internal": "podman",
    "host.minikube.internal": "minikube",
    "host.k3d.internal": "k3d",
    "host.lima.internal": "Lima",
    "host.rancher-desktop.internal": "Rancher Desktop",
}
"""Names of the machine underneath, and whose: what its own resolver or its own nodes know."""


def no_such_name(cluster: Cluster, request: Request) -> Diagnosis:
    """Say why there is no address, and what would give one."""
    client = _asking(cluster, request)
    lost_by = lost_server(cluster, client) if client is not None else None
    if client is not None and lost_by is not None:
        return Diagnosis(in_vain(lost_by), rightly(lost_by, client), lost_by.origin)
    silent = _silent(cluster, request)
    if silent is not None:
        return silent
    if client is not None and uses_cluster_dns(cluster, client):
        asked = request.host
        wrong = unserved(cluster) or _in_other_domain(cluster, client, asked)
        wrong = wrong or kept_back(cluster, asked)
        if wrong is not None:
            return Diagnosis(wrong.why, wrong.mend, wrong.origin)
    found = headless_without_endpoints(cluster, request)
    if found.reason:
        return found
    last = request.names[-1] if request.names else "the name is not known"
    reason = last.removeprefix("no such name: ")
    asked = request.host
    entrance = entrance_of(cluster.entrances, asked)
    if entrance is not None:
        return _entrance(cluster, entrance, request, reason, client)
    pod = _asking(cluster, request)
    alias = cluster.services.get(request.service or "")
    if alias is not None and alias.type is ServiceType.EXTERNAL_NAME:
        return _alias(cluster, alias, reason)
    if pod is None and "/" not in client_namespace(request):
        return Diagnosis(reason, _without_cluster_dns(cluster, asked))
    if pod is not None and not uses_cluster_dns(cluster, pod):
        return _policy(pod, reason)
    to, origin = rewritten(cluster, asked.rstrip("."))
    if origin is not None:
        near = _nearest(cluster, None, to)
        return Diagnosis(
            reason,
            f"rewrite it to {near}" if near else "rewrite it to a name that there is",
            origin,
        )
    here = pod.namespace if pod is not None else "default"
    name, _, rest = asked.partition(".")
    left_out = refused(cluster, "Service", f"{rest.partition('.')[0] or here}/{name}")
    if left_out is not None:
        return left_out
    lost = _no_such_pod(cluster, alias, asked, reason) if alias is not None else None
    port = cut(request.destination).port
    return _as_told(cluster, pod, asked, lost or _other_name(cluster, pod, asked, reason, port))


def _as_told(cluster: Cluster, pod: Pod | None, asked: str, found: Diagnosis) -> Diagnosis:
    """The same, at the value that tells the client to ask so; its own dnsConfig stays to blame."""
    if pod is None or (found.origin is not None and found.origin in pod.origins.values()):
        return found
    return replace(found, origin=told_at(cluster, pod, asked) or found.origin)


def _in_other_domain(cluster: Cluster, client: Pod, asked: str) -> Lack | None:
    """A name that would resolve, were the pods' search list of the domain that is served."""
    wrong = other_domain(cluster)
    if wrong is None:
        return None
    domain = cluster.cluster_domain
    full = asked.rstrip(".").removesuffix(f".{cluster.pod_domain}")
    tries = (f"{full}.{middle}{domain}." for middle in (f"{client.namespace}.svc.", "svc.", ""))
    return wrong if any(resolve(cluster, one, None).is_resolved for one in tries) else None


def _no_such_pod(cluster: Cluster, service: Service, asked: str, reason: str) -> Diagnosis | None:
    """``NAME.SERVICE`` of a headless Service that has pods, and none that is called so."""
    pods = matching(cluster, service) if service.headless else []
    named = [p for p in pods if p.subdomain == service.name]
    first = asked.partition(".")[0]
    if not named or any(first in (p.name, p.hostname) for p in pods):
        return None
    has = [f"{p.hostname or p.name}.{service.name}" for p in named]
    without = unnumbered(cluster, service.namespace, first)
    if without is not None:
        return without
    owner = next((p.owner for p in named if p.owner and p.owner[0] == "StatefulSet"), None)
    made = next(
        (
            w
            for w in cluster.workloads
            if owner is not None and (w.namespace, w.kind, w.name) == (service.namespace, *owner)
        ),
        None,
    )
    if made is None:
        return Diagnosis(reason, f"ask {' or '.join(has[:3])}" if has else "", service.origin)
    return Diagnosis(
        f"{reason}: {made.kind} {made.name} has {made.replicas} replica"
        f"{'' if made.replicas == 1 else 's'} ({', '.join(p.name for p in named[:3])})",
        f"ask {' or '.join(has[:3])}, or scale {made.kind} {made.name} up",
        made.origin,
    )


def unnumbered(cluster: Cluster, namespace: str, name: str) -> Diagnosis | None:
    """``redis-master-0`` of what is no StatefulSet: its pods have no names that one could know."""
    base, _, number = name.rpartition("-")
    made = workload_called(cluster, namespace, base) if number.isdecimal() else None
    if made is None or made.kind == "StatefulSet":
        return None
    own = f"ask {base}, or " if f"{namespace}/{base}" in cluster.services else ""
    return Diagnosis(
        f"{base} is a {made.kind}: its pods have no names of their own in DNS",
        f"{own}make {base} a StatefulSet",
        made.origin,
    )


def rightly(lost: LostServer, pod: Pod) -> str:
    """What gives the pods a nameserver that answers."""
    if lost.by_kubelet:
        cache = ", or run NodeLocal DNS, which has it" if lost.address in LINK_LOCAL else ""
        return (
            f"write {lost.right} into clusterDNS of the kubelets' configuration "
            f"(/var/lib/kubelet/config.yaml){cache}, restart them, and make the pods anew"
        )
    whose = f"{pod.owner[0]} {pod.owner[1]}" if pod.owner else f"pod {pod.name}"
    return (
        f"write {lost.right} into dnsConfig.nameservers of {whose}, or dnsPolicy: ClusterFirst "
        "instead"
    )


def _silent(cluster: Cluster, request: Request) -> Diagnosis | None:
    """Cluster DNS itself is down: no name resolves, whatever it is."""
    pod = _asking(cluster, request)
    service = silent_dns(cluster)
    if pod is None or service is None or not uses_cluster_dns(cluster, pod):
        return None
    found = without_endpoints(cluster, service, dns_port(service))
    if found is None:
        return None
    return Diagnosis(
        f"cluster DNS does not answer, so no name resolves: {found.reason}",
        found.advice,
        found.origin,
    )


def _entrance(
    cluster: Cluster, entrance: Entrance, request: Request, reason: str, client: Pod | None
) -> Diagnosis:
    """The name is the public DNS's; what is wrong behind it can be said all the same."""
    asked = request.host
    left_out = refused(cluster, *entrance.owner.split(" ", 1)) if entrance.is_refused else None
    if left_out is not None:
        return Diagnosis(
            f"{asked} is a host of {entrance.owner}, which is not there: {left_out.reason}",
            left_out.advice,
            left_out.origin,
        )
    said = f"say its address (--host {asked}=ADDRESS): that of the load balancer"
    if entrance.owner.startswith("Ingress"):
        set_up = cluster.distribution
        by = f" ({set_up.ingress}, as {set_up.name} has it)" if set_up and set_up.ingress else ""
        said += f" or node in front of the ingress controller{by}, which the name has to have in"
        said += " DNS too"
    if entrance.owner.startswith("Service"):
        service = cluster.services[entrance.owner.partition(" ")[2]]
        lack = lacks_node_ports(service, cluster)
        lack = lack or (loses_own_clients(service) if client is not None else None)
        if lack is not None:
            return Diagnosis(f"{reason}; and {lack.why}", lack.mend, lack.origin)
    front = fronts(cluster)
    unheard = misread(front[0], cluster, request.scheme) if len(front) == 1 else None
    if unheard is not None:
        return Diagnosis(f"{reason}; and {unheard.why}", unheard.mend, unheard.origin)
    unserved = cluster.unserved.get(entrance.owner)
    wrong = behind_entrance(cluster, entrance)
    if wrong is not None:
        advice = wrong.advice if unserved is not None else f"{wrong.advice}; and {said}"
        return Diagnosis(f"{reason}; and {wrong.reason}", advice, wrong.origin)
    asks = asked_at_root(cluster, entrance)
    if asks is not None:
        return Diagnosis(f"{reason}; and {asks.why}", asks.mend, asks.origin)
    keys = list(dict.fromkeys(one.service for one in entrance.paths if one.service))
    behind = ", ".join(f"svc/{key.partition('/')[2]}" for key in keys[:3])
    return Diagnosis(
        reason,
        f"{said}; or ask what stands behind it, {behind}" if behind else said,
        entrance.origin,
    )


def behind_entrance(cluster: Cluster, entrance: Entrance) -> Diagnosis | None:
    """Why who comes in by it meets nobody, though the controller is there."""
    unserved = cluster.unserved.get(entrance.owner)
    if unserved is not None:
        return Diagnosis(unserved.why, unserved.mend, unserved.origin)
    each = (behind_path(cluster, entrance, one) for one in entrance.paths if one.service)
    return next((found for found in each if found is not None), None)


def behind_path(cluster: Cluster, entrance: Entrance, path: EntrancePath) -> Diagnosis | None:
    """Why nobody is behind one path of it."""
    key, port = path.service, path.port
    if key not in cluster.services:
        kind = entrance.owner.partition(" ")[0]
        return Diagnosis(
            f"behind it there is no Service {key}",
            f"let the {kind} name a Service of its own namespace",
            path.origin,
        )
    service = cluster.services[key]
    if service.type is ServiceType.EXTERNAL_NAME and not isinstance(port, str):
        return None  # a number need not be its port (Traefik getServicePort, ingress-nginx)
    if port is not None and all(port not in (p.port, p.name) for p in service.ports):
        listed = ", ".join(p.name or str(p.port) for p in service.ports) or "none"
        which = f"port {listed}" if len(service.ports) == 1 else "one of them"
        return Diagnosis(
            f"its backend names port {port} of Service {key}, which has {listed}",
            f"write {which} into the backend of {entrance.owner}"
            if service.ports
            else f"give Service {service.name} that port",
            path.port_origin,
        )
    if service.type is ServiceType.EXTERNAL_NAME:
        return None
    found = next((p for p in service.ports if port in (p.port, p.name)), None)
    empty = without_endpoints(cluster, service, found)
    if empty is None:
        return None
    return Diagnosis(f"behind it {empty.reason}", empty.advice, empty.origin)


def _asking(cluster: Cluster, request: Request) -> Pod | None:
    named = request.source.removeprefix("pod/").split("/")
    return cluster.pods.get("/".join(named[:2])) if request.source.startswith("pod/") else None


def _without_cluster_dns(cluster: Cluster, asked: str) -> str:
    """Advice for a node, or somebody outside."""
    found = resolve(cluster, asked, None)
    service = cluster.services.get(found.service or "")
    if service is not None and service.type is ServiceType.EXTERNAL_NAME and not found.addresses:
        return (
            f"ask {service.external_name} itself: an alias has no address of its own, and only "
            "pods ask cluster DNS"
        )
    if service is not None and service.headless:
        pod = f" ({found.addresses[0]})" if found.addresses else ""
        return (
            f"ask a pod's own address{pod} from a node, or give the pods a second Service with a "
            "ClusterIP or a node port: only pods ask cluster DNS"
        )
    address = f" ({found.addresses[0]})" if found.addresses else ""
    return (
        f"use the Service's ClusterIP{address} from a node, or a node port: only pods ask "
        "cluster DNS"
    )


def _policy(pod: Pod, reason: str) -> Diagnosis:
    """The pod's own resolv.conf does not name cluster DNS."""
    whose = f"{pod.owner[0]} {pod.owner[1]}" if pod.owner else f"pod {pod.name}"
    if pod.host_network and pod.dns_policy == "ClusterFirst":
        return Diagnosis(
            reason,
            f"write dnsPolicy: ClusterFirstWithHostNet beside hostNetwork: true in {whose}",
            pod.origins.get("host_network", pod.origin),
        )
    origin = pod.origins.get("dns_policy", pod.origin)
    if pod.dns_policy == "None":
        return Diagnosis(
            reason,
            f"put the ClusterIP of Service kube-dns into dnsConfig.nameservers of {whose}, or "
            "write dnsPolicy: ClusterFirst",
            origin,
        )
    wanted = "ClusterFirstWithHostNet" if pod.host_network else "ClusterFirst"
    return Diagnosis(reason, f"write dnsPolicy: {wanted} in {whose}", origin)


def alias_of_nothing(cluster: Cluster, alias: Service) -> Diagnosis | None:
    """An ExternalName that certainly leads nowhere, for whom it is an answer that was asked for."""
    full = f"{alias.name}.{alias.namespace}.svc.{cluster.cluster_domain}."
    return _leads_nowhere(cluster, alias, resolve(cluster, full, None).reason)


def _leads_nowhere(cluster: Cluster, alias: Service, reason: str) -> Diagnosis | None:
    target, origin = alias.external_name.rstrip("."), alias.origins.get("external_name")
    if is_address(target):
        return Diagnosis(
            reason,
            f"make {alias.name} a Service without selector (type ClusterIP) and write an "
            f"EndpointSlice with the address {target} for it (label kubernetes.io/service-name: "
            f"{alias.name}): externalName has to be a DNS name",
            origin,
        )
    if circle(cluster, alias):
        return Diagnosis(
            reason,
            f"let externalName of one of them, {alias.name} say, be the name of what is meant in "
            "the end: a Service with pods, or a host",
            origin,
        )
    return None


def _alias(cluster: Cluster, alias: Service, reason: str) -> Diagnosis:
    """An ExternalName that leads nowhere."""
    certain = _leads_nowhere(cluster, alias, reason)
    if certain is not None:
        return certain
    target, origin = alias.external_name.rstrip("."), alias.origins.get("external_name")
    machine = of_machine(cluster, None, target)
    if machine is not None:
        return Diagnosis(f"{reason}: {machine.reason}", machine.advice, origin)
    short = resolve(cluster, target, None)
    if short.is_resolved and short.service != alias.key:
        return Diagnosis(
            f"{reason}: no search list is added to an externalName",
            f"write externalName: {short.fqdn}",
            origin,
        )
    near = _nearest(cluster, None, target)
    if near is not None and near.startswith(f"{alias.name}.{alias.namespace}."):
        near = None
    return Diagnosis(
        reason,
        f"write externalName: {near}"
        if near
        else "mend externalName: it has to be a name that some name server knows",
        origin,
    )


def _other_name(cluster: Cluster, pod: Pod | None, asked: str, reason: str, port: str) -> Diagnosis:
    """Cluster DNS was asked, and has another name for what was meant."""
    bare = asked.rstrip(".")
    if asked.endswith(".") and resolve(cluster, bare, pod).is_resolved:
        return Diagnosis(
            f"{asked} ends in a dot: it is asked as it is, without the search list",
            f"write the full name {resolve(cluster, bare, pod).fqdn} in front of the dot, or leave "
            "the dot off",
        )
    glibc = next((r for s in search_list(cluster, pod) if pod is not None and has_musl(pod)
                  and (r := resolve(cluster, f"{bare}.{s}.", None)).is_resolved), None)  # fmt: skip
    if glibc is not None and pod is not None:
        return Diagnosis(
            f"{bare} has as many dots as ndots ({ndots(pod)}) of the pod's dnsConfig: musl's "
            "resolver (Alpine) then asks it as it is, and never with the search list",
            f"ask {glibc.fqdn}, or leave ndots at 5",
            pod.origins.get("dns_config", pod.origin),
        )
    if pod is not None and not search_list(cluster, pod):
        full = resolve(cluster, bare, None)
        if full.is_resolved:
            return Diagnosis(
                f"the pod's dnsConfig has no search list, so {bare} is asked as it is",
                f"write the full name {full.fqdn}, or add {full.fqdn.partition('.')[2]} to "
                "dnsConfig.searches",
                pod.origins.get("dns_config", pod.origin),
            )
    node = cluster.nodes.get(bare)
    if node is not None and node.addresses:
        return Diagnosis(
            f"{bare} is a node, and cluster DNS knows Services, no nodes",
            f"ask its address, {node.addresses[0]} (metrics-server: "
            f"{KUBELET_ADDRESSES}=InternalIP)",
            pod.origin if pod is not None else None,
        )
    in_pod = _container(pod, bare, port) if pod is not None else None
    if in_pod is not None:
        return in_pod
    machine = of_machine(cluster, pod, bare)
    if machine is not None:
        return machine
    ahead, _, behind = bare.partition(".")
    order = in_order(bare)
    if order and resolve(cluster, order, pod).is_resolved:
        return Diagnosis(
            f"{bare} has svc in front of the namespace: it stands behind it", f"ask {order}"
        )
    swapped = f"{behind}.{ahead}"
    if behind and "." not in behind and resolve(cluster, swapped, pod).is_resolved:
        return Diagnosis(
            f"there is no Service {ahead} in a namespace {behind}: the Service's name comes first, "
            "then its namespace",
            f"ask {swapped}",
        )
    own = _without_namespace(cluster, pod, bare)
    if own is not None:
        name = f"{own.name}.{own.namespace}.svc.{cluster.cluster_domain}"
        return Diagnosis(
            f"{bare} leaves out the namespace, which stands between the Service's name and svc",
            f"ask {own.name}, or {name}",
            own.origin,
        )
    elsewhere = _pod_elsewhere(cluster, pod, bare)
    if elsewhere is not None:
        return elsewhere
    near = _nearest(cluster, pod, bare) or _by_words(cluster, pod, bare, port)
    exact = near is not None and near.partition(".")[0] == bare.partition(".")[0]
    of_pod = _of_pod(cluster, bare) if not exact else None
    if of_pod is not None:
        return Diagnosis(of_pod.reason or reason, of_pod.advice, of_pod.origin)
    if (abroad := in_foreign_domain(cluster, bare)) is not None:
        return abroad
    domain = cluster.cluster_domain
    here = pod.namespace if pod is not None else "default"
    own_name = isinstance(meant_by_name(cluster, here, bare, None), Workload)
    name = bare.removesuffix(f".{domain}").removesuffix(f".{here}.svc")
    if (near is None or own_name) and "." not in name:
        return _behind(cluster, pod, name, reason, whole(port))
    meant = cluster.services.get(f"{pod.namespace}/{near}") if pod is not None else None
    if meant is not None and is_its_workload(cluster, meant, bare):
        return Diagnosis(
            f"{reason}; Service {near} selects the pods of {bare}",
            renamed(meant, bare),
            meant.origins.get("name", meant.origin),
        )
    return Diagnosis(reason, f"did you mean {near}?" if near else "")


def is_abroad(cluster: Cluster, host: str) -> bool:
    """Whether it is a Service's name in full, of another domain than the cluster's."""
    _, svc, rest = host.partition(".svc.")
    return bool(svc) and rest != cluster.cluster_domain


def in_foreign_domain(cluster: Cluster, host: str) -> Diagnosis | None:
    """``db.shop.svc.cluster.local`` where the domain is another, in which the name is there."""
    domain = cluster.cluster_domain
    head, _, rest = host.partition(".svc.")
    found = resolve(cluster, f"{head}.svc.{domain}.", None) if is_abroad(cluster, host) else None
    if found is None or not found.is_resolved:
        return None
    return Diagnosis(
        f"this cluster's domain is {domain}, not {rest}",
        f"ask {found.fqdn}, or only {head}",
        cluster.origins.get("cluster_domain"),
    )


def in_order(host: str) -> str:
    """``db.shop.svc`` of ``db.svc.shop``; empty: it is no such name."""
    name, _, rest = host.partition(".svc.")
    return f"{name}.{rest}.svc" if name and rest and "." not in f"{name}{rest}" else ""


def of_machine(cluster: Cluster, pod: Pod | None, asked: str) -> Diagnosis | None:
    """``host.docker.internal``: whose name that is, and what is asked instead."""
    whose = MACHINES.get(asked.lower())
    if whose is None:
        return None
    node = cluster.nodes.get(pod.node_name or "") if pod is not None else None
    own = f" ({node.addresses[0]} is {node.name}'s)" if node and node.addresses else ""
    if whose == "Docker":
        why = f"{asked} is Docker's name for the machine that it runs on: a cluster has none such"
    else:
        why = f"{asked} is {whose}'s name for the machine that it runs on: only a cluster DNS that "
        why += f"{whose} has set up knows it"
    return Diagnosis(
        why,
        f"ask that machine's own address{own}, or give it a name: a Service without selector "
        "with an EndpointSlice, or hostAliases in the pod",
    )


def _without_namespace(cluster: Cluster, pod: Pod | None, asked: str) -> Service | None:
    """The Service of ``NAME.svc.cluster.local``."""
    name = short_of_namespace(asked, cluster.cluster_domain)
    return cluster.services.get(f"{pod.namespace if pod is not None else 'default'}/{name}")


def short_of_namespace(host: str, domain: str) -> str:
    """``db`` of ``db.svc.cluster.local``; empty: it is no such name."""
    name = host.removesuffix(f".{domain}").removesuffix(".svc")
    return name if name != host and "." not in name and ".svc" in host else ""


def _behind(
    cluster: Cluster, pod: Pod | None, asked: str, reason: str, port: int | None
) -> Diagnosis:
    """Nothing is called alike: whoever is in the namespace may be what was meant."""
    here = pod.namespace if pod is not None else "default"
    found = meant_by_name(cluster, here, asked, port)
    if isinstance(found, Workload):
        called = [one for one in cluster.services.values() if one.name == found.name]
        return Diagnosis(*without_service(cluster, found, port, called), found.origin)
    by_port = meant_by_port(cluster, here, port, asked) if found is None and port else None
    if found is not None:
        said = f"{reason}; Service {found.name} leads to the pods of {asked}"
        return Diagnosis(said, f"did you mean {found.name}?", found.origin)
    if by_port is not None:
        said = f"{reason}; port {port} is that of Service {by_port.name} alone"
        return Diagnosis(said, f"did you mean {by_port.name}?", by_port.origin)
    return Diagnosis(reason, f"create a Service {asked} in namespace {here}, or mend the name")


def without_service(
    cluster: Cluster, workload: Workload, port: int | None, called: Iterable[Service]
) -> tuple[str, str]:
    """Of a workload that was asked by its own name: why that is none, and what gives it one.

    `called`: the Services of that name, of which one may be left in another namespace.
    """
    name, labels = workload.name, written(workload.pod_labels)
    for one in called:
        wanted = (one.selector or {}).items()
        if one.namespace == workload.namespace or not wanted <= workload.pod_labels.items():
            continue
        if wanted and not matching(cluster, one):
            why = f"Service {name}, whose selector is that of {workload.kind} {name}'s pods, is in "
            why += f"namespace {one.namespace}, and they are in {workload.namespace}"
            fix = f"put Service {name} into namespace {workload.namespace}"
            return why, f"{fix}: it selects in its own only"
    why = (
        f"no Service is called {name}: {workload.kind} {name} is there, and workloads have no name "
        "in DNS; no Service selects its pods"
    )
    return (
        why,
        f"write a Service {name} with selector {labels}" + (f" and port {port}" if port else ""),
    )


def _container(pod: Pod, asked: str, port: str) -> Diagnosis | None:
    """A container of the asking pod: what has a name of its own in Docker's networks."""
    if all(one.name != asked for one in pod.containers):
        return None
    return Diagnosis(
        f"{asked} is a container of pod {pod.key} itself: containers have no names in DNS, and all "
        "of a pod share one network",
        f"ask localhost:{port}",
        pod.origin,
    )


def _pod_elsewhere(cluster: Cluster, pod: Pod | None, asked: str) -> Diagnosis | None:
    """``POD.SERVICE``, where Service and pod are in another namespace."""
    here = pod.namespace if pod is not None else "default"
    host, _, name = asked.partition(".")
    for service in cluster.services.values() if name and "." not in name else ():
        if service.name == name and service.namespace != here:
            full = f"{asked}.{service.namespace}"
            if resolve(cluster, f"{full}.svc.{cluster.cluster_domain}.", None).is_resolved:
                return Diagnosis(
                    f"there is no Service {name} in namespace {here}; the one in "
                    f"{service.namespace} has {host}",
                    f"ask {full}",
                )
    return None


_WITH_NAMESPACE = 2
"""Labels in front of a namespace's: pod and Service."""


def _of_pod(cluster: Cluster, asked: str) -> Diagnosis | None:
    """``NAME`` or ``NAME.SERVICE`` of a pod: it needs a hostname, and the subdomain's Service."""
    parts = asked.split(".")
    named = [p for p in cluster.pods.values() if p.name == parts[0] or p.hostname == parts[0]]
    if not named:
        return None
    pod = named[0]
    service = cluster.services.get(f"{pod.namespace}/{pod.subdomain or ''}")
    if pod.subdomain and service is not None and service.headless and not pod.hostname:
        return Diagnosis(
            f"pod {pod.key} has no hostname, and so no name below Service {service.name}: only a "
            "StatefulSet gives its pods one each",
            f"ask {service.name}, which is every ready pod's; or make what makes the pods a "
            "StatefulSet",
            pod.origins.get("subdomain", pod.origin),
        )
    if pod.subdomain and service is not None and service.headless:
        host = pod.hostname or pod.name
        full = f"{host}.{pod.subdomain}"
        there = parts[2] if len(parts) > _WITH_NAMESPACE else pod.namespace
        if full == ".".join(parts[:2]) and there != pod.namespace:
            return Diagnosis(
                f"pod {pod.key} is in namespace {pod.namespace}, and {there} has no such Service",
                f"ask {full}.{pod.namespace}.svc.{cluster.cluster_domain}",
                pod.origins.get("subdomain", pod.origin),
            )
        if full != ".".join(parts[:2]):
            return Diagnosis(
                "",
                f"ask {full}: its name is hostname.subdomain, and the subdomain is the headless "
                f"Service {pod.subdomain}",
                pod.origins.get("subdomain", pod.origin),
            )
        return None
    governing = cluster.services.get(f"{pod.namespace}/{parts[1]}") if len(parts) > 1 else None
    if governing is not None and governing.headless:
        return Diagnosis(
            f"pod {pod.key} has no name below Service {governing.name}: its subdomain is "
            f"{pod.subdomain or 'not set'}",
            f"write subdomain: {governing.name} (in a StatefulSet serviceName: {governing.name}) "
            f"and hostname: {parts[0]} into the pod",
            pod.origins.get("subdomain", pod.origin),
        )
    lost = refused(cluster, "Service", f"{pod.namespace}/{pod.subdomain}")
    if lost is not None:
        return lost
    selecting = [
        service
        for service in cluster.services.values()
        if service.namespace == pod.namespace and selects(service.selector or {}, pod.labels)
    ]
    if pod.subdomain:
        headless = next((s.name for s in selecting if s.headless), None)
        return Diagnosis(
            f"pod {pod.key} has the subdomain {pod.subdomain}, and no headless Service has "
            "that name",
            f"create the headless Service {pod.subdomain} (clusterIP: None) that selects the pod"
            if headless is None
            else f"write subdomain: {headless} (in a StatefulSet serviceName: {headless}), the "
            f"headless Service that selects the pod, and ask {parts[0]}.{headless}",
            pod.origins.get("subdomain", pod.origin),
        )
    if not selecting:
        return Diagnosis("", "put a Service in front of the pod, and ask that by name", pod.origin)
    return Diagnosis("", f"ask Service {selecting[0].name}, which selects the pod", pod.origin)


def _by_words(cluster: Cluster, pod: Pod | None, asked: str, port: str) -> str | None:
    """The Service of the client's namespace, or of the one that is named, that is meant."""
    here = pod.namespace if pod is not None else "default"
    name, _, rest = asked.partition(".")
    namespace = rest.partition(".")[0] or here
    asked_port = whole(port.partition("/")[0])
    found = called_services.of(cluster).about(namespace, name, asked_port)
    if found is None:
        return None
    return found.name if namespace == here else f"{found.name}.{namespace}"


def _nearest(cluster: Cluster, pod: Pod | None, asked: str) -> str | None:
    """The name most like `asked` that resolves, as short as the client may write it."""
    here = pod.namespace if pod is not None else "default"
    first, _, rest = asked.partition(".")
    said = rest.partition(".")[0]
    choices: dict[str, Service] = {}
    for service in cluster.services.values():
        local = pod is not None and service.namespace == here
        short = service.name if local else f"{service.name}.{service.namespace}"
        if pod is None:
            short = f"{short}.svc.{cluster.cluster_domain}"
        choices[short] = service
    same = [name for name, service in choices.items() if service.name == first]
    in_said = {n: s for n, s in choices.items() if s.namespace == said}
    near: str | None = same[0] if same else None
    if near is None and in_said:
        by_name = {s.name: n for n, s in in_said.items()}
        close = nearest(first, by_name)
        near = by_name[close] if close else None
    near = near or nearest(asked, choices) or nearest(first, choices)
    return near if near != asked else None
