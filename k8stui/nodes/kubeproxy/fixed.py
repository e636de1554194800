"""What kube-proxy writes whatever the Services are: its chains and how they hang in the tables.

Source: kube-proxy pkg/proxy/iptables/proxier.go (iptablesJumpChains, syncProxyRules);
docs/facts/kube-proxy.md section 4.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.contribution import Jump
from k8stui.nodes.kubeproxy.reasons import for_setting
from k8stui.nodes.kubeproxy.settings import ProxySettings

CANARY = "KUBE-PROXY-CANARY"
_LAST = (
    '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this '
    'chain"'
)
_NEW = "-m conntrack --ctstate NEW "
_FIREWALL = ("KUBE-FIREWALL", "", "")
_PROXY_FIREWALL = ("KUBE-PROXY-FIREWALL", _NEW, "kubernetes load balancer firewall")
_NODE_PORTS = ("KUBE-NODEPORTS", "", "kubernetes health check service ports")
_EXTERNAL = ("KUBE-EXTERNAL-SERVICES", _NEW, "kubernetes externally-visible service portals")
_SERVICES = ("KUBE-SERVICES", _NEW, "kubernetes service portals")
_FORWARD = ("KUBE-FORWARD", "", "kubernetes forwarding rules")
_NAT_SERVICES = ("KUBE-SERVICES", "", "kubernetes service portals")
_NAT_POSTROUTING = ("KUBE-POSTROUTING", "", "kubernetes postrouting rules")

_JUMPS = {
    "filter": (
        ("INPUT", (_EXTERNAL, _NODE_PORTS, _PROXY_FIREWALL, _FIREWALL)),
        ("FORWARD", (_EXTERNAL, _SERVICES, _FORWARD, _PROXY_FIREWALL)),
        ("OUTPUT", (_SERVICES, _PROXY_FIREWALL, _FIREWALL)),
    ),
    "nat": (
        ("PREROUTING", (_NAT_SERVICES,)),
        ("OUTPUT", (_NAT_SERVICES,)),
        ("POSTROUTING", (_NAT_POSTROUTING,)),
    ),
}
"""In the order of insertion: what is inserted last stands on top."""

_SINCE = {
    ("filter", "KUBE-FIREWALL"): 25,
    ("filter", "KUBE-PROXY-FIREWALL"): 25,
    ("filter", "KUBE-NODEPORTS"): 21,
}
"""Minor versions that brought a chain with its jumps (pull requests 110289, 97824)."""


def is_there(table: str, chain: str, settings: ProxySettings) -> bool:
    """Whether a kube-proxy of this version has the chain."""
    return not settings.before(_SINCE.get((table, chain), 0))


def jumps(table: str, settings: ProxySettings) -> tuple[Jump, ...]:
    """The jumps from the built-in chains of `table`."""
    return tuple(
        Jump(
            builtin,
            Rule(
                f"-A {builtin} {state}"
                + (f'-m comment --comment "{comment}" ' if comment else "")
                + f"-j {chain}",
                for_setting(settings, f"kube-proxy hangs {chain} into {builtin}"),
            ),
            insert=True,
        )
        for builtin, targets in _JUMPS.get(table, ())
        for chain, state, comment in targets
        if is_there(table, chain, settings)
    )


def chain(name: str, rules: Iterator[Rule] | tuple[Rule, ...] = ()) -> Chain:
    """A chain without a policy of its own."""
    return Chain(name, tuple(rules))


def firewall(settings: ProxySettings) -> Iterator[Rule]:
    """KUBE-FIREWALL: keep others on the link away from services on 127.0.0.1."""
    if settings.localhost_node_ports:
        yield Rule(
            "-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "
            '"block incoming localnet connections" -m conntrack ! --ctstate '
            "RELATED,ESTABLISHED,DNAT -j DROP",
            for_setting(
                settings,
                "route_localnet is on for node ports on localhost: others on the link must not "
                "reach 127.0.0.0/8 by it",
                "iptables.localhostNodePorts: true",
            ),
        )


def forward(settings: ProxySettings) -> Iterator[Rule]:
    """KUBE-FORWARD: let service traffic through, whatever the policy of FORWARD."""
    if settings.drop_invalid:
        counted = (
            "-m nfacct --nfacct-name  ct_state_invalid_dropped_pkts " if settings.nfacct else ""
        )
        yield Rule(
            f"-A KUBE-FORWARD -m conntrack --ctstate INVALID {counted}-j DROP",
            for_setting(
                settings,
                "conntrack does not know what this belongs to: it would leave without its NAT",
                "conntrack.tcpBeLiberal: false",
            ),
        )
    yield Rule(
        '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark '
        f"{settings.mark}/{settings.mark} -j ACCEPT",
        for_setting(settings, "service traffic that will be masqueraded may be forwarded"),
    )
    two = ("conntrack pod source rule", "conntrack pod destination rule")
    for said in two if settings.before(24) else ("conntrack rule",):
        yield Rule(
            f'-A KUBE-FORWARD -m comment --comment "kubernetes forwarding {said}" '
            "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            for_setting(
                settings, "answers, and what belongs to a known connection, may be forwarded"
            ),
        )


def mark_masquerade(settings: ProxySettings) -> Iterator[Rule]:
    """KUBE-MARK-MASQ."""
    yield Rule(
        f"-A KUBE-MARK-MASQ -j MARK --set-xmark {settings.mark}/{settings.mark}",
        for_setting(
            settings,
            "remember to masquerade this packet in POSTROUTING",
            f"iptables.masqueradeBit: {int(settings.mark, 16).bit_length() - 1}",
        ),
    )


def postrouting(settings: ProxySettings) -> Iterator[Rule]:
    """KUBE-POSTROUTING: masquerade what is marked."""
    mark = settings.mark
    yield Rule(
        f"-A KUBE-POSTROUTING -m mark ! --mark {mark}/{mark} -j RETURN",
        for_setting(settings, "not marked: the source address stays"),
    )
    yield Rule(
        f"-A KUBE-POSTROUTING -j MARK --set-xmark {mark}/0x0",
        for_setting(settings, "the mark is used up; it must not count again on a tunnel"),
    )
    yield Rule(
        '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" '
        "-j MASQUERADE --random-fully",
        for_setting(settings, "marked: the packet leaves with this node's address"),
    )


def last_services(settings: ProxySettings) -> Iterator[Rule]:
    """The end of nat KUBE-SERVICES: what is for the node itself may be for a node port."""
    if settings.node_port_addresses is None:
        if settings.before(26):
            match = ""
        elif settings.version == 6:
            match = "! -d ::1/128 "
        else:
            match = "" if settings.localhost_node_ports else "! -d 127.0.0.0/8 "
        yield Rule(
            f"-A KUBE-SERVICES {match}{_LAST} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS",
            for_setting(settings, "for an address of this node: maybe a node port"),
        )
        return
    for address in settings.node_port_addresses:
        yield Rule(
            f"-A KUBE-SERVICES -d {address}/{address.bits} {_LAST} -j KUBE-NODEPORTS",
            for_setting(
                settings, "for an address of this node: maybe a node port", "nodePortAddresses"
            ),
        )
