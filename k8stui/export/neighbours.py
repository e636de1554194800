"""Who uses whom, around one object: what it points to and what points to it, as text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from k8stui.cluster.graph import NodeKind, Related, graph, neighbours
from k8stui.export.json import origin as origin_json
from k8stui.neutralise import neutralise
from k8stui.walk.error import RequestError, unknown
from k8stui.walk.kinds import kind_of

if TYPE_CHECKING:
    from k8stui.cluster.graph import Graph
    from k8stui.walk.world import World

_SHORT = {
    "cm": "ConfigMap",
    "hpa": "HorizontalPodAutoscaler",
    "ing": "Ingress",
    "netpol": "NetworkPolicy",
    "pvc": "PersistentVolumeClaim",
}
"""kubectl's short names of what no request can name (``kubectl api-resources``, 1.36)."""
_INWARD = {
    "runs on": "runs",
    "makes": "is made by",
    "selects": "is selected by",
    "leads to": "is reached from",
    "uses": "is used by",
}
"""Each relation, read from its other end."""


def neighbours_of(world: World, written: str, namespace: str) -> tuple[str, tuple[Related, ...]]:
    """What ``KIND/NAME`` is, and everything one relation away from it.

    Raises:
        RequestError: nothing in the input is called like it.

    """
    found = graph(world.cluster, world.manifests.objects)
    name = _named(found, written, namespace)
    said = f"{found.nodes[name]['api']} {found.nodes[name]['label']}"
    return said, tuple(neighbours(found, name))


def around(world: World, name: str) -> tuple[Related, ...]:
    """As `neighbours_of`, for a node of the graph; nothing for what is none."""
    found = graph(world.cluster, world.manifests.objects)
    return tuple(neighbours(found, name)) if name in found else ()


def neighbour_words(one: Related) -> tuple[str, str]:
    """The relation as it reads from the object asked for, and the other end."""
    relation = str(one.relation) if one.is_outward else _INWARD[one.relation]
    detail = f"  {one.detail}" if one.detail else ""
    return relation, neutralise(f"{one.kind} {one.label}{detail}")


def neighbours_lines(said: str, found: tuple[Related, ...]) -> Iterator[str]:
    """A line each: the relation, the other end, and where that is written."""
    yield neutralise(said)
    rows = [(*neighbour_words(one), _place(one)) for one in found]
    widths = [max((len(row[n]) for row in rows), default=0) for n in (0, 1)]
    for relation, other, place in rows:
        yield neutralise(f"  {relation:<{widths[0]}}  {other:<{widths[1]}}  {place}".rstrip())
    if not rows:
        yield "  nothing uses it, and it uses nothing"


def neighbours_json(said: str, found: tuple[Related, ...]) -> Iterator[str]:
    """One object: ``of`` and ``neighbours``, each with its relation read from its first end."""
    kind, _, name = said.partition(" ")
    rows = [
        {
            "relation": str(one.relation),
            "outward": one.is_outward,
            "kind": one.kind,
            "name": one.label,
            "detail": one.detail,
            "origin": origin_json(one.origin) if one.origin is not None else None,
        }
        for one in found
    ]
    document = {"version": 1, "of": {"kind": kind, "name": name}, "neighbours": rows}
    yield json.dumps(document, indent=1, ensure_ascii=False)
    yield "\n"


def _place(one: Related) -> str:
    return one.origin.where if one.origin is not None else ""


def _named(found: Graph, written: str, namespace: str) -> str:
    word, slash, name = written.partition("/")
    known = kind_of(word)
    api = known[1] if known is not None else _SHORT.get(word.lower(), word)
    choices = []
    for node, data in found.nodes(data=True):
        if data["kind"] is NodeKind.CONTAINER:
            continue
        label = data["label"].removeprefix(f"{namespace}/")
        if data["api"].lower() == api.lower() and name in {data["label"], label}:
            return node
        choices.append(f"{data['api'].lower()}/{label}")
    if not slash:
        raise RequestError(f"{written!r} is no KIND/NAME", hint="as in svc/NAME, pod/NAME, cm/NAME")
    kind = f"{api.lower()}/"
    alike = [choice for choice in choices if choice.startswith(kind)] or choices
    raise unknown(f"there is no {api} {name} in namespace {namespace}", kind + name, alike)
