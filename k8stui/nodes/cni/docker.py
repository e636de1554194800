"""Docker's own bridge with Docker's own rules, by release: pods that are plain containers.

Source: docs/facts/cni.md section 5 (moby libnetwork/drivers/bridge/setup_ip_tables.go,
setup_ip_forwarding.go, iptables/iptables.go, firewall_linux.go; since 28.0.1
drivers/bridge/internal/iptabler); recorded in recordings-cni/docker*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from k8stui.because import Because
from k8stui.cluster.model import ContainerPort, Node, Pod
from k8stui.kernel.address import Address
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.cni.between import host_gateway_routes
from k8stui.nodes.cni.bridged import Bridged, BridgeStyle
from k8stui.nodes.cni.conflist import mtu, switch
from k8stui.nodes.cni.docker0 import docker_proxies
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.host_ports import host_ports, passed_on
from k8stui.nodes.part import Part
from k8stui.nodes.site import Site
from k8stui.origin import Origin, defaulted
from k8stui.record import record

_BRIDGE = "docker0"
_USUAL = "20.10"
_FIRST, _SECOND = "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2"


@record(kw_only=True)
class _Daemon:
    """dockerd's options (daemon.json has them under the same names), and its release."""

    release: tuple[int, ...]
    iptables: bool = True
    ip_masq: bool = True
    userland_proxy: bool = True
    icc: bool = True
    drops: bool = True
    """Whether FORWARD becomes DROP: it does where dockerd itself has switched forwarding on."""
    mtu_bytes: int = 1500
    origin: Origin


def _daemon(site: Site, release: str) -> _Daemon:
    told = site.cluster.docker or {}
    numbers = tuple(map(int, release.split(".")))
    return _Daemon(
        release=numbers,
        iptables=switch(told, "iptables", otherwise=True),
        ip_masq=switch(told, "ip-masq", otherwise=True),
        userland_proxy=switch(told, "userland-proxy", otherwise=True),
        icc=switch(told, "icc", otherwise=True),
        drops=numbers >= (1, 13)
        and switch(told, "ip-forward", otherwise=True)
        and not switch(told, "ip-forward-no-drop", otherwise=False),
        mtu_bytes=mtu(told.get("mtu")) or 1500,
        origin=defaulted(f"as dockerd {release} writes it"),
    )


class Docker:
    """dockerd as it comes, with ``--bip`` in the node's pod network; routes are the set-up's."""

    def __init__(self, site: Site, *, release: str = "") -> None:
        """`release`: 1.9 …; empty: that of the input's Nodes, else 20.10."""
        self._site = site
        self._daemon = _daemon(site, release or _running(site) or _USUAL)
        self._bridged = Bridged(
            site,
            BridgeStyle(
                owner="docker",
                device=_BRIDGE,
                veth_digits=7,
                mac_lead="02:42" if self._daemon.release < (28,) else "02:00",
                hairpin=not self._daemon.userland_proxy,
                stands_empty=True,
                mtu_bytes=self._daemon.mtu_bytes,
            ),
        )

    def recognises(self, node: Node) -> bool:
        rules = self._site.observed(node).rulesets.values()
        return self._bridged.recognises(node) and any(
            ruleset.chain("filter", "DOCKER") is not None for ruleset in rules
        )

    def addresses(self, node: Node) -> Sequence[Address]:
        return self._bridged.addresses(node)

    def node_part(self, node: Node) -> Part:
        site, daemon = self._site, self._daemon
        as_asked = daemon.release >= (28,)
        proxies = docker_proxies(site, node, answers_as_asked=as_asked)
        localnet = frozenset((_BRIDGE,) if daemon.iptables and not daemon.userland_proxy else ())
        return (
            self._bridged.node_part(node)
            + host_gateway_routes(site, node, "the cluster's set-up")
            + Part(
                sockets=tuple(proxies) if daemon.userland_proxy else (),
                route_localnet=localnet,
            )
        )

    def pod_part(self, node: Node, pod: Pod) -> Part:
        return self._bridged.pod_part(node, pod)

    def contributions(self, node: Node, version: int) -> Sequence[Contribution]:
        """docker0 has no IPv6 unless it is told so."""
        daemon = self._daemon
        if version != 4 or not daemon.iptables:
            return ()
        published = tuple(_published(self._site, node))
        because = Because(text="Docker's own rule", origin=daemon.origin, owner="docker")
        tables = {
            "filter": _Filter(daemon, published, because).part(),
            "nat": self._nat(node, published, because),
        }
        if daemon.release >= (28,):
            tables["raw"] = _raw(self._site.pods(node.name), because)
        return (Contribution("docker", tables),)

    def _nat(self, node: Node, published: Sequence[_Published], because: Because) -> TablePart:
        daemon = self._daemon
        network = next((net for net in self._site.networks(node) if net.address.version == 4), None)
        local = "-m addrtype --dst-type LOCAL -j DOCKER"
        not_localhost = "! -d 127.0.0.0/8 " if daemon.userland_proxy else ""
        lines = [
            ("PREROUTING", f"-A PREROUTING {local}"),
            ("OUTPUT", f"-A OUTPUT {not_localhost}{local}"),
        ]
        if not daemon.userland_proxy:
            told = f"-o {_BRIDGE} -m addrtype --src-type LOCAL"
            lines.append(("POSTROUTING", f"-A POSTROUTING {told} -j MASQUERADE"))
        if daemon.ip_masq and network is not None:
            told = f"-s {network} ! -o {_BRIDGE}"
            lines.append(("POSTROUTING", f"-A POSTROUTING {told} -j MASQUERADE"))
        jumps = [Jump(chain, Rule(line, because)) for chain, line in lines]
        rules: list[Rule] = []
        if daemon.userland_proxy and daemon.ip_masq and (1, 10) <= daemon.release < (28,):
            rules.append(Rule(f"-A DOCKER -i {_BRIDGE} -j RETURN", because))
        not_inside = f"! -i {_BRIDGE} " if daemon.userland_proxy else ""
        for one in published:
            if daemon.release < (28,):
                same = f"-s {one.address}/32 -d {one.address}/32"
                rule = Rule(f"-A POSTROUTING {same} {one.at_container} -j MASQUERADE", one.because)
                jumps.append(Jump("POSTROUTING", rule))
            there = f"--to-destination {one.address}:{one.port.number}"
            rules.append(
                Rule(
                    f"-A DOCKER {one.to_host}{not_inside}{one.at_host} -j DNAT {there}", one.because
                )
            )
        return TablePart(chains={"DOCKER": Chain("DOCKER", tuple(rules))}, jumps=tuple(jumps))


@record()
class _Published:
    """A port of a container on its node."""

    port: ContainerPort
    address: Address
    because: Because

    @property
    def at_container(self) -> str:
        protocol = self.port.protocol.name.lower()
        return f"-p {protocol} -m {protocol} --dport {self.port.number}"

    @property
    def at_host(self) -> str:
        protocol = self.port.protocol.name.lower()
        return f"-p {protocol} -m {protocol} --dport {self.port.host_port}"

    @property
    def to_host(self) -> str:
        host = self.port.host_ip
        return f"-d {host}/32 " if host is not None and host.value else ""


def _published(site: Site, node: Node) -> Iterator[_Published]:
    for pod in site.pods(node.name):
        address = next((a for a in pod.addresses if a.version == 4), None)
        for port in host_ports(pod) if address is not None else ():
            if address is None or (port.host_ip is not None and port.host_ip.version != 4):
                continue
            yield _Published(port, address, passed_on(pod, port, "docker"))


class _Filter:
    """The filter table, in one of its layouts."""

    def __init__(self, daemon: _Daemon, published: Sequence[_Published], because: Because) -> None:
        self._daemon = daemon
        self._published = published
        self._because = because

    def part(self) -> TablePart:
        daemon = self._daemon
        accepts = [
            Rule(
                f"-A DOCKER -d {one.address}/32 ! -i {_BRIDGE} -o {_BRIDGE} {one.at_container} "
                "-j ACCEPT",
                one.because,
            )
            for one in self._published
        ]
        chains, forward = self._since_28() if daemon.release >= (28,) else self._before_28()
        rest = chains.pop("DOCKER", ())
        return TablePart(
            chains={
                "DOCKER": Chain("DOCKER", (*accepts, *rest)),
                **{name: Chain(name, tuple(rules)) for name, rules in chains.items()},
            },
            # All are put on top, the last one first: in front of what others have there.
            jumps=tuple(Jump("FORWARD", rule, insert=True) for rule in reversed(forward)),
            policies={"FORWARD": "DROP"} if daemon.drops else {},
        )

    def _before_28(self) -> tuple[dict[str, Sequence[Rule]], list[Rule]]:
        release = self._daemon.release
        inside = "ACCEPT" if self._daemon.icc else "DROP"
        chains: dict[str, Sequence[Rule]] = {}
        forward: list[str] = []
        if release >= (17, 6):
            chains["DOCKER-USER"] = self._rules("DOCKER-USER", "-j RETURN")
            forward.append("-j DOCKER-USER")
        if release >= (18, 2):
            chains[_FIRST] = self._rules(
                _FIRST, f"-i {_BRIDGE} ! -o {_BRIDGE} -j {_SECOND}", "-j RETURN"
            )
            chains[_SECOND] = self._rules(_SECOND, f"-o {_BRIDGE} -j DROP", "-j RETURN")
            forward.append(f"-j {_FIRST}")
        elif release >= (1, 10):
            chains["DOCKER-ISOLATION"] = self._rules("DOCKER-ISOLATION", "-j RETURN")
            forward.append("-j DOCKER-ISOLATION")
        answers = f"-o {_BRIDGE} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        to_ports = f"-o {_BRIDGE} -j DOCKER"
        forward += [answers, to_ports] if release >= (17, 6) else [to_ports, answers]
        forward += [
            f"-i {_BRIDGE} ! -o {_BRIDGE} -j ACCEPT",
            f"-i {_BRIDGE} -o {_BRIDGE} -j {inside}",
        ]
        return chains, self._rules("FORWARD", *forward)

    def _since_28(self) -> tuple[dict[str, Sequence[Rule]], list[Rule]]:
        """Chains of their own for what used to stand in FORWARD (iptabler/network.go)."""
        through = [f"-j DOCKER-{name}" for name in ("CT", "INTERNAL", "BRIDGE")]
        if not self._daemon.icc:
            through.append(f"-i {_BRIDGE} -o {_BRIDGE} -j DROP")
        through.append(f"-i {_BRIDGE} -j ACCEPT")
        answers = f"-o {_BRIDGE} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        chains: dict[str, Sequence[Rule]] = {
            "DOCKER": self._rules("DOCKER", f"! -i {_BRIDGE} -o {_BRIDGE} -j DROP"),
            "DOCKER-BRIDGE": self._rules("DOCKER-BRIDGE", f"-o {_BRIDGE} -j DOCKER"),
            "DOCKER-CT": self._rules("DOCKER-CT", answers),
            "DOCKER-FORWARD": self._rules("DOCKER-FORWARD", *through),
            "DOCKER-INTERNAL": (),
            "DOCKER-USER": (),
        }
        return chains, self._rules("FORWARD", "-j DOCKER-USER", "-j DOCKER-FORWARD")

    def _rules(self, chain: str, *matches: str) -> list[Rule]:
        return [Rule(f"-A {chain} {match}", self._because) for match in matches]


def _raw(pods: Sequence[Pod], because: Because) -> TablePart:
    """Since 28.0: what is routed to a container from elsewhere than its bridge is dropped."""
    addresses = (a for pod in pods for a in pod.addresses if a.version == 4)
    rules = (Rule(f"-A PREROUTING -d {a}/32 ! -i {_BRIDGE} -j DROP", because) for a in addresses)
    return TablePart(jumps=tuple(Jump("PREROUTING", rule) for rule in rules))


def _running(site: Site) -> str:
    """The release that a Node of the input reports: ``docker://20.10.24``."""
    for node in site.cluster.nodes.values():
        found = re.match(r"docker://([0-9]{1,4}(?:\.[0-9]{1,4})+)", node.runtime)
        if found:
            return found[1]
    return ""
