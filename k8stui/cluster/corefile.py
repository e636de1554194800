"""CoreDNS's own configuration: on which ports it listens, and which zone of Services it serves.

A Corefile is blocks of ``ZONE[:PORT] … { plugin … }``; without a port it is 53, and the plugin
kubernetes serves the zones behind its name, or else the block's own; the plugin rewrite takes a
name for another one, of which the first that fits counts. Sources: CoreDNS's manual
(Configuration), plugin/kubernetes and plugin/rewrite. Read is the one in a ConfigMap that cluster
DNS mounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.fields import addresses
from k8stui.cluster.model import Corefile, Pod, Service
from k8stui.cluster.programs.evidence import read_by

KEY = "Corefile"
_USUAL_PORT = 53
_BLOCK = re.compile(r"^(?P<head>[^\s#{}(][^#{}\n]*)\{", re.MULTILINE)
_PLUGIN = re.compile(r"^[ \t]*kubernetes\b(?P<zones>[^{#\n]*)", re.MULTILINE)
_FORWARD = re.compile(r"^[ \t]*(?:forward|proxy)\s+\.\s+(?P<to>[^{#\n]+)", re.MULTILINE)
_LOOP = re.compile(r"^[ \t]*loop[ \t\r]*$", re.MULTILINE)
_REWRITE = re.compile(
    r"^[ \t]*(?P<all>rewrite\s+(?:(?:stop|continue)\s+)?name\s+(?:exact\s+)?"
    r"(?P<name>[a-z0-9.-]*\.[a-z0-9.-]+)\s+(?P<to>[a-z0-9.-]+))[ \t\r]*$",
    re.MULTILINE,
)
_PORT = re.compile(r":(\d{1,5})$")
_ZONE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*$")
_REVERSE = ("in-addr.arpa", "ip6.arpa")


def corefile_of(
    service: Service, pods: Iterable[Pod], config_maps: Mapping[str, ConfigMap]
) -> Corefile | None:
    """The Corefile that a name server's pods read; None: none is in the input."""
    wanted = (service.selector or {}).items()
    for pod in pods if wanted else ():
        if pod.namespace == service.namespace and wanted <= pod.labels.items():
            for held in _read_by(config_maps, pod):
                return parse(held)
    return None


def _read_by(config_maps: Mapping[str, ConfigMap], pod: Pod) -> Iterator[ConfigMap]:
    for container in pod.containers:
        if any("dns.port" in word for word in container.spoken):
            continue
        for _, held, only in read_by(config_maps, pod, container):
            if only in {"", KEY} and isinstance(held.data.get(KEY), str):
                yield held


def parse(held: ConfigMap) -> Corefile | None:
    """Read ``data.Corefile``; None where it is a template, imports other files, or is none."""
    text = str(held.data[KEY])
    blocks = [*_BLOCK.finditer(text)]
    if not blocks or "{{" in text or re.search(r"^[ \t]*import\b", text, re.MULTILINE):
        return None
    ports: list[int] = []
    for block in blocks:
        for key in block["head"].split():
            found = _PORT.search(key.rstrip(","))
            ports.append(int(found[1]) if found is not None else _USUAL_PORT)
    plugins, forward = [*_PLUGIN.finditer(text)], _FORWARD.search(text)
    zones: list[str] = []
    for plugin in plugins:
        own = plugin["zones"].split() or _heads(blocks, plugin.start())
        zones += (zone.rstrip(".").lower() for zone in own if not zone.endswith(_REVERSE))
    return Corefile(
        ports=tuple(dict.fromkeys(ports)),
        zones=tuple(zone for zone in dict.fromkeys(zones) if _ZONE.fullmatch(zone)),
        serves_services=bool(plugins),
        forwards=addresses(tuple(_PORT.sub("", one) for one in forward["to"].split()))
        if forward is not None
        else (),
        ends_in_loops=_LOOP.search(text) is not None,
        rewrites={
            one["name"].rstrip("."): (one["to"].rstrip("."), held.origin(KEY, one.start("all")))
            for one in reversed([*_REWRITE.finditer(text)])
        },
        ports_origin=held.origin(KEY, blocks[0].start()),
        zones_origin=held.origin(KEY, plugins[0].start("zones") if plugins else 0),
        forwards_origin=held.origin(KEY, forward.start("to") if forward is not None else 0),
    )


def _heads(blocks: list[re.Match[str]], offset: int) -> list[str]:
    """The zones of the block that a place is in."""
    head = next((one["head"] for one in reversed(blocks) if one.start() < offset), "")
    return [_PORT.sub("", key.rstrip(",")) for key in head.split()]
