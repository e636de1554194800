"""Statements of nftables in the words of ``nft list ruleset``, as near as their JSON allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_BINARY = frozenset({"&", "|", "^", "<<", ">>"})


def written(statements: Iterable[Mapping[str, object]]) -> str:
    """One rule."""
    return " ".join(filter(None, map(_statement, statements)))


def _statement(statement: Mapping[str, object]) -> str:
    ((kind, said),) = statement.items()
    if kind == "match" and isinstance(said, dict):
        operator = str(said["op"])
        shown = "" if operator in ("==", "in") else f"{operator} "
        return f"{expression(said['left'])} {shown}{expression(said['right'])}"
    if kind == "vmap" and isinstance(said, dict):
        return f"{expression(said['key'])} vmap {expression(said['data'])}"
    if kind in ("jump", "goto") and isinstance(said, dict):
        return f"{kind} {said['target']}"
    if kind == "mangle" and isinstance(said, dict):
        return f"{expression(said['key'])} set {expression(said['value'])}"
    if kind in ("dnat", "snat") and isinstance(said, dict):
        port = f":{expression(said['port'])}" if "port" in said else ""
        return f"{kind} to {expression(said.get('addr', ''))}{port}"
    if kind == "reject":
        how = said.get("expr") if isinstance(said, dict) else None
        return f"reject with {how}" if how else "reject"
    if kind == "masquerade":
        flags = said.get("flags") if isinstance(said, dict) else None
        return f"masquerade {expression(flags)}" if flags else "masquerade"
    return "" if kind == "counter" else kind


def expression(said: object) -> str:
    """A value, or where it comes from."""
    if isinstance(said, list):
        return ",".join(map(expression, said))
    if not isinstance(said, dict):
        return str(said)
    ((kind, inner),) = list(said.items())[:1]
    if kind == "payload":
        return f"{inner['protocol']} {inner['field']}"
    if kind in ("meta", "ct"):
        return f"{kind} {inner['key']}"
    if kind == "fib":
        return f"fib {expression(inner['flags'])} {inner['result']}"
    if kind == "prefix":
        return f"{inner['addr']}/{inner['len']}"
    if kind == "range":
        return "-".join(map(expression, inner))
    if kind == "concat":
        return " . ".join(map(expression, inner))
    if kind == "set":
        return "{ " + ", ".join(map(_element, inner)) + " }"
    if kind == "map":
        return f"{expression(inner['key'])} map {expression(inner['data'])}"
    if kind == "numgen":
        return f"numgen {inner['mode']} mod {inner['mod']}"
    if kind == "elem":
        return expression(inner["val"])
    if kind in ("jump", "goto"):
        return f"{kind} {inner['target']}"
    if kind in _BINARY:
        return f" {kind} ".join(map(expression, inner))
    return str(kind)


def _element(said: object) -> str:
    if isinstance(said, list) and len(said) == 2:
        return f"{expression(said[0])} : {expression(said[1])}"
    return expression(said)
