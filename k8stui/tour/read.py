"""A tour file → a `Tour`, or everything that is wrong with it. It comes from anywhere.

Bounded: size, depth, number and length of everything. There are no tags, anchors and aliases: a
tour needs none, and what they stand for could be large.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from yaml.error import MarkedYAMLError
from yaml.events import AliasEvent, DocumentStartEvent, StreamEndEvent
from yaml.reader import ReaderError

from k8stui.cluster.options import ClusterOptions
from k8stui.manifests import events
from k8stui.manifests.broken import examine
from k8stui.manifests.problem import Problem
from k8stui.manifests.text import UndecodableError, decode
from k8stui.manifests.tree import TreeNode, tree
from k8stui.neutralise import neutralise
from k8stui.nodes.options import NodeOptions
from k8stui.replay.order import ORDERS
from k8stui.settings import NAMESPACE, Holder
from k8stui.tour.comparison import read_compare
from k8stui.tour.options import number, path, read_options
from k8stui.tour.page import TourError, TourPage, Words, listed
from k8stui.tour.tour import PANES, Compare, Input, Position, Tour, Where
from k8stui.tour.where import FIELDS, KINDS, WORDS

MAX_BYTES = 256 * 1024
MAX_POSITIONS = 200
MAX_CAPTION = 300
"""Characters: what a screen of 80 columns shows in four lines."""
_MAX_TEXT = 500
_MAX_LIST = 50
_MAX_DEPTH = 20

_TOUR = ("title", "input", "positions")
_INPUT = ("paths", "options", "order", "then")
_POSITION = (
    "caption", "ask", "branch", "at", "after", "what-if", "compare", "against", "pane", "zoom",
)  # fmt: skip
_DIRECTIONS = ("forward", "reply")


def read_tour(file: str) -> Tour:
    """Read the tour at a path.

    Raises:
        TourError: with every mistake in it, each at its place.
        OSError: it cannot be read.

    """
    with Path(file).open("rb") as stream:
        raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        said = f"too long for a tour: more than {MAX_BYTES // 1024} KiB"
        raise TourError([Problem(file=file, message=said)])
    try:
        content = decode(raw)
    except UndecodableError as error:
        wrong = Problem(file=file, line=error.line, column=error.column, message=error.message)
        raise TourError([wrong]) from None
    return parse_tour(file, content)


def parse_tour(file: str, content: str) -> Tour:
    """Understand the text of a tour; its paths are relative to `file`.

    Raises:
        TourError: with every mistake in it, each at its place.

    """
    page = TourPage(file, content)
    root = _root(page, content)
    if root.child("apiVersion") is not None and root.child("kind") is not None:
        page.wrong(root.start, "a Kubernetes object, not a tour", "a tour names it in input.paths")
        page.stop()
    given = page.fields(root, "a tour", _TOUR)
    title = _words(page, given, "title", MAX_CAPTION)
    folder = os.path.dirname(file)  # noqa: PTH120 - as typed
    positions = _positions(page, root, given, folder)
    source = _input(page, root, given, folder)
    page.stop()
    assert source is not None
    return Tour(
        page=page,
        title=_said(title.text if title else Path(file).stem),
        input=source,
        positions=positions,
    )


def _root(page: TourPage, content: str) -> TreeNode:
    """The nodes of the text.

    Raises:
        TourError: it is no YAML, or YAML that a tour has no need of.

    """
    try:
        _plain(page, content)
        root = tree(content)
    except (MarkedYAMLError, ReaderError) as error:
        _broken(page, content, events.fault(error, content))
    except events.YamlFault as fault:
        _broken(page, content, fault)
    page.stop()
    if root is None:
        page.wrong(0, "the file is empty", "a tour has input and positions")
        page.stop()
    assert root is not None
    return root


def _plain(page: TourPage, content: str) -> None:
    """Look at every event before anything is built of it."""
    get = events.parser(content).get_event
    depth = documents = 0
    while not isinstance(event := get(), StreamEndEvent):
        at = event.start_mark.index
        depth += {"MappingStartEvent": 1, "SequenceStartEvent": 1}.get(type(event).__name__, 0)
        depth -= {"MappingEndEvent": 1, "SequenceEndEvent": 1}.get(type(event).__name__, 0)
        documents += isinstance(event, DocumentStartEvent)
        if documents > 1:
            page.wrong(at, "a second document: a tour is one")
        elif isinstance(event, AliasEvent):
            page.wrong(at, f"an alias, *{event.anchor}: a tour has none", "write it out")
        elif getattr(event, "tag", None):
            page.wrong(at, f"a tag, {event.tag}: a tour has none", "leave it out")
        elif depth > _MAX_DEPTH:
            page.wrong(at, f"nested deeper than {_MAX_DEPTH} levels")
        else:
            continue
        page.stop()


def _broken(page: TourPage, content: str, fault: events.YamlFault) -> None:
    """Tell what is no YAML, with the mended line where one line can be mended."""
    for one in examine(content, lambda _: []):
        if not one.note:
            page.found(one.line, one.column, one.message, one.hint)
    if not page.problems:
        page.wrong(fault.offset, fault.problem, fault.context)


def _said(text: str) -> str:
    """A text for the screen: on one line, without anything that a terminal would obey."""
    return neutralise(" ".join(text.split()))


def _words(
    page: TourPage, given: Mapping[str, TreeNode], name: str, most: int = _MAX_TEXT
) -> Words | None:
    return page.words(given[name], name, most) if name in given else None


# Input


def _input(
    page: TourPage, root: TreeNode, given: Mapping[str, TreeNode], folder: str
) -> Input | None:
    node = given.get("input")
    if node is None:
        if root.mapping:
            page.wrong(root.start, "a tour needs its input", "add: input: {paths: [FOLDER]}")
        return None
    fields = page.fields(node, "input", _INPUT)
    options = read_options(page, fields.get("options"), folder)
    order = _words(page, fields, "order")
    if order is not None and order.text not in ORDERS:
        page.unknown(order, f"order cannot be {order.text!r}", ORDERS)
    if "paths" not in fields and node.mapping:
        page.wrong(node.start, "input needs paths", "relative to this file")
    texts = page.texts(fields["paths"], "paths", _MAX_LIST, _MAX_TEXT) if "paths" in fields else ()
    then = page.texts(fields["then"], "then", _MAX_LIST, _MAX_TEXT) if "then" in fields else ()
    found = [_found(page, words, folder) for words in texts]
    return Input(
        at=node.start,
        paths=tuple(one for one in found if one is not None),
        cluster=ClusterOptions(**options.get(Holder.CLUSTER, {})),
        nodes=NodeOptions(**options.get(Holder.NODES, {})),
        namespace=options.get(Holder.INPUT, {}).get(NAMESPACE.name, NAMESPACE.default),
        order=order.text if order is not None else ORDERS[0],
        then=then,
    )


# Positions


def _positions(
    page: TourPage, root: TreeNode, given: Mapping[str, TreeNode], folder: str
) -> tuple[Position, ...]:
    if "positions" not in given:
        if root.mapping:
            page.wrong(root.start, "a tour needs positions", "a list, each with a caption")
        return ()
    nodes = page.items(given["positions"], "positions", MAX_POSITIONS)
    found = tuple(
        _position(page, node, number, folder) for number, node in enumerate(nodes, start=1)
    )
    if found and found[0].ask is None and nodes[0].mapping:
        hint = "add: ask: SOURCE -> DESTINATION, as in outside -> node/node-1:30001"
        page.wrong(found[0].at, "the first position asks nothing", hint)
    return found


def _position(page: TourPage, node: TreeNode, count: int, folder: str) -> Position:
    fields = page.fields(node, "a position", _POSITION)
    caption = _words(page, fields, "caption", MAX_CAPTION)
    if node.mapping and "caption" not in fields:
        page.wrong(node.start, "a position needs a caption")
    pane = _words(page, fields, "pane")
    if pane is not None and pane.text not in PANES:
        page.unknown(pane, f"there is no pane {pane.text!r}", PANES)
    zoom = _words(page, fields, "zoom")
    if zoom is not None and zoom.text not in ("true", "false"):
        page.wrong(zoom.at, f"zoom is true or false, not {zoom.text!r}")
    turned: tuple[Words, ...] = ()
    if "what-if" in fields:
        turned = page.texts(fields["what-if"], "what-if", _MAX_LIST, _MAX_TEXT)
    against = _words(page, fields, "against")
    compare = read_compare(page, fields.get("compare"), against)
    if compare is not None:
        _see_alone(page, fields, compare)
    return Position(
        number=count,
        at=node.start,
        caption=_said(caption.text) if caption is not None else "",
        ask=_words(page, fields, "ask"),
        branch=_words(page, fields, "branch"),
        where=_where(page, fields["at"]) if "at" in fields else None,
        after=_words(page, fields, "after"),
        what_ifs=turned,
        compare=compare,
        against=_found(page, against, folder),
        pane=pane.text if pane is not None else "layout",
        zoom=zoom is not None and zoom.text == "true",
    )


def _see_alone(page: TourPage, fields: Mapping[str, TreeNode], compare: Compare) -> None:
    """Note what goes with no comparison."""
    for name, why in (
        ("what-if", "a comparison turns its settings itself"),
        ("pane", "a comparison has no panes"),
        ("zoom", "a comparison has no panes"),
    ):
        if name in fields:
            page.wrong(fields[name].start, why, f"leave {name} out")
    if "at" in fields and not compare.is_beside:
        page.wrong(fields["at"].start, "a table has no steps", "add to compare: beside: true")


def _found(page: TourPage, words: Words | None, folder: str) -> Words | None:
    """A path as it leads from here; None, and a mistake noted, where nothing is there."""
    there = path(page, words, folder) if words is not None else None
    return Words(there, words.at) if words is not None and there is not None else None


def _where(page: TourPage, node: TreeNode) -> Where | None:
    if not node.mapping:
        word = page.words(node, "at", _MAX_TEXT)
        if word is not None and word.text not in WORDS and not _is_number(word.text):
            page.unknown(word, f"a step is no {word.text!r}", WORDS)
        return Where(at=node.start, word=word, wanted={}) if word is not None else None
    fields = page.fields(node, "at", FIELDS)
    given = {name: page.words(one, name, _MAX_TEXT) for name, one in fields.items()}
    wanted = {name: words for name, words in given.items() if words is not None}
    for name, choices in (("kind", (*KINDS, "un-nat")), ("direction", _DIRECTIONS)):
        words = wanted.get(name)
        if words is not None and words.text not in choices:
            page.unknown(words, f"there is no {name} {words.text!r}", choices)
    nth = wanted.pop("nth", None)
    count = number(page, nth, "nth", 1, 10_000) if nth is not None else 1
    if not wanted and node.mapping:
        page.wrong(node.start, "at says nothing about the step", listed(FIELDS))
    return Where(at=node.start, wanted=wanted, nth=count or 1)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9
