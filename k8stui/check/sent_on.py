"""Clients that a broker tells to go on at a name which their namespace does not have."""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.asked.hosts import ID
from k8stui.check.calls import behind, told
from k8stui.check.finding import Finding, Severity
from k8stui.check.ground import Ground
from k8stui.cluster.programs.advertised import unknown_to


def sent_on(ground: Ground) -> Iterator[Finding]:
    """Of those who are told to ask a Service of another namespace; one a broker and namespace."""
    seen: set[tuple[str, str]] = set()
    asked: set[tuple[str, str, int]] = set()
    for call in told(ground):
        client = call.client.namespace
        one = client, call.service.key, call.port.port
        if client == call.service.namespace or one in asked:
            continue
        asked.add(one)
        for pod, number in behind(ground, call.service, call.port):
            lack = unknown_to(ground.cluster, pod, number, client)
            if lack is not None and (client, pod.key) not in seen:
                seen.add((client, pod.key))
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=f"Service {call.service.key}",
                    place=lack.origin.place,
                    why=f"{call.said}: the first connection arrives; {lack.why}",
                    fix=lack.mend,
                )
