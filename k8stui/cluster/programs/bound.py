"""Ports that a container opens for some only: something binds them to 127.0.0.1 or 0.0.0.0.

Its own words (``--bind 127.0.0.1:8000``, ``--listen=localhost``, ``BIND_ADDRESS=127.0.0.1``), a
ConfigMap that it mounts (``bind 127.0.0.1``, ``bind-address = 127.0.0.1``), or the program itself,
where it is told nothing: many that are made for a developer's machine bind to 127.0.0.1. What comes
by the pod's address is refused, while everything inside the pod (a probe by exec, a proxy beside
it) finds somebody. ``--bind 0.0.0.0:8000`` is every IPv4 address, and refuses IPv6 (ip(7); `::`
takes both, ipv6(7)), and so is nginx' ``listen 80;`` (ngx_http_core_module). Programs differ in
their options, so only those are read that say what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import zip_longest

from k8stui.cluster.config_maps import ConfigMap, ConfiguredLine
from k8stui.cluster.model import Cluster, Container, Pod
from k8stui.cluster.programs.evidence import read_by
from k8stui.cluster.programs.images import is_kube_proxy
from k8stui.cluster.programs.own_machine import unless_told
from k8stui.kernel.derived import Derived
from k8stui.kernel.packet import Protocol
from k8stui.origin import Origin
from k8stui.record import record

_OPTION = re.compile(r"--?([A-Za-z][\w.-]*)(?:=(.*))?$")
_SETTING = re.compile(r"(listen_addresses|bind[-_]address)=(.*)")
"""Behind ``-c`` (postgres)."""
_OPENS = re.compile(r"bind|listen", re.IGNORECASE)
_WHERE = frozenset({"host", "hostname", "address", "addr", "ip"})
"""Options that say it only together with one for the port: else a client's, of its server."""
_OWN_PLACE = re.compile(r"(?:^|[-_.])addr(?:ess)?$", re.IGNORECASE)
"""Options and variables that say it where the port in them is one that the container declares."""
_ANNOUNCES = re.compile(r"advertis|public|external|announce", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:\w+://)?(\[[0-9a-fA-F:]+\]|[\w.-]*)(?::([0-9]{1,5}))?/?$")
_NUMBER = re.compile(r"[0-9]{1,5}")
_OWN = re.compile(r"127\.\d+\.\d+\.\d+$|localhost$|\[?::1\]?$")
_IPV6_PORT = re.compile(r"\[::\]:(\d{1,5})\b")
_IPV4 = re.compile(r"\d+\.\d+\.\d+\.\d+$")
_VARIABLES = frozenset(
    {"ASPNETCORE_URLS", "SERVER_ADDRESS", "FLASK_RUN_HOST", "UVICORN_HOST", "QUARKUS_HTTP_HOST",
     "GF_SERVER_HTTP_ADDR", "OLLAMA_HOST", "JUPYTER_IP", "MICRONAUT_SERVER_HOST"}
)  # fmt: skip
"""Variables by which one program or framework is told where it listens."""
_WORDS = re.compile(r"_(?:ARGS|OPTS|OPTIONS)$")
"""Variables that hold more of a command's words: GUNICORN_CMD_ARGS."""
_DIRECTIVE = re.compile(
    r"\s*(?:network\.host|http\.host|server\.address|bind|listen|bind[-_]?(?:address|ip|host)|listen[-_]?(?:addresse?s?|host))"
    r"(?:\s*[:=]\s*|\s+)(?P<value>[^#;{]*)",
    re.IGNORECASE,
)
"""A line of redis.conf, my.cnf, postgresql.conf, mongod.conf, nginx's, Apache's or HAProxy's."""
_PLACE = re.compile(
    r"\s*[\w.-]*addr(?:ess)?\s*[:=]\s*[\"']?(?P<value>[\w.\[\]:]+:\d{1,5})[\"']?,?\s*$",
    re.IGNORECASE,
)
"""``address = "127.0.0.1:9942"``, of a port that the container declares."""
_METRICS = 10249
_BY_WORDS = "its command, args or env say so"


@record()
class Bound:
    """For whom alone a port is opened, who says so, and what would open it for all."""

    by: str
    origin: Origin
    mend: str = "let it bind to 0.0.0.0"


def own_only(
    cluster: Cluster, pod: Pod, container: Container, led: Collection[int] = ()
) -> Mapping[int, Bound]:
    """TCP ports that the container declares, and binds to the loopback network.

    `led`: ports to which a Service leads, though nobody declares them.
    """
    return _bound_to(cluster, pod, container, _OWN, led)


def ipv4_only(cluster: Cluster, pod: Pod, container: Container) -> Mapping[int, Bound]:
    """TCP ports that the container declares, and binds to IPv4 addresses alone."""
    return _bound_to(cluster, pod, container, _IPV4)


def _bound_to(
    cluster: Cluster,
    pod: Pod,
    container: Container,
    kind: re.Pattern[str],
    led: Collection[int] = (),
) -> dict[int, Bound]:
    declared = {port.number for port in container.ports if port.protocol is Protocol.TCP} | {*led}
    if not declared:
        return {}
    if _METRICS in declared and is_kube_proxy(container.image, container.spoken):
        return _metrics(cluster, kind)
    return _told(cluster.config_maps, pod, container, kind, declared)


def probed_in_vain(
    config_maps: Mapping[str, ConfigMap], pod: Pod
) -> Iterator[tuple[Container, str, int, Bound]]:
    """Probes by the pod's own address of ports that are opened for the pod alone: which, whose.

    None of a port that another container declares too: that one may answer.
    """
    for one in pod.containers:
        for asked in one.probed_ports:
            number = asked.number
            others = (c.ports for c in pod.containers if c is not one)
            if any(port.number == number for ports in others for port in ports):
                continue
            declared = {port.number for port in one.ports if port.protocol is Protocol.TCP}
            bound = _told(config_maps, pod, one, _OWN, declared | {number}).get(number)
            if bound is not None:
                yield one, asked.probe, number, bound


def _told(
    config_maps: Mapping[str, ConfigMap],
    pod: Pod,
    container: Container,
    kind: re.Pattern[str],
    declared: set[int],
) -> dict[int, Bound]:
    opened: dict[int, Bound | None] = {}
    for number, address, bound in _opened(config_maps, pod, container, declared):
        fits = kind.match(address) is not None and opened.get(number, bound) is not None
        opened[number] = bound if fits else None
    if not opened and kind.match("127.0.0.1"):
        opened |= _left_out(config_maps, pod, container, declared)
    by_itself = unless_told(container, declared)
    is_told = by_itself is None or (bool(opened) and not by_itself.whatever)
    if by_itself is not None and not is_told and kind.match("127.0.0.1"):
        return {
            by_itself.port: Bound(
                f"{by_itself.program} does unless told otherwise, and nothing here tells it",
                container.origin,
                f"let it bind to 0.0.0.0: {by_itself.option}",
            )
        }
    return {number: bound for number, bound in opened.items() if bound is not None}


@record()
class _Silent:
    """A program that is on localhost alone where its own file leaves out one setting."""

    image: str
    """Part of its name."""
    file: str
    setting: str
    said: re.Pattern[str]
    """The setting in the file."""
    ports: frozenset[int]
    everywhere: str
    """The line that opens it."""
    if_named: bool = False
    """It reads the file only where an argument names it."""


_SILENT = (
    _Silent(
        "elasticsearch", "elasticsearch.yml", "network.host",
        re.compile(r"^[ \t]*(?:(?:network|http)\.(?:bind_)?host|network)\s*:", re.MULTILINE),
        frozenset({9200, 9300}), "network.host: 0.0.0.0",
    ),
    _Silent(
        "postgres", "postgresql.conf", "listen_addresses",
        re.compile(r"^[ \t]*(?:listen_addresses|include\w*)\b", re.MULTILINE),
        frozenset({5432}), "listen_addresses = '*'", if_named=True,
    ),
)  # fmt: skip
"""Elasticsearch reference, Networking; PostgreSQL, 20.3 (listen_addresses: localhost)."""


def _left_out(
    config_maps: Mapping[str, ConfigMap], pod: Pod, container: Container, declared: set[int]
) -> dict[int, Bound]:
    """With a file of its own in the place of the image's, which leaves the setting out."""
    said = (*container.spoken, *(name for name, _ in container.env))
    for one in _SILENT if container.unknown is not None else ():
        if one.image not in container.image or any(one.setting in word for word in said):
            continue
        if one.if_named and not any(one.file in word for word in container.spoken):
            continue
        for name, held, only in read_by(config_maps, pod, container):
            own = "" if only else held.data.get(one.file)
            if isinstance(own, str) and own and not one.said.search(own):
                by = f"{one.file} of ConfigMap {name} leaves out {one.setting}"
                mend = f"write {one.everywhere} into it"
                bound = Bound(by, held.origin(one.file, 0), mend)
                return dict.fromkeys(declared & one.ports, bound)
    return {}


def _metrics(cluster: Cluster, kind: re.Pattern[str]) -> dict[int, Bound]:
    """kube-proxy's own, at 127.0.0.1 unless it is told otherwise (v1alpha1/defaults.go)."""
    told = cluster.proxy.metrics_bind_address or f"127.0.0.1:{_METRICS}"
    address, _, number = told.rpartition(":")
    if number != str(_METRICS) or not kind.match(address):
        return {}
    origin = cluster.proxy.origins.get("metrics_bind_address", cluster.proxy.origin)
    mend = (
        f"set metricsBindAddress: 0.0.0.0:{_METRICS} in kube-proxy's configuration and restart it"
    )
    return {_METRICS: Bound("its metricsBindAddress, unless told otherwise", origin, mend)}


def _opened(
    config_maps: Mapping[str, ConfigMap], pod: Pod, container: Container, declared: set[int]
) -> Iterator[tuple[int, str, Bound]]:
    """(port, address, who says so), for each address that is named."""
    by_words = Bound(_BY_WORDS, container.origin)
    for number, address in _by_words(container, declared):
        yield number, address, by_words
    for name, held, only in read_by(config_maps, pod, container):
        for line, value in _directives.of(held):
            if only not in ("", line.key):
                continue
            of_nginx = line.text.rstrip().endswith(";") and line.text.split()[0] == "listen"
            for number, address in _addresses(value, declared):
                if of_nginx and address == "*":
                    address = "0.0.0.0"  # noqa: PLW2901, S104 - nginx' listen 80 is IPv4 alone
                origin = held.origin(line.key, line.offset)
                yield number, address, Bound(f"ConfigMap {name} says so", origin)


def _directives_in(held: ConfigMap) -> Sequence[tuple[ConfiguredLine, str]]:
    found = (
        (line, _DIRECTIVE.match(line.text) or _PLACE.match(line.text)) for line in held.lines()
    )
    return [(line, match["value"]) for line, match in found if match is not None]


_directives: Derived[ConfigMap, Sequence[tuple[ConfiguredLine, str]]] = Derived(_directives_in)
"""Once a ConfigMap, not for each pod that reads it."""


def _addresses(value: str, declared: set[int]) -> Iterator[tuple[int, str]]:
    """``127.0.0.1 -::1``, ``'localhost'``, ``0.0.0.0:8080 ssl``, ``8080``."""
    six = _IPV6_PORT.match(value)
    if six is not None:
        yield from ((number, "::") for number in declared & {int(six[1])})
        return
    for word in re.split(r"[\s,]+", value.strip().strip("'\"[]")):
        text = word.strip("'\"").removeprefix("-")
        if _NUMBER.fullmatch(text):
            number, address = text, "*"
        else:
            found = _ADDRESS.match(text)
            if text in {"*", "::", "::*"}:
                number, address = "", "*"
            elif found is None or not (_OWN.match(found[1]) or _IPV4.match(found[1])):
                continue
            else:
                number, address = found[2] or "", found[1]
        if not number and len(declared) == 1:
            number = str(*declared)
        if number and int(number) in declared:
            yield int(number), address


def _by_words(container: Container, declared: set[int]) -> Iterator[tuple[int, str]]:
    env = dict(container.env)
    beside = (value for name, value in env.items() if _WORDS.search(name))
    words = [word for text in (*container.spoken, *beside) for word in text.split()]
    options = [(match[1], match[2] or after) for match, after in _options(words)]
    options += [(match[1], match[2]) for match in map(_SETTING.fullmatch, words) if match]
    port = next((v for name, v in options if name in ("port", "p") and _NUMBER.fullmatch(v)), "")
    port = port or env.get("PORT", "")
    said = [(name, value, name in _WHERE) for name, value in options]
    said += [(name, value, name in ("HOST", "HOSTNAME")) for name, value in env.items()]
    for name, value, where in said:
        announces = _ANNOUNCES.search(name) is not None  # to others, wherever it listens itself
        opens = name in _VARIABLES or (_OPENS.search(name) is not None and not announces)
        own = _OWN_PLACE.search(name) is not None and not announces
        if own and not opens:
            at = _ADDRESS.match(value)
            opens = at is not None and "/" not in value and int(at[2] or 0) in declared
        if not opens and not (where and _NUMBER.fullmatch(port)):
            continue
        for text in re.split(r"[,;]", value):
            found = _ADDRESS.match(text)
            if found is None or not found[1]:
                continue
            number = found[2] or port
            if not _NUMBER.fullmatch(number) and len(declared) == 1:
                number = str(*declared)
            if _NUMBER.fullmatch(number) and int(number) in declared:
                yield int(number), found[1]


def _options(words: list[str]) -> Iterator[tuple[re.Match[str], str]]:
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        match = _OPTION.match(word)
        if match is not None:
            yield match, "" if after.startswith("-") else after
