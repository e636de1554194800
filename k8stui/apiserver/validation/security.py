"""Security contexts of pods and containers.

Source: pkg/apis/core/validation/validation.go validatePodSpecSecurityContext, validateSysctls,
ValidateSecurityContext, validateSeccompProfileField (1.36).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, number, records, table, text
from k8stui.apiserver.validation.mistake import Mistake, Wrong, one_of
from k8stui.manifests.manifest import Path

_IDS = range(2**31)
_SYSCTL = re.compile(r"(?:[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?")
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")


def check_pod_security(spec: Object, base: Path) -> Iterator[Mistake]:
    """A pod's securityContext; `base` is the path of its `spec`."""
    context, path = table(spec, "securityContext"), (*base, "securityContext")
    yield from _ids(context, ("fsGroup", "runAsUser", "runAsGroup"), path)
    for index, group in enumerate(array(context, "supplementalGroups")):
        if isinstance(group, int) and group not in _IDS:
            where = (*path, "supplementalGroups", index)
            yield Mistake(where, Wrong.INVALID, f"is {group}; it goes from 0 to {_IDS.stop - 1}")
    seen: set[str] = set()
    for where, one in records(context, "sysctls", path):
        name = text(one, "name")
        if not name:
            yield Mistake((*where, "name"), Wrong.REQUIRED, "has to be written")
        elif not _SYSCTL.fullmatch(name):
            message = f"{name!r} is no name of a sysctl such as net.core.somaxconn"
            yield Mistake((*where, "name"), Wrong.INVALID, message)
        elif name in seen:
            yield Mistake((*where, "name"), Wrong.DUPLICATE, f"is {name}, which is there already")
        seen.add(name)
        if spec.get("hostNetwork") is True and name.replace("/", ".").startswith("net."):
            message = f"{name} may not be set with hostNetwork: it is the node's"
            yield Mistake((*where, "name"), Wrong.INVALID, message)
    policy = text(context, "fsGroupChangePolicy")
    yield from one_of((*path, "fsGroupChangePolicy"), policy, ("Always", "OnRootMismatch"))
    yield from _profile(context, path)
    if spec.get("shareProcessNamespace") is True and spec.get("hostPID") is True:
        message = "and hostPID may not both be true"
        # In the server's types the field stands in the security context.
        where = (*path, "shareProcessNamespace")
        yield Mistake(where, Wrong.INVALID, message, (*base, "shareProcessNamespace"))


def check_container_security(context: Object, path: Path) -> Iterator[Mistake]:
    """A container's securityContext (core/validation ValidateSecurityContext)."""
    yield from _ids(context, ("runAsUser", "runAsGroup"), path)
    yield from one_of((*path, "procMount"), text(context, "procMount"), ("Default", "Unmasked"))
    yield from _profile(context, path)
    if context.get("allowPrivilegeEscalation") is False:
        added = array(context, "capabilities", "add")
        if context.get("privileged") is True or "CAP_SYS_ADMIN" in added:
            what = "privileged: true" if context.get("privileged") is True else "CAP_SYS_ADMIN"
            message = f"has allowPrivilegeEscalation: false beside {what}"
            yield Mistake(path, Wrong.INVALID, message, (*path, "allowPrivilegeEscalation"))


def _ids(context: Object, names: tuple[str, ...], path: Path) -> Iterator[Mistake]:
    for name in names:
        value = number(context, name)
        if value is not None and value not in _IDS:
            message = f"is {value}; it goes from 0 to {_IDS.stop - 1}"
            yield Mistake((*path, name), Wrong.INVALID, message)


def _profile(context: Object, base: Path) -> Iterator[Mistake]:
    if not isinstance(context.get("seccompProfile"), dict):
        return
    profile, path = table(context, "seccompProfile"), (*base, "seccompProfile")
    kind = text(profile, "type")
    if not kind:
        yield Mistake((*path, "type"), Wrong.REQUIRED, "has to be written")
    yield from one_of((*path, "type"), kind, _PROFILES)
    local = profile.get("localhostProfile")
    if kind == "Localhost" and local is None:
        message = "has to be written when type is Localhost"
        yield Mistake((*path, "localhostProfile"), Wrong.REQUIRED, message)
    elif kind != "Localhost" and local is not None:
        message = "may only be written when type is Localhost"
        yield Mistake((*path, "localhostProfile"), Wrong.INVALID, message)
