"""Files that change all the time, by halves, in crowds and away: the screen stands, and follows.

The program looks four times as often as usual, and the storms are four times as quick: between two
looks happens what happens in a whole second.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tui.test_ahead import SIZE
from tui.test_keyboard import leave, settle
from tui.test_terminal import STANDS, Session

from k8stui.nodes.options import NodeOptions
from k8stui.tui.changes import Watched, option_files
from k8stui.walk.world import sample

SERVICE = """apiVersion: v1
kind: Service
metadata: {name: %s}
spec: {selector: {app: myweb}, ports: [{port: %d}]}
"""
LOOK_SECONDS = 0.25


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return Path(shutil.copytree(sample("webapp"), tmp_path / "app"))


def wait(seconds: float) -> None:
    """So long for one who looks every second."""
    time.sleep(seconds * LOOK_SECONDS)


def bursts(app: Path) -> None:
    for turn in range(200):
        (app / "5-more.yaml").write_text(SERVICE % ("more", turn + 1))
        wait(0.005)


def halves(app: Path) -> None:
    """As an editor without a temporary file writes: empty, a part, all of it."""
    text = (app / "3-myweb-rc.yaml").read_text()
    for share in (0, 1, 2, 3, 5, 8, 10):
        (app / "3-myweb-rc.yaml").write_text(text[: len(text) * share // 10])
        wait(0.4)


def removed(app: Path) -> None:
    kept = app.with_name("kept")
    shutil.copytree(app, kept)
    shutil.rmtree(app)
    wait(2.5)
    kept.rename(app)


def renamed(app: Path) -> None:
    for _ in range(3):
        app.rename(app.with_name("elsewhere"))
        wait(0.7)
        app.with_name("elsewhere").rename(app)
        wait(0.7)


def swapped(app: Path) -> None:
    """As a ConfigMap's volume is brought up to date: a link is put in another's place."""
    for turn in range(4):
        data = app.with_name(f"data-{turn}")
        shutil.copytree(app.resolve(), data)
        (data / "5-more.yaml").write_text(SERVICE % ("more", 90 + turn))
        link = app.with_name("link")
        link.symlink_to(data)
        if not app.is_symlink():
            shutil.move(app, app.with_name("first"))
        link.replace(app)
        wait(0.6)


def crowd(app: Path) -> None:
    for number in range(1_000):
        (app / f"crowd-{number}.yaml").write_text(SERVICE % (f"crowd-{number}", 80))
    wait(1.5)
    for number in range(1_000):
        (app / f"crowd-{number}.yaml").touch()
    wait(0.5)
    for number in range(1_000):
        (app / f"crowd-{number}.yaml").unlink()


def nonsense(app: Path) -> None:
    for data in (b"\xff\xfe", b"a: [", b"\x00" * 4096, b"kind: Service\n", b"- " * 2_000):
        (app / "5-more.yaml").write_bytes(data)
        wait(0.7)
    (app / "5-more.yaml").unlink()
    (app / "5-more.yaml").mkdir()
    (app / "6-pipe.yaml").symlink_to("6-pipe.yaml")
    wait(1.2)
    (app / "5-more.yaml").rmdir()
    (app / "6-pipe.yaml").unlink()


@pytest.mark.parametrize(
    "storm",
    [bursts, halves, removed, renamed, swapped, crowd, nonsense],
    ids=lambda it: it.__name__,
)
def test_the_screen_stands_and_shows_what_is_there_at_last(
    storm: Callable[[Path], None], app: Path, tmp_path: Path
) -> None:
    code = (
        f"import sys; from k8stui.tui import jobs; jobs.LOOK_SECONDS = {LOOK_SECONDS}; "
        f"from k8stui.cli import run; sys.exit(run(['--watch', {str(app)!r}]))"
    )
    session = Session(code, SIZE, XDG_STATE_HOME=str(tmp_path))
    session.read_until(STANDS)
    settle(session)
    storm(app)
    (app / "7-last.yaml").write_text(SERVICE % ("last-of-all", 8080))
    session.read_until(b"last-of-all")
    settle(session, 0.5)
    os.write(session.fd, b"rmyweb-1\rsvc/last-of-all:8080\r")
    session.read_until(b"svc/last-of-all:8080")
    leave(session)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
def test_while_nothing_changes_it_costs_nothing(app: Path, tmp_path: Path) -> None:
    for number in range(3_000):
        (app / f"note-{number}.txt").write_text("")
    code = f"import sys; from k8stui.cli import run; sys.exit(run(['--watch', {str(app)!r}]))"
    session = Session(code, SIZE, XDG_STATE_HOME=str(tmp_path))
    session.read_until(STANDS)
    settle(session, 3.0)
    session.output, before = session.output[:4096], session.used()
    settle(session, 4.0)
    assert session.used() - before < 0.15
    assert len(session.output) <= 4096
    session.output = b""
    leave(session)


def test_what_is_never_quiet_is_read_at_last(app: Path) -> None:
    watched = Watched([str(app)])
    looks = []
    for turn in range(12):
        (app / "log.yaml").write_text("#" * (turn + 1))
        looks.append(watched.is_changed())
    assert looks.index(True) == 4
    assert looks.count(True) == 2
    assert [watched.is_changed(), watched.is_changed()] == [True, False]


def test_files_of_options_are_watched_too(tmp_path: Path) -> None:
    dump = tmp_path / "rules"
    dump.write_text("*nat\nCOMMIT\n")
    files = list(option_files(None, NodeOptions(iptables={"node-1": str(dump)})))
    assert files == [str(dump)]
    watched = Watched(files)
    dump.write_text("*filter\nCOMMIT\n")
    assert [watched.is_changed(), watched.is_changed(), watched.is_changed()] == [
        False,
        True,
        False,
    ]
