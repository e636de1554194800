"""Load balancers of AWS that wait for the AWS Load Balancer Controller, which no manifest has.

The cloud's own provider leaves Services of type ``external`` and ``nlb-ip`` alone, and of the
others does not read what is the controller's alone. That one sets its class on new Services itself,
so where it runs nothing is said; nor on a machine of one's own (kind, minikube).
Sources: cloud-provider-aws docs/service_controller.md, pkg/providers/v1/aws.go;
aws-load-balancer-controller pkg/annotations/constants.go, webhooks/core/service_mutator.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from k8stui.cluster.model import Cluster, Lack, Pod, Service
from k8stui.cluster.programs.images import bare_image

_PREFIX = "service.beta.kubernetes.io/aws-load-balancer-"
_CONTROLLER = "aws-load-balancer-controller"
_THEIRS = frozenset({"external", "nlb-ip"})
_OF_THE_CONTROLLER = (
    "nlb-target-type", "private-ipv4-addresses", "ipv6-addresses", "ip-address-type", "scheme",
    "name", "alpn-policy", "attributes",
)  # fmt: skip
"""Annotations that the cloud's own provider does not read."""


def waits_for_controller(service: Service, cluster: Cluster) -> Lack | None:
    """Why the load balancer is not made, or not as asked, unless the controller is there."""
    kind = service.annotations.get(f"{_PREFIX}type", "")
    unread = [n for n in _OF_THE_CONTROLLER if f"{_PREFIX}{n}" in service.annotations]
    if service.load_balancer_class or not (kind in _THEIRS or unread):
        return None
    there = cluster.distribution
    if (there is not None and there.on_demand) or _runs(cluster.pods.values()):
        return None
    origin = service.origins.get("annotations", service.origin)
    if kind in _THEIRS:
        return Lack(
            f"aws-load-balancer-type: {kind} leaves it to the AWS Load Balancer Controller, which "
            "no manifest has; the cloud's own provider does nothing for it",
            f"run {_CONTROLLER}, or write aws-load-balancer-type: nlb for the cloud's own provider",
            origin,
        )
    return Lack(
        f"the cloud's own provider makes it{' (type nlb)' if kind else ''}, which does not read "
        f"aws-load-balancer-{unread[0]}: the AWS Load Balancer Controller does, which no manifest "
        "has",
        f"run {_CONTROLLER} and write aws-load-balancer-type: external, with "
        "aws-load-balancer-nlb-target-type",
        origin,
    )


def loses_own_clients(service: Service) -> Lack | None:
    """An NLB that keeps the client's address: a target that asks it answers itself past it.

    It keeps it to node ports, where the cloud's own provider cannot switch that off, and to pods
    where it is told to. Source: AWS, "Troubleshoot your Network Load Balancer" (requests from a
    target to its own load balancer), "Client IP preservation".
    """
    kind, to = (service.annotations.get(f"{_PREFIX}{n}", "") for n in ("type", "nlb-target-type"))
    told = service.annotations.get(f"{_PREFIX}target-group-attributes", "")
    if to == "ip" or kind == "nlb-ip":
        if "preserve_client_ip.enabled=true" not in told:
            return None
        return Lack(
            "the NLB of AWS is told to keep the client's address (preserve_client_ip.enabled): "
            "where it chooses the pod that asks, the answer goes past it, and the connection times "
            "out",
            f"ask Service {service.name} by its own name from inside, or write "
            "preserve_client_ip.enabled=false into target-group-attributes",
            service.origins.get("annotations", service.origin),
        )
    if "preserve_client_ip.enabled=false" in told:
        return None
    if kind != "nlb" and not (kind == "external" and to == "instance"):
        return None
    return Lack(
        "an NLB of AWS to node ports keeps the client's address: where it chooses the node that "
        "the client is on, the answer goes past it, and the connection times out",
        f"ask Service {service.name} by its own name from inside; or have the AWS Load Balancer "
        "Controller make it, with target-group-attributes: preserve_client_ip.enabled=false",
        service.origins.get("annotations", service.origin),
    )


def _runs(pods: Iterable[Pod]) -> bool:
    return any(
        bare_image(one.image).endswith(_CONTROLLER) for pod in pods for one in pod.containers
    )
