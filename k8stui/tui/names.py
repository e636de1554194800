"""The names of the four panes. Nothing else: the first frame needs them before all else."""

from __future__ import annotations

from enum import StrEnum


class PaneName(StrEnum):
    """The four panes, in the order of their keys 1-4."""

    NODES = "nodes"
    LAYOUT = "layout"
    CHAIN = "chain"
    WALK = "walk"


KEYS = {name: str(number) for number, name in enumerate(PaneName, start=1)}
