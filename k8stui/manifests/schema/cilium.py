"""cilium.io: Cilium's own policies. What they mean is cluster's affair.

Source: Cilium v1.16 pkg/policy/api (rule.go, ingress.go, egress.go, l4.go, cidr.go, fqdn.go),
pkg/k8s/apis/cilium.io/v2 (cnp_types.go, ccnp_types.go).
"""

from __future__ import annotations

from k8stui.manifests.schema.objects import kind
from k8stui.manifests.schema.types import (
    ANY,
    BOOLEAN,
    COUNT,
    NUMBER_OR_TEXT,
    STRING,
    TEXTS,
    ListOf,
    MapOf,
    OneOf,
    Struct,
    Type,
    struct,
)

_EXPRESSION = struct("expression", "key", values=TEXTS,
                     operator=OneOf(("In", "NotIn", "Exists", "DoesNotExist")))  # fmt: skip
_SELECTOR = struct("selector", matchLabels=MapOf(STRING), matchExpressions=ListOf(_EXPRESSION))
_PROTOCOLS = ("TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "ANY", "VRRP", "IGMP")
_PORT = struct("port", port=NUMBER_OR_TEXT, endPort=COUNT, protocol=OneOf(_PROTOCOLS))
_TO_PORTS = ListOf(
    struct(
        "port rule",
        unread="rules terminatingTLS originatingTLS serverNames listener",
        ports=ListOf(_PORT),
    )
)
_CIDR_SET = ListOf(
    Struct(
        "CIDR rule",
        {"cidr": STRING, "cidrGroupRef": STRING, "cidrGroupSelector": ANY, "except": TEXTS},
    )
)


def _rules(lead: str, unread: str, **more: Type) -> ListOf:
    """Of one direction."""
    known = dict.fromkeys(f"authentication icmps {unread}".split(), ANY)
    peers = {
        f"{lead}Endpoints": ListOf(_SELECTOR),
        f"{lead}CIDR": TEXTS,
        f"{lead}CIDRSet": _CIDR_SET,
        f"{lead}Entities": TEXTS,
    }
    return ListOf(Struct("rule", {**known, **peers, "toPorts": _TO_PORTS, **more}))


_INGRESS = _rules("from", "fromRequires fromGroups fromNodes")
_EGRESS = _rules(
    "to",
    "toRequires toGroups toNodes toServices",
    toFQDNs=ListOf(struct("FQDN", "matchName matchPattern")),
)
_SPEC = struct(
    "spec",
    "description",
    unread="labels",
    endpointSelector=_SELECTOR,
    nodeSelector=_SELECTOR,
    enableDefaultDeny=struct("enableDefaultDeny", ingress=BOOLEAN, egress=BOOLEAN),
    ingress=_INGRESS,
    ingressDeny=_INGRESS,
    egress=_EGRESS,
    egressDeny=_EGRESS,
)
KINDS = tuple(
    kind(name, "cilium.io/v2", namespaced=namespaced, specs=ListOf(_SPEC), spec=_SPEC)
    for name, namespaced in (
        ("CiliumNetworkPolicy", True),
        ("CiliumClusterwideNetworkPolicy", False),
    )
)
