"""The figures of a presentation."""

from __future__ import annotations

import pytest

from k8stui.tui.stage import large


@pytest.mark.parametrize("number", [*range(10), 12, 340])
def test_figures_are_three_rows_of_one_width(number: int) -> None:
    rows = large(number)
    assert {len(row) for row in rows} == {4 * len(str(number)) - 1}


def test_no_two_figures_look_alike() -> None:
    assert len({large(number) for number in range(10)}) == 10
