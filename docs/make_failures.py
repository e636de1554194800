"""Make docs/failures: a page for every sample of samples/broken, in the walk's own words.

    python -m docs.make_failures

From the checkout's folder. Each page has the sample's comment, the walk that the comment names
first, how it ends, and the step that decided as a picture. tests/test_docs.py holds that the words
are those that the program says today.
"""

# ruff: noqa: INP001 - a script, no package

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

from k8stui.cli import run

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "failures"
_COMMAND = "  k8stui "


class Sample(NamedTuple):
    """What the comment of a folder of samples/broken says."""

    name: str
    words: str
    commands: tuple[str, ...]
    """The first one shows what is wrong."""

    @property
    def title(self) -> str:
        text = self.name.replace("-", " ")
        return text[0].upper() + text[1:]


def samples() -> Iterator[Sample]:
    """Every folder of samples/broken, by name. To be called in the checkout's folder."""
    for folder in sorted((ROOT / "samples" / "broken").iterdir()):
        for file in sorted(folder.glob("*.yaml")):
            comment = []
            for line in file.read_text(encoding="utf-8").splitlines():
                if not line.startswith("#"):
                    break
                comment.append(line.removeprefix("#").removeprefix(" "))
            commands = tuple(line.strip() for line in comment if line.startswith(_COMMAND))
            if commands:
                words = " ".join(line for line in comment if not line.startswith(_COMMAND))
                yield Sample(folder.name, words.rstrip(":.") + ".", commands)


def page(sample: Sample) -> Iterator[str]:
    """The page of `sample`, line by line."""
    yield from (f"# {sample.title}", "", sample.words, "")
    yield f"![The step that decides]({sample.name}.svg)"
    yield from ("", "```")
    yield f"$ {sample.commands[0]}"
    yield "…"
    yield from ending(sample.commands[0]).splitlines()
    yield "```"
    yield from _finding(sample)
    if sample.commands[1:]:
        yield from ("", "Compare:", "", "```sh", *sample.commands[1:], "```")
    yield ""
    yield f"The manifests: [samples/broken/{sample.name}](../../samples/broken/{sample.name})"


def index() -> Iterator[str]:
    """The list of all pages, line by line."""
    yield from ("# Failures that people meet", "")
    yield "Made by `python -m docs.make_failures` from `samples/broken/`: what is wrong, the walk"
    yield "that shows it, and the mend. `k8stui samples/broken/NAME` opens the screen on it."
    yield ""
    for sample in samples():
        first, _, _ = sample.words.partition(". ")
        yield f"- [{sample.title}]({sample.name}.md): {first.removesuffix('.')}."


def ending(command: str) -> str:
    """How the walk of `command` ends: the verdict, the mend, the cause."""
    return said(command).rstrip().rpartition("\n\n")[2]


def picture(command: str) -> str:
    """The step of the walk of `command` that decided, as SVG."""
    outcome = json.loads(said(f"{command} --format json"))["branches"][0]["outcome"]
    return said(f"{command} --format svg --step {outcome['step']}")


def said(command: str) -> str:
    """What `command` prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        run(shlex.split(command)[1:])
    assert out.getvalue(), command
    return out.getvalue()


def _finding(sample: Sample) -> Iterator[str]:
    found = said(f"k8stui check samples/broken/{sample.name}").rstrip()
    if found == "no findings":
        yield from ("", "`k8stui check` has no finding: the manifests alone are in order.")
        return
    yield from ("", "Before anything is deployed:", "", "```")
    yield f"$ k8stui check samples/broken/{sample.name}"
    yield from found.rpartition("\n\n")[0].splitlines()
    yield "```"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "README.md").write_text("\n".join(index()) + "\n", encoding="utf-8")
    for sample in samples():
        text = "\n".join(page(sample)) + "\n"
        (FOLDER / f"{sample.name}.md").write_text(text, encoding="utf-8")
        drawn = picture(sample.commands[0])
        (FOLDER / f"{sample.name}.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
