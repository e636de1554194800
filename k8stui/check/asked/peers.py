"""Pods of StatefulSets: each has its name below the governing Service, and no other."""

from __future__ import annotations

from k8stui.apiserver import defaults
from k8stui.apiserver.fields import array, table, text, texts
from k8stui.check.asked.hosts import ToldHost, in_vain
from k8stui.check.finding import Finding
from k8stui.check.ground import Ground
from k8stui.manifests import Manifest
from k8stui.suggest import is_same_thing, is_typo


def below_a_service(
    ground: Ground, manifest: Manifest, one: ToldHost, who: str, own: str
) -> Finding | None:
    """A StatefulSet's pod below another name than its governing Service's (``db-0.dbs``)."""
    pod, _, rest = one.host.partition(".")
    base, _, number = pod.rpartition("-")
    below, _, further = rest.partition(".")
    made = ground.of_kind("StatefulSet").get(f"{own}/{base}") if number.isdecimal() else None
    governing = text(made.data, "spec", "serviceName") if made is not None else ""
    service = ground.cluster.services.get(f"{own}/{governing}")
    known = further == "" or further.startswith((f"{own}.svc", "svc"))
    there = further.partition(".svc")[0] if ".svc" in further else own
    unlike = f"{who} leads to {one.host}"
    if made is not None and below == own and further.startswith("svc"):
        why = f"{unlike}, which leaves out Service {governing} behind the pod's name"
        return in_vain(manifest, one, why, f"write {pod}.{governing}.{rest}")
    if made is not None and below == governing and there != own and service is not None:
        if f"{there}/{below}" in ground.cluster.services:
            return None
        why = f"{unlike}: StatefulSet {made.name} is in namespace {own}, and there is no Service "
        full = f"{pod}.{below}.{own}.svc.{ground.cluster.cluster_domain}"
        return in_vain(manifest, one, f"{why}{there}/{below}", f"write {full}")
    if number.isdecimal() and below and further == "" and made is None:
        return _peer_elsewhere(ground, manifest, one, who, own)
    if made is not None and service is not None and pod == one.host and one.port is not None:
        if service.cluster_ips or f"{own}/{pod}" in ground.cluster.services:
            return None
        alone = manifest is made and defaults.replicas(made.kind, table(made.data, "spec")) == 1
        if alone or _finds_by_itself(ground, pod):
            return None
        why = f"{unlike}, a pod: it has no DNS name but that below Service {governing}"
        return in_vain(manifest, one, why, f"write {pod}.{governing}")
    if not below or below == governing or service is None or not known:
        return None
    alike = is_typo(below, governing) or is_same_thing(below, governing) or below == base
    # A pod's name and one more label: another namespace's Service of that name, else nobody's.
    alone = further == "" and below not in ground.in_namespace
    if f"{own}/{below}" not in ground.cluster.services and not (alike or alone):
        return None
    why = (
        f"{who} leads to {one.host}: pod {pod} has its name below Service {governing}, which "
        f"governs StatefulSet {base} (serviceName)"
    )
    return in_vain(manifest, one, why, f"write {pod}.{governing}")


def _finds_by_itself(ground: Ground, pod: str) -> bool:
    """Whether some pod has a search list of its own, or the name in its /etc/hosts."""
    return any(
        texts(one.spec, "dnsConfig", "searches")
        or any(pod in texts(alias, "hostnames") for alias in array(one.spec, "hostAliases"))
        for one in ground.templates
    )


def _peer_elsewhere(
    ground: Ground, manifest: Manifest, one: ToldHost, who: str, own: str
) -> Finding | None:
    """``db-0.db`` of a StatefulSet in another namespace: its name ends in that."""
    pod, _, below = one.host.partition(".")
    there = ground.namespaces_with("StatefulSet", pod.rpartition("-")[0])
    # In a namespace of that name it may be a Service's own name.
    if (
        len(there) != 1
        or below in ground.in_namespace
        or f"{own}/{below}" in ground.cluster.services
    ):
        return None
    made = ground.of_kind("StatefulSet")[f"{there[0]}/{pod.rpartition('-')[0]}"]
    if text(made.data, "spec", "serviceName") != below:
        return None
    why = f"{who} leads to {one.host}: StatefulSet {made.name} is in namespace {there[0]}, and its "
    return in_vain(
        manifest,
        one,
        f"{why}pods have their names there",
        f"write {one.host}.{there[0]}",
    )
