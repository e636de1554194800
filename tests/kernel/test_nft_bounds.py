"""Rulesets of nftables as nobody writes them: what cannot be read is said, and costs its length."""

from __future__ import annotations

import pytest

from k8stui.kernel.nft import listed_json, text
from k8stui.kernel.nft.compile import statements
from k8stui.kernel.nft.errors import NftError
from k8stui.kernel.nft.statement import Unknown

NINES = "9" * 5_000
DEEP = 3_000


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(f"meta mark {'(' * DEEP}0x1{')' * DEEP}", id="parentheses"),
        pytest.param(f"meta mark set meta mark{' | 0x1' * DEEP}", id="bits"),
        pytest.param(f"{'update @s { ip saddr ' * DEEP}{'}' * DEEP}", id="dynamic sets"),
        pytest.param(f"meta mark {NINES}", id="a value"),
        pytest.param(f"limit rate {NINES}/second", id="a rate"),
        pytest.param(f"quota {NINES} bytes", id="an amount"),
        pytest.param(f"numgen random mod {2**32} vmap {{ 0 : drop }}", id="numbers to draw"),
        pytest.param(f"ip saddr 10.0.0.0/{NINES}", id="a prefix"),
    ],
)
def test_what_nobody_writes_is_not_understood(rule: str) -> None:
    assert isinstance(statements(rule)[-1], Unknown)


@pytest.mark.parametrize(
    ("listed", "line"),
    [
        pytest.param("table a {\n" * DEEP, 2, id="tables in tables"),
        pytest.param(f"table ip t {{\n set s {{\n type mark\n size {NINES}\n }}\n}}", 2, id="size"),
        pytest.param(
            f"table ip t {{\n set s {{\n type mark\n timeout {NINES}h\n }}\n}}", 2, id="timeout"
        ),
        pytest.param("table ip t {\n set s {\n type mark\n timeout z\n }\n}", 2, id="no time"),
        pytest.param(
            f"table ip t {{\n chain c {{\n type nat hook input priority {NINES};\n }}\n}}",
            3,
            id="priority",
        ),
    ],
)
def test_where_it_cannot_be_read_is_said(listed: str, line: int) -> None:
    with pytest.raises(NftError) as caught:
        text.parse(listed)
    assert caught.value.line == line
    assert "Exceeds" not in str(caught.value)


def test_numbers_of_json_that_are_none() -> None:
    one = '{"set": {"family": "ip", "table": "t", "name": "s", "type": "mark", "timeout": 1e999}}'
    with pytest.raises(NftError):
        listed_json.parse(f'{{"nftables": [{one}]}}')


def test_a_text_may_come_back_to_a_table() -> None:
    listed = "".join(f"table ip t {{\n chain c{n} {{\n accept\n }}\n}}\n" for n in range(3))
    (table,) = text.parse(listed).tables
    assert list(table.chains) == ["c0", "c1", "c2"]
