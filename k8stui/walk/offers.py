"""The three ways to reach an application: pod address, ClusterIP, node port; side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from k8stui.walk.trace import Request

if TYPE_CHECKING:
    from k8stui.walk.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One way to a Service's port."""

    label: str
    """Short, for a list: ``pod address:80``, ``ClusterIP:80``, ``node:30080``."""
    who: str
    """Who can use it, one sentence."""
    request: Request
    """A request that uses it, ready to be walked."""


def offers(world: World, service_key: str) -> tuple[Offer, ...]:
    """All ways to the Service ``namespace/name``, port by port, in the order pod, ClusterIP, node.

    Empty for an ExternalName Service. A Service without endpoints has no pod address to offer.

    Raises:
        KeyError: there is no such Service.

    """
    raise NotImplementedError
