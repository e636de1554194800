"""Every fact that the code cites stands in this repository, under the section that is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FACTS = ROOT / "docs/facts"
CITED = re.compile(
    r"docs/facts/([\w-]+\.md)(?:,?\s+sections?\s+((?:\d+(?:,\s+|\s+and\s+|\s+to\s+)?)+))?"
)


def cited() -> dict[tuple[str, str], set[str]]:
    """(file, section or "") → the modules that point there."""
    found: dict[tuple[str, str], set[str]] = {}
    for folder in ("k8stui", "tests", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name, sections in CITED.findall(path.read_text()):
                for section in re.findall(r"\d+", sections) or [""]:
                    found.setdefault((name, section), set()).add(str(path.relative_to(ROOT)))
    return found


@pytest.mark.parametrize(("name", "section"), cited(), ids=str)
def test_it_is_there(name: str, section: str) -> None:
    text = (FACTS / name).read_text()
    assert not section or re.search(rf"^## {section}\. ", text, re.MULTILINE)


def test_no_docstring_points_out_of_the_repository() -> None:
    for path in (ROOT / "k8stui").rglob("*.py"):
        assert "shared/" not in path.read_text(), path


@pytest.mark.parametrize("name", ["recordings", "recordings-cni", "recordings-cluster"])
def test_recordings_that_are_cited_are_there(name: str) -> None:
    """``recordings-cni/bridge`` is a folder of tests/recordings-cni, and so on."""
    for path in (ROOT / "k8stui").rglob("*.py"):
        for case in re.findall(rf"\b{name}/([a-z][\w.-]*\w)", path.read_text()):
            assert (ROOT / "tests" / name / case).exists(), (path, case)
