"""One kernel step → one sentence in Kubernetes words that a person could say on stage."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.step import ConntrackCause, Fork, RouteCause, RuleCause, Step, StepKind
from k8stui.nodes.reason import Because
from k8stui.walk.reason import because

_PORTLESS = (Protocol.ICMP, Protocol.ICMPV6)
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
    if isinstance(cause, RouteCause) and why is not None and why.text:
        return f"{step.text}: {why.text}"
    return step.text


def change(before: Packet, after: Packet) -> str:
    """``192.168.0.11:30080 ⇒ 10.244.2.2:80``: the addresses that changed; empty if none did."""
    parts: list[str] = []
    if (before.src, before.sport) != (after.src, after.sport):
        parts.append(f"{source(before)} ⇒ {source(after)}")
    if (before.dst, before.dport) != (after.dst, after.dport):
        parts.append(f"{destination(before)} ⇒ {destination(after)}")
    return ", ".join(parts)


def source(packet: Packet) -> str:
    """Address and port that the packet comes from."""
    if packet.protocol in _PORTLESS:
        return str(packet.src)
    return packet.src.with_port(packet.sport)


def destination(packet: Packet) -> str:
    """Address and port that the packet goes to."""
    if packet.protocol in _PORTLESS:
        return str(packet.dst)
    return packet.dst.with_port(packet.dport)


def fraction(value: Fraction) -> str:
    """``1/3``, ``1``."""
    return str(value)


def target_of(rule_text: str) -> str:
    """Give the target or chain behind ``-j`` or ``-g``; empty for a rule without one."""
    words = rule_text.split()
    for at, word in enumerate(words[:-1]):
        if word in ("-j", "-g"):
            return words[at + 1]
    return ""


def comment_of(rule_text: str) -> str:
    """Give the text of ``--comment``, without its quotes; empty without one."""
    _, found, rest = rule_text.partition("--comment ")
    if not found:
        return ""
    if not rest.startswith('"'):
        return rest.split(" ", 1)[0]
    return rest[1:].partition('"')[0]


def _chance(step: Step, cause: RuleCause, forks: Iterable[Fork]) -> str:
    for fork in forks:
        rolled = fork.cause
        same = (rolled.table, rolled.chain.name, rolled.index) == (
            cause.table,
            cause.chain.name,
            cause.index,
        )
        if fork.matched and same and fork.namespace == step.namespace:
            return f"p = {fraction(fork.probability)}"
    return ""


def _rule(step: Step, cause: RuleCause, chance: str) -> str:
    place = f"{cause.table} {cause.chain.name} {cause.index}"
    if cause.rule is None:
        return f"{cause.table} {cause.chain.name}: policy {cause.chain.policy or 'ACCEPT'}"
    why = because(cause)
    said = (why.text if why else "") or comment_of(cause.rule.text)
    if step.kind in (StepKind.DNAT, StepKind.SNAT):
        changed = change(step.before, step.after) or "nothing changes"
        return changed + (f" ({said})" if said and step.kind is StepKind.DNAT else "")
    if step.kind is StepKind.MARK:
        return _mark(step, cause, said)
    if chance and chance not in said:
        said = f"{said}, {chance}" if said else chance
    target = target_of(cause.rule.text)
    if step.kind is StepKind.JUMP:
        arrow = f" → {target}"
        # The chain that is jumped to says itself what it is for, once it matches.
        return place + (f": {said}" if said and _tells(said, cause.rule.text) else "") + arrow
    if step.kind in (StepKind.DROP, StepKind.REJECT, StepKind.UNKNOWN):
        return place + (f": {said}" if said else f": {step.text}")
    return place + (f": {said}" if said else "") + (f" → {target}" if target else "")


def _tells(said: str, text: str) -> bool:
    """Whether the words say more than kube-proxy's own standing comment on a jump does."""
    return said != comment_of(text) or not said.startswith("kubernetes ")


def _mark(step: Step, cause: RuleCause, said: str) -> str:
    new, old = step.after.mark, step.before.mark
    if new and cause.chain.name == _MASQUERADE_CHAIN:
        return f"{new:#x}: source will be masqueraded"
    if new == old:
        return f"{new:#x}: already set"
    words = f"{new:#x}" if new else f"{old:#x} cleared"
    if not new and cause.chain.name == "KUBE-POSTROUTING":
        return f"{words}: it has done its work"
    return words + (f": {said}" if said else "")


def _conntrack(step: Step, cause: ConntrackCause) -> str:
    changed = change(step.before, step.after)
    match cause.state:
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
    return f"{words}: {changed}" if changed else words


def _deliver(step: Step, why: Because | None) -> str:
    if step.direction.value == "reply":
        return f"{destination(step.after)}: {step.text}"
    seen = f"{destination(step.after)}, source seen: {step.after.src}"
    return f"{seen} ({why.text})" if why is not None and why.text else seen
