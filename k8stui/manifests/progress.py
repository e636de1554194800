"""How far a load is, for whoever shows it: the screen while a big dump is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from k8stui.manifests.manifest import Manifest
from k8stui.record import record


@record()
class Progress:
    """How far a load is."""

    done: int
    """Bytes of the inputs that have been read."""
    total: int
    """Bytes of all inputs; 0 where nobody knows (standard input)."""
    objects: Sequence[Manifest]
    """What was found so far, in order. It grows while the load goes on: look, do not keep."""
    waiting: str = ""
    """What kubectl says that has not answered yet ("To sign in, open …"); safe to print."""


Watch = Callable[[Progress], None]
"""Called between objects, some fifty times a second at most. An exception out of it ends the load
and comes out of `load`: the way to call it off."""
