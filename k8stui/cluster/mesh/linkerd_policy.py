"""What Linkerd's proxy of a server lets in: Servers and their authorizations, else a default.

Where a Server chooses a pod's port, nobody comes in whom no authorization of it means, but for its
accessPolicy; elsewhere the default policy counts: the annotation of the pod or its namespace, else
the mesh's. An AuthorizationPolicy for a namespace is for its Servers, and no default policy heeds
it. Who has no Linkerd proxy has no identity. HTTP is answered 403, all else closed. Where a Server
has routes, whom an authorization of any of them means may come in by it. Sources: linkerd.io
"Authorization Policy"; policy-controller k8s/index inbound (index.rs client_authzs,
authorization_policy.rs).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import labels
from k8stui.cluster.mesh.asked import Asked, Met
from k8stui.cluster.mesh.proxies import Proxy, told_of
from k8stui.cluster.mesh_policy import (
    Annotation,
    Clients,
    LinkerdAuthorization,
    LinkerdServer,
)
from k8stui.cluster.model import Lack, Pod
from k8stui.cluster.selectors import matches
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Result

_DEFAULT = "config.linkerd.io/default-inbound-policy"
_VARIABLE = "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY"
_OPEN = frozenset({"all-unauthenticated", "cluster-unauthenticated", "audit"})
_AUTHENTICATED = frozenset(
    {"all-authenticated", "cluster-authenticated", "all-tls-unauthenticated"}
)
_OF = "serviceaccount.identity."
_SUFFIX = "serviceaccount.identity.linkerd.cluster.local"
_ANSWER = "answers 403 (what is no HTTP is closed)"


def kept_out(asked: Asked) -> Met | None:
    """Why a server's proxy does not let a client in; None: it does, or nobody knows."""
    server = asked.server
    if server is None or asked.into is not Proxy.LINKERD:
        return None
    found = server_of(asked, server)
    if found is not None:
        return _by_server(asked, server, found)
    policy = _default_of(asked, server)
    return None if policy is None else _by_default(asked, server, policy)


def unprobed(asked: Asked) -> Met | None:
    """Probes that the proxy answers 403: the kubelet has no identity.

    Without routes a Server lets its pods' probes in by itself; with one nothing does.
    """
    pod = asked.server
    if pod is None or asked.into is not Proxy.LINKERD:
        return None
    probed = any(one.number == asked.number for c in pod.containers for one in c.probed_ports)
    found = server_of(asked, pod) if probed else None
    if found is None or not found.routes or found.policy in _OPEN:
        return None
    mine = [*_authorizations_of(asked, found)]
    if any(all(_has_no_identity(each) for each in one.clients) for one in mine):
        return None
    route = found.routes[0].partition("/")[2]
    return asked.met(
        Lack(
            f"Server {found.namespace}/{found.name} has a route ({route}), so the probes of pod "
            f"{pod.key} at port {asked.number} are not let in by themselves any more, and no "
            "authorization means the kubelet, which has no identity: they are answered 403, and "
            "the pod never becomes ready",
            "write an HTTPRoute for the probes' path, and an AuthorizationPolicy for it with a "
            "NetworkAuthentication of the nodes' network (0.0.0.0/0), or probe another port",
            found.origin,
        ),
        Result.REFUSED,
        "ECONNREFUSED",
    )


def _has_no_identity(said: Clients) -> bool:
    """Whether it means clients without one."""
    return said.identities is None and not said.missing


def server_of(asked: Asked, pod: Pod) -> LinkerdServer | None:
    """The Server that chooses a pod's port; of two the older counts, so nobody knows which."""
    return next(
        (
            one
            for one in asked.cluster.meshes.servers
            if one.namespace == pod.namespace
            and _is_port(pod, one.port, asked.number)
            and matches(one.selector, pod.labels)
        ),
        None,
    )


def _is_port(pod: Pod, said: int | str | None, number: int) -> bool:
    if isinstance(said, int):
        return said == number
    return any(one.name == said and one.number == number for c in pod.containers for one in c.ports)


def _default_of(asked: Asked, pod: Pod) -> Annotation | None:
    """As the proxy itself was told, where the input shows it."""
    told = told_of(asked.cluster, pod, _DEFAULT) or asked.cluster.meshes.default_policy
    for one in pod.containers:
        value = dict(one.env).get(_VARIABLE)
        if value is not None:
            return Annotation(value, one.origin if told is None else told.origin)
    return told


def _by_default(asked: Asked, server: Pod, policy: Annotation) -> Met | None:
    if policy.value in _OPEN or (policy.value in _AUTHENTICATED and asked.out is Proxy.LINKERD):
        return None
    by = f"the Linkerd proxy of pod {server.key} {_ANSWER}"
    meant = f"the default policy of port {asked.number} ({policy.value}; no Server chooses it)"
    if policy.value in _AUTHENTICATED:
        return asked.denied(
            Lack(
                f"{meant} lets in who proves an identity by mutual TLS, and {_why_none(asked)}: "
                f"{by}",
                f"{_inject(asked)}, or write a Server for the port and an AuthorizationPolicy with "
                "a NetworkAuthentication for the client's network",
                policy.origin,
            )
        )
    if policy.value != "deny":
        return None
    near = _near(asked, server)
    if near is not None:
        said = f"{meant} lets nobody in: {near.why}: {by}"
        return asked.denied(Lack(said, near.mend, near.origin))
    beside = next(
        (
            one
            for one in asked.cluster.meshes.authorizations
            if one.namespace == server.namespace and one.selector == {}
        ),
        None,
    )
    also = (
        f"; AuthorizationPolicy {beside.name} is for Servers of the namespace, and there is none "
        "for this port"
        if beside is not None
        else ""
    )
    return asked.denied(
        Lack(
            f"{meant} lets nobody in{also}: {by}",
            f"write a Server for port {asked.number} of the pod, and an AuthorizationPolicy that "
            "lets the client in",
            policy.origin,
        )
    )


def _near(asked: Asked, pod: Pod) -> Lack | None:
    """Why a Server that was meant for a pod's port does not choose it."""
    for one in asked.cluster.meshes.servers:
        if one.namespace == pod.namespace:
            chooses = matches(one.selector, pod.labels)
            found = _other_port(asked, pod, one) if chooses else _other_pods(asked, pod, one)
            if found is not None:
                return found
    return None


def _other_port(asked: Asked, pod: Pod, one: LinkerdServer) -> Lack | None:
    said = f"Server {one.namespace}/{one.name}"
    names = [each.name for c in pod.containers for each in c.ports if each.name]
    if isinstance(one.port, str) and one.port not in names:
        has = ", ".join(names) or "none that has a name"
        return Lack(
            f"{said} chooses the pod, and its port {one.port} is the name of no container's port "
            f"there (there is {has})",
            f"write port: {asked.number} in {said}, or name the containerPort {one.port}",
            one.port_origin,
        )
    port = asked.service_port
    if port is not None and one.port == port.port != asked.number:
        return Lack(
            f"{said} chooses port {one.port} of the pod, which is the Service's; the pod listens "
            f"at {asked.number}",
            f"write port: {asked.number} in {said}",
            one.port_origin,
        )
    return None


def _other_pods(asked: Asked, pod: Pod, one: LinkerdServer) -> Lack | None:
    """Its only label has another value, which no pod has."""
    wanted = labels(one.selector, "matchLabels")
    key, value = next(iter(wanted.items()), ("", ""))
    if not _is_port(pod, one.port, asked.number) or len(wanted) != 1 or key not in pod.labels:
        return None
    others = (p for p in asked.cluster.pods.values() if p.namespace == pod.namespace)
    if any(matches(one.selector, each.labels) for each in others):
        return None
    said = f"Server {one.namespace}/{one.name}"
    return Lack(
        f"{said} is for pods with {key}={value}, which no pod has; this one has "
        f"{key}={pod.labels[key]}",
        f"write {key}: {pod.labels[key]} into the podSelector of {said}",
        one.origin,
    )


def _by_server(asked: Asked, server: Pod, found: LinkerdServer) -> Met | None:
    if found.policy in _OPEN or (found.policy in _AUTHENTICATED and asked.out is Proxy.LINKERD):
        return None
    mine = [*_authorizations_of(asked, found)]
    verdicts = [_means(asked, one) for one in mine]
    if any(one is None for one in verdicts):
        return None
    named = f"Server {found.namespace}/{found.name}"
    by = f"the Linkerd proxy of pod {server.key} {_ANSWER}"
    if not mine:
        said = f"{named} chooses port {asked.number}, and no authorization is for it"
        return asked.denied(
            Lack(
                f"{said}, so nobody is let in: {by}",
                f"write an AuthorizationPolicy with targetRef {{group: policy.linkerd.io, kind: "
                f"Server, name: {found.name}}} that means the client, or accessPolicy: "
                "all-unauthenticated in the Server",
                found.origin,
            )
        )
    one, wrong = mine[-1], verdicts[-1]
    if wrong is None:
        return None
    policy = f"{one.kind} {one.namespace}/{one.name}"
    if wrong.missing:
        return asked.denied(
            Lack(
                f"{policy} for {named} names {wrong.missing}, which is not there, and so means "
                f"nobody: {by}",
                f"write the name of one that there is ({', '.join(wrong.there[:3])})"
                if wrong.there
                else f"write {wrong.missing} itself",
                wrong.origin,
            )
        )
    if wrong.identities is not None and asked.out is not Proxy.LINKERD:
        return asked.denied(
            Lack(
                f"{policy} for {named} means clients by the identity of their mutual TLS, and "
                f"{_why_none(asked)}: {by}",
                _inject(asked),
                wrong.origin,
            )
        )
    if wrong.identities is not None and not _has_identity(asked, wrong):
        client = asked.client
        own = f"{client.service_account}.{client.namespace}.{_SUFFIX}" if client else ""
        return asked.denied(
            Lack(
                f"{policy} for {named} does not mean {asked.who}, whose identity is {own}: {by}",
                f"add {own} to its identities, or the ServiceAccount to its references",
                wrong.origin,
            )
        )
    return asked.denied(
        Lack(
            f"{policy} for {named} does not have the address of {asked.who} in its networks: {by}",
            f"add the client's network: the pods' own range, {asked.cluster.pod_cidr}, or a "
            "narrower one that has it",
            wrong.origin,
        )
    )


def _authorizations_of(asked: Asked, server: LinkerdServer) -> Iterator[LinkerdAuthorization]:
    for one in asked.cluster.meshes.authorizations:
        if one.namespace == server.namespace and (
            one.server == server.name
            or (one.route and f"{one.namespace}/{one.route}" in server.routes)
            or (one.server is None and not one.route and _chooses(one.selector, server))
        ):
            yield one


def _chooses(selector: object, server: LinkerdServer) -> bool:
    return selector is not None and matches(selector, server.labels)


def _means(asked: Asked, one: LinkerdAuthorization) -> Clients | None:
    """Which of its authentications does not hold; None: all do, or nobody knows."""
    for each in one.clients:
        if each.missing or not _has_identity(asked, each) or not _has_network(asked, each):
            return each
    return None


def _has_identity(asked: Asked, said: Clients) -> bool:
    if said.identities is None:
        return True
    client = asked.client
    if client is None or asked.out is not Proxy.LINKERD:
        return False
    own = f"{client.service_account}.{client.namespace}.{_OF}"
    for one in said.identities:
        name, of, _ = one.partition(_OF)  # behind it the mesh's own namespace and trust domain
        given = f"{name}{of}"
        if one == "*" or given == own or (one.startswith("*.") and own.endswith(given[1:])):
            return True
    return False


def _has_network(asked: Asked, said: Clients) -> bool:
    """Of who comes from outside of the cluster nobody knows the address that arrives."""
    if said.networks is None or asked.client is None or not asked.client.addresses:
        return True
    return any(_is_in(said, one) for one in asked.client.addresses)


def _is_in(said: Clients, address: Address) -> bool:
    return any(
        address in one.prefix and not any(address in but for but in one.but)
        for one in said.networks or ()
    )


def _why_none(asked: Asked) -> str:
    return asked.why_plain.replace("has none that speaks it", "has no Linkerd proxy")


def _inject(asked: Asked) -> str:
    if "passed by" in asked.why_plain:
        return "take the port out of that annotation"
    return asked.joining
