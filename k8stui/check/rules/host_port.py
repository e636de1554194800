"""A hostPort that more pods want than there are nodes: two DaemonSets, or a rollout.

The scheduler gives a hostPort out once a node (NodePorts plugin, "didn't have free ports for the
requested pod ports"); the other pod stays Pending. With hostNetwork each container's port is one.

Applies to DaemonSets that go to the same nodes by their nodeSelector, with the same protocol and
hostIP (or none); and to Deployments with as many replicas as there are nodes, whose rolling update
starts a new pod before an old one goes (maxSurge, 25 % by default): it stays Pending, for ever
where maxUnavailable comes to none. The latter is an information where the nodes are assumed.

A port that is open on some nodes only, those where its pods run, or on one address only (hostIP),
is an information: who asks another node or address is refused.

A hostPort that is some Service's nodePort is a warning: both are rules of nat PREROUTING, and the
first takes it all (kube-proxy's, or portmap's where that puts its own in front); so is a port of a
pod with hostNetwork, which no packet gets to.

Where the input's CNI configuration names no portmap, no hostPort is open at all; nor where Cilium
leaves Services to kube-proxy and calls none.

A port that the kubelet or kube-proxy has on every node (10250, 10256) is a warning.

With nodeName no scheduler looks: the node itself refuses the second pod, which is Failed at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, at, flag, labels, number, table, text
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground, names
from k8stui.check.template import Template
from k8stui.cluster.model import Pod, PodPhase
from k8stui.cluster.networks.cni_configurations import closed_host_ports
from k8stui.cluster.programs.listening import declared
from k8stui.walk.diagnosis.pending import instead_of
from k8stui.walk.sentence import port_word

ID = "host-port"
_Key = tuple[int, str, str, tuple[tuple[str, object], ...]]


def look(ground: Ground) -> Iterator[Finding]:
    yield from _daemon_sets(ground)
    yield from _rollouts(ground)
    yield from _not_everywhere(ground)
    yield from _node_ports(ground)
    yield from _refused(ground)
    yield from _of_the_node(ground)
    yield from _unopened(ground)


def _unopened(ground: Ground) -> Iterator[Finding]:
    """HostPorts in a cluster whose network plug-in opens none."""
    told = closed_host_ports(ground.cluster)
    seen: set[int] = set()
    for pod in ground.cluster.pods.values() if told is not None else ():
        for port in declared(pod):
            if told is None or not port.host_port or pod.host_network or id(port) in seen:
                continue
            seen.add(id(port))
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Pod {pod.key}",
                place=told.origin.place,
                why=f"hostPort {port.host_port}, and {told.why}",
                fix=told.mend,
            )


_DAEMONS = {
    10248: "the kubelet's health check",
    10249: "kube-proxy's metrics",
    10250: "the kubelet",
    10256: "kube-proxy's health check",
}
"""What listens on every node. Sources: pkg/cluster/ports/ports.go, proxy config defaults."""


def _of_the_node(ground: Ground) -> Iterator[Finding]:
    """Ports of nodes that their own daemons have: whoever starts second cannot bind."""
    for template in ground.templates:
        for (port, protocol, _, _), path in _ports(template):
            owner = _DAEMONS.get(port) if protocol == "TCP" else None
            if owner is None or "kube-proxy" in template.name:
                continue
            shared = bool(flag(template.spec, "hostNetwork"))
            why = (
                f"with hostNetwork it listens on port {port} of its node, where {owner} listens: "
                "it cannot bind it, and who asks there gets the other"
                if shared
                else f"hostPort {port} takes what is sent to {owner} on that node"
            )
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=template.subject,
                place=template.manifest.place(*path),
                why=why,
                fix="take another port, in its arguments and its Service too",
            )


def _refused(ground: Ground) -> Iterator[Finding]:
    for pod in ground.cluster.pods.values():
        if pod.phase is PodPhase.FAILED and "NodePorts" in pod.unready_reason:
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Pod {pod.key}",
                place=pod.origins.get("node_name", pod.origin).place,
                why=f"it is {pod.phase.value} on {pod.node_name}: {pod.unready_reason}",
                fix=instead_of(pod),
            )


def _node_ports(ground: Ground) -> Iterator[Finding]:
    """Numbers that a Service has as its nodePort too: one of the two is never asked there."""
    taken = {
        (port.node_port, port.protocol): service
        for service in ground.services
        for port in service.ports
        if port.node_port
    }
    told: set[int] = set()
    behind: dict[str, set[str | None]] = {}
    """The pods of a Service, once for all that are held against it."""
    for pod in ground.cluster.pods.values() if taken else ():
        for port in declared(pod):
            own = port.number if pod.host_network else port.host_port or 0
            service = taken.get((own, port.protocol))
            if service is None or id(port) in told:
                continue
            if service.key not in behind:
                behind[service.key] = {one.pod for one in ground.endpoints(service)}
            if pod.host_network and pod.key in behind[service.key]:
                continue
            told.add(id(port))
            word = port_word(own, port.protocol)
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Pod {pod.key}",
                place=port.origin.place,
                why=(
                    f"with hostNetwork it listens on port {word}, which is nodePort of Service "
                    f"{service.key} too: what is sent there goes to that Service (or is refused "
                    "while it has no endpoint), and never to this pod"
                    if pod.host_network
                    else f"hostPort {word} is nodePort of Service {service.key} too: on a node of "
                    "such a pod both have rules for it, and the first rule has every packet"
                ),
                fix="take a port outside the range of node ports (30000-32767), or another "
                "nodePort",
            )


def _not_everywhere(ground: Ground) -> Iterator[Finding]:
    """One finding for each port of each template whose pods are not on every node."""
    nodes = ground.cluster.nodes
    alike: dict[int, list[Pod]] = {}
    for pod in ground.cluster.pods.values():
        if pod.node_name is not None and not pod.phase.is_final:
            alike.setdefault(id(pod.containers), []).append(pod)
    for pods in alike.values():
        pod = pods[0]
        ports = [port for port in declared(pod) if port.host_port]
        on = {p.node_name: None for p in pods if ports}
        without = next((name for name in nodes if name not in on), None)
        for port in ports:
            where = ""
            if port.host_ip is not None and port.host_ip.value:
                where = f"on {port.host_ip} only (hostIP)"
            elif without is not None:
                where = f"only where its pods run ({names([name or '' for name in on])}), "
                where += f"not on {without}"
            if where:
                word = port_word(port.host_port or 0, port.protocol)
                yield Finding(
                    rule=ID,
                    severity=Severity.INFO,
                    subject=f"Pod {pod.key}",
                    place=port.origin.place,
                    why=f"{'port' if pod.host_network else 'hostPort'} {word} is open {where}",
                    fix="ask there, put a Service of type NodePort in front of the pods, or run "
                    "them on every node (DaemonSet)",
                )


def _rollouts(ground: Ground) -> Iterator[Finding]:
    counts: dict[frozenset[tuple[str, str]], int] = {}
    """Nodes that a nodeSelector fits, once for all that have it."""
    for template in ground.templates:
        if template.kind != "Deployment" or template.manifest.observed:
            continue
        found = next(_ports(template), None)
        if found is None:
            continue
        chosen = frozenset(labels(template.spec, "nodeSelector").items())
        if chosen not in counts:
            there = ground.cluster.nodes.values()
            counts[chosen] = sum(chosen <= node.labels.items() for node in there)
        pinned = _HOSTNAME in dict(chosen)
        nodes = 1 if pinned else counts[chosen]
        spec = table(template.manifest.data, "spec")
        replicas = number(spec, "replicas")
        wanted = 1 if replicas is None else replicas
        if not nodes or wanted < nodes or not _surges(spec, wanted):
            continue
        (port, *_), path = found
        yield Finding(
            rule=ID,
            severity=Severity.INFO if ground.nodes_are_assumed and not pinned else Severity.WARNING,
            subject=template.subject,
            place=template.manifest.place(*path),
            why=f"port {port} of every node that it may go to ({nodes}) is taken by its "
            "own pods: a rollout starts a new pod before an old one goes, and the "
            "new one stays Pending for ever",
            fix="set strategy.rollingUpdate.maxSurge: 0 and maxUnavailable: 1 (or strategy.type: "
            "Recreate), or leave hostPort out",
        )


_HOSTNAME = "kubernetes.io/hostname"
"""The label by which a pod is sent to one node."""


def _surges(spec: Object, replicas: int) -> bool:
    """Whether a rollout waits for a new pod before any old one goes.

    Source: pkg/controller/deployment/util ResolveFenceposts: maxSurge is rounded up, maxUnavailable
    down, 25 % each by default.
    """
    strategy = table(spec, "strategy")
    if text(strategy, "type") == "Recreate":
        return False
    rolling = table(strategy, "rollingUpdate")
    unavailable = _share(at(rolling, "maxUnavailable"), replicas)
    return unavailable == 0


def _share(value: object, replicas: int) -> int:
    if isinstance(value, int):
        return value
    written = value.removesuffix("%") if isinstance(value, str) else "25"
    return replicas * int(written[:6]) // 100 if written.isdecimal() else 0


def _daemon_sets(ground: Ground) -> Iterator[Finding]:
    first: dict[_Key, Template] = {}
    for template in ground.templates:
        if template.kind != "DaemonSet" or template.manifest.observed:
            continue
        for key, path in _ports(template):
            other = first.setdefault(key, template)
            if other is not template:
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=template.subject,
                    place=template.manifest.place(*path),
                    why=f"port {key[0]} of every node is taken by {other.subject}: where both go, "
                    "one stays Pending",
                    fix="take another hostPort, or send them to different nodes",
                )


def _ports(template: Template) -> Iterator[tuple[_Key, tuple[str | int, ...]]]:
    shared = flag(template.spec, "hostNetwork")
    where = tuple(sorted(table(template.spec, "nodeSelector").items()))
    for container in template.containers():
        if container.init and text(container.data, "restartPolicy") != "Always":
            continue
        for index, entry in enumerate(array(container.data, "ports")):
            written = number(entry, "hostPort")
            port = written or (number(entry, "containerPort") if shared else None)
            if port:
                field = "hostPort" if written else "containerPort"
                protocol = text(entry, "protocol") or "TCP"
                yield (
                    (port, protocol, text(entry, "hostIP"), where),
                    (*container.path, "ports", index, field),
                )


RULE = CheckRule(
    id=ID,
    summary="More pods want a port of a node than there are nodes",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
