"""One kernel step → one sentence in Kubernetes words that a person could say on stage."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from k8stui.because import Because
from k8stui.kernel.compile import compile_rule
from k8stui.kernel.header import ECHO, WITH_PORTS
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.routing import rule_line
from k8stui.kernel.rules import BUILTIN_CHAINS
from k8stui.kernel.step import (
    ConntrackCause,
    Fork,
    RouteCause,
    RuleCause,
    SocketCause,
    Step,
    StepKind,
)
from k8stui.walk.reason import because, words

_BUILTIN = frozenset(name for names in BUILTIN_CHAINS.values() for name in names)
_MASQUERADE_CHAIN = "KUBE-MARK-MASQ"


def sentence(step: Step, forks: Iterable[Fork] = ()) -> str:
    """Say what was decided. The rule's own text stays in the step's detail."""
    cause = step.cause
    if isinstance(cause, RuleCause):
        return _rule(step, cause, _chance(step, cause, forks))
    if isinstance(cause, ConntrackCause):
        return _conntrack(step, cause)
    why = because(cause)
    if step.kind is StepKind.DELIVER:
        return _deliver(step, why)
    if isinstance(cause, RouteCause):
        told = step.text if why is None or not why.text else f"{step.text}: {why.text}"
        if cause.rule is not None:
            told += f" (by ip rule {rule_line(cause.rule)})"
        chance = _hop_chance(step, cause, forks)
        return f"{told} ({chance})" if chance else told
    return step.text


def change(before: Packet, after: Packet) -> str:
    """``192.168.0.11:30080 ⇒ 10.244.2.2:80``: the addresses that changed; empty if none did."""
    parts: list[str] = []
    if source(before) != source(after):
        parts.append(f"{source(before)} ⇒ {source(after)}")
    if (before.dst, before.dport) != (after.dst, after.dport):
        parts.append(f"{destination(before)} ⇒ {destination(after)}")
    if before.protocol in ECHO and before.sport != after.sport:
        parts.append(f"identifier {before.sport} ⇒ {after.sport}")
    return ", ".join(parts)


def source(packet: Packet) -> str:
    """Address and port that the packet comes from."""
    if packet.protocol not in WITH_PORTS:
        return str(packet.src)
    return packet.src.with_port(packet.sport)


def destination(packet: Packet) -> str:
    """Address and port that the packet goes to."""
    if packet.protocol not in WITH_PORTS:
        return str(packet.dst)
    return packet.dst.with_port(packet.dport)


def fraction(value: Fraction) -> str:
    """``1/3``, ``1``."""
    return str(value)


def port_word(number: int | str, protocol: Protocol) -> str:
    """``80`` for TCP, ``53/UDP`` otherwise."""
    return str(number) if protocol is Protocol.TCP else f"{number}/{protocol.name}"


def _chance(step: Step, cause: RuleCause, forks: Iterable[Fork]) -> str:
    for fork in forks:
        place = fork.way.place
        rolled = None if place is None else (fork.table, fork.chain.name, place + 1)
        same = rolled == (cause.table, cause.chain.name, cause.index)
        if same and fork.namespace == step.namespace:
            return f"p = {fraction(fork.way.share)}"
    return ""


def _hop_chance(step: Step, cause: RouteCause, forks: Iterable[Fork]) -> str:
    for fork in forks:
        if fork.hop is not None and fork.hop is cause.route and fork.namespace == step.namespace:
            count = f"{fork.chosen + 1} of {len(fork.ways)}"
            return f"next hop {count}, p = {fraction(fork.way.share)}"
    return ""


def _rule(step: Step, cause: RuleCause, chance: str) -> str:
    place = f"{cause.table} {cause.chain.name} {cause.index}"
    if cause.rule is None:
        return f"{cause.table} {cause.chain.name}: policy {cause.chain.policy or 'ACCEPT'}"
    why = because(cause)
    said = words(cause)
    if step.kind is StepKind.DNAT:
        aside = _chosen(why, destination(step.after), said)
        return _with(change(step.before, step.after) or "nothing changes", aside)
    if step.kind is StepKind.SNAT:
        return change(step.before, step.after) or "nothing changes"
    if step.kind is StepKind.MARK:
        return _mark(step, cause, said)
    if chance and not (why is not None and why.endpoint):
        # kube-proxy's reason for the rule of an endpoint tells the odds itself.
        said = f"{said}, {chance}".lstrip(", ")
    if step.kind in (StepKind.DROP, StepKind.REJECT, StepKind.UNKNOWN):
        # What cannot be evaluated is said by the step, not by who wrote the rule.
        is_unknown = step.kind is StepKind.UNKNOWN
        return f"{place}: {step.text if is_unknown else said or step.text}"
    target = cause.leads if cause.is_nft else compile_rule(cause.rule.text).target_name
    if step.kind is StepKind.JUMP and (cause.chain.name in _BUILTIN or _is_hook(cause)):
        said = ""  # a jump out of a built-in chain: the chain that it leads to speaks for itself
    return place + (f": {said}" if said else "") + (f" → {target}" if target else "")


def _chosen(why: Because | None, endpoint: str, said: str) -> str:
    """The pod that an endpoint is of; with the odds, where one rule chooses among several."""
    if why is None:
        return said
    pod = why.pod or dict(why.among).get(endpoint) or ""
    name = pod.rpartition("/")[2]
    return ", ".join(filter(None, (name, said))) if why.among else name or said


def _is_hook(cause: RuleCause) -> bool:
    """Whether a chain of nftables stands at a hook: only such a one has a policy."""
    return cause.is_nft and cause.chain.policy is not None


def _with(text: str, aside: str) -> str:
    return f"{text} ({aside})" if aside else text


def _mark(step: Step, cause: RuleCause, said: str) -> str:
    new, old = step.after.mark, step.before.mark
    if new and cause.chain.name == _MASQUERADE_CHAIN:
        return f"{new:#x}: source will be masqueraded"
    if new == old:
        return f"{new:#x}: already set"
    words = f"{new:#x}" if new else f"{old:#x} cleared"
    if not new and cause.chain.name in ("KUBE-POSTROUTING", "masquerading"):
        return f"{words}: it has done its work"
    return words + (f": {said}" if said else "")


def _conntrack(step: Step, cause: ConntrackCause) -> str:
    changed = change(step.before, step.after)
    match cause.state:
        case "NEW" if cause.reason is not None:
            words = "known connection, not answered"
        case "NEW":
            words = "new connection"
        case "ESTABLISHED":
            words = "known connection"
        case "RELATED":
            words = "belongs to a known connection"
        case "UNTRACKED":
            words = "not tracked"
        case _:
            words = "invalid: belongs to no connection that is known here"
    if cause.reason is not None:
        words = f"{words}, {cause.reason.text}"
    return f"{words}: {changed}" if changed else words


def _deliver(step: Step, why: Because | None) -> str:
    if step.direction.value == "reply":
        return f"{destination(step.after)}: {step.text}"
    if isinstance(step.cause, SocketCause) and step.cause.socket is None:
        return f"{destination(step.after)}: nothing listens there"
    seen = f"{destination(step.after)}, source seen: {step.after.src}"
    return f"{seen} ({why.text})" if why is not None and why.text else seen
