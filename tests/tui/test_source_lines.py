from __future__ import annotations

from pathlib import Path

import pytest
from tui.literal import Here

from k8stui.tui.source_lines import UnreadableError, lines_around

TWO = """\
apiVersion: v1
kind: Service
metadata:
  name: web
---
apiVersion: v1
kind: Secret
metadata:
  name: keys
data:
  password: aHVudGVyMg==
---
apiVersion: v1
kind: Pod
"""
DUMP = """\
apiVersion: v1
items:
- apiVersion: v1
  kind: Pod
  metadata:
    name: web
- apiVersion: v1
  data:
    password: aHVudGVyMg==
  kind: Secret
kind: List
"""
JSON = '{"items": [\n {"kind": "Secret",\n  "data": {"p": "aHVudGVyMg=="}},\n {"kind": "Pod"}]}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"two.yaml": TWO, "dump.yaml": DUMP, "dump.json": JSON}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("file", "line", "numbers"),
    [("two.yaml", 3, [1, 2, 3, 4]), ("two.yaml", 14, [12, 13, 14]), ("dump.yaml", 4, [3, 4, 5, 6])],
    ids=["first document", "last document", "item of a dump"],
)
def test_only_lines_of_the_same_object_are_shown(file: str, line: int, numbers: list[int]) -> None:
    lines = lines_around(Here(file, line))
    assert [each.number for each in lines] == numbers
    assert not any("aHVudGVyMg" in each.text for each in lines)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("file", "line", "why"),
    [
        ("two.yaml", 99, "has no line 99"),
        ("absent.yaml", 1, "No such file"),
        ("-", 1, "standard input"),
        ("kubectl --context prod", 1, "a live cluster"),
    ],
)
def test_what_cannot_or_may_not_be_shown_is_said(file: str, line: int, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        lines_around(Here(file, line))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("file", "line"), [("two.yaml", 9), ("dump.yaml", 7), ("dump.json", 4)], ids=str
)
def test_of_a_secret_the_keys_are_shown_and_no_value(file: str, line: int) -> None:
    text = "\n".join(each.text for each in lines_around(Here(file, line)))
    assert "data" in text
    assert "…" in text
    assert "aHVudGVyMg" not in text


def test_five_lines_on_either_side(folder: Path) -> None:
    (folder / "long.yaml").write_text("".join(f"k{n}: {n}\n" for n in range(100)))
    numbers = [line.number for line in lines_around(Here("long.yaml", 50))]
    assert numbers == list(range(45, 56))
