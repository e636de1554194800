"""What can be typed behind a colon."""

from __future__ import annotations

import pytest
from textual.command import CommandList
from tui.test_key_paths import WEBAPP, Typist, opened

from k8stui.tui import keys
from k8stui.tui.names import PaneName


async def typed(typist: Typist, text: str) -> list[str]:
    """Type behind the colon; what the palette then lists."""
    names = {
        " ": "space",
        "-": "minus",
        ">": "greater_than_sign",
        "[": "left_square_bracket",
        "]": "right_square_bracket",
        "/": "slash",
    }
    await typist.press("colon", *(names.get(letter, letter) for letter in text))
    for _ in range(4):
        await typist.pilot.pause(0.1)
    found = typist.app.screen.query_one(CommandList)
    return [str(found.get_option_at_index(n).prompt) for n in range(found.option_count)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("svc sql", "service/default/mysql"),
        ("pod my", "pod/default/mysql-1"),
        ("node 2", "node/node-2"),
        ("pods", "pod/default/mysql-1"),
        ("nodes", "node/node-1"),
    ],
)
async def test_an_object_is_shown_in_the_tree(text: str, key: str) -> None:
    async with opened(str(WEBAPP)) as typist:
        await typed(typist, text)
        await typist.press("enter")
        desk = typist.walk.desk
        assert desk is not None
        assert typist.walk.front is PaneName.NODES
        assert desk.tree.item is not None
        assert desk.tree.item.key == key


async def test_a_chain_is_opened_where_the_packet_is_next() -> None:
    async with opened(str(WEBAPP)) as typist:
        listed = await typed(typist, "chain node")
        assert any("KUBE-NODEPORTS" in line for line in listed)
        await typist.press("enter")
        assert typist.walk.front is PaneName.CHAIN
        assert "KUBE-NODEPORTS" in typist.shown
        assert "default/myweb" in typist.shown


async def test_a_walk_is_asked_for_in_one_line() -> None:
    async with opened(str(WEBAPP)) as typist:
        listed = await typed(typist, "walk web -> sql")
        assert "walk pod/myweb-1 -> svc/mysql:3306" in listed[0]
        await typist.press("enter")
        assert "✓ connected" in typist.shown
        desk = typist.walk.desk
        assert desk is not None
        assert desk.state.trace is not None
        assert desk.state.trace.request.destination == "svc/default/mysql:3306"


async def test_findings_by_name() -> None:
    async with opened(str(WEBAPP)) as typist:
        await typed(typist, "findings")
        await typist.press("enter")
        assert "Findings" in typist.shown


async def test_each_entry_has_its_key() -> None:
    async with opened(str(WEBAPP), size=(120, 40)) as typist:
        listed = " ".join(await typed(typist, "what"))
        assert "what if   i" in listed
        binding = next(each for each in keys.ALL if each.id == "what-if")
        assert keys.first_name(binding) == "i"


@pytest.mark.parametrize(
    "text", ["svc [", "chain [/b]", "walk -> ", "walk", "pod zzz", "walk [a] -> [b]"]
)
async def test_nothing_that_is_typed_ends_it(text: str) -> None:
    async with opened(str(WEBAPP)) as typist:
        await typed(typist, text)
        await typist.press("escape", "escape")
        assert typist.app.crash is None
