"""What is sent to ``nft -f`` comes back as it was: recorded rulesets, and made-up ones.

In a network namespace of its own. Where nft is not installed or namespaces are forbidden, the tests
say so and are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel.nft_rules import CONDITION
from kernel.test_nft_listing import listed, told

from k8stui.kernel.nft import text
from k8stui.kernel.nft.compatible import own
from k8stui.kernel.nft.compile import statements
from k8stui.kernel.nft.listing import Form, listing
from k8stui.kernel.nft.statement import Unknown


def through_nft(sent: str) -> str:
    if not shutil.which("nft"):
        pytest.skip("nft is not on this machine")
    apart = ["unshare", "-n" if os.geteuid() == 0 else "-Urn"]
    if subprocess.run([*apart, "true"], check=False, capture_output=True).returncode:
        pytest.skip("namespaces are forbidden on this machine")
    done = subprocess.run(
        [*apart, "sh", "-c", "nft -f - && nft list ruleset"],
        input=sent,
        capture_output=True,
        text=True,
        check=False,
    )
    if "Message too long" in done.stderr:
        pytest.skip("so much at once takes more rights: SO_SNDBUFFORCE")
    assert not done.returncode, f"{done.stderr}\n{sent}"
    return done.stdout


@pytest.mark.parametrize("path", listed(), ids=lambda path: "/".join(path.parts[-3:]))
def test_a_recorded_ruleset_goes_through_nft(path: Path) -> None:
    ruleset = own(text.parse(told(path)))
    if ruleset.tables:
        assert through_nft(listing(ruleset, Form.SENT)) == listing(ruleset)


@given(st.lists(CONDITION, min_size=5, max_size=40))
@settings(max_examples=10)
def test_rules_at_random_go_through_nft(conditions: list[str]) -> None:
    """nft takes what was read and printed, and prints what is read without a rest, and the same."""
    written = "".join(f"\t\t{one} counter\n" for one in conditions)
    made = text.parse(f"table inet t {{\n\tchain c {{\n{written}\t}}\n}}\n")
    printed = through_nft(listing(made, Form.SENT))
    found = text.parse(printed)
    rules = found.tables[0].chains["c"].chain.rules
    assert len(rules) == len(conditions)
    for rule, asked in zip(rules, conditions, strict=True):
        said = statements(rule.text)
        assert not any(isinstance(one, Unknown) for one in said), rule.text
        assert " ".join(map(str, said)) == rule.text
        if "{" not in rule.text:  # nft puts the elements of a set into an order of its own
            assert " ".join(map(str, statements(f"{asked} counter"))) == rule.text
