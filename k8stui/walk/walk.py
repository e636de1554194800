"""A request → the whole walk, there and back: one branch, or all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from k8stui.walk.trace import Request, Trace

if TYPE_CHECKING:
    from k8stui.walk.world import World


def walk(world: World, request: Request) -> Trace:
    """The branch in which every random rule that can match does: the first endpoint's."""
    raise NotImplementedError


def walks(world: World, request: Request) -> Iterator[Trace]:
    """Every branch, numbered from 1; their probabilities sum to 1. The first is `walk`'s."""
    raise NotImplementedError
