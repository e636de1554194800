"""A deployment replayed: as text, a block for each step, and as JSON (docs/json.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from k8stui.export.plain import WIDTH, wrap
from k8stui.kernel.exchange import Result
from k8stui.neutralise import neutralise
from k8stui.replay.gains import Delta, Gains, NodeGain
from k8stui.replay.replay import Answered, Moment

_SHOWN = 4
"""Lines of one kind that are printed in full."""
QUIET = ("KUBERNETES_",)
"""Variables that every pod has."""
_INDENT = "     "


def replay_lines(
    moments: Iterable[Moment], *, verbose: bool = False, width: int = WIDTH
) -> Iterator[str]:
    """A block for each step; `verbose`: every rule, route and variable."""
    for moment in moments:
        if moment.change is None:
            yield "  0  the cluster before anything is deployed"
        else:
            change = moment.change
            place = change.manifest.place()
            yield ""
            words = f" ({change.words})" if change.words else ""
            yield neutralise(
                f"{moment.number:>3}  {change.verb.value:<7} {change.subject}{words}"
                f"   {place.file}:{place.line}"
            )
            yield from map(neutralise, _gains(moment.gains, width, verbose=verbose))
        for asked in moment.asked:
            yield from map(neutralise, _asked(asked, width))


def _gains(found: Gains, width: int, *, verbose: bool) -> Iterator[str]:
    if not found:
        yield f"{_INDENT}no node, name or endpoint changes"
        return
    yield from _difference("pods", found.pods, width, verbose=True)
    for key, endpoints in found.endpoints.items():
        yield from _difference(f"endpoints of {key}", endpoints, width, verbose=verbose)
    yield from _difference("DNS", found.names, width, verbose=verbose)
    known: dict[int, list[str]] = {}
    for pod, variables in found.environment.items():
        told = known.get(id(variables))  # pods of one namespace share them
        if told is None:
            told = known[id(variables)] = [one for one in variables if not one.startswith(QUIET)]
            if verbose:  # what all have: last
                told += [one for one in variables if one.startswith(QUIET)]
        if told:
            yield from _list(f"environment of {pod}", "", told, width, verbose=verbose)
    alike: list[tuple[list[str], NodeGain]] = []
    for name, gain in found.nodes.items():
        names = next((names for names, other in alike if other == gain), None)
        if names is None:
            alike.append(([name], gain))
        else:
            names.append(name)
    for names, gain in alike:
        yield from _node(names, gain, verbose=verbose)


def _node(names: Sequence[str], gain: NodeGain, *, verbose: bool) -> Iterator[str]:
    parts: Mapping[str, Delta] = {
        "rules": gain.rules,
        "devices": gain.devices,
        "routes": gain.routes,
        "fdb": gain.fdb,
        "sockets": gain.sockets,
    }
    counts = [
        f"{sign}{len(lines)} {part if len(lines) > 1 else part.removesuffix('s')}"
        for part, each in parts.items()
        for sign, lines in (("+", each.added), ("-", each.removed))
        if lines
    ]
    more = f" and {len(names) - _SHOWN} nodes more" if len(names) > _SHOWN else ""
    yield f"{_INDENT}{', '.join(names[:_SHOWN])}{more}: {', '.join(counts)}"
    for each in parts.values():
        for sign, lines in (("-", each.removed), ("+", each.added)):
            shown = lines if verbose else lines[:_SHOWN]
            yield from (f"{_INDENT}  {sign} {line}" for line in shown)
            if len(lines) > len(shown):
                yield f"{_INDENT}    … {len(lines) - len(shown)} more (-v shows all)"


def _difference(what: str, found: Delta, width: int, *, verbose: bool) -> Iterator[str]:
    for sign, lines in (("-", found.removed), ("+", found.added)):
        if lines:
            yield from _list(what, sign, lines, width, verbose=verbose)


def _list(
    what: str, sign: str, lines: Iterable[str], width: int, *, verbose: bool
) -> Iterator[str]:
    every = list(lines)
    shown = every if verbose else every[:_SHOWN]
    more = f" … {len(every) - len(shown)} more" if len(every) > len(shown) else ""
    text = f"{what}: " + " ".join(f"{sign}{one}" for one in shown) + more
    yield from wrap(text, _INDENT, _INDENT + "  ", width)


def _asked(asked: Answered, width: int) -> Iterator[str]:
    mark = "✓" if asked.result is Result.CONNECTED else "✗"
    chance = "" if asked.connected in (0, 1) else f" (connected in {asked.connected})"
    why = "" if asked.result is Result.CONNECTED else f": {asked.reason}"
    text = f"{mark} {asked.question}: {asked.result.value}{chance}{why}"
    yield from wrap(text, _INDENT, _INDENT + "  ", width)


def replay_json(moments: Iterable[Moment]) -> Iterator[str]:
    """One object, a step at a time; the answers before the first step stand under ``before``."""
    import json  # noqa: PLC0415 - 9 ms, not needed for text

    first = True
    for moment in moments:
        if moment.change is None:
            asked = json.dumps([_asked_json(one) for one in moment.asked])
            yield f'{{"version": 1,\n "before": {{"asked": {asked}}},\n "steps": ['
            continue
        yield ("\n  " if first else ",\n  ") + json.dumps(_step(moment))
        first = False
    yield "\n ]\n}\n"


def _step(moment: Moment) -> dict[str, object]:
    change, found = moment.change, moment.gains
    assert change is not None
    place = change.manifest.place()
    return {
        "object": change.subject,
        "file": place.file,
        "line": place.line,
        "change": change.verb.value,
        "words": change.words,
        "nodes": {name: _node_json(gain) for name, gain in found.nodes.items()},
        "pods": _difference_json(found.pods),
        "endpoints": {key: _difference_json(each) for key, each in found.endpoints.items()},
        "names": _difference_json(found.names),
        "environment": {pod: list(lines) for pod, lines in found.environment.items()},
        "asked": [_asked_json(one) for one in moment.asked],
    }


def _node_json(gain: NodeGain) -> dict[str, object]:
    return {
        "rules": _difference_json(gain.rules),
        "devices": _difference_json(gain.devices),
        "routes": _difference_json(gain.routes),
        "fdb": _difference_json(gain.fdb),
        "sockets": _difference_json(gain.sockets),
    }


def _difference_json(found: Delta) -> dict[str, list[str]]:
    return {"added": list(found.added), "removed": list(found.removed)}


def _asked_json(asked: Answered) -> dict[str, object]:
    return {
        "request": str(asked.question),
        "result": asked.result.value,
        "probability_connected": str(asked.connected),
        "reason": asked.reason,
    }
