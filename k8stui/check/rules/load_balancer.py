"""A LoadBalancer Service that has no address.

Somebody outside Kubernetes' own controllers (a cloud, MetalLB) gives it one; until then EXTERNAL-IP
is ``<pending>``, and there is only the node port. Manifests never hold the address, so this is an
information: where there is no such controller, it stays so.

A warning where the input shows why: MetalLB's pools have none left, or not the one that is asked
for, or no advertisement is for them; or another Service of k3s' ServiceLB has the port already. And
where others answer for MetalLB's addresses, or give others: kube-proxy in mode ipvs without
strictARP, k3s' ServiceLB. And where Azure's probes find no node healthy, a cloud's load balancer
needs node ports that the Service has not, or the cloud's network hears no ARP of the nodes. And
where what it hands on is not understood: TLS that it ends itself, PROXY protocol's header.

Does not apply to Services whose status has an address or a name, nor to those with externalIPs.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.clouds import unheard_in_cloud
from k8stui.cluster.load_balancers.aws import waits_for_controller
from k8stui.cluster.load_balancers.azure import probed_in_vain
from k8stui.cluster.load_balancers.balancers import METALLB
from k8stui.cluster.load_balancers.handed_on import misread
from k8stui.cluster.load_balancers.instances import lacks_node_ports
from k8stui.cluster.model import Lack, Service, ServiceType
from k8stui.suggest import nearest, parts

ID = "load-balancer"


def look(ground: Ground) -> Iterator[Finding]:
    yield from _unannounced(ground)
    yield from _at_odds(ground)
    first = next((by for by in ground.cluster.announced.values() if by.by_arp), None)
    unheard = unheard_in_cloud(ground.cluster, first) if first is not None else None
    if unheard is not None:
        yield Finding.of_lack(ID, "the cluster", unheard)
    for service in ground.services:
        yield from _unread(service)
        if service.type is ServiceType.LOAD_BALANCER:
            for judge in (probed_in_vain, lacks_node_ports, misread):
                if (lack := judge(service, ground.cluster)) is not None:
                    yield _finding(service, lack)
        if (
            service.type is not ServiceType.LOAD_BALANCER
            or service.load_balancer_ingress
            or service.external_ips
        ):
            continue
        there = ground.cluster.distribution
        lack = ground.cluster.unbalanced.get(service.key)
        if lack is not None:
            yield _finding(service, lack)
            continue
        port = next((p for p in service.ports if p.node_port), None)
        if port is not None:
            chosen = port.origins["node_port"].kind.value == "assumed"
            way = "node ports" if chosen else f"node port {port.node_port}"
            way = f"; until then it is reached by its {way}"
        else:
            way = "; it has no node port either"
        lack = waits_for_controller(service, ground.cluster)
        why = f": {lack.why}" if lack is not None else ""
        yield Finding(
            rule=ID,
            severity=Severity.INFO,
            subject=f"Service {service.key}",
            place=lack.origin.place if lack is not None else ground.place(service, "spec", "type"),
            why=f"the load balancer has no address (<pending>){why}{way}",
            fix=lack.mend
            if lack is not None
            else f"run the controller of loadBalancerClass {named}: no other gives it an address"
            if (named := service.load_balancer_class)
            else there.on_demand
            if there is not None and there.on_demand
            else "nothing in a cloud; elsewhere install a load-balancer controller, or use "
            "NodePort",
        )


def _unread(service: Service) -> Iterator[Finding]:
    """An annotation of MetalLB's that it does not know, and so does not do."""
    for key, value in service.annotations.items():
        prefix, _, name = key.partition("/")
        if prefix in METALLB and name not in METALLB[prefix]:
            known = METALLB[prefix]
            alike = (one for one in known if {*parts(name)} & {*parts(one)})
            near = nearest(name, known) or next(alike, "")
            lack = Lack(
                f"MetalLB knows no annotation {key}: {value} is not looked at",
                f"write {prefix}/{near}" if near else "take it away",
                service.origins.get("annotations", service.origin),
            )
            yield _finding(service, lack)


def _at_odds(ground: Ground) -> Iterator[Finding]:
    """Somebody else answers for the addresses that MetalLB announces, or gives others."""
    for lack in ground.cluster.rivals:
        yield Finding.of_lack(ID, "the cluster", lack)


def _unannounced(ground: Ground) -> Iterator[Finding]:
    """Services whose address nobody announces."""
    known = ground.cluster.unannounced
    for service in ground.services if known else ():
        for one in service.load_balancer_ingress:
            if one.ip is not None and one.ip in known:
                lack = known[one.ip]
                yield _finding(service, Lack(f"{one.ip}: {lack.why}", lack.mend, lack.origin))


def _finding(service: Service, lack: Lack) -> Finding:
    return Finding.of_lack(ID, f"Service {service.key}", lack)


RULE = CheckRule(
    id=ID,
    summary="A load balancer without an address",
    help=__doc__ or "",
    severity=Severity.INFO,
    look=look,
)
