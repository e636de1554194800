"""Which rules of a namespace each packet really met: nf_tables tells it of traced packets.

A table of the lab's own, before all others, marks every packet (``meta nftrace set 1``); it decides
nothing. The marks end at the border of a namespace (skb_scrub_packet), and no right outside the
lab's user namespace is needed. Rules of iptables-legacy are traced into the machine's log only
(xt_TRACE.c, nf_log_syslog.c): there is nothing to see of them here.
Sources: net/netfilter/nf_tables_trace.c, nft_meta.c; nft(8), "nftrace".
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from k8stui.kernel.rules import BUILTIN_CHAINS
from k8stui.lab.inside.frames import ipv4, ipv6
from k8stui.lab.inside.netlink import Attributes, MessageType, Netfilter, attribute, name, number
from k8stui.lab.plan import Met, Passed, Sight, Space

_TABLE = "k8stui-trace"
_FAMILIES = {"4": socket.AF_INET, "6": socket.AF_INET6}
"""NFPROTO_IPV4 and NFPROTO_IPV6 have the same numbers."""
_FIRST = -400
"""Before conntrack's defragmentation and everything that iptables has (NF_IP_PRI_CONNTRACK_DEFRAG
is -400, too; of equals the later one comes second, which is well)."""
_HOOKS = {"prerouting": 0, "output": 3}
_REGISTER = 1
_NFTRACE = 12
"""NFT_META_NFTRACE."""
_POLICY, _RULE = 1, 3
"""enum nft_trace_types."""
_DROP = 0
_IPV6, _FRAGMENT = 6, 44


class Watch:
    """Made inside its namespace, behind its rules; from then on each packet tells what it meets."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._devices = {index: _in_walk(space, real) for index, real in socket.if_nameindex()}
        self._socket = Netfilter(traces=True)
        self._told: list[tuple[int, Attributes]] = []
        """With the time at which each came, in nanoseconds."""
        self.untold = ""
        """Why there is more than the traces say; empty: there is not."""
        changer = Netfilter()
        changer.change(
            message for version in space["rules"] for message in _marking(_FAMILIES[version])
        )
        changer.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def look(self) -> None:
        """Take what has come."""
        now = time.time_ns()
        try:
            for trace in self._socket.traced():
                self._told.append((now, trace))
                if 8 in trace and _is_fragment(trace[8]):
                    # It has the transport header, and does not say of which protocol.
                    self.untold = "IPv6 came to its rules in fragments"
        except OSError:
            self.untold = "more rules were met than the kernel could tell of"

    def passed(self) -> list[Passed]:
        """Everything so far: built-in chains, in the order in which packets got to them.

        To be called inside the namespace.
        """
        self.look()
        asker = Netfilter()
        found = _Reading(self._space, self._devices, asker).passages(self._told)
        asker.close()
        return found


def _is_fragment(network: bytes) -> bool:
    """Whether IPv6's next header is that of fragments (RFC 8200 4.5)."""
    return network[0] >> 4 == _IPV6 and network[6] == _FRAGMENT


def _in_walk(space: Space, real: str) -> str:
    return space["devices"].get(real, real)


def _marking(family: int) -> Iterator[tuple[MessageType, int, bytes]]:
    """A table that says of every packet that comes in or is sent that it is to be traced."""
    yield MessageType.NEW_TABLE, family, attribute(1, _TABLE)
    for chain, hook in _HOOKS.items():
        at = attribute(4, [attribute(1, hook), attribute(2, _FIRST)])
        kind = attribute(7, "filter")
        yield MessageType.NEW_CHAIN, family, attribute(1, _TABLE) + attribute(3, chain) + at + kind
        one = attribute(2, [attribute(1, [attribute(1, b"\1")])])
        load = [attribute(1, "immediate"), attribute(2, [attribute(1, _REGISTER), one])]
        mark = [
            attribute(1, "meta"),
            attribute(2, [attribute(2, _NFTRACE), attribute(3, _REGISTER)]),
        ]
        rule = attribute(4, [attribute(1, load), attribute(1, mark)])
        yield MessageType.NEW_RULE, family, attribute(1, _TABLE) + attribute(2, chain) + rule


class _Reading:
    """Traces of one namespace → the rules that they are about."""

    def __init__(self, space: Space, devices: Mapping[int, str], asker: Netfilter) -> None:
        self._space = space
        self._devices = devices
        self._asker = asker
        self._places: dict[tuple[int, str, str], dict[int, int]] = {}
        self._texts: dict[tuple[str, str, str], list[str]] = {}
        for version, text in space["rules"].items():
            table = ""
            for line in text.splitlines():
                if line.startswith("*"):
                    table = line[1:]
                elif line.startswith("-A "):
                    chain = line.split(" ", 2)[1]
                    self._texts.setdefault((version, table, chain), []).append(line)

    def passages(self, told: Iterable[tuple[int, Attributes]]) -> list[Passed]:
        """One of each chain that a packet was given to by a hook."""
        found: list[Passed] = []
        last: dict[bytes, list[Met]] = {}  # a REJECT's answer is under way before that rule is told
        for came, trace in told:
            if name(trace[1]) not in BUILTIN_CHAINS:
                continue  # the lab's own, or one of nftables' own: those are not compared by rules
            if 8 in trace:  # the packet is told once in each chain that a hook calls
                header = self._header(trace)
                last[trace[6]] = []
                if header is not None and not header.arp:
                    header = replace(header, time_ns=came)
                    found.append(self._passed(trace, header, last[trace[6]]))
            last.setdefault(trace[6], []).extend(self._met(trace))
        return found

    def _header(self, trace: Attributes) -> Sight | None:
        network = trace[8]
        read = ipv4 if network[0] >> 4 == 4 else ipv6
        length = (network[0] & 15) * 4 if network[0] >> 4 == 4 else 40
        return read(network[:length] + trace.get(9, b""))

    def _passed(self, trace: Attributes, header: Sight, met: list[Met]) -> Passed:
        into, out = (self._devices.get(number(trace[at])) if at in trace else "" for at in (10, 12))
        return Passed(
            space=self._space["name"],
            table=name(trace[1]),
            chain=name(trace[2]),
            device=out or into or "",
            mark=number(trace[14]) & 0xFFFFFFFF if 14 in trace else 0,
            header=header,
            met=met,
        )

    def _met(self, trace: Attributes) -> Iterator[Met]:
        kind, chain, table = number(trace[4]), name(trace[2]), name(trace[1])
        if kind == _RULE and 3 in trace:  # what is behind the last rule of a chain has no handle
            version = "6" if number(trace[15]) == socket.AF_INET6 else "4"
            place = self._place(_FAMILIES[version], table, chain, number(trace[3]))
            lines = self._texts.get((version, table, chain), [])
            text = lines[place - 1] if 0 < place <= len(lines) else ""
            yield Met(chain=chain, number=place, text=text)
        elif kind == _POLICY and number(trace[16]) == _DROP:
            yield Met(chain=chain, number=0, text=f":{chain} DROP")

    def _place(self, family: int, table: str, chain: str, handle: int) -> int:
        key = (family, table, chain)
        if key not in self._places:
            handles = self._asker.rules(*key)
            self._places[key] = {one: at for at, one in enumerate(handles, start=1)}
        return self._places[key].get(handle, 0)
