"""What becomes of a connection that mesh proxies take: their questions, in the order of the way.

First whether the client's proxy is there yet and passes it on, then whether the server's lets it
in, last whether both understand what is spoken.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from ipaddress import ip_address

from k8stui.cluster.mesh import detection, istio_policy, linkerd_policy, outbound
from k8stui.cluster.mesh.asked import Asked, Met
from k8stui.cluster.mesh.port_protocol import misnamed
from k8stui.cluster.mesh.proxies import OWN_PORTS, Proxy, by_plugin, has_mesh, passed_by, proxy_of
from k8stui.cluster.model import Cluster, Lack, Pod
from k8stui.kernel.exchange import Result
from k8stui.origin import OriginKind

_OWN_DNS = frozenset({"None", "Default"})


def met(asked: Asked) -> Met | None:
    """The first thing that goes wrong; None: nothing, as far as the input says."""
    return next((found for one in _QUESTIONS if (found := one(asked)) is not None), None)


def _before_proxy(asked: Asked) -> Met | None:
    """An init container whose connections a plug-in's rules turn to a proxy that is not there."""
    client, container = asked.client, asked.early
    shown = by_plugin(client) if client is not None else None
    if client is None or container is None or shown is None:
        return None
    if passed_by(asked.cluster, client, asked.address, asked.port) is not None:
        return None
    is_linkerd = proxy_of(asked.cluster, client) is Proxy.LINKERD
    uid = "2102" if is_linkerd else "1337"
    skip = (
        f'config.linkerd.io/skip-outbound-ports: "{asked.port}"'
        if is_linkerd
        else f'traffic.sidecar.istio.io/excludeOutboundPorts: "{asked.port}"'
    )
    return asked.met(
        Lack(
            f"init container {container.name} runs before the proxy starts, and the mesh's network "
            f"plug-in ({shown.name} shows it) has turned what it sends to the proxy already: "
            "nobody listens there",
            f"run it as the proxy's user (securityContext: {{runAsUser: {uid}}}), or annotate the "
            f"pod {skip}, or use native sidecars",
            container.origin,
        ),
        Result.REFUSED,
        "ECONNREFUSED",
    )


def _without_names(asked: Asked) -> Met | None:
    """A pod whose proxy cannot look its control plane up: it never starts, nor does the pod.

    With dnsPolicy None or Default nobody asks cluster DNS, unless an address of its is named.
    """
    cluster = asked.cluster
    for pod in (asked.client, asked.server):
        if pod is None or pod.origin.kind is OriginKind.OBSERVED or pod.dns_policy not in _OWN_DNS:
            continue
        if proxy_of(cluster, pod) not in (Proxy.ISTIO, Proxy.LINKERD):
            continue
        named = pod.dns_config.nameservers if pod.dns_config is not None else ()
        if not all(ip_address(str(one)).is_global for one in named):  # may be cluster DNS'
            continue
        return asked.met(
            Lack(
                f"pod {pod.key} has dnsPolicy {pod.dns_policy} and no address of cluster DNS, so "
                "its proxy finds no control plane by name and never becomes ready: the pod stays "
                "in PodInitializing, or not ready",
                "leave dnsPolicy ClusterFirst, or name cluster DNS among dnsConfig.nameservers",
                pod.origins.get("dns_policy", pod.origin),
            ),
            Result.REFUSED,
            "ECONNREFUSED",
        )
    return None


def _left_out(asked: Asked) -> Met | None:
    """A port that the server's sidecar leaves to the pod: clients' sidecars do not know that."""
    server, client = asked.server, asked.client
    if server is None or client is None or asked.out is not Proxy.ISTIO or asked.by_address:
        return None
    if proxy_of(asked.cluster, server) is not Proxy.ISTIO or asked.into is Proxy.ISTIO:
        return None
    if asked.number in OWN_PORTS or not asked.service_key or outbound.has_own_tls(asked):
        return None
    told = next(
        (
            one
            for name, one in server.annotations.items()
            if name.endswith(("/excludeInboundPorts", "/includeInboundPorts"))
        ),
        None,
    )
    if told is None:
        return None
    return asked.reset(
        Lack(
            f"the sidecar of pod {server.key} leaves port {asked.number} to the pod (annotation "
            f"{told.value!r}), and that of {asked.who} speaks mutual TLS to it all the same: the "
            "program there does not understand it (503)",
            f"write a DestinationRule for {asked.service_key.partition('/')[2]} with trafficPolicy"
            f": {{portLevelSettings: [{{port: {{number: {asked.port}}}, tls: {{mode: DISABLE}}}}]"
            "}, or take the port out of the annotation",
            told.origin,
        )
    )


def _misnamed(asked: Asked) -> Met | None:
    server, service, port = asked.server, asked.service, asked.service_port
    if server is None or service is None or port is None:
        return None
    if asked.out is not Proxy.ISTIO:
        return None
    lack = misnamed(service, port, server, asked.number)
    return asked.reset(lack) if lack is not None else None


_QUESTIONS: tuple[Callable[[Asked], Met | None], ...] = (
    _without_names,
    _before_proxy,
    outbound.cut_off,
    outbound.entry_misspoken,
    outbound.led_astray,
    outbound.spoken_wrongly,
    _left_out,
    istio_policy.closed_to,
    istio_policy.kept_out,
    linkerd_policy.unprobed,
    linkerd_policy.kept_out,
    _misnamed,
    detection.waits,
    outbound.shares_listener,
)


def standing(cluster: Cluster, pod: Pod) -> Hashable:
    """All of a pod by which a mesh may tell it from others, as a client and a server."""
    if not has_mesh(cluster):
        return None
    said = cluster.meshes
    scoped = said.servers or said.scopes or said.authorizations
    return (
        proxy_of(cluster, pod),
        tuple((name, one.value) for name, one in pod.annotations.items()),
        (pod.namespace, pod.service_account),
        tuple(one.name for one in istio_policy.authentications_of(cluster, pod)),
        tuple(one.name for one in istio_policy.policies_of(cluster, pod)),
        tuple(pod.labels.items()) if scoped else (),
    )
