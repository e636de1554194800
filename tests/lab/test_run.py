"""The lab's own process: kept for the next plan, replaced when it is of no use."""

from __future__ import annotations

import copy
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from k8stui.kernel.exchange import Exchange
from k8stui.kernel.simulate import connect
from k8stui.lab.comparing.compare import compare
from k8stui.lab.errors import LabError
from k8stui.lab.plan import Plan, Tools
from k8stui.lab.planning.build import plan
from k8stui.lab.run import end_all, run
from k8stui.walk.request import parse_request
from k8stui.walk.world import World

ASKED = ("svc/redis-leader:6379", "pod/frontend-1:81")


def planned(world: World, tools: Tools, destination: str) -> tuple[Plan, Exchange]:
    request = parse_request(world, "pod/client", destination).connect
    assert request is not None
    exchange = connect(world.network, request)
    made, _ = plan(world.network, request, exchange, tools, exchange.felt.seconds + 2)
    return made, exchange


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[str]]:
    """Processes that were started meanwhile."""
    end_all()
    found: list[subprocess.Popen[str]] = []
    real = subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
        found.append(real(*arguments, **options))
        return found[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    return found


def test_nothing_of_one_plan_is_in_the_next(
    guestbook: World, nft: Tools, started: list[subprocess.Popen[str]]
) -> None:
    for destination in (*ASKED, *ASKED):
        made, exchange = planned(guestbook, nft, destination)
        assert compare(exchange, run(made)).agrees
    assert len(started) == 1
    end_all()
    assert started[0].poll() is not None


def test_it_is_the_package_that_made_the_plan(
    guestbook: World,
    nft: Tools,
    started: list[subprocess.Popen[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another version among the interpreter's packages would not know all of a plan."""
    venv.create(tmp_path)
    [packages] = tmp_path.glob("lib/python*/site-packages")
    other = packages / "k8stui"
    other.mkdir()
    (other / "__init__.py").write_text("raise ImportError('another version')\n")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    made, exchange = planned(guestbook, nft, ASKED[0])
    assert compare(exchange, run(made)).agrees
    assert len(started) == 1
    end_all()  # before the interpreter's folder goes


def test_one_that_has_ended_is_replaced(
    guestbook: World, nft: Tools, started: list[subprocess.Popen[str]]
) -> None:
    made, exchange = planned(guestbook, nft, ASKED[0])
    run(made)
    started[0].kill()
    started[0].wait()
    assert compare(exchange, run(made)).agrees
    assert len(started) == 2


def test_the_child_of_a_plan_ends_with_its_process(
    guestbook: World, nft: Tools, started: list[subprocess.Popen[str]]
) -> None:
    """All that it has built is held by it."""
    made, _ = planned(guestbook, nft, ASKED[0])
    run(made)
    (process,) = started
    made["asker"]["tries"] = 20_000
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(run, made)
        child = _until(lambda: _children(process.pid))[0]
        process.kill()
        assert _until(lambda: not Path(f"/proc/{child}").exists())
        with pytest.raises(LabError, match="process failed"):
            asked.result()


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _until(found: Callable[[], Any]) -> Any:
    """What it gives in the end, within a few seconds."""
    for _ in range(300):
        if answer := found():
            return answer
        time.sleep(0.01)
    return found()


def test_one_that_failed_says_why_and_is_replaced(
    guestbook: World, nft: Tools, started: list[subprocess.Popen[str]]
) -> None:
    made, exchange = planned(guestbook, nft, ASKED[0])
    broken = copy.deepcopy(made)
    broken["asker"]["space"] = 99
    with pytest.raises(LabError, match="process failed: IndexError"):
        run(broken)
    refused = copy.deepcopy(made)
    refused["spaces"][0]["ip"].append(["addr", "add", "nonsense", "dev", "lo"])
    with pytest.raises(LabError, match="nonsense"):
        run(refused)
    assert compare(exchange, run(made)).agrees
    assert len(started) == 3
    assert [process.poll() is None for process in started] == [False, False, True]


def test_one_that_does_not_answer_is_ended(
    guestbook: World,
    nft: Tools,
    started: list[subprocess.Popen[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, _ = planned(guestbook, nft, ASKED[0])
    monkeypatch.setattr("k8stui.lab.run._BUILD_SECONDS", -made["asker"]["patience_seconds"])
    with pytest.raises(LabError, match="did not answer within 0 s"):
        run(made)
    assert started[0].poll() is not None
