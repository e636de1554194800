"""Each pane from literal values, without an app."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tui import literal

from k8stui.export.drawing.frame import Film
from k8stui.export.drawing.ink import Ink, line_width, text_of
from k8stui.export.drawing.layout import draw
from k8stui.export.drawing.places import HUB
from k8stui.export.drawing.scene import scene
from k8stui.export.drawing.words import place_sign, step_sign
from k8stui.kernel.exchange import Result
from k8stui.kernel.packet import TcpFlags
from k8stui.kernel.rules import Chain, Rule
from k8stui.kernel.step import Direction, Hook, RuleCause, SocketCause, StepKind
from k8stui.tui import status
from k8stui.tui.chain_pane import ChainSheet, shown_chain
from k8stui.tui.cluster_rows import ClusterRows
from k8stui.tui.desk import Desk
from k8stui.tui.entries_pane import EntriesSheet
from k8stui.tui.frame import View, body_height, framed
from k8stui.tui.layout_pane import LayoutSheet
from k8stui.tui.names import PaneName
from k8stui.tui.nodes_pane import NodesSheet
from k8stui.tui.state import State
from k8stui.tui.tree import RowKind, Tree
from k8stui.tui.walk_pane import WalkRows, WalkSheet

k = StepKind
STEPS = len(literal.TRACE.steps)
SIZES = [(28, 10), (58, 16), (78, 17), (150, 30)]


def at(number: int) -> State:
    state = State(world=literal.WORLD)
    state.show(literal.TRACE, number - 1)
    return state


def shown(sheet: Any, width: Any, height: Any) -> Any:
    view = View()
    view.keep(sheet, width, body_height(sheet, height))
    return framed(sheet, view, width + 2, height, focused=True)


def text(lines: Any) -> Any:
    return "\n".join(text_of(line) for line in lines)


def inks(lines: Any, ink: Any) -> Any:
    return "".join(part for line in lines for part, each in line if each is ink)


# Every pane, every step, every size: exactly filling its frame


@pytest.mark.parametrize("pane", list(PaneName))
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_row_is_as_wide_as_its_frame(pane: Any, width: Any, height: Any) -> None:
    desk = Desk(literal.WORLD)
    desk.show(literal.TRACE)
    for number in range(STEPS):
        desk.state.go(number)
        lines = shown(desk.views.sheet(pane, width, height), width, height)
        assert len(lines) == height
        assert {line_width(line) for line in lines} == {width + 2}


@pytest.mark.parametrize("width", [0, 1, 3, 7, 11])
def test_no_width_is_too_small_to_be_drawn(width: Any) -> None:
    desk = Desk(literal.WORLD)
    desk.show(literal.TRACE)
    for pane in PaneName:
        sheet = desk.views.sheet(pane, width, 4)
        assert len(framed(sheet, View(), width + 2, 4, focused=False)) == 4


# Walk


def test_a_step_is_its_sentence_and_its_kind() -> None:
    rows = text(row.line for row in WalkRows(literal.TRACE, 80).rows)
    assert "14 ⇄ DNAT      DNAT to frontend-2 at 10.244.2.2:80" in rows
    assert "▶ node-1" in rows
    assert "◀ pod default/frontend-2" in rows
    assert "reply" in rows


def test_the_current_step_is_lit_in_the_colour_of_its_direction() -> None:
    forward = shown(WalkSheet(WalkRows(literal.TRACE, 60), at(14), 20), 60, 20)
    assert "14 ⇄ DNAT" in inks(forward, Ink.HERE)
    reply = shown(WalkSheet(WalkRows(literal.TRACE, 60), at(24), 20), 60, 20)
    assert "24 ↓ route" in inks(reply, Ink.BACK)


def test_changed_header_fields_stand_before_and_after() -> None:
    lines = shown(WalkSheet(WalkRows(literal.TRACE, 60), at(14), 20), 60, 20)
    assert "dst  192.168.0.11:30080 ⇒ 10.244.2.2:80" in text(lines)
    assert "10.244.2.2:80" in inks(lines, Ink.CHANGED)
    assert "203.0.113.10:40000" not in inks(lines, Ink.CHANGED)


def test_the_origin_is_said_with_file_and_line() -> None:
    lines = shown(WalkSheet(WalkRows(literal.TRACE, 60), at(14), 20), 60, 20)
    assert "● declared  frontend.yaml:31" in text(lines)


def test_the_last_step_shows_what_the_client_feels() -> None:
    lines = text(shown(WalkSheet(WalkRows(literal.TRACE, 60), at(STEPS), 30), 60, 30))
    assert "✓ connected" in lines
    assert "source address that the server saw: 192.168.0.11" in lines


def test_a_failure_says_how_long_and_what_would_mend_it() -> None:
    outcome = replace(
        literal.TRACE.outcome,
        result=Result.TIMEOUT,
        errno="ETIMEDOUT",
        seconds=134.0,
        reason="dropped on node-1",
        advice="set externalTrafficPolicy to Cluster",
        source_seen_by_server=None,
    )
    rows = text(row.line for row in WalkRows(replace(literal.TRACE, outcome=outcome), 70).rows)
    assert "✗ timed out (ETIMEDOUT) after 134 s" in rows
    assert "→ set externalTrafficPolicy to Cluster" in rows


def test_control_characters_of_the_input_never_get_out() -> None:
    evil = replace(literal.TRACE.steps[0], text="a\x1b[2Jb\u202ec", detail="\x07")
    hop = replace(literal.TRACE.hops[0], steps=(evil,), namespace="no\x1bde")
    trace = replace(literal.TRACE, hops=(hop,))
    state = State(world=literal.WORLD)
    state.show(trace)
    everything = [row.line for row in WalkRows(trace, 60).rows]
    everything += status.now(state, 80, 3)
    assert not set(text(everything)) & {"\x1b", "\x07", "\u202e"}


# Chain


def chain_sheet(number: int, width: int = 62, height: int = 18, **view: Any) -> ChainSheet:
    state = at(number)
    for name, value in view.items():
        setattr(state.chain, name, value)
    found = shown_chain(state)
    assert found is not None
    return ChainSheet(found, state, width, height)


def test_a_long_run_of_unmatched_rules_folds() -> None:
    sheet = chain_sheet(8)
    lines = text(shown(sheet, 62, 18))
    assert "9,994 rules: other destinations" in lines
    assert "MATCH" in lines
    assert "PREROUTING ▸ KUBE-SERVICES" in lines
    assert ":KUBE-SERVICES - [0:0]" in lines
    assert len(sheet) < 12


def test_unfolded_there_is_a_row_for_every_rule() -> None:
    sheet = chain_sheet(8, unfolded=True)
    assert [sheet.rule_at(n) for n in (0, 9995)] == [(1, 0), (9996, 0)]
    assert sheet.rule_at(9996) == (9997, 0)
    assert sheet.rule_at(9997) == (9997, 1)
    assert "-d 10.96.0.0/32" in text_of(sheet.line(0))


@pytest.mark.parametrize("number", [4, 15, 22])
@pytest.mark.parametrize("width", [40, 58])
def test_entries_are_whole_where_all_have_room(number: Any, width: Any) -> None:
    low, high = (EntriesSheet(at(number), width, height) for height in (9, 40))
    assert "…" not in "".join(text_of(high.line(row)) for row in range(len(high)))
    assert {low.copied(row) for row in range(len(low))} >= {
        high.copied(row) for row in range(len(high))
    }
    starts = [row for row in range(len(high)) if not high.entry_at(row)[1]]
    assert [high.moved(row, 1) for row in starts] == [*starts[1:], starts[-1]]
    assert [high.moved(row, -1) for row in starts] == [starts[0], *starts[:-1]]
    assert len(starts) == len({high.entry_at(row)[0] for row in range(len(high))})


def test_rules_are_whole_where_all_have_room() -> None:
    number = next(
        n
        for n in range(1, len(literal.TRACE.steps))
        if (found := shown_chain(at(n))) is not None and 1 < len(found.chain.rules) < 5
    )
    cut, whole = chain_sheet(number, 40, 12), chain_sheet(number, 40, 40)
    rules = whole.shown.chain.rules
    prefix = f"-A {whole.shown.chain.name} "
    lines = " ".join(text(shown(whole, 40, 40)).replace("│", " ").split())
    for index, rule in enumerate(rules, start=1):
        said = rule.text if index == whole.shown.index else rule.text.removeprefix(prefix)
        assert said.split()[-1] in lines
    assert "…" in text(shown(cut, 40, 12))
    rows = [whole.rule_at(row) for row in range(len(whole))]
    starts = [row for row, at_row in enumerate(rows) if at_row is None or not at_row[1]]
    assert [whole.moved(row, 1) for row in starts] == [*starts[1:], starts[-1]]
    for row in starts:
        moved = chain_sheet(number, 40, 40, cursor=row)
        assert moved.cursor == row
        at_row = rows[row]
        assert moved.selected() is (rules[at_row[0] - 1] if at_row else None)


class CountingRules(Sequence[Rule]):
    """Knows how many rules were looked at."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules, self.looked = rules, 0

    def __len__(self) -> int:
        return len(self.rules)

    def __getitem__(self, n: Any) -> Any:
        self.looked += 1
        return self.rules[n]


def test_drawing_looks_at_the_rules_on_the_screen_only() -> None:
    state = at(8)
    found = shown_chain(state)
    assert found is not None
    rules = CountingRules(found.chain.rules)
    counted = replace(found, chain=Chain(found.chain.name, rules))
    rules.looked = 0
    shown(ChainSheet(counted, state, 62, 18), 62, 18)
    assert rules.looked < 40
    state.chain.unfolded = True
    state.chain.cursor = 5000
    rules.looked = 0
    shown(ChainSheet(counted, state, 62, 18), 62, 18)
    assert rules.looked < 40


def test_finding_looks_into_folded_rules_and_unfolds() -> None:
    sheet = chain_sheet(8)
    row = sheet.find("svc-4711 cluster", 0, 1)
    assert row is not None
    assert "svc-4711 cluster" in sheet.copied(row)
    assert sheet.find("no such thing", 0, 1) is None


def test_the_matching_rule_is_whole_and_copied_as_printed() -> None:
    sheet = chain_sheet(14)
    lines = shown(sheet, 62, 18)
    lit = " ".join(inks(lines, Ink.MATCH).split())
    assert "▶ 2 -A KUBE-SEP-L55DM3FBX75NO2RY -p tcp" in lit
    assert "--to-destination 10.244.2.2:80" in lit
    assert sheet.copied(sheet.cursor or 0) == literal.CHAINS[literal.SEP].rules[1].text
    assert "because" in text(lines)
    assert "endpoint frontend-2" in " ".join(text(lines).replace("│", "").split())


def test_the_rule_under_the_cursor_says_why_it_is_there() -> None:
    lines = text(shown(chain_sheet(14, cursor=0), 62, 18))
    assert "a pod that reaches itself is masqueraded" in lines


def test_a_policy_that_decided_is_lit() -> None:
    chain = Chain("FORWARD", (Rule("-A FORWARD -j KUBE-FORWARD"),), policy="DROP")
    cause = RuleCause(table="filter", chain=chain, index=0, rule=None, skipped=1)
    step = replace(literal.TRACE.steps[7], cause=cause, kind=StepKind.DROP, hook=Hook.FORWARD)
    hop = replace(literal.TRACE.hops[2], steps=(step,))
    state = State(world=literal.WORLD)
    state.show(replace(literal.TRACE, hops=(hop,)))
    found = shown_chain(state)
    assert found is not None
    lines = shown(ChainSheet(found, state, 62, 18), 62, 18)
    assert "policy DROP" in inks(lines, Ink.DROP)
    assert "✗ DROP" in inks(lines, Ink.DROP)


@pytest.mark.parametrize(
    ("number", "title", "decided"),
    [
        (1, "outside · routes", "default via 203.0.113.1 dev eth0"),
        (4, "wire · neighbours", "192.168.0.11 dev lan lladdr 02:00:c0:a8:00:0b"),
        (5, "wire · forwarding database", "02:00:c0:a8:00:0b dev node-1"),
        (15, "node-1 · routes", "10.244.2.0/24 via 192.168.0.12 dev eth0"),
        (22, "default/frontend-2 · sockets", "LISTEN *:80 php-redis"),
    ],
    ids=["route", "neighbour", "fdb", "host-gw", "socket"],
)
def test_where_no_rule_decides_the_entry_that_did_is_lit(
    number: Any, title: Any, decided: Any
) -> None:
    lines = shown(EntriesSheet(at(number), 70, 18), 70, 18)
    assert title in text(lines)
    assert decided in inks(lines, Ink.MATCH)
    assert "DECIDED" in inks(lines, Ink.MATCH)


def test_a_conntrack_entry_is_shown_whole() -> None:
    lines = " ".join(inks(shown(EntriesSheet(at(6), 60, 18), 60, 18), Ink.MATCH).split())
    assert "src=203.0.113.10 dst=192.168.0.11 sport=40000 dport=30080" in lines


# Layout


def film(width: int = 110, height: int = 30) -> Film:
    made = scene(literal.NETWORK, literal.CLUSTER, literal.TRACE)
    return Film(made, literal.CLUSTER, literal.TRACE, width, height)


def layout(number: int, width: int = 110, height: int = 30) -> Any:
    shown = film(width, height)
    return LayoutSheet(shown, at(number)), shown.drawing(number - 1)


def test_what_is_inside_is_drawn_inside() -> None:
    sheet, made = layout(1, height=36)
    rows = [text_of(sheet.line(n)) for n in range(len(sheet))]
    all_text = "\n".join(rows)
    for piece in ("outside", "203.0.113.10", "wire", "node-1", "node-2", "cni0 10.244.2.1"):
        assert piece in all_text
    for piece in ("vethf566434a", "frontend-2", "eth0 10.244.2.2", "php-redis :80"):
        assert piece in all_text
    assert "02:00:0a:f4:02:02" in all_text
    node = next(y for y, row in enumerate(rows) if "─ node-2" in row or "node-2 ─" in row)
    pod = next(y for y, row in enumerate(rows) if "frontend-2 ─" in row)
    assert pod > node
    left = rows[pod].index("╭ frontend-2")
    assert rows[node].index("╭ node-2") < left
    assert made.spots["default/frontend-2", "eth0"].parent == ("node-2", "vethf566434a")


def test_nothing_moves_between_steps() -> None:
    shown = film()
    assert {id(shown.drawing(n)) for n in range(STEPS)} == {id(shown.drawing(0))}
    assert {len(shown.frame(n).lines()) for n in range(STEPS)} == {shown.drawing(0).canvas.height}


def test_where_not_all_fits_one_node_is_open_and_every_line_keeps_its_place() -> None:
    shown = film(78, 17)
    opened = []
    lines: set[tuple[int, ...]] = set()
    boxes: set[int] = set()
    for n in range(STEPS):
        drawing = shown.drawing(n)
        rows = [text_of(line) for line in shown.frame(n).lines()]
        assert len(rows) <= 17
        lines.add(tuple(rows.index(row) for row in rows if row[1:3] in ("▸ ", "▾ ")))
        boxes.add(next(y for y, row in enumerate(rows) if row.startswith("╭ node-")))
        assert drawing.canvas.width <= 78
        opened.append("node-1" if "╭ node-1" in "".join(rows) else "node-2")
    assert set(opened) == {"node-1", "node-2"}
    assert len(boxes) == 1


def test_the_card_shows_what_is_swapped() -> None:
    sheet, _ = layout(14)
    drawn = text(sheet.line(n) for n in range(len(sheet)))
    assert "⇒ 10.244.2.2:80 DNAT" in drawn
    assert "dst 192.168.0.11:30080" in drawn


def test_the_card_hides_neither_the_packet_nor_what_was_done_there() -> None:
    for size in ((110, 30), (78, 17), (200, 48)):
        shown = film(*size)
        for n in range(STEPS):
            frame = shown.frame(n)
            assert frame.eye is not None
            glyph, _ = frame.over[frame.eye]
            assert glyph in "▶◀✗"


@pytest.mark.parametrize(
    ("number", "place", "ink"),
    [
        (1, "▶ client", Ink.HERE),
        (14, "▶ PREROUTING", Ink.HERE),
        (22, "▶ php-redis :80", Ink.HERE),
        (23, "◀ php-redis :80", Ink.BACK),
        (24, "◀ route", Ink.BACK),
    ],
)
def test_the_packet_is_where_the_step_is(number: Any, place: Any, ink: Any) -> None:
    sheet, _ = layout(number)
    assert place in inks([sheet.line(n) for n in range(len(sheet))], ink)


def test_what_a_node_does_is_said_where_it_is_done() -> None:
    sheet, made = layout(14)
    desk = made.desks["node-1", "PREROUTING"]
    rows = [text_of(sheet.line(desk.y + n))[desk.x :] for n in range(desk.height)]
    assert any(row.startswith("⇄ DNAT") for row in rows)


def test_the_way_so_far_is_lit_and_the_rest_is_not() -> None:
    shown = film()
    made = shown.drawing(13)
    trail = {cell for cell, (_, ink) in shown.frame(13).over.items() if ink is Ink.TRAIL}
    assert set(made.spots["node-1", "eth0"].cells) <= trail
    assert not set(made.spots["node-2", "eth0"].cells) & trail
    assert set(made.spots["outside", "eth0"].cable) <= trail


@pytest.mark.parametrize("width", [40, 78, 110, 160])
@pytest.mark.parametrize("height", [10, 15, 20, 40])
def test_a_drawing_takes_no_more_rows_than_it_must(width: Any, height: Any) -> None:
    made = draw(scene(literal.NETWORK, literal.CLUSTER, literal.TRACE), width, height)
    assert made.canvas.height <= max(height, 15)
    if width >= 78:
        assert made.canvas.width <= width
    assert ("node-2", HUB) in made.spots


# Nodes


@pytest.fixture
def tree() -> Tree:
    return Tree(ClusterRows(literal.WORLD))


def labels(tree: Any) -> Any:
    return [tree.say(item).label for item in tree.items]


def test_a_small_cluster_is_open_at_first(tree: Any) -> None:
    assert labels(tree) == [
        "node-1",
        "frontend-1",
        "redis-leader",
        "node-2",
        "frontend-2",
        "frontend-3",
        "outside",
        "Services",
        "frontend",
        "redis-leader",
    ]


def test_pods_open_into_containers_and_close_again(tree: Any) -> None:
    before = labels(tree)
    tree.toggle(1)
    assert tree.say(tree.items[2])[:2] == ("php-redis", "80")
    tree.toggle(1)
    assert labels(tree) == before


def test_closing_takes_everything_below_along(tree: Any) -> None:
    tree.toggle(1)
    tree.cursor = 2
    tree.toggle(0)
    assert labels(tree)[:2] == ["node-1", "node-2"]
    assert tree.cursor == 0
    tree.toggle(0)
    assert labels(tree)[1:3] == ["frontend-1", "redis-leader"]


def test_finding_opens_what_is_closed(tree: Any) -> None:
    tree.toggle(3)
    assert tree.find("frontend-3", 0)
    assert tree.item is not None
    assert tree.say(tree.item).label == "frontend-3"


def test_assumed_addresses_are_marked(tree: Any) -> None:
    sheet = NodesSheet(tree, 30, None, focused=True)
    assert text_of(sheet.line(1)).endswith("10.244.1.2○")
    assert Ink.ASSUMED in {ink for _, ink in sheet.line(1)}


def test_escape_climbs_to_the_parent(tree: Any) -> None:
    tree.cursor = 4
    assert tree.close_or_climb()
    assert tree.item is not None
    assert tree.item.kind is RowKind.NODE
    assert not tree.close_or_climb()


# Title and the three lines


def test_the_title_says_where_we_are() -> None:
    line = text_of(status.title(at(14), 120))
    for piece in ("outside ─▶ node/node-1:30080", "forward", "hop 3/12", "step 14/29", "p = 1/3"):
        assert piece in line
    assert "✓ connected" in line


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 200])
def test_the_title_fits(width: Any) -> None:
    assert line_width(status.title(at(14), width)) <= max(width, 60)


def test_three_lines_have_the_sentence_the_header_and_the_origin() -> None:
    first, second, third = (text_of(line) for line in status.now(at(14), 80, 3))
    assert "▶ node-1" in first
    assert "⇄ DNAT" in first
    assert "192.168.0.11:30080 ⇒ 10.244.2.2:80" in second
    assert "declared" in third


@pytest.mark.parametrize(
    ("kind", "cause", "flags", "glyph", "word"),
    [
        (k.DELIVER, SocketCause(socket=None), TcpFlags.SYN, "✗", "closed"),
        (k.DELIVER, None, TcpFlags.RST | TcpFlags.ACK, "✗", "deliver"),
        (k.DELIVER, None, TcpFlags.SYN | TcpFlags.ACK, "✓", "deliver"),
        (k.DROP, None, TcpFlags.SYN, "✗", "DROP"),
    ],
    ids=["nobody-listens", "reset", "answer", "drop"],
)
def test_bad_news_looks_bad(kind: Any, cause: Any, flags: Any, glyph: Any, word: Any) -> None:
    first = literal.TRACE.steps[-1]
    packet = replace(first.after, flags=flags) if first.after is not None else None
    step = replace(first, kind=kind, cause=cause, after=packet)
    sign = step_sign(step)
    assert (sign.glyph, sign.word) == (glyph, word)
    assert (place_sign(step, Direction.FORWARD).ink is Ink.STOP) is (glyph == "✗")


def failed_state() -> State:
    """The walk cut off on node-1 by a drop."""
    hops = list(literal.TRACE.hops[:3])
    last = hops[-1]
    drop = replace(last.steps[4], kind=k.DROP, text="made to fail for a reason of some length")
    hops[-1] = replace(last, steps=(*last.steps[:4], drop))
    outcome = replace(
        literal.TRACE.outcome,
        result=Result.TIMEOUT,
        errno="ETIMEDOUT",
        seconds=134.2,
        reason="dropped on node-1",
        advice="set externalTrafficPolicy to Cluster",
    )
    state = State(world=literal.WORLD)
    trace = replace(literal.TRACE, hops=tuple(hops), outcome=outcome)
    state.show(trace, len(trace.steps) - 1)
    return state


def test_a_failure_is_told_where_it_happens_and_where_it_is_felt() -> None:
    state = failed_state()
    assert state.trace is not None
    made = scene(literal.NETWORK, literal.CLUSTER, state.trace)
    sheet = LayoutSheet(Film(made, literal.CLUSTER, state.trace, 78, 18), state)
    drawn = text(sheet.line(n) for n in range(len(sheet)))
    assert "made to fail for a reason of some length" in " ".join(drawn.split())
    assert "✗ timed out after 134 s" in drawn
    said = text(status.now(state, 80, 3))
    assert "✗ timed out (ETIMEDOUT) after 134 s  dropped on node-1" in said
    assert "→ set externalTrafficPolicy to Cluster" in said
