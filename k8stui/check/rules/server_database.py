"""A client asks its database server for a database that nobody makes there.

The start script of a database's image makes one, by its env: MYSQL_DATABASE (without it none),
POSTGRES_DB (without it one called like POSTGRES_USER; ``postgres`` is always there). A client that
names that server in a URL (``postgres://db/books``, ``jdbc:mysql://db:3306/books``), or in a
variable beside one for the database (``DB_HOST``, ``DB_NAME``), is held against it, and WordPress,
which asks for ``wordpress`` unless told otherwise.

An information, as many programs make their database when they first start, and where a volume
holds one already, that counts. Does not apply where env comes from elsewhere (envFrom, valueFrom),
nor where the server mounts scripts that may make databases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8stui.apiserver.fields import array, table, text
from k8stui.check.asked.hosts import in_variable, service_at
from k8stui.check.asked.values import variables
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import ContainerText, Template
from k8stui.cluster.model import Service
from k8stui.cluster.programs.images import known_image
from k8stui.manifests import Place
from k8stui.order import listed
from k8stui.record import record

ID = "server-database"
_URL = re.compile(
    r"(?:jdbc:)?(?:postgres(?:ql)?|mysql2?|mariadb)://(?:[^@/\s]*@)?(?P<host>[^:/\s,]+)(?::\d+)?"
    r"/(?P<name>[\w-]+)(?:[?;]|$)"
)
_HOST = re.compile(r"(?P<before>.*?)(?:HOSTNAME|HOST|SERVER|ADDRESS|ADDR)$")
_NAMES = ("NAME", "DATABASE", "DB", "DBNAME", "DB_NAME")
_POSTGRES = ("postgres", "postgis/postgis", "pgvector/pgvector", "timescale/timescaledb")
_VARIABLES: Mapping[str, str] = {
    **dict.fromkeys(_POSTGRES, "POSTGRES_DB"),
    **dict.fromkeys(("mysql", "percona"), "MYSQL_DATABASE"),
    "mariadb": "MARIADB_DATABASE",
}
_SCRIPTS = "/docker-entrypoint-initdb.d"


@record()
class _Server:
    """What is behind a Service: its databases, and how another one is made."""

    template: Template
    names: tuple[str, ...]
    variable: str


def look(ground: Ground) -> Iterator[Finding]:
    known: dict[str, _Server | None] = {}
    for template in ground.templates:
        for container in template.containers():
            for host, name, what, place in _asked(ground, template, container):
                service = service_at(ground.cluster, host, template.namespace)
                if service is None:
                    continue
                if service.key not in known:
                    known[service.key] = _server(ground, service)
                server = known[service.key]
                if server is None or server.template is template or name in server.names:
                    continue
                has = listed([one for one in server.names if one not in _ALWAYS]) or "none"
                yield Finding(
                    rule=ID,
                    severity=Severity.INFO,
                    subject=template.subject,
                    place=place,
                    why=f"{what} asks Service {service.key} for database {name}, and "
                    f"{server.template.subject} makes {has} when it first starts: unless somebody "
                    "makes it, it does not exist",
                    fix=f"set {server.variable}: {name} there (where a volume holds the server's "
                    "data already: CREATE DATABASE)",
                )


_ALWAYS = ("postgres", "template1")


def _asked(
    ground: Ground, template: Template, container: ContainerText
) -> Iterator[tuple[str, str, str, Place | None]]:
    """Hosts, the databases that are asked for there, what says so, and where."""
    given = [*variables(ground, template, container)]
    values = {name: value for name, value, *_ in given}
    for name, value, holder, path in given:
        url = _URL.match(value)
        if url is not None:
            yield url["host"], url["name"], name, holder.place(*path)
            continue
        beside = _HOST.fullmatch(name)
        host = next((one.host for one in in_variable(name, value, path)), "") if beside else ""
        if beside is None or not host:
            continue
        told = next((n for one in _NAMES if (n := f"{beside['before']}{one}") in values), None)
        if told is not None and values[told]:
            yield host, values[told], told, holder.place(*path)
        elif name == "WORDPRESS_DB_HOST" and not _is_filled(container, "WORDPRESS_DB_NAME"):
            yield host, "wordpress", f"container {container.name}", holder.place(*path)


def _is_filled(container: ContainerText, name: str) -> bool:
    """Whether something may set the variable that the input does not show."""
    env = array(container.data, "env")
    return bool(array(container.data, "envFrom")) or any(text(one, "name") == name for one in env)


def _server(ground: Ground, service: Service) -> _Server | None:
    """The one template behind a Service, where all of its databases are known."""
    made = {id(t): t for pod in ground.selected(service) if (t := ground.template_of(pod))}
    if len(made) != 1:
        return None
    template = next(iter(made.values()))
    for container in template.containers():
        variable = _VARIABLES.get(known_image(text(container.data, "image")))
        if variable is None or container.init:
            continue
        mounts = (text(one, "mountPath") for one in array(container.data, "volumeMounts"))
        if array(container.data, "envFrom") or any(one.startswith(_SCRIPTS) for one in mounts):
            return None
        env = {text(one, "name"): one for one in array(container.data, "env")}
        own = (variable, "MYSQL_DATABASE", "POSTGRES_USER")
        if any("valueFrom" in table(env[one]) for one in own if one in env):
            return None
        found = [text(env[one], "value") for one in own if one in env]
        return _Server(template, (*filter(None, found), *_ALWAYS), variable)
    return None


RULE = CheckRule(
    id=ID,
    summary="A client asks for a database that its server does not make",
    help=__doc__ or "",
    severity=Severity.INFO,
    look=look,
)
