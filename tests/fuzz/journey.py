"""All that is done with an input, from its bytes to every output; and how long it may take.

Load → cluster → rules → walk → check → export. What is wrong with the input is said; nothing else
gets out, and nothing of the input reaches a terminal as it is.
"""

from __future__ import annotations

import io
import json
import re
import resource
from collections.abc import Iterator
from pathlib import Path

from k8stui.check import check, unreadable
from k8stui.cluster.model import Cluster
from k8stui.cluster.options import ClusterOptions
from k8stui.errors import explain_mistake
from k8stui.export import diagram
from k8stui.export.findings import encoded, findings_lines
from k8stui.export.json import walk_json
from k8stui.export.rules import rules_json, save_lines
from k8stui.export.text import walk_text
from k8stui.export.topology import topology_lines
from k8stui.export.topology_json import topology_json
from k8stui.nodes.options import NodeOptions
from k8stui.walk.offers import first_offer
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

MOST_SECONDS = 2.0
"""Of CPU for one input; the usual one takes a hundredth of it."""
SECONDS_A_MEGABYTE = 2.0
"""More for long inputs; a broken one is read several times, until it makes sense."""
SECONDS_A_RECORD = 0.0005
MIB_A_RECORD = 0.01
"""More for each pod and endpoint that the input asks for: 20 bytes can ask for ten thousand."""
MOST_MIB = 300
"""By which resident memory grows while an input is worked on."""
_LIVE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
"""What a terminal would obey, or what turns a line's reading direction."""


class CostError(AssertionError):
    """An input takes too long, or too much memory."""


def bounded(raw: bytes, plugin: str = "flannel", mode: str | None = None) -> World | None:
    """`journey`, within the bounds.

    Raises:
        CostError: it took more.

    """
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew (proc_pid_clear_refs(5))
    start, before = _cpu(), _mib("VmRSS")
    world = journey(raw, plugin, mode)
    taken, grown = _cpu() - start, _mib("VmHWM") - before
    records = _records(world.cluster) if world is not None else 0
    most = MOST_SECONDS + SECONDS_A_RECORD * records + SECONDS_A_MEGABYTE * len(raw) / 1e6
    if taken > most:
        # A machine that does something else may have been slow: the second time counts.
        start = _cpu()
        journey(raw, plugin, mode)
        taken = min(taken, _cpu() - start)
    if taken > most or grown > MOST_MIB + MIB_A_RECORD * records:
        raise CostError(f"{taken:.1f} s of CPU, {grown:.0f} MiB for {len(raw)} bytes")
    return world


def _records(cluster: Cluster) -> int:
    endpoints = (
        len(each.endpoints) * len(each.ports or ())
        for slices in cluster.endpoint_slices.values()
        for each in slices
    )
    return len(cluster.pods) + sum(endpoints)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _mib(field: str) -> float:
    """Resident memory, now (VmRSS) or at most since the peak was cleared (VmHWM)."""
    found = re.search(rf"{field}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def journey(raw: bytes, plugin: str = "flannel", mode: str | None = None) -> World | None:
    """None: the user has to choose or to mend something first, and was told so."""
    try:
        return _all_of_it(raw, ClusterOptions(proxy_mode=mode), NodeOptions(cni=plugin))
    except Exception as error:
        said = explain_mistake(error)
        if said is None:
            raise
        inert(said)
        return None


def _all_of_it(raw: bytes, cluster_options: ClusterOptions, node_options: NodeOptions) -> World:
    world = build_world(["-"], cluster_options, node_options, stdin=io.BytesIO(raw))
    for problem in world.problems:
        assert problem.message
        inert(problem.render())
    for note in world.notes:
        inert(note.render())
    for one in world.manifests.objects:
        assert one.place("spec", "ports", 0).line >= 1
        assert one.place("metadata", "name").column >= 1
    for text in texts(world):
        inert(text)
    for text in documents(world):
        inert(text)
        json.loads(text)
    return world


def inert(text: str) -> None:
    assert text
    found = _LIVE.search(text)
    assert found is None, f"{found[0]!r} in {text[max(0, found.start() - 60) : found.end()]!r}"


def texts(world: World) -> Iterator[str]:
    """Every output of the world that is for people."""
    cluster = world.cluster
    for lines in (topology_lines, diagram.dot_lines, diagram.mermaid_lines):
        yield "\n".join(lines(cluster))
    for node in [*cluster.nodes.values()][:2]:
        for version in (4, 6):
            yield "\n".join(save_lines(world.network.ruleset(node, version, "all")))
    offer = first_offer(world)
    if offer is not None:
        yield walk_text([walk(world, offer.request)], verbose=True)
    found = check(world, ["-"])
    yield "\n".join(findings_lines(found))
    annotations = "".join(encoded("github", (*unreadable(world.problems), *found)))
    yield annotations or "\n"


def documents(world: World) -> Iterator[str]:
    """Every output of the world that is for programs."""
    yield "".join(topology_json(world))
    for node in [*world.cluster.nodes.values()][:1]:
        yield "".join(rules_json(world.network.ruleset(node, 4, "all"), node.name, "ipv4"))
    offer = first_offer(world)
    if offer is not None:
        yield walk_json(offer.request, [walk(world, offer.request)])
    found = (*unreadable(world.problems), *check(world, ["-"]))
    for form in ("json", "sarif"):
        yield "".join(encoded(form, found))
