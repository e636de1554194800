"""What one can type behind ``:`` with a name: ``svc``, ``pod``, ``node``, ``chain``, ``walk``.

The names are completed as one types; letters in their order are enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from k8stui.neutralise import neutralise
from k8stui.tui.names import PaneName

if TYPE_CHECKING:
    from k8stui.tui.desk import Desk
    from k8stui.tui.screen import WalkScreen

_MOST = 20
"""Hits that are listed."""
_ARROWS = ("->", "→", "─▶")


class _Found(NamedTuple):
    """A line that can be chosen."""

    text: str
    help: str
    run: Callable[[], object]


class CommandLine(Provider):
    """Commands with a name behind them."""

    async def discover(self) -> Hits:
        """Say what can be typed."""
        screen = self._walk_screen
        if screen is None:
            return
        for text, said, action in (
            ("svc NAME", "show a Service, and its ways of access", "pane('nodes')"),
            ("pod NAME", "show a pod; pods: all of them", "pane('nodes')"),
            ("node NAME", "show a node; nodes: all of them", "pane('nodes')"),
            ("chain NAME", "open a chain where the packet is", "pane('chain')"),
            ("walk A -> B", "ask: names are completed", "request"),
            ("compare KIND", "ways, settings, branches, nodes, modes: in a table", "compare"),
            ("against PATH", "compare with another input", "against"),
            ("reach A -> B", "who reaches whom: those who hold A, by those who hold B", "reach"),
            ("delete, scale KIND/NAME", "in the replay: what happens next", "change"),
        ):
            run = partial(screen.run_action, action)
            yield DiscoveryHit(f":{text}", run, text=f":{text}", help=said)

    async def search(self, query: str) -> Hits:
        """Complete what is typed."""
        screen = self._walk_screen
        desk = screen.desk if screen is not None else None
        if screen is None or desk is None:
            return
        word, _, rest = query.strip().lstrip(":").partition(" ")
        for number, found in enumerate(_completed(screen, desk, word.lower(), rest.strip())):
            if number == _MOST:
                break
            text = neutralise(found.text)
            yield Hit(100 - number, Content(text), found.run, text=text, help=found.help)

    @property
    def _walk_screen(self) -> WalkScreen | None:
        from k8stui.tui.screen import WalkScreen  # noqa: PLC0415 - it knows the palette

        return self.screen if isinstance(self.screen, WalkScreen) else None


def _completed(screen: WalkScreen, desk: Desk, word: str, rest: str) -> Iterator[_Found]:
    cluster = desk.world.cluster
    match word:
        case "svc" | "service" | "services":
            yield from _objects(screen, "svc", "service", cluster.services, rest)
        case "pod" | "pods":
            yield from _objects(screen, "pod", "pod", cluster.pods, rest)
        case "node" | "nodes" | "no":
            yield from _objects(screen, "node", "node", cluster.nodes, rest)
        case "chain" | "chains":
            yield from _chains(screen, desk, rest)
        case "findings" | "finding":
            yield _Found("findings", "what the check found", screen.action_findings)
        case "compare":
            yield from _kinds(screen, rest)
        case "against" | "diff":
            yield from _inputs(screen, rest)
        case "delete" | "scale":
            yield from _changes(screen, f"{word} {rest}".strip())
        case "reach":
            said = f"filtered by {rest}" if rest else "all pairs, as a map to move in"
            yield _Found(f"reach {rest}".strip(), said, partial(screen.show_map, rest))
        case "walk" | "ask":
            yield from _walks(screen, desk, rest)
        case _:
            return


def _kinds(screen: WalkScreen, typed: str) -> Iterator[_Found]:
    from k8stui.tui.candidates import Candidates  # noqa: PLC0415 - only when asked for
    from k8stui.tui.keys import COMPARED  # noqa: PLC0415 - as above
    from k8stui.walk.comparisons import Kind  # noqa: PLC0415 - as above

    for name in Candidates(Kind).matching(typed, _MOST):
        run = partial(screen.compare, Kind(name))
        yield _Found(f"compare {name}", COMPARED[name], run)


def _inputs(screen: WalkScreen, typed: str) -> Iterator[_Found]:
    from k8stui.tui.paths import completions, is_there  # noqa: PLC0415 - only when asked for

    found = completions(typed, _MOST)
    # What is typed comes first where it is there; what is not is said to be missing below.
    mine = [typed] if typed and typed not in found else []
    for path in mine + found if is_there(typed) else found + mine:
        run = partial(screen.action_against, path)
        yield _Found(f"against {path}", "read it, and compare with it", run)


def _objects(
    screen: WalkScreen, word: str, kind: str, names: Iterable[str], typed: str
) -> Iterator[_Found]:
    from k8stui.tui.candidates import Candidates  # noqa: PLC0415 - only when asked for

    for name in Candidates(names).matching(typed, _MOST):
        short = name.removeprefix("default/")
        run = partial(screen.reveal, f"{kind}/{name}")
        yield _Found(f"{word} {short}", "show it in the Nodes pane", run)


def _chains(screen: WalkScreen, desk: Desk, typed: str) -> Iterator[_Found]:
    from k8stui.tui.candidates import Candidates  # noqa: PLC0415 - only when asked for

    places = {f"{name} {table}": (step, table, name) for step, table, name in desk.chains()}
    for text in Candidates(places).matching(typed, _MOST):
        step, table, name = places[text]

        def run(step: int = step, table: str = table, name: str = name) -> None:
            desk.open_chain(step, table, name)
            screen.show_pane(PaneName.CHAIN)
            screen.redraw()

        yield _Found(f"chain {name}", f"table {table}", run)


def _changes(screen: WalkScreen, typed: str) -> Iterator[_Found]:
    """What can be deleted or scaled at this moment of the replay; any number that is typed."""
    from k8stui.replay.change import ChangeError, parse_change  # noqa: PLC0415 - as below
    from k8stui.tui.candidates import Candidates  # noqa: PLC0415 - only when asked for

    timeline = screen.timeline
    moment = timeline.moment if timeline is not None else None
    if timeline is None or moment is None:
        return
    found = [*Candidates(timeline.possible()).matching(typed, _MOST)]
    try:
        parse_change(typed, moment.world.manifests.objects, screen.jobs.namespace)
        found = [typed, *(each for each in found if each != typed)]
    except ChangeError:
        pass
    for text in found:
        yield _Found(text, "as the replay's next step", partial(screen.change, text))


def _walks(screen: WalkScreen, desk: Desk, typed: str) -> Iterator[_Found]:
    """``A -> B`` as it is typed, where it means something; else what completes it."""
    from k8stui.tui.candidates import who_and_whom  # noqa: PLC0415
    from k8stui.tui.request import means_somebody, understood  # noqa: PLC0415
    from k8stui.walk.error import RequestError  # noqa: PLC0415

    cluster, namespace = desk.world.cluster, screen.jobs.namespace
    arrow = next((each for each in _ARROWS if each in typed), "")
    source, _, whom = (part.strip() for part in typed.partition(arrow or "->"))
    known = who_and_whom.of(cluster)
    found = known.sources(cluster, namespace).matching(source, _MOST)
    if not arrow:
        for name in found:
            run = partial(screen.request_from, name)
            yield _Found(f"walk {name} -> …", "and whom? Enter opens the request box", run)
        return
    asked = known.destinations(cluster, namespace).matching(whom, _MOST)
    whoever = [
        each
        for each in dict.fromkeys((source or "outside", *found[:1]))
        if means_somebody(desk.world, each, namespace)
    ]
    pairs = [(each, whom) for each in whoever] if whom else []
    pairs += [(each, other) for each in whoever for other in asked]
    seen: set[tuple[str, str]] = set()
    for pair in pairs:
        try:
            request = understood(desk.world, *pair, namespace)
        except RequestError:
            continue
        key = (request.source, request.destination)
        if request.connect is None or key in seen:
            continue
        seen.add(key)
        text = f"walk {pair[0]} -> {pair[1]}"
        yield _Found(text, "ask this, and walk it", partial(screen.ask, request))
