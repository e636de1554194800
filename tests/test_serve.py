"""The screen in a browser: what is served to whom, and how it is told that it cannot be."""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from browser import browser, needs_chromium
from click.testing import CliRunner

from k8stui.cli import cli, serve
from k8stui.walk.world import sample

ROOT = Path(__file__).parents[1]


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "find_spec", lambda _: None)
    run = CliRunner().invoke(cli, ["serve", str(sample("webapp"))])
    assert isinstance(run.exception, serve.NoServerError)
    assert "pip install 'k8stui[serve]'" in run.exception.render()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-"], "standard input"),
        (["--host", "127.0.0.1", "--host", "::1"], "twice"),
        (["--host", "db=nowhere"], "db"),
        (["--port", "0"], "port"),
        (["--iptables", "node-1"], "NODE=FILE"),
    ],
)
def test_mistakes_are_told_before_anything_is_served(options: list[str], said: str) -> None:
    run = CliRunner().invoke(cli, ["serve", *options])
    assert run.exit_code != 0
    assert said in run.output + str(run.exception)


def test_an_input_that_is_not_there_is_told(tmp_path: Path) -> None:
    run = CliRunner().invoke(cli, ["serve", str(tmp_path / "none")])
    assert isinstance(run.exception, FileNotFoundError)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


def await_port(process: subprocess.Popen[bytes], port: int) -> None:
    end = monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert monotonic() < end
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            sleep(0.1)
        else:
            return


@pytest.fixture
def served(tmp_path: Path, port: int) -> Iterator[int]:
    """A server over a folder whose name a shell would stumble over."""
    pytest.importorskip("textual_serve")
    folder = tmp_path / "a b;$(touch HACKED)'\"&"
    shutil.copytree(sample("webapp"), folder)
    command = [sys.executable, "-m", "k8stui", "serve", str(folder), "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        await_port(process, port)
        yield port
        process.terminate()
        process.wait(20)
    assert not list(tmp_path.rglob("HACKED"))


def answer(port: int, path: str = "/", **headers: str) -> http.client.HTTPResponse:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    asked.request("GET", path, headers=headers)
    return asked.getresponse()


def test_its_own_page_is_served_and_no_other_site_gets_in(served: int) -> None:
    page = answer(served)
    text = page.read().decode()
    assert page.status == 200
    assert "default-src 'none'" in (page.getheader("Content-Security-Policy") or "")
    assert "http://" not in text
    assert "https://" not in text
    assert answer(served, "/static/js/textual.js").status == 200
    assert answer(served, Host="a.example").status == 403
    assert answer(served, "/ws", Origin="http://a.example").status == 403
    # Neither may a page elsewhere on this machine.
    assert answer(served, "/ws", Origin=f"http://127.0.0.1:{served + 1}").status == 403


@pytest.mark.parametrize(
    ("asked", "bound", "own"),
    [
        ("127.0.0.1:8000", "127.0.0.1", True),
        ("[::1]:8000", "::1", True),
        ("localhost:9000", "127.0.0.1", True),
        ("10.0.0.7", "0.0.0.0", True),  # noqa: S104 - a value
        ("stage.lan:8000", "stage.lan", True),
        (socket.gethostname(), "0.0.0.0", True),  # noqa: S104 - a value
        ("a.example:8000", "127.0.0.1", False),
        ("localhost.a.example", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        ("[", "127.0.0.1", False),
        ("a'b", "127.0.0.1", False),
    ],
)
def test_whose_names_are_the_servers_own(asked: str, bound: str, own: bool) -> None:
    pytest.importorskip("textual_serve")
    from k8stui.cli.web.server import is_own

    assert is_own(asked, bound) is own


def test_what_is_not_this_machines_alone() -> None:
    pytest.importorskip("textual_serve")
    from k8stui.cli.web.server import is_loopback

    assert all(map(is_loopback, ("127.0.0.1", "127.8.0.1", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.7", "stage.lan")))  # noqa: S104


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=str)
def test_a_server_that_is_ended_ends_its_pages(port: int, number: int) -> None:
    """Nobody is left of its session, and a page that is open holds nothing up."""
    aiohttp = pytest.importorskip("aiohttp")
    command = [sys.executable, "-m", "k8stui", "serve", "samples/webapp", "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, cwd=ROOT)
    await_port(process, port)
    assert process.stderr is not None

    async def look() -> None:
        url = f"http://127.0.0.1:{port}/ws?width=80&height=24"
        async with aiohttp.ClientSession() as client, client.ws_connect(url) as page:
            await page.receive_bytes(timeout=60)
            os.kill(process.pid, number)
            while (await page.receive(timeout=20)).type is aiohttp.WSMsgType.BINARY:
                pass

    asyncio.run(look())
    assert process.wait(20) == (-number if number == signal.SIGKILL else 0)
    end = monotonic() + 20
    while is_group_there(process.pid):
        assert monotonic() < end
        sleep(0.05)
    process.stderr.close()


def is_group_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@needs_chromium
def test_a_browser_shows_the_screen_and_ends_it(served: int, tmp_path: Path) -> None:
    with browser(tmp_path) as tab:
        tab.size(1280, 800)
        tab.open(f"http://localhost:{served}/")
        tab.until("document.body.classList.contains('-first-byte')", 60)
        end = monotonic() + 60
        while len(tab.picture()) < 20_000:  # the first byte is no picture yet
            assert monotonic() < end
            sleep(0.2)
        tab.until("document.activeElement.classList.contains('xterm-helper-textarea')")
        end = monotonic() + 60
        while not tab.value("document.body.classList.contains('-closed')"):
            assert monotonic() < end
            tab.press("q")
            sleep(0.3)
        assert all(url.startswith(f"http://localhost:{served}/") for url in tab.asked)
        assert "Uncaught" not in tab.errors
