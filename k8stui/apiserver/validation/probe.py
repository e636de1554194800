"""Probes and lifecycle hooks: what is done, to which port, how often.

Source: pkg/apis/core/validation/validation.go validateHandler, validateProbe,
validateLivenessProbe, validateReadinessProbe, validateStartupProbe, validateLifecycle,
validateInitContainers (1.36).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, number, records, table, text
from k8stui.apiserver.validation import formats
from k8stui.apiserver.validation.mistake import Mistake, Wrong, not_negative, one_of
from k8stui.manifests.manifest import Path

_ALL = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle")
PROBED = frozenset(_ALL)
"""Fields of a container that this module looks at."""
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
_PORTS = range(1, 65536)
_SCHEMES = ("HTTP", "HTTPS")
_TIMES = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)
_HEADER = re.compile(r"[-A-Za-z0-9]+")
_GRACE = "terminationGracePeriodSeconds"


def check_probes(container: Object, base: Path, *, runs_once: bool) -> Iterator[Mistake]:
    """Probes and hooks of a container. `runs_once`: an init container that has to end."""
    for name in _ALL:
        written = container.get(name)
        if not isinstance(written, dict):
            continue
        path = (*base, name)
        if runs_once:
            message = "may not be written for an init container without restartPolicy: Always"
            yield Mistake(path, Wrong.FORBIDDEN, message)
        elif name == "lifecycle":
            for hook in ("postStart", "preStop"):
                if isinstance(written.get(hook), dict):
                    yield from _handler(table(written, hook), (*path, hook), _HOOK_HANDLERS)
        else:
            yield from _probe(written, name, path)


def _probe(probe: Object, name: str, path: Path) -> Iterator[Mistake]:
    yield from _handler(probe, path, _HANDLERS)
    yield from not_negative(probe, _TIMES, path)
    successes = number(probe, "successThreshold")
    # 0 is what the decoder has for a field that is not written: it gets its default.
    if name != "readinessProbe" and successes not in (None, 0, 1):
        message = f"is {successes}; for a {name} it has to be 1"
        yield Mistake((*path, "successThreshold"), Wrong.INVALID, message, mended="1")
    grace = number(probe, _GRACE)
    if grace is not None and grace <= 0:
        yield Mistake((*path, _GRACE), Wrong.INVALID, f"is {grace}; it has to be more than 0")
    if grace is not None and name == "readinessProbe":
        message = "may not be written for a readinessProbe: it ends no container"
        yield Mistake((*path, _GRACE), Wrong.INVALID, message)


def _handler(of: Object, path: Path, known: tuple[str, ...]) -> Iterator[Mistake]:
    written = [handler for handler in known if of.get(handler) is not None]
    if not written:
        yield Mistake(path, Wrong.REQUIRED, f"needs one of {', '.join(known)}")
        return
    for extra in written[1:]:
        message = f"may not stand beside {written[0]}"
        yield Mistake((*path, extra), Wrong.FORBIDDEN, message)
    first = written[0]
    action, where = table(of, first), (*path, first)
    if first == "exec" and not array(action, "command"):
        yield Mistake((*where, "command"), Wrong.REQUIRED, "has to be written")
    elif first in ("httpGet", "tcpSocket", "grpc"):
        yield from _port(action.get("port"), (*where, "port"))
    if first == "httpGet":
        yield from one_of((*where, "scheme"), text(action, "scheme"), _SCHEMES)
        for at, header in records(action, "httpHeaders", where):
            if not _HEADER.fullmatch(text(header, "name")):
                message = f"has the name {text(header, 'name')!r}: letters, digits and '-' only"
                yield Mistake((*where, "httpHeaders"), Wrong.INVALID, message, (*at, "name"))


def _port(port: object, where: Path) -> Iterator[Mistake]:
    if isinstance(port, str):
        for wrong in formats.port_name(port):
            digits = port if port.isascii() and port.isdigit() and len(port) < 6 else ""
            message = f"is the name {port!r}, and a port's name {wrong}"
            yield Mistake(where, Wrong.INVALID, message, mended=digits and str(int(digits)))
    elif port is None:
        yield Mistake(where, Wrong.INVALID, "has to be written")
    elif isinstance(port, int) and not isinstance(port, bool) and port not in _PORTS:
        yield Mistake(where, Wrong.INVALID, f"is {port}; it goes from 1 to 65535")
