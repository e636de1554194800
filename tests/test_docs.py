"""The pages that are made from the program say what the program says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from docs import make_commands, make_failures, make_rows

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")


def test_the_page_of_commands() -> None:
    page = make_commands.FILE.read_text(encoding="utf-8")
    assert page.splitlines() == list(make_commands.lines())


def test_the_page_of_rows() -> None:
    page = make_rows.FILE.read_text(encoding="utf-8")
    assert page.splitlines() == list(make_rows.lines())


def test_every_failure_has_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    index = (make_failures.FOLDER / "README.md").read_text(encoding="utf-8")
    assert index.splitlines() == list(make_failures.index())
    for sample in make_failures.samples():
        page = (make_failures.FOLDER / f"{sample.name}.md").read_text(encoding="utf-8")
        assert page.splitlines() == list(make_failures.page(sample)), sample.name


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_links_lead_somewhere(page: Path) -> None:
    wanted = LINK.findall(page.read_text(encoding="utf-8"))
    assert not [link for link in wanted if not (page.parent / link).exists()]


def test_the_picture_of_the_rooms_is_the_contract() -> None:
    """CONTRIBUTING.md draws the floors that import-linter holds, in its order."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    floors = [
        [room.strip().removeprefix("k8stui.") for room in layer.split("|")] for layer in layers
    ]
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawn = text.partition("```mermaid\n")[2].partition("```")[0]
    boxes = re.findall(r'^ +\w+\["([^"]+)"\]', drawn, re.MULTILINE)
    assert [box.split(" · ") for box in boxes] == floors
