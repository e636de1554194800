"""Which endpoints a service port balances over, seen from one node.

Sources: kube-proxy pkg/proxy/endpointslicecache.go, pkg/proxy/topology.go (CategorizeEndpoints);
docs/facts/kube-proxy.md sections 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from k8stui.cluster.model import Endpoint, EndpointSlice
from k8stui.kernel.packet import Protocol
from k8stui.record import record

_HEADLESS = "service.kubernetes.io/headless"


@record()
class Backend:
    """One endpoint of one service port: where DNAT may send a packet."""

    text: str
    """``address:port``, IPv6 in brackets."""
    address: str
    endpoint: Endpoint


@record(kw_only=True)
class Choice:
    """The endpoints as one node uses them; each list in plain string order of its texts."""

    cluster: Sequence[Backend] = ()
    """Where the Cluster traffic policies send to."""
    local: Sequence[Backend] = ()
    """Where the Local traffic policies send to."""
    reachable: Sequence[Backend] = ()
    """All that some packet may be sent to from here."""
    any_endpoints: bool = False
    """There are endpoints, be it on other nodes."""


NOTHING = Choice()


Held = tuple[tuple[Endpoint, ...], int]
"""Endpoints of one slice, and the number of the port that is asked there."""


def held(
    slices: Iterable[EndpointSlice], port_name: str, protocol: Protocol, version: int
) -> Iterator[Held]:
    """What slices hold for one service port and family.

    A slice's port belongs to the service port of its name and protocol; its number is the slice's.
    """
    family = "IPv4" if version == 4 else "IPv6"
    for part in slices:
        if part.address_type != family or _HEADLESS in part.labels:
            continue
        for port in part.ports or ():
            if port.name == port_name and port.protocol is protocol:
                yield part.endpoints, port.port


def backends(parts: Iterable[Held], version: int) -> list[Backend]:
    """All endpoints of one service port and family, ready or not.

    Only the first address of an endpoint counts. Of two with the same address and port the one
    that is not terminating stays.
    """
    found: dict[str, Backend] = {}
    for endpoints, port in parts:
        for endpoint in endpoints:
            if not endpoint.addresses:  # endpointslicecache.go addEndpoints leaves it out too
                continue
            address = str(endpoint.addresses[0])
            text = f"{address}:{port}" if version == 4 else f"[{address}]:{port}"
            known = found.get(text)
            if known is None or known.endpoint.terminating:
                found[text] = Backend(text, address, endpoint)
    if len(found) < 2:
        return list(found.values())
    return [found[text] for text in sorted(found)]


def choose(
    candidates: Sequence[Backend],
    *,
    node: str,
    zone: str | None,
    uses_cluster: bool,
    uses_local: bool,
) -> Choice:
    """What `node` in `zone` uses of the candidates, for the traffic policies in use."""
    if not candidates:
        return NOTHING
    cluster: Sequence[Backend] = ()
    filtered = fallen_back = False
    if uses_cluster:
        ready = [b for b in candidates if b.endpoint.ready]
        cluster = _topology(ready, node, zone)
        filtered = cluster is not ready
        if not cluster:
            cluster = [b for b in candidates if b.endpoint.serving and b.endpoint.terminating]
            fallen_back = bool(cluster)
    if not uses_local:
        return Choice(cluster=cluster, reachable=cluster, any_endpoints=bool(cluster))
    usable = [
        b for b in candidates if b.endpoint.ready or (b.endpoint.serving and b.endpoint.terminating)
    ]
    near = [b for b in usable if b.endpoint.node_name == node]
    local = [b for b in near if b.endpoint.ready] or near
    if not uses_cluster:
        reachable: Sequence[Backend] = local
    elif filtered or fallen_back or (local and not local[0].endpoint.ready):
        union = {b.text: b for b in (*cluster, *local)}
        reachable = [union[text] for text in sorted(union)]
    else:
        reachable = cluster
    return Choice(cluster=cluster, local=local, reachable=reachable, any_endpoints=bool(usable))


def _topology(ready: list[Backend], node: str, zone: str | None) -> list[Backend]:
    """Keep what the hints keep for this node; the same list when they say nothing.

    Hints count only if every ready endpoint has them and one of them names this node or, for zone
    hints, its zone. Source: kube-proxy pkg/proxy/topology.go topologyModeFromHints.
    """
    if all(b.endpoint.for_nodes for b in ready):
        kept = [b for b in ready if node in b.endpoint.for_nodes]
        if kept:
            return kept
    if all(b.endpoint.for_zones for b in ready):
        kept = [b for b in ready if zone in b.endpoint.for_zones]
        if kept:
            return kept
    return ready
