"""The port that a ConfigMap tells a container's program to open, whatever the container declares.

nginx's and Apache's ``listen``, HAProxy's ``bind``, Spring's ``server.port``, the ports of Redis,
MySQL, MongoDB, PostgreSQL, Mosquitto, RabbitMQ, Elasticsearch, Envoy and Caddy: only where the file
takes the place of the one in the image (nginx.conf, default.conf, httpd.conf, haproxy.cfg,
application.yaml), takes in no others, and names ports of its own. And a key that is a variable
(``SERVER_PORT``), as `envFrom` gives it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.model import Cluster, Container, Pod, ToldPort
from k8stui.cluster.programs.evidence import read_by
from k8stui.cluster.programs.told_ports import TOLD
from k8stui.kernel.derived import Derived

_WEB = frozenset({"nginx.conf", "default.conf", "httpd.conf", "apache2.conf", "ports.conf"})
_SPRING = re.compile(r"application(-[\w-]+)?\.(ya?ml|properties)$")
_LISTEN = re.compile(r"^[ \t]*listen\s+(?:\S*:)?(\d{1,5})\b", re.IGNORECASE | re.MULTILINE)
_DIGITS = 5
_BIND = re.compile(r"^[ \t]*bind\s+[^\s:]*:(\d{1,5})\b", re.MULTILINE)
_INCLUDE = re.compile(
    r"^[ \t]*include\s+\S*(?:conf\.d|sites-enabled|\*)", re.IGNORECASE | re.MULTILINE
)
_LISTENS = {
    key: re.compile(port, re.MULTILINE)
    for key, port in {
        "mosquitto.conf": r"^[ \t]*(?:listener|port)[ \t]+(\d{1,5})\b",
        "my.cnf": r"^\[(?:mysqld|mariadbd?|server)\](?:(?!^\[)[\s\S])*?^port\s*=\s*(\d{1,5})\b",
        "envoy.yaml": r"address:\s*[\"']?(?:0\.0\.0\.0|::)[\"']?[\s,]+port_value:\s*(\d{1,5})\b",
        "elasticsearch.yml": r"^http\.port:\s*(\d{1,5})\b",
        "rabbitmq.conf": r"^listeners\.tcp\.\w+\s*=\s*(?:\S*:)?(\d{1,5})\b",
        "redis.conf": r"^port[ \t]+(\d{1,5})\b",
        "mongod.conf": r"^net:[ \t]*\n(?:[ \t].*\n)*?[ \t]+port:\s*(\d{1,5})\b",
        "postgresql.conf": r"^port\s*=\s*(\d{1,5})\b",
    }.items()
}
_IF_NAMED = frozenset({"redis.conf", "mongod.conf", "postgresql.conf"})
"""Files that their programs read only where an argument names them."""
_SITE = re.compile(r"^(?![({#\s])(\S[^{\n]*)\{[ \t]*$", re.MULTILINE)
_SITE_PORT = re.compile(r"\S*:(\d{1,5})(?:/\S*)?")
_SERVER_PORT = re.compile(
    r"^server\.port\s*[=:]\s*(\d{1,5})\s*$"
    r"|^server:[^\S\n]*\n(?:[ \t].*\n)*?[ \t]+port:\s*(\d{1,5})\b",
    re.MULTILINE,
)


def configured_port(
    cluster: Cluster, pod: Pod, container: Container, number: int
) -> ToldPort | None:
    """The port that is opened instead of `number`; None where no file says so."""
    found: ToldPort | None = None
    for name, held, only in read_by(cluster.config_maps, pod, container):
        for key, opened in _ports_of.of(held) if not only else ():
            if key in _IF_NAMED and not any(key in word for word in container.spoken):
                continue
            if number in opened or found is not None:
                return None
            first, offset = next(iter(opened.items()))
            found = _told(held, name, key, first, offset)
    return found


def _told(held: ConfigMap, name: str, key: str, number: int, offset: int) -> ToldPort:
    return ToldPort(
        name=f"{key} in ConfigMap {name}", number=number, origin=held.origin(key, offset)
    )


def _opened(key: str, text: str) -> dict[int, int]:
    """Ports that a file opens, and where it says so."""
    if key in _WEB and not _INCLUDE.search(text):
        return {int(one[1]): one.start(1) for one in _LISTEN.finditer(text)}
    if key in TOLD and text.strip().isdecimal() and len(text.strip()) <= _DIGITS:
        return {int(text): 0}
    if key == "haproxy.cfg":
        return {int(one[1]): one.start(1) for one in _BIND.finditer(text)}
    if key == "Caddyfile":
        return _of_sites(text)
    if (listens := _LISTENS.get("my.cnf" if key.endswith(".cnf") else key)) is not None:
        return {int(one[1]): one.start(1) for one in listens.finditer(text)}
    said = _SERVER_PORT.search(text) if _SPRING.fullmatch(key) is not None else None
    if said is not None:
        group = 1 if said[1] else 2
        return {int(said[group]): said.start(group)}
    return {}


def _of_sites(text: str) -> dict[int, int]:
    """Caddy's sites; one without a port is at 80 and 443, by what else the file says."""
    found: dict[int, int] = {}
    for site in _SITE.finditer(text):
        for address in site[1].replace(",", " ").split():
            port = _SITE_PORT.fullmatch(address)
            if port is None:
                return {}
            found.setdefault(int(port[1]), site.start(1))
    return found


def _opening(held: ConfigMap) -> Sequence[tuple[str, Mapping[int, int]]]:
    texts = ((key, value) for key, value in held.data.items() if isinstance(value, str))
    return [(key, opened) for key, value in texts if (opened := _opened(key, value))]


_ports_of: Derived[ConfigMap, Sequence[tuple[str, Mapping[int, int]]]] = Derived(_opening)
"""By key; once a ConfigMap, not for each pod that reads it."""
