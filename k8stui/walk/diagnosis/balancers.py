"""Nobody answers for a load balancer's address, because nobody announces it."""

from __future__ import annotations

from k8stui.walk.diagnosis.case import Case, Diagnosis


def nobody_announces(case: Case) -> Diagnosis | None:
    """Recognise an address of MetalLB's that no speaker answers ARP for."""
    connect = case.request.connect
    lack = case.cluster.unannounced.get(connect.destination) if connect is not None else None
    if lack is None and connect is not None and case.service is None:
        among = [one for one in case.cluster.vacant if connect.destination in one]
        lack = case.cluster.vacant[max(among, key=lambda one: one.length)] if among else None
    if lack is None or connect is None or case.rewritten is not None:
        return None
    return Diagnosis(
        f"nobody answers for {connect.destination}: {lack.why}", lack.mend, lack.origin
    )
