"""No key has a whole cluster written out: a toolkit writes down the `repr` of what it is handed."""

from __future__ import annotations

from typing import Any

import pytest
from tui.harness import running

from k8stui.cluster.model import Cluster
from k8stui.tui.jobs import Jobs
from k8stui.walk.trace import Trace
from k8stui.walk.world import World, sample


async def test_no_key_writes_out_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    for kind in (World, Cluster, Trace):

        def told(self: object) -> str:
            written.append(type(self).__name__)
            return "…"

        monkeypatch.setattr(kind, "__repr__", told)
    folder = str(sample("guestbook"))
    jobs: Any = Jobs([folder], against=[folder])
    async with running(jobs=jobs) as app:
        for keys in (
            ("x", "escape"), ("f", "enter", "m", "escape"), ("b", "escape"), ("i", "2", "7"),
            ("escape",), ("w", "enter", "escape", "escape"), ("v", "enter", "escape", "escape"),
            ("r", "enter", "enter"), ("t", "greater_than_sign", "a", "escape", "d", "escape"),
            ("t", "p", "p", "s", "escape", "e", "escape", "c", "escape", "R", "escape"),
            ("colon", "s", "v", "c", "space", "f", "enter", "o", "escape", "full_stop"),
        ):  # fmt: skip
            await app.press(*keys)
    assert written == []
