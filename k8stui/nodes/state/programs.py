"""eBPF programs on a namespace's devices: what ``bpftool -j net show`` lists, else what is known.

Source: bpftool src/net.c (dump_link_nlmsg, do_show), src/netlink_dumper.c; tcx programs are listed
with the same fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from k8stui.kernel import iproute_json
from k8stui.kernel.namespace import Interface
from k8stui.nodes.cni.ebpf import usual_programs
from k8stui.record import record


@record()
class Programs:
    """By device: the program's name; where it has none, what kind it is."""

    coming_in: dict[str, str]
    going_out: dict[str, str]


def parse_programs(text: str) -> Programs:
    """What is attached where a packet passes.

    Raises:
        iproute_json.IprouteError: not what the command prints.

    """
    found = Programs({}, {})
    for record_ in iproute_json.load(text, "bpftool -j net show"):
        for kind in ("xdp", "tc"):
            entries = record_.get(kind)
            for one in entries if isinstance(entries, list) else ():
                if isinstance(one, dict):
                    _take(found, kind, one)
    return found


def _take(found: Programs, kind: str, one: iproute_json.Json) -> None:
    device, where = one.get("devname"), one.get("kind")
    if not isinstance(device, str):
        return
    name = one.get("name")
    said = name if isinstance(name, str) and name else f"({where or kind})"
    is_out = isinstance(where, str) and "egress" in where
    (found.going_out if is_out else found.coming_in).setdefault(device, said)


def with_programs(devices: Iterable[Interface], seen: Programs | None) -> Iterator[Interface]:
    """The devices with their programs; where nobody could list them, the usual ones."""
    known = tuple(devices)
    if seen is None:
        yield from usual_programs(known)
        return
    for one in known:
        into, out = seen.coming_in.get(one.name, ""), seen.going_out.get(one.name, "")
        yield replace(one, program_in=into, program_out=out) if into or out else one
