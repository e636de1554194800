"""The input is read again when it changes, and the screen shows what changed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import copytree

import pytest
from tui.harness import make_app, ready
from tui.test_key_paths import WEBAPP, Typist

from k8stui.tui.changes import stamps
from k8stui.tui.jobs import Jobs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(copytree(WEBAPP, tmp_path / "app"))


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Typist]:
    jobs = Jobs([str(folder)], watches=True)
    jobs.pause_seconds = 3600  # the timer, of which `look` takes the part, comes too late
    app = make_app(jobs)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        yield Typist(app, pilot)


async def look(typist: Typist) -> None:
    """As the timer does: twice, for nothing is read while somebody writes."""
    for _ in range(2):
        typist.walk._look()
        await typist.settle()
    await typist.settle()


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    os.utime(file, ns=(1, 1))


def said(typist: Typist) -> str:
    return " ".join(each.message for each in typist.app._notifications)


async def test_a_changed_object_is_said_and_walked_again(folder: Path) -> None:
    async with watched(folder) as typist:
        await typist.press("D")
        change(folder / "4-myweb-svc.yaml", "8080", "9090")
        await look(typist)
        assert "changed: Service default/myweb" in said(typist)
        desk = typist.walk.desk
        assert desk is not None
        assert desk.world.cluster.services["default/myweb"].ports[0].port == 9090


async def test_where_nothing_differs_one_stays_where_one_was(folder: Path) -> None:
    async with watched(folder) as typist:
        await typist.press("D")
        before = typist.walk.desk.state.index if typist.walk.desk else -1
        (folder / "note.txt").write_text("nothing of Kubernetes")
        await look(typist)
        desk = typist.walk.desk
        assert desk is not None
        assert desk.state.index == before > 0
        assert "no object differs" in said(typist)


async def test_added_and_deleted_objects_are_named(folder: Path) -> None:
    async with watched(folder) as typist:
        (folder / "1-mysql-rc.yaml").unlink()
        (folder / "new.yaml").write_text(
            "apiVersion: v1\nkind: Service\nmetadata: {name: extra}\n"
            "spec: {selector: {a: b}, ports: [{port: 80}]}\n"
        )
        await look(typist)
        assert "added: Service default/extra" in said(typist)
        assert "deleted: ReplicationController default/mysql" in said(typist)


async def test_a_request_of_what_is_gone_says_so(folder: Path) -> None:
    async with watched(folder) as typist:
        await typist.press("r", "w", "enter", "q", "enter")
        (folder / "2-mysql-svc.yaml").unlink()
        await look(typist)
        desk = typist.walk.desk
        assert desk is not None
        assert desk.state.failure or desk.state.trace is not None


def break_all(folder: Path) -> None:
    for each in folder.iterdir():
        each.write_text("a: [")


def remove_all(folder: Path) -> None:
    for each in list(folder.iterdir()):
        each.unlink()
    folder.rmdir()


@pytest.mark.parametrize("spoil", [break_all, remove_all])
async def test_what_cannot_be_read_any_more_leaves_what_was(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    async with watched(folder) as typist:
        spoil(folder)
        await look(typist)
        assert "changed, but" in said(typist)
        assert "✓ connected" in typist.shown


async def test_while_nothing_changes_nothing_is_drawn(folder: Path) -> None:
    async with watched(folder) as typist:
        before = typist.walk.desk
        await look(typist)
        assert typist.walk.desk is before
        assert said(typist) == ""


async def test_nothing_is_watched_unasked(folder: Path) -> None:
    jobs = Jobs([str(folder)])
    assert not jobs.watches
    assert jobs._watched is None


def test_files_are_told_by_what_they_are(folder: Path) -> None:
    before = stamps([str(folder), "absent", "-"])
    assert len(before) == 4
    assert stamps([str(folder)]) == before
    (folder / "4-myweb-svc.yaml").write_text("x")
    assert stamps([str(folder)]) != before
