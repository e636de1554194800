"""Programs that serve their own machine alone unless they are told otherwise.

Each binds to 127.0.0.1 by default, which is right on a developer's machine and useless in a pod.
Sources: the programs' own documentation (gunicorn settings `bind`, flask run --help, uvicorn
settings `--host`, Django runserver, Rails server -b, Vite server.host, webpack-dev-server host, ng
serve --host, jupyter ServerApp.ip, kubectl proxy --address, mkdocs dev_addr, hugo server --bind,
jekyll serve --host, artisan serve --host, mlflow server --host).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.cluster.model import Container
from k8stui.record import record


@record()
class Program:
    """How it is called, where it listens, and what would tell it otherwise."""

    name: str
    called: re.Pattern[str]
    """Its first words, joined by blanks."""
    port: int
    option: str
    """The one that opens it for all."""
    variables: str = ""
    """How those env variables begin that may tell it too."""


_STARTED_BY = (
    r"(?:(?:exec|poetry|pipenv|uv|run|bundle|npx|npm|yarn|pnpm|python3?|-m|php|node|dumb-init|tini"
    r"|--|\w+=\S*)\s+)*(?:\S*/)?"
)
_SHELL = re.compile(r"^\S*\bsh\s+(?:-\w+\s+)*-\w*c\s+")


def _program(called: str, port: int, option: str, variables: str = "") -> Program:
    words = called.split()
    pattern = r"\s+".join(map(re.escape, words))
    return Program(called, re.compile(rf"{_STARTED_BY}{pattern}(?:\s|$)"), port, option, variables)


_PROGRAMS = (
    _program("gunicorn", 8000, "--bind 0.0.0.0:8000", "GUNICORN"),
    _program("flask run", 5000, "--host 0.0.0.0", "FLASK_RUN_HOST"),
    _program("uvicorn", 8000, "--host 0.0.0.0", "UVICORN"),
    _program("hypercorn", 8000, "--bind 0.0.0.0:8000", "HYPERCORN"),
    _program("daphne", 8000, "-b 0.0.0.0"),
    _program("manage.py runserver", 8000, "runserver 0.0.0.0:8000"),
    _program("rails server", 3000, "-b 0.0.0.0", "BINDING"),
    _program("rails s", 3000, "-b 0.0.0.0", "BINDING"),
    _program("artisan serve", 8000, "--host 0.0.0.0", "SERVER_HOST"),
    _program("ng serve", 4200, "--host 0.0.0.0"),
    _program("vite", 5173, "--host 0.0.0.0"),
    _program("webpack serve", 8080, "--host 0.0.0.0"),
    _program("webpack-dev-server", 8080, "--host 0.0.0.0"),
    _program("jupyter notebook", 8888, "--ip 0.0.0.0", "JUPYTER"),
    _program("jupyter lab", 8888, "--ip 0.0.0.0", "JUPYTER"),
    _program("kubectl proxy", 8001, "--address 0.0.0.0"),
    _program("mkdocs serve", 8000, "--dev-addr 0.0.0.0:8000"),
    _program("hugo server", 1313, "--bind 0.0.0.0", "HUGO"),
    _program("jekyll serve", 4000, "--host 0.0.0.0", "JEKYLL"),
    _program("mlflow server", 5000, "--host 0.0.0.0", "MLFLOW_HOST"),
)
_SAYS_WHERE = re.compile(
    r"\s(?:-b|-c|-H|--bind\S*|--host\S*|--ip\b\S*|--address\S*|--config\S*|--dev-addr\S*|--uds\S*"
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


def unless_told(container: Container, declared: set[int]) -> ByItself | None:
    """The declared port that the container's program binds to 127.0.0.1; None: nothing says so.

    Not where the container reads a ConfigMap, which may be the program's configuration; nor where
    `PORT` is set, by which many of them listen everywhere.
    """
    if container.reads or any(name == "PORT" for name, _ in container.env):
        return None
    for line in _lines(container):
        for one in _PROGRAMS:
            if one.called.match(line) is None or _SAYS_WHERE.search(line):
                continue
            names = (name for name, _ in container.env)
            if one.variables and any(name.startswith(one.variables) for name in names):
                return None
            told = _PORT.search(line)
            port = int(told[1] or told[2]) if told is not None else one.port
            if port in declared:
                return ByItself(one.name, port, one.option)
    return None


def _lines(container: Container) -> Iterator[str]:
    """The command with its arguments; or each command of the script that a shell is given."""
    words = _SHELL.sub("", " ".join(container.spoken))
    for line in re.split(r"&&|\|\||[;\n|]", words):
        yield line.strip()
