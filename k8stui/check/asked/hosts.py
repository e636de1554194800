"""Hosts and ports that a container is told to ask: in its env, command and args.

Only what is written as ``[scheme://]host:port`` or ``scheme://host`` counts, wherever it stands in
the text (``--etcd=http://etcd-0:2379,http://etcd-1:2379``), or a Service name in full; in env also
a host alone, where the variable name says that it is one (``REDIS_HOST``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from k8stui.apiserver.fields import Object, array, text
from k8stui.check.finding import Finding, Severity
from k8stui.check.place import TextPlace
from k8stui.check.subject import subject_of
from k8stui.check.template import ContainerText
from k8stui.cluster.model import Cluster, Service
from k8stui.manifests import Manifest, Place
from k8stui.manifests.embedded import position_in
from k8stui.manifests.manifest import field_name
from k8stui.record import record

ID = "env-address"
"""The rule whose findings it makes that somebody is asked in vain."""
ITSELF = frozenset(("localhost", "127.0.0.1"))
"""What a pod calls itself."""
DIGITS = 5
"""Of a port, at most."""
_HOST = r"[a-z0-9](?:[-a-z0-9._]*[a-z0-9])?"
_ADDRESS = re.compile(
    r"(?:^|(?<=[\s=,;\"'(\[<>])|(?<=:)(?=[a-z]+://))(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?"
    r"(?:[^@/\s,;=]*@)?"
    rf"(?P<host>{_HOST})(?P<root>\.)?(?::(?P<port>\d{{1,5}}))?(?=$|[/?\s,;\"')\]#&|<]|:\d)"
)
_ALONE = re.compile(_HOST)
_SAYS_HOST = re.compile(
    r"HOST|ADDR|SERVER|URL|URI|ENDPOINT|SERVICE|BROKER|MASTER|UPSTREAM|PEER|SEED", re.IGNORECASE
)
_BY_API = re.compile(r"K(?:8S|UBERNETES)_?SERVICE_?NAME$")
"""Variables with the name of a Service that is looked up at the API server, not by DNS (Felix)."""
_NAMES_PORT = re.compile(
    r"\s*(?:(?:server|(?:fastcgi|uwsgi|scgi)_pass)\s+[a-z0-9.-]+:\d+(?:\s[^;]*)?;"
    r"|-?\s*targets:\s*\[|-?\s*endpoint:\s*[\"']?[a-z0-9.-]+:\d+[\"']?\s*$)"
)
_OPTION = re.compile(
    r"--?(?:[\w-]*host(?:name)?|replicaof|slaveof|h|server|master|peer)(?:=(?P<value>\S+))?$"
)
"""An option whose word is a host; behind it a port may stand, as redis-server has it."""
_NUMBER = re.compile(r"\d{1,5}")
_ASKERS = frozenset({"ping", "nslookup", "dig", "telnet", "nc"})
"""Programs that take a host as their first word."""
_SERVICE_DOMAIN = ".svc."
"""Only a Service's name in full has it."""
_LONGEST = 2_000
"""Characters of a line that is looked at; longer ones are no configuration."""
_LONGEST_TEXT = 100_000
"""Characters of a ConfigMap's value that is looked at: longer ones are dashboards and data."""
_COMMENTS = ("#", "//", ";", "--", "*")


@record()
class ToldHost:
    """A host that a container is told to ask."""

    host: str
    port: int | None
    path: tuple[str | int, ...]
    """Where it stands in the manifest."""
    what: str
    """``REDIS_HOST``, ``args``."""
    offset: int | None = None
    """Where in a value of several lines; None: it is the value."""


def asked(container: ContainerText) -> Iterator[ToldHost]:
    """All of them, in the order in which they are written."""
    for index, entry in enumerate(array(container.data, "env")):
        path = (*container.path, "env", index, "value")
        yield from in_variable(text(entry, "name"), text(entry, "value"), path)
    yield from in_words(container)


def in_variable(name: str, value: str, path: tuple[str | int, ...]) -> Iterator[ToldHost]:
    """Those that one variable names."""
    if _BY_API.search(name):
        return
    host = value.removesuffix(".") if _SERVICE_DOMAIN in value else value
    if _SAYS_HOST.search(name) and _ALONE.fullmatch(host):
        yield ToldHost(host, None, path, name)
    else:
        yield from _addresses(value, path, name)


def in_words(container: ContainerText) -> Iterator[ToldHost]:
    """Those of command and args."""
    yield from _by_asker(container)
    for field in ("command", "args"):
        for index, word in enumerate(array(container.data, field)):
            if isinstance(word, str):
                yield from _addresses(word, (*container.path, field, index), field)
        yield from _by_option(
            [
                (each, (*container.path, field, index))
                for index, word in enumerate(array(container.data, field))
                if isinstance(word, str) and len(word) <= _LONGEST
                for each in word.split()
            ],
            field,
        )


def _by_asker(container: ContainerText) -> Iterator[ToldHost]:
    """``[ping, etcd]``: a client's first word that is no option."""
    words = [
        (word, field, index)
        for field in ("command", "args")
        for index, word in enumerate(array(container.data, field))
        if isinstance(word, str)
    ]
    if not words or words[0][0].rpartition("/")[2] not in _ASKERS:
        return
    named = (one for one in words[1:] if _ALONE.fullmatch(one[0]) and not one[0].isdecimal())
    for host, field, index in islice(named, 1):
        yield ToldHost(host, None, (*container.path, field, index), field)


def _by_option(words: list[tuple[str, tuple[str | int, ...]]], field: str) -> Iterator[ToldHost]:
    """``--replicaof redis-master 6379``, ``-h db -p 5432``, ``--db-host=db``."""
    for index, (word, path) in enumerate(words):
        option = _OPTION.match(word)
        if option is None:
            continue
        after = [each for each, _ in words[index + 1 : index + 4]]
        host, where = option["value"], path
        if host is None and after:
            host, where, after = after[0], words[index + 1][1], after[1:]
        if host is None or not _ALONE.fullmatch(host):
            continue
        if after[:1] and after[0] in ("-p", "-P", "--port"):
            after = after[1:]
        port = int(after[0]) if after and _NUMBER.fullmatch(after[0]) else None
        yield ToldHost(host, port, where, f"{field} {word.partition('=')[0]}")


def service_named(host: str, own: str, domain: str) -> tuple[str, str]:
    """Name and namespace of the Service that a pod in namespace `own` means by `host`.

    `domain` is the cluster's.
    """
    for suffix in (f".svc.{domain}", ".svc"):
        host = host.removesuffix(suffix)
    name, dot, namespace = host.partition(".")
    return name, namespace if dot else own


def service_at(cluster: Cluster, host: str, own: str) -> Service | None:
    """The Service that a pod in namespace `own` means by `host`; None: there is none."""
    name, namespace = service_named(host, own, cluster.cluster_domain)
    return cluster.services.get(f"{namespace}/{name}")


def in_values(data: Object) -> Iterator[ToldHost]:
    """Hosts in a ConfigMap's values of one line, which are mostly some container's env."""
    for key, value in data.items():
        if isinstance(value, str) and "\n" not in value.strip():
            yield from in_variable(key, value.strip(), ("data", key))


def in_texts(data: Object) -> Iterator[ToldHost]:
    """Hosts in a ConfigMap's values of several lines: configuration files, without comments.

    With their ports in URLs, nginx' upstream servers and Prometheus' targets; what others say of a
    port nobody knows.
    """
    for key, value in data.items():
        if not isinstance(value, str) or "\n" not in value.strip() or len(value) > _LONGEST_TEXT:
            continue
        at = 0
        for line in value.split("\n"):
            if not line.lstrip().startswith(_COMMENTS):
                for found in _addresses(line, ("data", key), key):
                    offset = at + line.index(found.host)
                    url = f"://{found.host}:" in line or f"@{found.host}:" in line
                    sure = url or _NAMES_PORT.match(line) is not None
                    port = found.port if sure else None
                    yield ToldHost(found.host, port, found.path, key, offset)
            at += len(line) + 1


def _addresses(value: str, path: tuple[str | int, ...], what: str) -> Iterator[ToldHost]:
    if len(value) > _LONGEST or (":" not in value and _SERVICE_DOMAIN not in value):
        return
    for found in _ADDRESS.finditer(value):
        in_full = _SERVICE_DOMAIN in f"{found['host']}."
        # Of a short name a dot behind it makes one that the search path is not put to.
        if in_full or (not found["root"] and (found["scheme"] or found["port"])):
            port = int(found["port"]) if found["port"] else None
            yield ToldHost(found["host"], port, path, what)


def port_beside(variable: str, env: Mapping[str, str]) -> int:
    """The number in ``DB_PORT``, for ``DB_HOST``; 0: there is none."""
    beside = re.sub(r"HOST(NAME)?$|SERVER$|ADDR(ESS)?$", "PORT", variable)
    told = env.get(beside, "") if beside != variable else ""
    return int(told) if told.isdecimal() and len(told) <= DIGITS else 0


def place_of(manifest: Manifest, one: ToldHost) -> Place:
    """Where a host stands, in a manifest or in a file that one holds."""
    if one.offset is None:
        return manifest.place(*one.path)
    line, column = position_in(manifest, str(one.path[-1]), one.offset)
    return TextPlace(file=manifest.file, line=line, column=column, field=field_name(one.path))


def in_vain(manifest: Manifest, one: ToldHost, why: str, fix: str) -> Finding:
    """That whoever is told so in `manifest` asks for nothing, at the place where it is told."""
    return Finding(
        rule=ID,
        severity=Severity.WARNING,
        subject=subject_of(manifest),
        place=place_of(manifest, one),
        why=why,
        fix=fix,
    )
