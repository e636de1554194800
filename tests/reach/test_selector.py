"""SELECTOR and PORT of ``k8stui reach``."""

from __future__ import annotations

import pytest

from k8stui.kernel.packet import Protocol
from k8stui.reach.ends import asked, askers
from k8stui.reach.selector import NobodyError, parse_port, parse_selector, select
from k8stui.walk.error import RequestError
from k8stui.walk.world import World, build_world, sample


@pytest.fixture(scope="module")
def world() -> World:
    return build_world([str(sample("guestbook"))])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("outside", ["outside"]),
        ("nodes", ["node/node-1", "node/node-2"]),
        ("node/node-2", ["node/node-2"]),
        ("pod/redis-l*", ["pod/default/redis-leader-1"]),
        ("deploy/redis-leader", ["pod/default/redis-leader-1"]),
        ("app=redis,role=leader", ["pod/default/redis-leader-1"]),
        (
            "app=redis,role!=leader",
            ["pod/default/redis-follower-1", "pod/default/redis-follower-2"],
        ),
        ("app=redis,!role", []),
        ("ns/kube-*", []),
        ("pod/other/redis-leader-1", []),
    ],
)
def test_who_asks(world: World, text: str, names: list[str]) -> None:
    test = parse_selector(world.cluster, text, "default")
    assert [one.name for one in askers(world) if test(one)] == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("svc/frontend", ["svc/default/frontend:80"]),
        ("services", None),
        ("node/node-1", ["node/node-1:30080"]),
        (
            "role=leader",
            ["svc/default/redis-leader:6379", "pod/default/redis-leader-1:6379"],
        ),
        ("outside", []),
    ],
)
def test_who_is_asked(world: World, text: str, names: list[str] | None) -> None:
    test = parse_selector(world.cluster, text, "default")
    found = [one.name for one in asked(world) if test(one)]
    if names is None:
        assert len(found) == 4
        assert all(name.startswith("svc/") for name in found)
    else:
        assert found == names


def test_a_port_asks_every_pod(world: World) -> None:
    names = [one.name for one in asked(world, ((53, Protocol.UDP),))]
    assert "pod/default/redis-leader-1:53/udp" in names
    assert not any(name.startswith(("svc/", "node/")) for name in names)


@pytest.mark.parametrize("text", ["", "a b", "what/else", "=x", "app=a,,", "!app=x"])
def test_what_is_no_selector_is_told(world: World, text: str) -> None:
    with pytest.raises(RequestError, match="not a selector"):
        parse_selector(world.cluster, text, "default")


def test_ports() -> None:
    assert parse_port("80") == (80, Protocol.TCP)
    assert parse_port("53/UDP") == (53, Protocol.UDP)
    for text in ("0", "65536", "٣", "80/icmp", "x", ""):
        with pytest.raises(RequestError, match="not a port"):
            parse_port(text)


def test_several_select_those_of_each_and_none_all(world: World) -> None:
    everyone = [*askers(world)]
    assert select(world.cluster, (), "default", everyone) == everyone
    both = select(world.cluster, ("outside", "node/node-1"), "default", everyone)
    assert [one.name for one in both] == ["node/node-1", "outside"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("pod/nobody", "write pod/NAMESPACE/nobody, or -n: it is looked for in default"),
        ("pod/default/nobody", "k8stui topology lists who is there"),
        ("ns/nowhere", "k8stui topology lists who is there"),
        ("app=nothing", "k8stui topology lists who is there"),
    ],
)
def test_who_is_not_there_is_no_empty_matrix(world: World, text: str, hint: str) -> None:
    with pytest.raises(NobodyError) as raised:
        select(world.cluster, ("outside", text), "default", [*askers(world)])
    assert (raised.value.message, raised.value.hint) == (f"{text} selects none", hint)
