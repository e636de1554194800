"""What a container's start hangs on, and the input does not show: how a volume is made, an answer.

Sources: Dockerfiles' USER of the images; kubelet's SetVolumeOwnership (fsGroup; not for hostPath);
docker-library/postgres and MySQL 5 on "lost+found"; docker-library/busybox issue 48 (nslookup).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8stui.apiserver.fields import Object, array, at, table, text
from k8stui.cluster.model import Caveat, Cluster, Pod
from k8stui.cluster.programs.evidence import read_by
from k8stui.cluster.programs.images import image_ports, image_tag, known_image
from k8stui.cluster.programs.probing import HANDLERS, PROBES, is_named, slipped
from k8stui.kernel.packet import Protocol
from k8stui.manifests import Manifest


def of_peers(cluster: Cluster, pod: Pod) -> Iterator[Caveat]:
    """A StatefulSet's pods that look for each other by names which only ready pods have.

    Names below a headless Service are those of ready pods, unless publishNotReadyAddresses is set
    (endpoints controller, podToEndpointAddress); and OrderedReady makes one pod after the other.
    """
    service = cluster.services.get(f"{pod.namespace}/{pod.subdomain}")
    if pod.owner is None or pod.owner[0] != "StatefulSet" or service is None:
        return
    if service.publish_not_ready_addresses or not service.headless:
        return
    # Of the first pod alone the others can wait: it is there before them.
    peer = re.compile(rf"\b{re.escape(pod.owner[1])}-[1-9]\d*\.{re.escape(service.name)}\b")
    for one in pod.containers:
        held = read_by(cluster.config_maps, pod, one) if one.probed else ()
        files = (str(text_) for _, each, _ in held for text_ in each.data.values())
        said = (*(value for _, value in one.env), *one.spoken, *files)
        found = next(filter(None, map(peer.search, said)), None) if one.probed else None
        if found is not None:
            yield Caveat(
                why=f"container {one.name} looks for its peers by name ({found[0]}), and Service "
                f"{service.name} gives names to ready pods alone: where its probe waits for the "
                "peers, none is ever ready",
                mend=f"write publishNotReadyAddresses: true into Service {service.name} (and "
                f"podManagementPolicy: Parallel into StatefulSet {pod.owner[1]})",
                origin=service.origins.get("publish_not_ready_addresses", service.origin),
            )


def of_neighbours(pod: Pod) -> Iterator[Caveat]:
    """Two containers that open one port of the pod's network namespace, declared or not."""
    seen: dict[int, str] = {}
    for one in pod.containers:
        if one.init and not one.restartable_init:
            continue
        numbers = [port.number for port in one.ports if port.protocol is Protocol.TCP]
        if not one.ports and one.told is not None and one.told.by_itself:
            numbers = [one.told.number]
        for number in numbers:
            first = seen.setdefault(number, one.name)
            if first != one.name:
                yield Caveat(
                    why=f"containers {first} and {one.name} both open {number}, and share the "
                    "pod's addresses: the second ends (address already in use)",
                    mend=f"let {one.name} listen on another port, or run it in a pod of its own",
                    origin=one.origin,
                )


_CLAIM, _HOST = "persistentVolumeClaim", "hostPath"
_USERS: Mapping[str, tuple[int, str]] = {
    "grafana/grafana": (472, "/var/lib/grafana"),
    "grafana/loki": (10001, "/loki"),
    "jenkins/jenkins": (1000, "/var/jenkins_home"),
    "jenkins": (1000, "/var/jenkins_home"),
    "prom/prometheus": (65534, "/prometheus"),
    "elasticsearch": (1000, "/usr/share/elasticsearch/data"),
    "docker.elastic.co/elasticsearch/elasticsearch": (1000, "/usr/share/elasticsearch/data"),
    "opensearchproject/opensearch": (1000, "/usr/share/opensearch/data"),
    "sonatype/nexus3": (200, "/nexus-data"),
    "sonarqube": (1000, "/opt/sonarqube/data"),
    "mcr.microsoft.com/mssql/server": (10001, "/var/opt/mssql"),
    "dpage/pgadmin4": (5050, "/var/lib/pgadmin"),
    "nodered/node-red": (1000, "/data"),
    "verdaccio/verdaccio": (10001, "/verdaccio/storage"),
    "solr": (8983, "/var/solr"),
}
"""Images that are not started as root: their user, and the folder that they write to."""


def caveats(
    manifest: Manifest, spec: Object, container: Object, base: tuple[str | int, ...]
) -> Iterator[Caveat]:
    """Those of one container; `base` is where it stands."""
    yield from _owned(manifest, spec, container, base)
    yield from _lost_and_found(manifest, spec, container, base)
    yield from _looked_up(manifest, container, base)
    yield from _probed_beside(manifest, spec, container, base)
    yield from _moved(manifest, container, base)
    yield from _privileged(manifest, spec, container, base)


_PRIVILEGED = 1024
"""Ports below are the root user's (ip(7), net.ipv4.ip_unprivileged_port_start)."""
_MAY_BIND = frozenset({"NET_BIND_SERVICE", "CAP_NET_BIND_SERVICE", "ALL"})
_WITH_RIGHT = frozenset({"caddy", "coredns/coredns", "registry.k8s.io/coredns/coredns"})
"""Images whose program's file has that capability itself."""


def _privileged(
    manifest: Manifest, spec: Object, container: Object, base: tuple[str | int, ...]
) -> Iterator[Caveat]:
    """A port of the root user's, declared by a container that is run as another user.

    containerd lets everybody have them since 2.0 (enable_unprivileged_ports), Docker since 20.10;
    CRI-O does not, nor does anybody in the node's own network namespace.
    """
    merged = {**table(spec, "securityContext"), **table(container, "securityContext")}
    user, added = (
        merged.get("runAsUser"),
        array(container, "securityContext", "capabilities", "add"),
    )
    told = any(
        "ip_unprivileged_port_start" in text(one, "name")
        for one in array(spec, "securityContext", "sysctls")
    )
    if not isinstance(user, int) or user == 0 or told or not _MAY_BIND.isdisjoint(map(str, added)):
        return
    if known_image(text(container, "image")) in _WITH_RIGHT or merged.get("privileged") is True:
        return
    for index, one in enumerate(array(container, "ports")):
        port = at(one, "containerPort")
        if isinstance(port, int) and port < _PRIVILEGED:
            yield Caveat(
                why=f"container {text(container, 'name')} runs as user {user}, and port {port} is "
                "the root user's where the container runtime does not open it to all (containerd "
                "before 2.0, CRI-O; hostNetwork): it ends (bind: Permission denied)",
                mend=f"let it listen on a port from {_PRIVILEGED} on, with targetPort, or write "
                'securityContext.sysctls: net.ipv4.ip_unprivileged_port_start: "0" into the '
                "pod's spec",
                origin=manifest.origin(*base, "ports", index, "containerPort"),
            )
            return


def _probed_beside(
    manifest: Manifest, spec: Object, container: Object, base: tuple[str | int, ...]
) -> Iterator[Caveat]:
    """A probe of another port than the declared ones, which may well be a port for probes alone.

    Of one next to them; of any, where the probe asks whether the program serves: no path, or ``/``.
    """
    if array(container, "envFrom") or image_ports(container):
        return
    for probe in PROBES:
        for how in HANDLERS:
            port = at(container, probe, how, "port")
            if not isinstance(port, int) or slipped(container, port) is not None:
                continue
            meant = slipped(container, port, or_near=True)
            if text(container, probe, how, "path") in ("", "/") and not is_named(container, port):
                declared = (at(one, "containerPort") for one in array(container, "ports"))
                meant = meant or next((one for one in declared if isinstance(one, int)), None)
            if meant is not None and not _declares(spec, port):
                yield Caveat(
                    why=f"the {probe} of container {text(container, 'name')} asks port {port}, "
                    f"which nothing else in it names; {meant} is declared: where nobody listens on "
                    f"{port}, it fails for ever",
                    mend=f"write port: {meant}, or declare {port}",
                    origin=manifest.origin(*base, probe, how, "port"),
                )


def _moved(manifest: Manifest, container: Object, base: tuple[str | int, ...]) -> Iterator[Caveat]:
    """Images of bitnami: those with versions left Docker Hub (bitnami/charts issue 35164)."""
    image = text(container, "image")
    owner, _, name = known_image(image).partition("/")
    if owner == "bitnami" and image_tag(image) not in ("", "latest"):
        yield Caveat(
            why=f"container {text(container, 'name')} runs {image}, and bitnami has taken its "
            "images with versions off Docker Hub in 2025: where the node has it not yet, it is not "
            "found (ImagePullBackOff)",
            mend=f"write image: docker.io/bitnamilegacy/{name}:{image_tag(image)} (no more updates)"
            ", or take another image",
            origin=manifest.origin(*base, "image"),
        )


def _declares(spec: Object, port: int) -> bool:
    containers = array(spec, "containers")
    return any(at(one, "containerPort") == port for c in containers for one in array(c, "ports"))


def _volumes(manifest: Manifest, spec: Object) -> dict[str, str]:
    """Volumes that outlive the pod, by name: of a claim, or of the node."""
    found = {}
    for one in array(spec, "volumes"):
        kind = next((kind for kind in (_CLAIM, _HOST) if kind in table(one)), "")
        found[text(one, "name")] = kind
    for one in array(manifest.data, "spec", "volumeClaimTemplates"):
        found[text(one, "metadata", "name")] = _CLAIM
    return found


def _owned(
    manifest: Manifest, spec: Object, container: Object, base: tuple[str | int, ...]
) -> Iterator[Caveat]:
    """A user that writes to a volume which is root's, as new ones mostly are."""
    merged = {**table(spec, "securityContext"), **table(container, "securityContext")}
    user, folder = _USERS.get(known_image(text(container, "image")), (None, ""))
    told = merged.get("runAsUser", user)
    if not folder or not isinstance(told, int) or told == 0:
        return
    volumes = _volumes(manifest, spec)
    prepared = {
        text(mount, "name")
        for one in array(spec, "initContainers")
        for mount in array(one, "volumeMounts")
    }
    for index, one in enumerate(array(container, "volumeMounts")):
        name, path = text(one, "name"), text(one, "mountPath").rstrip("/")
        kind = volumes.get(name, "")
        if not kind or name in prepared or not f"{folder}/".startswith(f"{path}/"):
            continue
        if kind == _CLAIM and at(spec, "securityContext", "fsGroup") is not None:
            continue
        chown = f"an init container that runs chown -R {told} {path}"
        yield Caveat(
            why=f"container {text(container, 'name')} runs as user {told}, and "
            + ("the kubelet makes" if kind == _HOST else "most drivers make")
            + f" a new volume for root alone: it then may not write to {path}, and ends "
            "(Permission denied)",
            mend=f"write {chown}: fsGroup does not change a hostPath"
            if kind == _HOST
            else f"write securityContext: fsGroup: {told} into the pod's spec, or {chown}",
            origin=manifest.origin(*base, "volumeMounts", index, "mountPath"),
        )


_POSTGRES = ("postgres", "postgis/postgis", "pgvector/pgvector", "timescale/timescaledb")
_ROOTS: Mapping[str, tuple[str, str, re.Pattern[str]]] = {
    **dict.fromkeys(
        _POSTGRES,
        ("/var/lib/postgresql/data", "PGDATA", re.compile(r"(?:latest-)?(?:pg)?(?:9|1[0-7])\b|$")),
    ),
    "mysql": ("/var/lib/mysql", "", re.compile(r"5\b")),
}
"""Images that refuse a data folder with anything in it, the variable of the folder, their tags."""


def _lost_and_found(
    manifest: Manifest, spec: Object, container: Object, base: tuple[str | int, ...]
) -> Iterator[Caveat]:
    folder, variable, tags = _ROOTS.get(known_image(text(container, "image")), ("", "", None))
    env = {text(one, "name"): text(one, "value") for one in array(container, "env")}
    if tags is None or not tags.match(image_tag(text(container, "image"))):
        return
    if env.get(variable, folder).rstrip("/") != folder or array(container, "envFrom"):
        return
    if any("lost+found" in str(word) for word in array(container, "args")):
        return
    volumes = _volumes(manifest, spec)
    for index, one in enumerate(array(container, "volumeMounts")):
        is_root = text(one, "mountPath").rstrip("/") == folder and not text(one, "subPath")
        if is_root and volumes.get(text(one, "name")) == _CLAIM:
            below = f"set {variable}: {folder}/data in its env, or " if variable else ""
            yield Caveat(
                why=f"container {text(container, 'name')} has its data at the root of a volume: "
                "where that is a disk of its own (a cloud's), lost+found stands there, and a new "
                "database is not made in a folder that is not empty: it ends",
                mend=f"{below}write subPath: data beside mountPath",
                origin=manifest.origin(*base, "volumeMounts", index, "mountPath"),
            )


_OLD_BUSYBOX = re.compile(r"1\.(?:1?\d|2[0-8])(?!\d)")
_LOOKS = re.compile(r"\b(?:until|while\s+!)\s+nslookup\s+(?P<name>[a-z][\w.-]*)")
_WHOLE = re.compile(r"\.svc\.|\.$|\$")


def _looked_up(
    manifest: Manifest, container: Object, base: tuple[str | int, ...]
) -> Iterator[Caveat]:
    image = text(container, "image")
    if known_image(image) != "busybox" or _OLD_BUSYBOX.match(image_tag(image)):
        return
    for field in ("command", "args"):
        for index, word in enumerate(array(container, field)):
            found = _LOOKS.search(str(word))
            if found is not None and not _WHOLE.search(found["name"]):
                yield Caveat(
                    why=f"container {text(container, 'name')} waits until nslookup finds "
                    f"{found['name']}, and busybox's since 1.29 may answer a short name with an "
                    "error though it has an address: the loop then does not end",
                    mend="take image busybox:1.28, or look up the whole name "
                    f"({found['name']}.NAMESPACE.svc.cluster.local)",
                    origin=manifest.origin(*base, field, index),
                )
