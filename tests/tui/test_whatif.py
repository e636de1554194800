"""What if: the same request under another setting, and back."""

from __future__ import annotations

from typing import Any

import pytest
from tui import harness

from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.exchange import Result
from k8stui.tui.compare_screen import CompareScreen
from k8stui.tui.desk import Desk
from k8stui.tui.jobs import Jobs
from k8stui.tui.listing import ListScreen
from k8stui.walk.comparisons import Kind
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.whatif import WhatIf, first_difference, what_ifs
from k8stui.walk.world import build_world, sample

WORLD = build_world([str(sample("guestbook"))])
NODE_PORT = parse_request(WORLD, "outside", "node/node-1:30080")


def turned(words: str) -> WhatIf:
    return next(w for w in what_ifs(WORLD, NODE_PORT) if w.words == words)


def test_every_setting_is_offered_with_what_it_is_now() -> None:
    found = {each.words: each.now for each in what_ifs(WORLD, NODE_PORT)}
    assert found["hairpin off"] == "as the plug-in sets it"
    assert found["bridge-nf-call-iptables 0"] == "1"
    assert found["masqueradeAll true"] == "false"
    assert found["proxy-mode userspace"] == "iptables"
    assert found["externalTrafficPolicy Local"] == "Cluster"
    assert found["internalTrafficPolicy Local"] == "Cluster"
    assert found["cni docker0"] == "flannel"
    no_service = parse_request(WORLD, "outside", "pod/frontend-1:80")
    assert not any("Policy" in each.words for each in what_ifs(WORLD, no_service))


@pytest.mark.parametrize("words", [w.words for w in what_ifs(WORLD, NODE_PORT)])
def test_each_can_be_walked_and_turned_back(words: str) -> None:
    after = turned(words).apply()
    assert walk(after, NODE_PORT).steps
    other = {each.now for each in what_ifs(after, NODE_PORT)}
    assert words.rsplit(maxsplit=1)[-1] in other
    assert turned(words).apply() is not WORLD


def test_the_local_policy_keeps_the_client_s_address() -> None:
    before = walk(WORLD, NODE_PORT)
    after = walk(turned("externalTrafficPolicy Local").apply(), NODE_PORT)
    assert before.outcome.source_seen_by_server != after.outcome.source_seen_by_server
    assert str(after.outcome.source_seen_by_server) == "203.0.113.10"
    at = first_difference(before, after)
    assert at is not None
    assert before.steps[at].text != after.steps[at].text
    assert first_difference(before, before) is None
    assert after.outcome.result is Result.CONNECTED


def test_worlds_are_stacked() -> None:
    desk = Desk(WORLD)
    desk.show(walk(WORLD, NODE_PORT), 3)
    worlds = [turned(words).apply() for words in ("hairpin off", "masqueradeAll true", "cni ptp")]
    desk.go_to(worlds[0], "what if hairpin off")
    desk.go_to(worlds[1], "what if masqueradeAll true")
    assert desk.state.turned_words == "what if hairpin off, masqueradeAll true"
    assert desk.as_read is WORLD
    assert desk.turn_back()
    assert desk.state.turned_words == "what if hairpin off"
    assert desk.turn_back()
    assert (desk.world, desk.state.index) == (WORLD, 3)
    assert not desk.turn_back()
    for world, said in zip(worlds, ("what if a", "after: b", "what if c"), strict=True):
        desk.go_to(world, said)
    assert desk.state.turned_words == "what if a, after: b, what if c"
    desk.go_to(worlds[0], "never said")
    assert desk.state.turned_words == "what if a"
    desk.go_to(WORLD, "never said")
    assert (desk.world, desk.state.turned, desk.state.index) == (WORLD, (), 3)


async def test_i_turns_a_setting_and_u_goes_back() -> None:
    app = harness.make_app(Jobs([str(sample("guestbook"))]))
    async with app.run_test(size=(120, 40)) as pilot:
        await harness.ready(pilot)
        driver: Any = harness.Driver(app, pilot, harness.LiteralJobs())
        await driver.press("i")
        assert isinstance(app.screen, CompareScreen)
        assert app.screen.kind is Kind.SETTINGS
        await driver.press("down")
        await driver.press("o")
        assert "what if externalTrafficPolicy Local" in driver.text("#title")
        assert driver.state.index > 0
        await driver.press("u")
        assert "what if" not in driver.text("#title")
        assert driver.state.index == 0


async def test_in_userspace_mode_the_turns_are_the_branches() -> None:
    jobs = Jobs([str(sample("guestbook"))], ClusterOptions(proxy_mode="userspace"))
    app = harness.make_app(jobs)
    async with app.run_test(size=(120, 40)) as pilot:
        await harness.ready(pilot)
        driver: Any = harness.Driver(app, pilot, harness.LiteralJobs())
        await driver.press("b")
        await driver.settle()
        assert isinstance(app.screen, ListScreen)
        await driver.press("down", "enter")
        await driver.settle()
        proxy = next(s for s in driver.state.trace.steps if s.kind == "proxy")
        assert "2nd of 3, next: 3rd" in proxy.text


async def test_the_palette_has_every_what_if() -> None:
    app = harness.make_app(Jobs([str(sample("guestbook"))]))
    async with app.run_test(size=(80, 24)) as pilot:
        await harness.ready(pilot)
        commands = {one.title: one.callback for one in app.get_system_commands(app.screen)}
        assert {f"compare {kind.value}" for kind in Kind} <= {*commands}
        assert "what if hairpin off" in commands
        driver: Any = harness.Driver(app, pilot, harness.LiteralJobs())
        commands["what if proxy-mode userspace"]()
        await pilot.pause(0)
        await driver.settle()
        assert isinstance(app.screen, CompareScreen)
        assert "proxy-mode userspace  ✓ connected, pod sees" in driver.text("#face")
        await driver.press("enter")
        assert "B proxy-mode userspace" in driver.text("#face")


@pytest.mark.parametrize("kind", Kind)
async def test_the_palette_opens_every_kind(kind: Kind) -> None:
    app = harness.make_app(Jobs([str(sample("guestbook"))]))
    async with app.run_test(size=(80, 24)) as pilot:
        await harness.ready(pilot)
        commands = {one.title: one.callback for one in app.get_system_commands(app.screen)}
        commands[f"compare {kind.value}"]()
        await pilot.pause(0)
        assert isinstance(app.screen, CompareScreen)
        assert app.screen.kind is kind


async def test_the_palette_asks_again() -> None:
    app = harness.make_app(Jobs([str(sample("guestbook"))]))
    async with app.run_test(size=(120, 40)) as pilot:
        await harness.ready(pilot)
        driver: Any = harness.Driver(app, pilot, harness.LiteralJobs())
        for times in (1, 2):
            (command,) = (
                one for one in app.get_system_commands(app.screen) if one.title == "ask again"
            )
            command.callback()
            await driver.settle()
            request = driver.state.trace.request
            assert request.connect.earlier == times
            first = next(s.before for s in driver.state.trace.steps if s.before is not None)
            assert first.sport == request.connect.port_of(times)


async def test_a_what_if_says_what_was_and_what_is_and_takes_no_node_away() -> None:
    app = harness.make_app(Jobs([str(sample("webapp"))]))
    async with app.run_test(size=(80, 24)) as pilot:
        await harness.ready(pilot)
        driver: Any = harness.Driver(app, pilot, harness.LiteralJobs())
        await driver.press("i")
        await driver.press("down", "o")
        said = " ".join(driver.text("#keys").split())
        assert "Cluster → Local: connected, pod sees 192.168.0.11 → timed out after 134 s" in said
        await driver.press("home")
        drawn = driver.text("#layout")
        assert not any("node-2" in hop.namespace for hop in driver.state.trace.hops)
        assert "node-2" in drawn
        await driver.press("u", "home")
        assert driver.text("#layout") == drawn
