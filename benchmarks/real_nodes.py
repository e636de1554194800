"""How often a walk's answers are those of the real kernels whose state it was given.

    python benchmarks/real_nodes.py [FOLDER] [--objects] [--show STATE]

FOLDER (default: `K8STUI_REAL_NODES`, else tests/real-nodes) holds one folder a state:
cluster.yaml, nodes/NODE.txt and flows.json (packed with xz or not), which says what the kernels
did with each request. A walk is given nothing but the objects and the nodes' texts (``--objects``:
the objects alone). Per state: requests whose set of answers (result, server, source seen) is the
kernel's, "cannot tell" counts half; and the others by kind. Aimed at: 97 %.
"""

from __future__ import annotations

import json
import lzma
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from k8stui.errors import K8sTuiError
from k8stui.kernel.exchange import Result
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

Answer = tuple[str, str, str]
"""Result, server and the source that it sees."""
_STATES = Path(os.environ.get("K8STUI_REAL_NODES", Path(__file__).parents[1] / "tests/real-nodes"))


def _flows(state: Path) -> Any:
    plain = state / "flows.json"
    if plain.exists():
        return json.loads(plain.read_text())
    return json.loads(lzma.decompress(plain.with_name("flows.json.xz").read_bytes()))


def seen(flow: Mapping[str, Any]) -> frozenset[Answer]:
    """What the kernel did with a request, each time it was asked."""
    return frozenset(
        (one["result"], _server(one["server"]), str(one["source_seen_by_server"]))
        for one in flow["kernel"]
    )


def _server(server: Mapping[str, Any] | None) -> str:
    if server is None:
        return "None"
    who = server.get("pod") or server.get("node") or "outside"
    return f"{who} {server['address']}:{server['port']}"


def answer(world: World, trace: Trace) -> Answer:
    """What one branch of the walk says."""
    end = trace.outcome
    if end.result is not Result.CONNECTED:
        return (end.result.value, "None", "None")
    pod = world.cluster.pods.get(end.server_pod or "")
    if pod is not None:
        # A pod on its node's own network is the node to a socket.
        who = str(pod.node_name) if pod.host_network else pod.key
    else:
        who = end.decided_at if end.decided_at in world.cluster.nodes else "outside"
    server = f"{who} {end.server_address}:{end.server_port}"
    return (end.result.value, server, str(end.source_seen_by_server))


def kind(said: frozenset[Answer], true: frozenset[Answer]) -> str:
    """In a few words how the two differ."""
    if said == true:
        return "same"
    if any(result == Result.UNKNOWN.value for result, _, _ in said):
        return "cannot tell"
    results, expected = {one[0] for one in said}, {one[0] for one in true}
    if results != expected:
        return f"{'/'.join(sorted(results))} for {'/'.join(sorted(expected))}"
    if {one[1] for one in said} != {one[1] for one in true}:
        return "another server"
    return "another source"


def compare(
    state: Path, *, objects: bool
) -> Iterator[tuple[str, Mapping[str, Any], frozenset[Answer], frozenset[Answer], str]]:
    """Each request of a state: kind of difference, request, the walk's answers, the kernel's."""
    flows = _flows(state)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / state.name
        given.mkdir()
        shutil.copy(state / "cluster.yaml", given)
        if not objects:
            (given / "nodes").mkdir()
            for text in (state / "nodes").glob("*.txt*"):
                shutil.copy(text, given / "nodes")
        try:
            world = build_world([str(given)])
        except K8sTuiError as error:
            print(f"{state.name}: {error}", file=sys.stderr)
            for flow in flows["flows"]:
                yield "refused", flow, frozenset(), seen(flow), str(error)
            return
        for flow in flows["flows"]:
            true = seen(flow)
            try:
                request = parse_request(world, flow["from"], flow["to"])
                traces = list(walks(world, request))
            except K8sTuiError as error:
                yield "no request", flow, frozenset(), true, str(error)
                continue
            said = frozenset(answer(world, trace) for trace in traces)
            reason = next((t.outcome.reason for t in traces if answer(world, t) not in true), "")
            yield kind(said, true), flow, said, true, reason


def main() -> None:
    arguments = [one for one in sys.argv[1:] if not one.startswith("--")]
    shown = arguments.pop() if "--show" in sys.argv else None
    folder = Path(arguments[0]) if arguments else _STATES
    whole: Counter[str] = Counter()
    for state in sorted({flows.parent for flows in folder.glob("*/flows.json*")}):
        if shown is not None and shown not in state.name:
            continue
        found: Counter[str] = Counter()
        for what, flow, said, true, reason in compare(state, objects="--objects" in sys.argv):
            found[what] += 1
            if shown is not None and what != "same":
                print(f"{flow['id']:>3} {flow['from']} -> {flow['to']}: {what}")
                print(f"    walk   {sorted(said)}\n    kernel {sorted(true)}\n    {reason}")
        print(_line(state.name, found))
        whole += found
    print(_line("all", whole))


def _line(name: str, found: Counter[str]) -> str:
    total = found.total()
    points = found["same"] + found["cannot tell"] / 2
    others = ", ".join(f"{n} {what}" for what, n in found.most_common() if what != "same")
    share = 100 * points / max(total, 1)
    return f"{name:<28} {found['same']:>3} of {total:>3}  {share:5.1f} %  {others}"


if __name__ == "__main__":
    main()
