"""Finding as one types: in the pane in front, or over all objects in the Nodes pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8stui.tui.base import Base
from k8stui.tui.names import PaneName

if TYPE_CHECKING:
    from k8stui.tui.find import FindBar
    from k8stui.tui.tree import Tree


class Searching(Base):
    """The find bar, and what it finds."""

    needle = ""
    """What is looked for, as it was typed (needle.py)."""

    async def action_find(self) -> None:
        from k8stui.tui.find import FindBar  # noqa: PLC0415 - only when asked for

        bars = self.query(FindBar)
        bar = bars.first() if bars else FindBar()
        if not bars:
            await self.mount(bar, before="#keys")
        bar.value = ""
        bar.add_class("-open")
        self.set_focus(bar)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While one types what to find, ``/`` is a letter."""
        if action == "find" and self.focused is not None:
            return False
        return super().check_action(action, parameters)

    def on_find_bar_typed(self, event: FindBar.Typed) -> None:
        self.needle = event.text
        if self.front is PaneName.NODES and self.nodes_tree is not None:
            self._filter(self.nodes_tree)
        else:
            self._find(0)

    def _filter(self, tree: Tree) -> None:
        """Show what holds the letters typed so far, from the whole cluster."""
        pane = self.pane(PaneName.NODES)
        pane.found = self.needle.lower()
        tree.filter(self.needle)
        self.query_one("#find").set_class(bool(self.needle) and not tree.items, "-lost")
        pane.look_again()
        pane.redraw()

    def on_find_bar_moved(self, event: FindBar.Moved) -> None:
        if self.front is PaneName.NODES:
            if self.nodes_tree is not None and self.nodes_tree.move(event.by):
                self.pane(PaneName.NODES).redraw()
        else:
            self.action_find_next(event.by)

    def on_find_bar_closed(self, event: FindBar.Closed) -> None:
        self.close_find(is_kept=event.is_kept)

    def close_find(self, *, is_kept: bool) -> None:
        bar = self.query("#find.-open")
        if not bar:
            return
        self.set_focus(None)
        bar.first().remove_class("-open")
        if self.nodes_tree is not None:
            self.nodes_tree.unfilter(go=is_kept)
            self.pane(PaneName.NODES).look_again()
        if not is_kept:
            self.needle = self.pane(self.front).found = ""
        self.call_after_refresh(self.redraw)

    def action_find_next(self, direction: int) -> None:
        if self.needle:
            self._find(direction)

    def _find(self, direction: int) -> None:
        pane = self.pane(self.front)
        pane.found = self.needle.lower()
        if self.nodes_tree is not None and self.front is PaneName.NODES and self.needle:
            found = self.nodes_tree.find(self.needle, direction)
            self.query_one("#find").set_class(not found, "-lost")
        elif self.desk is not None and self.needle:
            found = self.desk.find(self.front, pane.sheet, self.needle, direction)
            self.query_one("#find").set_class(not found, "-lost")
        self.redraw()
