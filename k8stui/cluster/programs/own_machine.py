"""Programs that serve their own machine alone unless they are told otherwise.

Each binds to 127.0.0.1 by default, which is right on a developer's machine and useless in a pod.
Sources: the programs' own documentation (gunicorn settings `bind`, flask run --help, uvicorn
settings `--host`, Django runserver, Rails server -b, Vite server.host, webpack-dev-server host, ng
serve --host, jupyter ServerApp.ip, kubectl proxy --address, mkdocs dev_addr, hugo server --bind,
jekyll serve --host, artisan serve --host, mlflow server --host, mongod net.bindIp since 3.6, etcd
--listen-client-urls, mosquitto.conf(5), WildFly's interface "management",
tensorboard --host, bokeh serve --address, prefect server start --host, consul
agent -client, vault server -dev-listen-address, OLLAMA_HOST).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from k8stui.cluster.model import Container
from k8stui.cluster.programs.images import image_tag, known_image
from k8stui.record import record


@record()
class Program:
    """How it is called, where it listens, and what would tell it otherwise."""

    name: str
    """Its first words, joined by blanks."""
    port: int
    option: str
    """The one that opens it for all."""
    variables: str = ""
    """How those env variables begin that may tell it too."""
    by_command: bool = False
    """Only as the container's command: as arguments they reach a start script of the image, which
    binds to all."""
    unlike: str = ""
    """How the tags of its image begin that bind to all by themselves (a pattern)."""
    told_by: str = ""
    """The options that tell it where it listens, or name a file that does (a pattern), where
    others that look like them are of other ports: Consul's ``-bind``, etcd's for its peers."""


_STARTED_BY = (
    r"(?:(?:exec|poetry|pipenv|uv|run|bundle|npx|npm|yarn|pnpm|python3?|-m|php|node|dumb-init|tini"
    r"|--|\w+=\S*)\s+)*(?:\S*/)?"
)
_SHELL = re.compile(r"^\S*\bsh\s+(?:-\w+\s+)*-\w*c\s+")


@lru_cache(maxsize=64)
def _called(name: str) -> re.Pattern[str]:
    """How a line begins that starts a program: made for those that a line names."""
    words = r"\s+".join(map(re.escape, name.split()))
    return re.compile(rf"{_STARTED_BY}{words}(?:\s|$)")


_OLD_MONGO = r"2\.|3\.[0-5]"
_PROGRAMS = (
    Program("gunicorn", 8000, "--bind 0.0.0.0:8000", "GUNICORN"),
    Program("flask run", 5000, "--host 0.0.0.0", "FLASK_RUN_HOST"),
    Program("uvicorn", 8000, "--host 0.0.0.0", "UVICORN"),
    Program("hypercorn", 8000, "--bind 0.0.0.0:8000", "HYPERCORN"),
    Program("daphne", 8000, "-b 0.0.0.0"),
    Program("manage.py runserver", 8000, "runserver 0.0.0.0:8000"),
    Program("rails server", 3000, "-b 0.0.0.0", "BINDING"),
    Program("rails s", 3000, "-b 0.0.0.0", "BINDING"),
    Program("artisan serve", 8000, "--host 0.0.0.0", "SERVER_HOST"),
    Program("ng serve", 4200, "--host 0.0.0.0"),
    Program("vite", 5173, "--host 0.0.0.0"),
    Program("webpack serve", 8080, "--host 0.0.0.0"),
    Program("webpack-dev-server", 8080, "--host 0.0.0.0"),
    Program("jupyter notebook", 8888, "--ip 0.0.0.0", "JUPYTER"),
    Program("jupyter lab", 8888, "--ip 0.0.0.0", "JUPYTER"),
    Program("kubectl proxy", 8001, "--address 0.0.0.0"),
    Program("mkdocs serve", 8000, "--dev-addr 0.0.0.0:8000"),
    Program("hugo server", 1313, "--bind 0.0.0.0", "HUGO"),
    Program("jekyll serve", 4000, "--host 0.0.0.0", "JEKYLL"),
    Program("mlflow server", 5000, "--host 0.0.0.0", "MLFLOW_HOST"),
    Program("mlflow ui", 5000, "--host 0.0.0.0", "MLFLOW_HOST"),
    Program("mongod", 27017, "--bind_ip_all", by_command=True, unlike=_OLD_MONGO),
    Program("mongos", 27017, "--bind_ip_all", by_command=True, unlike=_OLD_MONGO),
    Program(
        "etcd",
        2379,
        "--listen-client-urls http://0.0.0.0:2379",
        "ETCD_LISTEN_CLIENT_URLS",
        told_by=r"\s--?(?:listen-client-urls|config-file)\b",
    ),
    Program("tensorboard", 6006, "--bind_all"),
    Program("bokeh serve", 5006, "--address 0.0.0.0", "BOKEH_ADDRESS"),
    Program("prefect server start", 4200, "--host 0.0.0.0", "PREFECT_SERVER_API_HOST"),
    Program(
        "consul agent",
        8500,
        "-client 0.0.0.0",
        by_command=True,
        told_by=r"\s--?(?:client|config-(?:dir|file)|hcl|http-port|ports?-http)\b",
    ),
    Program(
        "vault server -dev",
        8200,
        "-dev-listen-address 0.0.0.0:8200",
        "VAULT_DEV_LISTEN_ADDRESS",
        by_command=True,
        told_by=r"\s--?(?:dev-listen-address|config)\b",
    ),
    Program("ollama serve", 11434, "OLLAMA_HOST=0.0.0.0", "OLLAMA_HOST", by_command=True),
)
_SAYS_WHERE = re.compile(
    r"\s(?:-b|-c|-f|-H|-client|--bind\S*|--listen\S*|-config\S*|--host\S*|--ip\b\S*|--address\S*|--config\S*|--dev-addr\S*|--uds\S*"
    r"|--fd\S*|--u?ds\S*|--ServerApp\S*|--NotebookApp\S*|--workdir\S*|--chdir\S*)"
    r"|\d+\.\d+\.\d+\.\d+|\[?::\]?"
)
"""An option that may say where it listens, or a file that does."""
_PORT = re.compile(r"\s(?:-p|--port)[=\s]*(\d{1,5})\b|\srunserver\s+(?:localhost:)?(\d{1,5})\b")


@record()
class ByItself:
    """What a program does that nobody tells otherwise."""

    program: str
    port: int
    option: str
    whatever: bool = False
    """Whatever addresses its words name: they are of other ports."""


def unless_told(container: Container, declared: set[int]) -> ByItself | None:
    """The declared port that the container's program binds to 127.0.0.1; None: nothing says so.

    Not where the container reads a ConfigMap, which may be the program's configuration; nor where
    `PORT` is set, by which many of them listen everywhere.
    """
    found = _as_it_is(container)
    if found is not None and found.port in declared:
        return found
    if container.reads or any(name == "PORT" for name, _ in container.env):
        return None
    for line in _lines(container):
        for one in _PROGRAMS:
            is_named = one.name.split()[0] in line and _called(one.name).match(line)
            if one.by_command and not container.own_command:
                continue
            if one.unlike and re.match(one.unlike, image_tag(container.image)):
                continue
            says = re.compile(one.told_by) if one.told_by else _SAYS_WHERE
            if not is_named or says.search(line):
                continue
            names = (name for name, _ in container.env)
            if one.variables and any(name.startswith(one.variables) for name in names):
                return None
            told = _PORT.search(line)
            port = int(told[1] or told[2]) if told is not None else one.port
            if port in declared:
                return ByItself(one.name, port, one.option, bool(one.told_by))
    return None


_MOSQUITTO = "eclipse-mosquitto"
_OLD_MOSQUITTO = re.compile(r"1\b|1\.")


_WILDFLY = ("jboss/keycloak", "jboss/wildfly", "quay.io/wildfly/wildfly")
_MANAGED = re.compile(r"-bmanagement|bind\.address\.management|KEYCLOAK_STATISTICS")


def _as_it_is(container: Container) -> ByItself | None:
    """What an image opens by itself: WildFly's management, Mosquitto since 2.0 (`images`)."""
    if known_image(container.image) in _WILDFLY:
        said = " ".join((*container.spoken, *(name for name, _ in container.env)))
        if container.unknown is None or _MANAGED.search(said):
            return None
        return ByItself("WildFly", 9990, "-bmanagement 0.0.0.0, or ask port 8080 instead")
    is_one = known_image(container.image) == _MOSQUITTO
    if not is_one or container.told is None or not container.told.by_itself:
        return None
    if _OLD_MOSQUITTO.match(image_tag(container.image)):
        return None
    mend = "mount a mosquitto.conf with listener 1883 (and allow_anonymous true, or passwords)"
    return ByItself("Mosquitto", 1883, mend)


def _lines(container: Container) -> Iterator[str]:
    """The command with its arguments; or each command of the script that a shell is given."""
    words = _SHELL.sub("", " ".join(container.spoken))
    for line in re.split(r"&&|\|\||[;\n|]", words):
        yield line.strip()
