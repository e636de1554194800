"""--ipset: a real node's sets decide in its real rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.kernel.exchange import Result
from k8stui.nodes.errors import ObservedFileError
from k8stui.nodes.options import NodeOptions
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world, sample

RULES = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m set --match-set blocked src -j DROP
COMMIT
"""


def result(tmp_path: Path, blocked: str | None) -> Result:
    rules, sets = tmp_path / "rules", tmp_path / "sets"
    rules.write_text(RULES)
    options = NodeOptions(iptables={"node-1": str(rules)})
    if blocked is not None:
        sets.write_text(f"create blocked hash:net family inet\nadd blocked {blocked}\n")
        options = NodeOptions(iptables={"node-1": str(rules)}, ipset={"node-1": str(sets)})
    world = build_world([str(sample("guestbook"))], None, options)
    return walk(world, parse_request(world, "pod/client", "203.0.113.10:80")).outcome.result


@pytest.mark.parametrize(
    ("blocked", "expected"),
    [("10.244.0.0/16", Result.TIMEOUT), (None, Result.UNKNOWN)],
    ids=["in-the-set", "no-set-given"],
)
def test_the_set_decides(blocked: str | None, expected: Result, tmp_path: Path) -> None:
    assert result(tmp_path, blocked) is expected


def test_a_file_that_is_no_ipset_save_is_told(tmp_path: Path) -> None:
    with pytest.raises(ObservedFileError, match=r":3: "):
        result(tmp_path, "10.0.0.0/9\nswap blocked other")


def test_an_element_not_understood_leaves_its_rule_open(tmp_path: Path) -> None:
    assert result(tmp_path, "10.0.0.0/99") is Result.UNKNOWN
