"""Whom a selector was probably meant to ask for: the one opinion that walk and check share.

An index over what pods carry.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from k8stui.apiserver.fields import Object, array, table
from k8stui.cluster.endpoints import pod_index
from k8stui.cluster.model import Cluster, Pod, Service, ServiceType, Workload
from k8stui.cluster.programs.images import image_word
from k8stui.cluster.programs.listening import declared
from k8stui.kernel.derived import Derived
from k8stui.record import record
from k8stui.suggest import Wordbook, is_same_thing, is_typo, parts, things

Pair = tuple[str, str]
_SIDES = (("ingress", "from"), ("egress", "to"))
_FLAGS = ("true", "false", "yes", "no", "enabled")
"""Values that say nothing of whom a label is."""


@record()
class MissedLabel:
    """One label of a selector that nobody carries, and the one that was meant."""

    wanted: Pair
    meant: Pair
    who: Pod
    """Carries what was meant."""
    sure: bool
    """A typing error, or a workload that no Service selects and that is called like this one."""


def policy_selectors(
    policy: Object, own: str
) -> Iterator[tuple[tuple[str | int, ...], str | None]]:
    """Paths of a NetworkPolicy's ``matchLabels``, each with the namespace whose pods it is about.

    None: it is about any namespace's.
    """
    yield ("spec", "podSelector", "matchLabels"), own
    for side, field in _SIDES:
        for index, rule in enumerate(array(policy, "spec", side)):
            for which, peer in enumerate(array(rule, field)):
                path = ("spec", side, index, field, which, "podSelector", "matchLabels")
                yield path, None if "namespaceSelector" in table(peer) else own


class CalledServices:
    """Services, found by names that nobody has and that say what one of them is."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._named: dict[tuple[str, str], Service] = {}
        self._things: dict[tuple[str, str], list[Service]] = {}
        self._whole: dict[tuple[str, str, int], list[Service]] = {}
        """By their name and each of their ports."""
        self._parts: dict[tuple[str, str, int], list[Service]] = {}
        """The same, by each part of their name."""
        self._asking: dict[tuple[str, str, int | None], list[Service]] = {}
        """By a value of their selector, and that with each of their ports."""
        self._names: dict[str, list[str]] = {}
        self._books: dict[str, Wordbook] = {}
        for one in services:
            space = one.namespace
            self._named[space, one.name] = one
            self._names.setdefault(space, []).append(one.name)
            for thing in dict.fromkeys(things(one.name)):
                self._things.setdefault((space, thing), []).append(one)
            numbers = {port.port for port in one.ports}
            for value in set((one.selector or {}).values()):
                for number in (None, *numbers):
                    self._asking.setdefault((space, value, number), []).append(one)
            for port in numbers:
                self._whole.setdefault((space, one.name, port), []).append(one)
                for part in set(parts(one.name)):
                    self._parts.setdefault((space, part, port), []).append(one)

    def about(self, namespace: str, asked: str, port: int | None) -> Service | None:
        """The one Service of a namespace that a name is about, by its words.

        ``kafka`` for ``kafka-service``; ``db`` for ``staging-db``, where it has the port that is
        asked; ``api`` for whichever selects ``app: api``.
        """
        near = (self._things.get((namespace, thing), ()) for thing in things(asked))
        same = {o.name: o for those in near for o in those if is_same_thing(asked, o.name)}
        for name in self._book(namespace).typos(asked):
            same[name] = self._named[namespace, name]
        found = [*same.values()]
        if len(found) > 1:
            found = [one for one in found if any(port == p.port for p in one.ports)]
        if not found and port is not None:
            found = [*self._parts.get((namespace, asked, port), ())]
            for part in set(parts(asked)):
                found += self._whole.get((namespace, part, port), ())
        if not found:
            found = [*self._asking.get((namespace, asked, None), ())]
            if len(found) > 1:
                found = [*self._asking.get((namespace, asked, port), ())] if port else []
        return found[0] if len(found) == 1 else None

    def _book(self, namespace: str) -> Wordbook:
        found = self._books.get(namespace)
        if found is None:
            found = self._books[namespace] = Wordbook(self._names.get(namespace, ()))
        return found


def _called(cluster: Cluster) -> CalledServices:
    return CalledServices(cluster.services.values())


called_services = Derived(_called)
"""Those of a whole cluster, made when first somebody asks for a name that nobody has."""


@record()
class _Bearers:
    """Who carries one label, of pods that have others in common."""

    first: Pod
    free: Pod | None
    """The first that no Service selects; so are the others."""
    named: Mapping[str, Pod]
    """By what made them."""
    ports: Mapping[int | str, tuple[int, Pod]]
    """By number and name of a port that they declare, with their place among the free ones."""


class _Fellows:
    """Pods of a namespace that have some labels in common, by what else they carry."""

    def __init__(self, pods: Iterable[Pod], served: Collection[str]) -> None:
        """`served`: keys of pods that some Service selects."""
        self.pods = tuple(pods)
        self.by_pair: dict[Pair, list[Pod]] = {}
        self.values: dict[str, dict[str, int]] = {}
        """Of each key, and the place of each."""
        self.keys_of: dict[str, dict[str, None]] = {}
        """By value."""
        self._served = served
        self._bearers: dict[Pair, _Bearers | None] = {}
        self._books: dict[str, Wordbook] = {}
        self._free: dict[str, Mapping[int | str | Pair, str]] = {}
        for pod in self.pods:
            for key, value in pod.labels.items():
                self.by_pair.setdefault((key, value), []).append(pod)
                values = self.values.setdefault(key, {})
                values.setdefault(value, len(values))
                self.keys_of.setdefault(value, {})[key] = None

    def with_(self, labels: Mapping[str, str]) -> list[Pod]:
        """Those that carry all of some labels, in their order."""
        found = (self.by_pair.get(pair, []) for pair in labels.items())
        pods = min(found, key=len, default=[])
        return [pod for pod in pods if labels.items() <= pod.labels.items()]

    def bearers(self, pair: Pair) -> _Bearers | None:
        """Who carries a label; None: nobody."""
        if pair not in self._bearers:
            pods = self.by_pair.get(pair)
            self._bearers[pair] = self._of(pods) if pods else None
        return self._bearers[pair]

    def _of(self, pods: Sequence[Pod]) -> _Bearers:
        free = [pod for pod in pods if pod.key not in self._served]
        named: dict[str, Pod] = {}
        ports: dict[int | str, tuple[int, Pod]] = {}
        for place, pod in enumerate(free):
            named.setdefault(pod.maker, pod)
            for port in declared(pod):
                ports.setdefault(port.number, (place, pod))
                ports.setdefault(port.name, (place, pod))
        return _Bearers(pods[0], free[0] if free else None, named, ports)

    def book(self, key: str = "") -> Wordbook:
        """The values of a label; without a key, which is none, the keys."""
        if key not in self._books:
            self._books[key] = Wordbook(self.values.get(key, ()) if key else self.values)
        return self._books[key]

    def likely(self, pair: Pair, service: Service) -> str | None:
        """The first value of a label that `Carriers` believes to be meant for another.

        That of the pods whose maker is called as the Service is, before others of its port.
        """
        key, value = pair
        values = self.values.get(key, {})
        free = self._free_values(key) if values else {}
        found = self.book(key).typos(value) if values else []
        if not found and (namesake := free.get(("", service.name))) is not None:
            return namesake
        found += [free[port.target_port] for port in service.ports if port.target_port in free]
        return min(found, key=values.__getitem__, default=None)

    def _free_values(self, key: str) -> Mapping[int | str | Pair, str]:
        """First values of a label that free pods carry, by what made them and by their ports."""
        found = self._free.get(key)
        if found is None:
            by_place = sorted(self.values[key], key=self.values[key].__getitem__)
            first: dict[int | str | Pair, str] = {}
            for value in by_place:
                bearers = self.bearers((key, value))
                for name in bearers.named if bearers is not None else ():
                    first.setdefault(("", name), value)
                for port in bearers.ports if bearers is not None else ():
                    first.setdefault(port, value)
            found = self._free[key] = first
        return found


class Carriers:
    """Who carries which labels: by namespace, by key, by pair."""

    def __init__(self, pods: Iterable[Pod], served: Collection[str]) -> None:
        """`served`: keys of pods that some Service selects."""
        self._anywhere: dict[Pair, list[Pod]] = {}
        self._made_by: dict[tuple[str, str], Pod] = {}
        self._governed: dict[tuple[str, str], Pod] = {}
        self._served = served
        here: dict[str, list[Pod]] = {}
        for pod in pods:
            here.setdefault(pod.namespace, []).append(pod)
            self._made_by.setdefault((pod.namespace, pod.maker), pod)
            if pod.subdomain:
                self._governed.setdefault((pod.namespace, pod.subdomain), pod)
            for pair in pod.labels.items():
                self._anywhere.setdefault(pair, []).append(pod)
        self._here = {namespace: _Fellows(those, served) for namespace, those in here.items()}
        self._with: dict[tuple[str, frozenset[Pair]], _Fellows] = {}

    def near_miss(self, service: Service) -> MissedLabel | None:
        """The one label that keeps the selector from matching pods of its namespace, if mended.

        Either the value is misspelt (``app: wbe``), or the key (``ap: web``), or another workload
        was meant that no Service selects.
        """
        selector = service.selector or {}
        here = self._here.get(service.namespace)
        unknown = self.unknown(service)
        for pair in unknown if len(unknown) == 1 else selector.items():
            rest = {key: value for key, value in selector.items() if key != pair[0]}
            fellows = self._fellows(service.namespace, rest)
            if here is None or fellows is None:
                return None
            for meant in _meant(service, pair, rest, here, fellows):
                if (miss := _judge(service, pair, meant, fellows.bearers(meant))) is not None:
                    return miss
        return None

    def namesake(self, service: Service) -> Pod | None:
        """A pod whose workload is called as the Service is, or which has its name below it."""
        key = (service.namespace, service.name)
        return self._made_by.get(key) or self._governed.get(key)

    def unknown(self, service: Service) -> list[Pair]:
        """Labels of the selector that no pod of the namespace carries."""
        here = self._here.get(service.namespace)
        carried = here.by_pair if here is not None else {}
        return [pair for pair in (service.selector or {}).items() if pair not in carried]

    def in_namespace(self, namespace: str) -> bool:
        """Whether any pod of the namespace carries a label."""
        return namespace in self._here and bool(self._here[namespace].by_pair)

    def _fellows(self, namespace: str, rest: Mapping[str, str]) -> _Fellows | None:
        """Pods of a namespace that carry all of some labels."""
        here = self._here.get(namespace)
        if here is None or not rest:
            return here
        key = namespace, frozenset(rest.items())
        found = self._with.get(key)
        if found is None:
            found = self._with[key] = _Fellows(here.with_(rest), self._served)
        return found

    def elsewhere(self, service: Service) -> Pod | None:
        """A pod of another namespace that carries all that the selector asks for."""
        selector = service.selector or {}
        candidates = (self._anywhere.get(pair, []) for pair in selector.items())
        for pod in min(candidates, key=len, default=[]):
            if pod.namespace != service.namespace and selector.items() <= pod.labels.items():
                return pod
        return None


def _judge(
    service: Service, pair: Pair, meant: Pair, bearers: _Bearers | None
) -> MissedLabel | None:
    """A guess, if it is worth telling: a slip of the finger, or pods that nobody asks for."""
    if bearers is None:
        return None
    if is_typo(pair[1], meant[1]) or (pair[1] == meant[1] and is_typo(pair[0], meant[0])):
        return MissedLabel(pair, meant, bearers.first, sure=True)
    called = bearers.named.get(service.name)
    if called is not None:
        return MissedLabel(pair, meant, called, sure=True)
    if bearers.free is not None and pair[1] == meant[1] and pair[1] not in _FLAGS:
        return MissedLabel(pair, meant, bearers.free, sure=False)
    asked = [bearers.ports.get(port.target_port) for port in service.ports]
    found = min((one for one in asked if one is not None), key=lambda one: one[0], default=None)
    return MissedLabel(pair, meant, found[1], sure=False) if found is not None else None


def _meant(
    service: Service, pair: Pair, rest: Mapping[str, str], here: _Fellows, fellows: _Fellows
) -> Iterator[Pair]:
    """Labels that may be meant; `fellows`: who carries the rest of the selector."""
    key, value = pair
    near = here.book(key).nearest(value)
    if near is not None:
        yield key, near
    for carried in here.keys_of.get(value, ()):
        if carried not in rest and carried != key:
            yield carried, value
    other = here.book().nearest(key, rest.keys())
    if other is not None and other != key:
        yield other, value
    if service.name != value:
        yield key, service.name  # the pods are called as the Service is
    if rest and (likely := fellows.likely(pair, service)) is not None:
        # Everything else matches: whatever those pods carry may be meant.
        yield key, likely


def _carriers(cluster: Cluster) -> Carriers:
    pods = pod_index.of(cluster)
    served = {
        pod.key
        for service in cluster.services.values()
        if service.selector and service.type is not ServiceType.EXTERNAL_NAME
        for pod in pods.selected(service)
    }
    return Carriers(cluster.pods.values(), served)


carriers = Derived(_carriers)
"""The index of a whole cluster, made when first somebody asks whom a selector means."""


class _Behind:
    """What is behind the Services of a namespace, by what somebody may call it."""

    def __init__(self, cluster: Cluster) -> None:
        self.workloads = {(w.namespace, w.name): w for w in cluster.workloads}
        self.serving: dict[tuple[str, str], Service] = {}
        self.by_image: dict[tuple[str, str], list[Service]] = {}
        self.by_port: dict[tuple[str, int], list[Service]] = {}
        index = pod_index.of(cluster)
        for service in cluster.services.values():
            for port in service.ports:
                self.by_port.setdefault((service.namespace, port.port), []).append(service)
            pods = index.selected(service) if service.selector else ()
            for pod in pods:
                self.serving.setdefault((service.namespace, pod.maker), service)
            for image in {image_word(one.image) for pod in pods for one in pod.containers}:
                self.by_image.setdefault((service.namespace, image), []).append(service)


_behind: Derived[Cluster, _Behind] = Derived(_Behind)
_OF_ANYBODY = frozenset({80, 443, 3000, 5000, 8000, 8080, 8081, 8443, 9000, 9090})
"""Ports that say nothing of whom is meant."""


def workload_called(cluster: Cluster, namespace: str, name: str) -> Workload | None:
    """The workload of that name."""
    return _behind.of(cluster).workloads.get((namespace, name))


def meant_by_name(
    cluster: Cluster, namespace: str, asked: str, port: int | None
) -> Service | Workload | None:
    """Whom a name without a Service is about, by what there is in its namespace.

    The workload of that name has a Service, or none, and then it is given itself; the Service in
    front of pods of that image (``mysql``), where it has the port.
    """
    behind = _behind.of(cluster)
    workload = behind.workloads.get((namespace, asked))
    if workload is not None and workload.kind not in ("Job", "CronJob"):
        return behind.serving.get((namespace, asked)) or workload
    of_image = behind.by_image.get((namespace, asked), [])
    fitting = [one for one in of_image if any(port in (None, p.port) for p in one.ports)]
    return fitting[0] if len(fitting) == 1 else None


def meant_by_port(cluster: Cluster, namespace: str, port: int, asked: str = "") -> Service | None:
    """The one Service of a namespace that has a port.

    Which is no web server's, unless the name that was `asked` has a word of the Service's.
    """
    found = _behind.of(cluster).by_port.get((namespace, port), [])
    if len(found) != 1:
        return None
    words = {one for one in asked.split("-") if len(one) >= _WORD}
    shared = not words.isdisjoint(found[0].name.split("-"))
    return found[0] if shared or port not in _OF_ANYBODY else None


_WORD = 5
"""Letters of a word that says whom is meant: no ``api``."""
