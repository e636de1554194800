"""Containers of a pod: names, images, ports, mounts; the rest of each in its own module.

Source: pkg/apis/core/validation/validation.go validateContainers, validateInitContainers,
validateContainerCommon, validateContainerPorts, checkHostPortConflicts,
validatePodHostNetworkDeps, ValidateVolumeMounts (1.36); recordings-cluster/rejected 27-29, 37-39.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, number, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.environment import check_environment
from k8stui.apiserver.validation.mistake import Mistake, Wrong, one_of
from k8stui.apiserver.validation.probe import PROBED, check_probes
from k8stui.apiserver.validation.resources import check_resources
from k8stui.apiserver.validation.security import check_container_security
from k8stui.manifests.manifest import Path, field_name

_PULL = ("Always", "IfNotPresent", "Never")
_MESSAGES = ("File", "FallbackToLogsOnError")
_RESTART = ("Always", "Never", "OnFailure")
_PROPAGATION = ("None", "HostToContainer", "Bidirectional")


def check_containers(spec: Object, base: Path, *, of_pod: bool) -> Iterator[Mistake]:
    """All containers of a pod's `spec`, which stands at `base`.

    `of_pod`: of a Pod, not of a template, which the server looks at less closely.
    """
    if spec.get("containers") == []:
        yield Mistake((*base, "containers"), Wrong.REQUIRED, "needs one container at least")
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
            yield from _image(container, path, of_pod=of_pod)
            if "ports" in container:
                yield from _ports(container, path, on_node and group == "containers")
                # Init containers run one by one, and the server calls each of them the first.
                seen, at = (taken, path) if group == "containers" else ({}, (*base, group, 0))
                yield from _host_ports(container, path, seen, at)
            if "env" in container or "envFrom" in container:
                yield from check_environment(container, path)
            if "volumeMounts" in container:
                yield from _mounts(container, path, volumes)
            if "resources" in container:
                yield from check_resources(table(container, "resources"), (*path, "resources"))
            if "securityContext" in container:
                security = table(container, "securityContext")
                yield from check_container_security(security, (*path, "securityContext"))
            if not PROBED.isdisjoint(container):
                always = text(container, "restartPolicy") == "Always"
                runs_once = group == "initContainers" and not always
                yield from check_probes(container, path, runs_once=runs_once)
            for field, allowed in (
                ("imagePullPolicy", _PULL),
                ("terminationMessagePolicy", _MESSAGES),
                ("restartPolicy", _RESTART),
            ):
                if field in container:
                    yield from one_of((*path, field), text(container, field), allowed)


def _image(container: Object, path: Path, *, of_pod: bool) -> Iterator[Mistake]:
    image = text(container, "image")
    if not image:
        message = "has to be written"
        yield Mistake((*path, "image"), Wrong.REQUIRED, message, hint="write image: NAME:TAG")
    elif of_pod and image != image.strip():
        message = "may not begin or end with white space"
        yield Mistake((*path, "image"), Wrong.INVALID, message, mended=image.strip())


def _ports(container: Object, base: Path, on_node: bool) -> Iterator[Mistake]:
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
            message = f"is {outside}, but containerPort is {inside}: with hostNetwork they are one"
            yield Mistake((*path, "hostPort"), Wrong.INVALID, message, mended=str(inside))


def _host_ports(
    container: Object, base: Path, taken: dict[str, Path], told: Path
) -> Iterator[Mistake]:
    """`told`: how the server calls the container at `base`."""
    for path, port in records(container, "ports", base):
        given = number(port, "hostPort")
        if not given:
            continue
        protocol, address = text(port, "protocol") or "TCP", text(port, "hostIP")
        key = f"{protocol}/{address}/{given}"
        if taken.setdefault(key, path) != path:
            word = f"{given}/{protocol}"
            message = f"is {word}, which {field_name(taken[key])} has already"
            where = (*told, *path[-2:], "hostPort")
            yield Mistake(where, Wrong.DUPLICATE, message, (*path, "hostPort"))


def _mounts(container: Object, base: Path, volumes: set[str]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for path, mount in records(container, "volumeMounts", base):
        name, where = text(mount, "name"), text(mount, "mountPath")
        if not name:
            yield Mistake((*path, "name"), Wrong.REQUIRED, "has to be written")
        elif name not in volumes:
            message = f"is {name!r}, and the pod has no such volume"
            from k8stui.suggest import nearest  # noqa: PLC0415 - only a mistake needs it

            alone = next(iter(volumes)) if len(volumes) == 1 else None
            meant = nearest(name, sorted(volumes)) or alone or ""
            hint = f"write name: {meant}, or give the pod a volume {name}" if meant else ""
            yield Mistake((*path, "name"), Wrong.NOT_FOUND, message, hint=hint)
        if not where:
            yield Mistake((*path, "mountPath"), Wrong.REQUIRED, "has to be written")
        elif where in seen:
            message = f"is {where!r}, where another volume is mounted already"
            yield Mistake((*path, "mountPath"), Wrong.INVALID, message)
        seen.add(where)
        for field in ("subPath", "subPathExpr"):
            if wrong := formats.descending_path(text(mount, field)):
                yield Mistake((*path, field), Wrong.INVALID, f"{text(mount, field)!r} {wrong}")
        if text(mount, "subPath") and text(mount, "subPathExpr"):
            message = "may not stand beside subPath"
            yield Mistake((*path, "subPathExpr"), Wrong.INVALID, message)
        propagation = text(mount, "mountPropagation")
        yield from one_of((*path, "mountPropagation"), propagation, _PROPAGATION)
