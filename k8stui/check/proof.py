"""A rule's claim put to the test: the walk that shows it, or that it is not so."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from k8stui.check.claim import Claim
from k8stui.check.finding import Finding, Proof
from k8stui.kernel.exchange import Result
from k8stui.settings import CONTEXT, NAMESPACE, OPTIONS, Holder
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World

_MOST_BRANCHES = 256
"""Branches that are looked at for one that fails: as many endpoints as one Service has."""


class Prover:
    """Puts findings' claims to the test: however many make the same one, it is walked once."""

    def __init__(self, world: World, paths: Sequence[str]) -> None:
        self._world, self._paths = world, paths
        self._proofs: dict[Claim, Proof | None] = {}
        """Of each claim that was walked what shows it; None: the walk shows it to be wrong."""
        self._unasked: set[Claim] = set()
        """Claims that cannot be walked: nobody is there to ask."""

    def prove(self, finding: Finding) -> Finding | None:
        """Give the finding with the walk that shows it; None where that shows it to be wrong.

        A claim that cannot be walked leaves the finding as it is.
        """
        claim = finding.claim
        if claim is None:
            return finding
        if claim not in self._proofs and claim not in self._unasked:
            try:
                self._proofs[claim] = self._proof(claim)
            except RequestError:
                self._unasked.add(claim)
        if claim in self._unasked:
            return finding
        proof = self._proofs[claim]
        return replace(finding, proof=proof) if proof is not None else None

    def _proof(self, claim: Claim) -> Proof | None:
        failed = _failing(self._world, claim)
        if failed is None:
            return None
        every = failed.branch > 1
        return shown(failed, command(self._world, self._paths, claim, every=every))


def _failing(world: World, claim: Claim) -> Trace | None:
    request = parse_request(world, claim.source, claim.destination)
    most = _MOST_BRANCHES if claim.some else 1
    failed = _first_failed(walks(world, request, diagnose=False), most)
    if failed is not None and failed.outcome.step is None:
        return _first_failed(walks(world, request), most)  # only words can show it
    return failed


def _first_failed(traces: Iterator[Trace], most: int) -> Trace | None:
    found = (t for t in islice(traces, most) if t.outcome.result is not Result.CONNECTED)
    return next(found, None)


def shown(trace: Trace, command_line: str) -> Proof:
    """Sum a failed walk up: what the client feels, where and why."""
    outcome = trace.outcome
    text = outcome.reason
    if outcome.step is not None:
        text = trace.steps[outcome.step - 1].text
    return Proof(
        command=command_line,
        result=outcome.result,
        where=outcome.decided_at,
        step=outcome.step,
        text=text,
    )


def command(
    world: World,
    paths: Sequence[str],
    claim: Claim,
    *,
    every: bool = False,
    namespace: str = "default",
) -> str:
    """Write the command line that prints the walk, with all options that shape this world."""
    words = ["k8stui", "walk", *(_path(path) for path in paths), *_options(world)]
    words += NAMESPACE.words(namespace)
    words += ["--from", claim.source, "--to", claim.destination]
    if every:
        words.append("--all")
    return shlex.join(words)


def _path(path: str) -> str:
    return f"./{path}" if path.startswith("-") and path != "-" else path


def _options(world: World) -> list[str]:
    holders = {Holder.CLUSTER: world.cluster_options, Holder.NODES: world.options}
    words = [*CONTEXT.words(world.context)]
    for setting in OPTIONS:
        holder = holders.get(setting.holder)
        words += setting.words(getattr(holder, setting.name)) if holder is not None else ()
    return words
