"""Laws of every walk, held against every cluster that was recorded."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest
import truth

from k8stui.export.json import walk_json
from k8stui.export.text import walk_text
from k8stui.export.topology import topology_lines
from k8stui.kernel.exchange import Result
from k8stui.kernel.step import Direction
from k8stui.walk.offers import offers
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World, build_world

_FOLDER = truth.find("recordings-cluster")
_SETS = sorted(p.name for p in _FOLDER.iterdir() if list(p.glob("dump.yaml*"))) if _FOLDER else []
MOST = 12
"""Branches that are looked at of one request; a Service of 250 endpoints has 250."""


def _world(name: str, tmp_path: Path) -> World:
    folder = truth.folder("recordings-cluster") / name
    plain = folder / "dump.yaml"
    if not plain.exists():
        plain = tmp_path / "dump.yaml"
        plain.write_bytes(lzma.decompress((folder / "dump.yaml.xz").read_bytes()))
    return build_world([str(plain)])


@pytest.mark.parametrize("name", _SETS)
def test_every_way_to_every_service(name: str, tmp_path: Path) -> None:
    world = _world(name, tmp_path)
    assert list(topology_lines(world.cluster))
    for key, service in world.cluster.services.items():
        for offer in offers(world, key):
            several = len(service.ports) * 250 > MOST and name == "many-endpoints"
            found: list[Trace] = []
            for trace in walks(world, offer.request):
                found.append(trace)
                if several and len(found) == MOST:
                    break
            else:
                assert sum(t.probability for t in found) == 1
            for trace in found:
                _holds(trace)
            text = walk_text(found)
            assert all(len(line) <= 80 or " " not in line.strip() for line in text.splitlines())
            branches = json.loads(walk_json(offer.request, found))["branches"]
            assert len(branches) == len(found)


def _holds(trace: Trace) -> None:
    steps = trace.steps
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    for one, following in zip(trace.hops, trace.hops[1:], strict=False):
        assert (one.namespace, one.direction) != (following.namespace, following.direction)
    outcome = trace.outcome
    assert outcome.reason
    if outcome.result is Result.CONNECTED:
        assert outcome.errno is None
        assert not outcome.advice
        last = trace.hops[-1]
        assert (last.direction, last.namespace) == (Direction.REPLY, trace.hops[0].namespace)
        # NAT is undone: the client hears the address that it asked.
        assert trace.request.connect is not None
        answer = last.steps[-1].before
        assert answer is not None
        assert answer.src == trace.request.connect.destination
        assert answer.sport == trace.request.connect.port
    else:
        assert outcome.step is None or 1 <= outcome.step <= len(steps)
