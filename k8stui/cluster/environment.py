"""The environment variables that tell a container about Services.

Source: pkg/kubelet/kubelet_pods.go getServiceEnvVarMap, pkg/kubelet/envvars/envvars.go
FromServices; docs/facts/control-plane.md section 9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8stui.cluster.model import Cluster, Pod, Service, ServiceType
from k8stui.kernel.derived import Derived


def service_environment(cluster: Cluster, pod: Pod) -> Mapping[str, str]:
    """The variables that a container of `pod` gets when all Services exist at its start.

    Services of the pod's namespace with a clusterIP, and ``kubernetes`` of ``default``; with
    enableServiceLinks false only that one. The container's own `env` wins over them.
    """
    found: dict[str, str] = {}
    master = cluster.services.get("default/kubernetes")
    # By name: a Service of the pod's own namespace that is called kubernetes stands for the other.
    services = {"kubernetes": master} if master is not None else {}
    if pod.enable_service_links:
        services |= {
            service.name: service
            for service in cluster.services.values()
            if service.namespace == pod.namespace
        }
    for service in services.values():
        found |= variables_of.of(service)
    return found


def variables_given(services: Iterable[Service]) -> Mapping[str, Mapping[str, Service]]:
    """By namespace the names of all variables, and the Service that each is of."""
    found: dict[str, dict[str, Service]] = {}
    for service in services:
        given = found.setdefault(service.namespace, {})
        given.update(dict.fromkeys(variables_of.of(service), service))
    return found


def _variables(service: Service) -> dict[str, str]:
    """Those of one Service; a headless one, an alias and one without ports give none."""
    if service.type is ServiceType.EXTERNAL_NAME or not service.cluster_ips or not service.ports:
        return {}
    prefix = service.name.upper().replace("-", "_")
    address = service.cluster_ips[0]
    first = service.ports[0]
    found = {f"{prefix}_SERVICE_HOST": str(address), f"{prefix}_SERVICE_PORT": str(first.port)}
    for port in service.ports:
        if port.name:
            name = port.name.upper().replace("-", "_")
            found[f"{prefix}_SERVICE_PORT_{name}"] = str(port.port)
    for position, port in enumerate(service.ports):
        protocol = port.protocol.name
        url = f"{protocol.lower()}://{address.with_port(port.port)}"
        base = f"{prefix}_PORT_{port.port}_{protocol}"
        if position == 0:
            found[f"{prefix}_PORT"] = url
        found[base] = url
        found[f"{base}_PROTO"] = protocol.lower()
        found[f"{base}_PORT"] = str(port.port)
        found[f"{base}_ADDR"] = str(address)
    return found


variables_of: Derived[Service, Mapping[str, str]] = Derived(_variables)
"""Once a Service, not for each pod that starts."""
