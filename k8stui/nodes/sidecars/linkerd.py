"""Linkerd: what proxy-init programs in a pod's namespace.

Source: linkerd2-proxy-init proxy-init/cmd/root.go (flags), pkg/iptables/iptables.go
(addOutgoingTrafficRules, addIncomingTrafficRules, makeMultiportDestinations); recorded in
recordings-agents/linkerd-proxy-init.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from k8stui.because import Because
from k8stui.cluster.fields import prefixes
from k8stui.cluster.model import Container, Pod
from k8stui.kernel.address import Address
from k8stui.kernel.namespace import GoesOn, Socket
from k8stui.kernel.rules import Chain, Rule
from k8stui.nodes.cni.daemon import argument, port, told
from k8stui.nodes.contribution import Contribution, Jump, TablePart
from k8stui.nodes.sidecars.sidecar import proxy_socket
from k8stui.whole import whole

_OWNER = "linkerd-init"
_OUT, _IN = "PROXY_INIT_OUTPUT", "PROXY_INIT_REDIRECT"
_PORTS_IN_ONE_RULE = 15
"""What -m multiport takes; a range counts twice."""


class Linkerd:
    """The proxy of one pod."""

    def __init__(self, pod: Pod, container: Container, servers: Sequence[Address] = ()) -> None:
        del servers  # name servers are asked by UDP, which it leaves alone
        self._pod, self._container = pod, container
        self._incoming = self._port("incoming-proxy-port", 4143)
        self._outgoing = self._port("outgoing-proxy-port", 4140)

    @property
    def versions(self) -> Sequence[int]:
        return (4, 6) if told(self._container.spoken, "ipv6", otherwise=True) else (4,)

    def sockets(self) -> Iterator[Socket]:
        uid = port(argument(self._container.spoken, "proxy-uid") or "") or 0
        goes_on = GoesOn(uid=uid)
        for number in (self._incoming, self._outgoing):
            yield proxy_socket(self._pod, self._container, number, "linkerd-proxy", goes_on)

    def rules(self, version: int) -> Contribution:
        chains = {
            _OUT: Chain(_OUT, tuple(self._out())),
            _IN: Chain(_IN, tuple(self._in(version))),
        }
        jumps = (
            Jump("PREROUTING", self._rule("PREROUTING", "", "install-proxy-init-prerouting", _IN)),
            Jump("OUTPUT", self._rule("OUTPUT", "", "install-proxy-init-output", _OUT)),
        )
        return Contribution(_OWNER, {"nat": TablePart(chains=chains, jumps=jumps)})

    def _out(self) -> Iterator[Rule]:
        for flag, option, who in (
            ("proxy-uid", "--uid-owner", "user"),
            ("proxy-gid", "--gid-owner", "group"),
        ):
            number = argument(self._container.spoken, flag)
            if number is not None and whole(number):
                match = f"-m owner {option} {number} "
                yield self._rule(_OUT, match, f"ignore-proxy-{who}-id", "RETURN")
        yield self._rule(_OUT, "-o lo ", "ignore-loopback", "RETURN")
        yield from self._ignored(_OUT, "outbound-ports-to-ignore")
        to = f"REDIRECT --to-ports {self._outgoing}"
        yield self._rule(_OUT, "-p tcp ", "redirect-all-outgoing-to-proxy-port", to)

    def _in(self, version: int) -> Iterator[Rule]:
        yield from self._ignored(_IN, "inbound-ports-to-ignore")
        for prefix in prefixes(self._listed("subnets-to-ignore")):
            if prefix.address.version == version:
                yield self._rule(_IN, f"-s {prefix} ", f"ignore-subnet-{prefix}", "RETURN")
        to = f"REDIRECT --to-ports {self._incoming}"
        chosen = [one for one in map(port, self._listed("ports-to-redirect")) if one is not None]
        for one in chosen:
            said = f"redirect-port-{one}-to-proxy-port"
            yield self._rule(_IN, f"-p tcp -m tcp --dport {one} ", said, to)
        if not chosen:
            yield self._rule(_IN, "-p tcp ", "redirect-all-incoming-to-proxy-port", to)

    def _ignored(self, name: str, flag: str) -> Iterator[Rule]:
        for group in _groups(list(chain.from_iterable(map(_range, self._listed(flag))))):
            ports = ",".join(group)
            match = f"-p tcp -m multiport --dports {ports} "
            yield self._rule(name, match, f"ignore-port-{ports}", "RETURN")

    def _rule(self, name: str, match: str, said: str, target: str) -> Rule:
        """Conditions on the header and of other modules come first, then the comment."""
        because = Because(
            text=said.replace("-", " "),
            origin=self._container.origin,
            owner=_OWNER,
            pod=self._pod.key,
        )
        comment = f'-m comment --comment "proxy-init/{said}"'
        return Rule(f"-A {name} {match}{comment} -j {target}", because)

    def _listed(self, flag: str) -> list[str]:
        written = argument(self._container.spoken, flag) or ""
        return [one for one in map(str.strip, written.split(",")) if one]

    def _port(self, flag: str, otherwise: int) -> int:
        return port(argument(self._container.spoken, flag) or "") or otherwise


def _range(written: str) -> Iterator[str]:
    """``8000-8100`` as iptables has it; nothing where it is no port."""
    first, dash, last = written.partition("-")
    ends = [port(first), *([port(last)] if dash else [])]
    if None not in ends:
        yield ":".join(str(end) for end in ends)


def _groups(ports: Sequence[str]) -> Iterator[list[str]]:
    group: list[str] = []
    count = 0
    for one in ports:
        counts = 2 if ":" in one else 1
        if count + counts > _PORTS_IN_ONE_RULE:
            yield group
            group, count = [], 0
        group.append(one)
        count += counts
    if group:
        yield group
