"""A real node's rules against what should stand there: as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from k8stui.export.answers import answer_words, answers_json
from k8stui.export.plain import wrap
from k8stui.neutralise import neutralise
from k8stui.nodes.difference import Difference, DifferenceKind
from k8stui.origin import Origin
from k8stui.walk.breakage import Breakage, RulesReport


def difference_lines(report: RulesReport) -> Iterator[str]:
    """The requests that are answered differently, then what differs, chain by chain.

    Rules stand on one line each, however long, so that they can be searched and pasted.
    """
    yield from wrap(neutralise(_headline(report)), "", "")
    for line in (*_others(report), *_repeated(report)):
        yield from wrap(neutralise(line), "", "")
    if report.differences and report.assumed:
        yield from wrap(neutralise(_assumed(report)), "", "")
    if report.differences:
        yield ""
        yield from _requests(report)
    chains = groupby(report.differences, key=lambda each: (each.table, each.chain))
    for (table, chain), found in chains:
        yield ""
        yield neutralise(f"{table} {chain}")
        for each in found:
            yield from map(neutralise, _difference(each))


def _headline(report: RulesReport) -> str:
    count = len(report.differences)
    should = "should stand there"
    if report.owner != "all":
        should = f"{report.owner} should have written"
    if not count:
        return f"{report.node}: {_which(report)} are what {should}" + (
            "" if report.owner == "all" else "; others' were not compared"
        )
    return (
        f"{report.node}: {count} difference{'' if count == 1 else 's'} between {_which(report)} "
        f"and what {should}"
    )


def _which(report: RulesReport) -> str:
    return f"the IPv{report.version} rules {f'in {report.file}' if report.file else 'that it has'}"


def _others(report: RulesReport) -> Iterator[str]:
    there = ", ".join(
        f"{who} ({count} rule{'' if count == 1 else 's'})"
        for who, count in report.others.items()
        if count
    )
    if there:
        yield f"not compared: rules that others have there: {there}"
    absent = " and ".join(who for who, count in report.others.items() if not count)
    if absent:
        yield (
            f"not compared: {absent} has no rule there, and nothing in the input says that it is "
            "what the nodes have (--cni NAME says so)"
        )


def _repeated(report: RulesReport) -> Iterator[str]:
    if report.repeated:
        where = ", ".join(
            f"{each.table} {each.chain} rule {each.observed_index}" for each in report.repeated
        )
        yield f"not counted: what stands a second time, directly behind itself: {where}"


def _assumed(report: RulesReport) -> str:
    return (
        f"assumed: the ClusterIP of {', '.join(report.assumed[:3])}"
        f"{' and others' if len(report.assumed) > 3 else ''}; against a real cluster's rules give "
        "its own objects (kubectl get nodes,services,endpointslices,pods -A -o yaml)"
    )


def _difference(each: Difference) -> Iterator[str]:
    concerned = f"   Service {each.service}" if each.service else ""
    match each.kind:
        case DifferenceKind.CHAIN:
            said = (
                "the chain is missing" if each.only_expected else "nothing should make this chain"
            )
            yield f"  {'missing' if each.only_expected else 'extra':<8}{said}{concerned}"
        case DifferenceKind.POLICY:
            yield f"  policy  {each.observed_policy}, should be {each.expected_policy}"
        case DifferenceKind.MISSING:
            yield f"  missing rule {each.expected_index}{concerned}{_why(each)}"
        case DifferenceKind.EXTRA:
            yield f"  extra   rule {each.observed_index}{concerned}{_why(each)}"
        case DifferenceKind.MOVED:
            yield (
                f"  moved   rule {each.observed_index}, should be rule {each.expected_index}"
                f"{concerned}{_why(each)}"
            )
    if each.rule is not None:
        yield f"          {each.rule.text}"


def _why(each: Difference) -> str:
    """Where it stands in the dump; for a rule that is not there, why it should be."""
    why = each.rule.reason if each.rule is not None else None
    if why is None:
        return ""
    if each.observed is not None and why.origin.place is not None:
        return f"   {why.origin.place.file}:{why.origin.place.line}"
    return f"   {why.text}"


def _requests(report: RulesReport) -> Iterator[str]:
    count = len(report.breakages)
    if not count:
        asked = report.asked
        if not asked:
            yield "no request to ask: neither a Service nor a pod of the input is concerned"
        else:
            one = (
                "the 1 request asked is not" if asked == 1 else f"none of {asked} requests asked is"
            )
            yield f"{one} answered differently"
    else:
        # Where only one owner's rules were compared, the others' may have a part in it.
        why = "because of it" if report.owner == "all" else "under the rules of the dump"
        yield f"{count} request{'' if count == 1 else 's'} answered differently {why}:"
        for each in report.breakages:
            yield from _breakage(each)
    if report.not_walked:
        yield f"{report.not_walked} Services more may be concerned and were not walked"


def _breakage(each: Breakage) -> Iterator[str]:
    whose = f"   Service {each.service}" if each.service else ""
    yield neutralise(f"  {each.source} ─▶ {each.destination}{whose}")
    yield from wrap(neutralise(answer_words(each.expected)), "    should be ", " " * 14)
    yield from wrap(neutralise(answer_words(each.observed)), "    is        ", " " * 14)
    done = each.observed_trace.outcome
    yield from wrap(neutralise(f"decided at {done.decided_at}: {done.reason}"), " " * 14, " " * 14)


def difference_json(report: RulesReport) -> str:
    """Write the same as one object."""
    from k8stui.export.json import dumps  # noqa: PLC0415 - 9 ms, not needed for text

    document = {
        "version": 1,
        "node": report.node,
        "family": f"ipv{report.version}",
        "file": report.file or None,
        "owner": report.owner,
        "others": dict(report.others),
        "differences": [_difference_json(each) for each in report.differences],
        "repeated": [_difference_json(each) for each in report.repeated],
        "requests": [_breakage_json(each) for each in report.breakages],
        "requests_asked": report.asked,
        "services_walked": list(report.walked),
        "services_not_walked": report.not_walked,
        "services_with_assumed_address": list(report.assumed),
    }
    return dumps(document)


def _difference_json(each: Difference) -> dict[str, object]:
    from k8stui.export.json import origin  # noqa: PLC0415 - see difference_json

    return {
        "kind": each.kind.value,
        "table": each.table,
        "chain": each.chain,
        "service": each.service,
        "text": each.rule.text if each.rule is not None else None,
        "expected_index": each.expected_index or None,
        "observed_index": each.observed_index or None,
        "expected_policy": each.expected_policy,
        "observed_policy": each.observed_policy,
        "missing": each.only_expected if each.kind is DifferenceKind.CHAIN else None,
        "origin": origin(_origin(each)),
    }


def _origin(each: Difference) -> Origin | None:
    why = each.rule.reason if each.rule is not None else None
    return why.origin if why is not None else None


def _breakage_json(each: Breakage) -> dict[str, object]:
    done = each.observed_trace.outcome
    return {
        "service": each.service or None,
        "source": each.source,
        "destination": each.destination,
        "expected": answers_json(each.expected),
        "observed": answers_json(each.observed),
        "decided_at": done.decided_at,
        "reason": done.reason,
    }
