"""``k8stui serve``: the screen in a browser (the optional extra ``k8stui[serve]``)."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

import click

from k8stui.cli.options import WholeNumber, common_options, room_options
from k8stui.cli.status import FINE
from k8stui.errors import K8sTuiError
from k8stui.export.terminal import complain


class NoServerError(K8sTuiError):
    """The optional part is not installed."""

    def __str__(self) -> str:
        return (
            "serve needs the optional extra, which is not installed:\n"
            "python3 -m pip install 'k8stui[serve]'   (from a checkout: '.[serve]')"
        )


@click.command("serve")
@common_options
@click.option("--port", type=WholeNumber(1, 65535), default=8000, show_default=True)
def command(*, port: int, **common: Any) -> int:
    """Open the screen in a browser: one for each page.

    --host ADDRESS (without a "=") is where to listen: 127.0.0.1, so for this machine alone.
    """
    bound = [text for text in common["hosts"] if "=" not in text]
    if len(bound) > 1:
        raise click.UsageError("--host ADDRESS, where to listen, is given twice")
    common["hosts"] = [text for text in common["hosts"] if "=" in text]
    host = bound[0] if bound else "127.0.0.1"
    if "-" in common["paths"]:
        raise click.UsageError(
            "serve reads its input again for every page; standard input can be read once. "
            "Write it to a file, or use --context"
        )
    room_options(**common)  # says what is wrong with them before anybody waits for a page
    for path in common["paths"]:
        os.stat(path)  # noqa: PTH116 - likewise
    if find_spec("textual_serve") is None:
        raise NoServerError
    from k8stui.cli.web.server import ScreenServer, is_loopback  # noqa: PLC0415 - optional

    if not is_loopback(host):
        complain(
            f"warning: {host} is not this machine's own: whoever gets to port {port} sees these "
            "inputs and works with your rights (w writes files). There is no password. Safer: "
            f"leave --host out, and: ssh -L {port}:localhost:{port} THIS-MACHINE"
        )
    ScreenServer(common, host, port).serve()
    return FINE
