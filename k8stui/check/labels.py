"""Labels that a selector was probably meant to ask for: an index over what pods carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8stui.check.template import Template
from k8stui.cluster.model import Pod, Service
from k8stui.manifests.suggest import nearest
from k8stui.record import record

Pair = tuple[str, str]


@record()
class Miss:
    """One label of a selector that nobody carries, and the one that was meant."""

    wanted: Pair
    meant: Pair
    who: str
    """A pod or workload that carries what was meant."""


class Carriers:
    """Who carries which labels: by namespace, by key, by pair."""

    def __init__(self, pods: Iterable[Pod], templates: Iterable[Template]) -> None:
        self._by_pair: dict[tuple[str, Pair], list[tuple[str, Mapping[str, str]]]] = {}
        self._values: dict[tuple[str, str], dict[str, None]] = {}
        self._anywhere: dict[Pair, list[Pod]] = {}
        self._idle = tuple(templates)
        for pod in pods:
            for pair in pod.labels.items():
                self._anywhere.setdefault(pair, []).append(pod)
                self._add(pod.namespace, pair, f"pod {pod.name}", pod.labels)

    def _add(self, namespace: str, pair: Pair, who: str, carried: Mapping[str, str]) -> None:
        known = self._by_pair.setdefault((namespace, pair), [])
        known.append((who, carried))
        self._values.setdefault((namespace, pair[0]), {})[pair[1]] = None

    def near_miss(self, service: Service) -> Miss | None:
        """The one label that keeps the selector from matching pods of its namespace, if mended.

        Either the value is misspelt (``app: wbe``), or the key (``ap: web``).
        """
        selector = service.selector or {}
        wrong = [
            pair for pair in selector.items() if (service.namespace, pair) not in self._by_pair
        ]
        for pair in wrong if len(wrong) == 1 else selector.items():
            rest = {key: value for key, value in selector.items() if key != pair[0]}
            for meant in self._meant(service, pair, rest):
                who = self._carrier(service.namespace, meant, rest)
                if who is not None:
                    return Miss(pair, meant, who)
        return None

    def _meant(self, service: Service, pair: Pair, rest: Mapping[str, str]) -> Iterable[Pair]:
        key, value = pair
        near = nearest(value, self._values.get((service.namespace, key), {}))
        if near is not None:
            yield key, near
        keys = {k for namespace, k in self._values if namespace == service.namespace}
        other = nearest(key, sorted(keys - rest.keys()))
        if other is not None and other != key:
            yield other, value
        if service.name != value:
            yield key, service.name  # the pods are called as the Service is
        if rest:
            # Everything else matches: whatever those pods carry was meant.
            for who, carried in self._by_pair.get(
                (service.namespace, next(iter(rest.items()))), ()
            ):
                del who
                if rest.items() <= carried.items() and key in carried:
                    yield key, carried[key]
                    return

    def _carrier(self, namespace: str, meant: Pair, rest: Mapping[str, str]) -> str | None:
        for who, carried in self._by_pair.get((namespace, meant), ()):
            if rest.items() <= carried.items():
                return who
        return None

    def elsewhere(self, service: Service) -> Pod | None:
        """A pod of another namespace that carries all that the selector asks for."""
        selector = service.selector or {}
        candidates = (self._anywhere.get(pair, []) for pair in selector.items())
        for pod in min(candidates, key=len, default=[]):
            if pod.namespace != service.namespace and selector.items() <= pod.labels.items():
                return pod
        return None

    def idle(self, service: Service) -> Template | None:
        """A template that the selector matches, though no pod of it exists now."""
        wanted = (service.selector or {}).items()
        for template in self._idle:
            if template.namespace == service.namespace and wanted <= template.labels.items():
                return template
        return None
