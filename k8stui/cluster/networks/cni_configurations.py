"""What the input says to container runtimes: network configuration lists, Docker's options.

Lists stand in ``*.conflist`` files and inside ConfigMaps.

Sources: the CNI specification, section 1 ("Network configuration format"); the ConfigMaps
``kube-flannel-cfg`` and ``kube-router-cfg`` (key ``cni-conf.json``), ``calico-config`` (a template,
that no parser reads, is none).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import table, text
from k8stui.cluster.model import Cluster, CniConfiguration, Lack
from k8stui.manifests.foreign import CNI_LIST, DOCKER_OPTIONS
from k8stui.origin import Origin

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


_MARKS = ('"cniVersion"', '"plugins"')
_NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]*"
"""What a runtime takes for a network's name (libcni pkg/utils/utils.go:ValidateNetworkName)."""


def cni_configurations(objects: Iterable[Manifest]) -> tuple[CniConfiguration, ...]:
    """All of them, in the order of the input."""
    return tuple(_found(objects))


def closed_host_ports(cluster: Cluster) -> Lack | None:
    """None: somebody opens them, or nothing is known of it.

    A list of plug-ins of which none is portmap (cni.dev/plugins/current/meta/portmap); Cilium and
    OVN open them without, but Cilium not where it leaves Services to kube-proxy.
    """
    for plugin in cluster.network_plugins:
        if plugin.closes_host_ports is not None:
            return Lack(
                f"{plugin.name} opens none where it leaves kube-proxy's work to kube-proxy, unless "
                "it calls portmap",
                'set kube-proxy-replacement: "true" (Helm: kubeProxyReplacement) or '
                "cni.chainingMode: portmap and restart Cilium's pods, or let the pod use "
                "hostNetwork",
                plugin.closes_host_ports,
            )
    lists = [one for one in cluster.cni_configurations if one.plugins]
    types = [str(plugin.get("type")) for one in lists for plugin in one.plugins]
    by_itself = any("portmap" in one or "cilium" in one or "ovn" in one for one in types)
    if not lists or by_itself:
        return None
    name = lists[0].name
    return Lack(
        f"the CNI configuration {name} names no plug-in that opens it (portmap)",
        f"add portmap to the plugins of {name} ({{type: portmap, capabilities: "
        "{portMappings: true}}), or let the pod use hostNetwork",
        lists[0].origin,
    )


def _found(objects: Iterable[Manifest]) -> Iterator[CniConfiguration]:
    for manifest in objects:
        if manifest.kind == CNI_LIST:
            found = cni_configuration(manifest.data, manifest.origin())
            if found is not None:
                yield found
        elif manifest.kind == "ConfigMap":
            for key, written in table(manifest.data, "data").items():
                # Dashboards and the like have types too, and are long: only a list is parsed.
                if isinstance(written, str) and any(mark in written for mark in _MARKS):
                    found = cni_configuration(_read(written), manifest.origin("data", key))
                    if found is not None:
                        yield found


def cni_configuration(data: object, origin: Origin) -> CniConfiguration | None:
    """What `data` says, a list or one plug-in alone; None: it is no such configuration."""
    if not isinstance(data, Mapping):
        return None
    name = data.get("name")
    written = data.get("plugins", [data])
    plugins = tuple(
        one
        for one in (written if isinstance(written, list) else ())
        if isinstance(one, Mapping) and isinstance(one.get("type"), str)
    )
    if not plugins:
        return None
    usable = isinstance(name, str) and re.fullmatch(_NAME, name)
    return CniConfiguration(name=str(name) if usable else "", plugins=plugins, origin=origin)


def docker_options(objects: Iterable[Manifest]) -> Mapping[str, object] | None:
    """The first ``daemon.json``: a file of that name, or in a ConfigMap.

    Source: moby cmd/dockerd (the file's names are those of the options).
    """
    for manifest in objects:
        if manifest.kind == DOCKER_OPTIONS:
            return manifest.data
        if manifest.kind == "ConfigMap":
            found = _read(text(manifest.data, "data", "daemon.json"))
            if isinstance(found, Mapping):
                return found
    return None


def _read(written: str) -> object:
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return None
