"""Key ``x``: who uses the selected object, and whom it uses."""

from __future__ import annotations

from tui.harness import LiteralJobs, running

from k8stui.tui.listing import ListScreen
from k8stui.tui.manifest_screen import ManifestScreen
from k8stui.walk.world import build_world, sample

WORLD = build_world([str(sample("guestbook"))])


async def test_enter_goes_to_the_other_end() -> None:
    async with running(jobs=LiteralJobs(WORLD)) as app:
        app.desk.tree.reveal("service/default/frontend")
        await app.press("x")
        assert isinstance(app.app.screen, ListScreen)
        assert "leads to   Pod default/frontend-1  80 → 80" in app.text("#sheet")
        await app.press("enter")
        assert app.desk.tree.item.key == "pod/default/frontend-1"
        await app.press("x")
        text = app.text("#sheet")
        assert "runs on" in text
        assert "is made by        Deployment default/frontend" in text
        assert "is reached from   Service default/frontend  80 → 80" in text


async def test_what_is_not_in_the_tree_is_shown_where_it_is_written() -> None:
    async with running(jobs=LiteralJobs(WORLD)) as app:
        app.desk.tree.reveal("pod/default/frontend-1")
        await app.press("x", "down", "enter")
        assert isinstance(app.app.screen, ManifestScreen)
        assert "kind: Deployment" in app.text("#sheet")


async def test_a_row_that_stands_for_no_object_says_so() -> None:
    async with running(jobs=LiteralJobs(WORLD)) as app:
        app.desk.tree.reveal("services")
        await app.press("x")
        assert not isinstance(app.app.screen, ListScreen)
