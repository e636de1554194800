"""Short ways to write what a node's own commands print: iptables-save, ip -j addr, ip -j route."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Dump:
    """The lines of an iptables-save, to change as somebody changed the node's."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)

    def _table(self, name: str) -> tuple[int, int]:
        if f"*{name}" not in self.lines:
            hooks = [":PREROUTING ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"]
            self.lines[0:0] = [f"*{name}", *hooks, "COMMIT"]
        start = self.lines.index(f"*{name}")
        return start, self.lines.index("COMMIT", start)

    def chain(self, table: str, *names: str) -> Dump:
        start, _ = self._table(table)
        self.lines[start + 1 : start + 1] = [f":{name} - [0:0]" for name in names]
        return self

    def add(self, table: str, *rules: str) -> Dump:
        """At the end of the table."""
        _, end = self._table(table)
        self.lines[end:end] = rules
        return self

    def first(self, table: str, *rules: str) -> Dump:
        """In front of all rules of the table."""
        start, end = self._table(table)
        at = next((n for n in range(start, end) if self.lines[n].startswith("-A")), end)
        self.lines[at:at] = rules
        return self

    def policy(self, chain: str, verdict: str) -> Dump:
        """Of a chain of table filter."""
        start, end = self._table("filter")
        for at in range(start, end):
            if self.lines[at].startswith(f":{chain} "):
                self.lines[at] = f":{chain} {verdict} [0:0]"
        return self

    def without(self, *starts: str) -> Dump:
        self.lines = [line for line in self.lines if not line.startswith(starts)]
        return self

    def head(self, *lines: str) -> Dump:
        self.lines[0:0] = lines
        return self


def device(
    name: str, mac: str, *addresses: str, mtu: int = 1500, up: bool = True, kind: str = ""
) -> Record:
    """A record of ``ip -j addr``; of ``ip -j -d addr`` with `kind`."""
    is_lo = name == "lo"
    info = [
        {
            "family": "inet",
            "local": address.partition("/")[0],
            "prefixlen": int(address.partition("/")[2]),
            "scope": "host" if is_lo else "global",
        }
        for address in addresses
    ]
    made: Record = {
        "ifname": name,
        "flags": ["LOOPBACK" if is_lo else "BROADCAST", *(["UP", "LOWER_UP"] if up else [])],
        "mtu": mtu,
        "operstate": "UP" if up else "DOWN",
        "link_type": "loopback" if is_lo else "ether",
        "address": mac,
        "addr_info": info,
    }
    return made | ({"linkinfo": {"info_kind": kind}} if kind else {})


def link(destination: str, dev: str, **more: Any) -> Record:
    """A record of ``ip -j route`` without a gateway."""
    return {"dst": destination, "dev": dev, "scope": "link", **more}


def via(destination: str, gateway: str, dev: str, **more: Any) -> Record:
    return {"dst": destination, "gateway": gateway, "dev": dev, **more}


def write_lines(folder: Path, name: str, lines: Sequence[str]) -> str:
    """The path of a file of these lines."""
    file = folder / name
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(file)


def write_records(folder: Path, name: str, records: Iterable[Record]) -> str:
    """What ``ip -j`` prints, a record a line."""
    return write_lines(folder, name, ["[" + ",\n".join(map(json.dumps, records)) + "]"])
