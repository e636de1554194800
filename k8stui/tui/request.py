"""The request box: any source, any destination, completed as one types."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from k8stui.tui.once import Once
from k8stui.walk.request import RequestError, parse_request
from k8stui.walk.trace import Request

if TYPE_CHECKING:
    from k8stui.cluster.model import Cluster
    from k8stui.walk.world import World

_SUGGESTED = 20_000
"""A suggester looks at each word for every letter typed: 20,000 take about a millisecond."""


def sources(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Everything that can ask."""
    yield "outside"
    yield from (f"node/{name}" for name in cluster.nodes)
    yield from (f"pod/{p.name}" for p in cluster.pods.values() if p.namespace == namespace)
    yield from (f"{p.namespace}/pod/{p.name}" for p in cluster.pods.values())


def destinations(cluster: Cluster, namespace: str) -> Iterator[str]:
    """Everything that can be asked, with its ports."""
    for service in cluster.services.values():
        name = (
            service.name
            if service.namespace == namespace
            else f"{service.name}.{service.namespace}"
        )
        for port in service.ports:
            yield f"svc/{name}:{port.port}"
    for service in cluster.services.values():
        for port in service.ports:
            if port.node_port:
                yield from (f"node/{name}:{port.node_port}" for name in cluster.nodes)
    for pod in cluster.pods.values():
        if pod.namespace == namespace:
            numbers = [p.number for c in pod.containers for p in c.ports]
            yield from (f"pod/{pod.name}:{number}" for number in numbers or [80])
    yield "localhost:8080"


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
    cluster = world.cluster
    spaces = [pod.namespace for pod in cluster.pods.values()]
    spaces += [service.namespace for service in cluster.services.values()]
    others = [one for one in dict.fromkeys(spaces) if one != namespace]
    first = [one for one in others if source.startswith((f"{one}/", f"pod/{one}/"))]
    for those in (first, others):
        found = _in_others(world, source, destination, namespace, those)
        if len(found) == 1:
            return found[0]
    raise refused


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


def _first(words: Iterator[str]) -> list[str]:
    return [word for word, _ in zip(words, range(_SUGGESTED), strict=False)]


class RequestScreen(Once, ModalScreen[Request | None]):
    """Asks for source and destination; gives a request that means something in this cluster."""

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
        Binding(
            "down", "app.focus_next", "next field", id="request-next", tooltip="To the next field"
        ),
        Binding(
            "up",
            "app.focus_previous",
            "field before",
            id="request-previous",
            tooltip="To the field before",
        ),
    ]
    AUTO_FOCUS = "#source"

    def __init__(self, world: World, namespace: str, source: str, destination: str) -> None:
        super().__init__()
        self._world = world
        self._namespace = namespace
        self._source = source
        self._destination = destination

    def compose(self) -> ComposeResult:
        cluster = self._world.cluster
        with Vertical(id="box"):
            yield Static("Who asks?   outside, pod/NAME, node/NAME, deploy/NAME, an address")
            yield Input(
                self._source,
                placeholder="outside",
                suggester=SuggestFromList(
                    _first(sources(cluster, self._namespace)), case_sensitive=False
                ),
                id="source",
            )
            yield Static(
                "Whom?   svc/NAME:PORT, node/NAME:NODEPORT, pod/NAME:PORT, ADDRESS:PORT, a DNS name"
            )
            yield Input(
                self._destination,
                placeholder="svc/NAME:PORT",
                suggester=SuggestFromList(
                    _first(destinations(cluster, self._namespace)), case_sensitive=False
                ),
                id="destination",
            )
            yield Static(
                "→ completes   ↑↓ the other field   Enter asks   Esc back",
                id="trouble",
                markup=False,
            )

    def on_mount(self) -> None:
        self.query_one("#box").border_title = "Request"

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        source = self.query_one("#source", Input)
        destination = self.query_one("#destination", Input)
        if event.input is source and not destination.value:
            destination.focus()
            return
        try:
            request = understood(
                self._world,
                source.value.strip() or "outside",
                destination.value.strip(),
                self._namespace,
            )
        except RequestError as error:
            trouble = self.query_one("#trouble", Static)
            trouble.add_class("-wrong")
            trouble.update(error.render())
            return
        self.dismiss(request)

    def action_close(self) -> None:
        self.dismiss(None)
