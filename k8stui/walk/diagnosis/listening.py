"""The packet arrived, and nothing listens on the port."""

from __future__ import annotations

from collections.abc import Mapping

from k8stui.cluster.model import Pod
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import SocketCause
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.selectors import declaring, written


def nothing_listens(case: Case) -> Diagnosis | None:
    """Recognise a refusal by the kernel of the pod (or node) itself."""
    felt, connect, step = case.felt, case.request.connect, case.decided
    no_socket = isinstance(step.cause, SocketCause) and step.cause.socket is None if step else False
    if felt.result is not Result.REFUSED or connect is None or case.rule is not None:
        return None
    pod = case.cluster.pods.get(felt.server or felt.decided_at)
    port = felt.server_port or connect.port
    if pod is None:
        if not no_socket:
            return None
        return Diagnosis(
            reason=f"nothing is known to listen on port {port} of {felt.decided_at}",
            advice="",
        )
    has = _declared(pod)
    if case.rewritten is None or case.service is None:
        declares = f"it declares {has}" if has else "it declares no port"
        return Diagnosis(
            reason=f"nothing listens on port {port} of pod {pod.key} ({declares})",
            advice=f"ask for {has}" if has else "",
        )
    return _wrong_pods(case, pod, port, has)


def _wrong_pods(case: Case, pod: Pod, port: int, has: str) -> Diagnosis:
    """Tell wrong pods from a wrong port: the Service led here."""
    service, entry = case.service, case.service_port
    if service is None:  # the caller has looked
        return Diagnosis()
    others = [p for p in declaring(case.cluster, pod.namespace, port) if p.owner != pod.owner]
    reason = f"Service {service.key} leads to pods that declare {has or 'nothing'}, not {port}"
    if others and service.selector is not None:
        meant = _distinguishing(others[0], service.selector)
        return Diagnosis(
            reason=reason,
            advice=f"the Service probably selects the wrong pods: {others[0].name} declares {port}"
            + (
                f", so selector {meant} was probably meant, not {written(service.selector)}"
                if meant
                else ""
            ),
        )
    target = entry.target_port if entry else port
    return Diagnosis(
        reason=reason,
        advice=f"write targetPort: {has} instead of {target}, or let the container listen on {port}"
        if has and "," not in has
        else f"let the container listen on {port}, or mend targetPort",
    )


def _distinguishing(pod: Pod, selector: Mapping[str, str]) -> str:
    """The pod's own values for the labels that the selector asks for."""
    values = {key: pod.labels[key] for key in selector if key in pod.labels}
    return written(values)


def _declared(pod: Pod) -> str:
    numbers = dict.fromkeys(
        p.number for c in pod.containers if c.restartable_init or not c.init for p in c.ports
    )
    return ", ".join(str(number) for number in numbers)
