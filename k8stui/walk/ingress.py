"""An ingress controller takes a connection, and makes its own to a pod behind the host asked for.

It looks endpoints up itself: no virtual address and no rule of kube-proxy is on that way. What it
answers of its own is HTTP's, and no kernel's: 404 where it serves no such host or path, 503 where
nobody is behind it, 502 and 504 where its own connection fails. Sources: ingress-nginx
internal/ingress/controller (getBackendServers, serviceEndpoints), its ConfigMap's defaults
(proxy-connect-timeout 5, proxy-next-upstream "error timeout", its tries 3); nginx
src/http/ngx_http_upstream.c; Traefik pkg/proxy/httputil (502, 504), pkg/server/service (503).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from k8stui.cluster.endpoints import endpoints_of
from k8stui.cluster.ingress.entrances import entrances_of, path_of
from k8stui.cluster.ingress.traefik import other_entry_point
from k8stui.cluster.model import Entrance, EntrancePath, Lack, ServiceType
from k8stui.cluster.programs.images import bare_image, is_ingress_controller
from k8stui.kernel.exchange import Connect, Exchange, Result
from k8stui.kernel.packet import Protocol
from k8stui.kernel.step import StepKind
from k8stui.record import record
from k8stui.walk.answered import decided_by_process
from k8stui.walk.diagnosis.names import behind_path
from k8stui.walk.relay import SOURCE_PORT, merged, there_and_back
from k8stui.walk.trace import Outcome, Request, Trace

if TYPE_CHECKING:
    from k8stui.cluster.model import Cluster, Pod

_STATUS = {
    Result.REFUSED: 502,
    Result.UNREACHABLE: 502,
    Result.TIMEOUT: 504,
    Result.DENIED: 403,
    Result.NOT_SERVED: 502,
}


@record()
class Controller:
    """A program that serves Ingresses, and how it is with connections of its own."""

    name: str
    patience_seconds: float
    """For a connection."""
    tries: int
    """Of one request, each to another endpoint."""
    unbacked: str = "503"
    """The status where nobody is behind a path."""
    by_letters: bool = False
    """Whether ``/web`` takes ``/website`` too, though it is a Prefix."""


_CONTROLLERS = (
    ("traefik", Controller("Traefik", 30.0, 1, "404 (503 with allowEmptyServices)", True)),
    ("haproxy", Controller("HAProxy", 5.0, 4)),
    ("kong", Controller("Kong", 60.0, 6)),
    ("nginx/nginx-ingress", Controller("NGINX Ingress Controller", 60.0, 1 << 16)),
    ("nginx", Controller("ingress-nginx", 5.0, 3)),
)
"""By what the image's name holds, without the registry: dialTimeout of Traefik (and its providers'
allowEmptyServices, strictPrefixMatching, both off), timeout connect and retries of HAProxy's,
connect_timeout and retries of Kong's Service, proxy-connect-timeout of NGINX's, which tries all."""


@record()
class Onward:
    """What a controller asks for itself."""

    controller: Controller
    request: Request
    said: str
    """Why just there."""


def reached(cluster: Cluster, request: Request, exchange: Exchange) -> Pod | None:
    """The controller that took the connection; None: it is none, or no host of an Ingress."""
    felt = exchange.felt
    pod = cluster.pods.get(felt.server or "")
    if pod is None or felt.result is not Result.CONNECTED or request.protocol is not Protocol.TCP:
        return None
    serves = any(is_ingress_controller(one.image) for one in pod.containers)
    return pod if serves and _entrances(cluster, request) else None


def _entrances(cluster: Cluster, request: Request) -> list[Entrance]:
    """Those of the host that is asked, else of its wildcard (Ingress, "Hostname wildcards").

    A load balancer's own name is no host of anybody.
    """
    those = entrances_of(cluster.entrances, request.host)
    found = [one for one in those if not one.owner.startswith("Service ") and not one.is_refused]
    return [one for one in found if not one.host.startswith("*.")] or found


def onward(
    cluster: Cluster, request: Request, pod: Pod, exchange: Exchange
) -> Onward | Lack | None:
    """What the controller asks for itself, or what it answers; None: nobody knows."""
    image = next(one.image for one in pod.containers if is_ingress_controller(one.image))
    name = "/".join(bare_image(image).split("/")[-2:])
    by = next(known for part, known in _CONTROLLERS if part in name)
    found = _entrances(cluster, request)
    served = [one for one in found if one.owner not in cluster.unserved]
    if not served:
        return _answers(by, "404", cluster.unserved[found[0].owner])
    here = [
        one
        for one in served
        if not other_entry_point(pod, exchange.felt.server_port or 0, one.entry_points)
    ]
    if not here:
        return _answers(by, "404", _elsewhere(pod, served[0], exchange.felt.server_port or 0))
    places = [(one, path) for one in here for path in one.paths]
    asked = request.path
    path = path_of((one for _, one in places), asked or "/", by_letters=by.by_letters)
    is_first = path is None and asked is None and bool(places)
    if is_first:
        path = places[0][1]
    if path is None:
        paths = [path for _, path in places]
        return _answers(by, "404", _no_path(here[0], paths, asked or "/"))
    entrance = next(one for one, mine in places if mine is path)
    if not entrance.owner.startswith("Ingress ") and len({p.service for _, p in places}) > 1:
        return None  # which of them it is, conditions say that are not read
    wrong = behind_path(cluster, entrance, path)
    if wrong is not None:
        said = f"behind {path.path} of {entrance.owner}: {wrong.reason}"
        lack = Lack(said, wrong.advice, wrong.origin or entrance.origin)
        return _answers(by, by.unbacked, lack)
    made = _asks(cluster, pod, _own(exchange, request), path)
    said = f"{path.path} of {entrance.owner} is Service {path.service}"
    if is_first:
        said += ", its first path, for none was asked"
    return Onward(by, made, said) if made is not None else None


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


def _asks(cluster: Cluster, pod: Pod, own: Connect, path: EntrancePath) -> Request | None:
    """What it asks the endpoints of a Service, each as likely."""
    service = cluster.services[path.service]
    port = next((p for p in service.ports if path.port in (None, p.port, p.name)), None)
    if port is None or service.type is ServiceType.EXTERNAL_NAME:
        return None
    connects = tuple(
        replace(own, destination=address, port=number)
        for address, number, endpoint in endpoints_of(cluster, service, port)
        if endpoint.ready
    )
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


def _answers(by: Controller, status: str, lack: Lack) -> Lack:
    return replace(lack, why=f"{by.name} answers {status}: {lack.why}")


def _elsewhere(pod: Pod, entrance: Entrance, port: int) -> Lack:
    other = other_entry_point(pod, port, entrance.entry_points)
    has = " and ".join(entrance.entry_points)
    return Lack(
        f"{entrance.owner} is served at entry point {has}, and this port is {other}",
        f"name {other} in its entryPoints too, or ask the port of {has}",
        entrance.origin,
    )


def _no_path(entrance: Entrance, paths: list[EntrancePath], asked: str) -> Lack:
    near = next((one for one in paths if one.is_exact and asked.startswith(one.path)), None)
    listed = ", ".join(f"{one.path}{' (Exact)' if one.is_exact else ''}" for one in paths[:4])
    mend = f"ask one of those, or write a path for {asked} (path: / of pathType Prefix takes all)"
    if near is not None:
        mend = f"write pathType: Prefix for {near.path}: Exact takes {near.path} alone"
    return Lack(
        f"no path of {entrance.owner} takes {asked}; it has {listed or 'none'}",
        mend,
        paths[0].origin if paths else entrance.origin,
    )


def passed_on(
    outer: Trace, found: Onward | Lack, walked: Callable[[Request], Iterator[Trace]]
) -> Iterator[Trace]:
    """Each branch of the client's connection and the controller's own, as one walk.

    `walked`: the branches of a request.
    """
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
            f"{by.name} made the connection itself" + (f", and sees {sees}" if sees else ""),
        )
    if done.result is Result.UNKNOWN:
        return replace(placed, reason=f"{by.name} passes it on: {done.reason}")
    status = _STATUS[done.result]
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
