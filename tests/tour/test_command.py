"""``k8stui present`` as a command: lists, prints, refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from k8stui.cli import run
from k8stui.tour.bundled import bundled_tours
from k8stui.walk.world import sample

Captured = pytest.CaptureFixture[str]


def test_without_a_tour_it_lists_those_that_ship(capsys: Captured) -> None:
    assert run(["present"]) == 0
    said = capsys.readouterr().out
    assert all(f"\n{name} " in f"\n{said}" for name in bundled_tours())


def test_by_name_and_without_a_terminal_it_is_printed(capsys: Captured) -> None:
    assert run(["present", "row-8"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Row 8: ")
    assert "5/5  ─" in said
    assert "✗ closed 127.0.0.1:3306: nothing listens there" in said


@pytest.mark.parametrize(
    ("name", "hint"), [("rwo-3", "did you mean row-3?"), ("nonsense", "there is: row-1,")]
)
def test_a_name_that_is_none(name: str, hint: str, capsys: Captured) -> None:
    assert run(["present", name]) == 2
    assert hint in capsys.readouterr().err


def test_a_folder_is_no_tour(tmp_path: Path, capsys: Captured) -> None:
    assert run(["present", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_mistakes_are_told_with_line_and_caret(tmp_path: Path, capsys: Captured) -> None:
    webapp = os.path.relpath(sample("webapp"), tmp_path)
    file = tmp_path / "talk.yaml"
    file.write_text(
        f"input: {{paths: [{webapp}]}}\n"
        "positions:\n"
        "  - caption: one\n"
        "    ask: outside -> node/node-1:30001\n"
        "    at: encapsulate\n"
    )
    assert run(["present", str(file)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == f"{file}:5:9: this walk has no step of kind encapsulate"
    assert said[1] == "    5 |     at: encapsulate"
    assert said[2] == "      |         ^"
    assert said[-1] == "1 problem in the tour"


def test_what_is_wrong_with_the_input_is_told_and_the_rest_is_shown(
    tmp_path: Path, capsys: Captured
) -> None:
    webapp = os.path.relpath(sample("webapp"), tmp_path)
    (tmp_path / "odd.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: []\n")
    file = tmp_path / "talk.yaml"
    file.write_text(
        f"input: {{paths: [{webapp}, odd.yaml]}}\n"
        "positions: [{caption: one, ask: rc/myweb -> localhost:8080}]\n"
    )
    assert run(["present", str(file)]) == 2
    captured = capsys.readouterr()
    assert "odd.yaml:4" in captured.err
    assert "1/1  ─" in captured.out
