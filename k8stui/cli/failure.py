"""What is said when a command raises: the user's mistakes as they are, ours in one line."""

from __future__ import annotations

import sys

from k8stui import __version__
from k8stui.cli.status import BAD
from k8stui.errors import explain_mistake
from k8stui.export.terminal import complain


def failed(error: Exception) -> int:
    """Say what is wrong: the user's mistakes as they are, our own in one line and a file."""
    said = explain_mistake(error)
    if said is not None:
        complain(f"k8stui: {said}")
        return BAD
    complain(f"k8stui: this is a bug: {type(error).__name__}; report: {_report(error)}")
    return BAD


def _report(error: Exception) -> str:
    """Write the traceback to a file of its own (readable for the user only) and give its path."""
    import platform  # noqa: PLC0415 - only a crash needs them
    import tempfile  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", errors="backslashreplace", prefix="k8stui-crash-", suffix=".txt",
        delete=False,
    ) as file:  # fmt: skip
        file.write(f"k8stui {__version__}, Python {platform.python_version()}, {sys.platform}\n")
        # Without locals: they hold what the manifests say.
        file.writelines(traceback.format_exception(error))
    return file.name
