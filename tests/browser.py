"""A real headless Chromium, driven over a pipe (Chrome DevTools Protocol): no further library."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import F_DUPFD, fcntl
from pathlib import Path
from select import select
from time import monotonic
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-pipe",
)  # fmt: skip
_KEYS = {" ": ("Space", 32), ".": ("Period", 190), ",": ("Comma", 188)}
_CODES = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "Enter": 13, "Escape": 27}


class Page:
    """One tab. What it logged, and what it asked the network for, is kept."""

    def __init__(self, to: int, answers: int) -> None:
        self._to, self._answers = to, answers
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session = ""
        self.asked: list[str] = []
        self.errors: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self, seconds: float = 30) -> Any:
        end = monotonic() + seconds
        while b"\0" not in self._rest:
            ready, _, _ = select([self._answers], [], [], max(0, end - monotonic()))
            assert ready, "the browser does not answer"
            more = os.read(self._answers, 1 << 20)
            assert more, "the browser has gone"
            self._rest += more
        text, _, self._rest = self._rest.partition(b"\0")
        said = json.loads(text)
        params = said.get("params", {})
        match said.get("method"):
            case "Network.requestWillBeSent":
                self.asked.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.errors.append(params["exceptionDetails"].get("text", ""))
            case "Log.entryAdded":
                self.errors.append(params["entry"]["text"])
        return said

    def open(self, url: str) -> None:
        """Load a page; what was logged and asked for before is forgotten."""
        self.call("Page.navigate", url="about:blank")
        self.until("location.href === 'about:blank'")
        self.asked.clear()
        self.errors.clear()
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def until(self, condition: str, seconds: float = 20) -> None:
        end = monotonic() + seconds
        while not self.value(condition):
            assert monotonic() < end, condition

    def value(self, expression: str) -> Any:
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, *keys: str) -> None:
        for key in keys:
            code, number = _KEYS.get(key, (key, _CODES.get(key, ord(key[0].upper()))))
            said = {"key": key, "code": code, "windowsVirtualKeyCode": number}
            if len(key) == 1:
                said["text"] = key
            self.call("Input.dispatchKeyEvent", type="keyDown", **said)
            self.call("Input.dispatchKeyEvent", type="keyUp", **said)

    def click(self, selector: str) -> None:
        where = self.value(
            f"(() => {{ const it = document.querySelector({json.dumps(selector)});"
            "it.scrollIntoView({block: 'center'}); const r = it.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1],
                      button="left", clickCount=1)  # fmt: skip

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self) -> bytes:
        """PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Start it with an empty profile in `folder`; it is gone at the end."""
    assert CHROMIUM is not None
    commands, to = os.pipe()
    answers, by = os.pipe()

    def place() -> None:
        """The protocol's places are descriptors 3 (in) and 4 (out)."""
        high = [fcntl(one, F_DUPFD, 10) for one in (commands, by)]
        for number, one in enumerate(high, 3):
            os.dup2(one, number)

    process = subprocess.Popen(
        [CHROMIUM, *_OPTIONS, f"--user-data-dir={folder / 'profile'}"],
        close_fds=False,
        preexec_fn=place,  # noqa: PLW1509 - no threads yet
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(commands)
    os.close(by)
    try:
        yield Page(to, answers)
    finally:
        process.kill()
        process.wait()
        os.close(to)
        os.close(answers)
