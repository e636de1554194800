"""What a container's image asks for before its program runs: variables, folders, rights, a command.

Sources: the start scripts of Docker's official images and of bitnami's, confluentinc's and
Microsoft's (docker-entrypoint.sh: "Database is uninitialized and superuser password is not
specified"), their Dockerfiles (USER, VOLUME, CMD), nginx's and Apache's error logs; man gosu(1),
capabilities(7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8stui.apiserver.fields import Object, array, at, table, text
from k8stui.cluster.programs import keycloak
from k8stui.cluster.programs.images import (
    bare_image,
    image_tag,
    known_image,
    major,
    official_typo,
)
from k8stui.record import record
from k8stui.suggest import is_typo

_Path = tuple[str | int, ...]


@record(kw_only=True)
class Unready:
    """Why a pod does not become ready, what would mend it, and the field that says so."""

    why: str
    mend: str
    path: _Path = ()
    sure: bool = True
    """Nothing that the input does not show could make it ready all the same."""

    def below(self, *path: str | int) -> Unready:
        """The same, seen from the object that holds the container at `path`."""
        where = (*path, *self.path)
        return Unready(why=self.why, mend=self.mend, path=where, sure=self.sure)


def by_image(spec: Object, container: Object) -> Iterator[Unready]:
    """Why the program of a container that is to stay ends, or never starts."""
    name, words = known_image(text(container, "image")), _words(container)
    if text(spec, "restartPolicy") in ("", "Always"):
        yield from _ends(name, container, words)
    yield from _unknown_image(name, container)
    yield from without_program(container)
    yield from _nowhere_to_write(container)
    if name in keycloak.IMAGES and (lack := keycloak.lack(container)) is not None:
        yield _unready(container, *lack)
    if array(container, "command") or (words and not words[0].startswith("-")):
        return
    yield from _variables(name, spec, container)
    yield from _old_folder(name, container)
    yield from _discovery(name, container)
    yield from _listeners(name, container)
    yield from _rights(name, spec, container)
    if not words:
        yield from _folders(name, spec, container)


def _unready(container: Object, why: str, mend: str, *path: str | int) -> Unready:
    said = f"container {text(container, 'name')} {why}"
    return Unready(why=said, mend=mend, path=path or ("image",), sure=False)


def _words(container: Object) -> list[str]:
    """Its arguments."""
    return [word for word in array(container, "args") if isinstance(word, str)]


_SHELL = "a shell without a terminal"
_ENDS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("ubuntu", "debian", "alpine", "busybox", "centos", "fedora", "amazonlinux", "rockylinux",
         "almalinux", "golang", "python", "node", "openjdk", "eclipse-temurin", "buildpack-deps"),
        (_SHELL, "write the command that is to run, or command: [sleep, infinity]"),
    ),
    **dict.fromkeys(
        ("curlimages/curl", "alpine/git", "amazon/aws-cli", "bitnami/kubectl"),
        ("a tool that prints its help", "write command: [sleep, infinity], or what it is to do"),
    ),
    **dict.fromkeys(
        ("minio/minio", "quay.io/minio/minio"),
        ("minio without a command, which prints its help",
         'write args: [server, /data, --console-address, ":9001"]'),
    ),
    **dict.fromkeys(
        keycloak.IMAGES,
        ("kc.sh without a command, which prints its help",
         "write args: [start-dev] for a try, else [start]"),
    ),
}  # fmt: skip
"""Images whose own command is at its end at once: what it is, and what would stay."""
_BRIEF = frozenset(
    {"echo", "printf", "ls", "date", "env", "printenv", "pwd", "whoami", "id", "hostname", "uname",
     "true", "mkdir", "touch", "cp", "mv", "chmod", "chown", "exit", "false"}
)  # fmt: skip
"""Programs that are at their end at once."""
_BACKGROUND = re.compile(
    r"(?:\S*/)?(apache2?ctl(?=(?: -k)? start\s*$)|service \S+(?= start\s*$)"
    r"|(?:nginx|httpd)(?=\s*$))"
)
_FOREGROUND = {
    "nginx": 'nginx -g "daemon off;"', "httpd": "httpd -DFOREGROUND",
    "apachectl": "apachectl -DFOREGROUND", "apache2ctl": "apache2ctl -DFOREGROUND",
}  # fmt: skip
_A_SHELL = re.compile(r"(?:/usr)?(?:/bin/)?(?:ba|a|da|z)?sh")
_COMMANDS = re.compile(r"\s*(?:&&|;|\n)\s*")


def _ends(name: str, container: Object, args: list[str]) -> Iterator[Unready]:
    if container.get("tty") is True or container.get("stdin") is True:
        return
    again = "it ends at once, and is started again and again (CrashLoopBackOff)"
    command = [str(word) for word in array(container, "command")]
    is_old = name in keycloak.IMAGES and keycloak.is_of_wildfly(container)
    if not command and not args and name in _ENDS and not is_old:
        what, mend = _ENDS[name]
        yield _unready(
            container, f"runs {text(container, 'image')} as it is, {what}: {again}", mend
        )
        return
    if not command:
        return
    script = [*command, *args]
    mend = "write a command that stays in the foreground"
    if len(script) == 1 and _A_SHELL.fullmatch(script[0]):
        yield _unready(container, f"runs {_SHELL} and without a script: {again}", mend, "command")
        return
    lines = _lines(script)
    if name not in _OF_ROOT or _is_configured(container):
        lines = [f"{line} as configured" if line in _OF_ROOT else line for line in lines]
    done = [_is_done(line) for line in lines]
    if done and all(done) and not _plumbs(lines):
        flag = next((_FOREGROUND[one] for one in reversed(done) if one in _FOREGROUND), "")
        mend = f"let {done[-1]} run in the foreground: {flag}" if flag else mend
        yield _unready(container, f"has nothing to do after {done[-1]}: {again}", mend, "command")


def _lines(script: list[str]) -> list[str]:
    """The commands of a shell's script; else the one that it is."""
    if len(script) == 3 and _A_SHELL.fullmatch(script[0]) and re.fullmatch(r"-\w*c", script[1]):
        return [line for line in _COMMANDS.split(script[2].strip()) if line]
    return [" ".join(script)]


_BESIDE = re.compile(r"(?:(?:while|until)\s+(?:true|:|false)|done|trap\s.*|:)$")
_BEFORE = re.compile(r"(?:do|then|exec)\s+")


def only_waits(container: Object) -> str:
    """The program with which a command does nothing but wait: it opens no port. Empty: it may.

    ``sleep infinity``, ``tail -f /dev/null``, ``while true; do date; sleep 9; done``.
    """
    command = [str(word) for word in array(container, "command")]
    runs = known_image(text(container, "image")) in _WITHOUT_ENTRYPOINT
    script = [*command, *_words(container)]
    if not script or not (command or runs) or "lifecycle" in container:
        return ""
    lines = [_BEFORE.sub("", line, count=2) for line in _lines(script) if not _BESIDE.match(line)]
    if _plumbs(lines):
        return ""
    programs = [line.split(maxsplit=1)[0].rpartition("/")[2] for line in lines]
    waits = next((one for one in programs if one in ("sleep", "tail")), "")
    return waits if all(one in ("sleep", "tail") or one in _BRIEF for one in programs) else ""


def _is_done(line: str) -> str:
    """The program that is at its end at once, or goes to the background; empty: it may stay."""
    found = _BACKGROUND.match(line)
    if found is not None:
        return found[1]
    program = line.split(maxsplit=1)[0].rpartition("/")[2]
    return program if program in _BRIEF else ""


def _plumbs(lines: list[str]) -> bool:
    """Whether a line goes on where this one seems to end: a pipe, another command inside it."""
    return any(re.search(r"[|&`(<]", line) is not None for line in lines)


_POSTGRES = (("POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE", "POSTGRES_HOST_AUTH_METHOD"),)
_MYSQL = tuple(
    f"MYSQL_{word}"
    for word in ("ROOT_PASSWORD", "ROOT_PASSWORD_FILE", "ALLOW_EMPTY_PASSWORD",
                 "RANDOM_ROOT_PASSWORD")
)  # fmt: skip
_ASKED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "postgres": _POSTGRES, "postgis/postgis": _POSTGRES, "pgvector/pgvector": _POSTGRES,
    "timescale/timescaledb": _POSTGRES,
    "mysql": (_MYSQL,), "percona": (_MYSQL,),
    "mariadb": (
        (*(one.replace("MYSQL", "MARIADB") for one in _MYSQL), *_MYSQL,
         "MARIADB_ROOT_PASSWORD_HASH", "MARIADB_ROOT_PASSWORD_HASH_FILE",
         "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD"),),
    "mcr.microsoft.com/mssql/server": (
        ("ACCEPT_EULA",), ("MSSQL_SA_PASSWORD", "SA_PASSWORD")),
    "dpage/pgadmin4": (
        ("PGADMIN_DEFAULT_EMAIL",),
        ("PGADMIN_DEFAULT_PASSWORD", "PGADMIN_DEFAULT_PASSWORD_FILE")),
    "bitnami/redis": (("REDIS_PASSWORD", "REDIS_PASSWORD_FILE", "ALLOW_EMPTY_PASSWORD"),),
    "bitnami/postgresql": (
        ("POSTGRESQL_PASSWORD", "POSTGRESQL_PASSWORD_FILE", "POSTGRES_PASSWORD",
         "POSTGRES_PASSWORD_FILE", "ALLOW_EMPTY_PASSWORD"),),
    "bitnami/mongodb": (
        ("MONGODB_ROOT_PASSWORD", "MONGODB_ROOT_PASSWORD_FILE", "ALLOW_EMPTY_PASSWORD"),),
    "bitnami/zookeeper": (("ALLOW_ANONYMOUS_LOGIN", "ZOO_ENABLE_AUTH"),),
    "ghost": (("database__client", "database__connection__host", "NODE_ENV"),),
    "confluentinc/cp-zookeeper": (
        ("ZOOKEEPER_CLIENT_PORT", "ZOOKEEPER_SECURE_CLIENT_PORT"),),
    "confluentinc/cp-kafka": (("KAFKA_ADVERTISED_LISTENERS",),),
    "confluentinc/cp-schema-registry": (("SCHEMA_REGISTRY_HOST_NAME",),),
}  # fmt: skip
"""By image: of each group one variable has to be set, or its start script ends."""
_SINCE = {"ghost": 5}
"""The version from which that is so: Ghost then looks for MySQL on localhost unless told."""


def _is_before(container: Object, version: int) -> bool:
    """Whether its tag begins with a lower number; without one it is the newest."""
    found = major(text(container, "image"))
    return found is not None and found < version


def _variables(name: str, spec: Object, container: Object) -> Iterator[Unready]:
    """Not with envFrom, which may set it, nor where a volume takes the place of the script."""
    groups = _ASKED.get(name, ())
    if not groups or array(container, "envFrom") or _is_before(container, _SINCE.get(name, 0)):
        return
    entries = [table(one) for one in array(container, "env")]
    names = [text(one, "name") for one in entries if one.get("value") or "valueFrom" in one]
    for group in groups:
        if any(one in names for one in group):
            continue
        near = next(
            (one for one in names if is_typo(one, group[0]) or group[0].startswith(one)), None
        )
        yield _unready(
            container,
            f"runs {text(container, 'image')}, which ends where {_either(group)} is set"
            f"{_but(name, spec, container)}",
            f"write {group[0]} instead of {near}" if near else f"set {group[0]} in its env",
        )
        return
    for index, one in enumerate(entries):
        if _MYSQL in groups and text(one, "name") == "MYSQL_USER" and one.get("value") == "root":
            yield _unready(
                container,
                f"runs {text(container, 'image')}, which ends where MYSQL_USER is root: that user "
                "is made anyhow, with MYSQL_ROOT_PASSWORD",
                "take MYSQL_USER out, or write another user",
                "env", index, "value",
            )  # fmt: skip


_DATABASES: Mapping[str, str] = {
    **dict.fromkeys(("postgres", "postgis/postgis", "pgvector/pgvector"), "/var/lib/postgresql"),
    **dict.fromkeys(("mysql", "percona", "mariadb"), "/var/lib/mysql"),
}
"""Images that ask for nothing where a database is there already (docker-entrypoint.sh,
DATABASE_ALREADY_EXISTS), and where it is."""


def _but(name: str, spec: Object, container: Object) -> str:
    """Where a volume stays when its pod goes, what was made before may be on it."""
    gone = {text(one, "name") for one in array(spec, "volumes") if "emptyDir" in table(one)}
    at = _DATABASES.get(name)
    for one in array(container, "volumeMounts"):
        if at and text(one, "mountPath").startswith(at) and text(one, "name") not in gone:
            return ", unless its volume holds a database that was made before"
    return ""


def _either(group: tuple[str, ...]) -> str:
    shown = [one for one in group if not one.endswith("_FILE")][:3]
    return f"none of {', '.join(shown)}" if len(shown) > 1 else f"no {shown[0]}"


_NEW_FOLDER = 18
"""The version of PostgreSQL from which its image has its data in a folder of the version."""
_DATA = "/var/lib/postgresql/data"


def _old_folder(name: str, container: Object) -> Iterator[Unready]:
    """Since 18 the start script refuses a volume where the data were (docker-library/postgres)."""
    env = {text(one, "name") for one in array(container, "env")}
    if name != "postgres" or _is_before(container, _NEW_FOLDER) or "PGDATA" in env:
        return
    for index, one in enumerate(array(container, "volumeMounts")):
        if text(one, "mountPath").rstrip("/") == _DATA:
            yield _unready(
                container,
                f"mounts a volume at {_DATA}, where PostgreSQL's image has no data since "
                f"{_NEW_FOLDER}: it ends",
                f"write mountPath: {_DATA.removesuffix('/data')}, or take postgres:17 (data of "
                "before have to be upgraded)",
                "volumeMounts", index, "mountPath",
            )  # fmt: skip


_ELASTIC = frozenset({"elasticsearch", "docker.elastic.co/elasticsearch/elasticsearch"})
_DISCOVERS = ("discovery.", "discovery_", "cluster.initial_master_nodes")


def _discovery(name: str, container: Object) -> Iterator[Unready]:
    """Elasticsearch's bootstrap checks: since 7.0 it is told whom to find, or that it is alone.

    From 8.0 on it writes that itself where security is on.
    """
    version = major(text(container, "image"))
    if name not in _ELASTIC or version is None or version < 7 or array(container, "envFrom"):
        return
    env = {text(one, "name"): text(one, "value") for one in array(container, "env")}
    itself = version > 7 and env.get("xpack.security.enabled") != "false"
    has_own = any("/config" in text(one, "mountPath") for one in array(container, "volumeMounts"))
    if not itself and not has_own and not any(one.startswith(_DISCOVERS) for one in env):
        yield _unready(
            container,
            f"runs {text(container, 'image')}, which ends where no discovery setting is written "
            "(bootstrap checks)",
            "set discovery.type: single-node in its env, or discovery.seed_hosts and "
            "cluster.initial_master_nodes",
        )


_BROKERS = frozenset(
    {"bitnami/kafka", "bitnamilegacy/kafka", "apache/kafka", "confluentinc/cp-kafka",
     "confluentinc/cp-server"}
)  # fmt: skip
_NOT_PUT_IN = re.compile(r"\$\{?(\w+)\}?")


def _listeners(name: str, container: Object) -> Iterator[Unready]:
    """Kafka parses its listeners as they are: ``$POD_IP`` is no host (SocketServerConfigs)."""
    for index, one in enumerate(array(container, "env") if name in _BROKERS else ()):
        variable, value = text(one, "name"), text(one, "value")
        found = _NOT_PUT_IN.search(value) if variable.endswith("LISTENERS") else None
        if found is not None:
            yield _unready(
                container,
                f"ends at {variable}: {found[0]} stays as it is written, and is no host of a "
                "listener",
                f"write $({found[1]}), which the kubelet puts a value in for",
                "env", index, "value",
            )  # fmt: skip


_NO_IMAGES = {"mongodb": "mongo", "postgresql": "postgres", "nodejs": "node"}
"""Names that Docker Hub has no official image of, and the one that is meant."""


_CAPITALS = re.compile(
    r"(?:[\w.-]+(?::\d+)?/)?(?:[\w.-]+/)*(?=[\w.-]*[a-z])(?:(?![A-Z])[\w.-])*[A-Z][\w.-]*"
)
_LATEST = "latest"


def _unknown_image(name: str, container: Object) -> Iterator[Unready]:
    """Unless the image was built on the nodes, as imagePullPolicy: Never says.

    Names have no capital letters (distribution/reference: repository name must be lowercase).
    """
    image = text(container, "image")
    if "://" in image or _CAPITALS.fullmatch(bare_image(image)) is not None:
        without = image.partition("://")[2] or image
        yield _unready(
            container,
            f"runs image {image}, which is no image's name (InvalidImageName): there is "
            + ("no https:// in front" if "://" in image else "no capital letter in one"),
            f"write image: {without.removesuffix(image_tag(without)).lower()}{image_tag(without)}",
        )
    if is_typo(image_tag(image), _LATEST):
        yield _unready(
            container,
            f"runs image {image}, and {image_tag(image)} is no tag that there is (ErrImagePull)",
            f"write image: {bare_image(image)}:{_LATEST}",
        )
    meant = _NO_IMAGES.get(name) or official_typo(name)
    if meant and text(container, "imagePullPolicy") != "Never":
        yield _unready(
            container,
            f"runs image {text(container, 'image')}, and Docker Hub has no official image {name} "
            "(ErrImagePull)",
            f"write image: {meant}, or where the image is (REGISTRY/{name})",
        )


_WITHOUT_ENTRYPOINT = frozenset(
    {"alpine", "busybox", "ubuntu", "debian", "centos", "fedora", "python", "golang", "ruby",
     "openjdk", "tomcat", "httpd", "nginx", "maven", "gradle", "buildpack-deps"}
)  # fmt: skip
"""Images whose arguments are a whole command (no ENTRYPOINT, or one that runs what it is given)."""
_BASH = re.compile(r"(?:/usr)?(?:/bin/)?bash")
_SMALL = frozenset(
    {"alpine", "busybox", "curlimages/curl", "traefik", "caddy", "registry", "eclipse-mosquitto",
     "docker", "giantswarm/tiny-tools", "newrelic/infrastructure", "prom/prometheus",
     "prom/alertmanager"}
)  # fmt: skip
"""Images of Alpine or BusyBox, which have sh and no bash."""
_WITH_ALPINE_TAGS = frozenset(
    {"nginx", "nginxinc/nginx-unprivileged", "redis", "node", "python", "golang", "php", "ruby",
     "openjdk", "eclipse-temurin", "haproxy", "memcached", "httpd"}
)  # fmt: skip
"""Images whose tags with alpine have no bash either (others add it: postgres, rabbitmq)."""
_WITHOUT_SHELL = re.compile(
    r"(?:gcr\.io/distroless/|cgr\.dev/chainguard/static$|hashicorp/http-echo$"
    r"|(?:coredns/|registry\.k8s\.io/coredns/)coredns$|registry\.k8s\.io/pause$)"
)


def without_bash(image: str) -> str:
    """What stands for bash in an image that has none: ``sh``, or empty where it has no shell."""
    name, tag = known_image(image), image_tag(image)
    if _WITHOUT_SHELL.match(name) and "debug" not in tag:
        return ""
    return "sh" if name in _SMALL or (name in _WITH_ALPINE_TAGS and "alpine" in tag) else "bash"


def without_program(container: Object) -> Iterator[Unready]:
    """A shell that the image has not; options where a command belongs."""
    name = known_image(text(container, "image"))
    words = [str(one) for field in ("command", "args") for one in array(container, field)]
    own = bool(array(container, "command"))
    first, image = words[0] if words else "", text(container, "image")
    field = "command" if own else "args"
    if not own and first.startswith("-") and name in _WITHOUT_ENTRYPOINT:
        yield _unready(
            container,
            f"is given {first.partition('=')[0]} and no command, and {image} runs what it is given:"
            " no program is called so",
            "write the program into command",
            "args",
        )
    if not own or not _A_SHELL.fullmatch(first):
        return
    has = without_bash(image)
    if not has or (_BASH.fullmatch(first) and has != "bash"):
        yield _unready(
            container,
            f"runs {first}, and image {image} has no {'bash' if has else 'shell'}: it does not "
            "start (no such file)",
            f"write {first.replace('bash', has)}" if has else "run its program without a shell",
            field,
        )


_NGINX = ("/var/cache/nginx", "/var/run")
_WRITES: Mapping[str, tuple[str, ...]] = {
    "nginx": _NGINX,
    "httpd": ("/usr/local/apache2/logs",),
    "nginxinc/nginx-unprivileged": ("/tmp",),  # noqa: S108 - a folder in the image
    "postgres": ("/var/run/postgresql",),
    "mysql": ("/var/run/mysqld", "/tmp"),  # noqa: S108
    "mariadb": ("/run/mysqld", "/tmp"),  # noqa: S108
    "mongo": ("/tmp",),  # noqa: S108
}
"""Folders in which a program has to make files, its VOLUMEs aside."""
_OF_ROOT = frozenset({"nginx", "httpd"})
"""Images whose folders are root's alone."""
_OWN_CONFIGURATION = re.compile(r"/etc/nginx(?:/nginx\.conf)?$|/usr/local/apache2/conf|/etc/mysql")


def _folders(name: str, spec: Object, container: Object) -> Iterator[Unready]:
    """A read-only root file system, or a user that may not write where the program has to."""
    if _is_configured(container):
        return
    mounted = [text(one, "mountPath").rstrip("/") for one in array(container, "volumeMounts")]
    missing = [one for one in _WRITES.get(name, ()) if not _is_held(one, mounted)]
    user = _security(spec, container).get("runAsUser")
    image = text(container, "image")
    if not missing:
        return
    where = " and ".join(missing)
    volumes = f"mount an emptyDir at {where}"
    if at(container, "securityContext", "readOnlyRootFilesystem") is True:
        yield _unready(
            container,
            f"has readOnlyRootFilesystem: true, and {image} writes to {where}: it ends",
            volumes,
            "securityContext", "readOnlyRootFilesystem",
        )  # fmt: skip
    elif isinstance(user, int) and user != 0 and name in _OF_ROOT:
        instead = (
            ", or take nginxinc/nginx-unprivileged, which listens on 8080"
            if name == "nginx"
            else ""
        )
        yield _unready(
            container,
            f"runs as user {user}, and in {image} only root may write to {where}: it ends "
            "(Permission denied)",
            f"{volumes}{instead}",
        )


_TEMPORARY = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108 - where Python looks (tempfile)


def _nowhere_to_write(container: Object) -> Iterator[Unready]:
    """Gunicorn's workers keep a file in a folder for temporary ones (workers/workertmp.py)."""
    words = [str(one) for field in ("command", "args") for one in array(container, field)]
    said = " ".join((*words, *(text(one, "value") for one in array(container, "env"))))
    mounted = [text(one, "mountPath").rstrip("/") for one in array(container, "volumeMounts")]
    if (
        at(container, "securityContext", "readOnlyRootFilesystem") is True
        and re.search(r"(?:^|[\s/])gunicorn\b", " ".join(words))
        and not re.search(r"worker-tmp-dir|worker_tmp_dir|/dev/shm", said)
        and not any(_is_held(one, mounted) for one in _TEMPORARY)
    ):
        yield _unready(
            container,
            "has readOnlyRootFilesystem: true, and gunicorn needs a folder for temporary files: it "
            "ends (No usable temporary directory found)",
            f"mount an emptyDir at {_TEMPORARY[0]}",
            "securityContext", "readOnlyRootFilesystem",
        )  # fmt: skip


def _is_configured(container: Object) -> bool:
    """Whether a file of one's own may say otherwise: where it writes, whether it stays."""
    mounts = array(container, "volumeMounts")
    return any(_OWN_CONFIGURATION.match(text(one, "mountPath").rstrip("/")) for one in mounts)


def _is_held(folder: str, mounted: list[str]) -> bool:
    """Whether a volume is mounted there or above. ``/var/run`` is ``/run``."""
    real = [one.replace("/var/run", "/run", 1) for one in (folder, *mounted)]
    return any(f"{real[0]}/".startswith(f"{one}/") for one in real[1:])


_SWITCH = ("SETGID", "SETUID")
_BINDS = ("NET_BIND_SERVICE",)
"""For a port below 1024; not of need where the runtime lets everybody."""
_SWITCHES: Mapping[str, tuple[str, ...]] = {
    "nginx": ("CHOWN", *_SWITCH), "httpd": _SWITCH, "postgres": _SWITCH, "mysql": _SWITCH,
    "mariadb": _SWITCH, "mongo": _SWITCH, "rabbitmq": _SWITCH,
}  # fmt: skip
"""Images that start as root and go on as somebody else: the capabilities that this takes."""


def _rights(name: str, spec: Object, container: Object) -> Iterator[Unready]:
    wanted, user = _SWITCHES.get(name, ()), _security(spec, container).get("runAsUser")
    told = table(container, "securityContext", "capabilities")
    dropped, added = (
        {str(one).upper().removeprefix("CAP_") for one in array(told, field)}
        for field in ("drop", "add")
    )
    missing = [one for one in wanted if ("ALL" in dropped or one in dropped) and one not in added]
    if not missing or "ALL" in added or (isinstance(user, int) and user != 0):
        return
    add = (
        f"write capabilities: add: [{', '.join((*missing, *(_BINDS if name in _OF_ROOT else ())))}]"
    )
    instead = (
        "take nginxinc/nginx-unprivileged, which listens on 8080"
        if name == "nginx"
        else "let it run as that user (runAsUser)"
    )
    yield _unready(
        container,
        f"drops {', '.join(missing)}, and {text(container, 'image')} starts as root and goes on as "
        "another user: it ends (Operation not permitted)",
        f"{add}, or {instead}",
        "securityContext", "capabilities",
    )  # fmt: skip


def _security(spec: Object, container: Object) -> Object:
    """The container's own securityContext is before the pod's."""
    return {**table(spec, "securityContext"), **table(container, "securityContext")}
