"""A pod is told to ask a Service by name, and its resolver is not cluster DNS.

With hostNetwork the default dnsPolicy, ClusterFirst, means the node's own resolver
(pkg/kubelet/network/dns getPodDNSType); so does dnsPolicy Default. Names of Services are unknown
there.

So does a nameserver of the Services' range that is the address of no DNS Service: the kubelet's
clusterDNS (in kubeadm's ConfigMap kubelet-config, or its own file), or dnsConfig with dnsPolicy
None. No name resolves then; nor where the kubelet's clusterDomain is another one than the zone in
the Corefile of cluster DNS, or that listens on another port than its Service leads to. Without a
TCP port of that Service long answers are lost.

Images are pulled and volumes mounted by the node: the name of a Service is none to its resolver.
The other way round names of nodes are none to cluster DNS, and metrics-server asks kubelets by them
unless --kubelet-preferred-address-types says otherwise.

A domain of dnsConfig.searches with a public wildcard (nip.io) answers for whatever is no name of
the cluster, before the name itself is asked.

What hostAliases say of a Service's short name goes before any DNS: an address that is not the
Service's is asked.

NodeLocal DNS whose arguments still hold the placeholders of its manifest does not start.

Looks at env values, command and args. Does not apply where the node's resolver could know the name:
to hosts that are no Service's of the input.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import array, text, texts
from k8stui.check.asked.hosts import ToldHost, asked
from k8stui.check.claim import Claim
from k8stui.check.client import pod_source
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import Template
from k8stui.cluster.fields import addresses
from k8stui.cluster.model import Pod, Service, ServiceType
from k8stui.cluster.names import DNS_PORT, DNS_SERVICE, dns_port, ndots, uses_cluster_dns
from k8stui.cluster.nameservers import (
    LostServer,
    kept_back,
    lost_server,
    other_domain,
    unfilled_caches,
    unserved,
)
from k8stui.cluster.wildcards import answered
from k8stui.kernel.address import is_loopback
from k8stui.kernel.packet import Protocol
from k8stui.manifests import Manifest
from k8stui.origin import OriginKind
from k8stui.walk.diagnosis.names import KUBELET_ADDRESSES, rightly
from k8stui.walk.dns import in_vain

ID = "dns-policy"
_SERVERS = (("nfs", "server"), ("csi", "volumeAttributes", "server"), ("iscsi", "targetPortal"))
"""Fields of a volume that name a host."""
_Path = tuple[str | int, ...]
_METRICS = "metrics-server/metrics-server:"


def look(ground: Ground) -> Iterator[Finding]:
    yield from _of_the_cluster(ground)
    yield from _unfilled(ground)
    yield from _images(ground)
    yield from _mounted(ground)
    yield from _kubelets(ground)
    yield from _aliases(ground)
    pods: dict[tuple[str, str, str], Pod] = {}
    told_of_kubelet = False
    dns = ground.cluster.services.get(DNS_SERVICE)
    servers = {pod.key for pod in ground.selected(dns)} if dns is not None else set()
    for pod in ground.cluster.pods.values():
        kind, name = pod.owner or ("Pod", pod.name)
        pods.setdefault((kind, pod.namespace, name), pod)
    for template in ground.templates:
        known = pods.get((template.kind, template.namespace, template.name))
        lost = lost_server(ground.cluster, known) if known is not None else None
        if known is not None and lost is not None:
            if lost.by_kubelet and told_of_kubelet:
                continue
            told_of_kubelet |= lost.by_kubelet
            yield _in_vain(
                lost, known, "KubeletConfiguration" if lost.by_kubelet else template.subject
            )
        if known is not None:
            yield from _wildcards(known, template.subject)
        if known is None or lost is not None or uses_cluster_dns(ground.cluster, known):
            continue
        if known.key in servers:  # its probes ask itself
            continue
        found = next(_asked(ground, template), None)
        if found is not None:
            yield _finding(ground, template, known, *found)


def _of_the_cluster(ground: Ground) -> Iterator[Finding]:
    """What keeps cluster DNS from answering anybody."""
    wrong = unserved(ground.cluster) or other_domain(ground.cluster)
    dns = ground.cluster.services.get(DNS_SERVICE)
    if (
        dns is not None
        and dns.selector
        and dns_port(dns) is not None
        and all((p.port, p.protocol) != (DNS_PORT, Protocol.TCP) for p in dns.ports)
    ):
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Service {DNS_SERVICE}",
            place=dns.origins.get("ports", dns.origin).place,
            why="it has no TCP port 53: an answer that is too long for UDP (a headless Service "
            "of many pods) is asked for again by TCP (RFC 7766), and nobody answers",
            fix="add {name: dns-tcp, port: 53, protocol: TCP} to its ports",
        )
    outside = kept_back(ground.cluster, "example.com") if wrong is None else None
    if outside is not None:
        yield Finding.of_lack(ID, f"Service {DNS_SERVICE}", outside)
    if wrong is not None:
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Service {DNS_SERVICE}",
            place=wrong.origin.place,
            why=f"no name resolves in pods of dnsPolicy ClusterFirst: {wrong.why}",
            fix=wrong.mend,
        )


def _unfilled(ground: Ground) -> Iterator[Finding]:
    """NodeLocal DNS as its manifest is published: a template, to be filled in with sed."""
    for pod, told in unfilled_caches(ground.cluster):
        dns = ground.cluster.services.get(DNS_SERVICE)
        own = dns.cluster_ips[0] if dns is not None and dns.cluster_ips else "CLUSTER-DNS"
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Pod {pod.key}",
            place=pod.origin.place,
            why=f"NodeLocal DNS does not start: its -localip {told} is no address, the manifest is "
            "a template that nobody has filled in",
            fix="sed -e s/__PILLAR__LOCAL__DNS__/169.254.20.10/g -e s/__PILLAR__DNS__SERVER__/"
            f"{own}/g -e s/__PILLAR__DNS__DOMAIN__/{ground.cluster.cluster_domain}/g, and apply "
            "that",
        )
        return


def _images(ground: Ground) -> Iterator[Finding]:
    """An image from a registry that is named as its Service: the node pulls it, which no pod does.

    Of each Service the first; a runtime may be told a mirror of that name.
    """
    told: set[str] = set()
    for template in ground.templates:
        for container in template.containers():
            host = text(container.data, "image").partition("/")[0].partition(":")[0]
            service = _service(ground, template.namespace, host) if ".svc" in host else None
            if service is None or service.key in told:
                continue
            told.add(service.key)
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=template.subject,
                place=template.manifest.place(*container.path, "image"),
                why=f"the image of container {container.name} is in a registry at {host}, a name "
                f"of Service {service.key}: the node pulls images, and its resolver does not know "
                "it",
                fix="name the registry as nodes reach it (a node port at localhost, an Ingress' "
                "host), or give the runtime a mirror of that name (containerd: hosts.toml)",
            )


def _mounted(ground: Ground) -> Iterator[Finding]:
    """A volume whose server is named as its Service; nodes of GKE mount in a pod's network."""
    there = ground.cluster.distribution
    if there is not None and there.name == "gke":
        return
    volumes: list[tuple[Manifest, _Path, str, str]] = [
        (one, ("spec",), f"PersistentVolume {one.name}", "default")
        for one in ground.of_kind("PersistentVolume").values()
    ]
    for made in ground.templates:
        for index in range(len(array(made.spec, "volumes"))):
            at: _Path = (*made.path, "spec", "volumes", index)
            volumes.append((made.manifest, at, made.subject, made.namespace))
    for manifest, path, subject, namespace in volumes:
        for field in _SERVERS:
            host = text(manifest.data, *path, *field)
            service = _service(ground, namespace, host) if host else None
            if service is None:
                continue
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=subject,
                place=manifest.place(*path, *field),
                why=f"its server is {host}, a name of Service {service.key}: the node mounts "
                "volumes, and its resolver does not know it (Name or service not known)",
                fix=f"give Service {service.name} a fixed clusterIP, and write that here",
            )


def _kubelets(ground: Ground) -> Iterator[Finding]:
    """metrics-server that looks for nodes by their names, which cluster DNS does not know."""
    nodes = [n for n in ground.cluster.nodes.values() if n.origin.kind is not OriginKind.ASSUMED]
    for template in ground.templates if not any("." in node.name for node in nodes) else ():
        for container in template.containers():
            words = [*array(container.data, "command"), *array(container.data, "args")]
            said = next((str(w) for w in words if str(w).startswith(KUBELET_ADDRESSES)), None)
            if said is None and not (nodes and _METRICS in text(container.data, "image")):
                continue
            if said is not None and not said.partition("=")[2].startswith("Hostname"):
                continue
            fields = ("args", "command") if said is not None else ()
            found = next((f for f in fields if said in array(container.data, f)), None)
            at = (found, array(container.data, found).index(said)) if found is not None else ()
            yield Finding(
                rule=ID,
                severity=Severity.WARNING if nodes else Severity.INFO,
                subject=template.subject,
                place=template.manifest.place(*container.path, *at),
                why=f"container {container.name} asks kubelets by the nodes' names "
                f"({said or 'as metrics-server does unless told otherwise'}): cluster DNS knows "
                "Services, no nodes (no such host), unless the nodes' own name servers do",
                fix=f"write {KUBELET_ADDRESSES}=InternalIP into its args",
            )


def _aliases(ground: Ground) -> Iterator[Finding]:
    """The name of a Service in a pod's own /etc/hosts, with another address."""
    for template in ground.templates:
        for index, alias in enumerate(array(template.spec, "hostAliases")):
            given = next(iter(addresses((text(alias, "ip"),))), None)
            for host in texts(alias, "hostnames"):
                service = _service(ground, template.namespace, host)
                if service is None or given is None or is_loopback(given):
                    continue
                own = {*service.cluster_ips, *service.external_ips}
                own |= {one.ip for one in service.load_balancer_ingress if one.ip is not None}
                pods = (a for pod in ground.selected(service) for a in pod.addresses)
                if given in own or given in pods:
                    continue
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=template.subject,
                    place=template.place("spec", "hostAliases", index),
                    why=f"hostAliases give {host}, a name of Service {service.key}, the address "
                    f"{given}, which is not that Service's: /etc/hosts goes before DNS",
                    fix=f"take {host} out of hostAliases",
                )


def _in_vain(lost: LostServer, pod: Pod, subject: str) -> Finding:
    where = " in pods of dnsPolicy ClusterFirst" if lost.by_kubelet else ""
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=subject,
        place=lost.origin.place,
        why=f"no name resolves{where}: {in_vain(lost)}",
        fix=rightly(lost, pod),
    )


def _wildcards(pod: Pod, subject: str) -> Iterator[Finding]:
    """A search domain that answers for every name: what is no name of the cluster ends there."""
    for zone in pod.dns_config.searches if pod.dns_config is not None else ():
        address = answered(f"x.{zone}")
        if address is not None:
            origin = pod.origins.get("dns_config", pod.origin)
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=subject,
                place=origin.place,
                why=f"{zone} of dnsConfig.searches answers for every name: outside names and full "
                f"names of Services with fewer than {ndots(pod)} dots are {address} in this pod",
                fix=f"take {zone} out of dnsConfig.searches",
            )


def _asked(ground: Ground, template: Template) -> Iterator[tuple[ToldHost, Service]]:
    for container in template.containers():
        for one in asked(container):
            service = _service(ground, template.namespace, one.host)
            if service is not None:
                yield one, service


def _service(ground: Ground, namespace: str, host: str) -> Service | None:
    """The Service whose name in cluster DNS `host` is."""
    parts = host.rstrip(".").removesuffix(f".{ground.cluster.cluster_domain}").split(".")
    if len(parts) > 2 and parts[2] != "svc":
        return None
    key = f"{parts[1] if len(parts) > 1 else namespace}/{parts[0]}"
    return ground.cluster.services.get(key)


def _finding(
    ground: Ground, template: Template, pod: Pod, one: ToldHost, service: Service
) -> Finding:
    host = pod.host_network and pod.dns_policy == "ClusterFirst"
    why = "hostNetwork with dnsPolicy ClusterFirst" if host else f"dnsPolicy {pod.dns_policy}"
    wanted = "ClusterFirstWithHostNet" if pod.host_network else "ClusterFirst"
    origin = pod.origins.get("host_network" if host else "dns_policy", pod.origin)
    resolver = "the node's resolver, which does not know it"
    if pod.dns_policy == "None":
        resolver = "the nameservers of its dnsConfig alone, which do not know it"
    port = one.port or (service.ports[0].port if service.ports else None)
    walkable = (port is not None and pod.key in ground.world.network) or pod.host_network
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=template.subject,
        place=origin.place,
        why=f"{one.what} leads to {one.host}, a name of Service {service.key}, and {why} asks "
        f"{resolver}",
        fix=f"write dnsPolicy: {wanted}",
        claim=Claim(pod_source(pod), f"{one.host}:{port}")
        if walkable and port is not None and service.type is not ServiceType.EXTERNAL_NAME
        else None,
    )


RULE = CheckRule(
    id=ID,
    summary="A pod that does not ask cluster DNS is told the name of a Service",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
