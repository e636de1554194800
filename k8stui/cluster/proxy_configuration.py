"""Which KubeProxyConfiguration counts, and what it says.

Source: pkg/proxy/apis/config/v1alpha1 (defaults.go, types.go), cmd/kube-proxy/app/server.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from k8stui.cluster.fields import array, flag, number, table, text
from k8stui.cluster.model import ProxyConfiguration
from k8stui.cluster.options import ClusterOptions
from k8stui.manifests.origin import Origin, assumed, defaulted

if TYPE_CHECKING:
    from k8stui.manifests import Manifest


class ProxyConfigurationError(Exception):
    """The option asks for a configuration that the input does not hold."""

    def __init__(self, wanted: str, files: Sequence[str]) -> None:
        super().__init__(wanted, files)
        self.wanted = wanted
        self.files = tuple(files)

    def __str__(self) -> str:
        known = ", ".join(self.files) or "none"
        return f"no KubeProxyConfiguration in {self.wanted}; those that were read: {known}"


def read_proxy(found: Sequence[Manifest], options: ClusterOptions) -> ProxyConfiguration:
    """Decode the configuration that counts; an option overrides its mode.

    `found` holds the plain documents first, then those of ``kube-proxy`` ConfigMaps; without an
    option the last plain one wins, and a plain one wins over a ConfigMap.

    Raises:
        ProxyConfigurationError: `options.proxy_config` names a file without one.

    """
    manifest = _choose(found, options.proxy_config)
    if manifest is None:
        configuration = ProxyConfiguration(
            origin=assumed("no KubeProxyConfiguration in the input: kube-proxy's own defaults"),
            cluster_cidr="",
        )
    else:
        configuration = decode_proxy(manifest)
    if options.proxy_mode:
        from dataclasses import replace  # noqa: PLC0415

        configuration = replace(configuration, mode=options.proxy_mode)
    return configuration


def decode_proxy(manifest: Manifest) -> ProxyConfiguration:
    """One KubeProxyConfiguration with kube-proxy's defaults."""
    data = manifest.data
    iptables = table(data, "iptables")
    bit = number(iptables, "masqueradeBit")
    mode = text(data, "mode")
    detect = table(data, "detectLocal")
    return ProxyConfiguration(
        mode=mode or "iptables",
        cluster_cidr=text(data, "clusterCIDR"),
        detect_local_mode=text(data, "detectLocalMode"),
        bridge_interface=text(detect, "bridgeInterface"),
        interface_name_prefix=text(detect, "interfaceNamePrefix"),
        masquerade_all=flag(iptables, "masqueradeAll") or False,
        masquerade_bit=14 if bit is None else bit,
        localhost_node_ports=flag(iptables, "localhostNodePorts") is not False,
        node_port_addresses=tuple(
            entry for entry in array(data, "nodePortAddresses") if isinstance(entry, str)
        ),
        conntrack_tcp_be_liberal=flag(data, "conntrack", "tcpBeLiberal") or False,
        origin=manifest.origin(),
    )


def mode_origin(manifest: Manifest) -> Origin:
    """Where the mode comes from: iptables is the default on Linux."""
    if text(manifest.data, "mode"):
        return manifest.origin("mode")
    return defaulted("kube-proxy's default mode on Linux", manifest.place())


def _choose(found: Sequence[Manifest], wanted: str | None) -> Manifest | None:
    if wanted is None:
        return found[-1] if found else None
    for manifest in reversed(found):
        if PurePath(manifest.file) == PurePath(wanted):
            return manifest
    raise ProxyConfigurationError(wanted, [manifest.file for manifest in found])
