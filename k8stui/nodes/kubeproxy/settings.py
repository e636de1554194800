"""kube-proxy's configuration as it comes out for one node and one family.

Sources: kube-proxy cmd/kube-proxy/app/server_linux.go (getLocalDetectors),
pkg/proxy/util/localdetector.go, pkg/proxy/util/nodeport_addresses.go; docs/facts/kube-proxy.md
sections 4 and 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from k8stui.cluster.model import Node, ProxyConfiguration
from k8stui.cluster.proxy_configuration import NFTABLES
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.nft_ruleset import FAMILY_OF
from k8stui.origin import Origin
from k8stui.record import record

LOOPBACK = Prefix.parse("127.0.0.0/8")
PRIMARY = "primary"
_LIBERAL_SINCE, _COUNTS_SINCE = 29, 31
"""Minor versions: conntrack.tcpBeLiberal spares the rule against INVALID (1.28 has it always);
nfacct counts (pull requests 122812 and 125015)."""


@record(kw_only=True)
class LocalDetector:
    """How kube-proxy tells traffic of the node's (or the cluster's) own pods from all other.

    By where it comes from, or by which device; neither: nothing is known about pods, and no rule
    asks.
    """

    prefix: Prefix | None = None
    device: str = ""
    is_start: bool = False
    """All devices whose names start with `device`."""
    setting: str
    """The setting that decided, as one would write it."""

    def __bool__(self) -> bool:
        return self.prefix is not None or bool(self.device)

    @property
    def source(self) -> str:
        """``-s CIDR`` with a blank behind it: iptables-save prints it before ``-d``."""
        return f"-s {self.prefix} " if self.prefix is not None else ""

    @property
    def interface(self) -> str:
        """``-i NAME`` with a blank behind it: iptables-save prints it behind ``-d``."""
        return f"-i {self.device}{'+' if self.is_start else ''} " if self.device else ""

    @property
    def local(self) -> str:
        return self.source or self.interface


@record(kw_only=True)
class ProxySettings:
    """What decides about rules, for one node and one family."""

    version: int
    """4 or 6."""
    node_name: str
    """By which kube-proxy knows the endpoints that are on its own node."""
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
    node_ports_setting: str
    """What says so, as one would write it."""
    nfacct: bool
    """The kernel has netfilter accounting (``-m nfacct``)."""
    minor: int | None = None
    """Of kube-proxy's version, the 31 of 1.31; None: the newest that is imitated."""
    origin: Origin
    """Of the KubeProxyConfiguration."""

    def before(self, minor: int) -> bool:
        """Whether kube-proxy is older than 1.`minor`."""
        return self.minor is not None and self.minor < minor

    @property
    def ip(self) -> str:
        """The family as nftables writes it."""
        return FAMILY_OF[self.version]


def settings(
    proxy: ProxyConfiguration,
    node: Node,
    version: int,
    *,
    nfacct: bool,
    local_addresses: Sequence[Address] | None,
    minor: int | None = None,
) -> ProxySettings:
    """The configuration for `node` and the IP `version`. `minor`: as `ProxySettings.minor`.

    `local_addresses` are all addresses on the node's interfaces, loopback included; None: those
    of the Node object and 127.0.0.1. They matter to nodePortAddresses alone.
    """
    if local_addresses is None:
        local_addresses = (*node.addresses, Address.parse("127.0.0.1"), Address.parse("::1"))

    def is_since(brought_by: int) -> bool:
        return minor is None or minor >= brought_by

    written = node_port_addresses(proxy)
    prefixes = tuple(_node_port_prefixes(written, node, version))
    everywhere = not prefixes or any(prefix.length == 0 for prefix in prefixes)
    return ProxySettings(
        version=version,
        node_name=proxy.hostname_override or node.name,
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
        drop_invalid=not (proxy.conntrack_tcp_be_liberal and is_since(_LIBERAL_SINCE)),
        node_ports_setting=f"nodePortAddresses: {', '.join(written)}",
        nfacct=nfacct and is_since(_COUNTS_SINCE),
        minor=minor,
        origin=proxy.origin,
    )


def local_detector(proxy: ProxyConfiguration, node: Node, version: int) -> LocalDetector:
    """What ``detectLocalMode`` comes to. A family that has no CIDR has no detection."""
    match proxy.detect_local_mode or "ClusterCIDR":
        case "BridgeInterface":
            name = proxy.bridge_interface
            setting = f"detectLocal.bridgeInterface: {name}"
            return LocalDetector(device=name, setting=setting)
        case "InterfaceNamePrefix":
            name = proxy.interface_name_prefix
            setting = f"detectLocal.interfaceNamePrefix: {name}"
            return LocalDetector(device=name, is_start=True, setting=setting)
        case "NodeCIDR":
            prefix = node.pod_cidr(version)
            setting = f"detectLocalMode: NodeCIDR ({prefix})"
        case _:
            prefix = next(_prefixes(proxy.cluster_cidr.split(","), version), None)
            setting = f"clusterCIDR: {proxy.cluster_cidr}"
    return LocalDetector(prefix=prefix, setting=setting)


def node_port_addresses(proxy: ProxyConfiguration) -> tuple[str, ...]:
    """As they are written; unwritten, mode nftables takes the primary address alone.

    Source: kube-proxy cmd/kube-proxy/app/server.go (newProxyServer).
    """
    default = (PRIMARY,) if proxy.mode == NFTABLES else ()
    return proxy.node_port_addresses or default


def _node_port_prefixes(written: Sequence[str], node: Node, version: int) -> Iterator[Prefix]:
    """NodePortAddresses of one family; ``primary`` stands for the node's IP."""
    if written == (PRIMARY,):
        primary = node.address(version)
        return iter((Prefix(primary, primary.bits),) if primary else ())
    return _prefixes(written, version)


def _prefixes(texts: Sequence[str], version: int) -> Iterator[Prefix]:
    for text in texts:
        prefix = _read(text.strip())
        if prefix is not None and prefix.address.version == version:
            yield prefix


@lru_cache(maxsize=256)
def _read(text: str) -> Prefix | None:
    """Once for all nodes; None: kube-proxy refuses to start with it, as the cluster room says."""
    try:
        return Prefix.parse(text)
    except ValueError:
        return None


def _holds_loopback(prefix: Prefix) -> bool:
    """Source: kube-proxy NodePortAddresses.containsIPv4Loopback."""
    return prefix.address in LOOPBACK or LOOPBACK.address in prefix
