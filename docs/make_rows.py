"""Make docs/rows.md and its pictures of the tours that ship: one for each row of the scenario.

    python -m docs.make_rows

From the checkout's folder. The pictures move; they are what `k8stui present NAME -o` writes.
tests/test_docs.py holds that the words are those of the tours.
"""

# ruff: noqa: INP001 - a script, no package

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from k8stui.cli import run
from k8stui.tour.bundled import bundled_tours
from k8stui.tour.read import read_tour

FILE = Path(__file__).parent / "rows.md"
PICTURES = Path(__file__).parent / "rows"

_HEAD = """\
# The web application, from manifest to packet

Made by `python -m docs.make_rows` from the tours in `samples/tours/`. The pictures move by
themselves; `k8stui present NAME` gives the same tour on the screen, where every key looks around.
How to write one: [tours.md](tours.md).
"""


def lines() -> Iterator[str]:
    """The page, line by line."""
    yield from _HEAD.splitlines()
    for name, path in bundled_tours().items():
        tour = read_tour(str(path))
        yield from ("", f"## {tour.title}", "", f"![{tour.title}](rows/{name}.svg)", "")
        for number, position in enumerate(tour.positions, start=1):
            yield f"{number}. {' '.join(position.caption.split())}"
        yield from ("", f"`k8stui present {name}`")


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    FILE.write_text("\n".join(lines()) + "\n", encoding="utf-8")
    for name in bundled_tours():
        run(["present", name, "-o", str(PICTURES / f"{name}.svg")])


if __name__ == "__main__":
    main()
