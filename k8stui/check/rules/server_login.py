"""A client is told another user or password than the database that it asks.

The start script of a database's image makes the users that its env names (POSTGRES_USER,
MYSQL_USER, MONGO_INITDB_ROOT_USERNAME), with their passwords. A client that names its Service in a
URL with a login, or in a variable beside others for user and password (``DB_HOST``, ``DB_USER``,
``DB_PASSWORD``), is held against that: another literal, or another key of the same Secret. Values
are compared and never shown.

So is a URL of Redis' without a password, where the server is told one.

A login that ends in a line feed is told as well: who gets it otherwise does not have that.

Does not apply where either is not known (envFrom, another Secret, files), nor where the container
mounts scripts that may make users (/docker-entrypoint-initdb.d). A warning, for somebody may make
users later, and where a volume holds a database already, its own passwords count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

from k8stui.apiserver.fields import Object, array, table, text
from k8stui.check.asked.hosts import in_variable, service_at
from k8stui.check.asked.values import variables
from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import ContainerText, Template
from k8stui.cluster.model import Service
from k8stui.cluster.programs.images import known_image
from k8stui.record import record

ID = "server-login"
_POSTGRES = (("POSTGRES_USER", "postgres", "POSTGRES_PASSWORD"),)
_MYSQL = (("", "root", "MYSQL_ROOT_PASSWORD"), ("MYSQL_USER", "", "MYSQL_PASSWORD"))
_MARIADB = (("", "root", "MARIADB_ROOT_PASSWORD"), ("MARIADB_USER", "", "MARIADB_PASSWORD"))
_IMAGES: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "postgres": _POSTGRES, "postgis/postgis": _POSTGRES, "pgvector/pgvector": _POSTGRES,
    "timescale/timescaledb": _POSTGRES,
    "mysql": _MYSQL, "percona": _MYSQL, "mariadb": (*_MARIADB, *_MYSQL),
    "mongo": (("MONGO_INITDB_ROOT_USERNAME", "", "MONGO_INITDB_ROOT_PASSWORD"),),
}  # fmt: skip
"""By image the users that it makes: the variable with the name, who it is without, its password."""
_URL = re.compile(r"[a-z][a-z0-9+.-]*://(?P<user>[^:/@\s]+):(?P<password>[^/@\s]+)@", re.IGNORECASE)
_HOST = re.compile(r"(?P<before>.*?)(?:SERVICE_HOST|HOSTNAME|HOST|SERVER|ADDRESS|ADDR)$")
_LOGIN = re.compile(r"(USER|USERNAME|LOGIN|PASSWORD|PASS|PASSWD|PWD|TOKEN)$", re.IGNORECASE)
_USERS, _PASSWORDS = ("USER", "USERNAME"), ("PASSWORD", "PASS", "PWD")
_SCRIPTS = "/docker-entrypoint-initdb.d"
_PUT_IN = re.compile(r"\$\((\w+)\)")


@record()
class _Value:
    """What a variable holds: a literal, or a key of a Secret."""

    literal: str = ""
    secret: str = ""
    key: str = ""

    def differs(self, other: _Value) -> bool:
        """Whether it is certainly another one."""
        if self.secret:
            return self.secret == other.secret and self.key != other.key
        return "" not in (self.literal, other.literal) and self.literal != other.literal


@record()
class _Login:
    """What a client says who it is, and where that stands."""

    user: _Value
    password: _Value
    path: tuple[str | int, ...]
    name: str
    host: str


def look(ground: Ground) -> Iterator[Finding]:
    yield from _with_line_feed(ground)
    yield from _without_password(ground)
    known: dict[str, tuple[Template, list[tuple[_Value, _Value]]] | None] = {}
    for template in ground.templates:
        for container in template.containers():
            for login in _logins(container):
                service = service_at(ground.cluster, login.host, template.namespace)
                if service is None:
                    continue
                if service.key not in known:
                    known[service.key] = _server(ground, service)
                server = known[service.key]
                if server is None or server[0] is template:
                    continue
                wrong, told = _wrong(login, server[1]), server[0].subject
                if wrong:
                    yield Finding(
                        rule=ID,
                        severity=Severity.WARNING,
                        subject=template.subject,
                        place=template.manifest.place(*login.path),
                        why=f"{login.name} leads to Service {service.key} with another {wrong} "
                        f"than {told} is told in its env: the login is refused",
                        fix="let both read the same key of one Secret (where a volume holds the "
                        "database already, what it was made with counts)",
                    )


def _with_line_feed(ground: Ground) -> Iterator[Finding]:
    """What echo writes behind a word before base64, or ``|`` in YAML; once where it is written."""
    seen: set[tuple[int, object]] = set()
    for template in ground.templates:
        for container in template.containers():
            for name, value, holder, path in variables(ground, template, container):
                if value.find("\n") != len(value) - 1 or not _LOGIN.search(name):
                    continue
                if not value or (id(holder), path) in seen:
                    continue
                seen.add((id(holder), path))
                by_echo = holder.kind == "Secret" and path[0] == "data"
                yield Finding(
                    rule=ID,
                    severity=Severity.WARNING,
                    subject=template.subject,
                    place=holder.place(*path),
                    why=f"{name} ends in a line feed ({holder.kind} {holder.name}), which is part "
                    "of the value: a login without it is refused there",
                    fix="encode it again without the line feed (echo -n), or write it into "
                    "stringData"
                    if by_echo
                    else "write |- or the value on the key's own line",
                )


_BARE = re.compile(r"rediss?(?:\+sentinel)?://(?::?@)?(?P<host>[^/:@?,\s$]+)(?:[:/?](?!.*@)|$)")
_REDIS = frozenset({"redis", "valkey/valkey", "redis/redis-stack-server"})
_BY_VARIABLE = frozenset({"bitnami/redis", "bitnamilegacy/redis"})


def _without_password(ground: Ground) -> Iterator[Finding]:
    """A URL of Redis' without a password, where the server asks for one (``requirepass``)."""
    asked: dict[str, str] = {}
    for template in ground.templates:
        for container in template.containers():
            given = [*variables(ground, template, container)]
            if any("REDIS" in name and "PASS" in name for name, *_ in given):
                continue  # which a program may put in itself
            for name, value, holder, path in given:
                bare = _BARE.match(value)
                if bare is None:
                    continue
                service = service_at(ground.cluster, bare["host"], template.namespace)
                if service is None:
                    continue
                if service.key not in asked:
                    asked[service.key] = _guarded(ground, service)
                if asked[service.key]:
                    yield Finding(
                        rule=ID,
                        severity=Severity.WARNING,
                        subject=template.subject,
                        place=holder.place(*path),
                        why=f"{name} leads to Service {service.key} without a password, and "
                        f"{asked[service.key]} asks for one: NOAUTH",
                        fix=f"write redis://:$(PASSWORD)@{bare['host']}, with PASSWORD in front of "
                        "it from the Secret that the server reads",
                    )


def _guarded(ground: Ground, service: Service) -> str:
    """The template behind a Service whose Redis is told a password; empty: not known."""
    for pod in ground.selected(service):
        template = ground.template_of(pod)
        for container in template.containers() if template is not None else ():
            image = known_image(text(container.data, "image"))
            words = [*array(container.data, "command"), *array(container.data, "args")]
            names = {text(one, "name") for one in array(container.data, "env")}
            told = any("--requirepass" in str(word) for word in words)
            if (image in _REDIS and told) or (image in _BY_VARIABLE and "REDIS_PASSWORD" in names):
                return template.subject if template is not None else ""
    return ""


def _wrong(login: _Login, accounts: Sequence[tuple[_Value, _Value]]) -> str:
    """What is wrong with a login; empty: nothing that is certain."""
    if all(user.differs(login.user) for user, _ in accounts):
        return "user"
    own = [password for user, password in accounts if user == login.user]
    return "password" if own and all(one.differs(login.password) for one in own) else ""


def _logins(container: ContainerText) -> Iterator[_Login]:
    env = _env(container.data)
    for index, entry in enumerate(array(container.data, "env")):
        name, value = text(entry, "name"), text(entry, "value")
        path = (*container.path, "env", index)
        host = next((one.host for one in in_variable(name, value, path)), "")
        url = _URL.match(value)
        if url is not None and host:
            user, password = (_put_in(url[part], env) for part in ("user", "password"))
            if user is not None and password is not None:
                yield _Login(user, password, path, name, host)
            continue
        beside = _HOST.fullmatch(name)
        if beside is None or not host:
            continue
        user, password = (
            next((env[n] for word in words if (n := f"{beside['before']}{word}") in env), None)
            for words in (_USERS, _PASSWORDS)
        )
        if user is not None and password is not None:
            yield _Login(user, password, path, name, host)


def _put_in(word: str, env: Mapping[str, _Value]) -> _Value | None:
    """A part of a URL, which may be another variable's value; None: it cannot be known."""
    whole = _PUT_IN.fullmatch(word)
    if whole is not None:
        return env.get(whole[1])
    return None if "$" in word else _Value(unquote(word))


def _env(container: Object) -> Mapping[str, _Value]:
    """Variables whose value is known, or whose Secret is."""
    found: dict[str, _Value] = {}
    for one in array(container, "env"):
        ref = table(one, "valueFrom", "secretKeyRef")
        literal = text(one, "value")
        if ref:
            found[text(one, "name")] = _Value("", text(ref, "name"), text(ref, "key"))
        elif literal and "$(" not in literal:
            found[text(one, "name")] = _Value(literal)
    return found


def _server(
    ground: Ground, service: Service
) -> tuple[Template, list[tuple[_Value, _Value]]] | None:
    """The one template behind a Service, and its users with their passwords; None: not known."""
    made = {id(t): t for pod in ground.selected(service) if (t := ground.template_of(pod))}
    if len(made) != 1:
        return None
    template = next(iter(made.values()))
    for container in template.containers():
        told = _IMAGES.get(known_image(text(container.data, "image")))
        if told is None or container.init:
            continue
        mounts = (text(one, "mountPath") for one in array(container.data, "volumeMounts"))
        if array(container.data, "envFrom") or any(one.startswith(_SCRIPTS) for one in mounts):
            return None
        env = _env(container.data)
        names = {text(one, "name") for one in array(container.data, "env")}
        accounts = []
        for variable, usual, password in told:
            if variable in names - env.keys() or password in names - env.keys():
                return None
            user = env.get(variable, _Value(usual))
            if (user.literal or user.secret) and password in env:
                accounts.append((user, env[password]))
        return (template, accounts) if accounts else None
    return None


RULE = CheckRule(
    id=ID,
    summary="A client logs in otherwise than its database is told",
    help=__doc__ or "",
    severity=Severity.WARNING,
    look=look,
)
