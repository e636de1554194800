"""Pod objects and pod templates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from k8stui.apiserver import defaults
from k8stui.apiserver.fields import Object, array, at, flag, labels, number, table, text
from k8stui.apiserver.inventory import namespace_of
from k8stui.cluster.decode.node import ready
from k8stui.cluster.draft import Draft
from k8stui.cluster.fields import addresses, protocol
from k8stui.cluster.model import Container, ContainerPort, PodPhase, ProbedPort
from k8stui.cluster.programs.caveats import caveats
from k8stui.cluster.programs.images import service_links
from k8stui.cluster.programs.mounted import mounts, named_files
from k8stui.cluster.programs.starting import only_waits
from k8stui.cluster.programs.told_ports import told_port

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

_PHASES = {str(phase): phase for phase in PodPhase}


def decode_containers(
    manifest: Manifest, spec: Object, path: tuple[str | int, ...]
) -> tuple[Container, ...]:
    """Containers in order, then init containers; `path` is where `spec` stands."""
    host_network = flag(spec, "hostNetwork") or False
    volumes = _config_volumes(spec)
    found = []
    for field in ("containers", "initContainers"):
        for index, entry in enumerate(array(spec, field)):
            base = (*path, field, index)
            init = field == "initContainers"
            found.append(
                Container(
                    name=text(entry, "name"),
                    image=text(entry, "image"),
                    ports=tuple(
                        _port(manifest, table(port), (*base, "ports", place), host_network)
                        for place, port in enumerate(array(entry, "ports"))
                    ),
                    init=init,
                    restartable_init=init and text(entry, "restartPolicy") == "Always",
                    env=tuple(
                        (text(variable, "name"), text(variable, "value"))
                        for variable in array(entry, "env")
                        if "valueFrom" not in table(variable)
                    ),
                    env_at=tuple(
                        place
                        for place, variable in enumerate(array(entry, "env"))
                        if "valueFrom" not in table(variable)
                    ),
                    own_command=bool(array(entry, "command")),
                    unknown=_unknown(table(entry)),
                    spoken=tuple(_spoken(table(entry))),
                    probed=any(one in table(entry) for one in ("readinessProbe", "startupProbe")),
                    probed_ports=() if init else tuple(_probed_ports(manifest, table(entry), base)),
                    told=told_port(manifest, table(entry), base),
                    waits=only_waits(table(entry)),
                    reads=tuple(_reads(table(entry), volumes)),
                    needs=tuple(_needs(spec, table(entry))),
                    mounts=mounts(manifest, spec, table(entry), base),
                    files=tuple(named_files(table(entry))),
                    caveats=tuple(caveats(manifest, spec, table(entry), base)),
                    links=service_links(table(entry)),
                    origin=manifest.origin(*base),
                )
            )
    return tuple(found)


def _unknown(container: Object) -> frozenset[str] | None:
    if array(container, "envFrom"):
        return None
    env = array(container, "env")
    return frozenset(text(one, "name") for one in env if "valueFrom" in table(one))


def _spoken(container: Object) -> Iterator[str]:
    """Command, arguments, and what probes ask, a named port aside."""
    for field in ("command", "args"):
        for word in array(container, field):
            yield str(word)
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        if probe in container:
            for how in ("httpGet", "tcpSocket", "grpc"):
                port = at(container, probe, how, "port")
                if isinstance(port, int):
                    yield str(port)


def _probed_ports(
    manifest: Manifest, container: Object, base: tuple[str | int, ...]
) -> Iterator[ProbedPort]:
    """As the kubelet asks: a name is one of the container's own ports."""
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if probe not in container:
            continue
        for how in ("httpGet", "tcpSocket", "grpc"):
            port = at(container, probe, how, "port")
            if isinstance(port, str):
                ports = (one for one in array(container, "ports") if text(one, "name") == port)
                port = next((at(one, "containerPort") for one in ports), None)
            if isinstance(port, int) and not text(container, probe, how, "host"):
                plain = how == "httpGet" and text(container, probe, how, "scheme") != "HTTPS"
                yield ProbedPort(probe, port, plain, manifest.origin(*base, probe, how))


def _config_volumes(spec: Object) -> dict[str, list[str]]:
    """Names of the ConfigMaps in each volume that holds some, projected ones among them."""
    found: dict[str, list[str]] = {}
    for volume in array(spec, "volumes"):
        names = [text(volume, "configMap", "name")]
        names += [text(one, "configMap", "name") for one in array(volume, "projected", "sources")]
        if any(names):
            found[text(volume, "name")] = [name for name in names if name]
    return found


def _reads(container: Object, volumes: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """ConfigMaps that a container reads, with the key where it takes one only."""
    if volumes:
        for mount in array(container, "volumeMounts"):
            for name in volumes.get(text(mount, "name"), ()):
                yield name, ""
    for source in array(container, "envFrom"):
        if name := text(source, "configMapRef", "name"):
            yield name, ""
    for variable in array(container, "env"):
        if name := text(variable, "valueFrom", "configMapKeyRef", "name"):
            yield name, text(variable, "valueFrom", "configMapKeyRef", "key")


_HELD = {
    "envFrom": (("configMapRef", "ConfigMap", "name"), ("secretRef", "Secret", "name")),
    "env": (("configMapKeyRef", "ConfigMap", "name"), ("secretKeyRef", "Secret", "name")),
    "volumes": (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")),
    "sources": (("configMap", "ConfigMap", "name"), ("secret", "Secret", "name")),
}
"""Where a pod names what it needs: field, kind, and the field of its name."""


def _needs(spec: Object, container: Object) -> Iterator[tuple[str, str, str]]:
    """A pod's volumes are made before any of its containers; ``optional`` is no need."""
    entries = [("envFrom", table(one)) for one in array(container, "envFrom")]
    entries += [("env", table(one, "valueFrom")) for one in array(container, "env")]
    entries += [("volumes", table(one)) for one in array(spec, "volumes")]
    entries += [
        ("sources", table(one))
        for volume in array(spec, "volumes")
        for one in array(volume, "projected", "sources")
    ]
    for where, entry in entries:
        for field, kind, name in _HELD[where]:
            wanted = text(entry, field, name)
            if wanted and flag(entry, field, "optional") is not True:
                yield kind, wanted, text(entry, field, "key")
                for item in array(entry, field, "items"):
                    yield kind, wanted, text(item, "key")
    yield from _single_files(spec, container)


def _single_files(spec: Object, container: Object) -> Iterator[tuple[str, str, str]]:
    """A mount's ``subPath`` is a key of the volume, where that gives keys no paths of their own.

    Without it the kubelet makes an empty folder of that name.
    """
    volumes = {text(one, "name"): table(one) for one in array(spec, "volumes")}
    for mount in array(container, "volumeMounts"):
        key, volume = text(mount, "subPath"), volumes.get(text(mount, "name"), {})
        for field, kind, name in _HELD["volumes"]:
            wanted = text(volume, field, name)
            if key and wanted and not array(volume, field, "items"):
                yield kind, wanted, key


def _port(
    manifest: Manifest, port: Object, path: tuple[str | int, ...], host_network: bool
) -> ContainerPort:
    host_ip = addresses((text(port, "hostIP"),))
    return ContainerPort(
        number=number(port, "containerPort") or 0,
        name=text(port, "name"),
        protocol=protocol(text(port, "protocol")),
        host_port=defaults.host_port(port, host_network),
        host_ip=host_ip[0] if host_ip else None,
        origin=manifest.origin(*path),
    )


def decode_pod(manifest: Manifest) -> Draft:
    """A Pod object: a declared one as it will be made, one of a dump as it was seen."""
    spec = table(manifest.data, "spec")
    metadata = table(manifest.data, "metadata")
    draft = Draft(
        namespace=namespace_of(manifest),
        name=manifest.name,
        labels=labels(metadata, "labels"),
        spec=spec,
        containers=decode_containers(manifest, spec, ("spec",)),
        manifest=manifest,
        spec_path=("spec",),
        observed=manifest.observed,
        node_name=text(spec, "nodeName") or None,
        hostname=text(spec, "hostname") or None,
        subdomain=text(spec, "subdomain") or None,
    )
    if manifest.observed:
        _observe(draft, manifest)
    return draft


def _observe(draft: Draft, manifest: Manifest) -> None:
    status = table(manifest.data, "status")
    conditions = array(status, "conditions")
    draft.phase = _PHASES.get(text(status, "phase"), PodPhase.PENDING)
    draft.ready = ready(conditions, default=False)
    if not draft.ready and draft.phase in (PodPhase.RUNNING, PodPhase.PENDING):
        draft.unready_reason = _unready(draft.spec, status, conditions)
    if draft.phase is PodPhase.FAILED:
        told = (text(status, "reason"), text(status, "message"))
        draft.unready_reason = ", ".join(filter(None, told))
    draft.terminating = bool(table(manifest.data, "metadata").get("deletionTimestamp"))
    ips = tuple(text(entry, "ip") for entry in array(status, "podIPs"))
    draft.addresses = addresses(ips or (text(status, "podIP"),))
    if draft.node_name is None:
        for condition in conditions:
            if text(condition, "type") == "PodScheduled":
                draft.pending_reason = text(condition, "message")


def _unready(spec: Object, status: Object, conditions: Sequence[object]) -> str:
    """What the kubelet says keeps a pod from being ready: a container, a gate, or its condition.

    Init containers come first, one by one: the others do not start before (PodInitializing).
    """
    for entry in array(status, "initContainerStatuses"):
        name, state = text(entry, "name"), table(entry, "state")
        if flag(entry, "ready") or text(state, "terminated", "reason") == "Completed":
            continue
        for how in ("waiting", "terminated"):
            reason = text(state, how, "reason")
            if reason and reason != "PodInitializing":
                return f"init container {name} is {how}, {reason}" + _told_of_it(entry, how)
        if "running" in state and not _is_sidecar(spec, name):
            return f"init container {name} runs and has not ended"
    for entry in array(status, "containerStatuses"):
        name, state = text(entry, "name"), table(entry, "state")
        if flag(entry, "ready"):
            continue
        for how in ("waiting", "terminated"):
            if reason := text(state, how, "reason"):
                return f"container {name} is {how}, {reason}" + _told_of_it(entry, how)
        if "running" in state:
            late = "startupProbe" if flag(entry, "started") is False else "readinessProbe"
            return f"container {name} runs" + _probed(spec, name, late)
    for condition in conditions:
        if text(condition, "type") == "Ready" and (said := text(condition, "message")):
            return said
    held = {text(one, "type") for one in conditions if text(one, "status") == "True"}
    for gate in array(spec, "readinessGates"):
        if (name := text(gate, "conditionType")) not in held:
            return f"the condition of its readiness gate {name} is not True"
    single = array(spec, "containers")
    return _probed(spec, text(single[0], "name")).lstrip(", ") if len(single) == 1 else ""


_ITS_OWN_WORDS = frozenset(
    ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
)
"""Reasons that say nothing without the message beside them."""


def _told_of_it(entry: object, how: str) -> str:
    """How a container ended the last time, or what is missing for it to start."""
    state = table(entry, "state", how)
    if text(state, "reason") in _ITS_OWN_WORDS and (said := text(state, "message")):
        return f": {said}"
    ended = table(entry, "lastState", "terminated")
    reason = text(ended, "reason")
    if not reason or how == "terminated":
        return ""
    return f" (it ended last: {reason}, status {number(ended, 'exitCode') or 0})"


def _is_sidecar(spec: Object, name: str) -> bool:
    """Whether an init container goes on running while the others do."""
    return any(
        text(one, "name") == name and text(one, "restartPolicy") == "Always"
        for one in array(spec, "initContainers")
    )


def _probed(spec: Object, name: str, which: str = "readinessProbe") -> str:
    """The probe that has to succeed first: until the startup probe has, no other is asked."""
    said = f", its {which.removesuffix('Probe')} probe"
    for container in array(spec, "containers"):
        probe = table(container, which)
        if text(container, "name") != name or not probe:
            continue
        for how, words in (("httpGet", "HTTP"), ("tcpSocket", "TCP"), ("grpc", "gRPC")):
            if how in probe:
                port = at(probe, how, "port")
                path = text(probe, how, "path")
                where = f"{path} on port {port}" if path else f"port {port}"
                return f"{said} asks {words} {where}"
        return f"{said} runs a command"
    return ""
