"""Who is the client? As a table in text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from k8stui.export.plain import wrap
from k8stui.kernel.exchange import Result
from k8stui.neutralise import neutralise
from k8stui.walk.clients import Arrival

_HEADINGS = ("entry", "policy", "delivered", "the pod sees", "TTL", "pods")


def clients_lines(
    service: str, arrivals: Sequence[Arrival], *, not_asked: int = 0
) -> Iterator[str]:
    """Entry × policy, one line for each thing that can happen; long lists of pods are cut.

    `not_asked`: how many nodes more could have been asked.
    """
    current = next((each.policy for each in arrivals if each.is_set), "Cluster")
    yield neutralise(f"Service {service} asked from outside   externalTrafficPolicy is {current}")
    yield ""
    has_ports = len({(e.entry, e.destination) for e in arrivals}) > len({e.entry for e in arrivals})
    rows = [_HEADINGS, *(_row(each, has_ports=has_ports) for each in arrivals)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield neutralise("  ".join(cells).rstrip())
    other = next((each.policy for each in arrivals if not each.is_set), None)
    if other is not None:
        yield f"? what it would be if externalTrafficPolicy were {other}"
    hidden = [each for each in arrivals if each.result is Result.CONNECTED and not each.is_client]
    if hidden:
        yield ""
        yield from wrap(neutralise(hidden[0].reason), "", "")
    lost = [each for each in arrivals if each.result is not Result.CONNECTED]
    if lost:
        yield ""
        yield from wrap(neutralise(f"{lost[0].entry}, {lost[0].policy}: {lost[0].reason}"), "", "")
    if not_asked:
        yield f"{not_asked} nodes more were not asked"


def _row(each: Arrival, *, has_ports: bool) -> tuple[str, ...]:
    """`has_ports`: the entry alone does not tell which port of the Service is meant."""
    delivered = "yes" if each.result is Result.CONNECTED else f"no ({each.result.value})"
    if each.probability != 1:
        delivered = f"{delivered} {each.probability}"
    seen = "-"
    if each.source_seen is not None:
        seen = f"{each.source_seen}" + (" (client)" if each.is_client else "")
    names = [server.rpartition("/")[2] for server in each.servers]
    more = f" +{len(names) - 2}" if len(names) > 2 else ""
    return (
        each.destination.removeprefix("node/") if has_ports else each.entry,
        each.policy + ("" if each.is_set else " ?"),
        delivered,
        seen,
        "-" if each.ttl is None else str(each.ttl),
        ", ".join(names[:2]) + more,
    )


def clients_json(service: str, arrivals: Sequence[Arrival], *, not_asked: int = 0) -> str:
    """Write the same as one object; probabilities of one entry and policy sum to 1."""
    from k8stui.export.json import dumps  # noqa: PLC0415 - 9 ms, not needed for text

    document = {
        "version": 1,
        "service": service,
        "nodes_not_asked": not_asked,
        "arrivals": [
            {
                "entry": each.entry,
                "destination": each.destination,
                "external_traffic_policy": each.policy,
                "policy_is_set": each.is_set,
                "probability": str(each.probability),
                "result": each.result.value,
                "delivered": each.result is Result.CONNECTED,
                "source_seen_by_server": str(each.source_seen) if each.source_seen else None,
                "source_is_client": each.is_client,
                "ttl": each.ttl,
                "servers": list(each.servers),
                "reason": each.reason,
            }
            for each in arrivals
        ],
    }
    return dumps(document)
