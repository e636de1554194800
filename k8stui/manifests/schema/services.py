"""core/v1 and discovery/v1: Services and their endpoints, written in both ways."""

from __future__ import annotations

from k8stui.manifests.schema.objects import kind
from k8stui.manifests.schema.types import (
    BOOLEAN,
    INTEGER,
    PORT,
    PROTOCOL,
    STRINGS,
    TEXTS,
    ListOf,
    OneOf,
    Scalar,
    struct,
)

_SERVICE_PORT = struct(
    "port",
    "name appProtocol",
    port=PORT,
    # 0 and the empty text stand for the number of `port` (core/v1 defaults.go SetDefaults_Service).
    targetPort=Scalar("a port number up to 65535 or a port's name", (int, str), 0, 65535),
    nodePort=Scalar("a port number from 0 to 65535", (int,), 0, 65535),
    protocol=PROTOCOL,
    required="port",
)
_SERVICE = struct(
    "spec",
    "clusterIP externalName loadBalancerIP loadBalancerClass trafficDistribution",
    unread="topologyKeys",
    sessionAffinityConfig=struct(
        "sessionAffinityConfig", clientIP=struct("clientIP", timeoutSeconds=INTEGER)
    ),
    type=OneOf(("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"), fills=True),
    selector=STRINGS,
    ports=ListOf(_SERVICE_PORT),
    clusterIPs=TEXTS,
    externalIPs=TEXTS,
    loadBalancerSourceRanges=TEXTS,
    ipFamilies=ListOf(OneOf(("IPv4", "IPv6"))),
    ipFamilyPolicy=OneOf(("SingleStack", "PreferDualStack", "RequireDualStack")),
    externalTrafficPolicy=OneOf(("Cluster", "Local"), fills=True),
    internalTrafficPolicy=OneOf(("Cluster", "Local")),
    sessionAffinity=OneOf(("None", "ClientIP"), fills=True),
    healthCheckNodePort=INTEGER,
    publishNotReadyAddresses=BOOLEAN,
    allocateLoadBalancerNodePorts=BOOLEAN,
)
_LOAD_BALANCER = struct(
    "status",
    unread="conditions",
    loadBalancer=struct(
        "loadBalancer", ingress=ListOf(struct("ingress", "ip hostname ipMode", unread="ports"))
    ),
)
_TARGET = struct("targetRef", "apiVersion kind name namespace uid resourceVersion fieldPath")
_ENDPOINT_PORT = struct("port", "name appProtocol", port=PORT, protocol=PROTOCOL)
_SUBSET_ADDRESS = struct("address", "ip hostname nodeName", targetRef=_TARGET, required="ip")
_SUBSETS = ListOf(
    struct(
        "subset",
        addresses=ListOf(_SUBSET_ADDRESS),
        notReadyAddresses=ListOf(_SUBSET_ADDRESS),
        ports=ListOf(_ENDPOINT_PORT),
    )
)
_SLICE_ENDPOINT = struct(
    "endpoint",
    "hostname nodeName zone",
    addresses=TEXTS,
    conditions=struct("conditions", ready=BOOLEAN, serving=BOOLEAN, terminating=BOOLEAN),
    hints=struct(
        "hints",
        forZones=ListOf(struct("zone", "name")),
        forNodes=ListOf(struct("node", "name")),
    ),
    deprecatedTopology=STRINGS,
    topology=STRINGS,
    targetRef=_TARGET,
    required="addresses",
)
KINDS = (
    kind("Service", "v1", spec=_SERVICE, status=_LOAD_BALANCER),
    kind("Endpoints", "v1", subsets=_SUBSETS),
    kind(
        "EndpointSlice",
        "discovery.k8s.io/v1 discovery.k8s.io/v1beta1",
        addressType=OneOf(("IPv4", "IPv6", "FQDN")),
        endpoints=ListOf(_SLICE_ENDPOINT),
        ports=ListOf(_ENDPOINT_PORT),
    ),
)
