"""Istio's mesh: which pods are in it, which of them take mutual TLS alone, and whom they let in.

A PeerAuthentication of mode STRICT lets a sidecar close what comes in plain; the narrowest counts:
a port's, a workload's, its namespace's, the mesh's (in Istio's own namespace). A client without a
sidecar speaks plain, and has no identity: no ``principals`` and no ``namespaces`` of an
AuthorizationPolicy mean it. Of those a DENY that matches keeps out, and where there is an ALLOW at
all, whatever none of them lets in. Sources: istio.io PeerAuthentication, AuthorizationPolicy;
pilot/pkg/security/authn/utils (ComposePeerAuthentication); pkg/kube/inject (istio-injection,
istio.io/rev of the namespace;
sidecar.istio.io/inject of the pod; a pod of its node's network gets none); ambient mode's label
istio.io/dataplane-mode.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from k8stui.apiserver.fields import Object, array, labels, table, text, texts
from k8stui.apiserver.inventory import Inventory, namespace_of
from k8stui.cluster.endpoints import target as target_of
from k8stui.cluster.ingress.port_protocol import misnamed
from k8stui.cluster.ingress.subsets import led_nowhere
from k8stui.cluster.model import (
    AuthorizationPolicy,
    Cluster,
    DestinationTls,
    Lack,
    MeshRule,
    MeshSource,
    PeerAuthentication,
    Pod,
)
from k8stui.cluster.programs.images import image_word
from k8stui.kernel.derived import Derived
from k8stui.origin import OriginKind
from k8stui.whole import whole

_ROOT = "istio-system"
_STRICT, _UNSET = "STRICT", ("", "UNSET")
_PROXY = "proxyv2"
_MODE = "istio.io/dataplane-mode"


def peer_authentications(inventory: Inventory) -> Iterator[PeerAuthentication]:
    """Those of the input, in its order."""
    for one in inventory.of("PeerAuthentication").values():
        ports = table(one.data, "spec", "portLevelMtls")
        yield PeerAuthentication(
            namespace=namespace_of(one),
            name=one.name,
            selector=labels(one.data, "spec", "selector", "matchLabels"),
            mode=text(one.data, "spec", "mtls", "mode"),
            ports={
                number: text(said, "mode")
                for port, said in ports.items()
                if (number := whole(str(port))) is not None
            },
            origin=one.origin("spec"),
        )


def authorization_policies(inventory: Inventory) -> Iterator[AuthorizationPolicy]:
    """Those of the input, in its order."""
    for one in inventory.of("AuthorizationPolicy").values():
        rules = array(one.data, "spec", "rules")
        yield AuthorizationPolicy(
            namespace=namespace_of(one),
            name=one.name,
            selector=labels(one.data, "spec", "selector", "matchLabels"),
            action=text(one.data, "spec", "action") or "ALLOW",
            rules=tuple(map(_rule, rules)),
            origin=one.origin("spec", *(("rules",) if rules else ())),
        )


def destination_tls(inventory: Inventory) -> Iterator[DestinationTls]:
    """The DestinationRules of the input that say how clients' sidecars speak to a host."""
    for one in inventory.of("DestinationRule").values():
        mode = text(one.data, "spec", "trafficPolicy", "tls", "mode")
        if mode:
            yield DestinationTls(
                namespace=namespace_of(one),
                name=one.name,
                host=text(one.data, "spec", "host"),
                mode=mode,
                origin=one.origin("spec", "trafficPolicy", "tls", "mode"),
            )


def _rule(said: object) -> MeshRule:
    operations = [table(one, "operation") for one in array(said, "to")]
    return MeshRule(
        sources=tuple(_source(table(one, "source")) for one in array(said, "from")),
        ports=tuple(port for one in operations for port in texts(one, "ports")),
        has_more=bool(array(said, "when")) or any(set(one) - {"ports"} for one in operations),
    )


def _source(said: Object) -> MeshSource:
    known = {"principals", "namespaces"}
    return MeshSource(
        texts(said, "principals"), texts(said, "namespaces"), has_more=bool(set(said) - known)
    )


def asks_for_sidecar(cluster: Cluster, namespace: str) -> bool:
    """Whether a webhook gives its pods one."""
    told = cluster.namespace_labels.get(namespace, {})
    return told.get("istio-injection") == "enabled" or (
        "istio.io/rev" in told and told.get("istio-injection") != "disabled"
    )


def is_meshed(cluster: Cluster, pod: Pod) -> bool:
    """Whether a pod has a sidecar, gets one, or is of an ambient mesh, as far as the input says."""
    return sidecar_of(cluster, pod) is True


def sidecar_of(cluster: Cluster, pod: Pod) -> bool | None:
    """As `is_meshed`; None: nothing says so, and its namespace is not in the input.

    A dump shows each pod with all its containers; a label that came later has given it none.
    """
    if shows_sidecar(pod):
        return True
    told = pod.labels.get("sidecar.istio.io/inject")
    if pod.host_network or told == "false":
        return False
    space = cluster.namespace_labels.get(pod.namespace)
    if (pod.labels.get(_MODE) or (space or {}).get(_MODE)) == "ambient":
        return True
    if pod.origin.kind is OriginKind.OBSERVED:
        return False
    if told == "true" or asks_for_sidecar(cluster, pod.namespace):
        return True
    return None if space is None else False


def has_mesh(cluster: Cluster) -> bool:
    """Whether anything of the input is Istio's: its policies, pods with a sidecar or that get one.

    Then it may be another who is understood, from Service to Service and from pod to pod.
    """
    return _has_mesh.of(cluster)


def _look_for_mesh(cluster: Cluster) -> bool:
    said = cluster.peer_authentications or cluster.authorization_policies or cluster.destination_tls
    return (
        bool(said)
        or any(asks_for_sidecar(cluster, one) for one in cluster.namespace_labels)
        or any(map(shows_sidecar, cluster.pods.values()))
    )


_has_mesh = Derived(_look_for_mesh)


def shows_sidecar(pod: Pod) -> bool:
    """Whether the input itself has it, as a container beside the others."""
    return any(image_word(one.image) == _PROXY and not one.init for one in pod.containers)


def takes(cluster: Cluster, server: Pod, number: int) -> bool:
    """Whether a pod's sidecar takes what comes to a port; annotations may leave some to the pod.

    Source: istio.io, Resource Annotations (includeInboundPorts, excludeInboundPorts).
    """
    if not is_meshed(cluster, server):
        return False
    those = server.captured.get("includeInboundPorts", "*")
    listed = {port.strip() for port in those.split(",")}
    left = {port.strip() for port in server.captured.get("excludeInboundPorts", "").split(",")}
    return bool({"*", str(number)} & listed) and str(number) not in left


def strict_for(cluster: Cluster, pod: Pod, number: int) -> PeerAuthentication | None:
    """The one that has a pod's port take mutual TLS alone."""
    for one in _authentications_of(cluster, pod):
        mode = one.ports.get(number, "") if one.selector else ""
        mode = one.mode if mode in _UNSET else mode
        if mode not in _UNSET:
            return one if mode == _STRICT else None
    return None


def _authentications_of(cluster: Cluster, pod: Pod) -> Iterator[PeerAuthentication]:
    """Those that are for a pod, the narrowest first."""
    known = _known.of(cluster)
    for item in pod.labels.items():
        for one in known.get((pod.namespace, item), ()):
            if one.selector.items() <= pod.labels.items():
                yield one
    yield from known.get((pod.namespace, None), ())
    yield from known.get((_ROOT, None), ())


def standing(cluster: Cluster, pod: Pod) -> Hashable:
    """All of a pod by which a mesh's policies may tell it from others, as a client and a server."""
    if not has_mesh(cluster):
        return None
    return (
        sidecar_of(cluster, pod),
        tuple(pod.captured.items()),
        (pod.namespace, pod.service_account),
        tuple(one.name for one in _authentications_of(cluster, pod)),
        tuple(one.name for one in _policies_of(cluster, pod)),
    )


def is_early(cluster: Cluster, pod: Pod, container: str) -> bool:
    """Whether a container ends before the pod's sidecar starts, though its namespace has them.

    An init container, as istio-init comes last of all (pkg/kube/inject reorderPod), where the
    sidecar is no restartable one in front of it.
    """
    inits = [one for one in pod.containers if one.init]
    early = next((i for i, one in enumerate(inits) if one.name == container), None)
    if early is None or inits[early].restartable_init or not is_meshed(cluster, pod):
        return False
    space = cluster.namespace_labels.get(pod.namespace, {})
    if "ambient" in (pod.labels.get(_MODE), space.get(_MODE)):
        return False
    return all(image_word(one.image) != _PROXY for one in inits[:early])


def closed_to(
    cluster: Cluster, client: Pod | None, server: Pod, number: int, container: str = ""
) -> Lack | None:
    """Why a server's sidecar closes what a client sends in plain.

    `client` None: no pod asks. `container`: which of the client's asks, where that is known.
    """
    early = client is not None and is_early(cluster, client, container)
    meshed = client is not None and is_meshed(cluster, client)
    if not cluster.peer_authentications or (meshed and not early):
        return None
    strict = strict_for(cluster, server, number) if takes(cluster, server, number) else None
    if strict is None:
        return None
    who = f"pod {client.key}" if client is not None else "who asks"
    mend = f"set mode: PERMISSIVE for it (PeerAuthentication with a selector in {server.namespace})"
    if early:
        who = f"init container {container} of {who}, which ends before the sidecar starts,"
        mend = (
            "let an ordinary container do it, or have sidecars that start before (native: "
            f"ENABLE_NATIVE_SIDECARS of istiod), or {mend}"
        )
    elif client is not None and not client.host_network:
        mend = (
            f"kubectl label namespace {client.namespace} istio-injection=enabled and restart its "
            f"pods, or {mend}"
        )
    elif client is None:
        mend = f"come in by Istio's ingress gateway, or {mend}"
    return Lack(
        f"PeerAuthentication {strict.namespace}/{strict.name} (STRICT) has the sidecar of pod "
        f"{server.key} take mutual TLS alone, and {who} has none that speaks it: the connection is "
        "reset at the first data",
        mend,
        strict.origin,
    )


def spoken_wrongly(
    cluster: Cluster, client: Pod | None, server: Pod, number: int, service: str
) -> Lack | None:
    """Why a server does not understand what its client's sidecar speaks.

    As a DestinationRule has it, or the name of the Service's port.

    `service`: ``namespace/name`` of the Service that was asked.
    """
    if client is None or not is_meshed(cluster, client):
        return None
    told = _tls_to(cluster, client, service) if cluster.destination_tls else None
    if told is None:
        nowhere = led_nowhere(cluster, service)
        if nowhere is not None:
            why = f"a VirtualService has the client's sidecar answer 503: {nowhere.why}"
            return Lack(why, nowhere.mend, nowhere.origin)
        return _misnamed(cluster, server, number, service)
    said = f"DestinationRule {told.namespace}/{told.name} ({told.mode}) has the client's sidecar"
    if told.mode == "ISTIO_MUTUAL" and not takes(cluster, server, number):
        return Lack(
            f"{said} speak Istio's mutual TLS, and pod {server.key} has no sidecar that takes it: "
            "503 (upstream connect error)",
            f"write mode: DISABLE there, or give namespace {server.namespace} a sidecar (kubectl "
            f"label namespace {server.namespace} istio-injection=enabled)",
            told.origin,
        )
    strict = strict_for(cluster, server, number) if takes(cluster, server, number) else None
    if told.mode != "ISTIO_MUTUAL" and strict is not None:
        return Lack(
            f"{said} speak no mutual TLS of Istio's, and PeerAuthentication "
            f"{strict.namespace}/{strict.name} (STRICT) has that of pod {server.key} take nothing "
            "else: 503 (upstream connect error)",
            "leave tls out of it, or write mode: ISTIO_MUTUAL",
            told.origin,
        )
    return None


def _misnamed(cluster: Cluster, server: Pod, number: int, service: str) -> Lack | None:
    asked = cluster.services.get(service)
    if asked is None or not takes(cluster, server, number):
        return None
    ports = [port for port in asked.ports if target_of(port, server) == number]
    return misnamed(asked, ports[0], server, number) if len(ports) == 1 else None


def _tls_to(cluster: Cluster, client: Pod, service: str) -> DestinationTls | None:
    """The DestinationRule that counts: of the client's namespace, the Service's, or the mesh's."""
    namespace, _, name = service.partition("/")
    full = f"{name}.{namespace}.svc.{cluster.cluster_domain}"
    for place in dict.fromkeys((client.namespace, namespace, _ROOT)):
        names = {full, f"{name}.{namespace}", *((name,) if place == namespace else ())}
        found = _speaking.of(cluster)
        for host in (*names, *_ends(full)):
            if (place, host) in found:
                return found[place, host]
    return None


def _ends(full: str) -> Iterator[str]:
    """``*.NAMESPACE.svc.cluster.local``, …, ``*.local``: the narrowest first."""
    rest = full
    while "." in rest:
        rest = rest.partition(".")[2]
        yield f"*.{rest}"


def kept_out(cluster: Cluster, client: Pod | None, server: Pod, number: int) -> Lack | None:
    """Why AuthorizationPolicies keep a client from a server's port; None: none certainly does."""
    if not cluster.authorization_policies or not takes(cluster, server, number):
        return None
    mine = [*_policies_of(cluster, server)]
    meshed = client is not None and is_meshed(cluster, client)
    identity = (client.namespace, client.service_account) if client is not None and meshed else None
    who = f"pod {client.key}" if client is not None else "who asks"
    for one in mine:
        if one.action == "DENY" and any(_matches(r, identity, number) for r in one.rules):
            return Lack(
                f"AuthorizationPolicy {one.namespace}/{one.name} denies it to {who}: the sidecar "
                f"of pod {server.key} answers 403 (RBAC: access denied)",
                f"take what means it out of AuthorizationPolicy {one.name}",
                one.origin,
            )
    lets_in = [one for one in mine if one.action == "ALLOW"]
    if not lets_in or any(
        _matches(r, identity, number) is not False for one in lets_in for r in one.rules
    ):
        return None
    first = lets_in[-1]
    said = (
        f"AuthorizationPolicy {first.namespace}/{first.name} does not let {who} in: the sidecar of "
        f"pod {server.key} answers 403 (RBAC: access denied)"
    )
    meant = [one for r in first.rules for one in r.sources if one.principals or one.namespaces]
    if identity is None and meant:
        own = "kubectl label namespace NAMESPACE istio-injection=enabled"
        if client is not None:
            own = own.replace("NAMESPACE", client.namespace)
        return Lack(
            f"{said}; it means clients by their identity, which only mutual TLS proves, and {who} "
            "has no sidecar",
            f"give the client a sidecar ({own}, and restart its pods), or mean it by ipBlocks",
            first.origin,
        )
    mend = "write a rule for it"
    if identity is not None:
        mend = (
            f"add principals: [cluster.local/ns/{identity[0]}/sa/{identity[1]}] (or namespaces: "
            f"[{identity[0]}]) to a rule's source"
        )
    return Lack(said, mend, first.origin)


def _policies_of(cluster: Cluster, pod: Pod) -> Iterator[AuthorizationPolicy]:
    """Those that are for a pod: of its namespace, and of the mesh."""
    known = _authorizing.of(cluster)
    for place in dict.fromkeys((_ROOT, pod.namespace)):
        yield from known.get((place, None), ())
        for item in pod.labels.items():
            for one in known.get((place, item), ()):
                if one.selector.items() <= pod.labels.items():
                    yield one


def _matches(rule: MeshRule, identity: tuple[str, str] | None, number: int) -> bool | None:
    """Whether a rule means a request; None: what it says beside decides."""
    if rule.ports and not any(_fits(one, str(number)) for one in rule.ports):
        return False
    found = [_means(one, identity) for one in rule.sources] or [True]
    if all(one is False for one in found):
        return False
    return None if rule.has_more or True not in found else True


def _means(source: MeshSource, identity: tuple[str, str] | None) -> bool | None:
    if source.principals or source.namespaces:
        if identity is None:
            return False
        space, account = identity
        principal = f"cluster.local/ns/{space}/sa/{account}"
        if source.principals and not any(_fits(one, principal) for one in source.principals):
            return False
        if source.namespaces and not any(_fits(one, space) for one in source.namespaces):
            return False
    return None if source.has_more else True


def _fits(pattern: str, value: str) -> bool:
    """``*`` stands alone, in front or behind (istio.io, AuthorizationPolicy: exact, prefix…)."""
    if pattern.startswith("*"):
        return value.endswith(pattern[1:])
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


_Key = tuple[str, tuple[str, str] | None]
"""A namespace, and the first label that is asked for; None: all of its pods are meant."""
_Of = TypeVar("_Of", PeerAuthentication, AuthorizationPolicy)


def _sorted(those: Iterable[_Of]) -> Mapping[_Key, Sequence[_Of]]:
    found: dict[_Key, list[_Of]] = {}
    for one in those:
        found.setdefault((one.namespace, next(iter(one.selector.items()), None)), []).append(one)
    return found


_known: Derived[Cluster, Mapping[_Key, Sequence[PeerAuthentication]]] = Derived(
    lambda cluster: _sorted(cluster.peer_authentications)
)
_authorizing: Derived[Cluster, Mapping[_Key, Sequence[AuthorizationPolicy]]] = Derived(
    lambda cluster: _sorted(cluster.authorization_policies)
)
_speaking: Derived[Cluster, Mapping[tuple[str, str], DestinationTls]] = Derived(
    lambda cluster: {(one.namespace, one.host): one for one in cluster.destination_tls}
)
