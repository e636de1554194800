"""ipsets in the lab: `-m set` of the walk and of the kernel, rule by rule."""

from __future__ import annotations

import random
from collections import ChainMap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from k8stui.kernel import ipset, save
from k8stui.kernel.exchange import Exchange
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import RuleCause
from k8stui.lab.comparing.compare import BranchComparison, compare
from k8stui.lab.plan import Plan, Tools
from k8stui.lab.planning.build import plan
from k8stui.lab.run import run
from k8stui.walk.request import parse_request
from k8stui.walk.world import World, build_world

DUAL = Path(__file__).with_name("dual-stack.yaml")
FAR = ("pod/client", "pod/frontend-1:80")
"""From 10.244.1.2 on node-1 to another node."""

Break = Callable[[Plan], None]


def tried(
    world: World,
    ends: tuple[str, str],
    tools: Tools,
    asks: list[str],
    sets: str,
    *,
    change: Break | None = None,
    node: str = "node-1",
) -> tuple[list[str], BranchComparison]:
    """Rules that ask sets, first in FORWARD of a node: those that the walk met there; both sides.

    Each does nothing, so that all are asked, by the packets of both directions.
    """
    request = parse_request(world, *ends).connect
    assert request is not None
    space = world.network[node]
    version = request.destination.version
    rules = "".join(f"-A SETS -m set {ask} -j HIT\n" for ask in asks)
    text = f"*filter\n:FORWARD ACCEPT [0:0]\n:SETS - [0:0]\n:HIT - [0:0]\n-A FORWARD -j SETS\n{rules}COMMIT\n"  # noqa: E501
    changed = replace(
        space, rulesets={**space.rulesets, version: save.parse(text)}, sets=ipset.parse(sets)
    )
    network = ChainMap({node: changed}, world.network)  # type: ignore[arg-type]
    exchange = connect(network, request)
    made, notes = plan(network, request, exchange, tools, exchange.felt.seconds + 2)
    assert notes == ()
    if change is not None:
        change(made)
    seen = run(made)
    assert seen["left_out"] == [] or change is not None
    return _met(exchange), compare(exchange, seen)


def _met(exchange: Exchange) -> list[str]:
    """What the first packet's rules asked."""
    return [
        step.cause.rule.text.removeprefix("-A SETS -m set --match-set ").removesuffix(" -j HIT")
        for step in exchange.steps
        if isinstance(step.cause, RuleCause)
        and step.cause.chain.name == "SETS"
        and step.cause.rule is not None
        and step.packet_number == 1
    ]


SETS = """\
create pods hash:net family inet timeout 0 comment
add pods 10.244.0.0/16 timeout 0
add pods 10.244.1.0/24 timeout 0 nomatch
add pods 10.244.2.2/32 timeout 90 nomatch comment "the one"
create all hash:net family inet comment
add all 10.244.0.0/16 comment "no nomatch here"
add all 10.244.1.0/24 nomatch
add all 10.244.1.2 comment "a nomatch that is none"
create hosts hash:ip family inet
add hosts 10.244.1.2
create nets24 hash:ip family inet netmask 24
add nets24 10.244.1.0
create ports hash:ip,port family inet
add ports 10.244.2.2,tcp:80
add ports 10.244.1.2,udp:80
create served hash:net,port family inet
add served 10.244.0.0/16,tcp:80
add served 10.244.2.0/24,tcp:80 nomatch
add served 10.244.2.0/25,udp:80
create pairs hash:ip,port,ip family inet
add pairs 10.244.2.2,tcp:80,10.244.1.2
create three hash:ip,port,net family inet
add three 10.244.2.2,tcp:80,10.244.1.0/24
create numbers bitmap:port range 0-65535
add numbers 80
create few bitmap:ip range 10.244.2.0-10.244.2.255
add few 10.244.2.2
create six hash:net family inet6
add six fd00::/8
create lists list:set size 8
add lists pods
add lists numbers
create none hash:net family inet
create empty6 hash:ip family inet6
"""
ASKED = {
    "pods src": False,
    "pods dst": False,
    "all src": True,
    "all dst": True,
    "hosts src": True,
    "hosts dst": False,
    "nets24 src": True,
    "nets24 dst": False,
    "ports dst,dst": True,
    "ports src,dst": False,
    "ports dst,src": False,
    "ports dst": False,
    "served dst,dst": False,
    "served src,dst": True,
    "pairs dst,dst,src": True,
    "pairs src,dst,dst": False,
    "three dst,dst,src": True,
    "three dst,dst,dst": False,
    "numbers dst": True,
    "numbers src": False,
    "few dst": True,
    "few src": False,
    "lists dst": True,
    "lists src": False,
    "none src": False,
}


@pytest.fixture(scope="module")
def cluster() -> World:
    return build_world([])


def test_what_sets_say(cluster: World, nft: Tools) -> None:
    met, found = tried(cluster, FAR, nft, [f"--match-set {ask}" for ask in ASKED], SETS)
    assert met == [ask for ask, hits in ASKED.items() if hits]
    assert found.agrees, found
    assert found.rules_equal >= sum(ASKED.values())


def test_negated(cluster: World, nft: Tools) -> None:
    asks = [f"! --match-set {ask}" for ask in ASKED]
    met, found = tried(cluster, FAR, nft, asks, SETS)
    assert len(met) == len(ASKED) - sum(ASKED.values())
    assert found.agrees, found


@pytest.mark.parametrize("seed", range(3))
def test_random_networks(cluster: World, nft: Tools, seed: int) -> None:
    """The smallest network that has an address decides, whatever the order."""
    dice = random.Random(seed)  # noqa: S311
    sets, asks = "", []
    for number in range(20):
        kind = dice.choice(["net", "net,port", "ip,port,net"])
        sets += f"create s{number} hash:{kind} family inet\n"
        for line in {_element(dice, kind) for _ in range(dice.randint(1, 8))}:
            sets += f"add s{number} {line}{dice.choice(['', '', ' nomatch'])}\n"
        asks += [
            f"--match-set s{number} {','.join(dice.choice(['src', 'dst']) for _ in kind.split(','))}"  # noqa: E501
            for _ in range(3)
        ]
    met, found = tried(cluster, FAR, nft, asks, sets)
    assert met
    assert found.agrees, found


def _element(dice: random.Random, kind: str) -> str:
    fields = {
        "ip": dice.choice(["10.244.1.2", "10.244.2.2"]),
        "port": dice.choice(["tcp:80", "udp:80"]),
        "net": "{}/{}".format(
            *dice.choice([("10.244.1.2", 32), ("10.244.2.2", 32), ("10.244.0.0", 16),
                          ("10.0.0.0", 8), ("10.244.2.0", 24), ("10.244.1.0", 28),
                          ("0.0.0.1", 1)])
        ),
    }  # fmt: skip
    return ",".join(fields[name] for name in kind.split(","))


def test_ipv6(nft: Tools) -> None:
    world = build_world([str(DUAL)])
    near, far = sorted(world.cluster.pods.values(), key=lambda pod: str(pod.node_name))
    assert near.node_name == "a"
    there = next(str(one) for one in far.addresses if one.version == 6)
    sets = f"""\
create n hash:net family inet6
add n fd00:10:244::/48
add n {there} nomatch
create p hash:ip,port family inet6 timeout 0
add p {there},tcp:80 timeout 0
create four hash:net family inet
add four 10.0.0.0/8
create b bitmap:port range 0-65535
add b 80
create none hash:net family inet6
"""
    asks = [
        f"--match-set {one}" for one in ("n dst", "p dst,dst", "b dst", "p src,src", "none src")
    ]
    met, found = tried(world, (f"pod/{near.name}", f"[{there}]:80"), nft, asks, sets, node="a")
    assert met == ["p dst,dst", "b dst"]
    assert found.agrees, found


def _drop(*words: str) -> Break:
    return _lines(lambda line: "" if set(words) <= set(line.split()) else line)


def _instead(old: str, new: str) -> Break:
    return _lines(lambda line: line.replace(f" {old}\n", f" {new}\n"))


def _match_all(made: Plan) -> None:
    _lines(lambda line: line.replace(" nomatch", ""))(made)


def _lines(change: Callable[[str], str]) -> Break:
    def changed(made: Plan) -> None:
        for space in made["spaces"]:
            space["sets"] = {
                name: "".join(map(change, text.splitlines(keepends=True)))
                for name, text in space["sets"].items()
            }

    return changed


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_drop("add", "hosts"), id="entry-missing"),
        pytest.param(_match_all, id="nomatch-dropped"),
        pytest.param(_drop("pods"), id="set-missing"),
        pytest.param(_instead("inet", "inet6"), id="wrong-family"),
        pytest.param(_instead("10.244.2.2,tcp:80", "10.244.2.2,tcp:81"), id="other-port"),
        pytest.param(_instead("10.244.0.0/16", "10.243.0.0/16"), id="other-network"),
        pytest.param(_drop("add", "lists", "numbers"), id="member-missing"),
        pytest.param(_instead("10.244.1.0/24", "10.244.9.0/24"), id="netmask-elsewhere"),
    ],
)
def test_broken(cluster: World, nft: Tools, change: Break) -> None:
    asks = [f"--match-set {ask}" for ask in ASKED]
    _, found = tried(cluster, FAR, nft, asks, SETS, change=change)
    assert not found.agrees
