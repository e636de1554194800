"""The screen while the input is read: what is seen, what the keys do, and what comes after."""

from __future__ import annotations

import os
import threading
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui import harness
from tui.harness import Driver

from k8stui.apiserver import apply
from k8stui.export.drawing.ink import line_width, text_of
from k8stui.manifests.progress import Progress
from k8stui.tui.cluster_rows import ClusterRows
from k8stui.tui.found_rows import FoundRow, FoundRows, row_of
from k8stui.tui.jobs import Jobs
from k8stui.tui.lookout import CalledOff, Lookout
from k8stui.tui.messages import ReadOn
from k8stui.tui.names import PaneName
from k8stui.tui.pipe import Pipe
from k8stui.tui.reading import LoadPhase, LoadProgress, not_yet_line, waiting_line
from k8stui.tui.tree import Tree
from k8stui.walk.world import World, build_world

NODE = """\
apiVersion: v1
kind: Node
metadata: {{name: node-{n}, uid: n{n}}}
spec: {{podCIDR: 10.244.{n}.0/24}}
status: {{addresses: [{{type: InternalIP, address: 192.168.0.{n}}}]}}
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: web-{n}, namespace: shop, uid: p{n}, labels: {{app: web}}}}
spec: {{nodeName: node-{node}, containers: [{{name: main, image: web}}]}}
status: {{phase: Running, podIP: 10.244.{node}.{n}, podIPs: [{{ip: 10.244.{node}.{n}}}]}}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {{name: svc-{n}, namespace: shop, uid: s{n}}}
spec:
  clusterIP: 10.96.0.{n}
  clusterIPs: [10.96.0.{n}]
  selector: {{app: web}}
  ports: [{{port: 80}}]
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: made, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: made}}
  template:
    metadata: {labels: {app: made}}
    spec: {containers: [{name: main, image: made}]}
"""
DOCUMENTS = [
    *(NODE.format(n=n) for n in range(1, 7)),
    *(POD.format(n=n, node=n % 6 + 1) for n in range(1, 19)),
    DEPLOYMENT,
    *(SERVICE.format(n=n) for n in range(1, 31)),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    file = tmp_path_factory.mktemp("dump") / "dump.yaml"
    file.write_text("---\n".join(DOCUMENTS))
    return build_world([str(file)])


def found(world: World) -> list[FoundRow]:
    return [row for one in world.manifests.objects if (row := row_of(one)) is not None]


def keys(tree: Tree) -> list[str]:
    return [item.key for item in tree.items]


def grown(rows: list[FoundRow]) -> Tree:
    tree = Tree(FoundRows())
    take(tree, rows)
    return tree


def take(tree: Tree, rows: list[FoundRow]) -> int:
    assert isinstance(tree.rows, FoundRows)
    tree.rows.take(rows)
    return tree.grow()


# The tree of what was found


def test_what_was_found_has_the_rows_of_the_cluster(world: World) -> None:
    before, after = grown(found(world)), Tree(ClusterRows(world))
    for tree in (before, after):
        tree.open("node/node-2")
    new = set(keys(after)) - set(keys(before))
    assert {key for key in new if "made" not in key} == {"outside"}
    assert set(keys(before)) - set(keys(after)) == {"workloads"}
    for item in before.items:
        row = after.row_of(item.key)
        if row is not None and item.key != "services":  # one more: kubernetes
            assert before.say(item)[:2] == after.say(after.items[row])[:2]


def test_the_same_object_twice_is_one_row(world: World) -> None:
    rows = found(world)
    assert keys(grown([*rows, *rows])) == keys(grown(rows))


def test_a_node_is_there_from_its_first_pod_on(world: World) -> None:
    pods = [row for row in found(world) if row.branch == "node/node-3"]
    tree = grown(pods)
    assert tree.say(tree.items[0]).label == "node-3"
    take(tree, found(world))
    assert tree.say(tree.items[0])[:2] == ("node-3", "192.168.0.3")


@given(
    st.lists(st.integers(0, 60), max_size=6),
    st.lists(st.sampled_from(["down", "enter", "end", "up"]), max_size=12),
    st.sampled_from(["", "web", "10.96.0.2", "node-3", "svc"]),
)
def test_nothing_moves_but_by_a_key(world: World, cuts: Any, presses: Any, needle: Any) -> None:
    rows = found(world)
    tree = Tree(FoundRows())
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    for start, end in pairwise(bounds):
        item, opened, row = tree.item, set(tree.opened), tree.cursor
        above = take(tree, rows[start:end])
        if item is not None and tree.item is not None:
            assert tree.item.key == item.key
            assert tree.is_filtered or tree.cursor == row + above
        assert set(tree.opened) == opened
        for press in presses[start % 3 :: 2]:
            match press:
                case "enter":
                    tree.enter()
                case "end":
                    tree.move(1000)
                case _:
                    tree.move(1 if press == "down" else -1)
    if needle:
        tree.filter(needle)
        tree.move(1)
    here = tree.item
    assert here is not None
    after = Tree(ClusterRows(world))
    after.follow(tree)
    if not here.key.startswith("workload"):
        assert after.item is not None
        assert after.item.key == here.key
        assert after.is_filtered is bool(needle)


def test_a_workload_becomes_its_first_pod(world: World) -> None:
    tree = grown(found(world))
    tree.open("workloads")
    assert tree.reveal("workload/Deployment/shop/made")
    assert tree.item is not None
    assert tree.say(tree.item)[:2] == ("deploy shop/made", "×2")
    after = Tree(ClusterRows(world))
    after.follow(tree)
    assert after.item is not None
    assert after.item.key == f"pod/{world.cluster.workloads[0].pods[0]}"


def test_what_is_found_while_one_looks_joins_what_was_found(world: World) -> None:
    rows = found(world)
    tree = grown(rows[:20])
    tree.filter("web-")
    tree.move(3)
    here, count = tree.item, len(tree.items)
    take(tree, rows[20:])
    assert len(tree.items) > count
    assert tree.item == here
    tree.unfilter(go=True)
    assert here is not None
    assert tree.item is not None
    assert tree.item.key == here.key


# The lookout


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("k8stui.tui.lookout.time.monotonic", lambda: now[0])
    return now


def test_four_updates_a_second_and_none_at_first(world: World, clock: list[float]) -> None:
    posted: list[Any] = []
    lookout = Lookout(posted.append)
    objects = world.manifests.objects
    for n in range(len(objects)):
        lookout(Progress(n, len(objects), objects[:n]))
        clock[0] += 0.02
    lookout.read()
    seconds = len(objects) * 0.02
    assert 2 <= len(posted) <= seconds / 0.25 + 2
    assert posted[0].reading.objects >= 7
    assert posted[-1].reading.phase is LoadPhase.BUILDING
    told = [row.item.key for each in posted for row in each.rows]
    assert told == [row.item.key for row in found(world)][: len(told)]


def test_a_short_load_says_nothing(world: World, clock: list[float]) -> None:
    posted: list[Any] = []
    lookout = Lookout(posted.append)
    clock[0] += 0.1
    lookout(Progress(1, 2, world.manifests.objects))
    lookout.read()
    assert posted == []


def test_what_kubectl_says_is_passed_on_at_once(clock: list[float]) -> None:
    posted: list[Any] = []
    Lookout(posted.append)(Progress(0, 0, (), "To sign in, open a page"))
    assert len(clock) == len(posted) == 1
    assert "To sign in" in posted[0].reading.said("cluster prod")


def test_a_load_is_called_off(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(NODE.format(n=1))
    lookout = Lookout(lambda _: None)
    lookout.is_called_off = True
    with pytest.raises(CalledOff):
        apply([str(tmp_path)], watch=lookout)


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (LoadProgress(LoadPhase.COMING), "reading d.yaml …"),
        (LoadProgress(LoadPhase.COMING, 1_200_000), "reading d.yaml   1.2 MB so far"),
        (
            LoadProgress(LoadPhase.READING, 43, 100, 1_234),
            "reading d.yaml   43 %   43 of 100 bytes   1,234 objects",
        ),
        (LoadProgress(LoadPhase.READING, 300_000, 100, 9), "reading d.yaml   300.0 kB   9 objects"),
        (LoadProgress(LoadPhase.BUILDING, objects=9), "building the cluster of 9 objects …"),
    ],
    ids=lambda value: value.phase.name.lower() if isinstance(value, LoadProgress) else "",
)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_how_far_it_is_in_words(reading: LoadProgress, said: str, width: int) -> None:
    assert reading.said("d.yaml") == said
    assert line_width(waiting_line(reading, "d.yaml", width)) <= width
    line = not_yet_line(reading, width)
    assert line_width(line) <= width
    assert text_of(line).startswith(" loading")


# The pipe


def test_a_pipe_is_read_to_its_end_and_counted() -> None:
    reader, writer = os.pipe()
    counts: list[int] = []
    content = b"x" * 200_000

    def write() -> None:
        sent = 0
        while sent < len(content):
            sent += os.write(writer, content[sent:])
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    pipe = Pipe(reader, counts.append)
    assert pipe.read() == content
    thread.join()
    os.close(reader)
    assert counts == sorted(counts)
    assert counts[-1] == len(content)


# The app


class SlowJobs(Jobs):
    """Reads as far as it is let."""

    def __init__(self, world: World) -> None:
        super().__init__(("dump.yaml",))
        self.world = world
        self.may_end = threading.Event()
        self.is_called_off = False

    def call_off(self) -> None:
        self.is_called_off = True
        self.may_end.set()

    def build(self, _lookout: Any) -> World:
        self.may_end.wait(10)
        return self.world


@asynccontextmanager
async def loading(world: World, size: tuple[int, int] = (80, 24), count: int = 30) -> Any:
    jobs = SlowJobs(world)
    app = harness.make_app(jobs)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        driver = Driver(app, pilot, jobs)  # type: ignore[arg-type]
        reading = LoadProgress(LoadPhase.READING, 43, 100, count)
        driver.screen.post_message(ReadOn(reading, found(world)[:count]))
        await pilot.pause()
        yield driver
        jobs.may_end.set()


async def end(driver: Any) -> None:
    driver.jobs.may_end.set()
    await harness.ready(driver.pilot)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 50)], ids=str)
async def test_the_tree_is_seen_while_it_is_read(world: World, size: Any) -> None:
    async with loading(world, size) as driver:
        assert "43 %" in driver.text("#title")
        assert "dump.yaml" in driver.text("#title")
        assert "node-1" in driver.text("#nodes")
        assert "so far" in driver.text("#nodes")
        await end(driver)
        assert driver.screen.front is PaneName.LAYOUT
        assert "step 10/15" in driver.text("#title")  # where it failed: nobody is behind svc-1


@pytest.mark.parametrize("key", [*"lh.,brmywiuf!", "right", "space"])
async def test_a_key_that_needs_the_cluster_says_so(world: World, key: str) -> None:
    names = {".": "full_stop", ",": "comma", "!": "exclamation_mark"}
    async with loading(world) as driver:
        await driver.pilot.press(names.get(key, key))
        assert "loading: 43 %" in driver.text("#keys")
        await end(driver)
        assert "loading" not in driver.text("#keys")


async def test_the_cursor_stays_on_its_object(world: World) -> None:
    async with loading(world) as driver:
        await driver.pilot.press("down", "enter", "down")
        item = driver.screen.growing.item
        assert item.key == "pod/shop/web-1"
        reading = LoadProgress(LoadPhase.READING, 90, 100, 50)
        driver.screen.post_message(ReadOn(reading, found(world)[30:]))
        await driver.pilot.pause()
        assert driver.screen.growing.item.key == item.key
        await end(driver)
        assert driver.screen.front is PaneName.NODES
        assert driver.desk.tree.item.key == item.key
        assert "shop/web-1" in driver.text("#nodes")


async def test_a_cursor_that_nobody_moved_is_on_the_first_row(world: World) -> None:
    """Services may be found before the nodes, which come in above them."""
    async with loading(world) as driver:
        growing = driver.screen.growing
        growing.cursor = growing.row_of("services")
        await end(driver)
        assert driver.desk.tree.cursor == 0


async def test_the_filter_finds_while_it_is_read_and_after(world: World) -> None:
    async with loading(world) as driver:
        await driver.pilot.press("slash", *"svc-1")
        assert driver.screen.growing.is_filtered
        before = len(driver.screen.growing.items)
        driver.screen.post_message(ReadOn(driver.screen.reading, found(world)[30:]))
        await driver.pilot.pause()
        assert len(driver.screen.growing.items) > before
        await end(driver)
        assert driver.desk.tree.is_filtered
        assert "svc shop/svc-1" in driver.text("#nodes")
        await driver.pilot.press("down", "enter")
        assert driver.desk.tree.item.key == "service/shop/svc-10"


async def test_a_slash_is_a_letter_of_what_is_typed(world: World) -> None:
    async with loading(world) as driver:
        await driver.pilot.press("slash", *"shop", "slash", *"web-1")
        assert driver.screen.needle == "shop/web-1"
        assert driver.screen.growing.item.key == "pod/shop/web-1"


async def test_a_pane_that_was_chosen_is_kept(world: World) -> None:
    async with loading(world) as driver:
        await driver.pilot.press("4")
        await end(driver)
        assert driver.screen.front is PaneName.WALK


async def test_a_pod_cannot_be_opened_yet(world: World) -> None:
    async with loading(world) as driver:
        await driver.pilot.press("down", "enter", "down", "enter")
        assert "loading" in driver.text("#keys")


@pytest.mark.parametrize(
    "keys",
    [["q"], ["ctrl+q"], ["ctrl+c"], ["f1", "ctrl+q"], ["f1", "ctrl+c", "ctrl+c"]],
    ids="-".join,
)
async def test_leaving_calls_the_load_off(world: World, keys: list[str]) -> None:
    async with loading(world) as driver:
        await driver.pilot.press(*keys)
    assert driver.jobs.is_called_off
    assert driver.app.return_code == 0


@pytest.mark.parametrize(
    ("node", "client"),
    [("192.168.0.11", "203.0.113.10"), ("203.0.113.7", "198.51.100.10")],
    ids=["usual", "nodes-that-live-there"],
)
def test_the_tree_has_the_outside_client_of_this_cluster(
    node: str, client: str, tmp_path: Path
) -> None:
    """As the layout draws it: the networks of the cluster are none of the client's."""
    file = tmp_path / "node.yaml"
    file.write_text(
        "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"
        f"status: {{addresses: [{{type: InternalIP, address: {node}}}]}}\n"
    )
    tree = Tree(ClusterRows(build_world([str(file)])))
    outside = next(item for item in tree.items if item.key == "outside")
    assert tree.rows.say(outside).aside == client
