"""Exit statuses."""

from __future__ import annotations

FINE = 0
FOUND = 1
"""Findings, differences, or a request that is not delivered."""
BAD = 2
"""The input or the command line is wrong."""
