"""An ingress controller takes a connection, and makes its own to a pod behind the host asked for.

So does an Istio gateway. It looks endpoints up itself: no virtual address and no rule of kube-proxy
is on that way. What it answers of its own is HTTP's, and no kernel's: 404 where it serves no such
host or path, 503 where nobody is behind it, 502 and 504 (Envoy: 503) where its own connection
fails. Sources: ingress-nginx internal/ingress/controller (getBackendServers, serviceEndpoints,
mergeAlternativeBackends), internal/ingress/controller/template (enforceRegexModifier), its
ConfigMap's defaults (proxy-connect-timeout 5, proxy-next-upstream "error timeout", its tries 3);
nginx src/http/ngx_http_upstream.c; Traefik pkg/proxy/httputil (502, 504), pkg/server/service (503);
Istio's VirtualService (the host's own routes alone, the first that fits), its retries (2), Cluster
connectTimeout 10 s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from k8stui.cluster.endpoints import endpoints_of
from k8stui.cluster.ingress.entrances import NOBODY, path_of, serving
from k8stui.cluster.ingress.subsets import empty, is_in
from k8stui.cluster.ingress.traefik import at_other_entry_point
from k8stui.cluster.ingress.upstream_protocol import plain_to_tls
from k8stui.cluster.load_balancers.handed_on import fronts, lacks_header, misread
from k8stui.cluster.model import Entrance, EntrancePath, Lack, ServiceType
from k8stui.cluster.programs.images import serves_ingresses
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import StepKind
from k8stui.order import listed
from k8stui.record import record
from k8stui.walk.answered import decided_by_process
from k8stui.walk.controllers import GATEWAY, NGINX, Controller, class_of, controller_of, is_aside
from k8stui.walk.diagnosis.names import behind_path
from k8stui.walk.relay import SOURCE_PORT, merged, there_and_back
from k8stui.walk.trace import Outcome, Request, Trace

if TYPE_CHECKING:
    from k8stui.cluster.model import Cluster, Pod

_GROUP = re.compile(r"\$([1-9])")


@record()
class Onward:
    """What a controller asks for itself."""

    controller: Controller
    request: Request
    said: str
    """Why just there."""
    rewritten: str = ""
    """What it asks for, where that is something else."""


@record()
class _Place:
    """A back end of an entrance, and its part of the requests for its path."""

    entrance: Entrance
    path: EntrancePath
    share: Fraction = Fraction(1)


Shared = Sequence[tuple[Fraction, Onward | Lack]]
"""What a controller asks, or answers, with the part of the requests for which it does."""


def reached(cluster: Cluster, request: Request, exchange: Exchange, server: str) -> Pod | None:
    """The controller that took the connection; None: it is none, or nothing is asked by HTTP.

    `server`: the pod that answers, also one of its node's network. A host of an Ingress is taken to
    be asked so.
    """
    felt = exchange.felt
    pod = cluster.pods.get(server)
    if pod is None or felt.result is not Result.CONNECTED or request.protocol is not Protocol.TCP:
        return None
    if not any(map(serves_ingresses, pod.containers)) or is_aside(pod, felt.server_port or 0):
        return None
    asked = request.path is not None or _narrowest(cluster, request, named=True)
    return pod if asked else None


def _narrowest(
    cluster: Cluster, request: Request, by: Controller | None = None, *, named: bool = False
) -> Sequence[Sequence[Entrance]]:
    """Those that take the host asked for, its own first, then wildcards', then any host's.

    Of what `by` serves; where it is `named`, without any host's. A load balancer's own name is no
    host of anybody.
    """
    groups = [
        [
            one
            for one in group
            if not one.is_refused
            and not one.owner.startswith("Service ")
            and (by is None or one.owner.partition(" ")[0] in by.kinds)
        ]
        for group in serving(cluster.entrances, request.host)
    ]
    return [group for group in (groups[:-1] if named else groups) if group]


def may_ask(cluster: Cluster, request: Request) -> Iterator[str]:
    """Services that whoever serves the host asked for may ask in its turn, ``namespace/name``.

    Whichever branch, and whatever else would be set in the cluster.
    """
    if not (request.names or request.scheme):
        return
    for group in _narrowest(cluster, request, named=request.path is None):
        paths = [path for one in group for path in one.paths]
        taken = path_of(paths, request.path or "/")
        yield from (one.service for one in paths if taken is not None and one.path == taken.path)


def onward(cluster: Cluster, request: Request, pod: Pod, exchange: Exchange) -> Shared | None:
    """What the controller asks for itself, or what it answers; None: nobody knows."""
    by = controller_of(pod)
    unheard = _handed_on(cluster, request, pod, exchange)
    if unheard is not None:
        return _all(_answers(by, unheard))
    groups = _narrowest(cluster, request, by)
    if not groups:
        lack = None if _narrowest(cluster, request) else _no_host(cluster, request, pod, by)
        return None if lack is None else _all(_answers(by, lack))
    whose = class_of(pod, by)
    others = [one for each in groups for one in each if _is_anothers(one, whose)]
    groups = [mine for each in groups if (mine := [one for one in each if one not in others])]
    if not groups:
        return _all(_answers(by, _anothers(others[0], whose)))
    found = [one for group in groups for one in group] if by.falls_through else groups[0]
    mains = [one for one in found if one.canary is None]
    served = [one for one in mains if one.owner not in cluster.unserved]
    if not served:
        lack = cluster.unserved.get((mains or found)[0].owner)
        return None if lack is None else _all(_answers(by, lack))
    scheme, number = request.scheme, exchange.felt.server_port or 0
    lacks = [at_other_entry_point(pod, number, scheme, one) for one in served]
    here = [one for one, lack in zip(served, lacks, strict=True) if lack is None]
    if not here:
        return _all(_answers(by, next(lack for lack in lacks if lack is not None)))
    if by is NGINX and any(one.patterns for one in found):
        here = [_as_patterns(one) for one in here]
    chosen = _chosen(by, here, request.path)
    if chosen is None:
        wider = (_chosen(by, group, request.path) for group in groups[1:])
        return _all(_answers(by, _no_path(here, request.path or "/", next(wider, None))))
    if chosen.path.is_conditional:
        return None
    places = [*_beside(chosen)]
    canary = next(_canaries(cluster, found, chosen.path), None)
    if canary is not None:
        part = canary.entrance.canary or Fraction(0)
        places = [replace(one, share=one.share * (1 - part)) for one in places]
        places.append(replace(canary, share=part))
    if not all(one.path.service for one in places):
        return None
    own = _own(exchange, request)
    first = ", its first path, for none was asked" if request.path is None else ""
    made = [(one.share, _behind(cluster, pod, own, one, by=by, first=first)) for one in places]
    if by is NGINX and chosen.entrance.rewrite and request.path is not None:
        to = _rewritten(chosen, request.path)
        made = [(n, replace(a, rewritten=to) if isinstance(a, Onward) else a) for n, a in made]
    if canary is not None and isinstance(made[0][1], Lack):
        return _all(made[0][1])  # without the main back end nginx asks none
    known = [(share, one) for share, one in made if one is not None and share]
    return known if all(one is not None for _, one in made) else None


def _handed_on(cluster: Cluster, request: Request, pod: Pod, exchange: Exchange) -> Lack | None:
    """Why the controller understands nothing of it, whatever the host."""
    client = exchange.steps[0].namespace
    if client in cluster.pods or client in cluster.nodes:
        return lacks_header(cluster, pod)
    asked = request.connect.destination if request.connect is not None else None
    front = (
        one for one in fronts(cluster) if any(i.ip == asked for i in one.load_balancer_ingress)
    )
    return next((lack for one in front if (lack := misread(one, cluster, request.scheme))), None)


def _is_anothers(one: Entrance, own: str) -> bool:
    return one.controller == NOBODY or bool(own and one.controller not in ("", own))


def _anothers(entrance: Entrance, own: str) -> Lack:
    whose = f"is for controller {entrance.controller}, and this one serves those for {own} alone"
    if entrance.controller == NOBODY:
        whose = "is not there: no controller serves it"
    return Lack(
        f"the IngressClass of {entrance.owner} {whose}",
        f"name a class whose spec.controller is {own or 'its'} (that of a class cannot be changed: "
        "write another)",
        entrance.origin,
    )


def _all(one: Onward | Lack) -> Shared:
    return [(Fraction(1), one)]


def _as_patterns(one: Entrance) -> Entrance:
    paths = (replace(path, is_exact=False, by_letters=True, is_pattern=True) for path in one.paths)
    return replace(one, paths=tuple(paths))


def _chosen(by: Controller, here: Sequence[Entrance], asked: str | None) -> _Place | None:
    """The path that takes what is asked, and whose it is."""
    places = [(one, path) for one in here for path in one.paths]
    path = path_of(
        (one for _, one in places),
        asked or "/",
        by_letters=by.by_letters,
        in_order=any(one.in_order for one in here),
    )
    if path is None and asked is None and places:
        path = places[0][1]
    return next((_Place(one, mine) for one, mine in places if mine is path), None)


def _beside(place: _Place) -> Iterator[_Place]:
    """The back ends among which a rule shares what it takes, by their weights."""
    taken = place.path.rule, place.path.path, place.path.is_exact, place.path.is_conditional
    each = [
        one
        for one in place.entrance.paths
        if (one.rule, one.path, one.is_exact, one.is_conditional) == taken
    ]
    whole = sum(one.weight for one in each)
    for one in each:
        yield _Place(place.entrance, one, Fraction(one.weight, whole))


def _canaries(cluster: Cluster, found: Sequence[Entrance], taken: EntrancePath) -> Iterator[_Place]:
    """Those of the very path; the first counts (ingress-nginx mergeAlternativeBackends)."""
    for one in found:
        if one.canary and one.owner not in cluster.unserved:
            yield from (_Place(one, each) for each in one.paths if each.path == taken.path)


def _behind(
    cluster: Cluster, pod: Pod, own: Connect, place: _Place, *, by: Controller, first: str
) -> Onward | Lack | None:
    entrance, path = place.entrance, place.path
    wrong = behind_path(cluster, entrance, path)
    if wrong is not None:
        said = f"{path.path} of {entrance.owner}: {wrong.reason}"
        lack = Lack(said, wrong.advice, wrong.origin or entrance.origin, by.unbacked)
        return _answers(by, lack)
    unread = plain_to_tls(cluster, entrance, path) if by is GATEWAY else None
    if unread is not None:
        return _answers(by, unread)
    made = _asks(cluster, pod, own, path)
    if made is None or isinstance(made, Lack):
        return made and _answers(by, made)
    return Onward(by, made, f"{path.path} of {entrance.owner} is Service {path.service}{first}")


def _rewritten(place: _Place, asked: str) -> str:
    """What rewrite-target makes of a path, where no group of the pattern is put in."""
    target, path = place.entrance.rewrite, place.path.path
    groups = path.count("(")
    if any(int(one) <= groups for one in _GROUP.findall(target)):
        return ""
    to = _GROUP.sub("", target)
    return "" if to == asked else f"asks it for {to or '/'} and not for {asked} (rewrite-target)"


def _own(exchange: Exchange, request: Request) -> Connect:
    """The controller's own connection, wherever to: with what the client said to it."""
    asked = request.connect
    assert asked is not None
    return Connect(
        namespace=str(exchange.felt.server),
        destination=asked.destination,
        port=asked.port,
        source_port=SOURCE_PORT,
        data_bytes=asked.data_bytes,
    )


def _asks(cluster: Cluster, pod: Pod, own: Connect, path: EntrancePath) -> Request | Lack | None:
    """What it asks the endpoints of a Service, each as likely."""
    service = cluster.services[path.service]
    port = path.port_of(service)
    if port is None or service.type is ServiceType.EXTERNAL_NAME:
        return None
    lack = empty(cluster, path)
    if lack is not None:
        return lack
    each = endpoints_of(cluster, service, port)
    ready = [
        one for one in each if one[2].ready and is_in(path, cluster.pods.get(one[2].pod or ""))
    ]
    connects = tuple(replace(own, destination=address, port=n) for address, n, _ in ready)
    if not connects:
        return None
    return Request(
        source=f"pod/{pod.key}",
        destination=f"svc/{service.key}:{port.port}",
        protocol=Protocol.TCP,
        connect=connects[0],
        alternatives=connects[1:],
        service=service.key,
        looked_up=True,
        origin=path.origin,
    )


def _answers(by: Controller, lack: Lack) -> Lack:
    return replace(lack, why=f"{by.name} answers {lack.answer}: {lack.why}")


def _no_host(cluster: Cluster, request: Request, pod: Pod, by: Controller) -> Lack | None:
    """Nobody takes the host, where the input has hosts that the controller serves."""
    those = [
        one
        for one in cluster.entrances
        if one.owner.partition(" ")[0] in by.kinds and one.owner not in cluster.unserved
    ]
    own = any("--default-backend-service" in word for one in pod.containers for word in one.spoken)
    if not those or own:
        return None
    hosts = listed([*dict.fromkeys(one.host for one in those)][:4])
    kinds = listed([*dict.fromkeys(one.owner.partition(" ")[0] for one in those)])
    return Lack(
        f"no {kinds} that it serves has host {request.host}; there is {hosts}",
        f"ask one of those (as the Host header: what is asked by an address has that as its host), "
        f"or write host {request.host}, or a rule without a host, which takes any",
        those[0].origin,
    )


def _no_path(here: Sequence[Entrance], asked: str, wider: _Place | None) -> Lack:
    paths, owner = [path for one in here for path in one.paths], here[0].owner
    near = next((one for one in paths if one.is_exact and asked.startswith(one.path)), None)
    has = ", ".join(f"{one.path}{' (Exact)' if one.is_exact else ''}" for one in paths[:4])
    mend = f"ask one of those, or write a path for {asked} (a prefix / takes all)"
    if near is not None and owner.startswith("Ingress "):
        mend = f"write pathType: Prefix for {near.path}: Exact takes {near.path} alone"
    said = f"no path of {owner} takes {asked}; it has {has or 'none'}"
    if owner.startswith("Ingress ") and any("(" in one.path for one in paths):
        said += ", which it takes to the letter, as nothing that it reads makes patterns of them"
        mend = (
            'annotate it nginx.ingress.kubernetes.io/use-regex: "true" where ingress-nginx serves '
            "it, or write the path without a pattern"
        )
    if wider is not None:
        said += (
            f". {wider.entrance.owner} does ({wider.path.path}), but it is for host "
            f"{wider.entrance.host}, and of a host that has its own routes those count alone"
        )
    return Lack(said, mend, paths[0].origin if paths else here[0].origin)


def passed_on(
    outer: Trace, found: Shared, walked: Callable[[Request], Iterator[Trace]]
) -> Iterator[Trace]:
    """Each branch of the client's connection and the controller's own, as one walk.

    `walked`: the branches of a request.
    """
    for share, one in found:
        branch = replace(outer, probability=outer.probability * share)
        yield from _branches(branch, one, walked)


def _branches(
    outer: Trace, found: Onward | Lack, walked: Callable[[Request], Iterator[Trace]]
) -> Iterator[Trace]:
    if isinstance(found, Lack):
        yield decided_by_process(outer, found, Result.NOT_SERVED, None)
        return

    @cache
    def answered() -> Trace | None:
        """Whoever answers; looked for when one does not."""
        each = (one for one in walked(found.request) if one.outcome.result is Result.CONNECTED)
        return next(each, None)

    for inner in walked(found.request):
        fails = inner.outcome.result in (Result.REFUSED, Result.UNREACHABLE, Result.TIMEOUT)
        retries = found.controller.tries > 1 and found.request.alternatives
        after = answered() if fails and retries else None
        yield _joined(outer, found, (inner, after) if after is not None else (inner,))


def _joined(outer: Trace, found: Onward, tried: tuple[Trace, ...]) -> Trace:
    there, back = there_and_back(outer.hops)
    hops = list(there)
    begins = 0
    for number, inner in enumerate(tried):
        first = next(step for step in inner.steps if step.before is not None)
        assert first.before is not None
        whom = first.before.dst.with_port(first.before.dport)
        said = f"{found.controller.name} takes the connection and makes its own to {whom}: "
        if number:
            said = f"{found.controller.name} gets no connection there and tries {whom}: "
        step = replace(
            there[-1].steps[-1],
            kind=StepKind.PROXY,
            before=there[-1].steps[-1].after,
            after=first.before,
            origin=found.request.origin,
            text=said + found.said,
        )
        begins = sum(len(hop.steps) for hop in hops) + 1
        hops += [replace(there[-1], steps=(step,)), *inner.hops]
    last = tried[-1]
    return replace(
        outer,
        hops=merged((*hops, *back)),
        outcome=_felt(outer, found, tried, begins),
        probability=outer.probability * tried[0].probability,
        forks=outer.forks + last.forks,
        assumptions=tuple(dict.fromkeys((*outer.assumptions, *last.assumptions))),
        unenforced=outer.unenforced or last.unenforced,
        alike=tried[0].alike,
    )


def _felt(outer: Trace, found: Onward, tried: tuple[Trace, ...], begins: int) -> Outcome:
    done, by = tried[-1].outcome, found.controller
    where = outer.outcome.server_pod
    placed = replace(done, step=None if done.step is None else done.step + begins)
    if done.result is Result.CONNECTED:
        _, _, sees = outer.outcome.reason.partition(" sees ")
        return replace(
            placed,
            reason=f"The pod sees {where} ({done.source_seen_by_server}), not the client: "
            f"{by.name} made the connection itself"
            + (f", {found.rewritten}" if found.rewritten else "")
            + (f", and sees {sees}" if sees else ""),
        )
    if done.result is Result.UNKNOWN:
        return replace(placed, reason=f"{by.name} passes it on: {done.reason}")
    status = by.statuses[done.result]
    seconds = done.seconds
    if done.result is Result.TIMEOUT:
        tries = min(by.tries, 1 + len(found.request.alternatives))
        seconds = min(seconds, by.patience_seconds * tries)
    return replace(
        placed,
        result=Result.NOT_SERVED,
        errno=None,
        seconds=seconds,
        reason=f"connected, but {by.name} answers {status}: its own connection "
        f"({found.said}) fails: {done.reason}",
    )
