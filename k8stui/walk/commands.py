"""The commands that show, on a real node, what a step of the walk shows here.

Pure text, made to be copied and pasted: each value that goes into a line is of a kind whose
letters are checked (a name, a number, an address) and quoted besides, so that no manifest and no
dump can make it run something else. A command that would need another value is left out. They
only read: none changes anything on the node.

Sources: iptables(8), ip-route(8), ip-neighbour(8), bridge(8), conntrack(8), ss(8), sysctl(8),
ipset(8), tcpdump(1), nsenter(1), crictl's user guide.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from k8stui.kernel.address import Address
from k8stui.kernel.nft_ruleset import BOUND
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.step import (
    BridgeCause,
    Cause,
    ConntrackCause,
    DeviceCause,
    Hook,
    NeighbourCause,
    RouteCause,
    RuleCause,
    SocketCause,
    StepKind,
    SysctlCause,
    UnmodelledCause,
)
from k8stui.record import record
from k8stui.walk.trace import Hop, Request, Trace, TraceStep

_DEVICE = re.compile(r"(?!-)[A-Za-z0-9_.:@-]{1,15}")
"""A device's name without what the kernel allows and a shell does not (net/core/dev.c
dev_valid_name)."""
_CHAIN = re.compile(r"(?!-)[A-Za-z0-9_:.-]{1,31}")
"""iptables' chains and sets: at most 31 characters (XT_EXTENSION_MAXNAMELEN, IPSET_MAXNAMELEN)."""
_TABLE = re.compile(r"raw|mangle|nat|filter|security")
_NFT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9/\\_.-]{0,254}")
"""nft(8), lexical conventions; at most NFT_NAME_MAXLEN less one characters."""
_NFT_KEY = re.compile(r"[A-Za-z0-9_.:/-]+( \. [A-Za-z0-9_.:/-]+){0,7}")
_NFT_FAMILIES = frozenset({"ip", "ip6", "inet"})
_ROUTE_TABLE = re.compile(r"(?!-)[A-Za-z0-9_.-]{1,31}")
_SYSCTL = re.compile(r"(?!-)[A-Za-z0-9_./@:-]{1,96}")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
"""Names of Kubernetes: a DNS-1123 subdomain (apimachinery validation.go)."""

_SETS = re.compile(r"--match-set (\S+)")
_PORTS = re.compile(r"\b([sd]port)=(\d{1,5})\b")
_ENDS = re.compile(r"\b(src|dst)=([0-9A-Fa-f.:]{2,39})(?=\s|$)")
_SS = {Protocol.TCP: "-lntp", Protocol.UDP: "-lnup", Protocol.SCTP: "-lnSp"}
_MADE_HERE = frozenset({StepKind.DELIVER, StepKind.PROXY, StepKind.ENCAPSULATE, StepKind.REJECT})
"""Behind these the next packet of the same namespace is one that it made itself."""
_NOWHERE = frozenset({"wire", "lan"})
"""Namespaces that stand for cables and the nodes' router: there is no shell there."""


@record()
class Command:
    """A line for a shell, where to type it, and what it shows."""

    where: str
    """``node-1``, ``pod default/web-1 on node-1``, ``outside``; ``kubectl``: where that works."""
    line: str
    """Printable ASCII without a line feed."""
    shows: str


def commands(trace: Trace, step: TraceStep) -> tuple[Command, ...]:
    """Give what shows `step` of `trace` on a real cluster, the most telling first.

    In a pod's namespace the first one opens a shell there.

    Raises:
        ValueError: the trace has no such step.

    """
    hops = trace.hops
    at = next((n for n, hop in enumerate(hops) if _place(hop, step) is not None), None)
    if at is None:
        raise ValueError(f"no step {step.number} in this walk")
    if hops[at].namespace in _NOWHERE:
        return tuple(_beside(hops, at, step))
    if step.kind is StepKind.RESOLVE:
        asked = _names(trace.request, hops[at].namespace)
        return tuple(Command("kubectl", line, shows) for line, shows in asked)
    where = _where(hops, at)
    found = [*_entered(hops[at].namespace), *_by_cause(hops, at, step)]
    found += _seen(step.device, step.before)
    return tuple(Command(where, line, shows) for line, shows in found)


def most_telling(trace: Trace, step: TraceStep) -> Command | None:
    """Give the one command that says most of a step; None: there is nothing to look at."""
    found = commands(trace, step)
    return next((one for one in found if not one.line.startswith("nsenter")), None)


def _place(hop: Hop, step: TraceStep) -> int | None:
    """0-based place of the step in the hop; a number says which step it is, and is cheap."""
    at = step.number - hop.steps[0].number if hop.steps else -1
    return at if 0 <= at < len(hop.steps) else None


_Said = tuple[str, str]
"""(line, what it shows)."""


def _line(*words: object) -> str:
    """Join the words of a command as a shell reads them."""
    return shlex.join([str(word) for word in words])


def _is(kind: re.Pattern[str], value: str | None) -> bool:
    return value is not None and kind.fullmatch(value) is not None


# Where one types it


def _where(hops: tuple[Hop, ...], at: int) -> str:
    name = hops[at].namespace
    if "/" not in name:
        return name
    node = _node_beside(hops, at)
    return f"pod {name} on {node}" if node else f"pod {name}"


def _node_beside(hops: tuple[Hop, ...], at: int) -> str:
    """Name the node that the packet comes from, or goes to next; empty where there is none."""
    beside = [hops[n].namespace for n in (at - 1, at + 1) if 0 <= n < len(hops)]
    return next((n for n in beside if "/" not in n and n not in {*_NOWHERE, "outside"}), "")


def _entered(name: str) -> Iterator[_Said]:
    """Enter a pod: only its network namespace, so that the node's tools are at hand."""
    namespace, slash, pod = name.partition("/")
    if not slash or not _is(_NAME, namespace) or not _is(_NAME, pod):
        return
    pattern = pod.replace(".", "[.]")  # --name is a regular expression
    found = _line("crictl", "pods", "-q", "--state", "ready", "--namespace", namespace)
    found += f" --name {shlex.quote(f'^{pattern}$')}"
    pid = f"crictl inspectp -o go-template --template '{{{{.info.pid}}}}' \"$({found})\""
    yield f'nsenter -n -t "$({pid})"', "a shell in the pod's network namespace, on its node"


def _beside(hops: tuple[Hop, ...], at: int, step: TraceStep) -> Iterator[Command]:
    """On a cable: what can be seen at the device from which the packet came."""
    before = hops[at - 1] if at else None
    if before is None or before.namespace in _NOWHERE or not before.steps:
        return
    for line, shows in _seen(before.steps[-1].device, step.before):
        yield Command(before.namespace, line, shows)


# What decided


def _by_cause(hops: tuple[Hop, ...], at: int, step: TraceStep) -> Iterator[_Said]:
    packet = step.before
    version = packet.src.version if packet is not None else 4
    match step.cause:
        case RuleCause() as cause:
            yield from _rule(cause, version)
            if packet is not None and step.after is not None:
                yield from _translation(packet, step.after)
        case RouteCause() as cause if packet is not None:
            yield from _route(cause, packet, step, made_here=_is_made_here(hops, at, step))
        case BridgeCause(bridge=bridge, entry=entry):
            is_tunnel = step.kind is StepKind.ENCAPSULATE
            port = entry.device if entry is not None else None
            yield from _bridge(bridge, None if is_tunnel else port, is_tunnel=is_tunnel)
        case NeighbourCause(neighbour=found):
            yield from _neighbour(found.device if found is not None else step.device, packet)
        case ConntrackCause(entry=entry):
            yield from _tracked(entry)
        case SocketCause(socket=socket) if packet is not None:
            known = socket.port if socket is not None else None
            yield from _listeners(packet.protocol, known or packet.dport)
        case cause:
            yield from _setting(cause)
    if step.kind in (StepKind.ENCAPSULATE, StepKind.DECAPSULATE):
        yield from _tunnel(step)


def _rule(cause: RuleCause, version: int) -> Iterator[_Said]:
    chain = cause.chain.name
    if cause.is_nft:
        family, _, table = cause.table.partition(" ")
        if family in _NFT_FAMILIES and _is(_NFT_NAME, table) and _is(_NFT_NAME, chain):
            shows = f"rule {cause.index} decided" if cause.index else "its policy decided"
            if chain.startswith(BOUND):  # nft takes no such name
                yield _line("nft", "list", "table", family, table), f"the table: {shows}"
            else:
                yield _line("nft", "list", "chain", family, table, chain), f"the chain: {shows}"
            for met in cause.met:
                key = met.element.text.partition(" : ")[0].partition(" comment ")[0]
                if _is(_NFT_NAME, met.name) and _is(_NFT_KEY, key):
                    get = ("nft", "get", "element", family, table, met.name, "{", key, "}")
                    yield _line(*get), "the element that the packet was found by"
        return
    if not _is(_TABLE, cause.table) or not _is(_CHAIN, chain):
        return
    program = "iptables" if version == 4 else "ip6tables"
    shows = f"rule {cause.index} decided" if cause.index else "the chain's policy decided"
    yield (
        _line(program, "-t", cause.table, "-nvL", chain, "--line-numbers"),
        f"the chain, with packet counters: {shows}",
    )
    text = cause.rule.text if cause.rule is not None else ""
    for name in dict.fromkeys(_SETS.findall(text)):
        if _is(_CHAIN, name):
            yield _line("ipset", "list", name), "the set that the rule looks into"


def _translation(before: Packet, after: Packet) -> Iterator[_Said]:
    """What connection tracking remembers of a rewritten header, until the answer comes."""
    if before.dst != after.dst or before.dport != after.dport:
        yield from _listed(before, ("-d", before.dst), "--dport", before.dport)
    elif before.src != after.src or before.sport != after.sport:
        yield from _listed(before, ("-s", before.src, "-r", after.dst), "--sport", before.sport)


def _listed(packet: Packet, ends: tuple[object, ...], option: str, port: int) -> Iterator[_Said]:
    family = ("-f", "ipv6") if packet.src.version == 6 else ()
    words: list[object] = ["conntrack", "-L", *family, "-p", packet.protocol.name.lower(), *ends]
    if packet.protocol in _SS:
        words += [option, port]
    yield _line(*words), "the entry that undoes it for the answers"


def _is_made_here(hops: tuple[Hop, ...], at: int, step: TraceStep) -> bool:
    """Whether this namespace made the packet (an output route) or it came in by a device."""
    for earlier in reversed(hops[at].steps[: _place(hops[at], step)]):
        if earlier.hook is Hook.OUTPUT or earlier.kind in _MADE_HERE:
            return True
        if earlier.hook is Hook.PREROUTING or earlier.kind is StepKind.DECAPSULATE:
            return False
    before = hops[at - 1] if at else None
    return before is None or before.direction is not hops[at].direction


def _route(
    cause: RouteCause, packet: Packet, step: TraceStep, *, made_here: bool
) -> Iterator[_Said]:
    words: list[object] = ["ip", "route", "get", packet.dst, "from", packet.src]
    if not made_here:
        if not _is(_DEVICE, step.device):
            return
        words += ["iif", step.device]
    if packet.mark:
        words += ["mark", hex(packet.mark)]
    came = "as the packet came in" if not made_here else "as for a packet of its own"
    yield _line(*words), f"the kernel's answer for this packet, {came}"
    family = ("-6",) if packet.dst.version == 6 else ()
    table = cause.route.table if cause.route is not None else "main"
    if not _is(_ROUTE_TABLE, table):
        return
    shown = ("table", table) if table not in ("main", "") else ()
    yield (
        _line("ip", *family, "route", "show", *shown, "match", packet.dst),
        "the routes that lead there",
    )
    if table not in ("main", "local", "default", ""):
        yield _line("ip", *family, "rule"), "the rules that choose the table"


def _bridge(bridge: str, port: str | None, *, is_tunnel: bool) -> Iterator[_Said]:
    if not _is(_DEVICE, bridge):
        return
    which = ("dev", bridge) if is_tunnel else ("br", bridge)
    behind = "the tunnel" if is_tunnel else "each of the bridge's ports"
    yield _line("bridge", "fdb", "show", *which), f"the MAC addresses behind {behind}"
    if _is(_DEVICE, port) and port != bridge:
        yield _line("ip", "-d", "link", "show", "dev", port), "the port, and whose end it is"


def _neighbour(device: str | None, packet: Packet | None) -> Iterator[_Said]:
    if not _is(_DEVICE, device):
        return
    family = ("-6",) if packet is not None and packet.dst.version == 6 else ()
    yield _line("ip", *family, "neigh", "show", "dev", device), "who answered with which MAC"


def _tracked(entry: str) -> Iterator[_Said]:
    """The entry as it began: conntrack prints the original direction first."""
    protocol = entry.partition(" ")[0]
    ends: dict[str, str] = {}
    for name, value in _ENDS.findall(entry):
        ends.setdefault(name, value)
    ports: dict[str, str] = {}
    for name, value in _PORTS.findall(entry):
        ports.setdefault(name, value)
    if protocol.upper() not in Protocol.__members__ or {"src", "dst"} - set(ends):
        return
    try:
        source, destination = Address.parse(ends["src"]), Address.parse(ends["dst"])
    except ValueError:  # a dump's own idea of an address
        return
    words: list[object] = ["conntrack", "-L"]
    words += ["-f", "ipv6"] if source.version == 6 else []
    words += ["-p", protocol, "-s", source, "-d", destination]
    if "dport" in ports:
        words += ["--dport", ports["dport"]]
    yield _line(*words), "this connection's entry"


def _listeners(protocol: Protocol, port: int) -> Iterator[_Said]:
    option = _SS.get(protocol)
    if option is not None:
        yield _line("ss", option, f"sport = :{port}"), "who listens there"


def _setting(cause: Cause | None) -> Iterator[_Said]:
    match cause:
        case DeviceCause(interface=interface) if _is(_DEVICE, interface.name):
            yield _line("ip", "-d", "addr", "show", "dev", interface.name), "the device's state"
            if interface.port is not None:
                yield (
                    _line("bridge", "-d", "link", "show", "dev", interface.name),
                    "the bridge port's settings: hairpin, isolated, learning",
                )
        case SysctlCause(name=name) if _is(_SYSCTL, name):
            yield _line("sysctl", name), "the kernel's setting"
        case UnmodelledCause(name=name) if "ipvs" in name:
            yield _line("ipvsadm", "-Ln"), "virtual servers and where they lead"


def _tunnel(step: TraceStep) -> Iterator[_Said]:
    outer = step.after if step.kind is StepKind.ENCAPSULATE else step.before
    if outer is not None and outer.carried is not None and _is(_DEVICE, step.device):
        tunnel = _line("ip", "-d", "link", "show", "dev", step.device)
        yield tunnel, "the tunnel's own settings: its ends, of VXLAN its number and port"


# Names, and the packet itself


def _names(request: Request, source: str) -> Iterator[_Said]:
    """How a name becomes an address: asked by the client, and of the API."""
    namespace, slash, name = (request.service or "").partition("/")
    if not slash or not _is(_NAME, namespace) or not _is(_NAME, name):
        return
    home, slash, pod = source.partition("/")
    if slash and _is(_NAME, home) and _is(_NAME, pod):
        asked = ("getent", "ahosts", f"{name}.{namespace}.svc")
        yield _line("kubectl", "exec", "-n", home, pod, "--", *asked), "the address the pod gets"
    yield (
        _line("kubectl", "get", "service", "-n", namespace, name, "-o", "wide"),
        "the Service: address, ports, selector",
    )
    label = f"kubernetes.io/service-name={name}"
    yield (
        _line("kubectl", "get", "endpointslices", "-n", namespace, "-l", label),
        "the endpoints behind it",
    )


def _seen(device: str | None, packet: Packet | None) -> Iterator[_Said]:
    if packet is None or not _is(_DEVICE, device):
        return
    parts = [f"host {packet.src}", f"host {packet.dst}"]
    if packet.vni is not None and packet.dport:
        parts = [f"udp port {packet.dport}", *parts]
    elif packet.protocol is Protocol.IPIP:
        parts = ["ip proto 4", *parts]
    elif packet.protocol in _SS:
        parts = [packet.protocol.name.lower(), *parts, f"port {packet.dport}"]
    else:
        parts = ["icmp" if packet.src.version == 4 else "icmp6", *parts]
    way = "" if packet.carried is None else ", in its tunnel"
    yield _line("tcpdump", "-nni", device, " and ".join(parts)), f"the packet, as it passes{way}"
