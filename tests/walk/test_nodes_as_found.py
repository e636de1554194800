"""Real nodes as people found them: their rules, devices and routes beside a right set of manifests.

Each row is a kind that is reported again and again: the outcome, who decided, the cause, a mend
that helps, and the line of the dump (or the manifest) that is to blame. `at` begins that line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from manifests_of import Manifest, kind, node, observed, pod, service, write
from node_dumps import Dump, Record, device, link, via, write_lines, write_records

from k8stui.check.check import check
from k8stui.cluster.hosts import read_hosts
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.save import dump_lines
from k8stui.nodes.options import NodeOptions
from k8stui.record import record
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

NODES = (node(1, "10.244.1.0/24"), node(2, "10.244.2.0/24"))
SHOP = service("shop", ports=[{"port": 80, "targetPort": 8080, "nodePort": 31900}],
               type="NodePort", clusterIP="10.96.7.7")  # fmt: skip
SHOP_A = observed("shop-a", "app=shop", "10.244.2.5", node="node-2",
                  ports=[{"containerPort": 8080, "hostPort": 8080}])  # fmt: skip
BUYER = observed("buyer", "", "10.244.1.4", node="node-1")
LEDGER = service("ledger", None, 5432, clusterIP="10.96.7.8")
LEDGER_SLICE = kind("discovery.k8s.io/v1", "ledger-1", "EndpointSlice", addressType="IPv4",
                    ports=[{"port": 5432}], endpoints=[{"addresses": ["172.17.3.4"]}])  # fmt: skip
LEDGER_SLICE["metadata"]["labels"] = {"kubernetes.io/service-name": "ledger"}
DNS = service("kube-dns", "k8s-app=kube-dns", namespace="kube-system", clusterIP="10.96.0.10",
              ports=[{"name": "dns", "port": 53, "protocol": "UDP"}])  # fmt: skip
COREDNS = observed("coredns-x", "k8s-app=kube-dns", "10.244.2.9", node="node-2",
                   namespace="kube-system",
                   ports=[{"containerPort": 53, "protocol": "UDP"}])  # fmt: skip
HALL = (*NODES, SHOP, SHOP_A, BUYER, LEDGER, LEDGER_SLICE, DNS, COREDNS)
TILL = service("till", "app=shop", ports=[{"port": 443, "targetPort": 8080, "nodePort": 31901}],
               type="LoadBalancer", clusterIP="10.96.7.9",
               loadBalancerSourceRanges=["192.0.2.0/25"],
               status={"loadBalancer": {"ingress": [{"ip": "198.51.100.61"}]}})  # fmt: skip
KIOSK = service("kiosk", "app=shop", ports=[{"port": 80, "targetPort": 8080, "nodePort": 31902}],
                type="NodePort", clusterIP="10.96.7.10", externalTrafficPolicy="Local")  # fmt: skip
STRAY = observed("shop-a", "app=shop", "10.85.0.3", node="node-2", ports=[8080])

LO = device("lo", "00:00:00:00:00:00", "127.0.0.1/8")
DOCKER0 = device("docker0", "02:42:00:00:00:01", "172.17.0.1/16", kind="bridge")
DOCKER_ROUTE = link("172.17.0.0/16", "docker0", prefsrc="172.17.0.1")


def eth0(number: int, address: str = "", mtu: int = 1500) -> Record:
    own = address or f"192.168.0.1{number}/24"
    return device("eth0", f"02:00:00:00:00:0{number}", own, mtu=mtu)


def cni0(number: int, address: str = "") -> Record:
    own = address or f"10.244.{number}.1/24"
    return device("cni0", f"02:00:00:00:01:0{number}", own, kind="bridge")


def flannel1(number: int, mtu: int = 1450, *, up: bool = True) -> Record:
    mac = f"02:00:00:00:02:0{number}"
    own = f"10.244.{number}.0/32"
    return device("flannel.1", mac, own, mtu=mtu, up=up, kind="vxlan")


def routes(number: int, without: str = "", more: Sequence[Record] = ()) -> list[Record]:
    """A node's main table, less some destinations."""
    other = 3 - number
    known = [
        via("default", "192.168.0.1", "eth0"),
        link("192.168.0.0/24", "eth0", prefsrc=f"192.168.0.1{number}"),
        link(f"10.244.{number}.0/24", "cni0", prefsrc=f"10.244.{number}.1"),
        via(f"10.244.{other}.0/24", f"192.168.0.1{other}", "eth0"),
    ]
    return [one for one in known if one["dst"] not in without.split()] + list(more)


Edit = Callable[[Dump], Dump]


@record(kw_only=True)
class Found:
    """A node as somebody found it, what was asked, and what has to be said."""

    manifests: tuple[Manifest, ...] = HALL
    cni: str = "flannel"
    rules: Mapping[str, Edit] | None = None
    addr: Mapping[str, list[Record]] | None = None
    route: Mapping[str, list[Record]] | None = None
    hosts: tuple[str, ...] = ()
    size: int | None = None
    ask: tuple[str, str] = ("pod/buyer", "svc/shop")
    result: str
    by: str
    cause: tuple[str, ...]
    mend: str
    at: str
    not_said: tuple[str, ...] = ()
    checked: str = "node-state"
    """The rule of check that tells it too; empty: none, for nothing in the input asks so."""


NO_FLANNEL = '-A FORWARD -m comment --comment "flanneld'
UFW = ("ufw-before-forward", "ufw-user-forward", "ufw-before-input", "ufw-user-input")
KNOWN = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
FIREWALLD = ("FORWARD_IN_ZONES", "FORWARD_OUT_ZONES", "FWDI_public", "FWDO_public")
POD_FW = "KUBE-POD-FW-PZ2NEDIKGFS7AVEL"
OLD_DN = "CNI-DN-0123456789abcdef01234"
DROP_MARKED = (
    '-A KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets" '
    "-m mark --mark 0x8000/0x8000 -j DROP"
)
MARK_DROP = "-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000"
NOT_TRACKED = "-A PREROUTING -s 10.244.0.0/16"
FORGED = "-A PREROUTING -s 10.0.0.0/8"
LEGACY = "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them"
AGENT = '-m comment --comment "ip-masq-agent: '


def _docker_user(dump: Dump) -> Dump:
    return (
        dump.chain("filter", "DOCKER-USER")
        .first("filter", "-A FORWARD -j DOCKER-USER")
        .add("filter", "-A DOCKER-USER ! -s 192.168.0.0/24 -i eth0 -j DROP")
    )


def _ufw_forward(dump: Dump) -> Dump:
    return (
        dump.policy("FORWARD", "DROP")
        .without(NO_FLANNEL)
        .chain("filter", *UFW)
        .add(
            "filter",
            "-A FORWARD -j ufw-before-forward",
            f"-A ufw-before-forward {KNOWN}",
            "-A ufw-before-forward -j ufw-user-forward",
        )
    )


def _ufw_input(dump: Dump) -> Dump:
    return (
        dump.policy("INPUT", "DROP")
        .chain("filter", *UFW)
        .add(
            "filter",
            "-A INPUT -j ufw-before-input",
            f"-A ufw-before-input {KNOWN}",
            "-A ufw-before-input -j ufw-user-input",
            "-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT",
        )
    )


def _firewalld(dump: Dump) -> Dump:
    return (
        dump.without(NO_FLANNEL)
        .chain("filter", *FIREWALLD)
        .add(
            "filter",
            f"-A FORWARD {KNOWN}",
            "-A FORWARD -j FORWARD_IN_ZONES",
            "-A FORWARD -j FORWARD_OUT_ZONES",
            "-A FORWARD -j REJECT --reject-with icmp-host-prohibited",
            "-A FORWARD_IN_ZONES -g FWDI_public",
            "-A FORWARD_OUT_ZONES -g FWDO_public",
            "-A FWDI_public -p icmp -j ACCEPT",
        )
    )


def _kube_router_left(dump: Dump) -> Dump:
    about = "POD name:archive-0 namespace: default"
    return (
        dump.chain("filter", "KUBE-ROUTER-FORWARD", POD_FW)
        .first("filter", "-A FORWARD -j KUBE-ROUTER-FORWARD")
        .add(
            "filter",
            f'-A KUBE-ROUTER-FORWARD -d 10.244.2.5/32 -m comment --comment "rule to jump traffic '
            f'destined to {about} to chain {POD_FW}" -j {POD_FW}',
            f"-A {POD_FW} {KNOWN}",
            f'-A {POD_FW} -m comment --comment "rule to REJECT traffic destined for {about}" '
            "-m mark ! --mark 0x10000/0x10000 -j REJECT --reject-with icmp-port-unreachable",
        )
    )


def _hostport_left(dump: Dump) -> Dump:
    return dump.chain("nat", OLD_DN).first(
        "nat",
        f"-A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 8080 -j {OLD_DN}",
        f"-A {OLD_DN} -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.244.2.77:8080",
    )


def _nft_beside_legacy(dump: Dump) -> Dump:
    return dump.without(
        "-A KUBE-", ":KUBE-", '-A PREROUTING -m comment --comment "kubernetes', "-A OUTPUT",
        '-A POSTROUTING -m comment --comment "kubernetes', "-A INPUT",
        '-A FORWARD -m comment --comment "kubernetes', "-A FORWARD -m conntrack",
    ).head(LEGACY)  # fmt: skip


def _masq_agent(dump: Dump) -> Dump:
    return (
        dump.without('-A POSTROUTING -m comment --comment "flanneld', "-A FLANNEL-POSTRTG")
        .chain("nat", "IP-MASQ-AGENT")
        .add(
            "nat",
            "-A POSTROUTING -m addrtype ! --dst-type LOCAL -j IP-MASQ-AGENT",
            f'-A IP-MASQ-AGENT -d 10.0.0.0/8 {AGENT}not subject to MASQUERADE" -j RETURN',
            f'-A IP-MASQ-AGENT {AGENT}subject to MASQUERADE" -j MASQUERADE',
        )
    )


def _firewalld_out(dump: Dump) -> Dump:
    return (
        dump.chain("filter", "OUTPUT_direct")
        .first("filter", "-A OUTPUT -j OUTPUT_direct")
        .add("filter", "-A OUTPUT_direct -d 10.244.2.0/24 -j DROP")
    )


def _mesh(dump: Dump) -> Dump:
    return (
        dump.chain("mangle", "ISTIO_DROP")
        .first("mangle", "-A FORWARD -j ISTIO_DROP")
        .add("mangle", "-A ISTIO_DROP -d 10.244.2.0/24 -j DROP")
    )


def _fail2ban(dump: Dump) -> Dump:
    return (
        dump.chain("filter", "f2b-recidive")
        .first("filter", "-A INPUT -j f2b-recidive")
        .add("filter", "-A f2b-recidive -s 192.168.0.11/32 -j REJECT", "-A f2b-recidive -j RETURN")
    )


def _rpfilter(dump: Dump) -> Dump:
    return dump.chain("mangle", "host-rpfilter").add(
        "mangle",
        "-A PREROUTING -j host-rpfilter",
        "-A host-rpfilter -m rpfilter --validmark -j RETURN",
        "-A host-rpfilter -j DROP",
    )


def _node_local_dns(dump: Dump) -> Dump:
    return dump.add(
        "raw",
        "-A PREROUTING -d 10.96.0.10/32 -p udp -m udp --dport 53 -j NOTRACK",
        "-A OUTPUT -s 10.96.0.10/32 -p udp -m udp --sport 53 -j NOTRACK",
    )


def _old_source_ranges(dump: Dump) -> Dump:
    """As kube-proxy wrote them before 1.28."""
    said = '-m comment --comment "default/till loadbalancer IP"'
    return (
        dump.without("-A KUBE-PROXY-FIREWALL")
        .chain("nat", "KUBE-MARK-DROP", "KUBE-FW-TILL", "KUBE-EXT-TILL")
        .first(
            "nat",
            f"-A KUBE-SERVICES -d 198.51.100.61/32 -p tcp {said} -m tcp --dport 443 "
            "-j KUBE-FW-TILL",
        )
        .add(
            "nat",
            MARK_DROP,
            f"-A KUBE-FW-TILL {said} -j KUBE-MARK-MASQ",
            f"-A KUBE-FW-TILL -s 192.0.2.0/25 {said} -j KUBE-EXT-TILL",
            f"-A KUBE-FW-TILL {said} -j KUBE-MARK-DROP",
        )
        .add("filter", DROP_MARKED)
    )


def _old_local_policy(dump: Dump) -> Dump:
    """As kube-proxy wrote it before 1.25."""
    return (
        dump.without("-A KUBE-EXTERNAL-SERVICES")
        .chain("nat", "KUBE-MARK-DROP", "KUBE-XLB-KIOSK")
        .first("nat", "-A KUBE-NODEPORTS -p tcp -m tcp --dport 31902 -j KUBE-XLB-KIOSK")
        .add(
            "nat",
            MARK_DROP,
            '-A KUBE-XLB-KIOSK -m comment --comment "default/kiosk has no local endpoints" '
            "-j KUBE-MARK-DROP",
        )
        .add("filter", DROP_MARKED)
    )


FOUND = {
    "a rule in DOCKER-USER is for containers, and meets node ports": Found(
        rules={"node-1": _docker_user}, ask=("outside", "node/node-1:31900"),
        result="timeout", by="node-1", cause=("DOCKER-USER", "a rule of Docker"),
        mend="iptables -I DOCKER-USER 1 -s 10.244.0.0/16 -j ACCEPT and -d 10.244.0.0/16 likewise",
        at="-A DOCKER-USER ! -s",
    ),
    "ufw forwards nothing": Found(
        rules={"node-2": _ufw_forward}, result="timeout", by="node-2",
        cause=("policy DROP of chain FORWARD", "ufw is there and sets that policy"),
        mend="ufw route allow from 10.244.0.0/16", at=":FORWARD DROP", not_said=("Docker",),
    ),
    "ufw knows nothing of the tunnel": Found(
        cni="flannel-vxlan", rules={"node-2": _ufw_input}, result="timeout", by="node-2",
        cause=("tunnel's outer packet (UDP 8472)", "policy DROP of chain INPUT"),
        mend="ufw allow 8472/udp", at=":INPUT DROP",
    ),
    "firewalld's last rule": Found(
        rules={"node-1": _firewalld}, result="unreachable", by="node-1",
        cause=("a rule of firewalld: -A FORWARD -j REJECT",),
        mend="firewall-cmd --permanent --zone=trusted --add-source=10.244.0.0/16",
        at="-A FORWARD -j REJECT",
    ),
    "firewalld lets the node itself not out": Found(
        rules={"node-1": _firewalld_out}, ask=("node/node-1", "svc/shop"), result="timeout",
        by="node-1", cause=("a rule of firewalld: -A OUTPUT_direct",),
        mend="iptables -I OUTPUT_direct 1 ", at="-A OUTPUT_direct", checked="",
    ),
    "a chain of a mesh is not the host's own": Found(
        rules={"node-1": _mesh}, result="timeout", by="node-1",
        cause=("a rule of Istio: -A ISTIO_DROP",),
        mend="iptables -t mangle -I ISTIO_DROP 1 ", at="-A ISTIO_DROP", checked="",
    ),
    "kube-router's rules for a pod of before": Found(
        rules={"node-2": _kube_router_left}, result="refused", by="node-2",
        cause=("kube-router's left over", "default/archive-0", "default/shop-a"),
        mend="grep -v -e KUBE-ROUTER", at=f'-A {POD_FW} -m comment --comment "rule to REJECT',
        not_said=("allow it in", "kube-proxy"),
    ),
    "a block of addresses that Calico has left": Found(
        route={"node-1": routes(1, more=[{"type": "blackhole", "dst": "10.244.2.0/26",
                                          "protocol": "bird", "flags": []}])},
        result="timeout", by="node-1", cause=("blackhole 10.244.2.0/26", "Calico's"),
        mend="ip route del blackhole 10.244.2.0/26", at='{"type": "blackhole"',
    ),
    "what pods send is not tracked": Found(
        rules={"node-1": lambda dump: dump.first("raw", f"{NOT_TRACKED} -j CT --notrack")},
        result="timeout", by="wire",
        cause=("rule 1 of chain PREROUTING (table raw)", "out of conntrack"),
        mend="spare what goes to Services (! -d 10.96.0.0/12)", at=NOT_TRACKED,
    ),
    "a route by way of a host that is no node": Found(
        route={"node-1": routes(1, "10.244.2.0/24",
                                [via("10.244.2.0/24", "192.168.0.99", "eth0")])},
        result="timeout", by="lan",
        cause=("to 192.168.0.99, which is none of the nodes", "is behind node-2 (192.168.0.12)"),
        mend="ip route replace 10.244.2.0/24 via 192.168.0.12", at='{"dst": "10.244.2.0/24"',
    ),
    "Docker's network is the client's": Found(
        addr={"node-1": [LO, eth0(1), cni0(1), DOCKER0]},
        route={"node-1": routes(1, more=[DOCKER_ROUTE])}, hosts=("desk=172.17.5.9",),
        ask=("172.17.5.9", "node/node-1:31900"), result="timeout", by="node-1",
        cause=("its answer is lost: node-1 looks for 172.17.5.9 on docker0", "Docker's network"),
        mend='"bip" in /etc/docker/daemon.json', at='{"dst": "172.17.0.0/16"',
    ),
    "Docker's network is the database's": Found(
        addr={"node-1": [LO, eth0(1), cni0(1), DOCKER0]},
        route={"node-1": routes(1, more=[DOCKER_ROUTE])}, ask=("pod/buyer", "svc/ledger"),
        result="unreachable", by="node-1", cause=("172.17.3.4 on docker0", "Docker's network"),
        mend='"bip" in /etc/docker/daemon.json', at='{"dst": "172.17.0.0/16"',
        not_said=("nobody has it",),
    ),
    "portmap's rule for a pod of before": Found(
        rules={"node-2": _hostport_left}, ask=("outside", "node/node-2:8080"),
        result="unreachable", by="node-2",
        cause=(OLD_DN, "10.244.2.77:8080, which no pod has", "hostPort 8080 is now default/shop-a"),
        mend="out of CNI-HOSTPORT-DNAT", at=f"-A {OLD_DN} ",
    ),
    "a rule against forged sources": Found(
        rules={"node-2": lambda dump: dump.add("raw", f"{FORGED} -i eth0 -j DROP")},
        result="timeout", by="node-2", cause=("chain PREROUTING (table raw)",),
        mend="iptables -t raw -I PREROUTING 1 -s 10.244.0.0/16 -j ACCEPT",
        at=FORGED,
    ),
    "a bridge as wide as all pods": Found(
        addr={"node-1": [LO, eth0(1), cni0(1, "10.244.1.1/16")]},
        route={"node-1": routes(1, "10.244.1.0/24 10.244.2.0/24",
                                [link("10.244.0.0/16", "cni0", prefsrc="10.244.1.1")])},
        result="unreachable", by="node-1",
        cause=("10.244.2.5", "on cni0, as its route 10.244.0.0/16 dev cni0", "pods of node-2 too"),
        mend="ip route add 10.244.2.0/24 via 192.168.0.12", at='{"dst": "10.244.0.0/16"',
    ),
    "DHCP gave the node another address": Found(
        addr={"node-2": [LO, eth0(2, "192.168.0.50/24"), cni0(2)]},
        result="unreachable", by="node-1",
        cause=("nobody answers node-1's ARP for 192.168.0.12", "it has 192.168.0.50 on eth0"),
        mend="give node-2 the address 192.168.0.12 again", at='{"ifname": "eth0"',
        not_said=("is down",),
    ),
    "kube-proxy writes to legacy, the dump is nft's": Found(
        rules={"node-1": _nft_beside_legacy}, result="unreachable", by="wire",
        cause=("the legacy tables that are beside it",), mend="iptables-legacy-save",
        at=":PREROUTING",
    ),
    "ip-masq-agent spares a network that knows no way back": Found(
        rules={"node-1": _masq_agent}, hosts=("erp=10.20.0.8:5432",), ask=("pod/buyer", "erp:5432"),
        result="timeout", by="wire", cause=("its answer is lost", "IP-MASQ-AGENT -d 10.0.0.0/8"),
        mend="out of nonMasqueradeCIDRs", at="-A IP-MASQ-AGENT -d 10.0.0.0/8", checked="",
    ),
    "an empty chain of a Service": Found(
        rules={"node-1": lambda dump: dump.without("-A KUBE-SVC-")},
        result="unreachable", by="wire", cause=("to chain KUBE-SVC-", "is empty"),
        mend="restart kube-proxy on node-1", at=":KUBE-SVC-",
    ),
    "somebody flushed PREROUTING": Found(
        rules={"node-1": lambda dump: dump.without("-A PREROUTING")},
        result="unreachable", by="wire",
        cause=("KUBE-SERVICES is there, but PREROUTING (table nat) does not jump to it",),
        mend="restart kube-proxy on node-1", at=":PREROUTING",
    ),
    "fail2ban has banned a node": Found(
        cni="flannel-vxlan", rules={"node-2": _fail2ban}, result="timeout", by="node-2",
        cause=("tunnel's outer packet", "a rule of fail2ban"),
        mend="fail2ban-client set recidive unbanip 192.168.0.11", at="-A f2b-recidive -s",
    ),
    "the tunnel's device is down": Found(
        cni="flannel-vxlan", addr={"node-1": [LO, eth0(1), cni0(1), flannel1(1, up=False)]},
        route={"node-1": routes(1, "10.244.2.0/24")}, result="timeout", by="wire",
        cause=("flannel.1 of node-1 is down",), mend="ip link set flannel.1 up",
        at='{"ifname": "flannel.1"',
    ),
    "the tunnel has no other end": Found(
        cni="flannel-vxlan", addr={"node-2": [LO, eth0(2), cni0(2)]},
        route={"node-2": routes(2, "10.244.1.0/24")}, result="timeout", by="node-2",
        cause=("arrives at node-2 in node-1's tunnel", "no device of node-2 is the other end"),
        mend="restart the network plug-in's pod on node-2", at='{"ifname": "eth0"',
    ),
    "ICMP is dropped where the way is narrow": Found(
        cni="flannel-vxlan", size=1420,
        addr={"node-1": [LO, eth0(1, mtu=1400), cni0(1), flannel1(1, 1350)]},
        route={"node-1": routes(1, "10.244.2.0/24",
                                [via("10.244.2.0/24", "10.244.2.0", "flannel.1",
                                     flags=["onlink"])])},
        rules={"node-1": lambda dump: dump.add("filter", "-A OUTPUT -p icmp -j DROP")},
        result="timeout", by="node-1",
        cause=("1450 bytes do not fit through the way (MTU 1350)", "chain OUTPUT"),
        mend="give the pods' devices an MTU of 1350", at="-A OUTPUT -p icmp", checked="",
    ),
    "answers leave by another card, and the firewall minds": Found(
        rules={"node-2": _rpfilter},
        addr={"node-2": [LO, eth0(2), device("eth1", "02:00:00:00:03:02", "10.9.0.12/24"),
                         cni0(2)]},
        route={"node-2": routes(2, "10.244.1.0/24",
                                [link("10.9.0.0/24", "eth1", prefsrc="10.9.0.12"),
                                 via("10.244.1.0/24", "10.9.0.11", "eth1")])},
        result="timeout", by="node-2",
        cause=("It came in by eth0", "10.244.1.4 by 10.244.1.0/24 via 10.9.0.11 dev eth1"),
        mend="ip route replace 10.244.1.0/24 via 192.168.0.11 dev eth0",
        at="-A host-rpfilter -j DROP",
    ),
    "SNAT to an address of last year": Found(
        rules={"node-1": lambda dump: dump.first(
            "nat", "-A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -o eth0 -j SNAT "
            "--to-source 198.51.100.9")},
        ask=("pod/buyer", "203.0.113.10:443"), result="timeout", by="outside",
        cause=("rewrites the source to 198.51.100.9, which no device of node-1 has",),
        mend="-j MASQUERADE", at="-A POSTROUTING -s 10.244.0.0/16 ! -d",
    ),
    "node-local-dns is gone, its device is not": Found(
        rules={"node-1": _node_local_dns},
        addr={"node-1": [LO, eth0(1), cni0(1),
                         device("nodelocaldns", "02:00:00:00:04:01", "169.254.20.10/32",
                                "10.96.0.10/32", kind="dummy")]},
        ask=("pod/buyer", "svc/kube-dns.kube-system:53/udp"), result="refused", by="node-1",
        cause=("nodelocaldns of node-1 has 10.96.0.10, the ClusterIP of Service kube-system",),
        mend="let node-local-dns run on node-1", at='{"ifname": "nodelocaldns"',
    ),
    "source ranges of an older kube-proxy": Found(
        manifests=(*HALL, TILL), rules={"node-1": _old_source_ranges},
        ask=("outside", "198.51.100.61:443"), result="timeout", by="node-1",
        cause=("loadBalancerSourceRanges of Service default/till", "203.0.113.10 is not in it"),
        mend="add 203.0.113.10/32", at="loadBalancerSourceRanges:", checked="",
    ),
    "policy Local of an older kube-proxy": Found(
        manifests=(*HALL, KIOSK), rules={"node-1": _old_local_policy},
        ask=("outside", "node/node-1:31902"), result="timeout", by="node-1",
        cause=("externalTrafficPolicy of Service default/kiosk is Local", "node-1 has no endpoint"),
        mend="ask node-2", at="externalTrafficPolicy: Local", checked="local-policy",
    ),
    "the runtime's own bridge was there first": Found(
        manifests=(*NODES, SHOP, STRAY, BUYER),
        addr={"node-2": [LO, eth0(2), cni0(2, "10.85.0.1/16")]},
        route={"node-2": routes(2, "10.244.2.0/24",
                                [link("10.85.0.0/16", "cni0", prefsrc="10.85.0.1")])},
        result="unreachable", by="wire",
        cause=("cni0 of node-2 has 10.85.0.1/16", "pods are to be in 10.244.2.0/24"),
        mend="out of /etc/cni/net.d", at='{"ifname": "cni0"',
    ),
}  # fmt: skip


def _world(folder: Path, found: Found) -> World:
    file = str(write(folder, found.manifests))
    plain = build_world([file], node_options=NodeOptions(cni=found.cni))
    files: dict[str, dict[str, str]] = {"iptables": {}, "ip_addr": {}, "ip_route": {}}
    for name, edit in (found.rules or {}).items():
        ruleset = plain.network.ruleset(plain.cluster.nodes[name], 4)
        lines = edit(Dump(dump_lines(ruleset))).lines
        files["iptables"][name] = write_lines(folder, f"{name}.save", lines)
    for key, given in (("ip_addr", found.addr), ("ip_route", found.route)):
        for name, records in (given or {}).items():
            files[key][name] = write_records(folder, f"{name}.{key}", records)
    hosts = read_hosts(found.hosts)
    options: dict[str, Any] = {"cni": found.cni, **files}
    made = build_world([file], ClusterOptions(hosts=hosts), NodeOptions(**options))
    assert not made.problems
    return made


def _line(outcome: Outcome) -> str:
    place = outcome.origin.place if outcome.origin is not None else None
    if place is None:
        return ""
    text = Path(place.file).read_text(encoding="utf-8").splitlines()[place.line - 1]
    return text.strip().removeprefix("[")


@pytest.mark.parametrize("name", FOUND)
def test_what_is_said_of_it(name: str, tmp_path: Path) -> None:
    found = FOUND[name]
    made = _world(tmp_path, found)
    done = walk(made, parse_request(made, *found.ask, data_bytes=found.size)).outcome
    told = f"{done.reason} | {done.advice}"
    assert (done.result.value, done.decided_at) == (found.result, found.by), told
    for words in found.cause:
        assert words in done.reason, told
    assert found.mend in done.advice, told
    assert _line(done).startswith(found.at)
    for words in found.not_said:
        assert words not in told
    rules = {one.rule for one in check(made)}
    assert not found.checked or found.checked in rules, rules


def test_a_dump_that_is_not_all_is_no_error(tmp_path: Path) -> None:
    made = _world(tmp_path, FOUND["kube-proxy writes to legacy, the dump is nft's"])
    severities = {one.severity.value for one in check(made) if one.rule == "node-state"}
    assert severities == {"warning"}


@pytest.mark.parametrize("cni", ["flannel", "flannel-vxlan"])
def test_one_node_s_devices_beside_others_that_are_assumed(cni: str, tmp_path: Path) -> None:
    """The others know the addresses and MACs that the dump shows, none that were made up."""
    far = [via("10.244.1.0/24", "10.244.1.0", "flannel.1", flags=["onlink"])]
    tunnel = cni == "flannel-vxlan"
    seen = Found(
        cni=cni,
        addr={"node-2": [LO, eth0(2), cni0(2), *([flannel1(2)] if tunnel else [])]},
        route={"node-2": routes(2, "10.244.1.0/24", far) if tunnel else routes(2)},
        result="connected", by="", cause=(), mend="", at="",
    )  # fmt: skip
    made = _world(tmp_path, seen)
    assert walk(made, parse_request(made, *seen.ask)).outcome.result.value == "connected"


@pytest.mark.parametrize(
    ("asked", "policy", "mend"),
    [
        ("shop-a:8080", "FORWARD", "ip6tables -A FORWARD -s fd00:10:244::/56 -j ACCEPT"),
        ("shop-a/icmp", "FORWARD", "ip6tables -P FORWARD ACCEPT"),
        ("node-2:22", "INPUT", "ip6tables -A INPUT -p tcp --dport 22 -j ACCEPT"),
        ("node-2/icmp", "INPUT", "ip6tables -A INPUT -p ipv6-icmp -j ACCEPT"),
    ],
)
def test_a_mend_is_of_the_packet_s_family(
    asked: str, policy: str, mend: str, tmp_path: Path
) -> None:
    nodes = [
        node(number, f"10.244.{number}.0/24", f"fd00:10:244:{number}::/64") for number in (1, 2)
    ]
    for number, one in enumerate(nodes, 1):
        one["status"]["addresses"] += [
            {"type": "InternalIP", "address": f"fd00:192:168::1{number}"}
        ]
    shop = pod("shop-a", "app=shop", node="node-2", ports=[8080])
    file = str(write(tmp_path, [*nodes, shop, pod("buyer")]))
    plain = build_world([file])
    ruleset = plain.network.ruleset(plain.cluster.nodes["node-2"], 6)
    lines = Dump(dump_lines(ruleset)).without(NO_FLANNEL).policy(policy, "DROP").lines
    dump = write_lines(tmp_path, "node-2.save", lines)
    made = build_world([file], node_options=NodeOptions(iptables={"node-2": dump}))
    name, mark, rest = asked.partition("/" if "/" in asked else ":")
    where = (
        "fd00:192:168::12"
        if name == "node-2"
        else str(made.cluster.pods["default/shop-a"].addresses[1])
    )
    destination = f"[{where}]{mark}{rest}"
    done = walk(made, parse_request(made, "pod/buyer", destination)).outcome
    assert (done.result.value, done.decided_at) == ("timeout", "node-2")
    assert mend in done.advice
    assert "10.244" not in done.advice
