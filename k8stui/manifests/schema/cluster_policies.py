"""policy.networking.k8s.io: policies of the whole cluster, above and below NetworkPolicies.

Source: network-policy-api apis/v1alpha1 (AdminNetworkPolicy, BaselineAdminNetworkPolicy, as of
v0.1.7), apis/v1alpha2 (ClusterNetworkPolicy).
"""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.manifests.schema.objects import SELECTOR, kind
from k8stui.manifests.schema.types import (
    PORT,
    PROTOCOL,
    STRING,
    TEXTS,
    ListOf,
    OneOf,
    Scalar,
    Struct,
    Type,
    struct,
)

_GROUP = "policy.networking.k8s.io"
_PODS = struct(
    "pods",
    namespaceSelector=SELECTOR,
    podSelector=SELECTOR,
    required="namespaceSelector podSelector",
)
_SUBJECT = struct("subject", namespaces=SELECTOR, pods=_PODS)
_FROM = ListOf(struct("peer", namespaces=SELECTOR, pods=_PODS))
_TO = ListOf(
    struct(
        "peer",
        namespaces=SELECTOR,
        pods=_PODS,
        nodes=SELECTOR,
        networks=TEXTS,
        domainNames=TEXTS,
    )
)
_PORTS = ListOf(
    struct(
        "port",
        "namedPort",
        portNumber=struct("portNumber", protocol=PROTOCOL, port=PORT, required="port"),
        portRange=struct(
            "portRange", protocol=PROTOCOL, start=PORT, end=PORT, required="start end"
        ),
    )
)
_DESTINATION = struct(
    "protocol",
    destinationPort=struct(
        "destinationPort",
        number=PORT,
        range=struct("range", start=PORT, end=PORT, required="start end"),
    ),
)
_PROTOCOLS = ListOf(
    struct(
        "protocol", "destinationNamedPort", tcp=_DESTINATION, udp=_DESTINATION, sctp=_DESTINATION
    )
)


def _spec(actions: tuple[str, ...], by: str, numbers: Type, required: str) -> Struct:
    """`by`: the field of a rule that holds `numbers`."""

    def rules(side: str, peers: Type) -> ListOf:
        fields: dict[str, Type] = {"name": STRING, "action": OneOf(actions), side: peers}
        fields[by] = numbers
        return ListOf(Struct("rule", fields, ("action", side)))

    known: Mapping[str, Type] = {"tier": _TIERS, "priority": _PRIORITY, "subject": _SUBJECT}
    names = required.split()
    sides = {"ingress": rules("from", _FROM), "egress": rules("to", _TO)}
    return Struct("spec", {name: known[name] for name in names} | sides, tuple(names))


_PRIORITY = Scalar("a whole number from 0 to 1000", (int,), 0, 1000)
_TIERS = OneOf(("Admin", "Baseline"))
KINDS = (
    kind(
        "AdminNetworkPolicy",
        f"{_GROUP}/v1alpha1",
        spec=_spec(("Allow", "Deny", "Pass"), "ports", _PORTS, "priority subject"),
        namespaced=False,
    ),
    kind(
        "BaselineAdminNetworkPolicy",
        f"{_GROUP}/v1alpha1",
        spec=_spec(("Allow", "Deny"), "ports", _PORTS, "subject"),
        namespaced=False,
    ),
    kind(
        "ClusterNetworkPolicy",
        f"{_GROUP}/v1alpha2",
        spec=_spec(("Accept", "Deny", "Pass"), "protocols", _PROTOCOLS, "tier priority subject"),
        namespaced=False,
    ),
)
