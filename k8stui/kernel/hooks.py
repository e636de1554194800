"""netfilter's hooks: which functions stand at each of them, in the order of their priorities.

include/uapi/linux/netfilter_ipv4.h (enum nf_ip_hook_priorities, the same in netfilter_ipv6.h);
net/netfilter/core.c nf_hook_entries_grow (of two with one priority the one that registered later
is called first).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Generic, NamedTuple, TypeVar

from k8stui.kernel.step import Hook


class Priority(IntEnum):
    """When a function is called, the lowest first."""

    RAW = -300
    CONNTRACK = -200
    MANGLE = -150
    NAT_DESTINATION = -100
    IPVS_OUTPUT = -99
    JUDGE_INCOMING = -98
    FILTER = 0
    JUDGE_QUEUE = 95
    JUDGE_OUTGOING = 98
    IPVS_INPUT = 99
    NAT_SOURCE = 100
    CONNTRACK_CONFIRM = 2**31 - 1


class Blocked(NamedTuple):
    """The packet goes no further."""

    reject: str | None = None
    """``--reject-with`` when the sender is to be told."""
    errno: str = "EPERM"
    """What a local sender gets (NF_DROP_ERR)."""


class HookState(NamedTuple):
    """The hook that a packet is at, with the devices that it knows there (struct nf_hook_state)."""

    hook: Hook
    in_device: str | None
    out_device: str | None
    physical_out: str | None = None
    """Bridge port that a bridged frame leaves by, where it is known already."""
    reroute: Callable[[], str | None] | None = None
    """Routes the node's own packet again after OUTPUT changed it (ip_route_me_harder); an errno
    when no way is left."""

    @property
    def device(self) -> str | None:
        return self.out_device or self.in_device


Function = TypeVar("Function")


class Registration(NamedTuple, Generic[Function]):
    """A function at a hook (struct nf_hook_ops)."""

    family: int
    """4, 6, or one of `nft_ruleset`'s others."""
    hook: Hook
    priority: int
    function: Function


class Registry(Generic[Function]):
    """All functions of one namespace."""

    __slots__ = ("_by_hook",)

    def __init__(self, registrations: Iterable[Registration[Function]]) -> None:
        self._by_hook: dict[tuple[int, Hook], tuple[Registration[Function], ...]] = {}
        for one in sorted(registrations, key=lambda one: one.priority):
            key = (one.family, one.hook)
            self._by_hook[key] = (*self._by_hook.get(key, ()), one)

    def at(self, family: int, hook: Hook) -> tuple[Registration[Function], ...]:
        """What stands at a hook, in the order in which it is called."""
        return self._by_hook.get((family, hook), ())

    def is_free(self, family: int, hook: Hook, after: int, before: int) -> bool:
        """Whether nothing stands between two priorities."""
        return not any(after < one.priority < before for one in self.at(family, hook))
