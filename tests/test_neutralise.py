"""What comes from an input gives orders to no terminal and to no CI runner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from k8stui.cli import run
from k8stui.neutralise import data_without_commands, neutralise, without_commands

ORDERS = ("::error::", "::add-mask::", "::stop-commands::", "##[error]", "##vso[", "##teamcity[")


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("::error::a", ": :error::a"),
        ("  ::add-mask::a", "  : :add-mask::a"),
        ("::set-output name=a::b", ": :set-output name=a::b"),
        ("a ##[error]b", "a # #[error]b"),
        ("##VSO[task.setvariable]a", "# #VSO[task.setvariable]a"),
        ("::1", "::1"),
        ("fd00::1:80", "fd00::1:80"),
        ("## a heading", "## a heading"),
        ("\x9b31m\x85", "<U+009B>31m<U+0085>"),
        ("a\u202eb\u2066", "a<U+202E>b<U+2066>"),
    ],
)
def test_orders_are_broken(text: str, harmless: str) -> None:
    assert neutralise(text) == harmless


def test_on_any_line_of_a_text() -> None:
    assert without_commands("a\n::error::b") == "a\n: :error::b"


def test_json_means_the_same() -> None:
    text = json.dumps({"a": "##[error]b", "c": "##vso[d"})
    written = data_without_commands(text)
    assert "##" not in written
    assert json.loads(written) == json.loads(text)


def orders(text: str) -> list[str]:
    """Lines that a runner would obey."""
    return [
        line
        for line in text.splitlines()
        if line.lstrip().startswith(("::error::", "::add-mask::", "::stop", "::set"))
        or any(order in line for order in ORDERS if order.startswith("##"))
    ]


BAD_NAME = "::error::a##[error]b##vso[c.yaml"
MANIFEST = """\
apiVersion: v1
kind: Service
metadata: {{name: {name}, annotations: {{a: "::add-mask::x"}}}}
spec: {{selector: {{"##[error]": x}}, ports: [{{port: "##vso[", name: "::error::"}}]}}
---
::error::this is broken
"""


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_file_names_and_contents_in_what_check_says(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(BAD_NAME).write_text(MANIFEST.format(name="web"))
    run(["check", BAD_NAME, "--format", form])
    out, err = capsys.readouterr()
    assert not orders(err)
    assert not [line for line in orders(out) if form != "github" or not line.startswith("::")]


@pytest.mark.parametrize(
    "line",
    [
        ["walk", "::error::absent"],
        ["walk", "--from", "##[error]a", "--to", "::error::"],
        ["topology", "--nodes", "##[error]"],
        ["check", "--ignore", "::error::a"],
        ["rules", "--node", "##vso[a"],
        ["rules", "--node", "\x1b]0;a\x07"],
        ["##[error]", "--nodes", "::error::"],
        ["walk", "--::error::##[error]"],
    ],
    ids=" ".join,
)
def test_the_command_line_in_messages(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run(line)
    out, err = capsys.readouterr()
    assert not orders(out + err)
    assert "\x1b" not in out + err
