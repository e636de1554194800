"""What a rule names: the chains that it may lead to, sets, networks, and its comment."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.kernel.address import Prefix
from k8stui.kernel.nft.compile import statements
from k8stui.kernel.nft.literal import Network
from k8stui.kernel.nft.lookup import AnonymousSet, NamedSet
from k8stui.kernel.nft.statements.comment import Comment
from k8stui.kernel.nft.statements.match import Match
from k8stui.kernel.nft.verdict import Said


def chains(rule: str) -> tuple[str, ...]:
    """Names of the chains that the rule jumps or goes to, by itself or by its own map."""
    found = (one.chain for one in _within(statements(rule)) if isinstance(one, Said))
    return tuple(filter(None, found))


def sets(rule: str) -> tuple[str, ...]:
    """Names of the sets and maps that the rule asks, or puts something into."""
    return tuple(one.name for one in _within(statements(rule)) if isinstance(one, NamedSet))


def networks(rule: str) -> tuple[Prefix, ...]:
    """Networks that stand in the rule itself."""
    return tuple(one.prefix for one in _within(statements(rule)) if isinstance(one, Network))


def comments(rule: str) -> tuple[str, ...]:
    """What somebody wrote about the rule."""
    return tuple(one.text for one in statements(rule) if isinstance(one, Comment))


def _within(one: object) -> Iterator[object]:
    """A statement or expression, and all that it is made of."""
    yield one
    if isinstance(one, Match):
        one = (one.left, one.right)
    elif isinstance(one, AnonymousSet):
        one = one.elements
    if isinstance(one, tuple):
        for part in one:
            yield from _within(part)
