"""A tour as a page: a place for each position and each step on the way, its caption, its proof."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Page, browser, needs_chromium
from click.testing import CliRunner

from k8stui.cli import cli
from k8stui.export.page.tour_page import tour_page
from k8stui.export.tour_strip import seen
from k8stui.tour.bundled import bundled_tours
from k8stui.tour.read import read_tour
from k8stui.tour.rehearse import Rehearsal, rehearse

TOURS = bundled_tours()


def rehearsed(name: str) -> Rehearsal:
    return rehearse(read_tour(str(TOURS[name])))


@pytest.mark.parametrize("name", ["row-2", "row-3", "row-8"])
def test_every_picture_of_a_tour_is_a_place_of_its_page(name: str) -> None:
    rehearsal = rehearsed(name)
    text = "".join(tour_page(rehearsal, 100, 30))
    places = re.findall(r'<li id="1\.(\d+)"', text)
    assert places == [str(n) for n in range(len(list(seen(rehearsal, 100, 28))))]
    assert text.count(" data-d>") == len(rehearsal.stops)
    assert text.count("<script>") == 1
    assert not re.search(r"(?:src|href)=[\"'](?!#)", text)


def test_the_command_writes_it_to_a_file_or_prints_it(tmp_path: Path) -> None:
    file = tmp_path / "tour.html"
    ran = CliRunner().invoke(cli, ["present", "row-3", "-o", str(file)])
    assert (ran.exit_code, ran.output) == (0, "")
    printed = CliRunner().invoke(cli, ["present", "row-3", "--format", "html"])
    assert printed.output == file.read_text(encoding="utf-8")
    wrong = CliRunner().invoke(cli, ["present", "row-3", "--format", "html", "-o", "a.svg"])
    assert wrong.exit_code == 2


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@needs_chromium
def test_a_browser_goes_through_it_with_arrow_keys(tab: Page, tmp_path: Path) -> None:
    rehearsal = rehearsed("row-3")
    file = tmp_path / "tour.html"
    file.write_text("".join(tour_page(rehearsal, 100, 30)), encoding="utf-8")
    tab.open(file.as_uri())
    caption = "document.querySelector('.caption').textContent"
    assert rehearsal.stops[0].position.caption in tab.value(caption)
    tab.press(".")
    assert rehearsal.stops[1].position.caption in tab.value(caption)
    tab.press("End")
    assert rehearsal.stops[-1].position.caption in tab.value(caption)
    assert tab.errors == []
    assert len(tab.asked) == 1
    assert len(tab.picture()) > 20_000
