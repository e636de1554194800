"""projectcalico.org: what Calico is told by objects of its own. What they mean is cluster's affair.

Source: Calico v3.30 manifests/crds.yaml, api/pkg/apis/projectcalico/v3 (policy_common.go,
globalnetworkpolicy.go, networkpolicy.go, tier.go), tigera/operator api/v1 installation_types.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.manifests.schema.objects import kind
from k8stui.manifests.schema.types import (
    BOOLEAN,
    NUMBER_OR_TEXT,
    STRING,
    TEXTS,
    ListOf,
    MapOf,
    OneOf,
    Scalar,
    Struct,
    Type,
    struct,
)

GROUPS = frozenset({"projectcalico.org", "crd.projectcalico.org", "operator.tigera.io"})
_SERVED = "projectcalico.org/v3 crd.projectcalico.org/v1"
_ORDER = Scalar("a number", (int, float))
_BYTE = Scalar("a number from 0 to 255", (int,), 0, 255)
_PORTS = ListOf(NUMBER_OR_TEXT)
_SIDE = struct(
    "side of a rule",
    "selector notSelector namespaceSelector",
    nets=TEXTS,
    notNets=TEXTS,
    ports=_PORTS,
    notPorts=_PORTS,
    serviceAccounts=struct("serviceAccounts", "selector", names=TEXTS),
    services=struct("services", "name namespace"),
)
_ICMP = struct("icmp", type=_BYTE, code=_BYTE)
_RULES = ListOf(
    struct(
        "rule",
        unread="http",
        action=OneOf(("Allow", "Deny", "Log", "Pass")),
        ipVersion=Scalar("4 or 6", (int,), 4, 6),
        protocol=NUMBER_OR_TEXT,
        notProtocol=NUMBER_OR_TEXT,
        icmp=_ICMP,
        notICMP=_ICMP,
        metadata=struct("metadata", annotations=MapOf(Scalar("a text", (str,)))),
        source=_SIDE,
        destination=_SIDE,
        required="action",
    )
)
_OF_ALL: Mapping[str, Type] = {
    "order": _ORDER,
    "types": ListOf(OneOf(("Ingress", "Egress"))),
    "ingress": _RULES,
    "egress": _RULES,
    "performanceHints": TEXTS,
}


def _spec(texts: str, **more: Type) -> Struct:
    """Of a policy."""
    known = {**dict.fromkeys(texts.split(), STRING), **_OF_ALL, **more}
    return Struct("spec", known)


_NETS = struct("spec", nets=TEXTS)
KINDS = (
    *(
        kind(name, _SERVED, unread="spec", namespaced=False)
        for name in ("IPPool", "FelixConfiguration", "HostEndpoint")
    ),
    kind(
        "GlobalNetworkPolicy",
        _SERVED,
        namespaced=False,
        spec=_spec(
            "tier selector namespaceSelector serviceAccountSelector",
            doNotTrack=BOOLEAN,
            preDNAT=BOOLEAN,
            applyOnForward=BOOLEAN,
        ),
    ),
    kind(
        "Calico NetworkPolicy",
        _SERVED,
        spec=_spec("tier selector serviceAccountSelector"),
    ),
    kind("GlobalNetworkSet", _SERVED, namespaced=False, spec=_NETS),
    kind("NetworkSet", _SERVED, spec=_NETS),
    kind(
        "Tier",
        _SERVED,
        namespaced=False,
        spec=struct("spec", order=_ORDER, defaultAction=OneOf(("Allow", "Deny", "Log", "Pass"))),
    ),
    kind("Installation", "operator.tigera.io/v1", unread="spec", namespaced=False),
)
