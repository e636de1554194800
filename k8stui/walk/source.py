"""SOURCE of the command line contract: who asks."""

from __future__ import annotations

from k8stui.cluster.model import Cluster, Pod
from k8stui.kernel.address import Address
from k8stui.nodes.internet import is_private
from k8stui.nodes.lan import plan
from k8stui.nodes.wire import LAN
from k8stui.record import record
from k8stui.walk.error import RequestError, unknown
from k8stui.walk.kinds import Target, kind_of, kind_words
from k8stui.walk.lookup import can_send, find_node, find_pod, find_workload_pod, why_silent

OUTSIDE = "outside"
"""The client beyond the nodes' router: what it is called, and its network namespace."""


@record(kw_only=True)
class Source:
    """Who asks, and in which network namespace its socket lives."""

    canonical: str
    namespace: str
    """Key of the Network."""
    pod: Pod | None = None
    addresses: tuple[Address, ...] = ()
    bound: Address | None = None
    """The address asked for by number, where it is not the pod's or node's first."""


def parse_source(
    cluster: Cluster, text: str, namespace: str, beyond: tuple[Address, ...]
) -> Source:
    """Understand SOURCE. `beyond`: the addresses of the client outside.

    Raises:
        RequestError: nobody here is called so, or the pod cannot send.

    """
    text = text.strip()
    if text.lower() == OUTSIDE:
        return outside(beyond)
    address = _address(text)
    if address is not None:
        return _by_address(cluster, address, beyond)
    target, kind, names = split_kind(text, namespace)
    if target is Target.NODE:
        return of_node(cluster, names.name)
    if target is Target.SERVICE:
        raise RequestError(
            f"a Service sends nothing: {text}",
            hint="name one of its pods, a workload, a node or outside",
            choices=senders(cluster, namespace),
        )
    if target is Target.WORKLOAD:
        pod = find_workload_pod(cluster, kind, names.namespace, names.name)
        return of_pod(pod, names.rest)
    pod, container = pod_and_container(cluster, names)
    return of_pod(pod, container)


def outside(addresses: tuple[Address, ...]) -> Source:
    """Give the client beyond the nodes' router."""
    return Source(canonical=OUTSIDE, namespace=OUTSIDE, addresses=addresses)


def of_node(cluster: Cluster, name: str) -> Source:
    """Give a process on a node."""
    node = find_node(cluster, name)
    return Source(canonical=f"node/{name}", namespace=name, addresses=node.addresses)


def of_pod(pod: Pod, container: str = "") -> Source:
    """Give a process in a pod, of one container if it is named.

    Raises:
        RequestError: the pod is Pending or has finished, or has no such container.

    """
    if not can_send(pod):
        raise RequestError(why_silent(pod))
    if container and all(container != c.name for c in pod.containers):
        raise unknown(
            f"pod {pod.key} has no container {container}",
            container,
            [c.name for c in pod.containers],
        )
    return Source(
        canonical=f"pod/{pod.key}" + (f"/{container}" if container else ""),
        namespace=(pod.node_name or "") if pod.host_network else pod.key,
        pod=pod,
        addresses=pod.addresses,
    )


def senders(cluster: Cluster, namespace: str) -> tuple[str, ...]:
    """Everything that can be typed as SOURCE, pods of the namespace first."""
    pods = [f"pod/{p.name}" for p in cluster.pods.values() if p.namespace == namespace]
    return (*pods, *(f"node/{name}" for name in cluster.nodes), OUTSIDE)


@record(kw_only=True)
class Names:
    """The slash-separated names behind (or around) a kind."""

    namespace: str
    name: str
    rest: str = ""
    """A third part: a container, or a name whose namespace is `name`."""


def split_kind(text: str, namespace: str) -> tuple[Target, str, Names]:
    """Cut ``KIND/NAME``, ``KIND/NAME/CONTAINER`` or ``NAMESPACE/KIND/NAME``.

    Raises:
        RequestError: there is no kind of that name, or no kind at all.

    """
    parts = text.split("/")
    if len(parts) > 2 and kind_of(parts[0]) is None and kind_of(parts[1]) is not None:
        namespace, *parts = parts
    found = kind_of(parts[0])
    if len(parts) == 1:
        hint = f"did you mean pod/{text}?" if text else "name a pod: pod/NAME"
        raise RequestError(f"not a source or destination: {text!r}", hint=hint)
    if found is None:
        message = f"{text!r}: there is no kind {parts[0]!r}"
        error = unknown(message, parts[0], kind_words())
        if error.hint or len(parts) > 2:
            raise error
        raise RequestError(message, hint=f"did you mean pod/{text}?", choices=error.choices)
    target, kind = found
    if not all(parts) or len(parts) > 4:
        raise RequestError(f"not KIND/NAME: {text!r}")
    if len(parts) == 4:
        return target, kind, Names(namespace=parts[1], name=parts[2], rest=parts[3])
    rest = parts[2] if len(parts) == 3 else ""
    return target, kind, Names(namespace=namespace, name=parts[1], rest=rest)


def pod_and_container(cluster: Cluster, names: Names) -> tuple[Pod, str]:
    """Decide between ``pod/NAME/CONTAINER`` and ``pod/NAMESPACE/NAME``: whichever exists."""
    if names.rest:
        here = cluster.pods.get(f"{names.namespace}/{names.name}")
        there = cluster.pods.get(f"{names.name}/{names.rest}")
        is_container = here and any(c.name == names.rest for c in here.containers)
        if there is not None and not is_container:
            return there, ""
        if here is None and any(p.namespace == names.name for p in cluster.pods.values()):
            return find_pod(cluster, names.name, names.rest), ""
    return find_pod(cluster, names.namespace, names.name), names.rest


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def _is_the_clusters(cluster: Cluster, address: Address) -> bool:
    """Whether it is in a range of the cluster's, or a Service's: nobody else asks from it."""
    ranges = [*cluster.pod_cidrs, *cluster.service_cidrs, cluster.pod_cidr, cluster.service_cidr]
    ranges += (prefix for node in cluster.nodes.values() for prefix in node.pod_cidrs)
    return any(address in prefix for prefix in ranges) or any(
        address in service.external_ips
        or any(entry.ip == address for entry in service.load_balancer_ingress)
        for service in cluster.services.values()
    )


def _stranger(cluster: Cluster, address: Address) -> Source:
    """A client that is none of the cluster's, where it stands: beside the nodes, or beyond them.

    Raises:
        RequestError: a private address, and nobody has said where that is.

    """
    lan = plan(cluster)
    near = lan.network_of(address) is not None
    named = any(host.address == address for host in cluster.hosts.values())
    router = any(address == net.router for net in lan.networks)
    if router or not (near or named or not is_private(address)):
        raise _nobody(cluster, address, "" if router else f"--host NAME={address} puts one there")
    place = LAN if near else OUTSIDE
    return Source(canonical=str(address), namespace=place, addresses=(address,), bound=address)


def _nobody(cluster: Cluster, address: Address, hint: str) -> RequestError:
    return RequestError(
        f"nobody here has the address {address}",
        hint=f"a client beyond the nodes' router is called {OUTSIDE}" + (hint and f"; {hint}"),
        choices=(
            *(str(a) for node in cluster.nodes.values() for a in node.addresses[:1]),
            *(str(a) for pod in cluster.pods.values() for a in pod.addresses[:1]),
        ),
    )


def _by_address(cluster: Cluster, address: Address, beyond: tuple[Address, ...]) -> Source:
    if address in beyond:
        return outside(beyond)
    for node in cluster.nodes.values():
        if address in node.addresses:
            return of_node(cluster, node.name)
    for pod in cluster.pods.values():
        if address in pod.addresses and can_send(pod):
            return of_pod(pod)
    if _is_the_clusters(cluster, address):
        raise _nobody(cluster, address, "")
    return _stranger(cluster, address)
