"""A nodePort outside 30000-32767, or on a Service that has no node ports.

The API server refuses both (``provided port is not in the valid range``; ``may not be used when
type is 'ClusterIP'``). The range is the API server's --service-node-port-range.

Does not apply to Services of a dump: what was accepted is right there. A number of 0 means "not
given".
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import Finding, Rule, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.addresses import NODE_PORTS
from k8stui.cluster.model import ServiceType
from k8stui.manifests.origin import OriginKind

ID = "node-port"
_WITH = (ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER)


def look(ground: Ground) -> Iterator[Finding]:
    for service in ground.services:
        if service.origin.kind is not OriginKind.DECLARED:
            continue
        for port in service.ports:
            number = port.node_port
            if number is None:
                continue
            if service.type not in _WITH:
                why = f"nodePort {number} may not be used when type is {service.type.value}"
                fix = "write type: NodePort, or take the nodePort out"
            elif number not in NODE_PORTS:
                why = f"nodePort {number} is not in {NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
                fix = f"take a number from {NODE_PORTS.start} to {NODE_PORTS.stop - 1}, or leave "
                fix += "nodePort out and let the API server choose one"
            else:
                continue
            yield Finding(
                rule=ID,
                severity=Severity.ERROR,
                subject=f"Service {service.key}",
                place=ground.port_place(service, port, "nodePort"),
                why=f"the API server refuses it: {why}",
                fix=fix,
            )


RULE = Rule(
    id=ID,
    summary="A nodePort that the API server refuses",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
