"""The request box's candidates, its history, and the walks back and forward."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, OptionList, Static
from tui import literal
from tui.harness import OTHER, running
from tui.test_key_paths import WEBAPP, opened

from k8stui.tui import request
from k8stui.tui.candidates import Candidates, destinations, sources, who_and_whom
from k8stui.tui.history import History
from k8stui.tui.request import understood
from k8stui.walk.error import RequestError
from k8stui.walk.trace import Request
from k8stui.walk.world import build_world

TWO_SPACES = """\
apiVersion: v1
kind: Pod
metadata: {name: teller, namespace: bank, labels: {app: teller}}
spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: counter, namespace: bank}
spec: {selector: {app: teller}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: visitor}
spec: {containers: [{name: sh, image: sh}]}
"""


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    (tmp_path / "bank.yaml").write_text(TWO_SPACES)
    return tmp_path


def test_the_best_match_comes_first() -> None:
    found = Candidates(["node/web", "pod/my-web", "pod/web-1", "pod/w-e-b", "svc/other"])
    assert found.matching("web") == ["node/web", "pod/web-1", "pod/my-web", "pod/w-e-b"]
    assert found.matching("WEB-1") == ["pod/web-1"]
    assert found.matching("nothing of it") == []
    assert found.matching("") == list(found.names)


@pytest.mark.parametrize("typed", ["(", "[", ".*", "\\", "a|b", "$", "  "])
def test_what_is_typed_is_no_pattern(typed: str) -> None:
    assert Candidates(["pod/a", "pod/b"]).matching(typed) in ([], ["pod/a", "pod/b"])


def test_no_more_candidates_are_made_than_are_shown() -> None:
    made = []

    def names() -> Iterator[str]:
        for number in range(20_000):
            made.append(number)
            yield f"pod/{number}"

    found = Candidates(names())
    assert len(found.matching("", 20)) == 20
    assert len(made) == 20
    assert found.matching("19999") == ["pod/19999"]
    assert found.matching("", 2) == ["pod/0", "pod/1"]
    assert len(made) == 20_000


@pytest.mark.usefixtures("without_others")
def test_a_cluster_goes_though_not_all_of_its_candidates_were_made() -> None:
    cluster = build_world([str(WEBAPP)]).cluster
    known = who_and_whom.of(cluster)
    for found in (known.sources(cluster, "default"), known.destinations(cluster, "default")):
        assert len(found.matching("", 2)) == 2
    gone = weakref.ref(cluster)
    del cluster
    gc.collect()
    assert gone() is None


def test_a_name_is_looked_for_only_where_something_is_called_so(
    bank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build_world([str(bank)])
    asked: list[str] = []

    def looked(*what: Any) -> list[Request]:
        asked.extend(what[-1])
        return []

    monkeypatch.setattr(request, "_in_others", looked)
    for source, whom in (("pod/nobody", "svc/nothing:80"), ("tell", "svc/coun"), ("", "")):
        with pytest.raises(RequestError):
            understood(world, source, whom, "default")
    assert asked == []
    with pytest.raises(RequestError):
        understood(world, "pod/teller", "svc/counter", "default")
    assert asked == ["bank"]


def test_every_candidate_is_understood(bank: Path) -> None:
    for paths in ([str(bank)], [str(WEBAPP)]):
        world = build_world(paths)
        for source in sources(world.cluster, "default"):
            for destination in destinations(world.cluster, "default"):
                if destination.startswith("localhost") and source == "outside":
                    continue
                try:
                    understood(world, source, destination, "default")
                except RequestError as error:
                    pytest.fail(f"{source} -> {destination}: {error}")


async def test_a_workload_of_another_namespace_asks_and_is_asked(bank: Path) -> None:
    async with opened(str(bank)) as typist:
        await typist.press("r", *"tell", "tab", *"coun", "enter")
        desk = typist.walk.desk
        assert desk is not None
        assert desk.state.trace is not None
        request = desk.state.trace.request
        assert request.source == "pod/bank/teller"
        assert request.destination == "svc/bank/counter:80"


async def test_a_long_name_is_a_line_that_keeps_its_ends(tmp_path: Path) -> None:
    name = f"checkout-{'of-a-shop-' * 5}7d9fc"
    (tmp_path / "long.yaml").write_text(
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {'n' * 60}}}\n"
        "spec: {containers: [{name: c, image: i, ports: [{containerPort: 8081}]}]}\n"
    )
    async with opened(str(tmp_path)) as typist:
        await typist.press("r", "tab", *"chec")
        options = typist.app.screen.query_one("#candidates", OptionList)
        shown = str(options.get_option_at_index(0).prompt)
        assert shown.startswith("nnn")
        assert shown.endswith(":8081")
        assert "/checkout-of" in shown
        assert len(shown) <= options.size.width
        await typist.press("enter")
        desk = typist.walk.desk
        assert desk is not None
        assert desk.state.trace is not None
        assert desk.state.trace.request.destination == f"pod/{'n' * 60}/{name}:8081"


async def test_candidates_follow_what_is_typed_and_a_mended_error_goes() -> None:
    async with opened(str(WEBAPP)) as typist:
        await typist.press("r", *"zzz")
        box = typist.app.screen
        assert box.query_one("#candidates", OptionList).option_count == 0
        await typist.press("enter", "enter")
        trouble = box.query_one("#trouble", Static)
        assert trouble.has_class("-wrong")
        box.query_one("#source", Input).focus()
        await typist.press("end", "backspace")
        assert not trouble.has_class("-wrong")
        assert "Esc back" in str(trouble.content)


async def test_what_is_typed_and_understood_is_not_replaced() -> None:
    async with opened(str(WEBAPP)) as typist:
        await typist.press("r", *"node/node-2", "enter", *"10.244.1.2:3306", "enter")
        desk = typist.walk.desk
        assert desk is not None
        assert desk.state.trace is not None
        assert desk.state.trace.request.source == "node/node-2"
        assert desk.state.trace.request.destination == "10.244.1.2:3306"


async def test_earlier_requests_are_asked_again() -> None:
    async with opened(str(WEBAPP)) as typist:
        await typist.press("r", "w", "enter", "q", "enter", "r")
        options = typist.app.screen.query_one("#candidates", OptionList)
        assert str(options.get_option_at_index(1).prompt) == "outside → node/node-1:30001"
        await typist.press("down", "down", "enter")
        desk = typist.walk.desk
        assert desk is not None
        assert desk.state.trace is not None
        assert desk.state.trace.request.source == "outside"


def test_history_goes_back_and_forward_and_forgets_what_was_left() -> None:
    history, world = History(), literal.WORLD
    assert history.move(world, -1, 0) is None
    history.visit(world, literal.TRACE, 0, 0)
    history.visit(world, OTHER, 3, 7)
    back = history.move(world, -1, 5)
    assert back is not None
    assert (back.trace, back.index) == (literal.TRACE, 7)
    forward = history.move(world, 1, 1)
    assert forward is not None
    assert (forward.trace, forward.index) == (OTHER, 5)
    assert history.move(world, 1, 0) is None
    assert history.move(object(), -1, 0) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("back", "forward"),
    [("left_square_bracket", "right_square_bracket"), ("alt+left", "alt+right")],
)
async def test_walks_go_back_and_forward(back: str, forward: str) -> None:
    async with running() as driver:
        await driver.press("D", "b", "down", "enter", "right", back)
        assert driver.state.trace is not OTHER
        assert driver.state.index == 13
        await driver.press(forward)
        assert driver.state.trace is OTHER
        assert driver.state.index == 14
        await driver.press(forward)
        assert driver.state.trace is OTHER
