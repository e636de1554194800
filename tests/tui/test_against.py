"""Another input on the screen: named at the start, typed, wrong, watched, and gone into."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from shutil import copytree

import pytest
from textual.message import Message
from tui import harness
from tui.test_compare_screen import Comparing
from tui.test_key_paths import WEBAPP

from k8stui.tui.against_screen import AgainstScreen
from k8stui.tui.compare_screen import CompareScreen
from k8stui.tui.jobs import Jobs
from k8stui.tui.messages import OtherRead
from k8stui.tui.paths import completions
from k8stui.walk.comparisons import Kind
from k8stui.walk.world import World

SERVICE = "4-myweb-svc.yaml"


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """The same web application, its node port open on the pod's node only."""
    folder = Path(copytree(WEBAPP, tmp_path / "local"))
    change(folder, "  type: NodePort\n", "  type: NodePort\n  externalTrafficPolicy: Local\n")
    return folder


def change(folder: Path, old: str, new: str) -> None:
    text = (folder / SERVICE).read_text()
    assert old in text
    (folder / SERVICE).write_text(text.replace(old, new))
    os.utime(folder / SERVICE, ns=(len(text), len(text)))


@asynccontextmanager
async def opened(jobs: Jobs, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Comparing]:
    app = harness.make_app(jobs)
    async with app.run_test(size=size) as pilot:
        await harness.ready(pilot)
        driver = Comparing(app, pilot, harness.LiteralJobs())
        await driver.settle()
        yield driver


async def type_path(driver: Comparing, path: str) -> None:
    """As it is typed: the box's text in one go, then Enter."""
    box = driver.app.screen
    assert isinstance(box, AgainstScreen)
    box._field.value = path
    await driver.pilot.pause(0)
    await driver.press("enter")
    await driver.settle()


def trouble(driver: Comparing) -> str:
    return str(driver.app.screen.query_one("#trouble").render())


async def test_what_was_named_at_the_start_opens_by_itself(local: Path) -> None:
    async with opened(Jobs([str(WEBAPP)], against=[str(local)])) as driver:
        assert driver.front.kind is Kind.VERSIONS
        assert "≠ ✗ timed out" in driver.text("#face")
        await driver.press("right", "enter")
        assert "✗ DROP" in driver.text("#face")


async def test_the_other_input_on_the_workbench_is_called_by_its_name(local: Path) -> None:
    async with opened(Jobs([str(WEBAPP)], against=[str(local)])) as driver:
        world = driver.desk.world
        await driver.press("right", "o")
        assert driver.is_on_top
        assert " after: local " in driver.text("#title")
        assert "what if" not in driver.text("#title")
        said = " ".join(driver.text("#keys").split())
        assert "before → after (local): connected, pod sees 192.168.0.11 → timed out" in said
        assert driver.state.index > 0
        await driver.press("w")
        assert driver.front.kind is Kind.VERSIONS
        assert "B after: local" in driver.text("#face")
        await driver.press("escape", "left", "o")
        assert driver.desk.world is world
        assert driver.state.turned == ()


async def test_a_path_is_typed(local: Path) -> None:
    async with opened(Jobs([str(WEBAPP)])) as driver:
        await driver.press("w", "7")
        assert "there is no other input" in driver.text("#face")
        assert "a names another one" in driver.text("#face")
        await driver.press("a")
        await type_path(driver, str(local))
        assert driver.front.kind is Kind.VERSIONS
        assert "≠ ✗ timed out" in driver.text("#face")
        assert "a other input" in driver.text("#keys")


async def test_what_is_wrong_with_a_path_stands_below_it(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "wrong.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: A_B}\n")
    async with opened(Jobs([str(WEBAPP)])) as driver:
        driver.screen.action_against()
        await driver.settle()
        for name, said in (
            ("absent", "absent: no such file or folder"),
            ("empty", "nothing of Kubernetes in empty"),
            ("wrong.yaml", "wrong.yaml:3"),
            ("nul\0in", "this is no path"),
        ):
            await type_path(driver, str(tmp_path / name))
            assert isinstance(driver.app.screen, AgainstScreen)
            assert said in trouble(driver)
        await type_path(driver, "")
        assert "a path is missing" in trouble(driver)
        await driver.press("escape")
        assert driver.is_on_top
        assert driver.screen.jobs.other is None


async def test_what_is_wrong_in_the_other_input_is_one_key_away(local: Path) -> None:
    (local / "5-more.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: A_B}\n")
    async with opened(Jobs([str(WEBAPP)], against=[str(local)]), size=(200, 50)) as driver:
        assert " ! 3 problems " in driver.text("#keys")
        await driver.press("exclamation_mark")
        assert "5-more.yaml:3" in driver.text("#sheet")
        await driver.press("escape")
        assert driver.front.kind is Kind.VERSIONS


async def test_paths_are_completed(local: Path) -> None:
    async with opened(Jobs([str(WEBAPP)])) as driver:
        driver.screen.action_against()
        await driver.settle()
        box = driver.app.screen
        assert isinstance(box, AgainstScreen)
        box._field.value = f"{local.parent}/lo"
        await driver.pilot.pause(0)
        await driver.press("tab")
        assert box._field.value == f"{local}/"
        await driver.press("down", "tab")
        assert box._field.value == f"{local}/1-mysql-rc.yaml"


def test_what_completes_a_path(tmp_path: Path) -> None:
    for name in ("web-10.yaml", "web-9.yaml", ".hidden", "[x].yaml", "\x1b[2J.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "zone").mkdir()
    under = f"{tmp_path}/"
    assert completions(under, 2) == [f"{under}zone/", f"{under}[x].yaml"]
    found = [each.removeprefix(under) for each in completions(under)]
    assert found == ["zone/", "[x].yaml", "web-9.yaml", "web-10.yaml"]
    assert completions(f"{under}w9") == [f"{under}web-9.yaml"]
    assert completions(f"{under}.h") == [f"{under}.hidden"]
    assert completions(f"{under}absent/") == completions("nul\0/") == []


class Meanwhile(Jobs):
    """Something happens while another input is read."""

    happens: Callable[[], object] | None = None

    def _built(self, paths: Sequence[str]) -> World:
        world = super()._built(paths)
        if self.happens is not None:
            happens, self.happens = self.happens, None
            happens()
        return world


def test_what_changes_while_another_input_is_read_is_read_again(local: Path) -> None:
    jobs, said = Meanwhile([str(WEBAPP)], watches=True), list[Message]()
    jobs.happens = partial(change, local, "Policy: Local", "Policy: Cluster")
    jobs.read_other([str(local)], said.append)
    for _ in range(3):
        jobs.look_again(said.append)
    assert [type(each) for each in said] == [OtherRead, OtherRead]


def test_what_is_read_again_is_not_taken_for_what_was_named_meanwhile(local: Path) -> None:
    jobs, said = Meanwhile([str(WEBAPP)], against=[str(local)], watches=True), list[Message]()
    jobs.happens = partial(jobs.read_other, [str(WEBAPP)], said.append)
    change(local, "Policy: Local", "Policy: Cluster")
    for _ in range(3):
        jobs.look_again(said.append)
    (read,) = said
    assert isinstance(read, OtherRead)
    assert jobs.other is read.world
    assert jobs.other_name == "webapp"


async def test_the_palette_takes_a_path(local: Path) -> None:
    from k8stui.tui.command_line import CommandLine

    async with opened(Jobs([str(WEBAPP)])) as driver:
        provider = CommandLine(driver.app.screen)
        hits = [hit async for hit in provider.search(f"against {local.parent}/loc")]
        assert f"against {local}/" in [hit.text for hit in hits]
        kinds = [hit.text async for hit in provider.search("compare ent")]
        assert kinds == ["compare entry nodes"]
        driver.screen.action_against(str(local))
        for _ in range(4):
            await driver.settle()
        assert isinstance(driver.app.screen, CompareScreen)
        assert driver.front.kind is Kind.VERSIONS


@pytest.mark.parametrize("which", ["before", "after"])
async def test_the_tables_follow_what_is_watched(which: str, local: Path, tmp_path: Path) -> None:
    own = Path(copytree(WEBAPP, tmp_path / "own"))
    jobs = Jobs([str(own)], against=[str(local)], watches=True)
    async with opened(jobs) as driver:
        await driver.press("right", "enter")
        assert "✗ timed out" in driver.text("#face")
        if which == "before":
            change(own, "  type: NodePort\n", "  type: NodePort\n  externalTrafficPolicy: Local\n")
        else:
            change(local, "externalTrafficPolicy: Local", "externalTrafficPolicy: Cluster")
        for _ in range(2):
            driver.screen._look()
            for _ in range(4):
                await driver.settle()
        beside = driver.front.beside
        assert beside is not None
        assert beside.is_same
        assert "myweb" in " ".join(each.message for each in driver.app._notifications)
