"""What a cluster's components are told: kube-proxy, the plug-in, the ranges of addresses."""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.configurations import embedded_in
from k8stui.cluster.distribution import Distribution, find_distribution
from k8stui.cluster.memory import Memory
from k8stui.cluster.model import CalicoSettings, NetworkPlugin, ProxyConfiguration
from k8stui.cluster.networks.calico import calico_settings
from k8stui.cluster.networks.network_plugins import seen_plugins
from k8stui.cluster.options import ClusterOptions
from k8stui.cluster.proxy_arguments import told_by_arguments
from k8stui.cluster.proxy_configuration import completed_by_kubeadm, read_proxy, replaced
from k8stui.cluster.settings import ClusterSettings, flannel_configurations, read_settings
from k8stui.manifests import Manifest, Manifests
from k8stui.record import record


@record(kw_only=True)
class Configured:
    """Read from the input, or what stands for it."""

    proxy: ProxyConfiguration
    settings: ClusterSettings
    distribution: Distribution
    plugins: tuple[NetworkPlugin, ...]
    calico: CalicoSettings | None
    written: tuple[Manifest, ...]
    """All configurations of components that there are, those in ConfigMaps too."""


def configured(
    manifests: Manifests,
    objects: Sequence[Manifest],
    inventory: Inventory,
    options: ClusterOptions,
    memory: Memory,
) -> Configured:
    """What the `objects` of the `inventory` say, and `options` instead of them.

    Raises:
        ProxyConfigurationError: it is not clear which KubeProxyConfiguration counts.

    """
    plain = tuple(inventory.of("KubeProxyConfiguration").values())
    inner = tuple(embedded_in(inventory, "KubeProxyConfiguration"))
    proxy = read_proxy(plain, inner, told_by_arguments(inventory), options)
    kubeadm = (
        *embedded_in(inventory, "ClusterConfiguration"),
        *inventory.of("ClusterConfiguration").values(),
    )
    distribution = find_distribution(inventory, options.distribution)
    calico = calico_settings(objects, memory)
    ranges = (*kubeadm, *inventory.of("Cluster").values())
    settings = read_settings(inventory, ranges, proxy, distribution, calico, memory=memory)
    proxy = completed_by_kubeadm(proxy, plain, kubeadm, settings.pod_cidrs.values(), distribution)
    plugins = seen_plugins(objects, manifests.skipped, memory)
    return Configured(
        proxy=proxy if options.proxy_mode else replaced(proxy, plugins),
        settings=settings,
        distribution=distribution,
        plugins=plugins,
        calico=calico,
        written=(*plain, *inner, *kubeadm, *flannel_configurations(inventory)),
    )
