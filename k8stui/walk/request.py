"""What the user typed → a `Request`: SOURCE and DESTINATION of the command line contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8stui.walk.trace import Request

if TYPE_CHECKING:
    from k8stui.walk.world import World


class RequestError(Exception):
    """A source or destination that means nothing in this cluster."""

    def __init__(self, message: str, *, hint: str = "", choices: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        """One sentence."""
        self.hint = hint
        """What was probably meant; may be empty."""
        self.choices = choices
        """What there is to choose from, ready to be typed."""


def parse_request(
    world: World, source: str, destination: str, namespace: str = "default"
) -> Request:
    """Understand who asks whom.

    `source` is ``pod/NAME``, ``deploy/NAME`` …, ``node/NAME``, ``outside`` or an address;
    `destination` is ``svc/NAME:PORT``, ``pod/NAME:PORT``, ``node/NAME:NODEPORT``,
    ``ADDRESS:PORT``, ``DNSNAME:PORT`` or ``localhost:PORT``, with ``/udp`` or ``/sctp`` behind it.

    Raises:
        RequestError: with what was probably meant and what there is to choose from.

    """
    raise NotImplementedError
