"""The packet arrived, and nothing listens on the port."""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.cluster.listening import Listening
from k8stui.cluster.model import ContainerPort, Pod, Service
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import SocketCause
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.selectors import written
from k8stui.walk.sentence import port_word


def nothing_listens(case: Case) -> Diagnosis | None:
    """Recognise a refusal by the kernel of the pod (or node) itself."""
    felt, connect, step = case.felt, case.request.connect, case.decided
    if felt.result is not Result.REFUSED or connect is None:
        return None
    pod = case.cluster.pods.get(felt.server or felt.decided_at)
    port, protocol = felt.server_port or connect.port, connect.protocol
    word = port_word(port, protocol)
    if pod is None:
        no_socket = step is not None and step.cause == SocketCause(socket=None)
        if not no_socket:
            return None
        return Diagnosis(reason=f"nothing is known to listen on port {word} of {felt.decided_at}")
    if case.rewritten is not None and case.service is not None:
        return _led_astray(case, case.service, pod, port, protocol)
    has = _declared(pod)
    declares = f"it declares {_words(has)}" if has else "it declares no port"
    return Diagnosis(
        reason=f"nothing listens on port {word} of pod {pod.key} ({declares})",
        advice=f"ask for {_words(has)}" if has else "",
    )


def _led_astray(case: Case, service: Service, pod: Pod, port: int, protocol: Protocol) -> Diagnosis:
    """Tell wrong pods from a wrong port: the Service led here."""
    has, word = _declared(pod), port_word(port, protocol)
    reason = (
        f"Service {service.key} leads to pods that declare {_words(has) or 'nothing'}, not {word}"
    )
    other = Listening(case.cluster).meant_instead(service, port, protocol, pod)
    if other is not None and service.selector is not None:
        meant = _own_values(other, service.selector)
        guess = f", so selector {meant} was probably meant, not {written(service.selector)}"
        return Diagnosis(
            reason=reason,
            advice=f"the Service probably selects the wrong pods: {other.name} declares {word}"
            + (guess if meant else ""),
            origin=service.origins.get("selector", service.origin),
        )
    usable = [p.number for p in has if p.protocol is protocol]
    entry = case.service_port
    origin = entry.origins.get("target_port", entry.origin) if entry else service.origin
    if len(usable) == 1:
        instead = entry.target_port if entry else port
        advice = f"write targetPort: {usable[0]} instead of {instead}, or let the container "
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
