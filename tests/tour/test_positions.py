"""What a position means: requests, branches, steps by what happens, moments, what-ifs."""

from __future__ import annotations

import pytest

from k8stui.export.comparison import comparison_lines
from k8stui.export.drawing.ink import text_of
from k8stui.kernel.exchange import Result
from k8stui.tour.comparison import ShownComparison
from k8stui.tour.read import parse_tour
from k8stui.tour.rehearse import Rehearsal, Stop, rehearse
from k8stui.walk.comparisons import Kind
from k8stui.walk.world import sample

FILE = str(sample("tours") / "own.yaml")


def given(*positions: str, head: str = "paths: [../webapp]") -> Rehearsal:
    lines = "\n".join(f"  - {{caption: so, {one}}}" for one in positions)
    return rehearse(parse_tour(FILE, f"input: {{{head}}}\npositions:\n{lines}\n"))


def step(stop: Stop) -> str:
    assert stop.trace is not None
    found = stop.trace.steps[stop.index]
    return f"{found.number} {found.kind.value}"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("start", "1 route"),
        ("end", "52 deliver"),
        ("server", "36 deliver"),
        ("reply", "37 route"),
        ("un-nat", "44 conntrack"),
        ("snat", "19 snat"),
        ("mark", "9 mark"),
        ("7", "7 jump"),
        ("{kind: un-nat, nth: 2}", "48 conntrack"),
        ("{kind: route, node: node-2}", "23 route"),
        ("{node: node-2, direction: reply}", "38 conntrack"),
        ("{pod: myweb-1}", "35 route"),
        ("{pod: default/myweb-1, direction: reply}", "37 route"),
        ("{chain: KUBE-SVC}", "11 jump"),
        ("{node: wire, nth: 3}", "20 bridge"),
    ],
)
def test_a_step_by_what_happens(at: str, expected: str) -> None:
    (stop,) = given(f"ask: outside -> node/node-1:30001, at: {at}").stops
    assert step(stop) == expected


def test_behind_a_proxy_the_server_is_the_pod() -> None:
    head = "paths: [../webapp], options: {proxy-mode: userspace}"
    proxied, direct = given(
        "ask: outside -> node/node-1:30001, at: server",
        "at: server, what-if: proxy-mode=iptables",
        head=head,
    ).stops
    for stop in (proxied, direct):
        assert stop.trace is not None
        assert stop.trace.steps[stop.index].text.startswith("10.244.2.2:8080")


def test_a_request_holds_until_another_one_is_asked_and_so_does_its_branch() -> None:
    head = "paths: [../guestbook]"
    stops = given(
        "ask: outside -> node/node-1:30080, branch: frontend-3, at: fork",
        "at: server",
        "ask: pod/client -> svc/frontend, at: server",
        head=head,
    ).stops
    served = [stop.trace.outcome.server_pod for stop in stops if stop.trace is not None]
    assert served[:2] == ["default/frontend-3"] * 2
    assert stops[0].trace is stops[1].trace
    assert stops[2].trace is not None
    assert stops[2].trace.branch == 1


def test_a_what_if_is_shown_where_it_changes_something() -> None:
    (stop,) = given("ask: outside -> node/node-1:30001, what-if: externalTrafficPolicy=Local").stops
    assert step(stop) == "8 route"
    assert stop.before is not None
    assert stop.before.outcome.result is Result.CONNECTED
    assert stop.trace is not None
    assert stop.trace.outcome.result is Result.TIMEOUT
    assert stop.world is not stop.base


def test_what_ifs_are_turned_one_after_the_other() -> None:
    (stop,) = given(
        'ask: outside -> node/node-2:30001, what-if: ["cni=docker0", "externalTrafficPolicy=Local"]'
    ).stops
    assert [one.setting for one in stop.variations] == ["cni", "externalTrafficPolicy"]
    assert stop.trace is not None
    assert str(stop.trace.outcome.source_seen_by_server) == "203.0.113.10"


def test_moments_of_the_deployment() -> None:
    head = "paths: [../webapp], then: [scale rc/myweb 2, delete svc/myweb]"
    stops = given(
        "ask: outside -> node/node-1:30001, after: start",
        "after: Service/mysql",
        "after: svc/default/myweb",
        "after: scale rc/myweb 2, branch: 2",
        "after: delete Service/myweb, branch: 1",
        head=head,
    ).stops
    results = [stop.trace.outcome.result for stop in stops if stop.trace is not None]
    assert results == [Result.REFUSED] * 2 + [Result.CONNECTED] * 2 + [Result.REFUSED]
    assert stops[3].trace is not None
    assert stops[3].trace.branch == 2
    assert [stop.moment.number for stop in stops if stop.moment is not None] == [0, 2, 4, 5, 6]


def test_who_is_not_there_yet_cannot_ask_yet() -> None:
    (stop,) = given("ask: rc/myweb -> svc/mysql:3306, after: rc/mysql").stops
    assert stop.trace is None
    assert stop.failure.endswith("yet")


def test_files_of_options_are_beside_the_tour() -> None:
    head = (
        "paths: [../broken/nodeport-one-node-only/web.yaml], options: "
        "{iptables: {node-2: ../broken/nodeport-one-node-only/node-2.iptables}}"
    )
    rehearsal = given("ask: outside -> node/node-2:30080", head=head)
    assert rehearsal.world.options.iptables["node-2"].endswith("node-2.iptables")


def comparison(*positions: str) -> ShownComparison:
    shown = given("ask: outside -> node/node-1:30001, " + positions[0]).stops[0].comparison
    assert shown is not None
    return shown


def test_a_table_with_its_cursor() -> None:
    shown = comparison('compare: {table: ways, case: "node-1:30001", column: outside}')
    assert shown.pair is None
    one = shown.cases.at(shown.row, shown.column)
    assert one is not None
    assert one.name == "outside ─▶ node-1:30001"
    assert comparison("compare: plug-ins").kind is Kind.PLUGINS


def test_two_walks_where_they_part_or_at_a_step() -> None:
    shown = comparison("compare: {setting: externaltrafficpolicy=local}")
    assert shown.pair is not None
    assert [one.name for one in shown.pair] == ["as it is", "externalTrafficPolicy Local"]
    assert shown.step is None
    text = comparison_words(shown)
    assert "≠  8 ▸ Cluster" in text
    assert "timed out after 134 s" in text
    later = comparison("compare: {setting: externalTrafficPolicy=Local}, at: failure")
    assert later.step == 11
    assert "12 ▶ node-1  ✗ DROP" in comparison_words(later)
    beside = comparison("compare: {table: plug-ins, case: cni ptp, beside: true}")
    assert beside.pair is not None
    assert beside.pair[1].name == "cni ptp"


def comparison_words(shown: ShownComparison) -> str:
    return "\n".join(text_of(line) for line in comparison_lines(shown, 100, 26))


def test_another_input_beside_this_one() -> None:
    shown = comparison("against: ../broken/webapp-wrong-selector")
    assert shown.kind is Kind.VERSIONS
    assert shown.called == "webapp-wrong-selector"
    assert "≠ ✗ refused" in comparison_words(shown)
    row = shown.cases.rows[0]
    assert row.cells[1] is not None
    assert row.cells[1].turned == "after: webapp-wrong-selector"


def test_a_comparison_at_a_moment_of_the_deployment() -> None:
    first, last = given(
        "ask: pod/mysql-1 -> svc/mysql, after: Service/mysql, compare: ways", "compare: ways"
    ).stops
    assert first.comparison is not None
    assert last.comparison is not None
    assert first.comparison.cases is not last.comparison.cases


def test_a_comparison_holds_for_one_position_only() -> None:
    stops = given("ask: outside -> node/node-1:30001, compare: ways", "at: dnat").stops
    assert [stop.comparison is None for stop in stops] == [False, True]
