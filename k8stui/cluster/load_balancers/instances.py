"""Load balancers of clouds that send to the nodes, at node ports which a Service has not.

AWS' Classic and Network Load Balancers with instances as targets, and OpenStack's Octavia; those of
Google and Azure send to the address itself. Sources: cloud-provider-aws pkg/providers/v1/aws.go
EnsureLoadBalancer; aws-load-balancer-controller issue 2492; cloud-provider-openstack
pkg/openstack/loadbalancer.go (members are node address and nodePort).
"""

from __future__ import annotations

from k8stui.cluster.clouds import AWS, OPENSTACK, clouds
from k8stui.cluster.model import Cluster, Lack, Service, ServiceType

_CLOUDS = {AWS: "AWS", OPENSTACK: "OpenStack"}
_PREFIX = "service.beta.kubernetes.io/aws-load-balancer-"
_OWN_CLASS = "service.k8s.aws/nlb"


def lacks_node_ports(service: Service, cluster: Cluster) -> Lack | None:
    """Why the cloud's load balancer has no port of the nodes to send to; None where it has."""
    if service.type is not ServiceType.LOAD_BALANCER or service.allocate_load_balancer_node_ports:
        return None
    if all(port.node_port for port in service.ports):
        return None
    cloud = next((_CLOUDS[one] for one in clouds(cluster) if one in _CLOUDS), "")
    by_class = service.load_balancer_class
    if not cloud or by_class not in ("", None, _OWN_CLASS):
        return None
    if any(one.ip in cluster.announced for one in service.load_balancer_ingress if one.ip):
        return None
    to = service.annotations.get(f"{_PREFIX}nlb-target-type", "")
    if to == "ip" or service.annotations.get(f"{_PREFIX}type") == "nlb-ip":
        return None
    return Lack(
        f"the load balancer of {cloud} sends to the nodes' ports, and Service {service.name} has "
        "none (allocateLoadBalancerNodePorts: false): nobody is answered through it",
        "take allocateLoadBalancerNodePorts: false away"
        + (", or let the pods be its targets (nlb-target-type: ip)" if cloud == "AWS" else ""),
        service.origins.get("allocate_load_balancer_node_ports", service.origin),
    )
