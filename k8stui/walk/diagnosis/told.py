"""Where a client is told whom it asks: the env value or the ConfigMap's line that names the host.

Where a name or port is wrong, that line is what has to be mended, and no Service.
"""

from __future__ import annotations

import re

from k8stui.cluster.model import Cluster, Container, Pod, Service
from k8stui.cluster.programs.evidence import read_by
from k8stui.manifests.manifest import FieldPlace
from k8stui.origin import Origin


def told_at(cluster: Cluster, client: Pod, host: str) -> Origin | None:
    """The first value that names exactly this host."""
    return (
        _naming(cluster, client, rf"{re.escape(host.rstrip('.'))}(?![\w.-]*\w)") if host else None
    )


def told_port_at(cluster: Cluster, client: Pod, service: Service, port: int) -> Origin | None:
    """The first value that names the Service, by any of its names, and this port behind it."""
    name, space = re.escape(service.name), re.escape(service.namespace)
    short = "?" if client.namespace == service.namespace else ""
    return _naming(cluster, client, rf"{name}(?:\.{space}(?:\.[\w.-]+)?){short}:{port}(?!\d)")


def _naming(cluster: Cluster, client: Pod, pattern: str) -> Origin | None:
    named = re.compile(rf"(?<![\w.-]){pattern}")
    for container in client.containers:
        for index, (_, value) in enumerate(container.env):
            if named.search(value):
                return _of_value(container, container.env_at[index])
        for _, held, only in read_by(cluster.config_maps, client, container):
            for line in held.lines(only):
                if (found := named.search(line.text)) is not None:
                    is_one_line = line.text.startswith(f"{line.key}=")
                    behind_key = found.start() - (len(line.key) + 1 if is_one_line else 0)
                    return held.origin(line.key, line.offset + max(behind_key, 0))
    return None


def _of_value(container: Container, index: int) -> Origin:
    place = container.origin.place
    if not isinstance(place, FieldPlace):
        return container.origin
    path = (*place.path, "env", index, "value")
    return Origin(kind=container.origin.kind, place=FieldPlace(place.file, path, place.locator))
