"""What a container asks of its node: requests and limits.

Source: pkg/apis/core/validation/validation.go validateResourceRequirements,
validateContainerResourceName, ValidateResourceQuantityValue; pkg/apis/core/helper/helpers.go
IsStandardContainerResourceName, IsOvercommitAllowed, IsIntegerResourceName (1.36).
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.apiserver import quantity
from k8stui.apiserver.fields import Object, table
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong
from k8stui.manifests.manifest import Key, Path

_STANDARD = frozenset({"cpu", "memory", "ephemeral-storage"})
_HUGE = "hugepages-"
_WHOLE = quantity.parse(1)


def check_resources(resources: Object, base: Path) -> Iterator[Mistake]:
    """A container's `resources`, which stand at `base`."""
    limits, requests = table(resources, "limits"), table(resources, "requests")
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, written in amounts.items():
            yield from _amount(name, written, (*base, field))
    for name, written in requests.items():
        limit = limits.get(name)
        at = (*base, "requests", name)
        if limit is None:
            if not _overcommits(name):
                message = f"has to name {name} too: it cannot be shared"
                yield Mistake((*base, "limits"), Wrong.REQUIRED, message, at)
        elif quantity.is_quantity(written) and quantity.is_quantity(limit):
            asked, most = quantity.parse(written), quantity.parse(limit)
            if asked != most and not _overcommits(name):
                message = (
                    f"asks for {written} of {name}; it has to be as much as the limit, {limit}"
                )
                yield Mistake((*base, "requests"), Wrong.INVALID, message, at)
            elif asked > most:
                message = f"asks for {name}: {written}, and the limit is {limit}"
                yield Mistake((*base, "requests"), Wrong.INVALID, message, at)


def _amount(name: str, written: object, base: Path) -> Iterator[Mistake]:
    path = (*base, Key(name))
    if "/" not in name and name not in _STANDARD and not name.startswith(_HUGE):
        message = "is no resource; a container has cpu, memory, ephemeral-storage, hugepages-SIZE, "
        message += "or one named like example.com/gpu"
        yield Mistake(path, Wrong.INVALID, message, at_key=True)
    elif wrong := formats.qualified_name(name):
        yield Mistake(path, Wrong.INVALID, f"is no resource's name: it {wrong}", at_key=True)
    if not quantity.is_quantity(written):
        message = f"{written!r} is no quantity such as 500m, 2, 128Mi or 1Gi"
        unfilled = isinstance(written, str) and not any(map(str.isdigit, written))
        mended = _meant(written)
        yield Mistake(path, Wrong.INVALID, message, mended=mended, placeholder=unfilled)
        return
    amount = quantity.parse(written)
    if amount < 0:
        yield Mistake(path, Wrong.INVALID, f"is {written}; 0 is the least")
    elif "/" in name and amount % _WHOLE:
        yield Mistake(path, Wrong.INVALID, f"is {written}; {name} comes in whole pieces")


def _meant(written: object) -> str:
    """``512MB`` → ``512M``, ``1 Gi`` → ``1Gi``, ``100mi`` → ``100Mi``."""
    if not isinstance(written, str):
        return ""
    bare = written.replace(" ", "")
    head = bare.rstrip("bB") or bare
    digits = head.rstrip("kKmMgGtTpPeEiI")
    suffix = head[len(digits) :]
    for meant in (head, digits + suffix[:1].upper() + suffix[1:].lower()):
        if quantity.is_quantity(meant):
            return meant
    return ""


def _overcommits(name: str) -> bool:
    """Whether more of it may be promised than there is: native resources, huge pages apart."""
    native = "/" not in name or "kubernetes.io/" in name
    return native and not name.startswith(_HUGE)
