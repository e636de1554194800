"""A screen in front of another goes once, however often it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.await_complete import AwaitComplete

if TYPE_CHECKING:
    from textual.screen import Screen

    _Mixin = Screen[Any]
else:
    _Mixin = object  # a widget's looks come from its first base that is a widget


class Once(_Mixin):
    """Mixin: `dismiss` does nothing where the screen is no longer in front.

    Two Enters in one read choose twice; the second would take away the screen below
    (Textual's Screen.dismiss pops whatever is on top, or raises ScreenStackError).
    """

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Go, and give `result` back."""
        if self.app.screen_stack[-1:] != [self]:
            return AwaitComplete()
        return super().dismiss(result)
