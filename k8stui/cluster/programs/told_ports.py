"""The port that a container's program is told to open: by env, by its words, or by its image.

``PORT=3000`` as the twelve-factor convention has it, ``--server.port=9000``,
``JAVA_OPTS=-Dserver.port=9000``, ``--web.listen-address=:9100``; where nothing is said, what the
image is known for (`images`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from k8stui.apiserver.fields import Object, array, text
from k8stui.cluster.model import ToldPort
from k8stui.cluster.programs.images import image_ports
from k8stui.manifests import Manifest
from k8stui.origin import Origin

_PORT = re.compile(r"[0-9]{1,5}")
_LAST_PORT = 0xFFFF
TOLD = frozenset(
    {"PORT", "HTTP_PORT", "SERVER_PORT", "LISTEN_PORT", "APP_PORT", "FLASK_RUN_PORT",
     "UVICORN_PORT", "GF_SERVER_HTTP_PORT",
     "QUARKUS_HTTP_PORT", "MICRONAUT_SERVER_PORT", "NUXT_PORT", "NITRO_PORT", "MYSQL_TCP_PORT",
     "PGPORT"}
)  # fmt: skip
_CLIENTS_TOO = frozenset({"MYSQL_TCP_PORT", "PGPORT"})
"""Variables that a server and its clients read: they say it of the server's own image alone."""
_URLS = ("ASPNETCORE_URLS", "DOTNET_URLS", "URLS")
_LISTS = (*_URLS, "ASPNETCORE_HTTP_PORTS", "DOTNET_HTTP_PORTS")
"""ASP.NET's variables, which name several ports: URLs are before lists of ports."""
_ADDRESSES = frozenset(
    {"OLLAMA_HOST", "LISTEN", "LISTEN_ADDR", "LISTEN_ADDRESS", "BIND_ADDR", "BIND_ADDRESS", "ADDR",
     "HTTP_ADDR", "SERVER_ADDR"}
)  # fmt: skip
"""Variables that hold an address of one's own with its port: ``0.0.0.0:8000``.

One of the pod's own localhost may as well be that of a neighbour who is asked.
"""
_KAFKA = frozenset({"KAFKA_LISTENERS", "KAFKA_CFG_LISTENERS"})
_LISTENER = re.compile(r"(?<![\w-])[\w-]+://[^:,]*:(\d{1,5})")
_BY_URL = tuple(f"{name}: http://+:" for name in _URLS)
_URL = re.compile(r"(https?)://[^/]*?(?::(\d{1,5}))?(?:/.*)?$")
_USUAL = {"http": 80, "https": 443}
_ITSELF = frozenset({"localhost", "127.0.0.1"})
_EVERYWHERE = _ITSELF | {"0.0.0.0", "::", "[::]", "*", ""}  # noqa: S104
"""Values of a host's variable that say where a program listens, not whom it asks."""
_LISTENS = re.compile(
    r"(?:-D(?:server\.port|quarkus\.http\.port|micronaut\.server\.port)"
    r"|--(?:server\.port|port|http-port|http\.port|listen-port|listen|addr|bind|listen-address"
    r"|web\.listen-address|http-address|http\.address|http-listen-address|secure-port|urls"
    r"|(?:h1-|http-)?server-port))(?:=(.*))?$"
)
"""Options by which programs are told where they listen."""
_WHERE = re.compile(r"(?:\w+://)?([\w.*-]*|\[[0-9a-fA-F:]*\])(?::([0-9]{1,5}))?/?$")
_ASKS = re.compile(
    r"--?(?:h|host|hostname|url|uri|server|server-host|connect|target|upstream|backend|to|from)(?:=|$)"
)
"""Options that name somebody else: the port beside them is that one's."""
_JAVA = frozenset({"JAVA_OPTS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS",
                   "JAVA_OPTIONS", "JVM_OPTS", "CATALINA_OPTS"})  # fmt: skip
_Path = tuple[str | int, ...]


def told_port(manifest: Manifest, container: Object, path: _Path) -> ToldPort | None:
    """The one port that a program is told to open; None where nothing says so, or several."""
    found = [*_by_env(manifest, container, path), *_by_words(manifest, container, path)]
    found = [one for one in found if one.sets in _BY_URL] or found
    if found:
        return found[0] if len({one.number for one in found}) == 1 else None
    known = image_ports(container)
    if not known:
        return None
    return ToldPort(
        name=f"image {text(container, 'image')}",
        number=known[0],
        also=known[1:],
        by_itself=True,
        origin=manifest.origin(*path, "image"),
    )


def _by_env(manifest: Manifest, container: Object, path: _Path) -> Iterator[ToldPort]:
    """Unless a variable beside names the host of a server (``SERVER_HOST=db``): then it is its."""
    variables = {text(one, "name"): text(one, "value") for one in array(container, "env")}
    for index, one in enumerate(array(container, "env")):
        name, value = text(one, "name"), text(one, "value")
        origin = manifest.origin(*path, "env", index, "value")
        if name in _JAVA:
            yield from (
                ToldPort(name=f"{option} in {name}", number=number, origin=origin)
                for option, number in _options(value.split())
            )
            continue
        if name in _KAFKA and (ports := [int(port) for port in _LISTENER.findall(value)]):
            yield ToldPort(name=name, number=ports[0], also=tuple(ports[1:]), origin=origin)
            continue
        if name in _LISTS:
            yield from _by_list(name, value, origin)
            continue
        where = _WHERE.fullmatch(value) if name in _ADDRESSES else None
        if where and where[1] in _EVERYWHERE - _ITSELF and _is_port(where[2] or ""):
            yield ToldPort(
                name=name, number=int(where[2]), sets=f"{name}: {where[1]}:", origin=origin
            )
        if name not in TOLD or not _is_port(value):
            continue
        if name in _CLIENTS_TOO and not image_ports({"image": text(container, "image")}):
            continue
        beside = name.removesuffix("PORT")
        hosts = (variables.get(f"{beside}{word}", "") for word in ("HOST", "ADDR", "ADDRESS"))
        if beside and any(host not in _EVERYWHERE for host in hosts):
            continue
        yield ToldPort(name=name, number=int(value), sets=f"{name}: ", origin=origin)


def _by_list(name: str, value: str, origin: Origin) -> Iterator[ToldPort]:
    """``http://+:5000;https://+:5001``, ``8080;8081``.

    A URL whose port is no number has none: .NET takes it for a part of the host's name, and 80 (443
    with TLS) for the port (Microsoft.AspNetCore.Http BindingAddress.Parse).
    """
    numbers, doubt = [], ""
    for one in filter(None, map(str.strip, value.split(";"))):
        if name not in _URLS:
            numbers.append(one)
            continue
        url = _URL.match(one)
        if url is None:
            return
        if url[2] is None and one.rpartition(":")[0] not in _USUAL:
            doubt = f", whose port is no number, so that .NET takes {_USUAL[url[1]]},"
        numbers.append(url[2] or str(_USUAL[url[1]]))
    if not numbers or not all(map(_is_port, numbers)):
        return
    yield ToldPort(
        name=name + doubt,
        number=int(numbers[0]),
        also=tuple(map(int, numbers[1:])),
        sets=f"{name}: {'http://+:' if name in _URLS else ''}",
        origin=origin,
    )


def _by_words(manifest: Manifest, container: Object, path: _Path) -> Iterator[ToldPort]:
    """Command and arguments, where they name nobody else."""
    words = [
        (field, index, word)
        for field in ("command", "args")
        for index, word in enumerate(array(container, field))
        if isinstance(word, str)
    ]
    texts = [each for _, _, word in words for each in word.split()]
    if any(_ASKS.match(each) for each in texts):
        return
    for option, number in _options(texts):
        field, index = next(
            ((field, index) for field, index, word in words if str(number) in word), ("args", 0)
        )
        yield ToldPort(
            name=f"its argument {option}",
            number=number,
            origin=manifest.origin(*path, field, index),
        )


def _options(words: list[str]) -> Iterator[tuple[str, int]]:
    """``--port=9000``, ``--port 9000``, ``--listen :9000``."""
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        match = _LISTENS.match(word)
        if match is None:
            continue
        value = (match[1] if match[1] is not None else after).strip("'\"")
        where = _WHERE.match(value)
        number = value if _PORT.fullmatch(value) else (where[2] or "" if where else "")
        host = "" if where is None or _PORT.fullmatch(value) else where[1]
        if _is_port(number) and host in _EVERYWHERE:
            yield word.partition("=")[0], int(number)


def _is_port(text_: str) -> bool:
    return _PORT.fullmatch(text_) is not None and 0 < int(text_) <= _LAST_PORT
