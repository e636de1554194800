"""Broken command lines: an option with an odd value, a tour or a file of assertions that is broken.

The whole command line is run, in this process. What is refused names its option, or the file and
its line.
"""

from __future__ import annotations

import contextlib
import random
import re
from pathlib import Path

import click
from fuzz.journey import inert
from fuzz.mutants import ROOT, broken
from fuzz.node_files import command

from k8stui.cli import cli
from k8stui.neutralise import neutralise
from k8stui.record import record

_APP = str(ROOT / "samples/guestbook")
_BASES: tuple[tuple[str, ...], ...] = (
    ("walk", _APP, "--from", "pod/client", "--to", "svc/frontend"),
    ("walk", _APP, "--from", "outside", "--to", "node/node-1:30080", "--again", "2"),
    ("walk", _APP, "--from", "pod/client", "--to", "svc/frontend", "--format", "drawing"),
    ("reach", _APP),
    ("replay", _APP, "--ask", "pod/client -> svc/frontend", "--then", "delete service/frontend"),
    ("explain", _APP, "pod/client", "--ask", "pod/client -> svc/frontend"),
    ("ways", _APP, "svc/frontend"),
    ("clients", _APP, "svc/frontend"),
    ("check", _APP, "--assert", "pod/client -> svc/frontend: connected"),
    ("rules", _APP, "--node", "node-1"),
    ("topology", _APP),
    ("record", _APP, "--from", "pod/client", "--to", "svc/frontend", "-o", "x.cast"),
    ("present", "row-1", "--format", "text"),
    (_APP,),
)
_OF_NAMES = {"--namespace"}
"""Options that only say where names are looked for: the name that is not there is told of."""
_NOT = {"--context", "--help", "--version", "--output", "-o"}
"""Options that a cluster is asked for, and that write files."""
_TABS = re.compile(r"^\t+", re.MULTILINE)
"""Which nft begins lines with, and no input does."""
_VALUES = (
    "", " ", "0", "-1", "1", "2", "65535", "65536", "99999999999999999999", "9" * 5000, "1e9",
    "nan", "inf", "-inf", "0.05", "²", "٣", "0x10", "1_0", "\u202e", "\x1b[31m", "a\nb", "a",
    "é", "\udcff", "💩", "=", "a=", "=a", "a=b", "a=b=c", "node-1=", "node-1=/nowhere", "node-1=.",
    "node-9=" + _APP, "node-1=" + _APP + "/frontend.yaml", ".", "/nowhere", "/dev/null",
    "-", "--", "pod/client", "pod/", "pod", "pod/client/", "pod/client/x", "svc/frontend",
    "svc/frontend:", "svc/frontend:0", "svc/frontend:99999", "svc/frontend:http", "svc/a.b.c.d:80",
    "svc/frontend:80/udp", "svc/frontend:80/", "svc/frontend:80/icmp", "node/node-1", "nodes",
    "node/node-1:30080", "node/node-9:1", "outside", "outside/", "localhost:1", "localhost",
    "10.96.0.1", "10.96.0.1:443", "10.96.0.256:1", "300.1.1.1:80", "[::1]:80", "[::1", "::1",
    "fd00::1%eth0", "0.0.0.0:0", "255.255.255.255:1", "224.0.0.1:53/udp", "example.org",
    "example.org:443", "a" * 300, "a." * 200, "http://x/", "delete", "delete service/", "scale",
    "scale deployment/frontend", "scale deployment/frontend -1", "scale deployment/frontend 99999",
    "scale deployment/frontend ²", "delete pod/client", "delete pod/client extra", "a -> b",
    "pod/client -> ", " -> svc/frontend", "pod/client -> svc/frontend -> x", "-> ->",
    "pod/client -> svc/frontend: connected", "pod/client -> svc/frontend: what",
    "pod/client -> svc/frontend:", "pods", "-l", "-l app=", "-l app=guestbook", "-l 'a'",
    "-l a in (",
    "flannel", "ptp", "none", "iptables", "userspace", "ipvs", "nftables", "k3s", "kubeadm",
    "kube-router", "hairpin=true", "externalTrafficPolicy=Local", "sessionAffinity=ClientIP",
    "cni=", "cni=ptp", "proxy-mode=ipvs", "nodes=5", "service.type=NodePort", "{}", "[", "null",
    "K8S001", "*", "%s", "{0}", "$(x)", "`x`", "'", '"', "\\", "a b", "a,b", ",", "80/tcp",
    "80/sctp",
)  # fmt: skip
_ASSERTIONS = """\
# who may ask whom
pod/client -> svc/frontend:80 connected
pod/client -> svc/redis-leader:6379 connected

outside -> node/node-1:30080 connected
not pod/client -> svc/redis-leader:1
"""


@record()
class Case:
    """One command line and what its refusal has to name."""

    arguments: tuple[str, ...]
    names: str
    """The option, or the file."""
    wants_line: bool = False
    """Whether a line of the file has to be named, too."""


def case(seed: int, folder: Path) -> Case:
    """The command line of `seed`; what it reads is written into `folder`."""
    rng = random.Random(seed)  # noqa: S311
    chance = rng.random()
    file = folder / "broken"
    if chance < 0.2:
        tours = sorted((ROOT / "samples/tours").glob("*.yaml"))
        text = rng.choice(tours).read_text().replace("../", f"{ROOT}/samples/")
        file.write_bytes(broken(rng, text))
        return Case(("present", str(file), "--format", "text"), str(file), wants_line=True)
    if chance < 0.35:
        file.write_bytes(broken(rng, _ASSERTIONS))
        return Case(("check", _APP, "--assert-file", str(file)), str(file), wants_line=True)
    base = rng.choice(_BASES)
    name = base[0] if base[0] in cli.list_commands(click.Context(cli)) else "show"
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    options = [
        each
        for each in found.params
        if isinstance(each, click.Option) and not _NOT & {*each.opts} and not each.is_flag
    ]
    if not options or rng.random() < 0.15:
        value = rng.choice(_VALUES)
        return Case((*base, "--", value), value)
    option = max(rng.choice(options).opts, key=len)
    value = rng.choice(_VALUES)
    if "--against" in option:
        return Case((*base, f"{option}={value}"), value)  # a path, as those without an option
    kept = [*base]
    if option in kept and rng.random() < 0.7:  # else it is given twice
        kept[kept.index(option) + 1] = value
        return Case(tuple(kept), option)
    return Case((*base, f"{option}={value}"), option)


def run(seed: int, folder: Path) -> str:
    """The command line of `seed`; gives what was said on standard error.

    Raises:
        AssertionError: the program calls it a bug of its own, or a refusal does not name what is
            wrong.

    """
    made = case(seed, folder)
    with contextlib.chdir(folder):
        status, out, err = command(made.arguments)
    for left in folder.glob("x.*"):
        left.unlink()
    if "this is a bug" in err:
        report = Path(err.rpartition("report: ")[2].strip())
        traceback = report.read_text(encoding="utf-8", errors="replace")
        report.unlink()
        raise AssertionError(f"{made.arguments}: {traceback}")
    assert status in (0, 1, 2), (made, status)
    assert out or err or status < 2, made  # a recording goes into its file
    for text in (_TABS.sub("", out), err):
        if text:
            inert(text)
    if status == 2:
        assert err, made
        names = (made.names, neutralise(made.names), repr(made.names)[1:-1], "--against")
        assert any(name in err for name in names) or made.names in _OF_NAMES, (made, err)
        if made.wants_line and Path(made.names).stat().st_size and "too long" not in err:
            assert re.search(rf"{re.escape(made.names)}:\d", err), (made, err)
    return err
