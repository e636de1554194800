"""What people really meet: the outcome, the true cause with its line, and a fix that helps.

The manifests are in ``situations/``; the line that is to blame ends in ``# WORD``, and the case
names the word. Dumps are a node's own rules, routes or devices with one thing changed, as somebody
changed it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from k8stui.check import check
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.save import dump_lines
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

SITUATIONS = Path(__file__).parent / "situations"
PLAIN = SITUATIONS / "plain.yaml"


def world(file: Path, **options: Any) -> World:
    made = build_world([str(file)], ClusterOptions(), NodeOptions(**options))
    assert not made.problems, [problem.render() for problem in made.problems]
    return made


def ask(made: World, source: str, destination: str) -> Outcome:
    return walk(made, parse_request(made, source, destination)).outcome


def marked(file: Path, word: str) -> int:
    """The 1-based line that ends in ``# word``."""
    lines = file.read_text(encoding="utf-8").splitlines()
    (found,) = [number for number, line in enumerate(lines, 1) if line.endswith(f"# {word}")]
    return found


def place(outcome: Outcome) -> tuple[str, int] | None:
    origin = outcome.origin
    return (origin.place.file, origin.place.line) if origin and origin.place else None


CASES = [
    ("host-network-dns", "pod/probe", "depot:7070", "no-such-name", "node-2",
     "uses the node's resolver", "dnsPolicy: ClusterFirstWithHostNet", "cause"),
    ("host-network-dns", "pod/by-node", "depot:7070", "no-such-name", "default/by-node",
     "dnsPolicy Default does not use cluster DNS", "dnsPolicy: ClusterFirst in", None),
    ("host-network-dns", "pod/own-resolver", "depot:7070", "no-such-name", "default/own-resolver",
     "has no search list", "depot.default.svc.cluster.local", None),
    ("host-network-dns", "node/node-1", "depot:7070", "no-such-name", "node-1",
     "does not ask cluster DNS", "ClusterIP (10.104.55.194)", None),
    ("source-ranges", "pod/buyer", "198.51.100.61:8443", "timeout", "node-2",
     "loadBalancerSourceRanges of Service default/till lets in 192.0.2.0/25 only, and 10.244.2.2",
     "add the pods' range 10.244.0.0/16", "cause"),
    ("source-ranges", "outside", "198.51.100.61:8443", "timeout", "node-1",
     "and 203.0.113.10 is not in it", "add 203.0.113.10/32", "cause"),
    ("local-policies", "pod/miller", "svc/mill", "timeout", "node-2",
     "internalTrafficPolicy of Service default/mill is Local", "internalTrafficPolicy: Cluster",
     "cause"),
    ("hand-made-endpoints", "pod/clerk", "svc/vault-a", "refused", "node-1",
     "is named db, that of the endpoints", "give the port of the endpoints the name db",
     "unnamed"),
    ("hand-made-endpoints", "pod/clerk", "svc/vault-b", "refused", "node-1",
     "joins the two by the port's name", "take the name off", "named"),
    ("hand-made-endpoints", "pod/clerk", "svc/vault-c", "refused", "node-1",
     "addressType FQDN, which kube-proxy ignores", "addressType: IPv4", None),
    ("hand-made-endpoints", "pod/clerk", "svc/vault-d", "refused", "node-1",
     "addressType IPv6, and the Service is IPv4", "EndpointSlice of addressType IPv4", None),
    ("hand-made-endpoints", "pod/clerk", "svc/vault-e", "refused", "node-1",
     "are not ready (203.0.113.75)", "notReadyAddresses", "unready"),
    ("hand-made-endpoints", "pod/clerk", "svc/vault-f", "refused", "node-1",
     "nobody has written EndpointSlices for it", "kubernetes.io/service-name: vault-f", None),
    ("aliases", "pod/guest", "svc/by-pod-port", "unreachable", "wire",
     "default/by-pod-port is only an alias (ExternalName): its ports translate nothing",
     "ask for port 80: 9090 is the targetPort behind port 80", "no-port"),
    ("aliases", "pod/guest", "by-address:80", "no-such-name", "default/guest",
     "an alias of 192.0.2.77, an address", "a Service without selector", "address"),
    ("aliases", "pod/guest", "misspelt:80", "no-such-name", "default/guest",
     "which is no name of the cluster", "externalName: bakery.town.svc.cluster.local", "misspelt"),
    ("node-ports", "node/node-1", "[::1]:31082", "refused", "node-1",
     "does not serve node port 31082 of Service default/both on [::1]", "ask 127.0.0.1:31082",
     "number"),
    ("node-ports", "outside", "node/node-1:31514/tcp", "refused", "node-1",
     "node port 31514 of Service default/gate is UDP, not TCP", "31514/udp", "protocol"),
    ("node-ports", "outside", "node/node-1:8082", "refused", "node-1",
     "no Service has node port 8082/TCP", "ask for node port 31082", "number"),
    ("node-ports", "node/node-1", "[::1]:31081", "refused", "node-1",
     "the Service has IPv4 only (ipFamilies)", "PreferDualStack", "family"),
    ("node-ports", "pod/gate-a", "svc/gate:514/tcp", "unreachable", "wire",
     "has no port 514/TCP", "ask for 514/UDP", None),
    ("node-port-addresses", "outside", "node/node-1:31081", "refused", "node-1",
     "nodePortAddresses says 172.31.0.0/16", "holds 192.168.0.11 to nodePortAddresses", "cause"),
    ("localhost-node-ports", "node/node-1", "localhost:31081", "refused", "node-1",
     "localhostNodePorts is false", "ask 192.168.0.11:31081", "cause"),
    ("node-without-ipv6", "node/near", "[::1]:31090", "refused", "near",
     "does not serve node port 31090 of Service default/both on [::1]", "ask 127.0.0.1:31090",
     "number"),
    ("told-ports", "pod/asker", "svc/kiln", "refused", "default/kiln",
     "PORT tells container c of pod default/kiln to listen on 3000", "PORT: 8080", "told"),
    ("told-ports", "pod/asker", "pod/kiln:3000", "connected", "default/kiln", "own address", "",
     None),
    ("names", "pod/buyer", "orders:3000", "no-such-name", "default/buyer",
     "Service odrers selects the pods of orders", "call Service odrers orders", "misspelt"),
    ("names", "pod/ring-0", "ring-0.ring:7000", "no-such-name", "default/ring-0",
     "look for each other before they are ready", "publishNotReadyAddresses: true", None),
    ("names", "pod/reader", "mate.crew:7100", "no-such-name", "default/reader",
     "its subdomain is cruw", "subdomain: crew", "subdomain"),
    ("names", "pod/reader", "crew-b:7100", "no-such-name", "default/reader",
     "pods have no DNS name of their own", "ask Service crew", None),
    ("names", "pod/reader", "stock:7200", "no-such-name", "default/reader",
     "there is no Service stock in namespace default", "did you mean stock.trade?", None),
    ("names", "pod/reader", "stock.default.svc.cluster.local:7200", "no-such-name",
     "default/reader", "the one in trade is called stock.trade", "did you mean stock.trade?", None),
    ("names", "pod/reader", "stock.trade.svc.cluster.lan:7200", "no-such-name", "default/reader",
     "this cluster's domain is cluster.local", "ask stock.trade.svc.cluster.local", None),
    ("names", "pod/reader", "stock.trade.:7200", "no-such-name", "default/reader",
     "ends in a dot", "leave the dot off", None),
    ("pod-networks", "pod/one", "pod/two:80", "unreachable", "default/one",
     "10.60.0.0/24 is the network of the pods of left and of the pods of right at once",
     "a network of their own", "cause"),
    ("families", "pod/asker", "svc/six", "unreachable", "default/asker",
     "has IPv6 only (ipFamilies), and default/asker has IPv4 only", "ipFamilies: [IPv4]", "cause"),
    ("selections", "pod/asker", "svc/leaving", "refused", "node-1",
     "all are terminating (leaving-a)", "maxUnavailable: 0", None),
    ("selections", "pod/asker", "svc/spoken", "refused", "node-1",
     "port dns of pod spoken-a is UDP, the Service's port is TCP", "protocol: UDP", "spoken"),
    ("selections", "pod/asker", "svc/foreign", "timeout", "wire",
     "kube-proxy leaves it to mesh", "take the label off", None),
    ("selections", "pod/asker", "svc/crowd", "refused", "node-1",
     "free ports", "one node gives a hostPort to one pod only", None),
    ("plain", "outside", "pod/shelf-a:8000", "unreachable", "wire",
     "the address of pod default/shelf-a on node-2", "ask a node port", None),
    ("plain", "outside", "svc/shelf", "unreachable", "wire",
     "it is the ClusterIP of Service default/shelf", "ask from a node or a pod", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "source", "destination", "result", "decided_at", "cause", "fix", "word"),
    [pytest.param(*case, id=f"{case[0]}: {case[1]} to {case[2]}") for case in CASES],
)
def test_manifests(  # noqa: PLR0917 - one column of the table each
    name: str,
    source: str,
    destination: str,
    result: str,
    decided_at: str,
    cause: str,
    fix: str,
    word: str | None,
) -> None:
    file = SITUATIONS / f"{name}.yaml"
    found = ask(world(file), source, destination)
    assert (found.result.value, found.decided_at) == (result, decided_at)
    assert cause in found.reason
    assert fix in found.advice
    if word is not None:
        assert place(found) == (str(file), marked(file, word))


@pytest.mark.parametrize(
    ("name", "source", "destination"),
    [pytest.param(*case[:3], id=case[2]) for case in CASES if case[3] == "no-such-name"],
)
def test_what_was_asked_is_never_proposed(name: str, source: str, destination: str) -> None:
    found = ask(world(SITUATIONS / f"{name}.yaml"), source, destination)
    asked = destination.rpartition(":")[0]
    assert f"did you mean {asked}?" not in found.advice


Edit = Callable[[str], str | None]


def rules(made: World, node: str, edit: Iterable[tuple[str, str]]) -> list[str]:
    """A node's own dump; what begins with the one text has become the other, ``""``: is gone.

    A policy is changed where a real one would be: in table filter.
    """
    lines: list[str] = []
    table = ""
    for line in dump_lines(made.network.ruleset(made.cluster.nodes[node], 4)):
        table = line if line.startswith("*") else table
        known = [
            new
            for old, new in edit
            if line.startswith(old)
            and (table == "*filter" or not old.startswith((":FORWARD", ":INPUT")))
        ]
        lines += known[0].splitlines() if known else [line]
    return lines


DROPS_FORWARD = (":FORWARD ACCEPT", ":FORWARD DROP [0:0]")
NO_FLANNEL = ('-A FORWARD -m comment --comment "flanneld forward"', "")
FIREWALL = (
    "-A INPUT -j KUBE-FIREWALL",
    (
        "-A INPUT -j KUBE-FIREWALL\n"
        "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
        "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
        "-A INPUT -j REJECT --reject-with icmp-host-prohibited"
    ),
)
REJECTS_FORWARD = (NO_FLANNEL[0], "-A FORWARD -j REJECT --reject-with icmp-host-prohibited")

INPUT_DROP = (":INPUT ACCEPT", ":INPUT DROP [0:0]\n:ufw-user-input - [0:0]")
UFW = (FIREWALL[0], f"{FIREWALL[0]}\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
REDIRECT = (
    '-A PREROUTING -m comment --comment "kubernetes service portals"',
    (
        "-A PREROUTING -p tcp -m tcp --dport 8000 -j REDIRECT --to-ports 3128\n"
        '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES'
    ),
)

DUMPS = [
    ("mark-masq-emptied", "bridge", "node-1", [("-A KUBE-MARK-MASQ ", "")],
     "outside", "node/node-1:31800", "timeout", "outside",
     "to KUBE-MARK-MASQ on node-1 to be marked for masquerading, but that chain is empty",
     "restart kube-proxy on node-1", ":KUBE-MARK-MASQ"),
    ("postrouting-emptied", "bridge", "node-1", [("-A KUBE-POSTROUTING ", "")],
     "outside", "node/node-1:31800", "timeout", "outside",
     "but KUBE-POSTROUTING masquerades nothing there", "restart kube-proxy on node-1", None),
    ("endpoints-rules-gone", "flannel", "node-1", [("-A KUBE-SEP-", "")],
     "pod/asker", "svc/shelf", "unreachable", "wire",
     "to chain KUBE-SEP-", "restart kube-proxy on node-1", ":KUBE-SEP-"),
    ("docker-policy", "flannel", "node-2", [DROPS_FORWARD, NO_FLANNEL],
     "pod/asker", "svc/shelf", "timeout", "node-2",
     "by the policy DROP of chain FORWARD (table filter)",
     "iptables -A FORWARD -s 10.244.0.0/16 -j ACCEPT", ":FORWARD DROP"),
    ("distribution-firewall", "flannel", "node-2", [REJECTS_FORWARD],
     "pod/asker", "svc/shelf", "unreachable", "node-2",
     "a rule of the host's own firewall: -A FORWARD -j REJECT",
     "iptables -I FORWARD 5 -s 10.244.0.0/16 -j ACCEPT", "-A FORWARD -j REJECT"),
    ("firewall-against-vxlan", "flannel-vxlan", "node-2", [FIREWALL],
     "pod/asker", "svc/shelf", "timeout", "node-2",
     "the tunnel's outer packet (UDP 8472) is rejected on node-2",
     "-p udp --dport 8472 -s 192.168.0.11 -j ACCEPT", "-A INPUT -j REJECT"),
    ("old-portmap", "flannel", "node-2",
     [(":CNI-HOSTPORT-SETMARK", ""), ("-A CNI-HOSTPORT-SETMARK", ""),
      (":CNI-HOSTPORT-MASQ", ""), ("-A CNI-HOSTPORT-MASQ", ""),
      ('-A POSTROUTING -m comment --comment "CNI portfwd', "")],
     "pod/shelf-a", "node/node-2:8800", "timeout", "default/shelf-a",
     "which is default/shelf-a's own address (martian source)", "portmap with snat: true",
     "-A CNI-DN-"),
    ("firewall-in-front-of-the-api-server", "flannel", "node-1", [FIREWALL],
     "pod/asker", "kubernetes:443", "unreachable", "node-1",
     "a rule of the host's own firewall: -A INPUT -j REJECT",
     "-p tcp --dport 6443 -j ACCEPT", "-A INPUT -j REJECT"),
    ("ufw-in-front-of-the-api-server", "flannel", "node-1", [INPUT_DROP, UFW],
     "pod/asker", "kubernetes:443", "timeout", "node-1",
     "by the policy DROP of chain INPUT", "on node-1: ufw allow 6443/tcp", ":INPUT DROP"),
    ("docker-policy-without-kube-forward", "flannel", "node-1",
     [DROPS_FORWARD, NO_FLANNEL, ('-A FORWARD -m comment --comment "kubernetes forwarding', "")],
     "outside", "node/node-1:31800", "timeout", "node-1",
     "by the policy DROP of chain FORWARD", "iptables -P FORWARD ACCEPT", ":FORWARD DROP"),
    ("a-proxy-for-everybody", "flannel", "node-1", [REDIRECT],
     "pod/asker", "svc/shelf", "refused", "node-1",
     "none of kube-proxy's, leads 10.97.152.59:8000 to 10.244.1.1:3128",
     "take that rule off node-1", "-A PREROUTING -p tcp"),
    ("a-redirect-to-nobody", "flannel", "node-1", [REDIRECT],
     "outside", "node/node-1:8000", "refused", "node-1",
     "leads 192.168.0.11:8000 to 192.168.0.11:3128", "start there what is to listen on port 3128",
     "-A PREROUTING -p tcp"),
    ("nobody-masquerades-for-the-world", "flannel", "node-1",
     [("-A FLANNEL-POSTRTG", ""), ('-A POSTROUTING -m comment --comment "flanneld masq', "")],
     "pod/asker", "203.0.113.10:443", "timeout", "wire",
     "its answer is lost: the nodes' router knows no way to 10.244.1.2", "flannel: --ip-masq",
     None),
    ("rules-of-yesterday", "flannel", "node-1",
     [("-A KUBE-NODEPORTS", ""), ("-A KUBE-SERVICES -d 10.97.152.59/32", "")],
     "outside", "node/node-1:31800", "refused", "node-1",
     "no rule of node-1's dump knows node port 31800 of Service default/shelf",
     "look whether kube-proxy runs on node-1", ":PREROUTING ACCEPT"),
]  # fmt: skip


@pytest.mark.parametrize(
    (
        "cni",
        "node",
        "edit",
        "source",
        "destination",
        "result",
        "decided_at",
        "cause",
        "fix",
        "line",
    ),
    [pytest.param(*case[1:], id=case[0]) for case in DUMPS],
)
def test_rules_of_a_real_node(  # noqa: PLR0917 - one column of the table each
    tmp_path: Path,
    cni: str,
    node: str,
    edit: list[tuple[str, str]],
    source: str,
    destination: str,
    result: str,
    decided_at: str,
    cause: str,
    fix: str,
    line: str | None,
) -> None:
    made = world(PLAIN, cni=cni)
    lines = rules(made, node, edit)
    if "CNI-HOSTPORT-SETMARK" not in "".join(line for line in lines if line[0] == ":"):
        lines = [line for line in lines if "-j CNI-HOSTPORT-SETMARK" not in line]
    dump = tmp_path / "rules"
    dump.write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
    found = ask(world(PLAIN, cni=cni, iptables={node: str(dump)}), source, destination)
    assert (found.result.value, found.decided_at) == (result, decided_at)
    assert cause in found.reason
    assert fix in found.advice
    if line is not None:
        assert place(found) is not None
        file, number = place(found) or ("", 0)
        assert file == str(dump)
        assert lines[number - 1].startswith(line)


def test_rules_for_a_pod_that_is_gone(tmp_path: Path) -> None:
    """kube-proxy has not heard of the new pod: its rule leads to the old one's address."""
    made = world(PLAIN)
    lines = [line.replace("10.244.2.2", "10.244.2.77") for line in rules(made, "node-1", [])]
    dump = tmp_path / "rules"
    dump.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    found = ask(world(PLAIN, iptables={"node-1": str(dump)}), "outside", "node/node-1:31800")
    assert (found.result.value, found.decided_at) == ("unreachable", "node-2")
    assert "10.244.2.77:8000, which is no endpoint of Service default/shelf" in found.reason
    assert "its endpoints are 10.244.2.2" in found.reason
    assert "restart it" in found.advice
    file, number = place(found) or ("", 0)
    assert file == str(dump)
    assert lines[number - 1].startswith("-A KUBE-SEP-")


def device(name: str, mac: str, *addresses: str) -> dict[str, Any]:
    """A record of ``ip -j addr``."""
    info = [
        {
            "family": "inet",
            "local": address.partition("/")[0],
            "prefixlen": int(address.partition("/")[2]),
            "scope": "host" if name == "lo" else "global",
        }
        for address in addresses
    ]
    kind = "loopback" if name == "lo" else "ether"
    flags = ["LOOPBACK", "UP", "LOWER_UP"] if name == "lo" else ["BROADCAST", "UP", "LOWER_UP"]
    return {
        "ifname": name, "flags": flags, "mtu": 1500, "link_type": kind, "address": mac,
        "addr_info": info,
    }  # fmt: skip


def file_of(folder: Path, name: str, records: list[dict[str, Any]]) -> str:
    """What ``ip -j`` prints, a record a line."""
    path = folder / name
    path.write_text("[" + ",\n".join(json.dumps(each) for each in records) + "]")
    return str(path)


def two_cards(folder: Path, number: int) -> tuple[str, str]:
    """Devices and routes of a node whose default route leaves by a card that all have alike."""
    other = 3 - number
    devices = [
        device("lo", "00:00:00:00:00:00", "127.0.0.1/8"),
        device("nat0", f"02:00:00:00:02:0{number}", "10.0.2.15/24"),
        device("eth0", f"02:00:00:00:00:0{number}", f"192.168.0.1{number}/24"),
        device("cni0", f"02:00:00:00:01:0{number}", f"10.244.{number}.1/24"),
    ]
    routes = [
        {"dst": "default", "gateway": "10.0.2.2", "dev": "nat0"},
        {"dst": "10.0.2.0/24", "dev": "nat0", "prefsrc": "10.0.2.15", "scope": "link"},
        {
            "dst": "192.168.0.0/24",
            "dev": "eth0",
            "prefsrc": f"192.168.0.1{number}",
            "scope": "link",
        },
        {"dst": f"10.244.{number}.0/24", "dev": "cni0", "scope": "link"},
        {"dst": f"10.244.{other}.0/24", "gateway": f"192.168.0.1{other}", "dev": "eth0"},
    ]
    return (
        file_of(folder, f"addr-{number}", devices),
        file_of(folder, f"route-{number}", routes),
    )


def test_two_cards_without_cluster_cidr(tmp_path: Path) -> None:
    """A node asks with the address of the wrong card; kube-proxy should have masqueraded it."""
    file = SITUATIONS / "two-cards.yaml"
    state = {f"node-{number}": two_cards(tmp_path, number) for number in (1, 2)}
    made = world(
        file,
        cni="bridge",
        ip_addr={node: addr for node, (addr, _) in state.items()},
        ip_route={node: route for node, (_, route) in state.items()},
    )
    found = ask(made, "node/node-1", "svc/loom")
    assert (found.result.value, found.decided_at) == ("timeout", "node-2")
    assert "node-2's own address (martian source)" in found.reason
    assert "kube-proxy does not know which addresses are pods' (no clusterCIDR)" in found.reason
    assert "set clusterCIDR: 10.244.0.0/16" in found.advice
    assert place(found) == (str(file), marked(file, "cause"))
    told = next(one for one in check(made) if one.rule == "node-state")
    assert told.place is not None
    assert (told.place.file, told.place.line) == place(found)
    assert "set clusterCIDR: 10.244.0.0/16" in told.fix


def routes_of(
    node: int, *, without: str = "", instead: list[dict[str, Any]] | None = None
) -> list[Any]:
    """A node's main table, less one destination."""
    other = 3 - node
    known = [
        {"dst": "default", "gateway": "192.168.0.1", "dev": "eth0"},
        {"dst": "192.168.0.0/24", "dev": "eth0", "prefsrc": f"192.168.0.1{node}", "scope": "link"},
        {"dst": f"10.244.{node}.0/24", "dev": "cni0", "scope": "link"},
        {"dst": f"10.244.{other}.0/24", "gateway": f"192.168.0.1{other}", "dev": "eth0"},
    ]
    return [route for route in known if route["dst"] not in without.split()] + (instead or [])


ROUTES = [
    ("no way to the other node", 1, routes_of(1, without="10.244.2.0/24"), "wire",
     "by its default route: it has no route to 10.244.2.0/24, the pods of node-2",
     "ip route add 10.244.2.0/24 via 192.168.0.12"),
    ("no way back", 2, routes_of(2, without="10.244.1.0/24"), "wire",
     "the question arrives, but its answer is lost: the nodes' router knows no way to 10.244.1.2",
     "should have made: ip route add 10.244.1.0/24 via 192.168.0.11"),
    ("no way back, no default route", 2, routes_of(2, without="10.244.1.0/24 default"), "node-2",
     "its answer is lost: node-2 knows no way to 10.244.1.2, the address of pod default/asker",
     "ip route add 10.244.1.0/24 via 192.168.0.11"),
    ("a blackhole", 1,
     routes_of(1, without="10.244.2.0/24", instead=[{"type": "blackhole", "dst": "10.244.2.0/24"}]),
     "node-1", "a route of node-1 refuses packets to 10.244.2.2: blackhole 10.244.2.0/24",
     "take that route off node-1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("node", "routes", "decided_at", "cause", "fix"),
    [pytest.param(*case[1:], id=case[0]) for case in ROUTES],
)
def test_a_route_is_missing(  # noqa: PLR0917 - one column of the table each
    tmp_path: Path, node: int, routes: list[Any], decided_at: str, cause: str, fix: str
) -> None:
    file = file_of(tmp_path, "routes", routes)
    made = world(PLAIN, ip_route={f"node-{node}": file})
    found = ask(made, "pod/asker", "svc/shelf")
    assert found.decided_at == decided_at
    assert cause in found.reason
    assert fix in found.advice
    assert place(found) is not None
    assert (place(found) or ("", 0))[0] == file


def test_a_bridge_of_another_network(tmp_path: Path) -> None:
    """cni0 is left from before: its pods ask for a gateway that it does not have."""
    devices = [
        device("lo", "00:00:00:00:00:00", "127.0.0.1/8"),
        device("eth0", "02:00:00:00:00:01", "192.168.0.11/24"),
        device("cni0", "02:00:00:00:01:01", "10.244.5.1/24"),
    ]
    made = world(PLAIN, ip_addr={"node-1": file_of(tmp_path, "addr", devices)})
    found = ask(made, "pod/asker", "svc/shelf")
    assert (found.result.value, found.decided_at) == ("unreachable", "default/asker")
    assert 3.05 <= found.seconds <= 3.08  # docs/facts/outcomes.md: three requests
    assert "cni0 of node-1 has 10.244.5.1/24" in found.reason
    assert "ip link delete cni0" in found.advice
    assert place(found) == (str(tmp_path / "addr"), 3)


def test_a_bridge_without_an_address(tmp_path: Path) -> None:
    """Nobody answers for the gateway: EHOSTUNREACH once three requests are lost."""
    devices = [
        device("lo", "00:00:00:00:00:00", "127.0.0.1/8"),
        device("eth0", "02:00:00:00:00:01", "192.168.0.11/24"),
        device("cni0", "02:00:00:00:01:01"),
    ]
    made = world(PLAIN, ip_addr={"node-1": file_of(tmp_path, "addr", devices)})
    found = ask(made, "pod/asker", "svc/shelf")
    assert (found.result.value, found.errno) == ("unreachable", "EHOSTUNREACH")
    assert 3.05 <= found.seconds <= 3.08  # docs/facts/outcomes.md: three requests
    assert "cni0 of node-1 does not have the address" in found.reason
    assert "ip addr add 10.244.1.1/24 dev cni0" in found.advice


def test_a_card_that_is_down(tmp_path: Path) -> None:
    """Its routes are gone with it: the card is the cause, no plug-in's route."""
    devices = [
        device("lo", "00:00:00:00:00:00", "127.0.0.1/8"),
        {**device("eth0", "02:00:00:00:00:01", "192.168.0.11/24"), "flags": ["BROADCAST"]},
        device("cni0", "02:00:00:00:01:01", "10.244.1.1/24"),
    ]
    made = world(PLAIN, ip_addr={"node-1": file_of(tmp_path, "addr", devices)})
    found = ask(made, "pod/asker", "svc/shelf")
    assert (found.result.value, found.errno) == ("unreachable", "ENETUNREACH")
    assert "eth0 of node-1, which has the node's address, is down" in found.reason
    assert found.advice == "ip link set eth0 up on node-1"
    assert place(found) == (str(tmp_path / "addr"), 2)


def test_who_masqueraded_is_told_by_what_did(tmp_path: Path) -> None:
    """With the marking chain emptied it is flannel's own rule, not externalTrafficPolicy."""
    made = world(PLAIN)
    assert (
        "because externalTrafficPolicy is Cluster"
        in ask(made, "outside", "node/node-1:31800").reason
    )
    dump = tmp_path / "rules"
    lines = rules(made, "node-1", [("-A KUBE-MARK-MASQ ", "")])
    dump.write_text("".join(f"{line}\n" for line in lines))
    own = "-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.0.0/16"
    number = next(n for n, line in enumerate(lines, 1) if line.startswith(own))
    found = ask(world(PLAIN, iptables={"node-1": str(dump)}), "outside", "node/node-1:31800")
    assert found.result.value == "connected"
    assert "of chain FLANNEL-POSTRTG says so" in found.reason
    assert f"{dump}:{number}" in found.reason


def test_an_alias_with_one_port_needs_no_port_and_translates_none() -> None:
    made = world(SITUATIONS / "aliases.yaml")
    request = parse_request(made, "pod/guest", "svc/by-pod-port")
    assert request.destination == "svc/default/by-pod-port:9090"
    assert any("translates no port" in sentence for sentence in request.names)
