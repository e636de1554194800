"""What is remembered from one time to the next, and what is not."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tui.harness import ready, settled
from tui.test_key_paths import WEBAPP

from k8stui.tui.app import K8sTuiApp
from k8stui.tui.jobs import Jobs
from k8stui.tui.names import PaneName
from k8stui.tui.screen import WalkScreen
from k8stui.tui.session import Session, SessionFile, input_key
from k8stui.tui.terminal import Terminal

themes: list[str] = []
"""The theme at the start of each use, the last one last."""


async def used(path: Path, *keys: str, theme: str = "") -> WalkScreen:
    """Open the sample with a session file, press keys, leave."""
    app = K8sTuiApp(Jobs([str(WEBAPP)]), Terminal(), session=SessionFile(path))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        screen = app.screen_stack[0]
        assert isinstance(screen, WalkScreen)
        if theme:
            app.theme = theme
        themes.append(app.theme)
        for key in keys:
            await pilot.press(key)
            await settled(app)
            await pilot.pause(0)
    return screen


def asked(screen: WalkScreen) -> tuple[str, str]:
    assert screen.desk is not None
    assert screen.desk.state.trace is not None
    request = screen.desk.state.trace.request
    return request.source, request.destination


async def test_the_screen_opens_where_it_was_left(tmp_path: Path) -> None:
    path = tmp_path / "state" / "k8stui" / "session.json"
    await used(path, "r", "w", "enter", "q", "enter", "4", "z", "q", theme="k8stui-light")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["session.json"]
    screen = await used(path, "q")
    assert asked(screen) == ("pod/default/myweb-1", "svc/default/mysql:3306")
    assert screen.front is PaneName.WALK
    assert screen.has_class("-zoom")
    assert themes[-1] == "k8stui-light"


async def test_without_a_file_nothing_is_remembered(tmp_path: Path) -> None:
    screen = await used(tmp_path / "none.json")
    assert asked(screen) == ("outside", "node/node-1:30001")
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 - not left with q: nothing is written


async def test_a_request_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    key = input_key([str(WEBAPP)], None, "default")
    SessionFile(path).write(Session(requests={key: ("pod/default/gone", "svc/default/mysql:3306")}))
    assert asked(await used(path)) == ("outside", "node/node-1:30001")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version": 2}',
        '{"version": 1, "theme": 7}',
        '{"version": 1, "requests": {"a": "b"}}',
        '{"version": 1, "requests": []}',
        "[" * 60_000,
        "x" * 70_000,
        "\x00\xff",
    ],
    ids=range(10),
)
async def test_a_broken_file_is_left_out_and_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "session.json"
    path.write_text(text, encoding="utf-8")
    app = K8sTuiApp(Jobs([str(WEBAPP)]), Terminal(), session=SessionFile(path))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        screen = app.screen_stack[0]
        assert isinstance(screen, WalkScreen)
        assert asked(screen) == ("outside", "node/node-1:30001")
        assert any("the last session" in each.message for each in app._notifications)


@pytest.mark.parametrize("name", ["theme", "pane"])
async def test_what_is_no_longer_known_is_left_out(tmp_path: Path, name: str) -> None:
    path = tmp_path / "session.json"
    path.write_text(json.dumps({"version": 1, name: "no such thing"}))
    screen = await used(path)
    assert screen.front is PaneName.LAYOUT
    assert themes[-1] == "k8stui-dark"


async def test_where_nothing_can_be_written_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    path = tmp_path / "file" / "session.json"
    await used(path, "q")
    SessionFile(path).write(Session())
    assert (tmp_path / "file").read_text() == "no folder"


def test_the_file_is_bounded(tmp_path: Path) -> None:
    session = Session()
    for number in range(200):
        session.remember(str(number), "a", "b")
    session.remember("long", "a" * 5_000, "b")
    assert list(session.requests) == [str(number) for number in range(150, 200)]
    path = tmp_path / "session.json"
    SessionFile(path).write(session)
    assert SessionFile(path).read() == session


def test_nothing_of_the_input_stands_in_it(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    session = Session()
    session.remember(input_key(["/home/somebody/secret.yaml"], "prod", "bank"), "outside", "x:80")
    SessionFile(path).write(session)
    for word in ("somebody", "secret", "prod", "bank"):
        assert word not in path.read_text()
