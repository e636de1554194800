"""kube-proxy's configuration as it comes out for one node and one family.

Sources: kube-proxy cmd/kube-proxy/app/server_linux.go (getLocalDetectors),
pkg/proxy/util/localdetector.go, pkg/proxy/util/nodeport_addresses.go; docs/facts/kube-proxy.md
sections 4 and 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.cluster.model import Node, ProxyConfiguration
from k8stui.kernel.address import Address, Prefix
from k8stui.origin import Origin
from k8stui.record import record

LOOPBACK = Prefix.parse("127.0.0.0/8")


@record(kw_only=True)
class LocalDetector:
    """How kube-proxy tells traffic of the node's (or the cluster's) own pods from all other.

    `source` and `interface` are where iptables-save prints them: before and behind ``-d``. One of
    them is set; both empty: nothing is known about pods, and no rule asks.
    """

    source: str = ""
    """``-s CIDR`` with a blank behind it."""
    interface: str = ""
    """``-i NAME`` with a blank behind it."""
    setting: str
    """The setting that decided, as one would write it."""

    def __bool__(self) -> bool:
        return bool(self.source or self.interface)

    @property
    def local(self) -> str:
        return self.source or self.interface


@record(kw_only=True)
class ProxySettings:
    """What decides about rules, for one node and one family."""

    version: int
    """4 or 6."""
    node_name: str
    zone: str | None
    node_address: Address | None
    """The node's IP of this family."""
    detector: LocalDetector
    mark: str
    """The masquerade bit as iptables-save prints it: ``0x4000``."""
    masquerade_all: bool
    localhost_node_ports: bool
    """Node ports answer on 127.0.0.1. IPv4 only."""
    node_port_addresses: tuple[Address, ...] | None
    """The addresses on which node ports answer; None: on all of the node's."""
    drop_invalid: bool
    nfacct: bool
    """The kernel has netfilter accounting (``-m nfacct``)."""
    origin: Origin
    """Of the KubeProxyConfiguration."""


def settings(
    proxy: ProxyConfiguration,
    node: Node,
    version: int,
    *,
    nfacct: bool,
    local_addresses: Sequence[Address] | None,
) -> ProxySettings:
    """The configuration for `node` and the IP `version`.

    `local_addresses` are all addresses on the node's interfaces, loopback included; None: those
    of the Node object and 127.0.0.1. They matter to nodePortAddresses alone.
    """
    if local_addresses is None:
        local_addresses = (*node.addresses, Address.parse("127.0.0.1"), Address.parse("::1"))
    prefixes = tuple(_node_port_prefixes(proxy, node, version))
    everywhere = not prefixes or any(prefix.length == 0 for prefix in prefixes)
    return ProxySettings(
        version=version,
        node_name=node.name,
        zone=node.zone,
        node_address=node.address(version),
        detector=local_detector(proxy, node, version),
        mark=f"{1 << proxy.masquerade_bit:#x}",
        masquerade_all=proxy.masquerade_all,
        localhost_node_ports=version == 4
        and proxy.localhost_node_ports
        and (not prefixes or any(_holds_loopback(prefix) for prefix in prefixes)),
        node_port_addresses=None
        if everywhere
        else tuple(
            sorted({a for a in local_addresses if any(a in prefix for prefix in prefixes)}),
        ),
        drop_invalid=not proxy.conntrack_tcp_be_liberal,
        nfacct=nfacct,
        origin=proxy.origin,
    )


def local_detector(proxy: ProxyConfiguration, node: Node, version: int) -> LocalDetector:
    """What ``detectLocalMode`` comes to. A family that has no CIDR has no detection."""
    match proxy.detect_local_mode or "ClusterCIDR":
        case "BridgeInterface":
            name = proxy.bridge_interface
            setting = f"detectLocal.bridgeInterface: {name}"
            return LocalDetector(interface=name and f"-i {name} ", setting=setting)
        case "InterfaceNamePrefix":
            name = proxy.interface_name_prefix
            setting = f"detectLocal.interfaceNamePrefix: {name}"
            return LocalDetector(interface=name and f"-i {name}+ ", setting=setting)
        case "NodeCIDR":
            prefix = node.pod_cidr(version)
            setting = f"detectLocalMode: NodeCIDR ({prefix})"
        case _:
            prefix = next(_prefixes(proxy.cluster_cidr.split(","), version), None)
            setting = f"clusterCIDR: {proxy.cluster_cidr}"
    return LocalDetector(source=f"-s {prefix} " if prefix else "", setting=setting)


def _node_port_prefixes(proxy: ProxyConfiguration, node: Node, version: int) -> Iterator[Prefix]:
    """NodePortAddresses of one family; ``primary`` stands for the node's IP."""
    if proxy.node_port_addresses == ("primary",):
        primary = node.address(version)
        return iter((Prefix(primary, primary.bits),) if primary else ())
    return _prefixes(proxy.node_port_addresses, version)


def _prefixes(texts: Sequence[str], version: int) -> Iterator[Prefix]:
    for text in texts:
        try:
            prefix = Prefix.parse(text.strip())
        except ValueError:
            continue  # kube-proxy refuses to start with it; the cluster room says so
        if prefix.address.version == version:
            yield prefix


def _holds_loopback(prefix: Prefix) -> bool:
    """Source: kube-proxy NodePortAddresses.containsIPv4Loopback."""
    return prefix.address in LOOPBACK or LOOPBACK.address in prefix
