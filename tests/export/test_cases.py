"""Tables of cases as text and JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from k8stui.export.cases import CaseTable, cases_json, cases_lines
from k8stui.export.drawing.ink import Ink, line_width, text_of
from k8stui.export.drawing.words import told
from k8stui.walk.comparisons import Kind, table
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.ways import ways
from k8stui.walk.world import build_world, sample

WORLD = build_world([str(sample("webapp"))])
WAYS = ways(WORLD, "default/myweb")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("kind", [Kind.WAYS, Kind.SETTINGS, Kind.ENTRIES, Kind.MODES])
def test_columns_stand_under_their_names(width: int, kind: Kind) -> None:
    trace = walk(WORLD, parse_request(WORLD, "outside", "node/node-1:30001"))
    drawn = CaseTable(table(WORLD, trace, kind), width)
    for n in range(len(drawn.cases.rows)):
        lines = drawn.lines(n)
        assert len(lines) == drawn.lines_a_row
        assert line_width(lines[0]) == line_width(drawn.head())
        if width >= 80:
            assert all(line_width(line) <= width for line in lines)


def test_long_names_give_way_to_what_is_said_of_each_case() -> None:
    rows = tuple(replace(row, name=f"{row.name}-{'long' * 15}") for row in WAYS.rows)
    columns = tuple(f"{name}-{'longer' * 10}-{n}" for n, name in enumerate(WAYS.columns))
    named = replace(WAYS, rows=rows, columns=columns)
    drawn = CaseTable(named, 80)
    whole = [drawn.head(), *(line for n in range(len(rows)) for line in drawn.lines(n))]
    assert all(line_width(line) <= 80 for line in whole)
    told = "\n".join(map(text_of, whole))
    for verdict in ("✓ DNAT SNAT", "✗ unreachable", "ports 30001 ⇒ 8080 ⇒ 8080"):
        assert verdict in told
    for n in range(len(columns)):
        assert f"-{n}" in text_of(drawn.head())  # a name keeps its end


@pytest.mark.parametrize("width", [80, 140])
def test_the_text_says_who_can_what_is_rewritten_what_is_seen_and_which_ports(width: int) -> None:
    text = "\n".join(cases_lines(WAYS, width))
    for words in ("✗ unreachable", "✓ DNAT SNAT", "192.168.0.11", "30001 ⇒ 8080 ⇒ 8080"):
        assert words in text
    assert "externalTrafficPolicy is Cluster" in " ".join(text.split())


def test_the_json_says_the_same() -> None:
    document = json.loads(cases_json(WAYS))
    assert document["columns"] == ["pod mysql-1", "node-1", "outside"]
    by_name = {row["name"]: row for row in document["rows"]}
    row = by_name["node-1:30001"]
    assert row["ports"] == [30001, 8080, 8080]
    browser = row["cases"][2]
    assert (browser["delivered"], browser["nat"]) == (True, ["DNAT", "SNAT"])
    assert browser["source_seen_by_server"] == "192.168.0.11"
    assert browser["source_is_client"] is False


SETTINGS = table(
    WORLD, walk(WORLD, parse_request(WORLD, "outside", "node/node-1:30001")), Kind.SETTINGS
)


@pytest.mark.parametrize(("width", "height"), [(80, 21), (120, 31), (200, 47), (40, 10)])
def test_a_page_keeps_its_size_and_the_table_its_place(width: int, height: int) -> None:
    drawn = CaseTable(SETTINGS, width)
    rules = set()
    for row in range(len(SETTINGS.rows)):
        lines = [text_of(line) for line in drawn.page(height, row, 0)]
        assert len(lines) == height
        rules.add(next(n for n, line in enumerate(lines) if line.startswith("──────────")))
    assert len(rules) == 1


@pytest.mark.parametrize(("width", "height"), [(80, 21), (120, 31), (200, 47)])
def test_all_is_said_of_the_case_under_the_cursor(width: int, height: int) -> None:
    drawn = CaseTable(SETTINGS, width)
    for row, each in enumerate(SETTINGS.rows):
        words = " ".join(" ".join(map(text_of, drawn.page(height, row, 0))).split())
        one = each.cells[0]
        assert one is not None
        for said in (one.trace.outcome.reason, one.trace.outcome.advice):
            assert " ".join(told(said).split()[-3:]) in words


def test_what_is_as_the_first_one_stands_back() -> None:
    drawn = CaseTable(SETTINGS, 80)
    inks = {row.name: {ink for _, ink in drawn.lines(n)[0]} for n, row in enumerate(SETTINGS.rows)}
    assert Ink.OK in inks["as it is"]
    assert Ink.OK not in inks["hairpin on"]
    assert Ink.CHANGED in inks["externalTrafficPolicy Local"]
    assert Ink.OK in inks["proxy-mode userspace"]


def test_where_there_is_room_the_way_is_drawn() -> None:
    drawn = CaseTable(SETTINGS, 120)
    shown = "\n".join(text_of(line) for line in drawn.page(45, 1, 0))
    assert "PREROUTING" in shown
    assert "✗ DROP" in shown
    assert "PREROUTING" not in "\n".join(text_of(line) for line in drawn.page(31, 1, 0))
