"""A walk as JSON: the contract of ``walk --format json``, version 1.

Every key of the contract is always there; null stands for what does not apply. What the screen
says beyond it (sentences, advice, errno) is there too, under keys of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.step import Cause, RuleCause
from k8stui.origin import Origin
from k8stui.walk.commands import Command, commands
from k8stui.walk.reason import proof
from k8stui.walk.trace import Hop, Outcome, Request, Trace, TraceStep

VERSION = 1


def walk_json(request: Request, traces: Sequence[Trace], *again: Sequence[Trace]) -> str:
    """Write the branches of one request as one object, pretty-printed, with a final line feed.

    `again`: those of each time that it was made once more.
    """
    document: dict[str, object] = {
        "version": VERSION,
        "request": {
            "source": request.source,
            "destination": request.destination,
            "protocol": request.protocol.name,
            "service": request.service,
        },
        "branches": [branch(trace) for trace in traces],
    }
    if again:
        document["again"] = [_repeated(found) for found in again]
    return dumps(document)


def dumps(document: object) -> str:
    """Print JSON in one way everywhere: ASCII only, so that no string can steer a terminal."""
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def _repeated(traces: Sequence[Trace]) -> dict[str, object]:
    connect = traces[0].request.connect
    return {
        "request": 1 + connect.earlier if connect is not None else None,
        "pause_seconds": connect.pause_seconds if connect is not None else None,
        "branches": [branch(trace) for trace in traces],
    }


def branch(trace: Trace) -> dict[str, object]:
    """One branch: probability, outcome, hops."""
    return {
        "probability": str(trace.probability),
        "branch": trace.branch,
        "endpoints": 1 + len(trace.alike),
        "alike": list(trace.alike),
        "outcome": _outcome(trace.outcome),
        "assumptions": list(trace.assumptions),
        "hops": [_hop(trace, hop) for hop in trace.hops],
    }


def _outcome(outcome: Outcome) -> dict[str, object]:
    server: dict[str, object] | None = None
    if outcome.server_address is not None:
        server = {
            "pod": outcome.server_pod,
            "address": str(outcome.server_address),
            "port": outcome.server_port,
        }
    seen = outcome.source_seen_by_server
    return {
        "result": outcome.result.value,
        "decided_at": outcome.decided_at.rpartition("/")[2],
        "reason": outcome.reason,
        "server": server,
        "source_seen_by_server": str(seen) if seen is not None else None,
        "errno": outcome.errno,
        "seconds": outcome.seconds,
        "step": outcome.step,
        "advice": outcome.advice,
        "origin": origin(outcome.origin),
    }


def _hop(trace: Trace, hop: Hop) -> dict[str, object]:
    return {
        "direction": hop.direction.value,
        "namespace": hop.namespace,
        "steps": [
            {**_step(step), "commands": [_command(one) for one in commands(trace, step)]}
            for step in hop.steps
        ],
    }


def _step(step: TraceStep) -> dict[str, object]:
    return {
        "number": step.number,
        "kind": step.kind.value,
        "hook": step.hook.value if step.hook is not None else None,
        "device": step.device,
        "text": step.text,
        "cause": _cause(step.cause),
        "origin": origin(step.origin),
        "before": packet(step.before),
        "after": packet(step.after),
    }


def _command(command: Command) -> dict[str, object]:
    return {"where": command.where, "line": command.line, "shows": command.shows}


def _cause(cause: Cause | None) -> dict[str, object] | None:
    if cause is None:
        return None
    text = proof(cause)
    if not isinstance(cause, RuleCause):
        return {"text": text}
    said: dict[str, object] = {
        "table": cause.table,
        "chain": cause.chain.name,
        "index": cause.index,
        "text": text,
        "skipped": cause.skipped,
    }
    if cause.met:
        said["elements"] = [{"set": one.name, "text": one.element.text} for one in cause.met]
    return said


def origin(value: Origin | None) -> dict[str, object] | None:
    """Kind, and file, line and field where there is a place."""
    if value is None:
        return None
    place = value.place
    return {
        "kind": value.kind.value,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "field": place.field if place else None,
        "reason": value.reason,
    }


def packet(value: Packet | None) -> dict[str, object] | None:
    """The header; what an ICMP error quotes or a tunnel's packet carries is under ``inner``."""
    if value is None:
        return None
    header: dict[str, object] = {
        "src": str(value.src),
        "sport": value.sport,
        "dst": str(value.dst),
        "dport": value.dport,
        "protocol": value.protocol.name,
        "mark": value.mark,
        "ttl": value.ttl,
        "smac": value.smac,
        "dmac": value.dmac,
    }
    if value.flags:
        header["flags"] = [flag.name for flag in value.flags]
    if value.protocol in (Protocol.ICMP, Protocol.ICMPV6):
        header["icmp"] = {"type": value.icmp_type, "code": value.icmp_code}
    if value.vni is not None:
        header["vni"] = value.vni
    if value.inner is not None:
        header["inner"] = packet(value.inner)
    return header
