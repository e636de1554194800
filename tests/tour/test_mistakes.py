"""Every kind of mistake in a tour: its line and column, the words, and what was meant."""

# ruff: noqa: E501 - a table
from __future__ import annotations

import re
from pathlib import Path

import pytest

from k8stui.manifests.problem import Problem
from k8stui.tour import read
from k8stui.tour.page import TourError
from k8stui.tour.read import parse_tour, read_tour
from k8stui.tour.rehearse import rehearse
from k8stui.walk.world import sample

FILE = str(sample("tours") / "own.yaml")
"""Beside the samples, so that their paths mean something; it is never read."""
GOOD = """\
title: one request
input:
  paths: [../webapp]
positions:
  - caption: It sets out.
    ask: outside -> node/node-1:30001
  - caption: It is rewritten.
    at: dnat
"""


def problems(content: str) -> tuple[Problem, ...]:
    with pytest.raises(TourError) as caught:
        rehearse(parse_tour(FILE, content))
    return caught.value.problems


def test_a_good_one() -> None:
    found = rehearse(parse_tour(FILE, GOOD))
    assert [stop.index for stop in found.stops] == [0, 11]
    assert found.stops[0].trace is found.stops[1].trace


KINDS = [
    # What is written instead of what, and where the caret has to stand: §.
    ("captoin", "caption: It sets", "§captoin: It sets", "no field 'captoin'", "caption: It sets out."),
    ("root field", "title: one", "§titel: one", "no field 'titel'", "title: one request"),
    ("input field", "  paths: [", "  §path: [", "no field 'path'", "paths: [../webapp]"),
    ("no caption", "- caption: It is rewritten.\n    at: dnat", "- §at: dnat", "needs a caption", ""),
    ("empty caption", "caption: It sets out.", "caption: §''", "is empty", ""),
    ("a list as caption", "caption: It sets out.", "caption: §[a]", "is a text, not a list", ""),
    ("long caption", "It sets out.", "§" + "far " * 100, "too long", ""),
    ("twice", "    at: dnat", "    at: dnat\n    §at: end", "at stands twice", ""),
    ("nothing asked", "    ask: outside -> node/node-1:30001\n", "", "asks nothing", "ask: SOURCE"),
    ("no arrow", "outside -> node/node-1:30001", "§outside to node-1", "who asks whom", "->"),
    ("unknown source", "outside -> node", "§outsid -> node", "outsid", ""),
    ("unknown destination", "node/node-1:30001", "§node/node-7:30001", "node-7", "node-1"),
    ("unknown word", "at: dnat", "at: §dnta", "a step is no 'dnta'", "at: dnat"),
    ("no such step", "at: dnat", "at: §encapsulate", "no step of kind encapsulate", "there is:"),
    ("no such number", "at: dnat", "at: §99", "there is no step 99: the walk has 52", ""),
    ("no failure", "at: dnat", "at: §failure", "does not fail", ""),
    ("unknown kind", "at: dnat", "at: {kind: §snta}", "there is no kind 'snta'", "{kind: snat}"),
    ("unknown field of at", "at: dnat", "at: {§knd: snat}", "no field 'knd'", "{kind: snat}"),
    ("wrong node", "at: dnat", "at: {kind: snat, node: §node-2}", "has node node-2", "node-1"),
    ("too many", "at: dnat", "at: §{kind: snat, nth: 2}", "one step fits", ""),
    ("nth", "at: dnat", "at: {kind: snat, nth: §no}", "whole number", ""),
    ("nothing of at", "at: dnat", "at: §{}", "says nothing", "there is: kind"),
    ("what if", "at: dnat", "what-if: §hairpinn=off", "not a setting", "hairpin=VALUE"),
    ("what if value", "at: dnat", "what-if: §cni=flanel", "cni cannot be", "flannel"),
    ("no value", "at: dnat", "what-if: [§masqueradeAll]", "not a setting", "VALUE"),
    ("moment", "at: dnat", "after: §Service/mysqll", "no step of the deployment", "Service/mysql"),
    ("pane", "at: dnat", "pane: §chian", "there is no pane 'chian'", "pane: chain"),
    ("zoom", "at: dnat", "zoom: §maybe", "true or false", ""),
    ("branch", "at: dnat", "branch: §2", "there is no branch 2", ""),
    ("server", "at: dnat", "branch: §myweb-2", "answers in no branch", "myweb-1"),
    ("table", "at: dnat", "compare: §wais", "there is no table 'wais'", "compare: ways"),
    ("field of compare", "at: dnat", "compare: {§tabel: ways}", "no field 'tabel'", "table: ways"),
    ("compare what", "at: dnat", "compare: §{}", "nothing of what", "table: ways"),
    ("compare a list", "at: dnat", "compare: §[ways]", "is a text, not a list", ""),
    ("case", "at: dnat", "compare: {table: plug-ins, case: §cni doker0}", "no case 'cni doker0'", "cni docker0"),
    ("column", "at: dnat", "compare: {table: ways, column: §outsid}", "no column 'outsid'", "outside"),
    ("nobody", "at: dnat", "against: ../guestbook\n    compare: {case: §pod/client -> svc/frontend:80}", "nobody can ask", ""),
    ("beside", "at: dnat", "compare: {table: ways, beside: §yes}", "beside is true or false", ""),
    ("setting", "at: dnat", "compare: {setting: §hairpinn=off}", "not a setting", "hairpin=VALUE"),
    ("setting's value", "at: dnat", "compare: {setting: §cni=flanel}", "cni cannot be", "flannel"),
    ("as it is", "at: dnat", "compare: {setting: §proxy-mode=iptables}", "is iptables already", ""),
    ("setting of nothing asked", "at: dnat", "ask: pod/myweb-1 -> svc/mysql\n    compare: {setting: §externalTrafficPolicy=Local}", "not set", ""),
    ("setting and table", "at: dnat", "compare: {setting: cni=ptp, table: §ways}", "its own table", "leave it out"),
    ("nothing to compare", "at: dnat", "compare: §branches", "there is one branch", ""),
    ("one input", "at: dnat", "compare: §versions", "versions of what", "against: PATH"),
    ("other input", "at: dnat", "against: §../webap", "there is no", "../webapp"),
    ("no objects in it", "at: dnat", "against: §../../docs/keys.md", "nothing of Kubernetes", ""),
    ("step of a table", "at: dnat", "compare: ways\n    at: §dnat", "a table has no steps", "beside: true"),
    ("step of no walk", "at: dnat", "compare: {setting: cni=ptp}\n    at: §encapsulate", "no step of kind", ""),
    ("what-if of a table", "at: dnat", "compare: ways\n    what-if: §cni=ptp", "turns its settings", "leave what-if"),
    ("pane of a table", "at: dnat", "compare: ways\n    pane: §walk", "has no panes", "leave pane"),
    ("too early", "at: dnat", "ask: outside -> svc/myweb\n    after: start\n    compare: §ways", "nothing can be compared", ""),
    ("path", "../webapp", "§../webap", "there is no", "../webapp"),
    ("absolute path", "../webapp", "§/etc/passwd", "not a path relative", ""),
    ("standard input", "../webapp", "§'-'", "not a path relative", ""),
    ("no paths", "paths: [../webapp]", "§order: files", "needs paths", ""),
    ("order", "paths: [../webapp]", "paths: [../webapp]\n  order: §file", "order cannot be", "files"),
    ("option", "paths: [../webapp]", "paths: [../webapp]\n  options: {§cin: flannel}", "'cin'", "cni"),
    ("plug-in", "paths: [../webapp]", "paths: [../webapp]\n  options: {cni: §flanel}", "flanel", "flannel"),
    ("number", "paths: [../webapp]", "paths: [../webapp]\n  options: {nodes: §many}", "whole number", ""),
    ("switch", "paths: [../webapp]", "paths: [../webapp]\n  options: {hairpin: §so}", "true or false", ""),
    ("host", "paths: [../webapp]", "paths: [../webapp]\n  options: {host: [§nonsense]}", "nonsense", ""),
    ("live cluster", "paths: [../webapp]", "paths: [../webapp]\n  options: {§context: prod}", "'context'", ""),
    ("a text as positions", "positions:\n", "positions: §none\nrest:\n", "is a list", ""),
    ("tag", "title: one", "title: §!!python/name:os.system one", "a tag", "leave it out"),
    ("anchor", "title: one request", "title: §&a one", "", ""),
    ("second document", "positions:", "§---\npositions:", "a second document", ""),
    ("no YAML", "    at: dnat", "    at: §[dnat", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"), [k[1:] for k in KINDS], ids=[k[0] for k in KINDS]
)
def test_a_mistake_stands_at_its_place(old: str, new: str, message: str, hint: str) -> None:
    assert old in GOOD
    written = GOOD.replace(old, new, 1)
    at = written.find("§")
    content = written.replace("§", "")
    if old == "title: one request":  # an anchor alone is harmless; what it stands for is not
        content, at = content.replace("It sets out.", "*a"), content.index("It sets out.")
        message = "an alias"
    found = problems(content)
    assert any(message in one.message and hint in one.hint for one in found), [
        one.render() for one in found
    ]
    one = next(one for one in found if message in one.message and hint in one.hint)
    rendered = one.render()
    assert rendered.startswith(f"{FILE}:{one.line}:{one.column}: ")
    assert "| " in rendered.splitlines()[2]
    assert rendered.splitlines()[2].endswith("^")
    if at >= 0 and message:
        above = content[:at]
        place = (above.count("\n") + 1, at - above.rfind("\n"))
        quoted = content[at] in "'\""
        assert (one.line, one.column) in {place, (place[0], place[1] + quoted)}


def test_all_mistakes_are_told_at_once_in_their_order() -> None:
    content = GOOD.replace("title", "titel").replace("caption: It is", "captoin: It is")
    found = problems(content.replace("at: dnat", "at: dnta"))
    assert [one.line for one in found] == [1, 7, 7, 8]


def test_mistakes_that_only_the_walks_can_tell_are_told_at_once_too() -> None:
    found = problems(GOOD.replace("at: dnat", "at: encapsulate\n  - {caption: x, at: 999}"))
    assert [one.line for one in found] == [8, 9]


def test_then_is_judged_where_it_is_written() -> None:
    content = GOOD.replace("[../webapp]", "[../webapp]\n  then: [delete rc/mysql, delete rc/mywob]")
    found = problems(content.replace("at: dnat", "after: rc/mysql"))
    assert [(one.line, one.column) for one in found] == [(4, 27)]
    assert "mywob" in found[0].message
    assert "rc/myweb" in found[0].message + found[0].hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("[]\n", "made of fields"),
        ("title: x\n", "needs positions"),
        ("apiVersion: v1\nkind: Pod\n", "a Kubernetes object, not a tour"),
        (f"title: x\npositions: [{'a, ' * 300}]\n", "too many"),
        ("title: " + "[" * 50 + "]" * 50, "nested deeper"),
        ("title: \x07\n", "control character"),
    ],
)  # fmt: skip
def test_what_is_no_tour_at_all(content: str, message: str) -> None:
    assert any(message in one.message for one in problems(content))


def test_a_file_that_is_too_long_or_no_text(tmp_path: Path) -> None:
    file = tmp_path / "tour.yaml"
    for raw, message in ((b"#" * (read.MAX_BYTES + 1), "too long"), (b"title: \xff", "not UTF-8")):
        file.write_bytes(raw)
        with pytest.raises(TourError, match="1 problems") as caught:
            read_tour(str(file))
        assert message in caught.value.problems[0].message


def test_what_a_terminal_would_obey_is_no_command() -> None:
    """Neither in what is shown nor in what is said about it."""
    found = parse_tour(FILE, GOOD.replace("It sets out.", r'"\e[31mred\a and\u202e so"'))
    assert not re.search(r"[\x00-\x1f\u202e]", found.positions[0].caption)
    said = problems(GOOD.replace("at: dnat", r'at: "\e[31m"'))[0].render()
    assert "\x1b" not in said
