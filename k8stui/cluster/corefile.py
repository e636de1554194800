"""CoreDNS's own configuration: on which ports it listens, and which zone of Services it serves.

A Corefile is blocks of ``ZONE[:PORT] … { plugin … }``; without a port it is 53, and the plugin
kubernetes serves the zones behind its name, or else the block's own; the plugin rewrite takes a
name for another one, of which the first that fits counts; the plugin hosts comes before kubernetes
and forward (plugin.cfg), and without fallthrough has the last word in its zones. Sources: CoreDNS's
manual (Configuration), plugin/kubernetes, plugin/rewrite and plugin/hosts. Read is the one in a
ConfigMap that cluster DNS mounts, or kubeadm's where its pods are not in the input.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from k8stui.cluster.config_maps import ConfigMap
from k8stui.cluster.fields import addresses
from k8stui.cluster.model import Corefile, Pod, Service
from k8stui.cluster.names import DNS_LABELS, is_address
from k8stui.cluster.programs.evidence import read_by
from k8stui.kernel.address import Address
from k8stui.origin import Origin

KEY = "Corefile"
_SYSTEM = "kube-system"
_USUAL = f"{_SYSTEM}/coredns"
"""kubeadm's ConfigMap, which k3s, EKS and minikube call so too."""
_USUAL_PORT = 53
_BLOCK = re.compile(r"^(?P<head>[^\s#{}(][^#{}\n]*)\{", re.MULTILINE)
_PLUGIN = re.compile(r"^[ \t]*kubernetes\b(?P<zones>[^{#\n]*)", re.MULTILINE)
_FORWARD = re.compile(r"^[ \t]*(?:forward|proxy)\s+\.\s+(?P<to>[^{#\n]+)", re.MULTILINE)
_OTHERS = re.compile(
    r"^[ \t]*(?:forward|proxy|alternate|fanout|grpc|unbound|recursor|dnsredir|template|file|auto"
    r"|secondary|etcd|route53|clouddns|azure|whoami)\b",
    re.MULTILINE,
)
_LOOP = re.compile(r"^[ \t]*loop[ \t\r]*$", re.MULTILINE)
_REWRITE = re.compile(
    r"^[ \t]*(?P<all>rewrite\s+(?:(?:stop|continue)\s+)?name\s+(?:exact\s+)?"
    r"(?P<name>[a-z0-9.-]*\.[a-z0-9.-]+)\s+(?P<to>[a-z0-9.-]+))[ \t\r]*$",
    re.MULTILINE,
)
_HOSTS = re.compile(r"^[ \t]+hosts\b(?P<said>[^{#\n]*)(?:\{(?P<inner>[^}]*)\})?", re.MULTILINE)
_PORT = re.compile(r":(\d{1,5})$")
_ZONE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*$")
_REVERSE = ("in-addr.arpa", "ip6.arpa")


def corefile_of(
    service: Service | None, pods: Iterable[Pod], config_maps: Mapping[str, ConfigMap]
) -> Corefile | None:
    """The Corefile that a name server's pods read; None: none is in the input."""
    wanted = (service.selector or {}).items() if service is not None else DNS_LABELS.items()
    servers = [one for one in pods if one.namespace == _SYSTEM and wanted <= one.labels.items()]
    for pod in servers if wanted else ():
        for held in _read_by(config_maps, pod):
            return parse(held)
    usual = config_maps.get(_USUAL) if not servers else None
    known = usual is not None and isinstance(usual.data.get(KEY), str)
    return parse(usual) if usual is not None and known else None


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
    plugins = [*_PLUGIN.finditer(text)]
    zones: list[str] = []
    for plugin in plugins:
        own = plugin["zones"].split() or _heads(blocks, plugin.start())
        zones += (zone.rstrip(".").lower() for zone in own if not zone.endswith(_REVERSE))
    hosts, closed = _hosts(held, text, blocks)
    return Corefile(
        hosts=hosts,
        closed=closed,
        ports=tuple(dict.fromkeys(ports)),
        zones=tuple(zone for zone in dict.fromkeys(zones) if _ZONE.fullmatch(zone)),
        serves_services=bool(plugins),
        upstreams={
            _zone(zone): (
                addresses(tuple(_PORT.sub("", one) for one in forward["to"].split())),
                held.origin(KEY, forward.start("to")),
            )
            for forward in _FORWARD.finditer(text)
            for zone in _heads(blocks, forward.start())
        },
        asks_others=_OTHERS.search(text) is not None,
        ends_in_loops=_LOOP.search(text) is not None,
        rewrites={
            one["name"].rstrip("."): (one["to"].rstrip("."), held.origin(KEY, one.start("all")))
            for one in reversed([*_REWRITE.finditer(text)])
        },
        ports_origin=held.origin(KEY, blocks[0].start()),
        zones_origin=held.origin(KEY, plugins[0].start("zones") if plugins else 0),
    )


def _heads(blocks: list[re.Match[str]], offset: int) -> list[str]:
    """The zones of the block that a place is in."""
    head = next((one["head"] for one in reversed(blocks) if one.start() < offset), "")
    return [_PORT.sub("", key.rstrip(",")) for key in head.split()]


def _hosts(
    held: ConfigMap, text: str, blocks: list[re.Match[str]]
) -> tuple[dict[str, tuple[Address, Origin]], dict[str, Origin | None]]:
    """Names with an address of their own; and of each zone, where hosts has the last word in it."""
    names: dict[str, tuple[Address, Origin]] = {}
    zones = dict.fromkeys(_zone(key) for block in blocks for key in _heads([block], len(text)))
    closed: dict[str, Origin | None] = dict.fromkeys(zones)
    for one in _HOSTS.finditer(text):
        origin, inner = held.origin(KEY, one.start("said") - len("hosts")), one["inner"] or ""
        words = [line.partition("#")[0].split() for line in inner.splitlines()]
        for address, *known in (line for line in words if line):
            if is_address(address):
                names |= dict.fromkeys(known, (Address.parse(address), origin))
        own = one["said"].split()[1:] or _heads(blocks, one.start())
        through = next((line[1:] or ["."] for line in words if line[:1] == ["fallthrough"]), [])
        passed = [*map(_zone, through)]
        for zone in map(_zone, own):
            if not any(zone == each or zone.endswith(f".{each}") or not each for each in passed):
                closed[zone] = origin
    return names, closed


def _zone(key: str) -> str:
    return key.strip(".").lower()
