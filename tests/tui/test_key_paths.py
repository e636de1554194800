"""How many keys lead to what people ask, from the sample's first screen, by the footer alone.

Real manifests, a real walk; each test counts the keys it presses and reads the screen's words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from tui.harness import make_app, ready, settled

from k8stui.export.drawing.ink import text_of
from k8stui.tui.app import K8sTuiApp
from k8stui.tui.drawn import Drawn
from k8stui.tui.footer import footer
from k8stui.tui.jobs import Jobs
from k8stui.tui.screen import WalkScreen

WEBAPP = Path(__file__).parents[2] / "samples" / "webapp"


class Typist:
    """Presses keys, and counts them."""

    def __init__(self, app: K8sTuiApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot
        self.keys = 0

    async def press(self, *keys: str) -> None:
        self.keys += len(keys)
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    async def settle(self) -> None:
        await settled(self.app)
        await self.pilot.pause(0)

    @property
    def walk(self) -> WalkScreen:
        found = self.app.screen_stack[0]
        assert isinstance(found, WalkScreen)
        return found

    @property
    def shown(self) -> str:
        """All words on the screen."""
        drawn = self.app.screen.query(Drawn)
        return "\n".join(line for each in drawn if each.display for line in each.shown_text)


@asynccontextmanager
async def opened(*paths: str, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Typist]:
    app = make_app(Jobs(paths))
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        yield Typist(app, pilot)


def is_in_the_footer(key: str) -> bool:
    return f" {key} " in text_of(footer(80))


async def test_myweb_asks_mysql_in_at_most_eight_keys() -> None:
    assert is_in_the_footer("r")
    async with opened(str(WEBAPP)) as typist:
        await typist.press("r", "w", "enter", "q", "enter")
        assert typist.keys <= 8
        assert "svc/mysql:3306" in typist.shown
        assert "✓ connected" in typist.shown
        trace = typist.walk.desk.state.trace if typist.walk.desk else None
        assert trace is not None
        assert trace.request.source == "pod/default/myweb-1"


@pytest.mark.parametrize("size", [(80, 24), (120, 34)], ids=str)
async def test_why_the_pod_sees_the_nodes_address_in_at_most_four_keys(
    size: tuple[int, int],
) -> None:
    assert is_in_the_footer("o")
    async with opened(str(WEBAPP), size=size) as typist:
        await typist.press("o", "down")
        assert typist.keys <= 4
        assert "source rewritten" in typist.shown
        assert "203.0.113.10:40000 ⇒ 192.168.0.11" in typist.shown
        await typist.press("enter")
        assert typist.keys <= 4
        assert "step 19/" in typist.shown
        assert "SNAT" in typist.shown
        assert "externalTrafficPolicy is Cluster" in " ".join(typist.shown.split())


async def test_the_three_ways_with_what_differs_in_at_most_two_keys() -> None:
    assert is_in_the_footer("w")
    async with opened(str(WEBAPP)) as typist:
        await typist.press("w")
        assert typist.keys <= 2
        for said in ("pod 10.244.2.2:8080", "svc 10.111.102.22:8080", "node-1:30001", "outside"):
            assert said in typist.shown
        for said in ("≠ ✓ DNAT SNAT", "✗ unreachable", "pod sees 192.168.0.11", "30001 ⇒ 8080"):
            assert said in typist.shown
        await typist.press("enter")
        assert typist.keys <= 2
        assert "│ B outside ─▶ node-1:30001" in typist.shown


@pytest.mark.parametrize(
    ("keys", "name", "differs"),
    [
        (("w", "6", "up", "enter"), "cni docker0", "dev do"),
        (("w", "5", "down", "enter"), "proxy-mode userspace", "KUBE-PORTALS"),
        (("w", "2", "down", "enter"), "externalTrafficPolicy Local", "✗ DROP"),
        (("i", "down", "enter"), "externalTrafficPolicy Local", "✗ DROP"),
    ],
)
async def test_a_setting_beside_what_is_in_at_most_four_keys(
    keys: tuple[str, ...], name: str, differs: str
) -> None:
    async with opened(str(WEBAPP)) as typist:
        await typist.press(*keys)
        assert typist.keys <= 4
        assert "A as it is" in typist.shown
        assert f"B {name}" in typist.shown
        assert "≠" in typist.shown
        assert differs in typist.shown


@pytest.mark.parametrize("keys", [("i", "down"), ("w", "2", "down")], ids=" ".join)
async def test_policy_local_in_at_most_three_keys(keys: tuple[str, ...]) -> None:
    assert is_in_the_footer(keys[0])
    async with opened(str(WEBAPP)) as typist:
        await typist.press(*keys)
        assert typist.keys <= 3
        assert "externalTrafficPolicy Local" in typist.shown
        assert "✗ timed out" in typist.shown
        assert "is Local, and node-1 has no endpoint of it" in " ".join(typist.shown.split())


async def test_the_workbench_under_local_in_at_most_three_keys() -> None:
    async with opened(str(WEBAPP)) as typist:
        await typist.press("i", "down", "o")
        assert typist.keys <= 3
        assert "what if externalTrafficPolicy Local" in typist.shown
        said = " ".join(typist.shown.split())
        assert "Cluster → Local: connected, pod sees 192.168.0.11 → timed out after 134 s" in said


async def test_the_replay_to_connected_in_at_most_ten_keys() -> None:
    assert is_in_the_footer("t")
    async with opened(str(WEBAPP)) as typist:
        await typist.press("t", *[">"] * 4)
        assert typist.keys <= 10
        assert "✓ connected" in typist.shown
