"""Quantities in billionths, and what no machine has: nothing takes long, nothing is raised."""

from __future__ import annotations

import pytest

from k8stui.apiserver.quantity import parse

ONE = 10**9
MOST = (2**63 - 1) * ONE


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("2", 2 * ONE),
        ("500m", ONE // 2),
        ("0.5", ONE // 2),
        ("1.5Gi", 3 * 2**29 * ONE),
        ("1e3", 1000 * ONE),
        (3, 3 * ONE),
        (1.5, 3 * ONE // 2),
        (True, 0),
        ("x", 0),
        ("NaN", 0),
        ("Infinity", 0),
        ("1e-999999999", 0),
        ("1e999999999", MOST),
        ("-1e999999999", -MOST),
        ("9" * 5000, MOST),
        ("20E", MOST),
        (2**200, MOST),
        (1e308, MOST),
    ],
)
def test_parse(written: object, amount: int) -> None:
    assert parse(written) == amount
