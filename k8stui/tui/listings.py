"""The lines of the lists: help, problems, branches, manifest. Functions of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from k8stui.export.drawing.ink import NOTHING, Ink, Line, hang, join, line_width, middle, run, wrap
from k8stui.export.drawing.words import LEGEND, RESULTS
from k8stui.neutralise import neutralise
from k8stui.order import natural
from k8stui.origin import Place
from k8stui.tui.keys import GROUPS, Group, key_names
from k8stui.tui.source_lines import Numbered
from k8stui.walk.trace import Trace

if TYPE_CHECKING:
    from k8stui.cluster.graph import Related
    from k8stui.replay.replay import Moment
    from k8stui.walk.world import World

_LEAST_NAME = 12
"""Cells that a pod's name keeps in the list of branches."""


def help_lines(width: int, groups: Sequence[Group] = GROUPS) -> list[Line]:
    """All keys by group, made of the bindings; then what the marks mean."""
    lines: list[Line] = []
    column = 30 if width >= 70 else 24
    for heading, bindings in groups:
        lines += [NOTHING, run(f" {heading}", Ink.STRONG)]
        for binding in bindings:
            keys = key_names(binding)
            texts = wrap(binding.tooltip, max(16, width - column - 5))
            lines.append(join((run(f"   {keys:<{column}}", Ink.KEY), run(texts[0]))))
            lines += [run(" " * (column + 3) + text) for text in texts[1:]]
    lines += [
        NOTHING,
        run(" What is what", Ink.STRONG),
        join(
            (
                run("   "),
                run("▶ forward", Ink.TRAIL),
                run("  the packet on its way out   "),
                run("◀ reply", Ink.RETURN),
                run("  on its way back"),
            )
        ),
        join(
            (
                run("   "),
                run("⇄ DNAT SNAT", Ink.NAT),
                run("  header rewritten   "),
                run("✗ DROP REJECT", Ink.DROP),
                run("  the end"),
            )
        ),
        run(f"   {LEGEND}"),
        run("   before ⇒ after   a header field that this step changed"),
        NOTHING,
        run(
            " Shift+drag selects text with the terminal's own mouse. In tmux, Esc is quicker with",
            Ink.DIM,
        ),
        run(
            " `set -s escape-time 10`. Every screen has a text twin: k8stui walk, k8stui topology.",
            Ink.DIM,
        ),
    ]
    return lines


def moment_lines(moment: Moment, width: int) -> list[Line]:
    """All that a moment of the deployment brought, line by line."""
    from k8stui.export.replay import replay_lines  # noqa: PLC0415 - only when asked for

    inks = {"+": Ink.OK, "-": Ink.DROP}
    lines: list[Line] = []
    for text in replay_lines([moment], verbose=True, width=width - 2):
        ink = inks.get(text.strip()[:1], Ink.TEXT)
        lines += [run(f" {part}", ink) for part in wrap(text, width - 2, indent=10)]
    return lines


def problem_lines(world: World, width: int) -> list[Line]:
    """What is wrong with the input, then what was left out of it."""
    lines: list[Line] = []
    for problem in world.problems:
        lines.append(NOTHING)
        for n, text in enumerate(problem.render().splitlines()):
            lines += [
                run(" " + part, Ink.DROP if not n else Ink.TEXT)
                for part in (
                    wrap(neutralise(text), width - 2, indent=2) if not n else [neutralise(text)]
                )
            ]
    if world.notes:
        lines += [NOTHING, run(" Left out, or worth knowing", Ink.STRONG)]
        for note in world.notes:
            lines += [
                run(("   " if not n else "     ") + text, Ink.DIM)
                for n, text in enumerate(wrap(note.render(), width - 6))
            ]
    return lines or [NOTHING, run(" Nothing is wrong with the input, and nothing was left out.")]


def mistake_lines(said: str, width: int) -> list[Line]:
    """What the user did wrong, in place of what there would be."""
    lines = [NOTHING]
    for each in said.split("\n"):
        lines += [run(f" {text}") for text in wrap(neutralise(each), max(8, width - 2))]
    return lines


def branch_lines(traces: Sequence[Trace], width: int, *, capped: bool) -> list[tuple[int, Line]]:
    """One line a branch: probability, endpoint, outcome; then one for each that fares alike.

    Each with the 0-based number of the walk that shows it; -1: none does.
    """
    lines: list[tuple[int, Line]] = []
    for number, trace in enumerate(traces):
        outcome = trace.outcome
        sign = RESULTS[outcome.result]
        where = neutralise(outcome.server_pod or outcome.decided_at)
        address = ""
        if outcome.server_address is not None and outcome.server_port is not None:
            address = f"  {outcome.server_address.with_port(outcome.server_port)}"
        shared = f"  and {len(trace.alike):,} alike" if trace.alike else ""
        line = (
            run(f" {trace.branch:>3}  "),
            run(f"p = {trace.probability!s:<8}", Ink.CHANGED),
            run(f"{sign.glyph} {sign.word:<13}", sign.ink),
        )
        room = max(_LEAST_NAME, width - line_width(join(line)) - len(address) - len(shared))
        tail = (run(middle(where, room)), run(address), run(shared, Ink.DIM))
        lines.append((number, join((*line, *tail))))
        like = middle(where.rpartition("/")[2], _LEAST_NAME)
        lines += [
            (number, join((run(" " * 18), run(f"as {like:<13}", Ink.DIM), run(neutralise(key)))))
            for key in sorted(trace.alike, key=natural)
        ]
    if capped:
        said = f" only the first {len(traces)} branches are shown: there are more"
        lines.append((-1, run(said, Ink.DIM)))
    return lines


def neighbour_lines(found: Sequence[Related]) -> list[Line]:
    """One line a relation: how it reads from the object, and the other end."""
    from k8stui.export.neighbours import neighbour_words  # noqa: PLC0415 - only when asked for

    said = [neighbour_words(one) for one in found]
    longest = max((len(relation) for relation, _ in said), default=0)
    return [
        join((run(f" {relation:<{longest}}   ", Ink.DIM), run(other))) for relation, other in said
    ] or [NOTHING, run(" Nothing uses it, and it uses nothing.")]


def manifest_lines(place: Place, lines: Sequence[Numbered], width: int) -> list[Line]:
    """The manifest's lines, the meant one lit; what is wider goes on below."""
    digits = len(str(lines[-1].number)) if lines else 1
    drawn: list[Line] = [run(f" {neutralise(place.field)}", Ink.DIM) if place.field else NOTHING]
    for number, text in lines:
        is_it = number == place.line
        ink = Ink.MATCH if is_it else Ink.TEXT
        lead = run(f" {'▶' if is_it else ' '} {number:>{digits}}  ", ink)
        drawn += hang(lead, neutralise(text), width, ink, indent=digits + 7)
    return drawn
