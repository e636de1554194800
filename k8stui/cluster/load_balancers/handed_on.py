"""What a load balancer hands to an ingress controller, and the controller does not understand.

Plain HTTP at its TLS port, where the load balancer ends TLS itself; PROXY protocol's header, which
one of the two speaks and the other does not. Sources: cloud-provider-aws docs/service_controller.md
(ssl-cert, ssl-ports, backend-protocol, proxy-protocol); digitalocean-cloud-controller-manager
docs/controllers/services/annotations.md; hcloud-cloud-controller-manager's annotations;
ingress-nginx docs/user-guide/nginx-configuration/configmap (use-proxy-protocol).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.cluster.endpoints import pods_behind
from k8stui.cluster.model import Cluster, Lack, Pod, Service, ServicePort, ServiceType
from k8stui.cluster.programs.images import is_ingress_controller, serves_ingresses
from k8stui.kernel.derived import Derived

_AWS = "service.beta.kubernetes.io/aws-load-balancer-"
_DO = "service.beta.kubernetes.io/do-loadbalancer-"
_HETZNER = "load-balancer.hetzner.cloud/"
_CERTIFICATES = (
    (f"{_AWS}ssl-cert", f"{_AWS}ssl-ports"),
    (f"{_DO}certificate-id", f"{_DO}tls-ports"),
    (f"{_HETZNER}http-certificates", ""),
)
"""What makes a load balancer end TLS, and at which ports alone."""
_ENCRYPTED = {f"{_AWS}backend-protocol": ("https", "ssl"), f"{_DO}tls-passthrough": ("true",)}
_HEADER = (f"{_AWS}proxy-protocol", f"{_DO}enable-proxy-protocol", f"{_HETZNER}uses-proxyprotocol")
_TLS_NAMES = frozenset({"https", "websecure", "proxy-tls", "kong-proxy-tls", "http-tls"})
_TLS_NUMBERS = frozenset({443, 8443})


def misread(service: Service, cluster: Cluster, scheme: str = "") -> Lack | None:
    """Why a controller understands nothing of what its load balancer hands on; None: it does.

    `scheme`: what is asked, ``http`` or ``https``; empty: either.
    """
    if service.type is not ServiceType.LOAD_BALANCER or not service.annotations:
        return None
    behind = _controller(service, cluster)
    if behind is None:
        return None
    lack = _unexpected_header(service, behind, cluster)
    return lack or (_plain_to_tls(service) if scheme != "http" else None)


def fronts(cluster: Cluster) -> tuple[Service, ...]:
    """The load balancers in front of the input's ingress controllers."""
    return _fronts.of(cluster)


def _find(cluster: Cluster) -> tuple[Service, ...]:
    return tuple(
        one
        for one in cluster.services.values()
        if one.type is ServiceType.LOAD_BALANCER and _controller(one, cluster) is not None
    )


_fronts = Derived(_find)


def _controller(service: Service, cluster: Cluster) -> Pod | None:
    behind = (pod for pod, _ in pods_behind(cluster, service.key))
    return next((pod for pod in behind if any(map(serves_ingresses, pod.containers))), None)


def _plain_to_tls(service: Service) -> Lack | None:
    told = service.annotations
    if any(told.get(key, "").lower() in those for key, those in _ENCRYPTED.items()):
        return None
    for key, at in _CERTIFICATES:
        ports = [one.strip() for one in told.get(at, "").split(",") if one.strip() not in ("", "*")]
        port = next(
            (
                one
                for one in service.ports
                if key in told
                and _is_tls(one)
                and (str(one.port) in ports or one.name in ports or not ports)
            ),
            None,
        )
        if port is not None:
            plain = next((p for p in service.ports if p.name in ("http", "web")), None)
            to = plain.target_port if plain is not None else "http"
            return Lack(
                f"the load balancer ends TLS itself ({key}), and hands what comes to port "
                f"{port.port} in plain to the controller's TLS port {port.target_port} (400, plain "
                "HTTP sent to an HTTPS port)",
                f"write targetPort: {to} for port {port.port} of Service {service.name}",
                port.origins.get("target_port", port.origin),
                "400",
            )
    return None


def _is_tls(port: ServicePort) -> bool:
    return port.target_port in _TLS_NAMES or port.target_port in _TLS_NUMBERS


def _unexpected_header(service: Service, pod: Pod, cluster: Cluster) -> Lack | None:
    """The load balancer writes a header that its ingress-nginx is not told to expect."""
    key = next((k for k in _HEADER if service.annotations.get(k, "false") != "false"), "")
    held = _told(cluster, pod) if key else None
    if held is None or held[1]:
        return None
    return Lack(
        f"the load balancer writes PROXY protocol's header ({key}), and ConfigMap {held[0]} does "
        "not have the controller expect it (400)",
        f'write use-proxy-protocol: "true" into ConfigMap {held[0]}, or take the annotation away',
        service.origins.get("annotations", service.origin),
        "400",
    )


def lacks_header(cluster: Cluster, pod: Pod) -> Lack | None:
    """Why who comes to an ingress-nginx past its load balancer is not understood."""
    held = _told(cluster, pod)
    if held is None or not held[1]:
        return None
    config = cluster.config_maps[held[0]]
    return Lack(
        f"ConfigMap {held[0]} has use-proxy-protocol, so the controller refuses what comes without "
        "a load balancer's header (400, broken header), and from inside kube-proxy takes its "
        "address past it",
        "ask the Service behind it, or give the load balancer a host name "
        "(status.loadBalancer.ingress.hostname, ipMode: Proxy)",
        config.origin("use-proxy-protocol", 0),
        "400",
    )


def _told(cluster: Cluster, pod: Pod) -> tuple[str, bool] | None:
    """The ConfigMap of an ingress-nginx, and whether it expects the header; None: not known."""
    for name in _configurations(pod):
        held = cluster.config_maps.get(name)
        if held is not None:
            return name, held.data.get("use-proxy-protocol") == "true"
    return None


def _configurations(pod: Pod) -> Iterator[str]:
    for container in pod.containers:
        for word in container.spoken if is_ingress_controller(container.image) else ():
            if word.startswith("--configmap="):
                name = word.removeprefix("--configmap=")
                yield name.replace("$(POD_NAMESPACE)", pod.namespace)
