"""Istio: what istio-init (or Istio's CNI plug-in) programs in a pod's namespace.

Source: istio tools/istio-iptables/pkg/capture/run.go (Run, SetupDNSRedir, addDNSConntrackZones),
pkg/cmd/root.go (flags and their variables), tools/common/config/config.go; recorded in
recordings-agents/istio-sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.because import Because
from k8stui.cluster.fields import addresses
from k8stui.cluster.model import Container, Pod
from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.namespace import GoesOn, Socket
from k8stui.kernel.packet import Protocol
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.cni.daemon import port
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.sidecars.sidecar import proxy_socket

_OWNER = "istio-init"
_PROXY = "istio-proxy"
_INBOUND, _OUTPUT = "ISTIO_INBOUND", "ISTIO_OUTPUT"
_REDIRECT, _IN_REDIRECT = "ISTIO_REDIRECT", "ISTIO_IN_REDIRECT"
_DNS, _DROP, _DIVERT, _TPROXY = "ISTIO_OUTPUT_DNS", "ISTIO_DROP", "ISTIO_DIVERT", "ISTIO_TPROXY"
_FLAGS = {
    "-p": "--envoy-port",
    "-z": "--inbound-capture-port",
    "-e": "--inbound-tunnel-port",
    "-u": "--proxy-uid",
    "-g": "--proxy-gid",
    "-m": "--istio-inbound-interception-mode",
    "-b": "--istio-inbound-ports",
    "-d": "--istio-local-exclude-ports",
    "-c": "--istio-exclude-interfaces",
    "-i": "--istio-service-cidr",
    "-x": "--istio-service-exclude-cidr",
    "-q": "--istio-outbound-ports",
    "-o": "--istio-local-outbound-ports-exclude",
    "-k": "--kube-virt-interfaces",
    "-t": "--istio-inbound-tproxy-mark",
}
_LOOPBACK = {4: "127.0.0.1/32", 6: "::1/128"}
_PASSTHROUGH = {4: "127.0.0.6/32", 6: "::6/128"}
"""From where the proxy talks to its own pod (InboundPassthroughClusterIpv4)."""
_OUTBOUND_MARK = "0x53a"
_DNS_PORT = 15053
_BREAKS = frozenset(" \"'\n\t")
"""What would end a word of a rule."""
_OWN_PORTS = (15020, 15021, 15090)
"""Statistics, health, Prometheus: the proxy answers these itself."""


class Istio:
    """The proxy of one pod."""

    def __init__(self, pod: Pod, container: Container, servers: Sequence[Address] = ()) -> None:
        """`servers`: those of the pod's resolv.conf."""
        self._pod, self._container = pod, container
        self._said, self._env = dict(_said(container.spoken)), dict(container.env)
        by_plugin = self._is_on("--skip-rule-apply")
        self._captures_dns = self._is_on("--redirect-dns", "ISTIO_META_DNS_CAPTURE")
        self._all_dns = self._is_on("--capture-all-dns", "CAPTURE_ALL_DNS") or by_plugin
        self._servers = () if self._all_dns else tuple(servers)
        self._captures_dns = self._captures_dns and (self._all_dns or bool(self._servers))
        self._uids = _listed(self._said.get("--proxy-uid", "")) or ["1337"]
        self._gids = _listed(self._said.get("--proxy-gid", "")) or self._uids
        self._is_tproxy = self._said.get("--istio-inbound-interception-mode") == "TPROXY"
        self._outgoing = self._port("--envoy-port", 15001)
        self._incoming = self._port("--inbound-capture-port", 15006)
        self._tunnel = self._port("--inbound-tunnel-port", 15008)
        self._lo_included = any(
            one.address.value >> 24 == 127 if one.address.version == 4 else one.address.value == 1
            for one in _networks(self._said.get("--istio-service-cidr", ""))
        )

    @property
    def versions(self) -> Sequence[int]:
        """IPv4 always; IPv6 where the pod's first address is one, or with dual stack."""
        own = [address.version for address in self._pod.addresses]
        dual = self._is_on("--dual-stack", "ISTIO_DUAL_STACK")
        return (4, 6) if own[:1] == [6] or (dual and 6 in own) else (4,)

    def sockets(self) -> Iterator[Socket]:
        uid = port(self._uids[0]) or 0
        back = Address.parse(_PASSTHROUGH[4].partition("/")[0])
        goes_on = GoesOn(uid=uid, own_source=back)
        for number in (self._outgoing, self._incoming):
            yield proxy_socket(self._pod, self._container, number, _PROXY, goes_on)
        for number in _OWN_PORTS:
            yield proxy_socket(self._pod, self._container, number, _PROXY, None)
        if self._captures_dns:
            for protocol in (Protocol.UDP, Protocol.TCP):
                yield proxy_socket(
                    self._pod, self._container, _DNS_PORT, _PROXY, goes_on, protocol=protocol
                )

    def rules(self, version: int) -> Contribution:
        chains: dict[str, dict[str, list[Rule]]] = {"mangle": {}, "raw": {}, "nat": {}}
        jumps: dict[str, list[Jump]] = {"mangle": [], "raw": [], "nat": []}

        def put(table: str, chain: str, match: str, target: str, *, first: bool = False) -> None:
            text = f"-A {chain} {match}{' ' if match else ''}-j {target}"
            rule = self._rule(text, chain, target)
            if chain in ("PREROUTING", "OUTPUT"):
                jumps[table].append(Jump(chain, rule, insert=first))
            else:
                chains[table].setdefault(chain, []).append(rule)

        for table, chain, match, target, first in self._all(version):
            put(table, chain, match, target, first=first)
        return Contribution(
            _OWNER,
            {
                table: TablePart(
                    chains={name: Chain(name, tuple(rules)) for name, rules in found.items()},
                    jumps=tuple(jumps[table]),
                )
                for table, found in chains.items()
                if found or jumps[table]
            },
        )

    def _all(self, version: int) -> Iterator[tuple[str, str, str, str, bool]]:
        """(table, chain, conditions, target, whether it is put on top), in Istio's order."""
        tables = ("nat", "mangle") if self._is_tproxy else ("nat",)
        for table in tables:
            for device in _listed(self._said.get("--istio-exclude-interfaces", "")):
                yield table, "PREROUTING", f"-i {device}", "RETURN", False
                yield table, "OUTPUT", f"-o {device}", "RETURN", False
        for device in self._virtual:
            yield "nat", "PREROUTING", f"-i {device}", "RETURN", True
        if self._is_on("--drop-invalid", "INVALID_DROP"):
            yield "mangle", "PREROUTING", "-m conntrack --ctstate INVALID", _DROP, False
            yield "mangle", _DROP, "", "DROP", False
        yield "nat", _INBOUND, f"-p tcp -m tcp --dport {self._tunnel}", "RETURN", False
        yield "nat", _REDIRECT, "-p tcp", f"REDIRECT --to-ports {self._outgoing}", False
        yield "nat", _IN_REDIRECT, "-p tcp", f"REDIRECT --to-ports {self._incoming}", False
        if self._is_tproxy:
            yield from self._marked_inbound(version)
        yield from self._inbound(version)
        yield "nat", "OUTPUT", "", _OUTPUT, False
        yield from (("nat", _OUTPUT, *one, False) for one in self._own_output(version))
        if self._captures_dns:
            yield from self._dns(version)
        yield "nat", _OUTPUT, f"-d {_LOOPBACK[version]}", "RETURN", False
        yield from self._chosen(version)
        if self._is_tproxy:
            yield from self._marks(version)

    def _inbound(self, version: int) -> Iterator[tuple[str, str, str, str, bool]]:
        taken = self._said.get("--istio-inbound-ports", "")
        if not taken:
            return
        if self._is_tproxy:
            divert = f"MARK --set-xmark {self._mark}/0xffffffff"
            yield "mangle", _DIVERT, "", divert, False
            yield "mangle", _DIVERT, "", "ACCEPT", False
            anywhere = {4: "0.0.0.0", 6: "::"}[version]  # noqa: S104 - what iptables prints
            to = f"TPROXY --on-port {self._incoming} --on-ip {anywhere} "
            to += f"--tproxy-mark {self._mark}/0xffffffff"
            yield "mangle", _TPROXY, f"! -d {_LOOPBACK[version]} -p tcp", to, False
        table = "mangle" if self._is_tproxy else "nat"
        target = _TPROXY if self._is_tproxy else _IN_REDIRECT
        known = " -m conntrack --ctstate RELATED,ESTABLISHED"
        yield table, "PREROUTING", "-p tcp", _INBOUND, False
        if taken == "*":
            for number in _listed(self._said.get("--istio-local-exclude-ports", "")):
                yield table, _INBOUND, f"-p tcp -m tcp --dport {number}", "RETURN", False
        ports = [""] if taken == "*" else [f" -m tcp --dport {one}" for one in _listed(taken)]
        for number in ports:
            if self._is_tproxy:
                yield table, _INBOUND, f"-p tcp{number}{known}", _DIVERT, False
            yield table, _INBOUND, f"-p tcp{number}", target, False

    def _own_output(self, version: int) -> Iterator[tuple[str, str]]:
        """What the proxy itself sends, and what stays in the pod, goes past it."""
        for number in _listed(self._said.get("--istio-local-outbound-ports-exclude", "")):
            for protocol in ("tcp", "udp"):
                yield f"-p {protocol} -m {protocol} --dport {number}", "RETURN"
        yield f"-s {_PASSTHROUGH[version]} -o lo", "RETURN"
        to_itself = f"! -d {_LOOPBACK[version]} -o lo -p tcp"
        no_tunnel = f"-m tcp ! --dport {self._tunnel}"
        no_dns = " -p tcp -m tcp ! --dport 53" if self._captures_dns else ""
        for option, numbers in (("--uid-owner", self._uids), ("--gid-owner", self._gids)):
            for number in numbers:
                but = no_tunnel
                if self._captures_dns and option == "--uid-owner":
                    but = f"-m multiport ! --dports 53,{self._tunnel}"
                yield f"{to_itself} {but} -m owner {option} {number}", _IN_REDIRECT
                if not self._lo_included:
                    yield f"-o lo{no_dns} -m owner ! {option} {number}", "RETURN"
                yield f"-m owner {option} {number}", "RETURN"
        only = self._env.get("ISTIO_OUTBOUND_OWNER_GROUPS", "*")
        if only == "*":
            for group in _listed(self._env.get("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", "")):
                yield f"-m owner --gid-owner {group}", "RETURN"
        else:
            yield " ".join(f"-m owner ! --gid-owner {one}" for one in _listed(only)), "RETURN"

    def _dns(self, version: int) -> Iterator[tuple[str, str, str, str, bool]]:
        servers = [f"{one}/{one.bits}" for one in self._servers if one.version == version]
        to, of = [f"-d {one} " for one in servers], [f"-s {one} " for one in servers]
        if self._all_dns:
            to, of = [""], [""]
        yield "raw", "OUTPUT", "", _DNS, False
        if to:
            yield "nat", _OUTPUT, "", _DNS, False
        for protocol in ("tcp", "udp"):
            for one in to:
                match = f"{one}-p {protocol} -m {protocol} --dport 53"
                yield "nat", _DNS, match, f"REDIRECT --to-ports {_DNS_PORT}", False
        for option, numbers in (("--uid-owner", self._uids), ("--gid-owner", self._gids)):
            for number in numbers:
                owner = f"-m owner {option} {number}"
                yield "raw", _DNS, f"-p udp -m udp --dport 53 {owner}", "CT --zone 1", False
                answer = f"-p udp -m udp --sport {_DNS_PORT} {owner}"
                yield "raw", _DNS, answer, "CT --zone 2", False
        if to:
            yield "raw", "PREROUTING", "", _INBOUND, False
        for there, back in zip(to, of, strict=True):
            yield "raw", _DNS, f"{there}-p udp -m udp --dport 53", "CT --zone 2", False
            yield "raw", _INBOUND, f"{back}-p udp -m udp --sport 53", "CT --zone 1", False

    def _chosen(self, version: int) -> Iterator[tuple[str, str, str, str, bool]]:
        """Which of all else goes through the proxy."""
        for prefix in _networks(self._said.get("--istio-service-exclude-cidr", "")):
            if prefix.address.version == version:
                yield "nat", _OUTPUT, _to(prefix), "RETURN", False
        for number in _listed(self._said.get("--istio-outbound-ports", "")):
            yield "nat", _OUTPUT, f"-p tcp -m tcp --dport {number}", _REDIRECT, False
        included = self._said.get("--istio-service-cidr", "")
        if included == "*":
            yield "nat", _OUTPUT, "", _REDIRECT, False
            for device in self._virtual:
                yield "nat", "PREROUTING", f"-i {device}", _REDIRECT, True
            return
        for prefix in _networks(included):
            if prefix.address.version == version:
                for device in self._virtual:
                    match = f"{_to(prefix)} -i {device}".strip()
                    yield "nat", "PREROUTING", match, _REDIRECT, True
                yield "nat", _OUTPUT, _to(prefix), _REDIRECT, False

    def _marked_inbound(self, version: int) -> Iterator[tuple[str, str, str, str, bool]]:
        """TPROXY: what comes first in its chain, though it is put there last."""
        yield "mangle", _INBOUND, f"-p tcp -m mark --mark {self._mark}", "RETURN", False
        yield "mangle", _INBOUND, f"-s {_PASSTHROUGH[version]} -i lo -p tcp", "RETURN", False
        not_ours = f"-i lo -p tcp -m mark ! --mark {_OUTBOUND_MARK}"
        yield "mangle", _INBOUND, not_ours, "RETURN", False

    def _marks(self, version: int) -> Iterator[tuple[str, str, str, str, bool]]:
        masks = "--nfmask 0xffffffff --ctmask 0xffffffff"
        marked = f"-p tcp -m mark --mark {self._mark}"
        yield "mangle", "PREROUTING", marked, f"CONNMARK --save-mark {masks}", False
        yield "mangle", "OUTPUT", f"-o lo {marked}", "RETURN", False
        set_mark = f"MARK --set-xmark {_OUTBOUND_MARK}/0xffffffff"
        for option, numbers in (("--uid-owner", self._uids), ("--gid-owner", self._gids)):
            for number in numbers:
                match = f"! -d {_LOOPBACK[version]} -o lo -p tcp -m owner {option} {number}"
                yield "mangle", "OUTPUT", match, set_mark, False
        known = f"-p tcp -m connmark --mark {self._mark}"
        yield "mangle", "OUTPUT", known, f"CONNMARK --restore-mark {masks}", False

    @property
    def _virtual(self) -> list[str]:
        return _listed(self._said.get("--kube-virt-interfaces", ""))

    @property
    def _mark(self) -> str:
        return f"{self._port('--istio-inbound-tproxy-mark', 1337):#x}"

    def _rule(self, text: str, chain: str, target: str) -> Rule:
        said = {
            _REDIRECT: "what the pod sends goes to its proxy",
            _IN_REDIRECT: "what comes to the pod goes to its proxy",
            "RETURN": "not through the proxy",
        }.get(target, f"Istio's {chain}")
        because = Because(text=said, origin=self._container.origin, owner=_OWNER, pod=self._pod.key)
        return Rule(text, because)

    def _is_on(self, flag: str, variable: str = "") -> bool:
        """A switch, by its flag or by its variable."""
        written = self._said.get(flag) or self._env.get(variable, "")
        return written.lower() in {"true", "1", "t"}

    def _port(self, flag: str, otherwise: int) -> int:
        return port(self._said.get(flag, "")) or otherwise


def _said(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Flags with their values, by their long names; a switch alone is ``true``."""
    for word, following in zip(words, (*words[1:], "-"), strict=True):
        name, equals, value = word.partition("=")
        if not name.startswith("-") or not name.strip("-"):
            continue
        if equals:
            yield _FLAGS.get(name, name), value
        elif name in _FLAGS or name in _FLAGS.values():
            yield _FLAGS.get(name, name), "" if following.startswith("-") else following
        else:
            yield name, "true"


def _listed(written: str) -> list[str]:
    """Parts of a list that iptables takes for ports, numbers and devices."""
    parts = map(str.strip, written.split(","))
    usable = (one for one in parts if one.isascii() and not set(one) & _BREAKS)
    return [one for one in usable if one and one[0] not in "-!"]


def _networks(written: str) -> tuple[Prefix, ...]:
    """CIDRs, without the bits behind the mask, as iptables prints them."""
    found = []
    for one in map(str.strip, written.split(",")):
        host, slash, length = one.partition("/")
        parsed = addresses((host,)) if slash and length.isascii() and length.isdigit() else ()
        if parsed and int(length) <= parsed[0].bits:
            found.append(Prefix.of(parsed[0], int(length)))
    return tuple(found)


def _to(prefix: Prefix) -> str:
    return f"-d {prefix}" if prefix.length else ""
