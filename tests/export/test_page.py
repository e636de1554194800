"""The page of a walk: what it holds, that nothing breaks out of it, and how a browser shows it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from browser import Page, browser, needs_chromium
from click.testing import CliRunner

from k8stui.cli import cli
from k8stui.export.page.page import walk_page
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walk, walks
from k8stui.walk.world import World, build_world, sample


class Outline(HTMLParser):
    """Elements, attributes and texts as a browser's parser would have them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[str, str] = {}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = "" if tag == self._open else self._open

    def handle_data(self, data: str) -> None:
        self.words[self._open] = self.words.get(self._open, "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def world() -> World:
    return build_world([str(sample("webapp"))])


@pytest.fixture(scope="module")
def trace(world: World) -> Trace:
    return walk(world, parse_request(world, "outside", "node/node-1:30001"))


def page(world: World, *traces: Trace) -> str:
    return "".join(walk_page(world, traces))


def test_every_step_is_a_place_of_the_page_with_its_proof(world: World, trace: Trace) -> None:
    text = page(world, trace)
    ids = {each.get("id") for each in Outline(text).all("li")}
    assert ids == {f"1.{n}" for n in range(len(trace.steps) + 1)}
    for step in trace.steps:
        if step.origin is not None and step.origin.place is not None:
            assert f"{Path(step.origin.place.file).name}:{step.origin.place.line}" in text


def test_what_steps_share_is_stored_once(world: World, trace: Trace) -> None:
    assert len(trace.steps) > 40
    assert len(page(world, trace).encode()) < 150_000


def test_each_moment_is_the_drawing_of_its_step(world: World, trace: Trace) -> None:
    from k8stui.export.drawing.ink import text_of
    from k8stui.export.drawing.layers import layers
    from k8stui.export.drawing.picture import film

    shown = film(world, trace)
    base = list(shown.drawing(0).canvas.lines())
    moments = [shown.frame(n).lines() for n in range(len(shown))]
    found = layers(base, moments)
    for number, lines in enumerate(moments):
        rows = [list(text_of(line)) for line in base]
        for layer in found:
            if any(first <= number <= last for first, last in layer.shown):
                for patch in layer.patches:
                    rows[patch.y][patch.x : patch.x + len(patch.text)] = patch.text
        assert ["".join(row) for row in rows] == [text_of(line) for line in lines]


def test_only_its_own_script_and_style_may_run_and_nothing_may_be_fetched(
    world: World, trace: Trace
) -> None:
    outline = Outline(page(world, trace))
    policy = next(
        each["content"] or ""
        for each in outline.all("meta")
        if each.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(outline.words[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert outline.words[tag].isascii()
    for _, attributes in outline.tags:
        assert not {"src", "style", "srcset"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")


HOSTILE = (
    "</script><script>alert(1)</script>",
    "]]><img src=x onerror=alert(1)>",
    "\" onload='alert(1)'",
    "a\u202egnp.exe",
    "\x1b[31mred\x07",
    "<!--",
    "&lt;b&gt;",
    "\ud800",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_of_an_input_is_more_than_text(world: World, trace: Trace, name: str) -> None:
    hops = tuple(
        replace(
            hop,
            steps=tuple(replace(s, text=name, detail=f"{s.number}{name}") for s in hop.steps),
        )
        for hop in trace.hops
    )
    request = replace(trace.request, source=name, destination=name)
    outcome = replace(trace.outcome, reason=name, advice=name, server_pod=name)
    odd = replace(trace, hops=hops, request=request, outcome=outcome, assumptions=(name,))
    text = page(world, odd, odd)
    text.encode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    plain = Outline(page(world, trace, trace))
    assert [tag for tag, _ in Outline(text).tags if tag in ("script", "style", "img", "b")] == [
        tag for tag, _ in plain.tags if tag in ("script", "style")
    ]
    assert {frozenset(a) for _, a in Outline(text).tags} <= {frozenset(a) for _, a in plain.tags}


def test_every_branch_has_its_place_and_the_same_drawing() -> None:
    book = build_world([str(sample("guestbook"))])
    found = list(walks(book, parse_request(book, "pod/client", "svc/frontend")))
    assert len(found) == 3
    outline = Outline(page(book, *found))
    assert len(outline.all("article")) == 3
    assert len(outline.all("option")) == 9
    assert len({each["viewBox"] if "viewBox" in each else each["viewbox"]
                for each in outline.all("svg")}) == 1  # fmt: skip


def test_a_walk_without_a_step_has_a_page(world: World, trace: Trace) -> None:
    assert "<article" in page(world, replace(trace, hops=()))


def test_the_command_writes_a_file_or_standard_output(tmp_path: Path) -> None:
    asked = ["walk", str(sample("webapp")), "--from", "outside", "--to", "node/node-1:30001"]
    file = tmp_path / "walk.html"
    run = CliRunner().invoke(cli, [*asked, "--format", "html", "-o", str(file)])
    assert (run.exit_code, run.output) == (0, "")
    piped = CliRunner().invoke(cli, [*asked, "--format", "html"])
    assert piped.output == file.read_text(encoding="utf-8")
    small = CliRunner().invoke(cli, [*asked, "--format", "html", "--width", "80", "--height", "24"])
    assert small.exit_code == 0


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture
def shown(world: World, trace: Trace, tmp_path: Path, tab: Page) -> Page:
    file = tmp_path / "walk.html"
    file.write_text(page(world, trace), encoding="utf-8")
    tab.size(1280, 800)
    tab.open(file.as_uri())
    return tab


def current(tab: Page) -> Any:
    return tab.value("document.querySelector('article:not([hidden]) [aria-current]').id")


def words(tab: Page) -> Any:
    """The words of the drawing that are seen now."""
    return tab.value(
        "[...document.querySelectorAll('article:not([hidden]) svg text')].filter(t => "
        "getComputedStyle(t).visibility === 'visible').map(t => t.textContent).join(' ')"
    )


@needs_chromium
def test_a_browser_walks_with_keys_and_clicks(shown: Page, trace: Trace) -> None:
    assert current(shown) == "1.0"
    shown.press("ArrowRight", "ArrowRight")
    assert current(shown) == "1.2"
    assert "TCP SYN" in words(shown)
    shown.press("End")
    assert current(shown) == f"1.{len(trace.steps)}"
    assert "connected" in words(shown)
    shown.press("Home")
    assert current(shown) == "1.0"
    shown.press("r")
    first_reply = next(h.steps[0].number for h in trace.hops if h.direction.value == "reply")
    assert current(shown) == f"1.{first_reply}"
    shown.click('[id="1.12"] > a')
    shown.until("document.querySelector('[aria-current]').id === '1.12'")
    assert "DNAT" in words(shown)
    assert "KUBE-SEP-" in shown.value("document.querySelector('.caption').textContent")
    assert shown.value("location.hash") == "#1.12"
    shown.press(".")
    assert current(shown) != "1.12"


@needs_chromium
def test_a_browser_fetches_nothing_and_logs_nothing(shown: Page) -> None:
    shown.press("ArrowRight", "End", "t", "z", "?")
    assert [url for url in shown.asked if not url.startswith("file:")] == []
    assert len(shown.asked) == 1
    assert shown.errors == []


@needs_chromium
def test_a_browser_shows_it_light_and_dark(shown: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = shown.value(ground)
    assert len(shown.picture()) > 20_000
    shown.size(1280, 800, dark=True)
    dark = shown.value(ground)
    assert dark != light
    shown.press("t")
    assert shown.value(ground) == light


@needs_chromium
def test_a_hostile_page_runs_nothing(world: World, trace: Trace, tmp_path: Path, tab: Page) -> None:
    step = trace.steps[0]
    hops = (replace(trace.hops[0], steps=(replace(step, text=HOSTILE[0], detail=HOSTILE[1]),)),)
    file = tmp_path / "odd.html"
    file.write_text(page(world, replace(trace, hops=hops)), encoding="utf-8")
    tab.open(f"{file.as_uri()}#1.1")
    assert "</script>" in tab.value("document.querySelector('.caption').textContent")
    assert tab.value("document.scripts.length") == 1
    assert tab.errors == []
