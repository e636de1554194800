"""Pods whose containers never run, by what stands beside them in the input.

The API server refuses a ConfigMap or Secret that they need; a Service's variable breaks the
image's own settings; nginx does not find a host of its configuration, and ends. Or they run, and
no probe reaches what they open for their own pod alone.
What the pod itself says of it is `unready`'s, and whom an init container waits for `waiting`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import compress

from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.environment import variables_given, variables_of
from k8stui.cluster.holders import ACCOUNT, Holders, has_key, key_names, meant_key, wanting
from k8stui.cluster.meant import CalledServices
from k8stui.cluster.memory import NO_MEMORY, Memory
from k8stui.cluster.model import Container, Mount, Pod, Service
from k8stui.cluster.programs.bound import probed_in_vain
from k8stui.cluster.programs.evidence import port_in_text
from k8stui.cluster.programs.images import image_tag
from k8stui.cluster.programs.mounted import EMPTY, NGINX, included, mount_of
from k8stui.cluster.programs.outdated_options import is_dated, outdated
from k8stui.cluster.programs.secured import by_tls_alone
from k8stui.cluster.programs.upstreams import upstreams
from k8stui.manifests.problem import Problem
from k8stui.origin import Origin, OriginKind
from k8stui.record import record


@record()
class _Lack:
    """Why a container does not run, and what would let it."""

    why: str
    mend: str
    origin: Origin


def without_start(
    pods: Mapping[str, Pod],
    services: Mapping[str, Service],
    config_maps: Mapping[str, ConfigMap],
    refused: Mapping[str, Problem],
    holders: Holders,
    *,
    memory: Memory = NO_MEMORY,
) -> Mapping[str, Pod]:
    """The pods, those not ready that cannot start; what a dump shows stays as it was seen."""
    judge = _Judge(pods, services, config_maps, refused, holders)
    held = {}
    for key, pod in compress(pods.items(), memory.each("may lack", pods.values(), _may_lack)):
        if not pod.ready or pod.origin.kind is OriginKind.OBSERVED:
            continue
        lack = next(judge.lacks(pod), None)
        if lack is not None:
            held[key] = replace(
                pod,
                ready=False,
                unready_reason=lack.why,
                unready_mend=lack.mend,
                unready_sure=False,
                origins={**pod.origins, "unready_reason": lack.origin},
            )
    return {**pods, **held} if held else pods


def _may_lack(pod: Pod) -> bool:
    return pod.service_account != _DEFAULT or any(
        one.links or one.reads or one.needs or one.mounts or one.probed_ports or is_dated(one.image)
        for one in pod.containers
    )


_DEFAULT = "default"
"""The ServiceAccount that every namespace has."""


def _words(container: Container) -> Iterator[str]:
    yield from container.spoken
    yield from (value for _, value in container.env)


class _Judge:
    def __init__(
        self,
        pods: Mapping[str, Pod],
        services: Mapping[str, Service],
        config_maps: Mapping[str, ConfigMap],
        refused: Mapping[str, Problem],
        holders: Holders,
    ) -> None:
        self._holders = holders
        self._services, self._config_maps, self._refused = services, config_maps, refused
        self._called: CalledServices | None = None
        self._pods = pods
        self._probed: dict[int, _Lack | None] = {}
        """What keeps probes from succeeding, once for all pods of a template."""
        self._bearers: dict[tuple[str, str], list[Pod]] = {}
        """Pods by their namespace and a name that somebody may call them by."""

    def lacks(self, pod: Pod) -> Iterator[_Lack]:
        if pod.service_account != _DEFAULT:
            yield from self._account(pod)
        for container in pod.containers:
            yield from self._refusals(pod, container)
            if pod.enable_service_links and container.links:
                yield from self._links(pod, container)
            yield from self._outdated(pod, container)
            if container.mounts:
                yield from self._hidden(pod, container)
            if container.reads:
                yield from self._upstreams(pod, container)
        of_template = id(pod.containers)
        if of_template not in self._probed:
            self._probed[of_template] = next(self._unheard_probes(pod), None)
        if (lack := self._probed[of_template]) is not None:
            yield lack

    def _unheard_probes(self, pod: Pod) -> Iterator[_Lack]:
        for container, probe, number, bound in probed_in_vain(self._config_maps, pod):
            yield _Lack(
                f"the {probe} of container {container.name} asks port {number} at the pod's own "
                f"address, and the container binds it to 127.0.0.1 ({bound.by})",
                bound.mend,
                bound.origin,
            )
        for container in pod.containers:
            for asked in container.probed_ports:
                if asked.plain and (
                    said := by_tls_alone(self._config_maps, pod, container, asked.number)
                ):
                    yield _Lack(
                        f"the {asked.probe} of container {container.name} asks port "
                        f"{asked.number} by plain HTTP, and that is answered by TLS alone ({said})",
                        "write scheme: HTTPS",
                        asked.origin,
                    )

        if (lack := next(self._probes_in_front(pod), None)) is not None:
            yield lack

    def _probes_in_front(self, pod: Pod) -> Iterator[_Lack]:
        """A probe of the Service's port, which nobody translates on the kubelet's way."""
        ports = [port for one in pod.containers for port in one.ports]
        said = [word for one in pod.containers for word in (*one.spoken, *dict(one.env).values())]
        for container in pod.containers:
            for asked in container.probed_ports:
                word = port_in_text(asked.number)
                # Its own number stands among what is spoken, once a probe.
                own = sum(one.number == asked.number for one in container.probed_ports)
                if any(port.number == asked.number for port in ports):
                    continue
                if sum(word.search(each) is not None for each in said) > own:
                    continue
                for service, target in self._leading(pod, asked.number):
                    fitting = [p for p in container.ports if target in (p.number, p.name)]
                    if fitting:
                        yield _Lack(
                            f"the {asked.probe} of container {container.name} asks port "
                            f"{asked.number}, which is that of Service {service.name}: the kubelet "
                            f"asks the pod itself, which declares {fitting[0].number}",
                            f"write port: {fitting[0].number}",
                            asked.origin,
                        )

    def _leading(self, pod: Pod, port: int) -> Iterator[tuple[Service, int | str]]:
        """Services that lead from a port to another one of the pod, and that one."""
        for label in pod.labels.items():
            for service, target in self._in_front.get((pod.namespace, port, label), ()):
                if _leads_to(service, pod):
                    yield service, target

    @cached_property
    def _in_front(
        self,
    ) -> Mapping[tuple[str, int, tuple[str, str]], list[tuple[Service, int | str]]]:
        """By namespace, port, and the first label that they ask for."""
        found: dict[tuple[str, int, tuple[str, str]], list[tuple[Service, int | str]]] = {}
        for service in self._services.values():
            for label in [*(service.selector or {}).items()][:1]:
                for port in service.ports:
                    if port.target_port != port.port:
                        key = service.namespace, port.port, label
                        found.setdefault(key, []).append((service, port.target_port))
        return found

    def _account(self, pod: Pod) -> Iterator[_Lack]:
        """Source: plugin/pkg/admission/serviceaccount (error looking up service account)."""
        account = pod.service_account
        if self._holders.get(ACCOUNT, pod.namespace, account) is not None:
            return
        why = f"it runs as {ACCOUNT} {pod.namespace}/{account}, which is not there"
        end = "the API server refuses the pod"
        origin = pod.origins.get("service_account", pod.origin)
        if other := self._holders.meant(ACCOUNT, pod.namespace, account):
            yield _Lack(f"{why}; {other} is: {end}", f"write {other}", origin)
        elif away := self._holders.elsewhere(ACCOUNT, pod.namespace, account):
            mend = f"put {ACCOUNT} {account} into namespace {pod.namespace}"
            yield _Lack(f"{why}; it is in namespace {away}: {end}", mend, origin)

    def _refusals(self, pod: Pod, container: Container) -> Iterator[_Lack]:
        for kind, name, key in container.needs:
            held = self._holders.get(kind, pod.namespace, name)
            meant = wanting(held, key) if held is not None and key else ""
            problem = self._refused.get(f"{kind} {pod.namespace}/{name}")
            if held is None and problem is None:
                other = self._holders.meant(kind, pod.namespace, name, key)
                if other:
                    yield _Lack(
                        f"container {container.name} needs {kind} {pod.namespace}/{name}, which is "
                        f"not there; {other} is: it does not start",
                        f"write {other}",
                        container.origin,
                    )
                elif away := self._holders.elsewhere(kind, pod.namespace, name):
                    yield _Lack(
                        f"container {container.name} needs {kind} {pod.namespace}/{name}, which is "
                        f"not there; it is in namespace {away}: it does not start",
                        f"put {kind} {name} into namespace {pod.namespace}",
                        container.origin,
                    )
            if meant:
                yield _Lack(
                    f"container {container.name} needs key {key} of {kind} {pod.namespace}/{name}, "
                    f"which has {meant} instead: it does not start",
                    f"write {meant}",
                    container.origin,
                )
            if problem is not None:
                yield _Lack(
                    f"{kind} {pod.namespace}/{name} is not there, the API server refuses it: "
                    f"{problem.message}",
                    f"mend what the API server refuses ({problem.where}"
                    + (f": {problem.hint.splitlines()[0]}" if problem.hint else "")
                    + "); the container does not start without it",
                    container.origin,
                )

    def _outdated(self, pod: Pod, container: Container) -> Iterator[_Lack]:
        """``--smallfiles`` for a mongod of today."""
        for one in outdated(self._config_maps, pod, container):
            is_newest = image_tag(container.image) in ("", "latest")
            yield _Lack(
                f"container {container.name} runs {container.image}"
                + (", the newest" if is_newest else "")
                + f", which ends at {one.option}: that option is gone since {one.since}",
                f"take {one.option} out"
                + (f" (instead: {one.instead})" if one.instead else "")
                + f", or name an older image than {one.since}",
                one.origin,
            )

    def _hidden(self, pod: Pod, container: Container) -> Iterator[_Lack]:
        """What a container names in a folder that a volume has taken the place of."""
        for named in container.files:
            found = mount_of(named.path, container.mounts)
            if found is None or not found[0].kind:
                continue
            mount, key = found
            if mount.kind == EMPTY and not named.is_to_be_there:
                continue
            who = f"{'init ' if container.init else ''}container {container.name}"
            told = f"{named.by} {named.path}"
            if self._is_lost(pod, mount, key):
                own = named.is_program or named.of_image
                meant = "" if own else self._meant_key(pod, mount, key)
                yield self._lost(pod, mount, f"{who} ends: {told}", meant)
            elif named.is_program and mount.kind != EMPTY and not mount.runs:
                yield _Lack(
                    f"{who} does not start: {told}, a file of {mount.kind} {mount.name}, which "
                    "nobody may run (permission denied)",
                    "write defaultMode: 0755 into the volume, or let a shell read it: "
                    f"[sh, {named.path}]",
                    mount.origin,
                )
        if "nginx" in container.image:
            yield from self._included(pod, container)

    def _included(self, pod: Pod, container: Container) -> Iterator[_Lack]:
        """``include mime.types``, of a ConfigMap that stands in the place of /etc/nginx."""
        at = next((one for one in container.mounts if one.path == NGINX and not one.key), None)
        held = self._config_maps.get(f"{pod.namespace}/{at.name}") if at is not None else None
        if at is None or at.kind != "ConfigMap" or held is None:
            return
        for key, path, _ in included(held.data):
            found = mount_of(path, container.mounts)
            if found is not None and self._is_lost(pod, *found):
                told = f"nginx in container {container.name} ends: {key} includes {path}"
                yield self._lost(pod, found[0], told)

    def _is_lost(self, pod: Pod, mount: Mount, key: str) -> bool:
        """Whether the volume has no such file, as far as the input shows the object."""
        if mount.kind == EMPTY or not mount.kind:
            return mount.kind == EMPTY and not mount.key
        held = self._holders.get(mount.kind, pod.namespace, mount.name)
        return not key or (held is not None and not has_key(held, key))

    def _meant_key(self, pod: Pod, mount: Mount, key: str) -> str:
        held = self._holders.get(mount.kind, pod.namespace, mount.name)
        return meant_key(held, key) if held is not None and key else ""

    def _lost(self, pod: Pod, mount: Mount, why: str, meant: str = "") -> _Lack:
        """`meant`: the key that the file was to be."""
        held = self._holders.get(mount.kind, pod.namespace, mount.name)
        what = f"{mount.kind} {mount.name}" if mount.name else "an empty volume"
        why += f", and {mount.path} is {what}, which has no such file"
        mend = f"mount the volume at another folder than {mount.path}"
        if held is not None and (key := next(key_names(held), "")):
            mend += f", or single files into it (mountPath: {mount.path}/{key}, subPath: {key})"
        if meant:
            mend = f"write {mount.path}/{meant}, which it has, or call the key so; else {mend}"
        return _Lack(why, mend, mount.origin)

    def _links(self, pod: Pod, container: Container) -> Iterator[_Lack]:
        """``KAFKA_PORT=tcp://…`` for an image that reads ``KAFKA_PORT`` itself."""
        given = self._given.get(pod.namespace, {})
        # X_SERVICE_PORT is a number, unless a Service is called x-service.
        urls = (one for one in container.links if one in given)
        name = next((one for one in urls if "://" in variables_of.of(given[one])[one]), None)
        if name is None:
            return
        service = given[name]
        is_written = any(f"$({name})" in said for said in _words(container))
        who = (
            f"where $({name}) is written a number has to be"
            if is_written
            else f"image {container.image} reads {name} as a setting of its own"
        )
        yield _Lack(
            f"container {container.name} gets {name}=tcp://… from Service {service.key} "
            f"(enableServiceLinks), and {who}: it ends",
            f"write enableServiceLinks: false into the pod's spec, set {name} in its env, or give "
            f"the Service another name than {service.name}",
            container.origin,
        )

    @cached_property
    def _given(self) -> Mapping[str, Mapping[str, Service]]:
        return variables_given(self._services.values())

    def _upstreams(self, pod: Pod, container: Container) -> Iterator[_Lack]:
        for host, port, origin in upstreams(self._config_maps, pod, container):
            name, _, rest = host.partition(".")
            namespace = rest.partition(".")[0] or pod.namespace
            if f"{namespace}/{name}" in self._services or name == pod.name:
                continue
            meant, mend = self._meant(pod, namespace, name, port)
            if not mend and meant is not None:
                other = f"{meant.name}.{rest}" if rest else meant.name
                mend = f"write {other} there, or call Service {meant.name} {name}"
            if mend:
                yield _Lack(
                    f"nginx in container {container.name} looks its upstreams up when it starts, "
                    f"and ends: the input has no Service {namespace}/{name} (host not found in "
                    f"upstream {host})",
                    mend,
                    origin,
                )

    def _meant(
        self, pod: Pod, namespace: str, name: str, port: int | None
    ) -> tuple[Service | None, str]:
        """The Service that is meant; or what gives the pods one that are called so."""
        self._called = self._called or CalledServices(self._services.values())
        meant = self._called.about(namespace, name, port)
        if meant is not None and not _leads_to(meant, pod):
            return meant, ""
        bearers = self._by_name(namespace, name)
        called = next((one for one in bearers if _maker(one) != _maker(pod)), None)
        if called is None:
            return None, ""
        here = (one for one in self._services.values() if one.namespace == namespace)
        before = next((one for one in here if _leads_to(one, called)), None)
        whose = f"the pods of {_maker(called)[1]}"
        mend = f"write a Service {name} in front of {whose}: none selects them"
        return before, "" if before is not None else mend

    def _by_name(self, namespace: str, name: str) -> list[Pod]:
        """Pods that are made by one of that name, or that carry it as a label."""
        if not self._bearers:
            for pod in self._pods.values():
                for word in {_maker(pod)[1], *pod.labels.values()}:
                    self._bearers.setdefault((pod.namespace, word), []).append(pod)
        return self._bearers.get((namespace, name), [])


def _leads_to(service: Service, pod: Pod) -> bool:
    selector = service.selector or {}
    return bool(selector) and selector.items() <= pod.labels.items()


def _maker(pod: Pod) -> tuple[str, str]:
    """Kind and name of what made a pod; of the pod itself where nothing did."""
    return pod.owner or ("Pod", pod.name)
