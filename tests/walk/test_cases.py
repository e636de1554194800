"""Tables of cases: ways of access from every side, settings by the same branch, two inputs."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path

import pytest

from k8stui.kernel.exchange import Result
from k8stui.walk.align import Likeness, align
from k8stui.walk.cases import Case, Cases, difference_words, is_usable
from k8stui.walk.comparisons import Kind, differs, is_worse, table, versions
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walk, walks
from k8stui.walk.ways import ways
from k8stui.walk.whatif import asked_again, kept, what_ifs
from k8stui.walk.world import World, build_world, sample

WEBAPP = build_world([str(sample("webapp"))])
GUESTBOOK = build_world([str(sample("guestbook"))])
BROWSER = walk(WEBAPP, parse_request(WEBAPP, "outside", "node/node-1:30001"))


def cell(found: Cases, row: str, column: str) -> Case:
    (line,) = (each for each in found.rows if each.name.startswith(row))
    one = line.cells[found.columns.index(column)]
    assert one is not None
    return one


def test_the_three_ways_from_every_side() -> None:
    found = ways(WEBAPP, "default/myweb")
    assert found.columns == ("pod mysql-1", "node-1", "outside")
    assert [row.ports for row in found.rows] == [
        (8080,),
        (8080, 8080),
        (30001, 8080, 8080),
        (30001, 8080, 8080),
    ]
    assert cell(found, "pod ", "pod mysql-1").changes == ()
    assert cell(found, "svc ", "pod mysql-1").changes == ("DNAT",)
    assert cell(found, "svc ", "outside").trace.outcome.result is Result.UNREACHABLE
    browser = cell(found, "node-1", "outside")
    assert browser.changes == ("DNAT", "SNAT")
    assert (str(browser.seen), browser.sees_client) == ("192.168.0.11", False)
    assert cell(found, "svc ", "pod mysql-1").sees_client
    assert is_usable(found)


def test_a_masquerade_to_the_same_address_is_no_change() -> None:
    own = cell(ways(WEBAPP, "default/myweb"), "node-1", "node-1")
    assert any(step.kind == "snat" for step in own.trace.steps)
    assert own.changes == ("DNAT",)
    assert own.sees_client


def test_a_service_without_endpoints_is_usable_by_nobody() -> None:
    found = ways(build_world([str(sample("broken/selector-matches-nothing"))]), "default/shop")
    assert not is_usable(found)


@pytest.mark.parametrize("number", range(3))
def test_a_setting_keeps_the_chosen_branch(number: int) -> None:
    request = parse_request(GUESTBOOK, "pod/client", "svc/frontend:80")
    chosen = list(walks(GUESTBOOK, request))[number]
    for what_if in what_ifs(GUESTBOOK, request):
        after = what_if.apply()
        asked = asked_again(after, request)
        again = kept(chosen, walks(after, asked))
        # A policy can take the chosen pod out of the choice; else nobody else is chosen.
        choice = {each.outcome.server_pod for each in walks(after, asked)}
        is_there = chosen.outcome.server_pod in choice
        assert is_there or what_if.words == "internalTrafficPolicy Local"
        assert (again.outcome.server_pod == chosen.outcome.server_pod) is is_there, what_if.words


def test_of_branches_the_kept_one_is_itself() -> None:
    request = parse_request(GUESTBOOK, "outside", "node/node-1:30080")
    every = list(islice(walks(GUESTBOOK, request), 20))
    assert [kept(each, every) for each in every] == every


def _turned(words: str) -> Trace:
    found = next(w for w in what_ifs(WEBAPP, BROWSER.request) if w.words == words)
    return walk(found.apply(), BROWSER.request)


def test_what_was_and_what_is_in_a_line() -> None:
    said = difference_words(
        "policy Cluster → Local", BROWSER, _turned("externalTrafficPolicy Local")
    )
    assert said == (
        "policy Cluster → Local: connected, pod sees 192.168.0.11 → timed out after 134 s"
    )
    assert "step by step" in difference_words("x", BROWSER, BROWSER)
    other = difference_words("cni", BROWSER, _turned("cni docker0"))
    assert "still connected, pod sees 192.168.0.11; another way from step" in other


@pytest.mark.parametrize("kind", [Kind.WAYS, Kind.SETTINGS, Kind.ENTRIES, Kind.MODES, Kind.PLUGINS])
def test_every_case_has_a_partner_and_their_steps_are_all_aligned(kind: Kind) -> None:
    found = table(WEBAPP, BROWSER, kind)
    for n, row in enumerate(found.rows):
        for column, one in enumerate(row.cells):
            other = found.partner(n, column)
            assert one is not None
            assert other is not None
            assert other is not one
            pairs = align(other.trace, one.trace)
            lefts = [pair.left for pair in pairs if pair.left is not None]
            rights = [pair.right for pair in pairs if pair.right is not None]
            assert lefts == list(range(len(other.trace.steps)))
            assert rights == list(range(len(one.trace.steps)))


def test_a_walk_beside_itself_parts_nowhere() -> None:
    assert {pair.likeness for pair in align(BROWSER, BROWSER)} == {Likeness.SAME}


def test_what_parts_is_told_from_what_only_carries_another_header() -> None:
    pairs = align(BROWSER, _turned("externalTrafficPolicy Local"))
    likeness = [pair.likeness for pair in pairs]
    assert likeness[:7] == [Likeness.SAME] * 7
    assert likeness[7] is Likeness.UNLIKE


def test_one_branch_is_nothing_to_compare() -> None:
    with pytest.raises(RequestError, match="nothing is left to chance"):
        table(WEBAPP, BROWSER, Kind.BRANCHES)
    request = parse_request(GUESTBOOK, "outside", "node/node-1:30080")
    found = table(GUESTBOOK, walk(GUESTBOOK, request), Kind.BRANCHES)
    chances = (row.cells[0].trace.probability for row in found.rows if row.cells[0] is not None)
    assert sum(chances, Fraction(0)) == 1


def _changed(tmp_path: Path, old: str, new: str) -> World:
    for file in sample("webapp").glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text().replace(old, new))
    return build_world([str(tmp_path)])


def test_two_inputs_are_asked_the_same(tmp_path: Path) -> None:
    same = versions(WEBAPP, WEBAPP, BROWSER)
    assert not any(map(differs, same.rows))
    assert not is_worse(same)
    other = _changed(tmp_path, "type: NodePort", "type: NodePort\n  externalTrafficPolicy: Local")
    found = versions(WEBAPP, other, BROWSER)
    assert is_worse(found)
    assert not is_worse(versions(other, WEBAPP, BROWSER))
    first = found.rows[0]
    assert first.name == "outside ─▶ node/node-1:30001"
    assert differs(first)
    assert [one.is_delivered for one in first.cells if one is not None] == [True, False]
