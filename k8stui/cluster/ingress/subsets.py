"""The pods of a Service to which a VirtualService leads: those of a subset alone.

Without a pod in it, or a DestinationRule that has it, proxies answer 503 (networking.istio.io,
DestinationRule.subsets).
"""

from __future__ import annotations

from k8stui.cluster.endpoints import pods_behind
from k8stui.cluster.model import Cluster, EntrancePath, Lack, Pod


def is_in(path: EntrancePath, pod: Pod | None) -> bool:
    """Whether a path leads to a pod of its Service."""
    if path.subset is None:
        return True
    wanted = path.subset.labels
    return wanted is not None and pod is not None and wanted.items() <= pod.labels.items()


def empty(cluster: Cluster, path: EntrancePath) -> Lack | None:
    """Why the subset of a path has nobody; None: it has, or nobody is behind the Service at all."""
    if path.subset is None:
        return None
    pods = [pod for pod, at in pods_behind(cluster, path.service) if at.ready]
    if not pods or any(is_in(path, one) for one in pods):
        return None
    name, wanted = path.subset.name, path.subset.labels
    if wanted is None:
        why = f"no DestinationRule for {path.service} has a subset {name}"
        return Lack(why, f"write a DestinationRule with subset {name}", path.origin, "503")
    said = ", ".join(f"{key}={value}" for key, value in wanted.items())
    return Lack(
        f"subset {name} has no pod: none of Service {path.service}'s has {said}",
        f"label the pods {said}, or mend the subset's labels",
        path.origin,
        "503",
    )


def led_nowhere(cluster: Cluster, service: str, port: int) -> Lack | None:
    """Why sidecars lead whoever asks a Service to nobody, whatever is asked; None: they do not."""
    paths = cluster.mesh_routes.get(service, ())
    first = next((one for one in paths if not one.is_conditional), None)
    if first is None or first.path != "/" or first.is_exact:
        return None
    lacks = [
        empty(cluster, one) or _unknown(cluster, one, port)
        for one in paths
        if one.rule == first.rule
    ]
    return lacks[0] if all(lacks) else None


def _unknown(cluster: Cluster, path: EntrancePath, port: int) -> Lack | None:
    """A destination that is no Service, or no port of it: a cluster that Envoy has not (503 NC)."""
    if not path.service:
        return _unknown_outside(cluster, path)
    service = cluster.services.get(path.service)
    namespace, _, name = path.service.partition("/")
    if service is None:
        away = next((one for one in cluster.services.values() if one.name == name), None)
        if away is None and all(s.namespace != namespace for s in cluster.services.values()):
            return None
        meant = f"{away.name}.{away.namespace}.svc.{cluster.cluster_domain}" if away else ""
        return Lack(
            f"its destination is {name} of namespace {namespace}, and there is no such Service"
            + (f"; it is in namespace {away.namespace}" if away else ""),
            f"write host: {meant}" if meant else "write the host of a Service that there is",
            path.origin,
            "503",
        )
    if path.port is None or path.port_of(service) is not None:
        return None
    has = ", ".join(str(one.port) for one in service.ports)
    return Lack(
        f"its destination is port {path.port} of {service.key}, which has {has} (a Service's port "
        "is meant, not a container's)",
        f"write port: {{number: {port if str(port) in has.split(', ') else has}}}",
        path.port_origin,
        "503",
    )


def _unknown_outside(cluster: Cluster, path: EntrancePath) -> Lack | None:
    host = path.outside
    if not host or any(_has(each, host) for one in cluster.meshes.entries for each in one.hosts):
        return None
    return Lack(
        f"its destination is {host}, which is neither a Service nor a host of any ServiceEntry of "
        "the input",
        f"write a ServiceEntry for {host} (location: MESH_EXTERNAL, resolution: DNS)",
        path.origin,
        "503",
    )


def _has(said: str, host: str) -> bool:
    return said == host or (said.startswith("*") and host.endswith(said[1:]))
