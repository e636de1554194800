"""Start the lab's process, hand it a plan, and take what the kernel did."""

from __future__ import annotations

import atexit
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import k8stui
from k8stui.lab.errors import LabError
from k8stui.lab.plan import Failure, Plan, Seen, Sight, Tools

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
_START = "import sys; sys.path.append(sys.argv[1]); from k8stui.lab.inside.main import main; main()"
"""With ``-I``, and the package behind the standard library: the process is root's, and nothing in
the current folder or in the user's environment may take part in it. With ``-S``: another k8stui
among the interpreter's packages would come first, and leave out what it does not know of a plan."""
_BUILD_SECONDS = 60.0
_OF_SIGHT = {field.name for field in fields(Sight)}


class IptablesBackend(StrEnum):
    """Which kernel interface iptables programs (iptables-nft(8))."""

    NFT = "nft"
    LEGACY = "legacy"


def find_tools(backend: IptablesBackend | None = None) -> tuple[Tools, IptablesBackend]:
    """The programs that build a lab; without a `backend` nft, else legacy.

    Raises:
        LabError: not Linux, or a program is missing; it says which.

    """
    if platform.system() != "Linux":
        raise LabError(
            f"a lab is made of Linux network namespaces; this is {platform.system()}",
            "run it in a Linux virtual machine or container (--privileged)",
        )
    found = {name: shutil.which(name, path=_PATH) for name in ("ip", "bridge")}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise LabError(
            f"not installed: {', '.join(missing)}", "apt install iproute2, or dnf install iproute"
        )
    for each in (backend,) if backend is not None else tuple(IptablesBackend):
        restore = {
            version: shutil.which(f"{name}-{each}-restore", path=_PATH)
            for version, name in (("4", "iptables"), ("6", "ip6tables"))
        }
        if all(restore.values()):
            ipset, nft = (shutil.which(name, path=_PATH) or "" for name in ("ipset", "nft"))
            tools = {
                **found,
                "ipset": ipset,
                "nft": nft,
                "restore": restore,
                "tells_rules": each is IptablesBackend.NFT,
            }
            return cast("Tools", tools), each
    which = "iptables-restore" if backend is None else f"iptables-{backend}-restore"
    raise LabError(f"not installed: {which}", "apt install iptables, or dnf install iptables-nft")


class _Process:
    """The lab's own process: it takes plans one by one, each into a child that ends with it."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        root = str(Path(k8stui.__file__).parent.parent)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - this very interpreter, and a constant
            [sys.executable, "-I", "-S", "-c", _START, root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            cwd="/",
            env={"PATH": _PATH, "LC_ALL": "C"},
            start_new_session=True,
        )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def answer(self, plan: Plan, patience_seconds: float) -> Seen | Failure:
        """What it says; after an error it is of no further use.

        Raises:
            LabError: it says nothing.

        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        is_late = threading.Event()

        def give_up() -> None:
            is_late.set()
            self._process.kill()

        timer = threading.Timer(patience_seconds, give_up)
        timer.start()
        try:
            with suppress(BrokenPipeError):  # it has said why
                self._process.stdin.write(f"{json.dumps(plan)}\n")
                self._process.stdin.flush()
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if is_late.is_set():
            raise LabError(f"the lab did not answer within {patience_seconds:.0f} s")
        if not line:
            status = self._process.wait()
            self._errors.seek(0)
            errors = self._errors.read().decode("utf-8", "replace").strip()
            last = (errors or f"exit status {status}").splitlines()[-1]
            raise LabError(f"the lab's process failed: {last}")
        return cast("Seen | Failure", json.loads(line, object_hook=_read))

    def end(self) -> None:
        """Its namespaces end with it."""
        self._process.kill()
        with suppress(BrokenPipeError):  # of what it has not taken
            self._process.communicate()
        self._errors.close()


_idle: list[_Process] = []
"""Ready for another plan. To start one takes longer than most plans."""


def run(plan: Plan) -> Seen:
    """Build the lab of `plan`, ask its question, take it down again. Blocks until then.

    Raises:
        LabError: it cannot be built here.

    """
    asker = plan["asker"]
    patience = asker["patience_seconds"] * max(1, min(asker["tries"], 30)) + _BUILD_SECONDS
    process = _taken(plan["tools"])
    try:
        answer = process.answer(plan, patience)
    except BaseException:
        process.end()
        raise
    if "impossible" in answer:
        process.end()
        message, _, hint = cast("Failure", answer)["impossible"].partition("\n")
        raise LabError(message, hint)
    _idle.append(process)
    return answer


def _taken(tools: Tools) -> _Process:
    """One that has nothing to do."""
    while _idle:
        process = _idle.pop()
        if process.is_alive and process.tools == tools:
            return process
        process.end()
    return _Process(tools)


@atexit.register
def end_all() -> None:
    """Let none be left."""
    while _idle:
        _idle.pop().end()


def _read(found: dict[str, Any]) -> object:
    """A packet as what it was before it was JSON; else the same."""
    return Sight(**found) if found.keys() == _OF_SIGHT else found
