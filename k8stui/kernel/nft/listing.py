"""A ruleset as ``nft list ruleset`` prints it (src/rule.c table_print, set_print, chain_print)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from k8stui.kernel.nft import priority
from k8stui.kernel.nft.compile import statements, types_of_key
from k8stui.kernel.nft.errors import UnknownError
from k8stui.kernel.nft_ruleset import (
    BOUND,
    Base,
    Element,
    NftChain,
    NftObject,
    NftRuleset,
    NftSet,
    NftTable,
)
from k8stui.kernel.rules import Chain

_FURTHER = ",\n\t\t\t     "
_ON_A_LINE = {
    "mark": 5, "inet_proto": 5, "inet_service": 5, "integer": 5, "tcp_flag": 5, "uid": 5,
    "gid": 5, "ct_status": 2,
    "ipv4_addr": 2, "ct_state": 2, "nf_proto": 2, "pkt_type": 2,
}  # fmt: skip
"""Elements that stand side by side (calculate_delim); of all others one a line."""


class Form(StrEnum):
    """For whom it is."""

    PRINTED = "printed"
    STATELESS = "stateless"
    """Without what has been counted and how long things are kept yet (``nft -s``)."""
    SENT = "sent"
    """As ``nft -f`` reads it: a map to addresses and ports is printed so that it does not."""


_COUNTED = re.compile(r"counter packets \d+ bytes \d+")
_LEADS_TO_BOUND = re.compile(rf"\b(?:jump|goto) ({BOUND}\d+)\b")
_KEPT_YET = re.compile(r" expires \w+")


def listing(ruleset: NftRuleset, form: Form = Form.PRINTED) -> str:
    """All of it."""
    return "".join(lines(ruleset.tables, form))


def lines(tables: Iterable[NftTable], form: Form = Form.PRINTED) -> Iterator[str]:
    """A chunk a table, a set, a chain: what is built lazily need not be held at once."""
    for table in tables:
        warning = f"{table.warning}\n" if table.warning else ""
        program = f" # progname {table.program}" if table.program else ""
        yield f"{warning}table {table.called} {{{program}\n"
        yield from _table(table, form)
        yield "}\n"


def rule_text(text: str, form: Form) -> str:
    """A rule, from what its text was read as."""
    if form is Form.PRINTED:
        return text
    return " ".join(getattr(one, form, one.__str__)() for one in statements(text))


def _without_state(text: str) -> str:
    """An element; what is quoted is somebody's sentence."""
    said = text.split('"')
    said[::2] = (_KEPT_YET.sub("", _COUNTED.sub("counter", part)) for part in said[::2])
    return '"'.join(said)


def _table(table: NftTable, form: Form) -> Iterator[str]:
    if table.flags:
        yield f"\tflags {','.join(table.flags)}\n"
    if table.comment:
        yield f'\tcomment "{table.comment}"\n'
    blank = "\n" if table.flags else ""
    for chunk in _parts(table, form):
        yield blank + chunk
        blank = "\n"


def _parts(table: NftTable, form: Form) -> Iterator[str]:
    yield from (_object(one, form) for one in table.objects if one.kind != "flowtable")
    yield from (set_text(one, form) for one in table.sets.values())
    yield from (_object(one, form) for one in table.objects if one.kind == "flowtable")
    for one in table.chains.values():
        if not one.name.startswith(BOUND):
            yield _chain(one, table, form)


def _object(one: NftObject, form: Form) -> str:
    said = (line for line in one.lines if form is Form.PRINTED or not _is_state(line))
    body = "".join(f"\t\t{line}\n" for line in said)
    return f"\t{one.kind} {one.name} {{\n{body}\t}}\n"


def _is_state(line: str) -> bool:
    return line.startswith("packets ")


def set_text(one: NftSet, form: Form = Form.PRINTED) -> str:
    """A set or a map."""
    body = "".join(f"\t\t{line}\n" for line in set_head(one))
    elements = elements_text(one, one.elements, form)
    held = f"\t\telements = {{ {elements} }}\n" if elements else ""
    return f"\t{one.kind} {one.name} {{\n{body}{held}\t}}\n"


def set_head(one: NftSet) -> Iterator[str]:
    """The lines before the elements."""
    data = f" : {one.data}" if one.data else ""
    yield f"{'typeof' if one.is_typeof else 'type'} {one.key}{data}"
    if one.policy:
        yield f"policy {one.policy}"
    if one.size is not None:
        yield f"size {one.size}"
    if one.flags:
        yield f"flags {','.join(one.flags)}"
    if one.statements:
        yield one.statements
    if one.auto_merge:
        yield "auto-merge"
    if one.timeout:
        yield f"timeout {one.timeout}"
    if one.gc_interval:
        yield f"gc-interval {one.gc_interval}"
    if one.comment:
        yield f'comment "{one.comment}"'


def elements_text(one: NftSet, elements: Sequence[Element], form: Form = Form.PRINTED) -> str:
    """The elements between the braces."""
    room = elements_on_a_line(one)
    shown = (element.text for element in elements)
    texts = list(shown if form is Form.PRINTED else map(_without_state, shown))
    if room == 1:
        return _FURTHER.join(texts)
    rows = (texts[at : at + room] for at in range(0, len(texts), room))
    return _FURTHER.join(", ".join(row) for row in rows)


def elements_on_a_line(one: NftSet) -> int:
    """How many elements nft prints side by side."""
    if not one.is_typeof:
        return _ON_A_LINE.get(one.key, 1)
    try:
        types = types_of_key(one)
    except UnknownError:
        return 1
    return _ON_A_LINE.get(types[0].name, 1) if len(types) == 1 else 1


def _chain(one: NftChain, table: NftTable, form: Form) -> str:
    rules = "".join(_rules(one.chain, table, form, "\t\t"))
    body = "".join(f"\t\t{line}\n" for line in chain_head(one, table.family, form))
    return f"\tchain {one.name} {{\n{body}{rules}\t}}\n"


def _rules(chain: Chain, table: NftTable, form: Form, indent: str) -> Iterator[str]:
    for rule in chain.rules:
        text = rule_text(rule.text, form)
        leads = _LEADS_TO_BOUND.search(text) if BOUND in text else None
        bound = table.chains.get(leads[1]) if leads is not None else None
        if leads is None or bound is None:
            yield f"{indent}{text}\n"
        else:
            yield f"{indent}{text[: leads.start(1)]}{{\n"
            yield from _rules(bound.chain, table, form, f"{indent}\t")
            yield f"{indent}}}{text[leads.end() :]}\n"


def chain_head(one: NftChain, family: str, form: Form = Form.PRINTED) -> Iterator[str]:
    """The lines before the rules."""
    if one.comment:
        yield f'comment "{one.comment}"'
    base = one.base
    if base is not None:
        named = base.named if form is not Form.SENT else ""  # an older nft does not know it there
        number = priority.written(base.priority, family, base.hook, named)
        yield (
            f"type {base.type} hook {base.hook}{_devices(base)} priority {number}; "
            f"policy {base.policy};"
        )


def _devices(base: Base) -> str:
    if len(base.devices) == 1:
        return f' device "{base.devices[0]}"'
    mark = '"' if base.is_quoted else ""
    named = ", ".join(f"{mark}{name}{mark}" for name in base.devices)
    return f" devices = {{ {named} }}" if named else ""
