"""A tour as text: each position with its caption, the drawing at its step, and the sentence."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.export.comparison import comparison_lines, comparison_title
from k8stui.export.drawing.ink import text_of, width_of
from k8stui.export.drawing.picture import film, title, verdict
from k8stui.export.drawing.words import sentence, step_sign
from k8stui.export.plain import wrap
from k8stui.export.replay import QUIET, replay_lines
from k8stui.neutralise import neutralise
from k8stui.replay.gains import Gains
from k8stui.replay.replay import Moment
from k8stui.tour.rehearse import Rehearsal, Stop
from k8stui.walk.kinds import SHORT
from k8stui.walk.trace import Trace

WIDTH = 100
HEIGHT = 26
"""Cells of a drawing."""
_WHOLE = 10_000
"""Cells in which every verdict stands uncut."""


def tour_lines(rehearsal: Rehearsal, width: int = WIDTH, height: int = HEIGHT) -> Iterator[str]:
    """All of it, a heading for each position."""
    stops = rehearsal.stops
    many = "" if len(stops) == 1 else "s"
    yield f"{rehearsal.tour.title}   ({len(stops)} position{many})"
    moment = None
    for stop in stops:
        yield ""
        lead = f"{stop.position.number}/{len(stops)}  "
        rule = "─" * max(4, width - len(lead))
        yield f"{lead}{rule}"
        yield from wrap(stop.position.caption, "  ", "  ", width)
        if stop.moment is not None:
            yield ""
            yield from _moment(stop.moment, width, is_new=stop.moment is not moment)
        moment = stop.moment
        yield from _turned(stop, width)
        yield ""
        yield from _shown(stop, width, height)


def _moment(moment: Moment, width: int, *, is_new: bool) -> Iterator[str]:
    """What it brought; of the moment that the position before showed no more than its name."""
    if is_new:
        yield from (line.rstrip() for line in replay_lines([moment]) if line.strip())
    else:
        yield from wrap(moment_words(moment), "  ", "    ", width)


def moment_words(moment: Moment, width: int = 0) -> str:
    """What has just been done and what came of it, in a line, the most telling first.

    On `width` cells (0: on all it takes) in fewer words.
    """
    change = moment.change
    if change is None:
        return "before anything is deployed"
    verb = {"deleted": " is deleted", "changed": f" {change.words or 'is changed'}"}
    kind = change.manifest.kind
    lead = f"{SHORT.get(kind, kind)} {change.manifest.name}{verb.get(change.verb.value, '')}"
    gains = moment.gains
    come, counted = list(_named(gains)), list(_counted(gains))
    said = lead
    hosts = dict.fromkeys(_hosts(gains))
    few = [f"{len(hosts)} Services in its environment"] if len(hosts) > 1 else []
    for found in (hosts, [one.partition("=")[0] for one in hosts], few or hosts):
        gained = ", ".join((*come, *found, *counted))
        said = neutralise(lead + (f": {gained}" if gained else ""))
        if not width or width_of(said) <= width:
            break
    return said


def _named(gains: Gains) -> Iterator[str]:
    """Pods and names that come and go."""
    for each in (gains.pods, gains.names):
        for sign, names in (("+", each.added), ("-", each.removed)):
            yield from (f"{sign}{name.rpartition('/')[2].partition('.')[0]}" for name in names)


def _hosts(gains: Gains) -> Iterator[str]:
    """Where the pods that start now find a Service: variables of their environment."""
    for variables in gains.environment.values():
        hosts = (one for one in variables if one.partition("=")[0].endswith("_SERVICE_HOST"))
        yield from (one for one in hosts if not one.startswith(QUIET))


def _counted(gains: Gains) -> Iterator[str]:
    """How many rules, devices and routes; nodes that gain alike together."""
    counts: dict[str, list[str]] = {}
    for name, gain in gains.nodes.items():
        parts = {"rule": gain.rules, "device": gain.devices, "route": gain.routes}
        said = " ".join(
            f"{sign}{len(lines)} {part}{'' if len(lines) == 1 else 's'}"
            for part, each in parts.items()
            for sign, lines in (("+", each.added), ("-", each.removed))
            if lines
        )
        if said:
            counts.setdefault(said, []).append(name)
    yield from (f"{' and '.join(names)} {said}" for said, names in counts.items())


def _turned(stop: Stop, width: int) -> Iterator[str]:
    """The settings that are turned, and what that changes."""
    for one in stop.variations:
        said = f"what if {one.setting} were {one.value_after} (it is {one.value_before})"
        yield from wrap(neutralise(said), "  ", "    ", width)
    if stop.before is not None and stop.trace is not None:
        yield from wrap(_verdict(stop.before), "  as it is  ", " " * 12, width)
        yield from wrap(_verdict(stop.trace), "  then      ", " " * 12, width)


def _verdict(trace: Trace) -> str:
    return text_of(verdict(trace, _WHOLE)).strip()


def _shown(stop: Stop, width: int, height: int) -> Iterator[str]:
    trace = stop.trace
    if stop.comparison is not None:
        yield text_of(comparison_title(stop.comparison)).rstrip()
        yield ""
        lines = comparison_lines(stop.comparison, width, height, is_tight=True)
        yield from (text_of(line).rstrip() for line in lines)
        return
    if trace is None:
        yield from wrap(neutralise(f"✗ {stop.question}: {stop.failure}"), "  ", "    ", width)
        return
    yield text_of(title(trace)).rstrip()
    if trace.steps:
        frame = film(stop.world, trace, width, height).frame(stop.index)
        yield ""
        yield from (text_of(line).rstrip() for line in frame.lines())
        yield ""
        step = trace.steps[stop.index]
        sign = step_sign(step)
        yield from wrap(
            f"{step.number} {sign.glyph} {sign.word}  {sentence(step)}", "  ", " " * 6, width
        )
    if stop.index + 1 >= len(trace.steps) and not stop.variations:
        yield from wrap(_verdict(trace), "  ", "    ", width)
