"""Why a request failed and what would mend it: one module for each way of failing."""

from __future__ import annotations

from collections.abc import Callable

from k8stui.walk.diagnosis.addresses import nobody_there
from k8stui.walk.diagnosis.bridge import bridged_reply, hairpin_off
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.endpoints import no_endpoints
from k8stui.walk.diagnosis.evaluate import cannot_evaluate
from k8stui.walk.diagnosis.filters import dropped_by_rule
from k8stui.walk.diagnosis.forwarding import forwarding_off
from k8stui.walk.diagnosis.listening import nothing_listens
from k8stui.walk.diagnosis.local_policy import no_local_endpoint
from k8stui.walk.diagnosis.service_ports import no_such_service_port

_WAYS: tuple[Callable[[Case], Diagnosis | None], ...] = (
    cannot_evaluate,
    no_local_endpoint,
    no_endpoints,
    no_such_service_port,
    nothing_listens,
    hairpin_off,
    bridged_reply,
    forwarding_off,
    dropped_by_rule,
    nobody_there,
)
"""From the special to the general: the first that recognises the case speaks."""


def diagnose(case: Case) -> Diagnosis:
    """Explain a failed exchange; empty words where nothing more than the kernel's is known."""
    for way in _WAYS:
        found = way(case)
        if found is not None:
            return found
    return Diagnosis()


__all__ = ["Case", "Diagnosis", "diagnose"]
