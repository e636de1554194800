"""networking/v1 and gateways: who may come in, and by which name."""

from __future__ import annotations

from k8stui.manifests.schema.objects import SELECTOR, kind
from k8stui.manifests.schema.types import (
    PORT,
    PORT_OR_NAME,
    PROTOCOLS,
    STRING,
    TEXTS,
    ListOf,
    OneOf,
    Struct,
    struct,
)

_BACKEND_PORT = struct("port", "name", number=PORT)
_BACKEND = struct(
    "backend",
    "serviceName",
    unread="resource",
    servicePort=PORT_OR_NAME,
    service=struct("service", "name", port=_BACKEND_PORT),
)
_INGRESS = struct(
    "spec",
    "ingressClassName",
    defaultBackend=_BACKEND,
    backend=_BACKEND,
    tls=ListOf(struct("tls", "secretName", hosts=TEXTS)),
    rules=ListOf(
        struct(
            "rule",
            "host",
            http=struct("http", paths=ListOf(struct("path", "path pathType", backend=_BACKEND))),
        )
    ),
)
_PEERS = ListOf(
    struct(
        "peer",
        podSelector=SELECTOR,
        namespaceSelector=SELECTOR,
        ipBlock=Struct("ipBlock", {"cidr": STRING, "except": TEXTS}, ("cidr",)),
    )
)
_POLICY_PORTS = ListOf(struct("port", port=PORT_OR_NAME, endPort=PORT, protocol=OneOf(PROTOCOLS)))
_RULE_FROM = Struct("rule", {"from": _PEERS, "ports": _POLICY_PORTS})
_NETWORK_POLICY = struct(
    "spec",
    podSelector=SELECTOR,
    policyTypes=ListOf(OneOf(("Ingress", "Egress"))),
    ingress=ListOf(_RULE_FROM),
    egress=ListOf(struct("rule", to=_PEERS, ports=_POLICY_PORTS)),
)
ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
"""Of the Gateway API (gateway-api apis/v1)."""
TRAEFIK = frozenset({"traefik.io", "traefik.containo.us"})
OF_TRAEFIK = ("IngressRoute", "IngressRouteTCP", "IngressRouteUDP")
_MIDDLEWARES = ("Middleware", "MiddlewareTCP")
BESIDE_ROUTES = (
    "ReferenceGrant", "VirtualService", "DestinationRule", "PeerAuthentication",
    "AuthorizationPolicy",
    *OF_TRAEFIK, *_MIDDLEWARES,
)  # fmt: skip
"""What lets a route into another namespace, and what Istio and Traefik have of their own."""
KINDS = (
    kind(
        "Ingress",
        "networking.k8s.io/v1 networking.k8s.io/v1beta1 extensions/v1beta1",
        spec=_INGRESS,
    ),
    kind("NetworkPolicy", "networking.k8s.io/v1 extensions/v1beta1", spec=_NETWORK_POLICY),
    # Of two projects; both are evidence of who listens, and nothing more.
    kind(
        "Gateway",
        "gateway.networking.k8s.io/v1 gateway.networking.k8s.io/v1beta1 "
        "gateway.networking.k8s.io/v1alpha2 networking.istio.io/v1 "
        "networking.istio.io/v1beta1 networking.istio.io/v1alpha3",
        unread="spec",
    ),
    # Of a class its name counts; of a route the Services that it leads to.
    kind(
        "GatewayClass",
        "gateway.networking.k8s.io/v1 gateway.networking.k8s.io/v1beta1",
        unread="spec",
        namespaced=False,
    ),
    kind(
        "IngressClass",
        "networking.k8s.io/v1 networking.k8s.io/v1beta1",
        unread="spec",
        namespaced=False,
    ),
    *(
        kind(
            name,
            "gateway.networking.k8s.io/v1 gateway.networking.k8s.io/v1beta1 "
            "gateway.networking.k8s.io/v1alpha3 gateway.networking.k8s.io/v1alpha2",
            unread="spec",
        )
        for name in ROUTES
    ),
    kind(
        "ReferenceGrant",
        "gateway.networking.k8s.io/v1 gateway.networking.k8s.io/v1beta1 "
        "gateway.networking.k8s.io/v1alpha2",
        unread="spec",
    ),
    *(
        kind(
            name,
            "networking.istio.io/v1 networking.istio.io/v1beta1 networking.istio.io/v1alpha3",
            unread="spec",
        )
        for name in ("VirtualService", "DestinationRule")
    ),
    *(
        kind(name, "traefik.io/v1alpha1 traefik.containo.us/v1alpha1", unread="spec")
        for name in (*OF_TRAEFIK, *_MIDDLEWARES)
    ),
    *(
        kind(name, "security.istio.io/v1 security.istio.io/v1beta1", unread="spec")
        for name in ("PeerAuthentication", "AuthorizationPolicy")
    ),
    kind(
        "ServiceCIDR",
        "networking.k8s.io/v1 networking.k8s.io/v1beta1 networking.k8s.io/v1alpha1",
        spec=struct("spec", cidrs=TEXTS),
        namespaced=False,
    ),
)
