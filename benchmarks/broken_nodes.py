"""What is said where one thing of a healthy node is broken: each entry and rule of it in turn.

    python benchmarks/broken_nodes.py [PLUG-IN]

Takes the states in tests/lab-nodes. Of each node each rule of iptables, route, routing rule,
neighbour, FDB entry and device is taken out, a route is made a blackhole, a next hop or a MAC
another one, a device goes down or loses its bridge. Prints each breakage that changes an answer
into a failure for which the walk has nothing but the kernel's words; ends with status 1 if there
is one. Not counted: a device that is taken out alone, which leaves a state that no kernel has.
"""

from __future__ import annotations

import json
import lzma
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from k8stui.kernel.exchange import Result
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

_NODES = Path(__file__).parent.parent / "tests" / "lab-nodes"
_ASKED = (
    ("pod/client", "svc/db:80"),
    ("pod/client", "pod/db:8080"),
    ("pod/client", "pod/web-1:8080"),
    ("pod/client", "203.0.113.10:443"),
    ("pod/db", "svc/web:80"),
    ("node/n1", "svc/db:80"),
    ("outside", "node/n1:30080"),
    ("outside", "node/n2:30080"),
)
_LISTS = ("ip -j -4 route show", "ip -j -4 rule show", "ip -j neigh show", "fdb show", "addr show")
_HEAD = re.compile(r"\t+(?:type|flags|elements|comment|size|\S+ \. )|.*\}$")
"""Lines of nftables' listing that are no rules."""
_SAID = ("type", "dst", "gateway", "dev", "table", "ifname", "mac", "priority")
Record = dict[str, Any]


def broken(text: str) -> Iterator[tuple[str, str]]:
    """Each breakage of one node: what it is, and the text with it."""
    parts = re.split(r"(?m)^(@ node .*)$", text)
    for at in range(1, len(parts), 2):
        command, body = parts[at].removeprefix("@ node "), parts[at + 1]

        def text_with(body: str, at: int = at) -> str:
            return "".join([*parts[: at + 1], body, *parts[at + 2 :]])

        if command in ("iptables-nft-save", "nft list ruleset"):
            lines = body.split("\n")
            for number, line in enumerate(lines):
                if line.startswith("-A ") or (line.startswith("\t\t") and not _HEAD.match(line)):
                    kept = [*lines[:number], *lines[number + 1 :]]
                    yield f"without {line.strip()}", text_with("\n".join(kept))
        elif any(one in command for one in _LISTS) and body.strip().startswith("["):
            records = json.loads(body)
            for number, one in enumerate(records):
                said = " ".join(f"{key} {one[key]}" for key in _SAID if key in one)
                for does, instead in _instead(one):
                    kept = [*records[:number], *instead, *records[number + 1 :]]
                    yield f"{does} {said}", text_with(f"\n{json.dumps(kept)}\n")


def _instead(one: Record) -> Iterator[tuple[str, list[Record]]]:
    """What can become of an entry: nothing, or another one."""
    if "ifname" not in one or "mac" in one:
        yield "without", []
    if "gateway" in one:
        yield "next hop .99:", [one | {"gateway": one["gateway"].rpartition(".")[0] + ".99"}]
    if "gateway" in one or one.get("scope") == "link":
        yield "blackhole:", [{"type": "blackhole", "dst": one["dst"], "flags": []}]
    if "lladdr" in one:
        yield "another MAC:", [one | {"lladdr": "02:99:99:99:99:99"}]
    if "addr_info" in one and one["ifname"] != "lo":
        flags = [flag for flag in one["flags"] if flag not in ("UP", "LOWER_UP")]
        yield "down:", [one | {"flags": flags, "operstate": "DOWN"}]
    if "master" in one and "addr_info" in one:
        yield "without its bridge:", [{key: value for key, value in one.items() if key != "master"}]


def answers(world: World) -> list[list[Outcome]]:
    """Of each request those of all branches."""
    asked = (parse_request(world, *one) for one in _ASKED)
    return [[trace.outcome for trace in walks(world, one)] for one in asked]


def main(plugins: list[str]) -> int:
    done: Counter[str] = Counter()
    for plugin in plugins or sorted(one.name for one in _NODES.iterdir() if one.is_dir()):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "nodes").mkdir()
            source = _NODES / plugin
            (folder / "cluster.yaml").write_bytes((source / "cluster.yaml").read_bytes())
            texts = {
                packed.name.removesuffix(".xz"): lzma.decompress(packed.read_bytes()).decode()
                for packed in source.glob("nodes/*.xz")
            }
            for file, text in texts.items():
                (folder / "nodes" / file).write_text(text)
            healthy = [
                {one.result for one in found} for found in answers(build_world([str(folder)]))
            ]
            for file, text in texts.items():
                for what, changed in broken(text):
                    (folder / "nodes" / file).write_text(changed)
                    _judge(
                        f"{plugin} {file}: {what}",
                        answers(build_world([str(folder)])),
                        healthy,
                        done,
                    )
                (folder / "nodes" / file).write_text(text)
    print(dict(done))
    return 1 if done["nothing said"] else 0


def _judge(
    what: str, found: list[list[Outcome]], healthy: list[set[Result]], done: Counter[str]
) -> None:
    failed = [
        (asked, one)
        for asked, branches, before in zip(_ASKED, found, healthy, strict=True)
        for one in branches
        if one.result not in before
    ]
    silent = [(asked, one) for asked, one in failed if not one.advice]
    done["nothing said" if silent else "told" if failed else "the same"] += 1
    for asked, one in silent[:1]:
        print(f"{what}\n  {' → '.join(asked)}: {one.result.value}: {one.reason}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
