"""Keycloak's image: what it needs to start, and on which ports it listens.

Sources: Keycloak's guides (Configuring the hostname, Configuring TLS, Configuring the management
interface: since 25 health and metrics are on port 9000, before on the main one), the errors that
kc.sh prints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import zip_longest

from k8stui.apiserver.fields import Object, array, table, text
from k8stui.whole import whole

IMAGES = frozenset({"quay.io/keycloak/keycloak", "keycloak/keycloak"})
_BY_KC_SH_SINCE, _MANAGED_SINCE = 17, 25
_ELSEWHERE = "?"
"""Stands for a value that comes from an object or a file."""
_CERTIFICATES = ("https-certificate-file", "https-key-store-file")


def _options(container: Object) -> Mapping[str, str] | None:
    """What its env and words say, by the option's name; None: a file may say more, or no kc.sh."""
    if (
        is_of_wildfly(container)
        or array(container, "envFrom")
        or any(
            text(one, "mountPath").startswith("/opt/keycloak/conf")
            for one in array(container, "volumeMounts")
        )
    ):
        return None
    found = {
        text(one, "name").removeprefix("KC_").lower().replace("_", "-"): (
            _ELSEWHERE if "valueFrom" in table(one) else text(one, "value")
        )
        for one in array(container, "env")
        if text(one, "name").startswith("KC_")
    }
    words = _words(container)
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        if word.startswith("--"):
            name, is_given, value = word[2:].partition("=")
            found[name] = value if is_given else after
    return found


def _words(container: Object) -> list[str]:
    each = [*array(container, "command"), *array(container, "args")]
    return [part for word in each if isinstance(word, str) for part in word.split()]


def _command(container: Object) -> str:
    return next((word for word in _words(container) if word in ("start", "start-dev")), "")


def _version(container: Object) -> int:
    """The newest where the tag does not say."""
    found = re.match(r"[^@]*:(\d{1,9})", text(container, "image").rpartition("/")[2])
    return int(found[1]) if found is not None else 1000


def is_of_wildfly(container: Object) -> bool:
    """Whether it is Keycloak as it was: its start script serves, without any words."""
    legacy = "legacy" in text(container, "image").rpartition(":")[2]
    return legacy or _version(container) < _BY_KC_SH_SINCE


def _is_on(options: Mapping[str, str], *names: str) -> bool:
    return any(options.get(name, "false") != "false" for name in names)


def _serves_http(options: Mapping[str, str]) -> bool:
    """Until 25 a proxy that ends TLS in front of it implies that."""
    return _is_on(options, "http-enabled") or options.get("proxy") == "edge"


def lack(container: Object) -> tuple[str, str] | None:
    """Why ``start`` ends, and what would mend it: no host name, or neither HTTP nor a certificate.

    ``start-dev`` needs none of that.
    """
    options = _options(container)
    if options is None or _command(container) != "start":
        return None
    said = "runs Keycloak's start, which is for production, and ends"
    named = _is_on(options, "hostname", "hostname-url", "hostname-admin")
    strict = options.get("hostname-strict", "true") != "false"
    if not _serves_http(options) and not _is_on(options, *_CERTIFICATES):
        more = "" if named or not strict else ", and KC_HOSTNAME"
        mend = 'set KC_HTTP_ENABLED: "true" where something in front of it ends TLS (else '
        return (
            f"{said} without a certificate unless it is told to serve plain HTTP",
            f"{mend}KC_HTTPS_CERTIFICATE_FILE and _KEY_FILE){more}; for a try: args: [start-dev]",
        )
    if not named and strict:
        return (
            f"{said} where no hostname is set",
            'set KC_HOSTNAME, or KC_HOSTNAME_STRICT: "false"; for a try: args: [start-dev]',
        )
    return None


def ports(container: Object) -> tuple[int, ...]:
    """On which ports it listens, the main one first; empty: not known."""
    options, command = _options(container), _command(container)
    if options is None or not command:
        return ()
    numbers = []
    if command == "start-dev" or _serves_http(options):
        numbers.append(options.get("http-port", "8080"))
    if _is_on(options, *_CERTIFICATES):
        numbers.append(options.get("https-port", "8443"))
    if _has_management(container, options):
        numbers.append(options.get("http-management-port", "9000"))
    found = tuple(one for one in map(whole, numbers) if one is not None)
    return found if len(found) == len(numbers) else ()


def _has_management(container: Object, options: Mapping[str, str]) -> bool:
    legacy = _is_on(options, "legacy-observability-interface")
    is_new = _version(container) >= _MANAGED_SINCE and not legacy
    return is_new and _is_on(options, "health-enabled", "metrics-enabled")


_HEALTH = re.compile(r"(?:/[\w-]+)*/health(?:/(?:ready|live|started))?/?$")


def probe(container: Object, path: str, port: int | None) -> tuple[str, str] | None:
    """Why a probe of `path` finds nothing at `port`, and what would mend it."""
    options = _options(container)
    if options is None or _HEALTH.match(path) is None:
        return None
    if not _is_on(options, "health-enabled"):
        return (
            "and Keycloak answers that path only where health is enabled",
            'set KC_HEALTH_ENABLED: "true"'
            + (" and ask port 9000" if _version(container) >= _MANAGED_SINCE else ""),
        )
    management = options.get("http-management-port", "9000")
    if not _has_management(container, options) or str(port) == management or port is None:
        return None
    return (
        f"and Keycloak has its health on port {management} since 25, not on {port} (404)",
        f"write port: {management}",
    )
