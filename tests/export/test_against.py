"""``walk --against``: two inputs, the same requests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8stui.cli import run
from k8stui.walk.world import sample

WEBAPP = sample("webapp")
ASKED = ("--from", "outside", "--to", "node/node-1:30001")


@pytest.fixture
def after(tmp_path: Path) -> str:
    """The same manifests, with another policy for the outside."""
    for file in WEBAPP.glob("*.yaml"):
        text = file.read_text()
        changed = text.replace(
            "  type: NodePort\n", "  type: NodePort\n  externalTrafficPolicy: Local\n"
        )
        (tmp_path / file.name).write_text(changed)
    return str(tmp_path)


def test_as_text(
    after: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["walk", str(WEBAPP), *ASKED, "--against", after]) == 1
    out = capsys.readouterr().out
    assert "1 of 5 requests are answered differently" in out
    assert "✓ DNAT SNAT 192.168.0.11  ≠ ✗ timed out" in out
    assert "is Local, and node-1 has no" in out


def test_as_json(after: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["walk", str(WEBAPP), *ASKED, "--against", after, "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["columns"] == ["before", "after"]
    assert [case["result"] for case in found["rows"][0]["cases"]] == ["connected", "timeout"]


def test_nothing_worse_is_fine(after: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["walk", str(WEBAPP), *ASKED, "--against", str(WEBAPP)]) == 0
    assert run(["walk", after, *ASKED, "--against", str(WEBAPP)]) == 0
    assert "answered differently" in capsys.readouterr().out
    assert run([str(WEBAPP), "--against", after]) == 1
    assert "1 of 5" in capsys.readouterr().out


@pytest.mark.parametrize("more", [("--all",), ("--format", "svg"), ("--compare", "hairpin=off")])
def test_what_it_does_not_go_with(
    after: str, more: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["walk", str(WEBAPP), *ASKED, "--against", after, *more]) == 2
    assert "--against" in capsys.readouterr().err
