"""What README and the pages of docs/ tell to type works, on the samples, as it stands there."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _commands(page: Path) -> list[str]:
    """Those on the samples; what a reader's own files and clusters are for cannot be tried."""
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    typed = (line.partition("#")[0].strip() for block in blocks for line in block.splitlines())
    return [
        line for line in typed if re.match(r"k8stui (\w+ samples/|present (row-|userspace))", line)
    ]


ALL = tuple(
    dict.fromkeys(
        command
        for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
        for command in _commands(page)
    )
)


def test_the_pages_show_every_command_but_those_of_screen_and_kernel() -> None:
    shown = {command.split()[1] for command in ALL}
    assert shown == {
        "check",
        "clients",
        "explain",
        "present",
        "reach",
        "record",
        "replay",
        "rules",
        "topology",
        "walk",
        "ways",
    }


@pytest.mark.parametrize("command", ALL)
def test_the_command_works(command: str, tmp_path: Path) -> None:
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    words = shlex.split(command.partition(" > ")[0])[1:]
    done = subprocess.run(
        [sys.executable, "-m", "k8stui", *words],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == ("samples/broken" in command)
    if "-o" in words:
        assert (tmp_path / words[words.index("-o") + 1]).stat().st_size
    else:
        assert done.stdout


def test_the_library_does_what_its_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block of Python, in one program, prints the block behind it."""
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```python\n(.*?)^```\n\n```\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(shown) == page.count("```python")
    program: dict[str, object] = {}
    for code, output in shown:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, program)  # noqa: S102
        assert printed.getvalue() == output
