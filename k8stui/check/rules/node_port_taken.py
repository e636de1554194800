"""Two Services, or two ports of one Service, with the same nodePort.

The allocator does not know protocols: a number belongs to one Service
(portallocator/allocator.go; control-plane-facts section 3). The second Service is refused with
``provided port is already allocated``. Inside one Service ports of different protocols may share a
number; with the same protocol they may not.

Does not apply to node ports that are not written: the API server chooses free ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import Finding, Rule, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.model import Service, ServicePort
from k8stui.manifests.origin import OriginKind

ID = "node-port-taken"


def look(ground: Ground) -> Iterator[Finding]:
    taken: dict[int, tuple[Service, ServicePort]] = {}
    for service in ground.services:
        for port in service.ports:
            number = port.node_port
            if number is None or port.origins["node_port"].kind is OriginKind.ASSUMED:
                continue
            other, other_port = taken.setdefault(number, (service, port))
            if other is service and other_port.protocol is not port.protocol:
                continue
            if other_port is port:
                continue
            place = ground.port_place(other, other_port, "nodePort")
            where = f" ({place.file}:{place.line})" if place else ""
            yield Finding(
                rule=ID,
                severity=Severity.ERROR,
                subject=f"Service {service.key}",
                place=ground.port_place(service, port, "nodePort"),
                why=f"nodePort {number} is taken by Service {other.key}{where}",
                fix="take another number, or leave nodePort out and let the API server choose one",
            )


RULE = Rule(
    id=ID,
    summary="A nodePort is taken twice",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
