"""A ruleset as ``nft list ruleset`` prints it (src/rule.c table_print, set_print, chain_print)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from k8stui.kernel.nft import priority
from k8stui.kernel.nft_ruleset import Element, NftChain, NftObject, NftRuleset, NftSet, NftTable

_FURTHER = ",\n\t\t\t     "
_ON_A_LINE = {
    "mark": 5, "inet_proto": 5, "inet_service": 5, "integer": 5,
    "ipv4_addr": 2, "ct_state": 2, "nf_proto": 2, "pkt_type": 2,
}  # fmt: skip
"""Elements that stand side by side (calculate_delim); of all others one a line."""


def listing(ruleset: NftRuleset) -> str:
    """All of it."""
    return "".join(lines(ruleset.tables))


def lines(tables: Iterable[NftTable]) -> Iterator[str]:
    """A chunk a table, a set, a chain: what is built lazily need not be held at once."""
    for table in tables:
        yield f"table {table.family} {table.name} {{\n"
        yield from _table(table)
        yield "}\n"


def _table(table: NftTable) -> Iterator[str]:
    if table.flags:
        yield f"\tflags {','.join(table.flags)}\n"
    if table.comment:
        yield f'\tcomment "{table.comment}"\n'
    blank = "\n" if table.flags else ""
    for chunk in _parts(table):
        yield blank + chunk
        blank = "\n"


def _parts(table: NftTable) -> Iterator[str]:
    yield from (_object(one) for one in table.objects if one.kind != "flowtable")
    yield from map(set_text, table.sets.values())
    yield from (_object(one) for one in table.objects if one.kind == "flowtable")
    yield from (chain_text(one, table.family) for one in table.chains.values())


def _object(one: NftObject) -> str:
    body = "".join(f"\t\t{line}\n" for line in one.lines)
    return f"\t{one.kind} {one.name} {{\n{body}\t}}\n"


def set_text(one: NftSet) -> str:
    """A set or a map."""
    body = "".join(f"\t\t{line}\n" for line in set_head(one))
    elements = elements_text(one, one.elements)
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


def elements_text(one: NftSet, elements: Sequence[Element]) -> str:
    """The elements between the braces."""
    room = elements_on_a_line(one)
    if room == 1:
        return _FURTHER.join(element.text for element in elements)
    texts = [element.text for element in elements]
    rows = (texts[at : at + room] for at in range(0, len(texts), room))
    return _FURTHER.join(", ".join(row) for row in rows)


def elements_on_a_line(one: NftSet) -> int:
    """How many elements nft prints side by side."""
    return _ON_A_LINE.get(one.key, 1)


def chain_text(one: NftChain, family: str) -> str:
    """A chain with its rules."""
    rules = "".join(f"\t\t{rule.text}\n" for rule in one.chain.rules)
    body = "".join(f"\t\t{line}\n" for line in chain_head(one, family))
    return f"\tchain {one.name} {{\n{body}{rules}\t}}\n"


def chain_head(one: NftChain, family: str) -> Iterator[str]:
    """The lines before the rules."""
    if one.comment:
        yield f'comment "{one.comment}"'
    base = one.base
    if base is not None:
        number = priority.written(base.priority, family, base.hook)
        yield (
            f"type {base.type} hook {base.hook}{_devices(base.devices)} priority {number}; "
            f"policy {base.policy};"
        )


def _devices(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f' device "{names[0]}"'
    quoted = ", ".join(f'"{name}"' for name in names)
    return f" devices = {{ {quoted} }}" if names else ""
