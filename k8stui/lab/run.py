"""Start the lab's process, hand it a plan, and take what the kernel did."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import k8stui
from k8stui.lab.errors import LabError
from k8stui.lab.plan import Failure, Plan, Seen, Sight, Tools

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
_START = "import sys; sys.path.append(sys.argv[1]); from k8stui.lab.inside import main; main()"
"""With ``-I``, and the package behind the standard library: the process is root's, and nothing in
the current folder or in the user's environment may take part in it."""
_BUILD_SECONDS = 60.0
_OF_SIGHT = {field.name for field in fields(Sight)}


class Backend(StrEnum):
    """Which kernel interface iptables programs (iptables-nft(8))."""

    NFT = "nft"
    LEGACY = "legacy"


def find_tools(backend: Backend | None = None) -> tuple[Tools, Backend]:
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
    for each in (backend,) if backend is not None else tuple(Backend):
        restore = {
            version: shutil.which(f"{name}-{each}-restore", path=_PATH)
            for version, name in (("4", "iptables"), ("6", "ip6tables"))
        }
        if all(restore.values()):
            ipset = shutil.which("ipset", path=_PATH) or ""
            tools = {
                **found,
                "ipset": ipset,
                "restore": restore,
                "tells_rules": each is Backend.NFT,
            }
            return cast("Tools", tools), each
    which = "iptables-restore" if backend is None else f"iptables-{backend}-restore"
    raise LabError(f"not installed: {which}", "apt install iptables, or dnf install iptables-nft")


def run(plan: Plan) -> Seen:
    """Build the lab of `plan`, ask its question, take it down again. Blocks until then.

    Raises:
        LabError: it cannot be built here.

    """
    asker = plan["asker"]
    patience = asker["patience_seconds"] * max(1, min(asker["tries"], 30)) + _BUILD_SECONDS
    root = str(Path(k8stui.__file__).parent.parent)
    with subprocess.Popen(  # noqa: S603 - this very interpreter, and a constant
        [sys.executable, "-I", "-c", _START, root],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd="/",
        env={"PATH": _PATH, "LC_ALL": "C"},
        start_new_session=True,
    ) as process:
        try:
            out, errors = process.communicate(json.dumps(plan), timeout=patience)
        except subprocess.TimeoutExpired:
            raise LabError(f"the lab did not answer within {patience:.0f} s") from None
        finally:
            process.kill()  # its namespaces end with it
    if process.returncode != 0 or not out:
        last = (errors.strip() or f"exit status {process.returncode}").splitlines()[-1]
        raise LabError(f"the lab's process failed: {last}")
    answer = json.loads(out, object_hook=_read)
    if "impossible" in answer:
        message, _, hint = cast("Failure", answer)["impossible"].partition("\n")
        raise LabError(message, hint)
    return cast("Seen", answer)


def _read(found: dict[str, Any]) -> object:
    """A packet as what it was before it was JSON; else the same."""
    return Sight(**found) if found.keys() == _OF_SIGHT else found
