"""What a diagnosis looks at, and what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from k8stui.cluster.model import Cluster, Endpoint, Pod, Service, ServicePort
from k8stui.kernel.address import Address
from k8stui.kernel.derived import Derived
from k8stui.kernel.exchange import Exchange, Felt
from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.packet import Packet
from k8stui.kernel.step import Direction, RuleCause, Step, StepKind
from k8stui.nodes.network import ClusterNetwork
from k8stui.origin import Origin
from k8stui.record import record
from k8stui.walk.port import cut
from k8stui.walk.reason import service_of
from k8stui.walk.trace import Request


def _by_address(cluster: Cluster) -> dict[Address, list[Pod]]:
    found: dict[Address, list[Pod]] = {}
    for pod in cluster.pods.values():
        for address in pod.addresses:
            found.setdefault(address, []).append(pod)
    return found


_pods: Derived[Cluster, dict[Address, list[Pod]]] = Derived(_by_address)
"""The pods that have each address: asked once a walk that fails."""


@record()
class Diagnosis:
    """In words for the person who has the problem."""

    reason: str = ""
    """What is wrong; empty: the kernel's own reason is all there is to say."""
    advice: str = ""
    """What would mend it."""
    origin: Origin | None = None
    """Where the cause stands: the field of a manifest, the line of a dump."""


@record(kw_only=True)
class Case:
    """One request that failed."""

    cluster: Cluster
    network: Mapping[str, NetNamespace]
    request: Request
    exchange: Exchange

    @property
    def enforced(self) -> Cluster:
        """The cluster with those policies alone that its policy engine knows."""
        network = self.network
        return network.enforced if isinstance(network, ClusterNetwork) else self.cluster

    @property
    def felt(self) -> Felt:
        return self.exchange.felt

    @property
    def decided(self) -> Step | None:
        """The step that decided, where the kernel names one."""
        index = self.felt.deciding_step
        if index is None or not 0 <= index < len(self.exchange.steps):
            return None
        return self.exchange.steps[index]

    @property
    def rule(self) -> RuleCause | None:
        """The rule (or policy) that decided, if it was one."""
        cause = self.decided.cause if self.decided else None
        return cause if isinstance(cause, RuleCause) else None

    @property
    def service(self) -> Service | None:
        """That of the deciding rule, the one asked for, or that of the rule that led on."""
        rewriting = self.rewritten
        named = (
            service_of(self.rule),
            self.request.service,
            service_of(rewriting.cause) if rewriting is not None else None,
        )
        return next(filter(None, map(self.cluster.services.get, filter(None, named))), None)

    @property
    def service_port(self) -> ServicePort | None:
        """The Service's port that was asked for: by its port, or by its node port."""
        connect = self.request.connect
        if self.service is None or connect is None:
            return None
        if self.request.looked_up:
            asked = cut(self.request.destination).port
            return next((p for p in self.service.ports if str(p.port) == asked), None)
        ingress = (i.ip for i in self.service.load_balancer_ingress if i.ip is not None)
        virtual = {*self.service.cluster_ips, *self.service.external_ips, *ingress}
        for each in self.service.ports:
            if each.protocol is not connect.protocol:
                continue
            wanted = each.port if connect.destination in virtual else each.node_port
            if wanted == connect.port or (self.service.headless and each.port == connect.port):
                return each
        return None

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All endpoints of the Service, usable or not."""
        if self.service is None:
            return ()
        slices = self.cluster.endpoint_slices.get(self.service.key, ())
        return tuple(endpoint for each in slices for endpoint in each.endpoints)

    @property
    def client(self) -> Pod | None:
        """The pod that asks."""
        named = self.request.source.removeprefix("pod/")
        pod = self.cluster.pods.get("/".join(named.split("/")[:2]))
        if pod is not None:
            return pod
        return self.cluster.pods.get(self.request.connect.namespace if self.request.connect else "")

    @property
    def reached(self) -> Pod | None:
        """The pod that the packet got to, or was rewritten to."""
        pod = self.cluster.pods.get(self.felt.server or "")
        if pod is not None:
            return pod
        target = self.rewritten_to
        return self.pod_with(target.dst) if target is not None else None

    def pod_with(self, address: Address) -> Pod | None:
        """The first pod that has the address; one with hostNetwork has its node's."""
        return next(iter(self.pods_with(address)), None)

    def pods_with(self, address: Address) -> Sequence[Pod]:
        """All of them, also those that have ended."""
        return _pods.of(self.cluster).get(address, ())

    def node_with(self, address: Address) -> str | None:
        """The node on one of whose devices the address is (its Node object names one of them)."""
        for name, node in self.cluster.nodes.items():
            if address in node.addresses:
                return name
        return next((name for name in self.cluster.nodes if self.has(name, address)), None)

    def has(self, namespace: str, address: Address) -> bool:
        """Whether a device of the namespace has the address."""
        if isinstance(self.network, ClusterNetwork) and namespace in self.cluster.nodes:
            return self.network.has_address(namespace, address)
        found = self.network.get(namespace)
        return found is not None and any(found.devices_with((address,)))

    @property
    def asked(self) -> Iterator[Step]:
        """The steps of the first packet: the question, on its way there."""
        return (
            step
            for step in self.exchange.steps
            if step.packet_number == 1 and step.direction is Direction.FORWARD
        )

    @property
    def rewritten(self) -> Step | None:
        """The step in which the destination was last rewritten on the way there."""
        found = None
        for step in self.exchange.steps:
            if step.kind is StepKind.DNAT and step.direction is Direction.FORWARD:
                found = step
        return found

    @property
    def rewritten_to(self) -> Packet | None:
        step = self.rewritten
        return step.after if step else None
