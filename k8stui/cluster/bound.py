"""Ports that a container opens for some only: its own words bind them to 127.0.0.1 or 0.0.0.0.

``--bind 127.0.0.1:8000``, ``--listen=localhost``, ``BIND_ADDRESS=127.0.0.1``: what comes by the
pod's address is refused, while everything inside the pod (a probe by exec, a proxy beside it) finds
somebody. ``--bind 0.0.0.0:8000`` is every IPv4 address, and refuses IPv6 (ip(7); `::` takes both,
ipv6(7)). Programs differ in their options, so only those are read that say what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from k8stui.cluster.model import Container
from k8stui.kernel.packet import Protocol

_OPTION = re.compile(r"--?([A-Za-z][\w.-]*)(?:=(.*))?$")
_OPENS = re.compile(r"bind|listen", re.IGNORECASE)
_WHERE = frozenset({"host", "hostname", "address", "addr", "ip"})
"""Options that say it only together with one for the port: else a client's, of its server."""
_ADDRESS = re.compile(r"(?:\w+://)?(\[[0-9a-fA-F:]+\]|[\w.-]*)(?::([0-9]{1,5}))?/?$")
_NUMBER = re.compile(r"[0-9]{1,5}")
_OWN = re.compile(r"127\.\d+\.\d+\.\d+$|localhost$|\[?::1\]?$")
_IPV4 = re.compile(r"\d+\.\d+\.\d+\.\d+$")


def own_only(container: Container) -> frozenset[int]:
    """TCP ports that the container declares, and binds to the loopback network."""
    return _bound_to(container, _OWN)


def ipv4_only(container: Container) -> frozenset[int]:
    """TCP ports that the container declares, and binds to IPv4 addresses alone."""
    return _bound_to(container, _IPV4)


def _bound_to(container: Container, kind: re.Pattern[str]) -> frozenset[int]:
    declared = {port.number for port in container.ports if port.protocol is Protocol.TCP}
    if not declared:
        return frozenset()
    opened: dict[int, bool] = {}
    for number, address in _opened(container, declared):
        opened[number] = opened.get(number, True) and kind.match(address) is not None
    return frozenset(number for number, is_kind in opened.items() if is_kind)


def _opened(container: Container, declared: set[int]) -> Iterator[tuple[int, str]]:
    """(port, address), for each address that is named."""
    words = [word for text in container.spoken for word in text.split()]
    options = [(match[1], match[2] or after) for match, after in _options(words)]
    port = next((v for name, v in options if name in ("port", "p") and _NUMBER.fullmatch(v)), "")
    env = dict(container.env)
    port = port or env.get("PORT", "")
    said = [(value, _OPENS.search(name) is not None, name in _WHERE) for name, value in options]
    said += [(v, _OPENS.search(k) is not None, k in ("HOST", "HOSTNAME")) for k, v in env.items()]
    for value, opens, where in said:
        if not opens and not (where and _NUMBER.fullmatch(port)):
            continue
        for text in value.split(","):
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
