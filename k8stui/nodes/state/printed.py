"""The plain text of `ip` and `bridge`, as people post it: turned into what ``-j`` would print.

``ip [-d] addr``, ``ip route [show table all]``, ``ip rule``, ``ip neigh`` of iproute2
(ip/ipaddress.c, ip/iproute.c, ip/iprule.c, ip/ipneigh.c). Fields are judged where the JSON's are.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence

from k8stui.kernel.iproute_json import IprouteError, Record, load
from k8stui.whole import whole

_HEAD = re.compile(r"(\d{1,9}): ([^\s:@]+)(?:@(\S+))?: <([^>]*)>(.*)")
_PROMPT = re.compile(r"\S*[$#] .*|.*[$#] (?:sudo )?(?:ip|bridge) .*")
_TYPES = frozenset({
    "unicast", "local", "broadcast", "multicast", "throw", "unreachable", "prohibit", "blackhole",
    "nat", "anycast",
})  # fmt: skip
_KINDS = frozenset({
    "bareudp", "bond", "bridge", "dummy", "erspan", "geneve", "gre", "gretap", "gtp", "ifb",
    "ip6erspan", "ip6gre", "ip6gretap", "ip6tnl", "ipip", "ipoib", "ipvlan", "ipvtap", "macsec",
    "macvlan", "macvtap", "netkit", "nlmon", "openvswitch", "sit", "team", "tun", "veth", "vlan",
    "vrf", "vti", "vti6", "vxlan", "wireguard", "xfrm",
})  # fmt: skip
"""Kinds of devices (ip-link(8)), each with a line of its own."""
_ROUTE_WORDS = {
    "via": "gateway", "dev": "dev", "table": "table", "proto": "protocol", "scope": "scope",
    "src": "prefsrc", "metric": "metric", "pref": "pref",
}  # fmt: skip
_ROUTE_FLAGS = frozenset({"onlink", "dead"})
_HOP_WORDS = {"via": "gateway", "dev": "dev", "weight": "weight"}
_NUMBERS = frozenset({"metric", "goto", "suppress_prefixlen", "weight"})
_RANGES = {"sport": "sport", "dport": "dport", "uidrange": "uid"}
_RULE_WORDS = {
    "from": "src", "to": "dst", "iif": "iif", "oif": "oif", "tos": "tos", "dscp": "dscp",
    "flowlabel": "flowlabel", "ipproto": "ipproto", "lookup": "table", "goto": "goto",
    "suppress_prefixlength": "suppress_prefixlen", "suppress_ifgroup": "suppress_ifgroup",
}  # fmt: skip
_ACTIONS = frozenset({"blackhole", "unreachable", "prohibit"})
_SHOWN = 80


def records(text: str, command: str) -> tuple[Record, ...]:
    """What `command` printed, as JSON or as text.

    Raises:
        IprouteError: neither of them.

    """
    if not text.strip() or text.lstrip()[0] in "[{":
        return load(text if text.strip() else "[]", command)
    read = _READERS[command.rsplit(maxsplit=1)[-1]]
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    return tuple(read([one for one in lines if not _PROMPT.fullmatch(one[1])]))


_Lines = Sequence[tuple[int, str]]


def _addresses(lines: _Lines) -> Iterator[Record]:
    found: Record | None = None
    for number, line in lines:
        head = _HEAD.fullmatch(line)
        if head is not None:
            if found is not None:
                yield found
            found = _device(number, head)
        elif found is None or not line[0].isspace():
            raise _wrong(number, line, "ip addr")
        else:
            _detail(found, line.split())
    if found is not None:
        yield found


def _device(number: int, head: re.Match[str]) -> Record:
    index, name, far, flags, rest = head.groups()
    words = rest.split()
    found = _record(number, ifindex=int(index), ifname=name, flags=flags.split(","), addr_info=[])
    if far is not None and re.fullmatch(r"if\d{1,9}", far):
        found["link_index"] = int(far[2:])
    elif far is not None and far != "NONE":
        found["link"] = far
    for word, value in itertools.pairwise(words):
        if word == "mtu" and (mtu := whole(value)) is not None:
            found["mtu"] = mtu
        elif word == "master":
            found["master"] = value
    return found


def _detail(found: Record, words: Sequence[str]) -> None:
    """A line below a device's own."""
    first = words[0]
    after = dict(itertools.pairwise(words))
    if first.startswith("link/"):
        found["link_type"] = first[5:]
        if len(words) > 1:
            found["address"] = words[1]
        if "brd" in after or "peer" in after:
            found["broadcast"] = after.get("brd", after.get("peer"))
        if (there := whole(after.get("link-netnsid", ""))) is not None:
            found["link_netnsid"] = there
        if "promiscuity" in after:
            found["promiscuity"] = 0
    elif first in ("inet", "inet6") and len(words) > 1:
        address = words[1].partition("/")[0]
        length = whole((after.get("peer") or words[1]).partition("/")[2])
        infos = found["addr_info"]
        assert isinstance(infos, list)
        infos.append(
            {
                "family": first,
                "local": address,
                **({} if length is None else {"prefixlen": length}),
                "scope": after.get("scope", "global"),
                **({"broadcast": after["brd"]} if "brd" in after else {}),
                "secondary": "secondary" in words,
            }
        )
    elif first == "bridge_slave":
        info = found.setdefault("linkinfo", {})
        assert isinstance(info, dict)
        info["info_slave_kind"] = "bridge"
        info["info_slave_data"] = {
            "state": after.get("state", "forwarding"),
            **{key: after.get(key) == "on" for key in ("hairpin", "isolated")},
            **{key: after.get(key, "on") == "on" for key in ("learning", "flood")},
        }
    elif first in _KINDS:
        info = found.setdefault("linkinfo", {})
        assert isinstance(info, dict)
        info["info_kind"] = first
        if first == "ipip":
            info["info_data"] = {
                **{end: after[end] for end in ("local", "remote") if end in after},
                "external": "external" in words,
                "ttl": _number(after.get("ttl")),
            }
        if first == "vxlan":
            info["info_data"] = {
                **({"local": after["local"]} if "local" in after else {}),
                **({"link": after["dev"]} if "dev" in after else {}),
                "id": _number(after.get("id")),
                "port": _number(after.get("dstport")),
                "learning": "nolearning" not in words,
            }


def _number(text: str | None) -> object:
    number = whole(text or "")
    return text if number is None else number


def _routes(lines: _Lines) -> Iterator[Record]:
    found: list[Record] = []
    for number, line in lines:
        words = line.split()
        if line[0].isspace():
            if words[0] != "nexthop" or not found:
                raise _wrong(number, line, "ip route")
            hops = found[-1].setdefault("nexthops", [])
            assert isinstance(hops, list)
            words, encap = _encap(words)
            hop = _fields(number, words[1:], _HOP_WORDS)
            hop |= {"flags": words, **encap}
            hops.append(hop)
            continue
        kind = words.pop(0) if words[0] in _TYPES else None
        if not words or not re.match(r"default$|[0-9a-f.:]+(?:/\d+)?$", words[0]):
            raise _wrong(number, line, "ip route")
        words, encap = _encap(words)
        record = _fields(number, words[1:], _ROUTE_WORDS)
        record |= {"dst": words[0], **encap, **_mtu(words)}
        record["flags"] = [word for word in words if word in _ROUTE_FLAGS]
        if kind is not None:
            record["type"] = kind
        found.append(record)
    return iter(found)


def _encap(words: list[str]) -> tuple[list[str], dict[str, object]]:
    """The words without those of an encapsulation, which has a ``src`` and ``dst`` of its own."""
    if "encap" not in words[:-1]:
        return words, {}
    at = words.index("encap")
    rest = list(itertools.dropwhile(lambda word: word not in ("via", "dev"), words[at:]))
    return words[:at] + rest, {"encap": words[at + 1]}


def _mtu(words: Sequence[str]) -> dict[str, object]:
    """``mtu N`` or ``mtu lock N``; JSON does not say that it is locked (print_rta_metrics)."""
    at = words.index("mtu") + 1 if "mtu" in words else len(words)
    is_locked = words[at : at + 1] == ["lock"]
    value = words[at + is_locked : at + is_locked + 1]
    return {"metrics": [{"mtu": _number(value[0]), "mtu_locked": is_locked}]} if value else {}


def _rules(lines: _Lines) -> Iterator[Record]:
    for number, line in lines:
        place, colon, rest = line.partition(":")
        words = rest.split()
        priority = whole(place.strip())
        if not colon or priority is None or not words:
            raise _wrong(number, line, "ip rule")
        record = _fields(number, words, _RULE_WORDS)
        record["priority"] = priority
        record.setdefault("src", "all")
        for word, value in itertools.pairwise(words):
            if word in _RANGES:
                first, _, last = value.partition("-")
                record[f"{_RANGES[word]}_start"] = _number(first)
                record[f"{_RANGES[word]}_end"] = _number(last or first)
        if "not" in words:
            record["not"] = None
        if "nop" in words or "[l3mdev-table]" in words:
            record["nop"] = None
        for word in words:
            if word in _ACTIONS:
                record["action"] = word
        if record.get("table") == "unspec":  # BusyBox's, of a goto, a nop or an action
            del record["table"]
            record |= {} if "action" in record else {"nop": None}
        if "fwmark" in words[:-1]:
            mark, _, mask = words[words.index("fwmark") + 1].partition("/")
            record["fwmark"] = mark
            if mask:
                record["fwmask"] = mask
        yield record


def _neighbours(lines: _Lines) -> Iterator[Record]:
    for number, line in lines:
        words = line.split()
        record = _fields(number, words[1:], {"dev": "dev", "lladdr": "lladdr"})
        if "dev" not in record:
            raise _wrong(number, line, "ip neigh")
        record["dst"] = words[0]
        record["state"] = [word for word in words if word.isupper()]
        yield record


def _fields(number: int, words: Sequence[str], names: dict[str, str]) -> Record:
    """The values behind known words."""
    found = _record(number)
    for word, value in itertools.pairwise(words):
        if word in names:
            name = names[word]
            found[name] = _number(value) if name in _NUMBERS else value
    if found.get("gateway") in ("inet", "inet6"):  # of the other family than the route
        host = words[words.index("via") + 2 :][:1]
        found["via"] = {"family": found.pop("gateway"), "host": "".join(host)}
    return found


def _record(number: int, **fields: object) -> Record:
    record = Record(fields)
    record.line = number
    return record


def _wrong(number: int, line: str, command: str) -> IprouteError:
    error = IprouteError(f"not what {command} prints: {line.strip()[:_SHOWN]}")
    error.line = number
    return error


_READERS: dict[str, Callable[[_Lines], Iterator[Record]]] = {
    "addr": _addresses,
    "route": _routes,
    "rule": _rules,
    "neigh": _neighbours,
}
