"""Rules on their way to iptables-restore."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.kernel import save
from k8stui.kernel.rules import Chain
from k8stui.kernel.step import Fork, Way
from k8stui.lab.planning.restore import decided, is_harmless, restore_text

TEXT = """*nat
:OUTPUT ACCEPT [0:0]
:SVC - [0:0]
-A OUTPUT -j SVC
-A SVC -m statistic --mode random --probability 0.33333333349 -j RETURN
-A SVC -m statistic --mode nth --every 2 --packet 0 -j RETURN
COMMIT
"""


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("-A INPUT -s 10.0.0.0/8 ! -i cni0 -p tcp -m tcp --dport 80 -j ACCEPT", True),
        ('-A INPUT -m comment --comment "-M --modprobe=/tmp/x" -j ACCEPT', True),
        ("-A INPUT -m statistic --mode random --probability 0.5 -j ACCEPT", True),
        ("-A INPUT -M /tmp/evil -m nothing -j ACCEPT", False),
        ("-A INPUT -M/tmp/evil -j ACCEPT", False),
        ("-A INPUT -nM/tmp/evil -j ACCEPT", False),
        ("-A INPUT --modprobe=/tmp/evil -j ACCEPT", False),
        ("-A INPUT --modp /tmp/evil -j ACCEPT", False),
        ("-A INPUT -m ../../tmp/evil -j ACCEPT", False),
        ("-A INPUT -j ../../tmp/evil", False),
        ("-A INPUT -j ACCEPT\n-M /tmp/evil", False),
        ('-A INPUT -m comment --comment "open', False),
    ],
)
def test_only_what_iptables_save_prints_is_handed_on(text: str, harmless: bool) -> None:
    assert is_harmless(text) is harmless


@pytest.mark.parametrize(
    ("index", "matched", "line"),
    [
        (1, True, "-A SVC -m statistic --mode random --probability 1.00000000000 -j RETURN"),
        (1, False, "-A SVC -m statistic --mode random --probability 0.00000000000 -j RETURN"),
        (2, False, "-A SVC -m statistic --mode random --probability 0.00000000000 -j RETURN"),
    ],
)
def test_chance_is_decided(index: int, matched: bool, line: str) -> None:
    text, refused = restore_text(save.parse(TEXT), {("nat", "SVC", index): (matched,)})
    lines, before = text.splitlines(), TEXT.splitlines()
    assert lines[3 + index] == line
    assert [b for n, b in enumerate(before) if n != 3 + index] == [
        b for n, b in enumerate(lines) if n != 3 + index
    ]
    assert refused == ()


def test_refused_rules_are_told() -> None:
    text, refused = restore_text(save.parse(TEXT.replace("-j SVC", "-M /x/evil -j SVC")), {})
    assert refused == ("-A OUTPUT -M /x/evil -j SVC",)
    assert "/x/evil" not in text


@pytest.mark.parametrize(
    ("draws", "options"),
    [
        ((True, True), "--mode random --probability 1.00000000000"),
        ((False, False, False), "--mode random --probability 0.00000000000"),
        ((True, False), "--mode nth --every 4 --packet 0"),
        ((False, True), "--mode nth ! --every 4 --packet 0"),
        ((False, True, False), "--mode nth --every 5 --packet 1"),
    ],
)
def test_chance_that_was_asked_again(draws: tuple[bool, ...], options: str) -> None:
    text, _ = restore_text(save.parse(TEXT), {("nat", "SVC", 1): draws})
    assert f"-A SVC -m statistic {options} -j RETURN" in text.splitlines()


class Statistic:
    """net/netfilter/xt_statistic.c statistic_mt: counts how often it is asked."""

    def __init__(self, words: list[str]) -> None:
        self.certain = float(words[-1]) == 1 if "random" in words else None
        self.negated = "!" in words
        self.every = int(words[words.index("--every") + 1]) if self.certain is None else 0
        self.packet = int(words[-1]) if self.certain is None else 0
        self.count = 0

    def matches(self) -> bool:
        if self.certain is not None:
            return self.certain
        self.count += 1
        return ((self.count - 1) % self.every == self.packet) is not self.negated


@given(st.lists(st.booleans(), min_size=1, max_size=9))
def test_matches_in_a_row_draw_as_chance_did(draws: list[bool]) -> None:
    """A match that says no keeps the question from those behind it; the last choice stays."""
    text, refused = restore_text(save.parse(TEXT), {("nat", "SVC", 1): tuple(draws)})
    options = text.splitlines()[4].removesuffix(" -j RETURN").split(" -m statistic ")[1:]
    row = [Statistic(one.split()) for one in options]
    assert not refused
    asked = [*draws, draws[-1], draws[-1]]
    assert [all(one.matches() for one in row) for _ in asked] == asked


def test_each_choice_of_a_rule_counts() -> None:
    ways = (Way(0, Fraction(1, 3)), Way(1, Fraction(2, 3)))
    forks = tuple(
        Fork(namespace=where, table="nat", chain=Chain("SVC"), ways=ways, chosen=chosen)
        for where, chosen in (("a", 1), ("a", 0), ("b", 0))
    )
    assert decided(forks, "a") == {("nat", "SVC", 1): (False, True), ("nat", "SVC", 2): (True,)}
    assert decided(forks, "b") == {("nat", "SVC", 1): (True,)}
