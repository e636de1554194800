"""What a container asks by way of an HTTP proxy, as its env says.

``http_proxy``, ``https_proxy`` and ``no_proxy``, in either case: curl's man page (ENVIRONMENT),
Go's golang.org/x/net/http/httpproxy, Python's urllib.request.getproxies. Java and Node.js do not
read them by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from k8stui.record import record

_HOST = re.compile(r"(?:\w+://)?(?:[^/]*@)?(\[[^]]*\]|[^:/@]+)")
"""Behind the last @: a password may hold one, and is not shown."""


@record()
class Proxied:
    """The proxy's variable and host, and the variable that spares hosts (empty: there is none)."""

    variable: str
    proxy: str
    spares: str


def proxied(env: Mapping[str, str], scheme: str, host: str) -> Proxied | None:
    """By whom a request for ``scheme://host`` is sent on; None: nobody."""
    variable = _first(env, f"{scheme}_proxy")
    found = _HOST.match(env.get(variable, ""))
    spares = _first(env, "no_proxy")
    if found is None or any(_spares(one.strip(), host) for one in env.get(spares, "").split(",")):
        return None
    return Proxied(variable, found[1], spares)


def _first(env: Mapping[str, str], name: str) -> str:
    return next((one for one in (name, name.upper()) if one in env), "")


def _spares(entry: str, host: str) -> bool:
    end = entry.partition(":")[0].removeprefix("*").lstrip(".").lower()
    return entry == "*" or (bool(end) and f".{host.lower()}".endswith(f".{end}"))
