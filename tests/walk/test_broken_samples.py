"""Every sample of samples/broken: the commands in its comment, and what comes of them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from k8stui.cli import run
from k8stui.walk.world import sample

ROOT = Path(sample("broken")).parents[1]

# folder, number of the command in its comment → status, result, decided at, deciding step
WALKS = {
    ("balancer-turns-pods-away", 0): (1, "timeout", "node-2", "drop"),
    ("balancer-turns-pods-away", 1): (0, "connected", "portal", "deliver"),
    ("bridge-nf-off", 0): (1, "timeout", "near", "reject|deliver|drop|conntrack"),
    ("bridge-nf-off", 1): (0, "connected", "cache", "deliver"),
    ("bridge-nf-off", 2): (0, "connected", "cache", "deliver"),
    ("endpoints-port-name", 0): (1, "refused", "node-1", "reject"),
    ("hairpin-off", 0): (1, "timeout", "node-1", "drop"),
    ("hairpin-off", 1): (0, "connected", "mailer", "deliver"),
    ("host-network-name", 0): (1, "no-such-name", "node-1", "resolve|reject"),
    ("listens-on-localhost-only", 0): (1, "refused", "app", "deliver"),
    ("listens-on-localhost-only", 1): (0, "connected", "app", "deliver"),
    ("local-policy-no-pod-here", 0): (1, "timeout", "node-1", "drop"),
    ("local-policy-no-pod-here", 1): (0, "connected", "web", "deliver"),
    ("nodeport-one-node-only", 0): (1, "refused", "node-2", "deliver"),
    ("nodeport-one-node-only", 1): (0, "connected", "web", "deliver"),
    ("selector-matches-nothing", 0): (1, "refused", "node-1", "reject"),
    ("source-address-lost", 0): (0, "connected", "shop", "deliver"),
    ("source-address-lost", 1): (0, "connected", "shop", "deliver"),
    ("target-port-name-unknown", 0): (1, "refused", "node-2", "reject"),
    ("target-port-undeclared", 0): (1, "refused", "api-1", "deliver"),
    ("webapp-wrong-selector", 0): (1, "refused", "mysql-1", "deliver"),
}


def commands(word: str) -> list[tuple[str, int, list[str]]]:
    found = []
    for folder in sorted((ROOT / "samples" / "broken").iterdir()):
        lines = (
            line.removeprefix("#").strip()
            for file in sorted(folder.glob("*.yaml"))
            for line in file.read_text().splitlines()
            if line.startswith("#   k8stui ")
        )
        wanted = [shlex.split(line)[1:] for line in lines if line.split()[1] == word]
        found += [(folder.name, number, args) for number, args in enumerate(wanted)]
    return found


def ids(cases: list[tuple[str, int, list[str]]]) -> list[str]:
    return [f"{folder}-{number}" for folder, number, _ in cases]


def test_every_sample_has_its_walk() -> None:
    folders = {path.name for path in (ROOT / "samples" / "broken").iterdir()}
    assert {folder for folder, *_ in commands("walk")} == folders
    assert {(folder, number) for folder, number, _ in commands("walk")} == {*WALKS}


@pytest.mark.parametrize(("folder", "number", "args"), commands("walk"), ids=ids(commands("walk")))
def test_walk_in_the_comment(
    folder: str,
    number: int,
    args: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    status = run([*args, "--format", "json"])
    out, _ = capsys.readouterr()
    branch = json.loads(out)["branches"][0]
    outcome = branch["outcome"]
    steps = {step["number"]: step for hop in branch["hops"] for step in hop["steps"]}
    expected, result, decided_at, kinds = WALKS[folder, number]
    assert (status, outcome["result"], outcome["decided_at"]) == (expected, result, decided_at)
    assert steps[outcome["step"]]["kind"] in kinds.split("|")
    if result != "connected":
        # A node that a dump speaks for cannot be mended by a change of the manifests.
        assert outcome["advice"] or "--iptables" in args


def test_the_source_address_is_lost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    seen = []
    for folder, _, args in commands("walk"):
        if folder == "source-address-lost":
            run([*args, "--format", "json"])
            branch = json.loads(capsys.readouterr().out)["branches"][0]
            seen.append(branch["outcome"]["source_seen_by_server"])
    assert seen == ["192.168.0.11", "10.244.2.1"]


@pytest.mark.parametrize(
    ("folder", "number", "args"),
    [*commands("rules"), *commands("clients")],
    ids=[*ids(commands("rules")), *ids(commands("clients"))],
)
def test_other_commands_in_the_comment(
    folder: str,
    number: int,
    args: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    assert number == 0
    assert run(args) == (1 if args[0] == "rules" else 0)
    assert capsys.readouterr().out.startswith(
        "node-2: 11 differences" if folder == "nodeport-one-node-only" else "Service default/shop"
    )


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("endpoints-port-name", "ledger.yaml:21: error endpoints-by-hand"),
        ("host-network-name", "exporter.yaml:9: warning dns-policy"),
        ("listens-on-localhost-only", "app.yaml:13: warning bound-to-localhost"),
        ("local-policy-no-pod-here", "web.yaml:25: warning local-policy"),
        ("selector-matches-nothing", "shop.yaml:29: error no-endpoints"),
        ("target-port-name-unknown", "api.yaml:33: error target-port-name"),
        ("target-port-undeclared", "api.yaml:32: error target-port-number"),
        ("webapp-wrong-selector", "4-myweb-svc.yaml:14: error wrong-pods"),
    ],
)
def test_check_finds_it_at_its_line(
    folder: str,
    found: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    run(["check", f"samples/broken/{folder}"])
    assert capsys.readouterr().out.startswith(f"samples/broken/{folder}/{found}:")


def test_every_walk_can_be_drawn(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for folder, number, args in commands("walk"):
        expected, _, _, _ = WALKS[folder, number]
        assert run([*args, "--format", "svg", "--step", "2"]) == expected, folder
        assert capsys.readouterr().out.startswith("<svg"), folder
