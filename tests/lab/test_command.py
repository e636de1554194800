"""``k8stui lab`` on the command line."""

from __future__ import annotations

import json
import platform
import shutil
from pathlib import Path

import pytest

from k8stui.cli import run
from k8stui.lab import run as lab_run
from k8stui.lab.errors import LabError
from k8stui.lab.plan import Tools
from k8stui.lab.run import IptablesBackend

REQUEST = ("--from", "pod/client", "--to", "svc/redis-leader:6379")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--from", "pod/client"), "--from and --to go together"),
        (("--from", "pod/clinet", "--to", "svc/frontend:80"), "did you mean"),
        (("--backend", "ebtables"), "ebtables"),
        (("--size", "100"), "of one request: say which by --from and --to"),
        ((*REQUEST, "--unconnected"), "write /udp behind the port"),
        ((*REQUEST, "--pause", "2"), "--pause is the time between"),
    ],
    ids=["half-a-request", "nobody", "backend", "every-way-in", "tcp", "pause-of-nothing"],
)
def test_usage(args: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", *args]) == 2
    assert message in capsys.readouterr().err


def test_missing_programs_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab_run, "_PATH", "/nowhere")
    assert run(["lab", *REQUEST]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "not installed: ip, bridge" in said.err
    assert "iproute2" in said.err


def test_what_every_way_in_needs_is_told_with_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, some_tools: Tools, capsys: pytest.CaptureFixture[str]
) -> None:
    without = {**some_tools, "nft": ""}
    monkeypatch.setattr(lab_run, "find_tools", lambda _: (without, IptablesBackend.NFT))
    assert run(["lab", "--proxy-mode", "nftables"]) == 2
    said = capsys.readouterr().err
    assert "nftables is not installed: apt install nftables, or dnf" in said


def test_other_systems_are_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert run(["lab", *REQUEST]) == 2
    assert "this is Darwin" in capsys.readouterr().err


def test_no_right(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from k8stui.lab import trial

    def refused(_plan: object) -> object:
        raise LabError("no right to make network namespaces", "run it with sudo")

    monkeypatch.setattr(trial, "run", refused)
    monkeypatch.setattr(shutil, "which", lambda name, path: f"{path}/{name}")
    assert run(["lab", *REQUEST]) == 2
    assert "run it with sudo" in capsys.readouterr().err


@pytest.mark.usefixtures("nft")
def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", *REQUEST]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "kernel and walk agree: 14 packets on 5 devices, 18 rules met"
    assert sum(" equal  " in line for line in lines) == 14


def test_json(nft: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    assert nft["ip"].endswith("/ip")
    assert run(["lab", *REQUEST, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (walk,) = told["walks"]
    assert told["agree"] is True
    assert walk["outcome"]["kernel"].pop("seconds") < 1
    assert walk["outcome"]["walk"].pop("seconds") == 0
    assert walk["outcome"]["kernel"] == walk["outcome"]["walk"]
    assert [p["equal"] for p in walk["packets"]] == [True] * 14


@pytest.mark.usefixtures("nft")
@pytest.mark.parametrize(
    ("destination", "args", "shown"),
    [
        ("svc/redis-leader:6379", ("--source-port", "1025"), ":1025 > "),
        ("svc/redis-leader:6379", ("--size", "3000"), "PSH,ACK"),
        ("8.8.8.8:53/udp", ("--size", "600", "--unconnected"), "UDP"),
    ],
    ids=["source-port", "size", "unconnected"],
)
def test_how_it_is_asked(
    destination: str, args: tuple[str, ...], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["lab", "--from", "pod/client", "--to", destination, *args]) == 0
    assert shown in capsys.readouterr().out


@pytest.mark.usefixtures("nft")
def test_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Each of them is compared, behind those before it."""
    assert run(["lab", *REQUEST, "--again", "2", "--pause", "0.05"]) == 0
    said = capsys.readouterr()
    heads = [line for line in said.out.splitlines() if line.startswith("pod/")]
    assert [head.partition("; ")[2].partition(",")[0] for head in heads] == [
        "", "request 2", "request 3",
    ]  # fmt: skip
    assert "(3 walks)" in said.out


def test_they_are_the_options_of_walk() -> None:
    from k8stui.cli import lab, walk

    own = ("source_port", "size", "unconnected", "times", "pause")
    options = [
        {each.name: each.to_info_dict() for each in command.params}
        for command in (walk.command, lab.command)
    ]
    assert [options[0][name] for name in own] == [options[1][name] for name in own]


@pytest.mark.usefixtures("nft")
def test_rules_that_are_not_handed_on_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a dump holds is no order to the terminal, on whichever stream it is told of."""
    assert run(["rules", "--node", "node-1"]) == 0
    rules = capsys.readouterr().out
    odd = tmp_path / "node-1.rules"
    rule = '-A KUBE-NODEPORTS -m "\x1b[31m" -j \x1b]0;a\x07\n'
    odd.write_text(rules.replace("-A KUBE-NODEPORTS", f"{rule}-A KUBE-NODEPORTS", 1))
    run(["lab", *REQUEST, "--iptables", f"node-1={odd}"])
    out, err = capsys.readouterr()
    assert "not handed to iptables: -A KUBE-NODEPORTS" in err
    assert "␛]0;a␇" in err
    assert not {"\x1b", "\x07"} & set(out + err)
