"""What KubeSkoop's collector writes of a node, as sections of the commands that say the same.

One JSON object: the pods, and each namespace with its devices, routes, rules, sets and sockets; no
MAC addresses of devices, nothing of IPv6 and of nftables' own tables.
Source: alibaba/kubeskoop pkg/skoop/collector/podcollector/collector.go, netstack/{netns,link,route,
socket}.go; iptables-xml(1); ``ipset list -o xml``.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network, ip_address
from typing import TYPE_CHECKING, Any

from k8stui.digest import sha512
from k8stui.nodes.observed import ROOT
from k8stui.nodes.state.stream import Section

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ROUTE_TYPES = {1: "unicast", 2: "local", 3: "broadcast", 6: "blackhole", 7: "unreachable"}
_ROUTE_TYPES |= {8: "prohibit", 9: "throw"}
_TABLES = {253: "default", 254: "main", 255: "local"}
_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_PROTOCOLS = {1: "redirect", 2: "kernel", 3: "boot", 4: "static", 9: "ra", 12: "bird", 16: "dhcp"}
_LISTENS = 0
"""SockStatListen."""
_DECLARATION = re.compile(r"<!(?!--)")
"""All but a comment."""
_NOT_THERE = "not collected by KubeSkoop"
_NO_MACS = "KubeSkoop does not collect the devices' MAC addresses that it tells of"
_ABSENT = {
    "ip6tables-save": _NOT_THERE,
    "ip -j -6 route show table all": _NOT_THERE,
    "ip -j -6 rule show": _NOT_THERE,
    "conntrack -L": _NOT_THERE,
    "ip -j neigh show": _NO_MACS,
    "bridge -j fdb show": _NO_MACS,
}


def is_kubeskoop(text: str) -> bool:
    """Whether a text may be one."""
    return text.lstrip()[:1] == "{" and '"netns"' in text


def sections(text: str, file: str) -> Mapping[str, Mapping[str, Section]]:
    """The same by namespace and command.

    Raises:
        ValueError: it is no such object.

    """
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    found: dict[str, dict[str, Section]] = {}
    for space in _maps(document.get("netns") if isinstance(document, dict) else None):
        name = str(space.get("k") or "").replace("/", "_") or ROOT
        found.setdefault(name, dict(_of(space, name, file)))
    if ROOT not in found:
        raise ValueError("no root namespace is in it")
    return found


def _of(space: Mapping[str, Any], name: str, file: str) -> Iterator[tuple[str, Section]]:
    parts: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
        "ip -j -d addr show": lambda one: json.dumps(list(_devices(one, file))),
        "ip -j -4 route show table all": lambda one: json.dumps(list(_routes(one))),
        "ip -j -4 rule show": lambda one: json.dumps(list(_rules(one))),
        "sysctl": _sysctls,
        "iptables-save": lambda one: "".join(_iptables(_xml(one.get("it")))),
        "ipset save": lambda one: "".join(_sets(_xml(one.get("is")))),
        "ss -Hltnu": lambda one: "".join(_sockets(one)),
    }
    for command, write in parts.items():
        made, failure = "", ""
        try:
            made = write(space)
        except (ValueError, TypeError, KeyError, AttributeError, binascii.Error) as error:
            failure = f"cannot be read: {error}"
        yield command, Section(file, name, command, 1, made, failure)
    for command, why in _ABSENT.items():
        yield command, Section(file, name, command, 1, "", why)


def _maps(found: object) -> Iterator[Mapping[str, Any]]:
    yield from (one for one in (found if isinstance(found, list) else ()) if isinstance(one, dict))


def _devices(space: Mapping[str, Any], file: str) -> Iterator[dict[str, object]]:
    """With MAC addresses that are made up."""
    links = list(_maps(space.get("if")))
    names = {one.get("i"): one.get("n") for one in links}
    for one in links:
        driver = str(one.get("d") or "")
        made: dict[str, object] = {
            "ifindex": one["i"],
            "ifname": one["n"],
            "mtu": one.get("m") or 1500,
            "operstate": "UP" if one.get("st") == 1 else "DOWN",
            "flags": ["UP", "LOWER_UP"] if one.get("st") != 2 else [],
            "link_type": "loopback" if one["n"] == "lo" else "ether",
            "addr_info": list(_addresses(one)),
        }
        drawn = sha512(f"{file} {space.get('k')} {one['n']}".encode()).digest()
        made["address"] = f"02:{drawn[:5].hex(':')}"
        if one["n"] == "lo":
            made |= {"flags": ["LOOPBACK", "UP", "LOWER_UP"], "address": "00:00:00:00:00:00"}
        elif driver not in ("device", ""):
            made["linkinfo"] = {"info_kind": driver}
        if one.get("p"):
            made["link_index"] = one["p"]
        if one.get("mi") in names:
            made["master"] = names[one["mi"]]
        yield made


def _addresses(link: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    for one in _maps(link.get("a")):
        address = ip_address(one["IP"])
        yield {
            "family": "inet" if address.version == 4 else "inet6",
            "local": str(address),
            "prefixlen": _length(one["Mask"]),
            "scope": "host" if address.is_loopback else "global",
        }


def _length(mask: str) -> int:
    """Go writes a mask's bytes in base64."""
    return sum(byte.bit_count() for byte in base64.b64decode(mask, validate=True))


def _network(found: Mapping[str, Any] | None) -> IPv4Network | None:
    if found is None:
        return None
    return IPv4Network((found["IP"], _length(found["Mask"])), strict=False)


def _routes(space: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    for one in _maps(space.get("r")):
        to = _network(one.get("d"))
        made: dict[str, object] = {
            "type": _ROUTE_TYPES.get(one.get("t") or 1, "unicast"),
            "dst": "default" if to is None or not to.prefixlen else str(to),
            "table": _TABLES.get(one.get("tb") or 254, str(one.get("tb"))),
            "scope": _SCOPES.get(one.get("sc") or 0, str(one.get("sc"))),
            "flags": ["onlink"] if (one.get("fl") or 0) & 4 else [],
        }
        protocol = one.get("p") or 0
        if protocol:
            made["protocol"] = _PROTOCOLS.get(protocol, str(protocol))
        written = (("o", "dev"), ("g", "gateway"), ("s", "prefsrc"), ("pr", "metric"))
        made |= {name: one[key] for key, name in written if one.get(key)}
        yield made


def _rules(space: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    for one in _maps(space.get("ru")):
        made: dict[str, object] = {
            "priority": max(one.get("p") or 0, 0),
            "table": _TABLES.get(one.get("tb") or 254, str(one.get("tb"))),
            "src": "all",
        }
        for key, name in (("s", "src"), ("d", "dst")):
            network = _network(one.get(key))
            if network is not None:
                made |= {name: str(network.network_address), f"{name}len": network.prefixlen}
        made |= {name: one[key] for key, name in (("i", "iif"), ("o", "oif")) if one.get(key)}
        if (one.get("gt") or 0) > 0:
            made["goto"] = one["gt"]
        elif not one.get("tb"):
            made["nop"] = None  # an action that is not written down
        made |= {"tos": one["tos"]} if one.get("tos") else {}
        if (one.get("m") or 0) > 0:
            made["fwmark"] = f"{one['m']:#x}"
            if (one.get("ma") or 0) > 0:
                made["fwmask"] = f"{one['ma']:#x}"
        yield made


def _sysctls(space: Mapping[str, Any]) -> str:
    found = space.get("s")
    pairs = found.items() if isinstance(found, dict) else ()
    return "".join(f"{key} = {value}\n" for key, value in pairs)


def _sockets(space: Mapping[str, Any]) -> Iterator[str]:
    for one in _maps(space.get("c")):
        if one.get("st") == _LISTENS:
            protocol = str(one.get("p")).lower()
            local = str(one.get("l"))
            state = "LISTEN" if protocol == "tcp" else "UNCONN"
            number = one.get("lp")
            at = f"[{local}]" if ":" in local else local
            yield f"{protocol} {state} 0 0 {at}:{number} *:*\n"


def _xml(text: object) -> Element:
    """Without a DTD: entities are not looked up."""
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - for such files alone

    if not isinstance(text, str) or not text.strip():
        return ET.Element("nothing")
    if _DECLARATION.search(text):
        raise ValueError("XML with declarations")
    try:
        return ET.fromstring(text)  # noqa: S314 - as above
    except ET.ParseError as error:
        raise ValueError(str(error)) from None


def _iptables(root: Element) -> Iterator[str]:
    """Rules as iptables-save prints them; iptables-xml takes their options apart."""
    for table in root.iter("table"):
        yield f"*{table.get('name')}\n"
        for chain in table.iter("chain"):
            yield f":{chain.get('name')} {chain.get('policy') or '-'} [0:0]\n"
        for chain in table.iter("chain"):
            for rule in chain.iter("rule"):
                yield " ".join((f"-A {chain.get('name')}", *_words(rule))) + "\n"
        yield "COMMIT\n"


def _words(rule: Element) -> Iterator[str]:
    for matches in rule.findall("conditions"):
        for match in matches:
            if match.tag != "match":
                yield f"-m {match.tag}"
            for option in match:
                yield from _option(option)
    for actions in rule.findall("actions"):
        for action in actions:
            if action.tag in ("call", "goto"):
                yield from (f"{'-j' if action.tag == 'call' else '-g'} {to.tag}" for to in action)
                continue
            yield f"-j {action.tag}"
            for option in action:
                yield from _option(option)


def _option(option: Element) -> Iterator[str]:
    if option.get("invert"):
        yield "!"
    yield f"-{option.tag}" if len(option.tag) == 1 else f"--{option.tag}"
    said = option.text or ""
    if said.startswith('"') and said.endswith('"') and len(said) > 1:
        quoted = said[1:-1].replace('"', '\\"')
        yield f'"{quoted}"'
    elif said:
        yield said


def _sets(root: Element) -> Iterator[str]:
    for one in root.iter("ipset"):
        name, header = one.get("name"), one.find("header")
        told = (
            f"{part.tag} {part.text}"
            for part in (header if header is not None else ())
            if part.tag not in ("memsize", "references", "numentries")
        )
        yield " ".join((f"create {name}", one.findtext("type") or "", *told)) + "\n"
        for member in one.iter("member"):
            rest = (part.tag if not part.text else f"{part.tag} {part.text}" for part in member)
            words = (word for word in rest if not word.startswith("elem "))
            yield " ".join((f"add {name} {member.findtext('elem')}", *words)) + "\n"
