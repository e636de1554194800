"""Containers of a pod: names, ports, environment, mounts, probes.

Source: pkg/apis/core/validation/validation.go validateContainers, validateInitContainers,
validateContainerPorts, checkHostPortConflicts, validateHostNetwork, ValidateEnv,
ValidateVolumeMounts, validateProbe (1.36); recordings-cluster/rejected 27-29, 37-39.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.manifests.manifest import Path, field_name
from k8stui.manifests.validation import formats
from k8stui.manifests.validation.fields import Table, number, records, text
from k8stui.manifests.validation.mistake import Mistake, Wrong

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PORTS = range(1, 65536)


def check_containers(spec: Table, base: Path) -> Iterator[Mistake]:
    """All containers of a pod's `spec`, which stands at `base`."""
    names: dict[str, Path] = {}
    volumes = {text(volume, "name") for _, volume in records(spec, "volumes", base)}
    taken: dict[str, Path] = {}
    on_node = spec.get("hostNetwork") is True
    for group in ("containers", "initContainers"):
        for path, container in records(spec, group, base):
            name = text(container, "name")
            if name and (wrong := formats.dns_label(name)):
                yield Mistake(
                    (*path, "name"),
                    Wrong.INVALID,
                    f"{name!r} {wrong}",
                    mended=formats.as_label(name),
                )
            elif name and names.setdefault(name, path) != path:
                message = f"is {name!r}, which is the name of {field_name(names[name])} already"
                yield Mistake((*path, "name"), Wrong.DUPLICATE, message)
            yield from _image(container, path)
            if "ports" in container:
                yield from _ports(container, path, on_node)
                if group == "containers":
                    yield from _host_ports(container, path, taken)
            if "env" in container:
                yield from _environment(container, path)
            if "volumeMounts" in container:
                yield from _mounts(container, path, volumes)
            for probe in _PROBES:
                if probe in container:
                    yield from _probe(container[probe], (*path, probe))


def _image(container: Table, path: Path) -> Iterator[Mistake]:
    image = text(container, "image")
    if not image:
        message = "has to be written"
        yield Mistake((*path, "image"), Wrong.REQUIRED, message, hint="write image: NAME:TAG")
    elif image != image.strip():
        message = "may not begin or end with white space"
        yield Mistake((*path, "image"), Wrong.INVALID, message, mended=image.strip())


def _ports(container: Table, base: Path, on_node: bool) -> Iterator[Mistake]:
    names: dict[str, Path] = {}
    for path, port in records(container, "ports", base):
        name = text(port, "name")
        faults = formats.port_name(name) if name else ()
        mended = formats.as_port_name(name)
        for wrong in faults:
            yield Mistake((*path, "name"), Wrong.INVALID, f"{name!r} {wrong}", mended=mended)
            mended = ""  # once is enough
        if name and not faults and names.setdefault(name, path) != path:
            message = f"is {name!r}, which is the name of {field_name(names[name])} already"
            yield Mistake((*path, "name"), Wrong.DUPLICATE, message)
        inside, outside = number(port, "containerPort"), number(port, "hostPort")
        # Not written it is filled in, on Pods at once, in templates when the pod is made.
        if on_node and outside and inside is not None and outside != inside:
            message = f"is {inside}, but hostPort is {outside}: with hostNetwork they are one"
            yield Mistake((*path, "containerPort"), Wrong.INVALID, message)


def _host_ports(container: Table, base: Path, taken: dict[str, Path]) -> Iterator[Mistake]:
    for path, port in records(container, "ports", base):
        given = number(port, "hostPort")
        if not given:
            continue
        protocol, address = text(port, "protocol") or "TCP", text(port, "hostIP")
        key = f"{protocol}/{address}/{given}"
        if taken.setdefault(key, path) != path:
            word = f"{given}/{protocol}"
            message = f"is {word}, which {field_name(taken[key])} has already"
            yield Mistake((*path, "hostPort"), Wrong.DUPLICATE, message)


def _environment(container: Table, base: Path) -> Iterator[Mistake]:
    for path, entry in records(container, "env", base):
        name = text(entry, "name")
        if any(not " " <= letter <= "~" or letter == "=" for letter in name):
            message = f"{name!r} may only have printable ASCII characters other than '='"
            yield Mistake((*path, "name"), Wrong.INVALID, message)
        if text(entry, "value") and entry.get("valueFrom"):
            message = "may not stand beside value"
            yield Mistake((*path, "valueFrom"), Wrong.INVALID, message)


def _mounts(container: Table, base: Path, volumes: set[str]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for path, mount in records(container, "volumeMounts", base):
        name, where = text(mount, "name"), text(mount, "mountPath")
        if not name:
            yield Mistake((*path, "name"), Wrong.REQUIRED, "has to be written")
        elif name not in volumes:
            message = f"is {name!r}, and the pod has no such volume"
            yield Mistake((*path, "name"), Wrong.NOT_FOUND, message)
        if not where:
            yield Mistake((*path, "mountPath"), Wrong.REQUIRED, "has to be written")
        elif where in seen:
            message = f"is {where!r}, where another volume is mounted already"
            yield Mistake((*path, "mountPath"), Wrong.INVALID, message)
        seen.add(where)


def _probe(probe: object, path: Path) -> Iterator[Mistake]:
    if not isinstance(probe, dict):
        return
    handlers = [handler for handler in _HANDLERS if probe.get(handler) is not None]
    if not handlers:
        message = f"needs one of {', '.join(_HANDLERS)}"
        yield Mistake(path, Wrong.REQUIRED, message)
    for extra in handlers[1:]:
        message = f"may not stand beside {handlers[0]}"
        yield Mistake((*path, extra), Wrong.FORBIDDEN, message)
    for handler in ("httpGet", "tcpSocket"):
        action = probe.get(handler)
        port = action.get("port") if isinstance(action, dict) else None
        where = (*path, handler, "port")
        if isinstance(port, str):
            for wrong in formats.port_name(port):
                digits = port if port.isascii() and port.isdigit() and len(port) < 6 else ""
                message = f"is the name {port!r}, and a port's name {wrong}"
                yield Mistake(where, Wrong.INVALID, message, mended=digits and str(int(digits)))
        elif isinstance(port, int) and not isinstance(port, bool) and port not in _PORTS:
            yield Mistake(where, Wrong.INVALID, f"is {port}; it goes from 1 to 65535")
