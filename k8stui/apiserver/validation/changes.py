"""What may not change once an object is there: the same object a second time, or after a dump.

Source: pkg/apis/apps/validation (ValidateDeploymentUpdate, ValidateStatefulSetUpdate …), core
ValidatePodUpdate, ValidateServiceUpdate (upgrade of clusterIPs), ValidateConfigMapUpdate,
ValidateSecretUpdate, batch ValidateJobSpecUpdate, discovery ValidateEndpointSliceUpdate;
recordings-cluster/rejected 40-42.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import Object, records, table, text
from k8stui.apiserver.validation.mistake import Mistake, Wrong
from k8stui.apiserver.validation.service_addresses import cluster_ips, ip_path
from k8stui.manifests.manifest import Manifest, Path

_SELECTING = frozenset({"Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"})
_POD_FIELDS = ("nodeName", "hostNetwork", "hostname", "subdomain", "restartPolicy", "dnsPolicy")
"""Those of a pod's fields that decide about packets; a pod may change its images, not these."""
_SET_FIELDS = ("serviceName", "podManagementPolicy")


def check_change(before: Manifest, after: Manifest) -> Iterator[Mistake]:
    """Mistakes of `after`, when `before` is what the cluster has under its name."""
    old, new = table(before.data, "spec"), table(after.data, "spec")
    if after.kind == "Service":
        yield from _service(old, new)
    elif after.kind == "Pod":
        yield from _pod(old, new, applied=not before.observed)
    elif after.kind in _SELECTING and _differs(old, new, "selector"):
        message = "may not change: what a workload selects is fixed when it is made"
        hint = "delete the old one first, or take another name"
        name = "selector" if after.kind != "StatefulSet" else ""
        path = ("spec", name) if name else ("spec",)
        wrong = Wrong.INVALID if name else Wrong.FORBIDDEN
        yield Mistake(path, wrong, message, ("spec", "selector"), hint=hint)
    elif after.kind == "Job":
        yield from _job(old, new)
    elif after.kind in ("ConfigMap", "Secret"):
        yield from _stored(before.data, after.data)
    elif after.kind == "EndpointSlice" and _differs(before.data, after.data, "addressType"):
        message = "may not change: make another slice"
        yield Mistake(("addressType",), Wrong.INVALID, message)
    if after.kind == "StatefulSet":
        for field in _SET_FIELDS:
            if _differs(old, new, field):
                message = f"may not change its {field} once it is there"
                yield Mistake(("spec",), Wrong.FORBIDDEN, message, ("spec", field))


def _job(old: Object, new: Object) -> Iterator[Mistake]:
    """Completions of an Indexed Job may change with its parallelism (validateCompletions)."""
    indexed = text(new, "completionMode") == text(old, "completionMode") == "Indexed"
    if _differs(old, new, "completions") and not (
        indexed and new.get("completions") == new.get("parallelism")
    ):
        yield Mistake(("spec", "completions"), Wrong.INVALID, "may not change once it is there")
    if _differs(old, new, "completionMode"):
        yield Mistake(("spec", "completionMode"), Wrong.INVALID, "may not change once it is there")
    had = table(old, "template", "spec")
    for path, one in records(table(new, "template", "spec"), "containers", ()):
        others = {text(other, "name"): other for _, other in records(had, "containers", ())}
        other = others.get(text(one, "name"), {})
        if not other or _differs(other, one, "image") or _ports(other) != _ports(one):
            message = "may not change: a Job's pods are made of one template"
            where = ("spec", "template", "spec", *path)
            hint = "delete the old Job first, or take another name"
            yield Mistake(("spec", "template"), Wrong.INVALID, message, where, hint=hint)
            return


def _stored(old: Object, new: Object) -> Iterator[Mistake]:
    if old.get("kind") == "Secret" and _differs(old, new, "type"):
        yield Mistake(("type",), Wrong.INVALID, "may not change once it is there")
    if old.get("immutable") is not True:
        return
    if new.get("immutable") is not True:
        message = "may not be taken back: the object is immutable"
        yield Mistake(("immutable",), Wrong.FORBIDDEN, message)
    if old.get("kind") == "ConfigMap" and table(old, "data") != table(new, "data"):
        yield Mistake(("data",), Wrong.FORBIDDEN, "may not change: the object is immutable")


def _differs(old: Object, new: Object, field: str) -> bool:
    """Whether both write it, and not the same: what is left out may have been filled in."""
    one, other = old.get(field), new.get(field)
    return one is not None and other is not None and one != other


def _service(old: Object, new: Object) -> Iterator[Mistake]:
    if "ExternalName" in (text(old, "type"), text(new, "type")):
        return  # the address is given back, a new one taken
    had, wanted = cluster_ips(old), cluster_ips(new)
    if text(new, "type") == text(old, "type") == "LoadBalancer" and _differs(
        old, new, "loadBalancerClass"
    ):
        yield Mistake(("spec", "loadBalancerClass"), Wrong.INVALID, "may not change once set")
    if had and wanted and had[0] != wanted[0]:
        message = f"is {wanted[0]}, and the Service has {had[0]}: it may not change once given"
        yield Mistake(("spec", "clusterIPs", 0), Wrong.INVALID, message, ip_path(new, 0))


def _pod(old: Object, new: Object, *, applied: bool) -> Iterator[Mistake]:
    """`applied`: `old` holds nothing but what was applied, so what `new` leaves out is taken away.

    A dump's pod may have containers that admission added; kubectl apply leaves those alone.
    """
    had = {text(one, "name"): one for _, one in records(old, "containers", ())}
    where: Path = ()
    names = set()
    for path, one in records(new, "containers", ("spec",)):
        name = text(one, "name")
        names.add(name)
        if name not in had:
            where = path
        elif _ports(one) != _ports(had[name]):
            where = (*path, "ports")
    if applied and not had.keys() <= names:
        where = ("spec", "containers")
    for field in _POD_FIELDS:
        if _differs(old, new, field):
            where = ("spec", field)
    if where:
        message = "of a Pod may not change once it is there (images may)"
        yield Mistake(("spec",), Wrong.FORBIDDEN, message, where, hint="delete the old one first")


def _ports(container: Object) -> list[tuple[object, object]]:
    ports = (port for _, port in records(container, "ports", ()))
    return [(port.get("containerPort"), port.get("protocol") or "TCP") for port in ports]
