"""Every key, driven through the running app."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.widgets import Input, Static
from tui import harness, literal
from tui.harness import Driver, running

from k8stui.tui.jobs import Jobs
from k8stui.tui.listing import ListScreen
from k8stui.tui.names import PaneName
from k8stui.tui.request import RequestScreen
from k8stui.walk.offers import Offer

MATCHES_NOTHING = str(Path(__file__).parents[2] / "samples/broken/selector-matches-nothing")
LAST = len(literal.TRACE.steps) - 1
SIZES = [(60, 20), (80, 24), (100, 28), (120, 40), (200, 50)]


def size_id(size: Any) -> Any:
    return f"{size[0]}x{size[1]}"


@pytest.mark.parametrize(
    ("before", "keys", "index"),
    [
        (0, ["right"], 1),
        (0, ["l"], 1),
        (0, ["space"], 1),
        (0, ["f8"], 1),
        (0, ["pagedown"], 1),
        (5, ["left"], 4),
        (5, ["h"], 4),
        (5, ["f7"], 4),
        (5, ["pageup"], 4),
        (5, ["full_stop"], 10),
        (10, ["full_stop"], 12),
        (14, ["comma"], 13),
        (5, ["home"], 0),
        (5, ["g"], 0),
        (5, ["end"], LAST),
        (5, ["G"], LAST),
        (5, ["4", "down"], 6),
        (5, ["4", "j", "k", "up"], 4),
        (0, ["left"], 0),
        (LAST, ["right"], LAST),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else str(value),
)
async def test_keys_that_step(before: Any, keys: Any, index: Any) -> None:
    async with running() as driver:
        driver.state.go(before)
        await driver.press(*keys)
        assert driver.state.index == index


@pytest.mark.parametrize("size", SIZES, ids=size_id)
async def test_a_step_moves_every_view(size: Any) -> None:
    async with running(size) as driver:
        await driver.press(*["right"] * 13)
        assert "14/29" in driver.text("#title")
        if driver.screen.query_one("#now").display:
            assert "DNAT to frontend-2" in driver.text("#now")
            assert "10.244.2.2:80" in driver.text("#now")
        else:
            assert "14 ⇄ DNAT" in driver.text("#walk")
        shown = [pane for pane in PaneName if driver.screen.pane(pane).display]
        for pane in shown:
            await driver.press(str(list(PaneName).index(pane) + 1))
        if PaneName.CHAIN in shown:
            assert literal.SEP in driver.text("#chain")
        if PaneName.LAYOUT in shown:
            await driver.press("2")
            assert "⇄ DNAT" in driver.text("#layout")


@pytest.mark.parametrize("size", SIZES, ids=size_id)
async def test_every_pane_can_be_brought_to_the_front(size: Any) -> None:
    async with running(size) as driver:
        for key, name in zip("1234", PaneName, strict=True):
            await driver.press(key)
            assert driver.screen.front is name
            pane = driver.screen.pane(name)
            assert pane.display
            assert pane.size.width > 0
            assert pane.size.height > 3


async def test_tab_goes_round_and_back() -> None:
    async with running() as driver:
        seen = []
        for _ in range(5):
            await driver.press("tab")
            seen.append(driver.screen.front.value)
        assert seen == ["chain", "walk", "nodes", "layout", "chain"]
        await driver.press("shift+tab")
        assert driver.screen.front is PaneName.LAYOUT


@pytest.mark.parametrize("key", ["z", "backslash"])
async def test_zoom_and_back(key: Any) -> None:
    async with running() as driver:
        await driver.press("3", key)
        assert [p for p in PaneName if driver.screen.pane(p).display] == [PaneName.CHAIN]
        assert driver.screen.query_one("#now").display
        await driver.press("4")
        assert [p for p in PaneName if driver.screen.pane(p).display] == [PaneName.WALK]
        await driver.press("escape")
        assert len([p for p in PaneName if driver.screen.pane(p).display]) == 4


async def test_at_80_columns_one_pane_and_the_step_are_seen() -> None:
    async with running((80, 24)) as driver:
        assert [p for p in PaneName if driver.screen.pane(p).display] == [PaneName.LAYOUT]
        assert driver.screen.query_one("#now").size.height == 3
        await driver.press("4")
        assert [p for p in PaneName if driver.screen.pane(p).display] == [PaneName.WALK]


async def test_the_tree_moves_opens_and_climbs() -> None:
    async with running() as driver:
        await driver.press("1", "down", "enter")
        assert "php-redis" in driver.text("#nodes")
        await driver.press("escape")
        assert "php-redis" not in driver.text("#nodes")
        await driver.press("escape")
        assert driver.desk.tree.cursor == 0
        await driver.press("j", "j", "k")
        assert driver.desk.tree.cursor == 1


async def test_a_way_of_access_is_walked(monkeypatch: Any) -> None:
    offer = Offer(label="node:30080", who="everybody", request=literal.REQUEST)
    monkeypatch.setattr("k8stui.walk.offers.offers", lambda *_: (offer,))
    async with running() as driver:
        await driver.press("1", *["down"] * 9)
        assert "node:30080" in driver.text("#nodes")
        await driver.press("enter")
        assert driver.jobs.asked == [None, literal.REQUEST]
        assert "▶ node:30080" in driver.text("#nodes")


async def test_the_chain_unfolds_scrolls_and_folds() -> None:
    async with running() as driver:
        await driver.go(8)
        await driver.press("3")
        assert "9,994 rules: other destinations" in driver.text("#chain")
        await driver.press("up", "up", "up", "enter")
        assert driver.state.chain.unfolded
        assert "svc-0 cluster IP" in driver.text("#chain")
        await driver.press("ctrl+d", "ctrl+u", "down")
        assert driver.state.chain.cursor == 1
        await driver.press("escape")
        assert "9,994 rules" in driver.text("#chain")


async def test_a_jump_can_be_followed_and_left() -> None:
    async with running() as driver:
        await driver.go(14)
        await driver.press("3", "up", "enter")
        assert "KUBE-MARK-MASQ" in driver.text("#chain")
        assert "only read" in driver.text("#chain")
        await driver.press("escape")
        assert "rule 2 of 2" in driver.text("#chain")


@pytest.mark.parametrize("pane", ["2", "4"])
async def test_enter_goes_from_the_step_to_its_chain(pane: Any) -> None:
    async with running() as driver:
        await driver.press(pane, "enter")
        assert driver.screen.front is PaneName.CHAIN


async def test_finding_is_live_and_goes_on() -> None:
    async with running() as driver:
        await driver.press("4", "slash", *"bridge")
        assert driver.state.index == 4
        await driver.press("enter", "n")
        assert driver.state.index == 17
        await driver.press("N")
        assert driver.state.index == 4
        await driver.press("escape")
        assert driver.screen.pane(PaneName.WALK).found == ""


async def test_finding_in_the_chain_unfolds_it() -> None:
    async with running() as driver:
        await driver.go(8)
        await driver.press("3", "slash", *"svc-4711")
        assert driver.state.chain.unfolded
        assert "svc-4711" in driver.text("#chain")


async def test_escape_forgets_what_was_typed() -> None:
    async with running() as driver:
        await driver.press("1", "slash", *"redis", "escape")
        assert driver.screen.pane(PaneName.NODES).found == ""
        await driver.press("right")
        assert driver.state.index == 1


async def test_copying_says_where_it_was_sent(monkeypatch: Any) -> None:
    copied: list[Any] = []
    async with running() as driver:
        monkeypatch.setattr(driver.app, "copy_to_clipboard", copied.append)
        await driver.go(14)
        await driver.press("3", "y")
        await driver.press("4", "y", "2", "y", "1", "y")
        rule = literal.CHAINS[literal.SEP].rules[1].text
        assert copied[0] == rule
        assert copied[1].startswith("14 DNAT: DNAT to frontend-2")
        assert copied[2] == rule
        assert copied[3] == "node-1 192.168.0.11"
        titles = {n.title for n in driver.app._notifications}
        assert titles == {"sent to terminal clipboard"}


async def test_writing_never_overwrites(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    async with running() as driver:
        await driver.press("W", "W")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["k8stui-walk-2.txt", "k8stui-walk.txt"]
    assert "10.244.2.2:80" in (tmp_path / names[0]).read_text()


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_is_full_size_and_says_all_keys(key: Any) -> None:
    async with running((80, 24)) as driver:
        await driver.press(key)
        assert isinstance(driver.app.screen, ListScreen)
        assert "Through the walk" in driver.text("#sheet")
        assert driver.app.screen.query_one("#sheet").size.height >= 22
        await driver.press("end")
        assert "text twin" in driver.text("#sheet")
        await driver.press("escape")
        assert driver.is_on_top


async def test_branches_are_listed_and_taken() -> None:
    async with running() as driver:
        await driver.go(14)
        await driver.press("b")
        assert "p = 1/3" in driver.text("#sheet")
        assert "p = 2/3" in driver.text("#sheet")
        await driver.press("down", "enter")
        assert driver.state.trace is harness.OTHER
        assert driver.state.index == 13
        assert "p = 2/3" in driver.text("#title")


async def test_without_a_fork_there_is_nothing_to_branch() -> None:
    certain = replace(literal.TRACE, probability=Fraction(1))
    async with running(jobs=harness.LiteralJobs(trace=certain)) as driver:
        await driver.press("b")
        assert driver.is_on_top


async def test_the_manifest_lines_behind_a_step(tmp_path: Any, monkeypatch: Any) -> None:
    (tmp_path / "frontend.yaml").write_text("".join(f"line: {n}\n" for n in range(1, 60)))
    monkeypatch.chdir(tmp_path)
    async with running() as driver:
        await driver.go(14)
        await driver.press("m")
        shown = driver.text("#sheet")
        assert "frontend.yaml:31" in shown
        assert "▶ 31  line: 31" in shown
        assert "26  line: 26" in shown
        assert "line: 25" not in shown
        await driver.press("escape")


async def test_no_manifest_line_is_said_so() -> None:
    async with running() as driver:
        await driver.press("right", "right", "m")
        assert driver.is_on_top


async def test_the_request_box_completes_and_asks(monkeypatch: Any) -> None:
    asked = []

    def parse(_world: Any, source: Any, destination: Any, _namespace: Any) -> Any:
        asked.append((source, destination))
        return literal.REQUEST

    monkeypatch.setattr("k8stui.tui.request.parse_request", parse)
    async with running() as driver:
        await driver.press("r")
        assert isinstance(driver.app.screen, RequestScreen)
        source = driver.app.screen.query_one("#source", Input)
        source.value = ""
        await driver.press(*"node/n")
        await driver.pilot.pause(0.05)
        await driver.press("up", "tab")
        assert source.value == "node/node-1"
        driver.app.screen.query_one("#destination", Input).value = "svc/frontend:80"
        await driver.press("enter")
        assert asked[-1] == ("node/node-1", "svc/frontend:80")
        assert driver.jobs.asked == [None, literal.REQUEST]
        assert driver.is_on_top


async def test_who_asks_whom_can_be_typed_in_one(monkeypatch: Any) -> None:
    asked = []

    def parse(_world: Any, source: Any, destination: Any, _namespace: Any) -> Any:
        asked.append((source, destination))
        return literal.REQUEST

    monkeypatch.setattr("k8stui.tui.request.parse_request", parse)
    async with running() as driver:
        await driver.press("r")
        driver.app.screen.query_one("#source", Input).value = "pod/a -> svc/frontend:80"
        await driver.press("enter")
        assert asked[-1] == ("pod/a", "svc/frontend:80")
        assert driver.is_on_top


async def test_a_request_that_means_nothing_is_explained_in_the_box(monkeypatch: Any) -> None:
    from k8stui.walk.request import RequestError

    def parse(*_: Any) -> Any:
        raise RequestError("there is no pod x", hint="did you mean pod/frontend-1?")

    monkeypatch.setattr("k8stui.tui.request.parse_request", parse)
    async with running() as driver:
        await driver.press("r", "enter")
        trouble = driver.app.screen.query_one("#trouble", Static)
        assert "did you mean pod/frontend-1?" in str(trouble.content)
        await driver.press("escape")
        assert driver.is_on_top


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_the_palette_opens(key: Any) -> None:
    async with running() as driver:
        await driver.press(key)
        assert driver.app.screen is not driver.screen
        await driver.press("escape")


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving(key: Any) -> None:
    async with running() as driver:
        await driver.press(key)
        assert driver.app.return_code == 0


async def test_suspending(monkeypatch: Any) -> None:
    async with running() as driver:
        called = []
        monkeypatch.setattr(driver.app, "action_suspend_process", lambda: called.append(True))
        await driver.press("ctrl+z")
        assert called


async def test_problems_of_the_input_are_shown_and_can_be_seen_again() -> None:
    from k8stui.manifests import Problem

    problem = Problem(
        file="web.yaml",
        line=3,
        column=1,
        message="a space is missing after the colon",
        hint="replicas: 1",
        source_line="replicas:1",
    )
    world = SimpleNamespace(**{**vars(literal.WORLD), "problems": (problem,)})
    world.manifests = SimpleNamespace(objects=(1,))
    async with running(jobs=harness.LiteralJobs(world)) as driver:
        for _ in range(2):
            assert isinstance(driver.app.screen, ListScreen)
            shown = driver.text("#sheet")
            assert "web.yaml:3:1: a space is missing" in shown
            assert "replicas:1" in shown
            assert "^" in shown
            await driver.press("escape", "exclamation_mark")
        world.manifests.objects = ()


async def test_nothing_but_problems_ends_with_2_and_the_list() -> None:
    from k8stui.manifests import Problem

    world = SimpleNamespace(
        **{**vars(literal.WORLD), "problems": (Problem(file="x", message="bad"),)}
    )
    world.manifests = SimpleNamespace(objects=())
    app = harness.make_app(harness.LiteralJobs(world))
    async with app.run_test() as pilot:
        await harness.ready(pilot)
    assert app.return_code == 2


async def test_a_file_that_is_not_there_ends_with_2() -> None:
    class Absent(harness.LiteralJobs):
        def build(self, _lookout: Any) -> Any:
            raise FileNotFoundError(2, "No such file or directory", "absent.yaml")

    app = harness.make_app(Absent())
    async with app.run_test() as pilot:
        await harness.ready(pilot)
    assert app.return_code == 2


async def test_a_click_selects_a_step() -> None:
    async with running() as driver:
        await driver.pilot.click("#walk", offset=(10, 3))
        await driver.settle()
        assert driver.screen.front is PaneName.WALK
        assert driver.state.index == 1


async def test_a_click_on_a_place_of_the_drawing_goes_to_the_next_step_there() -> None:
    async with running() as driver:
        rows = driver.text("#layout").splitlines()
        y = next(n for n, row in enumerate(rows) if "PREROUTING" in row)
        x = rows[y].index("PREROUTING")
        await driver.pilot.click("#layout", offset=(x, y))
        await driver.settle()
        assert driver.state.index == 6
        await driver.pilot.click("#layout", offset=(x, y))
        await driver.settle()
        assert driver.state.index == 7


async def test_the_wheel_scrolls_without_moving_the_cursor() -> None:
    async with running((80, 24)) as driver:
        await driver.press("4")
        pane = driver.screen.pane(PaneName.WALK)
        pane.scroll_by(3)
        await driver.settle()
        assert driver.state.index == 0
        assert " 5 ┬ bridge" in driver.text("#walk")


@pytest.mark.parametrize("size", [(20, 6), (40, 12), (79, 23), (300, 80)], ids=size_id)
async def test_no_size_is_too_small_or_large(size: Any) -> None:
    async with running(size) as driver:
        for key in ("1", "2", "3", "4", "z", "right", "end", "z", "f1", "escape", "r", "escape"):
            await driver.press(key)
        await driver.pilot.resize_terminal(90, 25)
        await driver.settle()
        assert driver.app.return_code is None


async def test_few_widgets() -> None:
    async with running() as driver:
        assert len(driver.screen.query("*")) <= 60


async def test_ascii_only_sends_ascii() -> None:
    app = harness.make_app(is_ascii=True)
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            await harness.ready(pilot)
            await pilot.press(*["right"] * 13)
            await pilot.pause()
            driver = Driver(app, pilot, harness.LiteralJobs())
            for widget in ("#title", "#nodes", "#layout", "#chain", "#walk", "#keys"):
                drawn = app.screen.query_one(widget)
                for y in range(drawn.size.height):
                    assert drawn.render_line(y).text.isascii()
            assert "⇄" in driver.text("#walk")
    finally:
        harness.make_app(is_ascii=False)


def test_the_first_frame_needs_nothing_of_the_lower_rooms() -> None:
    """Measured: with them the first frame costs twice as much (benchmarks/tui.py)."""
    code = (
        "import sys; from k8stui.cli.options import room_options; "
        "from k8stui.settings import OPTIONS, Form; import k8stui.cli.show, k8stui.tui.app; "
        "many = (Form.NODE_FILES, Form.HOSTS); "
        "room_options(**{o.name: () if o.form in many else o.default for o in OPTIONS}); "
        "print([m for m in sys.modules if m == 'networkx' or m.startswith('k8stui.') "
        "and m.split('.')[1] in ('kernel', 'manifests', 'apiserver', 'cluster', 'nodes', 'walk', "
        "'export') and m not in ('k8stui.cluster', 'k8stui.cluster.options', 'k8stui.nodes', "
        "'k8stui.nodes.options', 'k8stui.export', 'k8stui.export.charset', 'k8stui.export.plain', "
        "'k8stui.export.terminal', 'k8stui.export.drawing', 'k8stui.export.drawing.ink', "
        "'k8stui.export.drawing.palette')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_a_broken_sample_opens_on_its_failure() -> None:
    app = harness.make_app(Jobs([MATCHES_NOTHING]))
    async with app.run_test(size=(80, 24)) as pilot:
        await harness.ready(pilot)
        driver = Driver(app, pilot, harness.LiteralJobs())
        trace = driver.state.trace
        assert trace is not None
        assert driver.state.index + 1 == trace.outcome.step
        await driver.press("home")
        assert driver.state.index == 0


@pytest.mark.parametrize("theme", ["k8stui-light", "nord", "textual-light", "ansi-dark"])
async def test_every_theme_can_be_chosen(theme: str) -> None:
    async with running() as driver:
        driver.app.theme = theme
        await driver.press("right")
        assert driver.state.index == 1


async def test_the_tree_is_filtered_as_one_types_and_enter_goes_there() -> None:
    async with running() as driver:
        await driver.press("1", "slash", *"frontend-")
        assert [item.key for item in driver.desk.tree.items] == [
            "pod/default/frontend-1",
            "pod/default/frontend-2",
            "pod/default/frontend-3",
        ]
        assert "3 found" in driver.text("#nodes")
        assert "pod frontend-2" in driver.text("#nodes")
        await driver.press("down", "down", "up", "enter")
        assert driver.desk.tree.item.key == "pod/default/frontend-2"
        assert "outside" in driver.text("#nodes")
        await driver.press("n")
        assert driver.desk.tree.item.key == "pod/default/frontend-3"


async def test_an_object_in_a_closed_branch_is_gone_to() -> None:
    async with running() as driver:
        await driver.press("1", "enter")
        assert "frontend-1" not in driver.text("#nodes")
        await driver.press("slash", *"frontend-1", "enter")
        assert driver.desk.tree.item.key == "pod/default/frontend-1"


@pytest.mark.parametrize("end", ["escape", "backspace"], ids=["escape", "nothing-typed"])
async def test_the_whole_tree_comes_back(end: Any) -> None:
    async with running() as driver:
        await driver.press("1", "down")
        before = driver.text("#nodes")
        await driver.press("slash", "x", "q")
        assert "0 found" in driver.text("#nodes")
        assert driver.screen.query_one("#find").has_class("-lost")
        await driver.press(*([end] if end == "escape" else [end, end, "enter"]))
        assert driver.text("#nodes") == before


async def test_a_click_elsewhere_leaves_the_filter() -> None:
    async with running() as driver:
        await driver.press("1", "slash", *"redis")
        await driver.pilot.click("#walk")
        await driver.settle()
        assert not driver.desk.tree.is_filtered
        assert driver.screen.front is PaneName.WALK


@pytest.mark.parametrize("action", ["request", "palette", "help", "compare"])
async def test_a_screen_that_is_taken_down_while_it_is_set_up_is_no_crash(action: str) -> None:
    """A signal comes right behind a key: the toolkit mounts nothing any more."""
    async with running() as driver:
        getattr(driver.screen, f"action_{action}")()
        driver.app.exit(143, return_code=143)
        for _ in range(200):  # no pilot: it waits for the screen that never comes to stand
            await asyncio.sleep(0)
    assert driver.app.crash is None
    assert driver.app.return_code == 143
