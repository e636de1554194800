"""A pod needs an object that is not there, or a key that the object does not have.

Without a ConfigMap, a Secret or a key of them that is not ``optional`` the kubelet does not start
the container (CreateContainerConfigError, pkg/kubelet kuberuntime), or does not mount the volume
(ContainerCreating for ever); without its claim the scheduler leaves the pod Pending; without its
ServiceAccount the API server refuses it. The Service in front of it has nobody then. Nor does a
HorizontalPodAutoscaler scale a workload that is not there, nor is a claim bound, or an Ingress
served, whose class is not there.

A warning where the name is a typing error of an object's of the input, where one is there that
nobody else asks for and that has the key, or where that object stands
in another namespace: a pod reaches only its own. Does not apply to other names, which may be in the
cluster already, to keys of generated objects, and to what a dump shows.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver.fields import array, table, text, texts
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.needs import Need, needs
from k8stui.check.subject import subject_of
from k8stui.check.template import Template
from k8stui.cluster.holders import KINDS, wanting
from k8stui.manifests import Manifest
from k8stui.suggest import is_typo

ID = "missing-object"
_SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")
_Path = tuple[str | int, ...]
_ALIKE = 5
"""Letters at the beginning that make one name a shorter form of the other."""
_BUILT_IN = {"PriorityClass": ("system-cluster-critical", "system-node-critical")}
_GIVEN = {"ServiceAccount": "default", "ConfigMap": "kube-root-ca.crt"}
"""What every namespace has without being told."""


def look(ground: Ground) -> Iterator[Finding]:
    for template in ground.templates:
        if template.manifest.observed:
            continue
        yield from missing(ground, template)
    for manifest in ground.of_kind("HorizontalPodAutoscaler").values():
        found = None if manifest.observed else _unscaled(ground, manifest)
        if found is not None:
            yield found
    yield from _misspelt_classes(ground)
    yield from _certificates(ground)


def missing(ground: Ground, template: Template) -> Iterator[Finding]:
    """What the pods of one template need and do not find."""
    told: set[tuple[str, str]] = set()
    for need in needs(template):
        found = _absent(ground, template, need) or _without_key(ground, template, need)
        if found is not None and (need.kind, need.name + need.key) not in told:
            told.add((need.kind, need.name + need.key))
            yield found


def _certificates(ground: Ground) -> Iterator[Finding]:
    """An Ingress' tls names a Secret of its own namespace, unless cert-manager makes it."""
    for manifest in ground.of_kind("Ingress").values():
        own = manifest.namespace or "default"
        notes = table(manifest.data, "metadata", "annotations")
        if manifest.observed or any("cert-manager.io" in key or "acme" in key for key in notes):
            continue
        yield from _uncovered(manifest)
        for index, one in enumerate(array(manifest.data, "spec", "tls")):
            name = text(one, "secretName")
            if not name or f"{own}/{name}" in ground.of_kind("Secret"):
                continue
            if ground.holders.is_made("Secret", own, name):
                continue
            near = ground.names_of("Secret", own).typo(name)
            away = next(iter(ground.namespaces_with("Secret", name)), None)
            if near is None and (away is None or ground.is_kustomized):
                continue
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=f"Ingress {own}/{manifest.name}",
                place=manifest.place("spec", "tls", index, "secretName"),
                why=f"its certificate is to be in Secret {own}/{name}, which is not there"
                + (f"; it is in namespace {away}" if near is None else "")
                + ": it is served with another one",
                fix=f"write {near}"
                if near is not None
                else f"put Secret {name} into namespace {own}: an Ingress reads its own only",
            )


def _uncovered(manifest: Manifest) -> Iterator[Finding]:
    """An Ingress none of whose hosts is in its tls: the certificate is for others."""
    tls = array(manifest.data, "spec", "tls")
    covered = {host for one in tls for host in texts(one, "hosts")}
    hosts = [text(one, "host") for one in array(manifest.data, "spec", "rules")]
    wild = {f"*.{host.partition('.')[2]}" for host in hosts}
    named = all(hosts) and all(texts(one, "hosts") for one in tls)
    if covered and hosts and named and covered.isdisjoint((*hosts, *wild)):
        yield Finding(
            rule=ID,
            severity=Severity.WARNING,
            subject=f"Ingress {manifest.namespace or 'default'}/{manifest.name}",
            place=manifest.place("spec", "tls", 0, "hosts"),
            why=f"tls is for {', '.join(sorted(covered))}, and its rules for "
            f"{', '.join(hosts)}: who asks these by HTTPS gets the controller's own "
            "certificate",
            fix=f"write {hosts[0]} into tls.hosts (of which the certificate has to be)",
        )


def _misspelt_classes(ground: Ground) -> Iterator[Finding]:
    """A class of storage, of ingress, of priority or runtime that is but misspelt."""
    named: list[tuple[Manifest, str, _Path]] = []
    for kind, wanted, field in (
        ("PersistentVolumeClaim", "StorageClass", "storageClassName"),
        ("Ingress", "IngressClass", "ingressClassName"),
        ("Gateway", "GatewayClass", "gatewayClassName"),
    ):
        named += ((one, wanted, ("spec", field)) for one in ground.of_kind(kind).values())
    for template in ground.templates:
        base = (*template.path, "spec")
        named.append((template.manifest, "PriorityClass", (*base, "priorityClassName")))
        named.append((template.manifest, "RuntimeClass", (*base, "runtimeClassName")))
    for one in ground.of_kind("StatefulSet").values():
        for index, _ in enumerate(array(one.data, "spec", "volumeClaimTemplates")):
            claim = ("spec", "volumeClaimTemplates", index, "spec", "storageClassName")
            named.append((one, "StorageClass", claim))
    for manifest, wanted, path in named:
        name = text(manifest.data, *path)
        known = ground.names_of(wanted, "default")
        if not name or manifest.observed or f"default/{name}" in ground.of_kind(wanted):
            continue
        if name in _BUILT_IN.get(wanted, ()):
            continue
        there = ground.of_kind(wanted)
        alone = next(iter(there)).removeprefix("default/") if len(there) == 1 else ""
        alike = wanted == "PriorityClass" and alone.startswith(name[:_ALIKE])
        typo = known.typo(name)
        near = typo or (alone if alike or wanted in _OF_CONTROLLERS else "")
        if not near:
            continue
        # Controllers bring GatewayClasses with them (istio, cilium), and so do clouds.
        brought = wanted == "GatewayClass" and not typo
        yield Finding(
            rule=ID,
            severity=Severity.INFO if brought else Severity.WARNING,
            subject=subject_of(manifest),
            place=manifest.place(*path),
            why=f"it names {wanted} {name}, which is not there; {near} is"
            + (", unless a controller brings the former" if brought else _FATES.get(wanted, "")),
            fix=f"write {near}",
        )


_OF_CONTROLLERS = ("IngressClass", "GatewayClass")
_FATES = {
    "GatewayClass": ": no controller makes the Gateway",
    "IngressClass": ": no controller serves it",
    "PriorityClass": ": the API server refuses its pods",
    "RuntimeClass": ": the API server refuses its pods",
    "StorageClass": ": the claim stays Pending, and so do its pods",
}


def _unscaled(ground: Ground, manifest: Manifest) -> Finding | None:
    """An autoscaler whose workload is misspelt: it says so in its own status, and scales nobody."""
    aim: _Path = ("spec", "scaleTargetRef")
    kind, name = (text(manifest.data, *aim, field) for field in ("kind", "name"))
    namespace = manifest.namespace or "default"
    here = {k: ground.of_kind(k).get(f"{namespace}/{name}") for k in _SCALED}
    near = ground.names_of(kind, namespace).typo(name) if kind in _SCALED else None
    field = "name"
    if kind not in _SCALED:
        near = next((k for k, found in here.items() if found and is_typo(kind, k)), None)
        field = "kind"
    if here.get(kind) is not None or near is None:
        return None
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=f"HorizontalPodAutoscaler {namespace}/{manifest.name}",
        place=manifest.place(*aim, field),
        why=f"it scales {kind} {namespace}/{name}, which is not there",
        fix=f"write {near}",
    )


def _absent(ground: Ground, template: Template, need: Need) -> Finding | None:
    key = f"{template.namespace}/{need.name}"
    if key in ground.of_kind(need.kind) or _GIVEN.get(need.kind) == need.name:
        return None
    if ground.holders.is_made(need.kind, template.namespace, need.name):
        return None
    near = (
        ground.holders.meant(need.kind, template.namespace, need.name, need.key)
        if need.kind in KINDS
        else ground.names_of(need.kind, template.namespace).typo(need.name)
    ) or None
    away = next(iter(ground.namespaces_with(need.kind, need.name)), None)
    if near is None and (away is None or ground.is_kustomized):
        return None
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=template.subject,
        place=template.manifest.place(*need.path),
        why=f"its pods need {need.kind} {key}, which is not there"
        + (f"; it is in namespace {away}" if near is None else ""),
        fix=f"write {near}"
        if near is not None
        else f"put {need.kind} {need.name} into namespace {template.namespace}",
    )


def _without_key(ground: Ground, template: Template, need: Need) -> Finding | None:
    manifest = ground.of_kind(need.kind).get(f"{template.namespace}/{need.name}")
    if not need.key or manifest is None or need.name in ground.alternatives:
        return None
    near = wanting(manifest, need.key)
    if not near:
        return None
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=template.subject,
        place=template.manifest.place(*need.key_path),
        why=f"its pods need key {need.key} of {need.kind} {template.namespace}/{need.name}, "
        f"which has {near}",
        fix=f"write {near}",
    )


RULE = CheckRule(
    id=ID,
    summary="Something names an object that is not there",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
