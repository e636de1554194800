"""What a fault in the lab could still do: nothing that would matter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import k8stui
from k8stui.lab.errors import LabError
from k8stui.lab.plan import Tools

_LOOK = """
import json, os, subprocess, sys
sys.path.append(sys.argv[1])
from k8stui.lab.inside.confine import confine, leave_host
leave_host()
confine(["/usr/sbin/ip"])

def fails(do):
    try:
        do()
    except OSError as error:
        return error.strerror
    return ""

status = dict(line.split(":", 1) for line in open("/proc/self/status"))
child = subprocess.run(["/bin/cat", "/proc/self/status"], capture_output=True, text=True).stdout
child = dict(line.split(":", 1) for line in child.splitlines())
print(json.dumps({
    "shadow": fails(lambda: open("/etc/shadow").read()),
    "write": fails(lambda: open("/etc/owned", "w")),
    "folders": {n: os.listdir("/" + n) for n in ("home", "root", "tmp", "var", "run", "opt")
                if os.path.isdir("/" + n)},
    "core": fails(lambda: open("/proc/sys/kernel/core_pattern", "w").write("|/bin/true")),
    "kill": fails(lambda: os.kill(os.getppid(), 0)),
    "own": int(status["CapPrm"], 16), "child": int(child["CapEff"], 16),
    "bounding": int(status["CapBnd"], 16), "no_new": int(child["NoNewPrivs"]),
    "groups": [int(g) for g in status["Groups"].split()],
}))
"""


@pytest.fixture(scope="module")
def left() -> Any:
    """What a process that has gone in can still do."""
    root = str(Path(k8stui.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-I", "-c", _LOOK, root],
        capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip
    if not done.stdout:
        pytest.skip(f"no lab here: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


@pytest.mark.usefixtures("nft")
def test_no_secret_of_the_file_system(left: Any) -> None:
    assert left["shadow"] == "Permission denied"
    assert left["write"]
    assert left["core"]
    assert set(map(tuple, left["folders"].values())) == {()}


@pytest.mark.usefixtures("nft")
def test_no_right_but_those_of_networks(left: Any) -> None:
    net_admin_and_raw = 1 << 12 | 1 << 13
    assert left["bounding"] == left["child"] == net_admin_and_raw
    assert left["own"] == net_admin_and_raw | 1 << 10 | 1 << 21
    assert left["no_new"] == 1


@pytest.mark.usefixtures("nft")
def test_root_is_nobody(left: Any) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: the lab is who one is")
    assert left["kill"] == "Operation not permitted"
    assert left["groups"] == []


def test_the_environment_is_left_behind(nft: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's process and its programs know nothing of the user's environment."""
    from k8stui.lab import run

    run.end_all()
    seen = {}
    real = subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> Any:
        seen.update(options)
        return real(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setenv("LD_PRELOAD", "/nonexistent/owned.so")
    monkeypatch.setenv("K8STUI_PASSWORD", "hunter2")
    with pytest.raises(LabError):
        run.run({"spaces": [], "asker": {"patience_seconds": 0.1, "tries": 0}, "tools": nft})  # type: ignore[typeddict-item]
    assert set(seen["env"]) == {"PATH", "LC_ALL"}
