"""What the rules look at: the cluster and the manifests behind it, indexed once.

Nothing here walks over Services × pods: a rule that asks by Service, label or node gets its
answer from a table (docs/facts/speed.md section 0).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from k8stui.apiserver.fields import array, labels, table, text, texts
from k8stui.apiserver.inventory import ALWAYS_THERE, take_stock
from k8stui.check.admission import Admission
from k8stui.check.claim import Claim
from k8stui.check.client import Clients, pod_source
from k8stui.check.ports import ServedPort, number_of, targets_of
from k8stui.check.references import env_prefix
from k8stui.check.subject import subject_of
from k8stui.check.template import Template, templates
from k8stui.cluster.endpoints import pod_index
from k8stui.cluster.holders import Holders
from k8stui.cluster.judgement import Ask, Judgement
from k8stui.cluster.labelled import Labelled
from k8stui.cluster.meant import CalledServices, Carriers, carriers, policy_selectors
from k8stui.cluster.mentions import mentions
from k8stui.cluster.model import (
    Endpoint,
    Pod,
    Service,
    ServicePort,
    ServiceType,
    Workload,
)
from k8stui.cluster.ownership import controller
from k8stui.cluster.programs.listening import Listening, declared
from k8stui.cluster.selectors import namespace_labels
from k8stui.kernel.packet import Protocol
from k8stui.manifests import Manifest
from k8stui.manifests.foreign import is_kustomized
from k8stui.manifests.schema import KINDS, WITHOUT_PART
from k8stui.order import listed
from k8stui.origin import OriginKind, Place
from k8stui.suggest import Wordbook
from k8stui.walk.lookup import can_send
from k8stui.walk.world import World

_Item = TypeVar("_Item")
_Ports = tuple[Collection[object], Mapping[object, ServicePort]]
"""Numbers and names that a Service has, and its ports by their targetPort."""
_NOBODY = Labelled[str](())


class Ground:
    """One input, ready to be checked."""

    def __init__(self, world: World, paths: Sequence[str] = ()) -> None:
        self.world = world
        self.paths = tuple(paths)
        """As given on the command line."""
        self.cluster = world.cluster
        self.inventory = take_stock(world.manifests.objects)
        self._selected: dict[str, tuple[Pod, ...]] = {}
        self._ports: dict[str, _Ports] = {}
        self._spaces: dict[str, dict[str, list[str]]] = {}
        self._names_of: dict[tuple[str, str], Wordbook] = {}
        self._namespaces_with: dict[str, dict[str, list[str]]] = {}
        self._without_hairpin: dict[str, frozenset[str]] = {}

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """The Services of the input, without the ``kubernetes`` that every cluster has."""
        return tuple(
            service
            for service in self.cluster.services.values()
            if service.origin.kind is not OriginKind.ASSUMED
        )

    @cached_property
    def templates(self) -> tuple[Template, ...]:
        """Every pod template and every Pod that no template of the input stands for."""
        return templates(self.inventory, self.world.manifests.objects)

    @cached_property
    def nodes_are_assumed(self) -> bool:
        """The input names no node: where pods run is a guess."""
        origins = [node.origin for node in self.cluster.nodes.values()]
        return all(one.kind is OriginKind.ASSUMED and one.place is None for one in origins)

    @cached_property
    def has_strangers(self) -> bool:
        """Whether objects or kinds were skipped that may make pods or Services: an operator's."""
        built_in = WITHOUT_PART - {"CustomResourceDefinition"}
        skipped = (kind for _, kind in self.world.manifests.skipped)
        return any(kind not in built_in for kind in skipped) or any(
            manifest.kind in ("Gateway", "Prometheus") for manifest in self.world.manifests.objects
        )

    @cached_property
    def alternatives(self) -> frozenset[str]:
        """Names of objects that several files define unlike, and of those that read such a one.

        Which of them counts is not known.
        """
        first: dict[tuple[str, str | None, str], Manifest] = {}
        several: set[tuple[str, str | None, str]] = set()
        objects = [one for one in self.world.manifests.objects if not one.observed]
        for one in objects:
            key = (one.kind, one.namespace, one.name)
            other = first.setdefault(key, one)
            if other.file != one.file and other.data != one.data:
                several.add(key)
        found = {name for _, _, name in several}
        if several:
            found |= {
                one.name
                for one in objects
                if any((each.kind, one.namespace, each.name) in several for each in mentions(one))
            }
        return frozenset(found)

    @cached_property
    def is_kustomized(self) -> bool:
        """Whether a kustomization, which is not applied here, may set namespaces and labels."""
        return is_kustomized(self.world.notes)

    def object_at(self, file: str, line: int) -> str:
        """Kind and name of the object that a line of the input belongs to; ``input`` if none."""
        objects = self._by_file.get(file, ())
        # In the order of their lines, each of which costs a look at the text.
        number = bisect_right(objects, line, key=lambda m: m.place().line)
        if not number:
            return "input"
        one = objects[number - 1]
        return subject_of(one)

    @cached_property
    def _by_file(self) -> Mapping[str, Sequence[Manifest]]:
        found: dict[str, list[Manifest]] = {}
        for manifest in self.world.manifests.objects:
            found.setdefault(manifest.file, []).append(manifest)
        return found

    @cached_property
    def in_namespace(self) -> Mapping[str, int]:
        """How many objects each namespace holds."""
        return Counter(
            manifest.namespace or "default"
            for manifest in self.world.manifests.objects
            if manifest.kind not in KINDS or KINDS[manifest.kind].namespaced
        )

    @cached_property
    def namespaces(self) -> Labelled[str]:
        """The namespaces that the input names and those of every cluster, with their labels."""
        written = self.cluster.namespace_labels
        known = sorted({*self.in_namespace, *written, *ALWAYS_THERE})
        return Labelled((namespace_labels(written, one), one) for one in known)

    def of_kind(self, kind: str) -> Mapping[str, Manifest]:
        """Objects of a kind, by namespace and name; the last of a name counts."""
        return self._by_kind.get(kind, {})

    @cached_property
    def _by_kind(self) -> Mapping[str, Mapping[str, Manifest]]:
        found: dict[str, dict[str, Manifest]] = {}
        for manifest in self.world.manifests.objects:
            key = f"{manifest.namespace or 'default'}/{manifest.name}"
            found.setdefault(manifest.kind, {})[key] = manifest
        return found

    def selected_by(self, namespace: str, key: str, but: Service) -> Sequence[str]:
        """What others than one Service ask for by a label's key: Services and NetworkPolicies."""
        return [
            value
            for where, service, value in self._asked.get(key, ())
            if where == namespace and service != but.key
        ]

    @cached_property
    def _asked(self) -> Mapping[str, Sequence[tuple[str, str, str]]]:
        found: dict[str, list[tuple[str, str, str]]] = {}
        for service in self.services:
            for key, value in (service.selector or {}).items():
                found.setdefault(key, []).append((service.namespace, service.key, value))
        for manifest in self.of_kind("NetworkPolicy").values():
            own = manifest.namespace or "default"
            for path, namespace in policy_selectors(manifest.data, own):
                for key, value in labels(manifest.data, *path).items():
                    found.setdefault(key, []).append((namespace or own, "", value))
        return found

    def carried(self, namespace: str | None) -> Labelled[str]:
        """What the pods of a namespace, or of any, carry: each set of labels once, and where."""
        return self._carried.get(namespace, _NOBODY)

    @cached_property
    def _carried(self) -> Mapping[str | None, Labelled[str]]:
        found: dict[str | None, dict[object, tuple[Mapping[str, str], str]]] = {None: {}}
        for template in self.templates:
            carried, space = template.labels, template.namespace
            key = space, frozenset(carried.items())
            found[None][key] = found.setdefault(space, {})[key] = carried, space
        return {space: Labelled(those.values()) for space, those in found.items()}

    def templates_of(self, namespace: str | None) -> Labelled[Template]:
        """The templates of a namespace, or of all, by labels of their pods."""
        return self._templates_of.get(namespace, Labelled(()))

    @cached_property
    def _templates_of(self) -> Mapping[str | None, Labelled[Template]]:
        labelled = [(one.namespace, one.labels, one) for one in self.templates]
        return _by_namespace(labelled)

    def services_of(self, namespace: str | None) -> Labelled[Service]:
        """The Services of a namespace, or of all, by labels of their own."""
        return self._services_of.get(namespace, Labelled(()))

    @cached_property
    def _services_of(self) -> Mapping[str | None, Labelled[Service]]:
        known = self.inventory.of("Service")
        return _by_namespace(
            (one.namespace, labels(known[one.key].data, "metadata", "labels"), one)
            for one in self.services
            if one.key in known
        )

    def serving(self, namespace: str | None) -> Labelled[Service]:
        """The Services of a namespace, or of all, by what they select and by what that carries."""
        return self._serving.get(namespace, Labelled(()))

    @cached_property
    def _serving(self) -> Mapping[str | None, Labelled[Service]]:
        found: dict[object, tuple[str, Mapping[str, str], Service]] = {}
        for service in self.services:
            for carried in (
                service.selector or {},
                *(pod.labels for pod in self.selected(service)),
            ):
                key = service.key, frozenset(carried.items())
                found[key] = service.namespace, carried, service
        return _by_namespace(found.values())

    def names_of(self, kind: str, namespace: str) -> Wordbook:
        """Names of a kind's objects in a namespace."""
        found = self._names_of.get((kind, namespace))
        if found is None:
            known = self._in_spaces(kind).get(namespace, ())
            found = self._names_of[kind, namespace] = Wordbook(known)
        return found

    def _in_spaces(self, kind: str) -> Mapping[str, Sequence[str]]:
        """Names of a kind's objects by namespace."""
        found = self._spaces.get(kind)
        if found is None:
            found = self._spaces[kind] = {}
            for key in self.of_kind(kind):
                namespace, _, name = key.partition("/")
                found.setdefault(namespace, []).append(name)
        return found

    def namespaces_with(self, kind: str, name: str) -> Sequence[str]:
        """Namespaces that hold an object of this kind and name."""
        found = self._namespaces_with.get(kind)
        if found is None:
            found = self._namespaces_with[kind] = {}
            for key in self.of_kind(kind):
                namespace, _, other = key.partition("/")
                found.setdefault(other, []).append(namespace)
        return found.get(name, ())

    def place(self, service: Service, *path: str | int) -> Place | None:
        """Where a field of a Service is written, or its nearest parent that is."""
        manifest = self.inventory.of("Service").get(service.key)
        return manifest.place(*path) if manifest is not None else service.origin.place

    def port_place(self, service: Service, port: ServicePort, field: str) -> Place | None:
        """Where a field of a Service's port is written, else the number that it is made of."""
        number = next(n for n, each in enumerate(service.ports) if each is port)
        path = ("spec", "ports", number)
        manifest = self.inventory.of("Service").get(service.key)
        written = manifest is None or field in table(manifest.data, *path)
        return self.place(service, *path, field if written else "port")

    def selected(self, service: Service) -> tuple[Pod, ...]:
        """Pods that the Service selects and that have not finished, in their order."""
        found = self._selected.get(service.key)
        if found is None:
            external = service.type is ServiceType.EXTERNAL_NAME
            pods = () if external else pod_index.of(self.cluster).selected(service)
            found = tuple(pod for pod in pods if not pod.phase.is_final)
            self._selected[service.key] = found
        return found

    @cached_property
    def targets(self) -> tuple[ServedPort, ...]:
        """Every port of every Service that selects pods."""
        return tuple(
            target
            for service in self.services
            for target in targets_of(service, self.selected(service))
        )

    @cached_property
    def by_prefix(self) -> Mapping[tuple[str, str], Service]:
        """Services by namespace and the prefix of their environment variables."""
        return {(s.namespace, env_prefix(s.name)): s for s in self.services}

    def with_prefix(self, prefix: str) -> Sequence[Service]:
        """Services of all namespaces whose variables begin so."""
        return self._with_prefix.get(prefix, ())

    @cached_property
    def _with_prefix(self) -> Mapping[str, Sequence[Service]]:
        found: dict[str, list[Service]] = {}
        for (_, prefix), service in self.by_prefix.items():
            found.setdefault(prefix, []).append(service)
        return found

    def nearest_prefix(self, namespace: str, written: str) -> str | None:
        """The beginning of Services' variables in a namespace that `written` is most like."""
        book = self._prefixes.get(namespace)
        return book.nearest(written) if book is not None else None

    @cached_property
    def _prefixes(self) -> Mapping[str, Wordbook]:
        found: dict[str, list[str]] = {}
        for namespace, prefix in self.by_prefix:
            found.setdefault(namespace, []).append(prefix)
        return {namespace: Wordbook(those) for namespace, those in found.items()}

    @cached_property
    def _positions(self) -> Mapping[Manifest, int]:
        return {manifest: index for index, manifest in enumerate(self.world.manifests.objects)}

    def position(self, manifest: Manifest) -> int:
        """The object's place in the order in which the input is applied."""
        return self._positions[manifest]

    @cached_property
    def _owned(self) -> Mapping[tuple[str, str, str], Pod]:
        found: dict[tuple[str, str, str], Pod] = {}
        for pods in self.senders.values():
            for pod in pods:
                kind, name = pod.owner or ("Pod", pod.name)
                found.setdefault((kind, pod.namespace, name), pod)
                job = self.inventory.of(kind).get(f"{pod.namespace}/{name}")
                above = controller(job) if kind == "Job" and job is not None else None
                if above is not None:
                    found.setdefault((above[0], pod.namespace, above[1]), pod)
        return found

    def made_by(self, namespace: str, name: str) -> Pod | None:
        """The first pod that can ask somebody and is made by, or is, what has that name."""
        kinds = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")
        found = (self._owned.get((kind, namespace, name)) for kind in (*kinds, "Pod"))
        return next((pod for pod in found if pod is not None), None)

    def pod_of(self, template: Template) -> Pod | None:
        """The first pod made of a template that can ask somebody."""
        return self._owned.get((template.kind, template.namespace, template.name))

    @cached_property
    def holders(self) -> Holders:
        """What pods need and do not find was meant to be which object."""
        return Holders(self.inventory, self.cluster.pods, as_written=not self.is_kustomized)

    @cached_property
    def _names(self) -> Mapping[str, Wordbook]:
        found: dict[str, list[str]] = {}
        for service in self.services:
            found.setdefault(service.namespace, []).append(service.name)
        return {namespace: Wordbook(those) for namespace, those in found.items()}

    def meant_service(self, namespace: str, written: str) -> str | None:
        """The name of the Service that `written` is a typing error of."""
        names = self._names.get(namespace)
        return names.typo(written) if names is not None else None

    def services_named(self, name: str) -> Sequence[Service]:
        """Those of all namespaces."""
        return self._by_name.get(name, ())

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[Service]]:
        found: dict[str, list[Service]] = {}
        for service in self.services:
            found.setdefault(service.name, []).append(service)
        return found

    def service_around(self, namespace: str, name: str, port: int) -> Service | None:
        """The Service of a port whose name goes on from `name`, or ends in it: ``shop-mq-ha``.

        Of several the one whose name the others only go on with.
        """
        return self._around.get((namespace, name, port))

    @cached_property
    def _around(self) -> Mapping[tuple[str, str, int], Service]:
        found: dict[tuple[str, str, int], list[Service]] = {}
        for service in self.services:
            words = service.name.split("-")
            for cut in range(1, len(words)):
                for part in ("-".join(words[:cut]), "-".join(words[cut:])):
                    for number in {port.port for port in service.ports}:
                        found.setdefault((service.namespace, part, number), []).append(service)
        shortest = {key: min(those, key=lambda s: len(s.name)) for key, those in found.items()}
        return {
            key: meant
            for key, meant in shortest.items()
            if all(one.name.startswith(meant.name) for one in found[key])
        }

    def nearest_service(self, namespace: str, written: str) -> str | None:
        """The name of a Service of a namespace that `written` is most like."""
        book = self._books.get(namespace)
        return book.nearest(written) if book is not None else None

    @cached_property
    def _books(self) -> Mapping[str, Wordbook]:
        found: dict[str, list[str]] = {}
        for service in self.services:
            found.setdefault(service.namespace, []).append(service.name)
        return {namespace: Wordbook(those) for namespace, those in found.items()}

    def with_port(self, namespace: str, port: int) -> Service | None:
        """The first Service of a namespace that has a port of this number."""
        return self._with_port.get((namespace, port))

    @cached_property
    def _with_port(self) -> Mapping[tuple[str, int], Service]:
        found: dict[tuple[str, int], Service] = {}
        for service in self.services:
            for port in service.ports:
                found.setdefault((service.namespace, port.port), service)
        return found

    def has_port(self, service: Service, wanted: object) -> bool:
        """Whether a Service has a port of this number or name."""
        return isinstance(wanted, int | float | str) and wanted in self._ports_of(service)[0]

    def port_behind(self, service: Service, wanted: object) -> ServicePort | None:
        """The first port of a Service that leads to this targetPort."""
        return self._ports_of(service)[1].get(wanted) if isinstance(wanted, int | str) else None

    def _ports_of(self, service: Service) -> _Ports:
        found = self._ports.get(service.key)
        if found is None:
            has: set[object] = set()
            behind: dict[object, ServicePort] = {}
            for port in service.ports:
                has |= {port.port, port.name, str(port.port)}
                behind.setdefault(port.target_port, port)
            found = self._ports[service.key] = has, behind
        return found

    @cached_property
    def called(self) -> CalledServices:
        """The Services, by names that nobody has."""
        return CalledServices(self.services)

    @cached_property
    def hostnames(self) -> frozenset[str]:
        """Names of pods and containers, and of hosts that pods know themselves."""
        found = {pod.name for pod in self.cluster.pods.values()}
        for template in self.templates:
            found.add(template.name)
            found |= {container.name for container in template.containers()}
            for alias in array(template.spec, "hostAliases"):
                found |= set(texts(alias, "hostnames"))
        return frozenset(found)

    def template_of(self, pod: Pod) -> Template | None:
        """The template that a pod is made of."""
        kind, name = pod.owner or ("Pod", pod.name)
        return self._template_of.get((kind, pod.namespace, name))

    @cached_property
    def _template_of(self) -> Mapping[tuple[str, str, str], Template]:
        return {(one.kind, one.namespace, one.name): one for one in self.templates}

    def scaler(self, template: Template) -> Manifest | None:
        """The HorizontalPodAutoscaler of a workload; what a dump shows is left out."""
        return self._scalers.get((template.kind, template.namespace, template.name))

    @cached_property
    def _scalers(self) -> Mapping[tuple[str, str, str], Manifest]:
        found: dict[tuple[str, str, str], Manifest] = {}
        for one in self.of_kind("HorizontalPodAutoscaler").values():
            aim = table(one.data, "spec", "scaleTargetRef")
            if not one.observed:
                key = (text(aim, "kind"), one.namespace or "default", text(aim, "name"))
                found.setdefault(key, one)
        return found

    def lacking(self, template: Template) -> Workload | None:
        """The workload, where its pods are refused."""
        return self._lacking.get((template.kind, template.namespace, template.name))

    @cached_property
    def _lacking(self) -> Mapping[tuple[str, str, str], Workload]:
        found: dict[tuple[str, str, str], Workload] = {}
        for one in self.cluster.workloads:
            if one.lack:
                found.setdefault((one.kind, one.namespace, one.name), one)
        return found

    @cached_property
    def opened_on_nodes(self) -> Collection[int]:
        """Ports that pods open at their node's address, and node ports."""
        opened = {
            number
            for pod in self.cluster.pods.values()
            for port in declared(pod)
            for number in (port.host_port, port.number if pod.host_network else None)
            if number is not None
        }
        return opened.union(p.node_port for one in self.services for p in one.ports if p.node_port)

    @cached_property
    def daemon_ports(self) -> Mapping[int, str]:
        """DaemonSets by the ports that their pods declare: the first of each."""
        found: dict[int, str] = {}
        for pod in self.cluster.pods.values():
            if pod.owner is not None and pod.owner[0] == "DaemonSet":
                for port in declared(pod):
                    found.setdefault(port.number, pod.owner[1])
        return found

    def maker(self, pod: Pod) -> Manifest | None:
        """The object of the input that a pod is or is made by."""
        if pod.owner is None:
            return self.inventory.of("Pod").get(pod.key)
        return self.inventory.of(pod.owner[0]).get(f"{pod.namespace}/{pod.owner[1]}")

    @cached_property
    def carriers(self) -> Carriers:
        """Who carries which labels."""
        return carriers.of(self.cluster)

    def idle(self, service: Service) -> Template | None:
        """A template that the Service selects, though no pod of it exists now."""
        known = self.templates_of(service.namespace)
        return next(known.carrying(service.selector), None) if service.selector else None

    @cached_property
    def listening(self) -> Listening:
        """The judge of whether anybody listens: the one whom the nodes ask."""
        return self.world.network.listening

    def is_without_hairpin(self, pod: Pod) -> bool:
        """Whether the pod is plugged into a bridge by a port with hairpin mode off.

        Builds the pod's node, and no other.
        """
        name = pod.node_name or ""
        found = self._without_hairpin.get(name)
        if found is None:
            space = self.world.network.get(name)
            found = self._without_hairpin[name] = frozenset(
                interface.peer[0]
                for interface in (space.interfaces if space is not None else ())
                if interface.port is not None and not interface.port.hairpin and interface.peer
            )
        return pod.key in found

    def endpoints(self, service: Service) -> tuple[Endpoint, ...]:
        """Endpoints of the Service, usable or not."""
        slices = self.cluster.endpoint_slices.get(service.key, ())
        return tuple(endpoint for each in slices for endpoint in each.endpoints)

    @cached_property
    def senders(self) -> Mapping[str, tuple[Pod, ...]]:
        """Pods that can ask somebody, by namespace; those on their node's network left out."""
        found: dict[str, list[Pod]] = {}
        for pod in self.cluster.pods.values():
            if can_send(pod) and not pod.host_network and pod.key in self.world.network:
                found.setdefault(pod.namespace, []).append(pod)
        return {namespace: tuple(pods) for namespace, pods in found.items()}

    @cached_property
    def _clients(self) -> Clients:
        return Clients(self.senders, self.cluster.nodes)

    def ask(self, service: Service, port: ServicePort, *, some: bool = False) -> Claim | None:
        """Claim that `port` of the Service does not answer a client inside the cluster."""
        if service.type is ServiceType.EXTERNAL_NAME or not (
            service.cluster_ips or service.headless
        ):
            return None
        client = self._client(service, port)
        source = pod_source(client) if client is not None else self._a_node
        return Claim(source, service_target(service, port), some) if source else None

    @cached_property
    def _a_node(self) -> str:
        return next((f"node/{name}" for name in self.cluster.nodes), "")

    def _client(self, service: Service, port: ServicePort) -> Pod | None:
        """The usual one; another, where policies keep that one out and let another in."""
        pods = self.selected(service)
        own = {pod.key for pod in pods}
        usual = self._clients.usual(service, own)
        number = number_of(pods[0], port) if pods else None
        if not self.cluster.all_policies or usual is None or number is None:
            return usual
        server, admission = pods[0], self.admission
        ask = Ask(number, port.protocol, server)
        if admission.may(usual, server, ask):
            return usual
        return admission.first(server, ask, own) or usual

    @cached_property
    def judgement(self) -> Judgement:
        """What the policies say that somebody enforces."""
        return Judgement(self.world.network.enforced)

    @cached_property
    def admission(self) -> Admission:
        """Whom they let through to whom."""
        return Admission(self.judgement, self._clients.everybody)


def _by_namespace(
    things: Iterable[tuple[str, Mapping[str, str], _Item]],
) -> Mapping[str | None, Labelled[_Item]]:
    """What has labels, of each namespace and of all of them."""
    found: dict[str | None, list[tuple[Mapping[str, str], _Item]]] = {None: []}
    for namespace, carried, one in things:
        found[None].append((carried, one))
        found.setdefault(namespace, []).append((carried, one))
    return {namespace: Labelled(those) for namespace, those in found.items()}


def service_target(service: Service, port: ServicePort) -> str:
    """DESTINATION of ``k8stui walk`` for a Service's port."""
    name = service.name
    if service.namespace != "default":
        name += f".{service.namespace}"
    return f"svc/{name}:{port.port}{behind(service, port)}"


def behind(service: Service, port: ServicePort) -> str:
    """``/udp``, ``/sctp``; ``/tcp`` only where the Service has the number for another protocol."""
    ambiguous = any(p.port == port.port and p is not port for p in service.ports)
    if port.protocol is Protocol.TCP and not ambiguous:
        return ""
    return f"/{port.protocol.name.lower()}"


def names(items: Sequence[str], most: int = 3) -> str:
    """``a, b, c and 4 more``, each once."""
    return listed(tuple(dict.fromkeys(items)), most=most)
