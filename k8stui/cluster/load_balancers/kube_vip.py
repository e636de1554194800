"""kube-vip: on which nodes it announces what Services ask for, and for whom it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8stui.cluster.model import Container, Lack, Pod, PodPhase, Service
from k8stui.cluster.programs.images import image_word
from k8stui.kernel.address import Address
from k8stui.origin import Origin

WANTED = ("metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs",
           "kube-vip.io/loadbalancerIPs")  # fmt: skip
KUBE_VIP, _GIVES = "kube-vip", "kube-vip-cloud-provider"


def nodes_of_kube_vip(pods: Iterable[Pod], *, for_services: bool) -> Mapping[str, Origin]:
    """Nodes on which kube-vip runs: for Services, or for the API server's address alone.

    Source: kube-vip pkg/kubevip/config_environment.go (svc_enable), cmd/kube-vip.go (--services).
    """
    return {
        pod.node_name: pod.origin
        for pod in pods
        for one in pod.containers
        if pod.node_name is not None
        and pod.phase is PodPhase.RUNNING
        and KUBE_VIP in one.image
        and image_word(one.image).removesuffix("-iptables") == KUBE_VIP
        and _is_for_services(one) is for_services
    }


def settings_of_kube_vip(pods: Iterable[Pod]) -> Mapping[str, str]:
    """The environment of the first one that is for Services."""
    each = (one for pod in pods for one in pod.containers if image_word(one.image) == KUBE_VIP)
    return next((dict(one.env) for one in each if _is_for_services(one)), {})


def device_of_kube_vip(pods: Iterable[Pod]) -> str:
    """Where it announces addresses (vip_interface); empty: on the card of the default route."""
    told = (
        value
        for pod in pods
        for one in pod.containers
        for name, value in one.env
        if KUBE_VIP in one.image and name in ("vip_interface", "vip_servicesinterface")
    )
    return next(filter(None, told), "")


def _is_for_services(container: Container) -> bool:
    """As its env says; where that says nothing of what it is for, it is taken to be."""
    told = dict(container.env)
    if "--services" in container.spoken or not {"svc_enable", "cp_enable"} & told.keys():
        return True
    return told.get("svc_enable", "").lower() == "true"


def asked_alone(pods: Iterable[Pod]) -> Lack | None:
    """kube-vip announces the address that a Service asks for, and chooses none itself."""
    by_image = {image_word(one.image): pod for pod in pods for one in pod.containers}
    if _GIVES in by_image or KUBE_VIP not in by_image:
        return None
    return Lack(
        "kube-vip announces the address that a Service has, and gives it none: that is "
        "kube-vip-cloud-provider's work, which does not run",
        "ask for one (annotation kube-vip.io/loadbalancerIPs: a free address of the nodes' "
        "network), or run kube-vip-cloud-provider with ConfigMap kube-system/kubevip "
        "(range-global)",
        by_image[KUBE_VIP].origin,
    )


def not_for_services(services: Mapping[str, Service], pods: Iterable[Pod]) -> dict[Address, Lack]:
    """What asks kube-vip for its address, where that keeps to the API server's own one."""
    idle = nodes_of_kube_vip(pods, for_services=False)
    if not idle:
        return {}
    origin = next(iter(idle.values()))
    lack = Lack(
        "kube-vip runs for the API server's address alone (svc_enable is not true), and announces "
        "no Service's",
        'set svc_enable: "true" in kube-vip\'s env (argument --services)',
        origin,
    )
    return {
        one.ip: lack
        for service in services.values()
        if "kube-vip.io/loadbalancerIPs" in service.annotations
        for one in service.load_balancer_ingress
        if one.ip is not None
    }


def of_other_class(services: Mapping[str, Service], pods: Iterable[Pod]) -> dict[Address, Lack]:
    """What asks kube-vip for its address without the class that it keeps to (lb_class_only)."""
    for pod in pods:
        for one in pod.containers:
            told = dict(one.env)
            if image_word(one.image) != KUBE_VIP or told.get("lb_class_only") != "true":
                continue
            wanted = told.get("lb_class_name") or "kube-vip.io/kube-vip-class"
            lack = Lack(
                f"kube-vip takes Services of loadBalancerClass {wanted} alone (lb_class_only), and "
                "this one is of another or none: nobody announces its address",
                f"write loadBalancerClass: {wanted} into a new Service (it cannot be changed), or "
                "take lb_class_only out of kube-vip's env",
                one.origin,
            )
            return {
                address.ip: lack
                for service in services.values()
                if any(key in service.annotations for key in WANTED)
                and service.load_balancer_class != wanted
                for address in service.load_balancer_ingress
                if address.ip is not None
            }
    return {}
