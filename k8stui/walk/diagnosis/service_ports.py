"""The Service has no such port: no rule knows the address with that port, so nothing answers."""

from __future__ import annotations

from k8stui.walk.diagnosis.case import Case, Diagnosis


def no_such_service_port(case: Case) -> Diagnosis | None:
    """Recognise a ClusterIP asked on a port, or a node on a node port, that no Service has."""
    connect, service = case.request.connect, case.service
    if connect is None or case.rewritten is not None:
        return None
    if service is not None and connect.destination in service.cluster_ips:
        ports = [p for p in service.ports if p.protocol is connect.protocol]
        if any(p.port == connect.port for p in ports):
            return None
        has = ", ".join(f"{p.port}/{p.protocol.name}" for p in service.ports) or "none"
        target = next(
            (p for p in service.ports if connect.port in (p.target_port, p.node_port)), None
        )
        hint = ""
        if target is not None:
            which = "targetPort" if target.target_port == connect.port else "nodePort"
            hint = f": {connect.port} is the {which} behind port {target.port}"
        return Diagnosis(
            reason=f"Service {service.key} has no port {connect.port}/{connect.protocol.name} "
            f"(it has {has}), so no rule knows the address",
            advice=f"ask for port {(target or service.ports[0]).port}{hint}"
            if service.ports
            else "",
        )
    return _node_port(case)


def _node_port(case: Case) -> Diagnosis | None:
    connect = case.request.connect
    node = case.cluster.nodes.get(case.felt.decided_at)
    if connect is None or node is None or connect.destination not in node.addresses:
        return None
    owners = [
        (service, port)
        for service in case.cluster.services.values()
        for port in service.ports
        if port.node_port is not None
    ]
    if any(p.node_port == connect.port and p.protocol is connect.protocol for _, p in owners):
        return None
    known = ", ".join(f"{p.node_port} ({s.key})" for s, p in owners[:4])
    return Diagnosis(
        reason=f"no Service has node port {connect.port}/{connect.protocol.name}, and nothing on "
        f"{node.name} itself is known to listen there",
        advice=f"node ports here: {known}" if known else "give a Service type: NodePort",
    )
