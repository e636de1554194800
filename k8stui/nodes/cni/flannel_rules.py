"""The rules that flanneld writes: in iptables, or with EnableNFTables in tables of its own.

Source: docs/facts/cni.md section 6 (flannel-io/flannel pkg/trafficmngr/iptables/iptables.go:
masqRules, masqIP6Rules, forwardRules; pkg/trafficmngr/nftables/nftables.go: initTable,
SetupAndEnsureMasqRules, SetupAndEnsureForwardRules). Recorded in recordings-cni/flannel-vxlan and
flannel-vxlan-nftables, recordings-agents/flannel.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.because import Because
from k8stui.cluster.model import Node
from k8stui.kernel.address import Prefix
from k8stui.kernel.nft_ruleset import FAMILY_OF, Base, NftChain, NftTable
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.cni.chains import has_table
from k8stui.nodes.cni.ipmasq import MULTICAST
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.site import Site
from k8stui.origin import Origin, defaulted
from k8stui.record import record

_OWNER = "flannel"
_POSTROUTING = "FLANNEL-POSTRTG"
_FORWARD = "FLANNEL-FWD"


@record(kw_only=True)
class Daemon:
    """What flanneld is told; without a word of the input as its own DaemonSet runs it."""

    ip_masq: bool = True
    forward_rules: bool = True
    nftables: bool = False
    origin: Origin = defaulted("flanneld --ip-masq, as its DaemonSet runs it")


def rules(site: Site, node: Node, version: int, daemon: Daemon) -> Contribution | None:
    """What the daemon writes on `node` for one family; None: nothing."""
    own = next((net for net in site.networks(node) if net.address.version == version), None)
    if daemon.nftables or has_table(site, node, f"flannel-ipv{version}"):
        return Contribution(_OWNER, nft=(_table(site, node, version, own, daemon),))
    return _iptables(site, node, own, daemon) if own is not None else None


def _table(site: Site, node: Node, version: int, own: Prefix | None, daemon: Daemon) -> NftTable:
    """Both families' tables are made; that of a family without pods stays empty."""
    name = f"flannel-ipv{version}"
    chains = []
    if own is not None and daemon.ip_masq:
        said = "chain to manage traffic masquerading by flannel"
        base = Base(type="nat", hook="postrouting", priority=100)
        posting = tuple(_masquerading(site, node, own, daemon))
        chains.append(NftChain(chain=Chain("postrtg", posting, "ACCEPT"), base=base, comment=said))
    if own is not None and daemon.forward_rules:
        pods, ip = site.pod_network(version), FAMILY_OF[version]
        base = Base(type="filter", hook="forward", priority=0)
        passing = tuple(
            Rule(f"{ip} {side} {pods} accept", _because(_PASSES, site.pod_network_origin(node)))
            for side in ("saddr", "daddr")
        )
        chain = Chain("forward", passing, "ACCEPT")
        chains.append(NftChain(chain=chain, base=base, comment="chain to accept flannel traffic"))
    return NftTable(
        family=FAMILY_OF[version],
        name=name,
        chains={one.name: one for one in chains},
        comment=f"rules for {name}",
    )


def _masquerading(site: Site, node: Node, own: Prefix, daemon: Daemon) -> Iterator[Rule]:
    """The fourth is wider than iptables' own: what others send to any pod keeps its address."""
    version = own.address.version
    ip, pods = FAMILY_OF[version], site.pod_network(version)
    for match, text in (
        ("meta mark 0x00004000 return", _MARKED),
        (f"{ip} saddr {own} {ip} daddr {pods} return", _own_to_pods(node)),
        (f"{ip} saddr {pods} {ip} daddr {own} return", _pods_to_own(node)),
        (
            f"{ip} saddr != {own} {ip} daddr {pods} return",
            f"others than the pods of {node.name} talk to a pod: they keep their address",
        ),
        (
            f"{ip} saddr {pods} {ip} daddr != {MULTICAST[version]} masquerade fully-random",
            _TO_OUTSIDE,
        ),
        (f"{ip} saddr != {pods} {ip} daddr {pods} masquerade fully-random", _FROM_OUTSIDE),
    ):
        yield Rule(match, _because(text, daemon.origin))


_MARKED = "kube-proxy has marked the packet and masquerades it itself"
_TO_OUTSIDE = "a pod talks to somebody beyond the pod network: with the node's address"
_FROM_OUTSIDE = "others talk to a pod of another node by way of this one: with this node's address"
_PASSES = "what pods send and get may be forwarded, whatever FORWARD's policy is"


def _own_to_pods(node: Node) -> str:
    return f"a pod of {node.name} talks to a pod: it keeps its address"


def _pods_to_own(node: Node) -> str:
    return f"a pod talks to a pod of {node.name}: it keeps its address"


def _because(text: str, origin: Origin) -> Because:
    return Because(text=text, origin=origin, owner=_OWNER)


def _iptables(site: Site, node: Node, own: Prefix, daemon: Daemon) -> Contribution:
    """The rules of the daemon itself; the jumps are appended (flannel 0.21.5 and later)."""
    version = own.address.version
    pods = site.pod_network(version)
    masq_comment = '-m comment --comment "flanneld masq"'
    forward_comment = '-m comment --comment "flanneld forward"'
    network = site.pod_network_origin(node)

    lines = (
        (
            f"-m mark --mark 0x4000/0x4000 {masq_comment} -j RETURN",
            _MARKED,
        ),
        (
            f"-s {own} -d {pods} {masq_comment} -j RETURN",
            _own_to_pods(node),
        ),
        (
            f"-s {pods} -d {own} {masq_comment} -j RETURN",
            _pods_to_own(node),
        ),
        (
            f"! -s {pods} -d {own} {masq_comment} -j RETURN",
            f"others talk to a pod of {node.name}: they keep their address",
        ),
        (
            f"-s {pods} ! -d {MULTICAST[version]} {masq_comment} -j MASQUERADE --random-fully",
            _TO_OUTSIDE,
        ),
        (
            f"! -s {pods} -d {pods} {masq_comment} -j MASQUERADE --random-fully",
            _FROM_OUTSIDE,
        ),
    )
    posting = Chain(
        _POSTROUTING,
        tuple(Rule(f"-A {_POSTROUTING} {match}", _because(text, network)) for match, text in lines),
    )
    forwarding = Chain(
        _FORWARD,
        tuple(
            Rule(
                f"-A {_FORWARD} {side} {pods} {forward_comment} -j ACCEPT",
                _because(_PASSES, network),
            )
            for side in ("-s", "-d")
        ),
    )
    masq = _because("flannel masquerades", daemon.origin)
    forward = _because("flannel lets pods through", defaulted("flanneld --iptables-forward-rules"))
    jump = Rule(f"-A POSTROUTING {masq_comment} -j {_POSTROUTING}", masq)
    forward_jump = Rule(f"-A FORWARD {forward_comment} -j {_FORWARD}", forward)
    tables = {}
    if daemon.ip_masq:
        tables["nat"] = TablePart(
            chains={_POSTROUTING: posting}, jumps=(Jump("POSTROUTING", jump),)
        )
    if daemon.forward_rules:
        tables["filter"] = TablePart(
            chains={_FORWARD: forwarding}, jumps=(Jump("FORWARD", forward_jump),)
        )
    return Contribution("flannel", tables)
