"""How a workload replaces its pods.

Source: pkg/apis/apps/validation/validation.go ValidateDeploymentStrategy,
ValidateRollingUpdateDeployment, ValidateDaemonSetUpdateStrategy, ValidateRollingUpdateDaemonSet,
ValidateStatefulSetSpec, validatePersistentVolumeClaimRetentionPolicy (1.36).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.apiserver.fields import Object, table, text
from k8stui.apiserver.validation.mistake import Mistake, Wrong, not_negative, one_of
from k8stui.manifests.manifest import Path

_PERCENT = re.compile(r"[0-9]+%")
_MOST = 100
_DIGITS = 6


def check_rollout(spec: Object, kind: str) -> Iterator[Mistake]:
    """How pods are replaced (apps/validation ValidateDeploymentStrategy and the like)."""
    if kind == "Deployment" and "strategy" in spec:
        yield from _deployment(table(spec, "strategy"), ("spec", "strategy"))
    elif kind == "DaemonSet" and "updateStrategy" in spec:
        yield from _daemon_set(table(spec, "updateStrategy"), ("spec", "updateStrategy"))
    elif kind == "StatefulSet":
        yield from _stateful_set(spec)


def _deployment(strategy: Object, path: Path) -> Iterator[Mistake]:
    kind, rolling = text(strategy, "type") or "RollingUpdate", strategy.get("rollingUpdate")
    yield from one_of(path, kind, ("Recreate", "RollingUpdate"), (*path, "type"))
    if kind == "Recreate" and rolling is not None:
        message = "may not be written when type is Recreate"
        yield Mistake((*path, "rollingUpdate"), Wrong.FORBIDDEN, message)
    elif kind == "RollingUpdate" and isinstance(rolling, dict):
        where = (*path, "rollingUpdate")
        yield from _amounts(rolling, where, ("maxUnavailable",))
        if _value(rolling, "maxUnavailable", 25) == 0 == _value(rolling, "maxSurge", 25):
            message = "may not be 0 when maxSurge is 0: no pod could be replaced"
            yield Mistake((*where, "maxUnavailable"), Wrong.INVALID, message)


def _daemon_set(strategy: Object, path: Path) -> Iterator[Mistake]:
    kind, rolling = text(strategy, "type") or "RollingUpdate", strategy.get("rollingUpdate")
    yield from one_of(path, kind, ("RollingUpdate", "OnDelete"), (*path, "type"))
    if kind == "RollingUpdate" and isinstance(rolling, dict):
        where = (*path, "rollingUpdate")
        yield from _amounts(rolling, where, ("maxUnavailable", "maxSurge"))
        away, more = _value(rolling, "maxUnavailable", 1), _value(rolling, "maxSurge", 0)
        if away and more:
            message = "may not be written when maxUnavailable is not 0"
            hint = "not written maxUnavailable is 1: write maxUnavailable: 0 beside it"
            yield Mistake((*where, "maxSurge"), Wrong.INVALID, message, hint=hint)
        elif not away and not more:
            message = "may not be 0 when maxSurge is 0: no pod could be replaced"
            yield Mistake((*where, "maxUnavailable"), Wrong.REQUIRED, message)


def _stateful_set(spec: Object) -> Iterator[Mistake]:
    policy, path = text(spec, "podManagementPolicy"), ("spec", "podManagementPolicy")
    if policy not in ("", "OrderedReady", "Parallel"):
        message = f"is {policy!r}; it is OrderedReady or Parallel"
        yield Mistake(path, Wrong.INVALID, message)
    strategy, where = table(spec, "updateStrategy"), ("spec", "updateStrategy")
    kind, rolling = text(strategy, "type") or "RollingUpdate", strategy.get("rollingUpdate")
    if kind not in ("RollingUpdate", "OnDelete"):
        message = f"has the type {kind!r}; it is RollingUpdate or OnDelete"
        yield Mistake(where, Wrong.INVALID, message, (*where, "type"))
    elif kind == "OnDelete" and rolling is not None:
        message = "may only be written when type is RollingUpdate"
        yield Mistake((*where, "rollingUpdate"), Wrong.INVALID, message)
    elif isinstance(rolling, dict):
        yield from not_negative(rolling, ("partition",), (*where, "rollingUpdate"))
    keep = table(spec, "persistentVolumeClaimRetentionPolicy")
    for field in ("whenDeleted", "whenScaled"):
        at = ("spec", "persistentVolumeClaimRetentionPolicy", field)
        yield from one_of(at, text(keep, field), ("Retain", "Delete"))


def _amounts(rolling: Object, base: Path, at_most: tuple[str, ...]) -> Iterator[Mistake]:
    """Numbers of pods or percentages. `at_most`: those that may not be more than 100 %."""
    for field in ("maxUnavailable", "maxSurge"):
        value, path = rolling.get(field), (*base, field)
        if isinstance(value, str) and not _PERCENT.fullmatch(value):
            message = f"is {value!r}; it is a number or a percentage such as 25%"
            bare = value.strip()
            mended = bare if bare.isascii() and bare.isdigit() else ""
            yield Mistake(path, Wrong.INVALID, message, mended=mended)
        elif isinstance(value, int) and value < 0:
            yield Mistake(path, Wrong.INVALID, f"is {value}; 0 is the least")
        elif isinstance(value, str) and field in at_most and _percent(value) > _MOST:
            yield Mistake(path, Wrong.INVALID, f"is {value}; 100% is the most")


def _percent(written: str) -> int:
    """The number in ``25%``, as far as it matters: of a hundred digits some will do."""
    return int(written[:-1][:_DIGITS])


def _value(rolling: Object, field: str, filled_in: int) -> int:
    """0 when nothing is asked for; `filled_in` where the server fills it in."""
    value = rolling.get(field)
    if isinstance(value, str):
        return _percent(value) if _PERCENT.fullmatch(value) else 0
    return value if isinstance(value, int) else filled_in
