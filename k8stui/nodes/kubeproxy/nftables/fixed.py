"""What kube-proxy writes in mode nftables whatever the Services are: hooks, checks, masquerading.

Source: kube-proxy pkg/proxy/nftables/proxier.go (nftablesBaseChains, nftablesJumpChains,
setupNFTables); docs/facts/kube-proxy.md section 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.kernel.address import Prefix
from k8stui.kernel.nft_ruleset import Base, NftChain
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.kubeproxy.nftables.intervals import one_of
from k8stui.nodes.kubeproxy.reasons import for_setting
from k8stui.nodes.kubeproxy.settings import ProxySettings
from k8stui.origin import Origin

TABLE = "kube-proxy"
COMMENT = "rules for kube-proxy"

_NEW = "ct state new "
_FIREWALL = ("firewall-check", _NEW, "loadBalancerSourceRanges, before DNAT changes the address")
_NODE_PORTS = ("nodeport-endpoints-check", _NEW, "node ports of Services without endpoints")
_ENDPOINTS = ("service-endpoints-check", _NEW, "addresses of Services without endpoints")
_CLUSTER_IPS = ("cluster-ips-check", _NEW, "what DNAT left on a cluster IP has no Service")
_SERVICES = ("services", "", "DNAT to an endpoint")
_MASQUERADING = ("masquerading", "", "the node's address for what was marked")

_BASE = (
    ("filter-prerouting-pre-dnat", "filter", "prerouting", -110, (_FIREWALL,)),
    ("filter-output-pre-dnat", "filter", "output", -110, (_FIREWALL,)),
    ("filter-input", "filter", "input", 0, (_NODE_PORTS, _ENDPOINTS)),
    ("filter-forward", "filter", "forward", 0, (_ENDPOINTS, _CLUSTER_IPS)),
    ("filter-output", "filter", "output", 0, (_ENDPOINTS, _CLUSTER_IPS)),
    ("nat-prerouting", "nat", "prerouting", -100, (_SERVICES,)),
    ("nat-output", "nat", "output", -100, (_SERVICES,)),
    ("nat-postrouting", "nat", "postrouting", 100, (_MASQUERADING,)),
)


def chains(settings: ProxySettings, ranges: Sequence[tuple[Prefix, Origin]]) -> Iterator[NftChain]:
    """The chains that are always there; `ranges`: those of the ServiceCIDR objects."""
    for name, kind, hook, priority, jumps in _BASE:
        rules = tuple(
            Rule(f"{match}jump {target}", for_setting(settings, f"kube-proxy's hook {name}: {why}"))
            for target, match, why in jumps
        )
        base = Base(type=kind, hook=hook, priority=priority)
        yield NftChain(chain=Chain(name, rules, "ACCEPT"), base=base)
    for name, made in (
        ("nodeport-endpoints-check", _node_ports_check(settings)),
        ("service-endpoints-check", _endpoints_check(settings)),
        ("firewall-check", _firewall_check(settings)),
        ("services", _services(settings)),
        ("masquerading", _masquerading(settings)),
        ("cluster-ips-check", _cluster_ips_check(settings, ranges)),
    ):
        yield NftChain(chain=Chain(name, tuple(made)))
    why = for_setting(settings, "a Service without endpoints: the sender is told so at once")
    yield NftChain(
        chain=Chain("reject-chain", (Rule("reject", why),)),
        comment="helper for @no-endpoint-services / @no-endpoint-nodeports",
    )


def _node_ports_check(settings: ProxySettings) -> Iterator[Rule]:
    where = _no_loopback(settings)
    text, setting = "a node port that no endpoint stands behind", None
    if settings.node_port_addresses is not None:
        where = f"{settings.ip} daddr @nodeport-ips"
        setting = settings.node_ports_setting
    yield Rule(
        f"{where} meta l4proto . th dport vmap @no-endpoint-nodeports",
        for_setting(settings, text, setting),
    )


def _endpoints_check(settings: ProxySettings) -> Iterator[Rule]:
    yield Rule(
        f"{settings.ip} daddr . meta l4proto . th dport vmap @no-endpoint-services",
        for_setting(settings, "an address of a Service that no endpoint stands behind"),
    )


def _firewall_check(settings: ProxySettings) -> Iterator[Rule]:
    yield Rule(
        f"{settings.ip} daddr . meta l4proto . th dport vmap @firewall-ips",
        for_setting(settings, "a load balancer's address that not every source may ask"),
    )


def _services(settings: ProxySettings) -> Iterator[Rule]:
    ip = settings.ip
    detector = settings.detector
    marking = f"meta mark set meta mark | {mark(settings)}"
    if settings.masquerade_all:
        yield Rule(
            f'{ip} daddr @cluster-ips {marking} comment "masquerade all clusterIP traffic"',
            for_setting(
                settings,
                "masqueradeAll: whatever goes to a cluster IP gets this node's address",
                "nftables.masqueradeAll: true",
            ),
        )
    elif detector:
        yield Rule(
            f"{ip} daddr @cluster-ips {foreign(settings)} {marking} "
            'comment "masquerade clusterIP traffic from outside cluster"',
            for_setting(
                settings,
                "not from a pod: gets this node's address, so that the answer comes back here",
                detector.setting,
            ),
        )
    yield Rule(
        f"{ip} daddr . meta l4proto . th dport vmap @service-ips",
        for_setting(settings, "cluster IPs, external IPs and load balancers' addresses"),
    )
    if settings.node_port_addresses is not None:
        where, setting = f"{ip} daddr @nodeport-ips", settings.node_ports_setting
    else:
        where, setting = f"fib daddr type local {_no_loopback(settings)}", None
    yield Rule(
        f"{where} meta l4proto . th dport vmap @service-nodeports",
        for_setting(settings, "node ports, but not on 127.0.0.1", setting),
    )


def _masquerading(settings: ProxySettings) -> Iterator[Rule]:
    ip, bit = settings.ip, mark(settings)
    yield Rule(
        f"meta mark & {bit} != 0x00000000 meta mark set meta mark ^ {bit} masquerade fully-random",
        for_setting(
            settings,
            "marked before: the packet gets this node's address, and the mark is taken off",
            f"nftables.masqueradeBit: {int(settings.mark, 16).bit_length() - 1}",
        ),
    )
    yield Rule(
        f"ct status dnat {ip} saddr . {ip} daddr . meta l4proto . th dport @hairpin-connections "
        "masquerade fully-random",
        for_setting(
            settings, "hairpin: an endpoint that asks its own Service gets the node's address"
        ),
    )


def _cluster_ips_check(
    settings: ProxySettings, ranges: Sequence[tuple[Prefix, Origin]]
) -> Iterator[Rule]:
    yield Rule(
        f'{settings.ip} daddr @cluster-ips reject comment "Reject traffic to invalid ports of '
        'ClusterIPs"',
        for_setting(settings, "a cluster IP, but the Service has no such port"),
    )
    own = [(prefix, at) for prefix, at in ranges if prefix.address.version == settings.version]
    if own:
        written = one_of(prefix for prefix, _ in own)
        yield Rule(
            f'{settings.ip} daddr {written} drop comment "Drop traffic to unallocated ClusterIPs"',
            for_setting(settings, f"in the range of Services ({written}), but no Service has it"),
        )


def mark(settings: ProxySettings) -> str:
    """The masquerade bit as nft prints it."""
    return f"0x{int(settings.mark, 16):08x}"


def pods(settings: ProxySettings) -> str:
    """What tells traffic of pods from all other."""
    return _told(settings, "")


def foreign(settings: ProxySettings) -> str:
    """What tells all other traffic from that of pods."""
    return _told(settings, "!= ")


def _told(settings: ProxySettings, operator: str) -> str:
    detector = settings.detector
    if detector.prefix is not None:
        return f"{settings.ip} saddr {operator}{detector.prefix}"
    return f'iifname {operator}"{detector.device}{"*" if detector.is_start else ""}"'


def _no_loopback(settings: ProxySettings) -> str:
    return "ip daddr != 127.0.0.0/8" if settings.version == 4 else "ip6 daddr != ::1"
