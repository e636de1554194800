"""The server: textual-serve's, with a page that asks nobody else, and for this machine's own pages.

A web page of any site can open a connection to a port of the reader's own machine, so that it
could look at the inputs and press keys. Whoever asks has to call the server by an address or by a
name that is its own (DNS rebinding), and a connection has to come from the server's own page.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

from k8stui.cli.web.session import OPTIONS
from k8stui.export.terminal import complain

_TEMPLATES = Path(__file__).parent / "templates"
_SHUTDOWN_SECONDS = 3.0
"""How long a page may take to say goodbye."""
_SCRIPT = re.compile("<script>(.*?)</script>", re.DOTALL)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ScreenServer(Server):
    """Starts a screen of its own for every page that is opened."""

    def __init__(self, common: Mapping[str, object], host: str, port: int) -> None:
        os.environ[OPTIONS] = json.dumps(dict(common))
        # Textual-serve hands this to a shell: it holds no word of the user's.
        command = shlex.join([sys.executable, "-m", "k8stui.cli.web.session"])
        super().__init__(command, host, port, title="k8stui", templates_path=_TEMPLATES)
        page = (_TEMPLATES / "app_index.html").read_text(encoding="utf-8")
        (script,) = _SCRIPT.findall(page)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        self._own_script = f"'sha256-{digest}'"
        self._pages: set[asyncio.Task[object]] = set()
        """What serves the pages that are open."""

    def initialize_logging(self) -> None:
        """Keep quiet: no line a request."""

    async def _make_app(self) -> web.Application:
        app: web.Application = await super()._make_app()
        app.middlewares.append(self._guard)
        app.on_response_prepare.append(self._protect)
        return app

    async def on_startup(self, app: web.Application) -> None:  # noqa: ARG002
        """Say where it is."""
        complain(f"k8stui: http://{in_url(self.host)}:{self.port}/   Ctrl-C ends it")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one page until it is closed."""
        task = asyncio.current_task()
        assert task is not None
        self._pages.add(task)
        try:
            return await super().handle_websocket(request)
        finally:
            self._pages.discard(task)

    async def on_shutdown(self, app: web.Application) -> None:  # noqa: ARG002
        """End the pages: aiohttp would wait a minute for somebody to close them."""
        for page in self._pages:
            page.cancel()
        if self._pages:
            await asyncio.wait(self._pages, timeout=_SHUTDOWN_SECONDS)

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not is_own(request.host, self.host):
            raise web.HTTPForbidden(text="k8stui serve: asked by a name that is not this server's")
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="k8stui serve: asked by a page of another site")
        return await handler(request)

    async def _protect(self, request: web.Request, response: web.StreamResponse) -> None:
        here = request.host
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self' {self._own_script}; "
            "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
            f"connect-src 'self' ws://{here} wss://{here}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"


def is_own(asked: str, bound: str) -> bool:
    """Whether `asked` (``HOST[:PORT]``) names this server, which listens at `bound`.

    Addresses and ``localhost`` do: no foreign name can be made to mean them. So do the name that
    was given and the machine's own.
    """
    try:
        name = urlsplit(f"//{asked}").hostname
    except ValueError:
        return False
    if not name or not re.fullmatch(r"[A-Za-z0-9.:_-]+", name):
        return False
    with suppress(ValueError):
        ip_address(name)
        return True
    if name == "localhost" or name.endswith(".localhost") or name == bound.lower():
        return True
    machine = socket.gethostname().lower()
    return name in (machine, machine.partition(".")[0], f"{machine}.local")


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine gets to an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def in_url(host: str) -> str:
    """An address as a URL has it (RFC 3986 section 3.2.2)."""
    return f"[{host}]" if ":" in host else host
