"""Why a step happened: the reason that the generated thing behind its cause carries."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.because import Because
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.matches.base import Comment
from k8stui.kernel.namespace import FdbEntry, Route, RouteType, Socket
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import (
    BridgeCause,
    Cause,
    ConntrackCause,
    DeviceCause,
    JudgeCause,
    NeighbourCause,
    RouteCause,
    RuleCause,
    SocketCause,
    SysctlCause,
    UnmodelledCause,
)
from k8stui.origin import Origin, OriginKind, assumed, defaulted

_CALICO_HASH = re.compile(r"cali:[-\w]{16}", re.ASCII)
_WARM = assumed("neighbour tables and forwarding databases are warm, as after a first ping")
_POLICY = defaulted("a chain's policy is ACCEPT unless somebody sets another")
_KERNEL = defaulted("the kernel's default, or what the CNI plug-in and kube-proxy set")


def because(cause: Cause | None) -> Because | None:
    """The reason of the rule, route, device or socket; None where it carries none."""
    match cause:
        case RuleCause():
            return cause.reason
        case RouteCause(route=route) if route is not None:
            return route.reason
        case RouteCause(rule=rule) if rule is not None:
            return rule.reason
        case NeighbourCause(neighbour=found) if found is not None:
            return found.reason
        case BridgeCause(entry=entry) if entry is not None:
            return entry.reason
        case DeviceCause(interface=interface):
            return interface.reason
        case SocketCause(socket=socket) if socket is not None:
            return socket.reason
        case UnmodelledCause(reason=reason) | JudgeCause(reason=reason):
            return reason
        case ConntrackCause(reason=reason) | SysctlCause(reason=reason):
            return reason
        case _:
            return None


def words(cause: RuleCause) -> str:
    """Why the rule is there: what its maker says, or the comment in a real node's dump."""
    if cause.rule is None:
        return ""
    why = because(cause)
    comment = next(_comments(cause), "") or _OF_CHAINS.get(cause.chain.name, "")
    if why is not None and why.text and why.origin.kind is not OriginKind.OBSERVED:
        return why.text
    return comment or (why.text if why is not None else "")


_OF_CHAINS = {
    f"cali-failsafe-{way}": (
        "a failsafe port of Calico's, open whatever its policies for host endpoints say "
        f"(failsafe{bound}boundHostPorts)"
    )
    for way, bound in (("in", "In"), ("out", "Out"))
}
"""What rules without a word of their own are for, by their chain (Calico felix/rules/static.go)."""


def _comments(cause: RuleCause) -> Iterator[str]:
    """What somebody wrote about a rule for people: Calico's hash of it is for Calico alone."""
    assert cause.rule is not None
    if cause.is_nft:
        from k8stui.kernel.nft import mentions  # noqa: PLC0415 - not of every walk

        yield from mentions.comments(cause.rule.text)
        return
    for test in compile_rule(cause.rule.text).tests:
        if isinstance(test, Comment) and not _CALICO_HASH.fullmatch(test.text):
            yield test.text


def service_of(cause: Cause | None) -> str | None:
    """``namespace/name`` of the Service behind a rule; from kube-proxy's comment in a dump."""
    why = because(cause)
    if why is not None and why.service:
        return why.service
    if isinstance(cause, RuleCause) and cause.rule is not None and not cause.is_nft:
        first = compile_rule(cause.rule.text).comment.split(" ", 1)[0].partition(":")[0]
        return first if "/" in first else None
    return None


def origin_of(cause: Cause | None) -> Origin | None:
    """Where the fact behind a step comes from; None: it follows from the packet alone."""
    why = because(cause)
    if why is not None:
        return why.origin
    match cause:
        case NeighbourCause(neighbour=found) if found is not None:
            return _WARM
        case BridgeCause(entry=entry) if entry is not None:
            return _WARM
        case RuleCause(rule=None):
            return _POLICY
        case SysctlCause():
            return _KERNEL
        case _:
            return None


def observed_at(cause: Cause | None) -> Origin | None:
    """The line of a dump that shows the fact behind a step; None: no dump shows it."""
    return shown(because(cause))


def shown(why: Because | None) -> Origin | None:
    """The line of a dump that shows it; None: no dump does."""
    is_shown = why is not None and why.origin.kind is OriginKind.OBSERVED
    return why.origin if why is not None and is_shown else None


def proof(cause: Cause | None) -> str:
    """Print the cause as Linux prints it: the rule, the route, the entry; empty without one."""
    match cause:
        case RuleCause(rule=None, table=table, chain=chain):
            return f"-P {chain.name} {chain.policy or 'ACCEPT'} (table {table})"
        case RuleCause(rule=rule) if rule is not None:
            return rule.text
        case RouteCause(route=route) if route is not None:
            return _route(route)
        case BridgeCause(bridge=bridge, entry=entry):
            if entry is None:
                return f"bridge fdb: no entry on {bridge}"
            return _fdb(entry, bridge)
        case NeighbourCause(neighbour=found):
            if found is None:
                return "ip neigh: FAILED"
            return f"{found.address} dev {found.device} lladdr {found.mac}"
        case ConntrackCause(entry=text):
            return text
        case DeviceCause(interface=interface):
            port = interface.port
            if port is not None:
                return f"{interface.name} master {interface.master} hairpin {_on(port.hairpin)}"
            return f"{interface.name} mtu {interface.mtu_bytes} {'UP' if interface.up else 'DOWN'}"
        case SocketCause(socket=socket) if socket is not None:
            state = "UNCONN" if socket.protocol is Protocol.UDP else "LISTEN"
            return f"{state} {_bound(socket)}:{socket.port or '*'} {socket.owner}".rstrip()
        case SysctlCause(name=name, value=value):
            return f"{name} = {value}"
        case UnmodelledCause(name=name) | JudgeCause(name=name):
            return name
        case _:
            return ""


def _fdb(entry: FdbEntry, bridge: str) -> str:
    """Print an entry as ``bridge fdb show`` does (iproute2 bridge/fdb.c print_fdb)."""
    words = [f"{entry.mac} dev {entry.device}"]
    if entry.destination is not None:  # of a VXLAN device: it is no port of a bridge
        words.append(f"dst {entry.destination} self")
    else:
        words.append(f"master {bridge}")
    return " ".join(words) + (" permanent" if entry.permanent else "")


def _bound(socket: Socket) -> str:
    """Where it listens, as ss prints it (iproute2 misc/ss.c inet_addr_print)."""
    if socket.address is None:
        return {4: "0.0.0.0", 6: "[::]"}.get(socket.version or 0, "*")  # noqa: S104
    return f"[{socket.address}]" if socket.address.version == 6 else str(socket.address)


def _on(value: bool) -> str:
    return "on" if value else "off"


def _route(route: Route) -> str:
    """Print a route as ``ip route show`` does (iproute2 ip/iproute.c print_route)."""
    kind = "" if route.type is RouteType.UNICAST else f"{route.type.value} "
    default = route.destination.length == 0
    host = route.destination.length == route.destination.address.bits
    target = route.destination.address if host else route.destination
    words = [f"{kind}{'default' if default else target}"]
    if route.weight:
        words.append("nexthop")
    if route.gateway is not None:
        words.append(f"via {route.gateway}")
    if route.device is not None:
        words.append(f"dev {route.device}")
    if route.table not in ("main", ""):
        words.append(f"table {route.table}")
    if route.protocol:
        words.append(f"proto {route.protocol}")
    if route.scope not in ("global", ""):
        words.append(f"scope {route.scope}")
    if route.source is not None:
        words.append(f"src {route.source}")
    if route.metric:
        words.append(f"metric {route.metric}")
    if route.weight:
        words.append(f"weight {route.weight}")
    return " ".join(words) + (" onlink" if route.onlink else "")
