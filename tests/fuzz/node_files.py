"""Broken files behind the options: a real node's state and kube-proxy's configuration.

The whole command line is run, in this process: what it says and with which status.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

from fuzz.journey import inert
from fuzz.mutants import ROOT, broken

from k8stui import cli

_SAMPLE = str(ROOT / "samples/guestbook")
_FROM_OUTSIDE = ("--from", "outside", "--to", "node/node-1:30080")
_FROM_POD = ("--from", "pod/client", "--to", "svc/frontend")


_NFT_INDENTS = re.compile(r"(?m)^\t+")
_LONGEST = 40_000
"""A longer file only costs time."""


def sources() -> dict[str, list[str]]:
    """What real programs printed, by the option that reads it."""
    state = json.loads((ROOT / "tests/golden-walks/state-standard.json").read_text())
    node = state["node-1"]
    recorded = ROOT / "tests/recordings"
    rulesets = [
        path.read_text()
        for path in (
            *sorted((ROOT / "tests/kernel/rulesets").glob("*.nft")),
            *sorted(recorded.glob("*/node-1*.nft")),
            *sorted(recorded.glob("*/node-1*.nft.json")),
        )
        if path.stat().st_size < _LONGEST
    ]
    saves = [path.read_text() for path in sorted(recorded.glob("*/node-1*.ip*tables"))]
    return {
        "--iptables": [
            "\n".join(node["iptables-save"]) + "\n",
            *(text for text in saves if len(text) < _LONGEST),
        ],
        "--ip-addr": [json.dumps(node["addr"]), json.dumps(node["addr"], indent=2)],
        "--ip-route": [json.dumps(node["route"]), json.dumps(node["route"], indent=2)],
        "--ipset": [_SETS],
        "--nft": [text for text in rulesets if not text.startswith("{")],
        "--nft, JSON": [text for text in rulesets if text.startswith("{")],
        "--state": rulesets,
        "--proxy-config": [path.read_text() for path in sorted(recorded.glob("*/proxy*.yaml"))],
    }


_SETS = """\
create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536
add KUBE-CLUSTER-IP 10.96.0.1,tcp:443
add KUBE-CLUSTER-IP 10.96.0.10,udp:53
create nets hash:net family inet
add nets 10.244.0.0/16
add nets 10.244.1.0/24 nomatch
create all list:set size 8
add all nets
create ports bitmap:port range 0-65535
add ports 80
"""


def run(seed: int, pool: dict[str, list[str]], folder: Path) -> str:
    """The mutant of `seed` through one command; gives what was said on standard error.

    Behind ``--state`` it is one file of a folder in which the others are whole.

    Raises:
        AssertionError: the program calls it a bug of its own, or says nothing about a refusal.

    """
    rng = random.Random(seed)  # noqa: S311
    option = rng.choice(list(pool))
    whole = rng.choice(pool[option])
    file = folder / "broken"
    if option == "--state":
        file = folder / "state"
        name = "nft.json" if whole.startswith("{") else "nft.txt"
        _write_state(file)
        for stale in file.glob("nft.*"):
            stale.unlink()
        (file / name).write_bytes(broken(rng, whole))
    else:
        file.write_bytes(broken(rng, whole))
    status, out, err = command(_arguments(rng, option, str(file)))
    if "this is a bug" in err:
        report = Path(err.rpartition("report: ")[2].strip())
        traceback = report.read_text(encoding="utf-8", errors="replace")
        report.unlink()
        raise AssertionError(traceback)
    assert status in (0, 1, 2), status
    assert out or err
    assert status < 2 or err
    for text in (out, err):
        if text:
            inert(_NFT_INDENTS.sub("", text))
    return err


def _write_state(folder: Path) -> None:
    """What else was collected of the node, one file a command."""
    folder.mkdir(exist_ok=True)
    node = json.loads((ROOT / "tests/golden-walks/state-standard.json").read_text())["node-1"]
    (folder / "iptables.save").write_text("\n".join(node["iptables-save"]) + "\n")
    (folder / "ip-addr.json").write_text(json.dumps(node["addr"]))
    (folder / "ip-route.json").write_text(json.dumps(node["route"]))


def _arguments(rng: random.Random, option: str, file: str) -> list[str]:
    if option == "--proxy-config":
        return ["walk", _SAMPLE, file, option, file, *rng.choice((_FROM_OUTSIDE, _FROM_POD))]
    given = [option.partition(",")[0], f"node-1={file}"]
    if option == "--ipset":
        save = ROOT / "tests/recordings/guestbook/node-1.iptables"
        given += ["--iptables", f"node-1={save}"]
    commands = [
        ["walk", _SAMPLE, *given, *_FROM_OUTSIDE, "-v"],
        ["walk", _SAMPLE, *given, *_FROM_POD, "--all", "--format", "json"],
        ["rules", _SAMPLE, *given, "--node", "node-1"],
        ["check", _SAMPLE, *given],
    ]
    if option in ("--iptables", "--nft"):
        commands.append(["rules", _SAMPLE, "--diff", f"node-1={file}"])
    if option == "--state":
        commands.append(["reach", _SAMPLE, *given, "--from", "node/node-1"])
        commands.append(["clients", _SAMPLE, "svc/frontend", *given, "--proxy-mode", "nftables"])
    return rng.choice(commands)


def command(arguments: Sequence[str]) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of one command line."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    collecting = gc.isenabled()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.run(arguments)
    if collecting:
        gc.enable()
    return status, _text(out), _text(err)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()
