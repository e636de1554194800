"""What comes in, and by what settings: the model's answers are those of ``ip route get … iif``."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator

import pytest
from collect.test_collect import NEW, _has

from k8stui.kernel.address import Address
from k8stui.kernel.namespace import NetNamespace
from k8stui.kernel.routing import Fate, Routing
from k8stui.nodes.state.parsing import as_one, parse_interfaces, parse_policy_rules, parse_routes
from k8stui.nodes.state.settings import parse_sysctls

DEVICES = ("v0", "v1", "v2")
KEYS = ("rp_filter", "accept_local", "src_valid_mark", "route_localnet", "forwarding")
ADDRESSES = (
    "10.0.0.1", "10.0.0.7", "10.0.1.1", "10.0.1.9", "10.0.2.5", "10.0.3.3", "10.0.4.4", "10.0.5.5",
    "10.0.7.7", "8.8.8.8", "127.0.0.1", "10.0.0.255",
)  # fmt: skip
ROUTES = (
    "10.0.3.0/24 dev v2 scope link", "default via 10.0.0.254", "10.0.4.0/24 via 10.0.1.254",
    "blackhole 10.0.5.0/24", "local 10.0.7.0/24 dev lo table 100",
    "default via 10.0.1.254 table 100", "10.0.3.0/24 dev v0 table 101", "default dev v2 table 101",
)  # fmt: skip
SELECTORS = ("fwmark 0x1", "from 10.0.3.0/24", "to 10.0.4.0/24", "iif v0", "from all")
NETS, QUESTIONS = 12, 15
Question = tuple[str, str, str, int]
"""Source, destination, the device that it comes in by, mark."""


def built(dice: random.Random) -> Iterator[str]:
    """The lines of a shell that build a namespace, some devices with an address and some not."""
    yield "ip link set lo up"
    for device in DEVICES:
        yield f"ip link add {device} type veth peer name p{device}"
        yield f"ip link set {device} up; ip link set p{device} up"
    yield "ip addr add 10.0.0.1/24 dev v0; ip addr add 10.0.1.1/24 dev v1"
    for route in dice.sample(ROUTES, dice.randint(1, len(ROUTES))):
        yield f"ip route add {route}"
    for selector in dice.sample(SELECTORS, dice.choice([0, 0, 1, 2])):
        table, place = dice.choice([100, 101]), dice.randint(1, 999)
        yield f"ip rule add {selector} lookup {table} pref {place}"
    for name in ("all", *DEVICES):
        yield f"echo 0 > /proc/sys/net/ipv4/conf/{name}/send_redirects"
    for key in KEYS:
        values = {"rp_filter": [0, 0, 1, 2], "forwarding": [1, 1, 1, 0]}.get(key, [0, 1])
        for name in ("all", *DEVICES):
            value = 1 if (key, name) == ("forwarding", "all") else dice.choice(values)
            yield f"echo {value} > /proc/sys/net/ipv4/conf/{name}/{key}"


def seen(parts: list[str]) -> NetNamespace:
    addresses, routes, rules, settings = parts
    return NetNamespace(
        name="here",
        interfaces=parse_interfaces(addresses, "a"),
        routes=parse_routes(routes, "r", 4),
        policy_rules=as_one({4: parse_policy_rules(rules, "p", 4)}),
        sysctls=parse_sysctls(settings),
    )


def of_kernel(answer: str) -> str:
    """``dev`` and ``via``, or why not; of a source it does not say which check refused it."""
    for words, name in (("Invalid", "refused"), ("cross-device", "refused"), ("No route", "shut")):
        if words in answer:
            return name
    if "answers" in answer:
        return "no way"
    said = answer.split()
    if said[0] in ("local", "broadcast"):
        return said[0]
    via = said[said.index("via") + 1] if "via" in said else None
    return f"{said[said.index('dev') + 1]} {via}"


def of_model(routing: Routing, asked: Question) -> str:
    source, destination, device, mark = asked
    found = routing.incoming(Address.parse(destination), Address.parse(source), device, mark)
    if found.fate is Fate.ERROR:
        return "refused" if found.error == "EINVAL" else "no way"
    if found.fate is Fate.FORWARD and found.route is not None:
        return f"{found.device} {found.route.gateway}"
    if found.fate in (Fate.LOCAL, Fate.BROADCAST):
        return "local" if found.fate is Fate.LOCAL else "broadcast"
    return "shut" if found.fate is Fate.NO_FORWARDING else "refused"


@pytest.mark.parametrize("seed", range(NETS))
def test_what_comes_in(seed: int) -> None:
    if not _has(*NEW, "ip", "link"):
        pytest.skip("no user namespaces here")
    dice = random.Random(seed)  # noqa: S311 - drawn, not secret
    asked: list[Question] = [
        (
            dice.choice(ADDRESSES),
            dice.choice(ADDRESSES),
            dice.choice(DEVICES),
            dice.choice([0, 0, 1]),
        )
        for _ in range(QUESTIONS)
    ]
    shown = ("ip -j -d addr", "ip -j route show table all", "ip -j rule")
    lines = [*built(dice), *(f"{one}; echo; echo =" for one in shown)]
    lines.append("cd /proc/sys; grep -s . net/ipv4/conf/*/* net/ipv4/ip_forward | sed s/:/=/")
    for source, destination, device, mark in asked:
        way = f"{destination} from {source} iif {device} mark {mark}"
        lines.append(f"echo =; ip -o route get {way} 2>&1 || :")
    done = subprocess.run(
        [*NEW, "sh", "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    parts = done.stdout.split("\n=\n")
    space = seen(parts[:4])
    routing = Routing(space, {one.name: one for one in space.interfaces})
    kernel = [of_kernel(answer) for answer in parts[4:]]
    assert len(kernel) == QUESTIONS
    model = [of_model(routing, question) for question in asked]
    wrong = [each for each in zip(asked, kernel, model, strict=True) if each[1] != each[2]]
    assert not wrong
