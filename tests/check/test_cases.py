"""One file a situation: ``#! RULE SEVERITY`` stands on the line where the finding must be.

No other finding may come: each file is also a test of silence.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from check.worlds import checked

from k8stui.check.rules import (
    conntrack_table,
    differing_sets,
    mtu,
    node_routes,
    node_state,
    proxy_version,
    stale_rules,
    two_backends,
)
from k8stui.check.table import RULES
from k8stui.check.unreadable import RULE as INPUT

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
_MARK = "#! "
_OPTIONS = "# options: "


def expected(text: str) -> list[tuple[int, str, str]]:
    return [
        (number, severity, rule)
        for number, line in enumerate(text.splitlines(), 1)
        for severity, rule in map(str.split, line.split(_MARK)[1:])
    ]


def options(text: str) -> list[str]:
    first = text.partition("\n")[0]
    return first.removeprefix(_OPTIONS).split() if first.startswith(_OPTIONS) else []


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_findings_stand_where_they_are_marked(case: Path) -> None:
    text = case.read_text()
    found = [
        (finding.place.line if finding.place else 0, finding.rule, finding.severity.value)
        for finding in checked(case, options(text))
    ]
    assert found == expected(text)


def test_every_rule_has_a_case() -> None:
    marked = {rule for case in CASES for _, rule, _ in expected(case.read_text())}
    # What is told at a line of a dump has its cases in test_node_state.py, test_collected.py,
    # tests/walk/test_network_reports.py.
    of_dumps = (
        *(node_state, node_routes, stale_rules, proxy_version, two_backends),
        *(differing_sets, mtu, conntrack_table),
    )
    assert marked == {rule.id for rule in (*RULES, INPUT)} - {one.ID for one in of_dumps}
