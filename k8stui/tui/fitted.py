"""A screen is as large as the terminal is now, not as it was.

Textual's Screen tells itself its size each time that it is laid out (Screen._refresh_layout), and
is laid out again for it. Of two sizes on their way each calls up the other, for ever, and no key is
heard any more: a window's corner that is dragged on a slow machine is enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.events import Resize
    from textual.screen import Screen

    _Mixin = Screen[Any]
else:
    _Mixin = object  # a widget's looks come from its first base that is a widget


class Fitted(_Mixin):
    """Mixin of screens: a size that the terminal no longer has is not heard of."""

    async def _on_resize(self, event: Resize) -> None:
        if event.size != self.app.size:
            event.prevent_default().stop()
