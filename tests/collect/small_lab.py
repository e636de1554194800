"""A small cluster of real namespaces as one network plug-in leaves it: asked, then collected.

Run in namespaces of its own (user, network, mount, process): ``small_lab.py KIND FOLDER``. FOLDER
holds collect.sh and kube-proxy's rules (NODE.iptables); asked.json and nodes/NODE.txt are written.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

NODES = {"node-1": "192.0.2.11", "node-2": "192.0.2.12"}
OUTSIDE = "203.0.113.10"
CLUSTER_IP, NODE_PORT = "10.96.7.7", 30080
_OWN_NETWORK = {
    "client": ("node-1", "10.244.1.2"),
    "web-1": ("node-1", "10.244.1.3"),
    "web-2": ("node-2", "10.244.2.3"),
    "far": ("node-2", "10.244.2.4"),
}
_NODES_NETWORK = {
    "client": ("node-1", "192.0.2.31"),
    "web-1": ("node-1", "192.0.2.32"),
    "web-2": ("node-2", "192.0.2.43"),
    "far": ("node-2", "192.0.2.44"),
}
_SERVER = """
import socket, sys
with socket.create_server(("", int(sys.argv[1])), backlog=64) as server:
    print("listens", flush=True)
    while True:
        peer, who = server.accept()
        peer.sendall(f"{sys.argv[2]} {peer.getsockname()[0]} {who[0]}".encode())
        peer.close()
"""
_CLIENT = """
import socket, sys
heard = set()
for _ in range(int(sys.argv[3])):
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), 2) as peer:
            heard.add("connected " + peer.recv(99).decode())
    except TimeoutError:
        heard.add("timeout")
    except ConnectionRefusedError:
        heard.add("refused")
    except OSError:
        heard.add("unreachable")
print("\\n".join(sorted(heard)))
"""
_PROXIED = "proxy_arp=1 {c}.rp_filter=1 {c}.route_localnet=1"


def pods_of(kind: str) -> Mapping[str, tuple[str, str]]:
    """Pod → (node, address)."""
    return _NODES_NETWORK if kind == "aws" else _OWN_NETWORK


def asked(kind: str) -> Iterator[tuple[str, str, int]]:
    """Who asks whom: (namespace, address, port)."""
    at = {pod: address for pod, (_, address) in pods_of(kind).items()}
    one, other = NODES.values()
    yield from (
        ("client", at["web-1"], 8080),
        ("client", at["web-2"], 8080),
        ("client", at["web-2"], 81),
        *((who, CLUSTER_IP, 80) for who in ("client", "far", "web-1", "node-1")),
        ("node-1", at["web-2"], 8080),
        ("node-2", at["web-2"], 8080),
        ("client", OUTSIDE, 9000),
        ("client", other, 9100),
        ("client", one, 9100),
        ("client", other, NODE_PORT),
        ("outside", one, NODE_PORT),
        ("node-2", at["client"], 81),
    )


class Lab:
    """The namespaces while they are built."""

    def __init__(self, kind: str) -> None:
        self.pods = pods_of(kind)

    def sh(self, text: str, space: str = "") -> str:
        """Run lines of a shell in a namespace; give what they print."""
        inside = ["ip", "netns", "exec", space] if space else []
        done = subprocess.run(
            [*inside, "sh", "-ec", text], capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{space}: {text}\n{done.stderr}")
        return done.stdout

    def ground(self) -> None:
        """The nodes on one switch, its router, and a host beyond it."""
        self.sh("mount -t tmpfs none /run; mkdir /run/netns; ip link set lo up")
        for name in ("outside", "router", *NODES, *self.pods):
            self.sh(f"ip netns add {name}; ip -n {name} link set lo up")
        self.sh(
            "ip link add br0 type bridge; ip addr add 192.0.2.1/24 dev br0; ip link set br0 up;"
            "ip link add up0 type veth peer name eth0 netns outside;"
            "ip addr add 203.0.113.1/24 dev up0; ip link set up0 up;"
            "sysctl -qw net.ipv4.ip_forward=1",
            "router",
        )
        self.sh(
            f"ip addr add {OUTSIDE}/24 dev eth0; ip link set eth0 up;"
            "ip route add default via 203.0.113.1",
            "outside",
        )
        for name, address in NODES.items():
            self.card(name, "eth0")
            self.sh(
                f"ip addr add {address}/24 dev eth0; ip route add default via 192.0.2.1;"
                "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1",
                name,
            )

    def card(self, node: str, device: str) -> None:
        port = f"p{self.number(node)}{device}"
        self.sh(f"ip link add {port} type veth peer name {device} netns {node}", "router")
        self.sh(f"ip link set {port} master br0 up", "router")
        self.sh(f"ip link set {device} up", node)

    def number(self, node: str) -> int:
        return 1 + list(NODES).index(node)

    def cables(self, prefix: str) -> Iterator[tuple[str, str, str, str]]:
        """Hang each pod on its node: (pod, its address, node, device there)."""
        for pod, (node, address) in self.pods.items():
            port = prefix + pod.replace("-", "")
            self.sh(f"ip link add {port} type veth peer name eth0 netns {pod}", node)
            self.sh(f"ip link set {port} up", node)
            self.sh("ip link set eth0 up", pod)
            yield pod, address, node, port

    def others(self, node: str) -> Iterator[tuple[str, str, str]]:
        """The other nodes: (name, address, pods' network)."""
        for other, address in NODES.items():
            if other != node:
                yield other, address, f"10.244.{self.number(other)}.0"

    def by_proxy(self) -> None:
        """Calico's pods: 169.254.1.1 by proxy ARP, a route a pod."""
        for pod, address, node, port in self.cables("cali"):
            conf = f"net.ipv4.conf.{port}"
            self.sh(
                f"sysctl -qw {conf}.{_PROXIED.format(c=conf)} net.ipv4.neigh.{port}.proxy_delay=0;"
                f"ip link set {port} address ee:ee:ee:ee:ee:ee;"
                f"ip route add {address} dev {port} scope link",
                node,
            )
            self.by_gateway(pod, address)

    def by_gateway(self, pod: str, address: str) -> None:
        self.sh(
            f"ip addr add {address}/32 dev eth0; ip route add 169.254.1.1 dev eth0 scope link;"
            "ip route add default via 169.254.1.1",
            pod,
        )

    def bridged(self) -> None:
        for node in NODES:
            self.sh(
                f"ip link add cni0 type bridge; ip link set cni0 up;"
                f"ip addr add 10.244.{self.number(node)}.1/24 dev cni0",
                node,
            )
        for pod, address, node, port in self.cables("veth"):
            self.sh(f"ip link set {port} master cni0; bridge link set dev {port} hairpin on", node)
            self.sh(
                f"ip addr add {address}/24 dev eth0;"
                f"ip route add default via 10.244.{self.number(node)}.1",
                pod,
            )

    def vxlan(self, device: str, vni: int, port: int) -> None:
        for node, own in NODES.items():
            self.sh(
                f"ip link add {device} address 66:00:00:00:00:0{self.number(node)} mtu 1450 "
                f"type vxlan id {vni} local {own} dev eth0 dstport {port} nolearning;"
                f"ip addr add 10.244.{self.number(node)}.0/32 dev {device};"
                f"ip link set {device} up",
                node,
            )
            for other, address, net in self.others(node):
                mac = f"66:00:00:00:00:0{self.number(other)}"
                self.sh(
                    f"ip neigh replace {net} lladdr {mac} dev {device} nud permanent;"
                    f"bridge fdb append {mac} dev {device} dst {address};"
                    f"ip route add {net}/24 via {net} dev {device} onlink",
                    node,
                )

    def each(self, text: str) -> None:
        for node, address in NODES.items():
            self.sh(text.format(node=address, number=self.number(node)), node)


def kindnet(lab: Lab) -> None:
    """Each cable has the node's gateway; routes by hand; KIND-MASQ-AGENT."""
    for pod, address, node, port in lab.cables("veth"):
        gateway = f"10.244.{lab.number(node)}.1"
        lab.sh(f"ip addr add {gateway}/32 dev {port}; ip route add {address}/32 dev {port}", node)
        lab.sh(
            f"ip addr add {address}/24 dev eth0; ip route flush dev eth0;"
            f"ip route add {gateway} dev eth0 scope link src {address};"
            f"ip route add default via {gateway}",
            pod,
        )
    for node in NODES:
        for _, address, net in lab.others(node):
            lab.sh(f"ip route add {net}/24 via {address}", node)
    lab.each(
        "iptables -t nat -N KIND-MASQ-AGENT;"
        "iptables -t nat -A POSTROUTING -m addrtype ! --dst-type LOCAL -j KIND-MASQ-AGENT;"
        "iptables -t nat -A KIND-MASQ-AGENT -d 10.244.0.0/16 -j RETURN;"
        "iptables -t nat -A KIND-MASQ-AGENT -j MASQUERADE"
    )


def calico(lab: Lab) -> None:
    """VXLAN between the nodes, a blackhole for the block, sets, the reverse path."""
    lab.by_proxy()
    lab.vxlan("vxlan.calico", 4096, 4789)
    lab.each(
        "ip route add blackhole 10.244.{number}.0/26 proto 80;"
        "ipset create pools hash:net; ipset add pools 10.244.0.0/16;"
        "iptables -t nat -N cali-nat-outgoing; iptables -t nat -I POSTROUTING -j cali-nat-outgoing;"
        "iptables -t nat -A cali-nat-outgoing -m set --match-set pools src "
        "-m set ! --match-set pools dst -j MASQUERADE;"
        "iptables -t raw -I PREROUTING -i cali+ -m rpfilter --validmark --invert -j DROP"
    )


def aws(lab: Lab) -> None:
    """Pods in the nodes' network; a second card with a table of its own, rules by pod and mark."""
    for number, (pod, address, node, port) in enumerate(lab.cables("eni")):
        mac = f"0e:00:00:00:00:{number:02x}"
        lab.sh(
            f"ip link set {port} address {mac}; ip route add {address} dev {port} scope link;"
            f"ip rule add pref 512 to {address}/32 lookup main",
            node,
        )
        lab.by_gateway(pod, address)
        lab.sh(f"ip neigh replace 169.254.1.1 lladdr {mac} dev eth0 nud permanent", pod)
    for node in NODES:
        lab.card(node, "eth1")
    lab.each(
        "ip addr add 192.0.2.2{number}/24 dev eth1 noprefixroute;"
        "ip route add 192.0.2.1 dev eth1 scope link table 2;"
        "ip route add default via 192.0.2.1 dev eth1 table 2;"
        "ip rule add pref 1024 fwmark 0x80/0x80 lookup main;"
        "sysctl -qw net.ipv4.conf.eth0.rp_filter=2 net.ipv4.conf.eth1.rp_filter=2;"
        "iptables -t nat -N SNAT-0; iptables -t nat -A POSTROUTING -j SNAT-0;"
        "iptables -t nat -A SNAT-0 -d 192.0.2.0/24 -j RETURN;"
        "iptables -t nat -A SNAT-0 ! -o vlan+ -m addrtype ! --dst-type LOCAL "
        "-j SNAT --to-source {node} --random-fully;"
        "iptables -t mangle -A PREROUTING -i eth0 -m addrtype --dst-type LOCAL --limit-iface-in "
        "-j CONNMARK --set-xmark 0x80/0x80;"
        "iptables -t mangle -A PREROUTING -i eni+ -j CONNMARK --restore-mark --nfmask 0x80 "
        "--ctmask 0x80"
    )
    node, address = lab.pods["far"]
    lab.sh(f"ip rule add pref 1536 from {address}/32 lookup 2", node)
    # The network brings a pod's packets to the card of its node, and tells its MAC for it.
    macs = {one: lab.sh("cat /sys/class/net/eth0/address", one).strip() for one in NODES}
    for node, address in lab.pods.values():
        for name in ("router", *NODES):
            if name != node:
                device = "br0" if name == "router" else "eth0"
                how = f"lladdr {macs[node]} dev {device} nud permanent"
                lab.sh(f"ip neigh replace {address} {how}", name)


def flannel(lab: Lab) -> None:
    """Bridges, and VXLAN between them."""
    lab.bridged()
    lab.vxlan("flannel.1", 1, 8472)
    lab.each(_MASQUERADE)


def two_ways(lab: Lab) -> None:
    """Two cards a node, and a route with two next hops to the other node's pods."""
    lab.bridged()
    for node in NODES:
        lab.card(node, "eth1")
    lab.each(
        "ip addr add 192.0.2.2{number}/24 dev eth1 noprefixroute;"
        "sysctl -qw net.ipv4.fib_multipath_hash_policy=1 net.ipv4.conf.all.arp_ignore=1 "
        f"net.ipv4.conf.all.arp_announce=2; {_MASQUERADE}"
    )
    for node in NODES:
        for other, address, net in lab.others(node):
            lab.sh(
                f"ip route add {net}/24 nexthop via {address} dev eth0 "
                f"nexthop via 192.0.2.2{lab.number(other)} dev eth1 onlink",
                node,
            )


_MASQUERADE = "iptables -t nat -A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE"
KINDS: Mapping[str, Callable[[Lab], None]] = {
    "kindnet": kindnet,
    "calico": calico,
    "aws": aws,
    "flannel": flannel,
    "two-ways": two_ways,
}


@contextmanager
def servers() -> Iterator[None]:
    """Listen on pods, nodes and beyond."""
    started = [
        subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-c", _SERVER, str(port), name],
            stdout=subprocess.PIPE,
        )
        for name, port in (
            *(("web-1", 8080), ("web-2", 8080), ("outside", 9000)),
            *((node, 9100) for node in NODES),
        )
    ]
    try:
        for server in started:
            assert server.stdout is not None
            server.stdout.readline()
        yield
    finally:
        for server in started:
            server.kill()
            server.wait()


def ask(kind: str) -> Iterator[tuple[str, str, int, list[str]]]:
    """All that a client hears, over as many tries as chance needs."""
    for source, address, port in asked(kind):
        is_chance = kind == "two-ways" or address == CLUSTER_IP or port == NODE_PORT
        tries = 60 if is_chance else 2
        words = [sys.executable, "-c", _CLIENT, address, str(port), str(tries)]
        done = subprocess.run(
            ["ip", "netns", "exec", source, *words], capture_output=True, text=True, check=True
        )
        yield source, address, port, done.stdout.splitlines()


def collect(lab: Lab, folder: Path) -> None:
    """Run the script on each node, where /run/netns has this node's pods alone."""
    (folder / "nodes").mkdir()
    for node in NODES:
        here = [pod for pod, (where, _) in lab.pods.items() if where == node]
        bind = "".join(f"touch n/{pod}; mount --bind /run/netns/{pod} n/{pod};" for pod in here)
        text = (
            f"cd /run; mkdir -p n; mount -t tmpfs none n; {bind}"
            f"nsenter --net=/run/netns/{node} sh -ec 'mount --rbind n netns;"
            f"COLLECT_NAMED_ONLY=1 sh {folder}/collect.sh'"
        )
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-ec", text], capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(done.stderr)
        (folder / "nodes" / f"{node}.txt").write_text(done.stdout)


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    lab = Lab(kind)
    lab.ground()
    KINDS[kind](lab)
    for node in NODES:
        lab.sh(f"iptables-restore --noflush < {folder}/{node}.rules", node)
    with servers():
        (folder / "asked.json").write_text(json.dumps([*ask(kind)]))
        collect(lab, folder)


if __name__ == "__main__":
    main()
