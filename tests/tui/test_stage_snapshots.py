"""Pictures of the stage: story mode and the deployment replayed, at three sizes."""

from __future__ import annotations

from typing import Any

import pytest
from tui import harness

from k8stui.nodes.options import NodeOptions
from k8stui.tui.jobs import Jobs
from k8stui.tui.themes import LIGHT
from k8stui.walk.world import sample

SIZES = [(80, 24), (120, 34), (200, 50)]
SCENES = {
    "story": ["p", "D"],
    "answer": ["p", "Y", "full_stop"],
    "story-replay": ["p", "t", *["greater_than_sign"] * 4],
    "replay": ["t", "greater_than_sign", "greater_than_sign"],
}


def app(**options: Any) -> Any:
    return harness.make_app(Jobs([str(sample("webapp"))]), **options)


def after(keys: list[str], *, light: bool = False) -> Any:
    """Once the walk is on the screen: keys, each when what the last one began is done."""

    async def run_before(pilot: Any) -> None:
        await harness.ready(pilot)
        driver = harness.Driver(pilot.app, pilot, harness.LiteralJobs())
        await driver.settle()
        if light:
            pilot.app.theme = LIGHT.name
        for key in keys:
            await driver.press(key)
            await driver.settle()

    return run_before


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_the_stage(snap_compare: Any, size: Any, scene: str) -> None:
    assert snap_compare(app(), terminal_size=size, run_before=after(SCENES[scene]))


def test_a_tunnel_on_the_wire(snap_compare: Any) -> None:
    """The card in the card is shut: the header stands on the wire, and in no node."""
    options = NodeOptions(cni="flannel-vxlan")
    made = harness.make_app(Jobs([str(sample("webapp"))], node_options=options))
    keys = after(["S", *["right"] * 11])
    assert snap_compare(made, terminal_size=(80, 24), run_before=keys)


@pytest.mark.parametrize("scene", ["story", "story-replay"])
def test_a_light_stage(snap_compare: Any, scene: str) -> None:
    keys = after(SCENES[scene], light=True)
    assert snap_compare(app(), terminal_size=(120, 34), run_before=keys)


@pytest.mark.parametrize("scene", ["story", "replay"])
def test_the_stage_without_colour_in_ascii(snap_compare: Any, monkeypatch: Any, scene: str) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    made = app(ansi=True, is_ascii=True)
    assert snap_compare(made, terminal_size=(80, 24), run_before=after(SCENES[scene]))
