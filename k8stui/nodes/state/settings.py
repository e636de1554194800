"""The settings of one namespace: ``sysctl -a``, or the files of /proc/sys with their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8stui.errors import K8sTuiError
from k8stui.kernel.namespace import Sysctls
from k8stui.nodes.state.parsing import observed_at

_SHOWN = 80
_DECIDE = (
    "/ip_forward",
    "/forwarding",
    "/rp_filter",
    "/route_localnet",
    "/bridge-nf-call-iptables",
    "/nf_conntrack_max",
)
"""Ends of the names of those that drop packets or leave them alone."""


class SysctlError(K8sTuiError, ValueError):
    """A line that sysctl does not print."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        """1-based."""


def parse_sysctls(text: str, file: str = "") -> Sysctls:
    """What decides about packets; settings that are not there have the kernel's defaults.

    `file`: for the lines where it is said; empty: they are not kept.

    Raises:
        SysctlError: a line that is no ``NAME = VALUE``, a value that is no number, or a part of
            what sysctl prints, without the setting that every kernel has.

    """
    said = dict(_lines(text))
    ipv4, ipv6 = "net/ipv4/conf/", "net/ipv6/conf/all/forwarding"
    default = Sysctls()
    if "net/ipv4/ip_forward" not in said:
        raise SysctlError(0, "no line for net.ipv4.ip_forward: all that sysctl -a prints is needed")

    def number(name: str, otherwise: int) -> int:
        line, value = said.get(name, (0, str(otherwise)))
        try:
            return int(value)
        except ValueError:
            raise SysctlError(line, f"{name}: no number: {value[:_SHOWN]}") from None

    def by_device(key: str) -> Mapping[str, int]:
        found = {}
        for name in said:
            if name.startswith(ipv4) and name.endswith(f"/{key}"):
                found[name[len(ipv4) : -len(key) - 1]] = number(name, 0)
        return found

    def switched(key: str) -> Mapping[str, bool]:
        return {device: bool(value) for device, value in by_device(key).items()}

    return Sysctls(
        ip_forward=bool(number("net/ipv4/ip_forward", 0)),
        bridge_nf_call_iptables=bool(number("net/bridge/bridge-nf-call-iptables", 0)),
        rp_filter=by_device("rp_filter"),
        route_localnet=switched("route_localnet"),
        src_valid_mark=switched("src_valid_mark"),
        proxy_arp=switched("proxy_arp"),
        proxy_arp_pvlan=switched("proxy_arp_pvlan"),
        arp_filter=switched("arp_filter"),
        accept_local=switched("accept_local"),
        forwarding=switched("forwarding"),
        ipv6_forwarding=bool(number(ipv6, 0)) if ipv6 in said else None,
        arp_ignore=by_device("arp_ignore"),
        multipath_hash=number("net/ipv4/fib_multipath_hash_policy", 0),
        multipath_hash_ipv6=number("net/ipv6/fib_multipath_hash_policy", 0),
        multipath_fields=number("net/ipv4/fib_multipath_hash_fields", default.multipath_fields),
        nf_conntrack_tcp_be_liberal=bool(number("net/netfilter/nf_conntrack_tcp_be_liberal", 0)),
        nf_conntrack_count=number("net/netfilter/nf_conntrack_count", 0),
        nf_conntrack_max=number("net/netfilter/nf_conntrack_max", 0),
        ip_default_ttl=number("net/ipv4/ip_default_ttl", default.ip_default_ttl),
        tcp_syn_retries=number("net/ipv4/tcp_syn_retries", default.tcp_syn_retries),
        tcp_syn_linear_timeouts=number(
            "net/ipv4/tcp_syn_linear_timeouts", default.tcp_syn_linear_timeouts
        ),
        reasons={
            name.translate(_DOTS): observed_at(file, line, f"{name.translate(_DOTS)} = {value}")
            for name, (line, value) in said.items()
            if file and name.endswith(_DECIDE)
        },
    )


def _lines(text: str) -> Iterator[tuple[str, tuple[int, str]]]:
    """Name with slashes → (line, value).

    ``sysctl`` writes dots for slashes and a slash for a dot within a name (sysctl(8)).
    """
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith(("#", "sysctl:")):
            continue
        name, equals, value = stripped.partition("=")
        name = name.strip()
        if not equals or not name or " " in name:
            raise SysctlError(number, f"not what sysctl prints: {stripped[:_SHOWN]}")
        if name.startswith("/proc/sys/"):
            name = name.removeprefix("/proc/sys/")
        elif not name.startswith("net/"):
            name = name.translate(_DOTS)
        yield name, (number, value.strip())


_DOTS = str.maketrans("./", "/.")
