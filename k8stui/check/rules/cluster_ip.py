"""A clusterIP that cannot be given: another Service has it, or it is outside the Services' range.

The API server refuses the second Service with ``provided IP is already allocated``, and an address
outside the range with ``is not in the valid range`` (recordings-cluster/rejected 07 and 08).

Does not apply to addresses that the API server would choose. The range counts only where the input
says it (ServiceCIDR, kubeadm's serviceSubnet).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import Finding, Rule, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.model import Service
from k8stui.kernel.address import Address
from k8stui.manifests.origin import OriginKind

ID = "cluster-ip"
_KNOWN = (OriginKind.DECLARED, OriginKind.OBSERVED)


def look(ground: Ground) -> Iterator[Finding]:
    cluster = ground.cluster
    range_known = cluster.origins["service_cidr"].kind in _KNOWN
    taken: dict[Address, Service] = {}
    for service in ground.services:
        if not service.cluster_ips or service.origins["cluster_ips"].kind not in _KNOWN:
            continue
        for address in service.cluster_ips:
            first = taken.setdefault(address, service)
            why = ""
            if first is not service:
                place = ground.place(first, "spec", "clusterIP")
                where = f" ({place.file}:{place.line})" if place else ""
                why = f"clusterIP {address} is taken by Service {first.key}{where}"
            elif range_known and not any(address in cidr for cidr in cluster.service_cidrs):
                ranges = ", ".join(str(cidr) for cidr in cluster.service_cidrs)
                why = f"clusterIP {address} is not in the Services' range {ranges}"
            if why:
                yield Finding(
                    rule=ID,
                    severity=Severity.ERROR,
                    subject=f"Service {service.key}",
                    place=ground.place(service, "spec", "clusterIP"),
                    why=why,
                    fix="leave clusterIP out: the API server chooses a free one",
                )


RULE = Rule(
    id=ID,
    summary="A clusterIP that cannot be given",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
