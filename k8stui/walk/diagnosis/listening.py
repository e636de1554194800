"""The packet arrived, and nothing listens on the port."""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.cluster.model import Cluster, ContainerPort, Pod, Service, ServicePort
from k8stui.cluster.programs.bound import ipv4_only, own_only
from k8stui.cluster.programs.images import opened_by
from k8stui.cluster.programs.listening import Listening
from k8stui.cluster.programs.streams import closed
from k8stui.cluster.well_known import API_SERVER_PORT
from k8stui.kernel.address import is_loopback
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import SocketCause
from k8stui.order import listed
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.selectors import apart, written
from k8stui.walk.sentence import port_word

_IPV6 = 6
_CLOSED = {Protocol.SCTP: Result.UNREACHABLE}
"""What a closed port answers, where it is not a refusal."""


def nothing_listens(case: Case) -> Diagnosis | None:
    """Recognise a refusal by the kernel of the pod (or node) itself."""
    felt, connect, step = case.felt, case.request.connect, case.decided
    if connect is None or felt.result is not _CLOSED.get(connect.protocol, Result.REFUSED):
        return None
    pod = case.cluster.pods.get(felt.server or felt.decided_at) or _endpoint(case)
    port, protocol = felt.server_port or connect.port, connect.protocol
    word = port_word(port, protocol)
    if pod is None:
        no_socket = step is not None and step.cause == SocketCause(socket=None)
        if not no_socket:
            return None
        again = _node_port_again(case, port, protocol)
        if again is not None:
            return again
        return Diagnosis(reason=f"nothing is known to listen on port {word} of {felt.decided_at}")
    for_itself = _for_itself(case, pod, port)
    if for_itself is not None and not is_loopback(connect.destination):
        return for_itself
    for_ipv4 = _for_ipv4(case, pod, port) if connect.destination.version == _IPV6 else None
    if for_ipv4 is not None:
        return for_ipv4
    lack = closed(case.cluster.config_maps, pod, port, protocol)
    lack = lack or Listening(case.cluster).unopened(pod, port, protocol)
    if lack is not None:
        return Diagnosis(lack.why, lack.mend, lack.origin)
    itself = is_loopback(connect.destination)
    idle = Listening(case.cluster).idle(pod) is not None
    entry = case.service_port
    told = None
    if not (itself and idle):
        told = told_another_port(case.cluster, pod, port, protocol, entry)
    if told is not None:
        return told
    is_led = case.rewritten is not None or case.request.looked_up
    if is_led and case.service is not None:
        return _led_astray(case, case.service, pod, port, protocol)
    if is_loopback(connect.destination):
        return _on_localhost(case, pod, port, protocol)
    has = _declared(pod)
    if case.service is not None and case.service.headless and entry is not None:
        return _headless(case.service, entry, pod)
    declares = f"it declares {_words(has)}" if has else "it declares no port"
    others = Listening(case.cluster).declared_by_others(pod, port, protocol)
    mends = [f"ask for {_words(has)}"] if has else []
    if others and not any(each.number == port for each in has):
        declares += f"; {others[0].name} declares {word}"
        mends.append(f"ask pod/{others[0].key}")
    service = _by_node_port(case.cluster, port, protocol)
    if service is not None:
        declares += f"; it is the nodePort of Service {service.key}: nodes have it, and no pod"
    return Diagnosis(
        reason=f"nothing listens on port {word} of pod {pod.key} ({declares})",
        advice=", or ".join(mends),
    )


def _by_node_port(cluster: Cluster, port: int, protocol: Protocol) -> Service | None:
    for service in cluster.services.values():
        if any((one.node_port, one.protocol) == (port, protocol) for one in service.ports):
            return service
    return None


def _node_port_again(case: Case, port: int, protocol: Protocol) -> Diagnosis | None:
    """An endpoint written by hand that is a node's own address and node port, asked on that node.

    A connection is in table nat once (nf_nat_inet_fn): what one Service's rule has rewritten no
    other's is asked about on the same node.
    """
    target, service = case.rewritten_to, case.service
    if target is None or service is None or service.selector is not None:
        return None
    for other in case.cluster.services.values():
        if all((p.node_port, p.protocol) != (port, protocol) for p in other.ports):
            continue
        written = next((e for e in case.endpoints if target.dst in e.addresses), None)
        name = f"{other.name}.{other.namespace}.svc.{case.cluster.cluster_domain}"
        return Diagnosis(
            f"the endpoints of Service {service.key} name {target.dst}:{port}, "
            f"{case.felt.decided_at}'s own address and the node port of Service {other.key}: a "
            "destination is rewritten once, and nobody listens there (from the other nodes it is)",
            f"give Service {service.name} the selector of {other.name}, or make it an "
            f"ExternalName of {name}",
            written.origin if written is not None else None,
        )
    return None


def _endpoint(case: Case) -> Pod | None:
    """The hostNetwork pod that the Service led to: its node's namespace was reached."""
    target = case.rewritten_to
    named = (
        e.pod
        for e in case.endpoints
        if e.pod is not None and target is not None and target.dst in e.addresses
    )
    return case.cluster.pods.get(next(named, ""))


def _for_itself(case: Case, pod: Pod, port: int) -> Diagnosis | None:
    """Something binds the port to 127.0.0.1."""
    for container in pod.containers:
        bound = own_only(case.cluster, pod, container, (port,)).get(port)
        if bound is not None:
            return Diagnosis(
                f"container {container.name} of pod {pod.key} binds port {port} to 127.0.0.1 "
                f"({bound.by}): only the pod itself reaches it there",
                f"{bound.mend} (every address of the pod)",
                bound.origin,
            )
    return None


def _for_ipv4(case: Case, pod: Pod, port: int) -> Diagnosis | None:
    """The container's own words bind the port to 0.0.0.0, and IPv6 was asked."""
    for container in pod.containers:
        bound = ipv4_only(case.cluster, pod, container).get(port)
        if bound is not None:
            service = case.service
            by_name = service is not None and len(service.ip_families) > 1
            return Diagnosis(
                f"container {container.name} of pod {pod.key} binds port {port} to 0.0.0.0 "
                f"({bound.by}), which is IPv4 alone: IPv6 is refused",
                "let it bind to :: (every address, of both families)"
                + (f", or take IPv6 out of Service {service.name}" if service and by_name else ""),
                bound.origin,
            )
    return None


def told_another_port(
    cluster: Cluster, pod: Pod, port: int, protocol: Protocol, entry: ServicePort | None = None
) -> Diagnosis | None:
    """The container's env or configuration tells its program to open another port.

    `entry`: the Service's port that leads there. Where its own number is one that is opened, and
    nobody declares `port`, its targetPort is wrong.
    """
    judge = Listening(cluster)
    idle = judge.idle(pod)
    if idle is not None:
        return Diagnosis(
            f"container {idle.name} of pod {pod.key} does nothing but wait ({idle.waits}), so "
            f"nothing listens on port {port_word(port, protocol)}",
            "start the server in its command, or leave command and args out where the image "
            "starts it",
            idle.origin,
        )
    container = judge.told_other(pod, port, protocol)
    told = judge.told(pod, container, port) if container is not None else None
    if container is None or told is None:
        return None
    declares = ", whatever it declares" if container.ports else ""
    opener = opened_by(container.image, port) if told.by_itself else ""
    who = f"container {container.name} of pod {pod.key}"
    does = (
        f"{who} listens on {listed([told.number, *told.also])}, as {told.name} does unless told "
        "otherwise, and nothing here tells it"
        if told.by_itself
        else f"{told.name} tells {who} to listen on {told.number}"
    )
    does += f", so nothing listens on port {port_word(port, protocol)}{declares}"
    is_declared = any(one.number == port for one in container.ports)
    if entry is not None and entry.port in (told.number, *told.also) and not is_declared:
        return Diagnosis(
            does,
            f"write targetPort: {entry.port} instead of {entry.target_port}",
            entry.origins.get("target_port", entry.origin),
        )
    return Diagnosis(
        does,
        (f"{opener}; or " if opener else "")
        + (f"write {told.sets}{port}, or " if told.sets else "write ")
        + f"containerPort and targetPort {told.number}"
        + (f", or {port} into {told.name}" if container.told is None else ""),
        told.origin,
    )


def _on_localhost(case: Case, pod: Pod, port: int, protocol: Protocol) -> Diagnosis:
    """A pod asks itself, and means a Service or the node."""
    word = port_word(port, protocol)
    said = f"localhost in a pod is the pod itself, and nothing in {pod.key} listens on port {word}"
    for service in case.cluster.services.values():
        for each in service.ports:
            if each.protocol is not protocol or port not in (
                each.node_port, each.port, each.target_port,
            ):  # fmt: skip
                continue
            if service.selector and service.selector.items() <= pod.labels.items():
                continue
            name = service.name
            if service.namespace != pod.namespace:
                name = f"{name}.{service.namespace}"
            if service.headless and isinstance(each.target_port, int):
                instead = f"{name}:{each.target_port}"
            else:
                instead = f"{name}:{each.port}"
            which = "node port" if port == each.node_port else "port"
            where = "the nodes" if port == each.node_port else f"Service {service.key}"
            return Diagnosis(
                f"{said}: {which} {word} is that of {where}"
                + (f" (Service {service.key})" if port == each.node_port else ""),
                f"ask {instead}",
                each.origins.get("node_port" if port == each.node_port else "port", each.origin),
            )
    if (port, protocol) == (API_SERVER_PORT, Protocol.TCP):
        server = "the API server's, behind Service default/kubernetes"
        return Diagnosis(f"{said}: it is {server}", "ask kubernetes.default.svc:443")
    has = _declared(pod)
    others = Listening(case.cluster).declaring.get((pod.namespace, port, protocol), ())
    other = next((p for p in others if p.key != pod.key), None)
    if other is not None and not has:
        return Diagnosis(
            f"{said}: pod {other.key} declares it",
            f"put a Service in front of pod {other.name}, and ask that by name",
            other.origin,
        )
    declares = f"it declares {_words(has)}" if has else "it declares no port"
    return Diagnosis(f"{said} ({declares})", f"ask for {_words(has)}" if has else "")


def _headless(service: Service, entry: ServicePort, pod: Pod) -> Diagnosis:
    """The pod's own address was asked: nobody translates a port on the way."""
    word = port_word(entry.port, entry.protocol)
    target: int | str | None = entry.target_port
    if isinstance(target, str):
        named = (p.number for p in _declared(pod) if p.name == target)
        target = next(named, None)
    if target is None or target == entry.port:
        has = _declared(pod)
        fitting = [p.number for p in has if p.protocol is entry.protocol]
        return Diagnosis(
            f"Service {service.key} is headless, so the pod itself is asked, and nothing listens "
            f"on port {word} of pod {pod.key} (it declares {_words(has) or 'no port'})",
            f"ask for {fitting[0]}" if fitting else f"let the container listen on {word}",
            entry.origin,
        )
    return Diagnosis(
        f"Service {service.key} is headless (clusterIP: None): its name leads to the pods' own "
        f"addresses, and nobody translates port {word} to targetPort {target}; nothing listens on "
        f"port {word} of pod {pod.key}",
        f"ask for port {target}, or leave clusterIP: None out of Service {service.name}",
        entry.origins.get("target_port", entry.origin),
    )


def _led_astray(case: Case, service: Service, pod: Pod, port: int, protocol: Protocol) -> Diagnosis:
    """Tell wrong pods from a wrong port: the Service led here."""
    has, word = _declared(pod), port_word(port, protocol)
    entry = case.service_port
    same = [p for p in has if p.number == port]
    if same and entry is not None:
        is_one = same[0].protocol.name
        return Diagnosis(
            f"Service {service.key} leads to {port}/{protocol.name}, and pod {pod.key} declares "
            f"{port} for {is_one} only",
            f"write protocol: {is_one} in the Service's port (left out, it is TCP), or let the "
            f"container listen on {port}/{protocol.name} too",
            entry.origins.get("protocol", entry.origin),
        )
    reason = (
        f"Service {service.key} leads to pods that declare {_words(has) or 'nothing'}, not {word}"
    )
    by_hand = next((w for w in case.cluster.unread_endpoints if w.service == service.key), None)
    if by_hand is not None and service.selector is not None:
        return Diagnosis(
            f"{reason}: its selector {written(service.selector)} selects them, and so the "
            f"endpoints written by hand ({by_hand.kind} {by_hand.name}) do not count",
            f"take the selector off Service {service.name} (kustomize's commonLabels writes one "
            "into every Service): then the endpoints written by hand count",
            service.origins.get("selector", service.origin),
        )
    other = Listening(case.cluster).meant_instead(service, port, protocol, pod)
    if other is not None and service.selector is not None:
        meant = _own_values(other, service.selector)
        if meant == written(service.selector):
            return Diagnosis(
                f"Service {service.key} selects pods of several workloads: {other.name} declares "
                f"{word}, {pod.name} declares {_words(has) or 'nothing'}",
                apart(other, pod),
                service.origins.get("selector", service.origin),
            )
        guess = f", so selector {meant} was probably meant, not {written(service.selector)}"
        return Diagnosis(
            reason=reason,
            advice=f"the Service probably selects the wrong pods: {other.name} declares {word}"
            + (guess if meant else ""),
            origin=service.origins.get("selector", service.origin),
        )
    asked = entry.port if entry is not None else 0
    right = Listening(case.cluster).meant(pod, protocol, asked=asked)
    origin = entry.origins.get("target_port", entry.origin) if entry else service.origin
    if right is not None:
        instead = entry.target_port if entry else port
        advice = f"write targetPort: {right} instead of {instead}, or let the container "
        return Diagnosis(reason=reason, advice=f"{advice}listen on {word}", origin=origin)
    return Diagnosis(
        reason=reason,
        advice=f"let the container listen on {word}, or mend targetPort",
        origin=origin,
    )


def _own_values(pod: Pod, selector: Mapping[str, str]) -> str:
    """The pod's own values for the labels that the selector asks for."""
    return written({key: pod.labels[key] for key in selector if key in pod.labels})


def _declared(pod: Pod) -> list[ContainerPort]:
    return [p for c in pod.containers if c.restartable_init or not c.init for p in c.ports]


def _words(ports: list[ContainerPort]) -> str:
    return ", ".join(dict.fromkeys(port_word(p.number, p.protocol) for p in ports))
