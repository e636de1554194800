"""Hosts and ports that a container is told to ask: in its env, command and args.

Only what is written as ``[scheme://]host:port`` or ``scheme://host`` counts, wherever it stands in
the text (``--etcd=http://etcd-0:2379,http://etcd-1:2379``); in env also a host alone, where the
variable's name says that it is one (``REDIS_HOST``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8stui.apiserver.fields import Object, array, text
from k8stui.check.template import ContainerText
from k8stui.record import record

_HOST = r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?"
_ADDRESS = re.compile(
    r"(?:^|(?<=[\s=,;\"'(\[<]))(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?:[^@/\s,;=]*@)?"
    rf"(?P<host>{_HOST})(?::(?P<port>\d{{1,5}}))?(?=$|[/?\s,;\"')\]#&|])"
)
_ALONE = re.compile(_HOST)
_SAYS_HOST = re.compile(
    r"HOST|ADDR|SERVER|URL|URI|ENDPOINT|SERVICE|BROKER|MASTER|UPSTREAM|PEER|SEED", re.IGNORECASE
)
_LONGEST = 2_000
"""Characters of a text that is looked at; longer ones are scripts and configurations."""


@record()
class Asked:
    """A host that a container is told to ask."""

    host: str
    port: int | None
    path: tuple[str | int, ...]
    """Where it stands in the manifest."""
    what: str
    """``REDIS_HOST``, ``args``."""


def asked(container: ContainerText) -> Iterator[Asked]:
    """All of them, in the order in which they are written."""
    for index, entry in enumerate(array(container.data, "env")):
        name, value = text(entry, "name"), text(entry, "value")
        path = (*container.path, "env", index, "value")
        if _SAYS_HOST.search(name) and _ALONE.fullmatch(value):
            yield Asked(value, None, path, name)
        else:
            yield from _addresses(value, path, name)
    for field in ("command", "args"):
        for index, word in enumerate(array(container.data, field)):
            if isinstance(word, str):
                yield from _addresses(word, (*container.path, field, index), field)


def in_values(data: Object) -> Iterator[Asked]:
    """Hosts in a ConfigMap's values of one line, which are mostly some container's env."""
    for key, value in data.items():
        if isinstance(value, str) and "\n" not in value.strip():
            yield from _addresses(value.strip(), ("data", key), key)


def _addresses(value: str, path: tuple[str | int, ...], what: str) -> Iterator[Asked]:
    if ":" not in value or len(value) > _LONGEST:
        return
    for found in _ADDRESS.finditer(value):
        if found["scheme"] or found["port"]:
            port = int(found["port"]) if found["port"] else None
            yield Asked(found["host"], port, path, what)
