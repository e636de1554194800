"""The screen as a page's process: packets in, packets out, as textual-serve speaks with it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator

import pyte
import pytest
from tui.test_terminal import ROOT

from k8stui.cli import cli, serve
from k8stui.cli.web.session import OPTIONS

SLOW = """
from k8stui.tui import ahead
ahead._MOST_SECONDS = 60.0  # a busy machine takes longer over the work that keys wait for
from k8stui.cli.web import session
raise SystemExit(session.main())
"""


class PageSession:
    """The process of one page, and what it has drawn."""

    def __init__(self) -> None:
        asked = ["serve", "samples/webapp"]
        program = cli.make_context("k8stui", asked)
        common = serve.command.make_context("serve", asked[1:], program).params
        del common["port"]
        state = {
            OPTIONS: json.dumps(common),
            "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
            "COLUMNS": "80",
            "ROWS": "24",
            "LANG": "C.UTF-8",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", SLOW],
            cwd=ROOT,
            env=os.environ | state,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.raw = b""
        self.drawn = b""

    def send(self, kind: bytes, payload: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(kind + len(payload).to_bytes(4, "big") + payload)

    def read(self, seconds: float) -> bool:
        """Take what comes until nothing has for so long; False: it has ended."""
        assert self.process.stdout is not None
        while select.select([self.process.stdout], [], [], seconds)[0]:
            data = self.process.stdout.read(65536)
            if not data:
                return False
            self.raw += data
        begin = self.raw.find(b"__GANGLION__\n")
        rest = self.raw[begin + 13 :] if begin >= 0 else b""
        while len(rest) >= 5 and len(rest) >= 5 + (size := int.from_bytes(rest[1:5], "big")):
            self.drawn += rest[5 : 5 + size] if rest[:1] == b"D" else b""
            rest = rest[5 + size :]
        self.raw = b"__GANGLION__\n" + rest if begin >= 0 else self.raw
        return True

    def shows(self, *words: str) -> str:
        """Wait until all words stand there; gives what stands there then, or at last."""
        end, text = time.monotonic() + 60, ""
        while time.monotonic() < end and self.read(0.2):
            screen = pyte.Screen(80, 24)
            pyte.ByteStream(screen).feed(self.drawn)
            text = "\n".join(screen.display)
            if all(word in text for word in words):
                break
        return text


@pytest.fixture
def page() -> Iterator[PageSession]:
    page = PageSession()
    page.shows("step 1/")
    yield page
    page.process.kill()
    page.process.wait()
    for stream in (page.process.stdin, page.process.stdout, page.process.stderr):
        assert stream is not None
        stream.close()


def test_no_key_of_a_burst_is_lost(page: PageSession) -> None:
    page.send(b"D", b"rmyweb-1\rsvc/mysql:3306\rll")
    assert "step 3/" in page.shows("pod/myweb-1 ─▶ svc/mysql:3306", "step 3/")
    page.send(b"D", b"\x11")
    assert page.process.wait(20) == 0


def test_nothing_that_comes_ends_the_reading(page: PageSession) -> None:
    for payload in (b"\xff\xfe", b"\x1b[99999999999u\x1b[1114112u", b"\x1b[<;M", b"\xe2\x82"):
        page.send(b"D", payload)
    for told in (b"{}", b"[", b'{"type": 7}', b'{"type": "resize"}', b'{"type": "no such"}'):
        page.send(b"M", told)
    page.send(b"D", b"ll")
    assert "step 3/" in page.shows("step 3/")


def test_without_a_server_it_ends(page: PageSession) -> None:
    """Whose input has ended and whose output nobody takes: the server was killed."""
    assert page.process.stdin is not None
    assert page.process.stdout is not None
    page.process.stdout.close()
    page.process.stdin.close()
    assert page.process.wait(20) == 129
    assert page.process.stderr is not None
    assert page.process.stderr.read() == b""
