"""Whom a selector was probably meant to ask for: the one opinion that walk and check share.

An index over what pods carry.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from k8stui.apiserver.fields import Object, array, table
from k8stui.cluster.endpoints import pod_index
from k8stui.cluster.listening import declared
from k8stui.cluster.model import Cluster, Pod, Service, ServiceType
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


def misspelt(
    selector: Mapping[str, str], carried: Collection[Mapping[str, str]]
) -> tuple[str, Pair] | None:
    """The key in `selector` that alone keeps it from fitting, by a letter, and what was meant.

    `carried`: the labels of the pods that it chooses from. None where it fits some of them.
    """
    if any(selector.items() <= labels.items() for labels in carried):
        return None
    for key, value in selector.items():
        rest = {other: text for other, text in selector.items() if other != key}.items()
        for labels in carried:
            if not rest <= labels.items():
                continue
            for other, text in labels.items():
                if (other == key and is_typo(value, text)) or (
                    text == value and other not in selector and is_typo(key, other)
                ):
                    return key, (other, text)
    return None


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
        self._names: dict[str, list[str]] = {}
        self._books: dict[str, Wordbook] = {}
        for one in services:
            space = one.namespace
            self._named[space, one.name] = one
            self._names.setdefault(space, []).append(one.name)
            for thing in dict.fromkeys(things(one.name)):
                self._things.setdefault((space, thing), []).append(one)
            for port in {port.port for port in one.ports}:
                self._whole.setdefault((space, one.name, port), []).append(one)
                for part in set(parts(one.name)):
                    self._parts.setdefault((space, part, port), []).append(one)

    def about(self, namespace: str, asked: str, port: int | None) -> Service | None:
        """The one Service of a namespace that a name is about, by its words.

        ``kafka`` for ``kafka-service``; ``db`` for ``staging-db``, where it has the port that is
        asked.
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


class Carriers:
    """Who carries which labels: by namespace, by key, by pair."""

    def __init__(self, pods: Iterable[Pod], served: Collection[str]) -> None:
        """`served`: keys of pods that some Service selects."""
        self._by_pair: dict[tuple[str, Pair], list[Pod]] = {}
        self._values: dict[tuple[str, str], dict[str, None]] = {}
        self._keys: dict[str, dict[str, None]] = {}
        self._keys_of: dict[tuple[str, str], dict[str, None]] = {}
        self._anywhere: dict[Pair, list[Pod]] = {}
        self._made_by: dict[tuple[str, str], Pod] = {}
        self._governed: dict[tuple[str, str], Pod] = {}
        self._served = served
        self._books: dict[tuple[str, str], Wordbook] = {}
        for pod in pods:
            self._made_by.setdefault((pod.namespace, pod.owner[1] if pod.owner else pod.name), pod)
            if pod.subdomain:
                self._governed.setdefault((pod.namespace, pod.subdomain), pod)
            for key, value in pod.labels.items():
                self._anywhere.setdefault((key, value), []).append(pod)
                self._by_pair.setdefault((pod.namespace, (key, value)), []).append(pod)
                self._values.setdefault((pod.namespace, key), {})[value] = None
                self._keys.setdefault(pod.namespace, {})[key] = None
                self._keys_of.setdefault((pod.namespace, value), {})[key] = None

    def near_miss(self, service: Service) -> MissedLabel | None:
        """The one label that keeps the selector from matching pods of its namespace, if mended.

        Either the value is misspelt (``app: wbe``), or the key (``ap: web``), or another workload
        was meant that no Service selects.
        """
        selector = service.selector or {}
        unknown = self.unknown(service)
        for pair in unknown if len(unknown) == 1 else selector.items():
            rest = {key: value for key, value in selector.items() if key != pair[0]}
            for meant in self._meant(service, pair, rest):
                pods = self._carriers(service.namespace, meant, rest)
                if (miss := self._judge(service, pair, meant, pods)) is not None:
                    return miss
        return None

    def namesake(self, service: Service) -> Pod | None:
        """A pod whose workload is called as the Service is, or which has its name below it."""
        key = (service.namespace, service.name)
        return self._made_by.get(key) or self._governed.get(key)

    def unknown(self, service: Service) -> list[Pair]:
        """Labels of the selector that no pod of the namespace carries."""
        pairs = (service.selector or {}).items()
        return [pair for pair in pairs if (service.namespace, pair) not in self._by_pair]

    def in_namespace(self, namespace: str) -> bool:
        """Whether any pod of the namespace carries a label."""
        return namespace in self._keys

    def _judge(
        self, service: Service, pair: Pair, meant: Pair, pods: list[Pod]
    ) -> MissedLabel | None:
        """A guess, if it is worth telling: a slip of the finger, or pods that nobody asks for."""
        if not pods:
            return None
        if is_typo(pair[1], meant[1]) or (pair[1] == meant[1] and is_typo(pair[0], meant[0])):
            return MissedLabel(pair, meant, pods[0], sure=True)
        free = [pod for pod in pods if pod.key not in self._served]
        called = [p for p in free if (p.owner[1] if p.owner else p.name) == service.name]
        if called:
            return MissedLabel(pair, meant, called[0], sure=True)
        if free and pair[1] == meant[1] and pair[1] not in _FLAGS:
            return MissedLabel(pair, meant, free[0], sure=False)
        targets = {port.target_port for port in service.ports}
        for pod in free:
            if any(p.number in targets or p.name in targets for p in declared(pod)):
                return MissedLabel(pair, meant, pod, sure=False)
        return None

    def _meant(self, service: Service, pair: Pair, rest: Mapping[str, str]) -> Iterator[Pair]:
        key, value = pair
        space = service.namespace
        near = self._book(space, key).nearest(value)
        if near is not None:
            yield key, near
        for carried in self._keys_of.get((service.namespace, value), ()):
            if carried not in rest and carried != key:
                yield carried, value
        other = self._book(space).nearest(key, rest.keys())
        if other is not None and other != key:
            yield other, value
        if service.name != value:
            yield key, service.name  # the pods are called as the Service is
        if rest:
            # Everything else matches: whatever those pods carry may be meant.
            first = (service.namespace, next(iter(rest.items())))
            for pod in self._by_pair.get(first, ()):
                if rest.items() <= pod.labels.items() and key in pod.labels:
                    yield key, pod.labels[key]

    def _book(self, namespace: str, key: str = "") -> Wordbook:
        """The values of a label in a namespace; without a key, which is none, the keys."""
        found = self._books.get((namespace, key))
        if found is None:
            names = self._values.get((namespace, key), ()) if key else self._keys.get(namespace, ())
            found = self._books[namespace, key] = Wordbook(names)
        return found

    def _carriers(self, namespace: str, meant: Pair, rest: Mapping[str, str]) -> list[Pod]:
        found = self._by_pair.get((namespace, meant), ())
        return [pod for pod in found if rest.items() <= pod.labels.items()]

    def elsewhere(self, service: Service) -> Pod | None:
        """A pod of another namespace that carries all that the selector asks for."""
        selector = service.selector or {}
        candidates = (self._anywhere.get(pair, []) for pair in selector.items())
        for pod in min(candidates, key=len, default=[]):
            if pod.namespace != service.namespace and selector.items() <= pod.labels.items():
                return pod
        return None


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
