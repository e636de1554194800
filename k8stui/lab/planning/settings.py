"""Sysctls of a namespace and of its devices: what the model says, and no noise and no limits.

Source: the kernel's Documentation/networking/ip-sysctl.rst.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.kernel.namespace import LinkKind, NetNamespace, Sysctls
from k8stui.lab.plan import ProcFile
from k8stui.lab.planning.naming import Naming

_SWITCHES = (
    "route_localnet", "src_valid_mark", "proxy_arp", "accept_local", "arp_ignore", "forwarding",
    "proxy_arp_pvlan", "arp_filter",
)  # fmt: skip
"""Of single devices: fields of `Sysctls` that are called as the kernel calls them."""
_NEVER_SECONDS = 3600


def of_namespace(namespace: NetNamespace, *, ipv6: bool) -> list[ProcFile]:
    """To be set before there is a device."""
    # Whom the kernel lets ping without a raw socket: root of this user namespace.
    ping = ProcFile(path="net/ipv4/ping_group_range", value="0 0", needed=False)
    has_bridge = any(one.kind is LinkKind.BRIDGE for one in namespace.interfaces)
    return [ping, *_settings(namespace.sysctls, ipv6=ipv6, bridge=has_bridge)]


def of_devices(namespace: NetNamespace, naming: Naming, *, ipv6: bool) -> list[ProcFile]:
    """Of single devices, by their real names."""
    sysctls = namespace.sysctls
    values = [("rp_filter", d, v) for d, v in sysctls.rp_filter.items()]
    for name in _SWITCHES:
        values += [(name, d, int(v)) for d, v in getattr(sysctls, name).items()]
    families = ("ipv4", "ipv6") if ipv6 else ("ipv4",)
    return [
        *(
            _setting(f"net/ipv4/conf/{naming(device)}/{name}", value)
            for name, device, value in values
            if device not in ("all", "default") and namespace.interface(device) is not None
        ),
        # What was known before is stale: used, it would be asked again after 5 s, of which the
        # walk has nothing (neigh_timer_handler).
        *(
            _setting(
                f"net/{family}/neigh/{naming(one.name)}/delay_first_probe_time",
                _NEVER_SECONDS,
                needed=False,
            )
            for family in families
            for one in namespace.interfaces
            if one.master is None
        ),
    ]


def _settings(sysctls: Sysctls, *, ipv6: bool, bridge: bool) -> Iterator[ProcFile]:
    if sysctls.multipath_hash:
        yield _setting("net/ipv4/fib_multipath_hash_policy", sysctls.multipath_hash)
    yield _setting("net/ipv4/ip_forward", sysctls.ip_forward)
    # A new namespace takes the host's settings (net/ipv4/devinet.c devinet_init_net).
    for device in ("all", "default"):
        yield _setting(f"net/ipv4/conf/{device}/rp_filter", sysctls.rp_filter.get(device, 0))
        for name in _SWITCHES:
            if name != "forwarding":  # that of all is ip_forward
                value = getattr(sysctls, name).get(device, 0)
                yield _setting(f"net/ipv4/conf/{device}/{name}", value)
        for name in ("send_redirects", "arp_announce"):
            yield _setting(f"net/ipv4/conf/{device}/{name}", 0)
    yield _setting("net/ipv4/ip_default_ttl", sysctls.ip_default_ttl)
    yield _setting("net/ipv4/tcp_syn_retries", sysctls.tcp_syn_retries)
    linear = sysctls.tcp_syn_linear_timeouts
    yield _setting("net/ipv4/tcp_syn_linear_timeouts", linear, needed=False)
    # Else the seventh error of a series looks like a lost packet (docs/facts/kernel.md).
    yield _setting("net/ipv4/icmp_ratelimit", 0)
    if bridge:
        for name in ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables"):
            value = sysctls.bridge_nf_call_iptables
            # Without br_netfilter nothing calls iptables, which is what 0 says.
            yield _setting(f"net/bridge/{name}", value, needed=value)
    liberal = sysctls.nf_conntrack_tcp_be_liberal
    yield _setting("net/netfilter/nf_conntrack_tcp_be_liberal", liberal, needed=liberal)
    if not ipv6:
        # lo alone has it, as every namespace has whose switches nobody has touched: that the other
        # devices have but their own link-local addresses makes no difference to a walk.
        yield _setting("net/ipv6/conf/default/disable_ipv6", 1, needed=False)
    for device in ("all", "default"):
        conf = f"net/ipv6/conf/{device}"
        if ipv6:
            yield _setting(f"{conf}/disable_ipv6", 0)
            own = sysctls.ipv6_forwarding
            yield _setting(f"{conf}/forwarding", sysctls.ip_forward if own is None else own)
            for name in (
                "accept_dad",
                "dad_transmits",
                "router_solicitations",
                "accept_ra",
                "accept_redirects",
            ):
                yield _setting(f"{conf}/{name}", 0)
    if ipv6:
        yield _setting("net/ipv6/icmp/ratelimit", 0)


def _setting(path: str, value: int, *, needed: bool = True) -> ProcFile:
    return ProcFile(path=path, value=str(int(value)), needed=needed)
