"""Worlds for the check's tests, with options as the command line has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import truth

from k8stui.check import Finding, check, unreadable
from k8stui.cluster.options import ClusterOptions
from k8stui.nodes.options import NodeOptions
from k8stui.walk.world import World, build_world

ROOT = Path(truth.__file__).parents[1]
SAMPLES = ROOT / "samples"
SHARED = ROOT.parent / "shared" / "manifests"
"""truth.folder would find the room's own folder of tests, which has the same name."""


def world(path: Path | str, options: Sequence[str] = ()) -> World:
    """Build the world of one path; `options` are those that the cases need."""
    words = list(options)
    cni, mode, hairpin, distribution, engine = "flannel", None, None, None, None
    dumps: dict[str, dict[str, str]] = {"--iptables": {}, "--nft": {}}
    while words:
        word = words.pop(0)
        if word == "--cni":
            cni = words.pop(0)
        elif word == "--proxy-mode":
            mode = words.pop(0)
        elif word == "--distribution":
            distribution = words.pop(0)
        elif word == "--policy-engine":
            engine = words.pop(0)
        elif word in dumps:
            node, _, file = words.pop(0).partition("=")
            dumps[word][node] = file
        else:
            hairpin = {"--hairpin": True, "--no-hairpin": False}[word]
    built = build_world(
        [str(path)],
        ClusterOptions(proxy_mode=mode, distribution=distribution),
        NodeOptions(
            cni=cni,
            hairpin=hairpin,
            iptables=dumps["--iptables"],
            nft=dumps["--nft"],
            policy_engine=engine,
        ),
    )
    unread = [problem.render() for problem in built.problems if not problem.wrong]
    assert not unread, unread
    return built


def checked(path: Path | str, options: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Findings, and what the API server refuses, by line."""
    made = world(path, options)
    found = (*unreadable(made.problems), *check(made, [str(path)]))
    return tuple(sorted(found, key=lambda f: (f.place.file, f.place.line) if f.place else ("", 0)))
