"""Keys typed ahead: in one write they do what they do one by one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyte
import pytest
from tui.test_keyboard import leave, settle
from tui.test_terminal import Session

WEBAPP = """
import sys
from k8stui.tui import ahead
ahead._MOST_SECONDS = 60.0  # a busy machine takes longer over the work that keys wait for
from k8stui.cli import run
sys.exit(run(['samples/webapp']))
"""
SIZE = (24, 80)


def shows(session: Session, words: list[str], seconds: float = 40.0) -> str:
    """Wait until all words stand on the screen; gives it as it is then, or at last."""
    end, text = time.monotonic() + seconds, ""
    while time.monotonic() < end:
        settle(session, 0.2)
        screen = pyte.Screen(SIZE[1], SIZE[0])
        pyte.ByteStream(screen).feed(session.output)
        text = "\n".join(screen.display)
        if all(word in text for word in words):
            break
    return text


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        pytest.param("rmyweb-1\rsvc/mysql:3306\rll", ["pod/myweb-1 ─▶ svc/mysql:3306", "step 3/"],
                     id="request"),
        pytest.param("3/postro\r4\x1b[B\x1b[B", ["step 3/"], id="find, then the walk"),
        pytest.param(":help\r\x1b[F", ["Every screen has a text twin"], id="palette"),
        pytest.param(":svc mysql\rj\r", ["pod/myweb-1 ─▶ 10.244.1.2:3306"], id="palette, a name"),
        pytest.param("oDm", ["Esc close"], id="go to, then the manifest's lines"),
        pytest.param("ijol", ["what if"], id="what if"),
        pytest.param("w2jj\r\r", ["what if internalTrafficPolicy Local"], id="two walks, and one"),
        pytest.param("w1234567654j\r", ["A node-2:30001, Cluster"], id="tables, one after another"),
        pytest.param("?/to the next dec", ["1 of "], id="filter of a list"),
        pytest.param("p.t>>>", ["[myweb rc]"], id="story, then replay"),
        pytest.param("rmy\x15outside\rmyw\x1b[B\x1b[B\r", ["outside ─▶ "], id="a field emptied"),
    ],
)  # fmt: skip
def test_no_key_of_a_burst_is_lost(keys: str, words: list[str], tmp_path: Path) -> None:
    session = Session(WEBAPP, SIZE, XDG_STATE_HOME=str(tmp_path))
    shows(session, ["step 1/"])
    os.write(session.fd, keys.encode())
    text = shows(session, words)
    assert all(word in text for word in words), text
    leave(session)


def test_keys_typed_before_anything_is_read_wait_for_it(tmp_path: Path) -> None:
    session = Session(WEBAPP, SIZE, XDG_STATE_HOME=str(tmp_path))
    session.read_until_held()
    os.write(session.fd, b"rmyweb-1\rsvc/mysql:3306\rll")
    assert "pod/myweb-1 ─▶ svc/mysql:3306" in shows(session, ["step 3/"])
    leave(session)


def test_one_leaves_though_more_keys_wait_than_may(tmp_path: Path) -> None:
    session = Session(WEBAPP, SIZE, XDG_STATE_HOME=str(tmp_path))
    session.read_until_held()
    os.write(session.fd, b"r" + b"x" * 2_000 + b"\r\x03\x03\x03")
    assert session.end() == 0
    assert session.left_behind() == []
    assert b"never awaited" not in session.output
