"""What a rule says that does not arrive."""

from __future__ import annotations

from k8stui.record import record


@record()
class Claim:
    """A request of which a rule says that it is not delivered; the check walks it."""

    source: str
    """SOURCE of ``k8stui walk``."""
    destination: str
    """DESTINATION of ``k8stui walk``."""
    some: bool = False
    """Only some branches fail: those that lead to the wrong endpoint."""
