"""Which KubeProxyConfiguration counts, and what it says.

Source: pkg/proxy/apis/config/v1alpha1 (defaults.go, types.go), cmd/kube-proxy/app/server.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from k8stui.apiserver.fields import Object, flag, number, table, text, texts
from k8stui.cluster.fields import Origins
from k8stui.cluster.model import NetworkPlugin, Node, ProxyConfiguration
from k8stui.cluster.options import ClusterOptions
from k8stui.cluster.proxy_arguments import is_shared, named_by_argument
from k8stui.errors import K8sTuiError
from k8stui.kernel.address import Prefix
from k8stui.origin import OriginKind, assumed, defaulted
from k8stui.settings import MODE, PROXY, PROXY_CONFIG, PROXY_MODE, Setting

if TYPE_CHECKING:
    from k8stui.apiserver.inventory import Inventory
    from k8stui.cluster.distribution import Distribution
    from k8stui.manifests import Manifest

REPLACED = "none"
"""The mode of a kube-proxy that is not there: a network plug-in does its work."""
NFTABLES = "nftables"
"""The mode whose settings have a section of their own."""


class ProxyConfigurationError(K8sTuiError):
    """It is not clear which configuration counts, or the wanted one is not in the input."""

    def __init__(self, wanted: str | None, files: Sequence[str]) -> None:
        super().__init__(wanted, files)
        self.told_of = PROXY_CONFIG.flag if wanted is not None else ""
        self.wanted = wanted
        """File that the option names; None: there are several and no option chooses."""
        self.files = tuple(files)
        """Files that hold a KubeProxyConfiguration."""

    def __str__(self) -> str:
        known = ", ".join(self.files)
        if self.wanted is None:
            choose = f"choose one with {PROXY_CONFIG.flag} {PROXY_CONFIG.metavar}"
            return f"several KubeProxyConfigurations: {known}; {choose}"
        found = f"the input has one in {known}" if known else "the input has none"
        return f"no KubeProxyConfiguration in {self.wanted}; {found}"


NO_SUBNET = "kubeadm: no podSubnet, so no clusterCIDR"
"""Why a kube-proxy of kubeadm's has none."""


def read_proxy(
    plain: Sequence[Manifest],
    embedded: Sequence[Manifest],
    by_arguments: ProxyConfiguration | None,
    options: ClusterOptions,
) -> ProxyConfiguration:
    """Decode the configuration that counts; an option overrides its mode.

    A `plain` document wins over one that is `embedded` in a ConfigMap: it was given on purpose.
    What the input's kube-proxy is told by its arguments, without a file, wins over the latter.
    Several of one kind that say the same are one.

    Raises:
        ProxyConfigurationError: several say different things and `options.proxy_config` does not
            choose, or the file that it names has none.

    """
    if by_arguments is not None and not plain and options.proxy_config is None:
        configuration = by_arguments
    elif (manifest := _choose(plain, embedded, options.proxy_config)) is None:
        configuration = ProxyConfiguration(
            origin=assumed("no KubeProxyConfiguration in the input: kube-proxy's own defaults")
        )
    else:
        configuration = decode_proxy(manifest, options.proxy_mode)
    if options.proxy_mode:
        origins = {**configuration.origins, "mode": assumed(PROXY_MODE.flag)}
        configuration = replace(configuration, mode=options.proxy_mode, origins=origins)
    return configuration


def completed_by_kubeadm(
    proxy: ProxyConfiguration,
    plain: Sequence[Manifest],
    configurations: Sequence[Manifest],
    pods: Iterable[Prefix],
    distribution: Distribution,
) -> ProxyConfiguration:
    """`proxy` with the clusterCIDR that kubeadm writes into it: podSubnet, the pods' ranges.

    A KubeProxyConfiguration stands as it is written, unless it is one of the `plain` documents and
    in one file with a ClusterConfiguration (`configurations`): ``kubeadm init --config`` reads
    both. Where there is none, the cluster is taken for one that kubeadm made: a
    ClusterConfiguration without podSubnet is one without clusterCIDR, and if there is not even
    that, podSubnet was the pods' ranges, `pods`; or as other distributions do it.

    Source: cmd/kubeadm/app/componentconfigs/kubeproxy.go (kubeProxyConfig.Default).
    """
    said = proxy.origin.kind is not OriginKind.ASSUMED
    if not said and distribution.proxy_mode and "mode" not in proxy.origins:
        started = f"how {distribution.name} starts its kube-proxy"
        origins = {**proxy.origins, "mode": assumed(started, distribution.origin.place)}
        proxy = replace(proxy, mode=distribution.proxy_mode, origins=origins)
    if proxy.cluster_cidr or (said and not _is_for_kubeadm(proxy, plain, configurations)):
        return proxy
    subnets = [one for one in configurations if _subnet(one)]
    if subnets:
        place = subnets[-1].origin("networking", "podSubnet").place
        cidr, origin = _subnet(subnets[-1]), defaulted("kubeadm: clusterCIDR is podSubnet", place)
    elif configurations:
        place = configurations[-1].origin().place
        cidr, origin = "", defaulted(NO_SUBNET, place)
    else:
        why = f"no KubeProxyConfiguration in the input: {distribution.proxy}"
        cidr = ",".join(map(str, pods)) if distribution.proxy_knows_pods else ""
        origin = assumed(why, distribution.origin.place)
    origins = {**proxy.origins, "cluster_cidr": origin}
    return replace(proxy, cluster_cidr=cidr, origins=origins)


def replaced(proxy: ProxyConfiguration, plugins: Iterable[NetworkPlugin]) -> ProxyConfiguration:
    """`proxy`; none where the input has no configuration of it and a plug-in does its work."""
    if proxy.origin.kind is not OriginKind.ASSUMED:
        return proxy
    for one in plugins:
        if one.replaces_proxy is not None:
            origins = {**proxy.origins, "mode": one.replaces_proxy}
            return replace(proxy, mode=REPLACED, origins=origins)
    return proxy


def of_no_node(
    proxy: ProxyConfiguration, nodes: Mapping[str, Node], inventory: Inventory
) -> ProxyConfiguration:
    """`proxy` with its hostnameOverride only where that is not what its Node is called.

    One of a Node's name is that node's own configuration, and the others have theirs, unless a
    DaemonSet of the input gives all of them the same. An argument goes before it (nodeutil
    GetHostname makes it lower case).
    """
    argument = named_by_argument(inventory)
    field = ""
    if argument is not None:
        field = argument.field
        origins = {**proxy.origins, "hostname_override": argument.origin}
        proxy = replace(proxy, hostname_override=argument.written, origins=origins)
    said = proxy.hostname_override.strip()
    said = said if field else said.lower()
    if not said:
        return proxy
    is_right = (
        any(node.origin.kind is OriginKind.ASSUMED for node in nodes.values())
        or field == "spec.nodeName"
        or (said in nodes and not (len(nodes) > 1 and is_shared(inventory)))
        or all(_goes_by_address(node) for node in nodes.values())
        or ("$" in said and field not in _ADDRESSES)
    )
    return replace(proxy, hostname_override="" if is_right else said)


_ADDRESSES = ("status.hostIP", "status.podIP")


def _goes_by_address(node: Node) -> bool:
    return node.name in map(str, node.addresses)


def _is_for_kubeadm(
    proxy: ProxyConfiguration, plain: Iterable[Manifest], configurations: Iterable[Manifest]
) -> bool:
    """Whether `proxy` was read from a document of a file for ``kubeadm init --config``."""
    here = proxy.origin.place
    if here is None:
        return False
    own = (place for one in plain if (place := one.origin().place))
    return any((one.file, one.line) == (here.file, here.line) for one in own) and any(
        one.file == here.file for one in configurations
    )


def _subnet(configuration: Manifest) -> str:
    return text(table(configuration.data, "networking"), "podSubnet")


def decode_proxy(manifest: Manifest, mode: str | None = None) -> ProxyConfiguration:
    """One KubeProxyConfiguration with kube-proxy's defaults; `mode` goes before what it says."""
    mode = mode or text(manifest.data, *MODE.path)
    paths = {setting.name: _path(setting, mode) for setting in PROXY}
    read = {one.name: _value(one, manifest.data, paths[one.name]) for one in PROXY}
    return replace(
        ProxyConfiguration(origin=manifest.origin()),
        origins=Origins(manifest, paths, filled_in_by="kube-proxy"),
        **read,
    )


def _path(setting: Setting[object], mode: str) -> tuple[str, ...]:
    """Where it stands for a kube-proxy in that mode (server_linux.go createProxier)."""
    return setting.nftables_path if mode == NFTABLES and setting.nftables_path else setting.path


def _value(setting: Setting[object], data: Object, path: tuple[str, ...]) -> Any:
    """What is written; its default where nothing is, or something of another type."""
    match setting.default:
        case bool():
            found: object = flag(data, *path)
        case int():
            found = number(data, *path)
        case str():
            found = text(data, *path) or None
        case _:
            found = texts(data, *path)
    return setting.default if found is None else found


def _choose(
    plain: Sequence[Manifest], embedded: Sequence[Manifest], wanted: str | None
) -> Manifest | None:
    if wanted is not None:
        from pathlib import PurePath  # noqa: PLC0415 - 3 ms

        for manifest in (*plain, *embedded):
            if PurePath(manifest.file) == PurePath(wanted):
                return manifest
        raise ProxyConfigurationError(wanted, _files((*plain, *embedded)))
    found = plain or embedded
    if any(manifest.data != found[0].data for manifest in found):
        raise ProxyConfigurationError(None, _files(found))
    return found[0] if found else None


def _files(found: Sequence[Manifest]) -> list[str]:
    return list(dict.fromkeys(manifest.file for manifest in found))
