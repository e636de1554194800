"""Everything that can be set, each once: on the command line, by a what-if, for kube-proxy.

Made from this table are the options of every command, the records that the rooms get
(`ClusterOptions`, `NodeOptions`, `ProxyConfiguration` take their defaults from here), the what-ifs
of ``walk --compare`` and of the screen, the command lines that findings print, the reading of a
KubeProxyConfiguration, and docs/options.md. A new setting is a row here and a field there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar, cast

from k8stui.record import record

T = TypeVar("T", covariant=True)  # noqa: PLC0105 - "T_co" says no more


class Holder(Enum):
    """Whose field a setting is."""

    INPUT = auto()
    """What is read and how names in it are meant: no record of a room."""
    CLUSTER = auto()
    """`k8stui.cluster.options.ClusterOptions`"""
    NODES = auto()
    """`k8stui.nodes.options.NodeOptions`"""
    PROXY = auto()
    """`k8stui.cluster.model.ProxyConfiguration`"""
    SERVICE = auto()
    """`k8stui.cluster.model.Service`, that which is asked for"""


class Form(Enum):
    """What is written behind a flag."""

    TEXT = auto()
    NUMBER = auto()
    SWITCH = auto()
    """Nothing: ``--name`` and ``--no-name``."""
    FILE = auto()
    NODE_FILES = auto()
    """NODE=FILE, once a node."""
    HOSTS = auto()
    """NAME=ADDRESS[:PORT], once a host and port."""


class Respelt(Protocol):
    """What knows how it was written behind its flag: one text a time the flag was given."""

    @property
    def written(self) -> tuple[str, ...]: ...


@record(kw_only=True, eq=False)
class Setting(Generic[T]):
    """One row: what a setting says about itself, wherever it is asked for."""

    name: str
    """The field of its holder."""
    holder: Holder
    default: T
    form: Form = Form.TEXT
    flags: tuple[str, ...] = ()
    """As on the command line, the first one in messages; empty: no option sets it."""
    metavar: str | None = None
    limits: tuple[int, int] | None = None
    """The least and the most, of a number."""
    help: str = ""
    what_if: str = ""
    """As ``--compare`` and the screen spell it; empty: not to be turned there."""
    values: tuple[str, ...] = ()
    """What it can be turned to, of a switch on first; empty: the names of the room that has them
    (network plug-ins, modes)."""
    unset: str = ""
    """What is said where the value is None."""
    path: tuple[str, ...] = ()
    """Where it stands in a KubeProxyConfiguration."""
    nftables_path: tuple[str, ...] = ()
    """Where mode nftables looks instead."""
    argument: str = ""
    """Of kube-proxy, where no KubeProxyConfiguration is given to it."""

    @property
    def flag(self) -> str:
        return self.flags[0]

    @property
    def off(self) -> str:
        """The flag that switches a switch off."""
        return self.flag.replace("--", "--no-", 1)

    def say(self, value: object) -> str | None:
        """`value` as it would be written; None where there is nothing to turn."""
        if value is None:
            return self.unset or None
        if isinstance(value, bool):
            return (self.values or ("true", "false"))[not value]
        return str(value or self.default)

    def words(self, value: object) -> Iterator[str]:
        """The words of a command line that sets `value`; none for the default."""
        if value is None or value == self.default:
            return
        match self.form:
            case Form.SWITCH:
                yield self.flag if value else self.off
            case Form.NODE_FILES:
                for node, file in cast("Mapping[str, str]", value).items():
                    yield from (self.flag, f"{node}={file}")
            case Form.HOSTS:
                for host in cast("Mapping[str, Respelt]", value).values():
                    for text in host.written:
                        yield from (self.flag, text)
            case _:
                yield from (self.flag, str(value))


_NOTHING: Mapping[str, str] = MappingProxyType({})
_NOBODY: Mapping[str, Respelt] = MappingProxyType({})

CONTEXT: Setting[str | None] = Setting(
    name="context",
    holder=Holder.INPUT,
    default=None,
    flags=("--context",),
    metavar="NAME",
    help="A live cluster, by its name in the kubeconfig: read with your kubectl, before the PATHs.",
)
NODES: Setting[int | None] = Setting(
    name="nodes",
    holder=Holder.CLUSTER,
    default=None,
    form=Form.NUMBER,
    flags=("--nodes",),
    metavar="N",
    limits=(1, 5000),
    help="Nodes to assume where the input declares none (2, or as many as pods that may not share "
    "one need).",
)
PROXY_MODE: Setting[str | None] = Setting(
    name="proxy_mode",
    holder=Holder.CLUSTER,
    default=None,
    flags=("--proxy-mode",),
    metavar="MODE",
    help="kube-proxy's mode, whatever the input says.",
)
PROXY_CONFIG: Setting[str | None] = Setting(
    name="proxy_config",
    holder=Holder.CLUSTER,
    default=None,
    form=Form.FILE,
    flags=("--proxy-config",),
    metavar="FILE",
    help="The KubeProxyConfiguration to use where the input holds several.",
)
CNI: Setting[str] = Setting(
    name="cni",
    holder=Holder.NODES,
    default="flannel",
    flags=("--cni",),
    metavar="NAME",
    help="Network plug-in of the nodes: flannel, ptp, docker0 …",
    what_if="cni",
)
DISTRIBUTION: Setting[str | None] = Setting(
    name="distribution",
    holder=Holder.CLUSTER,
    default=None,
    flags=("--distribution",),
    metavar="NAME",
    values=("kubeadm", "k3s", "kind", "minikube", "eks", "gke", "aks"),
    help="What the cluster was set up with, whatever the input shows: kubeadm, k3s, kind, "
    "minikube, eks, gke, aks. Stands for plug-in, ranges, policy engine that nothing says.",
)
POLICY_ENGINE: Setting[str | None] = Setting(
    name="policy_engine",
    holder=Holder.NODES,
    default=None,
    flags=("--policy-engine",),
    metavar="NAME",
    help="What enforces NetworkPolicies, whatever the input shows: kube-router, calico, cilium …, "
    "api (by the API's rules alone: so it is where the input has policies and says of no plug-in), "
    "none.",
)
SYNC_VERSION: Setting[int | None] = Setting(
    name="sync_version",
    holder=Holder.NODES,
    default=None,
    form=Form.NUMBER,
    flags=("--sync-version",),
    metavar="N",
    limits=(0, 2**63 - 1),
    help="The number in the names of kube-router's chains: the time of its last sync in ns.",
)
HAIRPIN: Setting[bool | None] = Setting(
    name="hairpin",
    holder=Holder.NODES,
    default=None,
    form=Form.SWITCH,
    flags=("--hairpin",),
    help="What if the bridge ports' hairpin mode were on, or off?",
    what_if="hairpin",
    values=("on", "off"),
    unset="as the plug-in sets it",
)
BRIDGE_NF: Setting[bool | None] = Setting(
    name="bridge_nf_call_iptables",
    holder=Holder.NODES,
    default=None,
    form=Form.SWITCH,
    flags=("--bridge-nf",),
    help="What if bridge-nf-call-iptables were 1, or 0?",
    what_if="bridge-nf-call-iptables",
    values=("1", "0"),
    unset="as the nodes have it",
)
IPTABLES: Setting[Mapping[str, str]] = Setting(
    name="iptables",
    holder=Holder.NODES,
    default=_NOTHING,
    form=Form.NODE_FILES,
    flags=("--iptables",),
    metavar="NODE=FILE",
    help="A real node's iptables-save or ip6tables-save, instead of its rules.",
)
IPSET: Setting[Mapping[str, str]] = Setting(
    name="ipset",
    holder=Holder.NODES,
    default=_NOTHING,
    form=Form.NODE_FILES,
    flags=("--ipset",),
    metavar="NODE=FILE",
    help="A real node's `ipset save`, for rules that ask sets.",
)
IP_ADDR: Setting[Mapping[str, str]] = Setting(
    name="ip_addr",
    holder=Holder.NODES,
    default=_NOTHING,
    form=Form.NODE_FILES,
    flags=("--ip-addr",),
    metavar="NODE=FILE",
    help="A real node's `ip -j addr`, instead of its devices.",
)
IP_ROUTE: Setting[Mapping[str, str]] = Setting(
    name="ip_route",
    holder=Holder.NODES,
    default=_NOTHING,
    form=Form.NODE_FILES,
    flags=("--ip-route",),
    metavar="NODE=FILE",
    help="A real node's `ip -j route`, instead of its routes.",
)
IP_RULE: Setting[Mapping[str, str]] = Setting(
    name="ip_rule",
    holder=Holder.NODES,
    default=_NOTHING,
    form=Form.NODE_FILES,
    flags=("--ip-rule",),
    metavar="NODE=FILE",
    help="A real node's `ip -j rule`, instead of the kernel's own.",
)
IP_NEIGH: Setting[Mapping[str, str]] = Setting(
    name="ip_neigh",
    holder=Holder.NODES,
    default=_NOTHING,
    form=Form.NODE_FILES,
    flags=("--ip-neigh",),
    metavar="NODE=FILE",
    help="A real node's `ip -j neigh`, instead of the neighbours it would know.",
)
FDB: Setting[Mapping[str, str]] = Setting(
    name="fdb",
    holder=Holder.NODES,
    default=_NOTHING,
    form=Form.NODE_FILES,
    flags=("--fdb",),
    metavar="NODE=FILE",
    help="A real node's `bridge -j fdb`, instead of what its bridges would know.",
)
SYSCTL: Setting[Mapping[str, str]] = Setting(
    name="sysctl",
    holder=Holder.NODES,
    default=_NOTHING,
    form=Form.NODE_FILES,
    flags=("--sysctl",),
    metavar="NODE=FILE",
    help="A real node's `sysctl -a`, instead of the settings it would have.",
)
CONNTRACK: Setting[Mapping[str, str]] = Setting(
    name="conntrack",
    holder=Holder.NODES,
    default=_NOTHING,
    form=Form.NODE_FILES,
    flags=("--conntrack",),
    metavar="NODE=FILE",
    help="A real node's `conntrack -L`: connections that it knows before anybody asks.",
)
NFT: Setting[Mapping[str, str]] = Setting(
    name="nft",
    holder=Holder.NODES,
    default=_NOTHING,
    form=Form.NODE_FILES,
    flags=("--nft",),
    metavar="NODE=FILE",
    help="A real node's `nft list ruleset`; of iptables' tables `--iptables` says more, if given.",
)
STATE: Setting[Mapping[str, str]] = Setting(
    name="state",
    holder=Holder.NODES,
    default=_NOTHING,
    form=Form.NODE_FILES,
    flags=("--state",),
    metavar="NODE=FILE",
    help="A real node's whole state, as `k8stui collect` writes it; a folder's nodes/NODE.txt is "
    "found by itself.",
)
HOSTS: Setting[Mapping[str, Respelt]] = Setting(
    name="hosts",
    holder=Holder.CLUSTER,
    default=_NOBODY,
    form=Form.HOSTS,
    flags=("--host",),
    metavar="NAME=ADDRESS[:PORT]",
    help="A host outside the cluster: its name resolves, and it listens on PORT (given again: on "
    "several) or on every port.",
)
NAMESPACE: Setting[str] = Setting(
    name="namespace",
    holder=Holder.INPUT,
    default="default",
    flags=("--namespace", "-n"),
    metavar="NAMESPACE",
    help="Namespace of names without one.",
)

MODE: Setting[str] = Setting(
    name="mode",
    holder=Holder.PROXY,
    help="kube-proxy's mode.",
    default="iptables",
    what_if="proxy-mode",
    path=("mode",),
    argument="--proxy-mode",
)
CLUSTER_CIDR: Setting[str] = Setting(
    name="cluster_cidr",
    holder=Holder.PROXY,
    help="The pods' range: what comes from elsewhere to a clusterIP is masqueraded.",
    default="",
    path=("clusterCIDR",),
    argument="--cluster-cidr",
)
HOSTNAME_OVERRIDE: Setting[str] = Setting(
    name="hostname_override",
    holder=Holder.PROXY,
    help="By which name kube-proxy knows its own node; empty: the machine's.",
    default="",
    path=("hostnameOverride",),
)
DETECT_LOCAL_MODE: Setting[str] = Setting(
    name="detect_local_mode",
    holder=Holder.PROXY,
    help="How kube-proxy tells pods' traffic: ClusterCIDR, NodeCIDR, BridgeInterface …",
    default="",
    path=("detectLocalMode",),
    argument="--detect-local-mode",
)
BRIDGE_INTERFACE: Setting[str] = Setting(
    name="bridge_interface",
    holder=Holder.PROXY,
    help="The bridge of that mode.",
    default="",
    path=("detectLocal", "bridgeInterface"),
    argument="--pod-bridge-interface",
)
INTERFACE_NAME_PREFIX: Setting[str] = Setting(
    name="interface_name_prefix",
    holder=Holder.PROXY,
    help="How the devices of that mode begin.",
    default="",
    path=("detectLocal", "interfaceNamePrefix"),
    argument="--pod-interface-name-prefix",
)
MASQUERADE_ALL: Setting[bool] = Setting(
    name="masquerade_all",
    holder=Holder.PROXY,
    help="Everything to a clusterIP is masqueraded.",
    default=False,
    form=Form.SWITCH,
    what_if="masqueradeAll",
    values=("true", "false"),
    path=("iptables", "masqueradeAll"),
    nftables_path=("nftables", "masqueradeAll"),
    argument="--masquerade-all",
)
MASQUERADE_BIT: Setting[int] = Setting(
    name="masquerade_bit",
    holder=Holder.PROXY,
    help="Bit of the mark by which packets are masqueraded.",
    default=14,
    form=Form.NUMBER,
    path=("iptables", "masqueradeBit"),
    nftables_path=("nftables", "masqueradeBit"),
    argument="--iptables-masquerade-bit",
)
LOCALHOST_NODE_PORTS: Setting[bool] = Setting(
    name="localhost_node_ports",
    holder=Holder.PROXY,
    help="Whether node ports answer at 127.0.0.1.",
    default=True,
    form=Form.SWITCH,
    path=("iptables", "localhostNodePorts"),
    argument="--iptables-localhost-nodeports",
)
NODE_PORT_ADDRESSES: Setting[tuple[str, ...]] = Setting(
    name="node_port_addresses",
    holder=Holder.PROXY,
    help="Ranges of the node's addresses at which node ports answer; empty: all.",
    default=(),
    path=("nodePortAddresses",),
    argument="--nodeport-addresses",
)
CONNTRACK_TCP_BE_LIBERAL: Setting[bool] = Setting(
    name="conntrack_tcp_be_liberal",
    holder=Holder.PROXY,
    help="Whether packets outside of their connection's window pass.",
    default=False,
    form=Form.SWITCH,
    path=("conntrack", "tcpBeLiberal"),
    argument="--conntrack-tcp-be-liberal",
)
STRICT_ARP: Setting[bool] = Setting(
    name="strict_arp",
    holder=Holder.PROXY,
    help="In mode ipvs: nodes answer ARP only for addresses of the device that is asked.",
    default=False,
    form=Form.SWITCH,
    path=("ipvs", "strictARP"),
    argument="--ipvs-strict-arp",
)
METRICS_BIND_ADDRESS: Setting[str] = Setting(
    name="metrics_bind_address",
    holder=Holder.PROXY,
    help="Where kube-proxy serves its metrics; empty: 127.0.0.1:10249.",
    default="",
    path=("metricsBindAddress",),
    argument="--metrics-bind-address",
)

EXTERNAL_TRAFFIC_POLICY: Setting[str | None] = Setting(
    name="external_traffic_policy",
    holder=Holder.SERVICE,
    help="Which endpoints requests from outside may reach.",
    default=None,
    what_if="externalTrafficPolicy",
    values=("Cluster", "Local"),
)
INTERNAL_TRAFFIC_POLICY: Setting[str | None] = Setting(
    name="internal_traffic_policy",
    holder=Holder.SERVICE,
    help="Which endpoints requests to the clusterIP may reach.",
    default="Cluster",
    what_if="internalTrafficPolicy",
    values=("Cluster", "Local"),
)

OPTIONS: tuple[Setting[object], ...] = (
    CONTEXT, NODES, DISTRIBUTION, PROXY_MODE, PROXY_CONFIG, CNI, POLICY_ENGINE, SYNC_VERSION,
    HAIRPIN, BRIDGE_NF, STATE, IPTABLES, IPSET, IP_ADDR, IP_ROUTE, IP_RULE, IP_NEIGH, FDB, SYSCTL,
    CONNTRACK, NFT, HOSTS, NAMESPACE,
)  # fmt: skip
"""Those of the command line, in the order of ``--help``."""
PROXY: tuple[Setting[object], ...] = (
    MODE, HOSTNAME_OVERRIDE, CLUSTER_CIDR, DETECT_LOCAL_MODE, BRIDGE_INTERFACE,
    INTERFACE_NAME_PREFIX, MASQUERADE_ALL, MASQUERADE_BIT, LOCALHOST_NODE_PORTS,
    NODE_PORT_ADDRESSES, CONNTRACK_TCP_BE_LIBERAL, STRICT_ARP, METRICS_BIND_ADDRESS,
)  # fmt: skip
"""Those of a KubeProxyConfiguration."""
WHAT_IFS: tuple[Setting[object], ...] = (
    EXTERNAL_TRAFFIC_POLICY, INTERNAL_TRAFFIC_POLICY, MASQUERADE_ALL, BRIDGE_NF, HAIRPIN, MODE, CNI,
)  # fmt: skip
"""Those that can be turned, in the order of the screen."""
EVERY: tuple[Setting[object], ...] = tuple(dict.fromkeys((*OPTIONS, *PROXY, *WHAT_IFS)))
"""The whole table."""
