"""All rules over one world, and the walks behind what they say."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from k8stui.check.assertion import ID as ASSERT
from k8stui.check.assertion import Assertion
from k8stui.check.finding import Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.judging import judge
from k8stui.check.proof import Prover
from k8stui.check.table import RULES
from k8stui.walk.world import World


def check(
    world: World,
    paths: Sequence[str] = (),
    *,
    assertions: Sequence[Assertion] = (),
    ignore: Collection[str] = (),
    namespace: str = "default",
) -> tuple[Finding, ...]:
    """Every finding, by file and line in the order of the input.

    `paths`: as given on the command line, for the walk commands. `ignore`: ids of rules that stay
    silent. `namespace`: of names in `assertions` that have none.

    A finding that says that a request is not delivered is walked; where the walk gets through
    (the nodes' real rules say otherwise, say), there is no finding. Of what an object brings that
    several files define unlike nothing is certain: which of the alternatives a cluster has is not
    known, and an error is but a warning.
    """
    ground, prover = Ground(world, paths), Prover(world, paths)
    found = [
        _certain(ground, proven)
        for rule in RULES
        if rule.id not in ignore
        for finding in rule.look(ground)
        if (proven := prover.prove(finding)) is not None
    ]
    if ASSERT not in ignore:
        found += judge(world, assertions, paths, namespace)
    files: dict[str, int] = {}
    for manifest in world.manifests.objects:
        files.setdefault(manifest.file, len(files))
    return tuple(sorted(found, key=lambda finding: _position(finding, files)))


def _certain(ground: Ground, finding: Finding) -> Finding:
    """The finding, as far as it is sure: it may speak of an alternative, or of its pods."""
    if finding.severity is not Severity.ERROR or not ground.alternatives:
        return finding
    words = set(_NAME.findall(f"{finding.subject} {finding.why}"))
    words |= {word.rpartition("-")[0] for word in words}
    if words.isdisjoint(ground.alternatives):
        return finding
    return replace(finding, severity=Severity.WARNING)


_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


def worst(findings: Sequence[Finding]) -> Severity | None:
    """The highest severity among them; None without any."""
    return next((s for s in Severity if any(f.severity is s for f in findings)), None)


def _position(finding: Finding, files: dict[str, int]) -> tuple[int, str, int, int]:
    place = finding.place
    if place is None:
        return len(files) + 1, "", 0, 0
    return files.get(place.file, len(files)), place.file, place.line, place.column
