"""Hosts in nginx's configuration that it looks up when it starts, and without which it ends.

``proxy_pass http://api:8080``, ``fastcgi_pass php:9000``, ``server api:8080`` of an ``upstream``,
``resolver kube-dns.kube-system.svc.cluster.local`` ("host not found in upstream", ngx_inet.c
ngx_inet_resolve_host; "in resolver", ngx_resolver.c). What holds a variable (``http://$backend``)
is looked up later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.model import Container, Pod
from k8stui.cluster.programs.evidence import read_by
from k8stui.kernel.derived import Derived
from k8stui.origin import Origin

_HOST = r"(?P<host>[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*)(?::(?P<port>\d{1,5}))?(?=[\s;/])"
_PASSES = re.compile(
    rf"^[^#\n$]*\b(?:proxy|fastcgi|uwsgi|scgi|grpc|memcached)_pass\s+(?:\w+://)?{_HOST}",
    re.MULTILINE,
)
_GROUP = re.compile(r"\bupstream\s+(?P<name>[\w.-]+)\s*\{(?P<body>[^{}]*)\}")
_SERVER = re.compile(rf"^[ \t]*server\s+{_HOST}(?![^;\n]*\bresolve\b)", re.MULTILINE)
_RESOLVER = re.compile(rf"^[^#\n]*\bresolver\s+{_HOST}", re.MULTILINE)
"""nginx looks its own DNS server up as well ("host not found in resolver")."""
_ITSELF = frozenset({"localhost"})
_IN_CLUSTER = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+(?:\.svc(?:\.cluster\.local)?)?)?")


def upstreams(
    config_maps: Mapping[str, ConfigMap], pod: Pod, container: Container
) -> Iterator[tuple[str, int | None, Origin]]:
    """(host, port, where it is written), of hosts that only cluster DNS can know."""
    if "nginx" not in container.image:
        return
    for _, held, only in read_by(config_maps, pod, container):
        for key, host, port, offset in _hosts.of(held) if not only else ():
            yield host, port, held.origin(key, offset)


def _hosts_in(held: ConfigMap) -> Sequence[tuple[str, str, int | None, int]]:
    texts = {key: value for key, value in held.data.items() if isinstance(value, str)}
    groups = [(key, one) for key, value in texts.items() for one in _GROUP.finditer(value)]
    named = {one["name"] for _, one in groups} | _ITSELF
    found = [
        (key, one, one.start("host"))
        for key, value in texts.items()
        for one in _PASSES.finditer(value)
        if one["host"] not in named
    ]
    found += [
        (key, one, group.start("body") + one.start("host"))
        for key, group in groups
        for one in _SERVER.finditer(group["body"])
        if one["host"] not in _ITSELF
    ]
    found += [
        (key, one, one.start("host"))
        for key, value in texts.items()
        for one in _RESOLVER.finditer(value)
    ]
    return [
        (key, one["host"], int(one["port"]) if one["port"] else None, offset)
        for key, one, offset in found
        if _IN_CLUSTER.fullmatch(one["host"])
    ]


_hosts: Derived[ConfigMap, Sequence[tuple[str, str, int | None, int]]] = Derived(_hosts_in)
"""Once a ConfigMap, not for each pod that reads it."""
