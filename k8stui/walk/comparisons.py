"""The tables of cases of one request: settings, branches, entry nodes, and another input."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from k8stui.walk.brief import brief
from k8stui.walk.cases import Case, CaseRow, Cases, case, in_turned, of_traces
from k8stui.walk.clients import POLICIES, entries
from k8stui.walk.compare import MOST_BRANCHES, current, vary
from k8stui.walk.diagnosis.owners import service_at
from k8stui.walk.error import RequestError
from k8stui.walk.offers import offers
from k8stui.walk.request import parse_request
from k8stui.walk.source import OUTSIDE
from k8stui.walk.trace import Request, Trace
from k8stui.walk.walk import walks
from k8stui.walk.ways import ways
from k8stui.walk.whatif import WhatIf, asked_again, kept, what_ifs

if TYPE_CHECKING:
    from k8stui.walk.world import World

MOST_ENTRIES = 20
"""Nodes that are asked; a table of more is not read."""
MOST_WAYS = 60
"""Ways of access that are asked of two inputs."""


class Kind(StrEnum):
    """What can be compared, in the order in which it is offered."""

    WAYS = "ways"
    SETTINGS = "settings"
    BRANCHES = "branches"
    ENTRIES = "entry nodes"
    MODES = "proxy modes"
    PLUGINS = "plug-ins"
    VERSIONS = "versions"


OTHER = "the other input"
"""What an input is called that has no name of its own."""

_POLICY = "externalTrafficPolicy"
_ONE_SETTING = {Kind.MODES: "proxy-mode", Kind.PLUGINS: "cni"}


def table(
    world: World, trace: Trace, kind: Kind, other: World | None = None, called: str = OTHER
) -> Cases:
    """Make the table of a kind for the request of `trace`, whose branch is kept.

    `other`: the world of the other input, for `Kind.VERSIONS`, and how that is called.

    Raises:
        RequestError: there is nothing of that kind to compare: it is said why.

    """
    match kind:
        case Kind.WAYS:
            return ways(world, _service(world, trace.request))
        case Kind.BRANCHES:
            return branches(world, trace.request)
        case Kind.ENTRIES:
            return entry_nodes(world, _in_front(world, trace.request))
        case Kind.VERSIONS:
            if other is None:
                raise RequestError("there is no other input to compare with")
            return versions(world, other, trace, called)
        case _:
            return settings(world, trace, _ONE_SETTING.get(kind, ""))


def _service(world: World, request: Request) -> str:
    """The Service asked for, else one that has the asked server, or host, behind it."""
    if request.service is not None:
        return request.service
    address = request.connect.destination if request.connect is not None else None
    for key, slices in world.cluster.endpoint_slices.items():
        found = any(address in e.addresses for each in slices for e in each.endpoints)
        if found and key in world.cluster.services:
            return key
    if world.cluster.entrances:
        from k8stui.walk.ingress import may_ask  # noqa: PLC0415 - where there are any

        behind = next(may_ask(world.cluster, request), "")
        if behind in world.cluster.services:
            return behind
    raise RequestError(
        f"{request.destination} is no Service, and no Service leads there",
        hint="ask svc/NAME, or node/NAME with a Service's node port",
    )


def _in_front(world: World, request: Request) -> str:
    """The Service whose address is asked, by a host too; else as `_service`."""
    asked = request.connect
    found = service_at(world.cluster, asked.destination) if asked is not None else None
    return found.key if found is not None else _service(world, request)


def settings(world: World, trace: Trace, only: str = "") -> Cases:
    """The request as it is, then under each other setting (or under those of one, `only`)."""
    request = trace.request
    found = [each for each in what_ifs(world, request) if only in ("", each.setting)]
    if not found:
        raise RequestError(f"{only or 'no setting'} cannot be turned for {request.destination}")
    now = current(world, request, only) if only else ""
    rows = [CaseRow(name=f"{only} {now}".strip() or "as it is", cells=(_as_it_is(world, trace),))]
    rows += [CaseRow(name=each.words, cells=(_turned(each, trace),)) for each in found]
    what = {"proxy-mode": "proxy modes", "cni": "plug-ins"}.get(only, "settings")
    return Cases(
        title=f"{_asks(request)} under other {what}",
        columns=("comes of it",),
        rows=tuple(rows),
    )


def _asks(request: Request) -> str:
    return f"{brief(request.source)} ─▶ {brief(request.destination)}"


def _as_it_is(world: World, trace: Trace) -> Case:
    found = tuple(islice(walks(world, trace.request), MOST_BRANCHES))
    return of_traces(world, "as it is", found, kept(trace, found))


def _turned(what_if: WhatIf, before: Trace) -> Case | None:
    """The same request, by the same branch, in another world; None: nobody is called so there."""
    world = what_if.apply()
    try:
        found = tuple(islice(walks(world, asked_again(world, before.request)), MOST_BRANCHES))
    except RequestError:
        return None
    return in_turned(
        of_traces(world, what_if.words, found, kept(before, found)),
        f"what if {what_if.words}",
        f"{what_if.setting} {what_if.now} → {what_if.value}",
    )


def branches(world: World, request: Request) -> Cases:
    """Every branch of a request."""
    found = list(islice(walks(world, request), MOST_BRANCHES + 1))
    if len(found) == 1:
        raise RequestError("nothing is left to chance on this way: there is one branch")
    rows = tuple(
        CaseRow(
            name=f"{each.branch}  p = {each.probability}",
            cells=(of_traces(world, f"branch {each.branch}, p = {each.probability}", (each,)),),
        )
        for each in found[:MOST_BRANCHES]
    )
    more = f"there are more than {MOST_BRANCHES} branches" if len(found) > MOST_BRANCHES else ""
    title = f"{_asks(request)}: where chance decides"
    return Cases(title=title, columns=("comes of it",), rows=rows, left_out=more)


def entry_nodes(world: World, service_key: str, *, nodes: int = MOST_ENTRIES) -> Cases:
    """Every node as entry from outside, under both policies for the outside.

    Raises:
        RequestError: nobody outside can ask this Service.

    """
    service = world.cluster.services[service_key]
    asked = tuple(entries(world, service, nodes))
    if not asked:
        raise RequestError(
            f"Service {service_key} has no node port and no load balancer's address: "
            "nobody outside can ask it"
        )
    now = service.external_traffic_policy or "Cluster"
    policies = tuple(sorted(POLICIES, key=lambda each: each != now))
    request = parse_request(world, OUTSIDE, asked[0][1])
    worlds = {
        each: world if each == now else vary(world, request, f"{_POLICY}={each}").world
        for each in policies
    }
    rows = []
    for entry, destination in asked:
        name = destination.removeprefix("node/") or entry
        cells = tuple(
            in_turned(
                case(world_, f"{name}, {each}", parse_request(world_, OUTSIDE, destination)),
                "" if each == now else f"what if {_POLICY} {each}",
                f"{_POLICY} {now} → {each}",
            )
            for each, world_ in worlds.items()
        )
        rows.append(CaseRow(name=name, cells=cells, service=service_key))
    left = max(0, len(world.cluster.nodes) - nodes)
    return Cases(
        title=f"{service_key} asked from outside, by entry node",
        about=f"{_POLICY} is {now}",
        columns=tuple(f"{each}{'' if each == now else ' ?'}" for each in policies),
        rows=tuple(rows),
        along=True,
        left_out=f"{left} nodes more were not asked" if left else "",
    )


def versions(world: World, other: World, trace: Trace | None = None, called: str = OTHER) -> Cases:
    """Every way to every Service of two inputs: before and after a change of the manifests.

    The request of `trace` comes first; rows whose two cases differ come before those that do not.
    `called`: the other input, by its name.
    """
    rows: list[CaseRow] = []
    for source, destination in _asked_of_both(world, other, trace):
        before = _named_alike(world, "before", source, destination)
        after = _named_alike(other, "after", source, destination)
        if after is not None:
            after = in_turned(after, f"after: {called}", f"before → after ({called})")
        cells = (before, after)
        if any(each is not None for each in cells):
            name = f"{brief(source)} ─▶ {brief(destination)}"
            rows.append(CaseRow(name=name, cells=cells))
    first, rest = (rows[:1], rows[1:]) if trace is not None else ([], rows)
    rest.sort(key=lambda row: not differs(row))
    changed = sum(differs(row) for row in rows)
    count = f"{changed} of {len(rows)} requests are answered differently"
    return Cases(
        title="before and after: two inputs, the same requests",
        about=count,
        columns=("before", "after"),
        rows=(*first, *rest),
        along=True,
    )


def _named_alike(world: World, name: str, source: str, destination: str) -> Case | None:
    try:
        return case(world, name, parse_request(world, source, destination))
    except RequestError:
        return None


def differs(row: CaseRow) -> bool:
    """Whether client or server can tell the cases of a row from another."""
    first, *others = row.cells
    return any(
        (one is None) != (first is None)
        or (one is not None and first is not None and one.answers != first.answers)
        for one in others
    )


def _asked_of_both(world: World, other: World, trace: Trace | None) -> Iterator[tuple[str, str]]:
    """The request shown, then all ways of access, each once, by names that mean both worlds."""
    done: set[tuple[str, str]] = set()
    if trace is not None:
        done.add((trace.request.source, trace.request.destination))
        yield trace.request.source, trace.request.destination
    for each in (world, other):
        for key in each.cluster.services:
            for offer in offers(each, key):
                asked = (offer.request.source, offer.request.destination)
                if asked in done or key == "default/kubernetes":
                    continue
                if len(done) >= MOST_WAYS:
                    return
                done.add(asked)
                yield asked


def is_worse(cases: Cases) -> bool:
    """Whether anything is connected less often in a later case of a row than in its first."""
    return any(
        first is not None
        and any((one.chance if one is not None else 0) < first.chance for one in others)
        for first, *others in (row.cells for row in cases.rows)
    )
