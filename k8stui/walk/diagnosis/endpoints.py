"""The Service has no endpoint that could answer: kube-proxy rejects, and the reason is older."""

from __future__ import annotations

import re
from collections.abc import Collection

from k8stui.apiserver.validation.unfinished import is_placeholder
from k8stui.cluster.meant import workload_called
from k8stui.cluster.model import (
    Cluster,
    Endpoint,
    EndpointSlice,
    Pod,
    PodPhase,
    Service,
    ServicePort,
    UnreadEndpoints,
    Workload,
)
from k8stui.cluster.programs.listening import Listening, declared
from k8stui.kernel.derived import Derived
from k8stui.kernel.step import StepKind
from k8stui.origin import Origin, OriginKind
from k8stui.suggest import Wordbook, nearest
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.pending import closing_field, instead_of, room
from k8stui.walk.diagnosis.refusals import mend
from k8stui.walk.diagnosis.refused import refused_endpoints, refused_pods
from k8stui.walk.diagnosis.selectors import (
    in_other_namespace,
    is_astray,
    matching,
    nearest_pod,
    pods_with,
    written,
)
from k8stui.walk.lookup import why_silent
from k8stui.walk.trace import Request


def no_endpoints(case: Case) -> Diagnosis | None:
    """Recognise a Service without usable endpoints and say why it has none."""
    service, step = case.service, case.decided
    if service is None or step is None or case.rule is None:
        return None
    if step.kind not in (StepKind.REJECT, StepKind.DROP):
        return None
    found = without_endpoints(case.cluster, service, case.service_port)
    node, port = case.cluster.nodes.get(step.namespace), step.before.dport
    if found is None or node is None or step.before.dst not in node.addresses:
        return found
    taken = next(
        (
            pod
            for pod in case.cluster.pods.values()
            if pod.host_network and pod.node_name == node.name
            if any(one.number == port for one in declared(pod))
        ),
        None,
    )
    if taken is None:
        return found
    return Diagnosis(
        f"{found.reason}; its node port {port} takes what is sent to pod {taken.key}, which "
        f"listens there on {node.name}'s own network",
        f"give Service {service.name} another nodePort, or delete it where nobody needs it; or "
        f"let {taken.name} listen outside the range of node ports (30000-32767)",
        service.origins.get("ports", service.origin),
    )


def headless_without_endpoints(cluster: Cluster, request: Request) -> Diagnosis:
    """Say why a headless Service's name has no address; empty for any other name."""
    service = cluster.services.get(request.service or "")
    if service is None or not service.headless:
        return Diagnosis()
    found = without_endpoints(cluster, service, None)
    if found is None:
        return Diagnosis()
    peers = _peers(cluster, service, request)
    return peers or found


def _peers(cluster: Cluster, service: Service, request: Request) -> Diagnosis | None:
    """Pods that look for each other before they are ready: a circle that the Service can break."""
    if service.publish_not_ready_addresses:
        return None
    pods = matching(cluster, service)
    key = request.source.removeprefix("pod/")
    waiting = [p for p in pods if not p.ready and p.addresses and p.phase is PodPhase.RUNNING]
    if not waiting or all(key != p.key and not key.startswith(f"{p.key}/") for p in pods):
        return None
    said = (
        f"Service {service.key} has no ready endpoint, and DNS names only ready ones: its pods "
        f"({', '.join(p.name for p in waiting[:3])}) look for each other before they are ready"
    )
    mend = (
        f"set publishNotReadyAddresses: true in Service {service.name}: then its pods have names "
        "before they are ready"
    )
    asked = request.destination.partition(".")[0]
    of = (service.namespace, *(waiting[0].owner or ("", "")))
    made = next((w for w in cluster.workloads if (w.namespace, w.kind, w.name) == of), None)
    later = range(len(made.pods), made.replicas or 0) if made is not None else ()
    if made is not None and made.is_ordered and asked in [f"{made.name}-{n}" for n in later]:
        said += f"; {asked} is not even made before {waiting[-1].name} is ready (OrderedReady)"
        mend += (
            f"; and write podManagementPolicy: Parallel into StatefulSet {made.name}, which then "
            "makes all of them at once (delete it with --cascade=orphan before: the field is fixed)"
        )
    return Diagnosis(
        said,
        mend,
        service.origins.get("publish_not_ready_addresses", service.origin),
    )


def without_endpoints(
    cluster: Cluster, service: Service, port: ServicePort | None
) -> Diagnosis | None:
    """Why nobody is behind a Service's port (None: any of its ports); None where somebody is."""
    if any(e.ready for e in _with_port(cluster, service, port)):
        return None
    found = _why(cluster, service, port)
    reason = f"Service {service.key} has no endpoints: {found.reason}"
    return Diagnosis(reason, found.advice, found.origin or service.origin)


def _with_port(cluster: Cluster, service: Service, port: ServicePort | None) -> list[Endpoint]:
    """Endpoints of slices in which the asked port resolved, and which kube-proxy reads."""
    found: list[Endpoint] = []
    families = {f"IPv{version}" for version in service.ip_families}
    for each in cluster.endpoint_slices.get(service.key, ()):
        names = {(p.name, p.protocol) for p in each.ports or ()}
        known = each.address_type in families
        fits = port is None or (port.name, port.protocol) in names
        if each.ports is not None and known and fits:
            found.extend(each.endpoints)
    return found


def _why(cluster: Cluster, service: Service, asked: ServicePort | None) -> Diagnosis:
    if service.selector is None:
        return _by_hand(cluster, service, asked)
    selector = service.origins.get("selector", service.origin)
    pods = matching(cluster, service)
    wanted = written(service.selector)
    if not pods:
        miss = nearest_pod(cluster, service)
        away = in_other_namespace(cluster, service) if not miss else None
        if away is not None:
            return _in_two_namespaces(cluster, service, away, selector)
        none = _no_pod_now(cluster, service)
        if none is not None:
            return none
        own_label = misplaced(cluster, service)
        if own_label is not None:
            return own_label
        given = given_by_controller(cluster, service)
        if given is not None:
            return given
        left_out = refused_pods(cluster, service) if miss is None else None
        if left_out is not None:
            return Diagnosis(
                f"its selector {wanted} matches no pod, and {left_out.reason}",
                left_out.advice,
                left_out.origin,
            )
        if miss is None:
            said, mend = "", f"create pods labelled {wanted}, or mend the selector"
        else:
            said = f" ({miss.words})"
            mend = miss.mend(wanted)
        found = Diagnosis(f"its selector {wanted} matches no pod{said}", mend, selector)
        return _with_selector(cluster, service, found)
    finished = [p for p in pods if p.phase.is_final]
    if len(finished) == len(pods):
        return Diagnosis(why_silent(pods[0]), instead_of(pods[0]), pods[0].origin)
    pending = [p for p in pods if not p.phase.is_final and (p.node_name is None or not p.addresses)]
    if pending and len(pending) + len(finished) == len(pods):
        return Diagnosis(
            why_silent(pending[0]),
            room(pending[0]),
            closing_field(pending[0]),
        )
    leaving = [p for p in pods if p.terminating]
    if leaving and len(leaving) + len(finished) == len(pods):
        return Diagnosis(
            f"{_count(leaving)} {wanted}, and all are terminating ({leaving[0].name})",
            "wait for the new pods to be ready, or keep one running meanwhile (maxUnavailable: 0)",
            leaving[0].origin,
        )
    unready = [p for p in pods if not p.ready and p not in pending]
    space = "" if service.namespace == "default" else f" -n {service.namespace}"
    lost = [on_lost_node(cluster, pod) for pod in unready]
    if unready and all(lost) and len(unready) + len(finished) == len(pods):
        return lost[0] or Diagnosis()
    if unready and all(p in unready or p in pending or p in finished for p in pods):
        circle = waits_for_itself(service, unready[0])
        return Diagnosis(
            f"{_count(unready)} {wanted}, and none is ready ({unready[0].name}"
            + (f": {unready[0].unready_reason}{circle})" if unready[0].unready_reason else ")"),
            readiness(unready[0], space, circle),
            unready[0].origins.get("unready_reason", unready[0].origin),
        )
    return _family(service, pods) or _port(cluster, service, asked)


def on_lost_node(cluster: Cluster, pod: Pod) -> Diagnosis | None:
    """A node that is not Ready makes its pods not ready: nobody hears of them.

    pkg/controller/nodelifecycle (MarkPodsNotReady); after 300 s they are made anew elsewhere.
    """
    node = cluster.nodes.get(pod.node_name or "")
    if node is None or node.ready:
        return None
    return Diagnosis(
        f"pod {pod.key} is on node {node.name}, which is not Ready, so the pod counts as not ready",
        f"look at {node.name} (kubectl describe node {node.name}; its kubelet and its network "
        "plug-in), or run a pod on another node too",
        node.origins.get("ready", node.origin),
    )


def waits_for_itself(service: Service, pod: Pod) -> str:
    """A container that asks the Service whose endpoints wait for it; else empty.

    The init container that has not ended; where none is at work and nothing else is wrong, any of
    the pod's own. A program may well be called as its Service: of those a host alone counts.
    """
    name = _INIT.match(pod.unready_reason)
    if service.publish_not_ready_addresses or (name is None and pod.unready_mend):
        return ""
    own = re.escape(service.name)
    asks = re.compile(
        rf"(?<![\w.-]){own}(?![\w-])"
        if name is not None
        else rf"//{own}(?![\w-])|(?<![\w./-]){own}(?:\.[\w.-]+)?:\d"
    )
    for one in pod.containers:
        said = (*one.spoken, *(value for _, value in one.env))
        waits = one.init and one.name == name[1] if name is not None else not one.init
        if waits and any(map(asks.search, said)):
            return f", and asks for Service {service.name} itself, which has no endpoint before"
    return ""


_INIT = re.compile(r"init container (\S+)")


def readiness(pod: Pod, space: str, circle: str = "") -> str:
    """What would make a pod ready; `circle`: it waits for what waits for it."""
    why = pod.unready_reason
    describe = f"kubectl describe pod {pod.name}{space}"
    init = _INIT.match(why)
    if circle and init is not None:
        return (
            f"do not wait for it in init container {init[1]}: the pod's own program can, or the "
            "Service may set publishNotReadyAddresses: true"
        )
    if pod.unready_mend:
        return pod.unready_mend
    beside = "; if it waits for the Service itself, set publishNotReadyAddresses: true there"
    beside = beside if circle else ""
    if "OOMKilled" in why:
        return (
            "raise resources.limits.memory of that container, or let it need less: the kernel "
            f"killed it for its memory ({describe})"
        )
    if "CreateContainerConfigError: " in why or "not found" in why:
        missing = why.rpartition(": ")[2]
        return f"make what is missing ({missing}), or mend its name in the pod: {describe}"
    if init is not None and "image" not in why.lower():
        log = f"kubectl logs {pod.name}{space} -c {init[1]}"
        if "runs" in why:
            return f"look what init container {init[1]} waits for: {log}"
        return f"look why init container {init[1]} ends: {log} --previous"
    if "image" in why.lower():
        return f"mend the image's name, or the credentials for its registry: {describe}"
    if "CrashLoopBackOff" in why or "Error" in why:
        return f"look why the container ends: kubectl logs {pod.name}{space} --previous{beside}"
    if "readiness gate" in why:
        return (
            "let the controller that sets that condition do so (AWS Load Balancer Controller: the "
            "target group has to be healthy), or take readinessGates out of the pods: " + describe
        )
    if "startup probe" in why:
        return (
            "mend the startup probe (its port and path are the program's?), or give it more time "
            f"(failureThreshold × periodSeconds): {describe}"
        )
    return f"look at the readiness probe, or at what the pod waits for: {describe}{beside}"


AT_ITS_TIMES = (
    "a Deployment for what is to be asked at any time; a job that only asks others needs no Service"
)
"""What helps where a Service selects the pods of a CronJob."""


def _no_pod_now(cluster: Cluster, service: Service) -> Diagnosis | None:
    """A workload whose pods the selector means, and which has none."""
    wanted = (service.selector or {}).items()
    for each in cluster.workloads:
        if each.namespace != service.namespace or each.pods:
            continue
        if not wanted <= each.pod_labels.items():
            continue
        name = f"{each.kind} {each.name}"
        if each.kind == "CronJob":
            return Diagnosis(
                f"{name}, whose pods it selects, has none now: it makes one when its time comes, "
                "and that is an endpoint for as long as it runs",
                AT_ITS_TIMES,
                each.origin,
            )
        if each.replicas == 0:
            return Diagnosis(
                f"{name}, whose pods it selects, has replicas: 0",
                f"kubectl scale {each.kind.lower()}/{each.name} --replicas=1",
                each.origin,
            )
        if each.lack:
            return Diagnosis(
                f"{name}, whose pods it selects, has none: {each.lack}",
                mend(each),
                each.refused.origin if each.refused is not None else each.origin,
            )
        return Diagnosis(
            f"{name}, whose pods it selects, has none",
            f"look why: kubectl describe {each.kind.lower()} {each.name}",
            each.origin,
        )
    return None


def _in_two_namespaces(cluster: Cluster, service: Service, pod: Pod, selector: Origin) -> Diagnosis:
    """A pod that fits is elsewhere: one of the two stands in the wrong namespace."""
    said = (
        f"its selector {written(service.selector or {})} matches no pod of namespace "
        f"{service.namespace}; pod {pod.name} has these labels, but is in namespace {pod.namespace}"
    )
    if not is_astray(cluster, service, pod):
        return Diagnosis(
            said,
            f"put the Service into namespace {pod.namespace}: it selects in its own only",
            selector,
        )
    what = f"{pod.owner[0]} {pod.owner[1]}" if pod.owner else f"pod {pod.name}"
    return Diagnosis(
        said,
        f"put {what} into namespace {service.namespace}: a Service selects in its own only",
        pod.origins.get("namespace", pod.origin),
    )


def _by_own_label(cluster: Cluster) -> dict[tuple[str, str, str], list[Workload]]:
    found: dict[tuple[str, str, str], list[Workload]] = {}
    for each in cluster.workloads:
        for pair in each.labels.items():
            found.setdefault((each.namespace, *pair), []).append(each)
    return found


_labelled = Derived(_by_own_label)
"""Workloads by namespace and each label of their own, made when first somebody asks."""


def misplaced(cluster: Cluster, service: Service) -> Diagnosis | None:
    """The labels stand at the workload itself, and its template has others."""
    wanted = (service.selector or {}).items()
    if not wanted:
        return None
    first = next(iter(wanted))
    for each in _labelled.of(cluster).get((service.namespace, *first), ()):
        if wanted <= each.labels.items():
            text = written(service.selector or {})
            has = written(each.pod_labels) or "no labels"
            return Diagnosis(
                f"its selector {text} matches no pod: {each.kind} {each.name} itself is labelled "
                f"so, and its pods have {has} (spec.template.metadata.labels)",
                f"write {has} in the selector, or {text} into spec.template.metadata.labels of "
                f"{each.kind} {each.name}",
                service.origins.get("selector", service.origin),
            )
    return None


_HASHES = ("pod-template-hash", "controller-revision-hash")
_POD_NAME = "statefulset.kubernetes.io/pod-name"


def given_by_controller(cluster: Cluster, service: Service) -> Diagnosis | None:
    """A label in the selector that only a controller gives, and that no pod has now."""
    selector = service.selector or {}
    place = service.origins.get("selector", service.origin)
    for key in _HASHES:
        rest = {other: value for other, value in selector.items() if other != key}
        fits = [*pods_with(cluster, service.namespace, rest)] if key in selector and rest else []
        if fits:
            now = fits[0].labels.get(key)
            return Diagnosis(
                f"its selector asks for {key}={selector[key]}, which a controller gives anew with "
                f"each change of the template; {fits[0].name} has "
                + (f"{key}={now}" if now else f"no {key}"),
                f"take {key} out of the selector: {written(rest)} is enough",
                place,
            )
    name, _, number = selector.get(_POD_NAME, "").rpartition("-")
    for each in cluster.workloads:
        if (each.kind, each.namespace, each.name) == ("StatefulSet", service.namespace, name):
            has = ", ".join(p.rpartition("/")[2] for p in each.pods[:3]) or "none"
            return Diagnosis(
                f"its selector asks for pod {name}-{number}, and StatefulSet {name} has "
                f"{each.replicas} replica{'' if each.replicas == 1 else 's'} ({has})",
                f"scale StatefulSet {name} up, or write the name of one of its pods",
                place,
            )
    for pod in cluster.pods.values() if name else ():
        there = pod.labels.get(_POD_NAME, "")
        if pod.namespace == service.namespace and there.rpartition("-")[2] == number:
            return Diagnosis(
                f"its selector asks for pod {name}-{number}, and no StatefulSet is called {name}; "
                f"there is pod {there}",
                f"write {_POD_NAME}: {there}",
                place,
            )
    return None


def _with_selector(cluster: Cluster, service: Service, found: Diagnosis) -> Diagnosis:
    """Somebody wrote endpoints for a Service with a selector: the controller overwrites them."""
    by_hand = _unread_of.of(cluster).of(service)
    if by_hand is None:
        return found
    return Diagnosis(
        f"{found.reason}; the endpoints written by hand ({by_hand.kind} {by_hand.name}) do not "
        "count: the controller replaces them by what the selector selects",
        f"take the selector off Service {service.name}: then the endpoints written by hand count",
        found.origin,
    )


def _family(service: Service, pods: list[Pod]) -> Diagnosis | None:
    """The pods have addresses, but of the other family."""
    has = {a.version for p in pods for a in p.addresses}
    if has & set(service.ip_families):
        return None
    wanted = " and ".join(f"IPv{each}" for each in service.ip_families)
    return Diagnosis(
        f"it is {wanted} only (ipFamilies), and its pods have no such address ({pods[0].name})",
        f"set ipFamilies: [IPv{min(has, default=4)}], or give the pods {wanted} addresses",
        service.origins.get("ip_families", service.origin),
    )


def _by_hand(cluster: Cluster, service: Service, asked: ServicePort | None) -> Diagnosis:
    """No selector: whatever endpoints there are somebody has written, and kube-proxy matches names.

    Source: pkg/proxy/endpointslicecache.go (service port name), pkg/proxy/util (addressType).
    """
    slices = cluster.endpoint_slices.get(service.key, ())
    if not any(each.endpoints for each in slices):
        lost = _unread(cluster, service, asked)
        lost = lost or refused_endpoints(cluster, service)
        if lost is not None:
            return lost
        empty = service.origins.get("selector", service.origin)  # ``selector: {}`` is none
        if empty.place is not None and empty.place.field in ("selector", "metadata.selector"):
            return Diagnosis(
                "it has no selector: one stands outside of its spec, where nobody reads it",
                "indent selector so that it stands in spec",
                empty,
            )
        made = workload_called(cluster, service.namespace, service.name)
        pods = f" ({written(made.pod_labels)})" if made is not None and made.pod_labels else ""
        return Diagnosis(
            "it has no selector, and nobody has written EndpointSlices for it",
            f"give it a selector{pods}, or write an EndpointSlice "
            f"labelled kubernetes.io/service-name: {service.name}",
            service.origin if empty.kind is OriginKind.DEFAULTED else empty,
        )
    families = {f"IPv{version}" for version in service.ip_families}
    fitting = [each for each in slices if each.address_type in families]
    if not fitting:
        return _wrong_type(slices[0], families)
    port = asked or (service.ports[0] if service.ports else None)
    named = [p for each in fitting for p in each.ports or ()]
    if port is not None and not named:
        return Diagnosis(
            "the endpoints written for it have no ports, so there is nothing to lead to",
            f"write ports: [{{port: {port.target_port}, protocol: {port.protocol.name}}}] beside "
            "them, the port at which they answer",
            fitting[0].origin,
        )
    if port is not None and all(p.name != port.name for p in named):
        has = ", ".join(dict.fromkeys(_port_name(p.name) for p in named))
        return Diagnosis(
            f"its port {port.port} is {_port_name(port.name)}, that of the endpoints written for "
            f"it is {has or 'missing'}: kube-proxy joins the two by the port's name",
            f"give the port of the endpoints the name {port.name}"
            if port.name
            else "take the name off the port of the endpoints",
            next((p.origin for p in named if p.origin), None) or fitting[0].origin,
        )
    same = [p for p in named if port is not None and p.name == port.name]
    if port is not None and all(p.protocol is not port.protocol for p in same):
        return Diagnosis(
            f"its port {port.port} is {port.protocol.name}, that of the endpoints written for it "
            f"is {same[0].protocol.name}: kube-proxy joins the two by name and protocol",
            f"write protocol: {port.protocol.name} beside the port of the endpoints",
            same[0].origin or fitting[0].origin,
        )
    unready = next(
        (e for each in fitting for e in each.endpoints if not e.ready and e.addresses), None
    )
    if unready is not None:
        return Diagnosis(
            f"the endpoints written for it are not ready ({unready.addresses[0]})",
            "take conditions.ready: false (notReadyAddresses) away, once they answer",
            unready.origin,
        )
    return Diagnosis("none of those written for it can be used", "", fitting[0].origin)


class _Unread:
    """Endpoints that somebody wrote and nobody reads."""

    def __init__(self, cluster: Cluster) -> None:
        self._of: dict[str, UnreadEndpoints] = {}
        self._names: dict[tuple[str, str], UnreadEndpoints] = {}
        self._ports: dict[tuple[str, int], tuple[int, UnreadEndpoints]] = {}
        spaces: dict[str, list[str]] = {}
        for place, one in enumerate(cluster.unread_endpoints):
            self._of.setdefault(one.service, one)
            if one.service in cluster.services:
                continue
            if self._names.setdefault((one.namespace, one.name), one) is one:
                spaces.setdefault(one.namespace, []).append(one.name)
            for port in one.ports:
                self._ports.setdefault((one.namespace, port), (place, one))
        self._books = {space: Wordbook(those) for space, those in spaces.items()}

    def of(self, service: Service) -> UnreadEndpoints | None:
        """The first that were written for a Service."""
        return self._of.get(service.key)

    def called(self, service: Service) -> UnreadEndpoints | None:
        """Those of no Service that are called almost as this one is."""
        book = self._books.get(service.namespace)
        name = book.nearest(service.name) if book is not None else None
        return self._names[service.namespace, name] if name is not None else None

    def with_ports(self, namespace: str, ports: Collection[int | str]) -> UnreadEndpoints | None:
        """The first of no Service that have one of some ports."""
        found = (self._ports.get((namespace, port)) for port in ports if isinstance(port, int))
        first = min((one for one in found if one is not None), key=lambda one: one[0], default=None)
        return first[1] if first is not None else None


_unread_of = Derived(_Unread)


def _unread(cluster: Cluster, service: Service, asked: ServicePort | None) -> Diagnosis | None:
    """Endpoints that belong to no Service, and were probably meant for this one."""
    ports = {p.port for p in service.ports} | {p.target_port for p in service.ports}
    if asked is not None:
        ports = {asked.port, asked.target_port}
    known = _unread_of.of(cluster)
    meant = known.called(service) or known.with_ports(service.namespace, ports)
    if meant is None:
        return None
    if meant.kind == "Endpoints":
        return Diagnosis(
            f"it has no selector, and no Endpoints has its name; there is Endpoints {meant.name}",
            f"name that {service.name}: Endpoints belong to the Service of the same name",
            meant.origin,
        )
    leads = meant.service.partition("/")[2]
    label = f"is labelled for Service {leads}" if leads else "has no such label"
    return Diagnosis(
        "it has no selector, and no EndpointSlice is labelled kubernetes.io/service-name: "
        f"{service.name}; EndpointSlice {meant.name} {label}",
        f"label EndpointSlice {meant.name} kubernetes.io/service-name: {service.name}",
        meant.origin,
    )


def _wrong_type(found: EndpointSlice, families: set[str]) -> Diagnosis:
    wanted = " and ".join(sorted(families))
    if found.address_type == "FQDN":
        return Diagnosis(
            "its EndpointSlice has addressType FQDN, which kube-proxy ignores",
            "write addresses (addressType: IPv4), or make the Service an ExternalName",
            found.origin,
        )
    return Diagnosis(
        f"its EndpointSlice has addressType {found.address_type}, and the Service is {wanted}",
        f"write an EndpointSlice of addressType {wanted}, or give the Service "
        f"ipFamilies: [{found.address_type}]",
        found.origin,
    )


def _port_name(name: str) -> str:
    return f"named {name}" if name else "without a name"


def _port(cluster: Cluster, service: Service, asked: ServicePort | None) -> Diagnosis:
    port = asked or (service.ports[0] if service.ports else None)
    if port is None or not isinstance(port.target_port, str):
        return Diagnosis("none is ready", "look at the pods: kubectl get pods", service.origin)
    pods = [pod for pod in matching(cluster, service) if not pod.phase.is_final]
    declared = [p for pod in pods for c in pod.containers for p in c.ports if p.name]
    names = [p.name for p in declared if p.protocol is port.protocol]
    others = [p for p in declared if p.name == port.target_port]
    origin = port.origins.get("target_port", port.origin)
    if others:
        return Diagnosis(
            f"port {port.target_port} of pod {pods[0].name} is {others[0].protocol.name}, the "
            f"Service's port is {port.protocol.name}",
            f"write protocol: {others[0].protocol.name} in the Service's port, or mend the "
            "container's",
            port.origins.get("protocol", port.origin),
        )
    if is_placeholder(port.target_port):
        return Diagnosis(
            f"its targetPort is {port.target_port}, a placeholder that nobody has filled in",
            "fill it in before it is applied (envsubst, helm template, kustomize), then check that",
            origin,
        )
    only = names[0] if len(set(names)) == 1 else None
    near = nearest(port.target_port, names) or only
    left = "" if near else Listening(cluster).left_name(pods[0], port.protocol)
    instead = f"name the container's port {port.target_port}"
    has = f"; it declares {', '.join(dict.fromkeys(names))}" if names else ""
    return Diagnosis(
        f"no container of pod {pods[0].name} declares a port named {port.target_port}"
        f" for {port.protocol.name}{has}",
        f"write targetPort: {near}"
        if near
        else f"write targetPort: {left}, or {instead}"
        if left
        else instead,
        origin,
    )


def _count(pods: list[Pod]) -> str:
    return "1 pod matches" if len(pods) == 1 else f"{len(pods)} pods match"
