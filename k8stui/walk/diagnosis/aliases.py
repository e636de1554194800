"""The name led somewhere else than DNS has it: /etc/hosts or a search domain came first."""

from __future__ import annotations

from k8stui.cluster.names import taken_by_search
from k8stui.walk.diagnosis.case import Case, Diagnosis


def by_another_name(case: Case, found: Diagnosis) -> Diagnosis:
    """Add to a diagnosis that the address is not the one that DNS has for the name asked."""
    taken = taken_by_search(case.cluster, case.client, case.request.host)
    if taken is None:
        return by_host_alias(case, found)
    return Diagnosis(f"{taken.why}; {found.reason}", taken.mend, taken.origin)


def by_host_alias(case: Case, found: Diagnosis) -> Diagnosis:
    """Add to a diagnosis that hostAliases gave the address, where they did."""
    pod = case.client
    name = case.request.host.rstrip(".")
    if pod is None or not any(name in hosts for _, hosts in pod.host_aliases):
        return found
    connect = case.request.connect
    address = connect.destination if connect is not None else "another address"
    return Diagnosis(
        f"{found.reason}; {name} is {address} by hostAliases of pod {pod.key}, whatever DNS says",
        f"take {name} out of hostAliases, or write the right address there",
        pod.origins.get("host_aliases", pod.origin),
    )
