"""Walk and kernel side by side → text and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from k8stui.kernel.packet import Protocol, TcpFlags
from k8stui.kernel.routing import route_line
from k8stui.lab.chance import Count, End
from k8stui.lab.comparing.compare import BranchComparison
from k8stui.lab.comparing.felt import FeltAndSeen
from k8stui.lab.comparing.packets import PacketRow
from k8stui.lab.comparing.passages import RuleMet
from k8stui.lab.comparing.sight import place
from k8stui.lab.experiment import Experiment
from k8stui.lab.plan import Sight
from k8stui.neutralise import neutralise
from k8stui.walk.again import said

_WITH_PORTS = (int(Protocol.TCP), int(Protocol.UDP), int(Protocol.SCTP))


def lab_lines(experiment: Experiment, *, packets: bool) -> Iterator[str]:
    """One experiment: its head, its `packets` (else only those that differ), its outcome."""
    return map(neutralise, _lines(experiment, packets=packets))


def _lines(experiment: Experiment, *, packets: bool) -> Iterator[str]:
    comparison = experiment.comparison
    request = experiment.request
    cold = ", no neighbour known" if experiment.cold else ""
    asked = said(request.connect) if request.connect is not None else ""
    turn = f"; {asked}" if asked else ""
    yield (
        f"{request.source} → {request.destination} {request.protocol.name}, branch"
        f" {experiment.branch} ({experiment.probability}): {experiment.trial.namespaces} namespaces"
        f" in {experiment.trial.build_seconds:.2f} s{cold}{turn}"
    )
    for fork in experiment.trial.exchange.forks:
        if fork.hop is not None:
            yield f"  chance decided: {fork.namespace} {route_line(fork.hop)}"
            continue
        rule = fork.way.place
        does = "no random rule matches" if rule is None else f"rule {rule + 1} matches"
        yield f"  chance decided: {fork.namespace} {fork.table} {fork.chain.name}: {does}"
    for number, row in enumerate(comparison.rows, start=1):
        if not row.is_equal:
            yield from _different(number, row)
        elif packets and row.walk is not None:
            yield f"  {number:3} equal      {place(row.walk)}  {header(row.walk)}"
    yield from _felt(comparison)
    if comparison.order:
        yield f"  order different: {comparison.order}"
    for one in comparison.tracked:
        yield f"  conntrack different: only the {one.by} has in {one.namespace}: {one.entry}"
    for met in comparison.rules:
        yield f"  rules different: {_at(met)}, {header(met.packet)}"
        yield f"        walk:    {met.walk or 'meets no further rule'}"
        yield f"        kernel:  {met.kernel or 'meets no further rule'}"


def count_lines(count: Count) -> Iterator[str]:
    """How often chance led where: ``67 of 200 (1/3 expected) default/web-1 10.244.1.2:80``."""
    is_equal = "equal" if count.agrees else "different"
    yield f"  chance {is_equal}: asked {count.tries} times, p = {count.p_value:.2g} (χ²)"
    for share in count.shares:
        expected = f"{share.expected} expected" if share.expected else "never expected"
        yield f"    {share.count:4} of {count.tries} ({expected}): {_end(share.end)}"


def _end(end: End) -> str:
    errno, space, address, port = end
    return f"{space} {_with_port(address, port)}" if space else errno or "no answer"


def verdict(experiments: Sequence[Experiment], counts: Sequence[Count] = ()) -> str:
    """The last line: whether all agree, or where the first difference is."""
    for experiment in experiments:
        if not experiment.comparison.agrees:
            return neutralise(f"kernel and walk differ: {_first_difference(experiment)}")
    for count in counts:
        if not count.agrees:
            who = f"{count.request.source} → {count.request.destination}"
            return f"kernel and walk differ: {who}: chance (p = {count.p_value:.2g})"
    packets = sum(len(e.comparison.rows) for e in experiments)
    devices = {
        (row.walk.namespace, row.walk.device)
        for e in experiments
        for row in e.comparison.rows
        if row.walk is not None
    }
    walks = f" ({len(experiments)} walks)" if len(experiments) > 1 else ""
    on = "1 device" if len(devices) == 1 else f"{len(devices)} devices"
    rules = sum(e.comparison.rules_equal for e in experiments)
    met = f", {rules} rules met" if rules else ""
    return f"kernel and walk agree: {packets} packets on {on}{met}{walks}"


def _at(met: RuleMet) -> str:
    device = f" ({met.packet.device})" if met.packet.device else ""
    return f"{met.namespace} {met.table} {met.chain}{device}"


def note_lines(experiments: Iterable[Experiment]) -> Iterator[str]:
    """What the labs had not got, each once."""
    for note in dict.fromkeys(note for e in experiments for note in e.trial.notes):
        yield f"note: {note}"


def _first_difference(experiment: Experiment) -> str:
    comparison = experiment.comparison
    who = f"{experiment.request.source} → {experiment.request.destination}"
    for number, row in enumerate(comparison.rows, start=1):
        if row.walk is None and row.kernel is not None:
            return f"{who}, packet {number}: only the kernel has it on {place(row.kernel)}"
        if row.kernel is None and row.walk is not None:
            return f"{who}, packet {number}: only the walk has it on {place(row.walk)}"
        if row.differs and row.walk is not None:
            return f"{who}, packet {number} on {place(row.walk)}: {', '.join(row.differs)}"
    if comparison.felt_differs:
        return f"{who}: {', '.join(comparison.felt_differs)}"
    if comparison.order:
        return f"{who}: {comparison.order}"
    for met in comparison.rules:
        sides = f"the walk meets {met.walk or 'none'}, the kernel {met.kernel or 'none'}"
        return f"{who}, rules of {_at(met)}: {sides}"
    one = comparison.tracked[0]
    return f"{who}: only the {one.by} tracks in {one.namespace}: {one.entry}"


def _different(number: int, row: PacketRow) -> Iterator[str]:
    what = f"({', '.join(row.differs)})" if row.differs else "(one side only)"
    yield f"  {number:3} different  {what}"
    for side, sight in (("walk", row.walk), ("kernel", row.kernel)):
        shown = f"{place(sight)}  {_full(sight)}" if sight is not None else "nothing"
        yield f"        {side + ':':8} {shown}"


def _felt(comparison: BranchComparison) -> Iterator[str]:
    if not comparison.felt_differs:
        yield f"  outcome equal: {felt_text(comparison.kernel)}"
        return
    yield f"  outcome different ({', '.join(comparison.felt_differs)})"
    yield f"        walk:    {felt_text(comparison.walk)}"
    yield f"        kernel:  {felt_text(comparison.kernel)}"


def felt_text(felt: FeltAndSeen) -> str:
    """``connected; default/frontend-1 on 10.244.2.2:80 sees 10.244.1.2``."""
    text = felt.result if felt.errno is None else f"{felt.result} ({felt.errno})"
    if felt.server is None:
        return text
    return (
        f"{text}; {felt.server} on {felt.server_address}:{felt.server_port} sees {felt.source_seen}"
    )


def header(sight: Sight) -> str:
    """The packet in a line: ``10.244.1.2:40000 > 10.96.0.12:80 SYN ttl 64``."""
    if sight.arp:
        asks = f"who has {sight.dst}? tell {sight.src}"
        return asks if sight.icmp_type == 1 else f"{sight.src} is at {sight.smac}"
    src, dst = sight.src, sight.dst
    if sight.protocol in _WITH_PORTS:
        src, dst = _with_port(src, sight.sport), _with_port(dst, sight.dport)
    words = [f"{src} > {dst}"]
    if sight.protocol == Protocol.TCP:
        words.append(",".join(flag.name or "" for flag in TcpFlags(sight.flags)))
    elif sight.protocol in (Protocol.ICMP, Protocol.ICMPV6):
        words.append(f"ICMP {sight.icmp_type}/{sight.icmp_code}")
    elif sight.vni is not None:
        words.append(f"VXLAN {sight.vni}")
    else:
        words.append("UDP")
    words.append(f"ttl {sight.ttl}")
    if sight.inner is not None:
        words.append(f"[{header(sight.inner)}]")
    return " ".join(words)


def _full(sight: Sight) -> str:
    return f"{header(sight)} {sight.smac} > {sight.dmac}"


def _with_port(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def lab_json(experiments: Sequence[Experiment], counts: Sequence[Count] = ()) -> dict[str, Any]:
    """All experiments as one object; addresses and namespaces in the words of ``walk``."""
    agree = all(e.comparison.agrees for e in experiments) and all(one.agrees for one in counts)
    return {
        "version": 1,
        "agree": agree,
        "walks": [_experiment_json(e) for e in experiments],
        "chance": [_count_json(one) for one in counts],
    }


def _count_json(count: Count) -> dict[str, Any]:
    return {
        "request": {
            "source": count.request.source,
            "destination": count.request.destination,
            "protocol": count.request.protocol.name,
        },
        "tries": count.tries,
        "agree": count.agrees,
        "p": count.p_value,
        "ends": [
            {
                "errno": share.end[0] or None,
                "server": share.end[1] or None,
                "address": share.end[2] or None,
                "port": share.end[3] or None,
                "expected": str(share.expected),
                "times": share.count,
            }
            for share in count.shares
        ],
    }


def _experiment_json(experiment: Experiment) -> dict[str, Any]:
    comparison = experiment.comparison
    return {
        "request": {
            "source": experiment.request.source,
            "destination": experiment.request.destination,
            "protocol": experiment.request.protocol.name,
        },
        "branch": experiment.branch,
        "neighbours": "cold" if experiment.cold else "warm",
        "probability": str(experiment.probability),
        "agree": comparison.agrees,
        "outcome": {
            "walk": _felt_json(comparison.walk),
            "kernel": _felt_json(comparison.kernel),
            "differs": list(comparison.felt_differs),
        },
        "order": comparison.order or None,
        "conntrack": [
            {"namespace": one.namespace, "only": one.by, "entry": one.entry}
            for one in comparison.tracked
        ],
        "rules": {
            "equal": comparison.rules_equal,
            "different": [
                {
                    "namespace": met.namespace,
                    "table": met.table,
                    "chain": met.chain,
                    "packet": _sight_json(met.packet),
                    "walk": met.walk or None,
                    "kernel": met.kernel or None,
                }
                for met in comparison.rules
            ],
        },
        "packets": [
            {
                "walk": _sight_json(row.walk),
                "kernel": _sight_json(row.kernel),
                "equal": row.is_equal,
                "differs": list(row.differs),
            }
            for row in comparison.rows
        ],
        "notes": list(experiment.trial.notes),
    }


def _felt_json(felt: FeltAndSeen) -> dict[str, Any]:
    return {
        "result": felt.result,
        "errno": felt.errno,
        "server": felt.server,
        "address": felt.server_address,
        "port": felt.server_port,
        "source_seen_by_server": felt.source_seen,
        "source_port_seen_by_server": felt.source_port_seen,
        "seconds": felt.seconds,
    }


def _sight_json(sight: Sight | None) -> dict[str, Any] | None:
    if sight is None:
        return None
    found: dict[str, Any] = {}
    if sight.namespace:
        found["namespace"], found["device"] = sight.namespace, sight.device
        found["dir"] = "in" if sight.incoming else "out"
    found |= {"arp": True} if sight.arp else {}
    found |= {
        "src": sight.src,
        "sport": sight.sport,
        "dst": sight.dst,
        "dport": sight.dport,
        "protocol": Protocol(sight.protocol).name,
        "ttl": sight.ttl,
        "smac": sight.smac,
        "dmac": sight.dmac,
        "flags": [flag.name for flag in TcpFlags(sight.flags)],
        "length": sight.length,
        "dont_fragment": sight.dont_fragment,
    }
    if sight.protocol in (Protocol.ICMP, Protocol.ICMPV6):
        found |= {"type": sight.icmp_type, "code": sight.icmp_code}
    if sight.vni is not None:
        found["vni"] = sight.vni
    if sight.inner is not None:
        found["inner"] = _sight_json(sight.inner)
    return found
