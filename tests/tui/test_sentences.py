"""Sentences have the room that there is: nothing is cut off beside an empty row."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.check.opening import opening
from k8stui.cluster.options import ClusterOptions
from k8stui.export.drawing.header import header
from k8stui.export.drawing.ink import Ink, hang, run, text_of, width_of, wrap
from k8stui.export.drawing.words import sentence, told
from k8stui.nodes.options import NodeOptions
from k8stui.tui.desk import Desk
from k8stui.tui.frame import View, body_height
from k8stui.tui.names import PaneName
from k8stui.tui.status import in_full, now, title
from k8stui.walk.landmarks import telling
from k8stui.walk.world import build_world

SAMPLES_DIR = Path(__file__).resolve().parents[2] / "samples"
WORDS = st.lists(st.text("ab/.-é宽", min_size=1, max_size=30), min_size=1, max_size=12)
SAMPLES = [
    "webapp",
    "broken/local-policy-no-pod-here",
    "broken/target-port-name-unknown",
    "broken/webapp-wrong-selector",
]


@cache
def desk(name: str) -> Desk:
    folder = SAMPLES_DIR / name
    world = build_world([str(folder)])
    trace = opening(world, [str(folder)])
    assert trace is not None
    made = Desk(world)
    made.show(trace)
    return made


@given(WORDS, st.integers(8, 60), st.integers(0, 8), st.integers(0, 40))
def test_a_word_that_fits_on_a_line_is_never_broken(
    words: list[str], width: int, indent: int, lead: int
) -> None:
    lines = wrap(" ".join(words), width, indent=indent, lead=lead)
    assert "".join("".join(lines).split()) == "".join(words)
    for n, line in enumerate(lines):
        assert width_of(line) <= (width if n else max(width - lead, 0))
    whole = [part for line in lines for part in line.split()]
    for word in words:
        if width_of(word) <= width - min(indent, width // 2):
            assert word in whole


@given(WORDS, st.integers(20, 60), st.integers(1, 5))
def test_a_text_is_cut_only_where_every_row_is_full(words: Any, width: Any, rows: Any) -> None:
    lines = hang(run("▶ 7 "), " ".join(words), width, Ink.TEXT, rows=rows)
    shown = [text_of(line) for line in lines]
    assert all(width_of(line) <= width for line in shown)
    if shown[-1].endswith("…"):
        assert len(shown) == rows
    else:
        assert "".join("".join(shown).split()) == "▶7" + "".join(words)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(("width", "height"), [(80, 3), (60, 3), (80, 5), (200, 3)])
def test_the_status_cuts_no_sentence_beside_an_empty_row(
    name: Any, width: Any, height: Any
) -> None:
    state = desk(name).state
    for number in range(len(state.steps)):
        state.go(number)
        rows = [text_of(line) for line in now(state, width, height)]
        assert len(rows) == height
        assert all(width_of(row) <= width for row in rows)
        assert all(rows) or not any(row.endswith("…") for row in rows)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_end_says_what_the_client_feels(name: Any) -> None:
    state = desk(name).state
    state.go(len(state.steps) - 1)
    trace = state.trace
    assert trace is not None
    said = " ".join(" ".join(map(text_of, now(state, 80, 5))).split())
    assert trace.outcome.reason[:60] in said
    word = "connected" if name == "webapp" else "refused"
    assert word in said or "timed out" in said


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("turned", [(), ("what if externalTrafficPolicy Local",)])
def test_the_title_never_loses_the_port(width: Any, turned: Any) -> None:
    state = desk("webapp").state
    state.turned = turned
    try:
        for number in (0, len(state.steps) - 1):
            state.go(number)
            shown = text_of(title(state, width))
            assert ":30001" in shown
            assert width_of(shown) <= width
    finally:
        state.turned = ()


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(("width", "height"), [(78, 21), (58, 15), (64, 48), (78, 11)])
@pytest.mark.parametrize("pane", [PaneName.WALK, PaneName.CHAIN])
def test_what_is_selected_is_seen_from_its_first_line(
    name: Any, width: Any, height: Any, pane: Any
) -> None:
    made, view = desk(name), View()
    for number in range(len(made.state.steps)):
        made.state.go(number)
        sheet = made.views.sheet(pane, width, height)
        room = body_height(sheet, height)
        assert room >= 3
        view.keep(sheet, width, room)
        if sheet.cursor is None:  # no entry of the table decided
            continue
        assert view.top <= sheet.cursor < view.top + room
        if sheet.extent <= room:
            assert sheet.cursor + sheet.extent <= view.top + room


@pytest.mark.parametrize("name", SAMPLES)
def test_a_reason_is_whole_where_there_is_room(name: Any) -> None:
    made = desk(name)
    for number in range(len(made.state.steps)):
        made.state.go(number)
        for height in (19, 34):
            sheet = made.views.sheet(PaneName.CHAIN, 58, height)
            cut = [text_of(line) for line in sheet.foot if text_of(line).endswith("…")]
            assert not cut or body_height(sheet, height) <= 3


@pytest.mark.parametrize("kind", ["proxy", "deliver", "encapsulate", "route", "arp"])
def test_what_decided_is_in_its_table(kind: Any) -> None:
    folder = SAMPLES_DIR / "webapp"
    for options in (
        (ClusterOptions(proxy_mode="userspace"), None),
        (None, NodeOptions(cni="flannel-vxlan")),
        (None, NodeOptions(cni="docker0")),
    ):
        world = build_world([str(folder)], *options)
        trace = opening(world, [str(folder)])
        assert trace is not None
        made = Desk(world)
        made.show(trace)
        for number, step in enumerate(trace.steps):
            if step.kind.value == kind and step.detail and step.cause is not None:
                made.state.go(number)
                sheet = made.views.sheet(PaneName.CHAIN, 100, 30)
                assert sheet.cursor is not None, step
                # `ip route show table local` does not say of each row which table it is in.
                # What ss says of each socket, whose proof needs no more than its address, is more.
                row = sheet.copied(sheet.cursor).removeprefix("tcp  ")
                assert row == step.detail.replace(" table local", "")


def test_no_address_of_the_link_layer_is_drawn_half() -> None:
    folder = SAMPLES_DIR / "webapp"
    world = build_world([str(folder)], ClusterOptions(proxy_mode="userspace"))
    trace = opening(world, [str(folder)])
    assert trace is not None
    for step in trace.steps:
        link = text_of(header(step.before, step.after)[3])
        source, arrow, destination = link.removeprefix("mac").partition(" → ")
        assert not arrow or (source.strip() and destination.strip())


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_cut_is_one_key_away(name: Any) -> None:
    state = desk(name).state
    for number in range(len(state.steps)):
        state.go(number)
        shown = [text_of(line) for line in now(state, 60, 3)]
        assert shown[-1].endswith(" e all ") == any("…" in row for row in shown)
        whole = " ".join(" ".join(map(text_of, in_full(state, 60))).split())
        assert "…" not in whole
        is_end = number + 1 == len(state.steps)
        assert state.trace is not None
        said = state.trace.outcome.reason if is_end else sentence(state.steps[number])
        assert "".join(told(said).split()) in "".join(whole.split())


@pytest.mark.parametrize("folder", sorted((SAMPLES_DIR / "broken").iterdir()), ids=lambda f: f.name)
def test_at_a_failures_end_the_reason_comes_first(folder: Path) -> None:
    state = desk(f"broken/{folder.name}").state
    state.go(len(state.steps) - 1)
    rows = [text_of(line) for line in now(state, 80, 3)]
    wanted = [text_of(line) for line in in_full(state, 80)]
    reason = next((n for n, row in enumerate(wanted) if row.startswith(" → ")), len(wanted))
    if reason <= 2:  # and one row for what would mend it
        assert rows[:reason] == wanted[:reason]


def test_what_is_walked_first_is_shown_where_it_failed() -> None:
    failed, connected = (desk(name).state.trace for name in ("broken/hairpin-off", "webapp"))
    assert failed is not None
    assert connected is not None
    assert telling(failed) == (failed.outcome.step or 0) - 1 > 0
    assert telling(connected) == 0
