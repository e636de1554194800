"""What Istio's proxy of a server lets in: PeerAuthentications, AuthorizationPolicies.

A PeerAuthentication of mode STRICT lets it close what comes in plain; the narrowest counts: a
port's, a workload's, its namespace's, the mesh's (in Istio's own namespace). Who speaks plain has
no identity: no ``principals`` and no ``namespaces`` of an AuthorizationPolicy mean it. Of those a
DENY that matches keeps out, and where there is an ALLOW at all, whatever none of them lets in.

In ambient mode ztunnel judges, which reads no HTTP: of an ALLOW it leaves out the rules that ask
for any, of a DENY what they ask (a rule that asks for nothing else it leaves out); and who comes by
a waypoint has the waypoint's identity. Those with targetRefs the waypoint judges. At a TCP port a
sidecar reads no HTTP either: an ALLOW rule that asks for any lets nobody in, of a DENY what it asks
is left out, so it keeps everybody out. Sources: istio.io "Authorization for TCP traffic",
PeerAuthentication, AuthorizationPolicy, "Use Layer 4 security policy", "Use Layer 7 features";
pilot/pkg/security/authn/utils (ComposePeerAuthentication), serviceregistry/ambient/authorization.go
(convertAuthorizationPolicy).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from k8stui.cluster.mesh.asked import Asked, Met
from k8stui.cluster.mesh.port_protocol import reads_no_http
from k8stui.cluster.mesh.proxies import OF_ISTIO, Proxy
from k8stui.cluster.mesh_policy import (
    AuthorizationPolicy,
    MeshRule,
    MeshSource,
    PeerAuthentication,
)
from k8stui.cluster.model import Cluster, Lack, Pod
from k8stui.kernel.derived import Derived

ROOT = "istio-system"
_STRICT, _UNSET = "STRICT", ("", "UNSET")
_Identity = tuple[str, str] | None
"""Namespace and ServiceAccount; None: it speaks plain."""


def strict_for(cluster: Cluster, pod: Pod, number: int) -> PeerAuthentication | None:
    """The one that has a pod's port take mutual TLS alone."""
    for one in authentications_of(cluster, pod):
        mode = one.ports.get(number, "") if one.selector else ""
        mode = one.mode if mode in _UNSET else mode
        if mode not in _UNSET:
            return one if mode == _STRICT else None
    return None


def authentications_of(cluster: Cluster, pod: Pod) -> Iterator[PeerAuthentication]:
    """Those that are for a pod, the narrowest first."""
    known = _authenticating.of(cluster)
    for item in pod.labels.items():
        for one in known.get((pod.namespace, item), ()):
            if one.selector.items() <= pod.labels.items():
                yield one
    yield from known.get((pod.namespace, None), ())
    yield from known.get((ROOT, None), ())


def closed_to(asked: Asked) -> Met | None:
    """Why a server's proxy closes what a client sends in plain."""
    server, cluster = asked.server, asked.cluster
    if server is None or asked.into not in OF_ISTIO or not cluster.meshes.peer_authentications:
        return None
    if asked.out in OF_ISTIO and not asked.by_address:
        return None
    strict = strict_for(cluster, server, asked.number)
    if strict is None:
        return None
    said = (
        f"PeerAuthentication {strict.namespace}/{strict.name} (STRICT) has {asked.into.value} of "
        f"pod {server.key} take mutual TLS alone, and "
    )
    end = ": the connection is reset at the first data"
    if asked.by_address:
        why = (
            f"a pod's own address is no host that the sidecar of {asked.who} knows, so it passes "
            f"that on in plain{end}"
        )
        mend = "ask a Service in front of the pod, or its name below a headless one"
        if asked.by_nginx:
            space, _, name = asked.service_key.partition("/")
            host = f"{name}.{space}.svc.{cluster.cluster_domain}"
            mend = (
                'annotate the Ingress nginx.ingress.kubernetes.io/service-upstream: "true" and '
                f"nginx.ingress.kubernetes.io/upstream-vhost: {host}"
            )
        return asked.reset(Lack(said + why, mend, strict.origin))
    if asked.port != asked.number and strict.ports.get(asked.port) not in (None, _STRICT, *_UNSET):
        why = (
            f"{said}{asked.why_plain}{end}; its portLevelMtls is for port {asked.port}, the "
            f"Service's, where the pods' own is meant, {asked.number}"
        )
        return asked.reset(Lack(why, f"write {asked.number} there", strict.ports_origin))
    return asked.reset(Lack(f"{said}{asked.why_plain}{end}", _mend(asked), strict.origin))


def _mend(asked: Asked) -> str:
    client, server = asked.client, asked.server
    space = server.namespace if server is not None else ""
    otherwise = f"set mode: PERMISSIVE for it (PeerAuthentication with a selector in {space})"
    if asked.early is not None:
        return (
            "let an ordinary container do it, or have sidecars that start before (native: "
            f"ENABLE_NATIVE_SIDECARS of istiod), or {otherwise}"
        )
    if client is None:
        return f"come in by Istio's ingress gateway, or {otherwise}"
    if "passed by" in asked.why_plain:
        return f"take the port out of that annotation, or {otherwise}"
    if client.host_network:
        return otherwise
    return f"{asked.joining}, or {otherwise}"


def kept_out(asked: Asked) -> Met | None:
    """Why AuthorizationPolicies keep a client from a server's port; None: none certainly does."""
    cluster, server = asked.cluster, asked.server
    if not cluster.meshes.authorization_policies or server is None or asked.into not in OF_ISTIO:
        return None
    own = _identity(asked)
    waypoint = _waypoint(asked)
    if waypoint is not None:
        met = _judged(asked, _of_waypoint(asked, waypoint), own, f"waypoint {waypoint}")
        if met is not None:
            return met
        space, _, name = waypoint.partition("/")
        own = space, name
    return _judged(asked, policies_of(cluster, server), own, f"{asked.into.value} of pod "
                   f"{server.key}", waypoint or "")  # fmt: skip


def _identity(asked: Asked) -> _Identity:
    client = asked.client
    if client is None or asked.out not in OF_ISTIO or asked.by_address:
        return None
    return client.namespace, client.service_account


def _waypoint(asked: Asked) -> str | None:
    """The one by which a client of an ambient mesh comes to the Service that it asks."""
    if asked.into is not Proxy.ZTUNNEL or asked.out is not Proxy.ZTUNNEL or not asked.service_key:
        return None
    known = asked.cluster.meshes.waypoints
    found = known.get(asked.service_key, known.get(asked.service_key.partition("/")[0], ""))
    return found or None


def _judged(
    asked: Asked,
    mine: Iterable[AuthorizationPolicy],
    identity: _Identity,
    by: str,
    waypoint: str = "",
) -> Met | None:
    policies = [*mine]
    is_tcp = asked.into is Proxy.ISTIO and reads_no_http(asked.service_port)
    reads_http = by.startswith("waypoint") or (asked.into is Proxy.ISTIO and not is_tcp)
    who = asked.who
    answers = (
        "answers 403 (RBAC: access denied)"
        if reads_http
        else "closes the connection (policy rejection)"
    )

    def no(lack: Lack) -> Met:
        return asked.denied(lack) if reads_http else asked.reset(lack)

    for one in policies:
        if one.action == "DENY" and any(
            _matches(rule, identity, asked, reads_http=reads_http, narrows=not is_tcp)
            for rule in one.rules
        ):
            return no(
                Lack(
                    f"AuthorizationPolicy {one.namespace}/{one.name} denies it to {who}: {by} "
                    f"{answers}",
                    f"take what means it out of AuthorizationPolicy {one.name}",
                    one.origin,
                )
            )
    lets_in = [one for one in policies if one.action == "ALLOW"]
    if not lets_in or any(
        not (rule.reads_http and not reads_http)
        and _matches(rule, identity, asked, reads_http=reads_http) is not False
        for one in lets_in
        for rule in one.rules
    ):
        return None
    first = lets_in[-1]
    named = f"AuthorizationPolicy {first.namespace}/{first.name}"
    said = f"{named} does not let {who} in: {by} {answers}"
    if is_tcp and any(rule.reads_http for rule in first.rules):
        port = asked.service_port
        spoken = f"port {port.port} ({port.name})" if port is not None else "the port"
        return no(
            Lack(
                f"{named} asks for what only HTTP shows (methods, paths, headers, tokens), and "
                f"{spoken} of Service {asked.service_key} is TCP, which shows none: such a rule "
                f"lets nobody in, and no other lets {who} in: {by} closes the connection",
                "take methods, paths and hosts out of the rule, and ask for principals and ports "
                "alone (or name the port http-… where HTTP is spoken)",
                first.origin,
            )
        )
    if not reads_http and any(rule.reads_http for rule in first.rules):
        return no(
            Lack(
                f"{named} asks for what only HTTP shows (methods, paths, headers, tokens), and "
                f"{by} reads none: it leaves such rules out, and no other lets {who} in: the "
                "connection is closed (policy rejection)",
                f"make a waypoint (istioctl waypoint apply -n {first.namespace} --enroll-namespace)"
                " and write targetRefs to it or to the Service instead of the selector, or ask "
                "for principals and ports alone",
                first.origin,
            )
        )
    url = next((p for r in first.rules for s in r.sources for p in s.principals
                if p.startswith("spiffe://")), "")  # fmt: skip
    if url:
        return no(
            Lack(
                f"{said}; its principal {url} begins in spiffe://, which is no part of it",
                f"write {url.removeprefix('spiffe://')}",
                first.origin,
            )
        )
    misread = _service_port_in(asked, first)
    if misread:
        return no(
            Lack(
                f"{said}; its ports are the pods' own, where this one listens at {asked.number}, "
                f"and {misread} is the Service's",
                f'write ports: ["{asked.number}"]',
                first.origin,
            )
        )
    if waypoint:
        space, _, name = waypoint.partition("/")
        return no(
            Lack(
                f"{said}; who comes by waypoint {waypoint} has its identity there, not its own",
                f"add principals: [cluster.local/ns/{space}/sa/{name}] to a rule's source, and ask "
                "for the clients in a policy with targetRefs",
                first.origin,
            )
        )
    return no(_not_let_in(asked, first, identity, said))


def _service_port_in(asked: Asked, policy: AuthorizationPolicy) -> str:
    """A Service's port that a policy names in the place of the pods' own; empty: none."""
    own, number = str(asked.port), str(asked.number)
    named = {port for rule in policy.rules for port in rule.ports}
    return own if own != number and own in named and number not in named else ""


def _not_let_in(asked: Asked, first: AuthorizationPolicy, identity: _Identity, said: str) -> Lack:
    meant = [one for r in first.rules for one in r.sources if one.principals or one.namespaces]
    if identity is None and meant:
        why = "has no sidecar" if asked.out not in OF_ISTIO else "speaks plain to a pod's address"
        return Lack(
            f"{said}; it means clients by their identity, which only mutual TLS proves, and "
            f"{asked.who} {why}",
            f"give the client a proxy ({asked.joining}), or mean it by ipBlocks",
            first.origin,
        )
    mend = "write a rule for it"
    if identity is not None:
        mend = (
            f"add principals: [cluster.local/ns/{identity[0]}/sa/{identity[1]}] (or namespaces: "
            f"[{identity[0]}]) to a rule's source"
        )
    return Lack(said, mend, first.origin)


def policies_of(cluster: Cluster, pod: Pod) -> Iterator[AuthorizationPolicy]:
    """Those that are for a pod: of its namespace, and of the mesh."""
    known = _authorizing.of(cluster)
    for place in dict.fromkeys((ROOT, pod.namespace)):
        yield from known.get((place, None), ())
        for item in pod.labels.items():
            for one in known.get((place, item), ()):
                if one.selector.items() <= pod.labels.items():
                    yield one


def _of_waypoint(asked: Asked, waypoint: str) -> Iterator[AuthorizationPolicy]:
    """Those that name the waypoint, or the Service that is asked."""
    space, _, name = waypoint.partition("/")
    own, _, service = asked.service_key.partition("/")
    for one in asked.cluster.meshes.authorization_policies:
        if (one.namespace == space and ("Gateway", name) in one.targets) or (
            one.namespace == own and ("Service", service) in one.targets
        ):
            yield one


def _matches(
    rule: MeshRule,
    identity: _Identity,
    asked: Asked,
    *,
    reads_http: bool,
    narrows: bool = False,
) -> bool | None:
    """Whether a rule means a request; None: what it says beside decides.

    `narrows`: who reads no HTTP leaves a rule out that asks for nothing else (ztunnel's DENY).
    """
    if not reads_http and narrows and rule.is_blank:
        return False
    if rule.ports and not any(_fits(one, str(asked.number)) for one in rule.ports):
        return False
    if rule.not_ports and any(_fits(one, str(asked.number)) for one in rule.not_ports):
        return False
    found = [_means(one, identity, asked.client) for one in rule.sources] or [True]
    if all(one is False for one in found):
        return False
    has_more = rule.has_more and (reads_http or not rule.by_http)
    return None if has_more or True not in found else True


def _means(source: MeshSource, identity: _Identity, client: Pod | None) -> bool | None:
    """Whether it means a client; exceptions mean those too who have no identity."""
    if identity is not None:
        if any(_is_principal(one, *identity) is True for one in source.not_principals):
            return False
        if any(_fits(one, identity[0]) for one in source.not_namespaces):
            return False
    if source.networks or source.not_networks:
        if client is None or not client.addresses:
            return None
        own = client.addresses[0]
        if any(own in one for one in source.not_networks):
            return False
        if source.networks and not any(own in one for one in source.networks):
            return False
    if source.principals or source.namespaces:
        if identity is None:
            return False
        space, account = identity
        said = [_is_principal(one, space, account) for one in source.principals]
        if said and True not in said:
            return None if None in said else False
        if source.namespaces and not any(_fits(one, space) for one in source.namespaces):
            return False
    return None if source.has_more else True


def _is_principal(pattern: str, space: str, account: str) -> bool | None:
    """Whether a principal is a client's; None: it is of another trust domain than cluster.local.

    Which one is the mesh's own MeshConfig says, and an alias is taken for it.
    """
    own = f"/ns/{space}/sa/{account}"
    if _fits(pattern, f"cluster.local{own}"):
        return True
    domain, slash, rest = pattern.partition("/")
    foreign = slash and domain not in ("cluster.local", "spiffe:") and "*" not in domain
    return None if foreign and domain and _fits(f"/{rest}", own) else False


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


_authenticating: Derived[Cluster, Mapping[_Key, Sequence[PeerAuthentication]]] = Derived(
    lambda cluster: _sorted(cluster.meshes.peer_authentications)
)
_authorizing: Derived[Cluster, Mapping[_Key, Sequence[AuthorizationPolicy]]] = Derived(
    lambda cluster: _sorted(one for one in cluster.meshes.authorization_policies if not one.targets)
)
