"""How a request is asked: the options of every command that asks one, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from k8stui.cli.options import Seconds, WholeNumber
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.kernel.namespace import Network
    from k8stui.walk.trace import Request
    from k8stui.walk.world import World

_OPTIONS = (
    click.option(
        "--source-port",
        type=WholeNumber(1, 65535),
        metavar="PORT",
        help="The client's own port, for rules that ask for it.",
    ),
    click.option(
        "--size",
        type=WholeNumber(1, 1_000_000),
        metavar="BYTES",
        help="What is sent and answered once connected (or in the datagram), for the MTU of the "
        "path.",
    ),
    click.option(
        "--unconnected",
        is_flag=True,
        help="UDP: the client's socket takes an answer from any address, and hears no errors.",
    ),
    click.option(
        "--again",
        "times",
        type=WholeNumber(1, 20),
        metavar="N",
        help="Ask N times more: a new connection each (TCP, SCTP), or over the same socket. They "
        "meet what the earlier ones left: conntrack entries, session affinity, whose turn it is.",
    ),
    click.option(
        "--pause",
        type=Seconds(0, 10_000_000),
        metavar="SECONDS",
        help="Between the requests of --again: 1.",
    ),
)
_Command = TypeVar("_Command", bound=Callable[..., Any])


@record(kw_only=True)
class Asking:
    """What was said about how to ask."""

    source_port: int | None
    size: int | None
    unconnected: bool
    times: int | None
    pause: float | None

    def __post_init__(self) -> None:
        if self.pause is not None and not self.times:
            raise click.UsageError("--pause is the time between the requests of --again")

    @property
    def is_plain(self) -> bool:
        """Whether nothing was said."""
        return not (self.source_port or self.size or self.unconnected or self.times)

    def request(self, world: World, source: str, destination: str, namespace: str) -> Request:
        """The first request.

        Raises:
            RequestError: as `parse_request`.
            click.UsageError: what was said is of another protocol.

        """
        from k8stui.kernel.packet import Protocol  # noqa: PLC0415
        from k8stui.walk.request import parse_request  # noqa: PLC0415

        found = parse_request(
            world,
            source,
            destination,
            namespace,
            source_port=self.source_port,
            data_bytes=self.size,
            unconnected=self.unconnected,
        )
        if self.unconnected and found.protocol is not Protocol.UDP:
            raise click.UsageError("--unconnected is a matter of UDP: write /udp behind the port")
        return found

    def more(self, request: Request, formerly: Network | None = None) -> tuple[Request, ...]:
        """Those of ``--again``; `formerly`: what stood there at the first one."""
        if not self.times:
            return ()
        from k8stui.walk.again import again  # noqa: PLC0415

        seconds = 1.0 if self.pause is None else self.pause
        return tuple(again(request, n, seconds, formerly) for n in range(1, self.times + 1))


def asking_options(command: _Command) -> _Command:
    """Add the options; the command gets them as `asking`."""

    @wraps(command)
    def collected(**given: Any) -> Any:
        own = {each.name: given.pop(each.name) for each in fields(Asking)}
        return command(asking=Asking(**own), **given)

    for option in reversed(_OPTIONS):
        collected = option(collected)
    return collected  # type: ignore[return-value]
