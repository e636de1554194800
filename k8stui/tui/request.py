"""The request box: any source, any destination, completed as one types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from k8stui.export.drawing.ink import middle, width_of
from k8stui.neutralise import neutralise
from k8stui.tui.candidates import who_and_whom
from k8stui.tui.fitted import Fitted
from k8stui.tui.once import Once
from k8stui.walk.request import RequestError, parse_request
from k8stui.walk.trace import Request

if TYPE_CHECKING:
    from k8stui.walk.world import World

_ARROW = " → "
_SCROLLBAR = 2
"""Cells of it, beside the candidates."""
_KEYS = "↑↓ choose   Enter takes it   Tab the other field   Esc back"


def understood(world: World, source: str, destination: str, namespace: str) -> Request:
    """Understand a request as it is meant on a screen that shows all namespaces.

    A name without a namespace is looked for in the one of the options, then in that of the pod
    that asks, then in the others, where there it is the only one of its name.

    Raises:
        RequestError: nobody is called so, or several are; said for the namespace of the options.

    """
    try:
        return parse_request(world, source, destination, namespace)
    except RequestError as error:
        refused = error
    # Where nothing is called like a part of it, it means nothing. (To ask takes a look at all pods
    # for each namespace, and there may be a thousand of both.)
    words = {*re.split(r"[/:]", f"{source}/{destination}")}
    words |= {*re.split(r"[/:.]", f"{source}/{destination}")}
    cluster = world.cluster
    spaces = [pod.namespace for pod in cluster.pods.values() if pod.name in words]
    spaces += [one.namespace for one in cluster.services.values() if one.name in words]
    spaces += [work.namespace for work in cluster.workloads if work.name in words]
    others = [one for one in dict.fromkeys(spaces) if one != namespace]
    first = [one for one in others if source.startswith((f"{one}/", f"pod/{one}/"))]
    for those in (first, others):
        found = _in_others(world, source, destination, namespace, those)
        if len(found) == 1:
            return found[0]
    raise refused


def means_somebody(world: World, source: str, namespace: str) -> bool:
    """Whether a source as it was typed means somebody, whomever it asks."""
    try:
        understood(world, source, "localhost:1", namespace)  # everybody can ask itself
    except RequestError:
        return False
    return True


def _in_others(
    world: World, source: str, destination: str, namespace: str, others: list[str]
) -> list[Request]:
    """Requests that the two names mean where one or both stand in one of `others`."""
    found = {}
    for one in others:
        for who, whom in product(
            (source, f"{one}/{source}"), (destination, f"{one}/{destination}")
        ):
            with suppress(RequestError):
                request = parse_request(world, who, whom, namespace)
                found[request.source, request.destination] = request
    return list(found.values())


def _in_a_line(text: str, room: int) -> str:
    """A candidate in so many cells: its names keep both ends, and the port is never lost."""
    if width_of(text) <= room:
        return text
    source, arrow, whom = text.partition(_ARROW)
    if arrow:
        half = (room - width_of(arrow)) // 2
        return f"{_in_a_line(source, half)}{arrow}{_in_a_line(whom, half)}"
    where, slash, name = text.rpartition("/")
    where = middle(where, max(room // 3, room - width_of(name) - 1))
    return where + slash + middle(name, room - width_of(where + slash))


class RequestScreen(Fitted, Once, ModalScreen[Request | None]):
    """Gives back a request that is understood, or None."""

    BINDINGS: ClassVar = [
        Binding("escape", "close", "close", id="request-close", tooltip="Back, without asking"),
        Binding(
            "ctrl+c",
            "close",
            "close",
            id="request-break",
            tooltip="Back, without asking",
            priority=True,
        ),
        Binding("ctrl+q", "app.leave", "quit", id="request-quit", tooltip="Leave k8stui"),
        Binding("down", "move(1)", "down", id="request-down", tooltip="To the next candidate"),
        Binding("up", "move(-1)", "up", id="request-up", tooltip="To the candidate before"),
        Binding(
            "tab",
            "other(1)",
            "other field",
            id="request-next",
            tooltip="Take the candidate, and on to the other field",
            priority=True,
        ),
        Binding(
            "shift+tab",
            "other(-1)",
            "field before",
            id="request-previous",
            tooltip="Back to the other field",
            priority=True,
        ),
    ]
    AUTO_FOCUS = "#source"

    def __init__(
        self,
        world: World,
        namespace: str,
        source: str,
        destination: str,
        asked: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`asked`: earlier requests, the last one first; they stand there until one types."""
        super().__init__()
        self._world = world
        self._namespace = namespace
        self._first = {"source": source, "destination": destination}
        """What stands in the fields at first."""
        self._asked = asked
        known = who_and_whom.of(world.cluster)
        self._found = {
            "source": known.sources(world.cluster, namespace),
            "destination": known.destinations(world.cluster, namespace),
        }
        self._shown: list[str] = []
        self._is_chosen = False
        """Whether one has moved to a candidate: then Enter means it, whatever is typed."""

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static("Who asks?   outside, pod/NAME, node/NAME, deploy/NAME, an address")
            yield Input(self._first["source"], placeholder="outside", id="source")
            yield Static(
                "Whom?   svc/NAME:PORT, node/NAME:NODEPORT, pod/NAME:PORT, ADDRESS:PORT, a DNS name"
            )
            yield Input(self._first["destination"], placeholder="svc/NAME:PORT", id="destination")
            candidates = OptionList(id="candidates", markup=False, compact=True)
            candidates.can_focus = False
            yield candidates
            yield Static(_KEYS, id="trouble", markup=False)

    def on_mount(self) -> None:
        self.query_one("#box").border_title = "Request"
        for field in self.query(Input):
            field.cursor_blink = False  # nothing is sent while nothing changes

    # The candidates

    @property
    def _field(self) -> Input:
        """The field that one types in."""
        focused = self.focused
        return focused if isinstance(focused, Input) else self.query_one("#source", Input)

    def on_descendant_focus(self, _: DescendantFocus) -> None:
        self._suggest()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        trouble = self.query_one("#trouble", Static)
        if trouble.has_class("-wrong"):  # what was wrong was the text before this letter
            trouble.remove_class("-wrong")
            trouble.update(_KEYS)
        if event.input is self.focused:
            self._suggest()

    def _suggest(self) -> None:
        """List what matches the field in front; before one types, what was asked before."""
        field = self._field
        name = field.id or ""
        typed = field.value.strip()
        self._is_chosen = False
        if typed == self._first[name] and name == "source" and self._asked:
            self._shown = [f"{source}{_ARROW}{whom}" for source, whom in self._asked]
        else:
            untouched = typed == self._first[name]
            self._shown = self._found[name].matching("" if untouched else typed)
        options = self.query_one("#candidates", OptionList)
        room = (options.size.width or self.app.size.width) - _SCROLLBAR
        options.set_options([Content(_in_a_line(neutralise(each), room)) for each in self._shown])
        options.highlighted = 0 if self._shown and typed != self._first[name] else None

    def action_move(self, by: int) -> None:
        """Up and down among the candidates."""
        if not self._shown:
            return
        options = self.query_one("#candidates", OptionList)
        at = options.highlighted
        to = 0 if at is None else at + by
        options.highlighted = max(0, min(to, len(self._shown) - 1))
        self._is_chosen = True

    def action_other(self, by: int) -> None:
        """To the other field; forward, with the candidate where the text is none yet."""
        field = self._field
        if by > 0 and not self._take(field):
            return
        other = "#destination" if field.id == "source" else "#source"
        self.query_one(other, Input).focus()

    def _take(self, field: Input) -> bool:
        """Put what is meant into the field; False: an earlier request was asked at once."""
        options = self.query_one("#candidates", OptionList)
        at = options.highlighted
        if at is None or at >= len(self._shown):
            return True
        if not self._is_chosen and self._is_understood(field):
            return True
        source, arrow, whom = self._shown[at].partition(_ARROW)
        if not arrow:
            field.value = source
            return True
        self._ask(source, whom)
        return False

    def _is_understood(self, field: Input) -> bool:
        """Whether the text means somebody as it is typed."""
        typed = field.value.strip()
        if typed == self._first[field.id or ""]:
            return True
        if field.id == "source":
            return means_somebody(self._world, typed or "outside", self._namespace)
        source = self._value("source") or "outside"
        try:
            request = understood(self._world, source, typed, self._namespace)
        except RequestError:
            return False
        return request.connect is not None

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._is_chosen = True
        self._enter(self._field)

    # Asking

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._enter(event.input)

    def _enter(self, field: Input) -> None:
        source, arrow, whom = field.value.partition("->")
        if arrow and field.id == "source" and not self._is_chosen:  # both, as :walk has them
            self._ask(source.strip(), whom.strip())
            return
        is_typed = self._is_chosen or field.value.strip() != self._first[field.id or ""]
        if not self._take(field):
            return
        if field.id == "source" and (is_typed or not self._value("destination")):
            self.query_one("#destination", Input).focus()
            return
        self._ask(self._value("source"), self._value("destination"))

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value.strip()

    def _ask(self, source: str, destination: str) -> None:
        try:
            request = understood(self._world, source or "outside", destination, self._namespace)
        except RequestError as error:
            trouble = self.query_one("#trouble", Static)
            trouble.add_class("-wrong")
            trouble.update(error.render())
            return
        self.dismiss(request)

    def action_close(self) -> None:
        self.dismiss(None)
