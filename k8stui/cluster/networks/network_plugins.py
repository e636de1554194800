"""Which network plug-in the input shows: its DaemonSet, its ConfigMap, its marks on Nodes, its API.

Flannel and the plain plug-ins are known by their configurations. Of these here the node room
imitates some; of the others it must be said that one is there, since the nodes are then walked as
another plug-in would leave them.

Sources: the projects' own installation manifests (Calico manifests/calico.yaml, Cilium
install/kubernetes, weave-daemonset-k8s.yaml, kube-router daemonset, amazon-vpc-cni-k8s
config/master/aws-k8s-cni.yaml, kindnet in kind, antrea.yml, ovn-kubernetes dist/templates, kube-ovn
dist/images, azure-container-networking).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import array, table, text
from k8stui.cluster.memory import NO_MEMORY, Memory
from k8stui.cluster.model import NetworkPlugin
from k8stui.cluster.programs.images import bare_image
from k8stui.origin import Origin, OriginKind
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


@record(kw_only=True)
class _Sign:
    """By what a plug-in is known."""

    name: str
    daemon_sets: tuple[str, ...] = ()
    """Names; the names of their pods begin so."""
    images: tuple[str, ...] = ()
    """Ends of the image's name, without registry and tag."""
    config_maps: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """API groups, with all below them."""
    annotations: tuple[str, ...] = ()
    """Beginnings of the keys of a Node's annotations."""
    by: str = ""
    """By what it moves packets where that is not Linux' own tables."""
    always: tuple[str, ...] = ()
    """What it does itself in place of others."""
    settings: str = ""
    """The ConfigMap that says what else."""
    proxies: str | None = None
    """The key there that says whether it does kube-proxy's work; empty: it always does."""
    masquerades: str = ""
    """The key there that says whether it masquerades itself."""
    blocks: str = ""
    """The key there that says whether address blocks of policies mean nodes."""
    host_ports: tuple[tuple[str, str], ...] = ()
    """Keys and values there of which one opens hostPorts, where kube-proxy does its own work."""


_SIGNS = (
    _Sign(
        name="Canal",
        daemon_sets=("canal", "rke2-canal"),
        config_maps=("canal-config", "rke2-canal-config"),
    ),
    _Sign(
        name="Calico",
        daemon_sets=("calico-node", "calico-node-windows"),
        images=("calico/node", "calico-node", "mirrored-calico-node", "hardened-calico"),
        config_maps=("calico-config",),
        groups=("projectcalico.org", "operator.tigera.io"),
        annotations=("projectcalico.org/",),
    ),
    _Sign(
        name="Cilium",
        daemon_sets=("cilium", "cilium-node", "anetd"),
        images=("cilium/cilium",),
        config_maps=("cilium-config",),
        groups=("cilium.io",),
        annotations=("io.cilium.", "network.cilium.io/"),
        by="eBPF",
        always=("the way between pods", "policies"),
        settings="cilium-config",
        proxies="kube-proxy-replacement",
        masquerades="enable-bpf-masquerade",
        blocks="policy-cidr-match-mode",
        host_ports=(("enable-host-port", "true"), ("cni-chaining-mode", "portmap")),
    ),
    _Sign(
        name="Weave Net",
        daemon_sets=("weave-net",),
        images=("weave-kube", "weaveworks/weave"),
    ),
    _Sign(
        name="kube-router",
        daemon_sets=("kube-router",),
        images=("cloudnativelabs/kube-router",),
        config_maps=("kube-router-cfg",),
        annotations=("kube-router.io/",),
    ),
    _Sign(
        name="Amazon VPC CNI",
        daemon_sets=("aws-node",),
        images=("amazon-k8s-cni",),
        config_maps=("amazon-vpc-cni",),
        groups=("crd.k8s.amazonaws.com", "vpcresources.k8s.aws"),
    ),
    _Sign(name="kindnet", daemon_sets=("kindnet",), images=("kindnetd", "kindnet")),
    _Sign(
        name="Antrea",
        daemon_sets=("antrea-agent",),
        images=("antrea/antrea-agent", "antrea/antrea-agent-ubuntu", "antrea-ubuntu"),
        config_maps=("antrea-config",),
        groups=("antrea.io",),
        annotations=("node.antrea.io/",),
    ),
    _Sign(
        name="Kube-OVN",
        daemon_sets=("kube-ovn-cni", "ovs-ovn"),
        images=("kubeovn/kube-ovn",),
        groups=("kubeovn.io",),
        annotations=("ovn.kubernetes.io/",),
    ),
    _Sign(
        name="OVN-Kubernetes",
        daemon_sets=("ovnkube-node",),
        images=("ovn-kube", "ovn-kube-u", "ovn-kube-f"),
        config_maps=("ovn-config",),
        groups=("k8s.ovn.org",),
        annotations=("k8s.ovn.org/",),
        by="Open vSwitch",
        always=("the way between pods", "policies", "the masquerade"),
        proxies="",
    ),
    _Sign(
        name="Azure CNI",
        daemon_sets=("azure-cni", "azure-cns", "azure-cni-networkmonitor"),
        images=("azure-cns", "azure-cni", "networkmonitor"),
        config_maps=("cns-config", "azure-ip-masq-agent-config"),
        groups=("acn.azure.com",),
    ),
    _Sign(name="OpenShift SDN", daemon_sets=("sdn",), groups=("network.openshift.io",)),
    _Sign(name="Romana", daemon_sets=("romana-agent",)),
)
_FLANNEL = _Sign(
    name="Flannel",
    daemon_sets=("kube-flannel-ds", "kube-flannel"),
    images=("flannel", "hardened-flannel", "mirrored-flannel-flannel"),
)
"""Known by its configuration; here it says whose a configuration of the CNI is."""
_NAMES = frozenset(sign.name for sign in (*_SIGNS, _FLANNEL))
_CONFIGURATIONS = "/etc/cni/net.d"
_BESIDE = re.compile(
    r"multus|whereabouts|sriov|danm|bond-cni|dhcp|install-cni|linkerd|istio|(?:^|/)netd$|"
    "bandwidth|portmap|kuma|ambient"
)
"""Images of those that write there and need a network plug-in beside them: further devices of a
pod, a mesh's redirection, GKE's netd."""


def seen_plugins(
    objects: Sequence[Manifest],
    skipped: Iterable[tuple[str, str]],
    memory: Memory = NO_MEMORY,
) -> tuple[NetworkPlugin, ...]:
    """The plug-ins, each once, at the first place that shows it.

    `skipped`: (apiVersion, kind) of objects that were not kept; they have no place.
    """
    found: dict[str, NetworkPlugin] = {}
    said: dict[str, Manifest] = {}
    for manifest, signs in zip(objects, memory.each("plugins", objects, _signs), strict=True):
        if manifest.kind == "ConfigMap" and manifest.name in _SETTINGS:
            said[manifest.name] = manifest
        for sign, path in signs:
            found.setdefault(sign.name, _plugin(sign, manifest.origin(*path)))
    for version, kind in sorted(skipped):
        for sign in _of_group(version.partition("/")[0]):
            origin = Origin(kind=OriginKind.OBSERVED, reason=f"the input holds {kind} of {version}")
            found.setdefault(sign.name, _plugin(sign, origin))
    for sign in _SIGNS:
        if sign.settings in said and sign.name in found:
            found[sign.name] = _told(sign, found[sign.name], said[sign.settings])
    if not _NAMES.isdisjoint(found):  # an unknown one adds to it
        found = {name: plugin for name, plugin in found.items() if name in _NAMES}
    found.pop(_FLANNEL.name, None)
    if "Canal" in found:  # its DaemonSet runs Calico's programs too
        found.pop("Calico", None)
    return tuple(found.values())


def _signs(manifest: Manifest) -> tuple[tuple[_Sign, _Path], ...]:
    return tuple(_shown(manifest))


_SETTINGS = frozenset(sign.settings for sign in _SIGNS if sign.settings)
_ON = frozenset({"true", "strict"})
"""Values that switch all of it on (Cilium: ``strict`` until 1.13, then ``true``)."""
_OFF = frozenset({"false", "disabled"})


def _plugin(sign: _Sign, origin: Origin) -> NetworkPlugin:
    always = sign.proxies == ""
    return NetworkPlugin(
        name=sign.name,
        origin=origin,
        by=sign.by,
        replaces=(*(("kube-proxy's work",) if always else ()), *sign.always),
        replaces_proxy=origin if always else None,
    )


def _told(sign: _Sign, found: NetworkPlugin, settings: Manifest) -> NetworkPlugin:
    """The plug-in with what its own settings say that it does beside."""
    more: list[str] = []
    proxy = leaves = None
    said = text(settings.data, "data", sign.proxies) if sign.proxies else ""
    if sign.proxies and said in _ON:
        proxy = settings.origin("data", sign.proxies)
        more.append("kube-proxy's work")
    elif sign.proxies and said in _OFF:
        leaves = settings.origin("data", sign.proxies)
    opened = any(text(settings.data, "data", key) == value for key, value in sign.host_ports)
    if sign.masquerades and text(settings.data, "data", sign.masquerades) in _ON:
        more.append("the masquerade")
    return replace(
        found,
        replaces=(*more, *found.replaces),
        replaces_proxy=proxy,
        leaves_proxy=leaves,
        closes_host_ports=None if opened or not sign.host_ports else leaves,
        blocks_mean_nodes="nodes" in text(settings.data, "data", sign.blocks).split(","),
    )


_Path = tuple[str | int, ...]


def _shown(manifest: Manifest) -> Iterator[tuple[_Sign, _Path]]:
    """What one object shows, and by which of its fields."""
    name: _Path = ("metadata", "name")
    match manifest.kind:
        case "DaemonSet":
            spec = table(manifest.data, "spec", "template", "spec")
            images = tuple(_images(spec))
            known = False
            for sign in (*_SIGNS, _FLANNEL):
                if manifest.name in sign.daemon_sets or _is_image(sign, images):
                    known = True
                    yield sign, name
            if not known and _writes_configurations(spec, images):
                yield _Sign(name=manifest.name), name
        case "Pod":
            if (manifest.namespace or "default") != "default":
                base = manifest.name.rpartition("-")[0]
                yield from ((sign, name) for sign in _SIGNS if base and base in sign.daemon_sets)
        case "ConfigMap":
            yield from ((sign, name) for sign in _SIGNS if manifest.name in sign.config_maps)
        case "Node":
            for key in table(manifest.data, "metadata", "annotations"):
                for sign in _SIGNS:
                    if key.startswith(sign.annotations):
                        yield sign, ("metadata", "annotations", key)
        case _:
            yield from ((sign, name) for sign in _of_group(manifest.group))


def _writes_configurations(spec: Mapping[str, object], images: Sequence[str]) -> bool:
    """Whether a daemon on the nodes' own network gives the kubelet its network configuration."""
    if spec.get("hostNetwork") is not True or any(map(_BESIDE.search, images)):
        return False
    there = {
        text(volume, "name")
        for volume in array(spec, "volumes")
        if f"{text(volume, 'hostPath', 'path')}/".startswith(f"{_CONFIGURATIONS}/")
    }
    return any(
        text(mount, "name") in there and table(mount).get("readOnly") is not True
        for part in ("initContainers", "containers")
        for container in array(spec, part)
        for mount in array(container, "volumeMounts")
    )


def _images(spec: object) -> Iterator[str]:
    for field in ("initContainers", "containers"):
        for container in array(spec, field):
            yield bare_image(text(container, "image"))


def _is_image(sign: _Sign, images: Sequence[str]) -> bool:
    return any(
        image == known or image.endswith(f"/{known}") for image in images for known in sign.images
    )


@lru_cache(maxsize=256)
def _of_group(group: str) -> tuple[_Sign, ...]:
    """Whose group it is: asked for every object, of a few groups."""
    return tuple(
        sign
        for sign in _SIGNS
        if any(group == known or group.endswith(f".{known}") for known in sign.groups)
    )
