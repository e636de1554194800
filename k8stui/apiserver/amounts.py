"""What a pod asks of each resource, in billionths of its unit."""

from __future__ import annotations

from collections import Counter

from k8stui.apiserver import defaults, quantity
from k8stui.apiserver.fields import Object, array, table, text


def pod_amounts(spec: Object, kind: str) -> dict[str, int]:
    """A pod's ``requests`` or ``limits`` in billionths: of all containers, or of the largest init.

    Restartable init containers run beside the others, and beside later init containers; what the
    pod as a whole asks for replaces their sum (component-helpers/resource PodRequests, PodLimits).
    """
    running: Counter[str] = Counter()
    peak: Counter[str] = Counter()
    for container in array(spec, "initContainers"):
        asked = _asked(container, kind)
        if text(container, "restartPolicy") == "Always":
            running.update(asked)
            peak |= running
        else:
            peak |= running + asked
    for container in array(spec, "containers"):
        running.update(_asked(container, kind))
    total = dict(peak | running)
    if whole := table(spec, "resources"):
        if kind == "requests":
            total = {**_amounts(table(whole, "limits")), **total}
        total |= _amounts(table(whole, kind))
    if kind == "requests":
        for name, amount in _amounts(table(spec, "overhead")).items():
            total[name] = total.get(name, 0) + amount
    return total


def _asked(container: object, kind: str) -> Counter[str]:
    if kind == "requests":
        return _amounts(defaults.requests(table(container)))
    return _amounts(table(container, "resources", kind))


def _amounts(written: Object) -> Counter[str]:
    return Counter({name: quantity.parse(amount) for name, amount in written.items()})
