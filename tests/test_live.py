"""The command line on a live cluster, through a stand-in for kubectl."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from manifests.live_objects import shop

ROOT = Path(__file__).parent.parent

LISTED = {"apiVersion": "v1", "items": shop(), "kind": "List", "metadata": {"resourceVersion": ""}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a kubectl that knows the shop."""
    program(tmp_path, "if '-A' in sys.argv: print(open('list.json').read())")
    (tmp_path / "list.json").write_text(json.dumps(LISTED, indent=4))
    return tmp_path


def program(folder: Path, body: str) -> None:
    kubectl = folder / "kubectl"
    kubectl.write_text(f"#!{sys.executable} -SE\nimport os, sys, time\n{body}\n")
    kubectl.chmod(0o755)


def start(folder: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "k8stui", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={"PATH": str(folder), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "TERM": "dumb"},
        cwd=folder,
    )


def k8stui(folder: Path, *args: str) -> tuple[int, str, str]:
    running = start(folder, *args)
    out, err = running.communicate(timeout=60)
    return running.returncode, out, err


@pytest.mark.parametrize(
    ("args", "status", "shown"),
    [
        (("walk", "--from", "pod/client", "--to", "svc/web", "-n", "shop"), 0, "connected"),
        (("rules", "--node", "worker"), 0, "-d 10.77.0.10/32"),
        (("topology",), 0, "shop/web"),
        (("check",), 0, ""),
        (("clients", "svc/web", "-n", "shop"), 2, ""),
        ((), 0, "10.9.1.5"),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) and one else None,
)
def test_every_command_reads_a_context(
    folder: Path, args: tuple[str, ...], status: int, shown: str
) -> None:
    done, out, err = k8stui(folder, *args, "--context", "prod")
    assert (done, err if status == 0 else "") == (status, "")
    assert shown in out


def test_places_name_the_context(folder: Path) -> None:
    _, out, _ = k8stui(folder, "topology", "--context", "prod", "--format", "json")
    (service,) = [one for one in json.loads(out)["services"] if one["name"] == "web"]
    origin = service["origins"]["object"]
    assert (origin["kind"], origin["file"]) == ("observed", "kubectl --context prod")
    line = json.dumps(LISTED, indent=4).splitlines()[origin["line"] - 1]
    assert line.strip() == "{"


def test_a_finding_says_how_to_see_it_and_claims_no_file(folder: Path) -> None:
    objects = shop()
    (service,) = [one for one in objects if one["kind"] == "Service"]
    service["spec"]["selector"] = {"app": "wep"}
    (slice_,) = [one for one in objects if one["kind"] == "EndpointSlice"]
    slice_["endpoints"] = []
    (folder / "list.json").write_text(json.dumps({**LISTED, "items": objects}))
    done, out, _ = k8stui(folder, "check", "--context", "my prod")
    assert done == 1
    assert "k8stui walk --context 'my prod' --from" in out
    _, sarif, _ = k8stui(folder, "check", "--context", "my prod", "--format", "sarif")
    locations = [
        where for result in json.loads(sarif)["runs"][0]["results"] for where in result["locations"]
    ]
    assert locations
    assert not any("physicalLocation" in where for where in locations)
    _, github, _ = k8stui(folder, "check", "--context", "my prod", "--format", "github")
    assert "::error title=" in github


def test_files_change_what_is_there(folder: Path) -> None:
    (folder / "web.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n"
        "spec: {type: NodePort, ports: [{port: 80, targetPort: 8080, nodePort: 30080}],\n"
        "       selector: {app: web}}\n"
    )
    done, out, err = k8stui(folder, "topology", "--context", "prod", "web.yaml")
    assert done == 0
    assert "30080" in out
    assert "is also in kubectl --context prod:" in err


def test_without_a_name(folder: Path) -> None:
    done, _, err = k8stui(folder, "topology", "--context", "")
    assert done == 2
    assert "kubectl config current-context" in err


def test_what_kubectl_says_is_safe_for_the_terminal(folder: Path) -> None:
    program(folder, r"sys.stderr.write('\x1b]52;c;aGk=\x07no\n'); sys.exit(1)")
    done, out, err = k8stui(folder, "topology", "--context", "p\x1b[2J")
    assert done == 2
    assert not {"\x1b", "\x07"} & set(out + err)
    assert "␛]52;c;aGk=␇no" in err


def test_ctrl_c_ends_kubectl(folder: Path) -> None:
    body = "open('pid.new', 'w').write(str(os.getpid())); os.rename('pid.new', 'pid')\n"
    program(folder, f"{body}time.sleep(600)")
    running = start(folder, "topology", "--context", "prod")
    number = folder / "pid"
    while not number.exists() and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_what_the_writer_of_a_pipe_says_comes_before_the_screen(folder: Path) -> None:
    """On a terminal of its own: kubectl speaks late, then gives the list; ``q`` leaves."""
    command = (
        "(sleep 1; echo no permission >&2; cat list.json) | "
        f"{sys.executable} -m k8stui -; echo left $?"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
        os.execve("/bin/sh", ["sh", "-c", command], environment)  # noqa: S606
    seen = b""
    asked = False
    try:
        while part := os.read(terminal, 1 << 16):
            seen += part
            if not asked and b"10.9.1.5" in seen:
                asked = True
                os.write(terminal, b"q")
    except OSError:  # Linux says so when the last of the terminal's users has gone
        pass
    os.close(terminal)
    os.waitpid(pid, 0)
    assert seen.index(b"no permission") < seen.index(b"\x1b[?1049h")
    assert b"left 0" in seen
