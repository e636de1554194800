"""Two walks side by side from the step where they part: as text and as JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import zip_longest

from k8stui.export.answers import answer_words, answers_json
from k8stui.export.plain import WIDTH, wrap
from k8stui.kernel.exchange import Result
from k8stui.neutralise import neutralise
from k8stui.walk.compare import MOST_BRANCHES, Comparison, not_walked
from k8stui.walk.mode_differences import mode_differences
from k8stui.walk.trace import Outcome, Trace, TraceStep
from k8stui.whole import whole

TWO_COLUMNS = 100
"""From so many columns on the walks stand side by side; below, one under the other."""
_BETWEEN = " │ "


def screen_columns() -> int:
    """Columns to draw in: $COLUMNS, the terminal's, else 80."""
    told = os.environ.get("COLUMNS", "")
    if columns := whole(told):
        return columns
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or WIDTH
    except (OSError, ValueError):  # a file, a pipe, a captured stream
        return WIDTH


def compare_lines(found: Comparison, width: int = WIDTH) -> Iterator[str]:
    """Heading, what both walks share in a line or two, where they part, what comes of each."""
    request = found.before.request
    yield neutralise(f"{request.source} ─▶ {request.destination}   {request.protocol.name}")
    yield neutralise(f"{found.setting}: {found.value_before} ─▶ {found.value_after}")
    if found.observed_nodes:
        nodes = ", ".join(found.observed_nodes)
        text = f"note: the rules of {nodes} are a dump's: no setting changes them"
        yield from wrap(neutralise(text), "", "")
    yield ""
    yield from wrap(neutralise(_shared(found)), " ", " ")
    if not found.is_same:
        yield ""
        yield from _sides(found, width)
    yield ""
    for value, answers in (
        (found.value_before, found.answers_before),
        (found.value_after, found.answers_after),
    ):
        lead = neutralise(f"{value}: ")
        rest = not_walked(answers)
        words = answer_words(answers) + (f"; {rest} not walked" if rest else "")
        yield from wrap(neutralise(words), lead, " " * len(lead))
    if not_walked(found.answers_before) or not_walked(found.answers_after):
        yield f"note: of each side the first {MOST_BRANCHES} branches are walked, and no more"
    if found.answers_before == found.answers_after:
        yield "the client and the server feel no difference"
    for told in mode_differences(found):
        yield from wrap(neutralise(told), "how the modes differ: ", "  ")


def _shared(found: Comparison) -> str:
    steps = found.before.steps[: found.common]
    if found.is_same:
        return f"all {len(steps)} steps are the same"
    if not steps:
        return "the walks part at the first step"
    last = steps[-1]
    which = "step 1 is" if len(steps) == 1 else f"steps 1 to {len(steps)} are"
    where = _namespace(found.before, found.common)
    return f"{which} the same, to {where}: {last.kind.value} {last.text}"


def _namespace(trace: Trace, number: int) -> str:
    return next(h.namespace for h in trace.hops for s in h.steps if s.number == number)


def _sides(found: Comparison, width: int) -> Iterator[str]:
    titles = tuple(f"{found.setting}: {value}" for value in (found.value_before, found.value_after))
    traces = (found.before, found.after)
    if width < TWO_COLUMNS:
        for number, (title, trace) in enumerate(zip(titles, traces, strict=True)):
            if number:
                yield ""
            yield from _side(title, trace, found.common, width)
        return
    column = (width - len(_BETWEEN)) // 2
    sides = (_side(title, t, found.common, column) for title, t in zip(titles, traces, strict=True))
    for left, right in zip_longest(*sides, fillvalue=""):
        yield f"{left:<{column}}{_BETWEEN}{right}".rstrip()


def _side(title: str, trace: Trace, common: int, width: int) -> Iterator[str]:
    """One walk from behind its first `common` steps; words that are too long are cut in two."""
    for line in _text(title, trace, common, width):
        while len(line) > width:
            yield line[:width]
            line = f"{' ' * 8}{line[width:]}"  # noqa: PLW2901 - the rest of a long word
        yield line


def _text(title: str, trace: Trace, common: int, width: int) -> Iterator[str]:
    yield from wrap(neutralise(title), "", "  ", width)
    for hop in trace.hops:
        steps = [step for step in hop.steps if step.number > common]
        if steps:
            yield neutralise(f" {hop.namespace}, {hop.direction.value}")
        for step in steps:
            yield from _step(step, width)
    yield from wrap(neutralise(_outcome(trace.outcome)), "⇒ ", "  ", width)


def _step(step: TraceStep, width: int) -> Iterator[str]:
    lead = f" {step.number:>3} {step.kind.value:<9} "
    return wrap(neutralise(step.text), lead, " " * 8, width)


def _outcome(outcome: Outcome) -> str:
    reason = outcome.reason.rstrip(".")
    if outcome.result is Result.CONNECTED:
        return f"connected. {reason}." if reason else "connected."
    return f"{outcome.result.value}, decided at {outcome.decided_at}: {reason}."


def compare_json(found: Comparison) -> str:
    """Write both branches whole, with the number of steps that they share."""
    from k8stui.export.json import branch, dumps  # noqa: PLC0415 - 9 ms, not needed for text

    request = found.before.request
    document = {
        "version": 1,
        "request": {
            "source": request.source,
            "destination": request.destination,
            "protocol": request.protocol.name,
            "service": request.service,
        },
        "setting": found.setting,
        "common_steps": found.common,
        "same": found.is_same,
        "mode_differences": list(mode_differences(found)),
        "nodes_with_observed_rules": list(found.observed_nodes),
        "before": {
            "value": found.value_before,
            "answers": answers_json(found.answers_before),
            "not_walked": str(not_walked(found.answers_before)),
            "branch": branch(found.before),
        },
        "after": {
            "value": found.value_after,
            "answers": answers_json(found.answers_after),
            "not_walked": str(not_walked(found.answers_after)),
            "branch": branch(found.after),
        },
    }
    return dumps(document)
